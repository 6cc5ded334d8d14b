"""What holds when OneCore is at rest, and what holds at every moment."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from onecore.store.models import AttentionItem, Document, Link
from tests.machine.books import Books, Claim, Wanted
from tests.machine.ledger import Bill, Ledger
from tests.machine.past import History, Pair, Past

MATTERS = ("ask", "held", "refused", "drifted", "approval")
"""States that hang on an open matter."""


def each_mark_once(ledger: Ledger) -> None:
    """At any moment: no two living bills for one claim."""
    marks = Counter(bill.ref for bill in ledger.bills if bill.lives and bill.ref)
    doubled = {ref: count for ref, count in marks.items() if count > 1}
    assert not doubled, f"claims with more than one living bill: {doubled}"


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings in force that decide what is asked."""

    mode: str
    drift: str
    locked_period: str
    source_reopened: str
    source_deleted: str


class AtRest:
    """The proof over one moment of rest. `slow_walked`: the nightly walk has been since."""

    def __init__(
        self,
        books: Books,
        history: History,
        ledger: Ledger,
        settings: Settings,
        contact_of: Mapping[int, str],
        hidden: set[int],
        slow_walked: bool,
    ) -> None:
        self._books = books
        self._history = history
        self._ledger = ledger
        self._settings = settings
        self._contact_of = contact_of
        self._hidden = hidden
        self._slow_walked = slow_walked
        self._documents = {row.ref: row for row in Document.objects.all()}
        self._causes: dict[str, list[str]] = {}
        for item in AttentionItem.objects.select_related("attention", "document"):
            self._causes.setdefault(item.document.ref, []).append(item.attention.cause)
        self._links = {
            link.document.ref: str(link.target_id)
            for link in Link.objects.filter(withdrawn=False).select_related("document")
        }

    def complaints(self) -> list[str]:
        """Everything that is wrong, in words."""
        found: list[str] = []
        for claim in self._books.claims():
            found += [f"{claim.name}: {text}" for text in self._claim(claim)]
        found += self._strangers()
        return found + self._bookkeepers_own()

    # --- one claim ----------------------------------------------------------------------------

    def differences(self, claim: Claim, bill: Bill) -> dict[str, Pair]:
        """Fields of Procore's that differ and that nobody has accepted."""
        wanted = {**claim.wanted().fields(), "contact": self._contact(claim)}
        there = bill.fields(self._history.names)
        found: dict[str, Pair] = {}
        for name in sorted({*wanted, *there}):
            pair = (wanted.get(name), there.get(name))
            if pair[0] != pair[1]:
                found[name] = pair
        return found

    def bill_of(self, claim: Claim) -> Bill | None:
        """The living bill that is the claim's, by its link or its mark."""
        linked = self._ledger.bill(self._links[claim.ref]) if claim.ref in self._links else None
        if linked is not None and linked.lives:
            return linked
        return next(iter(self._ledger.of_claim(claim.ref)), None)

    def _contact(self, claim: Claim) -> str:
        return self._ledger.contact_now(self._contact_of[claim.contract.vendor])

    def _claim(self, claim: Claim) -> list[str]:
        past, bill = self._history.of(claim.ref), self.bill_of(claim)
        row = self._documents.get(claim.ref)
        found = self._unlawful_end(claim, past, row)
        if claim.project in self._hidden or self._settings.mode == "off":
            return found
        if bill is not None and (row is None or self._links.get(claim.ref) != bill.id):
            found.append(f"the bill {bill.number} in Xero is not linked")
        if claim.posts:
            return found + self._posting(claim, past, row, bill)
        if row is None or (bill is None and row.state in ("withdrawn", "in_step")):
            return found
        if claim.deleted and not self._slow_walked:
            return found  # only the walk, or a look at the claim, finds that it is gone
        return found + self._not_posting(claim, past, row, bill)

    def _unlawful_end(self, claim: Claim, past: Past, row: Document | None) -> list[str]:
        """A bill may go only where its claim left approval or came to nothing, or by a person."""
        ended = self._ledger.of_claim(claim.ref, living=False)
        ended = [bill for bill in ended if not bill.lives]
        if not ended or claim.deleted or claim.left_approval or past.voided_there:
            return []
        if past.answered("void"):
            return []
        return [f"the bill {ended[0].number} is {ended[0].status} and nobody wished so"]

    def _posting(
        self, claim: Claim, past: Past, row: Document | None, bill: Bill | None
    ) -> list[str]:
        if row is None:
            return ["approved, and OneCore does not know of it"]
        wanted = claim.wanted()
        differ = self.differences(claim, bill) if bill else {}
        if row.state == "in_step":
            return self._in_step(claim, past, wanted, bill, differ)
        if not self._slow_walked and self._may_be_old(row):
            return []
        if row.state == "waiting":
            return self._waiting(claim, past, row)
        if row.state == "withdrawn":
            left = bill is None and past.answered("ignore", "leave", "void")
            return [] if left else [f"withdrawn ({row.note}), and approved in Procore"]
        reasons = self._reasons(claim, past, wanted, bill, differ)
        return self._asked(row, reasons)

    def _may_be_old(self, row: Document) -> bool:
        """What OneCore looks at again by and by only: a project shown again, a refusal."""
        if row.state == "waiting":
            return row.note in ("source_unseen", "target_unseen")
        return row.state == "refused" and self._history.ever_refused

    def _is_old(self, cause: str) -> bool:
        """Causes that may have been mended outside since: a lock date lifted, a contact back."""
        if "locked" in cause:
            return self._history.ever_locked
        return cause in ("contact_archived", "contact_refused") and self._history.ever_archived

    def _in_step(
        self,
        claim: Claim,
        past: Past,
        wanted: Wanted,
        bill: Bill | None,
        differ: Mapping[str, Pair],
    ) -> list[str]:
        if bill is None:
            return [f"in step without a bill, {wanted.net} being due"] if wanted.is_due else []
        if not wanted.is_due:
            return ["in step with a bill, nothing being due"]
        left = {n: pair for n, pair in differ.items() if not self._is_accepted(past, n, pair)}
        if past.answered("adopt"):
            left = {}
            if not differ and bill.net != wanted.net:
                left["net"] = (str(wanted.net), str(bill.net))
        if left:
            return [f"in step, and these differ: {said(left)}"]
        if differ or past.retaxed:
            return []
        taxes = bill.taxes(self._history.names)
        if bill.total != wanted.gross(taxes):
            return [f"in step at {bill.total}, where {wanted.gross(taxes)} is right"]
        return []

    def _is_accepted(self, past: Past, name: str, pair: Pair) -> bool:
        if pair in past.accepted.get(name, ()):
            return True
        if "drift=accept" in self._history.settings and name in past.touched:
            return True
        moved = "locked_period=shift" in self._history.settings and name == "date"
        return bool(moved and pair[0] and pair[1] and pair[1] > pair[0])

    def _waiting(self, claim: Claim, past: Past, row: Document) -> list[str]:
        lawful = {
            "rejected": past.answered("reject"),
            "kept": past.answered("keep") and not claim.wanted().is_due,
        }
        return [] if lawful.get(row.note) else [f"waits ({row.note}) for no reason"]

    def _reasons(
        self,
        claim: Claim,
        past: Past,
        wanted: Wanted,
        bill: Bill | None,
        differ: Mapping[str, Pair],
    ) -> dict[str, bool]:
        """Causes by name, and whether each has a reason now."""
        paid = bill is not None and bill.paid != 0
        locked = self._is_locked(claim.billing_date, bill)
        moved = bool(differ) or past.retaxed
        ended = not wanted.is_due and bill is not None
        archived = self._ledger.is_archived(self._contact(claim))
        return {
            "approval": self._settings.mode == "approve",
            "previewed": self._settings.mode == "preview",
            "voided_there": bill is None and past.voided_there,
            "duplicate": bill is None and self._has_likeness(claim, wanted),
            "contact_archived": archived,
            "contact_refused": archived,
            "negative_total": wanted.net < 0 or wanted.gross(self._taxes(bill)) < 0,
            "period_locked": locked,
            "locked_bill_changed": locked and moved,
            "paid_bill_changed": paid and moved,
            "drifted": bool(past.touched & differ.keys()) or (bool(differ) and past.retaxed),
            "nothing_due_now": ended,
            "nothing_due_now_but_paid": ended and paid,
            "nothing_due_now_but_locked": ended and locked,
        }

    def _not_posting(self, claim: Claim, past: Past, row: Document, bill: Bill | None) -> list[str]:
        if not self._slow_walked and self._may_be_old(row):
            return []
        if row.note == "source_unseen" and claim.deleted and self._is_emptied(claim):
            return []
        if bill is None:
            return [f"no bill is left, and it is {row.state} ({row.note})"]
        paid, locked = bill.paid != 0, self._is_locked(claim.billing_date, bill)
        word = "source_deleted" if claim.deleted else "source_reopened"
        reasons = {
            word: True,
            f"{word}_but_paid": paid,
            f"{word}_but_locked": locked,
            "reopened_but_paid": paid and not claim.deleted,
            "many_withdrawals": True,
            "approval": self._settings.mode == "approve",
            "previewed": self._settings.mode == "preview",
        }
        if row.state == "waiting":
            lawful = {
                "reopened": not claim.deleted,
                "kept": past.answered("keep"),
                "rejected": past.answered("reject"),
            }
            return [] if lawful.get(row.note) else [f"waits ({row.note}) for no reason"]
        if row.state in (*MATTERS, "previewed"):
            return self._asked(row, reasons)
        return [f"{row.state} ({row.note}) with a living bill, and not approved in Procore"]

    def _is_emptied(self, claim: Claim) -> bool:
        """Whether its project shows no claim at all, which looks as if a right were lost."""
        causes = self._causes.get(claim.ref, [])
        others = [c for c in self._books.claims() if c.project == claim.project]
        return "source_unseen" in causes and all(other.deleted for other in others)

    def _asked(self, row: Document, reasons: Mapping[str, bool]) -> list[str]:
        causes = self._causes.get(row.ref, [])
        if row.state == "previewed" and reasons["previewed"]:
            return []
        if row.state not in MATTERS:
            return [f"{row.state} ({row.note}), which nothing explains"]
        if not causes:
            return [f"{row.state} ({row.note}) without an open matter"]
        return [
            f"{row.state} by {cause}, which nothing explains"
            for cause in causes
            if not reasons.get(cause) and (self._slow_walked or not self._is_old(cause))
        ]

    def _is_locked(self, own: date, bill: Bill | None) -> bool:
        until = self._ledger.locked_until
        return until is not None and min([own, *([bill.day] if bill else [])]) <= until

    def _taxes(self, bill: Bill | None) -> dict[str, str]:
        return bill.taxes(self._history.names) if bill else {}

    def _has_likeness(self, claim: Claim, wanted: Wanted) -> bool:
        """Whether somebody else's bill of the same contact could be taken for this one."""
        contact = self._contact(claim)
        return any(
            bill.lives
            and not bill.mark
            and bill.contact == contact
            and (bill.number == wanted.number or bill.total == wanted.gross({}))
            for bill in self._ledger.bills
        )

    # --- the whole ----------------------------------------------------------------------------

    def _strangers(self) -> list[str]:
        """Living bills with our mark that no claim of these books has."""
        known = {claim.ref for claim in self._books.claims()}
        return [
            f"the bill {bill.number} in Xero bears our mark of {bill.ref}, which nobody knows"
            for bill in self._ledger.bills
            if bill.lives and bill.ref and bill.ref not in known
        ]

    def _bookkeepers_own(self) -> list[str]:
        """What the bookkeeper chose on lines and bills that are still there."""
        found: list[str] = []
        for bill in self._ledger.bills:
            if not bill.lives or not bill.ref:
                continue
            chosen = self._history.due_dates.get(bill.id)
            if chosen is not None and str(bill.due_date) != chosen:
                found.append(f"{bill.number}: due {bill.due_date}, where {chosen} was chosen")
            found += [
                f"{bill.number}: {line.text} is on {line.account}, where "
                f"{self._history.recoded[line.id]} was chosen"
                for line in bill.lines
                if line.id in self._history.recoded
                and line.account != self._history.recoded[line.id]
            ]
        return found


def said(differences: Mapping[str, Pair]) -> str:
    return ", ".join(
        f"{name} is {there or 'nothing'} for {wanted or 'nothing'}"
        for name, (wanted, there) in differences.items()
    )
