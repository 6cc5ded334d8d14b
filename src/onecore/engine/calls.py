"""Every call accounted per remote and scope, and the waits that limits impose on everybody."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import connection
from django.db.models import Sum

from onecore.engine import db
from onecore.ports import Clock, Lane, LimitKind, Remote, Throttled
from onecore.store.models import CallCount, RemoteLimit

_COUNT = """
INSERT INTO store_callcount (remote, scope, hour, lane, calls, refused)
VALUES (%s, %s, %s, %s, 1, %s)
ON CONFLICT (remote, scope, hour, lane)
DO UPDATE SET calls = store_callcount.calls + 1, refused = store_callcount.refused + %s
"""


class Accounts:
    """`ports.CallLog` over shared rows: what one process learns of a limit, all obey."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def before(self, remote: Remote, scope: str, lane: Lane) -> None:
        """Raises Throttled while a remote has told us to wait."""
        blocked = await db.run(self._blocked, remote, scope)
        if blocked is not None:
            until, kind = blocked
            raise Throttled(remote, "budget", kind, until - self._clock.now())

    def _blocked(self, remote: Remote, scope: str) -> tuple[datetime, LimitKind] | None:
        row = RemoteLimit.objects.filter(
            remote=remote.value, scope=scope, blocked_until__gt=self._clock.now()
        ).first()
        if row is None or row.blocked_until is None:
            return None
        return row.blocked_until, LimitKind(row.blocked_by or "unknown")

    async def after(
        self,
        remote: Remote,
        scope: str,
        lane: Lane,
        operation: str,
        status: int,
        limits: Mapping[str, int],
    ) -> None:
        await db.run(self._count, remote, scope, lane, status, limits)

    def _count(
        self, remote: Remote, scope: str, lane: Lane, status: int, limits: Mapping[str, int]
    ) -> None:
        now = self._clock.now()
        hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        refused = int(status == 429)
        with connection.cursor() as cursor:
            cursor.execute(_COUNT, [remote.value, scope, hour, lane.value, refused, refused])
        if limits:
            RemoteLimit.objects.update_or_create(
                remote=remote.value,
                scope=scope,
                defaults={"figures": dict(limits), "told_at": now},
            )


_BLOCK = """
INSERT INTO store_remotelimit (remote, scope, figures, told_at, blocked_until, blocked_by)
VALUES (%(remote)s, %(scope)s, '{}', %(now)s, %(until)s, %(kind)s)
ON CONFLICT (remote, scope) DO UPDATE
   SET blocked_until = excluded.blocked_until, blocked_by = excluded.blocked_by
 WHERE store_remotelimit.blocked_until IS NULL
    OR store_remotelimit.blocked_until < excluded.blocked_until
"""


def block(remote: Remote, scope: str, until: datetime, kind: LimitKind, now: datetime) -> None:
    """Nobody calls this remote for this scope before `until`; a longer wait stands."""
    with connection.cursor() as cursor:
        cursor.execute(
            _BLOCK,
            {
                "remote": remote.value,
                "scope": scope,
                "now": now,
                "until": until,
                "kind": kind.value,
            },
        )


@dataclass(frozen=True, slots=True)
class Spent:
    """Calls of one remote and scope: in the last hour and day, by lane, and what is left."""

    remote: Remote
    scope: str
    last_hour: int
    last_day: int
    refused_day: int
    lanes: dict[str, int]
    figures: dict[str, int]
    blocked_until: datetime | None


def spent(now: datetime, scopes: list[tuple[Remote, str]]) -> list[Spent]:
    """What was used of each budget."""
    result = []
    for remote, scope in scopes:
        day = CallCount.objects.filter(
            remote=remote.value, scope=scope, hour__gt=now - timedelta(hours=24)
        )
        totals = day.aggregate(calls=Sum("calls"), refused=Sum("refused"))
        hour = day.filter(hour__gt=now - timedelta(hours=1)).aggregate(calls=Sum("calls"))
        lanes = {
            row["lane"]: row["n"]
            for row in day.values("lane").annotate(n=Sum("calls")).order_by("lane")
        }
        limit = RemoteLimit.objects.filter(remote=remote.value, scope=scope).first()
        result.append(
            Spent(
                remote=remote,
                scope=scope,
                last_hour=hour["calls"] or 0,
                last_day=totals["calls"] or 0,
                refused_day=totals["refused"] or 0,
                lanes=lanes,
                figures=limit.figures if limit else {},
                blocked_until=limit.blocked_until if limit else None,
            )
        )
    return result
