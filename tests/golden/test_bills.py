"""Whole bills, previews and gaps as they stand today; a change shows as a diff to read."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion
from tests.unit.domain.books import (
    CONTACT,
    LABOUR,
    MATERIAL,
    chart,
    claim,
    line,
    side,
)

from onecore.domain.chart import Chart
from onecore.domain.documents import Bill, Requisition
from onecore.domain.gaps import Held
from onecore.domain.ids import AccountCode, TaxType
from onecore.domain.settings import (
    BillFlow,
    CodeRule,
    CostTypeRow,
    DueBase,
    DueRule,
    NumberRule,
    Policies,
    SecondTracking,
    TaxOverride,
    TrackingSettings,
)
from onecore.domain.tax import journal, predicted_totals
from onecore.domain.translate.bill import bill_from


def shown(requisition: Requisition, books: Chart) -> str:
    """A preview as text: the bill's head, lines, totals and journal, or its gaps."""
    made = bill_from(requisition, books)
    if isinstance(made, Held):
        return "\n".join(f"{gap.code} [{gap.subject}] {gap.detail}" for gap in made.gaps)
    if not isinstance(made, Bill):
        return repr(made)
    head = (
        f"{made.number}  dated {made.bill_date}  due {made.due_date}  {made.status}  "
        f"{made.currency or 'base currency'}\n{made.url}"
    )
    lines = [
        f"{x.key:40} {x.account:5} {x.amount:>12,.2f} {x.tax_type or '-':15} "
        f"{x.tax_amount if x.tax_amount is not None else '-':>8} "
        f"{', '.join(t.option_name for t in x.tracking) or '-':24} {x.description}"
        for x in made.lines
    ]
    totals = predicted_totals(made, books)
    entry = [
        f"{r.account:5} {r.name:20} {r.debit:>12,.2f} {r.credit:>12,.2f}"
        for r in journal(made, books)
    ]
    sums = f"net {totals.net:,.2f}  tax {totals.tax:,.2f}  total {totals.gross:,.2f}"
    return "\n".join([head, "", *lines, "", sums, "", *entry])


FULL = claim(
    line("64250.40", retained="6425.04", id=101, cost_type=LABOUR, description="Slab, labour"),
    line("18100.15", retained="1810.02", id=102, cost_type=MATERIAL, description="Slab, concrete"),
    line("2400", id=103, cost_code="01-400", description="Permits"),
    line("0", released="1200", id=104, cost_type=LABOUR, description="Footings"),
    line("-350", retained="-35", id=105, description="Back charge: clean-up"),
    line("0", id=106, description="Not started"),
    number=4,
)
TRACKED = {
    "tracking": TrackingSettings("Projects", SecondTracking("Cost Types", "cost_type")),
    "cost_types": (CostTypeRow(LABOUR, "Labour"), CostTypeRow(MATERIAL, "Material")),
    "codes": (
        CodeRule("03-300", expense=AccountCode("311")),
        CodeRule("03-300", cost_type=LABOUR, expense=AccountCode("320")),
        CodeRule("01-*", expense=AccountCode("312")),
    ),
}
CASES: dict[str, tuple[Requisition, Chart]] = {
    "by one retention line": (FULL, chart(**TRACKED)),
    "by a retention line per work line": (FULL, chart(**TRACKED, payable=side(lines="line"))),
    "on accounts for held and released": (
        FULL,
        chart(**TRACKED, payable=side(released_account=AccountCode("821R"))),
    ),
    "net": (FULL, chart(**TRACKED, payable=side("net"))),
    "untaxed retention": (FULL, chart(**TRACKED, payable=side(tax="none"))),
    "retention tracked by cost type": (
        FULL,
        chart(**TRACKED, payable=side(track=("project", "second"))),
    ),
    "cents as the supplier prints them": (
        FULL,
        chart(
            **TRACKED,
            payable=side(lines="line"),
            policies=Policies(tax_cents="document"),
        ),
    ),
    "shifted draft with a number of our own": (
        FULL,
        chart(
            **TRACKED,
            period_lock=date(2026, 7, 31),
            policies=Policies(locked_period="shift"),
            bill=BillFlow(
                status="DRAFT",
                number=NumberRule("rcti", "RCTI-"),
                due_date=DueRule(DueBase.DAY_OF_FOLLOWING_MONTH, 20),
            ),
        ),
    ),
    "reverse charge": (
        replace(FULL, lines=FULL.lines[:2], current_payment_due=Decimal("74115.49")),
        chart(
            "GB",
            **TRACKED,
            tax_overrides=(TaxOverride(TaxType("TAX017"), contact=CONTACT),),
        ),
    ),
    "wholly retained": (claim(line("4000", retained="4000")), chart()),
    "wholly retained, net": (claim(line("4000", retained="4000")), chart(payable=side("net"))),
    "every gap": (
        replace(FULL, current_payment_due=Decimal(1), billing_date=None),
        chart(
            codes=(),
            vendors=(),
            payable=side(account=None),
            tracking=TrackingSettings("Jobs", SecondTracking("Cost Types", "cost_type")),
        ),
    ),
    "below zero": (claim(line("-500", retained="-50")), chart()),
}


@pytest.mark.parametrize("name", CASES)
def test_preview(name: str, snapshot: SnapshotAssertion) -> None:
    assert shown(*CASES[name]) == snapshot
