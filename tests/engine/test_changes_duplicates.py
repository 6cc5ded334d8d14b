"""Before a bill is made: one that is there already, ours by its mark or a likeness of it."""

from datetime import timedelta
from typing import Any

import pytest

from onecore.domain.refs import SourceRef
from onecore.engine.use import looking
from onecore.store.models import Document, Link
from tests.desk import Desk, money
from tests.engine.changing import (
    amounts,
    choices,
    detail,
    edit,
    figures,
    later,
    look,
    quiet,
    today,
    total,
    writes,
)

CONCRETER = 12


def contact(desk: Desk, vendor: int = CONCRETER) -> str:
    ctx = desk.service.run(desk.service.context(desk.workspace))
    rows = ctx.settings(None, None, None).vendors
    return str(next(row.contact for row in rows if row.vendor == vendor))


def typed(desk: Desk, number: str, *lines: str, days: int = 0, **more: Any) -> dict[str, Any]:
    """A bill somebody typed in, coded to 310; dated `days` before today."""
    made = desk.xero.do(
        "new_bill",
        contact_id=more.pop("contact_id", None) or contact(desk),
        number=number,
        status=more.pop("status", "AUTHORISED"),
        date=(today(desk) - timedelta(days=days)).isoformat(),
        lines=[{"description": "Concrete works", "amount": x, "account": "310"} for x in lines],
        **more,
    )
    found: dict[str, Any] = desk.bill(made["InvoiceID"])
    return found


def claim(desk: Desk, *work: str, number: str = "INV-0123") -> SourceRef:
    return desk.claim(*(work or ("10000.00",)), invoice_number=number)


@pytest.mark.parametrize("number", ["INV-0123", "123", "inv 0123", "Inv#123"])
def test_the_same_number_however_written_is_a_question(desk: Desk, number: str) -> None:
    there = typed(desk, number, "1.00", days=200)
    ref = claim(desk)
    look(desk)
    assert desk.state_of(ref) == "ask"
    assert choices(desk, "duplicate") == ["adopt", "post_anyway", "ignore"]
    assert there["id"] in detail(desk, "duplicate")
    shown = desk.service.run(looking.preview(desk.service, desk.workspace, ref))
    assert shown.step == "ask"
    assert shown.posted is not None
    assert (str(shown.posted.id), shown.posted.number) == (there["id"], number)
    assert len(desk.bills()) == 1


@pytest.mark.parametrize(("days", "asked"), [(7, True), (8, False)])
def test_the_same_total_counts_within_the_window(desk: Desk, days: int, asked: bool) -> None:
    typed(desk, "X-77", "9000.00", days=days)  # 9,900.00 with tax, as the claim's bill
    ref = claim(desk)
    look(desk)
    assert desk.state_of(ref) == ("ask" if asked else "in_step")


def test_rules_switched_off_ask_nothing(desk: Desk) -> None:
    desk.set(duplicates={"number": False, "amount_window_days": 0})
    typed(desk, "INV-0123", "9000.00")
    ref = claim(desk)
    look(desk)
    assert desk.state_of(ref) == "in_step"
    assert len(desk.bills()) == 2


def test_another_contacts_bill_a_voided_one_and_one_linked_are_no_candidates(desk: Desk) -> None:
    typed(desk, "INV-0123", "9000.00", contact_id=contact(desk, 13))
    voided = typed(desk, "INV-0123", "9000.00")
    desk.xero.do("void", invoice_id=voided["id"])
    first = claim(desk)
    look(desk)
    assert desk.state_of(first) == "in_step"
    second = claim(desk, "0.00", "10000.00")  # the same number and total as our own first bill
    look(desk)
    assert desk.state_of(second) == "in_step"
    assert len(desk.bills()) == 3


def test_a_bill_adopted_for_one_claim_is_no_candidate_for_another(desk: Desk) -> None:
    there = typed(desk, "INV-0123", "9000.00")
    first = claim(desk)
    look(desk)
    desk.answer("duplicate", "adopt")
    look(desk)
    assert desk.bill_of(first)["id"] == there["id"]
    second = claim(desk, "0.00", "10000.00")
    look(desk)
    assert desk.state_of(second) == "in_step"
    assert len(desk.bills()) == 2


def test_adopting_a_bill_with_the_same_total_leaves_it_as_it_is(desk: Desk) -> None:
    there = typed(desk, "123", "9000.00")
    ref = claim(desk)
    look(desk)
    desk.answer("duplicate", "adopt")
    desk.xero.forget_requests()
    look(desk)
    assert desk.state_of(ref) == "in_step"
    assert desk.attention() == []
    assert writes(desk) == []
    assert desk.bill_of(ref) == there
    quiet(desk, ref)
    edit(desk, ref, "12000.00")  # from now on it follows the claim, whole
    look(desk)
    after = desk.bill_of(ref)
    assert after["id"] == there["id"]
    assert figures(after) == [
        ("310", money("12000.00"), "INPUT"),
        ("820R", money("-1200.00"), "INPUT"),
    ]
    assert total(after) == money("11880.00")
    assert len(desk.bills()) == 1
    assert desk.state_of(ref) == "in_step"
    quiet(desk, ref)


def test_adopting_a_bill_with_another_total_brings_it_to_procores_amounts(desk: Desk) -> None:
    there = typed(desk, "123", "8000.00")
    ref = claim(desk)
    look(desk)
    desk.answer("duplicate", "adopt")
    look(desk)
    after = desk.bill_of(ref)
    assert after["id"] == there["id"]
    assert amounts(after) == [money("10000.00"), money("-1000.00")]
    assert total(after) == money("9900.00")
    assert after["number"] == "INV-0123"
    assert after["url"].endswith("onecore=main.1")
    assert len(desk.bills()) == 1
    assert desk.state_of(ref) == "in_step"
    quiet(desk, ref)


def test_adopting_keeps_the_coding_of_lines_that_match(desk: Desk) -> None:
    made = desk.xero.do(
        "new_bill",
        contact_id=contact(desk),
        number="123",
        status="AUTHORISED",
        lines=[
            {"description": "Prelims", "amount": "10000.00", "account": "429"},
            {"description": "Concrete", "amount": "45000.00", "account": "310"},
        ],
    )
    ref = claim(desk, "10000.00", "50000.00")
    look(desk)
    desk.answer("duplicate", "adopt")
    look(desk)
    after = desk.bill_of(ref)
    assert after["id"] == made["InvoiceID"]
    assert figures(after) == [
        ("429", money("10000.00"), "INPUT"),
        ("310", money("50000.00"), "INPUT"),
        ("820R", money("-6000.00"), "INPUT"),
    ]
    assert desk.state_of(ref) == "in_step"


def test_adopting_a_paid_bill_with_another_total_asks_once_more(desk: Desk) -> None:
    there = typed(desk, "123", "8000.00")
    desk.xero.do("pay", invoice_id=there["id"])
    ref = claim(desk)
    look(desk)
    desk.answer("duplicate", "adopt")
    look(desk)
    assert desk.causes() == ["paid_bill_changed"]
    assert total(desk.bill(there["id"])) == money("8800.00")
    desk.answer("paid_bill_changed", "accept")
    look(desk)
    assert desk.state_of(ref) == "in_step"
    quiet(desk, ref)


def test_a_draft_somebody_typed_can_be_adopted_and_stays_a_draft(desk: Desk) -> None:
    there = typed(desk, "123", "8000.00", status="DRAFT")
    claim(desk)
    look(desk)
    desk.answer("duplicate", "adopt")
    look(desk)
    after = desk.bill(there["id"])
    assert (after["status"], total(after)) == ("DRAFT", money("9900.00"))


def test_posting_anyway_makes_a_second_bill_and_asks_no_more(desk: Desk) -> None:
    typed(desk, "INV-0123", "9000.00")
    ref = claim(desk)
    look(desk)
    desk.answer("duplicate", "post_anyway")
    look(desk)
    assert desk.state_of(ref) == "in_step"
    assert len(desk.bills()) == 2
    assert desk.attention() == []
    edit(desk, ref, "12000.00")
    look(desk)
    assert desk.state_of(ref) == "in_step"
    assert total(desk.bill_of(ref)) == money("11880.00")


def test_an_ignored_claim_is_left_alone(desk: Desk) -> None:
    typed(desk, "INV-0123", "9000.00")
    ref = claim(desk)
    look(desk)
    desk.answer("duplicate", "ignore")
    look(desk)
    assert desk.state_of(ref) == "withdrawn"
    assert desk.document(ref).note == "ignored"  # type: ignore[union-attr]
    assert desk.attention() == []
    edit(desk, ref, "12000.00")
    look(desk)
    assert desk.state_of(ref) == "withdrawn"
    assert len(desk.bills()) == 1


def test_a_likeness_that_is_voided_meanwhile_lets_the_claim_go(desk: Desk) -> None:
    there = typed(desk, "INV-0123", "9000.00")
    ref = claim(desk)
    look(desk)
    desk.xero.do("void", invoice_id=there["id"])
    desk.answer("duplicate", "post_anyway")
    look(desk)
    assert desk.state_of(ref) == "in_step"


# --- our own mark -----------------------------------------------------------------------------


@pytest.mark.parametrize("lost", ["links", "documents"])
def test_a_bill_whose_link_is_lost_is_found_by_its_mark(desk: Desk, lost: str) -> None:
    """As after a backup of ours was brought back that did not know the bill yet."""
    refs = [claim(desk, "10000.00", "50000.00"), claim(desk, "0.00", "7000.00", number="INV-0124")]
    look(desk)
    before = {ref: desk.bill_of(ref) for ref in refs}
    if lost == "links":
        Link.objects.all().delete()
    else:
        Document.objects.all().delete()
    desk.xero.forget_requests()
    look(desk, *refs)
    assert writes(desk) == []
    assert {ref: desk.bill_of(ref) for ref in refs} == before
    assert {desk.state_of(ref) for ref in refs} == {"in_step"}
    assert [link.version for ref in refs for link in desk.links(ref)] == [1, 1]
    edit(desk, refs[1], "0.00", "8000.00")
    look(desk)
    assert [x["id"] for x in desk.bill_of(refs[1])["lines"]] == [
        x["id"] for x in before[refs[1]]["lines"]
    ]
    assert total(desk.bill_of(refs[1])) == money("7920.00")
    assert len(desk.bills()) == 2


def test_a_recoding_survives_the_loss_of_the_link(desk: Desk) -> None:
    ref = claim(desk, "10000.00", "50000.00")
    look(desk)
    bill = desk.bill_of(ref)
    recoded = bill["lines"][0]["id"]
    desk.xero.do("edit_line", invoice_id=bill["id"], line_item_id=recoded, account="429")
    Link.objects.all().delete()
    look(desk, ref)
    assert desk.state_of(ref) == "in_step"
    edit(desk, ref, None, "51000.00")
    look(desk)
    after = desk.bill_of(ref)
    assert [x["account_code"] for x in after["lines"]] == ["429", "310", "820R"]
    assert total(after) == money("60390.00")


def test_what_differs_on_a_bill_found_by_its_mark_is_asked_about(desk: Desk) -> None:
    ref = claim(desk, "10000.00", "50000.00")
    look(desk)
    bill = desk.bill_of(ref)
    Link.objects.all().delete()
    edit(desk, ref, "12000.00")
    look(desk)
    assert desk.state_of(ref) == "drifted"
    assert total(desk.bill(bill["id"])) == total(bill)
    desk.answer("drifted", "restore")
    look(desk)
    after = desk.bill_of(ref)
    assert after["id"] == bill["id"]
    assert [x["id"] for x in after["lines"]] == [x["id"] for x in bill["lines"]]
    assert total(after) == money("61380.00")
    assert desk.state_of(ref) == "in_step"
    assert len(desk.bills()) == 1


def test_a_lost_link_of_a_second_version_finds_the_live_bill(desk: Desk) -> None:
    ref = claim(desk)
    look(desk)
    desk.xero.do("void", invoice_id=desk.bill_of(ref)["id"])
    look(desk, ref)
    desk.answer("voided_there", "post_again")
    look(desk)
    second = desk.bill_of(ref)
    Document.objects.all().delete()
    later(desk, minutes=3)
    look(desk, ref)
    assert desk.bill_of(ref)["id"] == second["id"]
    assert len(desk.bills()) == 1
    assert desk.state_of(ref) == "in_step"
    assert [link.version for link in desk.links(ref)] == [2]


def test_a_bill_of_ours_that_was_voided_is_not_made_again_because_its_link_is_lost(
    desk: Desk,
) -> None:
    ref = claim(desk)
    look(desk)
    desk.xero.do("void", invoice_id=desk.bill_of(ref)["id"])
    Document.objects.all().delete()
    later(desk, minutes=3)
    look(desk, ref)
    assert desk.state_of(ref) == "ask"
    assert desk.causes() == ["voided_there"]
    assert desk.bills() == []
    desk.answer("voided_there", "post_again")
    look(desk)
    assert desk.bill_of(ref)["url"].endswith("onecore=main.2")
    assert desk.state_of(ref) == "in_step"
