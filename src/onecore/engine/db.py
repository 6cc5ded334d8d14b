"""Database steps off the event loop: one sync function each, on threads of our own.

Django's own `sync_to_async` is either one thread for everything or leaks connections; here each
step borrows a connection from the pool and gives it back. A step that writes is one commit with
a name, its crash point (`onecore.crash`), so that a test can end the process behind each.
"""

import asyncio
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import ParamSpec, TypeVar

from django.db import close_old_connections, connection, connections, transaction

from onecore.crash import reach
from onecore.timing import DATABASE, waiting

P = ParamSpec("P")
T = TypeVar("T")

THREADS = int(os.environ.get("ONECORE_DB_THREADS", "4"))
_executor = ThreadPoolExecutor(THREADS, thread_name_prefix="onecore-db")


def forget_connections() -> None:
    """Drop the pool of this process: what is in it may be of before a restart of the server, and
    its next attempt to connect far off. Who borrowed a connection gives it back unharmed."""
    connections["default"].close_pool()  # type: ignore[attr-defined]


async def run(fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What `fn`, which reads, gives. Its errors come through unchanged."""

    def step() -> T:
        close_old_connections()
        try:
            return fn(*args, **kwargs)
        finally:
            connection.close()

    with waiting(DATABASE):
        return await asyncio.get_running_loop().run_in_executor(_executor, step)


async def commit(point: str, fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What `fn`, which writes, gives; all it writes is one commit, and `point` comes after it."""

    def step() -> T:
        with committing(point):
            return fn(*args, **kwargs)

    return await run(step)


@contextmanager
def committing(point: str) -> Iterator[None]:
    """One commit of what the block writes, then the crash point.

    Within another block both are reached when the outer one is committed.
    """
    with transaction.atomic():
        transaction.on_commit(partial(reach, point))
        yield
