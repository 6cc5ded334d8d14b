"""Approved claims to bills in step by one real worker, limits off: how fast, what it costs, where
the time goes.

From the moment somebody looks, the last claim just approved, until every bill is made and linked.
CPU is user and system time of OneCore's own process; PostgreSQL's and the simulators' are told
apart. The phases are the worker's own account of its turns (`turn.ended` in its log).
"""

import sys
import time
from collections import Counter, defaultdict
from typing import Any

from bench.frame import Cpu, Part, Row, Running, Stage, alone

WARM = 20
CLAIMS, QUICK = 2000, 300
SLOW = 0.05
"""Seconds added to every answer in the second run: near what a real remote takes."""


def measure(quick: bool) -> Part:
    claims = QUICK if quick else CLAIMS
    near, far = run(claims, 0.0), run(claims, SLOW)
    part = Part("throughput: one worker, one organisation", rows_of(near))
    part.rows.append(
        Row(
            f"the same with answers {1000 * SLOW:.0f} ms late",
            round(far["claims_per_second"], 1),
            "claims/s",
        )
    )
    part.rows += shares(near)
    part.details = {"at once": near, "answers late": far}
    part.failed = any(one["bills"] != claims + WARM for one in (near, far))
    part.notes.append(limit_of(near))
    return part


def run(claims: int, slow: float) -> dict[str, Any]:
    """The figures of one run, its simulators that slow."""
    with Stage(slow=slow, POLL_SECONDS="") as stage:
        stage.set_up()
        return work(stage, claims)


def work(stage: Stage, claims: int) -> dict[str, Any]:
    """The figures of so many claims worked by a worker of their own, which is stopped again."""
    worker = stage.start("worker")
    stage.approve(WARM)
    stage.wait_for(stage.has_feeds, "lists are known")
    stage.look_now()
    stage.wait_until_in_step(WARM)
    stage.forget_requests()
    stage.approve(claims)
    already = len(worker.events)
    started, before = time.monotonic(), stage.cpu([worker])
    stage.look_now()
    stage.wait_until_in_step(claims + WARM)
    seconds, used = time.monotonic() - started, stage.cpu([worker]) - before
    calls = stage.calls()
    worker.stop()
    return figures(claims, bills_in(stage), seconds, used, calls, worker, already)


def bills_in(stage: Stage) -> int:
    """How many bills Xero has."""
    return sum(1 for bill in stage.bills() if bill["status"] not in ("DELETED", "VOIDED"))


def figures(
    claims: int,
    bills: int,
    seconds: float,
    used: Cpu,
    calls: dict[str, int],
    worker: Running,
    already: int,
) -> dict[str, Any]:
    turns = [one for one in worker.events[already:] if one["event"] == "turn.ended"]
    wall, cpu = defaultdict[str, float](float), defaultdict[str, float](float)
    for turn in turns:
        for name, (passed, of_cpu) in turn["spent_ms"].items():
            wall[name] += passed
            cpu[name] += of_cpu
    busy = sum(wall.values()) / 1000
    return {
        "claims": claims,
        "bills": bills,
        "seconds": round(seconds, 2),
        "claims_per_second": claims / seconds,
        "seconds_in_turns": round(busy, 2),
        "turns": len(turns),
        "cpu_ms_per_claim": used.per(claims),
        "calls": calls,
        "calls_by_operation": Counter(
            one["operation"] for one in worker.events[already:] if one["event"] == "remote.call"
        ),
        "wall_ms_per_claim_by_phase": {n: round(v / claims, 3) for n, v in sorted(wall.items())},
        "cpu_ms_per_claim_by_phase": {n: round(v / claims, 3) for n, v in sorted(cpu.items())},
    }


def rows_of(run: dict[str, Any]) -> list[Row]:
    claims, cpu = run["claims"], run["cpu_ms_per_claim"]
    return [
        Row("claims", claims, "", note=f"{run['bills'] - WARM} bills, {run['turns']} turns"),
        Row("throughput", round(run["claims_per_second"], 1), "claims/s"),
        Row("CPU of OneCore", cpu["onecore"], "ms/claim", note="user and system"),
        Row("CPU of PostgreSQL", cpu["database"], "ms/claim"),
        Row("CPU of the simulators", round(cpu["procore"] + cpu["xero"], 3), "ms/claim"),
        Row("Xero calls", round(run["calls"]["xero"] / claims, 3), "a bill", most=0.05),
        Row("Procore calls", round(run["calls"]["procore"] / claims, 3), "a claim"),
    ]


def shares(run: dict[str, Any]) -> list[Row]:
    """Where a claim's time goes, phase by phase: code, database and remotes in ms of wall clock."""
    wall: dict[str, float] = run["wall_ms_per_claim_by_phase"]
    cpu: dict[str, float] = run["cpu_ms_per_claim_by_phase"]
    phases: dict[str, float] = defaultdict(float)
    for name, passed in wall.items():
        phases[name.partition(".")[0]] += passed
    rows = []
    for name, passed in sorted(phases.items(), key=lambda one: -one[1]):
        kinds = {what: wall.get(f"{name}.{what}", 0.0) for what in ("own", "database", "remote")}
        used = sum(value for key, value in cpu.items() if key.startswith(f"{name}."))
        told = ", ".join(f"{what} {value:.2f}" for what, value in kinds.items() if value >= 0.005)
        rows.append(Row(f"· {name}", round(passed, 3), "ms/claim", note=f"{told}; CPU {used:.2f}"))
    return rows


def limit_of(run: dict[str, Any]) -> str:
    """What keeps it from being faster, from the figures themselves."""
    wall: dict[str, float] = run["wall_ms_per_claim_by_phase"]
    kinds: dict[str, float] = defaultdict(float)
    for name, passed in wall.items():
        kinds[name.partition(".")[2]] += passed
    kinds["between turns"] = 1000 * (run["seconds"] - run["seconds_in_turns"]) / run["claims"]
    told = ", ".join(f"{what} {value:.2f}" for what, value in sorted(kinds.items()))
    most = max(kinds, key=lambda what: kinds[what])
    return f"Limited by: {most}. Wall clock a claim in ms: {told}."


if __name__ == "__main__":
    sys.exit(alone(measure, __doc__))
