"""`python -m bench [PART …] [--quick] [--out FILE]`: every measurement, a table and a JSON.

Exit 0 when every outcome is right (each claim one bill, nothing lost), whatever the aims; 1 else.
"""

import argparse
import importlib
import sys
import time
from pathlib import Path

from bench.frame import Part, machine, show, write

PARTS = ("throughput", "latency", "workers", "memory", "sdk", "polling")
"""Modules of this package with a `measure(quick)`, in the order they run."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("part", nargs="*", choices=[*PARTS, []], help="all, unless some are named")
    parser.add_argument("--quick", action="store_true", help="fewer of everything")
    parser.add_argument("--out", type=Path, help="also write the figures as JSON")
    asked = parser.parse_args()
    began, parts = machine(), list[Part]()
    for name in asked.part or PARTS:
        at = time.monotonic()
        part = importlib.import_module(f"bench.{name}").measure(asked.quick)
        part.details["seconds_it_took"] = round(time.monotonic() - at, 1)
        parts.append(part)
        show([part])
        if asked.out:
            write(asked.out, parts, began)
    return 1 if any(part.failed for part in parts) else 0


if __name__ == "__main__":
    sys.exit(main())
