"""One writer per organisation: two at once, one killed, one paused, one late."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connection

from onecore.engine import leases
from onecore.engine.leases import before_send, held
from onecore.store.leases import LEASE_SECONDS, Lease, LeaseLost, Owner, take
from tests.desk import Desk
from tests.engine.fifty import LONGER_THAN_DOUBT, approve, documents_in, each_once, writes
from tests.worker_process import another


@contextmanager
def owner() -> Iterator[Owner]:
    made = Owner()
    try:
        yield made
    finally:
        made.close()


def runs_out(desk: Desk) -> None:
    """A minute passes without a renewal."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE store_organisation SET until = clock_timestamp() - interval '1 s'")


# --- the row ----------------------------------------------------------------------------------


def test_a_living_owner_keeps_it_and_lets_it_go(desk: Desk) -> None:
    with owner() as one, owner() as two:
        lease = take(one, desk.organisation)
        assert lease is not None
        assert take(two, desk.organisation) is None
        assert take(one, desk.organisation) is None  # not even its own twice
        lease.let_go()
        second = take(two, desk.organisation)
        assert second is not None
        assert second.fence == lease.fence + 1


def test_an_owner_whose_session_is_gone_is_succeeded_at_once(desk: Desk) -> None:
    one = Owner()
    lease = take(one, desk.organisation)
    assert lease is not None
    assert lease.seconds_left() > LEASE_SECONDS - 5
    one.close()
    with owner() as two:
        second = take(two, desk.organisation)
        assert second is not None
        for refused in (lease.renew, lease.check):
            with pytest.raises(LeaseLost):
                refused()
        assert lease.seconds_left() < 0
        lease.let_go()  # says nothing and takes nothing
        assert second.seconds_left() > 0


def test_an_owner_that_lives_and_is_late_is_succeeded_when_it_has_run_out(desk: Desk) -> None:
    with owner() as one, owner() as two:
        lease = take(one, desk.organisation)
        runs_out(desk)
        assert take(two, desk.organisation) is not None
        assert lease is not None
        with pytest.raises(LeaseLost):
            desk.service.run(before_send(lease))


def test_before_a_send_the_rest_of_the_lease_covers_the_whole_request(desk: Desk) -> None:
    with owner() as one:
        lease = take(one, desk.organisation)
        assert lease is not None
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE store_organisation SET until = clock_timestamp() + interval '20 s'"
            )
        desk.service.run(before_send(lease))
        assert lease.seconds_left() > 40


def test_two_turns_that_begin_at_once_share_one_session(desk: Desk) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with owner() as one, ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: one.ensure(), range(32)))) == 1


def test_a_block_whose_lease_is_lost_is_stopped(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "RENEW_SECONDS", 0.05)

    async def work() -> str:
        with pytest.raises(LeaseLost):
            async with held(desk.service.owner, desk.organisation) as lease:
                assert lease is not None
                await asyncio.to_thread(take_over, desk)
                await asyncio.sleep(20)
        current = asyncio.current_task()
        assert current is not None
        assert current.cancelling() == 0
        return "went on"

    assert desk.service.run(work(), timeout=10) == "went on"


def take_over(desk: Desk) -> None:
    runs_out(desk)
    with owner() as two:
        assert take(two, desk.organisation) is not None
    connection.close()


def test_a_moment_without_the_database_does_not_cost_the_lease(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "RENEW_SECONDS", 0.05)
    monkeypatch.setattr(leases, "AGAIN_SECONDS", 0.05)
    real, failures = Lease.renew, iter([True, True])

    def renew(lease: Lease) -> None:
        if next(failures, False):
            raise ConnectionError("for a moment")
        real(lease)

    monkeypatch.setattr(Lease, "renew", renew)

    async def work() -> int:
        async with held(desk.service.owner, desk.organisation) as lease:
            assert lease is not None
            await asyncio.sleep(0.5)
            return lease.fence

    assert desk.service.run(work(), timeout=10) > 0
    assert next(failures, "both met") == "both met"


# --- processes --------------------------------------------------------------------------------


def test_three_processes_at_once_are_one_writer(desk: Desk) -> None:
    refs = approve(desk, 50)
    workers = [another(desk), another(desk)]
    desk.sync()
    for worker in workers:
        assert worker.end()["idle"]
    desk.sync()
    each_once(desk, refs)
    assert [documents_in(row) for row in writes(desk)] == [50]


BEFORE_THE_LAST_BYTE = (
    "lease.taken",
    "index.written",
    "intent.written",
    "send.noted",  # may go, to begin connecting
    "send.noted:2",  # asked once more, connected
    "call.xero.bills.create.before",  # may go: nothing is asked before the first byte any more
    "call.xero.bills.create.half",  # the head is sent, the bills are not
)


@pytest.mark.parametrize("point", BEFORE_THE_LAST_BYTE)
def test_a_paused_owner_keeps_its_lease_until_it_runs_out_and_then_sends_nothing(
    desk: Desk, point: str
) -> None:
    """Wherever it was paused: what it does on waking is ask, and be told no."""
    refs = approve(desk, 50)
    name, _, nth = point.partition(":")
    # Its pause is over in moments here, so it may trust an answer for less than a moment.
    worker = another(desk, crash=f"{name}:{nth or 1}:STOP", timeout=3, promptly=0.5)
    try:
        worker.stops()
        assert not desk.sync(timeout=1).idle  # it holds the lease, so nobody else works
        assert writes(desk) == []
        runs_out(desk)
        if point not in BEFORE_THE_LAST_BYTE[:2]:
            desk.sync(timeout=1)
            assert writes(desk) == []  # its write may be on its way, for all one can know
        desk.clock.offset = LONGER_THAN_DOUBT
        assert desk.sync().idle
        each_once(desk, refs)
        worker.goes_on()
        worker.end()
    finally:
        worker.kill()
    each_once(desk, refs)
    assert [documents_in(row) for row in writes(desk)] == [50]


def test_a_paused_owner_that_wakes_with_an_answer_writes_nothing_of_it(desk: Desk) -> None:
    refs = approve(desk, 50)
    worker = another(desk, crash="call.xero.bills.create.after:1:STOP", timeout=3)
    try:
        worker.stops()
        runs_out(desk)
        assert desk.sync().idle  # the marks are there, so nothing has to be waited for
        each_once(desk, refs)
        worker.goes_on()
        worker.end()
    finally:
        worker.kill()
    each_once(desk, refs)
    assert [documents_in(row) for row in writes(desk)] == [50]


def test_a_paused_owner_that_wakes_with_a_stale_plan_places_nothing(desk: Desk) -> None:
    refs = approve(desk, 3)
    worker = another(desk, crash="outcome.written:1:STOP", timeout=3)
    try:
        worker.stops()
        runs_out(desk)
        desk.clock.offset = timedelta(seconds=1)
        assert desk.sync().idle
        each_once(desk, refs)
        worker.goes_on()
        worker.end()
    finally:
        worker.kill()
    each_once(desk, refs)
