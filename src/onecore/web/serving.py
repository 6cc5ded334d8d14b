"""The few words of ASGI that are spoken here without Django."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]


def header(scope: Message, name: bytes) -> bytes:
    """The first header of that name (in lower case), b"" without one."""
    for given, value in scope.get("headers", ()):
        if given == name:
            return bytes(value)
    return b""


def told_length(scope: Message) -> int:
    """Bytes the body is said to have; 0 where nothing usable is said."""
    said = header(scope, b"content-length")
    return int(said[:12]) if said.isdigit() else 0


async def answer(send: Send, status: int, *headers: tuple[bytes, bytes]) -> None:
    """An answer without a body."""
    every = [(b"content-length", b"0"), *headers]
    await send({"type": "http.response.start", "status": status, "headers": every})
    await send({"type": "http.response.body", "body": b""})
