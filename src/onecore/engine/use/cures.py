"""What a cure is: how one kind of gap is filled, from what to choose to the edit a choice makes."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from onecore.domain.ids import OrganisationId, ProjectId
from onecore.engine.context import Books, Context
from onecore.engine.use.choices import Option
from onecore.engine.use.errors import UseError

Edit = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Case:
    """One gap and where it is filled. `scope` is what rows carry: None where there is only one
    organisation, so that they hold for every one."""

    ctx: Context
    books: Books
    scope: OrganisationId | None
    subject: str

    @property
    def project(self) -> ProjectId | None:
        kind, _, number = self.subject.partition(":")
        return ProjectId(int(number)) if kind == "project" and number.isdigit() else None


class Cure(ABC):
    """How one kind of gap is filled. `may_create` names what can be made instead."""

    may_create: ClassVar[str] = ""

    @abstractmethod
    async def question(self, case: Case) -> str: ...

    @abstractmethod
    async def options(self, case: Case) -> Sequence[Option]: ...

    @abstractmethod
    async def edit(self, case: Case, value: str) -> Edit:
        """The edit that fills the gap with one of the options' values."""

    async def new_option(self, case: Case) -> tuple[str, str] | None:
        """Category and name of the tracking option to make, where that fills the gap."""
        return None


def number_in(subject: str, what: str) -> int:
    """The number a subject is. Raises UseError."""
    if not subject.isdigit():
        raise UseError(f"{subject!r} is no {what}'s number.")
    return int(subject)


def likely_first(options: list[Option], likely: dict[str, tuple[int, str]]) -> list[Option]:
    """The options with scores and reasons by value, the likeliest first."""
    scored = [
        replace(o, score=likely[o.value][0], reason=likely[o.value][1]) if o.value in likely else o
        for o in options
    ]
    return sorted(scored, key=lambda option: -option.score)


def all_of(edits: Sequence[Edit]) -> Edit:
    """One edit that makes each in turn."""

    def change(text: str) -> str:
        for edit in edits:
            text = edit(text)
        return text

    return change
