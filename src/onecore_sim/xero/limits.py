"""Call limits: in flight, per minute, per day, and per minute for the whole app [X 2.1]."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil

from onecore_sim.kit.switches import Switches
from onecore_sim.xero.state import Window

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Over:
    """A limit was met. `retry_after` is in whole seconds; None: the answer does not say."""

    problem: str
    retry_after: int | None


@dataclass(slots=True)
class Limits:
    """Fixed windows, each starting with the first call after the last one ended."""

    in_flight: dict[str, int] = field(default_factory=dict)

    def enter(
        self,
        windows: dict[str, Window],
        switches: Switches,
        now: datetime,
        client_id: str,
        tenant_id: str,
    ) -> Over | None:
        """Count a call, or say which limit forbids it; a forbidden call is not counted."""
        pair = f"{client_id}/{tenant_id}"
        concurrent = switches.number("limit_concurrent")
        if concurrent and self.in_flight.get(pair, 0) >= concurrent:
            return Over("concurrent", None)
        counted = []
        for name, key, length, told in (
            ("limit_minute", f"minute/{pair}", MINUTE, "minute"),
            ("limit_day", f"day/{pair}", DAY, "day"),
            ("limit_app_minute", f"app/{client_id}", MINUTE, ""),
        ):
            window = current(windows, key, length, now)
            limit = switches.number(name)
            if limit and window.used >= limit:
                left = ceil((window.started_at + length - now).total_seconds())
                if told:
                    return Over(told, max(left, 1))
                return Over(str(switches["app_minute_word"]), None)
            counted.append(window)
        for window in counted:
            window.used += 1
        self.in_flight[pair] = self.in_flight.get(pair, 0) + 1
        return None

    def leave(self, client_id: str, tenant_id: str) -> None:
        self.in_flight[f"{client_id}/{tenant_id}"] -= 1


def current(windows: dict[str, Window], key: str, length: timedelta, now: datetime) -> Window:
    """The window that `now` falls into, opened if need be; a clock set back opens a new one."""
    window = windows.get(key)
    if window is None or not window.started_at <= now < window.started_at + length:
        window = windows[key] = Window(started_at=now)
    return window


def headers(
    windows: dict[str, Window], switches: Switches, now: datetime, client_id: str, tenant_id: str
) -> dict[str, str]:
    """What is left of each window, as every answer tells."""
    pair = f"{client_id}/{tenant_id}"
    told = {}
    for header, name, key, length in (
        ("X-MinLimit-Remaining", "limit_minute", f"minute/{pair}", MINUTE),
        ("X-DayLimit-Remaining", "limit_day", f"day/{pair}", DAY),
        ("X-AppMinLimit-Remaining", "limit_app_minute", f"app/{client_id}", MINUTE),
    ):
        used = current(windows, key, length, now).used
        limit = switches.number(name)
        told[header] = str(max(limit - used, 0) if limit else 999_999)
    return told
