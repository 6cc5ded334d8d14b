"""Deliveries of all three payload versions."""

import json

import pytest

from onecore.procore.webhook import BadEvent, ProcoreEvent, event

V2 = {
    "id": 101,
    "ulid": "01H0000000000000000000026C",
    "timestamp": "2026-02-06T23:34:12.246562Z",
    "metadata": {"source_user_id": 5, "source_project_id": 7, "source_company_id": 9},
    "user_id": 5,
    "company_id": 9,
    "project_id": 7,
    "api_version": "v2.0",
    "event_type": "update",
    "resource_name": "Work Order Contracts",
    "resource_id": 55,
}
V3 = {**V2, "api_version": "v3.0", "related_resources": [{"id": 3, "name": "Direct Costs"}]}
V4 = {
    "id": "01J00000000000000000000000",
    "timestamp": "2026-02-06T23:34:12Z",
    "reason": "update",
    "company_id": "9",
    "project_id": "7",
    "user_id": "5",
    "resource_type": "Work Order Contracts",
    "resource_id": "55",
    "data": {"anything": ["new"]},
}


@pytest.mark.parametrize(("payload", "name"), [(V2, V2["ulid"]), (V3, V2["ulid"]), (V4, V4["id"])])
def test_every_version_says_the_same(payload: dict[str, object], name: str) -> None:
    got = event(json.dumps(payload).encode())
    assert (got.company, got.project, got.resource, got.id, got.reason) == (
        9, 7, "Work Order Contracts", "55", "update",
    )  # fmt: skip
    assert got.event_id == name


def test_company_events_name_no_project() -> None:
    for nothing in (None, ""):
        got = event(json.dumps({**V4, "project_id": nothing, "reason": "merged"}).encode())
        assert isinstance(got, ProcoreEvent)
        assert (got.project, got.reason) == (None, "merged")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b"{}",
        json.dumps({**V4, "company_id": None}).encode(),
        json.dumps({**V4, "resource_id": None}).encode(),
        json.dumps({**V4, "company_id": "secret words"}).encode(),
    ],
)
def test_what_is_no_event_says_so_without_repeating_it(body: bytes) -> None:
    with pytest.raises(BadEvent) as caught:
        event(body)
    assert "secret" not in str(caught.value)
