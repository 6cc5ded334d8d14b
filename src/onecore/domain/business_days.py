"""Business days as the security-of-payment Acts count them: data with dates, not constants.

Public holidays come from outside (`Chart.is_business_day`); here are the further days each Act
leaves out around the New Year. Sources, none of them a substitute for the Act itself: NSW, ACT
and QLD as law firms and the Queensland regulator restate them each December (hwlebsworth.com.au,
morrisseylaw.com.au, qbcc.qld.gov.au); VIC by Act No. 43 of 2025, in force on 1 September 2026 at
the latest (rialtoadjudications.com.au, April 2026); NZ Construction Contracts Act 2002
(buildingdisputestribunal.co.nz). SA, TAS and WA are from general knowledge of their Acts:
verify before relying on them. NT counts plain working days.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta


class UnknownRegion(ValueError):
    """A region no calendar is known for; the message names it."""


@dataclass(frozen=True, slots=True)
class ShutDown:
    """Days of every year, both ends included, that an Act does not count from `since` on."""

    region: str
    first: tuple[int, int]  # month, day
    last: tuple[int, int]
    since: date = date.min

    def covers(self, day: date) -> bool:
        if day < self.since:
            return False
        here = (day.month, day.day)
        if self.first <= self.last:
            return self.first <= here <= self.last
        return here >= self.first or here <= self.last  # over the New Year


SHUT_DOWNS = (
    ShutDown("AU-NSW", (12, 27), (12, 31)),
    ShutDown("AU-ACT", (12, 27), (12, 31)),
    ShutDown("AU-SA", (12, 27), (12, 31)),
    ShutDown("AU-TAS", (12, 27), (12, 31)),
    ShutDown("AU-QLD", (12, 22), (12, 24)),
    ShutDown("AU-QLD", (12, 27), (12, 31)),
    ShutDown("AU-QLD", (1, 2), (1, 10)),
    ShutDown("AU-WA", (12, 22), (1, 10), since=date(2022, 8, 1)),
    ShutDown("AU-VIC", (12, 22), (1, 10), since=date(2026, 9, 1)),
    ShutDown("NZ", (12, 24), (1, 5)),
)


def is_shut_down(day: date, region: str) -> bool:
    """Whether the region's Act leaves the day out; "NZ-AUK" counts as NZ does."""
    return any(
        shut.covers(day)
        for shut in SHUT_DOWNS
        if region == shut.region or region.startswith(f"{shut.region}-")
    )


def business_days_after(
    start: date, days: int, region: str, is_business_day: Callable[[date, str], bool]
) -> date:
    """The `days`-th business day after `start`, which itself is not counted.

    Raises UnknownRegion when the calendar does not know the region.
    """
    day, left = start, days
    while left > 0:
        day += timedelta(days=1)
        if is_business_day(day, region) and not is_shut_down(day, region):
            left -= 1
    return day
