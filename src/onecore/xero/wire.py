"""Xero's JSON, only the fields that are read. Numbers and booleans may come as text [X 3].

Types, statuses and classes are text, never enums: an unknown word must not lose a page.
"""

from decimal import Decimal
from uuid import UUID

import msgspec

_SPELLED = {"id": "ID", "utc": "UTC"}


def _xero(name: str) -> str:
    return "".join(_SPELLED.get(part, part.capitalize()) for part in name.split("_"))


class Pagination(msgspec.Struct, rename="camel"):
    page: int | None = None
    page_size: int | None = None
    page_count: int | None = None
    item_count: int | None = None


class Message(msgspec.Struct, rename=_xero):
    message: str | None = None
    description: str | None = None


class ContactRef(msgspec.Struct, rename=_xero):
    contact_id: UUID | None = None


class LineTracking(msgspec.Struct, rename=_xero):
    tracking_category_id: UUID | None = None
    tracking_option_id: UUID | None = None
    name: str | None = None
    option: str | None = None


class Line(msgspec.Struct, rename=_xero):
    line_item_id: UUID | None = None
    description: str | None = None
    account_code: str | int | None = None
    line_amount: Decimal | None = None
    tax_type: str | None = None
    tax_amount: Decimal | None = None
    tracking: list[LineTracking] | None = None


class Invoice(msgspec.Struct, rename=_xero):
    invoice_id: UUID
    type: str
    status: str
    updated_date_utc: str
    contact: ContactRef | None = None
    invoice_number: str | int | None = None
    date: str | None = None
    date_string: str | None = None
    due_date: str | None = None
    due_date_string: str | None = None
    line_amount_types: str | None = None
    currency_code: str | None = None
    url: str | None = None
    line_items: list[Line] | None = None
    sub_total: Decimal | None = None
    total_tax: Decimal | None = None
    total: Decimal | None = None
    amount_due: Decimal | None = None
    amount_paid: Decimal | None = None
    amount_credited: Decimal | None = None


class Invoices(msgspec.Struct):
    invoices: list[Invoice] = msgspec.field(name="Invoices")
    pagination: Pagination | None = None


class Written(msgspec.Struct, rename=_xero):
    """The elements of a write's answer, each read on its own: one may be an error."""

    invoices: list[msgspec.Raw]


class Outcome(msgspec.Struct, rename=_xero):
    """What an element of a write's answer says of itself."""

    invoice_id: UUID | None = None
    status_attribute_string: str | None = None
    has_errors: bool | None = None
    warnings: list[Message] | None = None


class Refused(msgspec.Struct, rename=_xero):
    """The body of a 400."""

    elements: list[msgspec.Raw] | None = None


class Organisation(msgspec.Struct, rename=_xero):
    organisation_id: UUID
    name: str | None = None
    country_code: str | None = None
    base_currency: str | None = None
    period_lock_date: str | None = None
    end_of_year_lock_date: str | None = None
    short_code: str | None = None
    is_demo_company: bool | None = None


class Organisations(msgspec.Struct, rename=_xero):
    organisations: list[Organisation]


class Currency(msgspec.Struct, rename=_xero):
    code: str | None = None


class Currencies(msgspec.Struct, rename=_xero):
    currencies: list[Currency] | None = None


class Account(msgspec.Struct, rename=_xero):
    code: str | int | None = None
    name: str | None = None
    type: str | None = None
    status: str | None = None
    tax_type: str | None = None
    account_class: str | None = msgspec.field(name="Class", default=None)
    system_account: str | None = None


class Accounts(msgspec.Struct, rename=_xero):
    accounts: list[Account]


class TaxRate(msgspec.Struct, rename=_xero):
    tax_type: str | None = None
    name: str | None = None
    status: str | None = None
    effective_rate: Decimal | None = None
    display_tax_rate: Decimal | None = None
    can_apply_to_assets: bool | None = None
    can_apply_to_equity: bool | None = None
    can_apply_to_expenses: bool | None = None
    can_apply_to_liabilities: bool | None = None
    can_apply_to_revenue: bool | None = None


class TaxRates(msgspec.Struct, rename=_xero):
    tax_rates: list[TaxRate]


class Option(msgspec.Struct, rename=_xero):
    tracking_option_id: UUID
    name: str | None = None
    status: str | None = None


class Options(msgspec.Struct, rename=_xero):
    options: list[Option]


class Category(msgspec.Struct, rename=_xero):
    tracking_category_id: UUID
    name: str | None = None
    status: str | None = None
    options: list[Option] | None = None


class Categories(msgspec.Struct, rename=_xero):
    tracking_categories: list[Category]


class Terms(msgspec.Struct, rename=_xero):
    day: int | None = None
    type: str | None = None


class PaymentTerms(msgspec.Struct, rename=_xero):
    bills: Terms | None = None


class Contact(msgspec.Struct, rename=_xero):
    contact_id: UUID
    name: str | None = None
    contact_status: str | None = None
    tax_number: str | int | None = None
    email_address: str | None = None
    merged_to_contact_id: UUID | None = msgspec.field(name="MergedToContactID", default=None)
    accounts_payable_tax_type: str | None = None
    payment_terms: PaymentTerms | None = None
    updated_date_utc: str | None = None


class Contacts(msgspec.Struct):
    contacts: list[Contact] = msgspec.field(name="Contacts")
    pagination: Pagination | None = None


class HistoryRecord(msgspec.Struct, rename=_xero):
    changes: str | None = None
    details: str | None = None
    user: str | None = None
    date_utc: str | None = None


class HistoryRecords(msgspec.Struct, rename=_xero):
    history_records: list[HistoryRecord]


class Connection(msgspec.Struct, rename="camel"):
    id: str
    tenant_id: UUID
    tenant_type: str | None = None
    tenant_name: str | None = None
    auth_event_id: str | None = None
    updated_date_utc: str | None = None
