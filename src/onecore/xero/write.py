"""From our bills to Xero's bodies: pure functions; amounts stay Decimal to the last digit.

What is not sent, and why [X 5.1]: LineAmount, since a difference of a cent is a 400; TaxType
unless one is given, so that the account's or contact's default holds; Reference, which bills
ignore; anything of the contact but its id, since the rest would edit the contact.
"""

from collections.abc import Sequence
from decimal import Decimal

from onecore.domain.documents import Bill, BillLine, BillStatus, PostedBill, PostedLine, Tracking
from onecore.domain.ids import BillLineId
from onecore.ports import BillChange

Body = dict[str, object]


def bill_body(bill: Bill) -> Body:
    """A bill to be created; its lines are new."""
    return {**_header(bill), "LineItems": [_line(line, None) for line in bill.lines]}


def change_body(change: BillChange) -> Body:
    """A bill to be updated: lines we know by Xero's own ids, and the bookkeeper's own sent back,
    because Xero deletes every line that is not sent."""
    lines = [_line(line, change.line_ids.get(line.key)) for line in change.bill.lines]
    return {
        "InvoiceID": str(change.id),
        **_header(change.bill),
        "LineItems": [*lines, *(_kept(line) for line in change.kept)],
    }


def removal_body(bill: PostedBill) -> Body:
    """A draft is deleted, an approved bill voided; both stay readable by id."""
    is_draft = bill.status in (BillStatus.DRAFT, BillStatus.SUBMITTED)
    gone = BillStatus.DELETED if is_draft else BillStatus.VOIDED
    return {"InvoiceID": str(bill.id), "Status": gone.value}


def contact_body(name: str, tax_number: str, email: str) -> Body:
    """A contact to be created; what is empty is left out."""
    body: Body = {"Name": name}
    if tax_number:
        body["TaxNumber"] = tax_number
    if email:
        body["EmailAddress"] = email
    return body


def _header(bill: Bill) -> Body:
    body: Body = {
        "Type": "ACCPAY",
        "Contact": {"ContactID": str(bill.contact)},
        "Date": bill.bill_date.isoformat(),
        "DueDate": bill.due_date.isoformat(),
        "LineAmountTypes": "Exclusive",
        "InvoiceNumber": bill.number,
        "Url": bill.url,
        "Status": bill.status.value,
    }
    if bill.currency is not None:
        body["CurrencyCode"] = bill.currency
    return body


def _line(line: BillLine, known: BillLineId | None) -> Body:
    body: Body = {} if known is None else {"LineItemID": str(known)}
    body |= {
        "Description": line.description,
        "Quantity": 1,
        "UnitAmount": _plain(line.amount),
        "AccountCode": line.account,
    }
    if line.tax_type is not None:
        body["TaxType"] = line.tax_type
    if line.tax_amount is not None:
        body["TaxAmount"] = _plain(line.tax_amount)
    if line.tracking or known is not None:
        body["Tracking"] = _tracking(line.tracking)
    return body


def _kept(line: PostedLine) -> Body:
    """A line as it was read. Its tax goes along, in case the bookkeeper typed it; a line that is
    only words stays without an amount."""
    body: Body = {"LineItemID": str(line.id), "Description": line.description}
    if line.account is None and not line.amount:
        return body
    body |= {
        "Quantity": 1,
        "UnitAmount": _plain(line.amount),
        "TaxAmount": _plain(line.tax_amount),
        "Tracking": _tracking(line.tracking),
    }
    if line.account is not None:
        body["AccountCode"] = line.account
    if line.tax_type is not None:
        body["TaxType"] = line.tax_type
    return body


def _tracking(options: Sequence[Tracking]) -> list[Body]:
    """By id, and by name too where it is known: Xero's pages name only the latter for writes."""
    found: list[Body] = []
    for one in options:
        body: Body = {
            "TrackingCategoryID": str(one.category),
            "TrackingOptionID": str(one.option),
        }
        if one.category_name and one.option_name:
            body |= {"Name": one.category_name, "Option": one.option_name}
        found.append(body)
    return found


def _plain(amount: Decimal) -> Decimal:
    """The same amount written without an exponent and without a negative zero."""
    plain = Decimal(f"{amount:f}")
    return plain if plain else abs(plain)
