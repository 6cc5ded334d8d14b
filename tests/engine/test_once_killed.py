"""The process is killed wherever something was committed or is about to be sent."""

from collections import Counter

import pytest

from onecore.store.models import Link
from tests.desk import Desk, money
from tests.engine.fifty import (
    LONGER_THAN_DOUBT,
    approve,
    change,
    documents_in,
    each_once,
    forget_requests,
    marks,
    reopen,
    writes,
)
from tests.worker_process import another

LIST_READ = "call.procore.requisitions.changed.after"
CREATED = "call.xero.bills.create.after"
CREATING = (
    "lease.taken", "index.written", LIST_READ, "feed.read", "intent.written", "send.noted",
    "call.xero.bills.create.before", CREATED, "outcome.written", "document.placed",
)  # fmt: skip
CHANGING = ("intent.written", "call.xero.bills.update.before", "call.xero.bills.update.after",
            "outcome.written", "document.placed")  # fmt: skip
REMOVING = ("intent.written", "call.xero.bills.remove.before", "call.xero.bills.remove.after",
            "outcome.written", "document.placed")  # fmt: skip
IN_DOUBT = ("doubt.found", "doubt.found:9", "doubt.absent", "doubt.absent:9")
SENT = {CREATED, "outcome.written", "document.placed"}


@pytest.mark.parametrize("point", CREATING)
def test_fifty_claims_are_fifty_bills_though_the_process_was_killed(desk: Desk, point: str) -> None:
    refs = approve(desk, 50)
    another(desk, crash=point).dies()
    assert len(marks(desk)) == (50 if point.partition(":")[0] in SENT else 0)
    desk.clock.offset = LONGER_THAN_DOUBT
    assert desk.sync().troubles == ()
    each_once(desk, refs)
    assert sum(map(documents_in, writes(desk))) == 50


@pytest.mark.parametrize("point", CHANGING)
def test_an_amended_claim_is_amended_once_though_the_process_was_killed(
    desk: Desk, point: str
) -> None:
    refs = approve(desk, 5)
    desk.sync()
    change(desk, refs, "2000.00")
    forget_requests(desk)
    another(desk, crash=point).dies()
    desk.clock.offset = LONGER_THAN_DOUBT
    assert desk.sync().troubles == ()
    each_once(desk, refs)
    # 2,000.00 of work, a tenth of it held back, and ten per cent of tax
    assert {money(bill["total"]) for bill in desk.bills()} == {money("1980.00")}
    assert sum(map(documents_in, writes(desk))) == 5
    # What was agreed is known: going back is an ordinary amendment, not somebody's drift.
    change(desk, refs, "1500.00")
    desk.sync()
    each_once(desk, refs)
    assert {money(bill["total"]) for bill in desk.bills()} == {money("1485.00")}


@pytest.mark.parametrize("point", REMOVING)
def test_a_withdrawn_claim_is_voided_once_though_the_process_was_killed(
    desk: Desk, point: str
) -> None:
    desk.set(source_reopened="void")
    refs = approve(desk, 3)
    desk.sync()
    reopen(desk, refs)
    forget_requests(desk)
    another(desk, crash=point).dies()
    desk.clock.offset = LONGER_THAN_DOUBT
    assert desk.sync().troubles == ()
    assert [desk.state_of(ref) for ref in refs] == ["withdrawn"] * 3
    assert Counter(b["status"] for b in desk.bills(include_gone=True)) == Counter(VOIDED=3)
    assert sum(map(documents_in, writes(desk))) == 3
    assert desk.intents() == 0
    assert not Link.objects.filter(withdrawn=False).exists()


@pytest.mark.parametrize("point", IN_DOUBT)
def test_killed_again_while_finding_out_what_became_of_it(desk: Desk, point: str) -> None:
    refs = approve(desk, 50)
    first = CREATED if "found" in point else "intent.written"
    another(desk, crash=first).dies()
    another(desk, crash=point, ahead=LONGER_THAN_DOUBT).dies()
    desk.clock.offset = LONGER_THAN_DOUBT
    assert desk.sync().troubles == ()
    each_once(desk, refs)
    assert sum(map(documents_in, writes(desk))) == 50


@pytest.mark.parametrize("point", [CREATED, "doubt.found:9", "intent.written"])
def test_killed_and_the_reply_lost(desk: Desk, point: str) -> None:
    """The first reply is lost, and whoever looks or sends after that is killed as well."""
    refs = approve(desk, 50)
    if point == CREATED:  # killed with the answer in hand; then the look-up fails once
        another(desk, crash=point).dies()
        desk.xero.fault("lost", r"/Invoices\?where", "GET")
    elif point == "intent.written":  # never sent, so sent again: that reply is lost
        another(desk, crash=point).dies()
        desk.xero.fault("lost", "/Invoices", "PUT")
    else:
        desk.xero.fault("lost", "/Invoices", "PUT")
        another(desk, crash=point, timeout=8).dies()
    desk.clock.offset = LONGER_THAN_DOUBT
    desk.sync()
    desk.clock.offset += LONGER_THAN_DOUBT
    assert desk.sync().troubles == ()
    each_once(desk, refs)
    assert sum(map(documents_in, writes(desk))) == 50


def test_killed_five_times_on_the_way(desk: Desk) -> None:
    refs = approve(desk, 50)
    for n, point in enumerate(
        (LIST_READ, "feed.read", "intent.written", "doubt.absent:20", CREATED)
    ):
        another(desk, crash=point, ahead=n * LONGER_THAN_DOUBT).dies()
    desk.clock.offset = 5 * LONGER_THAN_DOUBT
    assert desk.sync().troubles == ()
    each_once(desk, refs)
    assert sum(map(documents_in, writes(desk))) == 50
