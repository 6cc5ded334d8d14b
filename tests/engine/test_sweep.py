"""Sweeping Xero's bills by value: our own echo says nothing, a person's hand does."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from onecore.engine.index import FULLY_EVERY, LATELY, OVERLAP, BillSweep
from onecore.engine.organisation_run import DOCUMENTS_A_TURN
from onecore.ports import ReadFailed
from onecore.store.models import BillIndex, Hint, Link, Organisation
from tests.desk import Desk
from tests.engine.fifty import (
    approve,
    calls,
    change,
    each_once,
    forget_requests,
    marks,
    warmed,
    writes,
)

NEXT_SWEEP = timedelta(minutes=3)


def sweeps(desk: Desk) -> list[str]:
    """The If-Modified-Since of each look at the list of bills."""
    return [
        row["request_headers"].get("if-modified-since", "")
        for row in desk.xero.requests("/Invoices")
        if row["method"] == "GET" and "where=" in row["query"]
    ]


def settled(desk: Desk) -> None:
    """Three further syncs, each with a sweep, find nothing to do and nothing to say."""
    forget_requests(desk)
    for _ in range(3):
        desk.clock.offset += NEXT_SWEEP
        result = desk.sync()
        assert (result.idle, result.troubles, result.done) == (True, (), 0)
        assert not Hint.objects.exists()
    assert len(sweeps(desk)) == 3
    assert writes(desk) == []
    assert set(calls(desk.xero)) == {"GET /api.xro/2.0/Invoices"}
    assert len(calls(desk.xero)) == 3


def test_after_bills_are_made_it_is_idle_and_stays_so(desk: Desk) -> None:
    refs = approve(desk, 50)
    desk.sync()
    settled(desk)
    each_once(desk, refs)


def test_after_an_amendment_and_a_lost_reply_it_is_idle_and_stays_so(desk: Desk) -> None:
    refs = approve(desk, 5)
    desk.sync()
    change(desk, refs, "2000.00")
    desk.xero.fault("lost", "/Invoices", "POST")
    desk.sync()
    desk.clock.offset += NEXT_SWEEP
    desk.sync()
    settled(desk)
    each_once(desk, refs)


def test_after_removals_it_is_idle_and_stays_so(desk: Desk) -> None:
    desk.set(source_reopened="void")
    ref = desk.claim("1000.00")
    desk.sync()
    desk.procore.advance(timedelta(seconds=2))
    desk.procore.do("set_status", project_id=7, id=int(ref.id), status="under_review")
    desk.sync()
    assert desk.state_of(ref) == "withdrawn"
    settled(desk)


def test_after_a_drift_that_waits_for_a_person_it_is_idle_and_stays_so(desk: Desk) -> None:
    ref = warmed(desk)
    bill = desk.bill_of(ref)
    line = bill["lines"][0]["id"]
    desk.xero.do("edit_line", invoice_id=bill["id"], line_item_id=line, amount="90.00")
    desk.clock.offset += NEXT_SWEEP
    desk.sync()
    assert desk.state_of(ref) == "drifted"
    settled(desk)


@pytest.mark.parametrize("act", ["edit_line", "void", "pay"])
def test_what_people_do_to_our_bills_is_looked_at(desk: Desk, act: str) -> None:
    ref, other = warmed(desk), approve(desk, 1)[0]
    desk.sync()
    bill = desk.bill_of(ref)
    words = {"line_item_id": bill["lines"][0]["id"], "description": "Concrete, level 2"}
    more = words if act == "edit_line" else {}
    desk.xero.do(act, invoice_id=bill["id"], **more)
    forget_requests(desk)
    desk.clock.offset += NEXT_SWEEP
    looked = desk.sync()
    assert looked.done + looked.attention == 1  # that one, and not its neighbour
    asked = [row["query"] for row in desk.xero.requests("/Invoices") if "IDs=" in row["query"]]
    assert len(asked) == 1
    assert bill["id"] in asked[0]
    assert desk.state_of(other) == "in_step"


def test_strangers_bills_are_known_as_digests_and_say_nothing(desk: Desk) -> None:
    warmed(desk)
    contact = next(iter(desk.xero.state()["organisations"][str(desk.organisation)]["contacts"]))
    made = desk.xero.do(
        "new_bill", contact_id=contact, number="STRANGE-0042",
        lines=[{"account": "310", "amount": "77.00", "description": "Paint"}], status="AUTHORISED",
    )  # fmt: skip
    desk.clock.offset += NEXT_SWEEP
    assert desk.sync().done == 0
    row = BillIndex.objects.get(bill_id=made["InvoiceID"])
    assert (row.mark, row.gone, str(row.contact_id)) == ("", False, contact)
    assert len(row.number) == len(row.total) == 32
    assert not Hint.objects.exists()


def test_each_sweep_begins_where_the_last_ended_with_an_overlap(desk: Desk) -> None:
    warmed(desk)
    for _ in range(2):
        desk.clock.offset += NEXT_SWEEP
        desk.sync()
    cursor = Organisation.objects.get().bills_cursor
    assert cursor is not None
    # nothing had been read before the first, so it began at the beginning
    assert sweeps(desk) == ["", f"{cursor - timedelta(minutes=10):%Y-%m-%dT%H:%M:%S}"]


def test_bills_that_move_while_they_are_read_are_all_seen(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages of ten over sixty bills, half of them changed by people meanwhile."""
    refs = approve(desk, 50)
    desk.sync()
    monkeypatch.setattr("onecore.xero.walk.PAGE_SIZE", 10)
    for bill in desk.bills()[::2]:
        desk.xero.do("edit_invoice", invoice_id=bill["id"], due_date="2027-01-31")
    forget_requests(desk)
    desk.clock.offset += NEXT_SWEEP
    looked = desk.sync()
    assert looked.done == 25
    each_once(desk, refs)


def test_a_sweep_that_dies_between_index_and_hints_says_them_the_next_time(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Index, cursor and hints are one commit: either the cursor is behind or the hint is there."""
    ref = warmed(desk)
    bill = desk.bill_of(ref)
    line = bill["lines"][0]["id"]
    desk.xero.do("edit_line", invoice_id=bill["id"], line_item_id=line, amount="90.00")
    before = Organisation.objects.get().bills_cursor

    def dies(*said: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr("onecore.store.index.write", dies)
        desk.clock.offset += NEXT_SWEEP
        desk.sync(timeout=0.5)
    assert Organisation.objects.get().bills_cursor == before
    assert not Hint.objects.exists()
    desk.clock.offset += NEXT_SWEEP
    desk.sync()
    assert desk.state_of(ref) == "drifted"


def test_a_bell_that_rings_while_bills_are_read_makes_them_due_again(desk: Desk) -> None:
    warmed(desk)
    row = Organisation.objects.get()
    sweep = BillSweep(desk.organisation, desk.service.vault, desk.clock)
    digest = desk.service.run(sweep.digest())
    now = desk.clock.now()
    Organisation.objects.update(bills_wanted_at=now)  # rung
    sweep._write((), digest, row, now)
    assert Organisation.objects.get().bills_wanted_at == now
    sweep._write((), digest, Organisation.objects.get(), now)
    assert Organisation.objects.get().bills_wanted_at is None


def test_a_bill_somebody_typed_moments_ago_is_seen_before_ours_is_made(desk: Desk) -> None:
    """The index is never older than its word when bills are created."""
    warmed(desk)
    ref = desk.claim("1000.00", invoice_number="INV-7001")
    link = Link.objects.get()
    bill = desk.bill(link.target_id)
    desk.clock.offset += LATELY / 2
    desk.xero.do(
        "new_bill", contact_id=bill["contact_id"], number="inv 7001", status="AUTHORISED",
        lines=[{"account": "310", "amount": "1000.00", "description": "The same"}],
    )  # fmt: skip
    desk.sync()
    assert desk.state_of(ref) == "ask"
    assert desk.causes() == ["duplicate"]
    assert sum(marks(desk).values()) == 1


def test_before_bills_are_made_the_last_moments_are_read_and_not_ten_minutes_again(
    desk: Desk,
) -> None:
    """Else what was just made would be read again and again while there is more to make."""
    warmed(desk)
    made_at = datetime.now(UTC).replace(tzinfo=None)
    approve(desk, DOCUMENTS_A_TURN + 50)
    desk.sync()
    first, second = sweeps(desk)  # one a turn
    assert first == ""  # no bill had been seen yet
    assert datetime.fromisoformat(second) > made_at - timedelta(seconds=10)
    desk.clock.offset += FULLY_EVERY
    forget_requests(desk)
    desk.claim("100.00")
    desk.sync()
    assert datetime.fromisoformat(sweeps(desk)[0]) < made_at - OVERLAP / 2


def test_a_long_list_is_written_page_by_page_and_gone_on_with_where_it_broke_off(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An organisation may have a hundred thousand bills; no more than two pages are in memory."""
    first = warmed(desk)
    refs = approve(desk, 5)
    desk.sync()
    each_once(desk, [first, *refs])
    BillIndex.objects.all().delete()
    Organisation.objects.update(bills_cursor=None, bills_read_at=None)
    monkeypatch.setattr("onecore.xero.walk.PAGE_SIZE", 2)
    monkeypatch.setattr("onecore.xero.walk.LEAST_PAGE_SIZE", 1)
    sweep = BillSweep(desk.organisation, desk.service.vault, desk.clock)
    ctx = desk.service.run(desk.service.context(desk.workspace))
    books = ctx.books[desk.organisation]
    desk.xero.fault("status", r"/Invoices\?", "GET", skip=3, status=500)
    with pytest.raises(ReadFailed):
        desk.service.run(sweep.read(books))
    row = Organisation.objects.get()
    assert BillIndex.objects.count() == 2  # what was read before, but for the page in hand
    assert row.bills_cursor is not None
    assert row.bills_read_at is None  # so it is due still
    assert desk.service.run(sweep.read(books)) == ()
    assert BillIndex.objects.count() == 6
    row = Organisation.objects.get()
    assert row.bills_read_at is not None
    assert row.bills_cursor == max(BillIndex.objects.values_list("updated_at", flat=True))
    some = desk.service.run(sweep.read(books, desk.clock.now()))
    assert {bill.id for bill in some} == {UUID(bill["id"]) for bill in desk.bills()}
