"""What the headers of an answer say of a remote's limits, and how long a 429 asks one to wait."""

import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from onecore.ports import LimitKind, Remote

_XERO_FIGURES = {
    "x-minlimit-remaining": "minute_remaining",
    "x-daylimit-remaining": "day_remaining",
    "x-appminlimit-remaining": "app_minute_remaining",
}
_PROCORE_FIGURES = {
    "x-rate-limit-limit": "limit",
    "x-rate-limit-remaining": "remaining",
    "x-rate-limit-reset": "reset",  # seconds since 1970
}
_KINDS = {
    "minute": LimitKind.MINUTE,
    "day": LimitKind.DAY,
    "daily": LimitKind.DAY,
    "concurrent": LimitKind.CONCURRENT,
    "appminute": LimitKind.APP_MINUTE,  # two spellings are reported [X 2.1]
}
SPIKE_WINDOW = timedelta(seconds=15)  # Procore's is 10 s; a reset further off is the hour's [P 3]
_UNTOLD = {
    LimitKind.MINUTE: timedelta(seconds=60),
    LimitKind.APP_MINUTE: timedelta(seconds=60),
    LimitKind.DAY: timedelta(hours=1),
    LimitKind.HOUR: timedelta(minutes=5),
    LimitKind.SPIKE: timedelta(seconds=10),
    LimitKind.UNKNOWN: timedelta(seconds=60),
}


def figures(remote: Remote, headers: Mapping[str, str]) -> dict[str, int]:
    """The limit figures an answer reports, by our name for them."""
    names = _XERO_FIGURES if remote is Remote.XERO else _PROCORE_FIGURES
    found = {}
    for header, name in names.items():
        number = _whole(headers.get(header, ""))
        if number is not None:
            found[name] = number
    return found


def asked_to_wait(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """`Retry-After`, in seconds or as a date; None when there is none."""
    told = headers.get("retry-after", "").strip()
    seconds = _whole(told)
    if seconds is not None:
        return timedelta(seconds=max(seconds, 0))
    try:
        until = parsedate_to_datetime(told)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(until - now, timedelta(0))


def throttle(
    remote: Remote, headers: Mapping[str, str], now: datetime
) -> tuple[LimitKind, timedelta]:
    """Which limit a 429 means and how long to wait, a little jitter on top so that not all
    workers come back at once."""
    told = asked_to_wait(headers, now)
    if remote is Remote.XERO:
        problem = headers.get("x-rate-limit-problem", "").strip().lower().replace("-", "")
        kind = _KINDS.get(problem, LimitKind.UNKNOWN)
        if kind is LimitKind.CONCURRENT:  # others are in flight now; it has no Retry-After
            return kind, (told or timedelta(0)) + timedelta(seconds=random.uniform(0.3, 2.0))
    else:
        reset = _until_reset(headers, now)
        told = told if told is not None else reset
        window = reset if reset is not None else told
        kind = LimitKind.UNKNOWN
        if window is not None:
            kind = LimitKind.SPIKE if window <= SPIKE_WINDOW else LimitKind.HOUR
    wait = told if told is not None else _UNTOLD[kind]
    return kind, wait + timedelta(seconds=random.uniform(0.1, 1.0))


def _until_reset(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    reset = _whole(headers.get("x-rate-limit-reset", ""))
    if reset is None:
        return None
    # Its window is an hour: a clock that is off must not make a worker wait for longer.
    return min(max(datetime.fromtimestamp(reset, UTC) - now, timedelta(0)), timedelta(hours=1))


def _whole(text: str) -> int | None:
    try:
        return int(text.strip())
    except ValueError:
        return None
