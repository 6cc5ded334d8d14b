"""One document's plan, shown before anything is sent."""

from typing import TYPE_CHECKING

import click

from onecore.cli.output import money, table

if TYPE_CHECKING:
    from onecore.domain.documents import Bill
    from onecore.engine.use.looking import Preview


def preview_told(found: "Preview") -> dict[str, object]:
    """The shape scripts rely on; money is exact text."""
    totals = found.totals
    return {
        "ref": str(found.ref),
        "step": found.step,
        "explanation": found.explanation,
        "gaps": [{"code": g.code, "subject": g.subject, "detail": g.detail} for g in found.gaps],
        "target": _bill(found.wanted) if found.wanted is not None else None,
        "target_id": str(found.posted.id) if found.posted is not None else None,
        "totals": None
        if totals is None
        else {"net": money(totals.net), "tax": money(totals.tax), "gross": money(totals.gross)},
        "journal": [
            {
                "account": j.account,
                "name": j.name,
                "debit": money(j.debit),
                "credit": money(j.credit),
            }
            for j in found.journal
        ],
        "fields": [
            {"field": name, "wanted": wanted, "in_xero": there}
            for name, wanted, there in found.fields
        ],
    }


def _bill(bill: "Bill") -> dict[str, object]:
    return {
        "kind": "bill",
        "contact": str(bill.contact),
        "number": bill.number,
        "date": bill.bill_date,
        "due_date": bill.due_date,
        "status": bill.status.value,
        "currency": bill.currency,
        "url": bill.url,
        "lines": [
            {
                "key": line.key,
                "account": line.account,
                "description": line.description,
                "amount": money(line.amount),
                "tax_type": line.tax_type,
                "tax_amount": None if line.tax_amount is None else money(line.tax_amount),
                "tracking": [
                    {"category": t.category_name, "option": t.option_name} for t in line.tracking
                ],
            }
            for line in bill.lines
        ],
    }


def show_preview(found: "Preview") -> None:
    """The plan for a person: the step, what is missing, the bill, the journal."""
    click.echo(f"{found.ref}: {found.step}. {found.explanation}")
    for gap in found.gaps:
        click.echo(f"  {gap.code} {gap.subject}: {gap.detail}")
    for name, wanted, there in found.fields:
        click.echo(f"  {name}: {there or 'nothing'} in Xero, {wanted or 'nothing'} wanted")
    if found.wanted is None:
        return
    bill = found.wanted
    click.echo(f"Bill {bill.number} of {bill.bill_date}, due {bill.due_date}, {bill.status.value}")
    rows = [
        (line.account, line.description, f"{line.amount:,.2f}", line.tax_type)
        for line in bill.lines
    ]
    table(("account", "description", "amount", "tax type"), rows)
    if found.totals is not None:
        totals = found.totals
        click.echo(f"Net {totals.net:,.2f}, tax {totals.tax:,.2f}, gross {totals.gross:,.2f}")
    journal = [(j.account, j.name, f"{j.debit:,.2f}", f"{j.credit:,.2f}") for j in found.journal]
    table(("account", "name", "debit", "credit"), journal)
