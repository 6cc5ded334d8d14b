"""Webhooks: signed deliveries, intent to receive, retries, and the ways events go astray [X 9]."""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import secrets
import string
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx2

from onecore_sim.kit.faults import Kind
from onecore_sim.xero import wire
from onecore_sim.xero.desk import Change
from onecore_sim.xero.state import Delivery, Event, Organisation, Webhook

if TYPE_CHECKING:
    from onecore_sim.xero.simulator import XeroSimulator

TIMEOUT = 5.0
ALONE = timedelta(minutes=1)  # how long an event waits for one that it goes behind
GIVE_UP = timedelta(hours=24)
DEFAULT_KEY = "sim-xero-webhook-key"
PATHS = {
    "INVOICE": "Invoices",
    "CONTACT": "Contacts",
    "CREDITNOTE": "CreditNotes",
    "PAYMENT": "Payments",
}


def signature(key: str, body: bytes) -> str:
    """Base64 of HMAC-SHA256 over the raw body."""
    return base64.b64encode(hmac.new(key.encode(), body, hashlib.sha256).digest()).decode()


def note(sim: "XeroSimulator", org: Organisation, changes: list[Change]) -> None:
    """Put changes into the queue of every app that is connected to the organisation."""
    for hook in sim.state.webhooks.values():
        connected = any(
            c.client_id == hook.client_id and c.tenant_id == org.id
            for c in sim.state.connections.values()
        )
        if not hook.active or not connected:
            continue
        for change in changes:
            if sim.switches.on(f"webhook_{change.category.lower()}"):
                hook.sequence += 1
                _put(sim, hook, _event(sim, org, change, hook.sequence))


def _put(sim: "XeroSimulator", hook: Webhook, event: Event) -> None:
    """Into the queue, unless it is lost; a dropped event leaves a gap in the sequence."""
    fault = sim.faults.meet_event(f"{event.category} {event.type}")
    if fault is not None:
        event.fault = fault.kind
        event.due_at = event.at + timedelta(seconds=fault.seconds)
    if event.fault == Kind.REORDERED:
        event.due_at = event.at + ALONE
    if event.fault != Kind.DROPPED:
        hook.waiting.append(event)


def _event(sim: "XeroSimulator", org: Organisation, change: Change, sequence: int) -> Event:
    return Event(
        sequence=sequence,
        tenant_id=org.id,
        category=change.category,
        resource_id=change.resource_id,
        type=change.type,
        at=sim.clock.now(),
        data=dict(change.data),
    )


def body_of(events: list[Event], base_url: str) -> bytes:
    sent = []
    for event in events:
        path = f"{base_url}/api.xro/2.0/{PATHS[event.category]}/{event.resource_id}"
        item: dict[str, Any] = {
            "resourceUrl": path,
            "resourceId": event.resource_id,
            "tenantId": event.tenant_id,
            "tenantType": "ORGANISATION",
            "eventCategory": event.category,
            "eventType": event.type,
            "eventDateUtc": event.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3],
        }
        if event.data:
            item["data"] = event.data
        sent.append(item)
    numbers = [e.sequence for e in events]
    return wire.encode(
        {
            "events": sent,
            "firstEventSequence": min(numbers, default=0),
            "lastEventSequence": max(numbers, default=0),
            "entropy": "".join(secrets.choice(string.ascii_uppercase) for _ in range(20)),
        }
    )


def _ready(waiting: list[Event], now: datetime) -> list[Event]:
    """What may leave now: nothing before its time, but what goes behind another goes with it."""
    due = [e for e in waiting if e.due_at is None or e.due_at <= now]
    last = max((e.sequence for e in due), default=0)
    return [e for e in waiting if e in due or (e.fault == Kind.REORDERED and e.sequence < last)]


def _batches(ready: list[Event]) -> list[list[Event]]:
    """The deliveries, in order: all together, then what comes again, then what comes behind."""
    behind = [e for e in ready if e.fault == Kind.REORDERED]
    ahead = [e for e in ready if e.fault != Kind.REORDERED]
    again = [e for e in ahead if e.fault == Kind.DOUBLED]
    return [batch for batch in (ahead, again, behind) if batch]


class Courier:
    """Carries events out in the background while the simulator runs."""

    def __init__(self, sim: "XeroSimulator") -> None:
        self._sim = sim
        self._task: asyncio.Task[None] | None = None
        self._client: httpx2.AsyncClient | None = None

    async def start(self) -> None:
        self._client = httpx2.AsyncClient(timeout=TIMEOUT, trust_env=False)
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._client:
            await self._client.aclose()

    async def intent_to_receive(self, hook: Webhook) -> list[int]:
        """The statuses a receiver gave to right and wrong signatures in turn; 0 is no answer.

        The hook becomes active when all were 200 and 401 as they should be.
        """
        statuses = []
        for right in (True, False, True, False):
            body = body_of([], self._sim.base_url)
            key = hook.key if right else hook.key + "-wrong"
            statuses.append(await self._post(hook, body, key))
        hook.active = statuses == [200, 401, 200, 401]
        return statuses

    async def _run(self) -> None:
        while True:
            for hook in list(self._sim.state.webhooks.values()):
                if hook.active:
                    await self._serve(hook)
            await asyncio.sleep(0.05)

    async def _serve(self, hook: Webhook) -> None:
        now = self._sim.clock.now()
        ready = _ready(hook.waiting, now)
        for batch in _batches(ready):
            if any(event.fault == Kind.FORGED for event in batch):
                body = body_of(batch, self._sim.base_url)
                hook.forged.append(await self._post(hook, body, f"not {hook.key}"))
            delivery = Delivery(events=batch)
            if not await self._delivered(hook, delivery):
                hook.failing.append(delivery)
        for event in ready:
            hook.waiting.remove(event)
        for delivery in [d for d in hook.failing if d.due_at is None or d.due_at <= now]:
            if await self._delivered(hook, delivery):
                hook.failing.remove(delivery)

    async def _delivered(self, hook: Webhook, delivery: Delivery) -> bool:
        """Try once; what fails is due again at once, then ever so often, for a day."""
        now = self._sim.clock.now()
        delivery.first_tried_at = delivery.first_tried_at or now
        delivery.attempts += 1
        status = await self._post(hook, body_of(delivery.events, self._sim.base_url), hook.key)
        if 200 <= status < 300:
            return True
        if now - delivery.first_tried_at >= GIVE_UP:
            hook.active = False
        delivery.due_at = now + self._wait(delivery.attempts)
        return False

    def _wait(self, attempts: int) -> timedelta:
        """Until the next attempt after so many: none, then the switch's, perhaps growing."""
        if attempts == 1:
            return timedelta(0)
        wait = timedelta(seconds=self._sim.switches.number("webhook_retry_seconds"))
        if self._sim.switches["webhook_retry"] == "falling":
            wait *= 2 ** min(attempts - 2, 5)
        return wait

    async def _post(self, hook: Webhook, body: bytes, key: str) -> int:
        """The receiver's status; 0 where it was late, set a cookie or said anything."""
        headers = {
            "content-type": "application/json; charset=utf-8",
            "x-xero-signature": signature(key, body),
        }
        if self._client is None:
            return 0
        try:
            async with asyncio.timeout(TIMEOUT):
                answer = await self._client.post(hook.url, content=body, headers=headers)
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, OSError):
            return 0
        if answer.content or "set-cookie" in answer.headers:
            return 0
        return answer.status_code
