"""Where the time of one piece of work goes: seconds by phase, in code, database and remotes.

A turn of the engine opens a `Spent`; whoever does a part of it names the part with `phase` or
`waiting`. Outside of a `Spent`, and in other tasks, naming costs nothing and changes nothing.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def ticking() -> float:
    """Seconds by a clock that goes on while the machine is suspended, and nobody sets."""
    return time.clock_gettime(_CLOCK)


OWN, DATABASE, REMOTE = "own", "database", "remote"
FIRST = "preparing"
"""The phase of what nobody named."""


class Spent:
    """Seconds of wall clock and of this process's CPU by (phase, what it waited for).

    The CPU is all that the process used meanwhile, so it is a turn's own only while nothing else
    runs.
    """

    def __init__(self) -> None:
        self.seconds: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0])
        self._task = asyncio.current_task()
        self._now = (FIRST, OWN)
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    @property
    def is_of_this_task(self) -> bool:
        return asyncio.current_task() is self._task

    @property
    def now(self) -> tuple[str, str]:
        return self._now

    def go_to(self, now: tuple[str, str]) -> None:
        """What passed since the last call was spent where we were; from now on it is elsewhere."""
        wall, cpu = time.perf_counter(), time.process_time()
        so_far = self.seconds[self._now]
        so_far[0] += wall - self._wall
        so_far[1] += cpu - self._cpu
        self._now, self._wall, self._cpu = now, wall, cpu

    def told(self) -> dict[str, tuple[float, float]]:
        """Milliseconds (wall clock, CPU) by "phase.what", for a log line."""
        self.go_to(self._now)
        return {
            f"{phase}.{what}": (round(1000 * wall, 1), round(1000 * cpu, 1))
            for (phase, what), (wall, cpu) in self.seconds.items()
            if wall >= 0.00005
        }


_spent: ContextVar[Spent | None] = ContextVar("spent", default=None)


@contextmanager
def spending() -> Iterator[Spent]:
    """Count what the block spends, by the phases that are named in it."""
    spent = Spent()
    token = _spent.set(spent)
    try:
        yield spent
    finally:
        _spent.reset(token)


@contextmanager
def phase(name: str) -> Iterator[None]:
    """The block is this phase of whatever piece of work is under way."""
    spent = _spent.get()
    if spent is None or not spent.is_of_this_task:
        yield
        return
    before = spent.now
    spent.go_to((name, OWN))
    try:
        yield
    finally:
        spent.go_to(before)


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """The block waits for the database or a remote; the phase stays as it is."""
    spent = _spent.get()
    if spent is None or not spent.is_of_this_task:
        yield
        return
    before = spent.now
    spent.go_to((before[0], what))
    try:
        yield
    finally:
        spent.go_to(before)
