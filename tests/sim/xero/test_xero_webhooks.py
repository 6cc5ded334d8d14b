"""Webhooks as a receiver sees them: signatures, intent to receive, retries, what goes astray."""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator
from ruamel.yaml import YAML

KEY = b"sim-xero-webhook-key"


class Receiver:
    """A receiver that checks signatures, keeps good deliveries and can be told to misbehave."""

    def __init__(self) -> None:
        self.good: list[dict[str, Any]] = []
        self.bad = 0
        self.refuse = 0
        self.body = b""
        self.trusting = False
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["content-length"]))
                told = base64.b64encode(hmac.new(KEY, raw, hashlib.sha256).digest()).decode()
                right = hmac.compare_digest(told, self.headers["x-xero-signature"])
                status = receiver.met(right or receiver.trusting, json.loads(raw))
                self.send_response(status)
                self.send_header("content-length", str(len(receiver.body)))
                self.end_headers()
                self.wfile.write(receiver.body)

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/webhooks/xero"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def met(self, right: bool, payload: dict[str, Any]) -> int:
        if not right:
            self.bad += 1
            return 401
        if payload["events"] and self.refuse:
            self.refuse -= 1
            return 500
        self.good.append(payload)
        return 200

    def events(self) -> list[dict[str, Any]]:
        return [event for payload in self.good for event in payload["events"]]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.server.shutdown()
    made.server.server_close()


def wait_for(met: Callable[[], bool], seconds: float = 5) -> None:
    until = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < until, "It did not happen in time."
        time.sleep(0.01)


def hook(xero: Any) -> dict[str, Any]:
    return dict(xero.http.get("/_sim/webhooks").json()["sim-xero-client"])


def quiet(xero: Any) -> None:
    """Wait until nothing is on its way."""
    wait_for(lambda: hook(xero)["waiting"] == 0 and hook(xero)["failing"] == 0)


@pytest.fixture
def listening(xero: Any, receiver: Receiver) -> Receiver:
    answer = xero.do("webhook", url=receiver.url)
    assert answer == {"active": True, "statuses": [200, 401, 200, 401]}
    assert receiver.bad == 2
    (first, _) = receiver.good
    assert (first["events"], first["firstEventSequence"]) == ([], 0)
    receiver.good.clear()
    return receiver


def test_the_intent_to_receive_fails_for_the_trusting_the_talkative_and_the_absent(
    xero: Any, receiver: Receiver
) -> None:
    receiver.trusting = True
    assert xero.do("webhook", url=receiver.url)["active"] is False
    receiver.trusting, receiver.body = False, b"ok"
    assert xero.do("webhook", url=receiver.url)["statuses"] == [0, 0, 0, 0]
    gone = xero.do("webhook", url="http://127.0.0.1:1/")
    assert gone == {"active": False, "statuses": [0, 0, 0, 0]}


def test_events_tell_what_changed_and_no_more(xero: Any, listening: Receiver) -> None:
    contact = xero.contact("Webhook Steel")
    made = xero.put(xero.bill("10", contact_id=contact))
    wait_for(lambda: len(listening.events()) == 2)
    first, second = listening.events()
    assert (first["eventCategory"], first["eventType"]) == ("CONTACT", "CREATE")
    assert second == {
        "resourceUrl": f"https://api.xero.com/api.xro/2.0/Invoices/{made['InvoiceID']}",
        "resourceId": made["InvoiceID"],
        "tenantId": xero.tenant,
        "tenantType": "ORGANISATION",
        "eventCategory": "INVOICE",
        "eventType": "CREATE",
        "eventDateUtc": second["eventDateUtc"],
    }
    assert not second["eventDateUtc"].endswith("Z")
    xero.do("void", invoice_id=made["InvoiceID"])
    wait_for(lambda: len(listening.events()) == 3)
    assert listening.events()[2]["eventType"] == "UPDATE"
    numbers = [p["lastEventSequence"] for p in listening.good]
    assert numbers[-1] == 3


def test_deliveries_have_xeros_shape(xero: Any, listening: Receiver) -> None:
    file = Path(__file__).parents[2] / "contract" / "specs" / "xero" / "xero-webhooks.yaml"
    schema = YAML(typ="safe").load(file)["components"]["schemas"]["WebhookEvent"]
    xero.put(xero.bill("10"))
    wait_for(lambda: len(listening.events()) == 2)
    for payload in listening.good:
        OAS31Validator(schema).validate(payload)
    numbers = [(p["firstEventSequence"], p["lastEventSequence"]) for p in listening.good]
    assert (numbers[0][0], numbers[-1][1]) == (1, 2)


def test_categories_by_switch(xero: Any, listening: Receiver) -> None:
    id_ = xero.put(xero.bill("10"))["InvoiceID"]
    xero.do("pay", invoice_id=id_, amount=1)
    quiet(xero)
    assert {e["eventCategory"] for e in listening.events()} == {"CONTACT", "INVOICE"}
    xero.switch(webhook_payment=True, webhook_invoice_on_payment=False)
    listening.good.clear()
    xero.do("pay", invoice_id=id_, amount=1)
    wait_for(lambda: bool(listening.events()))
    assert [e["eventCategory"] for e in listening.events()] == ["PAYMENT"]
    listening.good.clear()
    note = xero.do("new_credit_note", contact_id=xero.contact(), status="AUTHORISED",
                   lines=[{"description": "x", "amount": "5", "account": "310"}])  # fmt: skip
    wait_for(lambda: bool(listening.events()))
    (event,) = listening.events()
    assert (event["eventCategory"], event["resourceId"]) == ("CREDITNOTE", note["CreditNoteID"])
    assert event["data"] == {"Type": "ACCPAYCREDIT", "Status": "AUTHORISED"}


def test_a_failed_delivery_is_retried_at_once_and_then_every_quarter_hour(
    xero: Any, listening: Receiver
) -> None:
    xero.clock(frozen=True)
    contact = xero.contact()
    quiet(xero)
    listening.good.clear()
    listening.refuse = 1
    made = xero.put(xero.bill("10", contact_id=contact))["InvoiceID"]
    wait_for(lambda: [e["resourceId"] for e in listening.events()] == [made])
    listening.refuse = 2
    xero.do("void", invoice_id=made)
    wait_for(lambda: listening.refuse == 0 and hook(xero)["failing"] == 1)
    assert len(listening.events()) == 1
    xero.clock(advance_seconds=901)
    wait_for(lambda: len(listening.events()) == 2)
    quiet(xero)


def test_after_a_day_of_failures_the_subscription_ends(xero: Any, listening: Receiver) -> None:
    listening.refuse = 1000
    xero.contact("Nobody Hears")
    wait_for(lambda: hook(xero)["failing"] == 1)
    xero.clock(advance_seconds=86401)
    wait_for(lambda: hook(xero)["active"] is False)


def two_bills(xero: Any, listening: Receiver) -> list[str]:
    """Ids of two bills made at once; nothing was told before."""
    contact = xero.contact()
    quiet(xero)
    listening.good.clear()
    bodies = [xero.bill("10", contact_id=contact) for _ in range(2)]
    made = xero.call("PUT", "/Invoices", body={"Invoices": bodies})["Invoices"]
    return [item["InvoiceID"] for item in made]


@pytest.mark.parametrize(
    ("fault", "more", "order"),
    [
        ("webhook_doubled", {}, [0, 1, 0]),
        ("webhook_doubled", {"times": 0}, [0, 1, 0, 1]),
        ("webhook_reordered", {}, [1, 0]),
        ("webhook_dropped", {}, [1]),
        ("webhook_dropped", {"skip": 1}, [0]),
        ("webhook_dropped", {"times": 0}, []),
        ("webhook_forged", {}, [0, 1]),
    ],
)
def test_how_events_travel(
    xero: Any, listening: Receiver, fault: str, more: dict[str, int], order: list[int]
) -> None:
    lay(xero, name=fault, endpoint="webhooks.invoice", **more)
    ids = two_bills(xero, listening)
    wait_for(lambda: len(listening.events()) == len(order) and hook(xero)["waiting"] == 0)
    assert [ids.index(e["resourceId"]) for e in listening.events()] == order
    assert hook(xero)["forged"] == ([401] if fault == "webhook_forged" else [])
    assert hook(xero)["sequence"] == 3  # the contact's and two: what was dropped leaves a gap


def lay(xero: Any, **fault: Any) -> None:
    assert xero.http.post("/_sim/faults", json=fault).status_code == 200


@pytest.mark.parametrize("fault", ["webhook_late", "webhook_reordered"])
def test_an_event_that_waits_comes_with_the_simulators_clock(
    xero: Any, listening: Receiver, fault: str
) -> None:
    xero.clock(frozen=True)
    lay(xero, name=fault, endpoint="webhooks.invoice", skip=1)
    ids = two_bills(xero, listening)
    wait_for(lambda: len(listening.events()) == 1)
    assert hook(xero)["waiting"] == 1
    xero.clock(advance_seconds=61)
    wait_for(lambda: [e["resourceId"] for e in listening.events()] == ids)


def test_attempts_may_come_more_and_more_rarely(xero: Any, listening: Receiver) -> None:
    xero.clock(frozen=True)
    xero.switch(webhook_retry="falling")
    contact = xero.contact()
    quiet(xero)
    listening.good.clear()
    listening.refuse = 4
    xero.put(xero.bill("10", contact_id=contact))
    wait_for(lambda: listening.refuse == 2)
    xero.clock(advance_seconds=901)
    wait_for(lambda: listening.refuse == 1)
    xero.clock(advance_seconds=1801)
    wait_for(lambda: listening.refuse == 0)
    xero.clock(advance_seconds=1801)
    assert hook(xero)["failing"] == 1
    xero.clock(advance_seconds=1801)
    wait_for(lambda: len(listening.events()) == 1)


def test_nothing_is_told_of_organisations_the_app_is_not_connected_to(
    xero: Any, listening: Receiver
) -> None:
    xero.do("disconnect")
    xero.do("new_contact", name="Unheard")
    xero.sign_in()
    xero.do("new_contact", name="Heard")
    wait_for(lambda: bool(listening.events()))
    assert len(listening.events()) == 1
