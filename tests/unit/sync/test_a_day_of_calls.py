"""A whole day of a Starter organisation: 1,000 calls, bills at any hour, people at their desks."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from tests.unit.sync.remote_windows import Windows

from onecore.ports import Lane
from onecore.sync import budget, pacing

MIDNIGHT = datetime(2026, 11, 23, 0, 0, 0, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
A_BILL = 3
"""Calls of a bill that comes alone: the list of changes, the organisation's lock dates, the PUT."""


@dataclass
class Day:
    """One organisation lived through in steps of five seconds."""

    limit: int
    seed: int
    ends_at_hour: int = 24  # of the remote's window, which nobody told
    clock: datetime = MIDNIGHT
    bills: list[datetime] = field(default_factory=list)  # approved, not posted yet
    waits: list[timedelta] = field(default_factory=list)
    sweeps: list[datetime] = field(default_factory=list)
    pages: int = 0
    pages_refused: int = 0

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        phase = MIDNIGHT + timedelta(hours=self.ends_at_hour - 24)
        self.day = Windows(self.limit, timedelta(days=1), phase)
        self.minute = Windows(60, MINUTE, phase + 17 * SECOND)
        self.usage = budget.of_organisation()
        self.calls: dict[Lane, int] = dict.fromkeys(Lane, 0)
        self.slip = 0

    def call(self, lane: Lane) -> bool:
        if budget.wait(self.usage, lane, self.clock) is not None:
            return False
        self.slip += 1
        self.usage = budget.begun(self.usage, lane, self.slip, self.clock + MINUTE, self.clock)
        self.day.arrives(self.clock)
        self.minute.arrives(self.clock)
        self.calls[lane] += 1
        told = {
            "day_remaining": self.day.left(self.clock),
            "minute_remaining": self.minute.left(self.clock),
        }
        self.usage = budget.over(self.usage, self.slip, told, True, self.clock)
        return True

    def collects(self) -> timedelta:
        return pacing.documents_every(self.usage, self.clock)

    def live(self, approved: list[datetime], pages_an_hour: int, hours: int = 24) -> None:
        sweep_at, approved, posted_at = self.clock, sorted(approved), self.clock - 24 * HOUR
        while self.clock < MIDNIGHT + hours * HOUR:
            self.bills += [at for at in approved if at <= self.clock]
            approved = [at for at in approved if at > self.clock]
            office = 7 <= self.clock.hour < 19
            if office and self.random.random() < pages_an_hour / 720:
                self.pages += 1
                self.pages_refused += not self.call(Lane.PERSON)
            goes = self.bills and self.clock >= posted_at + self.collects()
            if goes and all(self.call(Lane.DOCUMENT) for _ in range(A_BILL)):
                self.waits += [self.clock - at for at in self.bills]  # a batch holds fifty
                self.bills, posted_at = [], self.clock
            if self.clock >= sweep_at:
                if self.call(Lane.LIST):
                    self.sweeps.append(self.clock)
                sweep_at = self.clock + pacing.sweep_every(self.usage, self.clock)
            self.clock += 5 * SECOND


def through_the_day(count: int, seed: int) -> list[datetime]:
    """Bills one at a time, most in office hours and some at any hour."""
    chance = random.Random(seed)
    hours = [chance.uniform(7, 19) if chance.random() < 0.8 else chance.uniform(0, 24)
             for _ in range(count)]  # fmt: skip
    return [MIDNIGHT + hour * HOUR for hour in hours]


@pytest.mark.parametrize("pages_an_hour", [0, 40, 300])
def test_every_bill_posts_within_minutes_at_any_hour_of_a_thousand_calls(
    pages_an_hour: int,
) -> None:
    day = Day(1000, seed=pages_an_hour)
    last = MIDNIGHT + 23 * HOUR + 30 * MINUTE
    day.live([*through_the_day(150, 1), last], pages_an_hour)
    assert sum(day.calls.values()) <= 1000
    assert day.day.refused == day.minute.refused == 0
    assert day.bills == []
    assert len(day.waits) == 151
    assert max(day.waits) <= 2 * MINUTE
    # Changes made in Xero are still seen, and the quiet hours are not spent by the morning.
    gaps = [b - a for a, b in zip(day.sweeps, day.sweeps[1:], strict=False)]
    assert max(gaps) <= 90 * MINUTE
    assert pages_an_hour == 0 or day.pages - day.pages_refused >= 120


def test_people_who_look_without_end_have_their_share_and_no_more() -> None:
    day = Day(1000, seed=4)
    day.live([], pages_an_hour=600)
    assert day.calls[Lane.PERSON] >= 12 * 20
    assert sum(day.calls.values()) <= 1000
    assert budget.wait(day.usage, Lane.DOCUMENT, day.clock) is None


def test_a_quiet_day_of_a_thousand_sweeps_all_day_and_keeps_enough_for_the_last_hour() -> None:
    day = Day(1000, seed=5)
    day.live([], 0)
    by_hour = [sum(at.hour == hour for at in day.sweeps) for hour in range(24)]
    assert min(by_hour) >= 6
    assert max(by_hour) >= 20
    assert sum(day.calls.values()) < 1000
    assert budget.wait(day.usage, Lane.DOCUMENT, day.clock) is None


def test_far_too_many_bills_for_a_day_go_together_and_all_day_long() -> None:
    """Six hundred, of which a thousand calls would carry three hundred one by one."""
    day = Day(1000, seed=9)
    last = MIDNIGHT + 23 * HOUR + 10 * MINUTE
    day.live([*through_the_day(600, 5), last], 20)
    assert sum(day.calls.values()) <= 1000
    assert day.day.refused == 0
    assert day.bills == []
    assert len(day.waits) == 601
    assert max(day.waits) <= 35 * MINUTE


def test_five_thousand_a_day_need_no_stretching() -> None:
    day = Day(5000, seed=6)
    day.live(through_the_day(300, 2), 60)
    gaps = [b - a for a, b in zip(day.sweeps, day.sweeps[1:], strict=False)]
    assert max(gaps) <= pacing.SWEEP_EVERY + 10 * SECOND
    assert max(day.waits) <= MINUTE


def test_a_window_that_began_at_some_hour_is_found_by_its_first_answer_after() -> None:
    """Over two days, with the remote's day beginning at nine: never refused, every bill posted."""
    day = Day(1000, seed=7, ends_at_hour=9)
    second = [at + 24 * HOUR for at in through_the_day(150, 4)]
    day.live([*through_the_day(150, 3), *second], 30, hours=48)
    assert day.day.refused == 0
    assert len(day.waits) == 300
    assert max(day.waits) <= 2 * MINUTE


def test_another_program_that_spends_the_day_is_noticed() -> None:
    """Half of the day's calls go elsewhere by noon; bills go all day, lists give way."""
    day = Day(1000, seed=8)
    for hour in range(12):
        day.live(through_the_day(60, 9) if hour == 0 else [], 10, hours=hour + 1)
        day.day.arrives(day.clock, 40)
    day.live([MIDNIGHT + 23 * HOUR], 10)
    assert day.day.refused == 0
    assert day.bills == []
    assert day.waits[-1] <= 2 * MINUTE


def test_lists_of_an_app_may_use_what_documents_and_people_leave_of_the_hour() -> None:
    usage = budget.of_procore_app()
    assert pacing.lists_an_hour(usage, above=0) == 3600 - 216 - 1080
    assert pacing.lists_an_hour(usage, above=2000) == 3600 - 216 - 2400
    assert pacing.lists_an_hour(usage, above=9999) == 1
    told = {"limit": 600, "remaining": 599, "reset": int((MIDNIGHT + HOUR).timestamp())}
    usage = budget.over(usage, 1, told, True, MIDNIGHT)
    assert pacing.lists_an_hour(usage, above=0) == 600 - 36 - 180
