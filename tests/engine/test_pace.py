"""Feeds get the looks they earn, of one purse per Procore app, whoever else shares it."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection

from onecore.domain.ids import OrganisationId, WorkspaceId
from onecore.domain.translate.dates import zone_named
from onecore.engine import bells, calendars, feeds
from onecore.engine.calls import of_app
from onecore.engine.context import Context
from onecore.engine.pace import CLAIMS, Pace, Paces, Tempo, take, tempo_of, watch_of
from onecore.engine.use import inspecting, syncing
from onecore.ports import Remote
from onecore.store import bells as noted
from onecore.store.bells import Rings, Rung
from onecore.store.models import (
    Feed,
    Grant,
    Habit,
    LookPurse,
    Organisation,
    Workspace,
)
from onecore.sync import polling
from onecore.sync.habits import Habits
from tests.desk import PROJECT, Desk
from tests.engine.fifty import approve, warmed

APP = of_app(Remote.PROCORE, "sim-procore-client")
NOW = datetime(2026, 7, 1, 1, 0, tzinfo=UTC)  # a Wednesday, eleven in Sydney


# --- what a look leaves behind ----------------------------------------------------------------


def the_feed() -> Feed:
    return Feed.objects.get(kind=CLAIMS, project_id=PROJECT)


def test_a_first_look_learns_what_is_under_review_and_counts_nothing(desk: Desk) -> None:
    """It brings every claim there ever was; none of them was approved just now."""
    approve(desk, 3)
    waiting = desk.claim("100.00", status="under_review")
    desk.sync()
    feed = the_feed()
    assert (feed.approvals, feed.expected, feed.approved_at) == (0, 0, None)
    assert list(feed.review_since) == [str(waiting.id)]
    assert not Habit.objects.exists()


def test_an_approval_is_counted_once_and_the_next_is_looked_for(desk: Desk) -> None:
    refs = [desk.claim("100.00", status="under_review") for _ in range(3)]
    desk.sync()
    came = the_feed().review_since[str(refs[0].id)]
    desk.procore.advance(timedelta(seconds=2))
    desk.procore.do("approve_claim", project_id=PROJECT, id=int(refs[2].id))
    desk.sync()
    desk.sync()  # the overlap brings it again
    feed = the_feed()
    assert feed.approvals == pytest.approx(1, abs=0.01)
    assert feed.review_since[str(refs[0].id)] == came
    assert feed.approved_at is not None
    assert feed.stirred_until is not None
    assert feed.stirred_until >= feed.approved_at + timedelta(minutes=15)
    assert sum(Habit.objects.get().counts["hours"]) == pytest.approx(1, abs=0.01)


def test_the_first_claim_of_a_project_that_was_empty_is_counted(desk: Desk) -> None:
    desk.sync()
    assert the_feed().cursor is None
    approve(desk, 1)
    desk.sync()
    assert the_feed().approvals == pytest.approx(1, abs=0.01)


def test_an_edit_of_what_is_posted_is_no_approval(desk: Desk) -> None:
    ref = warmed(desk)
    line = desk.contract_lines()[0]
    desk.procore.advance(timedelta(seconds=2))
    lines = [{"line_id": line, "work": "4000.00"}]
    desk.procore.do("edit_claim", project_id=PROJECT, id=int(ref.id), lines=lines)
    desk.sync()
    feed = the_feed()
    assert (feed.approvals, feed.approved_at) == (0, None)
    assert feed.stirred_until is not None  # but somebody is at work there


def test_feeds_are_in_their_projects_zones_or_where_most_are(desk: Desk) -> None:
    perth = desk.procore.do("new_project", name="Kings Park", permitted=True, time_zone="Perth")
    desk.procore.do("new_project", name="Hillside", permitted=True, time_zone="Sydney")
    nowhere = desk.procore.do("new_project", name="Nowhere", permitted=True, time_zone="Mars")
    desk.clock.offset = timedelta(hours=1)
    desk.sync()
    zones = dict(Feed.objects.filter(kind=CLAIMS).values_list("project_id", "time_zone"))
    assert zones[PROJECT] == zones[nowhere["id"]] == "Australia/Sydney"
    assert zones[perth["id"]] == "Australia/Perth"


@pytest.mark.parametrize("zone", sorted(calendars._REGIONS))
def test_a_zone_has_a_region_whose_holidays_are_known(zone: str) -> None:
    assert zone_named(zone) is not None
    assert calendars.is_known(calendars.region_of(zone))


# --- who is looked at when --------------------------------------------------------------------


def a_feed(workspace: int, organisation: UUID, project: int, **more: object) -> Feed:
    values = {"next_due_at": NOW, "time_zone": "Australia/Sydney", **more}
    return Feed.objects.create(
        workspace_id=workspace,
        organisation_id=organisation,
        kind=CLAIMS,
        project_id=project,
        **values,
    )


def another(desk: Desk, app: str = "sim-procore-client", **more: object) -> tuple[int, UUID]:
    """A further workspace with an organisation of its own, connected through a Procore app."""
    tenant = uuid4()
    row = Workspace.objects.create(name=str(tenant), digest_key=b"", created_at=NOW, **more)
    Organisation.objects.create(tenant=tenant)
    Grant.objects.create(
        workspace=row,
        remote="procore",
        kind="client_credentials",
        client_id=app,
        renewed_at=NOW,
        created_at=NOW,
    )
    return row.pk, tenant


class At:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at


def paces(desk: Desk, tempo: Tempo | None = None) -> tuple[Paces, At]:
    clock = At()
    return Paces(clock, desk.service.contexts.calls, tempo or Tempo()), clock


def wait_of(feed: Feed, pace: Pace) -> float:
    due = polling.next_look(watch_of(feed), pace.habits, pace.price)
    return due - feed.read_at.timestamp()  # type: ignore[union-attr]


def test_claims_under_review_are_seen_within_a_minute_and_quiet_projects_within_hours(
    desk: Desk,
) -> None:
    """Sixty projects, half of which have claims under review, at Procore's usual limit."""
    workspace, organisation = another(desk)
    since = {str(n): NOW.timestamp() - 86400 for n in range(4)}
    made = [
        a_feed(
            workspace,
            organisation,
            n,
            read_at=NOW,
            in_flight=list(range(4)) if n % 2 else [],
            review_since=since if n % 2 else {},
            expected=0.0 if n % 2 else 8.0,
        )
        for n in range(60)
    ]
    here, _ = paces(desk)
    pace = here.of(APP, WorkspaceId(workspace))
    assert pace.per_hour == desk.service.contexts.calls.lists_an_hour(APP) > 2000
    waits = [wait_of(feed, pace) for feed in made]
    assert max(waits[1::2]) / 2 < 40  # on average
    assert min(waits[0::2]) > 3 * max(waits[1::2])
    assert sum(3600 / wait for wait in waits) <= pace.per_hour
    night = [Feed(**{**vars_of(feed), "read_at": NOW + timedelta(hours=15)}) for feed in made]
    assert min(wait_of(feed, pace) for feed in night) > 60
    assert max(wait_of(feed, pace) for feed in night) <= 1.1 * 3600


def vars_of(feed: Feed) -> dict[str, object]:
    return {field.attname: getattr(feed, field.attname) for field in Feed._meta.concrete_fields}


def test_all_workspaces_of_an_app_share_its_limit_and_those_of_another_app_do_not(
    desk: Desk,
) -> None:
    Feed.objects.all().delete()
    busy = {"read_at": NOW, "in_flight": [1, 2, 3]}
    (one, its), (two, others) = another(desk), another(desk)
    for n in range(150):
        a_feed(one, its, n, **busy)
    here, clock = paces(desk)
    alone = here.of(APP, WorkspaceId(one)).price
    for n in range(150):
        a_feed(two, others, n, **busy)
    assert here.of(APP, WorkspaceId(one)).price == alone  # for about a minute
    clock.at += timedelta(minutes=1)
    shared = here.of(APP, WorkspaceId(two)).price
    assert shared.of_a_look > 2 * alone.of_a_look
    assert here.of(of_app(Remote.PROCORE, "another"), WorkspaceId(one)).price.of_a_look < 0.01


def test_the_limit_that_procore_tells_is_what_is_shared_out(desk: Desk) -> None:
    desk.procore.switch(rate_hour=600)
    desk.service.contexts.calls._seen.clear()
    desk.sync()
    here, _ = paces(desk)
    assert 300 < here.of(APP, desk.workspace).per_hour < 450


def test_the_configured_waits_are_bounds_that_the_limit_may_overrule(desk: Desk) -> None:
    assert tempo_of(None, None) == Tempo()
    assert tempo_of(2.0, None) == Tempo(2.0, 3600.0)
    assert tempo_of(2.0, 6.0) == Tempo(2.0, 6.0, 1.0)
    here, _ = paces(desk, tempo_of(2.0, 6.0))
    assert here.of(APP, desk.workspace).price.longest == 6.0
    for n in range(100, 400):
        a_feed(desk.workspace, desk.organisation, n)
    crowded, _ = paces(desk, tempo_of(2.0, 6.0))
    assert 400 < crowded.of(APP, desk.workspace).price.longest < 500


def test_the_doctor_says_how_often_projects_are_looked_at(desk: Desk) -> None:
    workspace, organisation = another(desk)
    assert inspecting.looked_at(WorkspaceId(workspace)) == ""
    for n, seconds in enumerate((12, 700, 3480)):
        due = NOW + timedelta(seconds=seconds)
        a_feed(workspace, organisation, n, read_at=NOW, next_due_at=due)
    a_feed(workspace, organisation, 9, read_at=NOW, next_due_at=NOW, trouble="procore_403")
    said = inspecting.looked_at(WorkspaceId(workspace))
    assert said == "; 3 projects looked at every 12 s to 58 min"


# --- the purse --------------------------------------------------------------------------------


def pace_of(per_hour: float) -> Pace:
    return Pace(polling.price((), per_hour), per_hour, Habits())


def taken_of(place: tuple[int, UUID], per_hour: float, now: datetime) -> list[Feed]:
    """What a turn of that workspace may look at; it is due again a minute later."""
    workspace, organisation = WorkspaceId(place[0]), OrganisationId(place[1])
    found = take(APP, workspace, organisation, pace_of(per_hour), now, 10)
    again = now + timedelta(minutes=1)
    Feed.objects.filter(pk__in=[feed.pk for feed in found]).update(next_due_at=again)
    return found


def test_no_more_is_looked_at_than_the_purse_allows_whatever_is_due(desk: Desk) -> None:
    place = another(desk)
    for n in range(40):
        a_feed(*place, n, next_due_at=NOW - timedelta(seconds=40 - n))
    taken: list[tuple[datetime, int]] = []
    for step in range(200):
        now = NOW + step * timedelta(seconds=25)
        taken += [(now, feed.project_id) for feed in taken_of(place, 300, now)]
    assert len(taken) > 300
    for start, _ in taken:
        assert sum(start <= at < start + timedelta(hours=1) for at, _ in taken) <= 300
    turns = Counter(project for _, project in taken)
    assert len(turns) == 40
    assert max(turns.values()) - min(turns.values()) <= 2


def test_every_organisation_gets_its_turn_when_looks_are_short(desk: Desk) -> None:
    """The larger one asks first each time, and again and again."""
    large, small = another(desk), another(desk)
    for n in range(60):
        a_feed(*large, n)
    for n in range(3):
        a_feed(*small, n)
    got: Counter[int] = Counter()
    for step in range(120):
        for place in (large, small):
            found = taken_of(place, 360, NOW + step * timedelta(seconds=10))
            got[place[0]] += len(found)
    assert sum(got.values()) >= 115
    assert got[small[0]] >= 3


def test_lists_that_nobody_comes_for_keep_nobody_waiting(desk: Desk) -> None:
    """Of a paused workspace, of a broken connection, of an organisation whose process hangs."""
    for lost in (another(desk, paused=True), another(desk), broken := another(desk)):
        for n in range(30):
            a_feed(*lost, n, next_due_at=NOW - timedelta(hours=1))
    Grant.objects.filter(workspace_id=broken[0]).update(broken="revoked")
    place = another(desk)
    a_feed(*place, 1)
    looks = [len(taken_of(place, 600, NOW + n * timedelta(seconds=20))) for n in range(30)]
    assert sum(looks) >= 9  # ten minutes, once a minute


def test_who_waits_for_a_list_does_not_wait_for_the_purse(desk: Desk) -> None:
    warmed(desk)
    at = desk.clock.now() + timedelta(minutes=50)
    LookPurse.objects.update_or_create(scope=APP.scope, defaults={"free_at": at})
    ref = approve(desk, 1)[0]
    desk.sync(timeout=20)
    assert desk.state_of(ref) == "in_step"
    assert the_feed().asked_at is None
    assert LookPurse.objects.get().free_at == at


def test_a_clock_that_was_set_back_leaves_the_purse_empty_for_an_hour_at_most(desk: Desk) -> None:
    LookPurse.objects.create(scope=APP.scope, free_at=NOW + timedelta(days=300))
    place = another(desk)
    a_feed(*place, 1)
    assert taken_of(place, 600, NOW) == []
    assert len(taken_of(place, 600, NOW + timedelta(hours=1))) == 1


def ring(desk: Desk, now: datetime) -> None:
    noted.note({Rung(str(desk.workspace), Rings.PROJECT, str(PROJECT))}, now)
    assert bells.answer(now) == 1


def test_a_bell_of_a_project_has_it_read_and_says_that_somebody_works_there(desk: Desk) -> None:
    warmed(desk)
    now = desk.clock.now()
    Feed.objects.update(next_due_at=now + timedelta(hours=1), stirred_until=None)
    ring(desk, now)
    feed = the_feed()
    assert feed.next_due_at == now
    assert feed.stirred_until == now + timedelta(seconds=polling.STIRRED)
    later = now + timedelta(hours=2)
    Feed.objects.update(stirred_until=later)
    ring(desk, now + timedelta(minutes=5))
    assert the_feed().stirred_until == later  # a bell never shortens it


# --- beside workers of the version before -----------------------------------------------------


def test_rows_of_the_version_before_are_read_and_written(desk: Desk) -> None:
    """It knows nothing of the new columns: it leaves them out, and what it changes stays."""
    ctx: Context = desk.service.run(desk.service.context(desk.workspace))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO store_feed (workspace_id, organisation_id, kind, project_id, seen,"
            " in_flight, read_at, next_due_at, trouble)"
            " VALUES (%s, %s, 'requisitions', %s, '{}', '[5, 6]', %s, %s, '')",
            [desk.workspace, desk.organisation, 4242, NOW, NOW],
        )
    feed = Feed.objects.get(project_id=4242)
    assert (feed.review_since, feed.time_zone, feed.approvals, feed.expected) == ({}, "", 0, 0)
    watch = watch_of(feed)
    assert (watch.under_review, watch.pending) == (2, 2.0)
    pace = desk.service.contexts.paces.of(ctx.procore_calls, desk.workspace)
    found = feeds.due(ctx, desk.organisation, pace, desk.clock.now(), 10)
    assert [one.project_id for one in found] == [4242]


def test_a_look_somebody_asked_for_while_it_was_made_is_made_again(desk: Desk) -> None:
    warmed(desk)
    ctx = desk.service.run(desk.service.context(desk.workspace))
    stale = the_feed()
    syncing.look_at_feeds(desk.service, desk.workspace)
    now = desk.clock.now()
    feeds._read(ctx, stale, (), pace_of(2700), now, now)
    again = the_feed()
    assert again.asked_at is not None
    assert again.next_due_at <= now
    feeds._read(ctx, again, (), pace_of(2700), now, now)
    assert the_feed().asked_at is None
