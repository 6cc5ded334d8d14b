"""Who does what when with claims: a made-up month of a builder, from the generator's claims.

Contracts, claims and the day each claim is dated are the generator's; this adds the hours. What
is assumed, and from where, is in docs/polling.md. Instants are seconds since 1970.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from onecore.engine.calendars import business_day
from onecore_sim.builder import Claim, Project
from onecore_sim.generator import builder

DAY = 86400.0
ZONES = {"Sydney": "Australia/Sydney", "Melbourne": "Australia/Melbourne"}
ZONES |= {"Brisbane": "Australia/Brisbane"}


@dataclass(frozen=True, slots=True)
class Activity:
    """How people behave. Shares are of claims unless another thing is named."""

    claim_day: int | None = None  # None: the generator's own date, the 1st to 5th
    spread: int = 0  # days by which projects' claim days differ, either way
    sittings: float = 0.75  # approved in a sitting; the others one by one
    sitting_chance: float = 0.35  # that a project's reviewer sits down on a working day
    pause: float = 240.0  # seconds between two approvals of a sitting, on average
    after_hours: float = 0.06  # of sittings and single approvals: an evening or a day off
    sent_back: float = 0.08
    disputed: float = 0.03  # stay under review for weeks
    untold: float = 0.05  # approved without having been seen under review
    edited: float = 0.03  # opened again and approved anew later
    deadline: int = 10  # business days within which a claim is answered
    idle: float = 0.25  # of projects: active in Procore, without claims
    cycle: bool = True  # False: claims come in on any day of the month
    office: tuple[float, float] = (7.5, 17.5)
    zone: str | None = None  # where those who approve work; None: the project's own


USUAL = Activity()


@dataclass(frozen=True, slots=True)
class Event:
    at: float
    claim: int
    status: str  # Procore's


@dataclass(slots=True)
class Site:
    """One project's list of claims, and all that happens in it."""

    key: int
    zone: str
    region: str  # whose public holidays it has
    events: list[Event] = field(default_factory=list)


def sites(projects: int, seed: int, today: date, months: int, activity: Activity) -> list[Site]:
    """The builder's projects with their events of the last `months` months before `today`."""
    made = builder(str(projects), seed, today)
    since = _months_before(today, months)
    return [_Project(one, seed, since, today, activity).site() for one in made.projects]


def _months_before(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, 1)


class _Project:
    def __init__(
        self, project: Project, seed: int, since: date, until: date, activity: Activity
    ) -> None:
        self.project = project
        self.activity = activity
        self.since, self.until = since, until
        self.rng = random.Random(f"activity:{seed}:{project.id}")
        self.zone = ZoneInfo(activity.zone or ZONES[project.time_zone])
        self.shift = self.rng.randint(-activity.spread, activity.spread)

    def site(self) -> Site:
        region = f"AU-{self.project.state_code}"
        site = Site(self.project.id, ZONES[self.project.time_zone], region)
        if self.rng.random() < self.activity.idle:
            return site
        sittings = list(self.sittings())
        for commitment in self.project.commitments:
            for claim in commitment.claims:
                if claim.status != "draft" and self.since <= claim.billing_date < self.until:
                    site.events += self.life(claim, sittings)
        site.events.sort(key=lambda e: (e.at, e.claim))
        return site

    # --- days and hours -----------------------------------------------------------------------

    def at(self, day: date, hour: float) -> float:
        midnight = datetime.combine(day, time(), self.zone)
        return midnight.astimezone(UTC).timestamp() + hour * 3600

    def working(self, day: date) -> bool:
        return business_day(day, f"AU-{self.project.state_code}")

    def office_hour(self) -> float:
        """An hour people are at their desks: most often mid-morning and mid-afternoon."""
        low, high = self.activity.office
        if self.rng.random() < 0.3:
            return self.rng.uniform(low, high)
        middle = self.rng.choice((0.3, 0.75)) * (high - low) + low
        return min(max(self.rng.gauss(middle, 1.0), low), high)

    def moment(self, day: date) -> float:
        """When on that day, or off hours near it, somebody sits down."""
        if self.rng.random() < self.activity.after_hours:
            if self.rng.random() < 0.5:
                return self.at(day, self.rng.uniform(18.5, 23))
            saturday = day + timedelta(days=(5 - day.weekday()) % 7)
            return self.at(saturday, self.rng.uniform(8, 20))
        return self.at(day, self.office_hour())

    def days(self, first: date) -> Iterator[date]:
        """Working days from that one on."""
        while True:
            if self.working(first):
                yield first
            first += timedelta(days=1)

    def sittings(self) -> Iterator[float]:
        day = self.since - timedelta(days=20)
        while day < self.until + timedelta(days=40):
            if self.working(day) and self.rng.random() < self.activity.sitting_chance:
                yield self.moment(day)
            day += timedelta(days=1)

    # --- one claim ----------------------------------------------------------------------------

    def life(self, claim: Claim, sittings: list[float]) -> Iterator[Event]:
        """From the day it comes in until it is approved, with what goes wrong between."""
        rng, asked = self.rng, self.activity
        came = self.came_in(claim.billing_date)
        if rng.random() < asked.untold:
            day = datetime.fromtimestamp(came, self.zone).date()
            yield Event(self.moment(next(self.days(day + timedelta(days=2)))), claim.id, "approved")
            return
        yield Event(came, claim.id, "under_review")
        while rng.random() < asked.sent_back:
            back = self.answered(came, sittings)
            came = back + rng.uniform(0.5, 3) * DAY
            yield Event(back, claim.id, "revise_and_resubmit")
            yield Event(came, claim.id, "under_review")
        approved = self.answered(came, sittings)
        yield Event(approved, claim.id, "approved")
        if rng.random() < asked.edited:
            opened = self.alone(approved + rng.uniform(1, 10) * DAY)
            yield Event(opened, claim.id, "under_review")
            yield Event(self.answered(opened, sittings), claim.id, "approved")

    def came_in(self, dated: date) -> float:
        """When the claim arrives: office hours mostly, evenings and week-ends too."""
        rng, asked = self.rng, self.activity
        day = dated
        if not asked.cycle:
            day = dated.replace(day=1) + timedelta(days=rng.randrange(30))
        elif asked.claim_day is not None:
            late = rng.choice((-2, -1, 0, 0, 0, 0, 1, 1, 2, 4))
            day = dated.replace(day=asked.claim_day) + timedelta(days=late)
        day += timedelta(days=self.shift)
        if rng.random() < 0.8:
            return self.at(next(self.days(day)), self.office_hour())
        return self.at(day, rng.uniform(6, 23))

    def answered(self, came: float, sittings: list[float]) -> float:
        """When the reviewer decides: in one of the sittings, or alone; by the deadline mostly."""
        rng, asked = self.rng, self.activity
        ready = came + rng.uniform(0.1, 1.5) * DAY
        if rng.random() < asked.disputed:
            return self.alone(came + rng.uniform(15, 45) * DAY)
        if rng.random() >= asked.sittings:
            return self.alone(ready + rng.expovariate(1 / (3.5 * DAY)))
        last = self.last_day(came)
        for sitting in sittings:
            if sitting >= ready and rng.random() < 0.6:
                within = rng.expovariate(1 / asked.pause) * rng.randint(1, 8)
                if sitting + within <= self.at(last, 24):
                    return sitting + within
                break
        return max(self.moment(last), self.alone(ready))

    def last_day(self, came: float) -> date:
        """The business day by which a claim is to be answered."""
        days = self.days(datetime.fromtimestamp(came, self.zone).date() + timedelta(days=1))
        return next(day for n, day in enumerate(days, 1) if n == self.activity.deadline)

    def alone(self, about: float) -> float:
        """A moment of the first working day from then on, not before."""
        day = datetime.fromtimestamp(about, self.zone).date()
        for one in self.days(day):
            at = self.moment(one)
            if at >= about:
                return at
        raise AssertionError("There is always another working day.")
