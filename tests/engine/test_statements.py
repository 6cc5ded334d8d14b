"""What it costs the database: statements counted, and none of them reads a large table whole."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.test import Client

from onecore import app
from onecore.engine.use import syncing
from onecore.store.models import Document
from tests import many
from tests.desk import Desk
from tests.engine.fifty import approve, warmed

LARGE = ("store_document", "store_link", "store_billindex", "store_auditentry")
Statement = tuple[str, Any]


@contextmanager
def statements(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Statement]]:
    """Every statement of this process while the block runs, whatever thread it is of."""
    seen: list[Statement] = []

    def noted(real: Callable[..., Any]) -> Callable[..., Any]:
        def execute(self: Any, sql: Any, params: Any = None) -> Any:
            seen.append((str(sql), params))
            return real(self, sql, params)

        return execute

    with monkeypatch.context() as patched:
        patched.setattr(CursorWrapper, "execute", noted(CursorWrapper.execute))
        yield seen


def read_whole(seen: list[Statement]) -> set[str]:
    """Statements that PostgreSQL would answer by reading one of the large tables from end to end.

    The plan is asked for afterwards, so that a statement is planned on tables as large as they
    are in service.
    """
    found: set[str] = set()
    for sql, params in seen:
        if not re.match(r"\s*(SELECT|WITH|UPDATE|DELETE)", sql, re.I):
            continue
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
            plan = cursor.fetchone()[0]
        plan = json.loads(plan) if isinstance(plan, str) else plan
        if any(n.get("Relation Name") in LARGE for n in nodes(plan[0]["Plan"]) if is_whole(n)):
            found.add(sql)
    return found


def is_whole(node: dict[str, Any]) -> bool:
    return bool(node["Node Type"] == "Seq Scan")


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


def turn(desk: Desk) -> None:
    desk.service.run(desk.service.organisations.turn(desk.organisation))


def test_fifty_more_bills_are_few_more_statements(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    warmed(desk)
    counts = []
    for count in (50, 150):
        refs = approve(desk, count)
        syncing.look_at_feeds(desk.service, desk.workspace)
        with statements(monkeypatch) as seen:
            turn(desk)
        assert {desk.state_of(ref) for ref in refs} == {"in_step"}
        counts.append(len(seen))
    assert counts[0] <= 95, counts
    assert counts[1] - counts[0] <= 75, counts  # of two further batches


@pytest.fixture
def crowded(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A desk among a hundred thousand documents, whose pages are served here too."""
    monkeypatch.setattr(app, "_service", desk.service)
    warmed(desk)
    with connection.cursor() as cursor:
        many.fill(cursor, int(desk.workspace), desk.organisation, 100_000)
    return desk


def test_a_hundred_thousand_documents_are_never_read_whole(
    crowded: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither by a turn that makes bills, nor by the list of documents."""
    refs = approve(crowded, 50)
    syncing.look_at_feeds(crowded.service, crowded.workspace)
    with statements(monkeypatch) as seen:
        turn(crowded)
    assert {crowded.state_of(ref) for ref in refs} == {"in_step"}
    assert read_whole(seen) == set()
    owner = signed_in(crowded)
    for path in ("", "?page=40", "?state=withdrawn", "?project=1007"):
        with statements(monkeypatch) as seen:
            assert owner.get(f"/w/{crowded.workspace}/documents{path}").status_code == 200
        assert len(seen) <= 18, [sql[:100] for sql, _ in seen]
        # How many a workspace has is counted: of the only workspace that is the whole table.
        assert {sql for sql in read_whole(seen) if "COUNT(*)" not in sql} == set()
        assert sum("COUNT(*)" in sql for sql, _ in seen) <= 3
    assert Document.objects.count() == 100_051


def signed_in(desk: Desk) -> Client:
    """An owner of the installation in a browser."""
    user = User.objects.create_user("o", "o@example.com", is_superuser=True)
    client = Client()
    client.force_login(user)
    return client
