"""The worker: wakes organisations that are due, and works those it is woken for."""

import asyncio
import contextlib
from collections.abc import Callable

import structlog
from procrastinate.contrib.django import app
from procrastinate.contrib.django.utils import connector_params
from procrastinate.psycopg_connector import PsycopgConnector

from onecore.engine import bells, calls, db, hooks, jobs, keeping
from onecore.engine.context import NotConnected
from onecore.engine.service import Service
from onecore.ports import RemoteError
from onecore.store import leases
from onecore.sync.hooking import can_ring

log = structlog.get_logger("onecore.worker")

DISPATCH_SECONDS = 1.0
JANITOR_EVERY = 60  # dispatches
PRUNE_EVERY = 3600  # dispatches
TEND_SECONDS = 30.0
KEEP_EVERY = 20  # rounds of tending
CONCURRENCY = 4
BACK_AFTER = 2.0
JOB_CONNECTIONS = 4
"""The most that listening for jobs and taking them keep open, beside the pool of Django."""
JOB_PATIENCE = 5.0
"""Seconds a job's step waits for a connection; so a round whose database is gone ends soon."""


class Worker:
    """Runs on the service's loop until it is stopped; survives a database that comes and goes."""

    def __init__(
        self,
        service: Service,
        concurrency: int = CONCURRENCY,
        revive: Callable[[], object] | None = None,
    ) -> None:
        """`revive` starts the database, where it is ours to start, and returns when it answers; it
        raises where it does not. None: it is only asked."""
        self._service = service
        self._revive = revive or leases.answers
        self._concurrency = concurrency
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Work until `stop`. A lost database ends one round; the next begins when it answers."""
        jobs.serve_with(self._service.organisations.turn)
        while not self._stopping.is_set():
            try:
                await self._round()
            except Exception as error:  # the supervisor: whatever it is, go on
                log.error("worker.round_ended", error=type(error).__name__)
            await self._database_back()

    async def _database_back(self) -> None:
        """Wait for the database by plain attempts: the pools wait longer the longer it was away."""
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), BACK_AFTER)
            try:
                await asyncio.to_thread(self._revive)
            except Exception as error:
                log.warning("worker.no_database", error=type(error).__name__)
            else:
                await asyncio.to_thread(db.forget_connections)
                return

    def stop(self) -> None:
        """Take nothing new, finish what is under way. Call on the loop."""
        self._stopping.set()

    async def _round(self) -> None:
        connector = PsycopgConnector(
            kwargs=connector_params(), min_size=1, max_size=JOB_CONNECTIONS, timeout=JOB_PATIENCE
        )
        with app.replace_connector(connector) as live:
            async with live.open_async():
                worker = asyncio.create_task(
                    live.run_worker_async(
                        queues=[jobs.QUEUE],
                        concurrency=self._concurrency,
                        install_signal_handlers=False,
                        delete_jobs="always",
                        listen_notify=True,
                        shutdown_graceful_timeout=30,
                    )
                )
                dispatcher = asyncio.create_task(self._dispatch())
                tender = asyncio.create_task(self._tend())
                stopper: asyncio.Task[object] = asyncio.create_task(self._stopping.wait())
                try:
                    await asyncio.wait(
                        {worker, dispatcher, stopper}, return_when=asyncio.FIRST_COMPLETED
                    )
                    for ended in (worker, dispatcher):
                        if ended.done():
                            ended.result()  # raises what ended it
                finally:
                    every = (dispatcher, tender, stopper, worker)
                    for one in every:
                        one.cancel()
                    await asyncio.gather(*every, return_exceptions=True)

    async def _dispatch(self) -> None:
        """Once a second answer what rang and wake what is due; at times clear dead jobs away."""
        n = 0
        while True:
            await db.commit("bells.answered", bells.answer, self._service.clock.now())
            await jobs.wake(await db.run(jobs.due_organisations, self._service.clock.now()))
            if n % 10 == 0:
                await jobs.heartbeat()
            if n % JANITOR_EVERY == 0:
                await db.commit("jobs.cleared", jobs.clear_dead_jobs)
            if n % PRUNE_EVERY == 0:
                await db.commit("calls.pruned", calls.prune, self._service.clock.now())
            n += 1
            await asyncio.sleep(DISPATCH_SECONDS)

    async def _tend(self) -> None:
        """See to what stands between us and the remotes, beside the work: a remote that is slow
        to answer keeps nothing from being woken."""
        n = 0
        while True:
            await asyncio.sleep(TEND_SECONDS)
            try:
                if n % KEEP_EVERY == 0:
                    await keeping.keep_alive(self._service.contexts)
                n += 1
                await self._tend_hooks()
            except Exception as error:  # the next round may do better
                log.error("worker.not_tended", error=type(error).__name__)

    async def _tend_hooks(self) -> None:
        """See to Procore's webhooks, where they can reach us; polling does without them."""
        settings = self._service.settings
        if not can_ring(settings.base_url, settings.procore_api_url):
            return
        for workspace in await db.run(hooks.connected_workspaces):
            try:
                ctx, remote = await self._service.contexts.hooks_of(workspace)
                await hooks.tend(ctx, remote, settings.base_url)
            except (RemoteError, NotConnected) as trouble:
                log.warning("hooks.not_tended", workspace=workspace, why=type(trouble).__name__)
