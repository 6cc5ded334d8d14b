"""Everything that keeps a claim from going over, named all at once."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
from tests.unit.domain.books import (
    CONTACT,
    LABOUR,
    ORGANISATION,
    PROJECT,
    VENDOR,
    account,
    accounts,
    amounts_of,
    bill,
    chart,
    claim,
    gap_codes,
    gaps,
    line,
    outcome,
    side,
)

from onecore.domain.chart import AccountClass, ContactTerms
from onecore.domain.documents import BillStatus
from onecore.domain.gaps import Held
from onecore.domain.ids import AccountCode, ContactId, OrganisationId, TaxType, VendorId
from onecore.domain.money import Currency
from onecore.domain.settings import (
    BillFlow,
    CodeRule,
    ContractRow,
    DueBase,
    DueRule,
    Opening,
    PartyRow,
    Policies,
    ProjectRow,
    SecondTracking,
    TaxOverride,
    TrackingSettings,
)
from onecore.domain.translate.bill import bill_from

WORK = line("1000", retained="100")
OTHER = ContactId(UUID(int=77))


def test_all_gaps_are_named_at_once() -> None:
    broken = claim(
        line("1000", retained="100", id=1),
        line("500", id=2, cost_code="05-100"),
        line("500", id=3, cost_code=None),
        vendor=VendorId(13),
        billing_date=None,
        invoice_number="",
        commitment_number="",
        currency=Currency("USD"),
        current_payment_due=Decimal("1500"),
    )
    books = chart(
        codes=(CodeRule("03-300", expense=AccountCode("999")),),
        payable=side(account=None),
        tracking=TrackingSettings(
            project="Jobs", second=SecondTracking("Cost Types", fixed="Plant")
        ),
    )
    assert gaps(broken, books) == [
        ("amounts_differ", "55"),
        ("date_missing", "billing_date"),
        ("vendor_unmapped", "13"),
        ("number_missing", "55"),
        ("currency_unavailable", "USD"),
        ("tracking_category_missing", "Jobs"),
        ("second_option_missing", "Plant"),
        ("account_unknown", "999"),
        ("cost_code_unmapped", "05-100"),
        ("uncoded_unmapped", "uncoded"),
        ("retention_account_missing", "payable"),
    ]


def test_the_same_gap_is_named_once() -> None:
    lines = [line("1", id=n, cost_code="05-100") for n in range(5)]
    assert gaps(claim(*lines), chart(codes=())) == [("cost_code_unmapped", "05-100")]


def test_a_sum_that_does_not_hold_shows_its_arithmetic() -> None:
    off = claim(line("100000", retained="10000"), current_payment_due=Decimal("91000"))
    held = bill_from(off, chart())
    assert isinstance(held, Held)
    (gap,) = held.gaps
    assert gap.code == "amounts_differ"
    for figure in ("100,000.00", "10,000.00", "90,000.00", "91,000.00", "1,000.00"):
        assert figure in gap.detail


def test_a_claim_without_lines_that_is_due_something_is_held() -> None:
    assert gap_codes(claim(current_payment_due=Decimal(5)), chart()) == ["amounts_differ"]


def test_a_claim_without_movement_is_nothing_due() -> None:
    assert outcome(claim(line("0"), line("0", id=10)), chart()).reason == "no_movement"
    assert outcome(claim(), chart()).reason == "no_movement"


def test_lines_without_movement_are_left_out_and_need_no_mapping() -> None:
    made = bill(claim(line("0", id=1, cost_code=None), line("100", id=2)), chart())
    assert amounts_of(made) == {"item:2": "100.00"}


# --- contact -----------------------------------------------------------------------------------


def test_a_vendor_maps_per_organisation() -> None:
    elsewhere = OrganisationId(UUID(int=98))
    rows = (
        PartyRow(VENDOR, OTHER, elsewhere),
        PartyRow(VENDOR, OTHER),
        PartyRow(VENDOR, CONTACT, ORGANISATION),
    )
    assert bill(claim(WORK), chart(vendors=rows)).contact == CONTACT
    assert gaps(claim(WORK), chart(vendors=rows[:1])) == [("vendor_unmapped", "12")]


def test_a_contact_that_is_not_there() -> None:
    books = chart(vendors=(PartyRow(VENDOR, OTHER),))
    assert gaps(claim(WORK), books) == [("contact_unknown", str(OTHER))]


def test_an_archived_contact_is_held_and_a_merged_one_followed() -> None:
    (contact,) = chart().contacts.values()
    archived = replace(contact, id=OTHER, active=False)
    rows = (PartyRow(VENDOR, OTHER),)
    books = chart(vendors=rows, contacts={OTHER: archived, CONTACT: contact})
    assert gaps(claim(WORK), books) == [("contact_archived", str(OTHER))]
    merged = replace(archived, merged_to=CONTACT)
    books = chart(vendors=rows, contacts={OTHER: merged, CONTACT: contact})
    assert bill(claim(WORK), books).contact == CONTACT
    books = chart(vendors=rows, contacts={OTHER: merged})
    assert gaps(claim(WORK), books) == [("contact_unknown", str(OTHER))]
    circle = replace(archived, merged_to=OTHER)
    books = chart(vendors=rows, contacts={OTHER: circle})
    assert gaps(claim(WORK), books) == [("contact_archived", str(OTHER))]


# --- accounts and tax --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (account("311", "Concrete", active=False), ("account_archived", "311")),
        (account("311", "Bank", AccountClass.ASSET, type="BANK"), ("account_refused", "311")),
        (
            account("311", "Debtors", AccountClass.ASSET, system="DEBTORS"),
            ("account_refused", "311"),
        ),
    ],
)
def test_accounts_that_take_no_lines(changed: object, expected: tuple[str, str]) -> None:
    books = chart(accounts=accounts("AU") | {AccountCode("311"): changed})
    assert gaps(claim(WORK), books) == [expected]


def test_a_release_needs_only_the_tax_type_of_an_account_archived_since() -> None:
    shut = account("311", "Concrete", tax="INPUT", active=False)
    books = chart(accounts=accounts("AU") | {shut.code: shut})
    made = bill(claim(line("0", released="8000")), books)
    assert amounts_of(made) == {"retention:INPUT": "8000.00"}
    assert gaps(claim(WORK), books) == [("account_archived", "311")]


def test_an_override_names_type_and_account_when_they_do_not_fit() -> None:
    books = chart(tax_overrides=(TaxOverride(TaxType("OUTPUT"), account=AccountCode("311")),))
    assert gaps(claim(line("1")), books) == [("tax_unfit", "OUTPUT/311")]
    held = bill_from(claim(line("1")), books)
    assert isinstance(held, Held)
    assert "OUTPUT" in held.gaps[0].detail
    assert "311 Concrete" in held.gaps[0].detail


def test_an_override_with_a_type_that_is_not_there() -> None:
    books = chart(tax_overrides=(TaxOverride(TaxType("TAX099")),))
    assert gaps(claim(line("1")), books) == [("tax_unknown", "TAX099")]
    rates = dict(books.tax_rates)
    rates[TaxType("TAX099")] = replace(rates[TaxType("INPUT")], active=False)
    books = replace(books, tax_rates=rates)
    assert gaps(claim(line("1")), books) == [("tax_unknown", "TAX099")]


def test_retention_on_an_account_without_a_default_rate_cannot_be_told() -> None:
    bare = account("311", "Concrete")
    books = chart(accounts=accounts("AU") | {bare.code: bare})
    assert gaps(claim(WORK), books) == [("tax_unknown", "account:311")]
    assert bill(claim(line("1000")), books).lines[0].tax_type is None
    untaxed = replace(
        books,
        settings=replace(
            books.settings,
            retention=replace(books.settings.retention, payable=side(tax="none")),
        ),
    )
    assert amounts_of(bill(claim(WORK), untaxed))["retention:BASEXCLUDED"] == "-100.00"


# --- tracking ----------------------------------------------------------------------------------


def tracked(project: str | None = "Projects", **second: object) -> TrackingSettings:
    return TrackingSettings(
        project=project,
        second=SecondTracking("Cost Types", **second) if second else None,  # type: ignore[arg-type]
    )


def test_a_project_without_an_option_is_named_by_its_id() -> None:
    books = chart(tracking=tracked(), project=ProjectRow(PROJECT))
    assert gaps(claim(WORK), books) == [("tracking_option_missing", "project:7")]
    books = chart(tracking=tracked(), project=None)
    assert gaps(claim(WORK), books) == [("tracking_option_missing", "project:7")]


def test_an_option_that_is_not_there_or_archived_is_named() -> None:
    books = chart(tracking=tracked(), project=ProjectRow(PROJECT, "P-008"))
    assert gaps(claim(WORK), books) == [("tracking_option_missing", "P-008")]
    (jobs, types) = books.categories
    shut = replace(jobs, options=(replace(jobs.options[0], active=False),))
    books = chart(tracking=tracked(), categories=(shut, types))
    assert gaps(claim(WORK), books) == [("tracking_option_missing", "P-007 Riverside")]


def test_an_archived_category_is_missing() -> None:
    (jobs, types) = chart().categories
    books = chart(tracking=tracked(), categories=(replace(jobs, active=False), types))
    assert gaps(claim(WORK), books) == [("tracking_category_missing", "Projects")]


def test_a_cost_type_without_a_row_is_named_by_its_id() -> None:
    books = chart(tracking=tracked(source="cost_type"))
    typed = claim(line("1000", cost_type=LABOUR))
    assert gaps(typed, books) == [("second_option_missing", "cost_type:3")]


# --- periods, cut-over, currency, due date -----------------------------------------------------

LOCKED = date(2026, 7, 31)


def test_an_approved_bill_in_a_locked_period_is_held() -> None:
    assert gaps(claim(WORK), chart(period_lock=LOCKED)) == [("period_locked", "2026-07-31")]
    assert gaps(claim(WORK), chart(end_of_year_lock=LOCKED)) == [("period_locked", "2026-07-31")]
    assert isinstance(bill(claim(WORK), chart(period_lock=date(2026, 7, 30))).bill_date, date)


@pytest.mark.parametrize("status", ["DRAFT", "SUBMITTED"])
def test_a_draft_may_be_dated_in_a_locked_period(status: str) -> None:
    books = chart(period_lock=LOCKED, bill=BillFlow(status=status))  # type: ignore[arg-type]
    made = bill(claim(WORK), books)
    assert (made.bill_date, made.status) == (LOCKED, BillStatus(status))


@pytest.mark.parametrize("status", ["DRAFT", "AUTHORISED"])
def test_shift_moves_the_date_past_the_later_lock_and_says_so(status: str) -> None:
    books = chart(
        period_lock=LOCKED,
        end_of_year_lock=date(2026, 6, 30),
        policies=Policies(locked_period="shift"),
        bill=BillFlow(status=status),  # type: ignore[arg-type]
    )
    made = bill(claim(WORK), books)
    assert made.bill_date == date(2026, 8, 1)
    assert made.lines[0].description == "Item 9 (claim dated 31 July 2026)"
    assert "claim dated" not in made.lines[1].description
    assert made.due_date == date(2026, 8, 30)  # thirty days after the document's own date


def test_the_note_of_a_shift_survives_a_long_description() -> None:
    books = chart(period_lock=LOCKED, policies=Policies(locked_period="shift"))
    made = bill(claim(line("1000", description="x" * 5000)), books)
    assert len(made.lines[0].description) == 4000
    assert made.lines[0].description.endswith("x (claim dated 31 July 2026)")


def test_before_cut_over_is_not_ours_whatever_is_missing() -> None:
    early = claim(WORK, billing_date=date(2025, 12, 31), vendor=VendorId(99))
    assert outcome(early, chart()).reason == "before_cut_over"
    assert bill(claim(WORK, billing_date=date(2026, 1, 1)), chart()).bill_date == date(2026, 1, 1)


def test_currencies_the_organisation_uses() -> None:
    usd = claim(WORK, currency=Currency("USD"))
    assert gaps(usd, chart()) == [("currency_unavailable", "USD")]
    made = bill(usd, chart(currencies=frozenset({Currency("USD")})))
    assert made.currency == "USD"
    assert bill(claim(WORK, currency=Currency("AUD")), chart()).currency == "AUD"
    assert bill(claim(WORK), chart()).currency is None


def due(base: DueBase, **more: object) -> BillFlow:
    return BillFlow(due_date=DueRule(base, **more))  # type: ignore[arg-type]


def test_terms_that_cannot_be_told_are_a_gap() -> None:
    flow = due(DueBase.CONTACT_TERMS)
    assert gaps(claim(WORK), chart(bill=flow)) == [("due_date_missing", "contact_terms")]
    (contact,) = chart().contacts.values()
    paying = replace(contact, bill_terms=ContactTerms(20, "OFFOLLOWINGMONTH"))
    made = bill(claim(WORK), chart(bill=flow, contacts={CONTACT: paying}))
    assert made.due_date == date(2026, 8, 20)


def test_an_unmapped_vendor_is_not_also_blamed_for_its_terms() -> None:
    books = chart(bill=due(DueBase.CONTACT_TERMS), vendors=())
    assert gaps(claim(WORK), books) == [("vendor_unmapped", "12")]


def test_business_days_need_the_day_of_submission_and_a_known_region() -> None:
    from onecore.engine.calendars import business_day

    flow = due(DueBase.BUSINESS_DAYS_AFTER, days=20, start="submitted", region="AU-NSW")
    books = chart(bill=flow, is_business_day=business_day)
    # 28 July 23:30 UTC is Wednesday 29 July in Sydney
    assert bill(claim(WORK), books).due_date == date(2026, 8, 26)
    assert bill(claim(WORK), books, zone="Hawaii").due_date == date(2026, 8, 25)
    assert gaps(claim(WORK, submitted_at=None), books) == [
        ("due_date_missing", "business_days_after")
    ]
    nowhere = due(DueBase.BUSINESS_DAYS_AFTER, days=20, start="bill", region="AU-ATLANTIS")
    assert gaps(claim(WORK), chart(bill=nowhere, is_business_day=business_day)) == [
        ("due_date_missing", "business_days_after")
    ]


# --- retention held before OneCore -------------------------------------------------------------


def test_an_opening_whose_tax_is_booked_is_not_released_with_tax() -> None:
    row = ContractRow(claim().commitment, opening=Opening(Decimal(6000), "already_booked"))
    release = claim(line("0", released="8000"))
    assert gaps(release, chart(contract=row)) == [("opening_tax_booked", "31")]
    assert amounts_of(bill(claim(WORK), chart(contract=row)))["item:9"] == "1000.00"
    untaxed = chart(contract=row, payable=side(tax="none"))
    assert amounts_of(bill(release, untaxed)) == {"retention:BASEXCLUDED": "8000.00"}
    deferred = replace(row, opening=Opening(Decimal(6000), "deferred"))
    assert amounts_of(bill(release, chart(contract=deferred)))["retention:INPUT"] == "8000.00"
