"""A claim edited while its bill is unpaid: the same bill is amended, the bookkeeper's work kept."""

from datetime import timedelta
from typing import Any

import pytest

from onecore.domain.refs import SourceRef
from tests.desk import Desk, money
from tests.engine.changing import (
    add_line,
    amounts,
    choices,
    detail,
    edit,
    figures,
    later,
    line,
    look,
    quiet,
    save_lines,
    take_line,
    today,
    total,
    writes,
)


def posted(desk: Desk, *work: str) -> SourceRef:
    ref = desk.claim(*work, invoice_number="INV-0101")
    look(desk)
    assert desk.state_of(ref) == "in_step"
    return ref


def test_an_edited_line_amends_the_same_bill_with_its_own_line_ids(desk: Desk) -> None:
    ref = posted(desk, "10000.00", "50000.00", "40000.00")
    before = desk.bill_of(ref)
    assert total(before) == money("99000.00")
    edit(desk, ref, None, "52000.00")
    desk.xero.forget_requests()
    look(desk)
    after = desk.bill_of(ref)
    assert after["id"] == before["id"]
    assert [x["id"] for x in after["lines"]] == [x["id"] for x in before["lines"]]
    assert amounts(after) == [money(x) for x in ("10000.00", "52000.00", "40000.00", "-10200.00")]
    assert total(after) == money("100980.00")
    assert writes(desk) == ["POST"]
    assert len(desk.bills()) == 1
    assert desk.state_of(ref) == "in_step"
    quiet(desk, ref)


def test_lines_come_and_go_with_the_claim(desk: Desk) -> None:
    ref = posted(desk, "10000.00", "50000.00")
    before = desk.bill_of(ref)
    assert len(before["lines"]) == 3
    edit(desk, ref, "0.00", "50000.00", "7000.00")
    look(desk)
    after = desk.bill_of(ref)
    kept = {x["id"] for x in before["lines"]} & {x["id"] for x in after["lines"]}
    assert len(kept) == 2  # the line that stays, and retention
    assert sorted(amounts(after)) == [money("-5700.00"), money("7000.00"), money("50000.00")]
    assert total(after) == money("56430.00")
    quiet(desk, ref)
    edit(desk, ref, "1000.00", "0.00", "7000.00")
    look(desk)
    again = desk.bill_of(ref)
    assert sorted(amounts(again)) == [money("-800.00"), money("1000.00"), money("7000.00")]
    assert total(again) == money("7920.00")
    assert desk.state_of(ref) == "in_step"


@pytest.mark.parametrize(
    ("change", "field", "value"),
    [
        ({"account": "319"}, "account_code", "319"),
        ({"tax_type": "EXEMPTEXPENSES"}, "tax_type", "EXEMPTEXPENSES"),
        ({"description": "Slab, as agreed on site"}, "description", "Slab, as agreed on site"),
        ({"tracking": []}, "tracking", []),
    ],
    ids=["account", "tax", "wording", "tracking"],
)
def test_a_bookkeepers_recoding_survives_the_next_edit(
    desk: Desk, change: dict[str, object], field: str, value: object
) -> None:
    ref = posted(desk, "10000.00", "50000.00", "40000.00")
    bill = desk.bill_of(ref)
    recoded = bill["lines"][1]["id"]
    if "account" in change:
        desk.xero.do("new_account", code="319", name="Concrete supply", type="DIRECTCOSTS")
    desk.xero.do("edit_line", invoice_id=bill["id"], line_item_id=recoded, **change)
    look(desk, ref)
    assert desk.state_of(ref) == "in_step", detail(desk, "drifted")
    for work in ("52000.00", "54000.00"):  # the second edit meets what the first one left
        edit(desk, ref, None, work)
        look(desk)
        after = next(x for x in desk.bill_of(ref)["lines"] if x["id"] == recoded)
        assert after[field] == value
        assert money(after["amount"]) == money(work)
        assert desk.state_of(ref) == "in_step"
    tax_free = field == "tax_type"
    retained = money("-10400.00")
    whole = desk.bill_of(ref)
    assert money(whole["sub_total"]) == money("104000.00") + retained
    taxed = money("45000.00") if tax_free else money("93600.00")
    assert money(whole["total_tax"]) == taxed / 10
    quiet(desk, ref)


def test_a_line_made_tax_free_splits_the_retention_by_tax_type(desk: Desk) -> None:
    ref = posted(desk, "10000.00", "50000.00", "40000.00")
    bill = desk.bill_of(ref)
    free = bill["lines"][1]
    desk.xero.do(
        "edit_line", invoice_id=bill["id"], line_item_id=free["id"], tax_type="EXEMPTEXPENSES"
    )
    look(desk, ref)
    after = desk.bill_of(ref)
    held = sorted((x["tax_type"], money(x["amount"])) for x in after["lines"][3:])
    assert held == [("EXEMPTEXPENSES", money("-5000.00")), ("INPUT", money("-5000.00"))]
    assert money(after["total_tax"]) == money("4500.00")
    assert total(after) == money("94500.00")
    assert desk.state_of(ref) == "in_step"
    quiet(desk, ref)


def test_a_due_date_changed_in_xero_after_approval_survives(desk: Desk) -> None:
    ref = posted(desk, "10000.00")
    bill = desk.bill_of(ref)
    wished = (today(desk) + timedelta(days=45)).isoformat()
    desk.xero.do("edit_invoice", invoice_id=bill["id"], due_date=wished)
    look(desk, ref)
    assert desk.state_of(ref) == "in_step"
    edit(desk, ref, "12000.00", billing_date=(today(desk) - timedelta(days=3)).isoformat())
    look(desk)
    after = desk.bill_of(ref)
    assert after["due_date"] == wished
    assert after["date"] == (today(desk) - timedelta(days=3)).isoformat()
    assert total(after) == money("11880.00")
    quiet(desk, ref)


def test_a_due_date_nobody_changed_follows_the_claim(desk: Desk) -> None:
    ref = posted(desk, "10000.00")
    dated = today(desk) - timedelta(days=3)
    edit(desk, ref, billing_date=dated.isoformat())
    look(desk)
    after = desk.bill_of(ref)
    assert after["date"] == dated.isoformat()
    assert after["due_date"] == (dated + timedelta(days=30)).isoformat()


def test_a_due_date_changed_on_a_draft_is_drift_until_somebody_approves_it(desk: Desk) -> None:
    desk.set(flows__bill__status="DRAFT")
    ref = posted(desk, "10000.00")
    bill = desk.bill_of(ref)
    assert bill["status"] == "DRAFT"
    wished = (today(desk) + timedelta(days=45)).isoformat()
    desk.xero.do("edit_invoice", invoice_id=bill["id"], due_date=wished)
    look(desk, ref)
    assert desk.state_of(ref) == "drifted"
    desk.xero.do("approve", invoice_id=bill["id"])
    look(desk, ref)
    assert desk.state_of(ref) == "in_step"
    assert desk.bill_of(ref)["due_date"] == wished


def test_a_number_changed_in_procore_is_changed_on_the_bill(desk: Desk) -> None:
    ref = posted(desk, "10000.00")
    edit(desk, ref, invoice_number="INV-0102")
    look(desk)
    assert desk.bill_of(ref)["number"] == "INV-0102"
    assert len(desk.bills()) == 1


def test_an_amendment_keeps_what_people_moved_on_in_xero(desk: Desk) -> None:
    desk.set(flows__bill__status="DRAFT")
    ref = posted(desk, "10000.00")
    desk.xero.do("approve", invoice_id=desk.bill_of(ref)["id"])
    edit(desk, ref, "11000.00")
    look(desk)
    assert desk.bill_of(ref)["status"] == "AUTHORISED"
    assert total(desk.bill_of(ref)) == money("10890.00")


def test_a_supplier_cent_typed_on_a_line_stays_when_another_line_moves(desk: Desk) -> None:
    ref = posted(desk, "1000.05", "2000.15")
    bill = desk.bill_of(ref)
    first = bill["lines"][0]
    type_tax(desk, bill, first["id"], "100.00")
    edit(desk, ref, None, "2100.15")
    look(desk)
    after = desk.bill_of(ref)
    assert money(after["lines"][0]["tax"]) == money("100.00")
    assert amounts(after)[:2] == [money("1000.05"), money("2100.15")]


def type_tax(desk: Desk, bill: dict[str, Any], line_id: str, tax: str) -> None:
    lines = [
        {"LineItemID": x["id"], **({"TaxAmount": tax} if x["id"] == line_id else {})}
        for x in bill["lines"]
    ]
    save_lines(desk, bill, lines)


# --- drift ------------------------------------------------------------------------------------


def test_an_amount_changed_in_xero_is_shown_and_restored(desk: Desk) -> None:
    ref = posted(desk, "10000.00", "50000.00", "40000.00")
    bill = desk.bill_of(ref)
    desk.xero.do(
        "edit_line", invoice_id=bill["id"], line_item_id=bill["lines"][1]["id"], amount="51000"
    )
    look(desk, ref)
    assert desk.state_of(ref) == "drifted"
    assert "wanted 50000, in Xero 51000" in detail(desk, "drifted")
    assert choices(desk, "drifted") == ["restore", "accept"]
    desk.answer("drifted", "restore")
    look(desk)
    assert amounts(desk.bill_of(ref))[1] == money("50000.00")
    assert desk.state_of(ref) == "in_step"
    assert desk.attention() == []
    # the same hand at the same place again is a new question, not an endless tug
    desk.xero.do(
        "edit_line", invoice_id=bill["id"], line_item_id=bill["lines"][1]["id"], amount="51000"
    )
    look(desk, ref)
    assert desk.state_of(ref) == "drifted"


def test_an_answer_given_to_what_was_shown_does_not_hold_for_what_came_after(desk: Desk) -> None:
    ref = posted(desk, "10000.00", "50000.00")
    bill = desk.bill_of(ref)
    second = bill["lines"][1]["id"]
    desk.xero.do("edit_line", invoice_id=bill["id"], line_item_id=second, amount="51000")
    look(desk, ref)
    desk.xero.do("edit_line", invoice_id=bill["id"], line_item_id=second, amount="15000")
    desk.answer("drifted", "accept")
    look(desk)
    assert desk.state_of(ref) == "drifted"
    assert "wanted 50000, in Xero 15000" in detail(desk, "drifted")


def test_a_change_of_the_policy_settles_what_had_drifted(desk: Desk) -> None:
    ref = posted(desk, "10000.00")
    desk.xero.do("edit_invoice", invoice_id=desk.bill_of(ref)["id"], number="TYPO-1")
    look(desk, ref)
    assert desk.state_of(ref) == "drifted"
    desk.set(drift="restore")
    look(desk)
    assert desk.state_of(ref) == "in_step"
    assert desk.bill_of(ref)["number"] == "INV-0101"


def test_the_same_change_made_on_both_sides_is_nobodys_drift(desk: Desk) -> None:
    ref = posted(desk, "10000.00", "50000.00")
    bill = desk.bill_of(ref)
    ids = [x["id"] for x in bill["lines"]]
    edit(desk, ref, None, "51000.00")
    for id_, amount in ((ids[1], "51000"), (ids[2], "-6100")):
        desk.xero.do("edit_line", invoice_id=bill["id"], line_item_id=id_, amount=amount)
    desk.xero.forget_requests()
    look(desk)
    assert desk.state_of(ref) == "in_step"
    assert writes(desk) == []
    edit(desk, ref, None, "50000.00")  # and back again: Procore's word
    look(desk)
    assert desk.state_of(ref) == "in_step"
    assert amounts(desk.bill_of(ref)) == amounts(bill)


def test_an_accepted_amount_stays_until_procore_changes_that_line(desk: Desk) -> None:
    ref = posted(desk, "10000.00", "50000.00", "40000.00")
    bill = desk.bill_of(ref)
    desk.xero.do(
        "edit_line", invoice_id=bill["id"], line_item_id=bill["lines"][1]["id"], amount="51000"
    )
    look(desk, ref)
    desk.answer("drifted", "accept")
    look(desk)
    assert desk.state_of(ref) == "in_step"
    quiet(desk, ref)
    edit(desk, ref, "11000.00")  # another line: the accepted one stays
    look(desk)
    assert amounts(desk.bill_of(ref)) == [
        money(x) for x in ("11000.00", "51000.00", "40000.00", "-10100.00")
    ]
    assert desk.state_of(ref) == "in_step"
    edit(desk, ref, None, "52000.00")  # the line itself: Procore's word holds again
    look(desk)
    assert amounts(desk.bill_of(ref))[1] == money("52000.00")
    assert desk.state_of(ref) == "in_step"


def test_accepting_a_drift_does_not_swallow_what_procore_changed_meanwhile(desk: Desk) -> None:
    ref = posted(desk, "10000.00", "50000.00", "40000.00")
    bill = desk.bill_of(ref)
    desk.xero.do(
        "edit_line", invoice_id=bill["id"], line_item_id=bill["lines"][1]["id"], amount="51000"
    )
    edit(desk, ref, "12000.00")
    look(desk)
    assert desk.state_of(ref) == "drifted"
    desk.answer("drifted", "accept")
    look(desk)
    assert amounts(desk.bill_of(ref)) == [
        money(x) for x in ("12000.00", "51000.00", "40000.00", "-10200.00")
    ]
    assert desk.state_of(ref) == "in_step"
    quiet(desk, ref)


@pytest.mark.parametrize(("policy", "there"), [("restore", "50000.00"), ("accept", "51000.00")])
def test_drift_by_policy_asks_nobody(desk: Desk, policy: str, there: str) -> None:
    desk.set(drift=policy)
    ref = posted(desk, "10000.00", "50000.00", "40000.00")
    bill = desk.bill_of(ref)
    desk.xero.do(
        "edit_line", invoice_id=bill["id"], line_item_id=bill["lines"][1]["id"], amount="51000"
    )
    look(desk, ref)
    assert desk.state_of(ref) == "in_step"
    assert desk.attention() == []
    assert amounts(desk.bill_of(ref))[1] == money(there)
    quiet(desk, ref)


def test_another_contact_in_xero_is_drift_by_name(desk: Desk) -> None:
    ref = posted(desk, "10000.00")
    bill = desk.bill_of(ref)
    other = desk.xero.do("new_contact", name="Somebody Else Pty Ltd")
    desk.xero.do("edit_invoice", invoice_id=bill["id"], contact_id=other["ContactID"])
    look(desk, ref)
    assert desk.state_of(ref) == "drifted"
    assert "wanted Smith Brothers Concreting" in detail(desk, "drifted")
    desk.answer("drifted", "restore")
    look(desk)
    assert desk.bill_of(ref)["contact_id"] == bill["contact_id"]
    assert desk.state_of(ref) == "in_step"


def test_a_line_a_person_added_is_asked_about_and_stays_when_accepted(desk: Desk) -> None:
    ref = posted(desk, "10000.00", "50000.00")
    add_line(desk, desk.bill_of(ref), "Freight", "120.00", "429")
    look(desk, ref)
    assert desk.state_of(ref) == "drifted"
    desk.answer("drifted", "accept")
    look(desk)
    assert desk.state_of(ref) == "in_step"
    edit(desk, ref, "12000.00")
    look(desk)
    after = desk.bill_of(ref)
    assert money(line(after, "Freight")["amount"]) == money("120.00")
    assert total(after) == money("61512.00")  # 62,000 less 6,200 and freight 120, all taxed
    assert desk.state_of(ref) == "in_step"
    quiet(desk, ref)


def test_a_line_a_person_added_is_taken_out_when_restored(desk: Desk) -> None:
    ref = posted(desk, "10000.00", "50000.00")
    add_line(desk, desk.bill_of(ref), "Freight", "120.00", "429")
    look(desk, ref)
    desk.answer("drifted", "restore")
    look(desk)
    after = desk.bill_of(ref)
    assert figures(after) == [
        ("310", money("10000.00"), "INPUT"),
        ("310", money("50000.00"), "INPUT"),
        ("820R", money("-6000.00"), "INPUT"),
    ]
    assert desk.state_of(ref) == "in_step"


@pytest.mark.parametrize(("choice", "lines"), [("restore", 3), ("accept", 2)])
def test_a_line_a_person_took_away(desk: Desk, choice: str, lines: int) -> None:
    ref = posted(desk, "10000.00", "50000.00")
    take_line(desk, desk.bill_of(ref), "Concrete")
    look(desk, ref)
    assert desk.state_of(ref) == "drifted"
    desk.answer("drifted", choice)
    look(desk)
    assert len(desk.bill_of(ref)["lines"]) == lines
    assert desk.state_of(ref) == "in_step"
    edit(desk, ref, "12000.00")
    look(desk)
    assert len(desk.bill_of(ref)["lines"]) == lines
    assert desk.state_of(ref) == "in_step"


def test_a_sweep_notices_what_changed_in_xero(desk: Desk) -> None:
    ref = posted(desk, "10000.00", "50000.00")
    desk.xero.do("edit_invoice", invoice_id=desk.bill_of(ref)["id"], number="TYPO-1")
    desk.clock.offset += timedelta(minutes=3)
    look(desk)
    assert desk.state_of(ref) == "drifted"
    assert "wanted INV-0101, in Xero TYPO-1" in detail(desk, "drifted")


@pytest.mark.parametrize("chosen", [False, True], ids=["default", "chosen"])
def test_a_line_the_mapping_moves_takes_the_new_accounts_tax_unless_somebody_chose(
    desk: Desk, chosen: bool
) -> None:
    ref = posted(desk, "10000.00", "50000.00")
    free = "EXEMPTEXPENSES"
    desk.xero.do("new_account", code="319", name="Steel", type="DIRECTCOSTS", tax_type=free)
    if chosen:
        bill = desk.bill_of(ref)
        desk.xero.do(
            "edit_line",
            invoice_id=bill["id"],
            line_item_id=bill["lines"][0]["id"],
            tax_type="BASEXCLUDED",
        )
        look(desk, ref)
    later(desk, hours=7)  # the chart of accounts is read again
    rules = [{"cost_code": "01-100", "expense": "319"}, {"cost_code": "*", "expense": "310"}]
    desk.set(codes=rules)
    edit(desk, ref, None, "51000.00")
    look(desk)
    kind = "BASEXCLUDED" if chosen else free
    after = desk.bill_of(ref)
    assert figures(after)[:2] == [
        ("319", money("10000.00"), kind),
        ("310", money("51000.00"), "INPUT"),
    ]
    held = {(x["tax_type"], money(x["amount"])) for x in after["lines"][2:]}
    assert held == {(kind, money("-1000.00")), ("INPUT", money("-5100.00"))}
    assert total(after) == money("9000.00") + money("50490.00")
    assert desk.state_of(ref) == "in_step"
    quiet(desk, ref)
