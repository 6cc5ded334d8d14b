"""An approval's wait until it is seen, lists looked at as they earn it or evenly: a simulation.

No network and no clock: a builder of the generator with people at work (`polling_model`), and
the engine's own policy (`onecore.sync.polling`). The first of two months is there for the policy
to learn from; figures are of the second. Looking evenly gets exactly as many looks in that month.
Instants are seconds since 1970.
"""

import heapq
import time
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bench.polling_model import USUAL, Activity, Site, sites
from onecore.engine.calendars import business_day
from onecore.ports import LimitKind
from onecore.sync.budget import of_procore_app
from onecore.sync.habits import DAY, HOUR, Calendar, Habits
from onecore.sync.meters import Meter
from onecore.sync.pacing import lists_an_hour
from onecore.sync.polling import Look, Purse, Watch, after, next_look, price, rate

TODAY = date(2026, 6, 28)
MONTH = 30 * DAY
"""What is measured: the last so many days before TODAY."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One approval: when it happened, how long until it was seen, and whether it was announced."""

    at: float
    waited: float
    announced: bool


class Run:
    """The engine's policy over one builder's months."""

    def __init__(self, found: list[Site], per_hour: float, start: float, end: float) -> None:
        self.sites = found
        self.per_hour = per_hour
        self.start, self.end = start, end
        self.habits = Habits()
        calendars = {(site.zone, site.region): _calendar(site) for site in found}
        self.watches = [Watch(site.key, calendars[site.zone, site.region]) for site in found]
        self.read = [0] * len(found)  # events of each site that were seen
        self.status: list[dict[int, tuple[str, float]]] = [{} for _ in found]
        self.waiting: list[tuple[float, ...]] = [() for _ in found]  # since when under review
        self.looks: list[float] = []
        self.seen: list[Seen] = []
        self.tolled = price((), per_hour)
        self.priced_until = 0.0

    def run(self) -> None:
        due = [(self.start, n) for n in range(len(self.sites))]
        heapq.heapify(due)
        purse = Purse(self.per_hour)
        now = self.start
        while due:
            at, n = heapq.heappop(due)
            now = max(now, at)
            if purse.there(now) < 1:
                now = max(now, purse.again_at())
            if now >= self.end:
                break
            purse = purse.spent(1, now)
            self.reprice(now)
            self.look(n, now)
            heapq.heappush(due, (next_look(self.watches[n], self.habits, self.tolled), n))

    def reprice(self, now: float) -> None:
        if now >= self.priced_until:
            rates = [rate(watch, self.habits, now) for watch in self.watches]
            self.tolled = price(rates, self.per_hour)
            self.priced_until = now + max(60.0, 0.1 * len(rates))

    def look(self, n: int, now: float) -> None:
        """What the list shows: each claim's last state, as Procore's would."""
        events, status, watch = self.sites[n].events, self.status[n], self.watches[n]
        approvals: list[float] = []
        stirred = False
        first = self.read[n]
        while self.read[n] < len(events) and events[self.read[n]].at <= now:
            event = events[self.read[n]]
            if event.status == "approved":
                known = status.get(event.claim, ("", 0.0))[0] == "under_review"
                self.seen.append(Seen(event.at, now - event.at, known))
                approvals.append(event.at)
            else:
                stirred = True
            status[event.claim] = (event.status, event.at)
            self.read[n] += 1
        if self.read[n] > first:
            waiting = tuple(at for what, at in status.values() if what == "under_review")
            self.waiting[n] = waiting
        look = Look(now, tuple(approvals), stirred, self.waiting[n])
        self.habits = self.habits.after(
            look.approvals, watch.calendar, watch.approved_at, len(look.under_review)
        )
        self.watches[n] = after(watch, self.habits, look)
        self.looks.append(now)


def _calendar(site: Site) -> Calendar:
    return Calendar(ZoneInfo(site.zone), lambda day: business_day(day, site.region))


def waits_evenly(found: Sequence[Site], looks: int, start: float, end: float) -> list[float]:
    """How long each approval waits when every list is looked at in turn, evenly."""
    wait = (end - start) * len(found) / looks
    waited = []
    for n, site in enumerate(found):
        phase = start + wait * n / len(found)
        for event in site.events:
            if event.status == "approved" and start <= event.at < end:
                waited.append(-(event.at - phase) % wait)
    return waited


@dataclass(slots=True)
class Waits:
    """How long approvals waited, over one builder or several."""

    earned: list[float] = field(default_factory=list)
    under_review: list[float] = field(default_factory=list)  # of `earned`, those announced
    evenly: list[float] = field(default_factory=list)  # with as many looks
    evenly_with_all: list[float] = field(default_factory=list)  # with all looks that are allowed
    looks: int = 0
    peak_hour: int = 0

    def measure(self, found: list[Site], per_hour: float, today: date, months: int) -> None:
        """Add the last month of a builder before `today`; the months before it are learnt from."""
        end = (today - date(1970, 1, 1)) / timedelta(seconds=1)
        start, measured = end - months * MONTH, end - MONTH
        run = Run(found, per_hour, start, end + 3 * HOUR)
        run.run()
        looks = bisect_left(run.looks, end) - bisect_left(run.looks, measured)
        seen = [one for one in run.seen if measured <= one.at < end]
        self.earned += [one.waited for one in seen]
        self.under_review += [one.waited for one in seen if one.announced]
        self.evenly += waits_evenly(found, looks, measured, end)
        everything = round(per_hour * (end - measured) / HOUR)
        self.evenly_with_all += waits_evenly(found, everything, measured, end)
        self.looks += looks
        self.peak_hour = max(self.peak_hour, peak(run.looks))


def compare(
    projects: int,
    limit: int,
    seeds: Sequence[int] = (1,),
    activity: Activity = USUAL,
    today: date = TODAY,
    months: int = 2,
) -> dict[str, Any]:
    """The figures of builders of one size under one hourly limit; waits are in seconds."""
    per_hour, began, waits = allowed_an_hour(limit), time.process_time(), Waits()
    for seed in seeds:
        waits.measure(sites(projects, seed, today, months, activity), per_hour, today, months)
    return {
        "projects": projects,
        "hourly_limit": limit,
        "builders": len(seeds),
        "approvals": len(waits.earned),
        "looks": waits.looks,
        "earned": figures(waits.earned),
        "under_review": figures(waits.under_review),
        "evenly": figures(waits.evenly),
        "ratio": round(mean(waits.evenly) / mean(waits.earned), 2),
        "evenly_with_all_looks": figures(waits.evenly_with_all),
        "peak_hour": waits.peak_hour,
        "allowed_an_hour": round(per_hour),
        "cpu_seconds": round(time.process_time() - began, 1),
    }


def allowed_an_hour(limit: int) -> float:
    """The looks that an app's hourly limit leaves to lists while documents need little."""
    usage = replace(of_procore_app(), meters={LimitKind.HOUR: Meter(limit=limit)})
    return float(lists_an_hour(usage, above=0))


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def figures(values: Sequence[float]) -> dict[str, float]:
    """Mean and percentiles in seconds."""
    ranked = sorted(values)
    picked = {f"p{p}": ranked[min(len(ranked) * p // 100, len(ranked) - 1)] for p in (50, 90, 99)}
    return {name: round(value, 1) for name, value in {"mean": mean(ranked), **picked}.items()}


def peak(looks: Sequence[float]) -> int:
    """The most looks in any hour, wherever it begins."""
    return max((bisect_left(looks, at + HOUR) - n for n, at in enumerate(looks)), default=0)
