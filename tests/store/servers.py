"""What the tests of the embedded server share: other processes, kills, questions to a server."""

import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from onecore.store.embedded import EmbeddedPostgres
from onecore.store.postgres_tools import binaries_for
from onecore.store.server_files import Owner

SOURCE = Path(__file__).parents[2] / "src"
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")

STARTER = """
import sys
from pathlib import Path
from onecore.store.embedded import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]), fsync=False)
print(server.ensure(), server.started_here, flush=True)
sys.stdin.read()
"""


def start(directory: Path) -> subprocess.Popen[str]:
    """Another onecore process that ensures the server and then stays until its input closes."""
    return subprocess.Popen(
        [sys.executable, "-c", STARTER, directory],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(SOURCE), *sys.path])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def told(process: subprocess.Popen[str]) -> tuple[str, bool]:
    assert process.stdout is not None
    url, started = process.stdout.readline().split()
    return url, started == "True"


def end(process: subprocess.Popen[str], how: int = signal.SIGKILL) -> None:
    process.send_signal(how)
    process.communicate()


def value(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(sql.SQL(query)).fetchone()
        return None if row is None else row[0]


def eventually(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def family(pid: int) -> list[int]:
    """The postmaster and its children, each of which leads a session of its own."""
    shown = subprocess.run(["ps", "-eo", "pid,ppid"], capture_output=True, text=True, check=True)
    pairs = [line.split() for line in shown.stdout.splitlines()[1:]]
    return [pid, *(int(child) for child, parent in pairs if int(parent) == pid)]


def kill_all(server: EmbeddedPostgres) -> None:
    for pid in family(postmaster(server)):
        with suppress(ProcessLookupError):  # most go by themselves when the first is gone
            os.kill(pid, signal.SIGKILL)
    eventually(lambda: not server.status().running)


def postmaster(server: EmbeddedPostgres) -> int:
    pid = server.status().pid
    assert pid is not None
    return pid


def programs_for_nobody() -> Path:
    nobody = pwd.getpwnam("nobody")
    return binaries_for(Owner(nobody.pw_uid, nobody.pw_gid, switch=True))
