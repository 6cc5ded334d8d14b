"""The state machine over the whole product, for as long as one likes.

`.venv/bin/python -m bench.machine [--examples 300] [--steps 40] [--seed 1] [--as-found]`

Runs `tests.machine` on a database and simulators of its own. Exit 1 with the shortest story that
was found when something is not right; the same seed and figures tell the same examples again.
`--as-found` shows the first story as it was met, which is quicker than looking for a shorter one.
"""

import argparse
import sys
import time

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from tests import database  # starts PostgreSQL before Django reads where it is

from onecore.app import setup_django


def run(examples: int, steps: int, seeded: int, as_found: bool) -> dict[str, float]:
    """How many examples and steps were run, in how many seconds. Raises what a proof raised."""
    from django.core.management import call_command  # noqa: PLC0415 - once Django is set up
    from tests.machine.machine import WholeProduct  # noqa: PLC0415
    from tests.machine.stages import worlds  # noqa: PLC0415
    from tests.simulators import Simulators  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    done = {"examples": 0.0, "steps": 0.0, "seconds": 0.0}
    began = time.monotonic()

    @seed(seeded)
    class Machine(WholeProduct):
        def teardown(self) -> None:
            super().teardown()
            done["examples"] += 1
            done["steps"] += len(self.story)
            done["seconds"] = time.monotonic() - began
            if sys.stderr.isatty() or done["examples"] % 10 == 0:
                print(f"{done['examples']:.0f} examples, {done['steps']:.0f} steps, "
                      f"{done['seconds']:.0f} s", file=sys.stderr, flush=True)  # fmt: skip

    phases = {Phase.generate} if as_found else {Phase.generate, Phase.shrink}
    wanted = settings(
        max_examples=examples,
        stateful_step_count=steps,
        phases=tuple(phases),
        deadline=None,
        database=None,
        print_blob=False,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    with Simulators() as simulators, worlds(simulators) as new_world:
        Machine.new_world = staticmethod(new_world)
        run_state_machine_as_test(Machine, settings=wanted)
    return done


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=300)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--as-found", action="store_true")
    asked = parser.parse_args()
    setup_django()
    try:
        done = run(asked.examples, asked.steps, asked.seed, asked.as_found)
    finally:
        database.pytest_unconfigure()
    for name, value in done.items():
        print(f"{name:24} {value:.0f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
