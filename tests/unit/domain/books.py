"""Small books and claims to translate: an organisation per country, and a subcontract's claims."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from onecore.domain.chart import (
    Account,
    AccountClass,
    Category,
    Chart,
    Contact,
    Option,
    Organisation,
    TaxRate,
)
from onecore.domain.documents import Bill, CostCode, Requisition, RequisitionLine
from onecore.domain.gaps import Held
from onecore.domain.ids import (
    AccountCode,
    CategoryId,
    CommitmentId,
    ContactId,
    CostCodeId,
    CostTypeId,
    OptionId,
    OrganisationId,
    ProjectId,
    RequisitionId,
    TaxType,
    VendorId,
)
from onecore.domain.money import ZERO, Currency
from onecore.domain.settings import (
    CodeRule,
    EffectiveSettings,
    PartyRow,
    ProjectRow,
    Retention,
    RetentionMethod,
    RetentionSide,
    TrackingSettings,
)
from onecore.domain.translate.bill import NothingDue, NotOurs, bill_from

ORGANISATION = OrganisationId(UUID(int=1))
CONTACT = ContactId(UUID(int=2))
PROJECTS = CategoryId(UUID(int=3))
COST_TYPES = CategoryId(UUID(int=4))
RIVERSIDE = OptionId(UUID(int=5))
LABOUR_OPTION = OptionId(UUID(int=6))
MATERIAL_OPTION = OptionId(UUID(int=7))
VENDOR = VendorId(12)
PROJECT = ProjectId(7)
LABOUR = CostTypeId(3)
MATERIAL = CostTypeId(4)

ALL = frozenset(set(AccountClass) - {AccountClass.UNKNOWN})
SPENT = ALL - {AccountClass.REVENUE}
EARNED = ALL - {AccountClass.EXPENSE}

RATES: dict[str, list[tuple[str, str, str, frozenset[AccountClass]]]] = {
    "AU": [
        ("INPUT", "GST on Expenses", "10", SPENT),
        ("OUTPUT", "GST on Income", "10", EARNED),
        ("EXEMPTEXPENSES", "GST Free Expenses", "0", SPENT),
        ("BASEXCLUDED", "BAS Excluded", "0", ALL),
    ],
    "NZ": [("INPUT2", "15% GST on Expenses", "15", SPENT), ("NONE", "No GST", "0", ALL)],
    "GB": [
        ("INPUT2", "20% (VAT on Expenses)", "20", SPENT),
        ("NONE", "No VAT", "0", ALL),
        # as a custom rate has it, so that nothing can go by a known code
        ("TAX017", "Domestic Reverse Charge @ 20% (VAT on Expenses)", "0", SPENT),
        ("TAX018", "Domestic Reverse Charge @ 20% (VAT on Income)", "0", EARNED),
    ],
    "US": [("INPUT", "Tax on Purchases", "0", ALL), ("NONE", "Tax Exempt", "0", ALL)],
}
USUAL = {"AU": "INPUT", "NZ": "INPUT2", "GB": "INPUT2", "US": "NONE"}
CURRENCIES = {"AU": "AUD", "NZ": "NZD", "GB": "GBP", "US": "USD"}


def account(
    code: str,
    name: str,
    klass: AccountClass = AccountClass.EXPENSE,
    tax: str | None = None,
    **more: Any,
) -> Account:
    kind = more.pop("type", "DIRECTCOSTS" if klass is AccountClass.EXPENSE else "CURRLIAB")
    tax_type = TaxType(tax) if tax else None
    return Account(AccountCode(code), name, klass, kind, tax_type, more.pop("active", True), **more)


def accounts(country: str) -> dict[AccountCode, Account]:
    usual = USUAL[country]
    free = {"AU": "EXEMPTEXPENSES"}.get(country, "NONE")
    untaxed = {"AU": "BASEXCLUDED"}.get(country, "NONE")
    liability = AccountClass.LIABILITY
    rows = [
        account("310", "Cost of Works", tax=usual),
        account("311", "Concrete", tax=usual),
        account("312", "Permits", tax=free),
        account("320", "Labour", tax=usual),
        account("820", "GST", liability, untaxed, system="GST"),
        account("800", "Accounts Payable", liability, untaxed, system="CREDITORS"),
        account("820R", "Retention Payable", liability, untaxed),
        account("821R", "Retention Released", liability, untaxed),
        account("090", "Bank", AccountClass.ASSET, untaxed, type="BANK"),
    ]
    return {row.code: row for row in rows}


def rates(country: str) -> dict[TaxType, TaxRate]:
    return {
        TaxType(kind): TaxRate(TaxType(kind), name, Decimal(percent), classes)
        for kind, name, percent, classes in RATES[country]
    }


def settings(**more: Any) -> EffectiveSettings:
    side = more.pop("payable", RetentionSide(account=AccountCode("820R")))
    base = EffectiveSettings(
        cut_over=date(2026, 1, 1),
        retention=Retention(payable=side),
        codes=(
            CodeRule("03-300", expense=AccountCode("311")),
            CodeRule("01-400", expense=AccountCode("312")),
            CodeRule("*", expense=AccountCode("310")),
        ),
        vendors=(PartyRow(VENDOR, CONTACT),),
        project=ProjectRow(PROJECT, "P-007 Riverside"),
    )
    return replace(base, **more)


def side(method: str = "line", **more: Any) -> RetentionSide:
    more.setdefault("account", AccountCode("820R"))
    return RetentionSide(method=RetentionMethod(method), **more)


CATEGORIES = (
    Category(PROJECTS, "Projects", True, (Option(RIVERSIDE, "P-007 Riverside", True),)),
    Category(
        COST_TYPES,
        "Cost Types",
        True,
        (Option(LABOUR_OPTION, "Labour", True), Option(MATERIAL_OPTION, "Material", True)),
    ),
)
TRACKED = TrackingSettings(project="Projects")


def chart(country: str = "AU", **more: Any) -> Chart:
    """The books of a country; `settings` fields and chart fields go by name."""
    own = {
        name: more.pop(name)
        for name in ("accounts", "tax_rates", "contacts", "categories", "is_business_day")
        if name in more
    }
    currency = Currency(CURRENCIES[country])
    organisation = Organisation(
        ORGANISATION,
        "Builder",
        country,
        currency,
        more.pop("period_lock", None),
        more.pop("end_of_year_lock", None),
        currencies=more.pop("currencies", frozenset()),
    )
    contact = Contact(CONTACT, "Acme Concrete", True)
    parts: dict[str, Any] = {
        "accounts": accounts(country),
        "tax_rates": rates(country),
        "contacts": {CONTACT: contact},
        "categories": CATEGORIES,
    }
    return Chart(organisation, more.pop("given", None) or settings(**more), **(parts | own))


def code(text: str, name: str = "") -> CostCode:
    return CostCode(CostCodeId(sum(map(ord, text))), text, name or f"Name of {text}")


def line(
    gross: str | Decimal,
    retained: str | Decimal = ZERO,
    released: str | Decimal = ZERO,
    id: int = 9,
    cost_code: str | None = "03-300",
    **more: Any,
) -> RequisitionLine:
    parts: dict[str, Any] = {
        "description": f"Item {id}",
        "cost_type": None,
        "sub_job": None,
        "cost_code": code(cost_code) if cost_code else None,
    }
    return RequisitionLine(
        id=id,
        gross=Decimal(gross),
        retained=Decimal(retained),
        released=Decimal(released),
        **(parts | more),
    )


def claim(*lines: RequisitionLine, **more: Any) -> Requisition:
    parts: dict[str, Any] = {
        "id": RequisitionId(55),
        "project": PROJECT,
        "commitment": CommitmentId(31),
        "commitment_number": "SC-007-01",
        "vendor": VENDOR,
        "vendor_name": "Acme Concrete",
        "number": 1,
        "invoice_number": "INV-0123",
        "status": "approved",
        "billing_date": date(2026, 7, 31),
        "period_start": date(2026, 7, 1),
        "period_end": date(2026, 7, 31),
        "submitted_at": datetime(2026, 7, 28, 23, 30, tzinfo=UTC),
        "approved_at": datetime(2026, 8, 2, 22, 0, tzinfo=UTC),
        "updated_at": datetime(2026, 8, 2, 22, 0, tzinfo=UTC),
        "current_payment_due": sum((x.net for x in lines), ZERO),
        "currency": None,
        "url": "https://app.procore.test/7/project/contracts/requisitions/55",
    }
    return Requisition(lines=lines, **(parts | more))


def bill(requisition: Requisition, books: Chart, **more: Any) -> Bill:
    made = bill_from(requisition, books, **more)
    assert isinstance(made, Bill), made
    return made


def gaps(requisition: Requisition, books: Chart, **more: Any) -> list[tuple[str, str]]:
    """Codes and subjects of all gaps, in order."""
    made = bill_from(requisition, books, **more)
    assert isinstance(made, Held), made
    return [(gap.code, gap.subject) for gap in made.gaps]


def gap_codes(requisition: Requisition, books: Chart, **more: Any) -> list[str]:
    return [code for code, _ in gaps(requisition, books, **more)]


def outcome(requisition: Requisition, books: Chart) -> NothingDue | NotOurs:
    made = bill_from(requisition, books)
    assert isinstance(made, NothingDue | NotOurs), made
    return made


def amounts_of(made: Bill) -> dict[str, str]:
    """Key of each line and its amount as text with two digits."""
    return {x.key: f"{x.amount:.2f}" for x in made.lines}


def total(lines: Iterable[RequisitionLine]) -> Decimal:
    return sum((x.net for x in lines), ZERO)
