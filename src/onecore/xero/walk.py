"""Walking a list that changes while it is read: by value, not by page number [X 3]."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar
from uuid import UUID

from onecore.http.transport import Answer, Call, Params, Transport
from onecore.http.wire import Reader
from onecore.ports import ReadFailed
from onecore.xero.read import instant
from onecore.xero.wire import Pagination

PAGE_SIZE = 1000
LEAST_PAGE_SIZE = 100  # what a server gives that knows no pageSize
MOST_REQUESTS = 1000
_SECOND = timedelta(seconds=1)

Row = TypeVar("Row")
Body = TypeVar("Body")


@dataclass(frozen=True, slots=True)
class Rows(Generic[Row]):
    """One page's rows, and what it says of the pages."""

    rows: Sequence[Row]
    pagination: Pagination | None


async def walk_by_value(
    transport: Transport,
    call: Callable[[Params, Mapping[str, str]], Call],
    since: datetime | None,
    reader: Reader[Body],
    rows_of: Callable[[Body], Rows[Row]],
    seen_as: Callable[[Row], tuple[UUID, str | None]],
) -> tuple[Row, ...]:
    """Every row changed since an instant, each once as it was last read, oldest change first."""
    found: dict[UUID, Row] = {}
    async for rows in walk_pages(transport, call, since, reader, rows_of, seen_as):
        for row in rows:
            key = seen_as(row)[0]
            found.pop(key, None)  # so that it moves to the end
            found[key] = row
    return tuple(found.values())


async def walk_pages(
    transport: Transport,
    call: Callable[[Params, Mapping[str, str]], Call],
    since: datetime | None,
    reader: Reader[Body],
    rows_of: Callable[[Body], Rows[Row]],
    seen_as: Callable[[Row], tuple[UUID, str | None]],
) -> AsyncIterator[list[Row]]:
    """The same page by page; a row that changes while it is read comes again.

    Lists come in order of change. Page 2 of a moving list skips rows, so page 1 is asked for
    again from the last row seen, one second back: whether If-Modified-Since includes its own
    second is not known. Only where a page's rows all lie in that second do page numbers serve.
    `since` None reads everything.
    """
    seen: dict[UUID, str | None] = {}
    cursor = _second(since) if since is not None else None
    page = 1
    operation = ""
    for _ in range(MOST_REQUESTS):
        headers = {"If-Modified-Since": f"{cursor:%Y-%m-%dT%H:%M:%S}"} if cursor else {}
        asked = call((("page", str(page)), ("pageSize", str(PAGE_SIZE))), headers)
        operation = asked.operation
        answer = await transport.send(asked)
        if answer.status == 304:
            return
        got = rows_of(answer.read(reader))
        before = len(seen)
        rows = _unseen(seen, got.rows, seen_as)
        if rows:
            yield rows
        if not _more(got, page, fresh=len(seen) > before):
            return
        ahead = _ahead(answer, got.rows, seen_as)
        if ahead is not None and (cursor is None or ahead > cursor):
            cursor, page = ahead, 1
        else:
            page += 1
    raise ReadFailed(transport.remote, operation, "the list does not end")


def _unseen(
    seen: dict[UUID, str | None],
    rows: Sequence[Row],
    seen_as: Callable[[Row], tuple[UUID, str | None]],
) -> list[Row]:
    """A page's rows that were not read before, or not as they are now."""
    found: list[Row] = []
    for row in rows:
        key, told = seen_as(row)
        if key not in seen or seen[key] != told or told is None:
            found.append(row)
        seen[key] = told
    return found


def _more(got: Rows[Row], page: int, fresh: bool) -> bool:
    pages = got.pagination.page_count if got.pagination else None
    if pages is not None:
        return page < pages
    return fresh and len(got.rows) >= LEAST_PAGE_SIZE


def _ahead(
    answer: Answer, rows: Sequence[Row], seen_as: Callable[[Row], tuple[UUID, str | None]]
) -> datetime | None:
    """One second before the last row's change; None where the row does not tell."""
    told = seen_as(rows[-1])[1] if rows else None
    if told is None:
        return None
    try:
        return _second(instant(told)) - _SECOND
    except ValueError:
        raise ReadFailed(
            answer.remote, answer.call.operation, "UpdatedDateUTC is no instant"
        ) from None


def _second(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(microsecond=0)
