"""Run one simulator: `onecore-sim procore --port 9001` or `onecore-sim xero --port 9002`."""

import argparse
import os
import signal
import sys
import threading
from pathlib import Path

from onecore_sim.kit.server import Simulator, run


def simulator(name: str) -> Simulator:
    """The simulator of that name, empty; imported late, so that one runs without the other."""
    if name == "procore":
        from onecore_sim.procore.simulator import ProcoreSimulator  # noqa: PLC0415

        return ProcoreSimulator()
    from onecore_sim.xero.simulator import XeroSimulator  # noqa: PLC0415

    return XeroSimulator()


def _end_with_input() -> None:
    """A parent that is killed closes our input; staying would keep its port from the next."""
    while sys.stdin.read(1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="onecore-sim", description=__doc__)
    parser.add_argument("name", choices=["procore", "xero"])
    parser.add_argument("--host", default="127.0.0.1", help="loopback unless you know better")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one and prints it")
    parser.add_argument("--size", default="demo", help="tiny, demo, or a number of projects")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--state", type=Path, help="keep the state in this file across restarts")
    parser.add_argument(
        "--until-eof", action="store_true", help="end when standard input does, as with its parent"
    )
    asked = parser.parse_args(argv)
    if asked.until_eof:
        threading.Thread(target=_end_with_input, daemon=True).start()
    sim = simulator(asked.name)
    if asked.state and asked.state.exists():
        sim.apply_state(asked.state.read_bytes())
    else:
        sim.seed(asked.size, asked.seed)
    run(sim, asked.host, asked.port, asked.state)
    return 0


if __name__ == "__main__":
    sys.exit(main())
