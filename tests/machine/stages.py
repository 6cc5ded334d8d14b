"""Worlds, one after another, for whoever runs the machine."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

from tests.machine.workers import Nursery, SharedClock
from tests.machine.world import World
from tests.simulators import Simulators

NOTHING = 50
"""The level of the log: an example has a thousand calls, and they are nobody's news."""


@contextmanager
def worlds(simulators: Simulators) -> Iterator[Callable[[], World]]:
    """Makes worlds that share a nursery and a clock; each begins with empty tables."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(NOTHING))
    clock = SharedClock.new()
    nursery = Nursery(simulators, clock)
    try:
        yield lambda: World(simulators, nursery, clock)
    finally:
        nursery.close()
        clock.discard()
        structlog.reset_defaults()
