"""Memory of `onecore serve` and `onecore worker`: idle after their start, and with 100,000
documents, links and index rows in the database, after sweeps, new claims and many pages.

RSS counts shared libraries whole in each process, PSS shares them out. The peak is the kernel's
own high-water mark of RSS.
"""

import sys
import time
from pathlib import Path

import psycopg
from tests import many
from tests.serving import free_port

from bench.frame import Part, Row, Running, Stage, alone
from bench.latency import Web, _addresses, _owner

MANY, QUICK = 100_000, 10_000
NEW_CLAIMS = 100
PAGES = ("", "documents", "documents?page=2", "documents?state=held", "attention", "activity",
         "connections", "settings", "mapping")  # fmt: skip
VIEWS, QUICK_VIEWS = 20, 3
SETTLE = 5.0  # seconds after which a process that does nothing has come to rest


def measure(quick: bool) -> Part:
    count, views = (QUICK, QUICK_VIEWS) if quick else (MANY, VIEWS)
    port = free_port()
    with Stage(POLL_SECONDS="2", **_addresses(port)) as stage:
        stage.set_up()
        _owner(stage)
        processes = {"serve": stage.start("serve"), "worker": stage.start("worker")}
        web = Web(port)
        web.enter()
        time.sleep(SETTLE)
        idle = {name: told(one) for name, one in processes.items()}
        fill(stage, count)
        before = stage.in_step()
        stage.approve(NEW_CLAIMS)
        stage.wait_until_in_step(before + NEW_CLAIMS)
        for _ in range(views):
            for page in PAGES:
                answer = web.get(f"{web.home}{page}")
                assert answer.status_code == 200, f"{page}: {answer.status_code}"
        time.sleep(SETTLE)
        full = {name: told(one) for name, one in processes.items()}
    part = Part("memory", [])
    for name in processes:
        part.rows += [row(f"{name}, idle", idle[name], 150)]
    for name in processes:
        part.rows += [row(f"{name}, {count:,} links", full[name], 300)]
    part.details = {"idle": idle, "full": full, "links": count, "pages": views * len(PAGES)}
    part.notes.append(
        f"With {count:,} of each: {NEW_CLAIMS} new claims, {views * len(PAGES)} pages. Limited by: "
        "Python's libraries (Django, allauth, cryptography), imported once for each process."
    )
    return part


def row(name: str, figures: dict[str, float], most: float) -> Row:
    note = f"PSS {figures['pss']:.0f}, at its highest {figures['peak']:.0f}"
    return Row(name, round(figures["rss"], 1), "MB RSS", most=most, note=note)


def told(process: Running) -> dict[str, float]:
    """Megabytes now, and at the highest since its start."""
    rss, pss = process.memory
    status = Path(f"/proc/{process.pid}/status").read_text("utf-8")
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return {"rss": rss, "pss": pss, "peak": int(peak.split()[1]) / 1024}


def fill(stage: Stage, count: int) -> None:
    """So many documents in step, with their links, index rows and histories."""
    joined = "SELECT workspace_id, organisation_id FROM store_workspaceorganisation"
    workspace, organisation = stage.rows(joined)[0]
    with psycopg.connect(stage.database_url, autocommit=True) as connection:
        many.fill(connection, workspace, organisation, count)


if __name__ == "__main__":
    sys.exit(alone(measure, __doc__))
