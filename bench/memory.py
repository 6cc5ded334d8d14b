"""Memory of `onecore serve` and `onecore worker`: idle after their start, and with 100,000
documents, links and index rows in the database, after sweeps, new claims and many pages.

RSS counts shared libraries whole in each process, PSS shares them out. The peak is the kernel's
own high-water mark of RSS.
"""

import sys
import time
from pathlib import Path
from typing import Any

import psycopg
from tests.serving import free_port

from bench.frame import Part, Row, Running, Stage, alone
from bench.latency import Web, _addresses, _owner

MANY, QUICK = 100_000, 10_000
NEW_CLAIMS = 100
PAGES = ("", "documents", "documents?page=2", "documents?state=held", "attention", "activity",
         "connections", "settings", "mapping")  # fmt: skip
VIEWS, QUICK_VIEWS = 20, 3
SETTLE = 5.0  # seconds after which a process that does nothing has come to rest

FILL = """
INSERT INTO store_document (workspace_id, organisation_id, flow, ref, project_id, contract_id,
                            state, note, since, approved_for, rejected_for, answers, looked_at)
SELECT %(workspace)s, %(organisation)s, 'bill', 'requisition:' || 1000 + n %% 50 || '/' || n,
       1000 + n %% 50, n / 10, CASE WHEN n %% 100 = 0 THEN 'withdrawn' ELSE 'in_step' END, '',
       now() - n * interval '1 minute', '', '', '{}', now()
  FROM generate_series(1000000, 999999 + %(count)s) AS n;
INSERT INTO store_link (document_id, part, version, organisation_id, target_kind, target_id,
                        withdrawn, wanted, target, line_ids, target_updated_at, created_at,
                        settled_at)
SELECT id, 'main', 1, organisation_id, 'bill', gen_random_uuid(), state = 'withdrawn',
       fields.body, fields.body, '{}', since, since, since
  FROM store_document, (SELECT jsonb_object_agg('line.item:' || n || '.amount', md5(n::text))
                               AS body FROM generate_series(1, 14) AS n) AS fields
 WHERE project_id >= 1000;
INSERT INTO store_billindex (organisation_id, bill_id, contact_id, number, total, bill_date, gone,
                             mark, updated_at)
SELECT link.organisation_id, target_id, gen_random_uuid(), md5(ref), md5(link.id::text),
       since::date, link.withdrawn, split_part(ref, ':', 2) || '/main.1', since
  FROM store_link AS link JOIN store_document AS document ON document.id = document_id;
INSERT INTO store_auditentry (workspace_id, at, actor, act, subject, facts)
SELECT workspace_id, since, 'onecore', 'bill.created', ref, '{}' FROM store_document;
"""


def measure(quick: bool) -> Part:
    many, views = (QUICK, QUICK_VIEWS) if quick else (MANY, VIEWS)
    port = free_port()
    with Stage(POLL_SECONDS="2", **_addresses(port)) as stage:
        stage.set_up()
        _owner(stage)
        processes = {"serve": stage.start("serve"), "worker": stage.start("worker")}
        web = Web(port)
        web.enter()
        time.sleep(SETTLE)
        idle = {name: told(one) for name, one in processes.items()}
        fill(stage, many)
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
        part.rows += [row(f"{name}, {many:,} links", full[name], 300)]
    part.details = {"idle": idle, "full": full, "links": many, "pages": views * len(PAGES)}
    part.notes.append(
        f"With {many:,} of each: {NEW_CLAIMS} new claims, {views * len(PAGES)} pages. Limited by: "
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
    values: dict[str, Any] = {"workspace": workspace, "organisation": organisation, "count": count}
    with psycopg.connect(stage.database_url, autocommit=True) as connection:
        for statement in filter(str.strip, FILL.split(";\n")):
            wants = values if "%(" in statement else None
            connection.execute(statement, wants)  # type: ignore[arg-type]
        connection.execute("ANALYZE")


if __name__ == "__main__":
    sys.exit(alone(measure, __doc__))
