"""From Xero's answers to our documents: pure functions, one per document.

They raise ValueError, naming the field, where an answer lacks what nothing can stand in for.
"""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from onecore.domain.chart import (
    Account,
    AccountClass,
    Category,
    Contact,
    ContactTerms,
    Option,
    Organisation,
    TaxRate,
)
from onecore.domain.documents import PostedBill, PostedLine, Tracking
from onecore.domain.ids import (
    AccountCode,
    BillId,
    BillLineId,
    CategoryId,
    ContactId,
    OptionId,
    OrganisationId,
    TaxType,
)
from onecore.domain.money import ZERO, Currency
from onecore.ports import Connection, HistoryEntry
from onecore.xero import wire

NO_ID = UUID(int=0)  # what Xero writes where there is no id
_MS_DATE = re.compile(r"^/Date\((-?\d+)(?:[+-]\d{4})?\)/$")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instant(text: str) -> datetime:
    """Aware UTC. Of `/Date(ms+hhmm)/` only the milliseconds count: the offset is decoration
    [X 14.16]; a text without a zone is UTC."""
    if found := _MS_DATE.match(text):
        return _EPOCH + timedelta(milliseconds=int(found[1]))
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def day(text: str) -> date:
    """The calendar day a document prints, which Xero writes as its UTC midnight."""
    return instant(text).date()


def read_bill(raw: wire.Invoice) -> PostedBill:
    """A bill as it stands. Line amounts are ex tax, whichever way the bill was typed in."""
    printed = raw.date or raw.date_string
    if printed is None or raw.contact is None or raw.contact.contact_id is None:
        raise ValueError(f"invoice {raw.invoice_id} has no Date or no ContactID")
    due = raw.due_date or raw.due_date_string
    inclusive = (raw.line_amount_types or "").lower() == "inclusive"
    return PostedBill(
        id=BillId(raw.invoice_id),
        kind=raw.type,
        contact=ContactId(raw.contact.contact_id),
        number=_text(raw.invoice_number),
        bill_date=day(printed),
        due_date=day(due) if due else None,
        status=raw.status,
        currency=Currency(raw.currency_code.upper()) if raw.currency_code else None,
        url=raw.url or "",
        lines=tuple(_line(line, inclusive) for line in raw.line_items or ()),
        net=raw.sub_total or ZERO,
        tax=raw.total_tax or ZERO,
        total=raw.total or ZERO,
        amount_due=raw.amount_due or ZERO,
        amount_paid=raw.amount_paid or ZERO,
        amount_credited=raw.amount_credited or ZERO,
        updated_at=instant(raw.updated_date_utc),
        has_lines=bool(raw.line_items),
    )


def _line(raw: wire.Line, inclusive: bool) -> PostedLine:
    tax = raw.tax_amount or ZERO
    amount = raw.line_amount or ZERO
    code = _text(raw.account_code)
    return PostedLine(
        id=BillLineId(raw.line_item_id or NO_ID),
        description=raw.description or "",
        account=AccountCode(code) if code else None,
        amount=amount - tax if inclusive else amount,
        tax_type=TaxType(raw.tax_type) if raw.tax_type else None,
        tax_amount=tax,
        tracking=tuple(
            Tracking(
                CategoryId(one.tracking_category_id or NO_ID),
                OptionId(one.tracking_option_id or NO_ID),
                one.name or "",
                one.option or "",
            )
            for one in raw.tracking or ()
        ),
    )


def read_organisation(raw: wire.Organisation, known: OrganisationId | None) -> Organisation:
    """The organisation's own facts, under the id it is `known` by where there is one."""
    base = Currency((raw.base_currency or "").upper())
    return Organisation(
        id=known or OrganisationId(raw.organisation_id),
        name=raw.name or "",
        country=raw.country_code or "",
        base_currency=base,
        period_lock=day(raw.period_lock_date) if raw.period_lock_date else None,
        end_of_year_lock=day(raw.end_of_year_lock_date) if raw.end_of_year_lock_date else None,
        short_code=raw.short_code or "",
        is_demo=bool(raw.is_demo_company),
        currencies=frozenset({base}),
    )


def read_account(raw: wire.Account) -> Account | None:
    """An account; None for one without a code (some bank accounts), which no line can name."""
    code = _text(raw.code)
    if not code:
        return None
    klass = (raw.account_class or "").upper()
    return Account(
        code=AccountCode(code),
        name=raw.name or "",
        klass=AccountClass(klass) if klass in set(AccountClass) else AccountClass.UNKNOWN,
        type=raw.type or "",
        tax_type=TaxType(raw.tax_type) if raw.tax_type else None,
        active=raw.status == "ACTIVE",
        system=raw.system_account or "",
    )


def read_tax_rate(raw: wire.TaxRate) -> TaxRate | None:
    """A tax rate; None for one without a tax type, which no line can name."""
    if not raw.tax_type:
        return None
    applies = {
        AccountClass.ASSET: raw.can_apply_to_assets,
        AccountClass.EQUITY: raw.can_apply_to_equity,
        AccountClass.EXPENSE: raw.can_apply_to_expenses,
        AccountClass.LIABILITY: raw.can_apply_to_liabilities,
        AccountClass.REVENUE: raw.can_apply_to_revenue,
    }
    rate = raw.effective_rate if raw.effective_rate is not None else raw.display_tax_rate
    return TaxRate(
        type=TaxType(raw.tax_type),
        name=raw.name or "",
        rate=rate if rate is not None else Decimal(0),
        classes=frozenset(klass for klass, may in applies.items() if may),
        active=raw.status in (None, "ACTIVE"),
    )


def read_category(raw: wire.Category) -> Category:
    return Category(
        id=CategoryId(raw.tracking_category_id),
        name=raw.name or "",
        active=raw.status in (None, "ACTIVE"),
        options=tuple(read_option(one) for one in raw.options or ()),
    )


def read_option(raw: wire.Option) -> Option:
    return Option(OptionId(raw.tracking_option_id), raw.name or "", raw.status in (None, "ACTIVE"))


def read_contact(raw: wire.Contact) -> Contact:
    terms = raw.payment_terms.bills if raw.payment_terms else None
    tax_type = raw.accounts_payable_tax_type
    merged = raw.merged_to_contact_id
    return Contact(
        id=ContactId(raw.contact_id),
        name=raw.name or "",
        active=raw.contact_status in (None, "ACTIVE"),
        tax_number=_text(raw.tax_number),
        email=raw.email_address or "",
        merged_to=ContactId(merged) if merged and merged != NO_ID else None,
        payable_tax_type=TaxType(tax_type) if tax_type else None,
        bill_terms=ContactTerms(terms.day, terms.type)
        if terms and terms.day is not None and terms.type
        else None,
    )


def read_history(raw: wire.HistoryRecord) -> HistoryEntry | None:
    """An entry of a document's history; None for one without its instant."""
    if not raw.date_utc:
        return None
    return HistoryEntry(instant(raw.date_utc), raw.user or "", raw.changes or "", raw.details or "")


def read_connection(raw: wire.Connection) -> Connection | None:
    """An organisation the grant reaches; None for a practice or another kind of tenant."""
    if raw.tenant_type not in (None, "ORGANISATION"):
        return None
    return Connection(
        id=raw.id,
        organisation=OrganisationId(raw.tenant_id),
        name=raw.tenant_name or "",
        consent=raw.auth_event_id or "",
        updated_at=instant(raw.updated_date_utc) if raw.updated_date_utc else None,
    )


def _text(value: str | int | None) -> str:
    return "" if value is None else str(value)
