"""How fast approved claims become bills, and what that costs in calls and CPU.

`.venv/bin/python -m bench.bills [--claims 500] [--out FILE]` runs OneCore in this process beside
both simulators, limits off, on an embedded database of its own. Time is from the last approval
until every claim is in step; CPU is this process's own, the simulators and the database excluded.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any


def measure(claims: int) -> dict[str, Any]:
    """Figures of one run over that many claims approved at once."""
    home = Path(tempfile.mkdtemp(prefix="onecore-bench-"))
    home.chmod(0o755)
    os.environ["ONECORE_DATA_DIR"] = str(home)
    from onecore.store.embedded import EmbeddedPostgres  # noqa: PLC0415

    server = EmbeddedPostgres(home / "database")
    os.environ["ONECORE_RESOLVED_DATABASE_URL"] = server.ensure()
    from onecore.app import setup_django  # noqa: PLC0415

    setup_django()
    from onecore.engine.use import upgrading  # noqa: PLC0415

    upgrading.migrate()
    try:
        return _measured(claims)
    finally:
        server.discard()
        shutil.rmtree(home, ignore_errors=True)


def _measured(claims: int) -> dict[str, Any]:
    import structlog  # noqa: PLC0415
    from tests.desk import PROJECT, Desk  # noqa: PLC0415 - the desk tests speak through
    from tests.simulators import Simulators  # noqa: PLC0415

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    with Simulators() as simulators:
        desk = Desk(simulators)
        simulators.procore.switch(rate_hour=0)
        simulators.xero.switch(limit_minute=0, limit_day=0, limit_concurrent=0, limit_app_minute=0)
        desk.connect()
        desk.map_all()
        desk.sync()
        simulators.procore.do("bulk_claims", project_id=PROJECT, count=claims)
        simulators.procore.forget_requests()
        simulators.xero.forget_requests()
        started, cpu = time.monotonic(), time.process_time()
        desk.sync(timeout=timedelta(minutes=20).total_seconds())
        seconds, used = time.monotonic() - started, time.process_time() - cpu
        bills = len(desk.bills())
        asked = {
            "procore": len(simulators.procore.requests("/rest/")),
            "xero": len(simulators.xero.requests("/api.xro/")),
        }
        desk.close()
    return {
        "claims": claims,
        "bills": bills,
        "seconds": round(seconds, 2),
        "claims_per_second": round(claims / seconds, 1),
        "cpu_ms_per_claim": round(1000 * used / claims, 2),
        "calls": asked,
        "xero_calls_per_bill": round(asked["xero"] / claims, 3),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--claims", type=int, default=500)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    figures = measure(asked.claims)
    for name, value in figures.items():
        print(f"{name:22} {value}")
    if asked.out:
        asked.out.write_text(json.dumps(figures, indent=2) + "\n")
    return 0 if figures["bills"] == asked.claims else 1


if __name__ == "__main__":
    sys.exit(main())
