"""A call of the accounting API: who calls, for which organisation, and every check before a

handler runs: sign-in, organisation, scope, limits, size, idempotency.
"""

import asyncio
import gzip
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response

from onecore_sim.kit.faults import Fault, Kind
from onecore_sim.kit.server import FAULT
from onecore_sim.xero import limits, oauth, replays, settings, wire
from onecore_sim.xero.desk import Actor, Desk, Refused
from onecore_sim.xero.state import App, Grant, Organisation, Replay
from onecore_sim.xero.where import QueryError

if TYPE_CHECKING:
    from onecore_sim.xero.simulator import XeroSimulator

VALIDATION = 10
UNPARSABLE = 14
TOO_MANY = 51
WRITES = ("POST", "PUT", "PATCH")
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a handler gives back: a JSON value, or bytes with their own type."""

    value: object = None
    status: int = 200
    raw: bytes | None = None
    content_type: str = "application/json; charset=utf-8"


@dataclass(slots=True)
class Call:
    sim: "XeroSimulator"
    org: Organisation
    app: App
    desk: Desk
    method: str
    path: dict[str, str]
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    base_url: str
    refused: dict[int, str] = field(default_factory=dict)

    def check_element(self, number: int) -> None:
        """Raises Refused where a fault refuses that element of the batch, counted from 1."""
        if number in self.refused:
            raise Refused(self.refused[number])

    def flag(self, name: str, default: bool = False) -> bool:
        return self.query.get(name, str(default)).lower() == "true"

    def number(self, name: str, default: int) -> int:
        try:
            return int(self.query.get(name, default))
        except ValueError as error:
            raise wire.Unreadable(f"{name} has to be a whole number.") from error


Handler = Callable[[Call], Answer]


class NotThere(Exception):
    """The record asked for does not exist."""


def validation_error(items: list[dict[str, Any]]) -> Answer:
    return Answer(
        {
            "ErrorNumber": VALIDATION,
            "Type": "ValidationException",
            "Message": "A validation exception occurred",
            "Elements": items,
        },
        400,
    )


def errors_of(refused: Refused) -> list[dict[str, str]]:
    return [{"Message": message} for message in refused.messages]


def exception(number: int, type_: str, message: str) -> Answer:
    return Answer({"ErrorNumber": number, "Type": type_, "Message": message}, 400)


def endpoint(
    sim: "XeroSimulator", family: str, handler: Handler
) -> Callable[[Request], Awaitable[Response]]:
    """The ASGI end of a handler. `family` is the scope: ".read" is enough for a GET."""

    async def run(request: Request) -> Response:
        return await _run(sim, family, handler, request)

    return run


async def _run(sim: "XeroSimulator", family: str, handler: Handler, request: Request) -> Response:
    if sim.switches.on("organisation_offline"):
        return Response("The Organisation is offline", 503, media_type="text/plain")
    caller = oauth.authenticate(sim, request)
    if isinstance(caller, Response):
        return caller
    grant, app, scopes, token = caller
    org = oauth.organisation_for(sim, request, grant, app)
    if isinstance(org, Response):
        return org
    needed = (family, f"{family}.read") if request.method == "GET" else (family,)
    if not oauth.may(sim, scopes, needed):
        return oauth.scope_missing(sim)
    over = sim.limits.enter(sim.state.windows, sim.switches, sim.clock.now(), app.client_id, org.id)
    if over is not None:
        return _too_many(sim, over, app.client_id, org.id)
    try:
        if latency := sim.switches.number("latency_ms"):
            await asyncio.sleep(latency / 1000)
        call = await _call(sim, request, grant, app, org)
        answer = _idempotent(call, handler, request, token)
    finally:
        sim.limits.leave(app.client_id, org.id)
    return _respond(call, answer)


async def _call(
    sim: "XeroSimulator", request: Request, grant: Grant, app: App, org: Organisation
) -> Call:
    query = dict(request.query_params)
    rules = settings.rules(sim.switches)
    actor = Actor(name=grant.user, app=app.client_id)
    places = 4 if query.get("unitdp") == "4" else 2
    return Call(
        sim=sim,
        org=org,
        app=app,
        desk=Desk(org, sim.clock.now(), actor, rules, places),
        method=request.method,
        path={k: str(v) for k, v in request.path_params.items()},
        query=query,
        headers={k.lower(): v for k, v in request.headers.items()},
        body=await request.body(),
        base_url=str(request.base_url).rstrip("/"),
        refused=_refused(request),
    )


def _refused(request: Request) -> dict[int, str]:
    fault: Fault | None = request.scope.get(FAULT)
    if fault is None or fault.kind is not Kind.PART_REFUSED:
        return {}
    return dict.fromkeys(fault.elements, fault.message)


def _too_many(sim: "XeroSimulator", over: limits.Over, client_id: str, org_id: str) -> Response:
    told = limits.headers(sim.state.windows, sim.switches, sim.clock.now(), client_id, org_id)
    told["X-Rate-Limit-Problem"] = over.problem
    if over.retry_after is not None:
        told["Retry-After"] = str(over.retry_after)
    return Response("Too many requests.", 429, told, media_type="text/plain")


def _idempotent(call: Call, handler: Handler, request: Request, token: str) -> Answer:
    """The handler's answer, or the one its Idempotency-Key was first given."""
    key = call.headers.get("idempotency-key", "")
    if not key or call.method not in WRITES:
        return _handled(call, handler)
    if len(key) > replays.LONGEST_KEY:
        text = f"The Idempotency Key must not be longer than {replays.LONGEST_KEY} characters."
        return exception(VALIDATION, "ValidationException", text)
    by_app = call.sim.switches["idempotency_scope"] == "app"
    slot = f"{call.app.client_id if by_app else token}/{key}"
    mark = replays.fingerprint(call.method, str(request.url), call.body)
    kept = replays.recall(call.sim.state.replays, slot, call.desk.now)
    if kept is not None:
        if kept.fingerprint != mark:
            text = f"Idempotency Key: {key} is used with a different request."
            return exception(VALIDATION, "ValidationException", text)
        return Answer(status=kept.status, raw=kept.body, content_type=kept.content_type)
    answer = _handled(call, handler)
    if answer.status < 400 or call.sim.switches.on("idempotency_caches_errors"):
        body = answer.raw if answer.raw is not None else wire.encode(answer.value)
        call.sim.state.replays[slot] = Replay(
            fingerprint=mark,
            at=call.desk.now,
            status=answer.status,
            content_type=answer.content_type,
            body=body,
        )
    return answer


def _handled(call: Call, handler: Handler) -> Answer:
    """The answer, with everything a handler may raise put into Xero's shapes."""
    if len(call.body) > call.sim.switches.number("max_body_bytes"):
        return Answer(status=413, raw=b"Request is too large.", content_type="text/plain")
    try:
        return handler(call)
    except wire.Unreadable as error:
        return exception(UNPARSABLE, "PostDataInvalidException", str(error))
    except QueryError as error:
        number = call.sim.switches.number("bad_query_number")
        return exception(number, "QueryParseException", str(error))
    except Refused as refused:
        return validation_error([{"ValidationErrors": errors_of(refused)}])
    except NotThere:
        text = b"The resource you're looking for cannot be found"
        return Answer(status=404, raw=text, content_type="text/html")
    finally:
        call.sim.publish(call.org, call.desk.changes)


def _respond(call: Call, answer: Answer) -> Response:
    told = limits.headers(
        call.sim.state.windows, call.sim.switches, call.desk.now, call.app.client_id, call.org.id
    )
    told["Xero-Correlation-Id"] = oauth.random_id()
    if answer.status in (204, 304):
        return Response(status_code=answer.status, headers=told)
    if answer.raw is not None and JSON not in answer.content_type:
        return Response(answer.raw, answer.status, told, media_type=answer.content_type)
    if JSON not in call.headers.get("accept", ""):
        xml = b"<Response><Status>OK</Status></Response>"
        if answer.status >= 400:
            xml = b"<ApiException><Type>ValidationException</Type></ApiException>"
        return Response(xml, answer.status, told, media_type="text/xml")
    body = answer.raw if answer.raw is not None else wire.encode(answer.value)
    if call.sim.switches.on("gzip_answers") and "gzip" in call.headers.get("accept-encoding", ""):
        body, told["Content-Encoding"] = gzip.compress(body), "gzip"
    return Response(body, answer.status, told, media_type=answer.content_type)
