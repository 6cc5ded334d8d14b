"""What the remotes' limits allow, what was used and for whom, and how long it lasts."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Sum

from onecore.domain.ids import WorkspaceId
from onecore.engine import calls
from onecore.engine.service import Service
from onecore.ports import Lane, LimitKind, Remote
from onecore.store.allowances import Key
from onecore.store.models import CallCount, Organisation, RemoteLimit, Workspace
from onecore.sync import budget as rules
from onecore.sync import meters, pacing
from onecore.sync.budget import Usage, Wait
from onecore.sync.forecast import HOUR, WEEK, WEEKS, Forecast, forecast
from onecore.sync.meters import NO_LIMIT

SHOWN_HOURS = 24


@dataclass(frozen=True, slots=True)
class HourOfCalls:
    """Calls of one hour by lane."""

    began_at: datetime
    lanes: dict[str, int]

    @property
    def calls(self) -> int:
        return sum(self.lanes.values())


@dataclass(frozen=True, slots=True)
class Standing:
    """One allowance: what it is, what was used of it, what is left, and how long that lasts."""

    remote: Remote
    scope: str
    name: str  # of the organisation, or of the company
    window: timedelta  # a day in Xero, an hour in Procore
    limit: int | None  # None: the remote names none
    remaining: int | None
    ends_at: datetime | None  # when the window ends, at the latest
    hours: tuple[HourOfCalls, ...]  # the last day's, the latest last
    refused_day: int
    ours_day: int  # made for this workspace
    workspaces: int  # that used it in the last day
    figures: dict[str, int]  # as the remote last told
    blocked_until: datetime | None  # for every lane
    blocked_by: str
    waiting: dict[str, datetime]  # lanes our own budget keeps waiting, until when
    is_used_up: bool  # documents wait for another day
    forecast: Forecast | None
    sweep_every: timedelta | None  # of Xero's bills
    documents_every: timedelta | None
    lists_an_hour: int | None  # of Procore's claims

    @property
    def used(self) -> int | None:
        if self.limit is None or self.remaining is None:
            return None
        return self.limit - self.remaining

    @property
    def last_day(self) -> int:
        return sum(hour.calls for hour in self.hours)

    @property
    def last_hour(self) -> int:
        return self.hours[-1].calls

    @property
    def lanes(self) -> dict[str, int]:
        """Calls of the last day by lane."""
        return {
            lane.value: sum(hour.lanes.get(lane.value, 0) for hour in self.hours) for lane in Lane
        }

    @property
    def is_tight(self) -> bool:
        """Whether somebody may notice that few calls are left."""
        return bool(self.documents_every) or bool(self.waiting)


def budget(service: Service, workspace: WorkspaceId) -> list[Standing]:
    """Every allowance that a workspace's calls are counted under."""
    return [_standing(service, workspace, key) for key in calls.keys_of(workspace)]


def _standing(service: Service, workspace: WorkspaceId, key: Key) -> Standing:
    now = service.clock.now()
    usage = service.contexts.calls.usage(key)
    is_xero = key.remote == Remote.XERO
    rule = usage.rule(LimitKind.DAY if is_xero else LimitKind.HOUR)
    meter = meters.live(usage.meter(rule.kind), rule, now)
    limit = meters.limit_of(meter, rule)
    is_limited = limit < NO_LIMIT
    remaining = min(max(meters.free(meter, rule, now), 0), limit)
    counted = _counted(key, now)
    row = RemoteLimit.objects.filter(remote=key.remote, app=key.app, scope=key.scope).first()
    stopped = rules.all_wait(usage, now)
    if stopped is not None and stopped.until - now <= calls.MOMENT:
        stopped = None
    lasts = forecast(remaining, meter.until or now + rule.length, _totals(counted), now)
    return Standing(
        remote=Remote(key.remote),
        scope=key.scope,
        name=_name(key, workspace),
        window=rule.length,
        limit=limit if is_limited else None,
        remaining=remaining if is_limited else None,
        ends_at=meter.until if is_limited else None,
        hours=_last_day(counted, now),
        figures=dict(row.figures) if row is not None else {},
        blocked_until=stopped.until if stopped is not None else None,
        blocked_by=str(stopped.kind) if stopped is not None else "",
        waiting={} if stopped is not None else _waiting(usage, workspace, now),
        is_used_up=_is_used_up(rules.wait(usage, Lane.DOCUMENT, now, int(workspace))),
        forecast=lasts if is_limited else None,
        sweep_every=pacing.sweep_every(usage, now) if is_xero else None,
        documents_every=pacing.documents_every(usage, now) if is_xero else None,
        lists_an_hour=None if is_xero else service.contexts.calls.lists_an_hour(key),
        **_shared(key, workspace, now),
    )


def _waiting(usage: Usage, workspace: WorkspaceId, now: datetime) -> dict[str, datetime]:
    """Lanes that are kept waiting for longer than a moment."""
    found = {lane: rules.wait(usage, lane, now, int(workspace)) for lane in Lane}
    return {
        lane.value: wait.until
        for lane, wait in found.items()
        if wait is not None and wait.until - now > calls.MOMENT
    }


Counted = dict[datetime, dict[str, int]]


def _counted(key: Key, now: datetime) -> Counted:
    """Calls by hour and lane, for as long as a pattern looks back."""
    rows = CallCount.objects.filter(
        remote=key.remote, app=key.app, scope=key.scope, hour__gte=now - WEEKS * WEEK
    )
    found: Counted = defaultdict(dict)
    for hour, lane, n in rows.values_list("hour", "lane").annotate(n=Sum("calls")):
        found[hour][lane] = n
    return dict(found)


def _totals(counted: Counted) -> dict[datetime, int]:
    return {hour: sum(lanes.values()) for hour, lanes in counted.items()}


def _last_day(counted: Counted, now: datetime) -> tuple[HourOfCalls, ...]:
    hour = now.replace(minute=0, second=0, microsecond=0)
    began = [hour - n * HOUR for n in reversed(range(SHOWN_HOURS))]
    return tuple(HourOfCalls(at, counted.get(at, {})) for at in began)


def _shared(key: Key, workspace: WorkspaceId, now: datetime) -> dict[str, Any]:
    """Who used it in the last day, and how often it was refused."""
    day = CallCount.objects.filter(
        remote=key.remote, app=key.app, scope=key.scope, hour__gt=now - SHOWN_HOURS * HOUR
    )
    sums = {row["workspace"]: row["n"] for row in day.values("workspace").annotate(n=Sum("calls"))}
    refused = day.aggregate(n=Sum("refused"))["n"] or 0
    return {
        "refused_day": refused,
        "ours_day": sums.get(int(workspace), 0),
        "workspaces": sum(1 for one in sums if one),
    }


def _name(key: Key, workspace: WorkspaceId) -> str:
    if key.remote == Remote.PROCORE:
        return Workspace.objects.get(pk=workspace).company_name
    row = Organisation.objects.filter(tenant=key.scope).first()
    return row.name if row is not None else ""


def exhausted(service: Service, workspace: WorkspaceId) -> list[Standing]:
    """Allowances whose day is used up: documents that need them wait, and people are told so."""
    waits = service.contexts.calls.waits(calls.keys_of(workspace), Lane.DOCUMENT, workspace)
    return [_standing(service, workspace, key) for key, wait in waits if _is_used_up(wait)]


def _is_used_up(wait: Wait | None) -> bool:
    return wait is not None and wait.kind is LimitKind.DAY
