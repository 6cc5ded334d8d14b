"""Jobs on Procrastinate. A job is a wake-up and carries an id only; the hint row is the truth.

So a lost job costs a second, a doubled one nothing: whoever holds the organisation's lease works,
the others return at once. Jobs are never retried; the dispatcher wakes what is still due.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

import procrastinate
import structlog
from django.core.cache import cache
from django.db import connection, transaction
from procrastinate.contrib.django import app

from onecore.crash import reach
from onecore.domain.ids import OrganisationId
from onecore.engine import db

log = structlog.get_logger("onecore.jobs")

QUEUE = "organisations"
FIRST = 10
"""The priority of an organisation that a person waits for, or whose writer died in the middle of
it. The others have none and come in their order."""
HEARTBEAT = "worker-heartbeat"
HEARTBEAT_LIFE = timedelta(seconds=30)


class Turned(Protocol):
    """What a turn came to, as far as jobs are concerned."""

    @property
    def goes_on(self) -> bool:
        """Whether more is due already, so that the next turn need not wait for the dispatcher."""
        ...


Turn = Callable[[OrganisationId], Awaitable[Turned]]
_turn: Turn | None = None


class TaskFailed(Exception):
    """A job failed; only a code and ids are said, as the job library logs whole tracebacks."""


def serve_with(turn: Turn) -> None:
    """What a wake-up calls in this process."""
    global _turn  # noqa: PLW0603 - the job library calls a function of a module
    _turn = turn


@app.task(name="onecore.turn", queue=QUEUE)
async def turn(tenant: str) -> None:
    """One turn of an organisation; the next comes behind those of others that wait."""
    if _turn is None:
        raise TaskFailed("this process serves no organisations")
    try:
        if (await _turn(OrganisationId(UUID(tenant)))).goes_on:
            await wake([Due(UUID(tenant), left_behind=False)])
    except Exception as error:
        log.error("turn.failed", organisation=tenant, error=type(error).__name__)
        raise TaskFailed(type(error).__name__) from None


@dataclass(frozen=True, slots=True)
class Due:
    """An organisation to be worked on; `left_behind` by a process that is gone, or was paused for
    so long that its lease ran out."""

    tenant: UUID
    left_behind: bool


_DUE = """
SELECT tenant, owner IS NOT NULL FROM store_organisation
 WHERE next_due_at <= %(now)s
   AND (until IS NULL OR until < clock_timestamp() OR owner IS NULL OR NOT EXISTS (
        SELECT 1 FROM pg_locks
         WHERE locktype = 'advisory' AND objsubid = 1
           AND (classid::bigint << 32 | objid::bigint) = store_organisation.owner))
 ORDER BY owner IS NULL, next_due_at LIMIT 200
"""


def due_organisations(now: datetime) -> list[Due]:
    """Organisations that are due and that nobody works on, those left behind first."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE, {"now": now})
        return [Due(*row) for row in cursor.fetchall()]


async def wake(due: Sequence[Due]) -> int:
    """Defer a wake-up for each, unless one waits already; the number deferred."""
    woken = 0
    for one in due:
        tenant = str(one.tenant)
        job = turn.configure(
            queueing_lock=f"turn:{tenant}", priority=FIRST if one.left_behind else 0
        )
        try:
            await job.defer_async(tenant=tenant)
            reach("job.deferred")
            woken += 1
        except procrastinate.exceptions.AlreadyEnqueued:
            continue
    return woken


_GOES_FIRST = """
UPDATE procrastinate_jobs SET priority = %(priority)s
 WHERE queueing_lock = %(lock)s AND status = 'todo' AND priority < %(priority)s
"""


def ring(tenant: UUID) -> None:
    """Wake an organisation as soon as what was said is committed: somebody is waiting, so it goes
    before those that nobody waits for.

    In a transaction of its own, after the commit: a refusal (one waits already) inside the
    caller's would silently undo it. The dispatcher would find it a second later anyway.
    """

    def defer() -> None:
        lock = f"turn:{tenant}"
        try:
            turn.configure(queueing_lock=lock, priority=FIRST).defer(tenant=str(tenant))
        except procrastinate.exceptions.AlreadyEnqueued:
            with connection.cursor() as cursor:
                cursor.execute(_GOES_FIRST, {"lock": lock, "priority": FIRST})
            return
        reach("job.deferred")

    transaction.on_commit(defer)


def clear_dead_jobs(older_than: timedelta = timedelta(minutes=5)) -> int:
    """Delete finished jobs, and those whose worker is gone; nothing is ever retried."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM procrastinate_jobs
             WHERE status IN ('failed', 'succeeded', 'cancelled', 'aborted')
                OR (status = 'doing' AND NOT EXISTS (
                    SELECT 1 FROM procrastinate_workers w
                     WHERE w.id = procrastinate_jobs.worker_id
                       AND w.last_heartbeat > now() - %s::interval))
            """,
            [f"{int(older_than.total_seconds())} seconds"],
        )
        return int(cursor.rowcount)


def beat() -> None:
    cache.set(HEARTBEAT, True, int(HEARTBEAT_LIFE.total_seconds()))


def worker_alive() -> bool:
    """Whether any worker of this installation gave a sign of life lately."""
    return bool(cache.get(HEARTBEAT))


async def heartbeat() -> None:
    await db.commit("worker.beat", beat)
