"""What a process commits and sends, and the crash points it reaches between, as they happen.

Commits are seen where Django makes them and sends where the first bytes of a request leave, so
that nothing depends on who remembered to name a point.
"""

import contextlib
import re
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from httpcore2._backends.anyio import AnyIOStream

from onecore import crash

COMMIT, SEND, POINT = "commit", "send", "point"
_SOURCES = str(Path(crash.__file__).parent)
_WRITES = re.compile(r"\b(INSERT|UPDATE|DELETE|TRUNCATE)\b|procrastinate_defer", re.IGNORECASE)
_LOCKS = re.compile(r"\bFOR (NO KEY )?UPDATE\b", re.IGNORECASE)
_REQUEST = re.compile(rb"(GET|POST|PUT|PATCH|DELETE) (\S+) HTTP/1\.1\r\n")


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened: a point's name, what was committed and where, what was sent."""

    kind: str
    what: str
    thread: int
    where: str = ""


class Trace:
    """The events of this process, in order, over all threads."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._writing: dict[int, str] = {}  # what open transactions wrote first, by connection

    @property
    def points(self) -> list[str]:
        return [one.what for one in self.events if one.kind == POINT]

    def add(self, kind: str, what: str, where: str = "") -> None:
        self.events.append(Event(kind, what, threading.get_ident(), where))

    def wrote(self, connection: BaseDatabaseWrapper, sql: str, rows: int) -> None:
        """A statement that was carried out: a commit of its own, or a part of a transaction."""
        if rows == 0 or not _WRITES.search(_LOCKS.sub("", sql)):
            return
        what = " ".join(sql.split())[:60]
        if connection.in_atomic_block:
            self._writing.setdefault(id(connection), what)
        else:
            self.add(COMMIT, what, _where())

    def ended(self, connection: BaseDatabaseWrapper, committed: bool) -> None:
        what = self._writing.pop(id(connection), None)
        if what is not None and committed:
            self.add(COMMIT, what, _where())

    def gaps(self) -> list[str]:
        """Commits with no point behind them, and sends with none before: what nobody could test.

        A commit's point comes on its own thread before that commits again and before anything is
        sent; a request's right before its first byte, with no commit between.
        """
        found: list[str] = []
        open_: dict[int, Event] = {}
        last: Event | None = None
        for event in self.events:
            if event.kind == POINT:
                open_.pop(event.thread, None)
            elif event.kind == SEND:
                found += [
                    f"sent {event.what} before a point of: {_told(c)}" for c in open_.values()
                ]
                open_.clear()
                if last is None or last.kind != POINT or not last.what.endswith(".before"):
                    found.append(f"no point before: {event.what}")
            else:
                if event.thread in open_:
                    found.append(f"no point after: {_told(open_[event.thread])}")
                open_[event.thread] = event
            last = event
        return found + [f"no point after: {_told(one)}" for one in open_.values()]


def _told(event: Event) -> str:
    return f"{event.what} [{event.where}]"


def _where() -> str:
    """The innermost functions of ours that led here."""
    frame, named = sys._getframe(1), []
    while frame.f_back is not None and len(named) < 3:
        frame = frame.f_back
        if frame.f_code.co_filename.startswith(_SOURCES):
            named.append(f"{Path(frame.f_code.co_filename).stem}.{frame.f_code.co_name}")
    return " < ".join(named)


@contextlib.contextmanager
def traced() -> Iterator[Trace]:
    """Everything this process commits, sends and reaches while the block lasts."""
    trace = Trace()
    execute, executemany = CursorWrapper.execute, CursorWrapper.executemany
    commit, rollback = BaseDatabaseWrapper._commit, BaseDatabaseWrapper._rollback  # type: ignore[attr-defined]
    write = AnyIOStream.write

    def seen_execute(cursor: CursorWrapper, sql: Any, params: Any = None) -> Any:
        result = execute(cursor, sql, params)
        trace.wrote(cursor.db, str(sql), cursor.cursor.rowcount)
        return result

    def seen_executemany(cursor: CursorWrapper, sql: Any, params: Any) -> Any:
        result = executemany(cursor, sql, params)
        trace.wrote(cursor.db, str(sql), cursor.cursor.rowcount)
        return result

    def seen_commit(connection: BaseDatabaseWrapper) -> Any:
        result = commit(connection)
        trace.ended(connection, committed=True)
        return result

    def seen_rollback(connection: BaseDatabaseWrapper) -> Any:
        trace.ended(connection, committed=False)
        return rollback(connection)

    async def seen_write(stream: AnyIOStream, buffer: bytes, timeout: float | None = None) -> None:
        request = _REQUEST.match(buffer)
        if request:
            trace.add(SEND, f"{request[1].decode()} {request[2].decode()}")
        await write(stream, buffer, timeout)

    with (
        patch.object(CursorWrapper, "execute", seen_execute),
        patch.object(CursorWrapper, "executemany", seen_executemany),
        patch.object(BaseDatabaseWrapper, "_commit", seen_commit),
        patch.object(BaseDatabaseWrapper, "_rollback", seen_rollback),
        patch.object(AnyIOStream, "write", seen_write),
    ):
        crash.watch(lambda point: trace.add(POINT, point))
        try:
            yield trace
        finally:
            crash.watch(None)
