"""Named points where a test may kill the process: after every commit, before every send.

`ONECORE_TEST_CRASH=name` or `name:3` (the third time it is reached) kills with SIGKILL, as a power
cut would: nothing is cleaned up. `name:1:STOP` pauses the process there instead, until somebody
continues it. Unset, which is always so outside tests, a point does nothing.
"""

import os
import signal
import threading
from collections import Counter

_wanted, _nth, _how = [*os.environ.get("ONECORE_TEST_CRASH", "").split(":"), "", ""][:3]
_reached: Counter[str] = Counter()

POINTS: tuple[str, ...] = (
    "lease.taken",
    "index.written",
    "feed.answered",
    "feed.read",
    "intent.written",
    "send.write",
    "answer.create",
    "answer.update",
    "answer.remove",
    "outcome.written",
    "document.placed",
    "doubt.found",
    "doubt.absent",
)
"""Every point there is, so that a test can walk them all."""


def reach(name: str) -> None:
    """Die here if a test asked for it. Raises KeyError for a point nobody listed."""
    if name not in POINTS:
        raise KeyError(f"{name} is not in engine.crash.POINTS")
    if name != _wanted:
        return
    _reached[name] += 1
    if _reached[name] != int(_nth or 1):
        return
    if _how == "STOP":
        # To this very thread: sent to the process, another may take it while this one runs on.
        signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)
    else:
        os.kill(os.getpid(), signal.SIGKILL)
