"""What holds for every page: the policy, nothing inline, nothing from elsewhere, good form."""

import re
from html.parser import HTMLParser

import pytest
from django.test import Client

from tests.desk import Desk
from tests.web.conftest import As

PAGES = [
    "", "documents", "attention", "mapping", "mapping/codes", "mapping/projects",
    "mapping/coverage", "connections", "settings", "activity", "help", "go", "go?q=nothing",
    "documents/requisition:7/55", "remedy?cause=amounts_differ&subject=55",
]  # fmt: skip
ALONE = ["/accounts/login/", "/accounts/logout/", "/workspaces", "/accounts/password/",
         "/accounts/inactive/", "/accounts/signup/", "/connect/xero/callback",
         "/connect/procore/callback", "/no/such/page"]  # fmt: skip
VOID = {"meta", "link", "input", "br", "img", "hr", "path", "circle", "rect"}


class Page(HTMLParser):
    """What matters of a page."""

    def __init__(self, body: str) -> None:
        super().__init__()
        self.inline: list[str] = []
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.labelled: set[str] = set()
        self.inputs: list[dict[str, str | None]] = []
        self.headings: list[int] = []
        self.open: list[str] = []
        self.feed(body)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if tag == "style" or (tag == "script" and not given.get("src")):
            self.inline.append(tag)
        self.inline += [name for name in given if name == "style" or name.startswith("on")]
        self.addresses += [given[name] or "" for name in ("src",) if name in given]
        if tag == "link":
            self.addresses.append(given.get("href") or "")
        if "id" in given:
            self.ids.append(given["id"] or "")
        if tag == "label" and given.get("for"):
            self.labelled.add(given["for"] or "")
        if tag in ("input", "select", "textarea") and given.get("type") != "hidden":
            self.inputs.append(given | {"wrapped": "yes" if "label" in self.open else None})
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open:
            while self.open.pop() != tag:
                pass


def _check(body: str, address: str) -> None:
    page = Page(body)
    assert page.inline == [], address
    assert all(a.startswith("/static/") for a in page.addresses), (address, page.addresses)
    assert len(page.ids) == len(set(page.ids)), (address, page.ids)
    assert page.headings.count(1) == 1, (address, page.headings)
    for one in page.inputs:
        named = one.get("aria-label") or one["wrapped"] or one.get("id") in page.labelled
        assert named, (address, one)
    assert '<html lang="en' in body
    assert 'href="#main"' in body
    assert 'id="main"' in body


@pytest.mark.parametrize("path", PAGES)
def test_a_page_keeps_the_policy(desk: Desk, signed_in: As, path: str) -> None:
    answer = signed_in().get(f"/w/{desk.workspace}/{path}")
    assert answer.status_code in (200, 503), path  # 503: the remedy's lists, not connected here
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Cache-Control"] == "no-store"
    _check(answer.content.decode(), path)


@pytest.mark.parametrize("path", ALONE)
def test_pages_outside_a_workspace_keep_it_too(desk: Desk, signed_in: As, path: str) -> None:
    client = Client() if "login" in path or "signup" in path else signed_in()
    answer = client.get(path)
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    _check(answer.content.decode(), path)


def test_the_connected_pages_keep_it(desk: Desk, signed_in: As) -> None:
    """With data on them, live parts included."""
    desk.connect()
    desk.map_all()
    ref = desk.claim("1000.00")
    desk.sync()
    client = signed_in()
    for path in ["", "documents", f"documents/{ref}", "connections", "settings", "activity"]:
        answer = client.get(f"/w/{desk.workspace}/{path}")
        assert answer.status_code == 200, path
        _check(answer.content.decode(), path)
    for path in [f"documents/{ref}/live", "documents/live", "mapping/vendors/proposals"]:
        answer = client.get(f"/w/{desk.workspace}/{path}")
        assert answer.status_code == 200, path
        assert Page(answer.content.decode()).inline == [], path


def test_scripts_and_styles_are_served(desk: Desk) -> None:
    for name in ("onecore/onecore.css", "onecore/onecore.js", "django_htmx/htmx-2.min.js"):
        answer = Client().get(f"/static/{name}")
        assert answer.status_code == 200
        assert len(answer.content) > 500
        assert "Access-Control-Allow-Origin" not in answer
        again = Client().get(
            f"/static/{name}", headers={"If-Modified-Since": answer["Last-Modified"]}
        )
        assert (again.status_code, again.content) == (304, b"")


def test_htmx_may_not_evaluate(desk: Desk, signed_in: As) -> None:
    body = signed_in().get(f"/w/{desk.workspace}/").content.decode()
    assert '"allowEval":false' in body
    assert '"includeIndicatorStyles":false' in body
