"""Counting calls against one limit: our own count over a sliding time, and what the remote told.

A limit's window is fixed at the remote, but when it starts is not told [X 2.1, P 3], and older
sources say that it slides. So calls are counted over a sliding time of the window's length, in
steps: a step counts until all of it is older than the window. Then no window of that length, at
whatever instant it starts, holds more than the limit.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from onecore.ports import LimitKind

NO_LIMIT = 10**9
"""The limit where a remote answers without naming any."""
OUT_OF_ORDER = 5
"""Answers overtake each other: what is told may be behind by as many as are under way."""
NEARLY_ALL = 0.9
"""A jump to this part of the limit, or by the rest of it, is a window that began anew."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One limit of a remote: at most `limit` calls in `length`, until the remote tells another.

    `told_is_truth`: others spend from the same window (another installation of the same app), so
    once the remote has told what is left, that is all that counts, and when its window ends the
    next begins afresh. Otherwise both our count and what is told must leave something.
    """

    kind: LimitKind
    length: timedelta
    step: timedelta
    limit: int
    told_is_truth: bool = False


@dataclass(frozen=True, slots=True)
class Meter:
    """What is known of one window. `counts` are calls by number of step, the oldest first.

    `left` is what the remote said is left until `until`, less the calls begun since.
    """

    counts: tuple[tuple[int, int], ...] = ()
    limit: int | None = None
    left: int | None = None
    until: datetime | None = None

    def used(self) -> int:
        return sum(calls for _, calls in self.counts)


EMPTY = Meter()
Above = Callable[[datetime], int]
"""How many calls have to stay free for others, by when; it never grows with time."""


def limit_of(meter: Meter, rule: Rule) -> int:
    """The limit as told, or as the rule has it."""
    return rule.limit if meter.limit is None else meter.limit


def live(meter: Meter, rule: Rule, now: datetime) -> Meter:
    """The meter without what has passed."""
    if meter.until is not None and now >= meter.until:
        counts = () if rule.told_is_truth else meter.counts
        meter = replace(meter, counts=counts, left=None, until=None)
    newest = _step(rule, now) + 1  # a step further on is of a clock that was set back
    counts = tuple(
        (step, n) for step, n in meter.counts if step <= newest and _passes_at(rule, step) > now
    )
    return meter if counts == meter.counts else replace(meter, counts=counts)


def free(meter: Meter, rule: Rule, now: datetime) -> int:
    """How many calls may be begun now; below zero when others went over."""
    meter = live(meter, rule, now)
    if meter.left is not None and rule.told_is_truth:
        return meter.left
    own = limit_of(meter, rule) - meter.used()
    return own if meter.left is None else min(own, meter.left)


def added(meter: Meter, rule: Rule, now: datetime) -> Meter:
    """The meter with one more call begun."""
    meter = live(meter, rule, now)
    step = _step(rule, now)
    counts = dict(meter.counts)
    counts[step] = counts.get(step, 0) + 1
    left = None if meter.left is None else meter.left - 1
    return replace(meter, counts=tuple(sorted(counts.items())), left=left)


def told(meter: Meter, rule: Rule, left: int, until: datetime, limit: int, now: datetime) -> Meter:
    """The meter after an answer: `left` calls until `until`, those under way taken off."""
    meter = live(meter, rule, now)
    if not rule.told_is_truth or meter.left is None or meter.limit != limit:
        return replace(meter, left=left, until=until, limit=limit)
    more = left - meter.left
    if more > OUT_OF_ORDER and (left >= limit * NEARLY_ALL or more > limit * (1 - NEARLY_ALL)):
        return replace(meter, left=left, until=until)  # a window has begun since
    # The same window goes on, and its end is known already. A little more than we thought means
    # that calls never left, or that answers overtook each other: then the lower figure is safe.
    return replace(meter, left=left if more > OUT_OF_ORDER else min(left, meter.left))


def goes_on_at(meter: Meter, rule: Rule, above: Above, now: datetime) -> datetime | None:
    """None when more than `above` calls are free now; else when that will be so, if nobody
    calls until then."""
    meter = live(meter, rule, now)
    if free(meter, rule, now) > above(now):
        return None
    found = []
    if meter.left is not None and meter.until is not None:
        found.append(_gives_way(meter.left, above, now, meter.until))
    if meter.left is None or not rule.told_is_truth:
        found.append(_count_falls(meter, rule, above(now), now))
    return max(found)


def _gives_way(left: int, above: Above, now: datetime, until: datetime) -> datetime:
    """When what is kept for others falls below what is left: at the window's end at the latest."""
    if left > above(now):
        return now
    early, late = now, until
    while late - early > timedelta(seconds=1):
        middle = early + (late - early) / 2
        if left > above(middle):
            late = middle
        else:
            early = middle
    return late


def _count_falls(meter: Meter, rule: Rule, above: int, now: datetime) -> datetime:
    """When enough of what we counted ourselves has passed."""
    used = meter.used()
    for step, calls in meter.counts:
        if limit_of(meter, rule) - used > above:
            break
        used -= calls
        now = max(now, _passes_at(rule, step))
    return now


def _step(rule: Rule, at: datetime) -> int:
    return math.floor(at.timestamp() / rule.step.total_seconds())


def _passes_at(rule: Rule, step: int) -> datetime:
    """When all of a step is older than the window."""
    ends = datetime.fromtimestamp((step + 1) * rule.step.total_seconds(), UTC)
    return ends + rule.length
