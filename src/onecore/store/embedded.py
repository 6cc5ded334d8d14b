"""The embedded PostgreSQL: started by the first process that needs it, joined by the others.

The server is a child in a session of its own, so it outlives whoever started it. Each of its
processes inherits a lock on the file `alive`: while that is held, something of the server is
left, whatever its pid file says, and once it is free a new server may start. Nothing of what
documents say gets into the server's log: statements, parameters and the errors of statements
are not logged, and details are left out.
"""

import secrets
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from onecore.store import postgres_tools, server_process
from onecore.store.postgres_tools import MAJOR, BackupFailed, backup, restore
from onecore.store.server_files import (
    PORT,
    DirectoryUnusable,
    EmbeddedError,
    Home,
    discard,
    drop_socket_dir,
    held,
    home_at,
    noted_socket_dir,
    read_private,
    write_private,
)

__all__ = [
    "BackupFailed",
    "DirectoryUnusable",
    "EmbeddedError",
    "EmbeddedPostgres",
    "NotStarted",
    "Status",
    "WrongVersion",
    "backup",
    "restore",
]

NAME = "onecore"  # of the role and of the database
ADMIN = "postgres"
PAUSE = 0.03  # seconds between two looks while waiting


class WrongVersion(EmbeddedError):
    """The files were made by another major version of PostgreSQL; nothing was touched."""


class NotStarted(EmbeddedError):
    """The server did not come up in time, or stopped at once."""


@dataclass(frozen=True, slots=True)
class Status:
    """What is known of the server without starting it."""

    running: bool  # some process of it is left
    answers: bool  # a connection succeeded
    pid: int | None
    directory: Path  # where the files really are
    address: str | None  # the socket's directory; on Windows the port
    log: Path


class EmbeddedPostgres:
    """One embedded server with one database, in a directory of its own.

    `fsync=False` is for tests: quick, and safe but for a crash of the whole machine. `patience`
    is how many seconds a start may take, crash recovery included.
    """

    def __init__(self, data_dir: Path, *, fsync: bool = True, patience: float = 120) -> None:
        self._data_dir = data_dir
        self._fsync = fsync
        self._patience = patience
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def started_here(self) -> bool:
        """Whether this object started the server that runs now."""
        return self._process is not None and self._process.poll() is None

    def ensure(self) -> str:
        """The database's URL, its server started if none answers.

        Safe from many processes at once, and again after any of them was killed. Raises
        EmbeddedError.
        """
        home = home_at(self._data_dir)
        _refuse_other_version(home)
        url = _url(home)
        if url is None or not _answers(url):
            with held(home, self._patience) as lock:
                url = self._start(home, lock)
        server_process.trim_log(home)
        return url

    def stop(self, *, unless_used: bool = False) -> bool:
        """Whether a server was stopped: connections are ended, what is committed is kept.

        `unless_used` leaves it running while another client is connected.
        """
        home = home_at(self._data_dir)
        if not home.cluster.exists():
            return False
        with held(home, self._patience):
            if not server_process.alive(home) or (unless_used and _clients(home) > 0):
                return False
            server_process.stop(home)
            drop_socket_dir(home)
            self._process = None
        return True

    def discard(self) -> None:
        """Stop the server and delete the database for good; for demonstrations and tests."""
        self.stop()
        discard(self._data_dir)

    def status(self) -> Status:
        """How the server is; starts nothing, and makes at most the empty directory."""
        home = home_at(self._data_dir)
        url = _url(home)
        running = home.cluster.exists() and server_process.alive(home)
        return Status(
            running=running,
            answers=running and url is not None and _answers(url),
            pid=server_process.noted_pid(home) if running else None,
            directory=home.path,
            address=read_private(home.address),
            log=home.log,
        )

    def backup(self, target: Path) -> None:
        """Write the whole database to `target`; see `postgres_tools.backup`."""
        backup(self.ensure(), target)

    def restore(self, source: Path) -> None:
        """Fill the database, which must be empty; see `postgres_tools.restore`."""
        restore(self.ensure(), source)

    def _start(self, home: Home, lock: int) -> str:
        """The URL of a server that answers; the lock is ours, so nobody else starts one."""
        _make_cluster(home, self._fsync, lock)
        deadline = time.monotonic() + self._patience
        spawned: subprocess.Popen[bytes] | None = None
        while True:
            url = _url(home)
            if url is not None and (_answers(url) or _furnish(home)):
                return url
            if not server_process.alive(home):
                if spawned is not None:
                    raise NotStarted(
                        f"PostgreSQL stopped at once. {server_process.last_words(home)}"
                    )
                spawned = self._process = server_process.spawn(home, self._fsync)
            if time.monotonic() > deadline:
                raise NotStarted(
                    f"PostgreSQL in {home.path} did not answer within {self._patience:.0f} s. "
                    + server_process.last_words(home)
                )
            time.sleep(PAUSE)


def _refuse_other_version(home: Home) -> None:
    try:
        found = (home.cluster / "PG_VERSION").read_text("ascii").strip()
    except FileNotFoundError:
        return
    if found != str(MAJOR):
        raise WrongVersion(
            f"The database in {home.path} was made by PostgreSQL {found}; this OneCore comes "
            f"with PostgreSQL {MAJOR}. Nothing was changed. With the OneCore that made it, write "
            "a dump (onecore backup FILE); move the directory away; then read the dump with "
            "this one (onecore restore FILE)."
        )


def _url(home: Home) -> str | None:
    password = read_private(home.password)
    return None if password is None else _url_of(home, NAME, password, NAME)


def _url_of(home: Home, user: str, password: str, database: str) -> str | None:
    if sys.platform == "win32":
        port = read_private(home.address)
        if port is None:
            return None
        return f"postgresql://{user}:{quote(password, safe='')}@127.0.0.1:{port}/{database}"
    directory = noted_socket_dir(home)
    if directory is None:
        return None
    host = quote(str(directory), safe="")
    # the port as well, else a PGPORT of the person's own would name another socket
    return f"postgresql://{user}:{quote(password, safe='')}@/{database}?host={host}&port={PORT}"


def _answers(url: str) -> bool:
    try:
        with psycopg.connect(url, connect_timeout=5, require_auth="scram-sha-256") as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
    except psycopg.OperationalError:
        return False


def _admin(home: Home) -> psycopg.Connection[tuple[object, ...]] | None:
    """A connection of the server's own superuser, None while nothing answers."""
    password = read_private(home.admin_password)
    url = password and _url_of(home, ADMIN, password, "postgres")
    if not url:
        return None
    try:
        return psycopg.connect(
            url, connect_timeout=5, require_auth="scram-sha-256", autocommit=True
        )
    except psycopg.OperationalError:
        return None


def _furnish(home: Home) -> bool:
    """Whether role, password and database were put in place; False while nothing answers.

    The role owns its database and may make others (to restore into), no more.
    """
    connection = _admin(home)
    password = read_private(home.password)
    if connection is None or password is None:
        return False
    with connection:
        role, database = sql.Identifier(NAME), sql.Identifier(NAME)
        if not connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [NAME]).rowcount:
            connection.execute(sql.SQL("CREATE ROLE {}").format(role))
        verifier = connection.pgconn.encrypt_password(
            password.encode(), NAME.encode(), b"scram-sha-256"
        )
        connection.execute(
            sql.SQL("ALTER ROLE {} LOGIN CREATEDB PASSWORD {}").format(
                role, sql.Literal(verifier.decode())
            )
        )
        if not connection.execute("SELECT FROM pg_database WHERE datname = %s", [NAME]).rowcount:
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, role))
    return True


def _clients(home: Home) -> int:
    connection = _admin(home)
    if connection is None:
        return 0
    with connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        ).fetchone()
    return int(str(row[0])) if row else 0


def _make_cluster(home: Home, fsync: bool, lock: int) -> None:
    """Run initdb where there is no cluster yet; a half-made one from a crash is thrown away.

    It holds our lock as well: were we killed, it would still be writing there for a while.
    """
    if read_private(home.password) is None:
        write_private(home.password, f"{secrets.token_urlsafe(32)}\n", home.owner)
    if home.cluster.exists():
        return
    write_private(home.admin_password, f"{secrets.token_urlsafe(32)}\n", home.owner)
    new = home.path / "cluster.new"
    if new.exists():
        shutil.rmtree(new)
    programs = postgres_tools.binaries_for(home.owner)
    try:
        postgres_tools.run_as(
            home.owner,
            [
                programs / f"initdb{postgres_tools.EXE}",
                f"--pgdata={new}",
                f"--username={ADMIN}",
                f"--pwfile={home.admin_password}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--no-instructions",
                *([] if fsync else ["--no-sync"]),
            ],
            handles=[lock],
        )
    except subprocess.CalledProcessError as error:
        raise NotStarted(f"PostgreSQL could not make its files: {error.stderr.strip()}") from None
    except OSError as error:
        raise NotStarted(f"PostgreSQL's programs cannot be run: {error}") from None
    new.rename(home.cluster)
