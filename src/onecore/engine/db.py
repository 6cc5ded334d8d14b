"""Database steps off the event loop: one sync function each, on threads of our own.

Django's own `sync_to_async` is either one thread for everything or leaks connections; here each
step borrows a connection from the pool and gives it back.
"""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import close_old_connections, connection

from onecore.timing import DATABASE, waiting

P = ParamSpec("P")
T = TypeVar("T")

THREADS = int(os.environ.get("ONECORE_DB_THREADS", "4"))
_executor = ThreadPoolExecutor(THREADS, thread_name_prefix="onecore-db")


async def run(fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What `fn` gives, run on a database thread. Its errors come through unchanged."""

    def step() -> T:
        close_old_connections()
        try:
            return fn(*args, **kwargs)
        finally:
            connection.close()

    with waiting(DATABASE):
        return await asyncio.get_running_loop().run_in_executor(_executor, step)
