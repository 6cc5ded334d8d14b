"""Finding changed claims by value: nothing skipped, little read twice, at an earned pace."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onecore.domain.ids import CommitmentId, ProjectId, RequisitionId
from onecore.engine import feeds
from onecore.engine.context import Context
from onecore.engine.pace import Pace
from onecore.engine.use import syncing
from onecore.ports import RequisitionHead
from onecore.store.models import Document, Feed, Hint
from onecore.sync.habits import Habits
from onecore.sync.polling import price
from tests.desk import PROJECT, Desk
from tests.engine.fifty import approve, each_once, forget_requests, warmed, writes

START = datetime(2026, 7, 1, 9, 0, tzinfo=UTC)


# --- a list that moves while it is read -------------------------------------------------------


class Lists:
    """Procore's list of one project: `updated_at` in whole seconds, both ends of a range taken."""

    def __init__(self) -> None:
        self.now = START
        self.versions: dict[int, int] = {}
        self.stamps: dict[int, datetime] = {}

    def touch(self, claim: int) -> None:
        self.versions[claim] = self.versions.get(claim, 0) + 1
        self.stamps[claim] = self.now.replace(microsecond=0)

    async def requisitions_changed(
        self, project: ProjectId, since: datetime | None, until: datetime
    ) -> tuple[RequisitionHead, ...]:
        found = [
            RequisitionHead(RequisitionId(n), project, CommitmentId(31), "approved", at)
            for n, at in sorted(self.stamps.items())
            if (since is None or at >= since.replace(microsecond=0)) and at <= until
        ]
        return tuple(found)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["touch", "poll", "look"]),
        st.integers(min_value=1, max_value=3),  # which claim
        st.sampled_from([0, 100, 400, 1000, 2500, 60_000, 400_000]),  # ms that pass after it
    ),
    min_size=1,
    max_size=40,
)


@settings(
    max_examples=200,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS, skew=st.sampled_from([-45, -3, 0, 3, 45]))
def test_whatever_is_changed_between_looks_is_looked_at_in_its_last_version(
    desk: Desk, steps: list[tuple[str, int, int]], skew: int
) -> None:
    """Changes, polls and looks at random, clocks apart; then two polls and one look more."""
    Hint.objects.all().delete()
    Feed.objects.all().delete()
    lists = Lists()
    ctx = desk.service.run(desk.service.context(desk.workspace))
    ctx.procore = lists  # type: ignore[assignment]
    ctx.clock = Ahead(lists, timedelta(seconds=skew))
    feed = Feed.objects.create(
        workspace_id=desk.workspace,
        organisation_id=desk.organisation,
        kind=feeds.CLAIMS,
        project_id=PROJECT,
        next_due_at=START - timedelta(days=1),
    )
    seen: dict[int, int] = {}
    for what, claim, passing in steps:
        if what == "touch":
            lists.touch(claim)
        elif what == "poll":
            _poll(desk, ctx, feed)
        elif what == "look":
            _look(ctx, lists, seen)
        lists.now += timedelta(milliseconds=passing)
    lists.now += timedelta(milliseconds=300)
    _poll(desk, ctx, feed)
    lists.now += timedelta(milliseconds=1100)
    _poll(desk, ctx, feed)
    _look(ctx, lists, seen)
    assert seen == lists.versions


def at_most_every(wait: timedelta) -> Pace:
    return Pace(price((), 2700, shortest=wait.total_seconds()), 2700, Habits())


class Ahead:
    """Our clock, that much ahead of Procore's."""

    def __init__(self, lists: Lists, by: timedelta) -> None:
        self._lists, self._by = lists, by

    def now(self) -> datetime:
        return self._lists.now + self._by


def _poll(desk: Desk, ctx: Context, feed: Feed) -> None:
    feed.refresh_from_db()
    desk.service.run(feeds.poll(ctx, feed, at_most_every(timedelta(seconds=1))))


def _look(ctx: Context, lists: Lists, seen: dict[int, int]) -> None:
    """What the engine does with hints that are due: it reads the claims as they are now."""
    due = Hint.objects.filter(due_at__lte=ctx.clock.now())
    for hint in due:
        claim = int(hint.ref.rsplit("/", 1)[1])
        seen[claim] = lists.versions[claim]
    due.delete()


def test_two_changes_in_one_second_with_a_look_between_them(desk: Desk) -> None:
    """The second change has the stamp of the first, so no list would tell of it."""
    warmed(desk)
    desk.procore.set_clock(desk.clock.now())
    desk.procore.freeze(True)
    ref = desk.claim("1000.00")
    syncing.look_at_feeds(desk.service, desk.workspace)
    desk.service.run(desk.service.organisations.turn(desk.organisation))
    line = desk.contract_lines()[0]
    lines = [{"line_id": line, "work": "4000.00"}]
    desk.procore.do("edit_claim", project_id=PROJECT, id=int(ref.id), lines=lines)
    desk.procore.freeze(False)
    desk.sync()
    assert desk.bill_of(ref)["total"] == "3960.00"
    assert len(writes(desk)) == 1


# --- what is worth a look ---------------------------------------------------------------------


def test_what_the_overlap_brings_again_is_dropped(desk: Desk) -> None:
    refs = approve(desk, 5)
    desk.sync()
    forget_requests(desk)
    for _ in range(3):
        desk.sync()
    assert [
        row for row in desk.procore.requests("requisitions") if "extended" in row["query"]
    ] == []
    each_once(desk, refs)


def test_drafts_are_left_alone_until_they_are_approved(desk: Desk) -> None:
    ref = desk.claim("1000.00", status="under_review")
    desk.sync()
    assert desk.state_of(ref) is None
    assert not Hint.objects.exists()
    feed = Feed.objects.get(kind=feeds.CLAIMS)
    assert feed.in_flight == [int(ref.id)] == [int(one) for one in feed.review_since]
    desk.procore.advance(timedelta(seconds=2))
    desk.procore.do("approve_claim", project_id=PROJECT, id=int(ref.id))
    desk.sync()
    assert desk.state_of(ref) == "in_step"
    assert Feed.objects.get(kind=feeds.CLAIMS).in_flight == []


def test_the_slow_walk_finds_a_claim_that_is_gone(desk: Desk) -> None:
    """A deleted claim is in no list of changes; the walk misses it and has it looked at."""
    ref, other = desk.claim("1000.00"), approve(desk, 1)[0]
    desk.sync()
    desk.procore.do("delete_claim", project_id=PROJECT, id=int(ref.id))
    desk.sync()
    assert desk.document(ref).absent_at is None  # type: ignore[union-attr]
    Feed.objects.filter(kind=feeds.WALK).update(next_due_at=desk.clock.now())
    desk.sync()
    assert desk.document(ref).absent_at is not None  # type: ignore[union-attr]
    assert desk.document(other).absent_at is None  # type: ignore[union-attr]
    assert desk.state_of(other) == "in_step"


# --- projects out of sight --------------------------------------------------------------------


@pytest.mark.parametrize("status", [404, 403])
def test_a_project_out_of_sight_says_so_and_goes_on_where_it_was(desk: Desk, status: int) -> None:
    ref = warmed(desk)
    desk.procore.switch(hidden_project_status=status)
    desk.procore.do("set_project", project_id=PROJECT, permitted=False)
    desk.sync(timeout=1)
    feed = Feed.objects.get(kind=feeds.CLAIMS)
    assert feed.trouble == f"procore_{status}"
    assert feed.next_due_at > desk.clock.now() + timedelta(minutes=5)
    # The list of projects, read again, lacks it: that is no reason to forget about it.
    desk.clock.offset = timedelta(hours=2)
    desk.sync(timeout=1)
    assert Feed.objects.get(kind=feeds.CLAIMS).trouble == f"procore_{status}"
    assert desk.state_of(ref) in ("in_step", "waiting")
    assert len(desk.bills()) == 1
    hidden = approve(desk, 1)[0]
    desk.procore.do("set_project", project_id=PROJECT, permitted=True)
    desk.clock.offset = timedelta(hours=4)
    desk.sync()
    feed = Feed.objects.get(kind=feeds.CLAIMS)
    assert (feed.trouble, desk.state_of(hidden)) == ("", "in_step")


WITHHELD = {
    "/cost_codes": "",
    "/work_order_contracts": "",
    "/requisitions/[0-9]+/detail": "item_retainage_incomplete",
}


@pytest.mark.parametrize("what", WITHHELD)
def test_what_a_claim_needs_beside_itself_is_missed_aloud(desk: Desk, what: str) -> None:
    """The claims themselves are seen, and read over and over: that does not end the trouble."""
    if switch := WITHHELD[what]:
        desk.procore.switch(**{switch: True})
    desk.procore.fault("status", what, "GET", status=403, times=0, body='{"message":"no"}')
    line = {"line_id": desk.contract_lines()[0], "work": "700.00", "new_materials": "300.00"}
    ref = desk.claim(lines=[line])
    for _ in range(2):
        result = desk.sync(timeout=0)
        assert [text for text in result.troubles if "project 7" in text and "(403)" in text]
        assert Feed.objects.get(kind=feeds.CLAIMS).trouble == "lists_403"
    assert desk.state_of(ref) is None
    desk.procore.no_faults()
    assert desk.sync().troubles == ()  # whoever mended it need not wait for the hour
    assert desk.state_of(ref) == "in_step"
    assert Feed.objects.get(kind=feeds.CLAIMS).trouble == ""


def test_a_project_that_was_never_more_than_a_name_is_dropped_with_its_feed(desk: Desk) -> None:
    made = desk.procore.do("new_project", name="Hillside", permitted=True)
    desk.clock.offset = timedelta(hours=1)
    desk.sync()
    assert Feed.objects.filter(project_id=made["id"]).count() == 2
    desk.procore.do("set_project", project_id=made["id"], permitted=False)
    desk.clock.offset = timedelta(hours=2)
    desk.sync()
    assert not Document.objects.filter(project_id=made["id"]).exists()
    assert not Feed.objects.filter(project_id=made["id"]).exists()


def test_one_list_that_fails_keeps_no_other_from_being_read(desk: Desk) -> None:
    made = desk.procore.do("new_project", name="Hillside", permitted=True)
    other = made["id"]
    desk.map_project(other, "P-007 Riverside")
    desk.clock.offset = timedelta(hours=1)
    refs = approve(desk, 2) + approve(desk, 2, other)
    desk.procore.fault("status", f"project_id={PROJECT}&view=header_only", status=500, times=0)
    result = desk.sync(timeout=2)
    assert any("HTTP 500" in text for text in result.troubles)
    assert [desk.state_of(ref) for ref in refs] == [None, None, "in_step", "in_step"]
    desk.procore.no_faults()
    desk.clock.offset += timedelta(minutes=12)
    assert desk.sync().troubles == ()
    each_once(desk, refs)


def test_a_bell_that_rings_while_a_list_is_read_is_not_overheard(desk: Desk) -> None:
    """What it means may have happened after the list was put together."""
    warmed(desk)
    feed = Feed.objects.get(kind=feeds.CLAIMS)
    Feed.objects.filter(pk=feed.pk).update(next_due_at=START)
    read = feeds._read
    ctx = desk.service.run(desk.service.context(desk.workspace))
    now = desk.clock.now()
    stale = Feed.objects.get(pk=feed.pk)
    Feed.objects.filter(pk=feed.pk).update(next_due_at=now)  # rung
    read(ctx, stale, (), at_most_every(timedelta(hours=1)), now, now)
    assert Feed.objects.get(pk=feed.pk).next_due_at == now
    fresh = Feed.objects.get(pk=feed.pk)
    read(ctx, fresh, (), at_most_every(timedelta(hours=1)), now, now)
    assert Feed.objects.get(pk=feed.pk).next_due_at >= now + timedelta(hours=1)
