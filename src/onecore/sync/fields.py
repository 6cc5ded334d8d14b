"""A document as named fields, so that it can be compared part by part and kept as digests."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import StrEnum

from onecore.domain.documents import Bill, PostedBill, PostedLine, Tracking
from onecore.domain.ids import BillLineId

Values = dict[str, str]
"""Field name -> its value in one canonical spelling; content, so never stored."""
Fields = Mapping[str, str]
"""Field name -> keyed digest of its value; what a link keeps."""
Digest = Callable[[str, str], str]
"""(field name, canonical value) -> keyed digest."""

EXTRA = "extra:"
"""Begins the key of a line that somebody added over there."""


class Owner(StrEnum):
    """Whose word holds for a field (design 4)."""

    SOURCE = "source"
    LEDGER = "ledger"


_LEDGER_PARTS = {"account", "tax", "tracking", "description"}


def owner(name: str, approved: bool) -> Owner:
    """Who owns a field of a bill.

    Procore owns contact, number, dates, amounts and which lines there are. Xero owns coding and
    tax, and the due date once the bill is approved. A line's text follows Procore until a
    bookkeeper words it otherwise: then it is theirs, like the coding.
    """
    if name == "due_date":
        return Owner.LEDGER if approved else Owner.SOURCE
    if name.startswith("line.") and name.rsplit(".", 1)[1] in _LEDGER_PARTS:
        return Owner.LEDGER
    return Owner.SOURCE


def wanted_values(bill: Bill) -> Values:
    """The fields of a bill as we want it. What is left to Xero's choice has the value ""."""
    values = {
        "contact": str(bill.contact),
        "number": bill.number,
        "bill_date": bill.bill_date.isoformat(),
        "due_date": bill.due_date.isoformat(),
    }
    if bill.currency is not None:
        values["currency"] = bill.currency
    for line in bill.lines:
        values |= _line_values(
            line.key, line.amount, line.description, line.account, line.tax_type, line.tracking
        )
    return values


def posted_values(bill: PostedBill, line_keys: Mapping[BillLineId, str]) -> Values:
    """The same fields as Xero has them. A line we did not make gets a key of its own."""
    values = {
        "contact": str(bill.contact),
        "number": bill.number,
        "bill_date": bill.bill_date.isoformat(),
        "due_date": bill.due_date.isoformat() if bill.due_date else "",
    }
    if bill.currency is not None:
        values["currency"] = bill.currency
    for line in bill.lines:
        values |= _line_values(
            key_of(line, line_keys),
            line.amount,
            line.description,
            line.account,
            line.tax_type,
            line.tracking,
        )
    return values


def key_of(line: PostedLine, line_keys: Mapping[BillLineId, str]) -> str:
    return line_keys.get(line.id) or f"{EXTRA}{line.id}"


def _line_values(
    key: str,
    amount: Decimal,
    description: str,
    account: str | None,
    tax_type: str | None,
    tracking: tuple[Tracking, ...],
) -> Values:
    return {
        f"line.{key}.amount": canonical(amount),
        f"line.{key}.description": description,
        f"line.{key}.account": account or "",
        f"line.{key}.tax": tax_type or "",
        f"line.{key}.tracking": " ".join(sorted(f"{t.category}:{t.option}" for t in tracking)),
    }


def canonical(amount: Decimal) -> str:
    """One spelling per amount: 12.50 and 12.5000 are the same."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def digested(values: Mapping[str, str], digest: Digest) -> dict[str, str]:
    return {name: digest(name, value) for name, value in values.items()}
