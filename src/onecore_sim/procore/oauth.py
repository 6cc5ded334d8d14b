"""The login host: tokens, their renewal and their end."""

import html
import json
import secrets
from datetime import timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from onecore_sim.procore.api import find_token
from onecore_sim.procore.core import Core, Json
from onecore_sim.procore.state import (
    CLIENT_ID,
    CLIENT_SECRET,
    PERSON,
    SERVICE_USER,
    Code,
    Token,
)
from onecore_sim.procore.theme import page

TOKEN_LIFE = timedelta(seconds=5400)
CODE_LIFE = timedelta(minutes=10)
OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"
LOCAL = {"localhost", "127.0.0.1", "::1"}


def routes(core: Core) -> list[BaseRoute]:
    async def token(request: Request) -> Response:
        return _grant(core, await _fields(request))

    async def revoke(request: Request) -> Response:
        return _revoke(core, await _fields(request))

    async def info(request: Request) -> Response:
        return _info(core, request)

    async def authorize(request: Request) -> Response:
        asked = dict(request.query_params)
        if request.method == "POST":
            asked = await _fields(request)
        return _authorize(core, asked, allowed=request.method == "POST")

    return [
        Route("/oauth/token", token, methods=["POST"]),
        Route("/oauth/revoke", revoke, methods=["POST"]),
        Route("/oauth/token/info", info),
        Route("/oauth/authorize", authorize, methods=["GET", "POST"]),
    ]


async def _fields(request: Request) -> dict[str, str]:
    """The fields of a form or of a JSON body; both are taken."""
    raw = await request.body()
    fields = dict(parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True))
    if "json" in request.headers.get("content-type", ""):
        try:
            read = json.loads(raw or b"{}")
        except ValueError:
            read = {}
        fields = {str(k): str(v) for k, v in read.items()} if isinstance(read, dict) else {}
    return fields


def _refusal(status: int, error: str, about: str) -> Response:
    return JSONResponse({"error": error, "error_description": about}, status)


def _client_known(asked: dict[str, str]) -> bool:
    return asked.get("client_id") == CLIENT_ID and asked.get("client_secret") == CLIENT_SECRET


def _grant(core: Core, asked: dict[str, str]) -> Response:
    if not _client_known(asked):
        return _refusal(
            401, "invalid_client", "Client authentication failed: unknown client or wrong secret."
        )
    match asked.get("grant_type"):
        case "client_credentials":
            return JSONResponse(_issue(core, SERVICE_USER, renewable=False))
        case "authorization_code":
            return _from_code(core, asked)
        case "refresh_token":
            return _renew(core, asked)
        case _:
            return _refusal(400, "unsupported_grant_type", "The grant type is not supported.")


def _issue(core: Core, user_id: int, *, renewable: bool) -> Json:
    now = core.now()
    token = Token(
        access=secrets.token_urlsafe(32),
        client_id=CLIENT_ID,
        user_id=user_id,
        created_at=now,
        expires_at=now + TOKEN_LIFE,
        refresh=secrets.token_urlsafe(32) if renewable else None,
    )
    kept = [t for t in core.state.tokens if not t.revoked or t.expires_at > now - TOKEN_LIFE]
    core.state.tokens = [*kept, token]
    body: Json = {
        "access_token": token.access,
        "token_type": "bearer",
        "expires_in": int(TOKEN_LIFE.total_seconds()),
        "created_at": int(now.timestamp()),
    }
    return body | ({"refresh_token": token.refresh} if token.refresh else {})


def _from_code(core: Core, asked: dict[str, str]) -> Response:
    """A token for a code, which works once, for ten minutes, with the very same redirect_uri."""
    code = next((c for c in core.state.codes if c.code == asked.get("code")), None)
    if code is not None:
        core.state.codes.remove(code)
    if (
        code is None
        or code.expires_at <= core.now()
        or code.redirect_uri != asked.get("redirect_uri")
    ):
        return _refusal(400, "invalid_grant", "The authorization code is invalid or has expired.")
    return JSONResponse(_issue(core, code.user_id, renewable=True))


def _renew(core: Core, asked: dict[str, str]) -> Response:
    """The old pair dies here, whether or not the answer reaches anyone: that is the trap."""
    given = asked.get("refresh_token")
    old = next((t for t in core.state.tokens if t.refresh and t.refresh == given), None)
    if old is None or old.revoked:
        return _refusal(400, "invalid_grant", "The refresh token is invalid, used or revoked.")
    old.revoked = True
    return JSONResponse(_issue(core, old.user_id, renewable=True))


def _revoke(core: Core, asked: dict[str, str]) -> Response:
    if not _client_known(asked):
        return _refusal(401, "invalid_client", "Client authentication failed.")
    for token in core.state.tokens:
        if asked.get("token") in (token.access, token.refresh):
            token.revoked = True
    return JSONResponse({})


def _info(core: Core, request: Request) -> Response:
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    token = find_token(core, given)
    if token is None:
        return _refusal(401, "invalid_request", "The access token is missing, expired or revoked.")
    left = token.expires_at - core.now()
    return JSONResponse(
        {
            "resource_owner_id": token.user_id,
            "scopes": [],
            "expires_in_seconds": int(left.total_seconds()),
            "application": {"uid": token.client_id},
            "created_at": int(token.created_at.timestamp()),
        }
    )


def _redirect_allowed(uri: str) -> bool:
    parts = urlsplit(uri)
    local = parts.scheme == "http" and parts.hostname in LOCAL
    return uri == OUT_OF_BAND or parts.scheme == "https" or local


def _wrong_with(asked: dict[str, str]) -> str | None:
    if asked.get("client_id") != CLIENT_ID:
        return "Client authentication failed due to unknown client."
    if asked.get("response_type") != "code":
        return "The response type is not supported."
    if not _redirect_allowed(asked.get("redirect_uri", "")):
        return "The redirect uri included is not valid."
    return None


def _authorize(core: Core, asked: dict[str, str], *, allowed: bool) -> Response:
    """The page on which a person lets the app in; allowed, it sends them back with a code."""
    uri = asked.get("redirect_uri", "")
    if refused := _wrong_with(asked):
        return _told(refused, 401)
    if not (allowed or core.switches.on("oauth_auto_approve")):
        return _asking(core, asked)
    if asked.get("decision") == "deny":
        return _back(uri, {"error": "access_denied", "state": asked.get("state", "")})
    code = Code(secrets.token_urlsafe(24), CLIENT_ID, uri, PERSON, core.now() + CODE_LIFE)
    core.state.codes.append(code)
    if uri == OUT_OF_BAND:
        return _told(f"Authorization code: {code.code}", 200)
    return _back(uri, {"code": code.code, "state": asked.get("state", "")})


def _back(uri: str, answer: dict[str, str]) -> Response:
    query = urlencode({k: v for k, v in answer.items() if v})
    return RedirectResponse(f"{uri}{'&' if urlsplit(uri).query else '?'}{query}", 302)


def _told(text: str, status: int) -> Response:
    return HTMLResponse(page("Sign in", f"<h1>{html.escape(text)}</h1>"), status)


def _asking(core: Core, asked: dict[str, str]) -> Response:
    names = ("response_type", "client_id", "redirect_uri", "state")
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{html.escape(asked.get(name, ""))}">'
        for name in names
    )
    person = html.escape(core.state.users[PERSON].name)
    return HTMLResponse(
        page(
            "Allow access",
            f"<h1>Allow OneCore to use Procore as {person}?</h1>"
            f"<p>{html.escape(core.state.company_name)}</p>"
            f'<form method="post" action="/oauth/authorize">{hidden}'
            '<button name="decision" value="allow">Allow</button> '
            '<button class="quiet" name="decision" value="deny">Deny</button></form>',
        )
    )
