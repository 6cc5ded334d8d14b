"""How long an approval waits to be seen: lists looked at as they earn it, against evenly.

`.venv/bin/python -m bench.polling [--projects 10,60] [--limits 3600] [--quick] [--at-once 1]
[--json] [--out FILE]` simulates builders of several sizes under several hourly limits of Procore
(`polling_run`), then the same builder with other habits; docs/polling.md says what is assumed.
Looking evenly gets exactly as many looks. Exit 1 when more looks are made in any hour than are
allowed; aims that are missed are said.
"""

import argparse
import json
import sys
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any

from bench.frame import Part, Row, machine, show, write
from bench.polling_model import USUAL, Activity
from bench.polling_run import TODAY, compare

PROJECTS, LIMITS = (10, 60, 300, 2000), (3600, 600, 7200)
SIZE = 60  # of the builder whose habits are varied
LEAST_RATIO, MOST_SECONDS = 3.0, 60.0
ENOUGH = 120
"""Projects that several builders of a size come to at least; few approvals say little."""
Case = tuple[str, int, int, tuple[int, ...], Activity, date]


def variations(size: int) -> list[Case]:
    """The same builder, otherwise: each changes one thing that is assumed."""
    changed = {
        "claims on the 25th": Activity(claim_day=25),
        "claims on the 15th, projects apart": Activity(claim_day=15, spread=6),
        "claims on any day": Activity(cycle=False),
        "nobody approves in sittings": Activity(sittings=0.0),
        "everybody in sittings, one a week": Activity(sittings=1.0, sitting_chance=0.2),
        "half of it after hours": Activity(after_hours=0.5),
        "approved from Perth": Activity(zone="Australia/Perth"),
        "approved from London": Activity(zone="Europe/London"),
        "a third never seen under review": Activity(untold=0.33),
        "no idle projects": Activity(idle=0.0),
        "seven in ten projects idle": Activity(idle=0.7),
        "a fifth disputed for weeks": Activity(disputed=0.2),
        "reviewed within days": Activity(deadline=4, sitting_chance=0.7),
    }
    limit = 3600 * size // SIZE  # as crowded as the usual one
    cases = [(f"{size}: {name}", size, limit, (1, 2), way, TODAY) for name, way in changed.items()]
    cases += [(f"{size}: seed {seed}", size, limit, (seed,), USUAL, TODAY) for seed in (2, 3, 4)]
    summer = date(2026, 1, 28)
    return [*cases, (f"{size}: over Christmas", size, limit, (1, 2), USUAL, summer)]


def sizes(projects: list[int], limits: list[int]) -> list[Case]:
    """The usual builder in every size under every limit."""
    return [
        (f"{size:,} projects, {limit:,} an hour", size, limit, _seeds(size), USUAL, TODAY)
        for limit, size in product(limits, projects)
    ]


def _seeds(size: int) -> tuple[int, ...]:
    return tuple(range(1, min(6, max(1, ENOUGH // size)) + 1))


def run(cases: list[Case], at_once: int = 1) -> Part:
    """Every case's figures."""
    with ProcessPoolExecutor(at_once) as pool:
        found = list(pool.map(_figures, cases))
    rows = [row for case, told in zip(cases, found, strict=True) for row in _rows(case[0], told)]
    return Part(
        "polling",
        rows,
        {case[0]: told for case, told in zip(cases, found, strict=True)},
        ["Seconds from approval to sight. `evenly` has as many looks, `all` all that are allowed."],
        failed=any(told["peak_hour"] > told["allowed_an_hour"] for told in found),
    )


def _figures(case: Case) -> dict[str, Any]:
    _, *what = case
    return compare(*what)


def _rows(name: str, told: dict[str, Any]) -> list[Row]:
    ours, review = told["earned"], told["under_review"]
    waits = f"p50 {ours['p50']:.0f}, p90 {ours['p90']:.0f}, p99 {ours['p99']:.0f}"
    even = f"evenly {told['evenly']['mean']:.0f}, all {told['evenly_with_all_looks']['mean']:.0f}"
    looks = f"{told['approvals']:,} approvals, {told['looks']:,} looks"
    return [
        Row(name, ours["mean"], "s", note=f"{waits}; {even}"),
        Row("  under review", review["mean"], "s", most=MOST_SECONDS, note=looks),
        Row("  better than evenly", told["ratio"], "times", least=LEAST_RATIO),
        Row("  busiest hour", told["peak_hour"], "looks", most=told["allowed_an_hour"]),
    ]


def measure(quick: bool) -> Part:
    """The part of the bench: all sizes and variations, or one size and three variations."""
    if quick:
        return run(sizes([10, SIZE], [3600]) + variations(20)[:3])
    return run(sizes(list(PROJECTS), list(LIMITS)) + variations(SIZE))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--projects", type=_numbers, help="sizes, without variations: 10,60")
    parser.add_argument("--limits", type=_numbers, default=[3600], help="hourly, with --projects")
    parser.add_argument("--quick", action="store_true", help="fewer of everything")
    parser.add_argument("--at-once", type=int, default=1, help="processes")
    parser.add_argument("--json", action="store_true", help="the figures instead of a table")
    parser.add_argument("--out", type=Path, help="also write the figures as JSON")
    asked = parser.parse_args()
    began = machine()
    if asked.projects:
        part = run(sizes(asked.projects, asked.limits), asked.at_once)
    elif asked.quick:
        part = measure(quick=True)
    else:
        part = run(sizes(list(PROJECTS), list(LIMITS)) + variations(SIZE), asked.at_once)
    if asked.json:
        print(json.dumps(part.to_json(), indent=2))
    else:
        show([part])
    if asked.out:
        write(asked.out, [part], began)
    return 1 if part.failed else 0


def _numbers(text: str) -> list[int]:
    return [int(one) for one in text.split(",")]


if __name__ == "__main__":
    sys.exit(main())
