"""What was asked and what was answered, kept for tests and for the simulators' own pages."""

from collections import deque

import msgspec

KEPT = 5000


class Exchange(msgspec.Struct, kw_only=True):
    """One request with its answer. `status` 0 means the connection closed without an answer."""

    n: int
    at: str
    method: str
    path: str
    query: str
    status: int
    fault: str
    request_headers: dict[str, str]
    request_body: str
    response_headers: dict[str, str]
    response_body: str


class RequestLog:
    """The latest exchanges, secrets in headers left out."""

    def __init__(self) -> None:
        self._kept: deque[Exchange] = deque(maxlen=KEPT)
        self._count = 0

    def add(self, exchange: Exchange) -> None:
        self._kept.append(exchange)

    def next_number(self) -> int:
        self._count += 1
        return self._count

    def clear(self) -> None:
        self._kept.clear()
        self._count = 0

    def all(self, after: int = 0) -> list[Exchange]:
        """The exchanges kept, or of those the ones numbered above `after`."""
        return [exchange for exchange in self._kept if exchange.n > after]
