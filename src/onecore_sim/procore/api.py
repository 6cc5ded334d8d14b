"""One request to the REST API: who asks, may they, and in which shape the answer goes back."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from onecore_sim.procore.core import Core, Json
from onecore_sim.procore.errors import ApiError, missing, not_found
from onecore_sim.procore.state import Project, Token, User

ENCODER = msgspec.json.Encoder(decimal_format="number")


@dataclass(slots=True)
class Reply:
    """An answer; `body` None is an empty one."""

    body: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Call:
    """A request that was let in."""

    core: Core
    request: Request
    body: Any
    user: User
    v2: bool

    def param(self, name: str) -> int:
        """An id from the path; what is not a number is not found."""
        try:
            return int(self.request.path_params[name])
        except ValueError:
            raise not_found() from None

    def query(self, name: str) -> str | None:
        return self.request.query_params.get(name)

    def needed(self, name: str) -> int:
        """An id from the query or the body; 400 naming it when it is missing."""
        raw = self.query(name)
        if raw is None and isinstance(self.body, dict):
            raw = self.body.get(name)
        try:
            return int(str(raw))
        except ValueError:
            raise missing(name) from None

    def part(self, name: str) -> Json:
        """An object inside the body, such as "requisition"; 400 when it is missing."""
        found = self.body.get(name) if isinstance(self.body, dict) else None
        if not isinstance(found, dict):
            raise missing(name)
        return found

    def project(self, tool: str | None = None) -> Project:
        """The project of the path, query or body, when this user may see it and the tool is on."""
        if "project_id" in self.request.path_params:
            project_id = self.param("project_id")
        else:
            project_id = self.needed("project_id")
        return self.visible(project_id, tool)

    def visible(self, project_id: int, tool: str | None = None) -> Project:
        project = self.core.state.projects.get(project_id)
        if project is None:
            raise not_found()
        if self.user.service_account and not project.permitted:
            status = self.core.switches.number("hidden_project_status")
            said = "Not found" if status == 404 else "You do not have access to this project"
            raise ApiError(status, said, shape="message")
        if tool and not project.tools.get(tool, False):
            raise ApiError(403, f"The {tool} tool is not enabled in this project", shape="message")
        return project

    def projects(self) -> list[Project]:
        """The projects this user may see."""
        everything = self.core.state.projects.values()
        return [p for p in everything if p.permitted or not self.user.service_account]

    def view(self, default: str) -> str:
        return self.query("view") or default


Handler = Callable[[Call], Reply]


def api(core: Core, method: str, path: str, handler: Handler) -> Route:
    """A route of the REST API, with every check a call meets before its own."""

    async def endpoint(request: Request) -> Response:
        raw = await request.body()
        return answer(core, request, raw, path, handler)

    return Route(path, endpoint, methods=[method])


def answer(core: Core, request: Request, raw: bytes, path: str, handler: Handler) -> Response:
    """Carry a call out; synchronous, so that no other request falls between its steps."""
    v2 = path.startswith("/rest/v2")
    headers: dict[str, str] = {}
    try:
        token = _token(core, request)
        headers = _throttle(core)
        _company(core, request, token, path)
        call = Call(core, request, _body(raw), core.state.users[token.user_id], v2)
        reply = handler(call)
    except ApiError as error:
        shape = str(core.switches["error_shape"])
        reply = Reply(error.body(shape, v2), error.status, error.headers)
    content = b"" if reply.body is None else ENCODER.encode(reply.body)
    media = None if reply.body is None else "application/json; charset=utf-8"
    return Response(content, reply.status, headers | reply.headers, media_type=media)


def _token(core: Core, request: Request) -> Token:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    token = find_token(core, given) if scheme.lower() == "bearer" else None
    if token is None:
        raise ApiError(401, "Unauthorized", headers={"WWW-Authenticate": 'Bearer realm="Procore"'})
    return token


def find_token(core: Core, access: str) -> Token | None:
    """The living token with that access value."""
    now = core.now()
    for token in reversed(core.state.tokens):
        if token.access == access:
            return None if token.revoked or token.expires_at <= now else token
    return None


def _throttle(core: Core) -> dict[str, str]:
    now = core.now()
    switches = core.switches
    standing = core.limits.count(now, switches.number("rate_hour"), switches.number("rate_spike"))
    if standing is None:
        return {}
    headers = {
        "X-Rate-Limit-Limit": str(standing.limit),
        "X-Rate-Limit-Remaining": str(standing.remaining),
        "X-Rate-Limit-Reset": str(int(now.timestamp()) + standing.wait_seconds),
    }
    if standing.refused:
        if switches.on("retry_after"):
            headers["Retry-After"] = str(standing.wait_seconds)
        raise ApiError(429, "You have surpassed the max number of requests", headers=headers)
    return headers


def _company(core: Core, request: Request, token: Token, path: str) -> None:
    """The Procore-Company-Id rule: only a user's own /me and /companies go without it."""
    given = request.headers.get("procore-company-id")
    service = core.state.users[token.user_id].service_account
    if given is None:
        if not service and path in ("/rest/v1.0/me", "/rest/v1.0/companies"):
            return
        raise ApiError(
            core.switches.number("missing_company_header_status"),
            "Missing required header: Procore-Company-Id",
        )
    named = {given, request.query_params.get("company_id") or given}
    named.add(request.path_params.get("company_id") or given)
    if named != {str(core.state.company_id)} or not core.switches.on("app_connected"):
        raise ApiError(403, "App is not connected to this company", shape="message")


def _body(raw: bytes) -> Any:
    if not raw.strip():
        return {}
    try:
        return json.loads(raw)
    except ValueError:
        raise ApiError(400, "The body is not JSON", shape="coded") from None


def routes(core: Core, table: Mapping[tuple[str, str], Handler]) -> list[BaseRoute]:
    """Routes of a table {(method, path): handler}; a known path with another method gets 405."""
    return [api(core, method, path, handler) for (method, path), handler in table.items()]
