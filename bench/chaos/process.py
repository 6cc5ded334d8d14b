"""What a forked process of a run does: a command of OneCore, until it comes to its end.

A claim counts as deleted when it has been missing for an hour, so a run moves every clock at
once: the simulators' by their control path, OneCore's by `ahead` (seconds) at each start.
"""

import os
import random
import signal
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.chaos.office import COMMANDS
from onecore import app, crash
from onecore.cli.main import run
from onecore.engine.clock import SystemClock

PLACE = "place "
"""What the line in a process's output begins with that names where it ended or stopped."""


def warm() -> None:
    """Import all there is, without a connection to anything."""
    app.start_database()
    app.setup_django()
    import onecore.engine.worker  # noqa: PLC0415
    import onecore.web.asgi  # noqa: F401, PLC0415


def do(said: dict[str, Any]) -> int:
    """The command `args` in this process, known to the database as `name`; its exit code."""
    from onecore.cli.logs import to_stderr  # noqa: PLC0415 - keeps the error output it finds

    to_stderr()
    os.environ["PGAPPNAME"] = said["name"]
    by = timedelta(seconds=said["ahead"])
    SystemClock.now = lambda self: datetime.now(UTC) + by  # type: ignore[method-assign]
    if said["doom"]:
        crash.watch(Doom(**said["doom"]))
    what, *args = said["args"]
    return COMMANDS[what](*args) if what in COMMANDS else run([what, *args])


class Doom:
    """Ends (or stops) this process at some point it gets to, as `seed` has it.

    Each point it meets for the first time is the one with a small chance, so those it comes to a
    hundred times a second are no likelier than those it comes to once.
    """

    def __init__(self, seed: int, chance: float, stops: bool) -> None:
        self._rng = random.Random(seed)
        self._chance = chance
        self._signal = signal.SIGSTOP if stops else signal.SIGKILL
        self._reached: Counter[str] = Counter()
        self._fatal: dict[str, int] = {}
        self._looking = threading.Lock()

    def __call__(self, name: str) -> None:
        with self._looking:
            self._reached[name] += 1
            if self._reached[name] == 1 and self._rng.random() < self._chance:
                self._fatal[name] = 1 + int(self._rng.expovariate(0.7))
            is_here = self._fatal.get(name) == self._reached[name]
        if is_here:
            crash.watch(None)
            os.write(1, f"{PLACE}{name}\n".encode())
            # To this very thread: sent to the process, another may take it while this one runs on.
            signal.pthread_kill(threading.get_ident(), self._signal)
