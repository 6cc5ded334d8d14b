"""What a claim comes to in Xero, to the cent: retention, tracking, status, numbers, due dates."""

from datetime import date, timedelta
from typing import Any

import pytest

from onecore.engine.use import looking
from tests.desk import Desk, money
from tests.engine.changing import (
    amounts,
    detail,
    edit,
    figures,
    later,
    look,
    quiet,
    today,
    total,
)

FREE = "EXEMPTEXPENSES"


def posted(desk: Desk, *work: str, **more: Any) -> dict[str, Any]:
    ref = desk.claim(*work, **{"invoice_number": "INV-0101", **more})
    look(desk)
    assert desk.state_of(ref) == "in_step", desk.causes()
    return desk.bill_of(ref)


def rows(*said: tuple[str, str, str]) -> list[tuple[str, object, str]]:
    return [(account, money(amount), tax) for account, amount, tax in said]


def two_rates(desk: Desk) -> None:
    """Steel (05-100) goes to an account whose purchases are free of tax."""
    desk.xero.do("new_account", code="319", name="Steel", type="DIRECTCOSTS", tax_type=FREE)
    desk.set(
        codes=[{"cost_code": "05-100", "expense": "319"}, {"cost_code": "*", "expense": "310"}]
    )
    desk.sync()
    ctx = desk.service.run(desk.service.context(desk.workspace))
    desk.service.run(ctx.books[desk.organisation].lists.accounts(timedelta(0)))


# --- retention --------------------------------------------------------------------------------


def test_the_method_net_posts_each_line_at_work_less_retention(desk: Desk) -> None:
    desk.set(retention__payable__method="net")
    bill = posted(desk, "10000.00", "50000.00", "40000.00")
    assert figures(bill) == rows(
        ("310", "9000.00", "INPUT"), ("310", "45000.00", "INPUT"), ("310", "36000.00", "INPUT")
    )
    assert (money(bill["total_tax"]), total(bill)) == (money("9000.00"), money("99000.00"))


@pytest.mark.parametrize(
    ("lines", "held"),
    [
        ("one", [("820R", "-6000.00", "INPUT"), ("820R", "-4000.00", FREE)]),
        ("tax", [("820R", "-6000.00", "INPUT"), ("820R", "-4000.00", FREE)]),
        (
            "line",
            [("820R", "-1000.00", "INPUT"), ("820R", "-5000.00", "INPUT"),
             ("820R", "-4000.00", FREE)],
        ),
    ],
)  # fmt: skip
def test_the_method_line_by_tax_type_or_by_work_line(
    desk: Desk, lines: str, held: list[tuple[str, str, str]]
) -> None:
    two_rates(desk)
    desk.set(retention__payable__lines=lines)
    bill = posted(desk, "10000.00", "50000.00", "40000.00")
    assert figures(bill)[:3] == rows(
        ("310", "10000.00", "INPUT"), ("310", "50000.00", "INPUT"), ("319", "40000.00", FREE)
    )
    assert figures(bill)[3:] == rows(*held)
    assert (money(bill["total_tax"]), total(bill)) == (money("5400.00"), money("95400.00"))


def test_retention_untaxed_by_choice(desk: Desk) -> None:
    desk.set(retention__payable__tax="none")
    bill = posted(desk, "100000.00")
    assert figures(bill)[-1:] == rows(("820R", "-10000.00", "BASEXCLUDED"))
    assert total(bill) == money("100000.00")


def test_a_release_alone_and_a_release_beside_work(desk: Desk) -> None:
    bill = posted(desk, "10000.00", "50000.00")
    assert total(bill) == money("59400.00")
    first, second, _ = desk.contract_lines()
    release = desk.claim(lines=[{"line_id": second, "work_released": "2500.00"}],
                         invoice_number="INV-0102")  # fmt: skip
    look(desk)
    assert figures(desk.bill_of(release)) == rows(("820R", "2500.00", "INPUT"))
    assert total(desk.bill_of(release)) == money("2750.00")
    both = desk.claim(
        lines=[
            {"line_id": first, "work": "5000.00"},
            {"line_id": second, "work_released": "2500.00"},
        ],
        invoice_number="INV-0103",
    )
    look(desk)
    assert figures(desk.bill_of(both)) == rows(
        ("310", "5000.00", "INPUT"), ("820R", "2000.00", "INPUT")
    )
    assert desk.state_of(both) == "in_step"
    edit(desk, both, "6000.00")
    look(desk)
    assert amounts(desk.bill_of(both)) == [money("6000.00"), money("1900.00")]
    assert total(desk.bill_of(both)) == money("8690.00")


def test_released_money_can_have_an_account_of_its_own(desk: Desk) -> None:
    desk.xero.do("new_account", code="821R", name="Retention released", type="CURRLIAB")
    desk.set(retention__payable__released_account="821R")
    posted(desk, "10000.00", "50000.00")
    first, second, _ = desk.contract_lines()
    ref = desk.claim(
        lines=[
            {"line_id": first, "work": "5000.00"},
            {"line_id": second, "work_released": "2500.00"},
        ],
        invoice_number="INV-0102",
    )
    look(desk)
    assert figures(desk.bill_of(ref)) == rows(
        ("310", "5000.00", "INPUT"), ("820R", "-500.00", "INPUT"), ("821R", "2500.00", "INPUT")
    )
    assert total(desk.bill_of(ref)) == money("7700.00")


def test_a_zero_claim_is_in_step_without_a_bill(desk: Desk) -> None:
    ref = desk.claim("0.00", invoice_number="INV-0101")
    look(desk)
    assert desk.state_of(ref) == "in_step"
    assert desk.document(ref).note == "no_movement"  # type: ignore[union-attr]
    assert desk.bills() == []
    edit(desk, ref, "1000.00")
    look(desk)
    assert total(desk.bill_of(ref)) == money("990.00")


@pytest.mark.parametrize("method", ["line", "net"])
def test_a_claim_wholly_retained(desk: Desk, method: str) -> None:
    desk.set(retention__payable__method=method)
    line = desk.contract_lines()[0]
    ref = desk.claim(
        lines=[{"line_id": line, "work": "1000.00", "work_retained_entered": "1000.00"}],
        invoice_number="INV-0101",
    )
    look(desk)
    assert desk.state_of(ref) == "in_step"
    if method == "net":
        assert desk.document(ref).note == "all_retained"  # type: ignore[union-attr]
        assert desk.bills() == []
    else:
        bill = desk.bill_of(ref)
        assert amounts(bill) == [money("1000.00"), money("-1000.00")]
        assert total(bill) == money("0.00")


def test_a_claim_below_zero_is_held_with_the_reason(desk: Desk) -> None:
    posted(desk, "10000.00")
    ref = desk.claim("-5000.00", invoice_number="INV-0102")
    look(desk)
    assert desk.state_of(ref) == "held"
    assert desk.causes() == ["negative_total"]
    told = detail(desk, "negative_total")
    assert "-4,500.00" in told
    assert "credit note" in told
    assert len(desk.bills()) == 1


def test_stored_materials_and_their_retention(desk: Desk) -> None:
    line = desk.contract_lines()[1]
    bill = posted(desk, lines=[{"line_id": line, "work": "0", "new_materials": "8000.00"}])
    assert amounts(bill) == [money("8000.00"), money("-800.00")]
    ref = desk.claim(
        lines=[{"line_id": line, "work": "2000.00", "materials_moved": "8000.00"}],
        invoice_number="INV-0102",
    )
    look(desk)
    assert amounts(desk.bill_of(ref)) == [money("2000.00"), money("-200.00")]


# --- the sum check ----------------------------------------------------------------------------


def test_the_detail_page_is_read_only_when_the_list_does_not_add_up(desk: Desk) -> None:
    posted(desk, "10000.00", "50000.00")
    assert desk.procore.requests("/detail") == []
    desk.procore.switch(item_retainage_incomplete=True)
    first, second, _ = desk.contract_lines()
    ref = desk.claim(
        lines=[
            {"line_id": first, "work": "5000.00"},
            {"line_id": second, "work": "0", "new_materials": "3000.00", "work_released": "2500"},
        ],
        invoice_number="INV-0102",
    )
    look(desk)
    assert len(desk.procore.requests("/detail")) >= 1
    assert desk.state_of(ref) == "in_step"
    assert amounts(desk.bill_of(ref)) == [money("5000.00"), money("3000.00"), money("1700.00")]
    assert total(desk.bill_of(ref)) == money("10670.00")


def test_a_claim_that_adds_up_nowhere_is_held_with_the_arithmetic(desk: Desk) -> None:
    posted(desk, "10000.00", "50000.00")
    desk.procore.switch(item_retainage_incomplete=True)
    desk.procore.fault("status", path="/detail", status=200, body="[]", times=0)
    ref = desk.claim(
        lines=[{"line_id": desk.contract_lines()[0], "work": "5000.00", "work_released": "700.00"}],
        invoice_number="INV-0102",
    )
    look(desk)
    assert desk.state_of(ref) == "held"
    assert desk.causes() == ["amounts_differ"]
    told = detail(desk, "amounts_differ")
    assert "5,000.00 of work and materials" in told
    assert "less 500.00 moved into retention, which is 4,500.00" in told
    assert "5,200.00 is due: a difference of 700.00" in told
    assert len(desk.bills()) == 1
    desk.procore.no_faults()
    desk.answer("amounts_differ", "look_again")
    look(desk)
    assert desk.state_of(ref) == "in_step"
    assert total(desk.bill_of(ref)) == money("5720.00")


# --- tracking ---------------------------------------------------------------------------------


def options(desk: Desk, bill: dict[str, Any]) -> list[list[str]]:
    names = {
        option["id"]: option["name"]
        for organisation in desk.xero.state()["organisations"].values()
        for category in organisation["categories"].values()
        for option in category["options"]
    }
    return [[names[t["option_id"]] for t in line["tracking"]] for line in bill["lines"]]


SECOND = {"category": "Cost Types", "source": "cost_type"}


def test_two_categories_the_second_by_cost_type(desk: Desk) -> None:
    desk.set(tracking={"project": "Projects", "second": SECOND})
    desk.set(cost_types=[{"line_item_type_id": 5, "option": "Subcontract"}])
    bill = posted(desk, "10000.00", "50000.00")
    assert options(desk, bill) == [
        ["P-007 Riverside", "Subcontract"],
        ["P-007 Riverside", "Subcontract"],
        ["P-007 Riverside"],
    ]


def test_one_category_and_none(desk: Desk) -> None:
    bill = posted(desk, "10000.00")
    assert options(desk, bill) == [["P-007 Riverside"], ["P-007 Riverside"]]
    desk.set(tracking={"project": None, "second": None})
    ref = desk.claim("5000.00", invoice_number="INV-0102")
    look(desk)
    assert options(desk, desk.bill_of(ref)) == [[], []]


def test_a_missing_option_is_a_gap_that_names_it(desk: Desk) -> None:
    desk.set(tracking={"project": "Projects", "second": SECOND})
    desk.set(cost_types=[{"line_item_type_id": 5, "option": "Subcontractors"}])
    ref = desk.claim("10000.00", invoice_number="INV-0101")
    look(desk)
    assert desk.causes() == ["second_option_missing"]
    assert "Subcontractors" in detail(desk, "second_option_missing")
    desk.xero.do("new_option", category="Cost Types", name="Subcontractors")
    later(desk, minutes=50)  # looked at again by itself, with lists read afresh
    look(desk)
    assert desk.state_of(ref) == "in_step"
    assert options(desk, desk.bill_of(ref))[0] == ["P-007 Riverside", "Subcontractors"]


# --- status, numbers, dates -------------------------------------------------------------------


@pytest.mark.parametrize("word", ["DRAFT", "SUBMITTED", "AUTHORISED"])
def test_the_status_by_setting(desk: Desk, word: str) -> None:
    desk.set(flows__bill__status=word)
    bill = posted(desk, "10000.00")
    assert bill["status"] == word
    assert total(bill) == money("9900.00")


@pytest.mark.parametrize(
    ("rule", "invoice", "number"),
    [
        ("supplier", "INV-0101", "INV-0101"),
        ("supplier", None, "SC-007-001-1"),
        ("commitment_claim", "INV-0101", "SC-007-001-1"),
        ({"rcti": {"prefix": "RCTI-"}}, "INV-0101", "RCTI-SC-007-001-1"),
    ],
)
def test_the_number_by_setting(desk: Desk, rule: object, invoice: str | None, number: str) -> None:
    desk.set(flows__bill__number=rule)
    bill = posted(desk, "10000.00", invoice_number=invoice)
    assert bill["number"] == number


def test_a_contract_made_moments_before_its_claim_is_known_by_its_number(desk: Desk) -> None:
    """The list of contracts was read a moment ago, and before this one was there."""
    desk.set(flows__bill__number="commitment_claim")
    posted(desk, "10000.00")
    desk.procore.advance(timedelta(minutes=2))  # its clock is ours now, and the claim is new
    contract = desk.procore.do(
        "new_commitment",
        project_id=7,
        vendor_id=12,
        number="SC-NEW",
        retainage_percent="10",
        lines=[{"amount": "5000.00", "cost_code": "03-300"}],
    )
    line = {"line_id": contract["line_ids"][0], "work": "500.00"}
    ref = desk.claim(commitment_id=contract["id"], lines=[line])
    desk.sync(ref)
    bill = desk.bill_of(ref)
    assert bill["number"] == "SC-NEW-1"
    assert "SC-NEW" in bill["lines"][-1]["description"]


DUE: list[tuple[dict[str, object], date]] = [
    ({"days_after_bill": 14}, date(2026, 10, 4)),
    ({"days_after_month_end": 20}, date(2026, 10, 20)),
    ({"day_of_month": 31}, date(2026, 9, 30)),
    ({"day_of_following_month": 20}, date(2026, 10, 20)),
    ({"contact_terms": True, "else": {"days_after_bill": 7}}, date(2026, 9, 27)),
    ({"business_days_after": 20, "from": "bill", "region": "AU-NSW"}, date(2026, 10, 19)),
]


@pytest.mark.parametrize(("rule", "due"), DUE, ids=[next(iter(rule)) for rule, _ in DUE])
def test_the_due_date_by_setting(desk: Desk, rule: object, due: date) -> None:
    desk.set(flows__bill__due_date=rule)
    bill = posted(desk, "10000.00", billing_date="2026-09-20")
    assert bill["due_date"] == due.isoformat()


def test_a_bill_dated_by_the_end_of_its_period(desk: Desk) -> None:
    desk.set(flows__bill__date="period_end")
    bill = posted(desk, "10000.00", requisition_end="2026-09-30", billing_date="2026-10-02")
    assert bill["date"] == "2026-09-30"


def test_a_bill_dated_by_the_approval(desk: Desk) -> None:
    desk.set(flows__bill__date="approved")
    bill = posted(desk, "10000.00", billing_date="2026-09-02")
    assert abs(date.fromisoformat(bill["date"]) - today(desk)) <= timedelta(days=1)


def test_approved_as_noted_goes_where_the_settings_say_so(desk: Desk) -> None:
    ref = desk.claim("10000.00", invoice_number="INV-0101", status="approved_as_noted")
    look(desk)
    assert desk.document(ref) is None
    desk.set(flows__bill__post_statuses=["approved", "approved_as_noted"])
    look(desk)
    assert desk.state_of(ref) == "in_step"
    assert len(desk.bills()) == 1


def test_a_claim_under_review_is_left_alone_and_its_preview_says_why(desk: Desk) -> None:
    ref = desk.claim("10000.00", invoice_number="INV-0101", status="under_review")
    look(desk)
    assert desk.document(ref) is None
    shown = desk.service.run(looking.preview(desk.service, desk.workspace, ref))
    assert (shown.step, shown.explanation) == (
        "ignore",
        "The claim is not approved, so nothing is posted yet.",
    )


# --- the contact's tax default ----------------------------------------------------------------


@pytest.mark.parametrize("wins", [False, True])
def test_retention_gets_the_tax_type_xero_gave_the_work(desk: Desk, wins: bool) -> None:
    """Whose default wins is not documented, so what Xero made of the work lines is read back."""
    desk.xero.switch(contact_tax_default_wins=wins)
    for row in desk.xero.state()["organisations"].values():
        for id_ in row["contacts"]:
            desk.xero.do("edit_contact", contact_id=id_, payable_tax_type=FREE)
    ref = desk.claim("10000.00", "50000.00", "40000.00", invoice_number="INV-0101")
    look(desk)
    assert desk.state_of(ref) == "in_step"
    bill = desk.bill_of(ref)
    kind = FREE if wins else "INPUT"
    assert figures(bill) == rows(
        ("310", "10000.00", kind), ("310", "50000.00", kind), ("310", "40000.00", kind),
        ("820R", "-10000.00", kind),
    )  # fmt: skip
    assert total(bill) == money("90000.00") if wins else money("99000.00")
    assert len(desk.bills(include_gone=True)) == 1
    quiet(desk, ref)
    edit(desk, ref, "11000.00")
    look(desk)
    assert figures(desk.bill_of(ref))[-1] == ("820R", money("-10100.00"), kind)
    assert desk.state_of(ref) == "in_step"


@pytest.mark.parametrize("tax", ["same", "none"])
def test_a_tax_override_reaches_work_and_retention(desk: Desk, tax: str) -> None:
    desk.set(retention__payable__tax=tax)
    desk.set(tax_overrides=[{"account": "310", "tax_type": FREE}])
    bill = posted(desk, "10000.00")
    held = FREE if tax == "same" else "BASEXCLUDED"
    assert figures(bill) == rows(("310", "10000.00", FREE), ("820R", "-1000.00", held))
    assert total(bill) == money("9000.00")
