"""What the books should be, reckoned from the claims alone: none of the product's code is used.

The figures follow the trade's own rules: work and materials of the period go on one line each,
retention is a percentage of each, held back up to a ceiling over the contract, releases give it
back. Under the method `line` a bill shows the work in full and the retention as a line of its
own; under `net` each line is work less retention.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

ZERO = Decimal(0)
TAX_RATES = {"INPUT": Decimal(10), "EXEMPTEXPENSES": ZERO, "BASEXCLUDED": ZERO}
"""Percent by the tax types these books use."""
USUAL_TAX = "INPUT"
POSTED = ("approved",)
"""Statuses of a claim that is carried over."""


def cents(amount: Decimal) -> Decimal:
    """To the cent, half away from zero."""
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


@dataclass(slots=True)
class Entry:
    """What a person entered for one line of a claim, of this period."""

    work: Decimal = ZERO
    materials: Decimal = ZERO
    released: Decimal = ZERO

    @property
    def gross(self) -> Decimal:
        return self.work + self.materials


@dataclass(slots=True)
class Contract:
    """A commitment; `lines` are its line ids with their texts, each text its own."""

    id: int
    project: int
    number: str
    vendor: int
    percent: Decimal
    ceiling: Decimal | None
    method: str
    lines: dict[int, str]
    claims: list["Claim"] = field(default_factory=list)

    @property
    def living(self) -> list["Claim"]:
        return [claim for claim in self.claims if not claim.deleted]

    @property
    def newest(self) -> "Claim | None":
        """The one claim Procore lets people change."""
        return max(self.living, key=lambda claim: claim.number, default=None)

    def held(self, line: int) -> Decimal:
        """What is held back on a line after the newest claim."""
        held = ZERO
        for claim in self.living:
            held += claim.retained().get(line, ZERO)
            held -= claim.entries[line].released if line in claim.entries else ZERO
        return held


@dataclass(slots=True)
class Claim:
    """A claim as Procore has it, and what has happened to it so far."""

    id: int
    number: int
    contract: Contract
    invoice_number: str
    billing_date: date
    status: str
    entries: dict[int, Entry]
    deleted: bool = False
    ever_approved: bool = False
    left_approval: bool = False  # was taken out of approval at least once since

    @property
    def project(self) -> int:
        return self.contract.project

    @property
    def ref(self) -> str:
        return f"requisition:{self.project}/{self.id}"

    @property
    def posts(self) -> bool:
        return not self.deleted and self.status in POSTED

    @property
    def name(self) -> str:
        contract = self.contract
        return f"P{contract.project} {contract.number} claim {self.number} ({self.id})"

    @property
    def bill_number(self) -> str:
        return self.invoice_number or f"{self.contract.number}-{self.number}"

    def retained(self) -> dict[int, Decimal]:
        """Retention held back by this claim, by line: the contract's percentage of each amount
        entered, while there is room under the ceiling."""
        contract = self.contract
        room = None
        if contract.ceiling is not None:
            earlier = [c for c in contract.living if c.number < self.number]
            room = contract.ceiling - sum((sum(c.retained().values()) for c in earlier), ZERO)
        held: dict[int, Decimal] = {}
        for line in contract.lines:
            entry = self.entries.get(line, Entry())
            held[line] = ZERO
            for amount in (entry.work, entry.materials):
                one = cents(amount * contract.percent / 100)
                if room is not None:
                    one = min(one, max(room, ZERO))
                    room -= one
                held[line] += one
        return held

    def wanted(self) -> "Wanted":
        """The bill this claim should be, amounts by the text of the contract's line."""
        contract, retained = self.contract, self.retained()
        amounts: dict[str, Decimal] = {}
        retention: dict[str, Decimal] = {}
        for line, text in contract.lines.items():
            entry = self.entries.get(line, Entry())
            kept = retained[line] - entry.released
            amounts[text] = entry.gross - (kept if contract.method == "net" else ZERO)
            if contract.method == "line":
                retention[text] = -kept
        return Wanted(
            number=self.bill_number,
            date=self.billing_date,
            amounts={text: amount for text, amount in amounts.items() if amount},
            retention={text: amount for text, amount in retention.items() if amount},
            idle=not any(
                [*(e.gross or e.released for e in self.entries.values()), *retained.values()]
            ),
        )


@dataclass(frozen=True, slots=True)
class Wanted:
    """A bill as it should be, of what Procore owns but for the contact."""

    number: str
    date: date
    amounts: Mapping[str, Decimal]  # of work, by the line's text
    retention: Mapping[str, Decimal]  # by the text of the line it belongs to
    idle: bool  # nothing moved at all

    @property
    def net(self) -> Decimal:
        return sum([*self.amounts.values(), *self.retention.values()], ZERO)

    @property
    def is_due(self) -> bool:
        """Whether a bill shows anything: amounts that are not all zero."""
        return bool(self.amounts) or any(self.retention_by_tax({}).values())

    def retention_by_tax(self, taxes: Mapping[str, str]) -> dict[str, Decimal]:
        """One amount per tax type; `taxes` are the types that stand on the lines of work."""
        found: dict[str, Decimal] = {}
        for text, amount in self.retention.items():
            kind = taxes.get(text, USUAL_TAX)
            found[kind] = found.get(kind, ZERO) + amount
        return {kind: amount for kind, amount in found.items() if amount}

    def gross(self, taxes: Mapping[str, str]) -> Decimal:
        """The total with tax, each line's tax rounded by itself."""
        total = ZERO
        for text, amount in self.amounts.items():
            total += with_tax(amount, taxes.get(text, USUAL_TAX))
        for kind, amount in self.retention_by_tax(taxes).items():
            total += with_tax(amount, kind)
        return total

    def fields(self) -> dict[str, str]:
        """Each thing Procore owns on the bill, by a name of its own."""
        values = {"number": self.number, "date": self.date.isoformat()}
        values |= {f"line {text}": shown(amount) for text, amount in self.amounts.items()}
        retention = sum(self.retention.values(), ZERO)
        if retention:
            values["retention"] = shown(retention)
        return values


def with_tax(amount: Decimal, kind: str) -> Decimal:
    return amount + cents(amount * TAX_RATES[kind] / 100)


def shown(amount: Decimal) -> str:
    return f"{amount:.2f}"


@dataclass(slots=True)
class Books:
    """All contracts with their claims."""

    contracts: list[Contract] = field(default_factory=list)

    def claims(self) -> Iterator[Claim]:
        for contract in self.contracts:
            yield from contract.claims

    def claim(self, ref: str) -> Claim:
        return next(claim for claim in self.claims() if claim.ref == ref)
