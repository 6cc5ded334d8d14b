"""Limits: what headers report, which limit a 429 means, how long it asks to wait."""

from datetime import UTC, datetime, timedelta

import pytest

from onecore.http.limits import asked_to_wait, figures, throttle
from onecore.ports import LimitKind, Remote

NOW = datetime(2026, 11, 22, 10, 0, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def test_figures_of_each_remote() -> None:
    xero = {
        "x-minlimit-remaining": "59",
        "x-daylimit-remaining": "4800",
        "x-appminlimit-remaining": "9999",
        "x-rate-limit-limit": "1",
    }
    assert figures(Remote.XERO, xero) == {
        "minute_remaining": 59,
        "day_remaining": 4800,
        "app_minute_remaining": 9999,
    }
    procore = {
        "x-rate-limit-limit": "3600",
        "x-rate-limit-remaining": "12",
        "x-rate-limit-reset": "1795342800",
    }
    assert figures(Remote.PROCORE, procore) == {
        "limit": 3600,
        "remaining": 12,
        "reset": 1795342800,
    }
    assert figures(Remote.XERO, {"x-minlimit-remaining": "many"}) == {}


@pytest.mark.parametrize(
    ("told", "wait"),
    [
        ("30", 30 * SECOND),
        ("0", 0 * SECOND),
        ("-4", 0 * SECOND),
        ("Sun, 22 Nov 2026 10:01:30 GMT", 90 * SECOND),
        ("Sun, 22 Nov 2026 09:00:00 GMT", 0 * SECOND),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after(told: str, wait: timedelta | None) -> None:
    assert asked_to_wait({"retry-after": told}, NOW) == wait


@pytest.mark.parametrize(
    ("problem", "headers", "kind", "least", "most"),
    [
        ("minute", {"retry-after": "20"}, LimitKind.MINUTE, 20, 21),
        ("minute", {}, LimitKind.MINUTE, 60, 61),
        ("Day", {"retry-after": "81000"}, LimitKind.DAY, 81000, 81001),
        ("day", {}, LimitKind.DAY, 3600, 3601),
        ("concurrent", {}, LimitKind.CONCURRENT, 0.3, 2),
        ("appminute", {}, LimitKind.APP_MINUTE, 60, 61),
        ("app-minute", {"retry-after": "5"}, LimitKind.APP_MINUTE, 5, 6),
        ("", {}, LimitKind.UNKNOWN, 60, 61),
    ],
)
def test_xero_limits(
    problem: str, headers: dict[str, str], kind: LimitKind, least: float, most: float
) -> None:
    for _ in range(20):
        got, wait = throttle(Remote.XERO, {"x-rate-limit-problem": problem, **headers}, NOW)
        assert got is kind
        assert least <= wait.total_seconds() <= most


@pytest.mark.parametrize(
    ("reset_in", "retry_after", "kind", "least", "most"),
    [
        (7, None, LimitKind.SPIKE, 7, 8),
        (1800, None, LimitKind.HOUR, 1800, 1801),
        (1800, "1200", LimitKind.HOUR, 1200, 1201),
        (-50, None, LimitKind.SPIKE, 0, 1),
        (900000, None, LimitKind.HOUR, 3600, 3601),  # a clock that is off
        (None, "9", LimitKind.SPIKE, 9, 10),
        (None, None, LimitKind.UNKNOWN, 60, 61),
    ],
)
def test_procore_limits(
    reset_in: int | None, retry_after: str | None, kind: LimitKind, least: float, most: float
) -> None:
    headers = {}
    if reset_in is not None:
        headers["x-rate-limit-reset"] = str(int(NOW.timestamp()) + reset_in)
    if retry_after is not None:
        headers["retry-after"] = retry_after
    got, wait = throttle(Remote.PROCORE, headers, NOW)
    assert got is kind
    assert least <= wait.total_seconds() <= most
