"""A remote that counts calls as it says it does: fixed windows, each from an instant of its own."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta


@dataclass
class Windows:
    """Fixed windows of one length, the first of which began at `phase`."""

    limit: int
    length: timedelta
    phase: datetime
    used: dict[int, int] = field(default_factory=dict)
    refused: int = 0

    def number(self, now: datetime) -> int:
        return int((now - self.phase) / self.length // 1)

    def arrives(self, now: datetime, calls: int = 1) -> bool:
        """Whether a call is taken; a refused one is not counted."""
        window = self.number(now)
        if self.used.get(window, 0) + calls > self.limit:
            self.refused += 1
            return False
        self.used[window] = self.used.get(window, 0) + calls
        return True

    def left(self, now: datetime) -> int:
        return self.limit - self.used.get(self.number(now), 0)

    def ends(self, now: datetime) -> datetime:
        return self.phase + self.length * (self.number(now) + 1)
