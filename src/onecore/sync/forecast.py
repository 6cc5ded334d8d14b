"""When an allowance of calls runs out, foretold from the hours before: a pure rule."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import fmean

HOUR = timedelta(hours=1)
WEEK = timedelta(weeks=1)
WEEKS = 2
KNOWN_FROM = timedelta(days=7)
"""With so much known, the same hours of the week tell more than the last ones do."""
LATELY = 3 * HOUR
"""The hours a pace is taken from."""
TODAY = 6 * HOUR
"""The hours in which this day is held against the pattern."""
LEAST_TO_COMPARE = 10
MOST_UNLIKE = 4.0
"""A day is believed to be so many times busier, or quieter, than its pattern at most."""

Hours = Mapping[datetime, int]
"""Calls by the instant their hour began, hours without any left out."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What becomes of an allowance until its window ends."""

    ends_at: datetime
    left_at_end: int  # 0 where it runs out
    runs_out_at: datetime | None
    by_pattern: bool  # False: by the pace of the last hours


def forecast(left: int, ends_at: datetime, hours: Hours, now: datetime) -> Forecast:
    """When `left` calls are used up, or how many are left at `ends_at`.

    `hours` are those of the past two weeks with the current one. The same hours of the past weeks
    are the pattern, made larger or smaller as today was so far; where too little is known, the
    pace of the last hours goes on.
    """
    by_pattern = bool(hours) and now - min(hours) >= KNOWN_FROM
    a_day_like = _unlike(hours, now) if by_pattern else 1.0
    pace = _pace(hours, now)
    rest, at = float(left), now
    while at < ends_at:
        hour = at.replace(minute=0, second=0, microsecond=0)
        until = min(hour + HOUR, ends_at)
        calls = _usual(hours, hour, now) * a_day_like if by_pattern else pace
        wanted = calls * ((until - at) / HOUR)
        if wanted > 0 and rest - wanted < 0:
            return Forecast(ends_at, 0, at + (until - at) * (rest / wanted), by_pattern)
        rest, at = rest - wanted, until
    return Forecast(ends_at, max(0, round(rest)), None if left > 0 else now, by_pattern)


def _usual(hours: Hours, hour: datetime, now: datetime) -> float:
    """The calls of an hour as the same hours of the past weeks had it, where those were counted."""
    first = min(hours)
    known = [hour - n * WEEK for n in range(1, WEEKS + 1) if hour - n * WEEK >= first]
    # A time to come within a week has its last week's hour behind it already.
    return fmean(hours.get(one, 0) for one in known if one < now) if known else 0.0


def _unlike(hours: Hours, now: datetime) -> float:
    """How many times as busy as usual the last whole hours were."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    last = [hour - n * HOUR for n in range(1, TODAY // HOUR + 1)]
    usual = sum(_usual(hours, one, now) for one in last)
    if usual < LEAST_TO_COMPARE:
        return 1.0
    times = sum(hours.get(one, 0) for one in last) / usual
    return min(max(times, 1 / MOST_UNLIKE), MOST_UNLIKE)


def _pace(hours: Hours, now: datetime) -> float:
    """Calls an hour, as of the last hours; since the first call where that was later."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    begun = max(min(hours, default=hour), hour - LATELY + HOUR)
    calls = sum(n for at, n in hours.items() if at >= begun)
    return calls / max((now - begun) / HOUR, 0.25)
