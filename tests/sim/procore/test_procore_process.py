"""The simulator as a process of its own, whose state outlives it."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.sim.procore.client import Procore


@contextmanager
def served(state: Path) -> Iterator[Procore]:
    command = [sys.executable, "-m", "onecore_sim", "procore", "--size", "tiny", "--state"]
    process = subprocess.Popen([*command, str(state)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        said = json.loads(process.stdout.readline())
        assert said["name"] == "procore"
        client = Procore(said["url"])
        yield client
        client.http.close()
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
        if process.stdout:
            process.stdout.close()


def test_a_restart_forgets_nothing(tmp_path: Path) -> None:
    state = tmp_path / "procore.json"
    with served(state) as procore:
        commitment, (line,) = procore.commitment("1000.00")
        claim = procore.claim(commitment, [{"line_id": line, "work": "100"}], status="approved")
        token, shown = procore.token, procore.requisition(claim)
    with served(state) as procore:
        procore.token = token
        assert procore.requisition(claim) == shown
