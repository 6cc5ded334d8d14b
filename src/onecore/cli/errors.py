"""From an exception to an exit code and one message a person can act on.

0 done; 1 something needs a person; 2 wrong use; 3 a remote or the database is out of reach. A
database whose tables are not up to date counts as out of reach: `onecore migrate` mends it.
"""

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from onecore.ports import AccessLost

DONE, NEEDS_A_PERSON, WRONG_USE, OUT_OF_REACH = 0, 1, 2, 3


class Ended(Exception):
    """A command did its work and ends with a code other than 0; what it found is shown already."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class NotMigrated(Exception):
    """The tables are older than this program."""


@dataclass(frozen=True, slots=True)
class Told:
    """What to say, and the code to end with; a fault of ours is shown with its trace."""

    code: int
    message: str
    unexpected: bool = False


def told(error: BaseException) -> Told:
    """What an exception means to the person who ran the command."""
    if isinstance(error, click.ClickException):
        return Told(WRONG_USE, error.format_message())
    if isinstance(error, (click.Abort, KeyboardInterrupt)):
        return Told(130, "Stopped.")
    if isinstance(error, NotMigrated):
        return Told(OUT_OF_REACH, str(error))
    for explain in (_of_settings, _of_use, _of_remotes, _of_database):
        found = explain(error)
        if found is not None:
            return found
    return Told(NEEDS_A_PERSON, f"This should not happen: {type(error).__name__}: {error}", True)


def _of_settings(error: BaseException) -> Told | None:
    from onecore.environment import WrongSetting  # noqa: PLC0415 - as below: only when needed
    from onecore.store.secrets import KeyUnusable, SecretUnreadable  # noqa: PLC0415

    if isinstance(error, (WrongSetting, KeyUnusable)):
        return Told(WRONG_USE, str(error))
    if isinstance(error, SecretUnreadable):
        return Told(NEEDS_A_PERSON, str(error))
    return None


def _of_use(error: BaseException) -> Told | None:
    from onecore.domain.refs import BadRef  # noqa: PLC0415
    from onecore.engine.use.errors import NeedsPerson, OutOfReach, UseError  # noqa: PLC0415

    if isinstance(error, (UseError, BadRef)):
        return Told(WRONG_USE, str(error))
    if isinstance(error, NeedsPerson):
        return Told(NEEDS_A_PERSON, str(error))
    if isinstance(error, OutOfReach):
        return Told(OUT_OF_REACH, str(error))
    return None


def _of_remotes(error: BaseException) -> Told | None:
    from onecore import ports  # noqa: PLC0415

    if not isinstance(error, ports.RemoteError):
        return None
    if isinstance(error, ports.AccessLost):
        return Told(NEEDS_A_PERSON, _access(error))
    name, operation, detail = error.remote.title(), error.operation, error.detail
    if isinstance(error, ports.Throttled):
        seconds = max(1, round(error.wait.total_seconds()))
        return Told(
            OUT_OF_REACH,
            f"{name} asks us to wait {seconds} s ({error.kind} limit). Nothing was done; try "
            "again then. See: onecore budget -w NAME",
        )
    if isinstance(error, ports.NotVisible):
        return Told(
            NEEDS_A_PERSON,
            f"{name} does not show this to the app ({operation}: {detail}). Check the permitted "
            "projects and the tools' permissions; see: onecore preflight -w NAME",
        )
    if isinstance(error, ports.RequestRefused):
        return Told(NEEDS_A_PERSON, f"{name} declined ({operation}): {detail}")
    return Told(
        OUT_OF_REACH,
        f"{name} gave no usable answer ({operation}: {detail or 'no more is known'}). "
        "Check with: onecore doctor",
    )


def _access(error: "AccessLost") -> str:
    from onecore.ports import ScopeMissing  # noqa: PLC0415

    again = f"onecore connect {error.remote} -w NAME"
    name = error.remote.title()
    if isinstance(error, ScopeMissing):
        return (
            f"The connection to {name} lacks a right ({error.detail}). Connect again and allow "
            f"it: {again}"
        )
    return f"The connection to {name} is gone ({error.detail}). Connect again: {again}"


def _of_database(error: BaseException) -> Told | None:
    from onecore.store.server_files import EmbeddedError  # noqa: PLC0415

    if isinstance(error, EmbeddedError):
        return Told(OUT_OF_REACH, str(error))
    if "django" not in sys.modules:
        return None
    from django.db import InterfaceError, OperationalError, ProgrammingError  # noqa: PLC0415

    if isinstance(error, (OperationalError, InterfaceError)):
        first = (str(error).strip().splitlines() or [""])[0]
        return Told(
            OUT_OF_REACH,
            f"The database is out of reach ({first}). Check ONECORE_DATABASE_URL and the server; "
            "see: onecore doctor",
        )
    if isinstance(error, ProgrammingError) and "does not exist" in str(error):
        return Told(OUT_OF_REACH, "The database lacks its tables. Run: onecore migrate")
    return _of_connecting(error)


def _of_connecting(error: BaseException) -> Told | None:
    from onecore.store.leases import LeaseLost  # noqa: PLC0415

    if isinstance(error, LeaseLost):
        return Told(
            OUT_OF_REACH,
            "Another OneCore process took over this organisation. Nothing is lost; try again.",
        )
    if (
        type(error).__name__ == "NotConnected"
        and type(error).__module__ == "onecore.engine.context"
    ):
        return Told(WRONG_USE, str(error))
    if type(error).__name__ == "PoolTimeout":
        return Told(
            OUT_OF_REACH,
            "The database is out of reach (no connection within 10 s). Check "
            "ONECORE_DATABASE_URL and the server; see: onecore doctor",
        )
    return None
