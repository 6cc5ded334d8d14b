"""Procore's webhooks: made once, mended whatever is wrong with them, taken down again."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from onecore.engine import hooks
from onecore.ports import RemoteError
from onecore.store.models import Grant, Hook
from tests.desk import PROJECT, Desk

BASE = "http://localhost:8000"
CHECK = hooks.CHECK_EVERY + timedelta(minutes=1)
COMPANY_TELLS = {
    ("Projects", "create"), ("Projects", "update"),
    ("Company Vendors", "create"), ("Company Vendors", "update"),
    ("Line Item Types", "create"), ("Line Item Types", "update"), ("Line Item Types", "delete"),
    ("Standard Cost Codes", "create"), ("Standard Cost Codes", "update"),
    ("Standard Cost Codes", "delete"),
}  # fmt: skip


async def tending(desk: Desk, base: str = BASE) -> int:
    ctx, remote = await desk.service.contexts.hooks_of(desk.workspace)
    return await hooks.tend(ctx, remote, base)


def tend(desk: Desk, base: str = BASE) -> int:
    """How many were seen to, in as many rounds as it takes until none is due."""
    seen = 0
    while now := desk.service.run(tending(desk, base)):
        seen += now
    return seen


def there(desk: Desk) -> dict[str, dict[str, Any]]:
    """The simulator's hooks by id."""
    found: dict[str, dict[str, Any]] = desk.procore.state()["hooks"]
    return found


@contextmanager
def changed(desk: Desk) -> Iterator[dict[str, dict[str, Any]]]:
    """The simulator's hooks, to be changed as somebody over there might."""
    state = desk.procore.state()
    yield state["hooks"]
    desk.procore.put_state(state)


def one_sound_hook_each(desk: Desk, *projects: int | None, base: str = BASE) -> None:
    """For the company (None) and each of these projects: ours, active, carrying its own secret and
    told of what we want."""
    found = there(desk).values()
    assert Counter(hook["project_id"] for hook in found) == Counter(projects)
    rows = {row.project_id: row for row in Hook.objects.filter(workspace_id=desk.workspace)}
    assert set(rows) == set(projects)
    for hook in found:
        row = rows[hook["project_id"]]
        bearer = desk.service.vault.open(row.secret, f"hook:{row.pk}")
        assert hook["status"] == "active"
        assert hook["payload_version"] == "v4.0"
        assert hook["namespace"] == "onecore"
        assert hook["destination_url"] == f"{base}/webhooks/procore/{row.name}"
        assert hook["authorization"] == f"Bearer {bearer}"
        assert (row.remote_id, row.trouble) == (hook["id"], "")
        told = {(t["resource_name"], t["event_type"]) for t in hook["triggers"]}
        if hook["project_id"] is None:
            assert told == COMPANY_TELLS
        else:
            assert ("Work Order Contracts", "update") in told
            assert not {name for name, _ in told} & {name for name, _ in COMPANY_TELLS}
    assert len({hook["authorization"] for hook in found}) == len(found)


def test_one_hook_for_the_company_and_one_per_project(desk: Desk) -> None:
    assert tend(desk) == 2
    one_sound_hook_each(desk, None, PROJECT)
    desk.procore.forget_requests()
    assert tend(desk) == 0
    assert desk.procore.requests("webhooks") == []


def test_a_new_project_gets_its_own(desk: Desk) -> None:
    tend(desk)
    new = desk.procore.do("new_project", number="P-008", name="Hilltop")["id"]
    desk.procore.do("set_project", project_id=new, permitted=True)
    desk.clock.offset += timedelta(hours=1)
    assert tend(desk) == 1
    one_sound_hook_each(desk, None, PROJECT, new)


def test_where_requisitions_are_offered_they_ring(desk: Desk) -> None:
    desk.procore.switch(webhook_requisitions=True)
    tend(desk)
    (hook,) = (h for h in there(desk).values() if h["project_id"] == PROJECT)
    assert "Requisitions" in {t["resource_name"] for t in hook["triggers"]}


def test_two_processes_at_once_make_one_each(desk: Desk) -> None:
    async def both() -> None:
        await asyncio.gather(*(tending(desk) for _ in range(4)))

    desk.service.run(both())
    tend(desk)
    one_sound_hook_each(desk, None, PROJECT)
    created = [r for r in desk.procore.requests("/webhooks/hooks") if r["method"] == "POST"]
    assert len([r for r in created if r["path"].endswith("/hooks")]) == 2


# --- what can be wrong with one ----------------------------------------------------------------

WRONG = {
    "disabled": {"status": "disabled"},
    "another address": {"destination_url": "https://elsewhere.example/webhooks/procore/x"},
    "another secret": {"authorization": "Bearer somebody's"},
    "an old payload": {"payload_version": "v2.0"},
    "no triggers": {"triggers": []},
    "too many triggers": {
        "triggers": [{"id": "77", "resource_name": "Departments", "event_type": "create"}]
    },
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_is_set_right_and_nothing_is_made_twice(desk: Desk, wrong: str) -> None:
    tend(desk)
    before = set(there(desk))
    with changed(desk) as found:
        for hook in found.values():
            hook.update(WRONG[wrong])
    assert tend(desk) == 0
    desk.clock.offset += CHECK
    assert tend(desk) == 2
    one_sound_hook_each(desk, None, PROJECT)
    replaced = wrong in ("disabled", "an old payload")
    assert (set(there(desk)) == before) is not replaced


def test_a_secret_that_is_not_told_is_left_as_it_is(desk: Desk) -> None:
    tend(desk)
    desk.clock.offset += CHECK
    for told in (None, "********"):
        with changed(desk) as found:
            for hook in found.values():
                hook["authorization"] = told
        desk.procore.forget_requests()
        desk.clock.offset += CHECK
        assert tend(desk) == 2
        assert [r["method"] for r in desk.procore.requests("webhooks")] == ["GET"] * 6


def test_one_that_was_deleted_there_is_made_anew(desk: Desk) -> None:
    tend(desk)
    with changed(desk) as found:
        found.clear()
    desk.clock.offset += CHECK
    tend(desk)
    one_sound_hook_each(desk, None, PROJECT)


def test_a_new_base_address_is_told_at_once(desk: Desk) -> None:
    tend(desk)
    before = set(there(desk))
    assert tend(desk, "https://new.example") == 2
    one_sound_hook_each(desk, None, PROJECT, base="https://new.example")
    assert set(there(desk)) == before


def test_a_secret_that_does_not_open_any_more_is_made_anew(desk: Desk) -> None:
    tend(desk)
    before = {hook["authorization"] for hook in there(desk).values()}
    Hook.objects.update(secret=b"sealed with a key that is gone")
    assert tend(desk) == 2
    one_sound_hook_each(desk, None, PROJECT)
    assert not before & {hook["authorization"] for hook in there(desk).values()}


def test_one_that_cannot_be_changed_is_replaced(desk: Desk) -> None:
    tend(desk)
    with changed(desk) as found:
        for hook in found.values():
            hook["destination_url"] = "https://elsewhere.example/"
    desk.procore.fault("status", "/webhooks/hooks/", "PATCH", status=422, times=0)
    desk.clock.offset += CHECK
    tend(desk)
    one_sound_hook_each(desk, None, PROJECT)


# --- doubles, strangers ------------------------------------------------------------------------


def test_doubles_of_ours_go_and_strangers_stay(desk: Desk) -> None:
    tend(desk)
    row = Hook.objects.get(project_id=PROJECT)
    ours = f"{BASE}/webhooks/procore/{row.name}"
    strangers = {
        "900": ("another-app", "https://else.example/hooks"),
        "901": ("another-app", ours),
        "902": ("onecore", "https://staging.example/webhooks/procore/0123456789abcdef01234567"),
        "903": ("onecore", "https://else.example/"),
    }
    doubles = {
        "910": ("onecore", ours),
        "911": ("onecore", f"https://old.example/webhooks/procore/{row.name}"),
        "912": ("onecore", f"{BASE}/webhooks/procore/forgotten"),
    }
    with changed(desk) as found:
        model = next(h for h in found.values() if h["project_id"] == PROJECT)
        for id_, (namespace, url) in (strangers | doubles).items():
            found[id_] = model | {"id": id_, "namespace": namespace, "destination_url": url}
    desk.clock.offset += CHECK
    tend(desk)
    left = there(desk)
    assert set(strangers) <= set(left)
    assert not set(doubles) & set(left)
    with changed(desk) as found:
        for id_ in strangers:
            del found[id_]
    one_sound_hook_each(desk, None, PROJECT)


# --- trouble half way --------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["lost", "status", "truncated"])
def test_whatever_request_fails_there_is_one_sound_hook_in_the_end(desk: Desk, kind: str) -> None:
    """Each request of making and of mending goes wrong in turn."""
    for skip in range(11):
        with changed(desk) as found:
            if skip % 2:
                found.clear()
                Hook.objects.all().delete()
            for hook in found.values():
                hook.update(WRONG["no triggers"] | WRONG["disabled"])
        desk.procore.fault(kind, "/webhooks/", status=500, skip=skip)
        desk.clock.offset += CHECK
        for _ in range(6):
            try:
                tend(desk)
                break
            except RemoteError:
                continue
        desk.procore.no_faults()
        desk.clock.offset += CHECK
        tend(desk)
        one_sound_hook_each(desk, None, PROJECT)


def test_a_project_whose_hooks_are_refused_says_so_and_keeps_no_other_waiting(desk: Desk) -> None:
    desk.procore.fault("status", f"/projects/{PROJECT}/webhooks", status=403, times=0)
    assert tend(desk) == 2
    assert Hook.objects.get(project_id=PROJECT).trouble == "http_403"
    assert Hook.objects.get(project_id=None).trouble == ""
    desk.procore.forget_requests()
    assert tend(desk) == 0
    desk.procore.no_faults()
    desk.clock.offset += CHECK
    tend(desk)
    one_sound_hook_each(desk, None, PROJECT)


def test_declined_triggers_are_said(desk: Desk) -> None:
    desk.procore.fault("status", "/triggers/bulk", "POST", status=207, body='{"data": {}}', times=0)
    tend(desk)
    assert set(Hook.objects.values_list("trouble", flat=True)) == {"declined"}
    desk.procore.no_faults()
    desk.clock.offset += CHECK
    tend(desk)
    one_sound_hook_each(desk, None, PROJECT)


def test_lost_access_is_noted_on_the_connection(desk: Desk) -> None:
    desk.procore.do("revoke_app")
    with pytest.raises(RemoteError):
        tend(desk)
    broken = Grant.objects.get(remote="procore").broken
    assert "onecore connect procore -w 'Test'" in broken


# --- taking down -------------------------------------------------------------------------------


def test_a_flow_that_is_off_has_no_hooks(desk: Desk) -> None:
    tend(desk)
    desk.set(flows__bill__mode="off")
    tend(desk)
    assert there(desk) == {}
    assert not Hook.objects.exists()
    desk.set(flows__bill__mode="auto")
    tend(desk)
    one_sound_hook_each(desk, None, PROJECT)


def test_a_closed_projects_hook_goes_and_one_out_of_sight_stays(desk: Desk) -> None:
    new = desk.procore.do("new_project", number="P-008", name="Hilltop")["id"]
    desk.procore.do("set_project", project_id=new, permitted=True)
    tend(desk)
    one_sound_hook_each(desk, None, PROJECT, new)
    desk.procore.do("set_project", project_id=PROJECT, permitted=False)
    desk.procore.do("set_project", project_id=new, active=False)
    desk.clock.offset += CHECK
    tend(desk)
    one_sound_hook_each(desk, None, PROJECT)


def test_what_cannot_be_taken_down_is_tried_again(desk: Desk) -> None:
    tend(desk)
    desk.set(flows__bill__mode="off")
    desk.procore.fault("status", "/webhooks/hooks/", "DELETE", status=403, times=0)
    tend(desk)
    assert Hook.objects.count() == 2
    desk.procore.no_faults()
    desk.clock.offset += CHECK
    tend(desk)
    assert there(desk) == {}
