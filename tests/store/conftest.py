"""A server of one's own for each test that asks for one."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from onecore.store.embedded import EmbeddedPostgres


@pytest.fixture
def directory() -> Iterator[Path]:
    """A place any user can pass through, for the server's own user where the tests run as root."""
    made = Path(tempfile.mkdtemp(prefix="onecore-test-", dir="/tmp"))
    made.chmod(0o755)
    try:
        yield made
        left = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
        assert str(made) not in left.stdout
    finally:
        shutil.rmtree(made)


@pytest.fixture
def server(directory: Path) -> Iterator[EmbeddedPostgres]:
    made = EmbeddedPostgres(directory / "database", fsync=False, patience=60)
    try:
        yield made
    finally:
        made.stop()
