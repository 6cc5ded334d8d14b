"""Another OneCore process on a test's database and simulators.

`python -m tests.worker_process` syncs a workspace until it is idle and prints what it came to.
What it works on, and how far its clock is ahead, it takes from the environment `others` makes.
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
    database_url: str = "",
) -> Worker:
    """A further process working the desk's workspace; it dies (or pauses) at `crash`."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith("ONECORE_")}
    environ |= {
        "ONECORE_DATA_DIR": os.environ["ONECORE_DATA_DIR"],
        "ONECORE_RESOLVED_DATABASE_URL": database_url or _database_url(),
        "ONECORE_TEST_CRASH": crash,
        f"{PREFIX}PROCORE": desk.procore.url,
        f"{PREFIX}XERO": desk.xero.url,
        f"{PREFIX}WORKSPACE": str(desk.workspace),
        f"{PREFIX}AHEAD": str((desk.clock.offset + ahead).total_seconds()),
        f"{PREFIX}TIMEOUT": str(timeout),
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


@dataclass(frozen=True, slots=True)
class _At:
    url: str


@dataclass(frozen=True, slots=True)
class _Addresses:
    procore: _At
    xero: _At


def main() -> None:
    from onecore.app import HttpRemotes, setup_django

    setup_django()
    from onecore.domain.ids import WorkspaceId
    from onecore.engine.service import Service
    from onecore.engine.use import syncing
    from onecore.store.secrets import Keyring
    from onecore.store.vault import Vault
    from tests.desk import SECRET, MovableClock, settings_for

    told = {k.removeprefix(PREFIX): v for k, v in os.environ.items() if k.startswith(PREFIX)}
    clock = MovableClock()
    clock.offset = timedelta(seconds=float(told["AHEAD"]))
    settings = settings_for(_Addresses(_At(told["PROCORE"]), _At(told["XERO"])))
    service = Service(settings, HttpRemotes(settings, clock), Vault(Keyring([SECRET])), clock)
    workspace = WorkspaceId(int(told["WORKSPACE"]))
    limit = timedelta(seconds=float(told["TIMEOUT"]))
    try:
        done = service.run(
            syncing.sync(service, workspace, until_idle=True, timeout=limit), timeout=120
        )
        print(json.dumps({"done": done.done, "idle": done.idle, "troubles": done.troubles}))
    finally:
        service.close()


if __name__ == "__main__":
    main()
