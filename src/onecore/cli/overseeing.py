"""Commands that look over the whole: the budget, the audit log, and proofs to come."""

from pathlib import Path

import click

from onecore.cli.common import engine, with_json, with_workspace, workspace_named
from onecore.cli.output import Output, table


@click.command()
@with_workspace
@with_json
def budget(name: str | None, as_json: bool) -> None:
    """Calls made, and what the remotes' limits leave."""
    with engine() as service:
        from onecore.engine.use import budgets  # noqa: PLC0415 - Django is ready from here on

        found = budgets.budget(service, workspace_named(name))

    def human() -> None:
        rows = [
            (
                one.remote, one.scope, one.last_hour, one.last_day, one.refused_day,
                ", ".join(f"{k} {v}" for k, v in one.figures.items()), one.blocked_until,
            )
            for one in found
        ]  # fmt: skip
        columns = ("remote", "counted for", "hour", "day", "refused", "left", "blocked until")
        table(columns, rows, none="Not connected yet.")

    told = [
        {
            "remote": one.remote,
            "scope": one.scope,
            "last_hour": one.last_hour,
            "last_day": one.last_day,
            "refused_day": one.refused_day,
            "lanes": one.lanes,
            "figures": one.figures,
            "blocked_until": one.blocked_until,
        }
        for one in found
    ]
    Output(as_json).show(told, human)


@click.command()
@with_workspace
@click.option("--limit", default=200, show_default=True, help="The newest this many.")
@with_json
def audit(name: str | None, limit: int, as_json: bool) -> None:
    """Who did what to which id, the newest first."""
    with engine():
        from onecore.engine.use import finding  # noqa: PLC0415

        found = finding.audit_entries(workspace_named(name), limit)

    def human() -> None:
        rows = [
            (e.at, e.actor, e.act, e.subject, ", ".join(f"{k} {v}" for k, v in e.facts.items()))
            for e in found
        ]
        table(("at", "who", "what", "about", ""), rows)

    told = [
        {"at": e.at, "actor": e.actor, "act": e.act, "subject": e.subject, "facts": e.facts}
        for e in found
    ]
    Output(as_json).show(told, human)


@click.command()
@with_workspace
@click.option("--period", metavar="YYYY-MM", help="The month to compare.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="A file to write.")
@with_json
def reconcile(name: str | None, period: str | None, out: Path | None, as_json: bool) -> None:
    """Compare both systems to the cent (not built in this version)."""
    raise not_built("reconcile")


@click.command()
@with_workspace
@with_json
def retention(name: str | None, as_json: bool) -> None:
    """The retention register (not built in this version)."""
    raise not_built("retention")


def not_built(command: str) -> click.UsageError:
    """What a command says that is named in the interface and comes in a later version."""
    return click.UsageError(f"onecore {command} is not built in this version.")


COMMANDS = (budget, audit, reconcile, retention)
