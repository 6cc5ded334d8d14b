"""Invoices, bills and credit notes: what may be written when [X 5.1, 5.2, 5.13]."""

import re
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import msgspec

from onecore_sim.xero import contacts, lines, tax
from onecore_sim.xero.desk import Desk, Refused, new_id
from onecore_sim.xero.state import Contact, Document, Line
from onecore_sim.xero.wire import Unreadable, read_day, read_flag, read_number, read_text

FROZEN = "This document cannot be edited as it has a payment or credit note allocated to it."
NOT_MODIFIABLE = "Invoice not of valid status for modification"
VOID_PAID = (
    "The status VOIDED cannot be applied to the invoice because it has payments or credit notes "
    "allocated to it."
)
NOT_UNIQUE = "Invoice # must be unique."
NEXT = {
    "": {"DRAFT", "SUBMITTED", "AUTHORISED"},
    "DRAFT": {"DRAFT", "SUBMITTED", "AUTHORISED", "DELETED"},
    "SUBMITTED": {"SUBMITTED", "AUTHORISED", "DRAFT", "DELETED"},
    "AUTHORISED": {"AUTHORISED", "VOIDED"},
    "PAID": {"PAID"},
}
GONE = {"DELETED", "VOIDED"}
POSTED = {"AUTHORISED", "PAID"}
KINDS = {"Exclusive", "Inclusive", "NoTax"}
INVOICE_TYPES = {"ACCPAY", "ACCREC"}
CREDIT_TYPES = {"ACCPAYCREDIT", "ACCRECCREDIT"}
LONGEST_NUMBER = 255
PRINTABLE = re.compile(r"^[\x20-\x7e]*$")


def save(
    desk: Desk, sent: dict[str, Any], existing: Document | None, *, credit: bool = False
) -> Document:
    """The document made or changed; raises Refused with every reason and changes nothing then."""
    status = _asked_status(sent, existing)
    if existing is not None:
        _check_open(desk, existing, status)
        if status in GONE:
            return _end(desk, existing, status)
    errors: list[str] = []
    new = _header(desk, sent, existing, credit, errors)
    contact = _contact(desk, sent, new, existing, errors)
    new.status = status
    if status not in NEXT[existing.status if existing else ""]:
        raise Refused(NOT_MODIFIABLE)
    _lines(desk, sent, new, existing, contact, errors)
    _number(desk, sent, new, existing, errors)
    _check_whole(desk, new, existing, errors)
    if existing is not None and existing.settled_in_part and not _only_open_fields(new, existing):
        raise Refused(FROZEN)
    if errors:
        raise Refused(*dict.fromkeys(errors))
    if contact is not None:
        contacts.keep_for_document(desk, contact, sent.get("Contact"), new.is_sale)
    _keep(desk, new, existing)
    return existing or new


def _asked_status(sent: dict[str, Any], existing: Document | None) -> str:
    fallback = existing.status if existing else "DRAFT"
    status = read_text(sent.get("Status"), "Status") or fallback
    known = {"DRAFT", "SUBMITTED", "AUTHORISED", "PAID", "DELETED", "VOIDED"}
    if status not in known:
        raise Unreadable(f"Status: {status!r} is not a status.")
    # an app that echoes a document it read sends AUTHORISED or PAID back for the same state
    if existing and existing.status == "PAID" and status == "AUTHORISED":
        return "PAID"
    return status


def _check_open(desk: Desk, existing: Document, status: str) -> None:
    if existing.status in GONE:
        raise Refused(NOT_MODIFIABLE)
    if status == "VOIDED" and existing.settled_in_part:
        raise Refused(VOID_PAID)
    if status not in NEXT[existing.status]:
        raise Refused(NOT_MODIFIABLE)
    frozen = not existing.is_sale and not desk.actor.is_person
    if existing.settled_in_part and (frozen or existing.is_credit):
        raise Refused(FROZEN)
    if existing.status in POSTED and (messages := desk.lock_messages(existing.date)):
        raise Refused(*messages)


def _end(desk: Desk, document: Document, status: str) -> Document:
    """Void or delete softly: the document stays readable."""
    document.status = status
    document.updated_at = desk.now
    desk.note(document.history, "Voided" if status == "VOIDED" else "Deleted", document.number)
    tell(desk, document, "UPDATE")
    return document


def _header(
    desk: Desk, sent: dict[str, Any], existing: Document | None, credit: bool, errors: list[str]
) -> Document:
    type_ = read_text(sent.get("Type"), "Type")
    if existing is not None:
        new = msgspec.structs.replace(existing)
        if type_ and type_ != existing.type:
            errors.append("The Type of a document cannot be changed.")
    else:
        if type_ not in (CREDIT_TYPES if credit else INVOICE_TYPES):
            raise Refused("A valid Type must be specified.")
        new = Document(
            id=new_id(),
            type=type_,
            contact_id="",
            date=desk.today(),
            updated_at=desk.now,
            currency=desk.org.currency,
            created_by_app=desk.actor.app,
        )
    _header_fields(desk, sent, new, errors)
    return new


def _header_fields(desk: Desk, sent: dict[str, Any], new: Document, errors: list[str]) -> None:
    new.date = read_day(sent.get("Date"), "Date") or new.date
    for key, field in (
        ("DueDate", "due_date"),
        ("ExpectedPaymentDate", "expected_payment_date"),
        ("PlannedPaymentDate", "planned_payment_date"),
    ):
        if key in sent:
            setattr(new, field, read_day(sent[key], key))
    if sent.get("LineAmountTypes"):
        new.line_amount_types = _kind(sent["LineAmountTypes"])
    if "Reference" in sent and new.is_sale:  # a bill's Reference is silently ignored [X 5.1]
        new.reference = read_text(sent["Reference"], "Reference")
    if "Url" in sent:
        new.url = _url(desk, read_text(sent["Url"], "Url"), errors)
    if "BrandingThemeID" in sent:
        new.branding_theme_id = read_text(sent["BrandingThemeID"], "BrandingThemeID")
    if "SentToContact" in sent:
        new.sent = read_flag(sent["SentToContact"], "SentToContact")
    if sent.get("CurrencyCode"):
        new.currency = read_text(sent["CurrencyCode"], "CurrencyCode")
        if new.currency != desk.org.currency:
            errors.append(f"Organisation is not subscribed to currency {new.currency}")
    new.currency_rate = read_number(sent.get("CurrencyRate"), "CurrencyRate") or new.currency_rate


def _kind(sent: object) -> str:
    kind = read_text(sent, "LineAmountTypes")
    for known in KINDS:
        if kind.lower() == known.lower():
            return known
    raise Unreadable(f"LineAmountTypes: {kind!r} is not one of {', '.join(sorted(KINDS))}.")


def _url(desk: Desk, url: str, errors: list[str]) -> str:
    parts = urlsplit(url)
    if url and (parts.scheme not in ("http", "https") or not parts.netloc):
        errors.append("Url must be an absolute URL.")
    longest = desk.rules.url_max_length
    if longest and len(url) > longest:
        errors.append(f"Url must not be longer than {longest} characters.")
    return url


def _contact(
    desk: Desk,
    sent: dict[str, Any],
    new: Document,
    existing: Document | None,
    errors: list[str],
) -> Contact | None:
    before = existing.contact_id if existing else None
    if sent.get("Contact") is None:
        if before is None:
            errors.append("A Contact must be specified for this type of transaction")
        return desk.org.contacts.get(before or "")
    contact = contacts.for_document(desk, sent["Contact"], before, errors)
    if contact is not None:
        new.contact_id = contact.id
    return contact


def _lines(
    desk: Desk,
    sent: dict[str, Any],
    new: Document,
    existing: Document | None,
    contact: Contact | None,
    errors: list[str],
) -> None:
    setting = lines.Setting(
        kind=new.line_amount_types,
        is_sale=new.is_sale,
        is_credit=new.is_credit,
        complete=new.status in POSTED,
        contact=contact,
    )
    before = existing.lines if existing else []
    items = sent.get("LineItems")
    if items is None and existing is not None and desk.rules.omitted_lines_kept:
        new.lines = lines.again(desk, before, setting, errors)
    elif not isinstance(items, list) or not items:
        errors.append("One or more line items must be specified")
        new.lines = []
    else:
        new.lines = lines.read_lines(desk, items, before, setting, errors)
    figures = tax.totals(new.lines, new.line_amount_types)
    new.sub_total, new.total_tax, new.total = figures.sub_total, figures.tax, figures.total
    if new.total < 0 and not desk.rules.negative_totals:
        errors.append("The total of an invoice cannot be less than zero; use a credit note.")


def _number(
    desk: Desk,
    sent: dict[str, Any],
    new: Document,
    existing: Document | None,
    errors: list[str],
) -> None:
    key = "CreditNoteNumber" if new.is_credit else "InvoiceNumber"
    if sent.get(key):
        new.number = read_text(sent[key], key)
    if len(new.number) > LONGEST_NUMBER or not PRINTABLE.match(new.number):
        errors.append(f"{key} must be at most {LONGEST_NUMBER} printable ASCII characters.")
    if not new.is_sale:
        return  # the numbers of bills are the suppliers' own and need not be unique
    if new.number and _taken(desk, new):
        errors.append(NOT_UNIQUE)
    if not new.number and not errors:
        new.number = _next_number(desk, new)


def _taken(desk: Desk, new: Document) -> bool:
    ended = GONE if desk.rules.voided_number_reusable else set()
    return any(
        other.number == new.number and other.id != new.id and other.status not in ended
        for other in desk.org.documents(new.type).values()
        if other.is_sale
    )


def _next_number(desk: Desk, new: Document) -> str:
    taken = {d.number for d in desk.org.documents(new.type).values() if d.is_sale}
    prefix, count = ("CN", "next_credit_note") if new.is_credit else ("INV", "next_invoice")
    while True:
        number = f"{prefix}-{getattr(desk.org, count):04d}"
        setattr(desk.org, count, getattr(desk.org, count) + 1)
        if number not in taken:
            return number


def _check_whole(desk: Desk, new: Document, existing: Document | None, errors: list[str]) -> None:
    if new.status in ("AUTHORISED", "SUBMITTED") and new.due_date is None and not new.is_credit:
        errors.append("A DueDate must be specified for an invoice that is submitted or approved.")
    if new.status in POSTED:
        days = [new.date] + ([existing.date] if existing and existing.status in POSTED else [])
        errors.extend(desk.lock_messages(*days))
    if new.sent and new.status not in POSTED:
        new.sent = False


def _only_open_fields(new: Document, existing: Document) -> bool:
    """Whether all that changes is still open once money was put to the document."""
    credited = bool(existing.credited)
    return _closed_part(new, credited) == _closed_part(existing, credited)


def _closed_part(document: Document, credited: bool) -> Document:
    return msgspec.structs.replace(
        document,
        reference="",
        due_date=None,
        expected_payment_date=None,
        planned_payment_date=None,
        number="",
        branding_theme_id="",
        url="",
        sent=False,
        contact_id=document.contact_id if credited else "",
        lines=[_closed_line(line) for line in document.lines],
    )


def _closed_line(line: Line) -> Line:
    return msgspec.structs.replace(line, description="", account_code="", tracking=[])


def _keep(desk: Desk, new: Document, existing: Document | None) -> None:
    if existing is None:
        desk.org.documents(new.type)[new.id] = new
        desk.note(new.history, "Created", _headline(desk, new))
        if new.status == "AUTHORISED":
            desk.note(new.history, "Approved", _headline(desk, new))
        tell(desk, new, "CREATE")
        return
    approved = new.status == "AUTHORISED" != existing.status
    unseen = desk.rules.blind_spots and _unseen(new, existing)
    details = ", ".join(differences(existing, new)) or "Nothing changed"
    for field in existing.__struct_fields__:
        setattr(existing, field, getattr(new, field))
    desk.note(existing.history, "Approved" if approved else "Edited", details)
    if not unseen:
        existing.updated_at = desk.now
        tell(desk, existing, "UPDATE")


def _unseen(new: Document, existing: Document) -> bool:
    """Whether Xero would leave UpdatedDateUTC as it is [X 3]: it misses a due date or a sent

    mark on a part-paid document, and another account on a line.
    """
    if new == existing:
        return False
    part_paid = existing.settled_in_part
    return _seen_part(new, part_paid) == _seen_part(existing, part_paid)


def _seen_part(document: Document, part_paid: bool) -> Document:
    bare = [msgspec.structs.replace(line, account_code="") for line in document.lines]
    if not part_paid:
        return msgspec.structs.replace(document, lines=bare)
    return msgspec.structs.replace(document, lines=bare, due_date=None, sent=False)


def differences(before: Document, after: Document) -> list[str]:
    """What changed, in words for the history."""
    said = [
        f"{label} changed from {_shown(old)} to {_shown(new)}"
        for label, old, new in (
            ("Status", before.status, after.status),
            ("Number", before.number, after.number),
            ("Date", before.date, after.date),
            ("Due date", before.due_date, after.due_date),
            ("Contact", before.contact_id, after.contact_id),
            ("Total", before.total, after.total),
            ("Url", before.url, after.url),
        )
        if old != new
    ]
    old_lines = {line.id: line for line in before.lines}
    for place, line in enumerate(after.lines, start=1):
        said.extend(_line_differences(place, old_lines.pop(line.id, None), line))
    return said + [f"Line removed: {line.description}" for line in old_lines.values()]


def _line_differences(place: int, old: Line | None, new: Line) -> list[str]:
    if old is None:
        return [f"Line {place} added"]
    return [
        f"Line {place}: {label} changed from {_shown(was)} to {_shown(now)}"
        for label, was, now in (
            ("description", old.description, new.description),
            ("account", old.account_code, new.account_code),
            ("tax type", old.tax_type, new.tax_type),
            ("amount", old.amount, new.amount),
        )
        if was != now
    ] + ([f"Line {place}: tracking changed"] if old.tracking != new.tracking else [])


def _shown(value: date | Decimal | str | None) -> str:
    return str(value) if value not in (None, "") else "nothing"


def _headline(desk: Desk, document: Document) -> str:
    contact = desk.org.contacts.get(document.contact_id)
    return f"{document.number} for {contact.name if contact else '?'}, {document.total}".strip()


def tell(desk: Desk, document: Document, type_: str) -> None:
    if document.is_credit:
        desk.tell("CREDITNOTE", document.id, type_, Type=document.type, Status=document.status)
    else:
        desk.tell("INVOICE", document.id, type_)
