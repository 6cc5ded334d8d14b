"""The database server is killed in the middle of a sync, and comes back."""

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from onecore.domain.marks import read_mark
from onecore.store.embedded import EmbeddedPostgres
from tests.simulators import Simulators
from tests.store.servers import kill_all
from tests.worker_process import start


@pytest.fixture
def server() -> Iterator[EmbeddedPostgres]:
    """A server of the test's own, to be killed."""
    home = Path(tempfile.mkdtemp(prefix="onecore-gone-", dir="/tmp"))
    home.chmod(0o755)
    made = EmbeddedPostgres(home / "database", fsync=False, patience=60)
    yield made
    made.discard()
    shutil.rmtree(home, ignore_errors=True)


POINTS = {"intent.written": 60, "call.xero.bills.create.after": 0, "document.placed": 0}
"""Where it is lost, and how many seconds have to pass before what is in doubt is sent again."""


@pytest.mark.parametrize("point", POINTS)
def test_the_same_process_goes_on_when_the_database_is_back(
    simulators: Simulators, server: EmbeddedPostgres, point: str
) -> None:
    url = server.ensure()
    procore, xero = simulators.procore, simulators.xero
    told = start(procore, xero, url).end()
    ids = procore.do("bulk_claims", project_id=7, count=20)["ids"]
    name, _, nth = point.partition(":")
    worker = start(
        procore,
        xero,
        url,
        workspace=str(told["workspace"]),
        crash=f"{name}:{nth or 1}:STOP",
        patient="yes",
        timeout="3",
    )
    try:
        worker.stops()
        kill_all(server)
        worker.goes_on()
        worker.says("lost")
        assert server.ensure() == url
        done = worker.end()
    finally:
        worker.kill()
    assert done["lost"] > 0
    if not done["idle"]:
        later = start(
            procore, xero, url, workspace=str(told["workspace"]), ahead=str(POINTS[point])
        )
        assert later.end()["idle"]
    organisation = next(iter(xero.state()["organisations"].values()))
    marks = [read_mark(bill["url"]) for bill in organisation["invoices"].values()]
    assert Counter(mark.requisition for mark in marks if mark) == Counter(ids)
    with psycopg.connect(url) as connection:
        states = connection.execute("SELECT state, count(*) FROM store_document GROUP BY 1")
        assert states.fetchall() == [("in_step", 20)]
        for table in ("store_intent", "store_hint"):
            left = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # type: ignore
            assert left == (0,)
