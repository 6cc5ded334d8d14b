"""The whole database to a file and back, whichever server holds it."""

from pathlib import Path

from onecore.engine.use.errors import OutOfReach, UseError
from onecore.store.embedded import BackupFailed, EmbeddedError
from onecore.store.postgres_tools import backup as dump
from onecore.store.postgres_tools import restore as load


def backup(url: str, target: Path) -> int:
    """Write the database of `url` to a new file, whole or not at all; its size in bytes.

    Secrets are in it only sealed: without the secret key, which is not, they do not open. Raises
    UseError for a file that is there or cannot be, OutOfReach when the server cannot be asked.
    """
    if target.exists():
        raise UseError(f"{target} is there already. A backup is never written over another one.")
    if not target.parent.is_dir():
        raise UseError(f"There is no directory {target.parent}. Make it, then try again.")
    try:
        dump(url, target)
    except (BackupFailed, EmbeddedError) as trouble:
        raise OutOfReach(f"No backup was made. {trouble}") from None
    return target.stat().st_size


def restore(url: str, source: Path) -> None:
    """Fill the database of `url`, which must be empty, from a backup: all of it or nothing.

    Raises UseError for a file that is none, OutOfReach with the reason otherwise.
    """
    if not source.is_file():
        raise UseError(f"There is no backup at {source}.")
    with source.open("rb") as file:
        if file.read(5) != b"PGDMP":
            raise UseError(f"{source} is no backup made by onecore backup.")
    try:
        load(url, source)
    except (BackupFailed, EmbeddedError) as trouble:
        raise OutOfReach(f"Nothing was restored. {trouble}") from None
