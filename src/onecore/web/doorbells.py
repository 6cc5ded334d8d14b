"""Where both remotes ring, before Django: no middleware, no session, no cookie, no body.

A delivery that is not genuine costs a comparison and nothing else: nothing is parsed, read from
the database (Procore's hooks at most once a second, whoever rings) or written for it. There is no
limit by address: neither remote publishes where it sends from, and behind a proxy all are one.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable

import structlog

from onecore import app
from onecore.engine.use.doorbells import Busy, Intake
from onecore.web.serving import App, Message, Receive, Send, answer, header, told_length

log = structlog.get_logger("onecore.doorbells")

XERO = "/webhooks/xero"
PROCORE = re.compile(r"/webhooks/procore/([A-Za-z0-9_-]{1,64})")
LONGEST_DELIVERY = 1_000_000
"""Bytes; a delivery of either remote is far smaller."""
MOST_HELD = 32_000_000
"""Bytes of bodies that are being read at one time; beyond it remotes are asked to come again."""
READ_WITHIN = 5.0
"""Seconds; neither remote waits longer for its answer [P 5.3, X 9]."""
SIGNATURE = 44  # characters: Base64 of 32 bytes
TOLD_EVERY = 60.0
READ = "onecore.read"
"""Where a request's scope says that its body was read to the end."""


class TooLong(Exception):
    """More bytes than a delivery has."""


class Doorbells:
    """Answers /webhooks/… itself and hands everything else on."""

    def __init__(self, inner: App) -> None:
        self._inner = inner
        self._intake: Intake | None = None
        self._held = 0
        self._refused = 0
        self._told_at = -TOLD_EVERY

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Statuses: 200 kept, 401 not genuine, 405, 408, 413, and 503: send it again."""
        ring = self._ring_for(scope["path"]) if scope["type"] == "http" else None
        if ring is None:
            await self._inner(scope, receive, send)
            return
        if scope["method"] != "POST":
            await answer(send, 405, (b"allow", b"POST"))
            return
        scope[READ] = False
        try:
            if told_length(scope) > LONGEST_DELIVERY:
                raise TooLong
            status = await ring(scope, receive)
        except TooLong:
            status = 413
        except TimeoutError:
            status = 408
        except Busy:
            status = 503
        if status == 401:
            self._note_refusal(scope["path"])
        # What is left of a body that was not read to its end is not waited for.
        await answer(send, status, *(() if scope[READ] else ((b"connection", b"close"),)))

    def _ring_for(self, path: str) -> Callable[[Message, Receive], Awaitable[int]] | None:
        if path == XERO:
            return self._xero
        found = PROCORE.fullmatch(path)
        if found is None:
            return None
        name = found[1]
        return lambda scope, receive: self._procore(scope, receive, name)

    async def _xero(self, scope: Message, receive: Receive) -> int:
        """200 for what is signed with our key, also the intent to receive; 401 for all else."""
        signature = header(scope, b"x-xero-signature")
        if len(signature) != SIGNATURE:  # no need to read what it would be the signature of
            return 401
        raw = await self._body(scope, receive)
        if not app.xero_signature_ok(raw, signature.decode("latin-1")):
            return 401
        if rung := app.rung_by_xero(raw):
            await self._intake_here().ring(rung)
        return 200

    async def _procore(self, scope: Message, receive: Receive, name: str) -> int:
        """200 for what carries the hook's own bearer, 401 for all else, an unknown hook included;
        told before the body is read."""
        intake = self._intake_here()
        door = await intake.door(name, header(scope, b"authorization"))
        if door is None:
            return 401
        await intake.ring(app.rung_by_procore(door, await self._body(scope, receive)))
        return 200

    def _intake_here(self) -> Intake:
        if self._intake is None:
            self._intake = Intake(app.service())
        return self._intake

    async def _body(self, scope: Message, receive: Receive) -> bytes:
        """The very bytes that were sent. Raises TooLong, TimeoutError, Busy."""
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(READ_WITHIN):
                while True:
                    message = await receive()
                    if message["type"] != "http.request":  # whoever sent it has gone
                        raise TimeoutError
                    part = message.get("body", b"")
                    size += len(part)
                    self._held += len(part)
                    if size > LONGEST_DELIVERY:
                        raise TooLong
                    if self._held > MOST_HELD:
                        raise Busy
                    parts.append(part)
                    if not message.get("more_body", False):
                        scope[READ] = True
                        return b"".join(parts)
        finally:
            self._held -= size

    def _note_refusal(self, path: str) -> None:
        """Say that deliveries were refused, once a minute at most: a key may have been changed."""
        self._refused += 1
        now = time.monotonic()
        if now - self._told_at >= TOLD_EVERY:
            remote = "xero" if path == XERO else "procore"
            log.warning("webhook.refused", remote=remote, count=self._refused)
            self._refused, self._told_at = 0, now
