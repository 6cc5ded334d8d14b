"""Print where a made-up builder books its cost codes, as JSON: {"03-300": "311", …}.

For whoever sets OneCore up beside the simulators; a code nobody has decided on is left out.
"""

import argparse
import json
import sys
from datetime import UTC, datetime

from onecore_sim.generator import builder


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m onecore_sim.chart", description=__doc__)
    parser.add_argument("--size", default="demo")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(argv)
    made = builder(asked.size, asked.seed, datetime.now(UTC).date())
    print(json.dumps({code.code: code.account for code in made.cost_codes if code.account}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
