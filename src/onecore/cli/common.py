"""What most commands begin with: options they share, the engine, the workspace that is meant."""

import contextlib
import getpass
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import click

from onecore.cli.errors import NotMigrated

if TYPE_CHECKING:
    from onecore.domain.ids import WorkspaceId
    from onecore.engine.service import Service

F = TypeVar("F", bound=Callable[..., Any])

with_json = click.option("--json", "as_json", is_flag=True, help="JSON for scripts.")
with_workspace = click.option(
    "-w", "--workspace", "name", metavar="NAME", help="The workspace; needed where there are more."
)


@contextlib.contextmanager
def engine(migrated: bool = True) -> Iterator["Service"]:
    """This process's engine for one command, closed afterwards.

    Raises NotMigrated where the tables are not up to date, unless `migrated` is False.
    """
    service = joined()
    try:
        if migrated:
            check_tables()
        yield service
    finally:
        service.close()


def joined() -> "Service":
    """The engine on a database that answers. Raises OutOfReach at once where it does not."""
    from onecore import app  # noqa: PLC0415 - `onecore --help` is quick without it
    from onecore.engine.use import doctoring  # noqa: PLC0415
    from onecore.environment import settings  # noqa: PLC0415

    url = app.start_database()
    if settings().database_url:  # the embedded server was asked while it was started
        doctoring.answers(url)
    app.setup_django()
    return app.service()


def check_tables() -> None:
    """Raises NotMigrated where the tables are not up to date."""
    from onecore.engine.use import upgrading  # noqa: PLC0415

    waiting = upgrading.pending()
    if waiting:
        raise NotMigrated(
            f"The database is not up to date ({len(waiting)} migrations to apply). "
            "Run: onecore migrate"
        )


def workspace_named(name: str | None) -> "WorkspaceId":
    """The workspace of that name; without one, the only one there is. Raises UseError."""
    from onecore.engine.use import workspaces  # noqa: PLC0415
    from onecore.engine.use.errors import UseError  # noqa: PLC0415

    if name is not None:
        return workspaces.find(name)
    known = workspaces.names()
    if len(known) == 1:
        return known[0][0]
    if not known:
        raise UseError("There is no workspace yet. Make one with: onecore workspace add NAME")
    names = ", ".join(label for _, label in known)
    raise UseError(f"Say which workspace with -w NAME. There are: {names}.")


def actor() -> str:
    """Who acts, for the audit log."""
    try:
        return f"{getpass.getuser()} (command line)"
    except (KeyError, OSError):
        return "command line"


def secret_from_stdin(what: str) -> str:
    """One line of standard input. Raises UsageError when there is none."""
    text = sys.stdin.readline().rstrip("\r\n")
    if not text:
        raise click.UsageError(f"Standard input gave no {what}.")
    return text
