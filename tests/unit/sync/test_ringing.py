"""A bell is answered at once when it was quiet, and only so often when it never stops."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from onecore.sync.ringing import AT_ONCE, EVERY, answerable_at, spent_after

START = datetime(2026, 7, 1, tzinfo=UTC)


def answers(rings: list[timedelta]) -> list[datetime]:
    """When a bell that rings at these times is answered, by somebody who looks at all times."""
    spent: datetime | None = None
    given: list[datetime] = []
    for ring in sorted(rings):
        at = answerable_at(spent, START + ring)
        if given and given[-1] >= START + ring:
            continue  # an answer that is still to come covers it
        given.append(at)
        spent = spent_after(spent, at)
    return given


def test_a_quiet_bell_is_answered_at_once_some_times() -> None:
    seconds = [timedelta(seconds=n) for n in range(AT_ONCE)]
    assert answers(seconds) == [START + second for second in seconds]


def test_a_bell_that_never_stops_is_answered_as_often_as_sweeps_come() -> None:
    day = [timedelta(seconds=n) for n in range(0, 86_400, 7)]
    assert len(answers(day)) <= AT_ONCE + timedelta(days=1) / EVERY


@given(st.lists(st.timedeltas(timedelta(0), timedelta(hours=6)), min_size=1, max_size=80))
def test_every_ring_is_answered_in_time_and_no_stretch_holds_too_many(
    rings: list[timedelta],
) -> None:
    given = answers(rings)
    for ring in rings:
        at = START + ring
        assert any(at <= answer <= at + EVERY for answer in given)
    for first in given:
        within = [x for x in given if first <= x < first + 10 * EVERY]
        assert len(within) <= AT_ONCE + 10
