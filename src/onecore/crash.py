"""Named points where a test may kill the process: after every commit, before and after every send.

A commit's point is named by the step that made it (`db.commit`, or `reach` after a use case's own
transaction), a request's by its remote and operation: `call.xero.bills.create.before`. In service
nobody watches, and a point does nothing.
"""

import os
import signal
import threading
from collections.abc import Callable

_watcher: Callable[[str], None] | None = None


def reach(name: str) -> None:
    """Say that the process has come to this point."""
    if _watcher is not None:
        _watcher(name)


def watch(watcher: Callable[[str], None] | None) -> None:
    """Have every point told to `watcher` from now on; None ends it. For tests."""
    global _watcher  # noqa: PLW0603 - points are reached everywhere, by one process
    _watcher = watcher


def die_at(wanted: str) -> None:
    """Kill this process, as a power cut would, at the point `name`, or `name:3` for the third time.

    `name:1:STOP` pauses it there instead, until somebody continues it.
    """
    name, nth, how = [*wanted.split(":"), "", ""][:3]
    left = int(nth or 1)

    def die(reached: str) -> None:
        nonlocal left
        if reached != name:
            return
        left -= 1
        if left:
            return
        if how == "STOP":
            # To this very thread: sent to the process, another may take it while this one runs on.
            signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)
        else:
            os.kill(os.getpid(), signal.SIGKILL)

    watch(die)
