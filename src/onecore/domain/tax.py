"""Tax types, and the tax Xero will reckon: per line, half away from zero, then summed [X 6]."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from onecore.domain.chart import Account, AccountClass, Chart, Contact
from onecore.domain.documents import Bill, BillLine, PostedBill, RequisitionLine
from onecore.domain.gaps import Gap
from onecore.domain.ids import AccountCode, BillLineId, ContactId, ProjectId, TaxType
from onecore.domain.money import ZERO, Currency, rounded
from onecore.domain.settings import TaxOverride

_NO_TAX = {"AU": TaxType("BASEXCLUDED")}


@dataclass(frozen=True, slots=True)
class Totals:
    """What a bill comes to: ex tax, tax, and both together."""

    net: Decimal
    tax: Decimal
    gross: Decimal


@dataclass(frozen=True, slots=True)
class JournalLine:
    """One side of an entry in the books; one of debit and credit is zero."""

    account: str
    name: str
    debit: Decimal
    credit: Decimal


# --- which type -------------------------------------------------------------------------------


def no_tax_type(country: str) -> TaxType:
    """The type that keeps a line out of tax altogether in a country's books [X 11.1]."""
    return _NO_TAX.get(country, TaxType("NONE"))


def override_for(
    line: RequisitionLine,
    account: AccountCode,
    contact: ContactId | None,
    project: ProjectId,
    chart: Chart,
) -> TaxType | None:
    """The explicit type of a line, from the override with the most fields set that all match.

    Among as many fields the contact counts most, then account, cost type and project. A row by
    Procore tax code matches nothing here: a claim's line does not carry one.
    """

    def matches(row: TaxOverride) -> bool:
        return (
            row.side == "payable"
            and row.tax_code is None
            and row.contact in (None, contact)
            and row.account in (None, account)
            and row.cost_type in (None, line.cost_type)
            and row.project in (None, project)
            and row.organisation in (None, chart.organisation.id)
        )

    fitting = [row for row in chart.settings.tax_overrides if matches(row)]
    best = max(fitting, key=_specificity, default=None)
    return best.tax_type if best else None


def _specificity(row: TaxOverride) -> tuple[int, bool, bool, bool, bool, bool]:
    named = (row.contact, row.account, row.cost_type, row.project)
    by = [field is not None for field in named]
    return sum(by), by[0], by[1], by[2], by[3], row.organisation is not None


def default_type(
    account: Account, contact: Contact | None, contact_wins: bool = False
) -> TaxType | None:
    """The type Xero puts on a line sent without one, or None when neither side has a default.

    Which of account and contact wins is not documented; the account is assumed, and
    `contact_wins` turns it round.
    """
    by_contact = contact.payable_tax_type if contact else None
    if contact_wins:
        return by_contact or account.tax_type
    return account.tax_type or by_contact


def misfit(
    tax_type: TaxType, account: Account, chart: Chart, code: str = "tax_unfit"
) -> Gap | None:
    """The gap of a type that is not to be had, or cannot be used with the account's class.

    `code` is the gap's for the second case; the first is always "tax_unknown".
    """
    rate = chart.tax_rates.get(tax_type)
    if rate is None or not rate.active:
        how = "There is no" if rate is None else "No longer active is the"
        return Gap("tax_unknown", tax_type, f"{how} tax rate {tax_type} in Xero.")
    if account.klass in rate.classes or account.klass is AccountClass.UNKNOWN:
        return None
    return Gap(
        code,
        f"{tax_type}/{account.code}",
        f"The tax rate {rate.name} ({tax_type}) cannot be used with account {account.code} "
        f"{account.name}, which is of class {account.klass.lower()}.",
    )


def types_read(
    posted: PostedBill | None, line_keys: Mapping[BillLineId, str] | None
) -> dict[str, TaxType]:
    """The tax types Xero has now on our own lines, by line key; a bookkeeper may have changed them.

    `line_keys` are the keys of the bill's lines as the link remembers them.
    """
    if posted is None or line_keys is None:
        return {}
    return {
        line_keys[line.id]: line.tax_type
        for line in posted.lines
        if line.id in line_keys and line.tax_type
    }


# --- how much ---------------------------------------------------------------------------------


def line_tax(amount: Decimal, percent: Decimal, currency: Currency | None = None) -> Decimal:
    """Tax on one line's amount ex tax, rounded by itself."""
    return rounded(amount * percent / 100, currency)


def predicted_totals(
    bill: Bill,
    chart: Chart,
    read: Mapping[str, TaxType] | None = None,
    contact_wins: bool = False,
) -> Totals:
    """What Xero will make of the bill. `read` are types of its lines that Xero has already.

    A line whose type or rate is not known counts without tax.
    """
    net = rounded(bill.net, bill.currency)
    taxes = (_tax_of(line, bill, chart, read or {}, contact_wins) for line in bill.lines)
    tax = rounded(sum(taxes, ZERO), bill.currency)
    return Totals(net, tax, net + tax)


def with_document_cents(
    bill: Bill,
    chart: Chart,
    read: Mapping[str, TaxType] | None = None,
    contact_wins: bool = False,
) -> Bill:
    """The bill with its tax as a supplier prints it: at each rate, round2(net × rate).

    The cents that rounding line by line moves are put right on the largest line of that rate,
    which then carries an explicit tax amount; the other lines are left to Xero.
    """
    by_rate: dict[Decimal, list[BillLine]] = {}
    for line in bill.lines:
        percent = _percent_of(line, bill, chart, read or {}, contact_wins)
        if percent:
            by_rate.setdefault(percent, []).append(line)
    moved: dict[str, Decimal] = {}
    for percent, lines in by_rate.items():
        together = line_tax(sum((x.amount for x in lines), ZERO), percent, bill.currency)
        apart = sum((line_tax(x.amount, percent, bill.currency) for x in lines), ZERO)
        if together != apart:
            largest = max(lines, key=lambda x: abs(x.amount))
            own = line_tax(largest.amount, percent, bill.currency)
            moved[largest.key] = own + together - apart
    if not moved:
        return bill
    lines_out = tuple(
        replace(x, tax_amount=moved[x.key]) if x.key in moved else x for x in bill.lines
    )
    return replace(bill, lines=lines_out)


def journal(
    bill: Bill,
    chart: Chart,
    read: Mapping[str, TaxType] | None = None,
    contact_wins: bool = False,
) -> tuple[JournalLine, ...]:
    """The entry Xero makes when the bill is approved: costs, tax, retention, then what is owed.

    Amounts on the same account are one line. Accounts of tax and payables are the organisation's
    own; one without a code is shown by name alone.
    """
    by_account: dict[AccountCode, Decimal] = {}
    for line in sorted(bill.lines, key=_is_retention):
        by_account[line.account] = by_account.get(line.account, ZERO) + line.amount
    totals = predicted_totals(bill, chart, read, contact_wins)
    retention = {line.account for line in bill.lines if _is_retention(line)}
    rows: list[tuple[str, str, Decimal]] = [
        (code, _name_of(code, chart), amount)
        for code, amount in by_account.items()
        if code not in retention
    ]
    rows.append((*_system("GST", "Tax", chart), totals.tax))
    rows += [
        (code, _name_of(code, chart), amount)
        for code, amount in by_account.items()
        if code in retention
    ]
    rows.append((*_system("CREDITORS", "Accounts payable", chart), -totals.gross))
    return tuple(_side(code, name, amount) for code, name, amount in rows if amount)


def _is_retention(line: BillLine) -> bool:
    return line.key.startswith("retention:")


def _name_of(code: AccountCode, chart: Chart) -> str:
    account = chart.accounts.get(code)
    return account.name if account else ""


def _system(system: str, otherwise: str, chart: Chart) -> tuple[str, str]:
    for account in chart.accounts.values():
        if account.system == system and account.active:
            return account.code, account.name
    return "", otherwise


def _side(code: str, name: str, amount: Decimal) -> JournalLine:
    exact = rounded(amount)
    return JournalLine(code, name, max(exact, ZERO), max(-exact, ZERO))


def _tax_of(
    line: BillLine, bill: Bill, chart: Chart, read: Mapping[str, TaxType], contact_wins: bool
) -> Decimal:
    if line.tax_amount is not None:
        return line.tax_amount
    percent = _percent_of(line, bill, chart, read, contact_wins)
    return line_tax(line.amount, percent, bill.currency)


def _percent_of(
    line: BillLine, bill: Bill, chart: Chart, read: Mapping[str, TaxType], contact_wins: bool
) -> Decimal:
    tax_type = line.tax_type or read.get(line.key)
    if tax_type is None:
        account = chart.accounts.get(line.account)
        contact = chart.contacts.get(bill.contact)
        tax_type = default_type(account, contact, contact_wins) if account else None
    rate = chart.tax_rates.get(tax_type) if tax_type else None
    return rate.rate if rate else ZERO
