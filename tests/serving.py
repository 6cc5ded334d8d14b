"""An ASGI application served over real HTTP, in a thread of the test's process."""

import socket
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import uvicorn


class Serving:
    """Serves until `stop`; `url` is its address."""

    def __init__(self, application: Any, port: int | None = None) -> None:
        port = port or free_port()
        self.url = f"http://localhost:{port}"
        config = uvicorn.Config(
            application, "127.0.0.1", port, log_level="warning", lifespan="off", access_log=False
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        eventually(lambda: self._server.started)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(20)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def eventually(true: Callable[[], bool], within: timedelta = timedelta(seconds=30)) -> None:
    """Waits until it holds; fails when it never does."""
    deadline = time.monotonic() + within.total_seconds()
    while not true():
        assert time.monotonic() < deadline, "it did not come to hold in time"
        time.sleep(0.02)
