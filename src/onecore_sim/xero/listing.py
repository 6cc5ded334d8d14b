"""Lists: filters, order, If-Modified-Since, pages [X 3]."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from uuid import UUID

from onecore_sim.xero import chart, show
from onecore_sim.xero.state import (
    Account,
    Category,
    Contact,
    Document,
    Organisation,
    Payment,
    TaxRate,
)
from onecore_sim.xero.where import Row, compile_order, compile_where

T = TypeVar("T")
DEFAULT_PAGE = 100
LARGEST_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Page:
    page: int
    size: int
    pages: int
    items: int


def _midnight(day: date | None) -> datetime | None:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) if day else None


def document_row(org: Organisation, item: Document) -> Row:
    contact = org.contacts.get(item.contact_id)
    id_key = "CreditNoteID" if item.is_credit else "InvoiceID"
    number_key = "CreditNoteNumber" if item.is_credit else "InvoiceNumber"
    return {
        id_key: UUID(item.id),
        number_key: item.number,
        "Type": item.type,
        "Status": item.status,
        "Reference": item.reference,
        "Date": _midnight(item.date),
        "DueDate": _midnight(item.due_date),
        "FullyPaidOnDate": _midnight(item.fully_paid_on),
        "SubTotal": item.sub_total,
        "TotalTax": item.total_tax,
        "Total": item.total,
        "AmountDue": item.due,
        "RemainingCredit": item.due,
        "AmountPaid": item.paid,
        "AmountCredited": item.credited,
        "CurrencyCode": item.currency,
        "UpdatedDateUTC": item.updated_at,
        "SentToContact": item.sent,
        "HasAttachments": bool(item.attachments),
        "Contact.ContactID": UUID(item.contact_id) if item.contact_id else None,
        "Contact.Name": contact.name if contact else None,
        "Contact.ContactNumber": (contact.number or None) if contact else None,
    }


DOCUMENT_FIELDS = frozenset(
    {
        "Type", "Status", "Reference", "Date", "DueDate", "FullyPaidOnDate", "SubTotal",
        "TotalTax", "Total", "AmountDue", "AmountPaid", "AmountCredited", "CurrencyCode",
        "UpdatedDateUTC", "SentToContact", "HasAttachments", "Contact.ContactID", "Contact.Name",
        "Contact.ContactNumber",
    }
)  # fmt: skip
INVOICE_FIELDS = DOCUMENT_FIELDS | {"InvoiceID", "InvoiceNumber"}
CREDIT_NOTE_FIELDS = DOCUMENT_FIELDS | {"CreditNoteID", "CreditNoteNumber", "RemainingCredit"}


def contact_row(org: Organisation, item: Contact) -> Row:
    return {
        "ContactID": UUID(item.id),
        "Name": item.name,
        "ContactNumber": item.number or None,
        "AccountNumber": item.account_number or None,
        "CompanyNumber": item.company_number or None,
        "TaxNumber": item.tax_number or None,
        "EmailAddress": item.email or None,
        "FirstName": item.first_name or None,
        "LastName": item.last_name or None,
        "ContactStatus": item.status,
        "IsSupplier": item.is_supplier,
        "IsCustomer": item.is_customer,
        "UpdatedDateUTC": item.updated_at,
    }


CONTACT_FIELDS = frozenset(
    {
        "ContactID", "Name", "ContactNumber", "AccountNumber", "CompanyNumber", "TaxNumber",
        "EmailAddress", "FirstName", "LastName", "ContactStatus", "IsSupplier", "IsCustomer",
        "UpdatedDateUTC",
    }
)  # fmt: skip


def payment_row(org: Organisation, item: Payment) -> Row:
    paid = org.document(item.document_id)
    invoice = paid if paid and not paid.is_credit else None
    return {
        "PaymentID": UUID(item.id),
        "PaymentType": show.payment_type(paid) if paid else None,
        "Status": item.status,
        "Date": _midnight(item.date),
        "Amount": item.amount,
        "Reference": item.reference,
        "IsReconciled": item.reconciled,
        "UpdatedDateUTC": item.updated_at,
        "BatchPaymentID": UUID(item.batch_id) if item.batch_id else None,
        "Account.AccountID": UUID(item.account_id),
        "Invoice.InvoiceID": UUID(invoice.id) if invoice else None,
        "Invoice.InvoiceNumber": invoice.number if invoice else None,
    }


PAYMENT_FIELDS = frozenset(
    {
        "PaymentID", "PaymentType", "Status", "Date", "Amount", "Reference", "IsReconciled",
        "UpdatedDateUTC", "BatchPaymentID", "Account.AccountID", "Invoice.InvoiceID",
        "Invoice.InvoiceNumber",
    }
)  # fmt: skip


def account_row(org: Organisation, item: Account) -> Row:
    return {
        "AccountID": UUID(item.id),
        "Code": item.code,
        "Name": item.name,
        "Type": item.type,
        "Class": chart.class_of(item),
        "Status": item.status,
        "TaxType": item.tax_type,
        "SystemAccount": item.system,
        "EnablePaymentsToAccount": item.payments_enabled,
        "UpdatedDateUTC": item.updated_at,
    }


ACCOUNT_FIELDS = frozenset(
    {
        "AccountID", "Code", "Name", "Type", "Class", "Status", "TaxType", "SystemAccount",
        "EnablePaymentsToAccount", "UpdatedDateUTC",
    }
)  # fmt: skip


def tax_rate_row(org: Organisation, item: TaxRate) -> Row:
    return {
        "Name": item.name,
        "TaxType": item.tax_type,
        "Status": item.status,
        "EffectiveRate": item.percent,
    }


TAX_RATE_FIELDS = frozenset({"Name", "TaxType", "Status", "EffectiveRate"})


def category_row(org: Organisation, item: Category) -> Row:
    return {"TrackingCategoryID": UUID(item.id), "Name": item.name, "Status": item.status}


CATEGORY_FIELDS = frozenset({"TrackingCategoryID", "Name", "Status"})


def chosen(
    org: Organisation,
    items: Iterable[T],
    row: Callable[[Organisation, T], Row],
    fields: frozenset[str],
    where: str,
    order: str,
) -> list[T]:
    """The items `where` lets through, in the order asked for; raises QueryError."""
    found = list(items)
    if where:
        test = compile_where(where, fields)
        found = [item for item in found if test(row(org, item))]
    if order:
        for path, descending in reversed(compile_order(order, fields)):
            found.sort(key=lambda x: _sortable(row(org, x)[path]), reverse=descending)
    return found


def _sortable(value: Any) -> tuple[bool, Any]:
    return (value is not None, str(value) if isinstance(value, UUID) else value)


def by_update(items: Iterable[T]) -> list[T]:
    """Xero's own order: the oldest change first, then by id."""
    key: Callable[[Any], Any] = lambda item: (item.updated_at, item.id)  # noqa: E731
    return sorted(items, key=key)


def modified_since(header: str) -> datetime | None:
    """The instant of an If-Modified-Since header, in UTC; None when it says nothing readable."""
    try:
        at = datetime.fromisoformat(header)
    except ValueError:
        try:
            at = parsedate_to_datetime(header)
        except ValueError:
            return None
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def changed_since(items: Iterable[T], since: datetime, inclusive: bool) -> list[T]:
    """The items changed since that second; fractions of a second are not looked at."""
    found = []
    for item in items:
        second = item.updated_at.replace(microsecond=0)  # type: ignore[attr-defined]
        if second > since or (inclusive and second == since):
            found.append(item)
    return found


def page_of(items: Sequence[T], page: int, size: int) -> tuple[list[T], Page]:
    """One page; numbers out of range are clamped, not refused."""
    page, size = max(page, 1), min(max(size, 1), LARGEST_PAGE)
    pages = -(-len(items) // size)
    return list(items[(page - 1) * size : page * size]), Page(page, size, pages, len(items))


def listed(text: str) -> list[str]:
    """The parts of a comma-separated parameter."""
    return [part.strip() for part in text.split(",") if part.strip()]
