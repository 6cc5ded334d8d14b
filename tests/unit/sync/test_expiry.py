"""What ends a connection is told days before, with the date and what to do."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from onecore.sync.expiry import (
    KEEP_ALIVE,
    UNUSED_LIFE,
    Standing,
    Weight,
    foretold,
    needs_keeping,
    next_overwriting,
)

NOW = datetime(2026, 7, 10, 12, tzinfo=UTC)
CONSENT = Standing(
    remote="xero",
    kind="authorization_code",
    label="Riverside Pty Ltd",
    again="onecore connect xero -w 'Main'",
    broken=False,
    renewed_at=NOW,
    ends_at=NOW + timedelta(minutes=30),
    in_use=True,
    scopes=frozenset({"accounting.invoices", "accounting.contacts"}),
    wanted=frozenset({"accounting.invoices"}),
)
PROCORE = replace(CONSENT, remote="procore", kind="client_credentials", wanted=frozenset())


def codes(one: Standing, weight: Weight = Weight.SOON) -> list[str]:
    return [told.code for told in foretold(one, NOW) if told.weight is weight]


def test_a_healthy_connection_has_nothing_to_be_done() -> None:
    assert codes(CONSENT) == codes(PROCORE) == []
    assert codes(CONSENT, Weight.NOTE) == ["a_persons_rights"]
    assert foretold(PROCORE, NOW) == ()


@pytest.mark.parametrize(
    ("days", "told"), [(0, False), (14, False), (15, True), (59, True), (61, True)]
)
def test_an_unused_consent_is_told_weeks_before_its_end(days: int, told: bool) -> None:
    one = replace(CONSENT, renewed_at=NOW - timedelta(days=days), in_use=False)
    assert ("unused" in codes(one)) is told
    if told:
        first = foretold(one, NOW)[0]
        assert first.at == NOW - timedelta(days=days) + UNUSED_LIFE
        assert ("onecore connect xero -w 'Main'" in first.todo) is (days > 60)


def test_what_has_no_refresh_token_does_not_die_of_rest() -> None:
    old = NOW - timedelta(days=100)
    for one in (PROCORE, replace(CONSENT, kind="client_credentials")):
        assert codes(replace(one, renewed_at=old, ends_at=old, in_use=False)) == []


def test_a_token_in_use_that_is_not_renewed_is_told() -> None:
    for hours, told in ((1, []), (3, ["not_renewed"])):
        ended = replace(CONSENT, ends_at=NOW - timedelta(hours=hours))
        assert codes(ended) == told
        assert codes(replace(ended, in_use=False)) == []


def test_scopes_that_are_asked_for_since_are_named() -> None:
    one = replace(CONSENT, wanted=frozenset({"accounting.invoices", "accounting.attachments"}))
    (told,) = (x for x in foretold(one, NOW) if x.code == "scopes_lacking")
    assert "accounting.attachments" in told.why
    assert "accounting.invoices" not in told.why
    assert one.again in told.todo
    assert codes(replace(one, scopes=frozenset())) == []  # what was granted is not known


def test_test_companies_end_by_themselves() -> None:
    assert "demo_company" in codes(replace(CONSENT, is_demo=True), Weight.NOTE)
    monthly = replace(PROCORE, api_url="https://api-monthly.procore.com")
    (told,) = foretold(monthly, NOW)
    assert (told.code, told.at) == ("sandbox_overwritten", datetime(2026, 8, 3, tzinfo=UTC))


@pytest.mark.parametrize(
    ("now", "at"),
    [
        (datetime(2026, 7, 31, tzinfo=UTC), datetime(2026, 8, 3, tzinfo=UTC)),  # a Saturday is 1st
        (datetime(2026, 8, 2, tzinfo=UTC), datetime(2026, 8, 3, tzinfo=UTC)),
        (datetime(2026, 10, 31, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC)),
        (datetime(2026, 12, 1, 5, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)),
    ],
)
def test_the_months_first_working_day(now: datetime, at: datetime) -> None:
    assert next_overwriting(now) == at


def test_what_is_broken_is_told_as_that_alone() -> None:
    assert foretold(replace(CONSENT, broken=True, is_demo=True), NOW) == ()


def test_a_grant_nobody_uses_is_kept_alive_long_before_it_dies() -> None:
    assert not needs_keeping(NOW - KEEP_ALIVE + timedelta(minutes=1), NOW)
    assert needs_keeping(NOW - KEEP_ALIVE, NOW)
    assert needs_keeping(None, NOW)
    assert KEEP_ALIVE * 4 < UNUSED_LIFE
