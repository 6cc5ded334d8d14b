"""What a budget comes to, in sentences that pages and commands share."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from onecore.engine.use.budgets import Standing
from onecore.ports import Lane, LimitKind, Remote
from onecore.sync.pacing import SWEEP_EVERY

NAMES = {Remote.PROCORE: "Procore", Remote.XERO: "Xero"}
LANES = {
    Lane.PERSON.value: "Pages",
    Lane.DOCUMENT.value: "Documents",
    Lane.LIST.value: "Lists",
    Lane.WALK.value: "Nightly walks",
}
"""The lanes in their order, as people read them."""
_LIMITS = {
    LimitKind.MINUTE: "this minute's calls are used up",
    LimitKind.APP_MINUTE: "this minute's calls of the app, over all its customers, are used up",
    LimitKind.CONCURRENT: "too many calls were under way at once",
    LimitKind.HOUR: "this hour's calls are used up",
    LimitKind.SPIKE: "too many calls came within ten seconds",
    LimitKind.DAY: "today's calls are used up",
    LimitKind.UNKNOWN: "it asked to wait",
}


_AGAIN = {
    (Remote.XERO, Lane.PERSON): "Pages show Xero's figures again",
    (Remote.XERO, Lane.DOCUMENT): "Bills go on",
    (Remote.XERO, Lane.LIST): (
        "Changes made in Xero are seen when bills are made, and looked for by themselves again"
    ),
    (Remote.PROCORE, Lane.PERSON): "Pages show Procore's figures again",
    (Remote.PROCORE, Lane.DOCUMENT): "Claims are read again",
    (Remote.PROCORE, Lane.LIST): "Changed claims are looked for again",
    (Remote.PROCORE, Lane.WALK): "The nightly walk of all claims goes on",
}


@dataclass(frozen=True, slots=True)
class Told:
    """An allowance in words. `tone` is as states have it: good, warn or bad; `brief` is for one
    line beside others."""

    tone: str
    brief: str
    headline: str
    forecast: str = ""
    stretched: tuple[str, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        return tuple(line for line in (self.headline, self.forecast, *self.stretched) if line)


def told(one: Standing, now: datetime) -> Told:
    """How an allowance stands, how long it lasts, and what is done less often because of it."""
    if one.blocked_until is not None:
        brief = f"goes on {when(one.blocked_until, now)}"
        return Told("bad", brief, _blocked(one, one.blocked_until, now))
    runs_out = one.forecast is not None and one.forecast.runs_out_at is not None
    brief = "no limit told"
    if one.limit is not None and one.remaining is not None:
        brief = f"{one.remaining:,} of {one.limit:,} left of this {_period(one)}"
    return Told(
        "warn" if one.is_tight or runs_out else "good",
        brief,
        _left(one, now),
        _foretold(one, now),
        _stretched(one, now),
    )


def used_up(one: Standing, now: datetime) -> str:
    """Of an allowance whose day is used up: what that means and when it goes on."""
    until = one.blocked_until or one.waiting.get(Lane.DOCUMENT.value)
    at = f" {when(until, now)}" if until is not None else ""
    return (
        f"{NAMES[one.remote]} takes no more calls for {one.name or 'this organisation'} today. "
        f"It goes on by itself{at}; all that waits stays in its place."
    )


def _blocked(one: Standing, until: datetime, now: datetime) -> str:
    if one.blocked_by == LimitKind.DAY:
        return used_up(one, now)
    why = _LIMITS[LimitKind(one.blocked_by)]
    return f"{NAMES[one.remote]} is left alone, as {why}. It goes on {when(until, now)}."


def _period(one: Standing) -> str:
    return "day" if one.window > timedelta(hours=1) else "hour"


def _left(one: Standing, now: datetime) -> str:
    if one.limit is None or one.remaining is None:
        return f"{NAMES[one.remote]} names no limit."
    left = f"{one.remaining:,} of {one.limit:,} calls are left of this {_period(one)}"
    if one.ends_at is None:
        return f"{left}."
    return f"{left}. The next begins {when(one.ends_at, now)} at the latest."


def _foretold(one: Standing, now: datetime) -> str:
    lasts = one.forecast
    if lasts is None or one.last_day == 0:
        return ""
    by = "As in the past two weeks" if lasts.by_pattern else "At the pace of the last hours"
    if lasts.runs_out_at is None:
        return f"{by}, about {lasts.left_at_end:,} will be left at its end."
    return f"{by}, they would be used up {when(lasts.runs_out_at, now)}, before its end."


def _stretched(one: Standing, now: datetime) -> tuple[str, ...]:
    found = []
    every = one.sweep_every
    if every is not None and every > SWEEP_EVERY and Lane.LIST.value not in one.waiting:
        found.append(
            f"Changes made in Xero are looked for every {spell(every)} rather than every "
            f"{spell(SWEEP_EVERY)}, so that bills have the calls they need."
        )
    if one.documents_every:
        found.append(
            f"Bills go together every {spell(one.documents_every)}; what somebody asks for goes "
            "at once."
        )
    for lane, until in one.waiting.items():
        words = _AGAIN.get((one.remote, Lane(lane)))
        if words is not None:
            found.append(f"{words} {when(until, now)}.")
    return tuple(found)


def when(at: datetime, now: datetime) -> str:
    """An instant to come: "in 3 hours (18:20 UTC)", with its day where that is another."""
    exact = at.astimezone(UTC)
    day = "" if exact.date() == now.astimezone(UTC).date() else f"{exact.day} {exact:%b} "
    return f"in {spell(max(at - now, timedelta(0)))} ({day}{exact:%H:%M} UTC)"


def spell(length: timedelta) -> str:
    """A length of time in its two largest whole units at most: "4 h 20 min"."""
    seconds = max(1, round(length.total_seconds()))
    if seconds < 90:
        return f"{seconds} seconds" if seconds != 1 else "1 second"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} minutes"
    hours, minutes = divmod(minutes, 60)
    if hours >= 10 or minutes < 5:
        return f"{hours + (minutes >= 30)} hours"
    return f"{hours} h {minutes} min"
