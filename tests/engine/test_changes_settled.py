"""Bills that are paid or lie in a locked period when their claim changes."""

from datetime import date, timedelta

import pytest

from onecore.domain.refs import SourceRef
from tests.desk import Desk, money
from tests.engine.changing import (
    amounts,
    choices,
    detail,
    edit,
    later,
    look,
    quiet,
    status,
    today,
    total,
    writes,
)


def posted(desk: Desk, *work: str, **more: str) -> SourceRef:
    ref = desk.claim(*(work or ("10000.00",)), invoice_number="INV-0101", **more)
    look(desk)
    assert desk.state_of(ref) == "in_step"
    return ref


# --- paid -------------------------------------------------------------------------------------


@pytest.mark.parametrize("paid", ["100.00", None], ids=["part", "whole"])
def test_a_claim_changed_after_payment_is_a_question_and_nothing_is_sent(
    desk: Desk, paid: str | None
) -> None:
    ref = posted(desk, "10000.00", "50000.00")
    bill = desk.bill_of(ref)
    desk.xero.do("pay", invoice_id=bill["id"], amount=paid)
    look(desk, ref)
    assert desk.state_of(ref) == "in_step"  # paying is Xero's own business
    edit(desk, ref, "12000.00")
    desk.xero.forget_requests()
    look(desk)
    assert desk.state_of(ref) == "ask"
    assert choices(desk, "paid_bill_changed") == ["accept", "look_again"]
    told = detail(desk, "paid_bill_changed")
    assert "wanted 12000, in Xero 10000" in told
    assert "wanted -6200, in Xero -6000" in told
    assert writes(desk) == []
    desk.answer("paid_bill_changed", "accept")
    look(desk)
    assert desk.state_of(ref) == "in_step"
    assert desk.attention() == []
    assert total(desk.bill_of(ref)) == total(bill)
    quiet(desk, ref)
    edit(desk, ref, "13000.00")
    look(desk)
    assert desk.state_of(ref) == "ask"
    assert "wanted 13000, in Xero 10000" in detail(desk, "paid_bill_changed")
    assert amounts(desk.bill_of(ref)) == amounts(bill)


def test_a_payment_taken_away_lets_the_change_go(desk: Desk) -> None:
    ref = posted(desk)
    bill = desk.bill_of(ref)
    payment = desk.xero.do("pay", invoice_id=bill["id"], amount="100.00")
    edit(desk, ref, "12000.00")
    look(desk)
    assert desk.state_of(ref) == "ask"
    desk.xero.do("remove_payment", payment_id=payment["PaymentID"])
    desk.answer("paid_bill_changed", "look_again")
    look(desk)
    assert desk.state_of(ref) == "in_step"
    assert total(desk.bill_of(ref)) == money("11880.00")


def test_a_settled_difference_does_not_come_back_with_the_next_change(desk: Desk) -> None:
    """Settled by hand on one line; another line moves after the payment was taken away."""
    ref = posted(desk, "10000.00", "50000.00")
    bill = desk.bill_of(ref)
    payment = desk.xero.do("pay", invoice_id=bill["id"], amount="100.00")
    edit(desk, ref, "12000.00")
    look(desk)
    desk.answer("paid_bill_changed", "accept")
    look(desk)
    desk.xero.do("remove_payment", payment_id=payment["PaymentID"])
    edit(desk, ref, None, "51000.00")
    look(desk)
    assert desk.state_of(ref) == "in_step"
    after = amounts(desk.bill_of(ref))
    assert after[:2] == [money("10000.00"), money("51000.00")]
    assert desk.attention() == []


def test_a_due_date_alone_troubles_nobody_on_a_paid_bill(desk: Desk) -> None:
    ref = posted(desk)
    desk.xero.do("pay", invoice_id=desk.bill_of(ref)["id"])
    desk.set(flows__bill__due_date={"days_after_bill": 14})
    look(desk, ref)
    assert desk.state_of(ref) == "in_step"


def test_a_paid_bills_claim_voided_and_approved_again_is_no_news(desk: Desk) -> None:
    ref = posted(desk)
    desk.xero.do("pay", invoice_id=desk.bill_of(ref)["id"])
    status(desk, ref, "under_review")
    look(desk)
    assert desk.causes() == ["reopened_but_paid"]
    status(desk, ref, "approved")
    look(desk)
    assert desk.state_of(ref) == "in_step"
    assert desk.attention() == []


# --- locked periods ---------------------------------------------------------------------------


def lock(desk: Desk, day: date | None) -> None:
    desk.xero.do("lock", period=day.isoformat() if day else None)
    later(desk, minutes=6)  # the organisation's own facts are kept for five


def test_a_claim_dated_in_a_locked_period_is_held_until_the_lock_moves(desk: Desk) -> None:
    dated = today(desk) - timedelta(days=40)
    locked = dated + timedelta(days=5)
    lock(desk, locked)
    ref = desk.claim("10000.00", invoice_number="INV-0101", billing_date=dated.isoformat())
    look(desk)
    assert desk.state_of(ref) == "held"
    (group,) = desk.attention()
    assert (group.cause, group.subject) == ("period_locked", locked.isoformat())
    said = detail(desk, "period_locked")
    assert f"{dated:%d %B %Y}" in said
    assert f"{locked:%d %B %Y}" in said
    assert desk.bills() == []
    lock(desk, dated - timedelta(days=1))
    later(desk, minutes=50)  # nobody says anything: it is looked at again by itself
    look(desk)
    assert desk.state_of(ref) == "in_step"
    assert desk.bill_of(ref)["date"] == dated.isoformat()
    assert desk.attention() == []


def test_shift_dates_the_bill_the_day_after_and_says_so(desk: Desk) -> None:
    desk.set(locked_period="shift")
    dated = today(desk) - timedelta(days=40)
    locked = dated + timedelta(days=5)
    lock(desk, locked)
    ref = desk.claim("10000.00", invoice_number="INV-0101", billing_date=dated.isoformat())
    look(desk)
    assert desk.state_of(ref) == "in_step"
    bill = desk.bill_of(ref)
    assert bill["date"] == (locked + timedelta(days=1)).isoformat()
    assert bill["due_date"] == (dated + timedelta(days=30)).isoformat()
    assert f"(claim dated {dated.day} {dated:%B %Y})" in bill["lines"][0]["description"]
    quiet(desk, ref)
    lock(desk, None)  # an earlier lock or none moves nothing back by itself
    quiet(desk, ref)
    edit(desk, ref, "12000.00")
    look(desk)
    assert total(desk.bill_of(ref)) == money("11880.00")
    assert desk.state_of(ref) == "in_step"


def test_a_draft_may_lie_in_a_locked_period(desk: Desk) -> None:
    desk.set(flows__bill__status="DRAFT")
    dated = today(desk) - timedelta(days=40)
    lock(desk, dated + timedelta(days=5))
    ref = desk.claim("10000.00", invoice_number="INV-0101", billing_date=dated.isoformat())
    look(desk)
    assert desk.state_of(ref) == "in_step"
    bill = desk.bill_of(ref)
    assert (bill["status"], bill["date"]) == ("DRAFT", dated.isoformat())
    edit(desk, ref, "12000.00")
    look(desk)
    assert total(desk.bill_of(ref)) == money("11880.00")


def test_a_posted_bill_in_a_locked_period_is_held_when_its_claim_changes(desk: Desk) -> None:
    refs = [posted(desk, billing_date=(today(desk) - timedelta(days=40)).isoformat())]
    refs.append(
        desk.claim(
            "3000.00",
            invoice_number="INV-0102",
            billing_date=(today(desk) - timedelta(days=20)).isoformat(),
        )
    )
    look(desk)
    locked = today(desk) - timedelta(days=10)
    lock(desk, locked)
    quiet(desk, *refs)
    assert {desk.state_of(ref) for ref in refs} == {"in_step"}
    edit(desk, refs[1], "4000.00")
    look(desk)
    assert desk.state_of(refs[1]) == "held"
    (group,) = desk.attention()
    assert (group.cause, group.subject) == ("period_locked", locked.isoformat())
    assert "so Xero takes no change of it" in detail(desk, "period_locked")
    lock(desk, None)
    desk.answer("period_locked", "look_again")
    look(desk)
    assert desk.state_of(refs[1]) == "in_step"
    assert total(desk.bill_of(refs[1])) == money("3960.00")


def test_a_locked_bill_under_shift_is_a_question_since_it_cannot_move(desk: Desk) -> None:
    desk.set(locked_period="shift")
    ref = posted(desk, billing_date=(today(desk) - timedelta(days=40)).isoformat())
    lock(desk, today(desk) - timedelta(days=10))
    quiet(desk, ref)
    edit(desk, ref, "12000.00")
    look(desk)
    assert desk.state_of(ref) == "ask"
    assert choices(desk, "locked_bill_changed") == ["accept", "look_again"]
    desk.answer("locked_bill_changed", "accept")
    look(desk)
    assert desk.state_of(ref) == "in_step"
    assert total(desk.bill_of(ref)) == money("9900.00")
    quiet(desk, ref)


@pytest.mark.parametrize("policy", ["ask", "void"])
def test_a_reopened_claims_locked_bill_is_a_question(desk: Desk, policy: str) -> None:
    desk.set(source_reopened=policy)
    ref = posted(desk, billing_date=(today(desk) - timedelta(days=40)).isoformat())
    lock(desk, today(desk) - timedelta(days=10))
    status(desk, ref, "under_review")
    look(desk)
    assert desk.causes() == ["source_reopened_but_locked"]
    assert desk.bill_of(ref)["status"] == "AUTHORISED"
