"""Sending webhooks: five seconds for an answer, a growing wait between tries, a flush at the end.

The waits are on the simulators' clock, so a test moves it on instead of waiting.
"""

import asyncio
import contextlib
import time
from datetime import datetime, timedelta

import httpx2

from onecore_sim.kit.faults import Kind
from onecore_sim.procore.core import Core
from onecore_sim.procore.state import Attempt, Delivery, Hook

FIRST_WAIT = timedelta(seconds=1)
LONGEST_WAIT = timedelta(hours=1)
GIVE_UP = timedelta(hours=12)
ALONE = timedelta(minutes=1)  # how long an event waits for one that it goes behind
KEPT = 2000
WAITING = ("enqueued", "retrying")


class Sender:
    """The background task that works off the queue of deliveries."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._sending: dict[str, asyncio.Task[None]] = {}

    async def start(self) -> None:
        self._core.on_event = self._wake.set
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        self._core.on_event = lambda: None
        tasks = [t for t in (self._task, *self._sending.values()) if t]
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._sending.clear()

    async def _run(self) -> None:
        async with httpx2.AsyncClient(trust_env=False) as client:
            while True:
                self._begin(client)
                self._wake.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), 0.1)

    def _begin(self, client: httpx2.AsyncClient) -> None:
        """Start what is due, each delivery on its own: Procore promises no order."""
        state, now = self._core.state, self._core.now()
        for delivery in [d for d in state.deliveries if d.status in WAITING]:
            hook = state.hooks.get(delivery.hook_id)
            if hook is None or hook.status != "active":
                delivery.status = "discarded"
            elif delivery.id in self._sending or self._held_back(delivery, now):
                continue
            elif delivery.due_at <= now:
                task = asyncio.create_task(self._send(client, hook, delivery))
                self._sending[delivery.id] = task
        if len(state.deliveries) > KEPT:
            waiting = [d for d in state.deliveries if d.status in WAITING]
            done = [d for d in state.deliveries if d.status not in WAITING]
            state.deliveries = done[-KEPT // 2 :] + waiting

    def _held_back(self, delivery: Delivery, now: datetime) -> bool:
        """Whether it waits for a later one of its hook to arrive first."""
        if delivery.fault != Kind.REORDERED or now - delivery.created_at >= ALONE:
            return False
        deliveries = self._core.state.deliveries
        later = deliveries[deliveries.index(delivery) + 1 :]
        return not any(d.hook_id == delivery.hook_id and d.attempts for d in later)

    async def _send(self, client: httpx2.AsyncClient, hook: Hook, delivery: Delivery) -> None:
        try:
            if delivery.fault == Kind.FORGED and not delivery.attempts:
                answer, _ = await self._post(client, hook, delivery.body, "Bearer guessed")
                hook.forged.append(answer)
            started_at, began = self._core.now(), time.monotonic()
            status, text = await self._post(client, hook, delivery.body, hook.authorization)
            took = timedelta(seconds=time.monotonic() - began)
            self._settle(hook, delivery, status, text, started_at, took)
        finally:
            self._sending.pop(delivery.id, None)

    async def _post(
        self, client: httpx2.AsyncClient, hook: Hook, body: str, authorization: str | None
    ) -> tuple[int | None, str]:
        headers = {"content-type": "application/json"}
        if authorization:
            headers["authorization"] = authorization
        seconds = self._core.switches.number("webhook_timeout_ms") / 1000
        try:
            async with asyncio.timeout(seconds):
                answer = await client.post(
                    hook.destination_url, content=body.encode(), headers=headers, timeout=seconds
                )
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError) as error:
            return None, type(error).__name__
        return answer.status_code, answer.text[:500]

    def _settle(
        self,
        hook: Hook,
        delivery: Delivery,
        status: int | None,
        text: str,
        started_at: datetime,
        took: timedelta,
    ) -> None:
        """Write down how a try went, and when the next one is due."""
        now = self._core.now()
        ok = status is not None and 200 <= status < 300
        attempt_id = str(self._core.new_id())
        attempt = Attempt(attempt_id, ok, status, text, started_at, started_at + took)
        delivery.attempts.append(attempt)
        if ok:
            delivery.status, hook.failing_since = "delivered", None
            return
        hook.failing_since = hook.failing_since or started_at
        delivery.status = "retrying"
        wait = FIRST_WAIT * 2 ** min(len(delivery.attempts) - 1, 12)
        delivery.due_at = now + min(wait, LONGEST_WAIT)
        if now - hook.failing_since >= GIVE_UP:
            self._flush(hook)

    def _flush(self, hook: Hook) -> None:
        """After twelve hours of failure what waits is thrown away and never sent."""
        for delivery in self._core.state.deliveries:
            if delivery.hook_id == hook.id and delivery.status in WAITING:
                delivery.status = "discarded"
        hook.failing_since = None
        if self._core.switches.on("webhook_disable_after_flush"):
            hook.status = "disabled"
