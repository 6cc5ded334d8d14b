"""Memory of `onecore serve` and `onecore worker`: idle after their start, and with 100,000
documents, links and index rows in the database, after sweeps, new claims and many pages.

RSS counts shared libraries whole in each process, PSS shares them out. The peak is the kernel's
own high-water mark of RSS.
"""

import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

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
    first = first_sweep(count)
    part = Part("memory", [])
    for name in processes:
        part.rows += [row(f"{name}, idle", idle[name], 150)]
    for name in processes:
        part.rows += [row(f"{name}, {count:,} links", full[name], 300)]
    name = f"worker, first sweep of {count:,} bills"
    part.rows.append(
        Row(
            name,
            round(first["peak"], 1),
            "MB at most",
            most=300,
            note=f"{first['seconds']:.0f} s, simulator's pages included",
        )
    )
    part.details = {
        "first sweep": first,
        "idle": idle,
        "full": full,
        "links": count,
        "pages": views * len(PAGES),
    }
    part.notes.append(
        f"With {count:,} of each: {NEW_CLAIMS} new claims, {views * len(PAGES)} pages. Limited by: "
        "Python's libraries (Django, allauth, cryptography), imported once for each process."
    )
    return part


def first_sweep(count: int) -> dict[str, float]:
    """A worker that meets an organisation with so many bills for the first time."""
    with Stage(POLL_SECONDS="2") as stage:
        stage.set_up()
        crowd(stage, count)
        worker = stage.start("worker")
        started = time.monotonic()
        stage.wait_for(lambda: _swept(stage), "the first sweep", pause=0.5)
        return {**told(worker), "seconds": time.monotonic() - started}


def _swept(stage: Stage) -> bool:
    rows = stage.rows("SELECT 1 FROM store_organisation WHERE bills_read_at IS NOT NULL")
    return bool(rows)


def crowd(stage: Stage, count: int) -> None:
    """Fill the simulated organisation with bills of years, five seconds apart."""
    state = stage.xero.state()
    organisation = next(iter(state["organisations"].values()))
    contact = next(iter(organisation["contacts"]))
    last = datetime.now(UTC) - timedelta(days=1)
    for n in range(count):
        at = last - timedelta(seconds=5 * n)
        id_ = str(UUID(int=n + 1))
        line = {
            "id": str(UUID(int=10**9 + n)),
            "description": "Work of a month",
            "quantity": "1",
            "unit": "1000.00",
            "account_code": "310",
            "tax_type": "INPUT",
            "tax": "100.00",
            "amount": "1000.00",
        }
        organisation["invoices"][id_] = {
            "id": id_,
            "type": "ACCPAY",
            "contact_id": contact,
            "date": at.date().isoformat(),
            "due_date": at.date().isoformat(),
            "updated_at": at.isoformat(),
            "number": f"OLD-{n}",
            "status": "PAID",
            "lines": [line],
            "sub_total": "1000.00",
            "total_tax": "100.00",
            "total": "1100.00",
            "paid": "1100.00",
        }
    stage.xero.put_state(state)  # fmt: skip


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
