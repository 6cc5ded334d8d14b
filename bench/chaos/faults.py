"""What goes wrong with the remotes in a run: a mixture of their catalogues, changed again and
again, so that in a long run all of it is met."""

import random
from collections import Counter
from typing import Any

from tests.simulators import Simulator, Simulators

Fault = tuple[str, str, str, float]  # simulator, name, endpoint, chance

ALWAYS: tuple[Fault, ...] = (
    ("xero", "reply_lost", "invoices.put", 0.10),
    ("xero", "reply_lost", "invoices.post", 0.10),
    ("xero", "error_after_commit", "invoices.put", 0.05),
    ("xero", "truncated", "invoices.put", 0.04),
)
"""What a write must survive, so it is never quite absent."""

CHANCES = {"slow": 0.15}
EVERYWHERE, SOMEWHERE, OF_EVENTS = 0.02, 0.15, 0.4
"""How often a fault hits: any request, requests of one endpoint, events that webhooks tell."""
SECONDS = {
    "slow": 2.0,
    "timeout_before_commit": 12.0,
    "timeout_after_commit": 12.0,
    "webhook_late": 5.0,
}
WAIT = 6  # seconds, where a remote tells how long to wait; really it may be hours
ONCE = ("grant_revoked", "connection_removed", "client_refused", "grant_refused", "scope_missing")
"""After these a person has to connect again, so each is met once at most in a run."""
SAYS = ("account", "period_lock", "new", "frozen")
AT_ONCE = 5
BUSY = {
    "procore": ("requisitions.get", "work_order_contracts.get", "token", "webhooks"),
    "xero": ("invoices.get", "invoices.put", "invoices.post", "token", "webhooks"),
}


class Trouble:
    """The faults in force, and how often each was met."""

    def __init__(
        self, simulators: Simulators, rng: random.Random, access: bool, often: float = 1
    ) -> None:
        """`access` lets grants and connections be lost; `often` multiplies how often requests are
        hit, for a run that makes few."""
        self.met: Counter[str] = Counter()
        self._sides: dict[str, Simulator] = {
            "procore": simulators.procore,
            "xero": simulators.xero,
        }
        self._rng = rng
        self._left: list[tuple[str, dict[str, Any]]] = []
        self._access = access
        self._often = often
        self._had: set[tuple[str, str]] = set()

    def change(self) -> None:
        """Another mixture from now on."""
        self.end()
        for side, name, endpoint, chance in ALWAYS:
            self._lay(side, name, endpoint, chance)
        for _ in range(AT_ONCE):
            side, fault = self._next()
            endpoint = self._endpoint(side, fault["endpoints"])
            chance = SOMEWHERE if endpoint != "any" else EVERYWHERE
            if endpoint.startswith("webhooks"):
                chance = OF_EVENTS
            chance = CHANCES.get(fault["name"], chance)
            if fault["name"] in ONCE:
                if not self._access or (side, fault["name"]) in self._had:
                    continue
                self._had.add((side, fault["name"]))
            self._lay(side, fault["name"], endpoint, chance, fault["takes"])

    def _endpoint(self, side: str, allowed: list[str]) -> str:
        """Everywhere, or one of those that are busy, or any there is."""
        busy = [name for name in BUSY[side] if name in allowed]
        choice = self._rng.random()
        if choice < 0.3 or not busy:
            return allowed[0] if choice < 0.8 else self._rng.choice(allowed)
        return self._rng.choice(busy)

    def _next(self) -> tuple[str, dict[str, Any]]:
        """The next of both catalogues, shuffled anew when all have had their turn."""
        if not self._left:
            self._left = [
                (side, fault)
                for side, simulator in self._sides.items()
                for fault in simulator.fault_catalogue()["faults"]
            ]
            self._rng.shuffle(self._left)
        return self._left.pop()

    def _lay(self, side: str, name: str, endpoint: str, chance: float, takes: Any = ()) -> None:
        more: dict[str, Any] = {"times": 1 if name in ONCE else 0}
        if name in SECONDS:
            more["seconds"] = SECONDS[name]
        elif "told" in takes:
            more |= {"seconds": WAIT, "told": True}
        if "say" in takes:
            more |= {"say": self._rng.choice(SAYS), "elements": [self._rng.randrange(3)]}
        more |= {"chance": min(0.5, chance * self._often), "seed": self._rng.randrange(10**6)}
        self._sides[side].named_fault(name, endpoint, **more)

    def end(self) -> None:
        """No fault is met any more."""
        for side, simulator in self._sides.items():
            for laid in simulator.faults():
                if laid.get("hits"):
                    self.met[f"{side} {laid['name']}"] += laid["hits"]
            simulator.no_faults()
