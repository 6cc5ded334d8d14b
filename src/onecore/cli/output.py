"""Showing what a command found: JSON for scripts, tables for people, plain text when piped."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import click
import msgspec

Cell = object
_encoder = msgspec.json.Encoder(decimal_format="string", order=None)


def as_json(value: object) -> str:
    """JSON on indented lines; money is text, instants are ISO 8601 in UTC."""
    return msgspec.json.format(_encoder.encode(value), indent=2).decode()


@dataclass(frozen=True, slots=True)
class Output:
    """Where a command shows what it found."""

    json: bool = False

    def show(self, value: object, human: Callable[[], None]) -> None:
        """The value as JSON, or whatever `human` prints."""
        if self.json:
            click.echo(as_json(value))
        else:
            human()

    def note(self, text: str) -> None:
        """Something a person may want to know meanwhile; never on standard output."""
        if not self.json:
            click.echo(text, err=True)


def table(columns: Sequence[str], rows: Sequence[Sequence[Cell]], none: str = "None.") -> None:
    """Rows under their columns: drawn on a terminal, separated by tabs when piped."""
    if not rows:
        click.echo(none)
        return
    texts = [["" if cell is None else str(cell) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        for row in [list(columns), *texts]:
            click.echo("\t".join(cell.replace("\t", " ").replace("\n", " ") for cell in row))
        return
    from rich.console import Console  # noqa: PLC0415 - slow to load, and only for terminals
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        drawn.add_column(column, overflow="fold")
    for row in texts:
        drawn.add_row(*[Text(cell) for cell in row])
    Console(highlight=False).print(drawn)


def facts(pairs: Sequence[tuple[str, Cell]]) -> None:
    """Names and values, one on each line."""
    width = max((len(name) for name, _ in pairs), default=0)
    for name, value in pairs:
        click.echo(f"{name + ':':<{width + 1}} {'' if value is None else value}".rstrip())


def money(amount: Decimal) -> str:
    """An exact amount as text, with at least two decimals."""
    exponent = amount.as_tuple().exponent
    return f"{amount:.2f}" if not isinstance(exponent, int) or exponent > -2 else f"{amount:f}"


def plural(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"


def error(message: str, json: bool) -> None:
    """One clear message on standard error, and for scripts on standard output too."""
    click.echo(message, err=True)
    if json:
        payload: dict[str, Any] = {"error": message}
        click.echo(as_json(payload))
