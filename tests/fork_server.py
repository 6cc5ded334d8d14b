"""Processes in a moment: one that has imported everything is forked for each that is wanted.

`python -m tests.fork_server MODULE` reads requests from standard input, a line of JSON each, and
tells on standard output what becomes of the processes it forked. The module's `warm` imports what
they need, its `do` is what each of them does. The server has one thread, no connection and no
loop, so that what it forks is as good as new. It ends, and all its children with it, when its
input ends.
"""

import atexit
import contextlib
import gc
import importlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).parents[1]


class Forked:
    """A process that a fork server made, as the test that wanted it sees it."""

    def __init__(self, server: "ForkServer", number: int, output: Path) -> None:
        self._server = server
        self._number = number
        self._output = output
        self.pid = int(server.told(number, "pid", 30)["pid"])
        self.returncode: int | None = None
        self.ended_at: float | None = None  # seconds of the machine's clock

    def wait(self, timeout: float) -> int:
        """Its exit status, negative for the signal that ended it. Raises TimeoutError."""
        if self.returncode is None:
            told = self._server.told(self._number, "ended", timeout)
            self.returncode, self.ended_at = int(told["ended"]), float(told["at"])
        return self.returncode

    def has_ended(self) -> bool:
        """Whether it has ended by now."""
        with contextlib.suppress(TimeoutError):
            self.wait(0)
        return self.returncode is not None

    def stopped(self, timeout: float) -> None:
        """Returns once it is paused. Raises TimeoutError."""
        self._server.told(self._number, "stopped", timeout)

    def send(self, number: signal.Signals) -> None:
        """Nothing happens where it has ended."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    @property
    def out(self) -> str:
        """What it has printed so far."""
        return self._output.with_suffix(".out").read_text()

    @property
    def err(self) -> str:
        return self._output.with_suffix(".err").read_text()


class ForkServer:
    """The server, from outside."""

    def __init__(self, environ: dict[str, str], module: str = "tests.worker_process") -> None:
        self._outputs = tempfile.TemporaryDirectory(prefix="onecore-forked-")
        self._count = 0
        self._told: list[dict[str, Any]] = []
        self._unread = b""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.fork_server", module],
            env=environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        atexit.register(self.close)

    def fork(self, said: dict[str, Any]) -> Forked:
        """A new process that does the module's `do(said)`; what that gives is its exit status."""
        self._count += 1
        output = Path(self._outputs.name) / str(self._count)
        asked = {"number": self._count, "output": str(output), "said": said}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asked).encode() + b"\n")
        self._process.stdin.flush()
        return Forked(self, self._count, output)

    def told(self, number: int, what: str, timeout: float) -> dict[str, Any]:
        """What the server says of a process, waited for. Raises TimeoutError."""
        deadline = time.monotonic() + timeout
        while True:
            for at, one in enumerate(self._told):
                if one["number"] == number and what in one:
                    return self._told.pop(at)
            self._read(deadline - time.monotonic())

    def _read(self, timeout: float) -> None:
        assert self._process.stdout is not None
        ready = self._process.stdout.fileno()
        if not select.select([ready], [], [], max(0.0, timeout))[0]:
            raise TimeoutError
        data = os.read(ready, 65536)
        assert data, "the fork server has ended"
        *lines, self._unread = (self._unread + data).split(b"\n")
        self._told += [json.loads(line) for line in lines]

    def close(self) -> None:
        """End it and all it forked; safe to call more than once."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(20)
        self._process.stdout.close()
        self._outputs.cleanup()


# --- inside -----------------------------------------------------------------------------------


class _Server:
    """Forks what is asked for and tells what became of it."""

    def __init__(self, do: Callable[[dict[str, Any]], int | None]) -> None:
        self._do = do
        self._numbers: dict[int, int] = {}  # by process id
        self._woken, self._wakes = os.pipe()
        os.set_blocking(self._wakes, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wakes)

    def serve(self) -> None:
        unread = b""
        while True:
            ready = select.select([0, self._woken], [], [])[0]
            if self._woken in ready:
                os.read(self._woken, 65536)
                self._reap()
            if 0 in ready:
                data = os.read(0, 65536)
                if not data:
                    break
                *lines, unread = (unread + data).split(b"\n")
                for line in lines:
                    self._fork(json.loads(line))
        for pid in self._numbers:
            os.kill(pid, signal.SIGKILL)

    def _fork(self, asked: dict[str, Any]) -> None:
        pid = os.fork()
        if pid == 0:
            self._child(asked)
        self._numbers[pid] = asked["number"]
        _tell(number=asked["number"], pid=pid)

    def _child(self, asked: dict[str, Any]) -> NoReturn:
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.close(self._woken)
            os.close(self._wakes)
            _redirect(Path(asked["output"]))
            status = self._do(asked["said"]) or 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG | os.WUNTRACED)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if os.WIFSTOPPED(status):
                _tell(number=self._numbers[pid], stopped=True)
            else:
                code, number = os.waitstatus_to_exitcode(status), self._numbers.pop(pid)
                _tell(number=number, ended=code, at=time.time())


def _redirect(output: Path) -> None:
    """Standard output and error into files of the child's own, and nothing to read."""
    for number, path, flags in (
        (0, Path(os.devnull), os.O_RDONLY),
        (1, output.with_suffix(".out"), os.O_CREAT | os.O_WRONLY),
        (2, output.with_suffix(".err"), os.O_CREAT | os.O_WRONLY),
    ):
        opened = os.open(path, flags, 0o600)
        os.dup2(opened, number)
        os.close(opened)


def _tell(**facts: object) -> None:
    os.write(1, json.dumps(facts).encode() + b"\n")


def main() -> None:
    module = importlib.import_module(sys.argv[1])
    module.warm()
    gc.collect()
    gc.freeze()
    _Server(module.do).serve()


if __name__ == "__main__":
    main()
