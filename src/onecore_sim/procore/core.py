"""What every part of the simulator holds on to: the clock, the switches, the state, the events."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from onecore_sim.kit.clock import SimClock
from onecore_sim.kit.faults import Faults
from onecore_sim.kit.switches import Switches
from onecore_sim.procore.arithmetic import cents
from onecore_sim.procore.errors import ApiError
from onecore_sim.procore.limits import Limits
from onecore_sim.procore.state import Project, State
from onecore_sim.procore.switches import SWITCHES

Json = dict[str, Any]


class Core:
    """The simulator's heart. `on_event` is called after each event was queued for its hooks."""

    def __init__(self) -> None:
        self.clock = SimClock()
        self.switches = Switches(SWITCHES)
        self.state = State()
        self.faults = Faults()
        self.limits = Limits()
        self.on_event: Callable[[], None] = lambda: None

    def now(self) -> datetime:
        return self.clock.now()

    def new_id(self) -> int:
        return self.state.new_id()

    def money(self, amount: Decimal | None) -> str | None:
        """An amount as v1 writes it, a decimal string."""
        if amount is None:
            return None
        exact = cents(amount)
        if self.switches["money_format"] == "short":
            whole = f"{exact:f}"
            return whole[:-1] if whole.endswith("0") else whole
        return f"{exact:f}"

    def project(self, project_id: int) -> Project:
        project = self.state.projects.get(project_id)
        if project is None:
            raise ApiError(404, "Not found", shape="message")
        return project

    def touch(self, *records: Any) -> None:
        """Every change shows in updated_at."""
        now = self.now()
        for record in records:
            record.updated_at = now


def stamp(instant: datetime | None) -> str | None:
    """UTC to the second, as Procore writes instants."""
    return None if instant is None else instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def day(value: date | None) -> str | None:
    return None if value is None else value.isoformat()


def read_date(value: object) -> date | None:
    """The date in a body; what cannot be read is stored as null without a word."""
    if not isinstance(value, str):
        return None
    try:
        return date.fromisoformat(value[:10])
    except ValueError:
        return None


def read_money(value: object, field: str) -> Decimal:
    """An amount from a body, string or number; 422 when it is neither."""
    try:
        return cents(Decimal(str(value)))
    except ArithmeticError:
        raise ApiError(
            422, f"{field} is not a number", fields={field: ["is not a number"]}
        ) from None
