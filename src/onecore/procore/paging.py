"""Reading a whole list, page by page: complete, or an error."""

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from onecore.http.transport import Answer, Call, Transport
from onecore.http.wire import Reader
from onecore.ports import Lane, ReadFailed

PER_PAGE = 100  # what every list allows [P 2.2]; the answer says what it really was
MOST_PAGES = 2000  # a list that never ends is an error, not a loop
_NEXT = re.compile(r'<[^>]*[?&]page=(\d+)[^>]*>\s*;\s*rel="?next"?')

Row = TypeVar("Row")
Body = TypeVar("Body")


async def whole_list(
    transport: Transport,
    operation: str,
    path: str,
    params: Sequence[tuple[str, str]],
    lane: Lane,
    headers: dict[str, str],
    reader: Reader[Body],
    rows_of: Callable[[Body], Sequence[Row]],
    id_of: Callable[[Row], object],
) -> tuple[Row, ...]:
    """Every row once, in the order it came. Raises ReadFailed when rows are missing at the end.

    A server may cap `per_page` lower than asked and may leave out any of its headers: `Link`
    decides where there is one, then `Total`, then a page that brings nothing new.
    """
    found: dict[object, Row] = {}
    page = 1
    while page <= MOST_PAGES:
        asked = [*params, ("page", str(page)), ("per_page", str(PER_PAGE))]
        call = Call(operation, "GET", path, lane, tuple(asked), headers)
        answer = await transport.send(call)
        rows = rows_of(answer.read(reader))
        before = len(found)
        for row in rows:
            found[id_of(row)] = row
        total = _number(answer, "total")
        if not _goes_on(answer, len(rows), len(found) - before, len(found), total):
            if total is not None and len(found) < total:
                # Rows changed places while they were read: one was seen twice, another never.
                break
            return tuple(found.values())
        page += 1
    raise ReadFailed(transport.remote, operation, f"the list is not complete after page {page}")


def _goes_on(answer: Answer, rows: int, fresh: int, seen: int, total: int | None) -> bool:
    """Whether there may be a next page."""
    if rows == 0:
        return False
    link = answer.headers.get("link")
    if link is not None:
        return _NEXT.search(link) is not None
    if total is not None:
        per_page = _number(answer, "per-page") or rows
        return seen < total and rows >= per_page
    size = _number(answer, "per-page")
    if size is not None:
        return rows >= size and fresh > 0
    # No paging header at all: an unpaged list answers page 2 with the same rows again.
    return fresh > 0


def _number(answer: Answer, header: str) -> int | None:
    text = answer.headers.get(header, "")
    return int(text) if text.isdecimal() else None
