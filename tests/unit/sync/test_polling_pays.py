"""The bench's simulation in short: looks that are earned find approvals sooner than as many made
evenly, and never more than are allowed."""

from typing import Any

import pytest
from bench.polling_run import compare


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    """Two builders of thirty projects, as crowded as sixty are under Procore's usual 3,600."""
    return compare(30, 1800, seeds=(1, 2))


def test_an_approval_is_seen_three_times_sooner_than_by_as_many_even_looks(
    found: dict[str, Any],
) -> None:
    assert found["approvals"] > 250
    assert found["ratio"] >= 3


def test_what_is_under_review_is_seen_within_a_minute(found: dict[str, Any]) -> None:
    assert found["under_review"]["mean"] < 60


def test_no_hour_has_more_looks_than_are_allowed(found: dict[str, Any]) -> None:
    assert 0.5 * found["allowed_an_hour"] < found["peak_hour"] <= found["allowed_an_hour"]


def test_the_same_builder_gives_the_same_figures() -> None:
    first, second = (compare(3, 300, (3,), months=1) for _ in range(2))
    first.pop("cpu_seconds")
    second.pop("cpu_seconds")
    assert first == second
