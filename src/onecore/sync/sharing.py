"""One app's hour among the workspaces that use it: no backlog of one eats the calls of others."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

HOUR = timedelta(hours=1)
LEAST = 10
"""Calls that are kept for a workspace in a window, however little it used in the last."""
GROWTH = 1.5
"""What a workspace uses of a window, it may want of the next and half as much more."""
TOO_EARLY = 0.2
"""The part of a window that a pace is told by at the least."""
ASK_AGAIN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Shares:
    """Calls by workspace, in the window that began at `since` and in the one before."""

    since: datetime | None = None
    used: Mapping[int, int] = field(default_factory=dict)
    before: Mapping[int, int] = field(default_factory=dict)


NOBODY = Shares()


def began(ends: datetime | None, now: datetime) -> datetime:
    """When the window began that ends at `ends`; where that is not told, the hour of the clock."""
    if ends is not None and ends > now:
        return ends - HOUR
    return now.replace(minute=0, second=0, microsecond=0)


def at(shares: Shares, since: datetime) -> Shares:
    """The shares of the window that began at `since`."""
    if shares.since is None:
        return Shares(since)
    later = since - shares.since
    if later < HOUR / 2:  # the same one, whose beginning was not known so well before
        return replace(shares, since=since)
    return Shares(since, {}, shares.used if later < 2 * HOUR else {})


def counted(shares: Shares, workspace: int, since: datetime) -> Shares:
    """The shares with one more call of a workspace, in the window that began at `since`."""
    shares = at(shares, since)
    return replace(shares, used={**shares.used, workspace: shares.used.get(workspace, 0) + 1})


def goes_on_at(
    shares: Shares, workspace: int, limit: int, free: int, since: datetime, now: datetime
) -> datetime | None:
    """None when a workspace may use one of the `free` calls, else when it asks again.

    Up to an equal part of `limit` each may; beyond it, as long as what is free is more than what
    the others are likely to want of theirs in the rest of the window.
    """
    shares = at(shares, since)
    users = {workspace, *shares.used, *shares.before}
    fair = limit / len(users)
    if shares.used.get(workspace, 0) < fair:
        return None
    rest = min(max((since + HOUR - now) / HOUR, 0.0), 1.0)
    wanted = sum(_still_wanted(shares, one, fair, rest) for one in users if one != workspace)
    return None if free > wanted else now + ASK_AGAIN


def _still_wanted(shares: Shares, workspace: int, fair: float, rest: float) -> int:
    """What a workspace is likely to want of its equal part in the `rest` of the window."""
    used = shares.used.get(workspace, 0)
    at_this_pace = used / max(1 - rest, TOO_EARLY)
    likely = max(LEAST, GROWTH * max(shares.before.get(workspace, 0), at_this_pace))
    return max(0, math.ceil(min(min(fair, likely) - used, 2 * likely * rest)))
