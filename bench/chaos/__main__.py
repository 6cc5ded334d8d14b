"""The command: a run, its table, its file, and exit 1 where anything is wrong."""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

import bench.chaos
from bench.chaos.run import Plan, run


def _plan(argv: list[str] | None) -> tuple[Plan, Path | None]:
    parser = argparse.ArgumentParser(
        prog="bench.chaos",
        description=bench.chaos.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--documents", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=240, help="of trouble")
    parser.add_argument("--workers", type=int, default=3, help="the first of them is serve")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--limits", action="store_true", help="leave the remotes' limits on")
    parser.add_argument("--short", action="store_true", help="the run the ordinary tests make")
    parser.add_argument("--out", type=Path, help="write what happened to this file, as JSON")
    asked = parser.parse_args(argv)
    if asked.short:
        return short(asked.seed), asked.out
    plan = Plan(asked.documents, asked.seconds, asked.workers, asked.seed, asked.limits)
    return plan, asked.out


def short(seed: int) -> Plan:
    """Less than 45 seconds in all."""
    return Plan(documents=70, seconds=13, workers=2, seed=seed, projects=2, peace=60, short=True)


def show(report: dict[str, Any], console: Console) -> None:
    """The table of what happened, then what is wrong."""
    table = Table(show_header=False, title=f"chaos, seed {report['seed']}", title_justify="left")
    for name, value in report.items():
        if name not in ("seed", "wrong"):
            table.add_row(name, _words(value))
    console.print(table)
    for text in report["wrong"]:
        console.print(f"WRONG {text}", soft_wrap=True)
    if not report["wrong"]:
        console.print("Every claim is as it must be in both systems.")


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return "\n".join(f"{key}: {_flat(one)}" for key, one in value.items()) or "none"
    if isinstance(value, list):
        return "\n".join(map(str, value)) or "none"
    return str(value)


def _flat(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {one}" for key, one in value.items())
    return str(value)


def main(argv: list[str] | None = None) -> int:
    plan, out = _plan(argv)
    console, began = Console(), time.monotonic()

    def say(text: str) -> None:
        console.print(f"{time.monotonic() - began:6.1f} s  {text}")

    report = run(plan, say)
    show(report, console)
    if out is not None:
        out.write_text(json.dumps(report, indent=2) + "\n", "utf-8")
    return 1 if report["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
