"""The Procore simulator: state, rules and routes, joined for the kit's server."""

from zoneinfo import ZoneInfo

import msgspec
from starlette.routing import BaseRoute

from onecore_sim import generator
from onecore_sim.builder import Builder
from onecore_sim.kit import steering
from onecore_sim.kit.requestlog import RequestLog
from onecore_sim.procore import (
    api,
    api_claims,
    api_contracts,
    api_master,
    api_webhooks,
    do,
    faults,
    oauth,
    pages,
    seeding,
    theme,
)
from onecore_sim.procore.core import Core
from onecore_sim.procore.sender import Sender
from onecore_sim.procore.state import State

SYDNEY = ZoneInfo("Australia/Sydney")


class ProcoreSimulator:
    """Procore's login host, API host and web pages, on one port."""

    name = "procore"

    def __init__(self) -> None:
        self.core = Core()
        self.clock = self.core.clock
        self.switches = self.core.switches
        self.faults = self.core.faults
        self.catalogue = faults.CATALOGUE
        self.log = RequestLog()
        self._sender = Sender(self.core)

    def routes(self) -> list[BaseRoute]:
        tables = (api_master, api_contracts, api_claims, api_webhooks)
        merged = [route for part in tables for route in api.routes(self.core, part.TABLE)]
        return [
            *do.routes(self.core),
            *oauth.routes(self.core),
            *merged,
            *pages.routes(self.core),
            *steering.routes(self, theme.page),
        ]

    def dump_state(self) -> bytes:
        return msgspec.json.encode(self.core.state)

    def apply_state(self, raw: bytes) -> None:
        self.core.state = msgspec.json.decode(raw, type=State)

    def seed(self, size: str, seed: int) -> None:
        today = self.clock.now().astimezone(SYDNEY).date()
        self.load(generator.builder(size, seed, today))

    def load(self, builder: Builder) -> None:
        """Hold this builder and nothing else; tokens, hooks and counts are gone."""
        self.core.state = seeding.state_of(builder, self.clock.now())
        self.core.limits.reset()

    def act(self, name: str) -> None:
        do.BY_NAME[name](self.core, {})

    async def start(self) -> None:
        await self._sender.start()

    async def stop(self) -> None:
        await self._sender.stop()


__all__ = ["ProcoreSimulator"]
