"""Where the embedded server keeps its files, and whose they are: private, short of path, locked.

PostgreSQL refuses to run as root. Where OneCore does, the server becomes a user of its own: the
one who owns the database already, else `onecore`, `postgres` or `nobody`, the first that exists;
none is created. Its directory then has to be reachable for that user. Where it is not (below
/root, say), nobody's directory modes are changed: the database lives below `SYSTEM_DIR` instead,
and a file named `location` in the directory asked for says where.
"""

import hashlib
import os
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from string import ascii_letters, digits

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl
    import pwd

SYSTEM_DIR = Path("/var/lib/onecore-postgres")
SERVER_USERS = ("onecore", "postgres", "nobody")
PORT = 5432  # names the socket file; nothing listens on a network port, Windows apart
SOCKET_NAME = f".s.PGSQL.{PORT}"
# what fits sockaddr_un with its closing zero
SOCKET_PATH_LIMIT = 103 if sys.platform == "darwin" else 107
NO_LINK = getattr(os, "O_NOFOLLOW", 0)  # Windows has none
PLAIN_SIGNS = frozenset(ascii_letters + digits + "/._-+~")


class EmbeddedError(RuntimeError):
    """The embedded database cannot be used; the message says why and what would help."""


class DirectoryUnusable(EmbeddedError):
    """The directory is not ours to use: another's, not empty, or open to others."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Who owns the database's files and runs its server."""

    uid: int
    gid: int
    switch: bool  # this process is root and becomes that user for the server

    def take(self, handle: int) -> None:
        """Give an open file or directory to the server's user.

        By its handle, never by name: in a directory of the server's user a name could meanwhile
        lead anywhere, and root would give that away.
        """
        if self.switch and sys.platform != "win32":
            os.fchown(handle, self.uid, self.gid)


@dataclass(frozen=True, slots=True)
class Home:
    """The directory of one embedded database, and the names within."""

    path: Path
    owner: Owner

    @property
    def cluster(self) -> Path:
        return self.path / "cluster"

    @property
    def lock(self) -> Path:
        """Held by whoever starts or stops the server."""
        return self.path / "lock"

    @property
    def alive(self) -> Path:
        """Held by every process of a running server, so it frees itself when the last is gone."""
        return self.path / "alive"

    @property
    def log(self) -> Path:
        return self.path / "server.log"

    @property
    def password(self) -> Path:
        return self.path / "password"

    @property
    def admin_password(self) -> Path:
        return self.path / "admin-password"

    @property
    def address(self) -> Path:
        """Holds the socket's directory; on Windows the port."""
        return self.path / "address"


def home_at(data_dir: Path) -> Home:
    """The database's home for `data_dir`, made if missing. Raises DirectoryUnusable."""
    data_dir = data_dir.resolve()
    if sys.platform == "win32":
        data_dir.mkdir(parents=True, exist_ok=True)
        return Home(data_dir, Owner(0, 0, switch=False))
    path = _moved_to(data_dir) or data_dir
    owner = _owner(path)
    if owner.switch and not _reachable(path.parent, owner):
        path = _elsewhere(data_dir, owner)
    _private(path, owner)
    return Home(path, owner)


def _owner(path: Path) -> Owner:
    if sys.platform == "win32":
        raise AssertionError("Windows has its own way.")
    if os.geteuid() != 0:
        return Owner(os.geteuid(), os.getegid(), switch=False)
    if (path / "cluster").is_dir() and (found := path.stat()).st_uid != 0:
        return Owner(found.st_uid, found.st_gid, switch=True)
    for name in SERVER_USERS:
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return Owner(user.pw_uid, user.pw_gid, switch=True)
    raise DirectoryUnusable(
        "PostgreSQL does not run as root, and none of the users "
        f"{', '.join(SERVER_USERS)} exists to run it. Create one (useradd --system onecore), "
        "start OneCore as an ordinary user, or set ONECORE_DATABASE_URL."
    )


def _reachable(path: Path, owner: Owner) -> bool:
    """Whether the owner may pass through every directory down to `path`, by the mode bits."""
    for each in (path, *path.parents):
        try:
            found = each.stat()
        except FileNotFoundError:
            continue  # made by us, open enough
        if found.st_uid == owner.uid:
            may = found.st_mode & stat.S_IXUSR
        elif found.st_gid == owner.gid:
            may = found.st_mode & stat.S_IXGRP
        else:
            may = found.st_mode & stat.S_IXOTH
        if not may:
            return False
    return True


def _moved_to(data_dir: Path) -> Path | None:
    note = data_dir / "location"
    try:
        if note.lstat().st_uid != os.geteuid():
            raise DirectoryUnusable(f"{note} belongs to another user.")
        return Path(note.read_text("utf-8").strip())
    except (FileNotFoundError, NotADirectoryError):
        return None


def _elsewhere(data_dir: Path, owner: Owner) -> Path:
    """A directory the server's user can reach, noted in the one asked for."""
    if (data_dir / "cluster").exists():
        raise DirectoryUnusable(
            f"The database in {data_dir} exists but its owner (user {owner.uid}) cannot pass "
            "through the directories above it. Open them, or start OneCore as that user."
        )
    name = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]
    path = SYSTEM_DIR / f"{data_dir.name}-{name}"
    _parents(path)
    if not _reachable(path.parent, owner):
        raise DirectoryUnusable(
            f"Neither {data_dir} nor {SYSTEM_DIR} can be reached by the user who runs the "
            f"database (user {owner.uid}). Set ONECORE_DATA_DIR to a directory it can pass "
            "through, such as one below /srv."
        )
    _parents(data_dir)
    data_dir.mkdir(mode=0o700, exist_ok=True)
    write_private(data_dir / "location", f"{path}\n", Owner(0, 0, switch=False))
    return path


def _parents(path: Path) -> None:
    """Make what is missing above `path`; only what is made here gets a mode from us."""
    mode = 0o755 if os.geteuid() == 0 else 0o700
    for each in reversed(path.parents):
        if not each.exists():
            each.mkdir(exist_ok=True)
            each.chmod(mode)


def _private(path: Path, owner: Owner) -> None:
    """Make `path`, or check that it is the owner's, and let nobody else in."""
    _parents(path)
    path.mkdir(mode=0o700, exist_ok=True)
    try:
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except PermissionError:
        raise _of_another(path, path.lstat().st_uid) from None
    try:
        _check_found(path, handle, owner)
        owner.take(handle)
        os.fchmod(handle, 0o700)
    finally:
        os.close(handle)


def _check_found(path: Path, handle: int, owner: Owner) -> None:
    names = set(os.listdir(handle))
    if path.name != "run" and names and not names & {"cluster", "cluster.new", "lock"}:
        raise DirectoryUnusable(
            f"{path} holds other files ({min(names)}); the database wants a directory of its own."
        )
    uid = os.fstat(handle).st_uid
    if uid != owner.uid and not (owner.switch and uid == 0):
        raise _of_another(path, uid)


def _of_another(path: Path, uid: int) -> DirectoryUnusable:
    return DirectoryUnusable(
        f"{path} belongs to another user (user {uid}). Start OneCore as that user, or set "
        "ONECORE_DATA_DIR to a directory of your own."
    )


def write_private(path: Path, text: str, owner: Owner) -> None:
    """Write a file only its owner may read, whole or not at all."""
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as out:
        owner.take(handle)
        out.write(text)
        out.flush()
        os.fsync(handle)
    new.replace(path)


def read_private(path: Path) -> str | None:
    """What `write_private` wrote, None if it is not there. Raises if others could have read it."""
    try:
        handle = os.open(path, os.O_RDONLY | NO_LINK)
    except FileNotFoundError:
        return None
    with os.fdopen(handle, encoding="utf-8") as file:
        found = os.fstat(handle)
        if sys.platform != "win32" and (not stat.S_ISREG(found.st_mode) or found.st_mode & 0o077):
            raise DirectoryUnusable(
                f"{path} may be read by others (mode {stat.S_IMODE(found.st_mode):04o}). Make it "
                "private (chmod 600), and change what it holds if others use this machine."
            )
        return file.read().strip()


def open_private(path: Path, owner: Owner, flags: int = 0) -> int:
    """A handle for reading and writing; the file is made if missing, private to the owner."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | flags | NO_LINK, 0o600)
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
        os.close(handle)
        raise DirectoryUnusable(f"{path} is not an ordinary file of the database's own.")
    owner.take(handle)
    return handle


def socket_dir(home: Home) -> Path:
    """A private directory whose socket fits a socket address: in the home, else below /tmp."""
    near = home.path / "run"
    if _fits(near):
        _private(near, home.owner)
        chosen = near
    elif (noted := noted_socket_dir(home)) is not None:
        chosen = noted
    else:
        chosen = Path(tempfile.mkdtemp(prefix="onecore-", dir="/tmp"))
        if home.owner.switch and sys.platform != "win32":
            os.chown(chosen, home.owner.uid, home.owner.gid)  # root's, and /tmp is sticky
    write_private(home.address, f"{chosen}\n", home.owner)
    return chosen


def noted_socket_dir(home: Home) -> Path | None:
    """The socket's directory last chosen; None if it is gone or not (any more) private to us."""
    text = read_private(home.address)
    if text is None:
        return None
    path = Path(text)
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None
    ours = stat.S_ISDIR(found.st_mode) and found.st_uid == home.owner.uid
    return path if ours and stat.S_IMODE(found.st_mode) == 0o700 else None


def _fits(path: Path) -> bool:
    """Whether server and clients take this path: short enough, no sign either would read apart."""
    text = str(path)
    size = len(os.fsencode(path / SOCKET_NAME))
    return size <= SOCKET_PATH_LIMIT and set(text) <= PLAIN_SIGNS


def discard(data_dir: Path) -> None:
    """Delete the database of `data_dir`, wherever it is; its server must have stopped."""
    home = home_at(data_dir)
    shutil.rmtree(home.path)
    if sys.platform != "win32" and data_dir.resolve() != home.path:
        (data_dir / "location").unlink()
        data_dir.rmdir()


def drop_socket_dir(home: Home) -> None:
    """Remove a socket directory made below /tmp, once its server has gone."""
    path = noted_socket_dir(home)
    if path is not None and path.parent != home.path:
        shutil.rmtree(path, ignore_errors=True)
        home.address.unlink(missing_ok=True)


@contextmanager
def held(home: Home, patience: float) -> Iterator[int]:
    """Hold the starter's lock; it frees itself however this process ends.

    Gives the handle, for a child that must go on holding it should we be killed.
    Raises EmbeddedError once `patience` seconds have passed without getting it.
    """
    handle = open_private(home.lock, home.owner)
    try:
        deadline = time.monotonic() + patience
        while not try_lock(handle):
            if time.monotonic() > deadline:
                raise EmbeddedError(
                    f"Another OneCore process has been starting or stopping the database for "
                    f"{patience:.0f} s (it holds {home.lock})."
                )
            time.sleep(0.02)
        yield handle
    finally:
        os.close(handle)


def try_lock(handle: int, shared: bool = False) -> bool:
    """Whether an open file could be locked now, alone or with other readers."""
    try:
        if sys.platform == "win32":
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
            fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
