"""What single pages show and do, with both simulators behind them."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from onecore.engine.use import configuring, glancing, workspaces
from onecore.engine.use.glancing import Glance, Steps
from onecore.store.models import (
    ConfigVersion,
    Document,
    Feed,
    Grant,
    Hint,
    WorkspaceOrganisation,
)
from onecore.web.views.home import shares, simulators, verdict
from tests.desk import PROJECT, Desk
from tests.web.conftest import As

DONE = Steps(procore=True, xero=True, mapped=True, switched_on=True, posted=True)


def text(client: Client, desk: Desk, path: str, **query: str) -> str:
    answer = client.get(f"/w/{desk.workspace}/{path}", query)
    assert answer.status_code == 200, path
    return answer.content.decode()


# --- home -------------------------------------------------------------------------------------


def _glance(states: dict[str, int], **more: object) -> Glance:
    values = {
        "states": states, "causes": (), "connections": (), "troubles": (), "modes": {},
        "paused": False, "idle": True, "steps": DONE, "claims_read_at": None,
        "bills_read_at": None, "feeds": 1,
    } | more  # fmt: skip
    return Glance(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("states", "title", "words"),
    [
        ({"in_step": 1}, "In step", "1 document agrees on both sides."),
        ({"in_step": 1204, "withdrawn": 3}, "In step", "1,204 documents agree on both sides."),
        ({"in_step": 4, "held": 1}, "1 document needs a person", "4 documents agree"),
        ({"held": 2, "ask": 1, "refused": 1, "drifted": 1, "approval": 1},
         "6 documents need a person", "No bill has been made yet."),
        ({"in_step": 2, "waiting": 1}, "1 document is on the way", "2 documents agree"),
        ({}, "Ready", "The next approved claim becomes a bill within seconds."),
    ],
)  # fmt: skip
def test_one_sentence_says_how_things_stand(states: dict[str, int], title: str, words: str) -> None:
    said = verdict(_glance(states))
    assert said.title == title
    assert words in said.text


def test_what_stops_all_comes_before_the_books() -> None:
    assert verdict(_glance({"held": 5}, paused=True)).title == "Paused"
    unfinished = Steps(procore=True, xero=False, mapped=False, switched_on=False, posted=False)
    assert verdict(_glance({}, steps=unfinished)).title == "Not set up yet"


def test_a_broken_connection_is_told_with_the_way_to_mend_it(desk: Desk, signed_in: As) -> None:
    desk.connect()
    desk.map_all()
    Grant.objects.filter(remote="xero").update(broken="Access was removed in Xero.")
    client = signed_in()
    assert "Xero must be connected again" in text(client, desk, "")
    body = text(client, desk, "connections")
    assert "Access was removed in Xero." in body
    assert "Connect Xero again" in body


@pytest.mark.parametrize(
    ("code", "said"),
    [("procore_404", "permitted projects"), ("lists_403", "Let it read cost codes")],
)
def test_a_project_out_of_sight_is_told(desk: Desk, signed_in: As, code: str, said: str) -> None:
    desk.connect()
    desk.map_all()
    Feed.objects.create(
        workspace_id=desk.workspace, kind="requisitions", project_id=PROJECT,
        next_due_at=desk.clock.now(), trouble=code,
    )  # fmt: skip
    body = text(signed_in(), desk, "")
    assert "1 project cannot be read" in body
    assert said in body


def test_the_bar_has_room_for_the_smallest() -> None:
    parts = shares({"in_step": 100_000, "held": 1})
    assert [part.state for part in parts] == ["in_step", "held"]
    assert parts[1].width >= 12
    assert round(parts[0].width + parts[1].width) == 1000
    assert parts[1].start == pytest.approx(parts[0].width, abs=0.01)


def test_simulators_are_offered_only_where_they_are(desk: Desk) -> None:
    assert [name for name, _ in simulators(desk.service.settings)] == ["Procore", "Xero"]
    from onecore.environment import read_settings

    assert simulators(read_settings({})) == []


# --- documents --------------------------------------------------------------------------------


def _many(desk: Desk, count: int, state: str, first: int = 1, project: int = PROJECT) -> None:
    now = desk.clock.now()
    Document.objects.bulk_create(
        Document(
            workspace_id=desk.workspace, flow="bill", ref=f"requisition:{project}/{first + n}",
            state=state, since=now - timedelta(minutes=first + n), project_id=project,
        )
        for n in range(count)
    )  # fmt: skip


def test_the_list_is_narrowed_and_paged(desk: Desk, signed_in: As) -> None:
    _many(desk, 60, "in_step")
    _many(desk, 3, "held", first=100, project=8)
    client = signed_in()
    first = text(client, desk, "documents")
    assert first.count("<tr>") == 1 + 50
    assert "Page 1 of 2" in first
    assert text(client, desk, "documents", page="2").count("<tr>") == 1 + 13
    assert text(client, desk, "documents", state="held").count("<tr>") == 1 + 3
    assert text(client, desk, "documents", project="8", state="held").count("<tr>") == 1 + 3
    assert "No document fits" in text(client, desk, "documents", project="8", state="in_step")
    assert text(client, desk, "documents", state="nonsense", page="-4").count("<tr>") == 1 + 50
    assert "No document fits" in text(client, desk, "documents", page="99")


def test_no_first_paint_asks_a_remote(desk: Desk, signed_in: As) -> None:
    desk.connect()
    desk.map_all()
    ref = desk.claim("1000.00")
    desk.sync()
    client = signed_in()
    desk.procore.forget_requests()
    desk.xero.forget_requests()
    for path in ("", "documents", f"documents/{ref}", "attention", "mapping", "mapping/coverage",
                 "connections", "settings", "activity", "help", "go"):  # fmt: skip
        text(client, desk, path)
    assert desk.procore.requests() == []
    assert desk.xero.requests() == []


def test_a_screenful_is_filled_in_by_one_call_per_remote(desk: Desk, signed_in: As) -> None:
    desk.connect()
    desk.map_all()
    refs = [desk.claim("1000.00", invoice_number=f"INV-{n}") for n in range(3)]
    desk.sync()
    desk.set(flows__bill__mode="approve")
    waiting = desk.claim("500.00", invoice_number="INV-WAIT")
    desk.sync()
    client = signed_in()
    desk.procore.forget_requests()
    desk.xero.forget_requests()
    body = text(client, desk, "documents/live")
    for shown in ("INV-0", "INV-1", "INV-2", "INV-WAIT", "Smith Brothers Concreting", "900.00"):
        assert shown in body
    assert "450.00" in body  # what the waiting claim asks for, retention taken off
    assert len(desk.xero.requests()) == 1
    assert len(desk.procore.requests()) == 1
    assert f"{desk.procore.url}/{PROJECT}/project/contracts/requisitions/{refs[0].id}" in body
    assert str(waiting) in body


def test_the_page_of_a_claim_never_met_shows_its_plan(desk: Desk, signed_in: As) -> None:
    desk.connect()
    desk.map_all()
    ref = desk.claim("1000.00", status="under_review")
    client = signed_in()
    assert f"Claim {ref.id}" in text(client, desk, f"documents/{ref}")
    live = text(client, desk, f"documents/{ref}/live")
    assert "The claim is not approved, so nothing is posted yet." in live


def test_a_ref_that_is_none_is_not_found(desk: Desk, signed_in: As) -> None:
    client = signed_in()
    for path in ("documents/nonsense", "documents/requisition:55", "documents/vendor:7"):
        assert client.get(f"/w/{desk.workspace}/{path}").status_code == 404


def test_sync_now_says_a_hint_and_the_page_waits_for_it(desk: Desk, signed_in: As) -> None:
    desk.connect()
    desk.map_all()
    ref = desk.claim("1000.00")
    client = signed_in("accountant")
    answer = client.post(f"/w/{desk.workspace}/documents/{ref}/sync")
    assert answer["Location"] == f"/w/{desk.workspace}/documents/{ref}"
    assert Hint.objects.get().lane == "person"
    assert "being looked at now" in text(client, desk, f"documents/{ref}")
    state = f"documents/{ref}/state"
    assert "being looked at now" in text(client, desk, state)
    desk.sync(ref)
    done = client.get(f"/w/{desk.workspace}/{state}")
    assert done["HX-Refresh"] == "true"
    assert done.content == b""


# --- search -----------------------------------------------------------------------------------


def test_links_refs_and_numbers_are_understood(desk: Desk) -> None:
    desk.connect()
    desk.map_all()
    ref = desk.claim("1000.00")
    desk.sync()
    bill = desk.links(ref)[0].target_id
    base = "https://us02.procore.com"
    for said in (
        str(ref), f"requisition:{ref.id}", ref.id, f" {ref} ", str(bill),
        f"{base}/{PROJECT}/project/contracts/requisitions/{ref.id}?tab=detail",
        f"https://go.xero.com/AccountsPayable/View.aspx?InvoiceID={bill}",
        f"https://go.xero.com/app/!xyz/bills/view/{str(bill).upper()}",
    ):  # fmt: skip
        assert glancing.named(desk.workspace, said)[0] == ref, said


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("", "Paste the link"),
        ("nonsense", "names no document"),
        ("999999", "has not been seen before"),
        ("0f2c1d1e-52b7-4a9e-a6c7-6f0d0e4a8b11", "No claim here is linked to that bill."),
        ("payment_application:7/5", "are not carried in this version"),
        ("<script>alert(1)</script>", "names no document"),
    ],
)
def test_what_is_not_found_is_told_why(desk: Desk, signed_in: As, said: str, why: str) -> None:
    body = text(signed_in(), desk, "go", q=said)
    assert why in body
    assert "<script>alert" not in body


# --- mapping ----------------------------------------------------------------------------------


def test_suggestions_are_accepted_above_a_score_and_one_by_one(desk: Desk, signed_in: As) -> None:
    desk.connect()
    client = signed_in("accountant")
    body = text(client, desk, "mapping/vendors/proposals")
    assert "Smith Brothers Concreting" in body
    assert "the same tax number" in body
    path = f"/w/{desk.workspace}/mapping/vendors"
    said = client.post(path, {"subject": "12", "target": "not-a-contact"}, follow=True)
    assert "no choice" in said.content.decode()
    said = client.post(path, {"score": "90"}, follow=True)
    assert "3 accepted." in said.content.decode()
    exported = configuring.export(desk.workspace)
    assert [n for n in (12, 13, 14) if f"{{vendor_id: {n}, contact_id" in exported] == [12, 13, 14]
    assert "No suggestion is open" in text(client, desk, "mapping/vendors/proposals")


def test_a_flow_is_not_switched_on_while_something_is_missing(desk: Desk, signed_in: As) -> None:
    desk.connect()
    client = signed_in()
    said = client.post(
        f"/w/{desk.workspace}/settings/flow", {"flow": "bill", "mode": "auto"}, follow=True
    )
    assert said.redirect_chain[-1][0] == f"/w/{desk.workspace}/mapping/coverage"
    assert "Not switched on" in said.content.decode()
    assert workspaces.show(desk.workspace).flows["bill"] == "off"
    assert "Vendor without a contact" in text(client, desk, "mapping/coverage/live")
    said = client.post(
        f"/w/{desk.workspace}/settings/flow", {"flow": "bill", "mode": "preview"}, follow=True
    )
    assert workspaces.show(desk.workspace).flows["bill"] == "preview"


def test_a_mapped_flow_is_switched_on(desk: Desk, signed_in: As) -> None:
    desk.connect()
    desk.map_all(flows__bill__mode="off")
    client = signed_in()
    body = text(client, desk, "mapping/coverage/live")
    assert "100.0 % of live contract value would post" in body
    client.post(f"/w/{desk.workspace}/settings/flow", {"flow": "bill", "mode": "approve"})
    assert workspaces.show(desk.workspace).flows["bill"] == "approve"
    said = client.post(
        f"/w/{desk.workspace}/settings/flow", {"flow": "timesheet", "mode": "auto"}, follow=True
    )
    assert "is not built in this version" in said.content.decode()


# --- settings ---------------------------------------------------------------------------------


def test_a_version_saved_meanwhile_is_not_overwritten(desk: Desk, signed_in: As) -> None:
    client = signed_in()
    path = f"/w/{desk.workspace}/settings"
    before = configuring.export(desk.workspace)
    mine = before.replace("drift: ask", "drift: accept")
    desk.set(source_deleted="void")
    said = client.post(path, {"text": mine, "number": "1", "save": "yes"})
    assert said.status_code == 409
    assert "Somebody saved another version meanwhile." in said.content.decode()
    assert "drift: ask" in configuring.export(desk.workspace)
    said = client.post(path, {"text": mine, "number": "2", "save": "yes"})
    assert said.status_code == 302
    assert "drift: accept" in configuring.export(desk.workspace)


def test_checking_saves_nothing(desk: Desk, signed_in: As) -> None:
    before = configuring.export(desk.workspace)
    changed = before.replace("drift: ask", "drift: accept")
    said = signed_in().post(f"/w/{desk.workspace}/settings", {"text": changed, "check": "yes"})
    assert "What would change" in said.content.decode()
    assert ConfigVersion.objects.count() == 1


def test_problems_name_line_and_field(desk: Desk, signed_in: As) -> None:
    broken = "version: 1\ncut_over: 2026-07-01\nflows: {bill: {mode: sometimes}}\nnonsense: 3\n"
    said = signed_in().post(f"/w/{desk.workspace}/settings", {"text": broken, "check": "yes"})
    body = said.content.decode()
    assert said.status_code == 400
    assert '<td class="num">3</td><td><code>flows.bill.mode</code></td>' in body
    assert '<td class="num">4</td><td><code>nonsense</code></td>' in body
    assert broken.rstrip() in body.replace("&#x27;", "'")


def test_an_older_version_is_brought_back(desk: Desk, signed_in: As) -> None:
    desk.set(drift="accept")
    client = signed_in()
    assert "drift: accept" in text(client, desk, "settings")
    body = text(client, desk, "settings", version="1")
    assert "This is the text of version 1." in body
    assert "drift: ask" in body


# --- connections ------------------------------------------------------------------------------


def test_xero_is_connected_by_consent(desk: Desk, signed_in: As) -> None:
    client = signed_in()
    went = client.post(f"/w/{desk.workspace}/connections/xero")
    asked = urlsplit(went["Location"])
    query = parse_qs(asked.query)
    assert f"{asked.scheme}://{asked.netloc}" == desk.xero.url
    assert query["redirect_uri"] == ["http://localhost:8000/connect/xero/callback"]
    assert query["code_challenge_method"] == ["S256"]
    code = _consent(desk, went["Location"])
    back = client.get("/connect/xero/callback", {"state": query["state"][0], "code": code})
    assert back["Location"] == f"/w/{desk.workspace}/connections"
    assert WorkspaceOrganisation.objects.filter(workspace_id=desk.workspace).count() >= 1
    twice = client.get("/connect/xero/callback", {"state": query["state"][0], "code": code})
    assert twice.status_code == 400
    assert "used already" in twice.content.decode()


def _consent(desk: Desk, address: str) -> str:
    """What Xero's page sends back when a person allows every organisation."""
    import httpx2

    with httpx2.Client(trust_env=False) as http:
        page = http.get(address)
        form = _fields(page.text)
        tenants = list(desk.xero.state()["organisations"])
        answer = http.post(
            f"{desk.xero.url}{form.pop('')}",
            data=form | {"decision": "allow", "tenant": tenants[0]},
        )
    return parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]


def _fields(page: str) -> dict[str, str]:
    """Names and values of a form's inputs, and its action under ""."""
    import re

    action = re.search(r'<form[^>]*action="([^"]+)"', page)
    found = {"": action[1].replace("&amp;", "&") if action else "/identity/connect/authorize"}
    for tag in re.findall(r"<input[^>]*>", page):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and value and "checkbox" not in tag:
            found[name[1]] = value[1].replace("&amp;", "&")
    return found


def test_a_consent_declined_changes_nothing(desk: Desk) -> None:
    answer = Client().get("/connect/xero/callback", {"error": "access_denied", "state": "x"})
    assert answer.status_code == 400
    assert "Nothing was changed." in answer.content.decode()
    assert not Grant.objects.exists()


def test_a_made_up_consent_is_refused(desk: Desk) -> None:
    answer = Client().get("/connect/xero/callback", {"state": "guess", "code": "guess"})
    assert answer.status_code == 400
    assert not Grant.objects.exists()


def test_a_company_that_is_none_is_told(desk: Desk, signed_in: As) -> None:
    client = signed_in()
    path = f"/w/{desk.workspace}/connections/procore"
    assert "digits only" in client.post(path, {"company": "x"}, follow=True).content.decode()
    said = client.post(path, {"company": "99"}, follow=True).content.decode()
    assert "is not visible to this app" in said


def test_procore_away_is_told_without_its_words(desk: Desk, signed_in: As) -> None:
    desk.procore.fault("status", path="/oauth/token", status=500, body="secret inside")
    path = f"/w/{desk.workspace}/connections/procore"
    said = signed_in().post(path, {"company": str(desk.company)}, follow=True).content.decode()
    assert "did not answer as expected" in said
    assert "secret inside" not in said
