"""Charts of accounts: the defaults of a country, classes of types, and changes to accounts."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from onecore_sim.xero.desk import NOT_FOUND, Desk, Refused, new_id
from onecore_sim.xero.state import Account, Organisation
from onecore_sim.xero.tax import USUAL
from onecore_sim.xero.wire import read_flag, read_text

CLASSES = {
    "BANK": "ASSET", "CURRENT": "ASSET", "FIXED": "ASSET", "INVENTORY": "ASSET",
    "NONCURRENT": "ASSET", "PREPAYMENT": "ASSET",
    "CURRLIAB": "LIABILITY", "LIABILITY": "LIABILITY", "TERMLIAB": "LIABILITY", "PAYG": "LIABILITY",
    "EQUITY": "EQUITY",
    "DEPRECIATN": "EXPENSE", "DIRECTCOSTS": "EXPENSE", "EXPENSE": "EXPENSE", "OVERHEADS": "EXPENSE",
    "OTHERINCOME": "REVENUE", "REVENUE": "REVENUE", "SALES": "REVENUE",
}  # fmt: skip
CONTROL = {"DEBTORS", "CREDITORS"}  # documents post to these by themselves, never by a line

# code, name, type, tax (x expenses, r income, n none), system account. Some of the Australian
# codes are general knowledge and UNCONFIRMED [X 11.2].
Row = tuple[str, str, str, str, str | None]
AU_CHART: tuple[Row, ...] = (
    ("090", "Business Bank Account", "BANK", "n", None),
    ("091", "Business Savings Account", "BANK", "n", None),
    ("200", "Sales", "REVENUE", "r", None),
    ("260", "Other Revenue", "REVENUE", "r", None),
    ("270", "Interest Income", "REVENUE", "n", None),
    ("310", "Cost of Goods Sold", "DIRECTCOSTS", "x", None),
    ("400", "Advertising", "EXPENSE", "x", None),
    ("404", "Bank Fees", "EXPENSE", "n", None),
    ("412", "Consulting & Accounting", "EXPENSE", "x", None),
    ("416", "Depreciation", "DEPRECIATN", "n", None),
    ("425", "Freight & Courier", "EXPENSE", "x", None),
    ("429", "General Expenses", "EXPENSE", "x", None),
    ("433", "Insurance", "EXPENSE", "x", None),
    ("441", "Legal Expenses", "EXPENSE", "x", None),
    ("445", "Light, Power, Heating", "EXPENSE", "x", None),
    ("449", "Motor Vehicle Expenses", "EXPENSE", "x", None),
    ("453", "Office Expenses", "EXPENSE", "x", None),
    ("461", "Printing & Stationery", "EXPENSE", "x", None),
    ("469", "Rent", "EXPENSE", "x", None),
    ("473", "Repairs and Maintenance", "EXPENSE", "x", None),
    ("477", "Wages and Salaries", "EXPENSE", "n", None),
    ("478", "Superannuation", "EXPENSE", "n", None),
    ("485", "Subscriptions", "EXPENSE", "x", None),
    ("489", "Telephone & Internet", "EXPENSE", "x", None),
    ("493", "Travel - National", "EXPENSE", "x", None),
    ("494", "Travel - International", "EXPENSE", "n", None),
    ("497", "Bank Revaluations", "EXPENSE", "n", "BANKCURRENCYGAIN"),
    ("498", "Unrealised Currency Gains", "EXPENSE", "n", "UNREALISEDCURRENCYGAIN"),
    ("499", "Realised Currency Gains", "EXPENSE", "n", "REALISEDCURRENCYGAIN"),
    ("505", "Income Tax Expense", "EXPENSE", "n", None),
    ("610", "Accounts Receivable", "CURRENT", "n", "DEBTORS"),
    ("620", "Prepayments", "PREPAYMENT", "n", None),
    ("630", "Inventory", "INVENTORY", "n", None),
    ("710", "Office Equipment", "FIXED", "x", None),
    ("711", "Less Accumulated Depreciation on Office Equipment", "FIXED", "n", None),
    ("720", "Computer Equipment", "FIXED", "x", None),
    ("721", "Less Accumulated Depreciation on Computer Equipment", "FIXED", "n", None),
    ("800", "Accounts Payable", "CURRLIAB", "n", "CREDITORS"),
    ("801", "Unpaid Expense Claims", "CURRLIAB", "n", "UNPAIDEXPCLM"),
    ("803", "Wages Payable", "CURRLIAB", "n", None),
    ("804", "Wages Payable - Payroll", "CURRLIAB", "n", "WAGEPAYABLES"),
    ("820", "GST", "CURRLIAB", "n", "GST"),
    ("825", "PAYG Withholdings Payable", "CURRLIAB", "n", None),
    ("826", "Superannuation Payable", "CURRLIAB", "n", None),
    ("830", "Income Tax Payable", "CURRLIAB", "n", None),
    ("840", "Historical Adjustment", "CURRLIAB", "n", "HISTORICAL"),
    ("850", "Suspense", "CURRLIAB", "n", None),
    ("860", "Rounding", "CURRLIAB", "n", "ROUNDING"),
    ("877", "Tracking Transfers", "CURRLIAB", "n", "TRACKINGTRANSFERS"),
    ("880", "Owner A Drawings", "CURRLIAB", "n", None),
    ("881", "Owner A Funds Introduced", "CURRLIAB", "n", None),
    ("900", "Loan", "TERMLIAB", "n", None),
    ("960", "Retained Earnings", "EQUITY", "n", "RETAINEDEARNINGS"),
    ("970", "Owner A Share Capital", "EQUITY", "n", None),
)
MINIMAL_CODES = {"090", "200", "310", "400", "429", "469", "477", "610", "800", "820", "850", "860"}


def usual_tax(country: str, account_class: str) -> str:
    """The tax type accounts of that class get where nobody said otherwise."""
    expenses, income, untaxed = USUAL[country]
    return {"EXPENSE": expenses, "REVENUE": income}.get(account_class, untaxed)


def default_accounts(org_id: str, country: str, at: datetime) -> list[Account]:
    """The chart a new organisation has: the whole Australian one, a minimal one elsewhere."""
    expenses, income, untaxed = USUAL[country]
    taxes = {"x": expenses, "r": income, "n": untaxed}
    rows = AU_CHART if country == "AU" else [r for r in AU_CHART if r[0] in MINIMAL_CODES]
    return [
        Account(
            id=account_id(org_id, code),
            code=code,
            name="VAT" if code == "820" and country == "UK" else name,
            type=type_,
            tax_type=taxes[tax],
            system=system,
            payments_enabled=code in ("850", "880", "881"),
            bank_number="06200012345678" if type_ == "BANK" else "",
            updated_at=at,
        )
        for code, name, type_, tax, system in rows
    ]


def account_id(org_id: str, code: str) -> str:
    """The same id for the same code of the same organisation, so that seeds repeat."""
    return str(uuid5(NAMESPACE_URL, f"{org_id}/account/{code}"))


def class_of(account: Account) -> str:
    return CLASSES[account.type]


def may_be_on_a_line(account: Account) -> bool:
    return account.type != "BANK" and account.system not in CONTROL


def create(desk: Desk, sent: dict[str, Any]) -> Account:
    """A new account; Code, Name and Type are needed."""
    code = read_text(sent.get("Code"), "Code")
    name = read_text(sent.get("Name"), "Name")
    type_ = read_text(sent.get("Type"), "Type")
    errors = _name_errors(desk.org, desk.org.accounts.values(), code, name)
    if type_ not in CLASSES:
        errors.append("Please select a valid account type.")
        raise Refused(*errors)
    tax_type = read_text(sent.get("TaxType"), "TaxType")
    tax_type = tax_type or usual_tax(desk.org.country, CLASSES[type_])
    if desk.org.tax_rate(tax_type) is None:
        errors.append(f"TaxType code '{tax_type}' does not exist.")
    if type_ == "BANK" and not sent.get("BankAccountNumber"):
        errors.append("A bank account needs its BankAccountNumber.")
    if errors:
        raise Refused(*errors)
    account = Account(
        id=new_id(),
        code=code,
        name=name,
        type=type_,
        tax_type=tax_type,
        updated_at=desk.now,
        payments_enabled=read_flag(sent.get("EnablePaymentsToAccount", False), "Enable"),
        description=read_text(sent.get("Description"), "Description"),
        bank_number=read_text(sent.get("BankAccountNumber"), "BankAccountNumber"),
    )
    desk.org.accounts[account.id] = account
    return account


def update(desk: Desk, account_id: str, sent: dict[str, Any]) -> Account:
    """The account changed; Status may be ACTIVE or ARCHIVED, and nothing else with it."""
    account = desk.org.accounts.get(account_id)
    if account is None:
        raise Refused(NOT_FOUND)
    if (status := sent.get("Status")) and status != account.status:
        return set_status(desk, account, read_text(status, "Status"))
    code = read_text(sent.get("Code", account.code), "Code")
    name = read_text(sent.get("Name", account.name), "Name")
    others = [a for a in desk.org.accounts.values() if a is not account]
    if errors := _name_errors(desk.org, others, code, name):
        raise Refused(*errors)
    tax_type = read_text(sent.get("TaxType", account.tax_type), "TaxType")
    if desk.org.tax_rate(tax_type) is None:
        raise Refused(f"TaxType code '{tax_type}' does not exist.")
    account.code, account.name, account.tax_type = code, name, tax_type
    account.description = read_text(sent.get("Description", account.description), "Description")
    account.updated_at = desk.now
    return account


def set_status(desk: Desk, account: Account, status: str) -> Account:
    if account.system:
        raise Refused("You may not archive a system account.")
    if status not in ("ACTIVE", "ARCHIVED"):
        raise Refused(f"The status {status} cannot be given to an account.")
    account.status, account.updated_at = status, desk.now
    return account


def remove(desk: Desk, account_id: str) -> Account:
    """The account, gone; refused while a document uses it."""
    account = desk.org.accounts.get(account_id)
    if account is None:
        raise Refused(NOT_FOUND)
    documents = [*desk.org.invoices.values(), *desk.org.credit_notes.values()]
    used = any(line.account_code == account.code for d in documents for line in d.lines)
    paid = any(p.account_id == account.id for p in desk.org.payments.values())
    if account.system or used or paid:
        raise Refused("This account cannot be deleted because it is in use.")
    del desk.org.accounts[account.id]
    account.status = "DELETED"
    return account


def _name_errors(org: Organisation, others: Iterable[Account], code: str, name: str) -> list[str]:
    errors = []
    taken = list(others)
    if not code or len(code) > 10:
        errors.append("The account Code needs 1 to 10 characters.")
    elif any(a.code == code for a in taken):
        errors.append("Please enter a unique Code.")
    if not name or len(name) > 150:
        errors.append("The account Name needs 1 to 150 characters.")
    elif any(a.name.lower() == name.lower() and a.status == "ACTIVE" for a in taken):
        errors.append("Please enter a unique Name.")
    return errors
