"""The state machine for a short while: the same examples every time."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.machine.machine import WholeProduct
from tests.machine.world import World

SHORT = settings(
    max_examples=8,
    stateful_step_count=20,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.timeout(900)  # a failure is told as the shortest story, which takes a while to find
def test_the_whole_product_is_right_at_rest(new_world: Callable[[], World]) -> None:
    class Machine(WholeProduct):
        pass

    Machine.new_world = staticmethod(new_world)
    run_state_machine_as_test(Machine, settings=SHORT)
