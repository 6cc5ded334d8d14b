"""Another OneCore process on a test's database and simulators.

`python -m tests.worker_process` syncs a workspace until it is idle and prints what it came to.
What it works on, and how far its clock is ahead, it takes from the environment `start` makes.
"""

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.simulators import Simulator

if TYPE_CHECKING:
    from tests.desk import Desk

ROOT = Path(__file__).parents[1]
PREFIX = "ONECORE_TEST_"


@dataclass(slots=True)
class Worker:
    """The process, as the test that started it sees it."""

    process: subprocess.Popen[str]

    def end(self, timeout: float = 60) -> dict[str, Any]:
        """What it printed, once it has ended by itself; fails with what it said otherwise."""
        out, err = self.process.communicate(timeout=timeout)
        assert self.process.returncode == 0, f"exit {self.process.returncode}\n{out}\n{err}"
        told: dict[str, Any] = json.loads(out.splitlines()[-1])
        return told

    def dies(self, timeout: float = 60) -> str:
        """Waits for it to be killed at the point it was told; what it printed until then."""
        out, err = self.process.communicate(timeout=timeout)
        code = self.process.returncode
        assert code == -signal.SIGKILL, f"exit {code}, so the point was not reached\n{out}\n{err}"
        return out + err

    def stops(self) -> None:
        """Waits for it to pause at the point it was told."""
        _, status = os.waitpid(self.process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status), status

    def goes_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it, whatever it is doing; nothing happens where it has ended."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


def another(
    desk: "Desk",
    crash: str = "",
    ahead: timedelta = timedelta(0),
    timeout: float = 30,
) -> Worker:
    """A further process working the desk's workspace; it dies (or pauses) at `crash`."""
    return start(
        desk.procore,
        desk.xero,
        _database_url(),
        WORKSPACE=str(desk.workspace),
        CRASH=crash,
        AHEAD=str((desk.clock.offset + ahead).total_seconds()),
        TIMEOUT=str(timeout),
    )


def start(procore: Simulator, xero: Simulator, database_url: str, **more: str) -> Worker:
    """A process on any database; without `WORKSPACE` it makes the tables and a desk there."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith("ONECORE_")}
    environ |= {
        "ONECORE_DATA_DIR": os.environ["ONECORE_DATA_DIR"],
        "ONECORE_RESOLVED_DATABASE_URL": database_url,
        "ONECORE_DB_PATIENCE": "3",
        f"{PREFIX}PROCORE": procore.url,
        f"{PREFIX}XERO": xero.url,
        **{f"{PREFIX}{name}": value for name, value in more.items()},
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]),
    }
    return Worker(
        subprocess.Popen(
            [sys.executable, "-m", "tests.worker_process"],
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    )


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


def main() -> None:
    from onecore.app import setup_django

    setup_django()
    told = {k.removeprefix(PREFIX): v for k, v in os.environ.items() if k.startswith(PREFIX)}
    both = Both(
        Simulator.at("procore", told.pop("PROCORE")), Simulator.at("xero", told.pop("XERO"))
    )
    print(json.dumps(work(both, told) if "WORKSPACE" in told else furnish(both)))


@dataclass(frozen=True, slots=True)
class Both:
    procore: Simulator
    xero: Simulator

    def reset(self) -> None:
        self.procore.reset()
        self.xero.reset()


def furnish(both: Both) -> dict[str, Any]:
    """Tables, and a workspace connected and mapped in them."""
    from django.core.management import call_command

    from tests.desk import Desk

    call_command("migrate", verbosity=0)
    desk = Desk(both)  # type: ignore[arg-type]
    desk.connect()
    desk.map_all()
    desk.close()
    return {"workspace": desk.workspace}


def work(both: Both, told: dict[str, str]) -> dict[str, Any]:
    """Sync until idle; `PATIENT` comes back after the database was out of reach."""
    import time

    from django.db import InterfaceError, OperationalError

    from onecore.app import HttpRemotes
    from onecore.domain.ids import WorkspaceId
    from onecore.engine.service import Service
    from onecore.engine.use import syncing
    from onecore.store.secrets import Keyring
    from onecore.store.vault import Vault
    from tests.desk import SECRET, MovableClock, settings_for

    clock = MovableClock()
    clock.offset = timedelta(seconds=float(told.get("AHEAD", "0")))
    settings = settings_for(both)  # type: ignore[arg-type]
    service = Service(settings, HttpRemotes(settings, clock), Vault(Keyring([SECRET])), clock)
    workspace = WorkspaceId(int(told["WORKSPACE"]))
    limit = timedelta(seconds=float(told.get("TIMEOUT", "30")))
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
                if "PATIENT" not in told:
                    raise
                print("lost", flush=True)
                time.sleep(0.1)
    finally:
        service.close()
    return {"done": done.done, "idle": done.idle, "troubles": done.troubles, "lost": lost}


if __name__ == "__main__":
    main()
