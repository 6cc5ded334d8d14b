"""Who may call and who waits: no limit exceeded, lanes in their order, and every wait ends."""

import itertools
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.sync.remote_windows import Windows

from onecore.ports import Lane, LimitKind
from onecore.sync import budget, meters, pacing
from onecore.sync.budget import Usage

NOW = datetime(2026, 11, 22, 10, 0, 0, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
LONGEST = 75 * SECOND
LANES = list(Lane)

gaps = st.one_of(
    st.floats(0, 2), st.floats(0, 120), st.sampled_from([0.0, 0.0, 0.0, 60.0, 3600.0, 30000.0])
)
calls = st.lists(st.tuples(gaps, st.sampled_from(LANES), st.floats(0.01, 70)), max_size=250)


class Xero:
    """One organisation, asked by any number of processes that share a usage."""

    def __init__(self, day: int, phase: float) -> None:
        at = NOW - timedelta(seconds=phase)
        self.minute = Windows(60, MINUTE, at)
        self.day = Windows(day, timedelta(days=1), at - 5 * HOUR)
        self.usage = budget.of_organisation()
        self.flying: dict[int, datetime] = {}
        self.most = 0
        self.slips = 0

    def ask(self, lane: Lane, took: float, now: datetime) -> bool:
        """Whether the budget let a call go, which arrives at once and takes some seconds."""
        for slip, over in sorted(self.flying.items(), key=lambda x: x[1]):
            if over <= now:
                self._answer(slip, over)
        if budget.wait(self.usage, lane, now) is not None:
            return False
        self.slips += 1
        self.usage = budget.begun(self.usage, lane, self.slips, now + LONGEST, now)
        self.flying[self.slips] = now + took * SECOND
        self.most = max(self.most, len(self.flying))
        self.minute.arrives(now)
        self.day.arrives(now)
        return True

    def _answer(self, slip: int, at: datetime) -> None:
        del self.flying[slip]
        told = {"minute_remaining": self.minute.left(at), "day_remaining": self.day.left(at)}
        self.usage = budget.over(self.usage, slip, told, True, at)


@given(calls, st.sampled_from([1000, 5000]), st.floats(0, 60), st.floats(0, 0.99))
@settings(max_examples=60)
def test_xero_is_never_asked_too_often(
    asked: list[tuple[float, Lane, float]], day: int, phase: float, spent: float
) -> None:
    """Its windows begin at instants nobody told, and another program spends from the same day."""
    xero, now = Xero(day, phase), NOW
    xero.day.arrives(now, int(spent * day))
    for gap, lane, took in asked:
        now += gap * SECOND
        for _ in range(4):
            xero.ask(lane, took, now)
    assert xero.minute.refused == 0
    assert xero.day.refused == 0
    assert xero.most <= 5


@given(st.lists(st.tuples(st.floats(0, 15), st.booleans()), max_size=150), st.floats(0, 60))
@settings(max_examples=40)
def test_in_no_minute_whatever_its_start_are_there_more_than_sixty(
    asked: list[tuple[float, bool]], phase: float
) -> None:
    usage, now, begun = budget.of_organisation(), NOW + phase * SECOND, []
    for slip, (gap, many) in enumerate(asked):
        now += gap * SECOND
        for n in range(20 if many else 1):
            if budget.wait(usage, Lane.PERSON, now) is None:
                usage = budget.begun(usage, Lane.PERSON, slip, now, now)
                begun.append(now + n * timedelta(microseconds=1))
    for at in begun:
        assert sum(at <= other < at + MINUTE for other in begun) <= 60


@given(calls, st.floats(0, 3600), st.integers(8, 40), st.integers(40, 4000))
@settings(max_examples=60)
def test_procore_is_never_asked_too_often(
    asked: list[tuple[float, Lane, float]], phase: float, spike: int, hourly: int
) -> None:
    """Answers tell one of its two windows only, the one nearer to its end, and never which."""
    at = NOW - timedelta(seconds=phase)
    hours = Windows(max(hourly, spike), HOUR, at)
    bursts = Windows(spike, 10 * SECOND, at)
    usage, now = budget.of_procore_app(), NOW
    for slip, (gap, lane, _) in enumerate(asked):
        now += gap * SECOND
        for _ in range(6):
            if budget.wait(usage, lane, now) is not None:
                continue
            usage = budget.begun(usage, lane, slip, now + LONGEST, now)
            hours.arrives(now)
            bursts.arrives(now)
            near = min((hours, bursts), key=lambda window: window.left(now))
            reset = int(near.ends(now).timestamp()) + 1
            told = {"limit": near.limit, "remaining": near.left(now), "reset": reset}
            usage = budget.over(usage, slip, told, True, now)
    # Until an answer told otherwise, ten seconds are taken to hold 25; below that it is told
    # by the first answer already.
    assert bursts.refused == 0
    assert hours.refused == 0


@st.composite
def usages(draw: st.DrawFn) -> tuple[Usage, datetime]:
    """Whatever may be known of an allowance, and an instant."""
    usage = draw(
        st.sampled_from([budget.of_organisation, budget.of_procore_app, budget.of_xero_app])
    )()
    now, chance = NOW, random.Random(draw(st.integers(0, 10**9)))
    for slip in range(draw(st.integers(0, 90))):
        now += chance.uniform(0, 3) * SECOND
        usage = budget.begun(usage, chance.choice(LANES), slip, now + 9 * SECOND, now)
        if chance.random() < 0.5:
            figures = {
                "minute_remaining": chance.randint(0, 60),
                "day_remaining": chance.randint(0, 5000),
                "app_minute_remaining": chance.randint(0, 10000),
                "limit": chance.choice([25, 600, 3600]),
                "remaining": chance.randint(0, 3600),
                "reset": int(now.timestamp()) + chance.randint(0, 3600),
            }
            usage = budget.over(usage, slip, figures, True, now)
    if draw(st.booleans()):
        kind = draw(st.sampled_from(list(LimitKind)))
        usage = budget.refused(usage, kind, now + draw(st.floats(0, 9999)) * SECOND, now)
    return usage, now + draw(st.sampled_from([0, 1, 30, 600, 4000, 50000])) * SECOND


@given(usages())
@settings(max_examples=50)
def test_a_lane_never_waits_while_one_below_it_goes_on(case: tuple[Usage, datetime]) -> None:
    usage, now = case
    usage = replace(usage, people=meters.EMPTY)  # people beyond their share count as lists
    waits = [budget.wait(usage, lane, now) for lane in LANES]
    for above, below in itertools.pairwise(waits):
        if above is not None:
            assert below is not None
            assert below.until >= above.until
    assert [wait.everyone for wait in waits if wait] == [waits[0] is not None] * sum(
        wait is not None for wait in waits
    )


@given(usages(), st.sampled_from(LANES))
@settings(max_examples=50)
def test_who_comes_again_when_told_may_go(case: tuple[Usage, datetime], lane: Lane) -> None:
    """Nobody is put off for ever: with nobody else calling, few waits lead to a call."""
    usage, now = case
    for _ in range(40):
        wait = budget.wait(usage, lane, now)
        if wait is None:
            break
        assert wait.until > now
        now = wait.until
    else:
        pytest.fail(f"still waiting: {wait}")


def test_people_beyond_their_share_of_an_hour_count_as_lists() -> None:
    usage = budget.of_organisation()
    usage = budget.over(usage, 0, {"day_remaining": 500, "minute_remaining": 60}, True, NOW)
    share, now = budget.people_an_hour(usage), NOW
    assert share == 20
    for slip in range(share):
        assert budget.wait(usage, Lane.PERSON, now) is None
        usage = budget.begun(usage, Lane.PERSON, slip, now, now)
        now += 2 * SECOND
    told = budget.wait(usage, Lane.PERSON, now)
    assert told is not None
    assert told.kind is LimitKind.DAY
    assert budget.wait(usage, Lane.DOCUMENT, now) is None
    assert budget.wait(usage, Lane.PERSON, now + HOUR + 5 * MINUTE) is None


def test_what_was_left_by_a_killed_process_is_free_when_its_calls_must_be_over() -> None:
    usage = budget.of_organisation()
    for slip in range(5):
        usage = budget.begun(usage, Lane.PERSON, slip, NOW + LONGEST, NOW)
    told = budget.wait(usage, Lane.PERSON, NOW)
    assert told is not None
    assert told.kind is LimitKind.CONCURRENT
    assert budget.wait(usage, Lane.PERSON, NOW + LONGEST) is None


def test_a_day_told_by_the_remote_counts_though_we_counted_little() -> None:
    usage = budget.begun(budget.of_organisation(), Lane.LIST, 1, NOW + LONGEST, NOW)
    usage = budget.over(usage, 1, {"day_remaining": 3, "minute_remaining": 59}, True, NOW)
    told = budget.wait(usage, Lane.DOCUMENT, NOW)
    assert told is not None
    assert told.kind is LimitKind.DAY
    assert not told.everyone
    assert budget.wait(usage, Lane.PERSON, NOW) is None


def test_a_new_day_is_seen_by_what_is_left() -> None:
    usage, now = budget.of_organisation(), NOW
    usage = budget.over(usage, 1, {"day_remaining": 200}, True, now)
    usage = budget.over(usage, 2, {"day_remaining": 998}, True, now + HOUR)
    day = usage.meter(LimitKind.DAY)
    assert (day.left, day.limit, day.until) == (998, 1000, now + 25 * HOUR)


@pytest.mark.parametrize(("told", "limit"), [(999, 1000), (1001, 5000), (4100, 5000)])
def test_the_tier_is_the_least_that_fits_what_is_left(told: int, limit: int) -> None:
    usage = budget.over(budget.of_organisation(), 1, {"day_remaining": told}, True, NOW)
    assert usage.meter(LimitKind.DAY).limit == limit


def test_a_remote_that_tells_no_limit_has_none() -> None:
    usage, now = budget.of_procore_app(), NOW
    usage = budget.over(usage, 1, {}, True, now)
    for slip in range(500):
        assert budget.wait(usage, Lane.WALK, now) is None
        usage = budget.begun(usage, Lane.WALK, slip, now, now)


def test_after_a_refused_day_it_goes_on_when_the_remote_said() -> None:
    usage = budget.refused(budget.of_organisation(), LimitKind.DAY, NOW + 8 * HOUR, NOW)
    late = {"day_remaining": 40, "minute_remaining": 10}  # an answer that was on its way
    usage = budget.over(usage, 1, late, True, NOW)
    assert budget.shut_until(usage, NOW) == (NOW + 8 * HOUR, LimitKind.DAY)
    told = budget.wait(usage, Lane.PERSON, NOW + 7 * HOUR)
    assert told is not None
    assert told.everyone
    assert budget.wait(usage, Lane.WALK, NOW + 8 * HOUR) is None


@pytest.mark.parametrize("lane", LANES)
def test_nobody_waits_where_the_remote_knows_no_limit(lane: Lane) -> None:
    """What is told then is more than any tier has, and nothing has to be kept of it."""
    figures = {"minute_remaining": 999_999, "day_remaining": 999_999}
    usage = budget.of_organisation()
    for n in range(200):
        assert budget.wait(usage, lane, NOW) is None
        usage = budget.begun(usage, lane, n, NOW + LONGEST, NOW)
        usage = budget.over(usage, n, figures, True, NOW)
        assert pacing.documents_every(usage, NOW) == timedelta(0)
