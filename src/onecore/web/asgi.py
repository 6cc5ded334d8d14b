"""The application for an ASGI server such as uvicorn: `onecore.web.asgi:application`."""

import warnings
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, cast

from django.core.asgi import get_asgi_application

from onecore.app import setup_django

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

LONGEST_BODY = 2_500_000
"""Bytes of a request; the largest we expect is a workspace document."""


class BodyTooLong(Exception):
    """More was sent than is taken."""


class Bounded:
    """Refuses a body that is too long before Django keeps it, whoever sends it."""

    def __init__(self, app: App, longest: int = LONGEST_BODY) -> None:
        self._app = app
        self._longest = longest

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._told(scope) > self._longest:
            await _refuse(send)
            return
        started = False
        read = 0

        async def bounded() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self._longest:
                raise BodyTooLong
            return message

        async def noted(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, bounded, noted)
        except BodyTooLong:
            if not started:
                await _refuse(send)

    def _told(self, scope: Message) -> int:
        for name, value in scope.get("headers", ()):
            if name == b"content-length" and value.isdigit():
                return int(value)
        return 0


async def _refuse(send: Send) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": 413,
            "headers": [(b"content-length", b"0"), (b"connection", b"close")],
        }
    )
    await send({"type": "http.response.body", "body": b""})


# Static files are small and come from memory or disk in one piece; Django warns at every one.
warnings.filterwarnings("ignore", "StreamingHttpResponse must consume synchronous iterators")
setup_django()
application: App = Bounded(cast(App, get_asgi_application()))
