"""Claims under random kills, pauses and faults: is each a bill, and each once?

`.venv/bin/python -m bench.chaos [--claims 300] [--seconds 90] [--workers 2] [--seed 1]`

Real `onecore worker` processes run beside both simulators, are killed by SIGKILL and paused at
random while claims are approved and the remotes lose, drop and fail requests; then they finish in
peace, and the bills are counted by their marks. Exit 1 unless every claim is one bill.
"""

import argparse
import json
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

from tests.harness import Installation
from tests.simulators import Simulators

from onecore.domain.ids import AccountCode
from onecore.domain.refs import Flow
from onecore.domain.settings import CodeRule, Mode
from onecore.engine import config

PEACE = 240  # seconds to finish in once the trouble is over; a lost reply alone takes 45
BATCH = 10
PROJECT = 7  # the tiny builder's


class Chaos:
    """One run: the installation, its workers, and what was done to them."""

    def __init__(self, simulators: Simulators, workers: int, seed: int) -> None:
        self.simulators = simulators
        self.random = random.Random(seed)
        self.done: Counter[str] = Counter()
        self.installation = Installation(simulators)
        self._workers: list[subprocess.Popen[bytes] | None] = [None] * workers

    def set_up(self) -> None:
        """Connected, mapped and switched on, by commands alone."""
        run = self.installation.run
        run("migrate").ok()
        self.installation.connect(self.simulators)
        run("match", "vendors", "-w", "Main", "--accept", "90").ok()
        text = run("config", "export", "-w", "Main").ok().out
        text = config.set_value(text, ("cut_over",), date(2020, 1, 1))
        text = config.add_codes(text, [CodeRule("*", expense=AccountCode("310"))])
        text = config.set_retention_account(text, "payable", AccountCode("820R"))
        text = config.set_flow_mode(text, Flow.BILL, Mode.AUTO)
        self.installation.document(text, "-w", "Main").ok()

    def faults(self) -> None:
        """Every kind of trouble now and then, by seeded chance."""
        xero, procore = self.simulators.xero, self.simulators.procore
        seed = self.random.randrange(10**6)
        often: dict[str, Any] = {"times": 0, "path": "/Invoices"}
        xero.fault("lost", chance=0.12, method="PUT", seed=seed, **often)
        xero.fault("status_after", chance=0.08, method="PUT", seed=seed + 1, status=502, **often)
        xero.fault("truncated", chance=0.05, method="PUT", seed=seed + 2, **often)
        xero.fault("drop", chance=0.08, seed=seed + 3, **often)
        xero.fault("status", chance=0.03, seed=seed + 4, status=500, **often)
        procore.fault("status", chance=0.05, seed=seed + 5, status=502, times=0, path="/rest/")
        procore.fault("drop", chance=0.03, seed=seed + 6, times=0, path="/rest/")

    def keep_working(self) -> None:
        """Start every worker that is not there."""
        for at, process in enumerate(self._workers):
            if process is None or process.poll() is not None:
                self._workers[at] = subprocess.Popen(
                    self.installation.command("worker"),
                    env=self.installation.environ,
                    cwd=self.installation.home,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )

    def strike(self) -> None:
        """Kill a worker, or pause it for a moment."""
        at = self.random.randrange(len(self._workers))
        process = self._workers[at]
        if process is None or process.poll() is not None:
            return
        if self.random.random() < 0.7:
            process.kill()
            process.wait()
            self.done["killed"] += 1
        else:
            process.send_signal(signal.SIGSTOP)
            time.sleep(self.random.uniform(0.5, 3))
            process.send_signal(signal.SIGCONT)
            self.done["paused"] += 1

    def stop(self) -> None:
        for process in self._workers:
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()
        self.installation.close()

    def bills_by_mark(self) -> Counter[str]:
        """How many live bills carry each claim's mark."""
        found: Counter[str] = Counter()
        for organisation in self.simulators.xero.state()["organisations"].values():
            for bill in organisation["invoices"].values():
                claim = re.search(r"/requisitions/(\d+)\?", bill["url"] or "")
                if claim and bill["status"] not in ("VOIDED", "DELETED"):
                    found[claim[1]] += 1
        return found

    def states(self) -> Counter[str]:
        rows = self.installation.run("documents", "-w", "Main", "--json").ok().json
        return Counter(row["state"] for row in rows)


def run(claims: int, seconds: int, workers: int, seed: int) -> dict[str, Any]:
    """The figures of one run."""
    with Simulators() as simulators:
        simulators.procore.switch(rate_hour=0)
        simulators.xero.switch(limit_minute=0, limit_day=0)
        chaos = Chaos(simulators, workers, seed)
        try:
            return _run(chaos, claims, seconds)
        finally:
            chaos.stop()


def _run(chaos: Chaos, claims: int, seconds: int) -> dict[str, Any]:
    chaos.set_up()
    chaos.faults()
    chaos.keep_working()
    procore, xero = chaos.simulators.procore, chaos.simulators.xero
    started, approved = time.monotonic(), 0
    while time.monotonic() - started < seconds or approved < claims:
        due = claims * min(1, (time.monotonic() - started) / seconds)
        while approved < due:
            some = min(BATCH, claims - approved)
            procore.do("bulk_claims", project_id=PROJECT, count=some)
            approved += some
        time.sleep(chaos.random.uniform(0.3, 2.0))
        chaos.strike()
        chaos.keep_working()
    met = Counter(
        row["fault"] for side in (procore, xero) for row in side.requests() if row["fault"]
    )
    procore.no_faults()
    xero.no_faults()
    peace = time.monotonic()
    while time.monotonic() - peace < PEACE:
        chaos.keep_working()
        if chaos.states() == {"in_step": claims}:
            break
        time.sleep(2)
    bills = chaos.bills_by_mark()
    return {
        "claims": claims,
        "bills": sum(bills.values()),
        "claims with a bill": len(bills),
        "claims with two bills": sum(1 for n in bills.values() if n > 1),
        "states": dict(chaos.states()),
        "workers killed": chaos.done["killed"],
        "workers paused": chaos.done["paused"],
        "faults met": dict(met),
        "seconds of trouble": seconds,
        "seconds of peace": round(time.monotonic() - peace, 1),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--claims", type=int, default=300)
    parser.add_argument("--seconds", type=int, default=90)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    figures = run(asked.claims, asked.seconds, asked.workers, asked.seed)
    for name, value in figures.items():
        print(f"{name:24} {value}")
    if asked.out:
        asked.out.write_text(json.dumps(figures, indent=2) + "\n")
    once = figures["bills"] == figures["claims with a bill"] == asked.claims
    return 0 if once and figures["states"] == {"in_step": asked.claims} else 1


if __name__ == "__main__":
    sys.exit(main())
