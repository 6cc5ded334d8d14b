"""Foretelling the end of a day's calls."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from onecore.sync.forecast import forecast

NOW = datetime(2026, 11, 23, 15, 30, 0, tzinfo=UTC)  # a Monday
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
THREE = NOW.replace(minute=0)


def weeks(count: int, calls: dict[int, int]) -> dict[datetime, int]:
    """Weeks of days that are all alike: calls by the hour of the day, up to today's midnight."""
    midnight = NOW.replace(hour=0, minute=0)
    return {
        midnight - n * DAY + hour * HOUR: each
        for n in range(1, count * 7 + 1)
        for hour, each in calls.items()
    }


def test_by_the_pace_of_the_last_hours_where_little_is_known() -> None:
    hours = {THREE: 20, THREE - HOUR: 40, THREE - 2 * HOUR: 40, THREE - 9 * HOUR: 900}
    told = forecast(100, NOW + 5 * HOUR, hours, NOW)
    assert not told.by_pattern
    assert told.runs_out_at == NOW + 2.5 * HOUR
    assert told.left_at_end == 0
    assert forecast(300, NOW + 5 * HOUR, hours, NOW).left_at_end == 100
    assert forecast(300, NOW + 5 * HOUR, hours, NOW).runs_out_at is None


def test_a_first_hour_tells_a_pace_without_being_blown_up() -> None:
    told = forecast(1000, NOW + 10 * HOUR, {THREE: 30}, NOW)
    assert told.left_at_end == 400
    just = THREE + timedelta(minutes=1)
    assert forecast(1000, just + 10 * HOUR, {THREE: 5}, just).left_at_end == 800


def test_no_call_no_end() -> None:
    told = forecast(1000, NOW + DAY, {}, NOW)
    assert (told.left_at_end, told.runs_out_at) == (1000, None)


def test_by_the_same_hours_of_the_weeks_before() -> None:
    """An evening rush that no pace of the afternoon foretells."""
    hours = weeks(2, {18: 300, 19: 300, 9: 5})
    told = forecast(450, NOW + 8 * HOUR, hours, NOW)
    assert told.by_pattern
    assert told.runs_out_at == NOW.replace(hour=19, minute=30)
    assert forecast(700, NOW + 8 * HOUR, hours, NOW).left_at_end == 100


def test_a_day_busier_than_usual_goes_on_like_that() -> None:
    usual = weeks(2, dict.fromkeys(range(9, 20), 20))
    today = {NOW.replace(hour=hour, minute=0): 60 for hour in range(9, 15)}
    told = forecast(1000, NOW.replace(hour=20, minute=0), usual | today, NOW)
    assert told.left_at_end == 1000 - round(60 * 4.5)
    quiet = {NOW.replace(hour=hour, minute=0): 1 for hour in range(9, 15)}
    told = forecast(1000, NOW.replace(hour=20, minute=0), usual | quiet, NOW)
    assert told.left_at_end == 1000 - round(20 / 4 * 4.5)


def test_what_is_used_up_has_run_out_now() -> None:
    assert forecast(0, NOW + HOUR, {THREE: 20}, NOW).runs_out_at == NOW
    assert forecast(-3, NOW + HOUR, {}, NOW).left_at_end == 0


@given(
    st.integers(0, 6000),
    st.integers(0, 48),
    st.dictionaries(st.integers(0, 14 * 24), st.integers(0, 400), max_size=60),
)
@settings(max_examples=80)
def test_it_either_lasts_or_ends_within_the_window(
    left: int, ends: int, calls: dict[int, int]
) -> None:
    hours = {THREE - ago * HOUR: n for ago, n in calls.items()}
    told = forecast(left, NOW + ends * HOUR, hours, NOW)
    assert 0 <= told.left_at_end <= left
    if told.runs_out_at is not None:
        assert told.left_at_end == 0
        assert NOW <= told.runs_out_at <= NOW + ends * HOUR
    more = forecast(left + 100, NOW + ends * HOUR, hours, NOW)
    assert more.left_at_end >= told.left_at_end


def test_weeks_that_were_not_counted_are_no_pattern() -> None:
    """Two weeks ago there was no OneCore: last week's hours are the pattern, not half of them."""
    hours = {NOW.replace(hour=hour, minute=0) - 7 * DAY: 40 for hour in range(24)}
    hours |= {NOW.replace(hour=hour, minute=0): 40 for hour in range(15)}
    told = forecast(1000, NOW + 2 * HOUR, hours, NOW)
    assert told.by_pattern
    assert told.left_at_end == 1000 - 80
