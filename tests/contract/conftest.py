"""Both simulators, started once; after each test, every exchange is held against the specs."""

from collections.abc import Iterator

import pytest
from tests.contract.remotes import ProcoreSide, Simulator, XeroSide
from tests.contract.specs_check import PROCORE, XERO


@pytest.fixture(scope="session")
def procore_program() -> Iterator[Simulator]:
    sim = Simulator("procore")
    yield sim
    sim.close()


@pytest.fixture(scope="session")
def xero_program() -> Iterator[Simulator]:
    sim = Simulator("xero")
    yield sim
    sim.close()


@pytest.fixture
def procore(procore_program: Simulator) -> Iterator[ProcoreSide]:
    procore_program.reset()
    side = ProcoreSide(procore_program)
    procore_program.forget()
    yield side
    assert PROCORE.breaches(procore_program.requests()) == []


@pytest.fixture
def xero(xero_program: Simulator) -> Iterator[XeroSide]:
    xero_program.reset()
    side = XeroSide(xero_program)
    xero_program.forget()
    yield side
    assert XERO.breaches(xero_program.requests()) == []
