"""The engine of one process: its parts, and a loop of its own for whoever has none."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from onecore.domain.ids import WorkspaceId
from onecore.engine.context import Context, Contexts
from onecore.engine.organisation_run import OrganisationRun
from onecore.engine.pace import tempo_of
from onecore.engine.remotes import Remotes
from onecore.environment import Settings
from onecore.ports import Clock, Lane
from onecore.store.leases import Owner
from onecore.store.vault import Vault

T = TypeVar("T")


class Service:
    """Everything a use case needs. Coroutines of the engine run on its own loop, in one thread.

    Commands and pages are synchronous and call `run`; the worker lives on the same loop, so that
    connections to the remotes are shared and belong to one loop only.
    """

    def __init__(self, settings: Settings, remotes: Remotes, vault: Vault, clock: Clock) -> None:
        self.settings = settings
        self.remotes = remotes
        self.vault = vault
        self.clock = clock
        self.owner = Owner()
        tempo = tempo_of(settings.poll_seconds, settings.poll_longest)
        self.contexts = Contexts(remotes, vault, clock, tempo, self.owner)
        self.organisations = OrganisationRun(self.contexts, self.owner)
        self._loop = asyncio.new_event_loop()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def run(self, work: Coroutine[Any, Any, T], timeout: float | None = None) -> T:
        """What `work` gives, run on the engine's loop; called from any other thread."""
        self._start()
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout)

    def start(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        """Begin `work` on the engine's loop without waiting for it."""
        self._start()
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def soon(self, act: Callable[[], object]) -> None:
        """Call `act` on the engine's loop, from any thread or signal handler."""
        self._loop.call_soon_threadsafe(act)

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._loop.run_forever, name="onecore-engine", daemon=True
                )
                self._thread.start()

    async def context(self, workspace: WorkspaceId) -> Context:
        """The workspace's context for reading, for a person who waits."""
        return (await self.contexts.of(workspace)).in_lane(Lane.PERSON)

    def close(self) -> None:
        """Close connections and stop the loop; safe to call more than once."""
        if self._thread is not None:
            self.run(self.remotes.aclose(), timeout=10)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(timeout=10)
            self._thread = None
        if not self._loop.is_closed():
            self._loop.close()
        self.owner.close()
