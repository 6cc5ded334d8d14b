"""A worker is killed in the middle of an organisation: who goes on with it, and how soon."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector

from onecore.engine import jobs
from onecore.engine import worker as workers
from onecore.engine.jobs import Due
from onecore.engine.worker import Worker
from onecore.store.models import Organisation
from tests.desk import Desk
from tests.engine.fifty import LONGER_THAN_DOUBT, approve, each_once
from tests.store.servers import eventually
from tests.worker_process import another

SOON_ENOUGH = 15
"""Dispatches, one a second: a killed worker's organisation is taken over within fifteen seconds."""
KILLED_AT = (
    "lease.taken",
    "intent.written",
    "call.xero.bills.create.half",
    "outcome.written",
)


def organisation() -> Organisation:
    return Organisation.objects.get()


def the_session_ends(owner: int) -> None:
    """The database notices that the owner's process is gone, moments after it is."""

    def is_held() -> bool:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1"
                " AND (classid::bigint << 32 | objid::bigint) = %s",
                [owner],
            )
            return bool(cursor.fetchone()[0])

    eventually(lambda: not is_held())


@contextmanager
def at_work(desk: Desk) -> Iterator[list[list[Due]]]:
    """A worker in this process; what each of its dispatches found due."""
    found: list[list[Due]] = []
    real = jobs.due_organisations

    def noted(now: object) -> list[Due]:
        due = real(now)  # type: ignore[arg-type]
        found.append(due)
        return due

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jobs, "due_organisations", noted)
        patch.setattr(workers, "DISPATCH_SECONDS", 0.2)
        worker = Worker(desk.service)
        running = desk.service.start(worker.run())
        try:
            yield found
        finally:
            desk.service.soon(worker.stop)
            running.result(30)


@pytest.mark.parametrize("point", KILLED_AT)
def test_a_killed_workers_organisation_is_somebody_elses_at_the_next_dispatch(
    desk: Desk, point: str
) -> None:
    """Nothing has to run out: the database sees the session end, and the row is free."""
    refs = approve(desk, 10)
    another(desk, crash=f"{point}:1").dies()
    left = organisation()
    assert left.owner is not None
    assert left.until is not None  # a lease of which most of a minute is left
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s > clock_timestamp() + interval '30 s'", [left.until])
        assert cursor.fetchone() == (True,)
    the_session_ends(left.owner)
    now = desk.clock.now() + timedelta(seconds=1)
    assert jobs.due_organisations(now) == [Due(desk.organisation, left_behind=True)]
    turn = desk.service.run(desk.service.organisations.turn(desk.organisation))
    assert turn.ran
    assert organisation().fence == left.fence + 1
    desk.clock.offset = LONGER_THAN_DOUBT
    desk.sync()
    each_once(desk, refs)


def test_a_running_worker_takes_over_within_a_few_dispatches(desk: Desk) -> None:
    refs = approve(desk, 10)
    another(desk, crash="outcome.written:1").dies()
    left = organisation()
    with at_work(desk) as dispatches:
        eventually(lambda: organisation().fence > left.fence)
        after = len(dispatches)
    assert after <= SOON_ENOUGH
    desk.sync()
    each_once(desk, refs)


def test_who_was_left_behind_goes_before_all_who_wait(desk: Desk) -> None:
    """Fifty organisations wait for a worker; the one whose writer died is worked on first."""
    approve(desk, 1)
    another(desk, crash="lease.taken:1").dies()
    left = organisation()
    assert left.owner is not None
    the_session_ends(left.owner)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")  # who was woken before is in its place
    long_due = desk.clock.now() - timedelta(minutes=5)
    others = [
        Organisation(tenant=UUID(int=n), name=str(n), next_due_at=long_due) for n in range(1, 51)
    ]
    Organisation.objects.bulk_create(others)
    due = jobs.due_organisations(desk.clock.now() + timedelta(seconds=1))
    assert due[0] == Due(desk.organisation, left_behind=True)
    assert len(due) == 51

    async def woken_last() -> int:
        assert isinstance(app.connector, DjangoConnector)
        with app.replace_connector(app.connector.get_worker_connector()) as live:
            async with live.open_async():
                return await jobs.wake([*due[1:], due[0]])

    assert desk.service.run(woken_last()) == 51
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT args->>'tenant' FROM procrastinate_jobs WHERE status = 'todo'"
            " ORDER BY priority DESC, id LIMIT 1"
        )
        assert cursor.fetchone() == (str(desk.organisation),)
