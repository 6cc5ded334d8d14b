"""What the measurements share: an installation beside simulators, CPU and memory of processes,
rows with their aims, a table and a JSON.

A part of the bench is a module with `measure(quick: bool) -> Part`; `bench.__main__` lists them,
and `python -m bench.NAME` runs one alone through `alone`. Processes are read from `/proc`, so the
bench runs on Linux.
"""

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import psycopg
from rich.console import Console
from rich.table import Table
from tests.harness import Installation
from tests.simulators import Simulators

from onecore.domain.ids import AccountCode
from onecore.domain.refs import Flow
from onecore.domain.settings import CodeRule, Mode
from onecore.engine import config

PROJECT = 7  # the tiny builder's
WORKSPACE = "Main"
TICKS = os.sysconf("SC_CLK_TCK")
PATIENCE = 600.0  # seconds until a measurement that does not come to its end is given up


# --- what was measured ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. With `most` or `least` it has an aim; `note` is short and explains."""

    name: str
    value: float | str
    unit: str = ""
    most: float | None = None
    least: float | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the aim is met, None where there is none."""
        if not isinstance(self.value, int | float) or (self.most is None and self.least is None):
            return None
        above = self.least is None or self.value >= self.least
        return above and (self.most is None or self.value <= self.most)

    @property
    def aim(self) -> str:
        bounds = [f"≤ {_plain(self.most)}"] if self.most is not None else []
        bounds += [f"≥ {_plain(self.least)}"] if self.least is not None else []
        return ", ".join(bounds)


@dataclass(slots=True)
class Part:
    """What one module measured. `details` go into the JSON alone, `notes` are said below."""

    name: str
    rows: list[Row]
    details: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    failed: bool = False  # what was measured is not right, such as a bill too few

    def to_json(self) -> dict[str, Any]:
        rows = [
            {"name": r.name, "value": r.value, "unit": r.unit, "aim": r.aim, "met": r.met,
             "note": r.note}
            for r in self.rows
        ]  # fmt: skip
        return {"rows": rows, "notes": self.notes, "details": self.details, "failed": self.failed}


Measure = Callable[[bool], Part]


def show(parts: Sequence[Part]) -> None:
    """The table on standard output."""
    console = Console(width=None if sys.stdout.isatty() else 130)
    for part in parts:
        table = Table(title=part.name, title_justify="left", title_style="bold", expand=False)
        for column in ("figure", "value", "unit", "aim", "", "note"):
            right = column == "value"
            table.add_column(column, justify="right" if right else "left", no_wrap=right)
        for row in part.rows:
            mark = {True: "met", False: "missed", None: ""}[row.met]
            table.add_row(row.name, _plain(row.value), row.unit, row.aim, mark, row.note)
        console.print(table)
        for note in part.notes:
            console.print(f"  {note}", highlight=False)
        if part.failed:
            console.print("  FAILED: the outcome itself is not right.", style="bold red")


def _plain(value: float | str | None) -> str:
    if isinstance(value, float):
        return f"{value:,.3g}" if abs(value) < 100 else f"{value:,.0f}"
    return str(value)


def machine() -> dict[str, Any]:
    """On what it was measured; no names."""
    return {
        "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "system": platform.system(),
    }


def write(file: Path, parts: Sequence[Part], began: dict[str, Any]) -> None:
    body = {"machine": began, "parts": {part.name: part.to_json() for part in parts}}
    file.write_text(json.dumps(body, indent=2, default=str) + "\n", "utf-8")


def alone(measure: Measure, about: str | None) -> int:
    """Run one part as a command: 0 when its outcome is right, whatever the aims."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--quick", action="store_true", help="fewer of everything")
    parser.add_argument("--out", type=Path, help="also write the figures as JSON")
    asked = parser.parse_args()
    began = machine()
    part = measure(asked.quick)
    show([part])
    if asked.out:
        write(asked.out, [part], began)
    return 1 if part.failed else 0


def percentile(values: Sequence[float], part: float) -> float:
    """The smallest value that `part` (0 to 1) of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, min(len(ordered), -int(-part * len(ordered) // 1)) - 1)]


# --- processes --------------------------------------------------------------------------------


def cpu_of(pid: int) -> float:
    """Seconds of CPU, user and system, of a process and the children it has buried; 0 if gone."""
    fields = _stat(pid)
    return sum(map(int, fields[11:15])) / TICKS if fields else 0.0


def cpu_of_tree(pid: int) -> float:
    """The same with all living descendants, so that it only grows as they come and go."""
    return sum(cpu_of(one) for one in tree(pid))


def tree(pid: int) -> list[int]:
    """The process and its living descendants."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found, todo = [], [pid]
    while todo:
        one = todo.pop()
        found.append(one)
        todo += parents.get(one, [])
    return found


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the command's name, none when the process is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text("utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return []
    return text.rpartition(")")[2].split()


def memory_of(pid: int) -> tuple[float, float]:
    """(RSS, PSS) in MB."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text("utf-8")
    kilobytes = {
        line.split(":")[0]: int(line.split()[1]) for line in text.splitlines() if " kB" in line
    }
    return kilobytes["Rss"] / 1024, kilobytes["Pss"] / 1024


# --- an installation --------------------------------------------------------------------------


class Running:
    """An `onecore` process of an installation, with the events it logged."""

    def __init__(self, stage: "Stage", args: Sequence[object], **environ: str) -> None:
        told = {f"ONECORE_{name}": value for name, value in environ.items()}
        self.process = subprocess.Popen(
            stage.installation.command(*args),
            env=stage.installation.environ | {"ONECORE_LOG": "info"} | told,
            cwd=stage.installation.home,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.events: list[dict[str, Any]] = []
        self.rest: list[str] = []
        assert self.process.stderr is not None
        self._reader = threading.Thread(target=self._read, args=[self.process.stderr], daemon=True)
        self._reader.start()
        assert self.process.stdout is not None
        said = self.process.stdout.readline()
        if "OneCore" not in said:
            self.stop()
            raise RuntimeError(f"{args} did not start: {said} {''.join(self.rest)[-2000:]}")

    def _read(self, lines: IO[str]) -> None:
        for line in lines:
            try:
                self.events.append(json.loads(line))
            except ValueError:
                self.rest.append(line)

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def cpu(self) -> float:
        return cpu_of(self.pid)

    @property
    def memory(self) -> tuple[float, float]:
        """(RSS, PSS) in MB."""
        return memory_of(self.pid)

    def stop(self, kind: int = signal.SIGTERM) -> None:
        if self.process.poll() is None:
            self.process.send_signal(kind)
            self.process.wait(90)
        self._reader.join(10)
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()


@dataclass(frozen=True, slots=True)
class Cpu:
    """Seconds of CPU used so far, by who used them."""

    onecore: float
    database: float
    procore: float
    xero: float

    def __sub__(self, other: "Cpu") -> "Cpu":
        return Cpu(
            self.onecore - other.onecore,
            self.database - other.database,
            self.procore - other.procore,
            self.xero - other.xero,
        )

    def per(self, count: int) -> dict[str, float]:
        """Milliseconds each, for so many documents."""
        names = ("onecore", "database", "procore", "xero")
        return {name: round(1000 * getattr(self, name) / max(1, count), 3) for name in names}


class Stage:
    """Simulators without limits, an installation joined to them, and what runs on it.

    The database is the embedded one and writes as safely as it does in service. `slow` seconds
    are added to every answer of the remotes, which is what real ones look like.
    """

    def __init__(self, *, slow: float = 0.0, size: str = "tiny", **environ: str) -> None:
        self.simulators = Simulators(size)
        self.procore, self.xero = self.simulators.procore, self.simulators.xero
        self.slow = slow
        self.running: list[Running] = []
        self.installation = Installation(self.simulators, **environ)
        self._url = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for one in self.running:
            one.stop(signal.SIGKILL)
        self.installation.close()
        self.procore.stop()
        self.xero.stop()

    # --- setting up ---------------------------------------------------------------------------

    def set_up(self, **settings: Any) -> None:
        """Tables, a workspace connected by commands, vendors and codes mapped, the flow on."""
        self.procore.switch(rate_hour=0)
        limits = ("limit_minute", "limit_day", "limit_concurrent", "limit_app_minute")
        self.xero.switch(**dict.fromkeys(limits, 0))
        self.installation.run("migrate").ok()
        self.installation.connect(self.simulators, WORKSPACE)
        self.installation.run("match", "vendors", "-w", WORKSPACE, "--accept", "90").ok()
        self.document(**settings)
        if self.slow:
            self.be_slow(self.slow)

    def be_slow(self, seconds: float) -> None:
        """From now on every answer of the remotes is that late."""
        self.procore.fault("slow", path="/rest/", times=0, seconds=seconds)
        self.xero.fault("slow", path="/api.xro/", times=0, seconds=seconds)

    def document(self, **settings: Any) -> None:
        """The workspace document that lets every generated claim through; `flows__bill__status`
        and the like change it further."""
        text = self.installation.run("config", "export", "-w", WORKSPACE).ok().out
        text = config.set_value(text, ("cut_over",), date(2020, 1, 1))
        text = config.add_codes(text, [CodeRule("*", expense=AccountCode("310"))])
        text = config.set_retention_account(text, "payable", AccountCode("820R"))
        text = config.set_flow_mode(text, Flow.BILL, Mode.AUTO)
        for path, value in settings.items():
            text = config.set_value(text, tuple(path.split("__")), value)
        self.installation.document(text, "-w", WORKSPACE).ok()

    # --- acting -------------------------------------------------------------------------------

    def start(self, *args: object, **environ: str) -> Running:
        """An `onecore` process that stays, such as `worker` or `serve`."""
        one = Running(self, args, **environ)
        self.running.append(one)
        return one

    def approve(self, count: int, project: int = PROJECT, status: str = "approved") -> list[int]:
        """That many claims, each on a commitment of its own; their ids."""
        made = self.procore.do("bulk_claims", project_id=project, count=count, status=status)
        ids: list[int] = made["ids"]
        return ids

    def look_now(self) -> None:
        """What the button "Look now" does: every project's list is read at once.

        Otherwise lists are read at the default pace, so that the clock does not run while nobody
        looks, nor are they read ten times a second.
        """
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            connection.execute(
                "UPDATE store_feed SET next_due_at = now() WHERE kind = 'requisitions'"
            )
            connection.execute("UPDATE store_organisation SET next_due_at = now()")

    def forget_requests(self) -> None:
        self.procore.forget_requests()
        self.xero.forget_requests()

    # --- seeing -------------------------------------------------------------------------------

    @property
    def database_url(self) -> str:
        if not self._url:
            self._url = self.installation.server.ensure()
        return self._url

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """What a query of the installation's database gives."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            return connection.execute(sql, values or None).fetchall()  # type: ignore[arg-type]

    def has_feeds(self, count: int = 1) -> bool:
        """Whether so many projects' lists have been read for the first time."""
        read = "kind = 'requisitions' AND read_at IS NOT NULL"
        return bool(self.rows(f"SELECT count(*) FROM store_feed WHERE {read}")[0][0] >= count)

    def in_step(self) -> int:
        return int(self.rows("SELECT count(*) FROM store_document WHERE state = 'in_step'")[0][0])

    def wait_for(self, reached: Callable[[], bool], what: str, pause: float = 0.05) -> None:
        """Wait until something is so; raises RuntimeError with the troubles said meanwhile."""
        deadline = time.monotonic() + PATIENCE
        while not reached():
            dead = [one for one in self.running if one.process.poll() is not None]
            if time.monotonic() > deadline or dead:
                states = self.rows("SELECT state, note, count(*) FROM store_document GROUP BY 1, 2")
                told = [e for one in self.running for e in one.events if e.get("level") != "info"]
                raise RuntimeError(f"{what}: not reached. States {states}, said {told[-5:]}")
            time.sleep(pause)

    def wait_until_in_step(self, count: int) -> None:
        self.wait_for(lambda: self.in_step() >= count, f"{count} documents in step")

    def bills(self) -> list[dict[str, Any]]:
        """Every bill of every organisation, as the simulator has it."""
        organisations = self.xero.state()["organisations"].values()
        invoices = [bill for each in organisations for bill in each["invoices"].values()]
        return [bill for bill in invoices if bill["type"] == "ACCPAY"]

    def calls(self) -> dict[str, int]:
        """Calls of the remotes' own interfaces since they were forgotten; renewals left out."""
        return {
            "procore": len(self.procore.requests("/rest/")),
            "xero": len(self.xero.requests("/api.xro/")),
        }

    def cpu(self, running: Iterable[Running] = ()) -> Cpu:
        """What was used so far by those processes (all, when none is named) and the others."""
        return Cpu(
            onecore=sum(one.cpu for one in running or self.running),
            database=cpu_of_tree(self._postmaster()),
            procore=cpu_of(self.procore.pid),
            xero=cpu_of(self.xero.pid),
        )

    def _postmaster(self) -> int:
        pid = self.installation.server.status().pid
        if pid is None:
            raise RuntimeError("The database does not run.")
        return pid
