"""Claims in bulk, and the proof that each of them is one bill in Xero."""

import json
from collections import Counter
from datetime import timedelta
from typing import Any

from onecore.domain.marks import read_mark
from onecore.domain.refs import SourceRef
from onecore.store.models import Document, Hint, Intent, Link
from tests.desk import PROJECT, Desk
from tests.simulators import Simulator

LONGER_THAN_DOUBT = timedelta(seconds=60)
"""After this no write can still be on its way."""


def approve(desk: Desk, count: int, project: int = PROJECT) -> list[SourceRef]:
    """That many approved claims, each on a commitment of its own and of its own amount."""
    made = desk.procore.do("bulk_claims", project_id=project, count=count)
    return [SourceRef.requisition(project, id_) for id_ in made["ids"]]


def warmed(desk: Desk) -> SourceRef:
    """Lists, contacts and the index are known afterwards; the one claim that made it so."""
    ref = desk.claim("100.00")
    desk.sync()
    assert desk.state_of(ref) == "in_step"
    forget_requests(desk)
    return ref


def forget_requests(desk: Desk) -> None:
    desk.procore.forget_requests()
    desk.xero.forget_requests()


def marks(desk: Desk) -> Counter[str]:
    """How many bills that are not gone carry each claim's mark, as Xero has them."""
    found: Counter[str] = Counter()
    for bill in desk.bills():
        mark = read_mark(bill["url"])
        if mark is not None:
            found[f"requisition:{mark.project}/{mark.requisition}"] += 1
    return found


def each_once(desk: Desk, refs: list[SourceRef]) -> None:
    """Every claim is exactly one bill, both sides agree, and nothing is left over."""
    assert marks(desk) == Counter(str(ref) for ref in refs)
    rows = Document.objects.filter(workspace_id=desk.workspace)
    assert Counter(rows.values_list("state", flat=True)) == Counter({"in_step": len(refs)})
    assert sorted(rows.values_list("ref", flat=True)) == sorted(str(ref) for ref in refs)
    live = {str(link.target_id) for link in Link.objects.filter(withdrawn=False)}
    assert live == {bill["id"] for bill in desk.bills() if read_mark(bill["url"])}
    assert Intent.objects.count() == 0
    assert Hint.objects.count() == 0


def calls(simulator: Simulator) -> list[str]:
    """What was asked of the API, as "METHOD path"."""
    asked = [row for row in simulator.requests() if "token" not in row["path"]]
    return [f"{row['method']} {row['path']}" for row in asked]


def writes(desk: Desk) -> list[dict[str, Any]]:
    """The writes that reached Xero, oldest first."""
    return [row for row in desk.xero.requests("/Invoices") if row["method"] != "GET"]


def documents_in(row: dict[str, Any]) -> int:
    """How many bills a write carried."""
    return len(json.loads(row["request_body"])["Invoices"])


def change(desk: Desk, refs: list[SourceRef], work: str) -> None:
    """Another amount of work on each of these claims, each of one line."""
    desk.procore.advance(timedelta(seconds=2))
    for ref in refs:
        told = desk.procore.do("claim", project_id=PROJECT, id=int(ref.id))
        lines = [{"line_id": told["items"][0]["line_id"], "work": work}]
        desk.procore.do("edit_claim", project_id=PROJECT, id=int(ref.id), lines=lines)


def reopen(desk: Desk, refs: list[SourceRef]) -> None:
    desk.procore.advance(timedelta(seconds=2))
    for ref in refs:
        desk.procore.do("set_status", project_id=PROJECT, id=int(ref.id), status="under_review")
