"""Counting calls against one limit: our own count over a sliding time, and what the remote told.

A limit's window is fixed at the remote, but when it starts is not told [X 2.1, P 3], and older
sources say that it slides. So calls are counted over a sliding time of the window's length, in
steps: a step counts until all of it is older than the window. Then no window of that length, at
whatever instant it starts, holds more than the limit.
"""

import math
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
class Kept:
    """What a lane leaves to those above it: a part of the limit for good, and a part that
    shrinks to nothing while the window runs out."""

    always: float = 0.0
    at_start: float = 0.0


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


def left_of_window(meter: Meter, rule: Rule, now: datetime) -> float:
    """The part of the window still to come, 0 to 1; 1 where its end is not known."""
    if meter.until is None:
        return 1.0
    return min(max((meter.until - now) / rule.length, 0.0), 1.0)


def reserve(meter: Meter, rule: Rule, kept: Kept, now: datetime) -> int:
    """How many calls must stay free for the lanes above; none where there is no limit."""
    if limit_of(meter, rule) >= NO_LIMIT:
        return 0
    meter = live(meter, rule, now)
    part = kept.always + kept.at_start * left_of_window(meter, rule, now)
    return math.floor(limit_of(meter, rule) * part)


def goes_on_at(meter: Meter, rule: Rule, kept: Kept, now: datetime) -> datetime | None:
    """None when a call may go now; else when it may, if nobody calls until then."""
    meter = live(meter, rule, now)
    above = reserve(meter, rule, kept, now)
    if free(meter, rule, now) > above:
        return None
    if meter.left is not None and meter.until is not None:
        told_at = _reserve_gives_way(meter, rule, kept, meter.left)
        if rule.told_is_truth:
            return max(told_at, now)
        if meter.left > above:
            return _count_falls(meter, rule, above, now)
        return max(told_at, _count_falls(meter, rule, above, now))
    return _count_falls(meter, rule, above, now)


def _reserve_gives_way(meter: Meter, rule: Rule, kept: Kept, left: int) -> datetime:
    """When the shrinking reserve falls below what is left: at the window's end at the latest."""
    assert meter.until is not None
    limit = limit_of(meter, rule)
    if kept.at_start > 0 and left > math.floor(limit * kept.always):
        part = (left / limit - kept.always) / kept.at_start
        # Just below that part the whole number of the reserve is below what is left.
        at = meter.until - rule.length * min(max(part, 0.0), 1.0) + timedelta(seconds=1)
        return min(at, meter.until)
    return meter.until


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
