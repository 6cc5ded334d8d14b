"""The application for an ASGI server such as uvicorn: `onecore.web.asgi:application`."""

import warnings
from typing import cast

from django.core.asgi import get_asgi_application

from onecore.app import setup_django
from onecore.web.serving import App, Message, Receive, Send, answer, told_length

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
        if told_length(scope) > self._longest:
            await answer(send, 413, (b"connection", b"close"))
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
                await answer(send, 413, (b"connection", b"close"))


def whole_app() -> App:
    """Everything that is served; Django must be set up."""
    from onecore.web.doorbells import Doorbells  # noqa: PLC0415 - Django models below

    return Doorbells(Bounded(cast(App, get_asgi_application())))


# Static files are small and come from memory or disk in one piece; Django warns at every one.
warnings.filterwarnings("ignore", "StreamingHttpResponse must consume synchronous iterators")
setup_django()
application: App = whole_app()
