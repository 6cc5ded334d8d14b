"""A backup comes back whole, into an empty database only."""

import stat
import sys
from pathlib import Path

import psycopg
import pytest
from tests.store.servers import (
    value,
)

from onecore.store.embedded import (
    BackupFailed,
    EmbeddedPostgres,
    backup,
    restore,
)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sockets and signals of Unix")


def test_a_backup_comes_back_whole(server: EmbeddedPostgres, directory: Path) -> None:
    url = server.ensure()
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE claims (id int PRIMARY KEY, amount numeric, note text)")
        connection.execute("INSERT INTO claims VALUES (1, 1087.80, 'Käse'), (2, -3.05, NULL)")
    saved = directory / "onecore.dump"
    server.backup(saved)
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    assert saved.read_bytes().startswith(b"PGDMP")

    with pytest.raises(BackupFailed, match="holds tables already"):
        server.restore(saved)
    other = url.replace("/onecore?", "/onecore_new?")
    restore(other, saved)
    assert value(other, "SELECT sum(amount) FROM claims") == value(
        url, "SELECT sum(amount) FROM claims"
    )
    assert value(other, "SELECT note FROM claims WHERE id = 1") == "Käse"

    moved = EmbeddedPostgres(directory / "second", fsync=False)
    try:
        moved.restore(saved)
        assert value(moved.ensure(), "SELECT count(*) FROM claims") == 2
    finally:
        moved.stop()


def test_a_backup_that_fails_leaves_nothing_behind(
    server: EmbeddedPostgres, directory: Path
) -> None:
    url = server.ensure()
    place = directory / "backups"
    place.mkdir()
    with pytest.raises(BackupFailed, match="password"):
        backup(url.replace("onecore:", "onecore:wrong"), place / "a.dump")
    assert list(place.iterdir()) == []
    with pytest.raises(BackupFailed, match="cannot be written"):
        backup(url, directory / "nowhere" / "a.dump")
    (place / "b.dump").write_bytes(b"PGDMP but not really")
    with pytest.raises(BackupFailed, match="pg_restore failed"):
        restore(url, place / "b.dump")
    with pytest.raises(BackupFailed, match="There is no backup"):
        restore(url, place / "c.dump")
