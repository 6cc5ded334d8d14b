"""Fifty workspaces beside one with thousands of documents, all on one app's hour."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

from tests.unit.sync.remote_windows import Windows

from onecore.ports import Lane, LimitKind
from onecore.sync import budget, sharing
from onecore.sync.sharing import Shares

NOON = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
HEAVY = 51
LIMIT = 3600


class App:
    """A Procore app that tells its hour, which began when nobody knows."""

    def __init__(self) -> None:
        self.window = Windows(LIMIT, HOUR, NOON - timedelta(minutes=40))
        self.usage = budget.of_procore_app()
        self.clock = NOON
        self.slip = 0
        self.used: Counter[int] = Counter()

    def call(self, workspace: int, lane: Lane = Lane.DOCUMENT) -> bool:
        if budget.wait(self.usage, lane, self.clock, workspace) is not None:
            return False
        self.slip += 1
        over = self.clock + SECOND
        self.usage = budget.begun(self.usage, lane, self.slip, over, self.clock, workspace)
        self.window.arrives(self.clock)
        told = {
            "limit": LIMIT,
            "remaining": self.window.left(self.clock),
            "reset": int(self.window.ends(self.clock).timestamp()) + 1,
        }
        self.usage = budget.over(self.usage, self.slip, told, True, self.clock)
        self.used[workspace] += 1
        return True


def test_a_backlog_of_one_keeps_none_of_fifty_waiting() -> None:
    app, chance = App(), random.Random(1)
    waiting: dict[int, datetime] = {}
    waited: list[timedelta] = []
    for _ in range(720):
        for _ in range(3):
            app.call(HEAVY)
        for workspace in range(1, 51):
            if chance.random() < 40 / 720:
                waiting.setdefault(workspace, app.clock)
        for workspace, since in list(waiting.items()):
            if app.call(workspace):
                if app.clock > NOON + timedelta(minutes=20):  # the first window knew none of them
                    waited.append(app.clock - since)
                del waiting[workspace]
        app.clock += 5 * SECOND
    assert app.window.refused == 0
    assert max(waited) <= 15 * SECOND
    assert waiting == {}
    # And what the fifty do not want is not left lying.
    assert app.used[HEAVY] > 0.2 * LIMIT


def test_fifty_one_that_all_want_everything_have_equal_parts() -> None:
    app, chance = App(), random.Random(2)
    order = list(range(1, 52))
    for _ in range(720):
        chance.shuffle(order)
        for workspace in order[:20]:
            app.call(workspace)
        app.clock += 5 * SECOND
    assert app.window.refused == 0
    fair = sum(app.used.values()) / 51
    assert max(app.used.values()) <= fair * 1.35
    assert min(app.used.values()) >= fair * 0.65


def test_one_alone_may_have_it_all() -> None:
    app = App()
    for _ in range(LIMIT // 2):
        app.call(HEAVY)
        app.clock += SECOND
    assert app.used[HEAVY] == LIMIT // 2


def test_people_do_not_wait_for_their_workspaces_part() -> None:
    app = App()
    app.call(1)
    while app.call(HEAVY):
        app.clock += SECOND / 1000
    told = budget.wait(app.usage, Lane.DOCUMENT, app.clock, HEAVY)
    assert told is not None
    assert told.kind is LimitKind.HOUR
    assert not told.everyone
    assert budget.wait(app.usage, Lane.PERSON, app.clock, HEAVY) is None
    assert budget.wait(app.usage, Lane.DOCUMENT, app.clock, 1) is None


def test_what_one_used_in_the_last_hour_is_kept_for_it_in_the_next() -> None:
    shares = Shares()
    for _ in range(40):
        shares = sharing.counted(shares, 1, NOON)
    later = NOON + HOUR
    for _ in range(500):
        shares = sharing.counted(shares, 2, later)
    assert sharing.goes_on_at(shares, 2, limit=1000, free=60, since=later, now=later) is not None
    assert sharing.goes_on_at(shares, 2, limit=1000, free=61, since=later, now=later) is None
    nearly_over = later + timedelta(minutes=57)
    assert sharing.goes_on_at(shares, 2, limit=1000, free=7, since=later, now=nearly_over) is None
    much_later = NOON + 4 * HOUR
    assert sharing.at(shares, much_later) == Shares(much_later, {}, {})
