"""Fifty bills each once, whatever becomes of the request or of its answer."""

import json
from datetime import timedelta
from typing import Any

import pytest

from onecore.store.models import RemoteLimit
from tests.desk import Desk
from tests.engine.fifty import (
    LONGER_THAN_DOUBT,
    approve,
    change,
    documents_in,
    each_once,
    forget_requests,
    marks,
    warmed,
    writes,
)

BATCH_REFUSED = json.dumps(
    {
        "ErrorNumber": 10,
        "Type": "ValidationException",
        "Message": "A validation exception occurred",
        "Elements": [
            {"InvoiceID": "00000000-0000-0000-0000-000000000000", "ValidationErrors": [
                {"Message": "Something about one of them."}]},
        ],
    }
)  # fmt: skip
GATEWAY = "upstream connect error or disconnect/reset before headers"

CARRIED_OUT: dict[str, dict[str, Any]] = {
    "lost": {"kind": "lost"},
    "hang_after": {"kind": "hang_after", "seconds": 3},
    "truncated": {"kind": "truncated"},
    "500": {"kind": "status_after", "status": 500},
    "502": {"kind": "status_after", "status": 502, "body": "<html>", "content_type": "text/html"},
    "503 of a gateway": {"kind": "status_after", "status": 503, "body": GATEWAY,
                         "content_type": "text/plain", "headers": {"Retry-After": "1"}},
    "200 without bills": {"kind": "status_after", "status": 200, "body": "{}"},
    "200 of nothing": {"kind": "status_after", "status": 200, "body": ""},
    "200 of another length": {"kind": "status_after", "status": 200, "body": '{"Invoices":[]}'},
    "400 for the whole": {"kind": "status_after", "status": 400, "body": BATCH_REFUSED},
    "400 that says nothing": {"kind": "status_after", "status": 400, "body": "{}"},
    "409": {"kind": "status_after", "status": 409, "body": ""},
}  # fmt: skip


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A write is given up after a second instead of forty."""
    monkeypatch.setattr("onecore.http.transport.LONGEST_WRITE", 1.0)


@pytest.mark.parametrize("fault", CARRIED_OUT)
def test_what_was_carried_out_is_found_at_once(desk: Desk, fault: str, impatient: None) -> None:
    """No clock is moved: the look that follows the lost answer sees the marks."""
    first = warmed(desk)
    refs = approve(desk, 50)
    desk.xero.fault(path="/Invoices", method="PUT", **CARRIED_OUT[fault])
    result = desk.sync()
    assert result.idle
    each_once(desk, [first, *refs])
    assert [documents_in(row) for row in writes(desk)] == [50]


NOT_CARRIED_OUT: dict[str, dict[str, Any]] = {
    "drop": {"kind": "drop"},
    "hang": {"kind": "hang", "seconds": 3},
    "500": {"kind": "status", "status": 500},
    "502": {"kind": "status", "status": 502, "body": GATEWAY, "content_type": "text/plain"},
    "503 of a gateway": {"kind": "status", "status": 503, "body": GATEWAY,
                         "content_type": "text/plain", "headers": {"Retry-After": "1"}},
    "200 without bills": {"kind": "status", "status": 200, "body": "{}"},
}  # fmt: skip


@pytest.mark.parametrize("fault", NOT_CARRIED_OUT)
def test_what_may_still_arrive_is_waited_for_and_then_sent_once(
    desk: Desk, fault: str, impatient: None
) -> None:
    first = warmed(desk)
    refs = approve(desk, 50)
    desk.xero.fault(path="/Invoices", method="PUT", **NOT_CARRIED_OUT[fault])
    waiting = desk.sync(timeout=2)
    assert not waiting.idle
    assert desk.intents() == 50
    assert len(writes(desk)) == 1
    desk.clock.offset = timedelta(seconds=39)  # the longest a request can take is not over
    assert desk.sync(timeout=1).waiting >= 50
    assert len(writes(desk)) == 1
    desk.clock.offset = LONGER_THAN_DOUBT
    assert desk.sync().troubles == ()
    each_once(desk, [first, *refs])
    assert [documents_in(row) for row in writes(desk)] == [50, 50]
    # three looks or so in a minute, not one every second
    looks = [row for row in desk.xero.requests("/Invoices") if row["method"] == "GET"]
    assert len(looks) <= 6


def too_many(problem: str, after: int | None) -> dict[str, Any]:
    headers = {"X-Rate-Limit-Problem": problem}
    if after is not None:
        headers["Retry-After"] = str(after)
    return {"kind": "status", "status": 429, "body": "", "headers": headers}


OFFLINE = {"kind": "status", "status": 503, "body": "The Organisation is offline",
           "content_type": "text/plain"}  # fmt: skip

TOLD_TO_WAIT: dict[str, tuple[dict[str, Any], timedelta]] = {
    "minute": (too_many("minute", 17), timedelta(seconds=17)),
    "minute without a word": (too_many("minute", None), timedelta(seconds=60)),
    "day": (too_many("day", 8 * 3600), timedelta(hours=8)),
    "day without a word": (too_many("day", None), timedelta(hours=1)),
    "appminute": (too_many("appminute", None), timedelta(seconds=60)),
    "a word nobody knows": (too_many("fortnight", None), timedelta(seconds=60)),
}


@pytest.mark.parametrize("limit", TOLD_TO_WAIT)
def test_told_to_wait_nothing_was_done_and_nothing_is_asked_until_then(
    desk: Desk, limit: str
) -> None:
    fault, wait = TOLD_TO_WAIT[limit]
    first = warmed(desk)
    refs = approve(desk, 50)
    desk.xero.fault(path="/Invoices", method="PUT", **fault)
    told = desk.sync(timeout=1)
    assert any("limit; waiting until" in text for text in told.troubles)
    assert desk.intents() == 0
    asked = len(desk.xero.requests("/api.xro"))
    desk.clock.offset = wait - timedelta(seconds=8)
    desk.sync(timeout=1)
    assert len(desk.xero.requests("/api.xro")) == asked
    assert sum(marks(desk).values()) == 1
    desk.clock.offset = wait * 1.1 + timedelta(seconds=10)
    assert desk.sync().troubles == ()
    each_once(desk, [first, *refs])
    assert [documents_in(row) for row in writes(desk)] == [50, 50]


def test_too_many_at_once_is_a_wait_of_a_moment(desk: Desk) -> None:
    first = warmed(desk)
    refs = approve(desk, 50)
    desk.xero.fault(path="/Invoices", method="PUT", **too_many("concurrent", None))
    assert desk.sync().idle
    each_once(desk, [first, *refs])
    assert [documents_in(row) for row in writes(desk)] == [50, 50]


def test_offline_is_tried_again_later(desk: Desk) -> None:
    first = warmed(desk)
    refs = approve(desk, 50)
    desk.xero.fault(path="/Invoices", method="PUT", **OFFLINE)
    desk.sync(timeout=1)
    assert desk.intents() == 0
    desk.clock.offset = timedelta(minutes=6)
    assert desk.sync().idle
    each_once(desk, [first, *refs])
    assert not RemoteLimit.objects.filter(blocked_until__isnull=False).exists()


def test_three_replies_lost_one_after_another(desk: Desk) -> None:
    """Of a hundred claims in two batches, both replies and a look-up."""
    refs = approve(desk, 100)
    desk.xero.fault("lost", "/Invoices", "PUT", times=2)
    desk.xero.fault("lost", r"/Invoices\?where", "GET", skip=1)
    desk.sync()
    each_once(desk, refs)
    assert [documents_in(row) for row in writes(desk)] == [50, 50]


def test_every_second_answer_of_xero_is_lost(desk: Desk) -> None:
    refs = approve(desk, 50)
    desk.xero.fault("lost", "/api.xro", times=0, chance=0.5, seed=7)
    for n in range(12):
        desk.clock.offset = n * LONGER_THAN_DOUBT
        desk.sync(timeout=1)
    desk.xero.no_faults()
    desk.clock.offset += LONGER_THAN_DOUBT
    desk.sync()
    each_once(desk, refs)
    assert sum(map(documents_in, writes(desk))) == 50


def test_a_batch_declined_for_one_bill_sends_the_others_in_few_requests(desk: Desk) -> None:
    """Where the answer to many tells of none, halves are sent, not fifty requests."""
    first = warmed(desk)
    refs = approve(desk, 50)
    desk.xero.fault("status", "/Invoices", "PUT", times=1, status=400, body=BATCH_REFUSED)
    assert desk.sync().troubles == ()
    each_once(desk, [first, *refs])
    assert [documents_in(row) for row in writes(desk)] == [50, 25, 25]


@pytest.mark.parametrize("fault", ["lost", "500", "400 that says nothing"])
def test_a_lost_amendment_is_recognised_and_not_taken_for_drift(desk: Desk, fault: str) -> None:
    refs = approve(desk, 5)
    desk.sync()
    change(desk, refs, "2000.00")
    forget_requests(desk)
    desk.xero.fault(path="/Invoices", method="POST", **CARRIED_OUT[fault])
    assert desk.sync().idle
    each_once(desk, refs)
    change(desk, refs, "1500.00")
    assert desk.sync().troubles == ()
    each_once(desk, refs)


def test_a_bill_too_large_for_one_request_with_the_others_goes_in_halves(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onecore.xero.client.MOST_BYTES", 12_000)
    refs = approve(desk, 50)
    assert desk.sync().troubles == ()
    each_once(desk, refs)
    sizes = [len(row["request_body"]) for row in writes(desk)]
    assert max(sizes) <= 12_000
    assert sum(map(documents_in, writes(desk))) == 50
