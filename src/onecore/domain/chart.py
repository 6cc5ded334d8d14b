"""What one organisation's books offer, as far as translating a document needs to know."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum

from onecore.domain.ids import (
    AccountCode,
    CategoryId,
    ContactId,
    OptionId,
    OrganisationId,
    TaxType,
)
from onecore.domain.money import Currency
from onecore.domain.settings import EffectiveSettings


class AccountClass(StrEnum):
    """Xero's account classes; `UNKNOWN` stands for a word we have not met."""

    ASSET = "ASSET"
    EQUITY = "EQUITY"
    EXPENSE = "EXPENSE"
    LIABILITY = "LIABILITY"
    REVENUE = "REVENUE"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Account:
    code: AccountCode
    name: str
    klass: AccountClass
    type: str
    tax_type: TaxType | None
    active: bool
    system: str = ""  # "DEBTORS", "CREDITORS", "GST": not for document lines

    @property
    def may_carry_lines(self) -> bool:
        """Control and bank accounts are refused on a bill's lines [X 4]."""
        return self.type != "BANK" and self.system not in ("DEBTORS", "CREDITORS")


@dataclass(frozen=True, slots=True)
class TaxRate:
    type: TaxType
    name: str
    rate: Decimal  # percent: 10 is ten per cent
    classes: frozenset[AccountClass]  # where CanApplyTo… is true
    active: bool = True


@dataclass(frozen=True, slots=True)
class ContactTerms:
    """A contact's own payment terms for bills: the number and Xero's word for its base."""

    day: int
    basis: str  # DAYSAFTERBILLDATE, DAYSAFTERBILLMONTH, OFCURRENTMONTH, OFFOLLOWINGMONTH


@dataclass(frozen=True, slots=True)
class Contact:
    id: ContactId
    name: str
    active: bool
    tax_number: str = ""
    email: str = ""
    merged_to: ContactId | None = None
    payable_tax_type: TaxType | None = None
    bill_terms: ContactTerms | None = None


@dataclass(frozen=True, slots=True)
class Option:
    id: OptionId
    name: str
    active: bool


@dataclass(frozen=True, slots=True)
class Category:
    id: CategoryId
    name: str
    active: bool
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Organisation:
    """An organisation's own facts. Dates on or before a lock date are closed [X 5.13]."""

    id: OrganisationId
    name: str
    country: str
    base_currency: Currency
    period_lock: date | None
    end_of_year_lock: date | None
    short_code: str = ""
    currencies: frozenset[Currency] = frozenset()
    is_demo: bool = False

    @property
    def locked_until(self) -> date | None:
        """The later lock date; an adviser's grant could post after the period lock only."""
        return max((d for d in (self.period_lock, self.end_of_year_lock) if d), default=None)


BusinessDay = Callable[[date, str], bool]
"""Whether a day counts as a business day in a region such as "AU-NSW"."""


def _weekday(day: date, region: str) -> bool:
    return day.weekday() < 5


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything a translation looks up: the books' lists and the settings that hold here."""

    organisation: Organisation
    settings: EffectiveSettings
    accounts: Mapping[AccountCode, Account]
    tax_rates: Mapping[TaxType, TaxRate]
    contacts: Mapping[ContactId, Contact]
    categories: tuple[Category, ...] = ()
    is_business_day: BusinessDay = field(default=_weekday)
