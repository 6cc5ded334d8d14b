"""A hundred and fifty people look at once while the engine works: nobody is turned away, and the
database sees no more sessions than was said."""

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
import psycopg
from django.db import connection

from onecore.engine.worker import Worker
from onecore.store.models import Document
from tests.desk import Desk
from tests.engine.fifty import approve, each_once
from tests.serving import Serving
from tests.store.servers import eventually
from tests.web.conftest import As

PEOPLE = 150
BUDGET = 12 + 1 + 4
"""What docs/operating.md says of a process: its pool, one for its leases, four for jobs."""


@contextmanager
def sessions() -> Iterator[list[int]]:
    """How many sessions this test's database has, looked at again and again; ours not counted."""
    there = connection.settings_dict
    seen: list[int] = []
    over = threading.Event()
    with psycopg.connect(
        dbname=there["NAME"],
        user=there["USER"],
        password=there["PASSWORD"],
        host=there["HOST"],
        port=there["PORT"] or None,
        autocommit=True,
    ) as asking:

        def look() -> None:
            while not over.wait(0.02):
                row = asking.execute(
                    "SELECT count(*) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    " AND backend_type = 'client backend'"
                ).fetchone()
                assert row is not None
                seen.append(row[0])

        looking = threading.Thread(target=look)
        looking.start()
        try:
            yield seen
        finally:
            over.set()
            looking.join()


async def views(url: str, cookie: str, paths: list[str]) -> Counter[int | str]:
    """The statuses of that many requests at once, each on a connection of its own."""
    met: Counter[int | str] = Counter()

    async def view(path: str) -> None:
        async with httpx2.AsyncClient(timeout=120, trust_env=False) as client:
            try:
                answer = await client.get(f"{url}{path}", headers={"Cookie": cookie})
                met[answer.status_code] += 1
            except httpx2.HTTPError as error:
                met[type(error).__name__] += 1

    await asyncio.gather(*(view(path) for path in paths))
    return met


def test_a_crowd_of_readers_meets_no_error_and_keeps_the_budget_of_connections(
    desk: Desk, served: Serving, signed_in: As
) -> None:
    desk.connect()
    desk.map_all()
    cookie = f"sessionid={signed_in('owner').cookies['sessionid'].value}"
    worker = Worker(desk.service)
    running = desk.service.start(worker.run())
    pages = [f"/w/{desk.workspace}/", f"/w/{desk.workspace}/documents"]
    try:
        with sessions() as seen:
            refs = approve(desk, 60)
            met = asyncio.run(views(served.url, cookie, (pages * PEOPLE)[:PEOPLE]))
            eventually(lambda: Document.objects.filter(state="in_step").count() == len(refs))
    finally:
        desk.service.soon(worker.stop)
        running.result(60)
    assert met == Counter({200: PEOPLE})
    assert max(seen) <= BUDGET, max(seen)
    desk.sync()
    each_once(desk, refs)
