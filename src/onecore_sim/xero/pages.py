"""Pages (placeholder)."""

from typing import TYPE_CHECKING

from starlette.routing import BaseRoute

if TYPE_CHECKING:
    from onecore_sim.xero.simulator import XeroSimulator


def routes(sim: "XeroSimulator") -> list[BaseRoute]:
    return []
