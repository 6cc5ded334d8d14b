"""Small pieces of markup the pages are made of; everything from the state is escaped here."""

import html
from collections.abc import Iterable, Sequence
from decimal import Decimal

from onecore_sim.procore.state import ClaimItem


def text(value: object) -> str:
    return html.escape("" if value is None else str(value))


def link(href: str, label: object) -> str:
    return f'<a href="{html.escape(href)}">{text(label)}</a>'


def dollars(amount: Decimal) -> str:
    return f"{amount:,.2f}"


def number(amount: Decimal) -> str:
    """A table cell with an amount."""
    return f'<td class="number">{dollars(amount)}</td>'


def status(value: str) -> str:
    return f'<span class="status">{text(value.replace("_", " "))}</span>'


def table(heads: Sequence[str], rows: Iterable[str], caption: str) -> str:
    """A table; a head that starts with # is for numbers, `rows` are ready <tr>s."""
    head = "".join(
        f'<th scope="col" class="number">{text(h[1:])}</th>'
        if h.startswith("#")
        else f'<th scope="col">{text(h)}</th>'
        for h in heads
    )
    body = "".join(rows) or f'<tr><td colspan="{len(heads)}">None</td></tr>'
    return (
        f'<div class="scroll"><table aria-label="{text(caption)}"><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def row(*cells: str) -> str:
    """A row; cells that are not <td>s yet are made so."""
    return "<tr>" + "".join(c if c.startswith("<td") else f"<td>{c}</td>" for c in cells) + "</tr>"


def button(label: str, name: str = "", value: str = "", *, quiet: bool = False) -> str:
    which = f' name="{text(name)}" value="{text(value)}"' if name else ""
    look = ' class="quiet"' if quiet else ""
    return f'<button type="submit"{which}{look}>{text(label)}</button>'


def form(action: str, inside: str, *, inline: bool = False) -> str:
    look = ' class="inline"' if inline else ""
    return f'<form method="post" action="{html.escape(action)}"{look}>{inside}</form>'


def amount_input(name: str, label: str, value: Decimal | None = None) -> str:
    shown = "" if value is None else f"{value:.2f}"
    return (
        f'<input class="amount" name="{text(name)}" aria-label="{text(label)}" '
        f'inputmode="decimal" value="{shown}">'
    )


LINE_FIELDS = (
    ("work", "Work this period"),
    ("new_materials", "New materials"),
    ("materials_moved", "Materials moved"),
    ("work_released", "Work retainage released"),
    ("materials_released", "Materials retainage released"),
)


def line_inputs(line_id: int, description: str, item: ClaimItem | None) -> str:
    """The cells with what a person enters for one line."""
    cells = []
    for field, label in LINE_FIELDS:
        value = getattr(item, field) if item else Decimal(0)
        inside = amount_input(f"{field}-{line_id}", f"{label}: {description}", value)
        cells.append(f'<td class="number">{inside}</td>')
    return "".join(cells)
