"""A desk per test, on the process's database and simulators."""

from collections.abc import Iterator

import pytest

from tests.desk import Desk
from tests.simulators import Simulators


@pytest.fixture
def bare_desk(simulators: Simulators, transactional_db: None) -> Iterator[Desk]:
    """Neither connected nor mapped."""
    desk = Desk(simulators)
    yield desk
    desk.close()


@pytest.fixture
def desk(bare_desk: Desk) -> Desk:
    """Connected, mapped and switched on."""
    bare_desk.connect()
    bare_desk.map_all()
    return bare_desk
