"""A real worker whose embedded database is killed brings it back by itself, and goes on."""

from collections.abc import Iterator

import pytest

from tests.fork_server import ForkServer
from tests.harness import XERO_CUSTOM, Installation
from tests.serving import eventually
from tests.simulators import Simulators
from tests.store.servers import kill_all


@pytest.fixture
def installation(simulators: Simulators) -> Iterator[Installation]:
    simulators.reset()
    made = Installation(simulators, DB_PATIENCE="2")
    yield made
    made.close()


def bills(simulators: Simulators) -> int:
    organisation = next(iter(simulators.xero.state()["organisations"].values()))
    return sum("onecore=" in bill["url"] for bill in organisation["invoices"].values())


def test_a_worker_brings_its_embedded_database_back(
    installation: Installation, simulators: Simulators
) -> None:
    installation.server.ensure()
    nursery = ForkServer(installation.environ, "bench.chaos.process")
    try:
        company = simulators.procore.state()["company_id"]
        told = {"ahead": 0, "doom": {}}
        furnish = ["furnish", str(company), *XERO_CUSTOM, "keep", "ask"]
        assert nursery.fork({**told, "name": "furnish", "args": furnish}).wait(60) == 0
        worker = nursery.fork({**told, "name": "worker", "args": ["worker"]})
        simulators.procore.do("bulk_claims", project_id=7, count=3)
        eventually(lambda: bills(simulators) == 3)
        kill_all(installation.server)
        eventually(lambda: installation.server.status().answers)  # nobody else starts it
        simulators.procore.do("bulk_claims", project_id=7, count=3)
        eventually(lambda: bills(simulators) == 6)
        assert not worker.has_ended()
    finally:
        nursery.close()
