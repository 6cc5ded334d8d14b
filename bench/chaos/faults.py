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

CHANCES = {"slow": 0.15, "part_refused": 0.03, "batch_refused": 0.03, "token_expired": 0.02}
EVENT_CHANCE, CHANCE = 0.4, 0.025
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
            endpoint = self._rng.choice(fault["endpoints"])
            is_event = endpoint.startswith("webhooks")
            chance = EVENT_CHANCE if is_event else CHANCES.get(fault["name"], CHANCE)
            if fault["name"] in ONCE:
                if not self._access or (side, fault["name"]) in self._had:
                    continue
                self._had.add((side, fault["name"]))
            self._lay(side, fault["name"], endpoint, chance, fault["takes"])

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
