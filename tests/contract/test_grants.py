"""Getting tokens from both remotes, and what goes wrong on the way."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx2
import pytest
from structlog.testing import capture_logs
from tests.contract.remotes import PROCORE_APP, ProcoreSide, RealClock, Simulator, XeroSide

from onecore.http import oauth
from onecore.http.oauth import OAuthApp, TokenSet
from onecore.http.transport import open_client
from onecore.ports import (
    AccessLost,
    NotReached,
    OutcomeUnknown,
    Remote,
    RemoteError,
    RequestRefused,
    ScopeMissing,
)

T = TypeVar("T")
BACK = "http://localhost:8000/connect/callback"
CLOCK = RealClock()


def using(sim: Simulator, ask: Callable[[httpx2.AsyncClient], Awaitable[T]]) -> T:
    async def main() -> T:
        async with open_client(sim.url) as http:
            return await ask(http)

    return asyncio.run(main())


def xero_app(xero: XeroSide, **more: Any) -> OAuthApp:
    made = xero.sim.do("new_app", client_id="web-1", secret="web-secret", **more)
    return OAuthApp(Remote.XERO, xero.sim.url, made["client_id"], made["secret"])


def xero_code(xero: XeroSide, url: str) -> dict[str, str]:
    """What a person who allows it is sent back with."""
    query = urlsplit(url).query
    answer = xero.sim.control.post(
        f"/identity/connect/authorize?{query}",
        data={"decision": "allow", "tenant_id": xero.tenant},
    )
    assert answer.status_code in (302, 303), answer.text
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query))


@pytest.mark.parametrize("has_secret", [True, False])
def test_xero_by_code_with_pkce(xero: XeroSide, has_secret: bool) -> None:
    known = xero_app(xero)
    app = known if has_secret else OAuthApp(Remote.XERO, xero.sim.url, known.client_id)
    verifier = oauth.new_verifier()
    url = oauth.xero_authorize_url(
        xero.sim.url, app.client_id, BACK, "state-1", oauth.challenge_of(verifier)
    )
    back = xero_code(xero, url)
    assert back["state"] == "state-1"
    got = using(xero.sim, lambda h: oauth.by_code(h, app, CLOCK, back["code"], BACK, verifier))
    assert got.refresh
    assert set(got.scopes) == set(oauth.XERO_SCOPES)
    assert timedelta(minutes=25) < got.expires_at - datetime.now(UTC) <= timedelta(minutes=30)
    again = using(xero.sim, lambda h: oauth.refreshed(h, app, CLOCK, str(got.refresh)))
    assert again.refresh not in (None, got.refresh)
    assert again.access != got.access
    # a lost reply: the old one may be tried again for half an hour, and no longer
    assert using(xero.sim, lambda h: oauth.refreshed(h, app, CLOCK, str(got.refresh))).refresh
    xero.sim.post("/_sim/clock", {"advance_seconds": 31 * 60})
    with pytest.raises(AccessLost, match="invalid_grant"):
        using(xero.sim, lambda h: oauth.refreshed(h, app, CLOCK, str(got.refresh)))
    xero.sim.forget()  # sign-in is in no spec


def test_another_verifier_does_not_do(xero: XeroSide) -> None:
    app = xero_app(xero)
    challenge = oauth.challenge_of(oauth.new_verifier())
    url = oauth.xero_authorize_url(xero.sim.url, app.client_id, BACK, "s", challenge)
    code = xero_code(xero, url)["code"]
    other = oauth.new_verifier()
    with pytest.raises(AccessLost) as caught:
        using(xero.sim, lambda h: oauth.by_code(h, app, CLOCK, code, BACK, other))
    for secret in (code, other, "web-secret"):
        assert secret not in str(caught.value)
    xero.sim.forget()


def test_a_custom_connection_asks_anew(xero: XeroSide) -> None:
    known = xero_app(xero, tenant_id=xero.tenant)

    def ask(scopes: tuple[str, ...], secret: str = "web-secret") -> TokenSet:
        app = OAuthApp(Remote.XERO, xero.sim.url, known.client_id, secret)
        return using(xero.sim, lambda h: oauth.by_client_credentials(h, app, CLOCK, scopes))

    got = ask(oauth.XERO_CUSTOM_SCOPES)
    assert got.refresh is None
    assert set(got.scopes) == set(oauth.XERO_CUSTOM_SCOPES)
    with pytest.raises(ScopeMissing):
        ask(("accounting.nothing",))
    with pytest.raises(AccessLost, match="invalid_client"):
        ask((), "wrong")
    xero.sim.forget()


def test_procore_by_code_and_its_spent_refresh_token(procore: ProcoreSide) -> None:
    procore.sim.switch(oauth_auto_approve=True)
    app = OAuthApp(Remote.PROCORE, procore.sim.url, *PROCORE_APP)
    url = oauth.procore_authorize_url(procore.sim.url, app.client_id, BACK, "state-2")
    answer = procore.sim.control.get(url)
    back = dict(parse_qsl(urlsplit(answer.headers["location"]).query))
    assert back["state"] == "state-2"
    got = using(procore.sim, lambda h: oauth.by_code(h, app, CLOCK, back["code"], BACK))
    assert got.refresh
    procore.sim.fault("lost", path="/oauth/token")
    with pytest.raises(OutcomeUnknown):
        using(procore.sim, lambda h: oauth.refreshed(h, app, CLOCK, str(got.refresh)))
    with pytest.raises(AccessLost, match="invalid_grant"):
        using(procore.sim, lambda h: oauth.refreshed(h, app, CLOCK, str(got.refresh)))
    procore.sim.forget()  # /oauth/authorize without a state is what the spec knows


@pytest.mark.parametrize(
    ("kind", "more", "error"),
    [
        ("status", {"status": 500, "body": "secret-code"}, OutcomeUnknown),
        ("status", {"status": 200, "body": "secret-code"}, OutcomeUnknown),
        ("drop", {}, OutcomeUnknown),
        ("truncated", {}, OutcomeUnknown),
        (
            "status",
            {"status": 400, "body": '{"error": "secret-code is bad", "error_description": "x"}'},
            RequestRefused,
        ),
        ("status", {"status": 401, "body": ""}, AccessLost),
        ("status", {"status": 400, "body": '{"error": "invalid_request"}'}, RequestRefused),
    ],
)
def test_no_failure_repeats_what_was_sent(
    xero: XeroSide, kind: str, more: dict[str, Any], error: type[RemoteError]
) -> None:
    app = xero_app(xero)
    xero.sim.fault(kind, path="/connect/token", **more)
    with capture_logs() as logs, pytest.raises(error) as caught:
        using(xero.sim, lambda h: oauth.by_code(h, app, CLOCK, "secret-code", BACK, "secret-v"))
    assert "secret" not in str(caught.value)
    assert "secret" not in repr(logs)
    assert caught.value.__cause__ is None
    xero.sim.forget()


def test_a_host_that_is_not_there_was_not_reached(xero: XeroSide) -> None:
    app = OAuthApp(Remote.XERO, "http://127.0.0.1:9", "id", "secret")
    with pytest.raises(NotReached):
        using(xero.sim, lambda h: oauth.refreshed(h, app, CLOCK, "r"))


def test_what_is_asked_of_a_person_is_in_the_url() -> None:
    url = oauth.xero_authorize_url("https://login.xero.com", "id", BACK, "st", "ch")
    asked = parse_qs(urlsplit(url).query)
    assert urlsplit(url).path == "/identity/connect/authorize"
    assert asked["scope"] == [" ".join(oauth.XERO_SCOPES)]
    assert asked["redirect_uri"] == [BACK]
    assert asked["code_challenge_method"] == ["S256"]
    assert set(oauth.XERO_SCOPES) - set(oauth.XERO_CUSTOM_SCOPES) == {"offline_access"}


def test_the_challenge_of_the_published_example() -> None:
    # RFC 7636, appendix B
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert oauth.challenge_of(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    made = {oauth.new_verifier() for _ in range(50)}
    assert len(made) == 50
    assert all(43 <= len(v) <= 128 for v in made)
