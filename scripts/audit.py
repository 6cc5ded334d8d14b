"""Known vulnerabilities in the pinned libraries, asked of the advisory service by pip-audit.

Exit 1 names each that is known, and what to move to. Where the service does not answer, or knows
none of the libraries, nothing was audited: that is said, and does not fail what else is checked.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

PINS = ("requirements/run.txt", "requirements/dev.txt")


def audited(pins: str) -> list[dict[str, Any]] | None:
    """What pip-audit says of each pinned library; None where it got no answer."""
    command = ["pip-audit", "--disable-pip", "--require-hashes", "-r", pins, "-f", "json"]
    done = subprocess.run(
        [str(Path(sys.executable).with_name(command[0])), *command[1:], "--progress-spinner=off"],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        told = json.loads(done.stdout)
    except ValueError:
        return None
    rows: list[dict[str, Any]] = told["dependencies"]
    return rows


def report(pins: str, rows: list[dict[str, Any]] | None) -> int:
    """Print what was found; how many known vulnerabilities there are."""
    asked = [row for row in rows or () if "skip_reason" not in row]
    if not asked:
        print(f"audit: {pins}: NOT AUDITED, the advisory service is out of reach")
        return 0
    found = [(row, one) for row in asked for one in row.get("vulns", ())]
    for row, one in found:
        mended = ", ".join(one.get("fix_versions") or ()) or "no version yet"
        print(f"audit: {row['name']} {row['version']}: {one['id']}, mended in {mended}")
    unknown = len(rows or ()) - len(asked)
    print(f"audit: {pins}: {len(asked)} audited, {unknown} unknown there, {len(found)} vulnerable")
    return len(found)


def main() -> int:
    return 1 if sum(report(pins, audited(pins)) for pins in PINS) else 0


if __name__ == "__main__":
    sys.exit(main())
