"""A running Procore simulator."""

import threading
import time
from collections.abc import Iterator

import httpx2
import pytest
import uvicorn
from tests.sim.procore.client import Procore

from onecore_sim.kit.server import application
from onecore_sim.procore.simulator import ProcoreSimulator


class Running:
    """A simulator served by a thread, reset to the tiny builder for each test."""

    def __init__(self) -> None:
        self.sim = ProcoreSimulator()
        self.sim.seed("tiny", 1)
        config = uvicorn.Config(
            application(self.sim), port=0, log_level="warning", http="h11", lifespan="on"
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def start(self) -> str:
        self._thread.start()
        until = time.monotonic() + 20
        while not self._server.started:
            assert time.monotonic() < until, "the simulator did not start"
            time.sleep(0.01)
        return f"http://127.0.0.1:{self._server.servers[0].sockets[0].getsockname()[1]}"

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(20)
        assert not self._thread.is_alive()


@pytest.fixture(scope="session")
def running() -> Iterator[str]:
    server = Running()
    yield server.start()
    server.stop()


@pytest.fixture
def procore(running: str) -> Iterator[Procore]:
    answer = httpx2.post(f"{running}/_sim/reset", json={"size": "tiny"}, trust_env=False)
    assert answer.status_code == 200
    client = Procore(running)
    yield client
    client.http.close()
