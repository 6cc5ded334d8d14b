"""Sign-in: consent, codes with PKCE, tokens and their rotation, connections, scopes [X 1]."""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlencode
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from onecore_sim.xero import wire
from onecore_sim.xero.layout import page
from onecore_sim.xero.state import (
    AccessToken,
    App,
    Code,
    Connection,
    Grant,
    Organisation,
    RefreshToken,
)

if TYPE_CHECKING:
    from onecore_sim.xero.simulator import XeroSimulator

ACCESS_LIFE = timedelta(minutes=30)
REFRESH_LIFE = timedelta(days=60)
GRACE = timedelta(minutes=30)
OWNER = "Avery Owner"
TITLES = {401: "Unauthorized", 403: "Forbidden"}
_BOTH = (
    "accounting.invoices", "accounting.payments", "accounting.banktransactions",
    "accounting.manualjournals", "accounting.settings", "accounting.contacts",
    "accounting.attachments", "files", "assets", "projects", "payroll.employees",
    "payroll.payruns", "payroll.payslip", "payroll.timesheets", "payroll.settings",
)  # fmt: skip
_REPORTS = (
    "aged", "balancesheet", "banksummary", "budgetsummary", "executivesummary", "profitandloss",
    "trialbalance", "taxreports", "tenninetynine",
)  # fmt: skip
IDENTITY_SCOPES = {"openid", "profile", "email", "offline_access"}
SCOPES = (
    {s for name in _BOTH for s in (name, f"{name}.read")}
    | {f"accounting.reports.{name}.read" for name in _REPORTS}
    | {"accounting.budgets.read", "accounting.journals.read"}
    | IDENTITY_SCOPES
)
BROAD = {
    "accounting.transactions": (
        "accounting.invoices", "accounting.payments", "accounting.banktransactions",
        "accounting.manualjournals",
    )
}  # fmt: skip
Caller = tuple[Grant, App, list[str], str]


def random_id() -> str:
    return str(uuid4())


def json_answer(value: object, status: int = 200) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(wire.encode(value), status, headers, media_type="application/json")


def problem(status: int, title: str, detail: str, challenge: str = "") -> Response:
    """The envelope of refused access."""
    body = {
        "Type": None,
        "Title": title,
        "Status": status,
        "Detail": detail,
        "Instance": random_id(),
    }
    answer = json_answer(body, status)
    if challenge:
        answer.headers["WWW-Authenticate"] = challenge
    return answer


def authenticate(sim: "XeroSimulator", request: Request) -> Caller | Response:
    """Whose token came with the request, or the 401 that says what is wrong with it."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    known = sim.state.access_tokens.get(token.strip()) if kind.lower() == "bearer" else None
    grant = sim.state.grants.get(known.grant_id) if known else None
    if known is None or grant is None or grant.revoked:
        return problem(401, "Unauthorized", "AuthenticationUnsuccessful")
    if known.expires_at <= sim.clock.now():
        ended = known.expires_at.strftime("%m/%d/%Y %H:%M:%S")
        detail = f"TokenExpired: token expired at {ended}"
        return problem(401, "Unauthorized", detail, 'Bearer error="invalid_token"')
    return grant, sim.state.apps[grant.client_id], known.scopes, known.token


def organisation_for(
    sim: "XeroSimulator", request: Request, grant: Grant, app: App
) -> Organisation | Response:
    """The organisation the call is for; a custom connection need not name its only one."""
    tenant_id = request.headers.get("xero-tenant-id", "").lower() or app.tenant_id or ""
    connected = any(
        c.client_id == app.client_id and c.user == grant.user and c.tenant_id == tenant_id
        for c in sim.state.connections.values()
    )
    org = sim.state.organisations.get(tenant_id)
    if org is None or not connected:
        status = int(str(sim.switches["missing_tenant_status"]))
        return problem(status, TITLES[status], "AuthenticationUnsuccessful")
    return org


def may(sim: "XeroSimulator", scopes: list[str], needed: tuple[str, ...]) -> bool:
    granted = set(scopes)
    if sim.switches.on("broad_scopes"):
        for broad, narrow in BROAD.items():
            for end in ("", ".read"):
                if broad + end in granted:
                    granted |= {name + end for name in narrow}
    return not granted.isdisjoint(needed)


def scope_missing(sim: "XeroSimulator") -> Response:
    status = int(str(sim.switches["missing_scope_status"]))
    return problem(
        status, TITLES[status], "AuthorizationUnsuccessful", 'Bearer error="insufficent_scope"'
    )


def known_scopes(sim: "XeroSimulator") -> set[str]:
    if not sim.switches.on("broad_scopes"):
        return SCOPES
    old = {f"{name}{end}" for name in BROAD for end in ("", ".read")}
    return SCOPES | old | {"accounting.reports.read"}


def routes(sim: "XeroSimulator") -> list[BaseRoute]:
    async def authorize(request: Request) -> Response:
        asked = dict(request.query_params)
        if request.method == "POST":
            asked |= dict(parse_qsl((await request.body()).decode()))
        return _authorize(sim, asked, posted=request.method == "POST")

    async def token(request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        return _token(sim, request, form)

    async def revocation(request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        return _revoke(sim, request, form)

    async def connections(request: Request) -> Response:
        return _connections(sim, request)

    async def disconnect(request: Request) -> Response:
        return _disconnect(sim, request)

    return [
        Route("/identity/connect/authorize", authorize, methods=["GET", "POST"]),
        Route("/connect/token", token, methods=["POST"]),
        Route("/connect/revocation", revocation, methods=["POST"]),
        Route("/connections", connections, methods=["GET"]),
        Route("/connections/{id}", disconnect, methods=["DELETE"]),
    ]


def _authorize(sim: "XeroSimulator", asked: dict[str, str], posted: bool) -> Response:
    app = sim.state.apps.get(asked.get("client_id", ""))
    redirect = asked.get("redirect_uri", "")
    if app is None or app.tenant_id is not None:
        return _oops("unauthorized_client", "The client_id is not that of a web app.")
    if not redirect or (app.redirect_uris and redirect not in app.redirect_uris):
        return _oops("invalid_redirect_uri", "The redirect_uri is not one of the app's.")
    scopes = asked.get("scope", "").split()
    if error := _request_error(sim, asked, scopes):
        return _back(redirect, {"error": error, "state": asked.get("state", "")})
    if not posted:
        return Response(_consent(sim, app, scopes, asked), media_type="text/html")
    return _decided(sim, app, scopes, asked)


def _request_error(sim: "XeroSimulator", asked: dict[str, str], scopes: list[str]) -> str:
    if asked.get("response_type") != "code":
        return "unsupported_response_type"
    if not scopes or not set(scopes) <= known_scopes(sim):
        return "invalid_scope"
    if asked.get("code_challenge") and asked.get("code_challenge_method") != "S256":
        return "invalid_request"
    return ""


def _decided(sim: "XeroSimulator", app: App, scopes: list[str], asked: dict[str, str]) -> Response:
    redirect, state = asked["redirect_uri"], asked.get("state", "")
    if asked.get("decision") != "allow":
        return _back(redirect, {"error": "access_denied", "state": state})
    org = sim.state.organisations.get(asked.get("tenant_id", ""))
    if org is None:
        return _oops("invalid_request", "Choose an organisation.")
    grant = allow(sim, app, OWNER, scopes, [org.id])
    code = Code(
        code=secrets.token_urlsafe(32),
        grant_id=grant.id,
        redirect_uri=redirect,
        challenge=asked.get("code_challenge", ""),
        expires_at=sim.clock.now() + timedelta(seconds=sim.switches.number("code_seconds")),
        scopes=list(grant.scopes),
        nonce=asked.get("nonce", ""),
    )
    sim.state.codes[code.code] = code
    return _back(redirect, {"code": code.code, "scope": " ".join(scopes), "state": state})


def allow(
    sim: "XeroSimulator", app: App, user: str, scopes: list[str], tenant_ids: list[str]
) -> Grant:
    """What a user's consent leaves behind: one grant per user and app, scopes only ever added."""
    grants = sim.state.grants.values()
    grant = next(
        (g for g in grants if (g.client_id, g.user, g.revoked) == (app.client_id, user, False)),
        None,
    )
    event = random_id()
    if grant is None:
        grant = Grant(
            id=random_id(), client_id=app.client_id, user=user, scopes=[], auth_event_id=event
        )
        sim.state.grants[grant.id] = grant
    grant.auth_event_id = event
    grant.scopes = list(dict.fromkeys([*grant.scopes, *scopes]))
    for tenant_id in tenant_ids:
        connect(sim, grant, tenant_id)
    return grant


def connect(sim: "XeroSimulator", grant: Grant, tenant_id: str) -> Connection:
    now = sim.clock.now()
    for known in sim.state.connections.values():
        owner = (known.client_id, known.user, known.tenant_id)
        if owner == (grant.client_id, grant.user, tenant_id):
            known.auth_event_id, known.updated_at = grant.auth_event_id, now
            return known
    made = Connection(
        id=random_id(),
        client_id=grant.client_id,
        user=grant.user,
        tenant_id=tenant_id,
        auth_event_id=grant.auth_event_id,
        created_at=now,
        updated_at=now,
    )
    sim.state.connections[made.id] = made
    return made


def _token(sim: "XeroSimulator", request: Request, form: dict[str, str]) -> Response:
    client_id, secret = _client(request, form)
    app = sim.state.apps.get(client_id)
    if app is None or (secret and not hmac.compare_digest(secret, app.secret)):
        return json_answer({"error": "invalid_client"}, 400)
    kind = form.get("grant_type")
    if kind == "authorization_code" and app.tenant_id is None:
        return _from_code(sim, app, bool(secret), form)
    if kind == "refresh_token" and app.tenant_id is None:
        return _from_refresh(sim, app, form)
    if kind == "client_credentials" and app.tenant_id is not None:
        return _from_credentials(sim, app, bool(secret), form)
    known = ("authorization_code", "refresh_token", "client_credentials")
    error = "unauthorized_client" if kind in known else "unsupported_grant_type"
    return json_answer({"error": error}, 400)


def _client(request: Request, form: dict[str, str]) -> tuple[str, str]:
    """The client's id and secret, from HTTP Basic or the form."""
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "basic":
        try:
            id_, _, secret = base64.b64decode(value).decode().partition(":")
        except ValueError:
            return "", ""
        return unquote(id_), unquote(secret)
    return form.get("client_id", ""), form.get("client_secret", "")


def _from_code(sim: "XeroSimulator", app: App, by_secret: bool, form: dict[str, str]) -> Response:
    code = sim.state.codes.pop(form.get("code", ""), None)
    now = sim.clock.now()
    if code is None or code.expires_at <= now:
        return json_answer({"error": "invalid_grant"}, 400)
    grant = sim.state.grants[code.grant_id]
    same = grant.client_id == app.client_id and form.get("redirect_uri") == code.redirect_uri
    if not same or not _proven(code.challenge, form.get("code_verifier", ""), by_secret):
        return json_answer({"error": "invalid_grant"}, 400)
    return json_answer(issue(sim, grant, code.scopes, nonce=code.nonce))


def _proven(challenge: str, verifier: str, by_secret: bool) -> bool:
    """A challenge must be met; without one only the client's secret will do."""
    if not challenge:
        return by_secret
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest())
    return hmac.compare_digest(digest.rstrip(b"=").decode(), challenge)


def _from_refresh(sim: "XeroSimulator", app: App, form: dict[str, str]) -> Response:
    """A new pair; the old refresh token may be tried again for thirty minutes after its use."""
    now = sim.clock.now()
    known = sim.state.refresh_tokens.get(form.get("refresh_token", ""))
    grant = sim.state.grants.get(known.grant_id) if known else None
    dead = (
        known is None
        or grant is None
        or grant.revoked
        or grant.client_id != app.client_id
        or known.expires_at <= now
        or (known.used_at is not None and now - known.used_at > GRACE)
    )
    if dead or known is None or grant is None:
        return json_answer({"error": "invalid_grant"}, 400)
    known.used_at = known.used_at or now
    return json_answer(issue(sim, grant, grant.scopes))


def _from_credentials(
    sim: "XeroSimulator", app: App, by_secret: bool, form: dict[str, str]
) -> Response:
    if not by_secret:
        return json_answer({"error": "invalid_client"}, 400)
    asked = form.get("scope", "").split() or app.scopes
    if not set(asked) <= set(app.scopes):
        return json_answer({"error": "invalid_scope"}, 400)
    grant = custom_grant(sim, app)
    if grant is None:
        return json_answer({"error": "unauthorized_client"}, 400)
    return json_answer(issue(sim, grant, asked))


def custom_grant(sim: "XeroSimulator", app: App) -> Grant | None:
    """The grant of a custom connection, made with the app; None once the user took it away."""
    for grant in sim.state.grants.values():
        if grant.client_id == app.client_id and not grant.revoked:
            return grant
    return None


def issue(sim: "XeroSimulator", grant: Grant, scopes: list[str], nonce: str = "") -> dict[str, Any]:
    """A token answer: an access token, and what else the scopes promise."""
    now = sim.clock.now()
    custom = sim.state.apps[grant.client_id].tenant_id is not None
    claims = {
        "iss": "https://identity.xero.com",
        "client_id": grant.client_id,
        "sub": hashlib.sha256(grant.user.encode()).hexdigest()[:32],
        "nbf": int(now.timestamp()),
        "exp": int((now + ACCESS_LIFE).timestamp()),
        "jti": secrets.token_hex(16),
        "authentication_event_id": grant.auth_event_id,
    }
    access = AccessToken(
        token=_jwt({**claims, "scope": list(scopes)}),
        grant_id=grant.id,
        scopes=list(scopes),
        expires_at=now + ACCESS_LIFE,
    )
    _forget_expired(sim, now)
    sim.state.access_tokens[access.token] = access
    answer: dict[str, Any] = {
        "access_token": access.token,
        "expires_in": int(ACCESS_LIFE.total_seconds()),
        "token_type": "Bearer",
        "scope": " ".join(scopes),
    }
    if "openid" in scopes:
        ends = now + timedelta(seconds=sim.switches.number("id_token_seconds"))
        told = {"aud": grant.client_id, "nonce": nonce, "exp": int(ends.timestamp())}
        answer["id_token"] = _jwt({**claims, **told})
    if "offline_access" in scopes and not custom:
        refresh = RefreshToken(
            token=secrets.token_urlsafe(32), grant_id=grant.id, expires_at=now + REFRESH_LIFE
        )
        sim.state.refresh_tokens[refresh.token] = refresh
        answer["refresh_token"] = refresh.token
    return answer


def _forget_expired(sim: "XeroSimulator", now: datetime) -> None:
    """Drop access tokens a day after their end, so that the state does not grow for ever."""
    tokens = sim.state.access_tokens
    for key in [k for k, t in tokens.items() if t.expires_at + timedelta(days=1) < now]:
        del tokens[key]


def _jwt(claims: dict[str, Any]) -> str:
    """A token that reads like Xero's; its signature is only good here."""
    head = _b64(wire.encode({"alg": "RS256", "typ": "JWT", "kid": "SIM"}))
    body = _b64(wire.encode(claims))
    return f"{head}.{body}.{secrets.token_urlsafe(16)}"


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _revoke(sim: "XeroSimulator", request: Request, form: dict[str, str]) -> Response:
    client_id, secret = _client(request, form)
    app = sim.state.apps.get(client_id)
    if app is None or (secret and not hmac.compare_digest(secret, app.secret)):
        return json_answer({"error": "invalid_client"}, 400)
    known = sim.state.refresh_tokens.get(form.get("token", ""))
    grant = sim.state.grants.get(known.grant_id) if known else None
    if grant is not None and grant.client_id == app.client_id:
        revoke_grant(sim, grant)
    return Response(status_code=200)


def revoke_grant(sim: "XeroSimulator", grant: Grant) -> None:
    """End a grant with its tokens; all connections of that user to that app go with it."""
    grant.revoked = True
    owner = (grant.client_id, grant.user)
    for id_, known in list(sim.state.connections.items()):
        if (known.client_id, known.user) == owner:
            del sim.state.connections[id_]


def _connections(sim: "XeroSimulator", request: Request) -> Response:
    caller = authenticate(sim, request)
    if isinstance(caller, Response):
        return caller
    grant = caller[0]
    event = request.query_params.get("authEventId", "").lower()
    rows = [
        {
            "id": c.id,
            "authEventId": c.auth_event_id,
            "tenantId": c.tenant_id,
            "tenantType": "ORGANISATION",
            "tenantName": sim.state.organisations[c.tenant_id].name,
            "createdDateUtc": _seven_digits(c.created_at),
            "updatedDateUtc": _seven_digits(c.updated_at),
        }
        for c in sim.state.connections.values()
        if (c.client_id, c.user) == (grant.client_id, grant.user) and event in ("", c.auth_event_id)
    ]
    return json_answer(rows)


def _seven_digits(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f") + "0"


def _disconnect(sim: "XeroSimulator", request: Request) -> Response:
    caller = authenticate(sim, request)
    if isinstance(caller, Response):
        return caller
    grant = caller[0]
    known = sim.state.connections.get(request.path_params["id"].lower())
    if known is None or (known.client_id, known.user) != (grant.client_id, grant.user):
        return Response(status_code=404)
    del sim.state.connections[known.id]
    return Response(status_code=204)


def _back(redirect: str, told: dict[str, str]) -> Response:
    joint = "&" if "?" in redirect else "?"
    filled = {key: value for key, value in told.items() if value}
    return RedirectResponse(f"{redirect}{joint}{urlencode(filled)}", status_code=302)


def _oops(error: str, text: str) -> Response:
    body = f"<h1>Sorry, something went wrong</h1><p>Error: {escape(error)}. {escape(text)}</p>"
    return Response(page("Error", body), 400, media_type="text/html")


def _consent(sim: "XeroSimulator", app: App, scopes: list[str], asked: dict[str, str]) -> str:
    choices = "".join(
        f'<p><label><input type="radio" name="tenant_id" value="{escape(org.id)}"'
        f"{' checked' if place == 0 else ''}> {escape(org.name)}</label></p>"
        for place, org in enumerate(sim.state.organisations.values())
    )
    listed = "".join(f"<li><code>{escape(scope)}</code></li>" for scope in scopes)
    kept = "".join(
        f'<input type="hidden" name="{escape(key)}" value="{escape(value)}">'
        for key, value in asked.items()
    )
    return page(
        "Allow access",
        f"<h1>{escape(app.name)} wants access</h1><p>Signed in as {escape(OWNER)}.</p>"
        f'<form method="post" action="/identity/connect/authorize">{kept}'
        f"<fieldset><legend>Organisation</legend>{choices}</fieldset>"
        f"<h2>It will be able to use</h2><ul>{listed}</ul>"
        '<p><button name="decision" value="allow">Allow access</button> '
        '<button name="decision" value="cancel" class="quiet">Cancel</button></p></form>',
    )
