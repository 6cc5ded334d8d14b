"""The lines of a document: which are updated, new or gone, their account, tax and amounts."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

from onecore_sim.xero import chart, tax, tracking
from onecore_sim.xero.desk import Desk, new_id
from onecore_sim.xero.state import Account, Contact, Line
from onecore_sim.xero.wire import read_number, read_object, read_text

LONGEST_DESCRIPTION = 4000
LONGEST_QUANTITY = 13
LARGEST_AMOUNT = Decimal("9999999999.99")


@dataclass(frozen=True, slots=True)
class Setting:
    """What the lines of one document share. `complete`: it is to be approved."""

    kind: str  # Exclusive, Inclusive, NoTax
    is_sale: bool
    is_credit: bool
    complete: bool
    contact: Contact | None


def read_lines(
    desk: Desk, sent: list[Any], before: list[Line], setting: Setting, errors: list[str]
) -> list[Line]:
    """The document's lines after an update [X 5.1].

    A line sent with the id of one that is there updates it and keeps what was not sent; one
    without an id is new; one that is there and was not sent is gone.
    """
    known = {line.id: line for line in before}
    lines = []
    for item in sent:
        entry = read_object(item, "LineItems")
        id_ = read_text(entry.get("LineItemID"), "LineItemID").lower()
        if id_ and id_ not in known:
            errors.append(f"The LineItemID {id_} is not a line of this document.")
            continue
        lines.append(_read_line(desk, entry, known.pop(id_, None), setting, errors))
    return lines


def again(desk: Desk, before: list[Line], setting: Setting, errors: list[str]) -> list[Line]:
    """The lines as they are, checked and taxed afresh under what the document says now."""
    return [_read_line(desk, {}, line, setting, errors) for line in before]


def _read_line(
    desk: Desk, entry: dict[str, Any], before: Line | None, setting: Setting, errors: list[str]
) -> Line:
    line = msgspec.structs.replace(before) if before else Line(id=new_id())
    if "Description" in entry:
        line.description = read_text(entry["Description"], "Description")
    if len(line.description) > LONGEST_DESCRIPTION:
        errors.append(f"A Description must not be longer than {LONGEST_DESCRIPTION} characters.")
    if "ItemCode" in entry:
        line.item_code = read_text(entry["ItemCode"], "ItemCode")
    if "Tracking" in entry:
        sent = entry["Tracking"] or []
        line.tracking = tracking.read_line_tracking(desk.org, sent, line.tracking, errors)
    _read_amount(desk, entry, line, setting, errors)
    account = _read_account(desk, entry, line, before, errors)
    _read_tax(desk, entry, line, before, account, setting, errors)
    if setting.complete:
        _check_complete(desk, line, account, errors)
    return line


def _read_amount(
    desk: Desk, entry: dict[str, Any], line: Line, setting: Setting, errors: list[str]
) -> None:
    quantity = read_number(entry.get("Quantity"), "Quantity")
    unit = read_number(entry.get("UnitAmount"), "UnitAmount")
    given = read_number(entry.get("LineAmount"), "LineAmount")
    if "DiscountRate" in entry:
        line.discount_percent = read_number(entry["DiscountRate"], "DiscountRate")
    if line.discount_percent and (not setting.is_sale or setting.is_credit):
        errors.append("A discount can only be given on a sales invoice.")
    if quantity is not None:
        if len(str(quantity)) > LONGEST_QUANTITY:
            errors.append(f"A Quantity must not be longer than {LONGEST_QUANTITY} characters.")
        line.quantity = quantity
    if unit is not None:
        line.unit = _unit(desk, unit)
    if line.unit is None and given is not None:
        line.quantity = line.quantity or Decimal(1)
        line.unit = _unit(desk, given / line.quantity)
    if line.unit is None:
        line.amount = Decimal("0.00")
        return
    if quantity is None and not line.quantity and "Quantity" not in entry:
        line.quantity = Decimal(1)
    line.amount = tax.line_amount(
        line.quantity, line.unit, line.discount_percent, desk.rules.rounding
    )
    if given is not None and given != line.amount:
        errors.append(
            f"The line total {given} does not match the expected line total {line.amount}"
        )
    if abs(line.amount) > LARGEST_AMOUNT:
        errors.append(f"A LineAmount must not be over {LARGEST_AMOUNT:,}.")
    if not line.amount and not desk.rules.zero_amount_lines:
        errors.append("A line amount of 0.00 is not valid.")


def _unit(desk: Desk, unit: Decimal) -> Decimal:
    """Two decimals are kept unless the request asked for four by unitdp."""
    return desk.rules.rounding.to(unit, Decimal(1).scaleb(-desk.unit_places))


def _read_account(
    desk: Desk, entry: dict[str, Any], line: Line, before: Line | None, errors: list[str]
) -> Account | None:
    if id_ := read_text(entry.get("AccountID"), "AccountID").lower():
        named = desk.org.accounts.get(id_)
        line.account_code = named.code if named else id_
    if "AccountCode" in entry:
        line.account_code = read_text(entry["AccountCode"], "AccountCode")
    if not line.account_code:
        return None
    account = desk.org.account(line.account_code)
    kept = before is not None and before.account_code == line.account_code
    if account is None or not chart.may_be_on_a_line(account):
        errors.append(f"Account code '{line.account_code}' is not a valid code for this document.")
        return None
    if account.status != "ACTIVE" and not kept:
        errors.append(
            f"Account code '{line.account_code}' has been archived, or has been deleted. "
            "Each line item must reference a valid account."
        )
    return account


def _read_tax(
    desk: Desk,
    entry: dict[str, Any],
    line: Line,
    before: Line | None,
    account: Account | None,
    setting: Setting,
    errors: list[str],
) -> None:
    if entry.get("TaxType"):
        line.tax_type = read_text(entry["TaxType"], "TaxType")
    elif not line.tax_type or (before and before.tax_type == "NONE" and setting.kind != "NoTax"):
        line.tax_type = _default_tax(desk, account, setting)
    given = read_number(entry.get("TaxAmount"), "TaxAmount")
    if setting.kind == "NoTax" or not line.tax_type:
        line.tax_type = "NONE" if setting.kind == "NoTax" else ""
        line.tax, line.tax_given = Decimal("0.00"), False
        return
    rate = desk.org.tax_rate(line.tax_type)
    if rate is None:
        errors.append(
            f"The TaxType code '{line.tax_type}' does not exist or cannot be used for this type "
            "of transaction."
        )
        return
    if account and not tax.suits(rate, chart.class_of(account)):
        errors.append(
            f"The TaxType code '{line.tax_type}' cannot be used with account code '{account.code}'."
        )
    if given is not None and desk.rules.tax_amount_override:
        line.tax, line.tax_given = desk.rules.rounding.cents(given), True
    elif line.tax_given and before and _taxed_alike(line, before):
        line.tax = before.tax
    else:
        line.tax = tax.line_tax(line.amount, rate.percent, setting.kind, desk.rules.rounding)
        line.tax_given = False


def _taxed_alike(line: Line, before: Line) -> bool:
    return (line.amount, line.tax_type) == (before.amount, before.tax_type)


def _default_tax(desk: Desk, account: Account | None, setting: Setting) -> str:
    own = account.tax_type if account else ""
    theirs = ""
    if setting.contact:
        contact = setting.contact
        theirs = contact.receivable_tax_type if setting.is_sale else contact.payable_tax_type
    return (theirs or own) if desk.rules.contact_tax_default_wins else (own or theirs)


def _check_complete(desk: Desk, line: Line, account: Account | None, errors: list[str]) -> None:
    """A line of a document to be approved: a text alone, or a text with an account."""
    if not line.description.strip():
        errors.append("A line needs a Description of 1 to 4000 characters.")
    if line.unit is not None and account is None and not line.account_code:
        errors.append("Account code '' is not a valid code for this document.")
