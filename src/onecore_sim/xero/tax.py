"""Tax rates by country, and the arithmetic of lines, tax and totals [X 6, 11.1]."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

from onecore_sim.xero.state import Line, TaxRate

CLASS_LETTERS = {"ASSET": "A", "EQUITY": "E", "EXPENSE": "X", "LIABILITY": "L", "REVENUE": "R"}
ALL = "AEXLR"
SPENT = "AEXL"
EARNED = "AELR"
CENT = Decimal("0.01")

# tax type, name, percent, letters of the classes it may be used with, report tax type
Row = tuple[str, str, str, str, str | None]
AU: tuple[Row, ...] = (
    ("OUTPUT", "GST on Income", "10", EARNED, "OUTPUT"),
    ("INPUT", "GST on Expenses", "10", SPENT, "INPUT"),
    ("EXEMPTOUTPUT", "GST Free Income", "0", EARNED, "EXEMPTOUTPUT"),
    ("EXEMPTEXPENSES", "GST Free Expenses", "0", SPENT, "EXEMPTEXPENSES"),
    ("BASEXCLUDED", "BAS Excluded", "0", ALL, "BASEXCLUDED"),
    ("CAPEXINPUT", "GST on Capital", "10", SPENT, "CAPITALEXPENSESINPUT"),
    ("EXEMPTCAPITAL", "GST Free Capital", "0", SPENT, None),
    ("EXEMPTEXPORT", "GST Free Exports", "0", EARNED, None),
    ("INPUTTAXED", "Input Taxed", "0", ALL, "INPUTTAXED"),
    ("GSTONIMPORTS", "GST on Imports", "0", "L", "GSTONIMPORTS"),
    ("GSTONCAPIMPORTS", "GST on Capital Imports", "0", "L", None),
)
NZ: tuple[Row, ...] = (
    ("INPUT2", "15% GST on Expenses", "15", SPENT, "INPUT"),
    ("OUTPUT2", "15% GST on Income", "15", EARNED, "OUTPUT"),
    ("INPUT", "GST on Expenses", "12.5", SPENT, "INPUT"),
    ("OUTPUT", "GST on Income", "12.5", EARNED, "OUTPUT"),
    ("NONE", "No GST", "0", ALL, "NONE"),
    ("ZERORATED", "Zero Rated", "0", "LR", None),
    ("GSTONIMPORTS", "GST on Imports", "0", "AEL", "GSTONIMPORTS"),
)
UK: tuple[Row, ...] = (
    ("INPUT2", "20% (VAT on Expenses)", "20", SPENT, "INPUT"),
    ("OUTPUT2", "20% (VAT on Income)", "20", EARNED, "OUTPUT"),
    ("RRINPUT", "5% (VAT on Expenses)", "5", SPENT, "INPUT"),
    ("RROUTPUT", "5% (VAT on Income)", "5", EARNED, "OUTPUT"),
    ("ZERORATEDINPUT", "Zero Rated Expenses", "0", SPENT, None),
    ("ZERORATEDOUTPUT", "Zero Rated Income", "0", EARNED, None),
    ("EXEMPTINPUT", "Exempt Expenses", "0", SPENT, "EXEMPTINPUT"),
    ("EXEMPTOUTPUT", "Exempt Income", "0", EARNED, "EXEMPTOUTPUT"),
    ("NONE", "No VAT", "0", ALL, "NONE"),
    ("REVERSECHARGES", "Reverse Charge Expenses (20%)", "20", SPENT, None),
    ("CAPEXINPUT2", "20% (VAT on Capital Purchases)", "20", "A", "CAPITALEXPENSESINPUT"),
    ("CAPEXOUTPUT2", "20% (VAT on Capital Sales)", "20", "A", "CAPITALSALESOUTPUT"),
    ("DRCHARGE20", "Domestic Reverse Charge @ 20% (VAT on Income)", "0", EARNED, None),
    ("DRCHARGE5", "Domestic Reverse Charge @ 5% (VAT on Income)", "0", EARNED, None),
    ("DRCHARGESUPPLY20", "Domestic Reverse Charge @ 20% (VAT on Expenses)", "0", SPENT, None),
    ("DRCHARGESUPPLY5", "Domestic Reverse Charge @ 5% (VAT on Expenses)", "0", SPENT, None),
    ("GSTONIMPORTS", "VAT on Imports", "0", "L", "GSTONIMPORTS"),
)
US: tuple[Row, ...] = (
    ("INPUT", "Tax on Purchases", "0", ALL, "INPUT"),
    ("OUTPUT", "Tax on Sales", "0", ALL, "OUTPUT"),
    ("NONE", "Tax Exempt", "0", ALL, "NONE"),
    ("GSTONIMPORTS", "Sales Tax on Imports", "0", "L", "GSTONIMPORTS"),
)
COUNTRIES = {"AU": AU, "NZ": NZ, "UK": UK, "US": US}
# what bills, sales and everything else take in a country: expenses, income, untaxed
USUAL = {
    "AU": ("INPUT", "OUTPUT", "BASEXCLUDED"),
    "NZ": ("INPUT2", "OUTPUT2", "NONE"),
    "UK": ("INPUT2", "OUTPUT2", "NONE"),
    "US": ("INPUT", "OUTPUT", "NONE"),
}


def rates(country: str) -> list[TaxRate]:
    """The tax rates a new organisation of that country has."""
    return [
        TaxRate(
            tax_type=tax_type,
            name=name,
            percent=Decimal(percent),
            applies_to=letters,
            report_tax_type=report,
        )
        for tax_type, name, percent, letters, report in COUNTRIES[country]
    ]


def suits(rate: TaxRate, account_class: str) -> bool:
    return CLASS_LETTERS[account_class] in rate.applies_to


@dataclass(frozen=True, slots=True)
class Rounding:
    """How amounts come to cents. Xero does not say whether half goes up or to even."""

    half_even: bool = False

    def cents(self, amount: Decimal) -> Decimal:
        return self.to(amount, CENT)

    def to(self, amount: Decimal, step: Decimal) -> Decimal:
        mode = ROUND_HALF_EVEN if self.half_even else ROUND_HALF_UP
        return amount.quantize(step, mode) + 0  # adding nought turns -0.00 into 0.00


def line_amount(
    quantity: Decimal, unit: Decimal, discount_percent: Decimal | None, rounding: Rounding
) -> Decimal:
    """round2(quantity × unit × (100 − discount) / 100)."""
    full = quantity * unit
    if discount_percent:
        full = full * (100 - discount_percent) / 100
    return rounding.cents(full)


def line_tax(amount: Decimal, percent: Decimal, kind: str, rounding: Rounding) -> Decimal:
    """The tax on top of an exclusive amount, or inside an inclusive one."""
    if kind == "NoTax":
        return Decimal("0.00")
    base = Decimal(100) if kind == "Exclusive" else 100 + percent
    return rounding.cents(amount * percent / base)


@dataclass(frozen=True, slots=True)
class Totals:
    sub_total: Decimal
    tax: Decimal
    total: Decimal


def totals(lines: Sequence[Line], kind: str) -> Totals:
    """Sums of the lines, whose tax was already rounded one by one."""
    amount = sum((line.amount for line in lines), Decimal("0.00"))
    tax = sum((line.tax for line in lines), Decimal("0.00"))
    if kind == "Inclusive":
        return Totals(amount - tax, tax, amount)
    return Totals(amount, tax, amount + tax)
