"""Xero's answers, good and odd, as our documents."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onecore.domain.chart import AccountClass
from onecore.domain.documents import PostedBill
from onecore.domain.ids import OrganisationId
from onecore.http.wire import Reader
from onecore.xero import read, wire

ID, CONTACT, LINE = (str(UUID(int=n)) for n in (1, 2, 3))
INVOICE: dict[str, Any] = {
    "Type": "ACCPAY",
    "InvoiceID": ID,
    "InvoiceNumber": "INV-0123",
    "Contact": {"ContactID": CONTACT, "Name": "Concrete & Co", "ContactPersons": []},
    "DateString": "2026-03-31T00:00:00",
    "Date": "/Date(1774915200000+0000)/",
    "DueDate": "/Date(1777507200000)/",
    "Status": "AUTHORISED",
    "LineAmountTypes": "Exclusive",
    "CurrencyCode": "AUD",
    "Url": "https://app.procore.com/x",
    "SubTotal": 90000.00,
    "TotalTax": 9000.00,
    "Total": 99000.00,
    "AmountDue": 98000.00,
    "AmountPaid": 1000.00,
    "AmountCredited": 0.00,
    "UpdatedDateUTC": "/Date(1518685950940+1300)/",
    "LineItems": [
        {
            "LineItemID": LINE,
            "Description": "Slabs",
            "AccountCode": "310",
            "LineAmount": 90000.00,
            "TaxType": "INPUT",
            "TaxAmount": 9000.00,
            "Tracking": [
                {"TrackingCategoryID": ID, "TrackingOptionID": CONTACT, "Name": "P", "Option": "7"}
            ],
        }
    ],
}


def bill(**changes: Any) -> PostedBill:
    body = json.dumps({"Invoices": [{**INVOICE, **changes}]}).encode()
    (raw,) = Reader(wire.Invoices).read(body).invoices
    return read.read_bill(raw)


def test_a_whole_bill() -> None:
    got = bill()
    assert (got.id, got.kind, got.contact) == (UUID(int=1), "ACCPAY", UUID(int=2))
    assert (got.number, got.status, got.currency) == ("INV-0123", "AUTHORISED", "AUD")
    assert (got.bill_date, got.due_date) == (date(2026, 3, 31), date(2026, 4, 30))
    assert got.updated_at == datetime(2018, 2, 15, 9, 12, 30, 940000, UTC)
    assert [got.net, got.tax, got.total] == [Decimal(90000), Decimal(9000), Decimal(99000)]
    assert [got.amount_due, got.amount_paid] == [Decimal(98000), Decimal(1000)]
    assert got.is_frozen
    (line,) = got.lines
    assert (line.id, line.account, line.tax_type) == (UUID(int=3), "310", "INPUT")
    assert (line.amount, line.tax_amount) == (Decimal(90000), Decimal(9000))
    assert (line.tracking[0].category, line.tracking[0].option_name) == (UUID(int=1), "7")
    assert got.has_lines


def test_numbers_as_text_mean_the_same() -> None:
    as_text = {k: str(v) for k, v in INVOICE.items() if isinstance(v, float)}
    line = {**INVOICE["LineItems"][0], "LineAmount": "90000.00", "AccountCode": 310}
    assert bill(**as_text, LineItems=[line]) == bill()


@pytest.mark.parametrize("nothing", [None, [], ""])
def test_what_is_unset_may_be_written_in_many_ways(nothing: object) -> None:
    got = bill(
        DueDate=nothing, CurrencyCode=nothing, Url=nothing, LineItems=nothing,
        InvoiceNumber=nothing, AmountCredited=nothing, Payments=nothing,
    )  # fmt: skip
    assert (got.due_date, got.currency, got.url, got.number) == (None, None, "", "")
    assert got.lines == ()
    assert not got.has_lines


def test_an_unknown_word_loses_no_page() -> None:
    got = bill(Status="AWAITING SOMETHING", Type="ACCNEW", LineAmountTypes="Otherwise")
    assert (got.status, got.kind) == ("AWAITING SOMETHING", "ACCNEW")
    assert not got.is_gone


def test_inclusive_amounts_are_read_ex_tax() -> None:
    line = {**INVOICE["LineItems"][0], "LineAmount": 110, "TaxAmount": 10}
    assert bill(LineAmountTypes="Inclusive", LineItems=[line]).lines[0].amount == 100
    assert bill(LineAmountTypes="NoTax", LineItems=[line]).lines[0].amount == 110


def test_a_bill_without_its_date_or_contact_says_which() -> None:
    gaps: list[dict[str, Any]] = [
        {"Date": None, "DateString": None},
        {"Contact": None},
        {"Contact": {}},
    ]
    for gap in gaps:
        with pytest.raises(ValueError, match=ID):
            bill(**gap)
    assert bill(Date=None).bill_date == date(2026, 3, 31)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("/Date(1774915200000+0000)/", date(2026, 3, 31)),
        ("/Date(1774915200000+1300)/", date(2026, 3, 31)),  # the offset is decoration
        ("/Date(1774915200000)/", date(2026, 3, 31)),
        ("/Date(-86400000)/", date(1969, 12, 31)),
        ("2026-03-31T00:00:00", date(2026, 3, 31)),
        ("2026-03-31", date(2026, 3, 31)),
    ],
)
def test_days(text: str, day: date) -> None:
    assert read.day(text) == day


@given(st.dates(min_value=date(1900, 1, 1), max_value=date(2200, 1, 1)), st.integers(-12, 14))
def test_a_day_is_its_utc_midnight_whatever_the_offset(day: date, offset: int) -> None:
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    ms = (midnight - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    assert read.day(f"/Date({ms}{offset:+03d}00)/") == day


def test_an_organisation() -> None:
    body = {
        "OrganisationID": ID,
        "Name": "Demo",
        "CountryCode": "AU",
        "BaseCurrency": "aud",
        "PeriodLockDate": "/Date(1774915200000+0000)/",
        "ShortCode": "!ab",
    }
    raw = Reader(wire.Organisation).read(json.dumps(body).encode())
    got = read.read_organisation(raw, None)
    assert (got.id, got.base_currency, got.country) == (UUID(int=1), "AUD", "AU")
    assert got.currencies == {"AUD"}
    assert (got.period_lock, got.end_of_year_lock) == (date(2026, 3, 31), None)
    known = OrganisationId(UUID(int=9))
    assert read.read_organisation(raw, known).id == known


def test_accounts() -> None:
    def account(**more: Any) -> Any:
        body = {"Code": "310", "Name": "Cost", "Type": "DIRECTCOSTS", "Status": "ACTIVE", **more}
        return read.read_account(Reader(wire.Account).read(json.dumps(body).encode()))

    got = account(Class="EXPENSE", TaxType="INPUT", SystemAccount="")
    assert (got.klass, got.tax_type, got.active) == (AccountClass.EXPENSE, "INPUT", True)
    assert account(Class="SOMETHING").klass is AccountClass.UNKNOWN
    assert account(Status="ARCHIVED").active is False
    assert account(Code=None) is None
    assert account(Code="") is None


def test_tax_rates() -> None:
    body = {
        "TaxType": "INPUT",
        "Name": "GST on Expenses",
        "Status": "ACTIVE",
        "EffectiveRate": "10.0000",
        "DisplayTaxRate": 10,
        "CanApplyToExpenses": "true",
        "CanApplyToLiabilities": True,
        "CanApplyToRevenue": False,
    }
    got = read.read_tax_rate(Reader(wire.TaxRate).read(json.dumps(body).encode()))
    assert got is not None
    assert got.rate == 10
    assert got.classes == {AccountClass.EXPENSE, AccountClass.LIABILITY}
    assert read.read_tax_rate(wire.TaxRate()) is None


def test_contacts() -> None:
    def contact(**more: Any) -> Any:
        body = {"ContactID": ID, "Name": "Acme", "ContactStatus": "ACTIVE", **more}
        return read.read_contact(Reader(wire.Contact).read(json.dumps(body).encode()))

    got = contact(
        TaxNumber="51824753556",
        EmailAddress="a@b.co",
        AccountsPayableTaxType="INPUT",
        PaymentTerms={"Bills": {"Day": 20, "Type": "OFFOLLOWINGMONTH"}},
    )
    assert (got.tax_number, got.email, got.payable_tax_type) == ("51824753556", "a@b.co", "INPUT")
    assert (got.bill_terms.day, got.bill_terms.basis) == (20, "OFFOLLOWINGMONTH")
    assert contact(MergedToContactID=CONTACT).merged_to == UUID(int=2)
    assert contact(MergedToContactID=str(UUID(int=0))).merged_to is None
    assert contact(ContactStatus="GDPRREQUEST").active is False
    assert contact(PaymentTerms={"Sales": {"Day": 1, "Type": "X"}}).bill_terms is None
    assert contact(PaymentTerms=[]).bill_terms is None


def test_categories_know_what_is_archived() -> None:
    body = {
        "TrackingCategoryID": ID,
        "Name": "Projects",
        "Status": "ACTIVE",
        "Options": [
            {"TrackingOptionID": CONTACT, "Name": "P-1", "Status": "ACTIVE"},
            {"TrackingOptionID": LINE, "Name": "P-2", "Status": "ARCHIVED"},
        ],
    }
    got = read.read_category(Reader(wire.Category).read(json.dumps(body).encode()))
    assert [(o.name, o.active) for o in got.options] == [("P-1", True), ("P-2", False)]


def test_a_practice_is_no_organisation() -> None:
    body = {"id": "c1", "tenantId": ID, "tenantName": "Demo", "tenantType": "ORGANISATION"}
    got = read.read_connection(Reader(wire.Connection).read(json.dumps(body).encode()))
    assert got is not None
    assert (got.id, got.organisation, got.name) == ("c1", UUID(int=1), "Demo")
    body["tenantType"] = "PRACTICE"
    assert read.read_connection(Reader(wire.Connection).read(json.dumps(body).encode())) is None
