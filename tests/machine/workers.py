"""Killable OneCore processes, quick to start: forked from one that has everything loaded.

`Nursery` is the test's side. The nursery's own process never opens a connection nor starts a
thread, so that what it forks is as good as a fresh start.
"""

import json
import mmap
import os
import signal
import struct
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.simulators import Simulator, Simulators
from tests.worker_process import ROOT, Both, _database_url

PATIENCE = 60.0
"""Seconds of real time a worker may take; one that takes longer hangs."""


class SharedClock:
    """The machine's clock plus an offset that all processes read from one small file."""

    def __init__(self, file: Path) -> None:
        self._file = file.open("r+b")
        self._shared = mmap.mmap(self._file.fileno(), 8)

    @classmethod
    def new(cls) -> "SharedClock":
        with tempfile.NamedTemporaryFile(prefix="onecore-clock-", delete=False) as made:
            made.write(struct.pack("d", 0.0))
        return cls(Path(made.name))

    @property
    def path(self) -> str:
        return str(self._file.name)

    @property
    def offset(self) -> timedelta:
        seconds: float = struct.unpack("d", self._shared[:8])[0]
        return timedelta(seconds=seconds)

    @offset.setter
    def offset(self, by: timedelta) -> None:
        self._shared[:8] = struct.pack("d", by.total_seconds())

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def discard(self) -> None:
        self._shared.close()
        self._file.close()
        Path(self.path).unlink()


@dataclass(slots=True)
class Worker:
    """One process; `code` is None while it lives, negative when a signal ended it."""

    pid: int
    code: int | None = None
    stopped: bool = False

    @property
    def alive(self) -> bool:
        return self.code is None


class Nursery:
    """Starts workers, and tells what became of them."""

    def __init__(self, simulators: Simulators, clock: SharedClock) -> None:
        environ = {k: v for k, v in os.environ.items() if not k.startswith("ONECORE_")}
        environ |= {
            "ONECORE_DATA_DIR": os.environ["ONECORE_DATA_DIR"],
            "ONECORE_RESOLVED_DATABASE_URL": _database_url(),
            "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]),
        }
        told = (simulators.procore.url, simulators.xero.url, clock.path)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.machine.workers", *told],
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._workers: dict[int, Worker] = {}

    def _ask(self, **said: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(said) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def start(self, workspace: int, crash: str = "", turns: int = 20) -> Worker:
        """A worker that takes turns until nothing is due; it dies, or pauses, at `crash`."""
        worker = Worker(self._ask(do="start", workspace=workspace, crash=crash, turns=turns))
        self._workers[worker.pid] = worker
        return worker

    def look(self) -> None:
        """Bring what is known of every worker up to date."""
        for pid, code, stopped in self._ask(do="look"):
            worker = self._workers[pid]
            worker.stopped = stopped
            worker.code = code
        self._workers = {pid: one for pid, one in self._workers.items() if one.alive}

    def until(self, *workers: Worker, stopped: bool = False) -> None:
        """Wait until these have ended (or, with `stopped`, have paused)."""
        deadline = time.monotonic() + PATIENCE
        while any(one.alive and not (stopped and one.stopped) for one in workers):
            assert time.monotonic() < deadline, "a worker hangs"
            time.sleep(0.005)
            self.look()

    def go_on(self, worker: Worker) -> None:
        worker.stopped = False
        os.kill(worker.pid, signal.SIGCONT)

    def kill_all(self) -> None:
        """End every worker of ours that still lives."""
        for worker in self._workers.values():
            os.kill(worker.pid, signal.SIGKILL)
        self.until(*self._workers.values())

    def close(self) -> None:
        self.kill_all()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(20)
        self._process.stdout.close()


# --- the nursery's own process ------------------------------------------------------------------


def main() -> None:
    from onecore.app import setup_django

    procore, xero, clock = sys.argv[1:]
    setup_django()
    from onecore.app import HttpRemotes  # noqa: F401 - loaded once, for all that are forked
    from onecore.engine import organisation_run, service  # noqa: F401
    from onecore.engine.use import syncing  # noqa: F401

    for line in sys.stdin:
        said = json.loads(line)
        if said.pop("do") == "start":
            answer: object = _forked(procore, xero, Path(clock), **said)
        else:
            answer = _looked()
        print(json.dumps(answer), flush=True)


def _forked(procore: str, xero: str, clock: Path, workspace: int, crash: str, turns: int) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        with Path(os.devnull).open("w") as nothing:
            os.dup2(nothing.fileno(), 1)
        _work(Simulator.at("procore", procore), Simulator.at("xero", xero), clock, workspace,
              crash, turns)  # fmt: skip
        code = 0
    finally:
        sys.stderr.flush()
        os._exit(code)


def _looked() -> list[tuple[int, int | None, bool]]:
    """(pid, exit code or None, whether it is paused) of every child of which there is news."""
    news: list[tuple[int, int | None, bool]] = []
    with suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG | os.WUNTRACED)
            if not pid:
                break
            if os.WIFSTOPPED(status):
                news.append((pid, None, True))
            else:
                news.append((pid, os.waitstatus_to_exitcode(status), False))
    return news


def _work(
    procore: Simulator, xero: Simulator, clock_file: Path, workspace: int, crash: str, turns: int
) -> None:
    from onecore.app import HttpRemotes
    from onecore.domain.ids import WorkspaceId
    from onecore.engine import crash as points
    from onecore.engine.service import Service
    from onecore.store.models import WorkspaceOrganisation
    from onecore.store.secrets import Keyring
    from onecore.store.vault import Vault
    from tests.desk import SECRET, settings_for
    from tests.machine.turns import POLL_SECONDS, take_turns

    points._wanted, points._nth, points._how = [*crash.split(":"), "", ""][:3]
    clock = SharedClock(clock_file)
    both = Both(procore, xero)
    settings = settings_for(both, ONECORE_POLL_SECONDS=POLL_SECONDS)  # type: ignore[arg-type]
    service = Service(settings, HttpRemotes(settings, clock), Vault(Keyring([SECRET])), clock)
    joined = WorkspaceOrganisation.objects.get(workspace_id=workspace)
    take_turns(service, WorkspaceId(workspace), joined.organisation_id, turns)
    service.close()


if __name__ == "__main__":
    main()
