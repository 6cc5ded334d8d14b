"""What people have done about each claim: what may explain that both sides differ."""

from collections import defaultdict
from dataclasses import dataclass, field

Pair = tuple[str | None, str | None]
"""(wanted, there) of one field, None where a side lacks it."""


@dataclass(slots=True)
class Past:
    """People's acts on one claim and on its bills."""

    touched: set[str] = field(default_factory=set)  # fields of Procore's that Xero people changed
    retaxed: bool = False  # a tax type on a bill of the claim was changed there
    voided_there: bool = False  # a bill of the claim was voided or deleted by Xero people
    answers: set[str] = field(default_factory=set)  # "cause:choice"
    accepted: dict[str, set[Pair]] = field(default_factory=lambda: defaultdict(set))
    shown: tuple[str, dict[str, Pair]] = ("", {})  # the newest question, and what differed then

    def answered(self, *choices: str) -> bool:
        """Whether a person ever gave one of these choices to a question about this claim."""
        return any(answer.rpartition(":")[2] in choices for answer in self.answers)

    def accept(self, differences: dict[str, Pair]) -> None:
        for name, pair in differences.items():
            self.accepted[name].add(pair)


@dataclass(slots=True)
class History:
    """Everybody's acts, by claim; and which settings have ever been in force."""

    claims: dict[str, Past] = field(default_factory=lambda: defaultdict(Past))
    recoded: dict[str, str] = field(default_factory=dict)  # line id -> account the bookkeeper chose
    due_dates: dict[str, str] = field(default_factory=dict)  # bill id -> date the bookkeeper chose
    names: dict[str, str] = field(default_factory=dict)  # line id -> the text it was made with
    settings: set[str] = field(default_factory=set)  # "source_reopened=void"
    ever_locked: bool = False
    ever_archived: bool = False
    ever_refused: bool = False  # Xero refused what was right

    def of(self, ref: str) -> Past:
        return self.claims[ref]
