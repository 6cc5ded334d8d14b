"""The body of an update: our values for the fields to send, the other side's for the rest."""

from collections.abc import Mapping, Set
from dataclasses import replace
from decimal import Decimal

from onecore.domain.documents import Bill, BillLine, BillStatus, PostedBill, PostedLine
from onecore.domain.ids import BillLineId, TaxType
from onecore.sync.fields import key_of


def merged(
    wanted: Bill,
    posted: PostedBill,
    line_keys: Mapping[BillLineId, str],
    send: Set[str],
    retaxed: Mapping[str, TaxType] | None = None,
) -> tuple[Bill, dict[str, BillLineId], tuple[PostedLine, ...]]:
    """The bill to send, the ids of its known lines, and foreign lines that stay as they are.

    Xero deletes lines that are not sent [X 5.1], so every line that should stay is in the result.
    A foreign line (added there by a person) stays unless its amount is to be restored away, and
    a line taken away there stays away unless its amount is to be sent. `retaxed` are tax types,
    by line key, to be sent where ours would leave the choice to Xero.
    """
    by_key = {key_of(line, line_keys): line for line in posted.lines}
    lines: list[BillLine] = []
    ids: dict[str, BillLineId] = {}
    for line in wanted.lines:
        there = by_key.get(line.key)
        if there is None:
            if f"line.{line.key}.amount" in send:
                lines.append(line)
            continue
        ids[line.key] = there.id
        lines.append(_merged_line(line, there, send, (retaxed or {}).get(line.key)))
    wanted_keys = {line.key for line in wanted.lines}
    kept = tuple(
        line
        for key, line in by_key.items()
        if key not in wanted_keys and f"line.{key}.amount" not in send
    )
    bill = replace(
        wanted,
        contact=wanted.contact if "contact" in send else posted.contact,
        number=wanted.number if "number" in send else posted.number,
        bill_date=wanted.bill_date if "bill_date" in send else posted.bill_date,
        due_date=wanted.due_date
        if "due_date" in send or posted.due_date is None
        else posted.due_date,
        status=_status(posted, wanted),
        lines=tuple(lines),
    )
    return bill, ids, kept


def _status(posted: PostedBill, wanted: Bill) -> BillStatus:
    """The status there now: an update neither approves nor sends back what people moved on."""
    try:
        return BillStatus(posted.status)
    except ValueError:
        return wanted.status


def _merged_line(
    line: BillLine, there: PostedLine, send: Set[str], retaxed: TaxType | None
) -> BillLine:
    def ours(part: str) -> bool:
        return f"line.{line.key}.{part}" in send

    amount = line.amount if ours("amount") else there.amount
    tax_type = retaxed or (line.tax_type if ours("tax") else there.tax_type)
    return BillLine(
        key=line.key,
        description=line.description if ours("description") else there.description,
        account=line.account if ours("account") or there.account is None else there.account,
        amount=amount,
        tax_type=tax_type,
        tracking=line.tracking if ours("tracking") else there.tracking,
        tax_amount=_tax_amount(line, there, amount, tax_type),
    )


def _tax_amount(
    line: BillLine, there: PostedLine, amount: Decimal, tax_type: TaxType | None
) -> Decimal | None:
    """The tax to send: ours where we reckoned it, what stands there while its base stands, since
    a bookkeeper may have typed the supplier's cent."""
    if line.tax_amount is not None and amount == line.amount:
        return line.tax_amount
    if tax_type is not None and (amount, tax_type) == (there.amount, there.tax_type):
        return there.tax_amount
    return None
