"""Killable OneCore processes, forked from one that has everything loaded, and one clock for all."""

import mmap
import os
import re
import signal
import struct
import tempfile
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.fork_server import Forked, ForkServer
from tests.simulators import Simulators
from tests.worker_process import Both, _database_url

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


@dataclass(frozen=True, slots=True)
class Stroke:
    """Where a worker is struck: at the nth of the crash points whose name has these words."""

    words: str = ""
    nth: int = 1
    pauses: bool = False  # until it is continued; otherwise it is killed


class Worker:
    """One process, and what became of it."""

    def __init__(self, process: Forked) -> None:
        self._process = process

    def ends(self) -> None:
        """Wait until it has ended: by itself, or killed where it was struck."""
        code = self._process.wait(PATIENCE)
        assert code in (0, -signal.SIGKILL), f"a worker ends with {code}: {self._process.err}"

    def stands_still(self) -> bool:
        """Whether it has paused; False where it came to its end without."""
        while not self._process.has_ended():
            try:
                self._process.stopped(0.02)
            except TimeoutError:
                continue
            return True
        return False

    def go_on(self) -> None:
        self._process.send(signal.SIGCONT)

    @property
    def fate(self) -> str:
        """Where it was struck, in words."""
        point = self._process.out.strip()
        if not point:
            return "ends, never struck"
        return f"is {'killed' if self._process.returncode else 'paused'} at {point}"

    def kill(self) -> None:
        if not self._process.has_ended():
            self._process.send(signal.SIGKILL)
            self._process.wait(PATIENCE)


class Nursery:
    """Starts workers, on the database of this very process."""

    def __init__(self, simulators: Simulators, clock: SharedClock) -> None:
        environ = {k: v for k, v in os.environ.items() if not k.startswith("ONECORE_")}
        environ |= {
            "ONECORE_DATA_DIR": os.environ["ONECORE_DATA_DIR"],
            "ONECORE_RESOLVED_DATABASE_URL": _database_url(),
        }
        self._server = ForkServer(environ, "tests.machine.workers")
        self._told = {
            "procore": simulators.procore.url,
            "xero": simulators.xero.url,
            "clock": clock.path,
        }
        self._workers: list[Worker] = []

    def start(self, workspace: int, stroke: Stroke | None = None, turns: int = 20) -> Worker:
        """A worker that takes turns until nothing is due, or until it is struck."""
        said: dict[str, Any] = {**self._told, "workspace": workspace, "turns": turns}
        if stroke is not None:
            said["stroke"] = [stroke.words, stroke.nth, stroke.pauses]
        worker = Worker(self._server.fork(said))
        self._workers.append(worker)
        return worker

    def kill_all(self) -> None:
        for worker in self._workers:
            worker.kill()
        self._workers.clear()

    def close(self) -> None:
        self.kill_all()
        self._server.close()


# --- in the processes themselves ------------------------------------------------------------------


def warm() -> None:
    """Import all there is, without a connection to anything."""
    from onecore.app import setup_django

    setup_django()
    import tests.desk
    import tests.machine.turns  # noqa: F401


def do(said: dict[str, Any]) -> None:
    import structlog

    from onecore import crash
    from onecore.app import HttpRemotes
    from onecore.domain.ids import WorkspaceId
    from onecore.engine.service import Service
    from onecore.store.models import WorkspaceOrganisation
    from onecore.store.secrets import Keyring
    from onecore.store.vault import Vault
    from tests.desk import SECRET, settings_for
    from tests.machine.turns import POLL_SECONDS, take_turns

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    if "stroke" in said:
        crash.watch(_striking(*said["stroke"]))
    clock = SharedClock(Path(said["clock"]))
    there = Both(SimpleNamespace(url=said["procore"]), SimpleNamespace(url=said["xero"]))
    settings = settings_for(there, ONECORE_POLL_SECONDS=POLL_SECONDS)  # type: ignore[arg-type]
    service = Service(settings, HttpRemotes(settings, clock), Vault(Keyring([SECRET])), clock)
    joined = WorkspaceOrganisation.objects.get(workspace_id=said["workspace"])
    take_turns(service, WorkspaceId(joined.workspace_id), joined.organisation_id, said["turns"])
    service.close()


def _striking(words: str, nth: int, pauses: bool) -> Any:
    left = nth

    def strike(reached: str) -> None:
        nonlocal left
        if left == 0 or not re.search(words, reached):
            return
        left -= 1
        if left:
            return
        print(reached, flush=True)
        if pauses:
            # To this very thread: sent to the process, another may take it while this one runs on.
            signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)
        else:
            os.kill(os.getpid(), signal.SIGKILL)

    return strike
