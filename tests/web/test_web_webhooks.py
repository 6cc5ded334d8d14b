"""Deliveries of both remotes: checked, noted, answered; forged ones leave no trace."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from onecore import environment
from onecore.store.models import Feed, Hint, Hook, Organisation, ReferenceList
from tests.desk import PROJECT, Desk

KEY = "sim-xero-webhook-key"
PAST = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _settings(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "_settings", desk.service.settings)


def signed(body: bytes, key: str = KEY) -> str:
    return base64.b64encode(hmac.new(key.encode(), body, hashlib.sha256).digest()).decode()


def deliver(body: bytes, signature: str) -> HttpResponse:
    answer = Client(enforce_csrf_checks=True).post(
        "/webhooks/xero",
        body,
        content_type="application/json",
        headers={"x-xero-signature": signature},
    )
    assert isinstance(answer, HttpResponse)
    assert answer.content == b""
    assert not answer.cookies
    return answer


def event(desk: Desk, category: str, resource: object) -> dict[str, Any]:
    return {
        "tenantId": str(desk.organisation),
        "tenantType": "ORGANISATION",
        "resourceId": str(resource),
        "eventCategory": category,
        "eventType": "UPDATE",
        "eventDateUtc": "2026-07-01T00:00:00",
    }


def body_of(*events: dict[str, Any]) -> bytes:
    return json.dumps({"events": list(events), "entropy": "S0m3r4nd0mt3xt"}).encode()


def test_the_intent_to_receive_is_answered(desk: Desk) -> None:
    body = body_of()
    assert deliver(body, signed(body)).status_code == 200
    assert deliver(body, signed(body, "another key")).status_code == 401
    assert deliver(body, "").status_code == 401


def test_one_changed_byte_is_a_forgery(desk: Desk) -> None:
    body = body_of()
    assert deliver(body + b" ", signed(body)).status_code == 401


def test_without_a_key_nothing_is_genuine(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    keyless = replace(desk.service.settings, xero_webhook_key=None)
    monkeypatch.setattr(environment, "_settings", keyless)
    body = body_of()
    assert deliver(body, signed(body, "")).status_code == 401


def test_a_bill_of_ours_is_looked_at_again(desk: Desk) -> None:
    desk.connect()
    desk.map_all()
    ref = desk.claim("1000.00")
    desk.sync()
    bill = desk.links(ref)[0].target_id
    assert not Hint.objects.exists()
    body = body_of(event(desk, "INVOICE", bill))
    with CaptureQueriesContext(connection) as queries:
        assert deliver(body, signed(body)).status_code == 200
    assert [hint.ref for hint in Hint.objects.all()] == [str(ref)]
    organisation = Organisation.objects.get()
    assert organisation.bills_read_at is None
    assert organisation.next_due_at is not None
    assert organisation.next_due_at <= desk.clock.now()
    assert len(queries) <= 14


def test_a_bill_of_others_makes_the_sweep_due_and_no_hint(desk: Desk) -> None:
    desk.connect()
    desk.map_all()
    desk.sync()
    assert Organisation.objects.get().bills_read_at is not None
    body = body_of(event(desk, "INVOICE", uuid4()))
    assert deliver(body, signed(body)).status_code == 200
    assert Organisation.objects.get().bills_read_at is None
    assert not Hint.objects.exists()


def test_a_contact_makes_its_list_stale(desk: Desk) -> None:
    desk.connect()
    desk.map_all()
    assert ReferenceList.objects.get(kind="contacts").fetched_at > PAST
    body = body_of(event(desk, "CONTACT", uuid4()))
    assert deliver(body, signed(body)).status_code == 200
    assert ReferenceList.objects.get(kind="contacts").fetched_at == PAST


def test_a_stale_list_is_read_again(desk: Desk) -> None:
    desk.connect()
    desk.map_all()
    desk.xero.forget_requests()
    body = body_of(event(desk, "CONTACT", uuid4()))
    deliver(body, signed(body))
    ctx = desk.service.run(desk.service.context(desk.workspace))
    desk.service.run(ctx.books[desk.organisation].lists.contacts())
    assert len(desk.xero.requests("/Contacts")) == 1


def test_organisations_of_others_are_left_alone(desk: Desk) -> None:
    desk.connect()
    desk.map_all()
    desk.sync()
    before = Organisation.objects.get().bills_read_at
    stranger = event(desk, "INVOICE", uuid4()) | {"tenantId": str(uuid4())}
    body = body_of(stranger)
    assert deliver(body, signed(body)).status_code == 200
    assert Organisation.objects.get().bills_read_at == before


def test_what_cannot_be_read_is_taken_all_the_same(desk: Desk) -> None:
    for body in (b"{", b"[]", b'{"events": [{"tenantId": 5}, 7]}', b"\xff"):
        assert deliver(body, signed(body)).status_code == 200
        assert deliver(body, "forged").status_code == 401


def test_too_much_is_refused_unread(desk: Desk) -> None:
    body = b" " * 1_000_001
    assert deliver(body, signed(body)).status_code == 413


def test_only_posts_are_taken(desk: Desk) -> None:
    assert Client().get("/webhooks/xero").status_code == 405
    assert Client().get("/webhooks/procore/h1").status_code == 405


# --- Procore ----------------------------------------------------------------------------------


def hook(desk: Desk, bearer: str = "the hook's own bearer") -> Hook:
    row = Hook.objects.create(
        workspace_id=desk.workspace, name="h1", secret=b"", created_at=desk.clock.now()
    )
    row.secret = desk.service.vault.seal(bearer, f"hook:{row.pk}")
    row.save()
    return row


def ring(body: Any, bearer: str = "the hook's own bearer", name: str = "h1") -> int:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = Client(enforce_csrf_checks=True).post(
        f"/webhooks/procore/{name}",
        raw,
        content_type="application/json",
        headers={"Authorization": f"Bearer {bearer}"},
    )
    assert answer.content == b""
    assert not answer.cookies
    return int(answer.status_code)


def told(desk: Desk, resource: str, id_: int = 31, **more: Any) -> dict[str, Any]:
    return {
        "company_id": desk.company,
        "project_id": PROJECT,
        "resource_name": resource,
        "resource_id": id_,
        "event_type": "update",
        **more,
    }


def test_a_wrong_bearer_and_an_unknown_hook_look_the_same(desk: Desk) -> None:
    hook(desk)
    assert ring({}, "wrong") == 401
    assert ring({}, "", "h1") == 401
    assert ring({}, name="nobody") == 401


@pytest.mark.parametrize(
    ("resource", "kind"),
    [
        ("Commitments", "commitments"),
        ("Purchase Order Contracts", "commitments"),
        ("Commitment Change Orders", "commitments"),
        ("Vendors", "vendors"),
        ("Projects", "projects"),
        ("Cost Codes", "cost_codes"),
    ],
)
def test_a_change_makes_its_list_stale_and_its_feed_due(
    desk: Desk, resource: str, kind: str
) -> None:
    desk.connect()
    desk.map_all()
    desk.claim("1000.00")
    desk.sync()
    hook(desk)
    later = desk.clock.now().replace(year=2040)
    Feed.objects.update(next_due_at=later)
    Organisation.objects.update(next_due_at=later)
    assert ring(told(desk, resource)) == 200
    assert {row.fetched_at for row in ReferenceList.objects.filter(kind=kind)} == {PAST}
    assert Feed.objects.get(kind="requisitions").next_due_at <= desk.clock.now()
    organisation = Organisation.objects.get()
    assert organisation.next_due_at is not None
    assert organisation.next_due_at <= desk.clock.now()


def test_a_claim_that_rings_is_looked_at(desk: Desk) -> None:
    desk.connect()
    desk.map_all()
    hook(desk)
    assert ring(told(desk, "Requisitions", 55)) == 200
    assert [hint.ref for hint in Hint.objects.all()] == [f"requisition:{PROJECT}/55"]


def test_another_company_is_not_ours(desk: Desk) -> None:
    desk.connect()
    desk.map_all()
    hook(desk)
    assert ring(told(desk, "Requisitions", 55, company_id=999)) == 200
    assert not Hint.objects.exists()


def test_a_delivery_that_says_nothing_is_taken(desk: Desk) -> None:
    hook(desk)
    assert ring(b"{") == 200
    assert ring({"company_id": 1}) == 200
    assert ring(b"x" * 1_000_001) == 413
