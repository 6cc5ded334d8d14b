"""The two windows in which requests are counted at once: an hour and ten seconds."""

from dataclasses import dataclass
from datetime import datetime

from onecore_sim.kit.clock import monotonic

HOUR = 3600
SPIKE = 10


@dataclass(slots=True)
class Window:
    """A fixed window. It ends when its time has passed in reality or on the simulators' clock,
    so moving the clock on refreshes it and freezing the clock does not stop it."""

    seconds: int
    started: float = 0.0
    started_at: datetime | None = None
    used: int = 0

    def roll(self, now: datetime) -> None:
        passed = (now - self.started_at).total_seconds() if self.started_at else self.seconds
        if not 0 <= passed < self.seconds or monotonic() - self.started >= self.seconds:
            self.started, self.started_at, self.used = monotonic(), now, 0

    def left_seconds(self, now: datetime) -> int:
        passed = (now - self.started_at).total_seconds() if self.started_at else 0
        return max(1, round(self.seconds - max(passed, monotonic() - self.started)))


@dataclass(frozen=True, slots=True)
class Standing:
    """What the headers report, of the window nearer to exhaustion."""

    limit: int
    remaining: int
    wait_seconds: int
    refused: bool


class Limits:
    """Counts requests; which of them share a count is not published, so all do."""

    def __init__(self) -> None:
        self._hour = Window(HOUR)
        self._spike = Window(SPIKE)

    def reset(self) -> None:
        self._hour = Window(HOUR)
        self._spike = Window(SPIKE)

    def count(self, now: datetime, hour: int, spike: int) -> Standing | None:
        """Count one request unless a window is full; None where no limit is set."""
        windows = [(w, limit) for w, limit in ((self._hour, hour), (self._spike, spike)) if limit]
        if not windows:
            return None
        for window, _ in windows:
            window.roll(now)
        refused = any(window.used >= limit for window, limit in windows)
        if not refused:
            for window, _ in windows:
                window.used += 1
        nearest, limit = min(windows, key=lambda pair: pair[1] - pair[0].used)
        return Standing(limit, limit - nearest.used, nearest.left_seconds(now), refused)
