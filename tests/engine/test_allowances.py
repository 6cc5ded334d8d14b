"""Limits hold over all processes: each with a memory of its own, all with the same rows."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from onecore.domain.ids import OrganisationId, WorkspaceId
from onecore.engine import calls, db
from onecore.engine.calls import Accounts
from onecore.ports import Lane, LimitKind, Remote, Throttled
from onecore.store.allowances import Key, Tally
from onecore.store.models import CallCount, RemoteLimit
from onecore.sync.budget import Wait

NOW = datetime(2026, 11, 22, 10, 0, 0, tzinfo=UTC)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
ORGANISATION = calls.of_organisation("an-app", OrganisationId(UUID(int=7)))
OTHER = calls.of_organisation("an-app", OrganisationId(UUID(int=8)))
PROCORE = calls.of_app(Remote.PROCORE, "an-app")
EIGHT = 8

pytestmark = pytest.mark.django_db(transaction=True)


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at


def tally(clock: Clock, lane: Lane = Lane.DOCUMENT, workspace: int = 1) -> Tally:
    return Tally(workspace, lane.value, False, clock.now())


def all_at_once(work: Callable[[Accounts], None], clock: Clock, processes: int = EIGHT) -> None:
    """The same work by that many processes' worth of accounts, begun together."""
    barrier = threading.Barrier(processes)

    def one(_: int) -> None:
        with closing(connection):
            barrier.wait()
            work(Accounts(clock))

    with ThreadPoolExecutor(processes) as pool:
        list(pool.map(one, range(processes)))


def test_eight_processes_together_begin_sixty_calls_in_a_minute() -> None:
    clock, begun = Clock(), Counter[int]()

    def work(accounts: Accounts) -> None:
        for n in range(15):
            slip = threading.get_ident() * 100 + n
            if accounts.begin(ORGANISATION, Lane.PERSON, slip) is None:
                begun[slip] += 1
                accounts.end(ORGANISATION, slip, tally(clock), 200, {}, None)

    # Nothing is told of the day, whose share for people would otherwise come first.
    Accounts(clock).end(ORGANISATION, 1, tally(clock), 200, {"day_remaining": 4999}, None)
    all_at_once(work, clock)
    assert sum(begun.values()) == 60
    assert sum(CallCount.objects.values_list("calls", flat=True)) == 61
    clock.at += 66 * SECOND
    assert Accounts(clock).begin(ORGANISATION, Lane.PERSON, 1) is None


def test_eight_processes_have_five_calls_under_way_and_each_place_is_given_back() -> None:
    clock, flying, most = Clock(), set[int](), []
    lock = threading.Lock()

    def work(accounts: Accounts) -> None:
        for n in range(6):
            slip = threading.get_ident() * 100 + n
            while accounts.begin(ORGANISATION, Lane.PERSON, slip) is not None:
                time.sleep(0.002)
            with lock:
                flying.add(slip)
                most.append(len(flying))
            time.sleep(0.003)
            with lock:
                flying.discard(slip)
            accounts.end(ORGANISATION, slip, tally(clock), 200, {"day_remaining": 4900}, None)

    all_at_once(work, clock)
    assert max(most) <= 5
    assert len(most) == EIGHT * 6
    assert Accounts(clock).usage(ORGANISATION).in_flight == {}


def test_a_killed_process_keeps_no_place_longer_than_a_call_may_take() -> None:
    clock = Clock()
    for slip in range(5):
        assert Accounts(clock).begin(ORGANISATION, Lane.PERSON, slip) is None
    refused = Accounts(clock).begin(ORGANISATION, Lane.PERSON, 9)
    assert refused is not None
    assert refused.kind is LimitKind.CONCURRENT
    clock.at += calls.LONGEST_CALL
    assert Accounts(clock).begin(ORGANISATION, Lane.PERSON, 9) is None


def test_procores_windows_are_the_apps_whatever_the_workspace() -> None:
    clock, begun = Clock(), Counter[int]()
    told = {"limit": 25, "remaining": 24, "reset": int(NOW.timestamp()) + 10}
    Accounts(clock).end(PROCORE, 1, tally(clock), 200, told, None)

    def work(accounts: Accounts) -> None:
        for n in range(10):
            slip = threading.get_ident() * 100 + n
            if accounts.begin(PROCORE, Lane.PERSON, slip) is None:
                begun[slip] += 1

    all_at_once(work, clock)
    assert sum(begun.values()) == 24


def test_what_one_process_is_told_another_obeys_and_it_stands_in_the_row() -> None:
    clock = Clock()
    one, other = Accounts(clock), Accounts(clock)
    assert other.begin(ORGANISATION, Lane.LIST, 1) is None
    refused = Throttled(Remote.XERO, "bills", LimitKind.DAY, 8 * HOUR)
    one.end(ORGANISATION, 2, tally(clock), 429, {"day_remaining": 0}, refused)
    told = other.begin(ORGANISATION, Lane.PERSON, 3)
    assert told == Wait(NOW + 8 * HOUR, LimitKind.DAY, True)
    row = RemoteLimit.objects.get(scope=ORGANISATION.scope)
    assert (row.blocked_until, row.blocked_by) == (NOW + 8 * HOUR, "day")
    assert other.begin(OTHER, Lane.PERSON, 4) is None


def test_an_apps_minute_is_shared_by_all_its_organisations() -> None:
    clock = Clock()
    one, other = Accounts(clock), Accounts(clock)
    assert other.begin(OTHER, Lane.PERSON, 1) is None
    told = {"app_minute_remaining": 1100, "minute_remaining": 50, "day_remaining": 4000}
    one.end(ORGANISATION, 1, tally(clock), 200, told, None)
    other.end(OTHER, 1, tally(clock), 200, {}, None)  # sees the row of the app beside its own
    wait = other.begin(OTHER, Lane.DOCUMENT, 2)
    assert wait == Wait(NOW + 60 * SECOND, LimitKind.APP_MINUTE, False)
    assert other.begin(OTHER, Lane.PERSON, 3) is None
    clock.at += 60 * SECOND
    assert other.begin(OTHER, Lane.DOCUMENT, 4) is None


def test_two_apps_in_one_organisation_have_each_its_own() -> None:
    clock = Clock()
    custom = Key("xero", "a-custom-connection", ORGANISATION.scope)
    accounts = Accounts(clock)
    accounts.block(ORGANISATION, LimitKind.DAY, NOW + HOUR)
    assert accounts.begin(ORGANISATION, Lane.PERSON, 1) is not None
    assert accounts.begin(custom, Lane.PERSON, 2) is None


def test_a_call_costs_two_statements() -> None:
    clock = Clock()
    accounts = Accounts(clock)
    accounts.begin(ORGANISATION, Lane.LIST, 1)
    accounts.end(ORGANISATION, 1, tally(clock), 200, {"day_remaining": 4000}, None)
    with CaptureQueriesContext(connection) as asked:
        accounts.begin(ORGANISATION, Lane.LIST, 2)
        accounts.end(ORGANISATION, 2, tally(clock), 200, {"day_remaining": 3999}, None)
    assert len(asked) == 2


def test_every_call_is_counted_whoever_writes_the_row_first() -> None:
    clock = Clock()

    def work(accounts: Accounts) -> None:
        for n in range(10):
            accounts.end(PROCORE, n, tally(clock, Lane.WALK, workspace=n % 2), 200, {}, None)

    all_at_once(work, clock)
    counted = {(row.workspace, row.lane): row.calls for row in CallCount.objects.all()}
    assert counted == {(0, "walk"): 40, (1, "walk"): 40}


class RealClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


def test_a_moment_is_waited_for_without_a_connection_and_longer_is_told() -> None:
    accounts = Accounts(RealClock())
    log = accounts.of(ORGANISATION, WorkspaceId(1))

    async def before(lane: Lane) -> int:
        return await log.before(Remote.XERO, "", lane)

    async def main() -> tuple[int, timedelta]:
        soon = datetime.now(UTC) + timedelta(seconds=0.5)
        await db.run(accounts.block, ORGANISATION, LimitKind.CONCURRENT, soon)
        number = await before(Lane.LIST)
        assert datetime.now(UTC) >= soon
        await db.run(accounts.block, ORGANISATION, LimitKind.MINUTE, soon + 40 * SECOND)
        with pytest.raises(Throttled) as refused:
            await before(Lane.PERSON)
        assert refused.value.lane is None
        return number, refused.value.wait

    number, wait = asyncio.run(main())
    assert number in accounts.usage(ORGANISATION).in_flight
    assert 30 * SECOND < wait <= 40 * SECOND
