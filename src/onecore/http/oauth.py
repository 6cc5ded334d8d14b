"""Getting tokens: client credentials, authorization code (with PKCE for Xero) and renewal.

One attempt each. Secrets, codes and tokens are in no exception and no log.
"""

import asyncio
import base64
import hashlib
import re
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import quote, urlencode

import httpx2
import msgspec
import structlog

from onecore.crash import reach
from onecore.http import limits
from onecore.http.transport import checked_base, in_words
from onecore.http.wire import Reader, Unreadable, encoded
from onecore.ports import (
    LONGEST_WRITE,
    AccessLost,
    Clock,
    NotReached,
    OutcomeUnknown,
    Remote,
    RemoteError,
    RequestRefused,
    ScopeMissing,
    Throttled,
)

# What the bill flow asks of Xero, in granular scopes [X 1].
XERO_SCOPE_REASONS: Mapping[str, str] = {
    "offline_access": "a refresh token, so that the sync goes on while nobody is signed in",
    "accounting.invoices": "write bills, read them back, and read their history",
    "accounting.contacts": "match suppliers, and create those that are missing",
    "accounting.settings": "accounts, tax rates, tracking options, currencies and lock dates",
    "accounting.payments.read": "whether a bill is paid, and so frozen",
    "accounting.attachments": "put the claim's files on its bill",
}
XERO_SCOPES: tuple[str, ...] = tuple(XERO_SCOPE_REASONS)
# A custom connection has no refresh token: it asks for a new access token instead [X 1].
XERO_CUSTOM_SCOPES: tuple[str, ...] = tuple(s for s in XERO_SCOPES if s != "offline_access")

_log = structlog.get_logger("onecore.http")
_WORD = re.compile(r"^[a-z_]{1,40}$")  # an OAuth error code; anything else is not repeated
_GRANT_GONE = {"invalid_grant", "invalid_client", "unauthorized_client", "access_denied"}
_IN_WORDS = {
    "invalid_grant": "the code or refresh token is no longer good (invalid_grant)",
    "invalid_client": "the client id or secret is wrong (invalid_client)",
    "unauthorized_client": "this app may not use this grant (unauthorized_client)",
    "access_denied": "the person or the organisation declined (access_denied)",
}


@dataclass(frozen=True, slots=True)
class OAuthApp:
    """One registered app at one remote. `token_base` is the host that mints tokens: Procore's
    LOGIN, Xero's IDENTITY address. A Xero app without a secret uses PKCE alone."""

    remote: Remote
    token_base: str
    client_id: str
    client_secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class TokenSet:
    """What a token endpoint gave. `refresh` None: client credentials, ask anew."""

    access: str = field(repr=False)
    refresh: str | None = field(repr=False)
    expires_at: datetime
    scopes: tuple[str, ...]


class _Tokens(msgspec.Struct):
    access_token: str
    expires_in: int
    refresh_token: str | None = None
    scope: str | None = None


class _Refused(msgspec.Struct):
    error: str | None = None


_TOKENS = Reader(_Tokens)
_REFUSED = Reader(_Refused)


async def by_client_credentials(
    http: httpx2.AsyncClient, app: OAuthApp, clock: Clock, scopes: Sequence[str] = ()
) -> TokenSet:
    """Tokens of a Procore service account or of a Xero custom connection."""
    fields = {"grant_type": "client_credentials"}
    if scopes:
        fields["scope"] = " ".join(scopes)
    return await _ask(http, app, clock, "client_credentials", fields)


async def by_code(
    http: httpx2.AsyncClient,
    app: OAuthApp,
    clock: Clock,
    code: str,
    redirect_uri: str,
    verifier: str | None = None,
) -> TokenSet:
    """Tokens for an authorization code; `verifier` is the one its challenge was made from."""
    fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
    if verifier is not None:
        fields["code_verifier"] = verifier
    return await _ask(http, app, clock, "authorization_code", fields)


async def refreshed(
    http: httpx2.AsyncClient, app: OAuthApp, clock: Clock, refresh: str
) -> TokenSet:
    """New tokens for a refresh token, which both remotes use up.

    Raises OutcomeUnknown when no answer came: at Xero the same token may be tried again within
    30 minutes [X 1]; at Procore it is spent, and a person signs in again [P 1.2].
    """
    fields = {"grant_type": "refresh_token", "refresh_token": refresh}
    return await _ask(http, app, clock, "refresh_token", fields)


def new_verifier() -> str:
    """A PKCE code verifier: 64 characters that are safe in a URL."""
    return secrets.token_urlsafe(48)


def challenge_of(verifier: str) -> str:
    """The S256 challenge of a verifier."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def procore_authorize_url(login_base: str, client_id: str, redirect_uri: str, state: str) -> str:
    """Where a person allows OneCore to act for them in Procore; rights come from their tools."""
    query = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "state": state,
    }
    return f"{checked_base(login_base)}/oauth/authorize?{urlencode(query, quote_via=quote)}"


def xero_authorize_url(
    login_base: str,
    client_id: str,
    redirect_uri: str,
    state: str,
    challenge: str,
    scopes: Sequence[str] = XERO_SCOPES,
) -> str:
    """Where a person allows OneCore into their Xero organisations."""
    query = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "scope": " ".join(scopes),
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    path = "/identity/connect/authorize"
    return f"{checked_base(login_base)}{path}?{urlencode(query, quote_via=quote)}"


def _request(http: httpx2.AsyncClient, app: OAuthApp, fields: dict[str, str]) -> httpx2.Request:
    base = checked_base(app.token_base)
    if app.remote is Remote.PROCORE:
        body = {"client_id": app.client_id, "client_secret": app.client_secret or "", **fields}
        return http.build_request(
            "POST",
            f"{base}/oauth/token",
            content=encoded(body),
            headers={"Content-Type": "application/json"},
        )
    headers = {}
    if app.client_secret:
        pair = f"{quote(app.client_id, safe='')}:{quote(app.client_secret, safe='')}".encode()
        headers["Authorization"] = "Basic " + base64.b64encode(pair).decode("ascii")
    else:
        fields = {"client_id": app.client_id, **fields}
    return http.build_request("POST", f"{base}/connect/token", data=fields, headers=headers)


async def _ask(
    http: httpx2.AsyncClient, app: OAuthApp, clock: Clock, operation: str, fields: dict[str, str]
) -> TokenSet:
    request = _request(http, app, fields)
    started, status = time.perf_counter(), 0
    point = f"call.{app.remote.value}.token.{operation}"
    try:
        reach(f"{point}.before")
        async with asyncio.timeout(LONGEST_WRITE):
            response = await http.send(request, follow_redirects=False)
        status = response.status_code
    except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError) as e:
        raise NotReached(app.remote, operation, in_words(e)) from None
    except (TimeoutError, httpx2.HTTPError) as e:
        raise OutcomeUnknown(app.remote, operation, in_words(e)) from None
    finally:
        reach(f"{point}.after")
        _log.info(
            "remote.token",
            remote=app.remote.value,
            operation=operation,
            status=status,
            ms=round((time.perf_counter() - started) * 1000),
        )
    if status != 200:
        raise _refusal(app, operation, response, clock)
    try:
        got = _TOKENS.read(response.content)
    except Unreadable:
        raise OutcomeUnknown(app.remote, operation, "unreadable answer") from None
    told = got.scope if got.scope is not None else fields.get("scope", "")
    expires_at = clock.now() + timedelta(seconds=got.expires_in)
    return TokenSet(got.access_token, got.refresh_token, expires_at, tuple(told.split()))


def _refusal(app: OAuthApp, operation: str, response: httpx2.Response, clock: Clock) -> RemoteError:
    """What a token endpoint's refusal means; only its error code is repeated, never its text."""
    status = response.status_code
    if status == 429:
        kind, wait = limits.throttle(app.remote, response.headers, clock.now())
        return Throttled(app.remote, operation, kind, wait)
    if status >= 500:
        return OutcomeUnknown(app.remote, operation, f"HTTP {status}")
    try:
        code = _REFUSED.read(response.content).error or ""
    except Unreadable:
        code = ""
    if code == "invalid_scope":
        return ScopeMissing(app.remote, operation, "a scope was refused (invalid_scope)")
    if code in _GRANT_GONE or (status == 401 and not code):
        return AccessLost(app.remote, operation, _IN_WORDS.get(code, "refused (401)"))
    reason = code if _WORD.match(code) else f"HTTP {status}"
    return RequestRefused(app.remote, operation, status, (reason,))
