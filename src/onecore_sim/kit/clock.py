"""The simulators' clock: real time plus an offset, or standing still where a test put it."""

import time
from datetime import UTC, datetime, timedelta


class SimClock:
    """Aware UTC time that a test or a person can move forwards, set, or stop."""

    def __init__(self) -> None:
        self._offset = timedelta(0)
        self._frozen_at: datetime | None = None

    def now(self) -> datetime:
        return self._frozen_at or datetime.now(UTC) + self._offset

    def set(self, instant: datetime) -> None:
        """Set the clock to an aware instant; it goes on running unless it was frozen."""
        if instant.tzinfo is None:
            raise ValueError(
                f"The clock takes an instant with its offset, not {instant.isoformat()}."
            )
        self._offset = instant.astimezone(UTC) - datetime.now(UTC)
        if self._frozen_at is not None:
            self._frozen_at = instant.astimezone(UTC)

    def advance(self, by: timedelta) -> None:
        self.set(self.now() + by)

    def freeze(self, frozen: bool) -> None:
        if frozen:
            self._frozen_at = self.now()
        elif self._frozen_at is not None:
            standing, self._frozen_at = self._frozen_at, None
            self.set(standing)


def monotonic() -> float:
    """Seconds that never jump, for waits that moving the clock must not cut short."""
    return time.monotonic()
