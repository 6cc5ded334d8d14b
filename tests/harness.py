"""An installation of OneCore in a directory of its own, used through the real command."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onecore.store.embedded import EmbeddedPostgres
from tests.simulators import Simulators

SOURCE = Path(__file__).parents[1] / "src"
PROCORE_APP = ("sim-procore-client", "sim-procore-secret")
XERO_APP = ("sim-xero-client", "sim-xero-secret")
XERO_CUSTOM = ("sim-xero-custom", "sim-xero-custom-secret")
SECRET_KEY = "a test's secret key of more than thirty-two characters"


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output read as JSON; money in it is text."""
        return json.loads(self.out)

    def ok(self) -> "Ran":
        """Itself, when the command ended with 0; fails with what it said otherwise."""
        assert self.code == 0, f"exit {self.code}\n{self.out}\n{self.err}"
        return self


class Installation:
    """A directory, an environment, and the real `onecore` command in them."""

    def __init__(
        self,
        simulators: Simulators | None = None,
        database_url: str | None = None,
        **environ: str,
    ) -> None:
        """Without `database_url` the embedded server serves, in the directory. `environ` adds to
        the environment or overrides it, the names without their ONECORE_."""
        self.home = Path(tempfile.mkdtemp(prefix="onecore-it-", dir="/tmp"))
        self.home.chmod(0o755)  # as root, the database's own user has to pass through
        self.data_dir = self.home / "data"
        named = {
            "DATA_DIR": str(self.data_dir),
            "SECRET_KEY": SECRET_KEY,
            "PROCORE_CLIENT_ID": PROCORE_APP[0],
            "PROCORE_CLIENT_SECRET": PROCORE_APP[1],
            "XERO_CLIENT_ID": XERO_APP[0],
            "XERO_CLIENT_SECRET": XERO_APP[1],
            "POLL_SECONDS": "0.5",
            "POLL_LONGEST_SECONDS": "3",
        }
        if simulators is not None:
            procore, xero = simulators.procore.url, simulators.xero.url
            named |= {"PROCORE_LOGIN_URL": procore, "PROCORE_API_URL": procore}
            named |= {"XERO_LOGIN_URL": xero, "XERO_IDENTITY_URL": xero, "XERO_API_URL": xero}
        if database_url is not None:
            named["DATABASE_URL"] = database_url
        kept = {k: v for k, v in os.environ.items() if not k.startswith("ONECORE_")}
        kept |= {f"ONECORE_{name}": value for name, value in (named | environ).items()}
        self.environ = kept | {"PYTHONPATH": str(SOURCE), "NO_COLOR": "1"}
        self.server = EmbeddedPostgres(self.data_dir / "database", fsync=False, patience=60)

    def close(self) -> None:
        """Stop the embedded server, if one was started, and delete everything."""
        self.server.stop()
        shutil.rmtree(self.home)

    def command(self, *args: object) -> list[str]:
        """The argument vector of `onecore ARGS`, for whoever starts it another way."""
        return [sys.executable, "-m", "onecore.cli.main", *map(str, args)]

    def run(self, *args: object, stdin: str = "", **environ: str) -> Ran:
        """Run `onecore ARGS` to its end; `environ` holds for this one run."""
        done = subprocess.run(
            self.command(*args),
            env=self.environ | {f"ONECORE_{name}": value for name, value in environ.items()},
            cwd=self.home,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    # --- what most tests begin with -----------------------------------------------------------

    def connect(self, simulators: Simulators, workspace: str = "Main") -> None:
        """A workspace joined to both simulators, Xero by its custom connection."""
        self.run("workspace", "add", workspace).ok()
        company = simulators.procore.state()["company_id"]
        self.run("connect", "procore", "-w", workspace, "--company-id", company).ok()
        self.connect_xero(workspace).ok()

    def connect_xero(self, workspace: str = "Main", secret: str = XERO_CUSTOM[1]) -> Ran:
        said = ("connect", "xero", "-w", workspace, "--client-id", XERO_CUSTOM[0])
        return self.run(*said, "--client-secret-stdin", stdin=f"{secret}\n")

    def document(self, text: str, *more: object) -> Ran:
        """Import a workspace document given as text."""
        file = self.home / "workspace.yaml"
        file.write_text(text, "utf-8")
        return self.run("config", "import", file, *more)
