"""When each list is looked at next: as often as it earns, within what may be spent on looking.

A look is worth making once the documents that may be waiting unseen have, by expectation, waited
a certain time together. Of lists that change at rates r, looks at intervals T leave documents
waiting r × T²/2 document-seconds by each look; for a number of looks to be had, the waiting is
least when that is the same for all, so when intervals go with 1/√r. That common figure is the
price of a look: a standing one while there are looks to spare, a higher one when there are not.

Instants are seconds since 1970; intervals are seconds.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from math import sqrt

from onecore.sync.habits import DAY, HOUR, SITTING, SLOT, Calendar, Habits

REVIEWED = 7 * DAY
"""How long a claim is under review on average, nights and week-ends in."""
FRESH = 12 * DAY
"""From that age on the chance that a claim is approved falls with its age: it is disputed."""
UNTOLD = 30 * DAY
"""How often a project has a change worth a look that no claim under review announced."""
STIRRED = 300.0
"""Seconds for which a claim that came in, or a bell, says that somebody works there."""
TRUSTED = 1.0
"""As many approvals weigh as much as what is thought of all projects alike."""
HALF_LIFE = 45 * DAY
MOST = 4.0
"""How many times busier, or quieter, than others a project is believed to be."""
STANDING = 3.0e-5
EVENLY = 8.0
"""The standing price is STANDING × the shortest wait × the wait there would be were all lists
looked at evenly, that at most EVENLY times the shortest: who has few projects looks at them more
often than who has many, without being looked for on every second of every night."""
SHORTEST, LONGEST = 10.0, HOUR
"""No list is looked at more often, and none less often while the looks suffice for it."""
FOR_THE_QUIET = 0.25
"""The share of looks that the longest wait may take up before it is stretched."""
SPREAD = 0.1
"""Waits differ by so much either way, so that lists read at once do not stay together."""
LEEWAY = 0.95
"""The part of the looks that is planned with; bells and the morning's rush take the rest."""
BURST = 30.0
"""Seconds' worth of looks that may be made at once."""


@dataclass(frozen=True, slots=True)
class Watch:
    """What is known of one list. `seen` and `expected` fade with time, as of `looked_at`."""

    key: int
    calendar: Calendar
    looked_at: float | None = None
    under_review: int = 0  # claims
    pending: float = 0.0  # the same, old ones counted in part
    stirred_until: float = 0.0  # somebody is thought to work there until then
    approved_at: float | None = None  # the last approval
    seen: float = 0.0  # approvals
    expected: float = 0.0  # how many there would be were the list like all others

    @property
    def busier(self) -> float:
        """How many times as busy as others the list has been."""
        found = (TRUSTED + self.seen) / (TRUSTED + self.expected)
        return min(max(found, 1 / MOST), MOST)


def pending(since: Iterable[float], at: float) -> float:
    """How many claims under review, by since when each is, old ones counted in part."""
    return sum(min(1.0, FRESH / max(at - one, 1.0)) for one in since)


@dataclass(frozen=True, slots=True)
class Look:
    """What one look brought. `approvals` are when they happened, in order."""

    at: float
    approvals: tuple[float, ...] = ()
    stirred: bool = False  # anything else changed: a claim came in, was edited, was sent back
    under_review: tuple[float, ...] = ()  # since when each claim is


@dataclass(frozen=True, slots=True)
class Price:
    """What a look costs in document-seconds of waiting, and the bounds of any wait."""

    of_a_look: float
    shortest: float
    longest: float


# --- how likely a change is -------------------------------------------------------------------


def rate(watch: Watch, habits: Habits, at: float) -> float:
    """Changes worth a look per second at an instant, by expectation."""
    return _rate(watch, habits, at, watch.busier)


def _rate(watch: Watch, habits: Habits, at: float, busier: float) -> float:
    hour, day = watch.calendar.bins(at)
    usual = watch.pending / REVIEWED + habits.day_weights[day] / UNTOLD
    found = busier * usual * habits.hour_weights[hour]
    if at < watch.stirred_until:
        found += (watch.under_review + 0.25) * habits.follows / SITTING
    return found


def _stretches(
    watch: Watch, habits: Habits, busier: float, start: float, end: float
) -> Iterator[tuple[float, float, float]]:
    """(from, seconds, rate) over which the rate stays the same, until `end`."""
    at = start
    while at < end:
        until = min((at // SLOT + 1) * SLOT, end)
        if at < watch.stirred_until < until:
            until = watch.stirred_until
        yield at, until - at, _rate(watch, habits, at, busier)
        at = until


def after(watch: Watch, habits: Habits, look: Look) -> Watch:
    """What is known of a list once it was looked at."""
    seen, expected = watch.seen, watch.expected
    if watch.looked_at is not None and look.at > watch.looked_at:
        fade = 0.5 ** ((look.at - watch.looked_at) / HALF_LIFE)
        stretches = _stretches(watch, habits, 1.0, watch.looked_at, look.at)
        seen = seen * fade + len(look.approvals)
        expected = expected * fade + sum(seconds * r for _, seconds, r in stretches)
    stirred_until = watch.stirred_until
    if look.approvals:
        stirred_until = max(stirred_until, look.approvals[-1] + SITTING)
    if look.stirred:
        stirred_until = max(stirred_until, look.at + STIRRED)
    return Watch(
        watch.key,
        watch.calendar,
        looked_at=look.at,
        under_review=len(look.under_review),
        pending=pending(look.under_review, look.at),
        stirred_until=stirred_until,
        approved_at=look.approvals[-1] if look.approvals else watch.approved_at,
        seen=seen,
        expected=expected,
    )


# --- what a look costs ------------------------------------------------------------------------


def price(
    rates: Iterable[float],
    per_hour: float,
    shortest: float = SHORTEST,
    longest: float = LONGEST,
    for_the_quiet: float = FOR_THE_QUIET,
) -> Price:
    """The price at which lists changing at these rates are looked at `per_hour` times at most.

    The longest wait is stretched where it alone would take up more than `for_the_quiet`, the part
    of the looks that may go to lists in which nothing stirs.
    """
    roots = sorted(sqrt(max(r, 0.0)) for r in rates)
    looks = LEEWAY * per_hour / HOUR
    evenly = max(1, len(roots)) / looks
    longest = max(longest, shortest, evenly / for_the_quiet)
    least = sqrt(2 * STANDING * shortest * min(evenly, EVENLY * shortest))
    most = max(least, longest * roots[-1]) if roots else least
    sums = [0.0, *accumulate(roots)]

    def asked(scale: float) -> float:
        """Looks a second when each list's wait is `scale` over the root of its rate."""
        slow = bisect_left(roots, scale / longest)
        fast = max(slow, bisect_left(roots, scale / shortest))
        between = (sums[fast] - sums[slow]) / scale
        return slow / longest + between + (len(roots) - fast) / shortest

    if asked(least) > looks:
        for _ in range(50):
            middle = sqrt(least * most)
            least, most = (middle, most) if asked(middle) > looks else (least, middle)
        least = most
    return Price(least * least / 2, shortest, longest)


def next_look(watch: Watch, habits: Habits, price: Price) -> float:
    """When a list that was looked at is looked at next."""
    assert watch.looked_at is not None
    start, spread = watch.looked_at, 1 + SPREAD * _lot(watch.key, watch.looked_at)
    worth, end = price.of_a_look * spread * spread, start + price.longest * spread
    waited = unseen = 0.0
    for at, seconds, r in _stretches(watch, habits, watch.busier, start, end):
        more = waited + unseen * seconds + r * seconds * seconds / 2
        if more >= worth:
            # waited + unseen × t + r × t²/2 = worth
            short = worth - waited
            end = at + 2 * short / (unseen + sqrt(unseen * unseen + 2 * r * short))
            break
        waited, unseen = more, unseen + r * seconds
    return max(end, start + price.shortest)


def _lot(key: int, at: float) -> float:
    """A number between -1 and 1 that looks drawn, the same for the same list and second."""
    mixed = (key * 0x9E3779B1 + int(at) * 0x85EBCA77) & 0xFFFFFFFF
    mixed = ((mixed ^ mixed >> 15) * 0x2C1B3C6D) & 0xFFFFFFFF
    return (mixed ^ mixed >> 13) / 0x7FFFFFFF - 1


# --- what may be spent ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Purse:
    """Looks that may be made, spent one by one: in no hour whatever more than `per_hour`."""

    per_hour: float
    free_at: float = 0.0  # when every look made so far is paid for

    def there(self, now: float) -> int:
        """How many looks may be made now."""
        owed = max(self.free_at - now, 0.0)
        return max(0, int(self._at_once - owed / self._each + 1e-9))

    def spent(self, looks: int, now: float) -> "Purse":
        return Purse(self.per_hour, max(self.free_at, now) + looks * self._each)

    def again_at(self) -> float:
        """When one more look may be made."""
        return self.free_at - (self._at_once - 1) * self._each

    @property
    def _at_once(self) -> float:
        return max(1.0, self.per_hour * BURST / HOUR)

    @property
    def _each(self) -> float:
        """Seconds that pay for a look: an hour's worth, less what may be spent at once."""
        return HOUR / max(self.per_hour - self._at_once, 0.5)
