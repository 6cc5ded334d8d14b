"""Signatures over the very bytes, and events of kinds we do not know yet."""

import base64
import hashlib
import hmac
import json
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onecore.xero.webhook import BadDelivery, events, signature_ok

KEY = "webhook-key"
TENANT, THING = str(UUID(int=1)), str(UUID(int=2))
EVENT = {
    "resourceUrl": "https://api.xero.com/api.xro/2.0/Invoices/x",
    "resourceId": THING,
    "eventDateUtc": "2026-03-31T00:00:00",
    "eventType": "UPDATE",
    "eventCategory": "INVOICE",
    "tenantId": TENANT,
    "tenantType": "ORGANISATION",
}


def signed(raw: bytes, key: str = KEY) -> str:
    return base64.b64encode(hmac.new(key.encode(), raw, hashlib.sha256).digest()).decode()


def delivery(*told: object) -> bytes:
    body = {"events": list(told), "firstEventSequence": 1, "lastEventSequence": 1, "entropy": "x"}
    return json.dumps(body).encode()


@given(st.binary(max_size=300))
def test_a_signature_is_of_these_very_bytes(raw: bytes) -> None:
    assert signature_ok(raw, signed(raw), [KEY])
    assert not signature_ok(raw + b" ", signed(raw), [KEY])
    assert not signature_ok(raw, signed(raw, "other"), [KEY])


@pytest.mark.parametrize("header", ["", "x", "é", signed(b"{}")[:-1], signed(b"{}").lower()])
def test_other_headers_are_refused(header: str) -> None:
    assert not signature_ok(b"{}", header, [KEY])


def test_a_key_that_is_being_replaced_still_fits() -> None:
    assert signature_ok(b"{}", signed(b"{}", "new"), ["new", "old"])
    assert signature_ok(b"{}", signed(b"{}", "old"), ["new", "old"])
    assert not signature_ok(b"{}", signed(b"{}", "older"), ["new", "old"])


def test_an_empty_key_proves_nothing() -> None:
    assert not signature_ok(b"{}", signed(b"{}", ""), [""])
    assert not signature_ok(b"{}", signed(b"{}", ""), [])


def test_re_encoded_json_does_not_fit() -> None:
    raw = b'{"events": [ ]}'
    assert not signature_ok(json.dumps(json.loads(raw)).encode(), signed(raw), [KEY])


def test_events_of_known_and_unknown_categories() -> None:
    new = {**EVENT, "eventCategory": "SOMETHINGNEW", "eventType": "MERGE", "data": {"x": [1]}}
    first, second = events(delivery(EVENT, new))
    assert (first.organisation, first.resource_id) == (UUID(int=1), UUID(int=2))
    assert (first.category, first.event_type) == ("INVOICE", "UPDATE")
    assert (second.category, second.event_type) == ("SOMETHINGNEW", "MERGE")


def test_an_intent_to_receive_has_no_events() -> None:
    assert events(delivery()) == ()
    assert events(b'{"events": null}') == ()


def test_events_that_concern_no_organisation_are_left_out() -> None:
    app = {**EVENT, "tenantType": "APPLICATION", "eventCategory": "SUBSCRIPTION"}
    bad = {**EVENT, "resourceId": "no uuid"}
    assert len(events(delivery(app, bad, EVENT, {**EVENT, "tenantId": None}))) == 1


@pytest.mark.parametrize("raw", [b"", b"<xml/>", b"[]", b'{"events": "x"}'])
def test_what_is_no_delivery_says_so(raw: bytes) -> None:
    with pytest.raises(BadDelivery):
        events(raw)
