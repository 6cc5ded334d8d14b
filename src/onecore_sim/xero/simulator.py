"""The Xero simulator: its state, and what the server needs of it."""

from collections.abc import Iterable
from datetime import timedelta

import msgspec
from starlette.routing import BaseRoute

from onecore_sim import generator
from onecore_sim.builder import Builder
from onecore_sim.kit import steering
from onecore_sim.kit.clock import SimClock
from onecore_sim.kit.faults import Faults
from onecore_sim.kit.requestlog import RequestLog
from onecore_sim.kit.switches import Switches
from onecore_sim.xero import (
    actions,
    acts,
    api,
    faults,
    layout,
    oauth,
    pages,
    seed,
    settings,
    webhooks,
)
from onecore_sim.xero.desk import Change
from onecore_sim.xero.limits import Limits
from onecore_sim.xero.state import Organisation, State


class XeroSimulator:
    """Satisfies `kit.server.Simulator`; handlers change `state` without ever waiting in between."""

    name = "xero"

    def __init__(self) -> None:
        self.clock = SimClock()
        self.switches = Switches(settings.DECLARED)
        self.faults = Faults()
        self.catalogue = faults.CATALOGUE
        self.log = RequestLog()
        self.state = State()
        self.limits = Limits()
        self.courier = webhooks.Courier(self)
        self.base_url = "https://api.xero.com"

    def routes(self) -> list[BaseRoute]:
        return [
            *oauth.routes(self),
            *api.routes(self),
            *actions.routes(self),
            *pages.routes(self),
            *steering.routes(self, layout.page, "/sim"),
        ]

    def dump_state(self) -> bytes:
        return msgspec.json.encode(self.state)

    def apply_state(self, raw: bytes) -> None:
        self.state = msgspec.json.decode(raw, type=State)

    def seed(self, size: str, seed: int) -> None:
        self.load(generator.builder(size, seed, self.clock.now().date()))

    def load(self, builder: Builder) -> None:
        """Start over with this builder; nothing of before stays."""
        # a day back: what tests change today is then newer than what was always there
        self.state = seed.state_from(builder, self.clock.now() - timedelta(days=1))
        self.limits.in_flight.clear()

    def act(self, name: str) -> None:
        acts.ACTS[name](self, {})

    def publish(self, org: Organisation, changes: Iterable[Change]) -> None:
        """Queue webhook events for what a request changed, once for each record."""
        last: dict[tuple[str, str], Change] = {}
        for change in changes:
            key = (change.category, change.resource_id)
            kind = "CREATE" if key in last and last[key].type == "CREATE" else change.type
            last[key] = Change(change.category, change.resource_id, kind, change.data)
        webhooks.note(self, org, list(last.values()))

    async def start(self) -> None:
        await self.courier.start()

    async def stop(self) -> None:
        await self.courier.stop()
