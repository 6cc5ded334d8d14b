"""Commands that look over the whole: the budget, the audit log, and proofs to come."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from onecore.cli.common import engine, with_json, with_workspace, workspace_named
from onecore.cli.output import Output, table

if TYPE_CHECKING:
    from onecore.engine.use.budgets import Standing


@click.command()
@with_workspace
@with_json
def budget(name: str | None, as_json: bool) -> None:
    """Calls made, what the remotes' limits leave, and how long that lasts."""
    with engine() as service:
        from onecore.engine.use import budgets  # noqa: PLC0415 - Django is ready from here on

        found = budgets.budget(service, workspace_named(name))
        now = service.clock.now()

    def human() -> None:
        rows = [
            (
                one.remote, one.name or one.scope, one.used, one.limit, one.remaining,
                one.ends_at and f"{one.ends_at:%d %b %H:%M}", one.last_hour, one.last_day,
                ", ".join(f"{lane} {n}" for lane, n in one.lanes.items() if n), one.refused_day,
            )
            for one in found
        ]  # fmt: skip
        columns = (
            "remote", "counted for", "used", "limit", "left", "until (UTC)", "last hour",
            "last day", "by lane", "refused",
        )  # fmt: skip
        table(columns, rows, none="Not connected yet.")
        from onecore.engine.use import budgets_told  # noqa: PLC0415

        for one in found:
            said = budgets_told.told(one, now)
            click.echo(f"\n{budgets_told.NAMES[one.remote]} {one.name}".rstrip())
            for line in said.lines:
                click.echo(f"  {line}")

    Output(as_json).show([_budget_told(one) for one in found], human)


def _budget_told(one: "Standing") -> dict[str, object]:
    """An allowance as scripts read it; instants are ISO 8601, lengths of time whole seconds."""
    lasts = one.forecast
    return {
        "remote": one.remote,
        "scope": one.scope,
        "name": one.name,
        "window_seconds": int(one.window.total_seconds()),
        "limit": one.limit,
        "used": one.used,
        "remaining": one.remaining,
        "ends_at": one.ends_at,
        "last_hour": one.last_hour,
        "last_day": one.last_day,
        "refused_day": one.refused_day,
        "ours_day": one.ours_day,
        "workspaces": one.workspaces,
        "lanes": one.lanes,
        "figures": one.figures,
        "blocked_until": one.blocked_until,
        "blocked_by": one.blocked_by,
        "waiting": one.waiting,
        "forecast": None
        if lasts is None
        else {
            "runs_out_at": lasts.runs_out_at,
            "left_at_end": lasts.left_at_end,
            "by": "pattern" if lasts.by_pattern else "pace",
        },
        "sweep_seconds": _seconds(one.sweep_every),
        "collect_seconds": _seconds(one.documents_every),
        "lists_an_hour": one.lists_an_hour,
    }


def _seconds(length: timedelta | None) -> int | None:
    return None if length is None else int(length.total_seconds())


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
