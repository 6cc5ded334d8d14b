"""Lists that move while they are read, with pages small enough to see it."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.contract.remotes import XeroSide

from onecore.domain.documents import Bill, BillLine, BillStatus
from onecore.domain.ids import AccountCode, BillId, ContactId
from onecore.http.transport import Answer, Call, Transport
from onecore.ports import Posted, ReadFailed
from onecore.xero import walk
from onecore.xero.client import XeroClient

TODAY = datetime.now(UTC).date()
LINE = BillLine("item:1", "Work", AccountCode("310"), Decimal("10.00"), None)


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "PAGE_SIZE", 7)


def new_bills(xero: XeroSide, count: int, name: str) -> list[BillId]:
    contact = ContactId(UUID(xero.do("new_contact", name=name)["ContactID"]))
    bills = [
        Bill(contact, f"{name}-{n}", TODAY, TODAY, BillStatus.AUTHORISED, None, "", (LINE,))
        for n in range(count)
    ]
    outcomes = xero.run(lambda c: c.create_bills(bills, str(uuid4())))
    return [o.bill.id for o in outcomes if isinstance(o, Posted)]


def test_a_walk_over_many_seconds_asks_for_page_one_again(xero: XeroSide) -> None:
    made: list[BillId] = []
    for step in range(6):
        made += new_bills(xero, 4, f"Step {step}")
        xero.sim.post("/_sim/clock", {"advance_seconds": 10})
    xero.sim.forget()
    found = [b.id for b in xero.run(lambda c: c.bills_changed(None, ours_only=True))]
    assert sorted(found) == sorted(made)
    assert len(found) == len(made)
    asked = [e for e in xero.sim.requests() if e["path"].endswith("/Invoices")]
    assert {"&page=1&" in e["query"] for e in asked} == {True}
    assert len({e["request_headers"].get("if-modified-since") for e in asked}) == len(asked)


def test_many_rows_in_one_second_are_all_read(xero: XeroSide) -> None:
    xero.sim.post("/_sim/clock", {"frozen": True})
    same = new_bills(xero, 40, "Same second")
    xero.sim.post("/_sim/clock", {"advance_seconds": 5})
    later = new_bills(xero, 10, "Later")
    found = [b.id for b in xero.run(lambda c: c.bills_changed(None, ours_only=True))]
    assert sorted(found) == sorted([*same, *later])
    assert len(found) == 50


@pytest.mark.parametrize("count", [0, 1, 6, 7, 8, 14, 15])
def test_no_row_is_lost_at_the_edge_of_a_page(xero: XeroSide, count: int) -> None:
    xero.sim.post("/_sim/clock", {"advance_seconds": 100})
    since = datetime.now(UTC) + timedelta(seconds=90)
    made = new_bills(xero, count, "Edge") if count else []
    found = xero.run(lambda c: c.bills_changed(since, ours_only=True))
    assert sorted(b.id for b in found) == sorted(made)


def test_a_bill_that_changes_during_the_walk_is_read_again(
    xero: XeroSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the first and the second request two early rows change and go to the end, which
    moves every other row two places forward."""
    made: list[BillId] = []
    for step in range(5):
        made += new_bills(xero, 4, f"Step {step}")
        xero.sim.post("/_sim/clock", {"advance_seconds": 10})
    send, requests = Transport.send, 0

    async def meddling(self: Transport, call: Call) -> Answer:
        nonlocal requests
        answer = await send(self, call)
        requests += 1
        if requests == 1:
            for one in made[:2]:
                await asyncio.to_thread(xero.do, "void", invoice_id=str(one))
        return answer

    monkeypatch.setattr(Transport, "send", meddling)
    found = {b.id: b.status for b in xero.run(lambda c: c.bills_changed(None, ours_only=True))}
    assert found.keys() == set(made)
    assert [found[one] for one in made[:3]] == ["VOIDED", "VOIDED", "AUTHORISED"]


def test_contacts_are_walked_the_same_way(xero: XeroSide) -> None:
    before = {c.id for c in xero.run(lambda c: c.contacts())}
    for n in range(20):
        xero.do("new_contact", name=f"Supplier {n}")
        if n % 6 == 0:
            xero.sim.post("/_sim/clock", {"advance_seconds": 10})
    after = xero.run(lambda c: c.contacts())
    assert len(after) == len(before) + 20
    assert len({c.id for c in after}) == len(after)


def test_a_walk_that_never_ends_is_an_error(
    xero: XeroSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    new_bills(xero, 20, "Many")
    monkeypatch.setattr(walk, "MOST_REQUESTS", 2)

    async def ask(client: XeroClient) -> Any:
        return await client.bills_changed(None)

    with pytest.raises(ReadFailed):
        xero.run(ask)
