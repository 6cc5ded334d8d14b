"""What the tests of changes say and look at, on top of the Desk."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import httpx2

from onecore.domain.ids import ProjectId
from onecore.domain.refs import SourceRef
from onecore.engine import config
from onecore.engine.use import configuring, syncing
from tests.desk import PROJECT, Desk, money

Bill = dict[str, Any]
Line = dict[str, Any]


def today(desk: Desk) -> date:
    return desk.clock.now().date()


def edit(desk: Desk, ref: SourceRef, *work: str | None, **more: Any) -> None:
    """Change a claim in Procore: new work of this period for each line, None to leave one."""
    tick(desk)
    lines = [
        {"line_id": line, "work": amount}
        for line, amount in zip(desk.contract_lines(), work, strict=False)
        if amount is not None
    ]
    desk.procore.do("edit_claim", project_id=PROJECT, id=int(ref.id), lines=lines, **more)


def tick(desk: Desk) -> None:
    """Let two seconds pass in Procore, whose `updated_at` has whole seconds only."""
    desk.procore.advance(timedelta(seconds=2))


def status(desk: Desk, ref: SourceRef, word: str) -> None:
    tick(desk)
    desk.procore.do("set_status", project_id=PROJECT, id=int(ref.id), status=word)


def delete(desk: Desk, ref: SourceRef) -> None:
    desk.procore.do("delete_claim", project_id=PROJECT, id=int(ref.id))


def later(desk: Desk, **by: float) -> None:
    """Move OneCore's clock on; the simulators keep theirs."""
    desk.clock.offset += timedelta(**by)


def look(desk: Desk, *refs: SourceRef) -> syncing.Synced:
    """Look at these documents, or at everything, and expect no trouble."""
    result = desk.sync(*refs)
    assert result.troubles == ()
    assert desk.intents() == 0
    return result


def line(bill: Bill, words: str) -> Line:
    """The one line whose description has these words."""
    found = [row for row in bill["lines"] if words.lower() in row["description"].lower()]
    assert len(found) == 1, [row["description"] for row in bill["lines"]]
    the_one: Line = found[0]
    return the_one


def figures(bill: Bill) -> list[tuple[str, Decimal, str]]:
    """(account, amount, tax type) of each line, in the bill's order."""
    return [(x["account_code"], money(x["amount"]), x["tax_type"]) for x in bill["lines"]]


def amounts(bill: Bill) -> list[Decimal]:
    return [money(x["amount"]) for x in bill["lines"]]


def total(bill: Bill) -> Decimal:
    return money(bill["total"])


def writes(desk: Desk) -> list[str]:
    """Methods of the writes of bills since the log was cleared."""
    rows = desk.xero.requests("/Invoices")
    return [row["method"] for row in rows if row["method"] in ("PUT", "POST")]


def quiet(desk: Desk, *refs: SourceRef) -> None:
    """Looking again at these writes nothing."""
    desk.xero.forget_requests()
    look(desk, *refs)
    assert writes(desk) == []


def detail(desk: Desk, cause: str) -> str:
    """What the only document under a cause says of itself."""
    group = next(g for g in desk.attention() if g.cause == cause)
    (item,) = group.items
    return item.detail


def choices(desk: Desk, cause: str) -> list[str]:
    group = next(g for g in desk.attention() if g.cause == cause)
    return [code for code, _, _ in group.choices]


def add_line(desk: Desk, bill: Bill, words: str, amount: str, account: str) -> None:
    """A person adds a line to a bill in Xero, beside those it has."""
    lines = [{"LineItemID": x["id"]} for x in bill["lines"]]
    new = {"Description": words, "Quantity": 1, "UnitAmount": amount, "AccountCode": account}
    save_lines(desk, bill, [*lines, new])


def take_line(desk: Desk, bill: Bill, words: str) -> None:
    """A person deletes a line of a bill in Xero."""
    gone = line(bill, words)["id"]
    kept = [{"LineItemID": x["id"]} for x in bill["lines"] if x["id"] != gone]
    save_lines(desk, bill, kept)


def save_lines(desk: Desk, bill: Bill, lines: list[dict[str, Any]]) -> None:
    """Write a bill's lines as another app would: those left out go, what is left out stays."""
    token = desk.xero.do("token")
    answer = httpx2.post(
        f"{desk.xero.url}/api.xro/2.0/Invoices/{bill['id']}",
        json={"Invoices": [{"InvoiceID": bill["id"], "LineItems": lines}]},
        headers={
            "Authorization": f"Bearer {token['access_token']}",
            "xero-tenant-id": token["tenant_id"],
            "Accept": "application/json",
        },
        trust_env=False,
    )
    assert answer.status_code == 200, answer.text


def other_project(desk: Desk) -> SourceRef:
    """A claim approved in a second project, mapped like the first."""
    made = desk.procore.do("new_project", name="Hillside", number="P-008", permitted=True)
    project = made["id"]
    contract = desk.procore.do(
        "new_commitment",
        project_id=project,
        vendor_id=12,
        retainage_percent="10",
        lines=[{"amount": "50000.00", "cost_code": "03-300", "description": "Slab"}],
    )
    text = configuring.export(desk.workspace)
    text = config.set_project_option(text, ProjectId(project), "P-007 Riverside")
    configuring.import_text(desk.service, desk.workspace, text, "test")
    claim = desk.procore.do(
        "new_claim",
        project_id=project,
        commitment_id=contract["id"],
        lines=[{"line_id": contract["line_ids"][0], "work": "10000.00"}],
        status="approved",
        invoice_number="INV-0900",
    )
    return SourceRef.requisition(ProjectId(project), claim["id"])
