"""Eight processes and one token that has ended: one renewal, whoever dies and whatever the time."""

import json
import os
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from onecore.ports import Remote
from onecore.store.models import Grant
from tests.desk import Desk
from tests.engine.test_grants import by_consent, grant_of, tokens_asked_for
from tests.fork_server import Forked, ForkServer
from tests.worker_process import Worker, _database_url

EIGHT = 8
HALF_AN_HOUR = timedelta(minutes=31)
Start = Callable[..., Worker]


@pytest.fixture(scope="module")
def forks(django_db_setup: None, django_db_blocker: Any) -> Iterator[ForkServer]:
    environ = {k: v for k, v in os.environ.items() if not k.startswith("ONECORE_")}
    environ |= {
        "ONECORE_DATA_DIR": os.environ["ONECORE_DATA_DIR"],
        "ONECORE_RESOLVED_DATABASE_URL": _database_url(),
    }
    server = ForkServer(environ, "tests.renewing")
    yield server
    server.close()


@pytest.fixture
def start(forks: ForkServer, desk: Desk) -> Start:
    def begin(grants: list[int], at: float | None = None, **said: Any) -> Worker:
        where = {"procore": desk.procore.url, "xero": desk.xero.url}
        when = time.time() if at is None else at
        forked: Forked = forks.fork({**where, "grants": grants, "at": when, **said})
        return Worker(forked)

    return begin


def together(start: Start, grants: list[int], **said: Any) -> list[list[Any]]:
    """What eight processes got that asked at the same moment."""
    at = time.time() + 1
    workers = [start(grants, at, **said) for _ in range(EIGHT)]
    return [json.loads(worker.said().splitlines()[-1]) for worker in workers]


def all_grants(desk: Desk) -> list[int]:
    """Procore's, a custom connection's and a person's; no token has life left in it."""
    custom = grant_of(desk, Remote.XERO)
    consent = by_consent(desk, keep_custom=True)
    grants = [grant_of(desk, Remote.PROCORE).pk, custom.pk, consent.pk]
    Grant.objects.update(access_expires_at=desk.clock.now())
    desk.procore.forget_requests()
    desk.xero.forget_requests()
    return grants


def test_eight_processes_renew_each_grant_once(desk: Desk, start: Start) -> None:
    grants = all_grants(desk)
    got = together(start, grants)
    assert all(one == got[0] for one in got)
    assert tokens_asked_for(desk.procore) == 1
    assert tokens_asked_for(desk.xero) == 2


def test_eight_processes_that_were_refused_renew_once(desk: Desk, start: Start) -> None:
    grant = by_consent(desk)
    desk.xero.forget_requests()
    got = together(start, [grant.pk], refused=grant.version)
    assert all(one == got[0] for one in got)
    assert got[0][0][1] == grant.version + 1
    assert tokens_asked_for(desk.xero) == 1


def test_clocks_that_are_wrong_neither_renew_what_is_fresh_nor_keep_what_has_ended(
    desk: Desk, start: Start
) -> None:
    grant = by_consent(desk)
    desk.xero.forget_requests()
    for hours in (-3, -1, 1, 3):
        got = json.loads(start([grant.pk], ahead=3600 * hours).said().splitlines()[-1])
        assert got[0][1] == grant.version
    assert tokens_asked_for(desk.xero) == 0
    Grant.objects.update(access_expires_at=desk.clock.now())
    workers = [start([grant.pk], ahead=3600 * hours) for hours in (-3, -1, 0, 1, 3)]
    got = [json.loads(worker.said().splitlines()[-1]) for worker in workers]
    assert all(one == got[0] for one in got)
    assert tokens_asked_for(desk.xero) == 1


@pytest.mark.parametrize("crash", ["call.xero.token.refresh_token.after", "grant.claimed"])
def test_who_dies_while_renewing_is_succeeded_by_one(desk: Desk, start: Start, crash: str) -> None:
    """Xero has used up the old refresh token, and nobody has the new one: the old one heals it."""
    grant = by_consent(desk)
    Grant.objects.update(access_expires_at=desk.clock.now())
    desk.xero.forget_requests()
    start([grant.pk], crash=crash).dies()
    asked = tokens_asked_for(desk.xero)
    assert asked == (1 if crash.startswith("call") else 0)
    held = Grant.objects.get(pk=grant.pk)
    assert held.renewing_by is not None
    # its lease would last far longer than anybody waits
    Grant.objects.update(renewing_until=desk.clock.now() + timedelta(hours=1))
    got = together(start, [grant.pk])
    assert all(one == got[0] for one in got)
    assert tokens_asked_for(desk.xero) == asked + 1
    row = Grant.objects.get(pk=grant.pk)
    assert (row.version, row.broken, row.renewing_by) == (grant.version + 1, "", None)
