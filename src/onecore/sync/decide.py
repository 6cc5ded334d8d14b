"""What to do about one document: pure, field by field, from what was agreed and what is now."""

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
    """Send these fields; the others stay as they are there."""

    fields: frozenset[str]


@dataclass(frozen=True, slots=True)
class Remove:
    """Delete a draft, void an approved document."""


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


@dataclass(frozen=True, slots=True)
class Case:
    """Everything the decision depends on. `answer` is a person's choice for this very question."""

    source: Source
    wanted: Fields | None
    agreed: Agreed | None
    target: Target | None
    policies: Policies = field(default_factory=Policies)
    answer: str = ""


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
    """Existence is Procore's, so a bill voided in Xero while the claim stands is a question."""
    if case.source in (Source.DELETED, Source.EMPTY, Source.REOPENED):
        return Unlink()
    if case.answer == "post_again":
        return Create()
    if case.answer == "leave":
        return Nothing(accepted=True)
    return Ask("voided_there", (_POST_AGAIN, _LEAVE))


def _reopened(case: Case, target: Target) -> Step:
    policy = case.policies.source_reopened
    if target.state is TargetState.FROZEN:
        if case.answer == "keep":
            return Waiting("reopened")
        return Ask("reopened_but_paid", (_KEEP, _LOOK))
    if policy == "keep" or case.answer == "keep":
        return Waiting("reopened")
    return _withdrawn(case, target, "source_reopened", policy)


def _withdrawn(case: Case, target: Target, code: str, policy: str) -> Step:
    """Void where it can be done and was chosen; paid or locked bills are always a question."""
    if case.answer == "keep":
        return Waiting("kept")
    if target.state is TargetState.FROZEN:
        return Ask(f"{code}_but_paid", (_KEEP, _LOOK))
    if target.locked and target.state is not TargetState.OPEN:
        return Ask(f"{code}_but_locked", (_KEEP, _LOOK))
    if policy == "void" or case.answer == "void":
        return Remove()
    return Ask(code, (_KEEP, _VOID))


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
    if target.state is TargetState.FROZEN:
        # Coding that moved here cannot be sent any more and is no reason to bother anybody.
        send = {n for n in send if ours(n)}
    if drift:
        if case.answer == "accept" or case.policies.drift == "accept":
            return Nothing(accepted=True)
        if case.answer == "restore" or case.policies.drift == "restore":
            return _send(case, target, send | drift)
        return Drifted(frozenset(drift), (_RESTORE, _ACCEPT))
    if not send:
        return Nothing()
    return _send(case, target, send)


def _send(case: Case, target: Target, names: set[str]) -> Step:
    if case.answer == "accept":
        return Nothing(accepted=True)
    if target.state is TargetState.FROZEN:
        return Ask("paid_bill_changed", (_BY_HAND, _LOOK), frozenset(names))
    if target.locked and target.state is not TargetState.OPEN:
        if case.policies.locked_period == "hold":
            return Hold((Gap("period_locked", "bill"),))
        return Ask("locked_bill_changed", (_BY_HAND, _LOOK), frozenset(names))
    return Update(frozenset(names))
