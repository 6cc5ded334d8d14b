"""What a mapping screen shows: suggested rows, ways to fill a gap, and who else mends what."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

NOW = timedelta(seconds=-1)
"""A list older than this is read again: when a person asks, what was made a moment ago is seen."""

What = Literal["vendors", "codes", "projects"]


@dataclass(frozen=True, slots=True)
class Proposal:
    """One suggested row of a mapping, with why."""

    subject: str  # a vendor's id, a cost code, a project's id
    subject_label: str
    target: str  # a contact's id, an account code, an option's name
    target_label: str
    score: int  # 0 to 100
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Option:
    """One way to fill a gap."""

    value: str
    label: str
    score: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Remedy:
    """How one gap is filled: a choice among options, or a plain text where `options` is empty.

    `may_create` names what can be made instead ("contact", "tracking option"), "" if nothing.
    `elsewhere` says who mends it and where, when it is not ours to mend.
    """

    cause: str
    subject: str
    question: str
    options: tuple[Option, ...] = ()
    may_create: str = ""
    elsewhere: str = ""
