"""One attempt at one request: time-outs, limits, one renewal, and an error that says what is so."""

import asyncio
import ipaddress
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TypeVar
from urllib.parse import quote, urlencode, urlsplit

import httpx2
import structlog

from onecore.crash import reach
from onecore.http import limits
from onecore.http.reasons import elements_refused, reasons_in
from onecore.http.wire import Reader, Unreadable
from onecore.ports import (
    LONGEST_WRITE,
    PROMPTLY,
    AccessLost,
    CallLog,
    Clock,
    Lane,
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
    Tokens,
)
from onecore.timing import REMOTE, ticking, waiting

RENEWALS = 2
LONGEST_READ = 60.0  # seconds from sending to the last byte
OFFLINE_WAIT = timedelta(minutes=5)  # what Xero's 503 asks for in words [X 4]

Params = Sequence[tuple[str, str]]
BeforeWrite = Callable[[], Awaitable[None]]
T = TypeVar("T")

_log = structlog.get_logger("onecore.http")
_NEVER_LEFT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
)
_BROKE = (
    ((httpx2.ConnectTimeout, httpx2.PoolTimeout), "no connection in time"),
    (httpx2.ConnectError, "could not connect"),
    (httpx2.ProxyError, "the proxy refused"),
    (httpx2.UnsupportedProtocol, "an address of no known kind"),
    ((httpx2.TimeoutException, TimeoutError), "no answer in time"),
    (httpx2.DecodingError, "the answer could not be unpacked"),
)
_CUT_OFF = "the connection broke before the answer was complete"
# A gateway's own plain 503 ("upstream connect error…") may follow a request that did arrive, so
# only the sentences known to be the remote's count as "nothing was done".
_OFFLINE = ("is offline", "currently offline", "temporarily unavailable", "maintenance")


class BadAddress(ValueError):
    """A base URL that no token may be sent to."""


def checked_base(url: str) -> str:
    """The base URL without a trailing slash; raises BadAddress unless https or loopback."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.username or parts.password or parts.query or parts.fragment or not host:
        raise BadAddress("A remote's address is a scheme and a host, with nothing behind.")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise BadAddress(f"{host} must be reached by https; plain http is for loopback only.")
    return url.rstrip("/")


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def open_client(base_url: str, connections: int = 20) -> httpx2.AsyncClient:
    """A client for one remote, to be closed by its owner. It follows no redirect, keeps no cookie.

    Connections are shared by all workspaces, so a cookie of one answer must not go along with
    another's request. They are dropped after four idle seconds: servers close theirs after five
    and more, and a write that meets a closing connection would be in doubt. The library logs
    whole addresses at INFO and headers at DEBUG; both hold what must not be logged, so its
    loggers are raised to warnings here. Loopback is never asked for by a proxy.
    """
    for name in ("httpx2", "httpcore2"):
        logging.getLogger(name).setLevel(logging.WARNING)
    host = urlsplit(checked_base(base_url)).hostname or ""
    return httpx2.AsyncClient(
        follow_redirects=False,
        trust_env=not is_loopback(host),
        timeout=httpx2.Timeout(LONGEST_READ, connect=10.0, pool=10.0),
        limits=httpx2.Limits(
            max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=4
        ),
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        headers={"User-Agent": "OneCore", "Accept": "application/json"},
    )


class DocumentsRefused(RequestRefused):
    """A 400 that is about `elements` of the documents sent, not about the request itself."""

    def __init__(
        self,
        remote: Remote,
        operation: str,
        status: int,
        reasons: tuple[str, ...],
        elements: int,
    ) -> None:
        super().__init__(remote, operation, status, reasons)
        self.elements = elements


@dataclass(frozen=True, slots=True)
class Call:
    """What is about to be asked. `operation` names it in logs and errors; `count` is how many
    documents or ids it is about."""

    operation: str
    method: str
    path: str
    lane: Lane
    params: Params = ()
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    count: int = 0

    @property
    def is_write(self) -> bool:
        return self.method != "GET"


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer that is no error: 2xx, or 304."""

    remote: Remote
    call: Call
    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes = field(repr=False)

    def read(self, reader: Reader[T]) -> T:
        """The body in its shape. Raises ReadFailed, of a write OutcomeUnknown."""
        try:
            return reader.read(self.body)
        except Unreadable as error:
            raise no_answer(self.remote, self.call, f"unreadable answer, {error}") from None


class Transport:
    """Sends one remote's requests with its token, told to the call log, each as one attempt."""

    def __init__(
        self,
        remote: Remote,
        base_url: str,
        scope: str,
        tokens: Tokens,
        call_log: CallLog,
        http: httpx2.AsyncClient,
        clock: Clock,
        before_write: BeforeWrite | None = None,
        lost: type[AccessLost] = AccessLost,
    ) -> None:
        """`lost` says what it means that a token renewed a moment ago is refused."""
        self.remote = remote
        self._lost = lost
        self._base = checked_base(base_url)
        self._scope = scope
        self._tokens = tokens
        self._call_log = call_log
        self._http = http
        self._clock = clock
        self._before_write = before_write

    async def send(self, call: Call) -> Answer:
        """The answer of one attempt; a stale token is renewed and the request replayed.

        Twice at most: what another process had renewed before may have been taken back as well.
        Raises the errors of ports, and whatever `before_write` or the call log raise.
        """
        token = await self._tokens.current()
        response, body = await self._attempt(call, token)
        for _ in range(RENEWALS):
            if response.status_code != 401 or self._lacks_scope(response):
                break
            token = await self._tokens.renew(token)
            response, body = await self._attempt(call, token)
        if response.status_code < 300 or response.status_code == 304:
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Answer(self.remote, call, response.status_code, headers, body)
        raise self._error(call, response, body)

    async def _attempt(self, call: Call, token: Token) -> tuple[httpx2.Response, bytes]:
        number = await self._call_log.before(self.remote, self._scope, call.lane)
        status, reported, started = 0, {}, time.perf_counter()
        correlation, size = "", 0
        refused: Throttled | None = None
        try:
            if call.is_write and self._before_write is not None:
                await self._before_write()
            started = time.perf_counter()
            response, body = await self._exchange(call, token)
            status, size = response.status_code, len(body)
            reported = limits.figures(self.remote, response.headers)
            correlation = response.headers.get("xero-correlation-id", "") or response.headers.get(
                "x-request-id", ""
            )
            if status == 429:
                kind, wait = limits.throttle(self.remote, response.headers, self._clock.now())
                refused = Throttled(self.remote, call.operation, kind, wait)
                raise refused
            return response, body
        finally:
            _log.info(
                "remote.call",
                remote=self.remote.value,
                scope=self._scope,
                operation=call.operation,
                method=call.method,
                lane=call.lane.value,
                status=status,
                ms=round((time.perf_counter() - started) * 1000),
                count=call.count,
                sent_bytes=len(call.body or b""),
                bytes=size,
                correlation=correlation,
            )
            await self._call_log.after(
                number,
                self.remote,
                self._scope,
                call.lane,
                call.operation,
                status,
                reported,
                refused,
            )

    async def _exchange(self, call: Call, token: Token) -> tuple[httpx2.Response, bytes]:
        """The whole answer, or NotReached, ReadFailed, OutcomeUnknown."""
        left = False
        point = f"call.{self.remote.value}.{call.operation}"
        permission = _Permission(self._before_write if call.is_write else None)

        async def watch(event: str, info: Mapping[str, object]) -> None:
            nonlocal left
            if event.endswith("send_request_headers.started"):
                await permission.ask()  # connecting took its time
                reach(f"{point}.before")
                await permission.still_holds()
                left = True
            elif event.endswith("send_request_body.started") and call.body:
                reach(f"{point}.half")
                await permission.still_holds()

        longest = LONGEST_WRITE if call.is_write else LONGEST_READ
        request = self._request(call, token, longest)
        request.extensions["trace"] = watch
        try:
            with waiting(REMOTE):
                async with asyncio.timeout(longest):
                    response = await self._http.send(request, follow_redirects=False)
                    return response, response.content
        except _NEVER_LEFT as error:
            raise NotReached(self.remote, call.operation, in_words(error)) from None
        except TimeoutError:
            if not left:
                raise NotReached(self.remote, call.operation, "no connection in time") from None
            raise no_answer(self.remote, call, f"nothing within {longest:.0f} s") from None
        except httpx2.HTTPError as error:
            raise no_answer(self.remote, call, in_words(error)) from None
        finally:
            reach(f"{point}.after")

    def _request(self, call: Call, token: Token, longest: float) -> httpx2.Request:
        if not call.path.startswith("/") or call.path.startswith("//"):
            raise BadAddress("A path stays below its remote's base.")
        query = f"?{urlencode(call.params, quote_via=quote)}" if call.params else ""
        headers = {"Authorization": f"Bearer {token.value}", **call.headers}
        if call.body is not None:
            headers.setdefault("Content-Type", "application/json")
        return self._http.build_request(
            call.method,
            self._base + call.path + query,
            headers=headers,
            content=call.body,
            timeout=httpx2.Timeout(longest, connect=10.0, pool=10.0),
        )

    def _lacks_scope(self, response: httpx2.Response) -> bool:
        told = response.headers.get("www-authenticate", "").lower()
        # Xero leaves out a letter; both spellings are taken [X 1].
        return "insufficient_scope" in told or "insufficent_scope" in told

    def _error(self, call: Call, response: httpx2.Response, body: bytes) -> RemoteError:
        """What an answer of 3xx, 4xx or 5xx means for whoever asked."""
        status = response.status_code
        if self._lacks_scope(response):
            wanted = _parameter(response.headers.get("www-authenticate", ""), "scope")
            return ScopeMissing(self.remote, call.operation, wanted or "a scope is missing")
        if status == 401:
            return self._lost(self.remote, call.operation, "refused with a renewed token")
        if status in (403, 404):
            return self._invisible(call, status, body)
        if status >= 500 and status != 501:
            return self._failing(call, response, body)
        return self._refusal(call, status, body)

    def _refusal(self, call: Call, status: int, body: bytes) -> RemoteError:
        if status < 400:
            reasons: tuple[str, ...] = ("a redirect is not followed with a token",)
        else:
            reasons = reasons_in(body) or (f"HTTP {status}",)
        if status == 400 and (elements := elements_refused(body)):
            return DocumentsRefused(self.remote, call.operation, status, reasons, elements)
        return RequestRefused(self.remote, call.operation, status, reasons)

    def _invisible(self, call: Call, status: int, body: bytes) -> RemoteError:
        reasons = reasons_in(body)
        said = " ".join(reasons).lower()
        # Procore's words for an app that was taken out of the company [P 2.4]; Xero's for a
        # grant whose organisation was disconnected [X 1].
        if status == 403 and ("not connected" in said or "authenticationunsuccessful" in said):
            return self._lost(self.remote, call.operation, "the connection was removed there")
        return NotVisible(self.remote, call.operation, status, reasons[0] if reasons else "")

    def _failing(self, call: Call, response: httpx2.Response, body: bytes) -> RemoteError:
        status = response.status_code
        if status == 503:
            wait = limits.asked_to_wait(response.headers, self._clock.now())
            text = body[:500].decode("utf-8", "replace").lower()
            is_offline = response.headers.get("content-type", "").startswith("text/plain") and any(
                words in text for words in _OFFLINE
            )
            if is_offline or (wait is not None and not call.is_write):
                return NotReached(
                    self.remote, call.operation, "503, it is offline", wait or OFFLINE_WAIT
                )
        return no_answer(self.remote, call, f"HTTP {status}")


class _Permission:
    """Whether a write may go, asked again where the answer has grown old: a process that was
    paused between the answer and a byte of the request sends nothing more when it wakes, unless
    it may. Without anything to ask it may."""

    def __init__(self, ask: BeforeWrite | None) -> None:
        self._ask = ask
        self._asked_at = 0.0

    async def ask(self) -> None:
        """Ask now. Raises what forbids it."""
        if self._ask is not None:
            self._asked_at = ticking()
            await self._ask()
            await self.still_holds()

    async def still_holds(self) -> None:
        """Ask again unless that was done a moment ago."""
        if self._ask is not None and ticking() - self._asked_at > PROMPTLY:
            await self.ask()


def in_words(error: Exception) -> str:
    """What broke on the way, for a person to read."""
    return next((said for kinds, said in _BROKE if isinstance(error, kinds)), _CUT_OFF)


def no_answer(remote: Remote, call: Call, detail: str) -> RemoteError:
    """ReadFailed of a read, OutcomeUnknown of a write: it left and nothing usable came back."""
    if call.is_write:
        return OutcomeUnknown(remote, call.operation, detail)
    return ReadFailed(remote, call.operation, detail)


def _parameter(header: str, name: str) -> str:
    """The value of `name="…"` in a WWW-Authenticate header, or ""."""
    _, found, rest = header.partition(f'{name}="')
    return rest.partition('"')[0][:200] if found else ""
