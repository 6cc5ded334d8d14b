"""Tracking, tax types, amendments and odd cents on a bill's lines; and what holds for any claim."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st
from tests.unit.domain.books import (
    CONTACT,
    LABOUR,
    LABOUR_OPTION,
    MATERIAL,
    MATERIAL_OPTION,
    ORGANISATION,
    PROJECT,
    PROJECTS,
    RIVERSIDE,
    TRACKED,
    account,
    accounts,
    amounts_of,
    bill,
    chart,
    claim,
    code,
    gaps,
    line,
    side,
)

from onecore.domain.chart import Category, Chart, Option
from onecore.domain.documents import Bill, PostedBill, PostedLine, RequisitionLine
from onecore.domain.gaps import Held
from onecore.domain.ids import (
    AccountCode,
    BillId,
    BillLineId,
    CategoryId,
    ContactId,
    OptionId,
    OrganisationId,
    ProjectId,
    TaxType,
)
from onecore.domain.money import ZERO, Currency, rounded
from onecore.domain.settings import (
    BillFlow,
    CostTypeRow,
    Policies,
    SecondTracking,
    TaxOverride,
    TrackingSettings,
    Uncoded,
)
from onecore.domain.tax import journal, predicted_totals, types_read
from onecore.domain.translate.bill import NothingDue, bill_from

WORK = line("1000", retained="100")


def options(made: Bill) -> dict[str, list[OptionId]]:
    return {x.key: [t.option for t in x.tracking] for x in made.lines}


# --- tracking ----------------------------------------------------------------------------------


def test_no_category_means_no_tracking() -> None:
    assert options(bill(claim(WORK), chart())) == {"item:9": [], "retention:INPUT": []}


def test_the_project_is_on_work_and_on_retention() -> None:
    made = bill(claim(WORK), chart(tracking=TRACKED))
    assert options(made) == {"item:9": [RIVERSIDE], "retention:INPUT": [RIVERSIDE]}
    tracking = made.lines[0].tracking[0]
    assert (tracking.category, tracking.category_name) == (PROJECTS, "Projects")
    assert tracking.option_name == "P-007 Riverside"


def test_retention_need_not_be_tracked() -> None:
    made = bill(claim(WORK), chart(tracking=TRACKED, payable=side(track=())))
    assert options(made) == {"item:9": [RIVERSIDE], "retention:INPUT": []}


BY_TYPE = TrackingSettings(
    project="Projects", second=SecondTracking("Cost Types", source="cost_type")
)
TYPE_ROWS = (CostTypeRow(LABOUR, "labour"), CostTypeRow(MATERIAL, "Material"))
TYPED = (
    line("1000", retained="100", id=1, cost_type=LABOUR),
    line("2000", retained="200", id=2, cost_type=MATERIAL),
    line("500", retained="50", id=3),
)


def test_the_second_category_by_cost_type_is_not_on_retention() -> None:
    made = bill(claim(*TYPED), chart(tracking=BY_TYPE, cost_types=TYPE_ROWS))
    assert options(made) == {
        "item:1": [RIVERSIDE, LABOUR_OPTION],
        "item:2": [RIVERSIDE, MATERIAL_OPTION],
        "item:3": [RIVERSIDE],  # no cost type: no option is demanded
        "retention:INPUT": [RIVERSIDE],
    }


def test_retention_tracked_by_cost_type_is_one_line_per_option() -> None:
    books = chart(
        tracking=BY_TYPE, cost_types=TYPE_ROWS, payable=side(track=("project", "cost_type"))
    )
    made = bill(claim(*TYPED), books)
    assert {k: v for k, v in amounts_of(made).items() if k.startswith("retention")} == {
        f"retention:INPUT:{LABOUR_OPTION}": "-100.00",
        f"retention:INPUT:{MATERIAL_OPTION}": "-200.00",
        "retention:INPUT": "-50.00",
    }
    assert options(made)[f"retention:INPUT:{LABOUR_OPTION}"] == [RIVERSIDE, LABOUR_OPTION]


def test_a_cost_type_row_of_this_organisation_comes_first() -> None:
    rows = (
        CostTypeRow(LABOUR, "Material"),
        CostTypeRow(LABOUR, "Labour", ORGANISATION),
        CostTypeRow(LABOUR, "Nowhere", OrganisationId(UUID(int=98))),
    )
    made = bill(claim(TYPED[0]), chart(tracking=BY_TYPE, cost_types=rows))
    assert options(made)["item:1"] == [RIVERSIDE, LABOUR_OPTION]


SECOND = Category(
    CategoryId(UUID(int=40)),
    "Detail",
    True,
    (
        Option(OptionId(UUID(int=41)), "SA", True),
        Option(OptionId(UUID(int=42)), "Tower A", True),
        Option(OptionId(UUID(int=43)), "03-300 Concrete", True),
    ),
)


@pytest.mark.parametrize(
    ("second", "coded", "expected"),
    [
        (SecondTracking("Detail", fixed="sa"), line("1"), [41]),
        (
            SecondTracking("detail", source="sub_job"),
            line("1", sub_job="tower  a"),
            [42],
        ),
        (SecondTracking("Detail", source="sub_job"), line("1"), []),
        (
            SecondTracking("Detail", source="cost_code"),
            replace(line("1"), cost_code=code("03-300", "Concrete")),
            [43],
        ),
        (SecondTracking("Detail", source="cost_code"), line("1", cost_code=None), []),
    ],
)
def test_other_sources_of_the_second_category(
    second: SecondTracking, coded: RequisitionLine, expected: list[int]
) -> None:
    books = chart(
        tracking=TrackingSettings(second=second),
        categories=(SECOND,),
        uncoded=Uncoded(expense=AccountCode("310")),
    )
    assert [x.int for x in options(bill(claim(coded), books))["item:9"]] == expected


def test_a_missing_sub_job_option_is_named() -> None:
    books = chart(
        tracking=TrackingSettings(second=SecondTracking("Detail", source="sub_job")),
        categories=(SECOND,),
    )
    assert gaps(claim(line("1", sub_job="Tower B")), books) == [
        ("second_option_missing", "Tower B")
    ]


# --- tax types ---------------------------------------------------------------------------------


def test_work_lines_leave_tax_to_xero() -> None:
    assert bill(claim(WORK), chart()).lines[0].tax_type is None


FREE = TaxType("EXEMPTEXPENSES")
OUT = TaxType("BASEXCLUDED")
INPUT = TaxType("INPUT")


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ((TaxOverride(FREE, contact=CONTACT),), FREE),
        ((TaxOverride(FREE, contact=ContactId(UUID(int=77))),), None),
        ((TaxOverride(FREE, account=AccountCode("311")),), FREE),
        ((TaxOverride(FREE, account=AccountCode("310")),), None),
        ((TaxOverride(FREE, cost_type=LABOUR),), FREE),
        ((TaxOverride(FREE, cost_type=MATERIAL),), None),
        ((TaxOverride(FREE, project=PROJECT),), FREE),
        ((TaxOverride(FREE, project=ProjectId(8)),), None),
        ((TaxOverride(FREE, side="receivable"),), None),
        ((TaxOverride(FREE, tax_code=5),), None),
        ((TaxOverride(FREE, organisation=OrganisationId(UUID(int=98))),), None),
        ((TaxOverride(FREE, contact=CONTACT), TaxOverride(OUT)), FREE),
        (
            (
                TaxOverride(FREE, contact=CONTACT),
                TaxOverride(OUT, account=AccountCode("311"), cost_type=LABOUR),
            ),
            OUT,
        ),
        ((TaxOverride(OUT, account=AccountCode("311")), TaxOverride(FREE, contact=CONTACT)), FREE),
        ((TaxOverride(OUT, project=PROJECT), TaxOverride(FREE, cost_type=LABOUR)), FREE),
        ((TaxOverride(OUT), TaxOverride(FREE, organisation=ORGANISATION)), FREE),
    ],
)
def test_the_most_specific_override_wins(
    rows: tuple[TaxOverride, ...], expected: TaxType | None
) -> None:
    typed = claim(line("1000", retained="100", cost_type=LABOUR))
    for order in (rows, rows[::-1]):
        made = bill(typed, chart(tax_overrides=order))
        assert made.lines[0].tax_type == expected
        assert made.lines[1].tax_type == (expected or INPUT)


def contact_books(contact_type: str | None, account_type: str | None) -> Chart:
    (contact,) = chart().contacts.values()
    kind = TaxType(contact_type) if contact_type else None
    row = account("311", "Concrete", tax=account_type)
    return chart(
        contacts={CONTACT: replace(contact, payable_tax_type=kind)},
        accounts=accounts("AU") | {row.code: row},
    )


@pytest.mark.parametrize(
    ("contact_wins", "by_contact", "by_account", "expected"),
    [
        (False, "EXEMPTEXPENSES", "INPUT", "INPUT"),
        (True, "EXEMPTEXPENSES", "INPUT", "EXEMPTEXPENSES"),
        (False, "EXEMPTEXPENSES", None, "EXEMPTEXPENSES"),
        (True, None, "INPUT", "INPUT"),
    ],
)
def test_whose_default_xero_takes_is_a_parameter(
    contact_wins: bool, by_contact: str | None, by_account: str | None, expected: str
) -> None:
    books = contact_books(by_contact, by_account)
    made = bill(claim(WORK), books, contact_wins=contact_wins)
    assert made.lines[0].tax_type is None
    assert made.lines[1].tax_type == expected
    tax = predicted_totals(made, books, contact_wins=contact_wins).tax
    assert tax == (90 if expected == "INPUT" else 0)


def test_a_contacts_default_that_does_not_fit_is_caught_before_posting() -> None:
    books = contact_books("OUTPUT", "INPUT")
    assert gaps(claim(line("1")), books, contact_wins=True) == [("tax_unfit", "OUTPUT/311")]
    assert bill(claim(line("1")), books).lines[0].account == "311"


# --- a bill that is there already --------------------------------------------------------------


def posted_from(made: Bill, types: dict[str, str]) -> tuple[PostedBill, dict[BillLineId, str]]:
    """The bill as Xero has it, with tax types by key, and the keys by line id."""
    keys = {BillLineId(UUID(int=500 + n)): x.key for n, x in enumerate(made.lines)}
    lines = tuple(
        PostedLine(id, x.description, x.account, x.amount, TaxType(types.get(x.key, "INPUT")), ZERO)
        for (id, _), x in zip(keys.items(), made.lines, strict=True)
    )
    posted = PostedBill(
        id=BillId(UUID(int=600)),
        kind="ACCPAY",
        contact=made.contact,
        number=made.number,
        bill_date=made.bill_date,
        due_date=made.due_date,
        status="AUTHORISED",
        currency=None,
        url=made.url,
        lines=lines,
        net=made.net,
        tax=ZERO,
        total=made.net,
        amount_due=made.net,
        amount_paid=ZERO,
        amount_credited=ZERO,
        updated_at=datetime(2026, 8, 3, tzinfo=UTC),
    )
    return posted, keys


def test_an_amendment_keeps_retention_with_the_type_the_bookkeeper_chose() -> None:
    books = chart()
    posted, keys = posted_from(bill(claim(WORK), books), {"item:9": "EXEMPTEXPENSES"})
    edited = claim(line("2000", retained="200"))
    made = bill(edited, books, posted=posted, line_keys=keys)
    assert [(x.key, x.tax_type) for x in made.lines] == [
        ("item:9", None),
        ("retention:EXEMPTEXPENSES", "EXEMPTEXPENSES"),
    ]
    read = types_read(posted, keys)
    assert predicted_totals(made, books, read).tax == 0
    assert predicted_totals(made, books).tax == 200


def test_what_xero_took_once_is_not_checked_again() -> None:
    """The account's default type was retired since; the posted line bears another by now."""
    books = chart()
    posted, keys = posted_from(bill(claim(WORK), books), {"item:9": "EXEMPTEXPENSES"})
    rates = {k: v for k, v in books.tax_rates.items() if k != "INPUT"}
    retired = replace(books, tax_rates=rates)
    assert gaps(claim(line("1")), retired) == [("tax_unknown", "INPUT")]
    made = bill(claim(WORK), retired, posted=posted, line_keys=keys)
    assert made.lines[1].tax_type == "EXEMPTEXPENSES"


def test_lines_new_since_the_posting_go_by_prediction() -> None:
    books = chart()
    posted, keys = posted_from(bill(claim(WORK), books), {"item:9": "EXEMPTEXPENSES"})
    edited = claim(WORK, line("500", retained="50", id=10))
    assert amounts_of(bill(edited, books, posted=posted, line_keys=keys)) == {
        "item:9": "1000.00",
        "item:10": "500.00",
        "retention:EXEMPTEXPENSES": "-100.00",
        "retention:INPUT": "-50.00",
    }


def test_a_posted_bill_in_step_is_not_held_by_a_lock_date_set_since() -> None:
    posted, keys = posted_from(bill(claim(WORK), chart()), {})
    for policy in ("hold", "shift"):
        books = chart(
            period_lock=date(2026, 7, 31),
            policies=Policies(locked_period=policy),  # type: ignore[arg-type]
        )
        again = bill(claim(WORK), books, posted=posted, line_keys=keys)
        assert again == bill(claim(WORK), chart())


def test_a_date_moved_into_a_locked_period_is_held() -> None:
    posted, keys = posted_from(bill(claim(WORK), chart()), {})
    books = chart(period_lock=date(2026, 6, 30))
    moved = claim(WORK, billing_date=date(2026, 6, 30))
    assert gaps(moved, books, posted=posted, line_keys=keys) == [("period_locked", "2026-06-30")]


def test_a_bill_shifted_once_is_not_shifted_again() -> None:
    shift = Policies(locked_period="shift")
    first = bill(claim(WORK), chart(period_lock=date(2026, 7, 31), policies=shift))
    assert first.bill_date == date(2026, 8, 1)
    posted, keys = posted_from(first, {})
    later = chart(period_lock=date(2026, 8, 31), policies=shift)
    assert bill(claim(WORK), later, posted=posted, line_keys=keys) == first
    assert bill(claim(WORK), later).bill_date == date(2026, 9, 1)


def test_a_voided_bill_no_longer_keeps_its_date() -> None:
    posted, keys = posted_from(bill(claim(WORK), chart()), {})
    gone = replace(posted, status="VOIDED")
    books = chart(period_lock=date(2026, 7, 31))
    assert gaps(claim(WORK), books, posted=gone, line_keys=keys) == [
        ("period_locked", "2026-07-31")
    ]


# --- totals and journal ------------------------------------------------------------------------


def test_the_journal_goes_by_name_where_books_lack_the_accounts() -> None:
    books = chart()
    kept = {k: v for k, v in books.accounts.items() if not v.system}
    books = replace(books, accounts=kept)
    assert [(r.account, r.name) for r in journal(bill(claim(WORK), books), books)] == [
        ("311", "Concrete"),
        ("", "Tax"),
        ("820R", "Retention Payable"),
        ("", "Accounts payable"),
    ]


def test_a_bill_taxed_below_zero_is_held_even_when_its_net_is_not() -> None:
    """Free work of 1,000 and a taxed back charge of 950: 50 net, 95 of tax coming back."""
    lines = (line("1000", id=1, cost_code="01-400"), line("-950", id=2))
    assert gaps(claim(*lines), chart()) == [("negative_total", "55")]


def test_parts_of_a_cent_end_on_a_line_one_can_see() -> None:
    lines = [line("10.005", id=n) for n in (1, 2)]
    made = bill(claim(*lines, current_payment_due=Decimal("20.01")), chart())
    assert amounts_of(made) == {"item:1": "10.01", "item:2": "10.01", "rounding": "-0.01"}
    assert (made.lines[2].account, made.lines[2].description) == ("311", "Rounding")


def test_currencies_without_cents_are_rounded_to_the_unit() -> None:
    yen = Currency("JPY")
    made = bill(
        claim(line("1000.5", retained="100"), currency=yen, current_payment_due=Decimal("901")),
        chart(currencies=frozenset({yen})),
    )
    assert [str(x.amount) for x in made.lines] == ["1001", "-100"]


# --- for any claim -----------------------------------------------------------------------------

CENTS = st.integers(0, 10_000_000).map(lambda n: Decimal(n) / 100)
SIGNED = st.one_of(CENTS, CENTS.map(lambda x: -x))
LINES = st.lists(
    st.builds(
        lambda gross, retained, released, code, n: line(
            gross, min(retained, gross), released, id=n, cost_code=code
        ),
        SIGNED,
        SIGNED,
        CENTS,
        st.sampled_from(["03-300", "01-400", "09-100"]),
        st.integers(1, 10_000),
    ),
    max_size=8,
    unique_by=lambda x: x.id,
)
SIDES = st.builds(
    side,
    st.sampled_from(["net", "line"]),
    lines=st.sampled_from(["one", "tax", "line"]),
    tax=st.sampled_from(["same", "none"]),
    released_account=st.sampled_from([None, AccountCode("820R"), AccountCode("821R")]),
)


@limits(deadline=None)  # the machine is shared
@given(LINES, SIDES, st.sampled_from(["xero", "document"]), st.sampled_from(["AU", "NZ", "GB"]))
def test_a_bill_comes_to_what_is_due_and_ties_to_the_cent(
    lines: list[RequisitionLine], chosen: object, cents: str, country: str
) -> None:
    requisition = claim(*lines)
    books = chart(country, payable=chosen, policies=Policies(tax_cents=cents))  # type: ignore[arg-type]
    made = bill_from(requisition, books)
    if isinstance(made, NothingDue):
        assert requisition.current_payment_due == 0
        return
    if isinstance(made, Held):
        assert [gap.code for gap in made.gaps] == ["negative_total"]
        return
    assert requisition.current_payment_due >= 0
    assert isinstance(made, Bill), made
    assert made.net == requisition.current_payment_due
    assert all(x.amount == rounded(x.amount) != 0 for x in made.lines)
    assert len({x.key for x in made.lines}) == len(made.lines)
    held = sum((x.amount for x in made.lines if x.key.startswith("retention:")), ZERO)
    work = sum((x.amount for x in made.lines if x.key.startswith("item:")), ZERO)
    assert work + held == made.net
    if chosen.method == "line":  # type: ignore[attr-defined]
        assert held == -sum((x.retainage for x in lines), ZERO)
        assert work == sum((x.gross for x in lines), ZERO)
    else:
        assert held == 0
    totals = predicted_totals(made, books)
    assert totals.gross == totals.net + totals.tax
    entry = journal(made, books)
    assert sum(r.debit for r in entry) == sum(r.credit for r in entry)
    assert all((r.debit == 0) != (r.credit == 0) for r in entry)


@limits(deadline=None)  # the machine is shared
@given(LINES)
def test_document_cents_are_round2_of_net_times_rate(lines: list[RequisitionLine]) -> None:
    """Where there is one rate; whatever the retention method."""
    coded = [replace(x, cost_code=line("1").cost_code) for x in lines]
    for method in ("net", "line"):
        books = chart(payable=side(method), policies=Policies(tax_cents="document"))
        made = bill_from(claim(*coded), books)
        if isinstance(made, Bill):
            assert predicted_totals(made, books).tax == rounded(made.net / 10)


@limits(deadline=None)  # the machine is shared
@given(LINES, SIDES)
def test_the_same_claim_gives_the_same_bill(lines: list[RequisitionLine], chosen: object) -> None:
    books = chart(payable=chosen, bill=BillFlow())
    made = bill_from(claim(*lines), books)
    assert made == bill_from(claim(*lines), books)
    if isinstance(made, Bill):
        posted, keys = posted_from(made, dict.fromkeys((x.key for x in made.lines), "INPUT"))
        free = {f"item:{x.id}" for x in lines if x.cost_code and x.cost_code.code == "01-400"}
        posted = replace(
            posted,
            lines=tuple(
                replace(x, tax_type=FREE) if keys[x.id] in free else x for x in posted.lines
            ),
        )
        assert bill_from(claim(*lines), books, posted, keys) == made
