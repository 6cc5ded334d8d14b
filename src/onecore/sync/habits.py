"""When the people of a workspace approve claims: by hour, by day of the month, in sittings.

What is known before anything was seen is a builder's office in its own time zone; what is then
seen outweighs it. Instants are seconds since 1970, since the sums are over seconds.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cached_property
from zoneinfo import ZoneInfo

HOUR, DAY = 3600.0, 86400.0
SITTING = 900.0
"""Seconds after an approval in which the same person is thought to go on with the next."""
SLOT = 1800.0
"""Seconds for which an hour of the day is looked up; there are zones of half hours."""
HALF_LIFE = 60 * DAY
"""Habits of two months ago count half."""

OFFICE = (0.1, 0.1, 0.1, 0.1, 0.1, 0.3, 2, 8, *([12] * 9), 8, 2, 1, 1, 1, 0.5, 0.3)
"""Shares of a working day's hours before anything is known."""
DAY_OFF = tuple(0.08 * share for share in OFFICE)
"""The same of a Saturday, a Sunday or a public holiday: somebody always catches up."""
CLAIM_DAYS = tuple(1.6 if day >= 24 or day <= 10 else 0.5 for day in range(1, 32))
"""Shares of a month's days: claims come in and are gone through around its end."""
TRUSTED_HOURS, TRUSTED_DAYS = 60.0, 120.0
"""As many approvals weigh as much as what is known beforehand."""
FOLLOWED, CHANCES = 5.0, 20.0
"""Beforehand, a quarter of the claims left under review follow within the sitting."""


class Calendar:
    """A project's place: its hour and day at any instant, and whether people work that day."""

    def __init__(self, zone: ZoneInfo, is_workday: Callable[[date], bool]) -> None:
        self._zone = zone
        self._is_workday = is_workday
        self._known: dict[int, tuple[int, int]] = {}

    def bins(self, at: float) -> tuple[int, int]:
        """The hour's bin (24 of working days, then 24 of other days) and the day's, 0 to 30."""
        slot = int(at // SLOT)
        found = self._known.get(slot)
        if found is None:
            if len(self._known) > 5000:
                self._known.clear()
            local = datetime.fromtimestamp(slot * SLOT, UTC).astimezone(self._zone)
            other = 0 if self._is_workday(local.date()) else 24
            found = self._known[slot] = (other + local.hour, local.day - 1)
        return found


@dataclass(frozen=True)
class Habits:
    """What was counted in one workspace, older counts faded."""

    hours: tuple[float, ...] = (0.0,) * 48
    days: tuple[float, ...] = (0.0,) * 31
    followed: float = 0.0  # approvals that came within a sitting of the one before
    chances: float = 0.0  # claims that could have, in sittings
    as_of: float = 0.0

    def after(
        self,
        approvals: Sequence[float],
        calendar: Calendar,
        before: float | None,
        under_review: int,
    ) -> "Habits":
        """With the approvals of one project that one look brought, in the order they happened.

        `before` is the project's approval before them, `under_review` how many claims are left.
        An hour in which many are approved counts once: it says one thing of the hour.
        """
        if not approvals:
            return self
        faded = self._faded(approvals[-1])
        hours, days = list(faded.hours), list(faded.days)
        for at in {int(at // HOUR): at for at in approvals}.values():
            hour, day = calendar.bins(at)
            hours[hour] += 1
            days[day] += 1
        followed, chances = faded.followed, faded.chances
        for left, at in zip(range(under_review + len(approvals), 0, -1), approvals, strict=False):
            if before is not None:
                gap = max(at - before, 0.0)
                followed += gap <= SITTING
                chances += left * min(gap / SITTING, 1.0)
            before = at
        return replace(
            faded, hours=tuple(hours), days=tuple(days), followed=followed, chances=chances
        )

    def _faded(self, at: float) -> "Habits":
        """As they count at an instant."""
        if at <= self.as_of:
            return self
        fade = 0.5 ** ((at - self.as_of) / HALF_LIFE)
        return Habits(
            hours=tuple(n * fade for n in self.hours),
            days=tuple(n * fade for n in self.days),
            followed=self.followed * fade,
            chances=self.chances * fade,
            as_of=at,
        )

    @cached_property
    def hour_weights(self) -> tuple[float, ...]:
        """How much likelier than on average an approval is in each hour's bin."""
        prior = tuple(5 * n for n in OFFICE) + tuple(2 * n for n in DAY_OFF)
        time = (5 / 7 / 24,) * 24 + (2 / 7 / 24,) * 24
        return _weights(self.hours, prior, TRUSTED_HOURS, time)

    @cached_property
    def day_weights(self) -> tuple[float, ...]:
        """The same by day of the month; neighbouring days say something of each other."""
        n = self.days
        smooth = tuple(n[d] / 2 + (n[d - 1] + n[(d + 1) % 31]) / 4 for d in range(31))
        return _weights(smooth, CLAIM_DAYS, TRUSTED_DAYS, (1 / 31,) * 31)

    @cached_property
    def follows(self) -> float:
        """The chance that a claim under review is approved in the sitting after another was."""
        return (FOLLOWED + self.followed) / (CHANCES + self.chances)


def _weights(
    seen: Sequence[float], prior: Sequence[float], trusted: float, time: Sequence[float]
) -> tuple[float, ...]:
    """Shares of what was seen and what was thought before, by the share of time each bin has."""
    known, total = sum(prior), sum(seen) + trusted
    return tuple(
        (trusted * p / known + n) / total / t for n, p, t in zip(seen, prior, time, strict=True)
    )
