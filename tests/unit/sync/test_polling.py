"""When lists are looked at: the least waiting for the looks there are, and never more looks."""

import heapq
from bisect import bisect_right
from datetime import UTC, date, datetime
from itertools import pairwise
from math import sqrt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onecore.sync import polling
from onecore.sync.habits import DAY, HOUR, SITTING, Calendar, Habits
from onecore.sync.polling import (
    LEEWAY,
    LONGEST,
    SHORTEST,
    SPREAD,
    Look,
    Price,
    Purse,
    Watch,
    after,
    next_look,
    pending,
    price,
    rate,
)

SYDNEY = Calendar(ZoneInfo("Australia/Sydney"), lambda day: day.weekday() < 5)
HABITS = Habits()


def at(hour: float, day: int = 10) -> float:
    """That hour in Sydney on a day of June 2026; the 10th is a Wednesday, the 13th a Saturday."""
    midnight = datetime(2026, 6, day, tzinfo=ZoneInfo("Australia/Sydney"))
    return midnight.timestamp() + hour * HOUR


def watch(looked_at: float, claims: int = 0, **more: float) -> Watch:
    return Watch(1, SYDNEY, looked_at, under_review=claims, pending=claims, **more)  # type: ignore[arg-type]


def wait(of: Watch, of_a_look: float = 0.025) -> float:
    """Seconds until the next look at that price, without bounds."""
    assert of.looked_at is not None
    return next_look(of, HABITS, Price(of_a_look, 0.0, 100 * DAY)) - of.looked_at


# --- how likely ---------------------------------------------------------------------------------


def test_looks_come_sooner_where_more_is_under_review_and_where_people_work() -> None:
    busy, quiet = watch(at(10), 4), watch(at(10))
    assert wait(busy) < wait(watch(at(10), 1)) < wait(quiet)
    assert wait(busy) < wait(watch(at(3), 4))  # at night
    assert wait(busy) < wait(watch(at(10, day=13), 4))  # on a Saturday
    assert wait(watch(at(10, day=29))) < wait(watch(at(10, day=16)))  # around the month's end


def test_after_an_approval_the_next_is_looked_for_at_once_and_not_for_ever() -> None:
    look = Look(at(10), approvals=(at(10) - 30,), under_review=(at(9, day=8),) * 3)
    found = after(watch(at(10) - 60, 4), HABITS, look)
    assert found.stirred_until == look.approvals[0] + SITTING
    calm = after(watch(at(10) - 60, 4), HABITS, Look(at(10), under_review=look.under_review))
    assert wait(found) < wait(calm) / 2
    later = found.stirred_until
    assert rate(found, HABITS, later - 1) > 5 * rate(found, HABITS, later)


def test_a_claim_that_came_in_says_that_somebody_works_there() -> None:
    seen = Look(at(10), stirred=True, under_review=(at(10),))
    found = after(watch(at(9.9)), HABITS, seen)
    assert found.stirred_until == at(10) + polling.STIRRED
    assert wait(found) < wait(after(watch(at(9.9)), HABITS, Look(at(10), under_review=(at(10),))))


def test_a_claim_that_waits_for_months_is_looked_for_ever_less() -> None:
    now = at(10)
    fresh, old, older = (pending((now - days * DAY,), now) for days in (3, 48, 96))
    assert (fresh, old, older) == (1.0, pytest.approx(0.25), pytest.approx(0.125))


def test_a_list_that_changes_more_than_others_is_looked_at_more() -> None:
    """Ten approvals in a month where others have one or two, against none at all."""
    lively, dead = watch(at(9, day=1)), watch(at(9, day=1))
    for day in range(2, 27):
        approvals = (at(11, day),) if day % 2 else ()
        lively = after(lively, HABITS, Look(at(12, day), approvals))
        dead = after(dead, HABITS, Look(at(12, day)))
    assert dead.busier < 1 < lively.busier
    assert lively.expected < 13
    now = at(15, day=26)
    assert rate(lively, HABITS, now) > 3 * rate(dead, HABITS, now) > 0


def test_what_was_long_ago_is_forgotten() -> None:
    lively = Watch(1, SYDNEY, at(9, day=1), seen=30.0, expected=3.0)
    later = after(lively, HABITS, Look(lively.looked_at + 10 * polling.HALF_LIFE))  # type: ignore[operator]
    assert later.seen == pytest.approx(30 / 1024)
    assert later.busier < 1


# --- habits -------------------------------------------------------------------------------------


def test_hours_are_the_projects_own_also_when_clocks_change_and_in_zones_of_half_hours() -> None:
    assert SYDNEY.bins(datetime(2026, 4, 1, 21, 0, tzinfo=UTC).timestamp()) == (8, 1)
    assert SYDNEY.bins(datetime(2026, 4, 7, 22, 0, tzinfo=UTC).timestamp()) == (8, 7)
    adelaide = Calendar(ZoneInfo("Australia/Adelaide"), lambda day: True)
    before_midnight = datetime(2026, 6, 10, 14, 29, tzinfo=UTC).timestamp()
    assert adelaide.bins(before_midnight) == (23, 9)
    assert adelaide.bins(before_midnight + 60) == (0, 10)


def test_a_public_holiday_is_as_quiet_as_a_sunday() -> None:
    kings_birthday = date(2026, 6, 8)
    calendar = Calendar(ZoneInfo("Australia/Sydney"), lambda day: day != kings_birthday)
    assert calendar.bins(at(10, day=8)) == (24 + 10, 7)
    weights = HABITS.hour_weights
    assert weights[24 + 10] < weights[10] / 5


def test_weights_are_one_on_average_over_a_week_and_a_month() -> None:
    learnt = HABITS.after([at(h) for h in (8, 9, 20, 21)], SYDNEY, None, 3)
    for habits in (HABITS, learnt):
        hours = habits.hour_weights
        over_a_week = (5 * sum(hours[:24]) + 2 * sum(hours[24:])) / 7 / 24
        assert over_a_week == pytest.approx(1)
        assert sum(habits.day_weights) / 31 == pytest.approx(1)


def test_who_approves_at_night_is_looked_at_at_night() -> None:
    habits = HABITS
    for day in range(1, 27):
        habits = habits.after([at(22, day), at(23, day)], SYDNEY, None, 0)
    assert habits.hour_weights[22] > 5 * HABITS.hour_weights[22]
    assert habits.hour_weights[22] > habits.hour_weights[10]
    here = Watch(1, SYDNEY, at(22), under_review=2, pending=2.0)
    assert rate(here, habits, at(22)) > rate(here, HABITS, at(22))


def test_claims_of_other_days_of_the_month_are_learnt() -> None:
    habits = HABITS
    for hour in range(200):
        habits = habits.after([at(0, day=17) + hour * 60], SYDNEY, None, 0)
        habits = habits.after([at(0, day=18) + hour * HOUR / 9], SYDNEY, None, 0)
    assert habits.day_weights[16] > HABITS.day_weights[16]
    assert habits.day_weights[17] > habits.day_weights[0]


def test_many_approvals_of_one_project_in_one_hour_say_one_thing_of_the_hour() -> None:
    found = HABITS.after([at(10) + n for n in range(50)], SYDNEY, None, 0)
    assert found.hours[10] == 1.0


def test_sittings_are_learnt_from_those_who_sit_and_those_who_do_not() -> None:
    sitting = alone = HABITS
    for day in range(1, 25):
        start = at(10, day)
        together = [start, start + 120, start + 300]
        sitting = sitting.after(together, SYDNEY, start - DAY, under_review=1)
        alone = alone.after([start], SYDNEY, start - DAY, under_review=4)
    assert alone.follows < HABITS.follows < sitting.follows
    assert alone.follows < 0.1
    assert sitting.follows > 0.3


def test_habits_fade() -> None:
    once = HABITS.after([at(10)], SYDNEY, None, 0)
    later = once.after([at(10) + 60 * DAY], SYDNEY, None, 0)
    assert sum(later.hours) == pytest.approx(1.5)
    earlier = later.after([at(10)], SYDNEY, None, 0)  # one told late does not turn time back
    assert (sum(earlier.hours), earlier.as_of) == (pytest.approx(2.5), later.as_of)


# --- when --------------------------------------------------------------------------------------

RATES = st.floats(min_value=1e-9, max_value=0.05)


@settings(max_examples=40, deadline=None)
@given(
    looked_at=st.floats(min_value=at(0, day=1), max_value=at(0, day=28)),
    claims=st.integers(min_value=0, max_value=30),
    stirred=st.floats(min_value=-100, max_value=2000),
    of_a_look=st.floats(min_value=1e-4, max_value=50),
)
def test_a_look_comes_when_documents_have_waited_as_long_as_it_is_worth(
    looked_at: float, claims: int, stirred: float, of_a_look: float
) -> None:
    """Against sums over small steps of rate × time waited until then."""
    here = watch(looked_at, claims, stirred_until=looked_at + stirred)
    # the next look's own lot is what its price is spread by
    spread = 1 + SPREAD * polling._lot(here.key, looked_at)
    due = next_look(here, HABITS, Price(of_a_look / spread**2, 0.0, 3 * DAY))
    calm = min(max(looked_at, here.stirred_until), due)
    unseen = waited = 0.0
    for start, end in ((looked_at, calm), (calm, due)):
        step = (end - start) / 3000
        for n in range(3000):
            unseen += rate(here, HABITS, start + (n + 0.5) * step) * step
            waited += unseen * step
    if due < looked_at + 3 * DAY * spread:
        assert waited == pytest.approx(of_a_look, rel=0.02)
    else:
        assert waited <= of_a_look * 1.02


@given(
    claims=st.integers(min_value=0, max_value=50),
    hour=st.floats(min_value=0, max_value=400),
    of_a_look=st.floats(min_value=1e-6, max_value=1000),
    shortest=st.floats(min_value=0.5, max_value=60),
    longest=st.floats(min_value=60, max_value=20_000),
)
def test_a_wait_keeps_its_bounds(
    claims: int, hour: float, of_a_look: float, shortest: float, longest: float
) -> None:
    here = watch(at(hour, day=3), claims)
    waits = next_look(here, HABITS, Price(of_a_look, shortest, longest)) - here.looked_at  # type: ignore[operator]
    assert shortest - 1e-6 <= waits <= max(longest * (1 + SPREAD), shortest) + 1e-6


def test_lists_read_at_once_do_not_stay_together() -> None:
    now = at(10)
    lists = [Watch(key, SYDNEY, now) for key in range(300)]
    due = sorted(next_look(one, HABITS, Price(1.0, 10.0, HOUR)) for one in lists)
    assert len({int(one) for one in due}) > 150
    assert next_look(lists[0], HABITS, Price(1.0, 10.0, HOUR)) == next_look(
        Watch(0, SYDNEY, now), HABITS, Price(1.0, 10.0, HOUR)
    )


# --- what it costs -------------------------------------------------------------------------------


def interval(of: Price, r: float) -> float:
    return min(max(sqrt(2 * of.of_a_look / r), of.shortest), of.longest)


MANY_RATES = st.lists(RATES, min_size=1, max_size=200)


@given(rates=MANY_RATES, per_hour=st.floats(min_value=1, max_value=10_000))
def test_whatever_changes_how_fast_the_looks_suffice(rates: list[float], per_hour: float) -> None:
    tolled = price(rates, per_hour)
    looks = sum(1 / interval(tolled, r) for r in rates) * HOUR
    assert looks <= LEEWAY * per_hour * (1 + 1e-6)


@given(rates=MANY_RATES, per_hour=st.floats(min_value=1, max_value=10_000))
def test_no_other_waits_with_as_many_looks_leave_less_unseen(
    rates: list[float], per_hour: float
) -> None:
    """Of two lists one is looked at a little more and the other so much less."""
    tolled = price(rates, per_hour)
    free = [
        (r, 1 / interval(tolled, r))
        for r in rates
        if tolled.shortest < interval(tolled, r) < tolled.longest
    ]
    for (r, looks), (s, others) in pairwise(free):
        shift = 0.05 * min(looks, others)
        now = r / looks + s / others
        assert r / (looks + shift) + s / (others - shift) >= now - 1e-9
        assert r / (looks - shift) + s / (others + shift) >= now - 1e-9


@given(rates=MANY_RATES, per_hour=st.floats(min_value=1, max_value=10_000))
def test_where_looks_are_short_all_are_used(rates: list[float], per_hour: float) -> None:
    tolled, free = price(rates, per_hour), price(rates, 1e9)
    if tolled.of_a_look > 2 * price(rates[:1], per_hour).of_a_look + free.of_a_look:
        looks = sum(1 / interval(tolled, r) for r in rates) * HOUR
        standing = polling.STANDING * SHORTEST * polling.EVENLY * SHORTEST
        assert tolled.of_a_look <= standing * 1.001 or looks >= 0.9 * LEEWAY * per_hour


def test_with_looks_to_spare_the_standing_price_holds_and_few_projects_pay_less() -> None:
    rates = [1e-5] * 3
    assert price(rates, 2700).of_a_look < price(rates * 8, 2700).of_a_look
    assert price(rates, 2700) == price([2e-5, 1e-7, 3e-6], 2700)
    assert price(rates * 8, 2700, shortest=20.0).of_a_look > price(rates * 8, 2700).of_a_look


@pytest.mark.parametrize("lists", [1, 10, 300, 5000])
@pytest.mark.parametrize("per_hour", [450, 2700])
def test_the_longest_wait_is_an_hour_unless_there_are_too_many_for_it(
    lists: int, per_hour: int
) -> None:
    longest = price([1e-8] * lists, per_hour).longest
    quarter = 0.25 * LEEWAY * per_hour
    assert longest == pytest.approx(LONGEST if lists <= quarter else lists / quarter * HOUR)


def test_who_sets_the_longest_wait_may_have_all_looks_for_it() -> None:
    assert price([1e-8] * 100, 2700, 2.0, 8.0).longest == pytest.approx(561, abs=1)
    asked = price([1e-8] * 4, 2700, 2.0, 8.0, for_the_quiet=1.0)
    assert asked.longest == 8.0


# --- what may be spent ---------------------------------------------------------------------------


@given(
    per_hour=st.floats(min_value=2, max_value=5000),
    steps=st.lists(
        st.tuples(st.floats(min_value=0, max_value=4000), st.integers(min_value=1, max_value=90)),
        min_size=1,
        max_size=150,
    ),
)
def test_in_no_hour_more_is_spent_than_is_allowed(
    per_hour: float, steps: list[tuple[float, int]]
) -> None:
    purse, now, looks = Purse(per_hour), 1e9, list[float]()
    for passing, wanted in steps:
        now += passing
        taken = min(wanted, purse.there(now))
        purse = purse.spent(taken, now)
        looks += [now] * taken
        if taken < wanted:  # it says when one more may be made, and means it
            assert purse.there(purse.again_at() + 1e-6) >= 1
            now = max(now, purse.again_at())
    for n, one in enumerate(looks):
        assert bisect_right(looks, one + HOUR - 1e-6) - n <= per_hour


@settings(max_examples=25, deadline=None)
@given(
    lists=st.integers(min_value=1, max_value=400),
    per_hour=st.integers(min_value=100, max_value=3000),
    stirred=st.floats(min_value=0, max_value=1),
    hour=st.integers(min_value=0, max_value=23),
)
def test_any_number_of_lists_stays_within_its_looks_and_none_is_forgotten(
    lists: int, per_hour: int, stirred: float, hour: int
) -> None:
    """Two hours of an installation that begins with all lists due at once."""
    start = at(hour)
    watches = [
        Watch(
            key,
            SYDNEY,
            under_review=key % 9,
            pending=float(key % 9),
            stirred_until=start + DAY if key < stirred * lists else 0.0,
        )
        for key in range(lists)
    ]
    due = [(start, key) for key in range(lists)]
    purse, now, looks = Purse(per_hour), start, list[float]()
    last: dict[int, float] = {}
    tolled = price([rate(one, HABITS, now) for one in watches], per_hour)
    while due[0][0] < start + 2 * HOUR and now < start + 2 * HOUR:
        when, key = heapq.heappop(due)
        now = max(now, when)
        if not purse.there(now):
            now = max(now, purse.again_at())
        purse = purse.spent(1, now)
        looks.append(now)
        last[key] = now
        seen = Watch(
            key,
            SYDNEY,
            now,
            under_review=watches[key].under_review,
            pending=watches[key].pending,
            stirred_until=watches[key].stirred_until,
        )
        heapq.heappush(due, (next_look(seen, HABITS, tolled), key))
    for n, one in enumerate(looks):
        assert bisect_right(looks, one + HOUR - 1e-6) - n <= per_hour
    if lists < 0.2 * per_hour:
        assert len(last) == lists
        assert all(now - one < 1.5 * LONGEST for one in last.values())
