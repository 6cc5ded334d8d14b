"""Nobody else gets into the embedded server, and nothing gets out by its log."""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from tests.store.servers import (
    as_root,
    postmaster,
    programs_for_nobody,
    value,
)

from onecore.store.embedded import (
    DirectoryUnusable,
    EmbeddedPostgres,
)
from onecore.store.server_files import home_at

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sockets and signals of Unix")


def test_the_role_owns_its_database_and_is_no_superuser(server: EmbeddedPostgres) -> None:
    url = server.ensure()
    assert value(url, "SELECT rolsuper OR rolcreaterole OR rolreplication FROM pg_roles"
                      " WHERE rolname = current_user") is False  # fmt: skip
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE mine (n int)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("COPY mine FROM PROGRAM 'echo 1'")


def test_files_are_private_and_the_password_is_in_no_command(server: EmbeddedPostgres) -> None:
    url = server.ensure()
    home = server.status().directory
    for path in (home, home / "cluster", home / "run"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    for name in ("password", "admin-password", "address", "lock", "alive", "server.log"):
        assert stat.S_IMODE((home / name).stat().st_mode) == 0o600
    password = urlsplit(url).password
    assert password is not None and len(password) >= 40
    assert (home / "password").read_text().strip() == password
    shown = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    assert password not in shown.stdout
    with psycopg.connect(url) as connection:
        assert connection.pgconn.used_password


def test_a_readable_password_file_is_refused(server: EmbeddedPostgres) -> None:
    server.ensure()
    path = server.status().directory / "password"
    path.chmod(0o640)
    with pytest.raises(DirectoryUnusable, match=r"may be read by others.*chmod 600"):
        server.ensure()
    path.chmod(0o600)


def test_no_entry_without_the_password(server: EmbeddedPostgres) -> None:
    url = server.ensure()
    query = urlsplit(url).query
    for wrong in (f"postgresql://onecore@/onecore?{query}",
                  f"postgresql://onecore:guess@/onecore?{query}",
                  f"postgresql://postgres@/postgres?{query}"):  # fmt: skip
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(wrong, passfile="/dev/null")


@as_root
def test_another_user_of_the_machine_is_refused(server: EmbeddedPostgres) -> None:
    url = server.ensure()
    home = home_at(server.status().directory)
    stranger = next(x for x in pwd.getpwall() if x.pw_uid not in (0, home.owner.uid))
    attempt = (
        "import socket, sys\n"
        "for path in sys.argv[1:]:\n"
        "    try:\n"
        "        socket.socket(socket.AF_UNIX).connect(path)\n"
        "    except PermissionError:\n"
        "        print('refused')\n"
    )
    python = shutil.which("python3", path="/usr/bin:/usr/local/bin")
    path = str(home.path / "run" / ".s.PGSQL.5432")
    assert str(home.path) in url.replace("%2F", "/")
    if python is not None:
        done = subprocess.run([python, "-c", attempt, path], user=stranger.pw_uid,
                              capture_output=True, text=True, check=True)  # fmt: skip
        assert done.stdout == "refused\n"
    for inside in (home.password, home.cluster, home.path):
        tried = subprocess.run(["ls", inside / "."], user=stranger.pw_uid,
                               group=stranger.pw_gid, extra_groups=[],
                               capture_output=True, check=False)  # fmt: skip
        assert tried.returncode != 0


@as_root
def test_another_user_with_a_way_in_still_needs_the_password(
    server: EmbeddedPostgres,
) -> None:
    """Even with the directories opened by mistake: the socket's own mode, then the password."""
    server.ensure()
    home = home_at(server.status().directory)
    path = home.path / "run" / ".s.PGSQL.5432"
    assert stat.S_IMODE(path.stat().st_mode) == 0o700
    nobody = pwd.getpwnam("nobody")
    psql = programs_for_nobody() / "psql"
    for mode in (0o700, 0o755):
        for opened in (home.path, path.parent):
            opened.chmod(mode)
        tried = subprocess.run(
            [psql, "-w", "-h", path.parent, "-U", "onecore", "-c", "SELECT 1", "onecore"],
            user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[], cwd="/",
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert tried.returncode == 2 and "Permission denied" in tried.stderr


@as_root
def test_the_server_does_not_run_as_root(server: EmbeddedPostgres) -> None:
    server.ensure()
    home = home_at(server.status().directory)
    assert home.owner.uid != 0
    assert Path(f"/proc/{postmaster(server)}").stat().st_uid == home.owner.uid


@as_root
def test_root_gives_nothing_away_by_a_name_in_the_servers_directory(
    server: EmbeddedPostgres, directory: Path
) -> None:
    """A server's user gone bad could put links where root is going to make or open files."""
    server.ensure()
    server.stop()
    home = home_at(directory / "database")
    target = directory / "of-root"
    target.write_text("root's own")
    folder = directory / "folder-of-root"
    folder.mkdir(mode=0o755)

    (home.path / "lock").unlink()
    os.link(target, home.path / "lock")
    with pytest.raises(DirectoryUnusable, match="not an ordinary file"):
        server.ensure()
    (home.path / "lock").unlink()
    (home.path / "run").rmdir()
    (home.path / "run").symlink_to(folder)
    with pytest.raises(OSError, match="run"):
        server.ensure()
    (home.path / "run").unlink()
    (home.path / "password.new").symlink_to(target)
    (home.path / "password").unlink()
    assert value(server.ensure(), "SELECT 1") == 1
    assert target.stat().st_uid == folder.stat().st_uid == 0
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755
    assert target.read_text() == "root's own"


def test_the_log_says_nothing_of_what_statements_hold(server: EmbeddedPostgres) -> None:
    url = server.ensure()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE t (n int UNIQUE, words text)")
        connection.execute("INSERT INTO t VALUES (1, 'canary-plain')")
        for statement in (
            "SELECT 'canary-cast'::int",
            "INSERT INTO t VALUES (1, 'canary-duplicate')",
            "SELECT canary_column FROM t",
            "DO $$ BEGIN RAISE WARNING 'canary-warning'; RAISE LOG 'not from us'; END $$",
            "SELECT '{\"canary-json\": }'::json",
        ):
            try:
                connection.execute(statement)
            except psycopg.Error as error:
                assert "canary" in str(error) or "duplicate" in str(error)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SET log_statement = 'all'")
        connection.execute("SELECT 'canary-last-words'")
        os.kill(connection.info.backend_pid, signal.SIGKILL)
    server.ensure()
    server.stop()
    log = (server.status().directory / "server.log").read_text()
    assert "ready to accept connections" in log and "terminated by signal 9" in log
    assert "canary" not in log


def test_the_environment_of_the_server_holds_no_secrets(
    server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONECORE_SECRET_KEY", "canary-secret")
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("PGDATA", "/nowhere")
    assert value(server.ensure(), "SELECT 1") == 1
    seen = Path(f"/proc/{postmaster(server)}/environ")
    if seen.exists():
        assert b"canary" not in seen.read_bytes()


def test_it_listens_on_no_network_port(server: EmbeddedPostgres) -> None:
    server.ensure()
    pid = postmaster(server)
    handles = Path(f"/proc/{pid}/fd")
    if not handles.exists():
        pytest.skip("no /proc to look into")
    sockets = {str(x.readlink()) for x in handles.iterdir()}
    inodes = {x[8:-1] for x in sockets if x.startswith("socket:")}
    assert inodes
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        rows = [x.split() for x in Path(table).read_text().splitlines()[1:]]
        assert not any(x[9] in inodes for x in rows if x[3] == "0A")
