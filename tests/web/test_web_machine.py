"""Health, figures, the bound on bodies, and pages while the database is away."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.db import OperationalError, connection
from django.test import Client

from onecore.store.models import Document, Organisation
from onecore.web.asgi import Bounded
from tests.desk import Desk
from tests.web.conftest import As


def test_well_means_200(desk: Desk) -> None:
    answer = Client().get("/health")
    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"
    assert not answer.cookies


def test_work_nobody_takes_is_told(desk: Desk) -> None:
    desk.connect()
    Organisation.objects.update(next_due_at=desk.clock.now() - timedelta(minutes=5))
    answer = Client().get("/health")
    assert answer.status_code == 503
    assert answer.json()["troubles"] == [
        "engine: work has been due for 5 minutes and no worker takes it"
    ]
    Organisation.objects.update(until=desk.clock.now() + timedelta(minutes=1))  # somebody works it
    assert Client().get("/health").status_code == 200


@pytest.fixture
def no_database(desk: Desk) -> Iterator[None]:
    """Every query fails as it does when the server is gone."""

    def refuse(*_: Any, **__: Any) -> None:
        raise OperationalError("the server said something with content in it")

    with connection.execute_wrapper(refuse):
        yield


def test_health_without_a_database(desk: Desk, no_database: None) -> None:
    answer = Client().get("/health")
    assert answer.status_code == 503
    assert answer.json()["troubles"] == ["database: OperationalError"]


def test_a_page_without_a_database_says_so(desk: Desk, signed_in: As) -> None:
    client = signed_in()

    def refuse(*_: Any, **__: Any) -> None:
        raise OperationalError("the server said something with content in it")

    with connection.execute_wrapper(refuse):
        answer = client.get(f"/w/{desk.workspace}/")
    assert answer.status_code == 503
    body = answer.content.decode()
    assert "The database does not answer" in body
    assert "something with content" not in body


def test_figures_are_for_this_machine(desk: Desk) -> None:
    desk.connect()
    answer = Client().get("/metrics")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain; version=0.0.4")
    text = answer.content.decode()
    assert "\nonecore_up 1\n" in f"\n{text}"
    assert "# TYPE onecore_hints_due gauge" in text
    assert 'onecore_calls_day{remote="procore"} ' in text


def test_figures_count_documents_by_state(desk: Desk) -> None:
    now = desk.clock.now()
    for n in range(3):
        Document.objects.create(
            workspace_id=desk.workspace, flow="bill", ref=f"requisition:7/{n}", state="held",
            since=now,
        )  # fmt: skip
    text = Client().get("/metrics").content.decode()
    assert f'onecore_documents{{workspace="{desk.workspace}",state="held"}} 3\n' in text


def test_figures_are_not_for_elsewhere(desk: Desk, signed_in: As) -> None:
    assert Client(REMOTE_ADDR="203.0.113.9").get("/metrics").status_code == 403
    forwarded = Client().get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"})
    assert forwarded.status_code == 403
    owner = signed_in("owner").get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"})
    assert owner.status_code == 200
    viewer = signed_in("viewer").get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"})
    assert viewer.status_code == 403


def test_an_unexpected_error_is_a_page_without_its_text(desk: Desk, signed_in: As) -> None:
    secret = "what a document says"
    with patch("onecore.web.views.home.verdict", side_effect=KeyError(secret)):
        answer = signed_in().get(f"/w/{desk.workspace}/")
    assert answer.status_code == 500
    assert secret not in answer.content.decode()
    assert "Something went wrong" in answer.content.decode()


# --- the bound --------------------------------------------------------------------------------


def _asked(headers: list[tuple[bytes, bytes]], parts: list[bytes]) -> tuple[int, int]:
    """The status, and how many bytes got through."""
    seen = 0
    sent: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal seen
        more = True
        while more:
            message = await receive()
            seen += len(message["body"])
            more = message["more_body"]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    left = list(parts)

    async def receive() -> Any:
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "headers": headers}
    asyncio.run(Bounded(app, longest=10)(scope, receive, send))
    return sent[0]["status"], seen


def test_a_body_is_bounded_by_what_it_says_and_by_what_it_is() -> None:
    assert _asked([], [b"12345", b"12345"]) == (200, 10)
    assert _asked([(b"content-length", b"11")], [b"12345678901"]) == (413, 0)
    assert _asked([], [b"12345", b"123456", b"1"]) == (413, 5)
