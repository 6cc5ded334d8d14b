"""One request's work on an organisation: who does it, when, by which rules, and what it changed."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from uuid import uuid4
from zoneinfo import ZoneInfo

from onecore_sim.xero.settings import Rules
from onecore_sim.xero.state import HistoryEntry, Organisation

NOT_FOUND = "The document with the supplied id was not found for this endpoint."


class Refused(Exception):
    """A document was declined; `messages` are its validation errors."""

    def __init__(self, *messages: str) -> None:
        super().__init__("; ".join(messages))
        self.messages = messages


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts. `app` is the client id of an app, "" for a person at the screen."""

    name: str
    app: str = ""

    @property
    def is_person(self) -> bool:
        return not self.app


@dataclass(frozen=True, slots=True)
class Change:
    """Something a webhook could tell."""

    category: str
    resource_id: str
    type: str
    data: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Desk:
    org: Organisation
    now: datetime
    actor: Actor
    rules: Rules = field(default_factory=Rules)
    unit_places: int = 2
    changes: list[Change] = field(default_factory=list)

    def today(self) -> date:
        """The calendar day where the organisation is."""
        return self.now.astimezone(ZoneInfo(self.org.time_zone)).date()

    def tell(self, category: str, resource_id: str, type_: str, **data: str) -> None:
        self.changes.append(Change(category, resource_id, type_, data))

    def note(self, history: list[HistoryEntry], changes: str, details: str = "") -> None:
        history.append(
            HistoryEntry(at=self.now, user=self.actor.name, changes=changes, details=details)
        )

    def lock_messages(self, *days: date) -> list[str]:
        """Why these days may not be posted to; a day on the lock date is locked as well."""
        first = min(days)
        messages = []
        bound = not (self.rules.adviser and self.actor.app)
        for word, lock, binding in (
            ("period lock date", self.org.period_lock, bound),
            ("end of year lock date", self.org.year_lock, True),
        ):
            if lock and binding and first <= lock:
                messages.append(
                    f"The document date cannot be before the {word}, currently set at "
                    f"{lock.strftime('%d-%b-%Y')}"
                )
        return messages


def new_id() -> str:
    return str(uuid4())


def utc(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, tzinfo=UTC)
