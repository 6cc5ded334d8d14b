"""Faults laid on a simulator's requests and events: which, when, and what goes wrong."""

import random
import re
from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """What a fault does. `after` means: the request was carried out, then the answer went wrong."""

    STATUS = "status"  # answer `status` with `body` and `headers`; nothing is carried out
    STATUS_AFTER = "status_after"  # carried out, then answered `status`
    DROP = "drop"  # the connection closes; nothing is carried out
    LOST = "lost"  # carried out, then the connection closes with no answer
    HANG = "hang"  # no answer for `seconds`; nothing is carried out, then the connection closes
    HANG_AFTER = "hang_after"  # carried out, no answer for `seconds`, then the connection closes
    SLOW = "slow"  # answered properly, `seconds` late
    TRUNCATED = "truncated"  # carried out, half of the body arrives
    ACT = "act"  # `act` happens first, then the request is carried out and answered properly
    PART_REFUSED = "part_refused"  # the `elements` of a batch are refused, saying `message`
    # Of events that webhooks tell, not of requests:
    DOUBLED = "doubled"  # sent twice
    LATE = "late"  # sent so many `seconds` later by the simulator's clock
    REORDERED = "reordered"  # sent after the one that follows it
    DROPPED = "dropped"  # never sent
    FORGED = "forged"  # somebody else sends it first, who cannot sign


EVENT = "EVENT"
"""Stands where a request has its method, for what webhooks tell."""
OF_EVENTS = {Kind.DOUBLED, Kind.LATE, Kind.REORDERED, Kind.DROPPED, Kind.FORGED}


class Fault(msgspec.Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One rule.

    `method` ("" is any, "PUT|POST" either) and `path` (a regular expression searched in the path
    with its query, or in what an event is about) choose requests; of those, the first `skip` pass,
    then `times` are hit (0 means all), each with probability `chance` drawn from `seed`. `name` is
    the catalogue's, "" when laid by kind.

    `act` is something done at the remote just before, by the simulator's name for it. `stamps` are
    headers that say an instant so many seconds after the hit, in seconds since 1970. `elements`
    count from 1.
    """

    kind: Kind
    name: str = ""
    path: str = ""
    method: str = ""
    skip: int = 0
    times: int = 1
    chance: float = 1.0
    seed: int = 0
    status: int = 500
    body: str = ""
    content_type: str = "application/json"
    headers: dict[str, str] = {}
    stamps: dict[str, int] = {}
    seconds: float = 0.0
    act: str = ""
    elements: list[int] = []
    message: str = ""
    id: int = 0
    hits: int = 0
    seen: int = 0


class Faults:
    """The rules in force, in the order they were laid."""

    def __init__(self) -> None:
        self._rules: list[Fault] = []
        self._random: dict[int, random.Random] = {}
        self._next_id = 1

    def add(self, fault: Fault) -> Fault:
        """Lay a rule; raises ValueError where its path is no regular expression."""
        try:
            re.compile(fault.path)
        except re.error as error:
            raise ValueError(f"path {fault.path!r} is no regular expression: {error}.") from None
        fault.id, self._next_id = self._next_id, self._next_id + 1
        self._rules.append(fault)
        self._random[fault.id] = random.Random(fault.seed)
        return fault

    def clear(self) -> None:
        self._rules.clear()
        self._random.clear()

    def rules(self) -> list[Fault]:
        return list(self._rules)

    def meet_event(self, about: str) -> Fault | None:
        """The fault that hits this event of a webhook, counting it, or None."""
        return self.meet(EVENT, about)

    def meet(self, method: str, path: str) -> Fault | None:
        """The fault that hits this request, counting it, or None."""
        for rule in self._rules:
            if (rule.kind in OF_EVENTS) != (method == EVENT):
                continue
            if rule.method and method not in rule.method.split("|"):
                continue
            if not re.search(rule.path, path):
                continue
            rule.seen += 1
            if rule.seen <= rule.skip or (rule.times and rule.hits >= rule.times):
                continue
            if rule.chance < 1 and self._random[rule.id].random() >= rule.chance:
                continue
            rule.hits += 1
            return rule
        return None
