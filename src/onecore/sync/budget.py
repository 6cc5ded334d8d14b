"""Who may call a remote now, and who waits until when: pure rules over what is known of its limits.

Lanes in order: people waiting, documents, lists, nightly walks. Each leaves a part of every limit
to those above it, so that a lane never waits while one below it goes on. Of a day lists leave
what documents and people may still need; what those did not need goes to lists towards its end.
Pages have a share of each hour and day and come last beyond it, so they never starve the sync.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from onecore.ports import Lane, LimitKind
from onecore.sync import meters, sharing
from onecore.sync.meters import EMPTY, NO_LIMIT, Meter, Rule
from onecore.sync.sharing import NOBODY, Shares

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

STARTER_DAY, HIGHER_DAY = 1000, 5000  # Xero's daily limits by tier [X 2.1]

XERO_MINUTE = Rule(LimitKind.MINUTE, MINUTE, 5 * SECOND, 60)
XERO_DAY = Rule(LimitKind.DAY, DAY, HOUR, STARTER_DAY, told_is_truth=True)
XERO_APP_MINUTE = Rule(LimitKind.APP_MINUTE, MINUTE, 5 * SECOND, 10_000, told_is_truth=True)
PROCORE_HOUR = Rule(LimitKind.HOUR, HOUR, MINUTE, 3600, told_is_truth=True)
PROCORE_SPIKE = Rule(LimitKind.SPIKE, 10 * SECOND, SECOND, 25)


@dataclass(frozen=True, slots=True)
class Kept:
    """What a lane leaves to those above it, in parts of a limit: some for good, and some that
    shrinks to nothing while the window runs out."""

    always: float = 0.0
    at_start: float = 0.0


@dataclass(frozen=True, slots=True)
class Entitled:
    """What lists leave to a lane of a day, in parts of the limit: a whole day's need, and no more
    than can be needed in the hours that are left."""

    whole: float
    an_hour: float


_SHORT = {
    Lane.PERSON: Kept(),
    Lane.DOCUMENT: Kept(0.08),
    Lane.LIST: Kept(0.25),
    Lane.WALK: Kept(0.4),
}
KEPT: Mapping[LimitKind, Mapping[Lane, Kept]] = {
    LimitKind.MINUTE: _SHORT,
    LimitKind.SPIKE: _SHORT,
    # Read from the answers of many organisations, so what is under way has to fit in as well.
    LimitKind.APP_MINUTE: {
        Lane.PERSON: Kept(0.1),
        Lane.DOCUMENT: Kept(0.13),
        Lane.LIST: Kept(0.2),
        Lane.WALK: Kept(0.3),
    },
    LimitKind.HOUR: {
        Lane.PERSON: Kept(),
        Lane.DOCUMENT: Kept(0.03),
        Lane.LIST: Kept(0.06, 0.3),
        Lane.WALK: Kept(0.1, 0.4),
    },
    LimitKind.DAY: {
        Lane.PERSON: Kept(),
        Lane.DOCUMENT: Kept(0.02),
        Lane.LIST: Kept(0.07),
        Lane.WALK: Kept(0.09, 0.1),
    },
}
OF_A_DAY: Mapping[Lane, Entitled] = {
    Lane.PERSON: Entitled(0.2, 0.02),
    Lane.DOCUMENT: Entitled(0.48, 0.08),
}
"""Documents may all come in the last hours, so what is kept for them shrinks only with use, and
at the day's end. A day of 1,000 calls keeps 480 for them: 160 bills that come one by one."""

AT_ONCE = {Lane.PERSON: 5, Lane.DOCUMENT: 4, Lane.LIST: 3, Lane.WALK: 2}
"""Of Xero's five calls in flight [X 2.1], how many may be under way for a lane to begin one."""
A_MOMENT = timedelta(milliseconds=250)
"""How soon a place among the calls in flight is asked for again."""

PEOPLE = Rule(LimitKind.UNKNOWN, HOUR, 5 * MINUTE, 0)
PEOPLE_OF_A_DAY = 0.02
"""The part of a day's calls that pages may use in any hour ahead of everything else."""
PEOPLE_OF_AN_HOUR = 0.3
"""The same of an hour's calls."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Not now. `everyone`: no lane may call; otherwise those above go on."""

    until: datetime
    kind: LimitKind
    everyone: bool


@dataclass(frozen=True, slots=True)
class Usage:
    """All that is known of one allowance of calls: counted by us, told by the remote.

    `in_flight` are calls under way by a number of theirs, with when each is over at the latest.
    `shut` is until when the remote has told everybody to wait, by limit. `people` are calls for
    pages by the hour, `spent` our calls by lane since the day of the remote began, `shares` those
    of an hour by workspace.
    """

    rules: tuple[Rule, ...]
    meters: Mapping[LimitKind, Meter] = field(default_factory=dict)
    in_flight: Mapping[int, datetime] = field(default_factory=dict)
    at_once: bool = False
    people: Meter = EMPTY
    shut: Mapping[LimitKind, datetime] = field(default_factory=dict)
    spent: Mapping[Lane, int] = field(default_factory=dict)
    shares: Shares = NOBODY

    def meter(self, kind: LimitKind) -> Meter:
        return self.meters.get(kind, EMPTY)

    def has(self, kind: LimitKind) -> bool:
        return any(rule.kind is kind for rule in self.rules)

    def rule(self, kind: LimitKind) -> Rule:
        return next(rule for rule in self.rules if rule.kind is kind)


def of_organisation() -> Usage:
    """An app's calls to one Xero organisation, none made yet."""
    return Usage((XERO_MINUTE, XERO_DAY), at_once=True)


def of_xero_app() -> Usage:
    """A Xero app's calls to all its organisations."""
    return Usage((XERO_APP_MINUTE,))


def of_procore_app() -> Usage:
    """A Procore app's calls, whatever the company: what is counted together is not told [P 3]."""
    return Usage((PROCORE_HOUR, PROCORE_SPIKE))


# --- before a call ----------------------------------------------------------------------------


def wait(usage: Usage, lane: Lane, now: datetime, workspace: int = 0) -> Wait | None:
    """None when a call may be begun in a lane, else when it may be, for the longest reason.

    Of an hour that workspaces share, all but people have a fair part each.
    """
    had = _had_their_share(usage, now) if lane is Lane.PERSON else None
    served = lane if had is None else Lane.WALK
    found = _reasons(usage, served, now)
    if not found and served is not Lane.PERSON and usage.has(LimitKind.HOUR):
        found = _beyond_share(usage, served, workspace, now)
    if not found:
        return None
    until, kind = max(found)
    everyone = _reasons(usage, Lane.PERSON, now)
    if had is not None:
        until = min(until, max([had, *(at for at, _ in everyone)]))
    return Wait(until, kind, bool(everyone))


def _had_their_share(usage: Usage, now: datetime) -> datetime | None:
    """When people go ahead of everything again, who have had their share of the hour or the day;
    None when they do now."""
    day = usage.meter(LimitKind.DAY)
    a_day = meters.limit_of(day, XERO_DAY) * OF_A_DAY[Lane.PERSON].whole
    if usage.has(LimitKind.DAY) and spent_of_day(usage, Lane.PERSON, now) >= a_day:
        return day.until if day.until is not None else now + XERO_DAY.length
    an_hour = replace(usage.people, limit=people_an_hour(usage))
    return meters.goes_on_at(an_hour, PEOPLE, lambda _: 0, now)


def people_an_hour(usage: Usage) -> int:
    """How many calls for pages go ahead of everything else in an hour."""
    shares = {LimitKind.DAY: PEOPLE_OF_A_DAY, LimitKind.HOUR: PEOPLE_OF_AN_HOUR}
    parts = [
        math.ceil(meters.limit_of(usage.meter(rule.kind), rule) * shares[rule.kind])
        for rule in usage.rules
        if rule.kind in shares
    ]
    return min(parts, default=NO_LIMIT)


def _reasons(usage: Usage, lane: Lane, now: datetime) -> list[tuple[datetime, LimitKind]]:
    """Every reason for a lane to wait, with its end."""
    found = [(until, kind) for kind, until in usage.shut.items() if until > now]
    for rule in usage.rules:
        above = partial(kept_above, usage, rule, lane)
        goes_on = meters.goes_on_at(usage.meter(rule.kind), rule, above, now)
        if goes_on is not None:
            found.append((goes_on, rule.kind))
    if usage.at_once and len(under_way(usage, now)) >= AT_ONCE[lane]:
        found.append((now + A_MOMENT, LimitKind.CONCURRENT))
    return found


def _beyond_share(
    usage: Usage, lane: Lane, workspace: int, now: datetime
) -> list[tuple[datetime, LimitKind]]:
    """A reason to wait for who has had a fair part of an hour that others want as well."""
    rule, meter = usage.rule(LimitKind.HOUR), usage.meter(LimitKind.HOUR)
    limit = meters.limit_of(meter, rule) - kept_above(usage, rule, Lane.DOCUMENT, now)
    free = meters.free(meter, rule, now) - kept_above(usage, rule, lane, now)
    since = sharing.began(meter.until, now)
    goes_on = sharing.goes_on_at(usage.shares, workspace, limit, free, since, now)
    return [(goes_on, LimitKind.HOUR)] if goes_on is not None else []


def kept_above(usage: Usage, rule: Rule, lane: Lane, at: datetime) -> int:
    """How many calls of a limit a lane leaves to those above it; none where there is no limit."""
    meter, kept = usage.meter(rule.kind), KEPT[rule.kind][lane]
    if meters.limit_of(meter, rule) >= NO_LIMIT:
        return 0
    part = kept.always + kept.at_start * (left_of(meter, rule, at) / rule.length)
    if rule.kind is LimitKind.DAY and lane in (Lane.LIST, Lane.WALK):
        part += sum(still_entitled(usage, who, at) for who in OF_A_DAY)
    return math.floor(meters.limit_of(meter, rule) * part)


def still_entitled(usage: Usage, lane: Lane, at: datetime) -> float:
    """The part of a day's limit that is kept for a lane."""
    day, entitled = usage.meter(LimitKind.DAY), OF_A_DAY[lane]
    unspent = entitled.whole - spent_of_day(usage, lane, at) / meters.limit_of(day, XERO_DAY)
    return max(0.0, min(unspent, entitled.an_hour * (left_of(day, XERO_DAY, at) / HOUR)))


def spent_of_day(usage: Usage, lane: Lane, at: datetime) -> int:
    """Our calls of a lane since the remote's day began."""
    until = usage.meter(LimitKind.DAY).until
    is_over = until is not None and at >= until
    return 0 if is_over else usage.spent.get(lane, 0)


def left_of(meter: Meter, rule: Rule, at: datetime) -> timedelta:
    """How long a window goes on yet; all of it where its end is not known, or has passed."""
    if meter.until is None or at >= meter.until:
        return rule.length
    return min(meter.until - at, rule.length)


def under_way(usage: Usage, now: datetime) -> dict[int, datetime]:
    """Calls in flight. One whose process was killed is over when it must have ended."""
    return {slip: until for slip, until in usage.in_flight.items() if until > now}


def begun(
    usage: Usage, lane: Lane, slip: int, over_at: datetime, now: datetime, workspace: int = 0
) -> Usage:
    """The usage with one more call under way, over at `over_at` at the latest."""
    people = usage.people
    if lane is Lane.PERSON:
        people = meters.added(people, PEOPLE, now)
    spent = {one: spent_of_day(usage, one, now) for one in Lane}
    spent[lane] += 1
    return replace(
        usage,
        spent={one: calls for one, calls in spent.items() if calls},
        shares=_shared(usage, lane, workspace, now),
        meters={r.kind: meters.added(usage.meter(r.kind), r, now) for r in usage.rules},
        in_flight={**under_way(usage, now), slip: over_at},
        people=people,
        shut={kind: until for kind, until in usage.shut.items() if until > now},
    )


def _shared(usage: Usage, lane: Lane, workspace: int, now: datetime) -> Shares:
    if lane is Lane.PERSON or not usage.has(LimitKind.HOUR):
        return usage.shares
    since = sharing.began(usage.meter(LimitKind.HOUR).until, now)
    return sharing.counted(usage.shares, workspace, since)


# --- after a call -----------------------------------------------------------------------------


def over(
    usage: Usage, slip: int, figures: Mapping[str, int], answered: bool, now: datetime
) -> Usage:
    """The usage after a call: it is under way no more, and its answer told `figures`."""
    rest = under_way(usage, now)
    rest.pop(slip, None)
    usage = replace(usage, in_flight=rest)
    for rule in usage.rules:
        if usage.shut.get(rule.kind, now) > now:
            continue  # an answer that was on its way when the remote told everybody to wait
        meter = _told(usage, rule, figures, answered, len(rest), now)
        before = usage.meter(rule.kind).until
        if rule.kind is LimitKind.DAY and before is not None and meter.until != before:
            usage = replace(usage, spent={})  # another day began
        usage = replace(usage, meters={**usage.meters, rule.kind: meter})
    return usage


_LEFT = {
    LimitKind.MINUTE: "minute_remaining",
    LimitKind.DAY: "day_remaining",
    LimitKind.APP_MINUTE: "app_minute_remaining",
}


def _told(
    usage: Usage,
    rule: Rule,
    figures: Mapping[str, int],
    answered: bool,
    others: int,
    now: datetime,
) -> Meter:
    meter = usage.meter(rule.kind)
    if rule.kind in (LimitKind.HOUR, LimitKind.SPIKE):
        return _told_by_procore(usage, rule, figures, answered, others, now)
    left = figures.get(_LEFT[rule.kind])
    if left is None:
        return meter
    limit = _limit_from(rule, meter, left, now)
    others = 0 if rule.kind is LimitKind.APP_MINUTE else others
    return meters.told(meter, rule, left - others, now + rule.length, limit, now)


def _limit_from(rule: Rule, meter: Meter, left: int, now: datetime) -> int:
    """Xero tells what is left, not of how much: the least limit that it can be left of."""
    tiers = (STARTER_DAY, HIGHER_DAY) if rule.kind is LimitKind.DAY else (rule.limit,)
    least = next((tier for tier in tiers if left <= tier), left)
    known = meters.live(meter, rule, now)
    if known.left is not None and known.limit is not None:  # of the same window, or a larger one
        return max(least, known.limit)
    return least


def _told_by_procore(
    usage: Usage,
    rule: Rule,
    figures: Mapping[str, int],
    answered: bool,
    others: int,
    now: datetime,
) -> Meter:
    """Headers report the window that is nearer to exhaustion, never saying which [P 3]."""
    meter = usage.meter(rule.kind)
    limit, left, reset = (figures.get(name) for name in ("limit", "remaining", "reset"))
    if limit is None or left is None or reset is None:
        if answered and not figures and meter.limit is None:
            return replace(meter, limit=NO_LIMIT)  # no word of any limit
        return meter
    until = datetime.fromtimestamp(reset, now.tzinfo)
    kind = procore_window(
        limit, until, meters.limit_of(usage.meter(LimitKind.HOUR), PROCORE_HOUR), now
    )
    if kind is rule.kind:
        # A clock that is off must not stretch a window beyond its length.
        until = min(max(until, now), now + rule.length)
        return meters.told(meter, rule, left - others, until, limit, now)
    if rule.kind is LimitKind.SPIKE and meter.limit is None:
        # The hour is told although a burst would be nearer to its end: there is none to mind.
        return replace(meter, limit=NO_LIMIT)
    return meter


def procore_window(limit: int, until: datetime, hourly: int, now: datetime) -> LimitKind:
    """Which of Procore's two windows a figure is of."""
    if limit == hourly or until - now > PROCORE_SPIKE.length + 5 * SECOND or limit > 200:
        return LimitKind.HOUR
    return LimitKind.SPIKE


def refused(usage: Usage, kind: LimitKind, until: datetime, now: datetime) -> Usage:
    """The usage after a 429: nobody calls before `until`, and a longer wait stands."""
    shut = {k: at for k, at in usage.shut.items() if at > now}
    shut[kind] = max(until, shut.get(kind, until))
    usage = replace(usage, shut=shut)
    rule = next((rule for rule in usage.rules if rule.kind is kind), None)
    if rule is None:
        return usage
    meter = replace(meters.live(usage.meter(kind), rule, now), left=0, until=shut[kind])
    return replace(usage, meters={**usage.meters, kind: meter})


def all_wait(usage: Usage, now: datetime) -> Wait | None:
    """Until when no lane may call, told so or because nothing is left; None while any may."""
    found = _reasons(usage, Lane.PERSON, now)
    if not found:
        return None
    until, kind = max(found)
    return Wait(until, kind, everyone=True)


def shut_until(usage: Usage, now: datetime) -> tuple[datetime, LimitKind] | None:
    """Until when nobody may call because the remote said so, and which limit that is."""
    standing = [(until, kind) for kind, until in usage.shut.items() if until > now]
    return max(standing, default=None)
