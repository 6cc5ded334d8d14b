"""One run from set-up to proof."""

import json
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx2
from tests.harness import XERO_CUSTOM, Installation
from tests.simulators import Simulators

from bench.chaos import proof
from bench.chaos.crew import Crew
from bench.chaos.database import Database
from bench.chaos.faults import Trouble
from bench.chaos.hands import Hands
from bench.chaos.watch import Logs, take_overs

TICK = 0.2
APP = "OneCore custom connection"
"""Who wrote, as Xero's history has it."""
REFUSALS = ("refused", "period_locked", "account_refused", "tracking_refused", "contact_refused")
A_NIGHT, AN_HOUR = timedelta(hours=21), timedelta(minutes=61)
"""A walk at night finds what is missing; missing an hour later still, it counts as deleted."""
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """How long a run is and how hard. `limits` leaves the remotes' own limits in force."""

    documents: int
    seconds: float
    workers: int
    seed: int
    limits: bool = False
    projects: int = 3
    peace: float = 300
    short: bool = False


@dataclass(frozen=True, slots=True)
class Pace:
    """Mean seconds between two blows of a kind."""

    kill: float = 4.0
    stop: float = 25.0
    pause: float = 12.0
    database: float = 35.0
    trouble: float = 15.0


SHORT_PACE = Pace(kill=2.5, stop=9.0, pause=5.0, database=9.0, trouble=5.0)


class Run:
    """Everything of one run."""

    def __init__(self, plan: Plan, simulators: Simulators, say: Say) -> None:
        self.plan = plan
        self.simulators = simulators
        self.say = say
        self.rng = random.Random(plan.seed)
        self.installation = Installation(simulators, XERO_WEBHOOK_KEY="sim-xero-webhook-key")
        self.crew = Crew(
            self.installation,
            plan.workers,
            random.Random(f"crew {plan.seed}"),
            deep_sleep=not plan.short,
        )
        self.database = Database(self.installation.server, random.Random(f"db {plan.seed}"))
        self.hands = Hands(simulators, random.Random(f"hands {plan.seed}"), plan.documents)
        self.trouble = Trouble(
            simulators,
            random.Random(f"faults {plan.seed}"),
            access=not plan.short,
            often=4 if plan.short else 1,
        )
        self.logs = Logs(simulators)
        self.rules = proof.Rules(
            reopened=self.rng.choice(("keep", "void")), deleted=self.rng.choice(("void", "ask"))
        )
        self.rest: dict[str, float] = {}
        self.reconnected = 0
        self._company = simulators.procore.state()["company_id"]
        self.pace = SHORT_PACE if plan.short else Pace()
        self._next: dict[str, float] = {}

    # --- set-up -------------------------------------------------------------------------------

    def set_up(self) -> None:
        """Connected, mapped and switched on."""
        if not self.plan.limits:
            # so high that a project is looked at as often as the settings allow
            self.simulators.procore.switch(rate_hour=1_000_000)
            self.simulators.xero.switch(
                limit_minute=0, limit_day=0, limit_concurrent=0, limit_app_minute=0
            )
        self.simulators.procore.switch(webhook_requisitions=True)
        self.hands.set_up(self.plan.projects)
        policies = self.rules.reopened, self.rules.deleted
        self.crew.run("furnish", self._company, *XERO_CUSTOM, *policies)
        self.database.watch()

    def begin(self) -> None:
        """Everybody starts; Xero's webhook is set up once `serve` answers."""
        self.crew.fill(troubled=False)
        self._until(self._serves, 60, "serve does not answer")
        told = self.simulators.xero.do(
            "webhook", url=f"{self.crew.url}/webhooks/xero", key="sim-xero-webhook-key"
        )
        if not told["active"]:
            raise AssertionError(f"Xero's webhook was not accepted: {told}")
        if not self.plan.short:
            self._until(self._hooked, 120, "no webhook was made in Procore")

    def _serves(self) -> bool:
        try:
            httpx2.get(f"{self.crew.url}/health", timeout=5, trust_env=False)
        except httpx2.HTTPError:
            return False
        return True

    def _hooked(self) -> bool:
        hooks = self.simulators.procore.state()["hooks"].values()
        return {hook.get("project_id") for hook in hooks} >= set(self.hands.projects)

    def _until(self, true: Callable[[], bool], seconds: float, otherwise: str) -> None:
        deadline = time.monotonic() + seconds
        while not true():
            if time.monotonic() > deadline:
                raise AssertionError(otherwise)
            time.sleep(0.2)

    # --- trouble ------------------------------------------------------------------------------

    def trouble_for(self, seconds: float, first: float, last: float) -> None:
        """Trouble for that long, while people's work goes from the share `first` to `last`.

        On a machine that is busy with other things it goes on, up to twice as long, until enough
        has happened.
        """
        self.trouble.change()
        began = time.monotonic()
        while (gone := time.monotonic() - began) < seconds or (
            gone < 2 * seconds and not self._enough
        ):
            share = first + (last - first) * gone / (seconds * 0.95)
            self.hands.act(min(share, last))
            self._blows()
            self.crew.tend()
            self.database.tend()
            self.crew.fill(troubled=True)
            self.logs.read()
            time.sleep(TICK)
        self.hands.act(last)

    @property
    def _enough(self) -> bool:
        """Whether bills were written while processes died and the database went away."""
        self.logs.read()
        dead = sum(self.crew.killed.values())
        return self.logs.writes > 2 and dead > 2 and bool(self.database.outages)

    def _blows(self) -> None:
        blows: dict[str, Callable[[], None]] = {
            "kill": self.crew.kill_some,
            "stop": self.crew.stop_some,
            "pause": self.crew.pause_some,
            "database": self.database.strike,
            "trouble": self.trouble.change,
        }
        now = time.monotonic()
        for name, blow in blows.items():
            mean = getattr(self.pace, name)
            if name not in self._next:
                self._next[name] = now + self.rng.uniform(0.3, 1) * mean
            elif now >= self._next[name]:
                blow()
                self._next[name] = now + min(self.rng.expovariate(1 / mean), 3 * mean)

    # --- peace --------------------------------------------------------------------------------

    def peace(self, name: str) -> bool:
        """No more trouble until everything is at rest, those asleep awake again; whether it is."""
        self.trouble.end()
        self.database.tend(now=True)
        self.reconnect()
        began = time.monotonic()
        since = max(time.time(), self.hands.last_act)
        while time.monotonic() - began < self.plan.peace:
            self.crew.tend()
            self.crew.fill(troubled=False)
            self.logs.read()
            sleeps = self.crew.next_waking
            if sleeps is None and self.database.at_rest(self.crew.ahead, since):
                self.rest[name] = round(time.monotonic() - began, 1)
                return True
            time.sleep(0.5)
        self.rest[name] = float("inf")
        return False

    def later(self, by: timedelta) -> None:
        """Every process is killed, and all clocks are moved once nothing is on its way."""
        self.crew.end_all()
        self.trouble.end()
        self.database.tend(now=True)
        time.sleep(1)
        for side in (self.simulators.procore, self.simulators.xero):
            side.advance(by)
        self.crew.ahead += by.total_seconds()
        self._next.clear()
        self.crew.fill(troubled=False)

    def answer(self) -> bool:
        """Whether something was asked that a person answers: many withdrawals at once are meant,
        and what Xero refused is tried again."""
        answers = {"many_withdrawals": "void"} | dict.fromkeys(REFUSALS, "look_again")
        asked = json.loads(self.crew.run("attention", "-w", "Main", "--json"))
        said = [(group["id"], answers[group["cause"]]) for group in asked
                if group["state"] == "refused" or group["cause"] in answers]  # fmt: skip
        for id_, choice in said:
            self.crew.run("resolve", "-w", "Main", id_, choice)
        return bool(said)

    def reconnect(self) -> None:
        """Both remotes are connected anew by a person, where one of them was lost."""
        if not self.database.has_lost_access():
            return
        self.simulators.procore.do("revoke_app", connected=True)
        self.simulators.xero.do("revoke", client_id=XERO_CUSTOM[0])
        self.simulators.xero.do("token", client_id=XERO_CUSTOM[0])
        self.crew.run("reconnect", self._company, *XERO_CUSTOM)
        self.reconnected += 1

    # --- the end ------------------------------------------------------------------------------

    def report(self) -> dict[str, Any]:
        self.logs.read()
        procore, xero = self.simulators.procore.state(), self.simulators.xero.state()
        states = self.database.states()
        bills = proof.bills_of(xero)
        overs = take_overs(self.database.takings(), self.crew.lives, self.database.outages)
        hands, crew = self.hands, self.crew
        everybody = [*hands.claims, *hands.deleted]
        wrong = proof.wrongs(hands.claims, hands.deleted, procore, xero, self.rules, states)
        wrong += proof.recoded_wrongs(xero, hands.recoded)
        wrong += proof.writes_wrongs(everybody, bills, APP)
        by_state = sorted(state for state, _ in states.values())
        return {
            "seed": self.plan.seed,
            "policies": {"reopened": self.rules.reopened, "deleted": self.rules.deleted},
            "limits": "in force" if self.plan.limits else "lifted",
            "people": dict(hands.did),
            "bills": {
                "ever": sum(len(mine) for mine in bills.values()),
                "live": sum(not bill.is_gone for mine in bills.values() for bill in mine),
            },
            "documents": {state: by_state.count(state) for state in dict.fromkeys(by_state)},
            "processes": len(crew.lives),
            "killed": dict(crew.killed),
            "paused": dict(crew.paused),
            "woken after their lease": crew.woken_late,
            "connected again": self.reconnected,
            "stopped politely": crew.stopped_politely,
            "ended by themselves": dict(crew.ended),
            "take-overs": overs.told(),
            "take-overs unexplained": overs.unexplained,
            "take-overs slower than promised": overs.slow,
            "database": dict(self.database.blows),
            "faults": dict(sorted(self.trouble.met.items())),
            "webhooks": self._webhooks(procore),
            "calls": dict(self.logs.calls),
            "requests that carried bills": self.logs.writes,
            "documents by times written": {
                str(n): count
                for n, count in sorted(Counter(proof.writes_of(bills, APP).values()).items())
            },
            "seconds to rest": self.rest,
            "complaints": dict(crew.complaints()),
            "wrong": wrong,
        }

    def _webhooks(self, procore: dict[str, Any]) -> dict[str, int]:
        """Of Procore's deliveries how many fared how; the simulator keeps the latest."""
        return dict(Counter(f"procore {one['status']}" for one in procore["deliveries"]))

    def close(self) -> None:
        self.crew.close()
        self.database.tend(now=True)
        self.installation.close()


def run(plan: Plan, say: Say = lambda text: None) -> dict[str, Any]:
    """What happened in one run, and what is `wrong` after it."""
    with Simulators() as simulators:
        one = Run(plan, simulators, say)
        try:
            return _told(one)
        finally:
            one.close()


def _told(one: Run) -> dict[str, Any]:
    plan, say = one.plan, one.say
    say("setting up")
    one.set_up()
    one.begin()
    say("trouble")
    if plan.short:
        one.trouble_for(plan.seconds, 0, 1)
    else:
        one.trouble_for(plan.seconds / 2, 0, 0.5)
        say("a night passes")
        one.later(A_NIGHT)
        one.trouble_for(plan.seconds / 2, 0.5, 1)
        say("peace")
        one.peace("after the trouble")
    say("a night passes")
    one.later(A_NIGHT)
    one.peace("a night later")
    say("an hour passes")
    one.later(AN_HOUR)
    rests = one.peace("an hour later")
    if rests and one.answer():
        say("somebody answers what is asked")
        rests = one.peace("after the answers")
    report = one.report()
    if not rests:
        report["wrong"].insert(0, f"not at rest after {plan.peace:.0f} seconds of peace")
    return report
