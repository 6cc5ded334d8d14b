"""The clock of the running service."""

from datetime import UTC, datetime


class SystemClock:
    """Aware UTC from the machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)
