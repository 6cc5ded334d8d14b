"""What each answer, and each way of not answering, means for whoever asked."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta

import httpx2
import pytest
from structlog.testing import capture_logs

from onecore.http import transport as module
from onecore.http.transport import (
    Answer,
    BadAddress,
    Call,
    DocumentsRefused,
    Transport,
    checked_base,
    open_client,
)
from onecore.ports import (
    AccessLost,
    Lane,
    LimitKind,
    NotReached,
    NotVisible,
    OutcomeUnknown,
    ReadFailed,
    Remote,
    RemoteError,
    RequestRefused,
    ScopeMissing,
    Throttled,
    Token,
)

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
READ = Call("thing", "GET", "/things", Lane.LIST)
WRITE = Call("thing.make", "PUT", "/things", Lane.DOCUMENT, body=b'{"a":1}', count=1)
Reply = Callable[[httpx2.Request], httpx2.Response]


class Clock:
    def now(self) -> datetime:
        return NOW


class Grants:
    def __init__(self, gone: bool = False) -> None:
        self.version = 1
        self.gone = gone

    async def current(self) -> Token:
        return Token(f"secret-token-{self.version}", NOW, self.version)

    async def renew(self, stale: Token) -> Token:
        if self.gone:
            raise AccessLost(Remote.XERO, "renew", "gone")
        self.version = stale.version + 1
        return await self.current()


class Log:
    def __init__(self, refuse: Exception | None = None) -> None:
        self.before_count = 0
        self.told: list[tuple[str, int, dict[str, int]]] = []
        self._refuse = refuse

    async def before(self, remote: Remote, scope: str, lane: Lane) -> int:
        if self._refuse:
            raise self._refuse
        self.before_count += 1
        return self.before_count

    async def after(
        self,
        call: int,
        remote: Remote,
        scope: str,
        lane: Lane,
        operation: str,
        status: int,
        limits: Mapping[str, int],
        refused: Throttled | None,
    ) -> None:
        self.told.append((operation, status, dict(limits)))


def send(
    reply: Reply,
    call: Call = READ,
    remote: Remote = Remote.XERO,
    log: Log | None = None,
    grants: Grants | None = None,
    before_write: Callable[[], Awaitable[None]] | None = None,
) -> Answer:
    async def main() -> Answer:
        async with httpx2.AsyncClient(transport=httpx2.MockTransport(reply)) as http:
            sender = Transport(
                remote, "https://api.example", "org-1", grants or Grants(), log or Log(), http,
                Clock(), before_write,
            )  # fmt: skip
            return await sender.send(call)

    return asyncio.run(main())


def answering(
    status: int,
    body: bytes | str = b"{}",
    content_type: str = "application/json",
    **headers: str,
) -> Reply:
    named = {k.replace("_", "-"): v for k, v in headers.items()} | {"content-type": content_type}
    return lambda request: httpx2.Response(status, content=body, headers=named)


def failing(error: Exception) -> Reply:
    def reply(request: httpx2.Request) -> httpx2.Response:
        raise error

    return reply


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def listening(handler: Handler) -> AsyncIterator[str]:
    """The URL of a bare server; it waits for its connections to end."""
    running: list[asyncio.Event] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        done = asyncio.Event()
        running.append(done)
        await handler(reader, writer)
        writer.close()
        await writer.wait_closed()
        done.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()
    for done in running:
        await done.wait()


@pytest.mark.parametrize(
    "error",
    [
        httpx2.ConnectError("refused"),
        httpx2.ConnectTimeout("slow"),
        httpx2.PoolTimeout("busy"),
        httpx2.ProxyError("no"),
    ],
)
@pytest.mark.parametrize("call", [READ, WRITE])
def test_what_never_left_is_not_reached(error: Exception, call: Call) -> None:
    with pytest.raises(NotReached):
        send(failing(error), call)


@pytest.mark.parametrize(
    "error",
    [
        httpx2.ReadTimeout("slow"),
        httpx2.ReadError("reset"),
        httpx2.WriteError("reset"),
        httpx2.WriteTimeout("slow"),
        httpx2.RemoteProtocolError("cut"),
        httpx2.DecodingError("gzip"),
    ],
)
def test_what_left_without_an_answer(error: Exception) -> None:
    with pytest.raises(ReadFailed):
        send(failing(error), READ)
    with pytest.raises(OutcomeUnknown):
        send(failing(error), WRITE)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (httpx2.ConnectError("refused"), "could not connect"),
        (httpx2.ConnectTimeout("slow"), "no connection in time"),
        (httpx2.ReadTimeout("slow"), "no answer in time"),
        (httpx2.DecodingError("gzip"), "the answer could not be unpacked"),
        (httpx2.RemoteProtocolError("cut"), "the connection broke before the answer was complete"),
    ],
)
def test_what_broke_is_said_in_words(error: Exception, said: str) -> None:
    with pytest.raises(RemoteError) as caught:
        send(failing(error), READ)
    assert caught.value.detail == said


@pytest.mark.parametrize("status", [500, 502, 504, 520])
def test_server_errors(status: int) -> None:
    with pytest.raises(ReadFailed):
        send(answering(status), READ)
    with pytest.raises(OutcomeUnknown):
        send(answering(status), WRITE)


@pytest.mark.parametrize(
    ("body", "content_type", "headers", "wait"),
    [
        ("The Organisation is offline", "text/plain", {}, timedelta(minutes=5)),
        (
            "The Xero API is currently offline for maintenance", "text/plain; charset=utf-8", {},
            timedelta(minutes=5),
        ),
        ("temporarily unavailable", "text/plain", {"retry_after": "40"}, timedelta(seconds=40)),
    ],
)  # fmt: skip
def test_a_remote_that_says_it_is_offline_did_nothing(
    body: str, content_type: str, headers: dict[str, str], wait: timedelta
) -> None:
    for call in (READ, WRITE):
        with pytest.raises(NotReached) as caught:
            send(answering(503, body, content_type, **headers), call)
        assert caught.value.wait == wait


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("upstream connect error or disconnect/reset before headers", "text/plain"),
        ("<html>The Organisation is offline</html>", "text/html"),
        ("", "text/plain"),
    ],
)
def test_a_gateways_503_after_a_write_is_doubtful(body: str, content_type: str) -> None:
    with pytest.raises(OutcomeUnknown):
        send(answering(503, body, content_type), WRITE)
    with pytest.raises(ReadFailed):
        send(answering(503, body, content_type), READ)


def test_a_503_that_only_says_when_to_come_back_leaves_a_write_in_doubt() -> None:
    with pytest.raises(NotReached) as caught:
        send(answering(503, "{}", "application/json", retry_after="9"), READ)
    assert caught.value.wait == timedelta(seconds=9)
    with pytest.raises(OutcomeUnknown):
        send(answering(503, "{}", "application/json", retry_after="9"), WRITE)


def test_429_says_which_limit() -> None:
    with pytest.raises(Throttled) as caught:
        send(answering(429, "slow down", x_rate_limit_problem="day", retry_after="500"), WRITE)
    assert caught.value.kind is LimitKind.DAY
    assert caught.value.wait >= timedelta(seconds=500)


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("word", ["insufficient_scope", "insufficent_scope"])
def test_a_missing_scope_is_not_refreshed(status: int, word: str) -> None:
    grants = Grants()
    told = f'Bearer error="{word}", scope="accounting.invoices"'
    with pytest.raises(ScopeMissing) as caught:
        send(answering(status, www_authenticate=told), grants=grants)
    assert caught.value.detail == "accounting.invoices"
    assert grants.version == 1


def test_a_token_is_renewed_twice_at_most_then_access_is_lost() -> None:
    used: list[str] = []

    def reply(request: httpx2.Request) -> httpx2.Response:
        used.append(request.headers["authorization"])
        return httpx2.Response(401)

    log = Log()
    with pytest.raises(AccessLost):
        send(reply, WRITE, log=log)
    assert used == [f"Bearer secret-token-{n}" for n in (1, 2, 3)]
    assert log.before_count == 3
    assert [status for _, status, _ in log.told] == [401, 401, 401]


def test_a_grant_that_is_gone_says_so() -> None:
    with pytest.raises(AccessLost, match="gone"):
        send(answering(401), grants=Grants(gone=True))


@pytest.mark.parametrize("status", [403, 404])
def test_not_visible_is_never_a_deletion(status: int) -> None:
    with pytest.raises(NotVisible) as caught:
        send(answering(status, b'{"message": "Not found"}'))
    assert caught.value.status == status
    assert "Not found" in caught.value.detail


def test_an_app_that_was_taken_out_lost_access() -> None:
    for body in (
        b'{"message": "App is not connected to this company"}',
        b'{"errors": "App is not connected to this company"}',
        b'{"Title": "Forbidden", "Status": 403, "Detail": "AuthenticationUnsuccessful"}',
    ):
        with pytest.raises(AccessLost):
            send(answering(403, body))


@pytest.mark.parametrize("status", [400, 405, 406, 409, 412, 413, 422, 501])
def test_a_declined_request_has_its_reasons(status: int) -> None:
    with pytest.raises(RequestRefused) as caught:
        send(answering(status, b'{"errors": {"amount": ["too much", "odd"]}}'), WRITE)
    assert caught.value.status == status
    assert caught.value.reasons == ("amount: too much", "amount: odd")
    assert not isinstance(caught.value, DocumentsRefused)


def test_a_400_about_documents_is_told_apart() -> None:
    body = b'{"Elements": [{"ValidationErrors": [{"Message": "No such account"}]}]}'
    with pytest.raises(DocumentsRefused) as caught:
        send(answering(400, body), WRITE)
    assert caught.value.elements == 1
    assert caught.value.reasons == ("No such account",)


def test_a_redirect_is_never_followed() -> None:
    seen: list[str] = []

    def reply(request: httpx2.Request) -> httpx2.Response:
        seen.append(request.url.host)
        return httpx2.Response(302, headers={"location": "https://evil.example/"})

    with pytest.raises(RequestRefused):
        send(reply)
    assert seen == ["api.example"]


def test_before_write_runs_for_writes_and_may_stop_them() -> None:
    order: list[str] = []

    async def check() -> None:
        order.append("lease")

    def reply(request: httpx2.Request) -> httpx2.Response:
        order.append(request.method)
        return httpx2.Response(200)

    send(reply, READ, before_write=check)
    send(reply, WRITE, before_write=check)
    assert order == ["GET", "lease", "PUT"]

    async def stop() -> None:
        raise KeyError("lease")

    log = Log()
    with pytest.raises(KeyError):
        send(reply, WRITE, before_write=stop, log=log)
    assert order == ["GET", "lease", "PUT"]
    assert log.told == [("thing.make", 0, {})]


def test_who_was_paused_after_it_was_told_it_may_asks_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[float] = []
    ticks = iter(range(0, 1000, 4))  # each look at the clock finds it four seconds on

    async def check() -> None:
        asked.append(0)
        if len(asked) == 3:
            raise KeyError("lease")

    async def call() -> None:
        permission = module._Permission(check)
        await permission.ask()  # 0 to 4: trusted
        assert len(asked) == 1
        await permission.still_holds()  # 8: too old; asked again, 12 to 16
        assert len(asked) == 2
        with pytest.raises(KeyError):
            await permission.still_holds()  # 20

    monkeypatch.setattr(module, "ticking", lambda: float(next(ticks)))
    asyncio.run(call())
    assert len(asked) == 3


def test_the_budget_may_stop_a_call() -> None:
    error = Throttled(Remote.XERO, "budget", LimitKind.DAY, timedelta(hours=1))
    log = Log(refuse=error)
    with pytest.raises(Throttled):
        send(answering(200), log=log)
    assert log.told == []


def test_limits_of_answers_reach_the_call_log() -> None:
    log = Log()
    send(answering(200, x_daylimit_remaining="77"), log=log)
    with pytest.raises(ReadFailed):
        send(answering(500, x_daylimit_remaining="76"), log=log)
    with pytest.raises(NotReached):
        send(failing(httpx2.ConnectError("")), log=log)
    assert log.told == [
        ("thing", 200, {"day_remaining": 77}),
        ("thing", 500, {"day_remaining": 76}),
        ("thing", 0, {}),
    ]


def test_the_request_log_holds_no_content() -> None:
    call = Call(
        "thing.make",
        "PUT",
        "/things",
        Lane.DOCUMENT,
        (("where", 'Name=="Private Pty Ltd"'),),
        {"Idempotency-Key": "key-of-someone"},
        b'{"Description": "private work"}',
        3,
    )
    with capture_logs() as logs:
        send(answering(200, b'{"answer": "private too"}', xero_correlation_id="corr-9"), call)
        with pytest.raises(RequestRefused):
            send(answering(400, b'{"errors": "private reason"}'), call)
    calls = [entry for entry in logs if entry["event"] == "remote.call"]
    assert [(c["operation"], c["status"], c["count"]) for c in calls] == [
        ("thing.make", 200, 3),
        ("thing.make", 400, 3),
    ]
    assert calls[0]["correlation"] == "corr-9"
    assert calls[0]["ms"] >= 0
    text = repr(logs)
    for canary in ("rivate", "secret-token", "key-of-someone", "where"):
        assert canary not in text


def test_errors_hold_no_token_and_no_request() -> None:
    for reply in (
        failing(httpx2.ReadError("Bearer secret-token-1")),
        answering(500, b"secret-token-1"),
        answering(401),
    ):
        with pytest.raises(RemoteError) as caught:
            send(reply, WRITE)
        assert "secret-token" not in str(caught.value)
        assert caught.value.__suppress_context__ or caught.value.__context__ is None
        assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "url",
    [
        "http://api.xero.com",
        "ftp://127.0.0.1",
        "https://user:secret@api.xero.com",
        "https://",
        "http://127.0.0.1.evil.example",
        "https://api.xero.com/?x=1",
    ],
)
def test_addresses_no_token_may_go_to(url: str) -> None:
    with pytest.raises(BadAddress) as caught:
        checked_base(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    ["https://api.xero.com/", "http://127.0.0.1:9002", "http://localhost:9", "http://[::1]:1"],
)
def test_addresses_that_are_fine(url: str) -> None:
    assert checked_base(url) == url.rstrip("/")


@pytest.mark.parametrize("path", ["//evil.example/x", "https://evil.example/x", "x"])
def test_a_path_cannot_leave_its_host(path: str) -> None:
    with pytest.raises(BadAddress):
        send(answering(200), Call("x", "GET", path, Lane.LIST))


def test_a_write_has_its_whole_time_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that accepts and never answers: a write is doubtful, a read is not."""
    monkeypatch.setattr(module, "LONGEST_WRITE", 0.2)
    monkeypatch.setattr(module, "LONGEST_READ", 0.2)

    async def main() -> list[type[BaseException]]:
        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(-1)

        met: list[type[BaseException]] = []
        async with listening(silent) as url, open_client(url) as http:
            sender = Transport(Remote.XERO, url, "s", Grants(), Log(), http, Clock())
            for call in (WRITE, READ):
                try:
                    await sender.send(call)
                except RemoteError as error:
                    met.append(type(error))
        return met

    assert asyncio.run(main()) == [OutcomeUnknown, ReadFailed]


def test_a_closed_port_was_never_reached() -> None:
    async def main() -> None:
        server = await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        url = f"http://127.0.0.1:{port}"
        async with open_client(url) as http:
            sender = Transport(Remote.XERO, url, "s", Grants(), Log(), http, Clock())
            with pytest.raises(NotReached):
                await sender.send(WRITE)

    asyncio.run(main())


def test_waiting_for_a_connection_is_not_a_write_that_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All connections are busy until the write's time is over: nothing of it left."""
    monkeypatch.setattr(module, "LONGEST_WRITE", 0.2)

    async def main() -> None:
        connected = asyncio.Event()

        async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connected.set()
            await reader.read(-1)

        async with listening(slow) as url, open_client(url, connections=1) as http:
            sender = Transport(Remote.XERO, url, "s", Grants(), Log(), http, Clock())
            busy = asyncio.create_task(sender.send(READ))
            await connected.wait()
            with pytest.raises(NotReached):
                await sender.send(WRITE)
            busy.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await busy

    asyncio.run(main())


def test_the_librarys_own_logs_stay_silent(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
            await writer.drain()

        async with listening(answer) as url, open_client(url) as http:
            sender = Transport(Remote.XERO, url, "s", Grants(), Log(), http, Clock())
            await sender.send(Call("x", "GET", "/x", Lane.LIST, (("where", "private"),)))

    with caplog.at_level("DEBUG"):
        asyncio.run(main())
    assert "private" not in caplog.text
    assert "secret-token" not in caplog.text


def test_no_cookie_goes_from_one_answer_to_another_request() -> None:
    asked: list[bytes] = []

    async def main() -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(
                b"HTTP/1.1 200 OK\r\nset-cookie: who=someone; Path=/\r\n"
                b"connection: close\r\ncontent-length: 2\r\n\r\n{}"
            )
            await writer.drain()

        async with listening(answer) as url, open_client(url) as http:
            sender = Transport(Remote.XERO, url, "s", Grants(), Log(), http, Clock())
            await sender.send(READ)
            await sender.send(READ)

    asyncio.run(main())
    assert len(asked) == 2
    assert b"cookie" not in asked[1].lower()
    assert b"Bearer secret-token-1" in asked[1]
