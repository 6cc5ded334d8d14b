"""A budget in sentences: how it stands, how long it lasts, what gives way, when it goes on."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from onecore.engine.use.budgets import HourOfCalls, Standing
from onecore.engine.use.budgets_told import spell, told, when
from onecore.ports import Remote
from onecore.sync.forecast import Forecast

NOW = datetime(2026, 11, 23, 15, 30, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
ENDS = NOW + 9 * HOUR

STARTER = Standing(
    remote=Remote.XERO,
    scope="0c0ffee0-0000-4000-8000-000000000001",
    name="Banksia",
    window=timedelta(days=1),
    limit=1000,
    remaining=713,
    ends_at=ENDS,
    hours=(HourOfCalls(NOW.replace(minute=0), {"document": 9, "list": 4}),),
    refused_day=0,
    ours_day=13,
    workspaces=1,
    figures={},
    blocked_until=None,
    blocked_by="",
    waiting={},
    is_used_up=False,
    forecast=Forecast(ENDS, 240, None, True),
    sweep_every=2 * MINUTE,
    documents_every=timedelta(0),
    lists_an_hour=None,
)


def test_enough() -> None:
    said = told(STARTER, NOW)
    assert said.tone == "good"
    assert said.brief == "713 of 1,000 left of this day"
    assert said.lines == (
        "713 of 1,000 calls are left of this day. The next begins in 9 hours (24 Nov 00:30 UTC) "
        "at the latest.",
        "As in the past two weeks, about 240 will be left at its end.",
    )


def test_what_gives_way_is_told_and_only_what_somebody_may_notice_is_a_warning() -> None:
    stretched = replace(STARTER, sweep_every=9 * MINUTE)
    said = told(stretched, NOW)
    assert said.tone == "good"
    assert said.stretched == (
        "Changes made in Xero are looked for every 9 minutes rather than every 2 minutes, so that "
        "bills have the calls they need.",
    )
    tight = replace(
        stretched,
        documents_every=14 * MINUTE,
        waiting={"list": NOW + HOUR, "walk": NOW + 2 * HOUR},
    )
    said = told(tight, NOW)
    assert said.tone == "warn"
    assert said.stretched == (
        "Bills go together every 14 minutes; what somebody asks for goes at once.",
        "Changes made in Xero are seen when bills are made, and looked for by themselves again in "
        "60 minutes (16:30 UTC).",
    )


def test_an_end_before_the_end_is_a_warning() -> None:
    soon = replace(STARTER, forecast=Forecast(ENDS, 0, NOW + 3 * HOUR, False))
    said = told(soon, NOW)
    assert said.tone == "warn"
    assert said.forecast == (
        "At the pace of the last hours, they would be used up in 3 hours (18:30 UTC), before its "
        "end."
    )


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("day", "Xero takes no more calls for Banksia today. It goes on by itself in 5 h 20 min "
                "(20:50 UTC); all that waits stays in its place."),
        ("minute", "Xero is left alone, as this minute's calls are used up. It goes on in 5 h"),
        ("concurrent", "too many calls were under way at once"),
        ("app_minute", "of the app, over all its customers"),
        ("unknown", "as it asked to wait"),
    ],
)  # fmt: skip
def test_told_to_wait(kind: str, words: str) -> None:
    blocked = replace(
        STARTER, blocked_until=NOW + 5 * HOUR + 20 * MINUTE, blocked_by=kind, remaining=0
    )
    said = told(blocked, NOW)
    assert said.tone == "bad"
    assert words in said.headline
    assert said.brief == "goes on in 5 h 20 min (20:50 UTC)"
    assert said.lines == (said.headline,)


def test_an_hour_of_procore_and_a_remote_without_limits() -> None:
    procore = replace(
        STARTER, remote=Remote.PROCORE, window=HOUR, limit=3600, remaining=3000, ends_at=None,
        sweep_every=None, documents_every=None, lists_an_hour=2300, forecast=None,
        waiting={"list": NOW + 10 * MINUTE},
    )  # fmt: skip
    assert told(procore, NOW).lines == (
        "3,000 of 3,600 calls are left of this hour.",
        "Changed claims are looked for again in 10 minutes (15:40 UTC).",
    )
    free = replace(procore, limit=None, remaining=None, waiting={})
    assert told(free, NOW).lines == ("Procore names no limit.",)
    assert told(free, NOW).brief == "no limit told"


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(0), "1 second"), (timedelta(seconds=59), "59 seconds"),
        (100 * timedelta(seconds=1), "2 minutes"), (89 * MINUTE, "89 minutes"),
        (90 * MINUTE, "1 h 30 min"), (3 * HOUR, "3 hours"), (26 * HOUR, "26 hours"),
    ],
)  # fmt: skip
def test_lengths_of_time(length: timedelta, words: str) -> None:
    assert spell(length) == words


def test_an_instant_of_another_day_is_told_with_its_day() -> None:
    assert when(NOW + 30 * HOUR, NOW) == "in 30 hours (24 Nov 21:30 UTC)"
    assert when(NOW - HOUR, NOW) == "in 1 second (14:30 UTC)"
