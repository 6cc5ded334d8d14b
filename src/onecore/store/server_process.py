"""The embedded server's process: its settings, its start, its end, and whether it is there."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from onecore.store import postgres_tools
from onecore.store.server_files import (
    PORT,
    SOCKET_NAME,
    EmbeddedError,
    Home,
    noted_socket_dir,
    open_private,
    read_private,
    socket_dir,
    try_lock,
    write_private,
)

LOG_LIMIT = 1_000_000  # bytes; the log before is kept as server.log.1
FAST_STOP = 60.0  # seconds for ending connections and writing a checkpoint
PAUSE = 0.02

# Whoever writes to the server's log by accident must not find words of a customer's document
# there: errors of statements (they quote values) rank below LOG and are left out, LOG messages
# come without detail, and no statement or parameter is ever printed.
SETTINGS = {
    "max_connections": "120",
    "shared_buffers": "64MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "min_wal_size": "64MB",
    "max_wal_size": "256MB",
    "io_method": "sync",
    "jit": "off",
    "timezone": "UTC",
    "cluster_name": "onecore",
    "update_process_title": "off",
    "password_encryption": "scram-sha-256",
    "unix_socket_permissions": "0700",
    "log_destination": "stderr",
    "logging_collector": "off",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_statement": "none",
    "log_duration": "off",
    "log_min_duration_statement": "-1",
    "log_min_duration_sample": "-1",
    "log_transaction_sample_rate": "0",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_checkpoints": "off",
    "log_autovacuum_min_duration": "-1",
    "log_temp_files": "-1",
}
# for tests; commits still reach the operating system at once, so killed processes lose nothing
UNSAFE = {"fsync": "off", "full_page_writes": "off"}


def spawn(home: Home, fsync: bool) -> subprocess.Popen[bytes]:
    """The server process, just started; the caller holds the lock and knows none is alive."""
    programs = postgres_tools.binaries_for(home.owner)
    _forget_dead_server(home)
    if sys.platform == "win32":
        write_private(home.address, f"{_free_port()}\n", home.owner)
        _configure(home, fsync)
        return subprocess.Popen(
            [
                str(programs / "pg_ctl.exe"),
                "start",
                f"--pgdata={home.cluster}",
                f"--log={home.log}",
                "--no-wait",
            ],
            env=postgres_tools.server_environment(),
        )
    socket_dir(home)
    _configure(home, fsync)
    alive = open_private(home.alive, home.owner)
    log = open_private(home.log, home.owner, os.O_APPEND)
    try:
        _lock_for_server(alive, home)
        process = subprocess.Popen(
            [programs / "postgres", "-D", home.cluster],
            env=postgres_tools.server_environment(),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C and the end of our terminal are not for it
            pass_fds=[alive],
            **postgres_tools.as_owner(home.owner),
        )
    except OSError as error:
        raise EmbeddedError(f"PostgreSQL cannot be run here: {error}") from None
    finally:
        os.close(alive)
        os.close(log)
    # collected when it ends, whatever this process is doing, so that no zombie keeps its pid
    threading.Thread(target=process.wait, name="postgres-reaper", daemon=True).start()
    return process


def _lock_for_server(handle: int, home: Home) -> None:
    """Take `alive` on the handle the server inherits; a passing look of `status` may delay it."""
    deadline = time.monotonic() + 5
    while not try_lock(handle):
        if time.monotonic() > deadline:
            raise EmbeddedError(f"Something holds {home.alive} although no server was there.")
        time.sleep(PAUSE)


def alive(home: Home) -> bool:
    """Whether any process of a server on this directory is left, orphans of a crash included."""
    if sys.platform == "win32":
        control = postgres_tools.binaries() / "pg_ctl.exe"
        done = subprocess.run(
            [str(control), "status", f"--pgdata={home.cluster}"], capture_output=True, check=False
        )
        return done.returncode == 0
    handle = open_private(home.alive, home.owner)
    try:
        free = try_lock(handle, shared=True)
    finally:
        os.close(handle)
    # a server that somebody started by hand does not hold our lock
    return not free or ((pid := noted_pid(home)) is not None and _is_server(pid, home))


def noted_pid(home: Home) -> int | None:
    """The pid in the server's own pid file, which a crash leaves behind."""
    try:
        return int((home.cluster / "postmaster.pid").read_text("ascii").split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None


def _is_server(pid: int, home: Home) -> bool:
    """Whether that pid is a running server of this very directory, not a later namesake."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        if Path("/proc/self/cmdline").exists():
            return False
        shown = subprocess.run(
            ["ps", "-o", "args=", "-p", str(pid)], capture_output=True, check=False
        ).stdout
        return b"postgres" in shown and os.fsencode(home.cluster) in shown
    return b"postgres" in command[0] and os.fsencode(home.cluster) in command


def _forget_dead_server(home: Home) -> None:
    """Remove what a killed server left: after a restart its pid may be some other program's.

    PostgreSQL would take that program for a running server and refuse to start. `alive` is
    known to be free here, so no process of the old server is left.
    """
    (home.cluster / "postmaster.pid").unlink(missing_ok=True)
    directory = None if sys.platform == "win32" else noted_socket_dir(home)
    if directory is not None:
        (directory / SOCKET_NAME).unlink(missing_ok=True)
        (directory / f"{SOCKET_NAME}.lock").unlink(missing_ok=True)


def _configure(home: Home, fsync: bool) -> None:
    """Write the server's settings afresh, so that an upgrade of OneCore brings its own."""
    settings = SETTINGS | ({} if fsync else UNSAFE)
    if sys.platform == "win32":
        port = read_private(home.address) or str(PORT)
        settings |= {"listen_addresses": "127.0.0.1", "port": port}
        access = "host all all 127.0.0.1/32 scram-sha-256\n"
    else:
        directory = str(noted_socket_dir(home))
        settings |= {
            "listen_addresses": "",
            "port": str(PORT),
            "unix_socket_directories": directory,
        }
        access = "local all all scram-sha-256\n"
    lines = [f"{name} = '{value}'\n" for name, value in settings.items()]
    note = "# Written by OneCore at every start; changes here are lost.\n"
    write_private(home.cluster / "postgresql.conf", note + "".join(lines), home.owner)
    write_private(home.cluster / "pg_hba.conf", note + access, home.owner)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def stop(home: Home) -> None:
    """End the server: connections are cut, a checkpoint is written. Raises EmbeddedError."""
    if sys.platform == "win32":
        control = postgres_tools.binaries() / "pg_ctl.exe"
        subprocess.run(
            [str(control), "stop", f"--pgdata={home.cluster}", "--mode=fast"], check=True
        )
        return
    for how, patience in ((signal.SIGINT, FAST_STOP), (signal.SIGQUIT, 10.0)):
        pid = noted_pid(home)
        if pid is not None and _is_server(pid, home):
            os.kill(pid, how)
        if _gone(home, patience):
            return
    raise EmbeddedError(f"The PostgreSQL server of {home.path} does not stop.")


def _gone(home: Home, patience: float) -> bool:
    deadline = time.monotonic() + patience
    while alive(home):
        if time.monotonic() > deadline:
            return False
        time.sleep(PAUSE)
    return True


def trim_log(home: Home) -> None:
    """Keep the log small; the server goes on writing into the emptied file."""
    if not home.log.exists() or home.log.stat().st_size < LOG_LIMIT:
        return
    handle = open_private(home.log, home.owner)
    with os.fdopen(handle, "r+", encoding="utf-8", errors="replace") as log:
        log.seek(max(0, os.fstat(handle).st_size - LOG_LIMIT))
        write_private(home.log.with_name(f"{home.log.name}.1"), log.read(), home.owner)
        os.ftruncate(handle, 0)


def last_words(home: Home) -> str:
    """The end of the server's log, for the message of a start that failed."""
    try:
        lines = home.log.read_text("utf-8", errors="replace").splitlines()[-5:]
    except FileNotFoundError:
        return "It left no log."
    return f"The last lines of {home.log}: " + " / ".join(lines)
