"""Deliveries of both remotes over real HTTP: checked, kept, answered; forged ones cost nothing."""

import base64
import hashlib
import hmac
import json
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from django.db import OperationalError, connection, transaction

from onecore import environment
from onecore.engine import bells
from onecore.engine.use import doorbells
from onecore.store import bells as stored
from onecore.store.models import Bell, Feed, Hint, Hook, Organisation, ReferenceList
from onecore.sync.ringing import AT_ONCE, EVERY
from onecore.web import doorbells as intake
from tests.desk import PROJECT, Desk
from tests.engine.test_hooks import tend
from tests.serving import Serving, eventually
from tests.simulators import Simulator

KEY = "sim-xero-webhook-key"
DEEP = b"[" * 100_000
HUGE = b'{"events": [], "x": "", "y": 1e99999999999999999999}'
PAST = datetime(1970, 1, 1, tzinfo=UTC)
Post = Callable[..., httpx2.Response]


@pytest.fixture
def post(served: Serving) -> Iterator[Post]:
    """Sends a delivery; whatever it was, its answer has no body and sets no cookie [X 9]."""
    with httpx2.Client(base_url=served.url, trust_env=False, timeout=20) as http:

        def send(path: str, body: bytes, **headers: str) -> httpx2.Response:
            named = {k.replace("_", "-"): v.encode("latin-1") for k, v in headers.items()}
            answer = http.post(path, content=body, headers=named)
            assert answer.content == b""
            assert "set-cookie" not in answer.headers
            return answer

        yield send


@pytest.fixture
def ready(desk: Desk) -> Desk:
    """Connected, mapped, read once."""
    desk.connect()
    desk.map_all()
    desk.sync()
    return desk


def signed(body: bytes, key: str = KEY) -> str:
    return base64.b64encode(hmac.new(key.encode(), body, hashlib.sha256).digest()).decode()


def from_xero(post: Post, body: bytes, signature: str | None = None) -> int:
    signature = signed(body) if signature is None else signature
    return post("/webhooks/xero", body, x_xero_signature=signature).status_code


def event(desk: Desk, category: str, resource: object) -> dict[str, Any]:
    return {
        "tenantId": str(desk.organisation),
        "tenantType": "ORGANISATION",
        "resourceId": str(resource),
        "eventCategory": category,
        "eventType": "UPDATE",
        "eventDateUtc": "2020-07-01T00:00:00",  # old: a delivery may come late, or again
    }


def body_of(*events: dict[str, Any]) -> bytes:
    return json.dumps({"events": list(events), "entropy": "S0m3r4nd0mt3xt"}).encode()


def answer(desk: Desk) -> int:
    return bells.answer(desk.clock.now())


def kept() -> Counter[str]:
    return Counter(Bell.objects.values_list("kind", flat=True))


# --- Xero: is it genuine -----------------------------------------------------------------------


def test_xeros_own_intent_to_receive_succeeds(desk: Desk, served: Serving) -> None:
    told = desk.xero.do("webhook", url=f"{served.url}/webhooks/xero", key=KEY)
    assert told == {"active": True, "statuses": [200, 401, 200, 401]}
    told = desk.xero.do("webhook", url=f"{served.url}/webhooks/xero", key="another")
    assert not told["active"]


def test_one_changed_byte_is_a_forgery(post: Post) -> None:
    body = body_of()
    assert from_xero(post, body) == 200
    assert from_xero(post, body + b" ", signed(body)) == 401
    for wrong in ("", "x", signed(body)[:-1], signed(body, "another key"), "é" * 44):
        assert from_xero(post, body, wrong) == 401


def test_while_a_key_is_replaced_both_fit(
    desk: Desk, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = body_of()
    for keys, statuses in {
        (): (401, 401),
        ("new",): (200, 401),
        ("new", "old"): (200, 200),
    }.items():
        settings = replace(desk.service.settings, xero_webhook_keys=keys)
        monkeypatch.setattr(environment, "_settings", settings)
        told = (from_xero(post, body, signed(body, key)) for key in ("new", "old"))
        assert tuple(told) == statuses
    assert from_xero(post, body, signed(body, "")) == 401


def test_what_cannot_be_read_is_taken_if_it_is_signed(post: Post) -> None:
    for body in (b"", b"{", b"[]", b'{"events": [{"tenantId": 5}, 7]}', b"\xff", DEEP, HUGE):
        assert from_xero(post, body) == 200
        assert from_xero(post, body, signed(b"forged")) == 401
    assert not Bell.objects.exists()


def test_forged_deliveries_ask_the_database_nothing(
    desk: Desk, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every step of intake in the database is counted, and there is none."""
    steps: list[object] = []
    step = doorbells.Intake._step

    async def counted(self: doorbells.Intake, fn: Callable[[], Any]) -> Any:
        steps.append(fn)
        return await step(self, fn)

    monkeypatch.setattr(doorbells.Intake, "_step", counted)
    body = body_of({"tenantId": str(uuid4())})
    for _ in range(50):
        assert from_xero(post, body, signed(body, "another key")) == 401
    assert steps == []
    bearer = {"Authorization": "Bearer forged"}
    for _ in range(50):
        assert post("/webhooks/procore/nobody", b"{}", **bearer).status_code == 401
    assert 1 <= len(steps) <= 5  # one look a second at most for hooks that are new
    assert not Bell.objects.exists()


# --- how much, how long, how ------------------------------------------------------------------


def test_too_much_is_refused_before_it_is_read(served: Serving, desk: Desk) -> None:
    hook(desk)
    told = raw_exchange(served, "/webhooks/xero", f"x-xero-signature: {signed(b'')}", 1_000_001)
    assert told.startswith("HTTP/1.1 413 ")
    told = raw_exchange(served, "/webhooks/procore/h1", f"authorization: Bearer {BEARER}", 10**9)
    assert told.startswith("HTTP/1.1 413 ")


def test_who_is_not_known_is_refused_before_the_body_is_read(served: Serving) -> None:
    told = raw_exchange(served, "/webhooks/procore/h1", "authorization: Bearer x", 900_000)
    assert told.startswith("HTTP/1.1 401 ")
    told = raw_exchange(served, "/webhooks/xero", "x-xero-signature: short", 900_000)
    assert told.startswith("HTTP/1.1 401 ")
    assert "connection: close" in told


def raw_exchange(served: Serving, path: str, header: str, length: int) -> str:
    """What is answered to a request whose body never comes."""
    port = int(served.url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as there:
        there.sendall(
            f"POST {path} HTTP/1.1\r\nhost: localhost\r\n{header}\r\n"
            f"content-length: {length}\r\n\r\n".encode("latin-1")
        )
        return there.recv(4096).decode()


def test_a_body_of_no_told_length_is_read_only_so_far(post: Post, served: Serving) -> None:
    def parts() -> Iterator[bytes]:
        for _ in range(40):
            yield b" " * 50_000

    signature = {"x-xero-signature": signed(b"")}
    with httpx2.Client(trust_env=False) as http:
        try:
            told = http.post(f"{served.url}/webhooks/xero", content=parts(), headers=signature)
            assert told.status_code == 413
        except httpx2.HTTPError:  # the connection was closed on what was still being sent
            pass
    assert from_xero(post, body_of()) == 200


def test_a_body_that_never_ends_is_not_waited_for(
    served: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "READ_WITHIN", 0.2)
    told = raw_exchange(served, "/webhooks/xero", f"x-xero-signature: {signed(b'')}", 100)
    assert told.startswith("HTTP/1.1 408 ")


def test_bodies_held_at_one_time_are_bounded(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "MOST_HELD", 1000)
    assert from_xero(post, b" " * 1001) == 503
    assert from_xero(post, b" " * 900) == 200


def test_only_posts_are_taken(served: Serving) -> None:
    with httpx2.Client(base_url=served.url, trust_env=False) as http:
        for path in ("/webhooks/xero", "/webhooks/procore/h1"):
            for method in ("GET", "HEAD", "PUT", "DELETE", "OPTIONS"):
                told = http.request(method, path)
                assert (told.status_code, told.headers["allow"]) == (405, "POST")
                assert told.content == b""
        assert http.post("/webhooks/else").status_code == 404
        assert http.post("/webhooks/procore/a/b").status_code == 404


def test_while_the_database_is_away_a_hook_is_asked_to_come_again(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_: object) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(doorbells, "doors", away)
    assert from_procore(post, {}) == 503
    assert from_xero(post, body_of()) == 200


def test_what_cannot_be_kept_is_refused_so_that_it_is_sent_again(
    ready: Desk, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doorbells, "PATIENCE", 0.3)
    body = body_of(event(ready, "INVOICE", uuid4()))
    with transaction.atomic():
        connection.cursor().execute("LOCK TABLE store_bell IN ACCESS EXCLUSIVE MODE")
        assert from_xero(post, body) == 503
        assert from_xero(post, body_of()) == 200  # what says nothing needs no database
    assert from_xero(post, body) == 200
    assert kept() == {"bills": 1}


def test_more_than_can_be_held_is_refused(
    ready: Desk, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doorbells, "MOST_WAITING", 3)
    assert from_xero(post, body_of(*(event(ready, "INVOICE", uuid4()) for _ in range(5)))) == 503
    assert from_xero(post, body_of(event(ready, "INVOICE", uuid4()))) == 200


# --- Xero: what follows -----------------------------------------------------------------------


def test_a_bill_of_ours_is_looked_at_again(ready: Desk, post: Post) -> None:
    ref = ready.claim("1000.00")
    ready.sync()
    bill = ready.links(ref)[0].target_id
    assert not Hint.objects.exists()
    assert from_xero(post, body_of(event(ready, "INVOICE", bill))) == 200
    assert kept() == {"bills": 1, "bill": 1}
    assert not Hint.objects.exists()
    assert answer(ready) == 2
    assert [hint.ref for hint in Hint.objects.all()] == [str(ref)]
    organisation = Organisation.objects.get()
    assert organisation.bills_wanted_at is not None
    assert organisation.rung_at is not None
    assert organisation.next_due_at is not None
    assert organisation.next_due_at <= ready.clock.now()
    assert answer(ready) == 0
    ready.sync()
    assert Organisation.objects.get().bills_wanted_at is None
    assert not Hint.objects.exists()


def test_a_bill_of_others_is_read_and_leaves_one_row_for_all_of_them(
    ready: Desk, post: Post
) -> None:
    events = [event(ready, "INVOICE", uuid4()) for _ in range(300)]
    assert from_xero(post, body_of(*events)) == 200
    assert kept() == {"bills": 1}
    ready.xero.forget_requests()
    answer(ready)
    assert not Hint.objects.exists()
    ready.sync()
    assert len(ready.xero.requests("/Invoices")) == 1


def test_a_contact_makes_its_list_stale(ready: Desk, post: Post) -> None:
    assert ReferenceList.objects.get(kind="contacts").fetched_at > PAST
    ready.xero.forget_requests()
    assert from_xero(post, body_of(event(ready, "CONTACT", uuid4()))) == 200
    answer(ready)
    assert ReferenceList.objects.get(kind="contacts").fetched_at == PAST
    ctx = ready.service.run(ready.service.context(ready.workspace))
    ready.service.run(ctx.books[ready.organisation].lists.contacts())
    assert len(ready.xero.requests("/Contacts")) == 1


def test_organisations_and_categories_we_do_not_know_leave_nothing(ready: Desk, post: Post) -> None:
    stranger = event(ready, "INVOICE", uuid4()) | {"tenantId": str(uuid4())}
    new = event(ready, "SOMETHINGNEW", uuid4())
    assert from_xero(post, body_of(stranger, new)) == 200
    assert not Bell.objects.exists()


# --- replay, flood ----------------------------------------------------------------------------


def test_a_delivery_sent_a_hundred_times_is_one_look(ready: Desk, post: Post) -> None:
    ref = ready.claim("1000.00")
    ready.sync()
    body = body_of(event(ready, "INVOICE", ready.links(ref)[0].target_id))
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: from_xero(post, body), range(100))) == {200}
    assert kept() == {"bills": 1, "bill": 1}
    answer(ready)
    assert Hint.objects.count() == 1


def test_a_replay_that_never_stops_costs_as_many_calls_as_sweeps_do(
    ready: Desk, post: Post
) -> None:
    ref = ready.claim("1000.00")
    ready.sync()
    body = body_of(event(ready, "INVOICE", ready.links(ref)[0].target_id))
    ready.xero.forget_requests()
    ready.procore.forget_requests()
    answered = 0
    for _ in range(40):
        assert from_xero(post, body) == 200
        answered += answer(ready) > 0
        ready.clock.offset += timedelta(seconds=1)
    assert answered == AT_ONCE
    ready.sync()
    assert len(ready.xero.requests("/Invoices")) <= AT_ONCE * 2
    ready.clock.offset += EVERY
    assert answer(ready) == 2  # what rang meanwhile has not been forgotten
    ready.clock.offset += EVERY * (AT_ONCE + 1)
    from_xero(post, body)
    assert answer(ready) == 2
    ready.clock.offset += EVERY * (AT_ONCE + 1)
    answer(ready)
    assert not Bell.objects.exists()


def test_what_rings_while_it_is_answered_is_answered_again(ready: Desk, post: Post) -> None:
    body = body_of(event(ready, "INVOICE", uuid4()))
    from_xero(post, body)
    with transaction.atomic():
        due = stored.due(ready.clock.now(), 10)
        assert from_xero(post, body) == 200
        stored.answered(due, ready.clock.now())
    assert answer(ready) == 1
    assert answer(ready) == 0


def test_a_flood_about_one_organisation_keeps_no_other_waiting(ready: Desk, post: Post) -> None:
    """Whatever one rings for, the others' rows are not touched, and there is one row for it."""
    with ThreadPoolExecutor(8) as pool:
        bodies = [body_of(event(ready, "INVOICE", uuid4())) for _ in range(400)]
        assert set(pool.map(lambda body: from_xero(post, body), bodies)) == {200}
    assert Bell.objects.count() == 1
    person = ready.claim("1000.00")
    answer(ready)
    assert ready.sync().idle
    assert ready.state_of(person) == "in_step"


# --- Procore ----------------------------------------------------------------------------------

BEARER = "the hook's own bearer"


def hook(desk: Desk, name: str = "h1", project: int | None = None, bearer: str = BEARER) -> Hook:
    row = Hook.objects.create(
        workspace_id=desk.workspace,
        name=name,
        project_id=project,
        secret=b"",
        created_at=desk.clock.now(),
    )
    row.secret = desk.service.vault.seal(bearer, f"hook:{row.pk}")
    row.save()
    return row


def from_procore(post: Post, body: Any, bearer: str = BEARER, name: str = "h1") -> int:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    told = post(f"/webhooks/procore/{name}", raw, authorization=f"Bearer {bearer}")
    return told.status_code


def told(desk: Desk, resource: str, id_: int = 31, **more: Any) -> dict[str, Any]:
    return {
        "company_id": desk.company,
        "project_id": PROJECT,
        "resource_name": resource,
        "resource_id": id_,
        "event_type": "update",
        **more,
    }


def test_a_wrong_bearer_and_an_unknown_hook_look_the_same(desk: Desk, post: Post) -> None:
    hook(desk)
    hook(desk, "h2", project=PROJECT, bearer="another")

    def seen(name: str, bearer: str) -> tuple[int, dict[str, str]]:
        answer = post(f"/webhooks/procore/{name}", b"{}", authorization=f"Bearer {bearer}")
        return answer.status_code, {k: v for k, v in answer.headers.items() if k != "date"}

    wrong = seen("h1", "wrong")
    assert wrong[0] == 401
    assert seen("nobody", "wrong") == seen("nobody", BEARER) == seen("h1", "x") == wrong
    assert seen("h2", BEARER) == wrong  # each hook has its own
    assert seen("h1", BEARER)[0] == 200
    for header in ("", BEARER, f"bearer {BEARER}", f"Basic {BEARER}", f"Bearer {BEARER}x"):
        answer = post("/webhooks/procore/h1", b"{}", authorization=header)
        assert answer.status_code == 401


def test_a_hook_made_a_moment_ago_elsewhere_is_known(
    ready: Desk, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert from_procore(post, {}) == 401
    hook(ready)
    monkeypatch.setattr(doorbells, "LOOK_AGAIN", 0.0)
    assert from_procore(post, {}) == 200
    Hook.objects.all().delete()
    monkeypatch.setattr(doorbells, "REFRESH", 0.0)
    assert from_procore(post, {}) == 401


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
    ready: Desk, post: Post, resource: str, kind: str
) -> None:
    row = hook(ready)
    ready.claim("1000.00")
    ready.sync()
    later = ready.clock.now().replace(year=2040)
    Feed.objects.update(next_due_at=later)
    Organisation.objects.update(next_due_at=later)
    assert from_procore(post, told(ready, resource)) == 200
    answer(ready)
    assert {one.fetched_at for one in ReferenceList.objects.filter(kind=kind)} == {PAST}
    assert Feed.objects.get(kind="requisitions").next_due_at <= ready.clock.now()
    organisation = Organisation.objects.get()
    assert organisation.next_due_at is not None
    assert organisation.next_due_at <= ready.clock.now()
    row.refresh_from_db()
    assert row.rung_at is not None


def test_a_companys_change_reads_no_project(ready: Desk, post: Post) -> None:
    hook(ready)
    before = Feed.objects.get(kind="requisitions").next_due_at
    assert from_procore(post, told(ready, "Company Vendors", project_id=None)) == 200
    answer(ready)
    assert ReferenceList.objects.get(kind="vendors").fetched_at == PAST
    assert Feed.objects.get(kind="requisitions").next_due_at == before


def test_a_claim_that_is_known_and_rings_is_looked_at(ready: Desk, post: Post) -> None:
    ref = ready.claim("1000.00")
    ready.sync()
    hook(ready)
    assert from_procore(post, told(ready, "Requisitions", int(ref.id))) == 200
    assert from_procore(post, told(ready, "Requisitions", 987654)) == 200  # its feed will tell
    answer(ready)
    assert [hint.ref for hint in Hint.objects.all()] == [str(ref)]


def test_a_hook_rings_for_its_own_company_and_project_alone(ready: Desk, post: Post) -> None:
    hook(ready, "h1", project=PROJECT)
    assert from_procore(post, told(ready, "Cost Codes", company_id=999)) == 200
    assert from_procore(post, told(ready, "Cost Codes", project_id=999)) == 200
    assert from_procore(post, told(ready, "Cost Codes", project_id=None)) == 200
    assert kept() == {"hook": 1}
    assert from_procore(post, told(ready, "Cost Codes")) == 200
    assert kept() == {"hook": 1, "list": 1, "project": 1}


def test_a_delivery_that_says_nothing_is_taken(ready: Desk, post: Post) -> None:
    hook(ready)
    for body in (b"", b"{", b"[]", b"\xff", {"company_id": 1}, told(ready, "X", project_id="a")):
        assert from_procore(post, body) == 200
    assert kept() == {"hook": 1}


def test_a_flood_of_projects_nobody_knows_leaves_no_rows(ready: Desk, post: Post) -> None:
    hook(ready)
    for number in range(50):
        assert from_procore(post, told(ready, "Nothing Known", project_id=10_000 + number)) == 200
    assert kept() == {"hook": 1}


# --- from the simulators' own couriers --------------------------------------------------------


def test_a_bookkeepers_change_in_xero_is_heard(ready: Desk, served: Serving) -> None:
    ref = ready.claim("1000.00")
    ready.sync()
    url = f"{served.url}/webhooks/xero"
    assert ready.xero.do("webhook", client_id="sim-xero-custom", url=url, key=KEY)["active"]
    bill = str(ready.links(ref)[0].target_id)
    for fault in ("", "doubled", "late", "reordered", "forged"):
        if fault:
            ready.xero.fault(fault, seconds=60)
        ready.xero.do("edit_invoice", invoice_id=bill, number=f"INV-{fault}")
        ready.xero.advance(timedelta(minutes=2))
        eventually(lambda: answer(ready) >= 2)
        assert [hint.ref for hint in Hint.objects.all()] == [str(ref)]
        eventually(lambda: _delivered(ready.xero))
        ready.sync()
        ready.clock.offset += EVERY * AT_ONCE


def _delivered(xero: Simulator) -> bool:
    hooks = xero._http.get("/_sim/webhooks").json()
    return all(hook["failing"] == 0 for hook in hooks.values())


def test_procores_own_courier_rings_at_hooks_we_made(ready: Desk, served: Serving) -> None:
    """Made through the API, carried by the simulator over HTTP, with each hook's own secret."""
    assert tend(ready, served.url) == 2
    ready.procore.do("edit_vendor", id=12, name="Renamed Pty Ltd")
    eventually(lambda: kept()["list"] == 1)
    commitments = ready.procore.state()["projects"][str(PROJECT)]["commitments"]
    ready.procore.do("edit_commitment", project_id=PROJECT, id=int(next(iter(commitments))),
                     title="Another title")  # fmt: skip
    eventually(lambda: kept()["project"] == 1)
    assert kept()["hook"] == 2
    answer(ready)
    assert all(hook.rung_at is not None for hook in Hook.objects.all())
