"""What to do about one document: pure, field by field, from what was agreed and what is now."""

from collections.abc import Callable, Set
from dataclasses import dataclass, field
from enum import StrEnum

from onecore.domain.gaps import Gap
from onecore.domain.settings import Policies
from onecore.sync.fields import Fields, Owner, owner


class Source(StrEnum):
    """How the source document stands."""

    POSTING = "posting"  # in a status that is carried over
    REOPENED = "reopened"  # there, but not (or no longer) in such a status
    EMPTY = "empty"  # posting, but nothing is due any more
    DELETED = "deleted"  # known to be gone, not merely unseen


class TargetState(StrEnum):
    """How the document on the other side stands."""

    OPEN = "open"  # draft or submitted
    APPROVED = "approved"  # unpaid
    FROZEN = "frozen"  # paid or part paid
    GONE = "gone"  # voided or deleted


@dataclass(frozen=True, slots=True)
class Agreed:
    """Field digests when both sides last agreed: what we wanted, and what was there."""

    wanted: Fields
    target: Fields


@dataclass(frozen=True, slots=True)
class Target:
    """The other side now. `locked`: its date, or the date wanted, lies in a closed period."""

    state: TargetState
    fields: Fields
    locked: bool = False


# --- steps ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Create:
    """Nothing is there yet."""


@dataclass(frozen=True, slots=True)
class Update:
    """Send these fields; the others stay as they are there. `restored` are those that drifted."""

    fields: frozenset[str]
    restored: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Remove:
    """Delete a draft, void an approved document. `answered`: a person chose it for this one."""

    answered: bool = False


@dataclass(frozen=True, slots=True)
class Nothing:
    """In step. `accepted`: a person took over what stands there, so it becomes what is agreed."""

    accepted: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    """The target stays as it is until the source moves; `why` is a code."""

    why: str


@dataclass(frozen=True, slots=True)
class Hold:
    """Cannot go on until these gaps are filled."""

    gaps: tuple[Gap, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One way out: a stable code, its name on a button, and what choosing it does."""

    code: str
    label: str
    effect: str


@dataclass(frozen=True, slots=True)
class Ask:
    """A person decides. `fields` are the names of what differs, where that is the matter."""

    code: str
    choices: tuple[Choice, ...]
    fields: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Drifted:
    """Somebody changed there what is owned here."""

    fields: frozenset[str]
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Unlink:
    """Let go of a target that is gone, so that nothing stands against the source any more."""


Step = Create | Update | Remove | Nothing | Waiting | Hold | Ask | Drifted | Unlink


_KEEP = Choice("keep", "Keep the bill", "The bill stays in Xero as it is; nothing is sent.")
_VOID = Choice("void", "Void the bill", "The bill is voided in Xero (a draft is deleted).")
_RESTORE = Choice("restore", "Restore", "Xero gets Procore's values back.")
_ACCEPT = Choice("accept", "Accept", "Xero's values stay and count as agreed from now on.")
_POST_AGAIN = Choice("post_again", "Post again", "A new bill is made in Xero for this claim.")
_LEAVE = Choice("leave", "Leave it", "No bill is made; the claim counts as settled by hand.")
_BY_HAND = Choice(
    "accept", "I settle it by hand", "The bill stays; the claim's new values count as agreed."
)
_LOOK = Choice("look_again", "Look again", "Both sides are read afresh.")


Said = Callable[[str, frozenset[str]], str]
"""(question's code, fields it is about) -> what a person chose in exactly this situation, or ""."""

RESTORED = "restored"
"""An answer that was carried out: the same drift once more is a new question."""


def unsaid(code: str, fields: frozenset[str]) -> str:
    """Nobody has said anything."""
    return ""


@dataclass(frozen=True, slots=True)
class Case:
    """Everything the decision depends on."""

    source: Source
    wanted: Fields | None
    agreed: Agreed | None
    target: Target | None
    policies: Policies = field(default_factory=Policies)
    said: Said = unsaid

    def answer(self, code: str, fields: Set[str] = frozenset()) -> str:
        return self.said(code, frozenset(fields))


def decide(case: Case) -> Step:
    """The next step for one document."""
    if case.agreed is None or case.target is None:
        return Create() if case.source is Source.POSTING else Unlink()
    if case.target.state is TargetState.GONE:
        return _gone_there(case)
    if case.source is Source.REOPENED:
        return _reopened(case, case.target)
    if case.source is Source.DELETED:
        return _withdrawn(case, case.target, "source_deleted", case.policies.source_deleted)
    if case.source is Source.EMPTY:
        return _withdrawn(case, case.target, "nothing_due_now", "ask")
    return _compared(case, case.agreed, case.target)


def _gone_there(case: Case) -> Step:
    """Existence is Procore's, so a bill voided in Xero while the claim stands is a question.

    Once left to be settled by hand it stays so, whatever becomes of the claim.
    """
    answer = case.answer("voided_there")
    if answer == "leave":
        return Nothing(accepted=True)
    if case.source is not Source.POSTING:
        return Unlink()
    return Create() if answer == "post_again" else Ask("voided_there", (_POST_AGAIN, _LEAVE))


def _reopened(case: Case, target: Target) -> Step:
    policy = case.policies.source_reopened
    if target.state is TargetState.FROZEN:
        if case.answer("reopened_but_paid") == "keep":
            return Waiting("reopened")
        return Ask("reopened_but_paid", (_KEEP, _LOOK))
    if policy == "keep":
        return Waiting("reopened")
    return _withdrawn(case, target, "source_reopened", policy, kept="reopened")


def _withdrawn(case: Case, target: Target, code: str, policy: str, kept: str = "kept") -> Step:
    """Void where it can be done and was chosen; paid or locked bills are always a question."""
    asked = code
    if target.state is TargetState.FROZEN:
        asked = f"{code}_but_paid"
    elif target.locked and target.state is not TargetState.OPEN:
        asked = f"{code}_but_locked"
    if "keep" in (case.answer(code), case.answer(asked)):
        return Waiting(kept)
    if asked != code:
        return Ask(asked, (_KEEP, _LOOK))
    if case.answer(code) == "void":
        return Remove(answered=True)
    return Remove() if policy == "void" else Ask(code, (_KEEP, _VOID))


def differences(agreed: Agreed, target: Fields, wanted: Fields) -> tuple[set[str], set[str]]:
    """Names edited there since the agreement, and names that moved here and differ there."""
    names = set(agreed.wanted) | set(agreed.target) | set(target) | set(wanted)
    edited_there = {n for n in names if target.get(n) != agreed.target.get(n)}
    moved_here = {
        n for n in names if wanted.get(n) != agreed.wanted.get(n) and wanted.get(n) != target.get(n)
    }
    return edited_there, moved_here


def _compared(case: Case, agreed: Agreed, target: Target) -> Step:
    """Three-way by field: an owner's change flows, the other side's own fields are kept."""
    wanted = case.wanted or {}
    approved = target.state is not TargetState.OPEN
    edited_there, moved_here = differences(agreed, target.fields, wanted)

    def ours(name: str) -> bool:
        return owner(name, approved) is Owner.SOURCE

    drift = {n for n in edited_there if ours(n) and target.fields.get(n) != wanted.get(n)}
    send = {n for n in moved_here if ours(n) or n not in edited_there}
    if target.state is TargetState.FROZEN or (target.locked and approved):
        # Coding that moved here cannot be sent any more and is no reason to bother anybody.
        send = {n for n in send if ours(n)}
    if not drift:
        return _send(case, target, send) if send else Nothing()
    choice = case.answer("drifted", drift) or case.policies.drift
    if choice == "restore":
        return _send(case, target, send | drift, drift)
    if choice != "accept":
        return Drifted(frozenset(drift), (_RESTORE, _ACCEPT))
    # What moved here otherwise still goes; the next look then takes over what was accepted.
    rest = send - drift
    return _send(case, target, rest) if rest else Nothing(accepted=True)


def _send(case: Case, target: Target, names: Set[str], restored: Set[str] = frozenset()) -> Step:
    if target.state is TargetState.FROZEN:
        if case.answer("paid_bill_changed", names) == "accept":
            return Nothing(accepted=True)
        return Ask("paid_bill_changed", (_BY_HAND, _LOOK), frozenset(names))
    if target.locked and target.state is not TargetState.OPEN:
        if case.policies.locked_period == "hold":
            return Hold((Gap("period_locked", "bill"),))
        if case.answer("locked_bill_changed", names) == "accept":
            return Nothing(accepted=True)
        return Ask("locked_bill_changed", (_BY_HAND, _LOOK), frozenset(names))
    return Update(frozenset(names), frozenset(restored))
