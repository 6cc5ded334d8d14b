"""A list is whole whatever headers a server leaves out, or the reading fails."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import httpx2
import msgspec
import pytest

from onecore.http.transport import Transport
from onecore.http.wire import Reader
from onecore.ports import Lane, ReadFailed, Remote, Token
from onecore.procore import paging
from onecore.procore.paging import whole_list


class Row(msgspec.Struct):
    id: int


class Clock:
    def now(self) -> datetime:
        return datetime(2026, 11, 22, tzinfo=UTC)


class Grants:
    async def current(self) -> Token:
        return Token("t", Clock().now(), 1)

    async def renew(self, stale: Token) -> Token:
        raise AssertionError


class Log:
    async def before(self, *told: object) -> None: ...
    async def after(self, *told: object) -> None: ...


class Server:
    """A list of `count` rows that caps pages at `cap` and sends only some paging headers."""

    def __init__(self, count: int, cap: int, headers: set[str], unpaged: bool = False) -> None:
        self.rows = list(range(1, count + 1))
        self.cap, self.headers, self.unpaged = cap, headers, unpaged
        self.requests = 0
        self.before_page: Callable[[int], None] = lambda page: None

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests += 1
        page = int(request.url.params["page"])
        self.before_page(page)
        size = min(int(request.url.params["per_page"]), self.cap)
        rows = self.rows if self.unpaged else self.rows[(page - 1) * size : page * size]
        last = max(1, -(-len(self.rows) // size))
        told = {"Total": str(len(self.rows)), "Per-Page": str(size)}
        links = [f'<https://x/?page={page - 1}&per_page={size}>; rel="prev"'] if page > 1 else []
        if page < last:
            links.append(f'<https://x/?per_page={size}&page={page + 1}>; rel="next"')
        if links:
            told["Link"] = ", ".join(links)
        kept = {k: v for k, v in told.items() if k in self.headers}
        return httpx2.Response(200, json=[{"id": n} for n in rows], headers=kept)


def read(server: Server) -> list[int]:
    async def main() -> list[int]:
        async with httpx2.AsyncClient(transport=httpx2.MockTransport(server)) as http:
            sender = Transport(Remote.PROCORE, "https://x", "c", Grants(), Log(), http, Clock())
            rows = await whole_list(
                sender, "rows", "/rows", (), Lane.LIST, {}, Reader(list[Row]),
                lambda body: body, lambda row: row.id,
            )  # fmt: skip
            return [row.id for row in rows]

    return asyncio.run(main())


ALL = {"Total", "Per-Page", "Link"}
SOME = [ALL, {"Total"}, {"Per-Page"}, {"Link"}, {"Total", "Per-Page"}, {"Total", "Link"}, set()]


@pytest.mark.parametrize("headers", SOME, ids=lambda h: "+".join(sorted(h)) or "none")
@pytest.mark.parametrize("cap", [7, 10, 100, 2000])
@pytest.mark.parametrize("count", [0, 1, 7, 61, 100, 101, 210])
def test_a_list_is_whole(headers: set[str], cap: int, count: int) -> None:
    server = Server(count, cap, headers)
    assert read(server) == server.rows


@pytest.mark.parametrize("headers", [set(), {"Total"}])
def test_an_unpaged_list_is_read_once_over(headers: set[str]) -> None:
    server = Server(260, 2000, headers, unpaged=True)
    assert read(server) == server.rows
    assert server.requests <= 2


def test_a_full_last_page_asks_for_nothing_more() -> None:
    server = Server(100, 100, ALL)
    read(server)
    assert server.requests == 1


def test_rows_that_change_places_are_an_error_not_a_gap() -> None:
    server = Server(30, 10, ALL)

    def moved(page: int) -> None:
        if page == 2:  # row 1 changes and goes to the end, so row 11 slips to page 1
            server.rows.append(server.rows.pop(0))

    server.before_page = moved
    with pytest.raises(ReadFailed):
        read(server)


def test_a_list_without_end_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "MOST_PAGES", 5)
    with pytest.raises(ReadFailed):
        read(Server(1000, 10, ALL))
