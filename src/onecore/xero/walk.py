"""Walking a list that changes while it is read: by value, not by page number [X 3]."""

from collections.abc import Callable, Mapping, Sequence
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
    """Every row changed since an instant, each once as it was last read, oldest change first.

    Lists come in order of change. Page 2 of a moving list skips rows, so page 1 is asked for
    again from the last row seen, one second back: whether If-Modified-Since includes its own
    second is not known. Only where a page's rows all lie in that second do page numbers serve.
    `since` None reads everything.
    """
    found: dict[UUID, Row] = {}
    cursor = _second(since) if since is not None else None
    page = 1
    operation = ""
    for _ in range(MOST_REQUESTS):
        headers = {"If-Modified-Since": f"{cursor:%Y-%m-%dT%H:%M:%S}"} if cursor else {}
        asked = call((("page", str(page)), ("pageSize", str(PAGE_SIZE))), headers)
        operation = asked.operation
        answer = await transport.send(asked)
        if answer.status == 304:
            break
        got = rows_of(answer.read(reader))
        fresh = _take(found, got.rows, seen_as)
        if not _more(got, page, fresh):
            break
        ahead = _ahead(answer, got.rows, seen_as)
        if ahead is not None and (cursor is None or ahead > cursor):
            cursor, page = ahead, 1
        else:
            page += 1
    else:
        raise ReadFailed(transport.remote, operation, "the list does not end")
    return tuple(found.values())


def _take(
    found: dict[UUID, Row],
    rows: Sequence[Row],
    seen_as: Callable[[Row], tuple[UUID, str | None]],
) -> bool:
    """Add a page's rows, a newer reading in an older one's place; whether any was not known."""
    before = len(found)
    for row in rows:
        key = seen_as(row)[0]
        found.pop(key, None)  # so that it moves to the end
        found[key] = row
    return len(found) > before


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
