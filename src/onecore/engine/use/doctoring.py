"""A check of everything an installation needs, each with how to mend it; works without a database.

What needs the network or the database comes in from outside, so that one part that is down
does not keep the others from being looked at.
"""

import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import psycopg

from onecore.engine.use.errors import OutOfReach
from onecore.environment import Settings
from onecore.store.secrets import FILE_NAME, Keyring, KeyUnusable, SecretUnreadable

if TYPE_CHECKING:  # its modules are Django models, which need Django set up first
    from onecore.engine.service import Service

OLDEST_SERVER = 15
CLOCK_TOLERANCE = timedelta(seconds=90)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at. `next_step` is "" when it is well."""

    name: str
    ok: bool
    detail: str
    next_step: str = ""


@dataclass(frozen=True, slots=True)
class Reached:
    """What came of asking an address: the remote's own time if it told one, or the trouble."""

    at: datetime | None = None
    trouble: str = ""


Reach = Callable[[str], Reached]


def checks(
    settings: Settings, now: datetime, reach: Reach, service_factory: Callable[[], "Service"]
) -> list[Check]:
    """Every check, in the order they build on each other.

    `service_factory` opens the database and may raise; `reach` asks a base address once.
    """
    found = [environment(settings), data_dir(settings), secret_key(settings)]
    found += _database(service_factory)
    answers = {name: reach(url) for name, url in addresses(settings).items()}
    found += remotes(addresses(settings), answers)
    found.append(clock(now, answers))
    found.append(support(settings))
    return found


def environment(settings: Settings) -> Check:
    """Whether the settings that connecting needs are there."""
    missing = [
        name
        for name, value in (
            ("ONECORE_PROCORE_CLIENT_ID", settings.procore_client_id),
            ("ONECORE_PROCORE_CLIENT_SECRET", settings.procore_client_secret),
        )
        if not value
    ]
    where = f"serves {settings.base_url} on {settings.bind_host}:{settings.bind_port}"
    if missing:
        return Check(
            "environment",
            False,
            f"{' and '.join(missing)} not set",
            "Set them to the app's client id and secret from Procore's developer portal.",
        )
    xero = "" if settings.xero_client_id else "; no Xero app (custom connections only)"
    return Check("environment", True, where + xero)


def data_dir(settings: Settings) -> Check:
    """Whether the data directory can be used, and by nobody else."""
    path = settings.data_dir
    name = "data directory"
    if not path.exists():
        parent = next(p for p in path.parents if p.exists())
        if os.access(parent, os.W_OK):
            return Check(name, True, f"{path} will be made on first use")
        step = f"Make it for this user, or set ONECORE_DATA_DIR (now {path})."
        return Check(name, False, f"{path} is not there and cannot be made", step)
    if not path.is_dir() or not os.access(path, os.W_OK | os.X_OK):
        step = "Give it to the user who runs OneCore, or set ONECORE_DATA_DIR."
        return Check(name, False, f"{path} cannot be written by this user", step)
    mode = stat.S_IMODE(path.stat().st_mode)
    if os.name == "posix" and mode & 0o022:
        return Check(name, False, f"others may write in {path}", f"chmod go-w {path}")
    return Check(name, True, f"{path}, mode {mode:04o}")


def secret_key(settings: Settings) -> Check:
    """Whether there is a key that can seal; its file is not made here."""
    file = settings.data_dir / FILE_NAME
    if settings.secret_key is None and not file.exists():
        return Check("secret key", True, f"{file} will be made on first use")
    try:
        Keyring.from_setting(settings.secret_key, settings.data_dir)
    except (KeyUnusable, OSError) as trouble:
        step = f"Mend ONECORE_SECRET_KEY or {file}; without it what is sealed does not open."
        return Check("secret key", False, str(trouble), step)
    return Check("secret key", True, "ONECORE_SECRET_KEY" if settings.secret_key else str(file))


# --- the database -----------------------------------------------------------------------------


def _database(service_factory: Callable[[], "Service"]) -> list[Check]:
    try:
        service = service_factory()
        from onecore.engine.use import inspecting  # noqa: PLC0415 - Django is set up only now

        return inspecting.database(service, OLDEST_SERVER)
    except SecretUnreadable as unreadable:
        return [Check("stored secrets", False, str(unreadable), "Bring the old key back.")]
    except Exception as trouble:  # whatever keeps the database away is what there is to say
        said = (str(trouble).strip().splitlines() or [type(trouble).__name__])[0]
        step = (
            "Start the server ONECORE_DATABASE_URL names and check the address; without that "
            "variable OneCore starts its own, and the text above says what keeps it from doing so."
        )
        return [Check("database", False, said, step)]


def answers(url: str) -> None:
    """Asks the database once, without waiting for a pool to give up. Raises OutOfReach."""
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError as trouble:
        said = str(trouble).strip().removeprefix("connection failed: ").splitlines()
        raise OutOfReach(
            f"The database is out of reach ({said[0] if said else 'no answer'}). Check "
            "ONECORE_DATABASE_URL and the server; see: onecore doctor"
        ) from None


# --- the remotes ------------------------------------------------------------------------------


def addresses(settings: Settings) -> dict[str, str]:
    """The base addresses by name, each address once."""
    wanted = {
        "Procore sign-in": settings.procore_login_url,
        "Procore API": settings.procore_api_url,
        "Xero sign-in": settings.xero_login_url,
        "Xero identity": settings.xero_identity_url,
        "Xero API": settings.xero_api_url,
    }
    named: dict[str, list[str]] = {}
    for name, url in wanted.items():
        named.setdefault(url, []).append(name)
    return {", ".join(names): url for url, names in named.items()}


def remotes(urls: Mapping[str, str], answers: Mapping[str, Reached]) -> list[Check]:
    """One check for each address: any answer at all counts as reached."""
    found = []
    for name, url in urls.items():
        trouble = answers[name].trouble
        step = "Check the address, this machine's network, and any proxy or firewall between."
        found.append(
            Check(name, not trouble, f"{url}: {trouble or 'answers'}", step if trouble else "")
        )
    return found


def clock(now: datetime, answers: Mapping[str, Reached]) -> Check:
    """Whether this machine's time agrees with the remotes'."""
    offsets = [answer.at - now for answer in answers.values() if answer.at is not None]
    if not offsets:
        return Check("clock", True, f"{now.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC, not compared")
    worst = max(offsets, key=abs)
    seconds = worst.total_seconds()
    if abs(worst) > CLOCK_TOLERANCE:
        step = "Set this machine's clock by a time server (NTP); tokens and sweeps go by it."
        return Check("clock", False, f"{seconds:+.0f} s from a remote's clock", step)
    return Check("clock", True, f"within {abs(seconds):.0f} s of the remotes")


def support(settings: Settings) -> Check:
    """Region and support lines, as Help shows them."""
    region = settings.region or "not set (ONECORE_REGION)"
    lines = settings.support or "not set (ONECORE_SUPPORT)"
    return Check("region and support", True, f"region {region}; support {lines}")
