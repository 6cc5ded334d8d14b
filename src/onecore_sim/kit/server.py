"""Serving a simulator over HTTP: the gate every request passes, the control paths, the process."""

import asyncio
import contextlib
import gzip
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from onecore_sim.kit.catalogue import Asked, Catalogue
from onecore_sim.kit.clock import SimClock
from onecore_sim.kit.faults import Fault, Faults, Kind
from onecore_sim.kit.requestlog import Exchange, RequestLog
from onecore_sim.kit.switches import Switches

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
SECRET_HEADERS = {"authorization", "cookie", "set-cookie"}
FAULT = "onecore_sim.fault"  # where a handler finds the fault of its request, in the ASGI scope


class Simulator(Protocol):
    """What the server needs of a simulator.

    `state` holds everything that outlives a restart; `apply_state` replaces it; `seed` fills it
    from the generated builder. `start` and `stop` frame background work such as webhooks. `act`
    does one of the things that a fault may name.
    """

    name: str
    clock: SimClock
    switches: Switches
    faults: Faults
    catalogue: Catalogue
    log: RequestLog

    def routes(self) -> list[BaseRoute]: ...
    def dump_state(self) -> bytes: ...
    def apply_state(self, raw: bytes) -> None: ...
    def seed(self, size: str, seed: int) -> None: ...
    def act(self, name: str) -> None: ...
    async def start(self) -> None: ...
    async def stop(self) -> None: ...


class Gate:
    """The outermost ASGI layer: meets faults, records the exchange, passes the rest on.

    The control paths and the simulators' own pages' static needs are exempt from faults; pages
    that a person uses live outside the API paths and are simply not named by any fault.
    """

    def __init__(self, app: App, sim: Simulator) -> None:
        self._app = app
        self._sim = sim

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/_sim"):
            await self._app(scope, receive, send)
            return
        body = await _whole_body(receive)
        if body is None:
            return
        query = scope["query_string"].decode()
        target = scope["path"] + (f"?{query}" if query else "")
        fault = self._sim.faults.meet(scope["method"], target)
        status, headers, answer = await self._answer(scope, body, fault)
        self._record(scope, query, body, fault, status, headers, answer)
        await self._emit(receive, send, fault, status, headers, answer)

    async def _answer(
        self, scope: Scope, body: bytes, fault: Fault | None
    ) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        """Carry the request out unless the fault comes before it; 0 is no answer at all."""
        if fault is None:
            return await _call(self._app, scope, body)
        if fault.act:
            self._sim.act(fault.act)
        if fault.kind in (Kind.DROP, Kind.HANG):
            return 0, [], b""
        if fault.kind is Kind.STATUS:
            return _fault_answer(fault, self._sim.clock.now())
        answer = await _call(self._app, {**scope, FAULT: fault}, body)
        if fault.kind is Kind.STATUS_AFTER:
            return _fault_answer(fault, self._sim.clock.now())
        if fault.kind in (Kind.LOST, Kind.HANG_AFTER):
            return 0, [], b""
        return answer

    async def _emit(
        self,
        receive: Receive,
        send: Send,
        fault: Fault | None,
        status: int,
        headers: list[tuple[bytes, bytes]],
        answer: bytes,
    ) -> None:
        if fault and fault.seconds:
            await _wait(receive, fault.seconds)
        if status == 0:
            _abort(send)
            return
        await send({"type": "http.response.start", "status": status, "headers": headers})
        if fault and fault.kind is Kind.TRUNCATED:
            half = answer[: len(answer) // 2]
            await send({"type": "http.response.body", "body": half, "more_body": True})
            await asyncio.sleep(0.05)
            _abort(send)
            return
        await send({"type": "http.response.body", "body": answer})

    def _record(
        self,
        scope: Scope,
        query: str,
        body: bytes,
        fault: Fault | None,
        status: int,
        headers: list[tuple[bytes, bytes]],
        answer: bytes,
    ) -> None:
        log = self._sim.log
        log.add(
            Exchange(
                n=log.next_number(),
                at=self._sim.clock.now().isoformat(),
                method=scope["method"],
                path=scope["path"],
                query=query,
                status=status,
                fault=(fault.name or fault.kind.value) if fault else "",
                request_headers=_readable(scope["headers"]),
                request_body=body.decode("utf-8", "replace"),
                response_headers=_readable(headers),
                response_body=_plain(headers, answer).decode("utf-8", "replace"),
            )
        )


def _readable(headers: list[tuple[bytes, bytes]]) -> dict[str, str]:
    pairs = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}
    return {name: "…" if name in SECRET_HEADERS else value for name, value in pairs.items()}


def _plain(headers: list[tuple[bytes, bytes]], answer: bytes) -> bytes:
    """The answer as it was before it was compressed."""
    packed = (b"content-encoding", b"gzip") in headers
    return gzip.decompress(answer) if packed else answer


def _fault_answer(fault: Fault, now: datetime) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    body = fault.body.encode()
    headers = {
        "content-type": fault.content_type,
        "content-length": str(len(body)),
        **fault.headers,
        **{name: str(int(now.timestamp()) + after) for name, after in fault.stamps.items()},
    }
    return fault.status, [(k.lower().encode(), v.encode()) for k, v in headers.items()], body


async def _wait(receive: Receive, seconds: float) -> None:
    """So long, or until whoever asked has gone."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                pass


async def _whole_body(receive: Receive) -> bytes | None:
    """The body, or None where whoever sent it went away before its end."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


async def _call(
    app: App, scope: Scope, body: bytes
) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Run the inner application to its end and hold its whole answer."""
    sent = False
    status = 500
    headers: list[tuple[bytes, bytes]] = []
    parts: list[bytes] = []

    async def receive() -> Message:
        nonlocal sent
        if sent:
            return {"type": "http.disconnect"}
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status, headers = message["status"], list(message.get("headers", []))
        elif message["type"] == "http.response.body":
            parts.append(message.get("body", b""))

    await app(scope, receive, send)
    return status, headers, b"".join(parts)


def _abort(send: Send) -> None:
    """Close the socket with nothing more said, as a broken network does.

    ASGI has no word for that; uvicorn's `send` is a method of the cycle that owns the transport.
    """
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        raise RuntimeError("This server gives no access to the connection; run it under uvicorn.")
    transport.abort()


def control_routes(sim: Simulator) -> list[BaseRoute]:
    """Paths under /_sim by which tests and the demo steer a simulator."""

    async def health(request: Request) -> Response:
        return JSONResponse({"name": sim.name, "now": sim.clock.now().isoformat()})

    async def clock(request: Request) -> Response:
        if request.method == "POST":
            asked = await request.json()
            if "now" in asked:
                sim.clock.set(datetime.fromisoformat(asked["now"]))
            if "advance_seconds" in asked:
                sim.clock.advance(timedelta(seconds=asked["advance_seconds"]))
            if "frozen" in asked:
                sim.clock.freeze(bool(asked["frozen"]))
        return JSONResponse({"now": sim.clock.now().isoformat()})

    async def switches(request: Request) -> Response:
        if request.method == "PATCH":
            try:
                for name, value in (await request.json()).items():
                    sim.switches.set(name, value)
            except ValueError as error:
                return JSONResponse({"error": str(error)}, status_code=400)
        return JSONResponse(sim.switches.values())

    async def faults(request: Request) -> Response:
        """Laid by name, or by kind, method and path."""
        if request.method == "POST":
            try:
                lay(sim, await request.body())
            except ValueError as error:
                return JSONResponse({"error": str(error)}, status_code=400)
        elif request.method == "DELETE":
            sim.faults.clear()
        return JSONResponse(msgspec.to_builtins(sim.faults.rules()))

    async def catalogue(request: Request) -> Response:
        return JSONResponse(sim.catalogue.listing())

    async def requests(request: Request) -> Response:
        if request.method == "DELETE":
            sim.log.clear()
        after = int(request.query_params.get("after", 0))
        return JSONResponse(msgspec.to_builtins(sim.log.all(after)))

    async def state(request: Request) -> Response:
        if request.method == "PUT":
            sim.apply_state(await request.body())
        return Response(sim.dump_state(), media_type="application/json")

    async def reset(request: Request) -> Response:
        """Start again from {"size": "tiny", "seed": 1}, with clock, switches, faults, log."""
        asked = json.loads(await request.body() or b"{}")
        sim.clock.freeze(False)
        sim.clock.set(datetime.fromisoformat(asked["now"]) if "now" in asked else datetime.now(UTC))
        sim.switches.reset()
        sim.faults.clear()
        sim.seed(asked.get("size", "tiny"), asked.get("seed", 1))
        sim.log.clear()
        return JSONResponse({"name": sim.name})

    return [
        Route("/_sim/health", health),
        Route("/_sim/clock", clock, methods=["GET", "POST"]),
        Route("/_sim/switches", switches, methods=["GET", "PATCH"]),
        Route("/_sim/faults", faults, methods=["GET", "POST", "DELETE"]),
        Route("/_sim/faults/catalogue", catalogue),
        Route("/_sim/requests", requests, methods=["GET", "DELETE"]),
        Route("/_sim/state", state, methods=["GET", "PUT"]),
        Route("/_sim/reset", reset, methods=["POST"]),
    ]


def lay(sim: Simulator, raw: bytes) -> Fault:
    """The fault that this JSON asks for, now in force. Raises ValueError with what is wrong."""
    asked = msgspec.json.decode(raw)
    if isinstance(asked, dict) and "kind" not in asked:
        return sim.faults.add(sim.catalogue.rule(msgspec.convert(asked, Asked)))
    return sim.faults.add(msgspec.convert(asked, Fault))


def application(sim: Simulator, state_file: Path | None = None) -> Gate:
    """The ASGI application of a simulator, saving its state to `state_file` when one is named."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        await sim.start()
        saver = asyncio.create_task(_keep_saving(sim, state_file)) if state_file else None
        try:
            yield
        finally:
            if saver:
                saver.cancel()
            await sim.stop()
            if state_file:
                save(sim, state_file)

    return Gate(Starlette(routes=control_routes(sim) + sim.routes(), lifespan=lifespan), sim)


def save(sim: Simulator, file: Path) -> None:
    """Write the state beside its file, then rename, so that a reader never meets half of it."""
    raw = sim.dump_state()
    if file.exists() and file.read_bytes() == raw:
        return
    new = file.with_suffix(".new")
    new.write_bytes(raw)
    new.replace(file)


async def _keep_saving(sim: Simulator, file: Path) -> None:
    while True:
        await asyncio.sleep(2)
        save(sim, file)


def run(sim: Simulator, host: str, port: int, state_file: Path | None = None) -> None:
    """Serve until SIGTERM or SIGINT; prints one JSON line with the URL once it is listening."""
    config = uvicorn.Config(
        application(sim, state_file),
        host=host,
        port=port,
        log_level="critical",  # a connection we broke on purpose is no error
        access_log=False,
        http="h11",
        lifespan="on",
    )
    asyncio.run(_serve(uvicorn.Server(config), sim.name))


async def _serve(server: uvicorn.Server, name: str) -> None:
    task = asyncio.create_task(server.serve())
    while not server.started and not task.done():  # noqa: ASYNC110 - uvicorn offers no event
        await asyncio.sleep(0.01)
    if server.started:
        port = server.servers[0].sockets[0].getsockname()[1]
        url = f"http://{server.config.host}:{port}"
        print(json.dumps({"name": name, "url": url, "pid": os.getpid()}), flush=True)
    with contextlib.suppress(asyncio.CancelledError, KeyboardInterrupt):
        await task
    sys.stdout.flush()


__all__ = ["Gate", "Simulator", "application", "control_routes", "lay", "run", "save"]
