"""Another OneCore process on a test's database and simulators.

It syncs a workspace until it is idle and prints what it came to. What it works on, and how far
its clock is ahead, it is told by `start`. It is forked from a server that has imported everything
(`tests.fork_server`), so that a test may kill dozens.
"""

import json
import os
import signal
import time
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from tests.fork_server import Forked, ForkServer
from tests.simulators import Simulator

if TYPE_CHECKING:
    from tests.desk import Desk

_servers: dict[str, ForkServer] = {}
"""Fork servers by the database their children use."""


@dataclass(slots=True)
class Worker:
    """The process, as the test that started it sees it."""

    process: Forked

    def end(self, timeout: float = 60) -> dict[str, Any]:
        """What it came to, once it has ended by itself; fails with what it said otherwise."""
        told: dict[str, Any] = json.loads(self.said(timeout).splitlines()[-1])
        return told

    def said(self, timeout: float = 60) -> str:
        """Everything it printed, once it has ended by itself; fails with that otherwise."""
        code = self.process.wait(timeout)
        out, err = self.process.out, self.process.err
        assert code == 0, f"exit {code}\n{out}\n{err}"
        return err + out

    def dies(self, timeout: float = 60) -> str:
        """Waits for it to be killed at the point it was told; what it printed until then."""
        code = self.process.wait(timeout)
        out, err = self.process.out, self.process.err
        assert code == -signal.SIGKILL, f"exit {code}, so the point was not reached\n{out}\n{err}"
        return out + err

    def stops(self, timeout: float = 60) -> None:
        """Waits for it to pause at the point it was told."""
        self.process.stopped(timeout)

    def goes_on(self) -> None:
        self.process.send(signal.SIGCONT)

    def says(self, line: str, timeout: float = 60) -> None:
        """Waits for it to print a line."""
        deadline = time.monotonic() + timeout
        while line not in self.process.out.splitlines():
            assert time.monotonic() < deadline, self.process.out + self.process.err
            time.sleep(0.01)

    def kill(self) -> None:
        """End it, whatever it is doing; nothing happens where it has ended."""
        if self.process.returncode is None:
            self.process.send(signal.SIGKILL)
            self.process.wait(20)


def another(
    desk: "Desk",
    crash: str = "",
    ahead: timedelta = timedelta(0),
    timeout: float = 30,
    **more: object,
) -> Worker:
    """A further process working the desk's workspace; it dies (or pauses) at `crash`."""
    return start(
        desk.procore,
        desk.xero,
        _database_url(),
        workspace=str(desk.workspace),
        crash=crash,
        ahead=str((desk.clock.offset + ahead).total_seconds()),
        timeout=str(timeout),
        **{name: str(value) for name, value in more.items()},
    )


def start(procore: Simulator, xero: Simulator, database_url: str, **said: str) -> Worker:
    """A process on any database; without `workspace` it makes the tables and a desk there."""
    if database_url not in _servers:
        environ = {k: v for k, v in os.environ.items() if not k.startswith("ONECORE_")}
        environ |= {
            "ONECORE_DATA_DIR": os.environ["ONECORE_DATA_DIR"],
            "ONECORE_RESOLVED_DATABASE_URL": database_url,
            "ONECORE_DB_PATIENCE": "3",
        }
        _servers[database_url] = ForkServer(environ)
    return Worker(_servers[database_url].fork({"procore": procore.url, "xero": xero.url, **said}))


def _database_url() -> str:
    """The URL of the database this very test runs on, which pytest-django made."""
    from urllib.parse import quote

    from django.db import connection

    there = connection.settings_dict
    user, password = quote(there["USER"], safe=""), quote(there["PASSWORD"], safe="")
    where = f"host={quote(str(there['HOST']), safe='')}"
    if there["PORT"]:
        where += f"&port={there['PORT']}"
    return f"postgresql://{user}:{password}@/{there['NAME']}?{where}"


# --- in the process itself --------------------------------------------------------------------


def warm() -> None:
    """Import all there is, without a connection to anything."""
    from onecore.app import setup_django

    setup_django()
    import tests.desk  # noqa: F401


def do(said: dict[str, str]) -> None:
    print(json.dumps(work(said) if "workspace" in said else furnish(said)))


@dataclass(frozen=True, slots=True)
class Both:
    """The simulators; of those a test is told of, all that matters is the address."""

    procore: Any
    xero: Any

    def reset(self) -> None:
        self.procore.reset()
        self.xero.reset()


def furnish(said: dict[str, str]) -> dict[str, Any]:
    """Tables, and a workspace connected and mapped in them."""
    from django.core.management import call_command

    from tests.desk import Desk

    call_command("migrate", verbosity=0)
    both = Both(Simulator.at("procore", said["procore"]), Simulator.at("xero", said["xero"]))
    desk = Desk(both)  # type: ignore[arg-type]
    desk.connect()
    desk.map_all()
    desk.close()
    return {"workspace": desk.workspace}


def work(said: dict[str, str]) -> dict[str, Any]:
    """Sync until idle; `patient` comes back after the database was out of reach, `promptly` is
    for how many seconds the answer that a write may go is trusted."""
    from django.db import InterfaceError, OperationalError

    from onecore import crash
    from onecore.app import HttpRemotes
    from onecore.domain.ids import WorkspaceId
    from onecore.engine.service import Service
    from onecore.engine.use import syncing
    from onecore.http import transport
    from onecore.store.secrets import Keyring
    from onecore.store.vault import Vault
    from tests.desk import SECRET, MovableClock, settings_for

    if said.get("crash"):
        crash.die_at(said["crash"])
    if "promptly" in said:
        transport.PROMPTLY = float(said["promptly"])
    clock = MovableClock()
    clock.offset = timedelta(seconds=float(said.get("ahead", "0")))
    there = Both(SimpleNamespace(url=said["procore"]), SimpleNamespace(url=said["xero"]))
    settings = settings_for(there)  # type: ignore[arg-type]
    service = Service(settings, HttpRemotes(settings, clock), Vault(Keyring([SECRET])), clock)
    workspace = WorkspaceId(int(said["workspace"]))
    limit = timedelta(seconds=float(said.get("timeout", "30")))
    lost = 0
    try:
        while True:
            try:
                done = service.run(
                    syncing.sync(service, workspace, until_idle=True, timeout=limit), timeout=120
                )
                break
            except (OperationalError, InterfaceError):
                lost += 1
                if "patient" not in said:
                    raise
                print("lost", flush=True)
                time.sleep(0.1)
    finally:
        service.close()
    return {"done": done.done, "idle": done.idle, "troubles": done.troubles, "lost": lost}
