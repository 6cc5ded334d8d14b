"""Who has a turn when: round and round, people first, and lists never before documents."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from onecore.engine import calls, jobs
from onecore.engine.organisation_run import DOCUMENTS_A_TURN
from onecore.engine.use import syncing
from onecore.ports import Lane, Remote, Throttled
from onecore.store.allowances import Tally
from onecore.store.models import CallCount, Organisation
from tests.desk import Desk
from tests.engine.fifty import approve, documents_in, each_once, warmed, writes


def order() -> list[UUID]:
    """Organisations in the order their waiting jobs are taken."""
    waiting = ProcrastinateJob.objects.filter(status="todo").order_by("-priority", "id")
    return [UUID(job.args["tenant"]) for job in waiting]


@pytest.mark.django_db(transaction=True)
def test_a_person_goes_before_those_that_nobody_waits_for() -> None:
    """Whether its organisation was woken before or not."""
    ProcrastinateJob.objects.all().delete()
    first, second, third, fourth = (uuid4() for _ in range(4))
    for tenant in (first, second, third):
        jobs.turn.configure(queueing_lock=f"turn:{tenant}").defer(tenant=str(tenant))
    jobs.ring(third)
    jobs.ring(fourth)
    assert order() == [third, fourth, first, second]


def test_an_organisation_with_a_backlog_comes_behind_those_that_became_due_meanwhile(
    desk: Desk,
) -> None:
    warmed(desk)
    approve(desk, DOCUMENTS_A_TURN + 10)
    syncing.look_at_feeds(desk.service, desk.workspace)
    desk.clock.offset += timedelta(seconds=30)
    other = Organisation.objects.create(tenant=uuid4(), next_due_at=desk.clock.now())
    turn = desk.service.run(desk.service.organisations.turn(desk.organisation))
    assert turn.goes_on
    desk.clock.offset += timedelta(seconds=1)
    due = jobs.due_organisations(desk.clock.now())
    assert [one.tenant for one in due] == [other.tenant, desk.organisation]


@pytest.fixture
def starter(bare_desk: Desk) -> Desk:
    """A Starter organisation: a thousand calls a day."""
    bare_desk.xero.switch(limit_day=1000)
    bare_desk.connect()
    bare_desk.map_all()
    return bare_desk


def spent_elsewhere(desk: Desk, left: int) -> None:
    """Another program of the same app leaves so much of the day, whose end nobody knows."""
    windows = desk.xero.state()["windows"]
    used = next(row["used"] for key, row in windows.items() if key.startswith("day/"))
    desk.xero.switch(limit_day=used + left)
    key = next(key for key in calls.keys_of(desk.workspace) if key.remote == Remote.XERO)
    tally = Tally(0, Lane.LIST.value, False, desk.clock.now())
    figures = {"day_remaining": left, "minute_remaining": 60}
    desk.service.contexts.calls.end(key, 0, tally, 200, figures, None)


def test_lists_wait_while_documents_go(starter: Desk) -> None:
    """Little more than half of a day is left at its beginning: bills as ever, and no sweep."""
    first = warmed(starter)
    spent_elsewhere(starter, 600)
    starter.clock.offset += timedelta(minutes=9)
    assert starter.sync().troubles == ()
    assert starter.xero.requests("/Invoices") == []
    refs = approve(starter, 2)
    assert starter.sync().troubles == ()
    each_once(starter, [first, *refs])
    lanes = CallCount.objects.filter(remote="xero").values_list("lane", flat=True)
    assert Lane.DOCUMENT.value in lanes


def test_bills_of_a_day_that_runs_out_go_together_and_a_persons_at_once(starter: Desk) -> None:
    first = warmed(starter)
    spent_elsewhere(starter, 90)
    refs = approve(starter, 3)
    told = starter.sync(timeout=2)
    assert any("documents go together at" in text for text in told.troubles)
    assert told.waiting == 3
    assert writes(starter) == []
    assert starter.service.run(
        syncing.sync(starter.service, starter.workspace, refs[:1], timeout=timedelta(seconds=9))
    ).idle
    assert [documents_in(row) for row in writes(starter)] == [1]
    starter.clock.offset += timedelta(minutes=31)
    assert starter.sync().troubles == ()
    each_once(starter, [first, *refs])
    assert [documents_in(row) for row in writes(starter)] == [1, 2]


def test_a_page_that_is_looked_at_without_end_leaves_the_bills_their_calls(starter: Desk) -> None:
    first = warmed(starter)
    spent_elsewhere(starter, 300)
    ctx = starter.service.run(starter.service.context(starter.workspace))
    books = ctx.books[starter.organisation]
    looked = 0
    with pytest.raises(Throttled) as refused:
        while looked < 100:
            starter.service.run(books.xero.organisation())
            looked += 1
            starter.clock.offset += timedelta(seconds=3)
    assert looked <= 20
    assert refused.value.lane is Lane.PERSON
    refs = approve(starter, 2)
    starter.clock.offset += timedelta(minutes=31)
    assert starter.sync().troubles == ()
    each_once(starter, [first, *refs])
