"""Both simulators as programs, and an installation of OneCore in a directory of its own.

`Simulators` plays the people at either side; `Installation` runs the real command. An
installation can be used from this process too (`bootstrap`), once for each process.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2

from onecore.store.embedded import EmbeddedPostgres

if TYPE_CHECKING:
    from onecore.engine.service import Service

SOURCE = Path(__file__).parents[1] / "src"
PROCORE_APP = ("sim-procore-client", "sim-procore-secret")
XERO_APP = ("sim-xero-client", "sim-xero-secret")
XERO_CUSTOM = ("sim-xero-custom", "sim-xero-custom-secret")
PASSWORD = "correct-horse-battery-9"


class Simulator:
    """One running simulator and the paths by which it is steered."""

    def __init__(self, name: str, size: str = "tiny", seed: int = 1) -> None:
        self.name, self.size, self.seed = name, size, seed
        self._process = subprocess.Popen(
            [sys.executable, "-m", "onecore_sim", name, "--port", "0", "--size", size,
             "--seed", str(seed)],
            stdout=subprocess.PIPE,
            env=_environment(),
            text=True,
        )  # fmt: skip
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"the {name} simulator did not start"
        self.url: str = json.loads(line)["url"]
        self._http = httpx2.Client(base_url=self.url, trust_env=False, timeout=60)

    def stop(self) -> None:
        """Ends the program; safe to call twice."""
        if self._process.poll() is None:
            self._http.close()
            self._process.terminate()
            self._process.wait(20)
            assert self._process.stdout is not None
            self._process.stdout.close()

    def reset(self, size: str | None = None, seed: int | None = None) -> None:
        """Start again from a seed, with clock, switches, faults and log as at first."""
        self.post("/_sim/reset", {"size": size or self.size, "seed": seed or self.seed})

    def post(self, path: str, said: object) -> Any:
        answer = self._http.post(path, json=said)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    def do(self, action: str, **said: object) -> Any:
        """Play a person: `procore.do("approve_claim", project_id=…, id=…)`."""
        return self.post(f"/_sim/do/{action}", said)

    def switch(self, **values: object) -> None:
        answer = self._http.patch("/_sim/switches", json=values)
        assert answer.status_code == 200, answer.text

    def fault(self, kind: str, path: str = "", method: str = "", **more: object) -> None:
        """Meet the next matching request with a fault; see `onecore_sim.kit.faults`."""
        self.post("/_sim/faults", {"kind": kind, "path": path, "method": method, **more})

    def no_faults(self) -> None:
        self._http.delete("/_sim/faults")

    def clock(self, advance: timedelta | None = None, now: datetime | None = None) -> datetime:
        """The simulator's time, moved first if asked."""
        said: dict[str, object] = {}
        if advance is not None:
            said["advance_seconds"] = advance.total_seconds()
        if now is not None:
            said["now"] = now.isoformat()
        return datetime.fromisoformat(self.post("/_sim/clock", said)["now"])

    def state(self) -> Any:
        return self._http.get("/_sim/state").json()

    def requests(self) -> list[dict[str, Any]]:
        """The exchanges with its API since the last `forget`, oldest first."""
        found: list[dict[str, Any]] = self._http.get("/_sim/requests").json()
        return found

    def forget(self) -> None:
        self._http.delete("/_sim/requests")


class Simulators:
    """Procore and Xero side by side, with the same made-up builder."""

    def __init__(self, size: str = "tiny", seed: int = 1) -> None:
        self.procore = Simulator("procore", size, seed)
        try:
            self.xero = Simulator("xero", size, seed)
        except BaseException:
            self.procore.stop()
            raise

    def stop(self) -> None:
        self.procore.stop()
        self.xero.stop()

    def reset(self, size: str | None = None, seed: int | None = None) -> None:
        self.procore.reset(size, seed)
        self.xero.reset(size, seed)

    def clock(self, advance: timedelta | None = None, now: datetime | None = None) -> datetime:
        """Both clocks moved alike; the time they have now."""
        self.procore.clock(advance, now)
        return self.xero.clock(advance, now)

    @property
    def company_id(self) -> int:
        return int(self.procore.state()["company_id"])

    @property
    def tenant_id(self) -> str:
        return str(next(iter(self.xero.state()["organisations"])))

    def bills(self) -> list[dict[str, Any]]:
        """Every bill of the first organisation as the simulator keeps it, gone ones too."""
        organisation = self.xero.state()["organisations"][self.tenant_id]
        return [d for d in organisation["invoices"].values() if d["type"] == "ACCPAY"]


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

    def __init__(self, simulators: Simulators | None = None, **environ: str) -> None:
        """`environ` adds to the environment or overrides it; a name without ONECORE_ gets it."""
        made = Path(tempfile.mkdtemp(prefix="onecore-it-", dir="/tmp"))
        made.chmod(0o755)  # as root, the database's own user has to pass through
        self.home = made
        self.data_dir = made / "data"
        self.environ = _environment() | {
            "ONECORE_DATA_DIR": str(self.data_dir),
            "ONECORE_SECRET_KEY": "tests-only-secret-key-of-no-worth-0123456789",
            "ONECORE_PROCORE_CLIENT_ID": PROCORE_APP[0],
            "ONECORE_PROCORE_CLIENT_SECRET": PROCORE_APP[1],
            "ONECORE_XERO_CLIENT_ID": XERO_APP[0],
            "ONECORE_XERO_CLIENT_SECRET": XERO_APP[1],
            "ONECORE_POLL_SECONDS": "0.5",
        }
        if simulators is not None:
            for name, url in (
                ("PROCORE_LOGIN", simulators.procore.url),
                ("PROCORE_API", simulators.procore.url),
                ("XERO_LOGIN", simulators.xero.url),
                ("XERO_IDENTITY", simulators.xero.url),
                ("XERO_API", simulators.xero.url),
            ):
                self.environ[f"ONECORE_{name}_URL"] = url
        for name, value in environ.items():
            self.environ[name if name.startswith("ONECORE_") else f"ONECORE_{name}"] = value
        # Made by the tests, not by the first command: without waiting for the disk.
        self.server = EmbeddedPostgres(self.data_dir / "database", fsync=False, patience=60)

    def start_database(self) -> str:
        """The URL of its own database server, started if need be."""
        self.data_dir.mkdir(mode=0o711, exist_ok=True)
        return self.server.ensure()

    def close(self) -> None:
        """Stop the database and delete everything."""
        self.server.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    def run(self, *args: object, stdin: str = "", timeout: float = 120, **environ: str) -> Ran:
        """Run `onecore ARGS` to its end; `environ` holds for this one run."""
        done = subprocess.run(
            self.command(*args),
            env=self.environ | {f"ONECORE_{k}": v for k, v in environ.items()},
            cwd=self.home,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def command(self, *args: object) -> list[str]:
        """The argument vector of `onecore ARGS`, for whoever starts it another way."""
        return [sys.executable, "-m", "onecore.cli.main", *map(str, args)]

    def bootstrap(self) -> "Service":
        """The engine in this process on this installation: once for each process."""
        from onecore import app, environment

        os.environ.update(self.environ)
        environment._settings = None
        self.start_database()
        app.start_database()
        app.setup_django()
        return app.service()

    # --- what most tests begin with -----------------------------------------------------------

    def migrate(self) -> "Installation":
        self.start_database()
        self.run("migrate").ok()
        return self

    def connect(self, simulators: Simulators, workspace: str = "Main") -> None:
        """A workspace joined to both simulators, Xero by its custom connection."""
        self.run("workspace", "add", workspace).ok()
        company = simulators.company_id
        self.run("connect", "procore", "-w", workspace, "--company-id", company).ok()
        self.run(
            "connect", "xero", "-w", workspace,
            "--client-id", XERO_CUSTOM[0], "--client-secret-stdin",
            stdin=XERO_CUSTOM[1] + "\n",
        ).ok()  # fmt: skip

    def document(self, text: str, workspace: str = "Main") -> Ran:
        """Import a workspace document given as text."""
        file = self.home / "workspace.yaml"
        file.write_text(text, "utf-8")
        return self.run("config", "import", "-w", workspace, file)


def _environment() -> dict[str, str]:
    """This process's environment without OneCore's own variables, the sources to be found."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("ONECORE_")}
    paths = [str(SOURCE), *filter(None, [os.environ.get("PYTHONPATH")])]
    return kept | {"PYTHONPATH": os.pathsep.join(paths), "NO_COLOR": "1"}
