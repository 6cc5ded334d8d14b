"""Who may see and do what; nothing is open that was not meant to be."""

import re

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from onecore.engine.use import workspaces
from onecore.store.models import Workspace
from tests.desk import Desk
from tests.web.conftest import As

OPEN = {
    "root", "account_login", "account_logout", "account_inactive", "account_signup",
    "xero_callback", "procore_callback", "xero_hook", "procore_hook", "health", "metrics",
    "account_reauthenticate", "tour",
}  # fmt: skip
ACTS = [
    "look", "documents/requisition:7/55/sync", "documents/requisition:7/55/approve",
    "documents/requisition:7/55/reject", "attention/1/resolve",
    "remedy?cause=vendor_unmapped&subject=1", "mapping/vendors",
]  # fmt: skip
MANAGES = ["pause", "connections/procore", "connections/xero", "settings", "settings/flow"]


def _patterns(found: list[URLPattern | URLResolver], before: str) -> list[tuple[str, str]]:
    result: list[tuple[str, str]] = []
    for one in found:
        route = before + str(one.pattern)
        if isinstance(one, URLResolver):
            result += _patterns(one.url_patterns, route)
        else:
            result.append((one.name or "", route))
    return result


def addresses(workspace: int) -> list[tuple[str, str]]:
    """Every address there is, with something plausible in its places."""
    found = []
    for name, route in _patterns(get_resolver().url_patterns, "/"):
        filled = route.replace("<int:workspace>", str(workspace))
        filled = filled.replace("<path:ref>", "requisition:7/55")
        filled = re.sub(r"<int:\w+>", "1", filled).replace("<slug:what>", "vendors")
        found.append((name, filled.replace("<slug:hook>", "h1")))
    return found


def test_every_address_but_the_few_open_ones_asks_who_is_there(desk: Desk) -> None:
    asked = 0
    for name, address in addresses(int(desk.workspace)):
        if name in OPEN:
            continue
        for method in ("get", "post"):
            answer = getattr(Client(), method)(address)
            assert answer.status_code == 302, f"{method} {address}: {answer.status_code}"
            assert answer["Location"].startswith("/accounts/login/"), address
            asked += 1
    assert asked > 50


def test_a_fragment_sends_its_page_to_the_sign_in(desk: Desk) -> None:
    answer = Client().get(f"/w/{desk.workspace}/documents/live", headers={"HX-Request": "true"})
    assert answer.status_code == 401
    assert answer["HX-Redirect"] == "/accounts/login/"


def test_a_workspace_of_others_is_not_there(desk: Desk, signed_in: As) -> None:
    other = workspaces.add(desk.service, "Other", "test")
    client = signed_in("accountant")
    for name, address in addresses(int(other)):
        if "/w/" in address:
            assert client.get(address).status_code == 404, name
            assert client.post(address).status_code == 404, name
    assert client.get(f"/w/{desk.workspace}/").status_code == 200


def test_nobody_in_particular_sees_no_workspace(desk: Desk, signed_in: As) -> None:
    client = signed_in("nobody")
    assert client.get(f"/w/{desk.workspace}/").status_code == 404
    assert "no workspace is open to you" in client.get("/").content.decode()


@pytest.mark.parametrize("path", [*ACTS, *MANAGES])
@pytest.mark.parametrize("role", ["viewer", "project_manager"])
def test_who_only_looks_cannot_act(desk: Desk, signed_in: As, role: str, path: str) -> None:
    assert signed_in(role).post(f"/w/{desk.workspace}/{path}").status_code == 403


@pytest.mark.parametrize("path", MANAGES)
def test_an_accountant_does_not_manage(desk: Desk, signed_in: As, path: str) -> None:
    assert signed_in("accountant").post(f"/w/{desk.workspace}/{path}").status_code == 403


@pytest.mark.parametrize("path", ACTS)
def test_an_accountant_acts(desk: Desk, signed_in: As, path: str) -> None:
    assert signed_in("accountant").post(f"/w/{desk.workspace}/{path}").status_code == 302


def test_acting_needs_a_post(desk: Desk, signed_in: As) -> None:
    client = signed_in()
    client.get(f"/w/{desk.workspace}/pause")
    assert Workspace.objects.get(pk=desk.workspace).paused is False
    client.post(f"/w/{desk.workspace}/pause", {"paused": "yes"})
    assert Workspace.objects.get(pk=desk.workspace).paused is True


def test_a_form_from_elsewhere_is_refused(desk: Desk, signed_in: As) -> None:
    client = signed_in()
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client.cookies
    answer = strict.post(f"/w/{desk.workspace}/pause", {"paused": "yes"})
    assert answer.status_code == 403
    assert "This form is out of date" in answer.content.decode()
    assert Workspace.objects.get(pk=desk.workspace).paused is False


def test_nobody_signs_up(desk: Desk) -> None:
    answer = Client().post(
        "/accounts/signup/", {"email": "x@example.com", "password1": "a long enough password"}
    )
    assert "Nobody signs up here" in answer.content.decode()


def test_the_first_page_says_how_to_add_a_person(desk: Desk) -> None:
    body = Client().get("/").content.decode()
    assert "onecore user add" in body


def test_signing_in_leads_to_the_one_workspace(desk: Desk, signed_in: As) -> None:
    signed_in("owner")
    client = Client()
    wrong = client.post("/accounts/login/", {"login": "owner@example.com", "password": "no"})
    assert "not correct" in wrong.content.decode()
    answer = client.post(
        "/accounts/login/",
        {"login": "Owner@Example.com", "password": "a long enough password"},
        follow=True,
    )
    assert answer.redirect_chain[-1][0] == f"/w/{desk.workspace}/"


def test_guessing_passwords_is_slowed_down(desk: Desk, signed_in: As) -> None:
    signed_in("owner")
    client = Client()
    said = {"login": "owner@example.com", "password": "wrong"}
    bodies = [client.post("/accounts/login/", said).content.decode() for _ in range(6)]
    assert "not correct" in bodies[0]
    assert "Too many failed" in bodies[-1]
    right = client.post(
        "/accounts/login/", {"login": said["login"], "password": "a long enough password"}
    )
    assert right.status_code == 200  # even the right one has to wait now


def test_several_workspaces_are_a_choice(desk: Desk, signed_in: As) -> None:
    workspaces.add(desk.service, "Second", "test")
    body = signed_in().get("/").content.decode()
    assert "Choose a workspace" in body
    assert "Second" in body


def test_an_owner_makes_a_workspace(desk: Desk, signed_in: As) -> None:
    answer = signed_in().post("/workspaces", {"name": "Harbour Builders"})
    made = Workspace.objects.get(name="Harbour Builders")
    assert answer["Location"] == f"/w/{made.pk}/"
    assert signed_in("accountant").post("/workspaces", {"name": "Mine"}).status_code == 403
    taken = signed_in().post("/workspaces", {"name": "Harbour Builders"}, follow=True)
    assert "There is a workspace" in taken.content.decode()
