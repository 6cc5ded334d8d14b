"""The flow's modes: off, preview, approve first; and the cut-over."""

from datetime import date

import pytest

from onecore.engine.use import attending, looking
from onecore.engine.use.errors import NotFound, UseError
from onecore.store.models import AuditEntry
from tests.desk import Desk, money
from tests.engine.changing import choices, edit, look, total, writes


def test_off_reads_and_sends_nothing(desk: Desk) -> None:
    desk.set(flows__bill__mode="off")
    desk.procore.forget_requests()
    desk.xero.forget_requests()
    ref = desk.claim("10000.00", invoice_number="INV-0101")
    look(desk)
    assert desk.document(ref) is None
    assert desk.bills() == []
    assert desk.procore.requests("requisitions") == []
    desk.set(flows__bill__mode="auto")
    look(desk)
    assert desk.state_of(ref) == "in_step"


def test_off_amends_nothing_that_was_posted(desk: Desk) -> None:
    ref = desk.claim("10000.00", invoice_number="INV-0101")
    look(desk)
    desk.set(flows__bill__mode="off")
    edit(desk, ref, "12000.00")
    desk.xero.forget_requests()
    look(desk, ref)
    assert writes(desk) == []
    assert desk.state_of(ref) == "waiting"
    desk.set(flows__bill__mode="auto")
    look(desk)
    assert total(desk.bill_of(ref)) == money("11880.00")


def test_preview_shows_and_sends_nothing(desk: Desk) -> None:
    desk.set(flows__bill__mode="preview")
    ref = desk.claim("10000.00", invoice_number="INV-0101")
    desk.xero.forget_requests()
    look(desk)
    assert desk.state_of(ref) == "previewed"
    assert desk.attention() == []
    assert writes(desk) == []
    shown = desk.service.run(looking.preview(desk.service, desk.workspace, ref))
    assert shown.step == "create"
    assert shown.totals is not None
    assert (shown.totals.net, shown.totals.tax, shown.totals.gross) == (
        money("9000.00"),
        money("900.00"),
        money("9900.00"),
    )
    sides = [(row.account, row.debit, row.credit) for row in shown.journal]
    assert sides[0] == ("310", money("10000.00"), money("0.00"))
    assert ("820R", money("0.00"), money("1000.00")) in sides
    assert sum(x[1] for x in sides) == sum(x[2] for x in sides) == money("10900.00")
    desk.set(flows__bill__mode="auto")
    look(desk)
    assert desk.state_of(ref) == "in_step"


def test_a_preview_of_a_change_of_a_posted_bill(desk: Desk) -> None:
    ref = desk.claim("10000.00", invoice_number="INV-0101")
    look(desk)
    desk.set(flows__bill__mode="preview")
    edit(desk, ref, "12000.00")
    look(desk)
    assert desk.state_of(ref) == "previewed"
    shown = desk.service.run(looking.preview(desk.service, desk.workspace, ref))
    assert shown.step == "update"
    assert [(wanted, there) for _, wanted, there in shown.fields] == [
        ("12000", "10000"),
        ("-1200", "-1000"),
    ]
    assert total(desk.bill_of(ref)) == money("9900.00")


def test_approve_first_posts_after_a_yes(desk: Desk) -> None:
    desk.set(flows__bill__mode="approve")
    ref = desk.claim("10000.00", invoice_number="INV-0101")
    look(desk)
    assert desk.state_of(ref) == "approval"
    assert choices(desk, "approval") == ["approve", "reject"]
    assert desk.bills() == []
    attending.approve(desk.service, desk.workspace, ref, "ann@example.test")
    look(desk)
    assert desk.state_of(ref) == "in_step"
    assert total(desk.bill_of(ref)) == money("9900.00")
    assert desk.attention() == []
    with pytest.raises(NotFound):
        attending.approve(desk.service, desk.workspace, ref, "ann@example.test")


def test_a_yes_holds_for_what_was_shown_and_no_other(desk: Desk) -> None:
    desk.set(flows__bill__mode="approve")
    ref = desk.claim("10000.00", invoice_number="INV-0101")
    look(desk)
    edit(desk, ref, "90000.00")
    attending.approve(desk.service, desk.workspace, ref, "ann@example.test")
    look(desk)
    assert desk.state_of(ref) == "approval"
    assert desk.bills() == []
    attending.approve(desk.service, desk.workspace, ref, "ann@example.test")
    look(desk)
    assert total(desk.bill_of(ref)) == money("89100.00")


def test_an_amendment_needs_a_yes_of_its_own(desk: Desk) -> None:
    desk.set(flows__bill__mode="approve")
    ref = desk.claim("10000.00", invoice_number="INV-0101")
    look(desk)
    desk.answer("approval", "approve")
    look(desk)
    edit(desk, ref, "12000.00")
    look(desk)
    assert desk.state_of(ref) == "approval"
    assert total(desk.bill_of(ref)) == money("9900.00")
    desk.answer("approval", "approve")
    look(desk)
    assert desk.state_of(ref) == "in_step"
    assert total(desk.bill_of(ref)) == money("11880.00")


def test_a_rejected_claim_waits_until_it_is_edited(desk: Desk) -> None:
    desk.set(flows__bill__mode="approve")
    ref = desk.claim("10000.00", invoice_number="INV-0101")
    look(desk)
    with pytest.raises(UseError):
        attending.reject(desk.service, desk.workspace, ref, "  ", "ann@example.test")
    attending.reject(desk.service, desk.workspace, ref, "wrong month", "ann@example.test")
    look(desk)
    assert desk.state_of(ref) == "waiting"
    assert desk.document(ref).note == "rejected"  # type: ignore[union-attr]
    assert desk.attention() == []
    entry = AuditEntry.objects.get(act="document.reject", subject=str(ref))
    assert (entry.actor, entry.facts["reason"]) == ("ann@example.test", "wrong month")
    look(desk, ref)
    assert desk.state_of(ref) == "waiting"
    edit(desk, ref, "11000.00")
    look(desk)
    assert desk.state_of(ref) == "approval"
    assert desk.bills() == []


def test_a_void_needs_a_yes_too(desk: Desk) -> None:
    desk.set(source_reopened="void")
    ref = desk.claim("10000.00", invoice_number="INV-0101")
    look(desk)
    desk.set(flows__bill__mode="approve")
    desk.procore.do("set_status", project_id=7, id=int(ref.id), status="draft")
    look(desk)
    assert desk.state_of(ref) == "approval"
    assert desk.bill_of(ref)["status"] == "AUTHORISED"
    desk.answer("approval", "approve")
    look(desk)
    assert desk.state_of(ref) == "withdrawn"
    assert desk.bills() == []


def test_a_claim_before_the_cut_over_leaves_no_trace(desk: Desk) -> None:
    desk.set(cut_over=date(2026, 7, 1))
    ref = desk.claim("10000.00", invoice_number="INV-0101", billing_date="2026-06-30")
    look(desk)
    look(desk, ref)
    assert desk.document(ref) is None
    assert desk.bills() == []
    assert desk.attention() == []


def test_a_claim_on_the_day_of_the_cut_over_goes(desk: Desk) -> None:
    desk.set(cut_over=date(2026, 7, 1))
    ref = desk.claim("10000.00", invoice_number="INV-0101", billing_date="2026-07-01")
    look(desk)
    assert desk.state_of(ref) == "in_step"
    desk.set(cut_over=date(2026, 8, 1))  # moved later, it does not disown what was posted
    look(desk, ref)
    assert desk.state_of(ref) == "in_step"
    assert len(desk.bills()) == 1


def test_a_held_claim_is_dropped_when_the_cut_over_moves_past_it(desk: Desk) -> None:
    desk.set(retention__payable__account=None)
    ref = desk.claim("10000.00", invoice_number="INV-0101", billing_date="2026-07-15")
    look(desk)
    assert desk.state_of(ref) == "held"
    desk.set(cut_over=date(2026, 8, 1))
    look(desk)
    assert desk.document(ref) is None
    assert desk.attention() == []
