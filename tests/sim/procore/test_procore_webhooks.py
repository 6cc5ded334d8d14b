"""Webhooks: what is sent to whom, how, and what happens when nobody answers."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from tests.sim.procore.client import Procore


class Receiver:
    """An endpoint that keeps what it is sent and answers as it is told."""

    def __init__(self) -> None:
        self.got: list[tuple[str | None, Any]] = []
        self.status = 200
        self.pause = 0.0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                body = json.loads(self.rfile.read(length))
                receiver.got.append((self.headers.get("authorization"), body))
                time.sleep(receiver.pause)
                self.send_response(receiver.status)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        self._thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self._thread.start()

    def bodies(self) -> list[Any]:
        return [body for _, body in self.got]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


class Hooks:
    """The webhooks of the company, or of the client's project."""

    def __init__(self, procore: Procore, *, project: bool) -> None:
        self.procore = procore
        place = f"/projects/{procore.project}" if project else ""
        self.base = f"/rest/v2.0/companies/{procore.company}{place}/webhooks"

    def add(self, url: str, version: str = "v2.0") -> str:
        said = {
            "payload_version": version,
            "namespace": "onecore",
            "destination_url": url,
            "destination_headers": {"Authorization": "Bearer let-me-in"},
        }
        made = self.procore.call("POST", f"{self.base}/hooks", said, 201)
        return str(made["data"]["id"])

    def trigger(self, hook: str, resource: str, *events: str) -> None:
        said = [{"resource_name": resource, "event_type": event} for event in events]
        self.procore.call("POST", f"{self.base}/hooks/{hook}/triggers/bulk", said, 201)

    def deliveries(self, hook: str, status: str = "") -> list[Any]:
        asked = f"?filter[status]={status}" if status else ""
        rows = self.procore.get(f"{self.base}/hooks/{hook}/deliveries{asked}")["data"]
        return list(rows)

    def status(self, hook: str) -> str:
        return str(self.procore.get(f"{self.base}/hooks/{hook}")["data"]["status"])


def test_a_project_hook_hears_of_commitments(procore: Procore, receiver: Receiver) -> None:
    hooks = Hooks(procore, project=True)
    hook = hooks.add(receiver.url)
    hooks.trigger(hook, "Work Order Contracts", "create", "update")
    made, _ = procore.commitment("10.00")
    until(lambda: len(receiver.got) == 1)
    authorization, body = receiver.got[0]
    assert authorization == "Bearer let-me-in"
    assert len(body.pop("ulid")) == 26
    assert isinstance(body.pop("id"), int)
    assert body.pop("timestamp").endswith("Z")
    company, project = int(procore.company), procore.project
    assert body == {
        "metadata": {
            "source_user_id": 600002,
            "source_project_id": project,
            "source_operation_id": None,
            "source_company_id": company,
            "source_application_id": None,
        },
        "user_id": 600002,
        "company_id": company,
        "project_id": project,
        "api_version": "v2.0",
        "event_type": "create",
        "resource_name": "Work Order Contracts",
        "resource_id": made,
    }
    until(lambda: len(hooks.deliveries(hook, "succeeded")) == 1)
    (row,) = hooks.deliveries(hook)
    assert row["status"] == "delivered"
    assert row["delivery_attempts"][0]["response_status"] == 200


def test_our_own_writes_name_our_application(procore: Procore, receiver: Receiver) -> None:
    hooks = Hooks(procore, project=False)
    hooks.trigger(hooks.add(receiver.url), "Company Vendors", "create", "update")
    body = {"company_id": int(procore.company), "vendor": {"name": "Ours"}}
    procore.call("POST", "/rest/v1.0/vendors", body, 201)
    procore.do("new_vendor", name="Theirs")
    until(lambda: len(receiver.got) == 2)
    sources = {b["metadata"]["source_application_id"] is None for b in receiver.bodies()}
    assert sources == {True, False}
    assert {b["project_id"] for b in receiver.bodies()} == {None}


def test_payload_versions(procore: Procore, receiver: Receiver) -> None:
    hooks = Hooks(procore, project=False)
    for version in ("v3.0", "v4.0"):
        hooks.trigger(hooks.add(receiver.url, version), "Projects", "update")
    procore.do("set_project", name="Renamed")
    until(lambda: len(receiver.got) == 2)
    by_version = {b.get("api_version", "v4.0"): b for b in receiver.bodies()}
    assert by_version["v3.0"]["related_resources"] == []
    fourth = by_version["v4.0"]
    assert set(fourth) == {
        "id", "timestamp", "reason", "company_id", "project_id", "user_id", "resource_type",
        "resource_id",
    }  # fmt: skip
    assert fourth["reason"] == "update"
    assert fourth["resource_type"] == "Projects"
    assert fourth["resource_id"] == str(procore.project)
    assert all(isinstance(v, str) for k, v in fourth.items() if k != "project_id")


def test_claims_have_no_event(procore: Procore, receiver: Receiver) -> None:
    hooks = Hooks(procore, project=True)
    hook = hooks.add(receiver.url, "v4.0")
    names = [
        r["name"]
        for r in procore.get(f"{hooks.base}/resources?payload_version=v4.0&per_page=100")["data"]
    ]
    assert "Work Order Contracts" in names
    assert "Requisitions" not in names
    said = {"resource_name": "Requisitions", "event_type": "update"}
    path = f"{hooks.base}/hooks/{hook}/triggers"
    assert procore.raw("POST", path, said).status_code == 422
    procore.switch(webhook_requisitions=True)
    offered = procore.get(f"{hooks.base}/resources?payload_version=v4.0&per_page=100")["data"]
    assert "Requisitions" in [r["name"] for r in offered]
    procore.call("POST", path, said, 201)
    commitment, (line,) = procore.commitment("10.00")
    claim = procore.claim(commitment, [{"line_id": line, "work": "1"}])
    procore.do("approve_claim", id=claim)
    until(lambda: len(receiver.got) == 1)
    assert receiver.bodies()[0]["resource_id"] == str(claim)


def test_hooks_hear_only_their_own_level_and_project(procore: Procore, receiver: Receiver) -> None:
    of_project, of_company = Hooks(procore, project=True), Hooks(procore, project=False)
    hook = of_company.add(receiver.url)
    said = {"resource_name": "Work Order Contracts", "event_type": "create"}
    path = f"{of_company.base}/hooks/{hook}/triggers"
    assert procore.raw("POST", path, said).status_code == 422
    mine = of_project.add(receiver.url)
    of_project.trigger(mine, "Work Order Contracts", "create")
    elsewhere = f"{of_company.base}/hooks/{mine}"
    assert procore.raw("GET", elsewhere).status_code == 404
    other = procore.do("new_project", name="Second", permitted=True)["id"]
    line = {"amount": "1"}
    procore.do("new_commitment", project_id=other, vendor_id=procore.vendor(), lines=[line])
    procore.do("set_project", permitted=False)
    procore.commitment("2.00")
    procore.do("set_project", permitted=True)
    made, _ = procore.commitment("3.00")
    until(lambda: len(receiver.got) == 1)
    assert receiver.bodies()[0]["resource_id"] == made
    assert len(of_project.deliveries(mine)) == 1


def test_a_failing_hook_is_tried_again_and_at_last_given_up(
    procore: Procore, receiver: Receiver
) -> None:
    hooks = Hooks(procore, project=False)
    hook = hooks.add(receiver.url)
    hooks.trigger(hook, "Company Vendors", "create")
    receiver.status = 500
    procore.do("new_vendor", name="Waiting")
    until(lambda: len(receiver.got) >= 1)
    until(lambda: len(hooks.deliveries(hook, "retrying")) == 1)
    procore.advance(2)
    until(lambda: len(receiver.got) >= 2)
    assert receiver.bodies()[0]["ulid"] == receiver.bodies()[1]["ulid"]
    procore.advance(13 * 3600)
    procore.token = procore.grant()["access_token"]
    until(lambda: len(hooks.deliveries(hook, "discarded")) == 1)
    assert hooks.status(hook) == "disabled"
    receiver.status = 200
    count = len(receiver.got)
    procore.do("new_vendor", name="Unheard")
    said = {"status": "active"}
    procore.call("PATCH", f"{hooks.base}/hooks/{hook}", said)
    procore.do("new_vendor", name="Heard")
    until(lambda: len(receiver.got) == count + 1)
    assert len(hooks.deliveries(hook, "succeeded")) <= 1
    assert hooks.status(hook) == "active"


def test_a_slow_answer_is_a_failure(procore: Procore, receiver: Receiver) -> None:
    hooks = Hooks(procore, project=False)
    hook = hooks.add(receiver.url)
    hooks.trigger(hook, "Company Vendors", "create")
    procore.switch(webhook_timeout_ms=100)
    receiver.pause = 0.6
    procore.do("new_vendor", name="Slow")
    until(lambda: len(hooks.deliveries(hook, "retrying")) == 1)
    (row,) = hooks.deliveries(hook)
    assert row["delivery_attempts"][0]["success"] is False
    assert row["delivery_attempts"][0]["response_status"] is None
    receiver.pause = 0.0
    procore.advance(2)
    until(lambda: len(hooks.deliveries(hook, "succeeded")) == 1)


@pytest.mark.parametrize(
    ("fault", "order"),
    [
        ("webhook_doubled", [0, 0, 1]),
        ("webhook_reordered", [1, 0]),
        ("webhook_dropped", [1]),
        ("webhook_forged", [0, 0, 1]),
        ("webhook_late", [1, 0]),
    ],
)
def test_how_events_travel(
    procore: Procore, receiver: Receiver, fault: str, order: list[int]
) -> None:
    hooks = Hooks(procore, project=False)
    hook = hooks.add(receiver.url)
    hooks.trigger(hook, "Company Vendors", "create")
    answer = procore.http.post("/_sim/faults", json={"name": fault, "endpoint": "webhooks.vendors"})
    assert answer.status_code == 200
    first = procore.do("new_vendor", name="First")["id"]
    if order[0] == 0:
        until(lambda: len(receiver.got) == 2 if order[1] == 0 else 1)
    second = procore.do("new_vendor", name="Second")["id"]
    if fault == "webhook_late":
        until(lambda: len(receiver.got) == 1)
        procore.advance(61)
    until(lambda: len(receiver.got) == len(order))
    assert [[first, second].index(b["resource_id"]) for b in receiver.bodies()] == order
    assert len({b["ulid"] for b in receiver.bodies()}) == len(set(order))
    if fault == "webhook_forged":
        assert [a for a, _ in receiver.got][:2] == ["Bearer guessed", "Bearer let-me-in"]
    if fault == "webhook_dropped":
        assert len(hooks.deliveries(hook, "discarded")) == 1


def test_one_that_goes_behind_another_goes_alone_after_a_minute(
    procore: Procore, receiver: Receiver
) -> None:
    hooks = Hooks(procore, project=False)
    hooks.trigger(hooks.add(receiver.url), "Company Vendors", "create")
    procore.http.post("/_sim/faults", json={"name": "webhook_reordered"})
    procore.do("new_vendor", name="Alone")
    procore.advance(61)
    until(lambda: len(receiver.got) == 1)


def test_triggers_come_and_go(procore: Procore) -> None:
    hooks = Hooks(procore, project=True)
    hook = hooks.add("https://example.test/hook")
    triggers = f"{hooks.base}/hooks/{hook}/triggers"
    said = {"resource_name": "Cost Codes", "event_type": "create"}
    made = procore.call("POST", triggers, said, 201)["data"]
    assert made["webhook_hook_id"] == hook
    assert procore.raw("POST", triggers, said).status_code == 422
    mixed = [{"resource_name": "Cost Codes", "event_type": "update"}, said]
    partly = procore.raw("POST", f"{triggers}/bulk", mixed)
    assert partly.status_code == 207
    assert len(partly.json()["data"]["succeeded"]) == 1
    rows = procore.get(triggers)["data"]
    assert [r["event_type"] for r in rows] == ["create", "update"]
    procore.call("DELETE", f"{triggers}/{rows[0]['id']}", status=204)
    gone = procore.call("DELETE", f"{triggers}/bulk", [rows[1]["id"]])
    assert gone["data"]["succeeded"] == [rows[1]["id"]]
    assert procore.raw("DELETE", f"{triggers}/bulk", ["9"]).status_code == 207
    assert procore.get(triggers)["data"] == []
    assert procore.get(f"{hooks.base}/hooks?namespace=onecore")["data"][0]["trigger_count"] == 0
    assert procore.get(f"{hooks.base}/hooks?namespace=other")["data"] == []
    procore.call("DELETE", f"{hooks.base}/hooks/{hook}", status=204)
    assert procore.raw("GET", f"{hooks.base}/hooks/{hook}").status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"payload_version": "v1"},
        {"namespace": "One Core"},
        {"destination_url": "http://example.test/hook"},
        {"destination_url": ""},
    ],
)
def test_a_wrong_hook_is_refused(procore: Procore, wrong: dict[str, str]) -> None:
    hooks = Hooks(procore, project=False)
    good = {"payload_version": "v4.0", "namespace": "onecore", "destination_url": "https://a.test"}
    answer = procore.raw("POST", f"{hooks.base}/hooks", good | wrong)
    assert answer.status_code in (400, 422)
    assert procore.get(f"{hooks.base}/hooks")["data"] == []


def test_a_new_cost_code_is_told_at_both_levels(procore: Procore, receiver: Receiver) -> None:
    of_project, of_company = Hooks(procore, project=True), Hooks(procore, project=False)
    of_project.trigger(of_project.add(receiver.url), "Cost Codes", "create")
    of_company.trigger(of_company.add(receiver.url), "Standard Cost Codes", "create")
    made = procore.do("new_cost_code", code="99-100", name="Sundries")["id"]
    until(lambda: len(receiver.got) == 2)
    told = {b["resource_name"]: b["resource_id"] for b in receiver.bodies()}
    codes = procore.get(f"/rest/v1.0/cost_codes?project_id={procore.project}")
    assert told["Standard Cost Codes"] == made
    assert codes[-1]["standard_cost_code_id"] == made
    assert told["Cost Codes"] == codes[-1]["id"]


def test_a_company_hook_may_hear_of_projects_too(procore: Procore, receiver: Receiver) -> None:
    procore.switch(webhook_company_hook_sees_projects=True)
    hooks = Hooks(procore, project=False)
    hooks.trigger(hooks.add(receiver.url), "Work Order Contracts", "create")
    made, _ = procore.commitment("10.00")
    until(lambda: len(receiver.got) == 1)
    assert receiver.bodies()[0]["resource_id"] == made


def test_events_of_hidden_projects_may_be_sent(procore: Procore, receiver: Receiver) -> None:
    hooks = Hooks(procore, project=True)
    hooks.trigger(hooks.add(receiver.url), "Work Order Contracts", "create")
    procore.do("set_project", permitted=False)
    procore.switch(webhook_hidden_projects=True)
    made, _ = procore.commitment("10.00")
    until(lambda: len(receiver.got) == 1)
    assert receiver.bodies()[0]["resource_id"] == made


def test_a_hook_nobody_answers_is_tried_again(procore: Procore, receiver: Receiver) -> None:
    hooks = Hooks(procore, project=False)
    dead = Receiver()
    dead.close()
    hook = hooks.add(dead.url)
    hooks.trigger(hook, "Company Vendors", "create")
    procore.do("new_vendor", name="Somebody")
    until(lambda: len(hooks.deliveries(hook, "retrying")) == 1)
    attempt = hooks.deliveries(hook)[0]["delivery_attempts"][0]
    assert (attempt["success"], attempt["response_status"]) == (False, None)
    said = {"destination_url": receiver.url}
    procore.call("PATCH", f"{hooks.base}/hooks/{hook}", said)
    procore.advance(5)
    until(lambda: len(receiver.got) == 1)
