"""Faults by name: what a person or a test asks for, made into the rules that are laid."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from onecore_sim.kit.faults import EVENT, Fault


class Unknown(ValueError):
    """A fault, endpoint or parameter that the catalogue does not have; says which it has."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Requests by a name: method ("" is any, "PUT|POST" either), regular expression of the path."""

    name: str
    method: str
    path: str


class Asked(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A fault asked for by name. What is None is as the catalogue has it."""

    name: str
    endpoint: str | None = None
    skip: int = 0
    times: int = 1
    chance: float = 1.0
    seed: int = 0
    seconds: float | None = None
    told: bool | None = None
    status: int | None = None
    elements: list[int] | None = None
    say: str | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """A fault with a name.

    `takes` has the parameters one may set beside which requests are hit, and what they are unless
    set: `seconds`, `told` (whether Retry-After tells them), `status`, `elements`, `say` (a key of
    `words`). `only` names the endpoints it can be laid on, the first being the usual one; empty is
    every one of requests, all unless said. `stamps` are headers that tell when `seconds` end.
    """

    name: str
    about: str
    rule: Fault
    takes: Mapping[str, Any] = field(default_factory=dict)
    only: tuple[str, ...] = ()
    stamps: tuple[str, ...] = ()
    words: Mapping[str, str] = field(default_factory=dict)

    def laid(self, asked: Asked) -> Fault:
        """The rule for what was asked, its endpoint still open."""
        given = {name: getattr(asked, name) for name in PARAMETERS}
        for name, value in given.items():
            if value is not None and name not in self.takes:
                takes = ", ".join(self.takes) or "no parameter of its own"
                raise Unknown(f"Fault {self.name!r} takes no {name!r}; it takes {takes}.")
        value = {n: self.takes[n] if given[n] is None else given[n] for n in self.takes}
        rule = msgspec.structs.replace(
            self.rule,
            name=self.name,
            skip=asked.skip,
            times=asked.times,
            chance=asked.chance,
            seed=asked.seed,
            headers=dict(self.rule.headers),
        )
        seconds = value.get("seconds", rule.seconds)
        if "told" in self.takes:  # a wait that is asked for, not one that is made
            if value["told"]:
                rule.headers["Retry-After"] = str(int(seconds))
            rule.stamps = dict.fromkeys(self.stamps, int(seconds))
        else:
            rule.seconds = seconds
        rule.status = value.get("status", rule.status)
        rule.elements = value.get("elements", rule.elements)
        if "say" in value:
            if value["say"] not in self.words:
                known = ", ".join(self.words)
                raise Unknown(f"Fault {self.name!r} says one of {known}; not {value['say']!r}.")
            rule.message = self.words[value["say"]]
        return rule


PARAMETERS = ("seconds", "told", "status", "elements", "say")


class Catalogue:
    """A simulator's named faults and endpoints. The first endpoint is all of its API."""

    def __init__(self, endpoints: Iterable[Endpoint], faults: Iterable[Named]) -> None:
        self.endpoints = {one.name: one for one in endpoints}
        self.faults = {one.name: one for one in faults}
        self._requests = tuple(e.name for e in self.endpoints.values() if e.method != EVENT)

    def rule(self, asked: Asked) -> Fault:
        """The rule to lay. Raises Unknown naming what is known."""
        named = self.faults.get(asked.name)
        if named is None:
            known = ", ".join(self.faults)
            raise Unknown(f"There is no fault {asked.name!r}. Known: {known}.")
        place = self._place(named, asked.endpoint)
        rule = named.laid(asked)
        rule.method, rule.path = place.method, place.path
        return rule

    def _place(self, named: Named, wanted: str | None) -> Endpoint:
        allowed = named.only or self._requests
        name = wanted or allowed[0]
        if name not in self.endpoints:
            known = ", ".join(self.endpoints)
            raise Unknown(f"There is no endpoint {name!r}. Known: {known}.")
        if name not in allowed:
            raise Unknown(f"Fault {named.name!r} is laid on {', '.join(allowed)}; not on {name!r}.")
        return self.endpoints[name]

    def listing(self) -> dict[str, Any]:
        """Everything in it, as it is shown."""
        return {
            "faults": [
                {
                    "name": one.name,
                    "about": one.about,
                    "takes": dict(one.takes),
                    "says": sorted(one.words),
                    "endpoints": list(one.only or self._requests),
                }
                for one in self.faults.values()
            ],
            "endpoints": [
                {"name": one.name, "method": one.method, "path": one.path}
                for one in self.endpoints.values()
            ],
        }
