"""A fresh world per example, on the process's database and simulators."""

from collections.abc import Callable, Iterator

import pytest

from tests.machine.stages import worlds
from tests.machine.world import World
from tests.simulators import Simulators


@pytest.fixture
def new_world(simulators: Simulators, transactional_db: None) -> Iterator[Callable[[], World]]:
    with worlds(simulators) as make:
        yield make
