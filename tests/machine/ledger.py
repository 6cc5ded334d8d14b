"""Xero as it is at one moment, read from the simulator's own state."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from onecore.domain.marks import Mark, read_mark
from tests.machine.books import ZERO, shown, with_tax

GONE = ("VOIDED", "DELETED")
RETENTION = "Retention "
"""How the text of a retention line begins."""


@dataclass(frozen=True, slots=True)
class Line:
    id: str
    text: str
    amount: Decimal
    account: str
    tax_type: str


@dataclass(frozen=True, slots=True)
class Bill:
    """A bill with what matters here; `paid` counts payments and credits put to it."""

    id: str
    status: str
    url: str
    number: str
    day: date
    due_date: date | None
    contact: str
    lines: tuple[Line, ...]
    net: Decimal
    total: Decimal
    paid: Decimal

    @property
    def lives(self) -> bool:
        return self.status not in GONE

    @property
    def is_posted(self) -> bool:
        return self.status in ("AUTHORISED", "PAID")

    @property
    def mark(self) -> Mark | None:
        return read_mark(self.url)

    @property
    def ref(self) -> str:
        """The claim the mark names, "" for a stranger's bill."""
        mark = self.mark
        return f"requisition:{mark.project}/{mark.requisition}" if mark else ""

    def adds_up(self) -> bool:
        """Whether the totals are those of the lines, each line's tax rounded by itself."""
        net = sum((line.amount for line in self.lines), ZERO)
        gross = sum((with_tax(line.amount, line.tax_type) for line in self.lines), ZERO)
        return (net, gross) == (self.net, self.total)

    def named(self, names: Mapping[str, str]) -> dict[str, Line]:
        """Lines by name: the text each was made with, which a bookkeeper may have reworded."""
        return {names.get(line.id, line.text): line for line in self.lines}

    def fields(self, names: Mapping[str, str]) -> dict[str, str]:
        """Each thing Procore owns on the bill, by the names the books give them."""
        values = {"number": self.number, "date": self.day.isoformat(), "contact": self.contact}
        retention = ZERO
        for line in self.lines:
            name = names.get(line.id, line.text)
            if name.startswith(RETENTION):
                retention += line.amount
            else:
                key = f"line {name}"
                values[key] = shown(Decimal(values.get(key, "0")) + line.amount)
        if retention:
            values["retention"] = shown(retention)
        return values

    def taxes(self, names: Mapping[str, str]) -> dict[str, str]:
        """Tax types of the lines of work, by name."""
        return {names.get(line.id, line.text): line.tax_type for line in self.lines}


@dataclass(frozen=True, slots=True)
class Ledger:
    bills: tuple[Bill, ...]
    contacts: Mapping[str, Mapping[str, Any]]
    payments: Mapping[str, Mapping[str, Any]]
    locked_until: date | None

    @classmethod
    def of(cls, state: Any) -> "Ledger":
        (organisation,) = state["organisations"].values()
        locks = [organisation.get("period_lock"), organisation.get("year_lock")]
        days = [date.fromisoformat(day) for day in locks if day]
        return cls(
            bills=tuple(
                _bill(row) for row in organisation["invoices"].values() if row["type"] == "ACCPAY"
            ),
            contacts=organisation["contacts"],
            payments=organisation["payments"],
            locked_until=max(days, default=None),
        )

    def of_claim(self, ref: str, living: bool = True) -> list[Bill]:
        """Bills that carry the claim's mark, whatever their version."""
        return [b for b in self.bills if b.ref == ref and (b.lives or not living)]

    def bill(self, id_: str) -> Bill | None:
        return next((bill for bill in self.bills if bill.id == id_), None)

    def contact_now(self, id_: str) -> str:
        """The contact an id stands for once merges are followed."""
        seen: set[str] = set()
        while (merged := self.contacts[id_].get("merged_to")) and id_ not in seen:
            seen.add(id_)
            id_ = merged
        return id_

    def is_archived(self, id_: str) -> bool:
        status: str = self.contacts[id_].get("status", "ACTIVE")
        return status != "ACTIVE"


def _bill(row: Mapping[str, Any]) -> Bill:
    return Bill(
        id=row["id"],
        status=row["status"],
        url=row["url"] or "",
        number=row["number"],
        day=date.fromisoformat(row["date"]),
        due_date=date.fromisoformat(row["due_date"]) if row["due_date"] else None,
        contact=row["contact_id"],
        lines=tuple(
            Line(x["id"], x["description"], Decimal(str(x["amount"])), x["account_code"],
                 x["tax_type"])
            for x in row["lines"]
        ),
        net=Decimal(str(row["sub_total"])),
        total=Decimal(str(row["total"])),
        paid=Decimal(str(row["paid"])) + Decimal(str(row["credited"])),
    )  # fmt: skip
