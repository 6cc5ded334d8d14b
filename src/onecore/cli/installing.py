"""Commands about the installation: its tables, its health, its people, its backups."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from onecore.cli.common import actor, engine, joined, secret_from_stdin, with_json, workspace_named
from onecore.cli.errors import NEEDS_A_PERSON, OUT_OF_REACH, Ended
from onecore.cli.output import Output, facts, plural, table

if TYPE_CHECKING:
    from onecore.engine.use.doctoring import Check

ROLES = ("owner", "accountant", "project_manager", "viewer")


@click.command()
@with_json
def migrate(as_json: bool) -> None:
    """Bring the database's tables up to date; safe to repeat."""
    with engine(migrated=False):
        from onecore.engine.use import upgrading  # noqa: PLC0415 - Django is ready from here on

        count = upgrading.migrate()
    done = f"{plural(count, 'migration')} applied." if count else "Everything is up to date."
    Output(as_json).show({"applied": count}, lambda: click.echo(done))


@click.command()
@with_json
def doctor(as_json: bool) -> None:
    """Check everything and say how to mend it; works without a database too."""
    from onecore.cli.reaching import reach  # noqa: PLC0415
    from onecore.engine.clock import SystemClock  # noqa: PLC0415
    from onecore.engine.use import doctoring  # noqa: PLC0415
    from onecore.environment import settings  # noqa: PLC0415

    found = doctoring.checks(settings(), SystemClock().now(), reach, joined)

    def human() -> None:
        rows = [("well" if c.ok else "TO MEND", c.name, c.detail) for c in found]
        table(("", "check", "what was found"), rows)
        for check in found:
            if not check.ok:
                click.echo(f"\n{check.name}: {check.next_step}")

    Output(as_json).show([_check(c) for c in found], human)
    failed = {check.name for check in found if not check.ok}
    if failed:
        unreachable = {"database", *doctoring.addresses(settings())}
        raise Ended(OUT_OF_REACH if failed & unreachable else NEEDS_A_PERSON)


def _check(check: "Check") -> dict[str, object]:
    return {
        "name": check.name,
        "ok": check.ok,
        "detail": check.detail,
        "next_step": check.next_step,
    }


@click.group()
def user() -> None:
    """People who sign in."""


@user.command("add")
@click.argument("email")
@click.option("--role", type=click.Choice(ROLES), required=True)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.option(
    "-w", "--workspace", "name", metavar="NAME",
    help="Where the role is held; an owner without it owns the installation.",
)  # fmt: skip
@with_json
def add_user(email: str, role: str, password_stdin: bool, name: str | None, as_json: bool) -> None:
    """Add a person."""
    password = (
        secret_from_stdin("password")
        if password_stdin
        else click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    )
    with engine() as service:
        from onecore.engine.use import people  # noqa: PLC0415

        where = workspace_named(name) if name is not None else None
        person = people.add_user(service, email, role, password, where, actor())
    told = {"id": person.id, "email": person.email, "role": person.role, "workspace": name}
    Output(as_json).show(told, lambda: click.echo(f"{person.email} may sign in as {role}."))


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@with_json
def backup(file: Path, as_json: bool) -> None:
    """Write the whole database to FILE. The secret key is not in it: keep that apart."""
    from onecore import app  # noqa: PLC0415
    from onecore.engine.use import backups  # noqa: PLC0415

    size = backups.backup(app.start_database(), file.absolute())

    def human() -> None:
        facts([("backup", file), ("bytes", size)])
        click.echo("Keep the secret key apart from it; without that key its secrets do not open.")

    Output(as_json).show({"file": str(file), "bytes": size}, human)


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@with_json
def restore(file: Path, as_json: bool) -> None:
    """Fill an empty database from a backup, then bring its tables up to date."""
    from onecore import app  # noqa: PLC0415
    from onecore.engine.use import backups  # noqa: PLC0415

    backups.restore(app.start_database(), file.absolute())
    with engine(migrated=False):
        from onecore.engine.use import upgrading  # noqa: PLC0415

        count = upgrading.migrate()
    told = {"file": str(file), "applied": count}
    Output(as_json).show(told, lambda: click.echo(f"Restored from {file}."))


@click.group()
def secrets() -> None:
    """What is stored sealed: tokens, client secrets, the keys of digests."""


@secrets.command("rotate")
@click.option("--dry-run", is_flag=True, help="Only count what would be done.")
@with_json
def rotate_secrets(dry_run: bool, as_json: bool) -> None:
    """Seal everything under the first key of ONECORE_SECRET_KEY; safe while OneCore runs.

    Put a new key first and the old one behind it, start every process with both, then run this.
    """
    with engine() as service:
        from onecore.engine.use import resealing  # noqa: PLC0415

        done = resealing.reseal(service, actor(), dry_run)

    def human() -> None:
        moved = plural(done.moved, "secret")
        click.echo(
            f"{moved} would be sealed anew, {done.current} are under the first key."
            if dry_run
            else f"{moved} sealed anew, {done.current} were under the first key already."
        )
        if done.unreadable:
            click.echo(
                f"{plural(len(done.unreadable), 'secret')} opened with no key here: "
                f"{', '.join(done.unreadable[:5])}{' …' if len(done.unreadable) > 5 else ''}. "
                "Add the key that sealed them at the end of ONECORE_SECRET_KEY and run this "
                "again, or connect anew what they belong to."
            )
        elif not dry_run:
            click.echo("The other keys are needed no more: start every process with the first.")

    told = {
        "current": done.current,
        "moved": done.moved,
        "unreadable": list(done.unreadable),
        "dry_run": dry_run,
    }
    Output(as_json).show(told, human)
    if done.unreadable:
        raise Ended(NEEDS_A_PERSON)


COMMANDS = (migrate, doctor, user, secrets, backup, restore)
