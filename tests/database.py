"""One embedded PostgreSQL per test process, started before Django reads its settings.

A plugin named in the options (`-p tests.database`), because Django's own is set up before any
conftest is read.
"""

import os
import shutil
import tempfile
from pathlib import Path

from onecore.store.embedded import EmbeddedPostgres

HOME = Path(tempfile.mkdtemp(prefix="onecore-tests-"))
HOME.chmod(0o755)  # the server may run as another user when we are root
SERVER = EmbeddedPostgres(HOME / "database", fsync=False)

os.environ["ONECORE_DATA_DIR"] = str(HOME)
os.environ["ONECORE_RESOLVED_DATABASE_URL"] = SERVER.ensure()


def pytest_unconfigure() -> None:
    SERVER.discard()
    shutil.rmtree(HOME, ignore_errors=True)
