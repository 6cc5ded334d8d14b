"""The proof: both simulators read whole, and for every claim what its bills must be.

Nothing here looks into OneCore's tables but for `states`, which must tell the same story.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from bench.chaos.hands import Claim
from onecore.domain.marks import read_mark

GONE = ("VOIDED", "DELETED")
ZERO = Decimal(0)
CENT = Decimal("0.01")
IN_STEP = "in_step"


@dataclass(frozen=True, slots=True)
class Rules:
    """The settings of the workspace that say what becomes of a claim taken back."""

    reopened: str = "keep"  # keep | void
    deleted: str = "ask"  # ask | void


@dataclass(frozen=True, slots=True)
class Bill:
    """One bill of ours as Xero has it."""

    id: str
    version: int
    status: str
    net: Decimal
    total: Decimal
    tax: Decimal
    is_paid: bool
    history: Sequence[Mapping[str, Any]] = field(repr=False, default=())

    @property
    def is_gone(self) -> bool:
        return self.status in GONE


Bills = dict[str, list[Bill]]


def bills_of(xero: Mapping[str, Any]) -> Bills:
    """Every bill that carries a mark of ours, those gone too, by the claim it names."""
    found: Bills = defaultdict(list)
    for organisation in xero["organisations"].values():
        for row in organisation["invoices"].values():
            mark = read_mark(row["url"] or "")
            if mark is not None:
                ref = f"requisition:{mark.project}/{mark.requisition}"
                found[ref].append(_bill(row, mark.version))
    return found


def _bill(row: Mapping[str, Any], version: int) -> Bill:
    return Bill(
        id=row["id"],
        version=version,
        status=row["status"],
        net=sum((Decimal(line["amount"]) for line in row["lines"]), ZERO),
        total=Decimal(row["total"]),
        tax=sum((_tax(line) for line in row["lines"]), ZERO),
        is_paid=Decimal(row["paid"]) != 0,
        history=row["history"],
    )


def _tax(line: Mapping[str, Any]) -> Decimal:
    """A tenth of a line with GST, to the cent; the builder's other lines carry none."""
    share = Decimal("0.1") if line["tax_type"] == "INPUT" else ZERO
    return (Decimal(line["amount"]) * share).quantize(CENT, ROUND_HALF_UP)


def dues_of(procore: Mapping[str, Any]) -> dict[str, tuple[str, Decimal]]:
    """Every claim's status and what is due for it now, by its ref; [P 8.1]'s sum."""
    return {
        f"requisition:{project['id']}/{claim['id']}": (claim["status"], _due(claim["items"]))
        for project in procore["projects"].values()
        for claim in project["requisitions"].values()
    }


def _due(items: Iterable[Mapping[str, Any]]) -> Decimal:
    def said(item: Mapping[str, Any], name: str) -> Decimal:
        return Decimal(item.get(name, 0))

    return sum(
        (
            said(item, "work") + said(item, "new_materials")
            - said(item, "work_retained") - said(item, "materials_retained")
            + said(item, "work_released") + said(item, "materials_released")
            for item in items
        ),
        ZERO,
    )  # fmt: skip


# --- what must be -----------------------------------------------------------------------------


def wrongs(
    claims: Iterable[Claim],
    deleted: Iterable[Claim],
    procore: Mapping[str, Any],
    xero: Mapping[str, Any],
    rules: Rules,
    states: Mapping[str, tuple[str, str]],
) -> list[str]:
    """Everything that is not as it must be, in words; nothing when all is well."""
    bills, now = bills_of(xero), dues_of(procore)
    found: list[str] = []
    gone = list(deleted)
    known = {claim.ref for claim in [*claims, *gone]}
    found += [f"{ref}: a bill of a claim that nobody made" for ref in sorted(set(bills) - known)]
    for claim in [*claims, *gone]:
        status, due = now.get(claim.ref, ("deleted", ZERO))
        mine = bills.get(claim.ref, [])
        state = states.get(claim.ref, ("", ""))
        for text in _of_claim(claim, status, due, mine, rules, state):
            found.append(f"{claim.ref} ({status}): {text}")
    return found


def _of_claim(
    claim: Claim,
    status: str,
    due: Decimal,
    bills: Sequence[Bill],
    rules: Rules,
    state: tuple[str, str],
) -> list[str]:
    found = _made_once(bills)
    live = [bill for bill in bills if not bill.is_gone]
    if len(live) > 1:
        return [*found, f"{len(live)} live bills"]
    for bill in live:
        if bill.total != bill.net + bill.tax:
            found.append(f"its bill's total is {bill.total}, its lines come to {bill.net}"
                         f" and tax of {bill.tax}")  # fmt: skip
    if status == "approved":
        return found + _of_approved(claim, due, live, state)
    return found + _of_withdrawn(claim, status, live, rules, state)


def _made_once(bills: Sequence[Bill]) -> list[str]:
    """A mark names one bill for ever, and a new version follows only where the last is gone."""
    versions = Counter(bill.version for bill in bills)
    found = [f"{n} bills carry the mark main.{v}" for v, n in sorted(versions.items()) if n > 1]
    newest = max(versions, default=0)
    found += [
        f"its bill main.{bill.version} is live beside a newer one"
        for bill in bills
        if bill.version < newest and not bill.is_gone
    ]
    return found


def _of_approved(
    claim: Claim, due: Decimal, live: Sequence[Bill], state: tuple[str, str]
) -> list[str]:
    if not live:
        return [f"no live bill; OneCore says {_said(state)}"]
    (bill,) = live
    if bill.net == due:
        return [] if state[0] == IN_STEP else [f"in step, and OneCore says {_said(state)}"]
    asked = state == ("ask", "paid_bill_changed")
    if bill.is_paid and bill.net in claim.dues and asked:
        return []
    return [f"its bill is {bill.net}, due are {due}; OneCore says {_said(state)}"]


def _of_withdrawn(
    claim: Claim, status: str, live: Sequence[Bill], rules: Rules, state: tuple[str, str]
) -> list[str]:
    """A claim reopened, deleted, or never approved."""
    if not live:
        ok = state[0] in ("", "withdrawn")
        return [] if ok else [f"no live bill, and OneCore says {_said(state)}"]
    (bill,) = live
    if bill.net not in claim.dues:
        return [f"its bill is {bill.net}, which it never was approved at"]
    policy = rules.deleted if status == "deleted" else rules.reopened
    if policy == "void" and not bill.is_paid:
        return [f"its bill main.{bill.version} is live; OneCore says {_said(state)}"]
    if state[0] not in ("ask", "waiting"):
        return [f"its bill is left in Xero, and OneCore says {_said(state)}"]
    return []


def _said(state: tuple[str, str]) -> str:
    return " ".join(word for word in state if word) or "nothing of it"


def recoded_wrongs(xero: Mapping[str, Any], recoded: Mapping[tuple[str, str], str]) -> list[str]:
    """Lines a bookkeeper coded anew that lost their account again."""
    there = {
        (bill["id"], line["id"]): line["account_code"]
        for organisation in xero["organisations"].values()
        for bill in organisation["invoices"].values()
        for line in bill["lines"]
    }
    return [
        f"bill {bill}: the bookkeeper coded a line to {account}, and it is {there[bill, line]}"
        for (bill, line), account in recoded.items()
        if there.get((bill, line), account) != account
    ]


# --- how often it was written ------------------------------------------------------------------


def writes_of(bills: Bills, by: str) -> Counter[str]:
    """How often each claim's bills were created, changed or ended by the app of that name, by the
    history Xero keeps of each."""
    return Counter(
        {
            ref: sum(
                entry["user"] == by and entry["changes"] != "Approved"
                for bill in mine
                for entry in bill.history
            )
            for ref, mine in bills.items()
        }
    )


def writes_wrongs(claims: Iterable[Claim], bills: Bills, by: str) -> list[str]:
    """Claims whose bills were written more often than people gave reason to: once for each bill,
    once for each change, and once for the look after a creation that settles the tax."""
    written = writes_of(bills, by)
    found = []
    for claim in claims:
        most = 2 * len(bills.get(claim.ref, [])) + claim.changes
        if written[claim.ref] > most:
            found.append(
                f"{claim.ref}: written {written[claim.ref]} times for {claim.changes} changes"
            )
    return found
