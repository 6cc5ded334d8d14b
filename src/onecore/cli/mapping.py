"""Commands on the way to switching on: suggestions, coverage, preflight, and the switch."""

from typing import TYPE_CHECKING, cast

import click

from onecore.cli.common import actor, engine, with_json, with_workspace, workspace_named
from onecore.cli.errors import NEEDS_A_PERSON, Ended
from onecore.cli.output import Output, money, plural, table

if TYPE_CHECKING:
    from onecore.engine.use.choices import Proposal, What
    from onecore.engine.use.switching import Report, Switched


@click.command()
@with_workspace
@click.argument("what", type=click.Choice(["vendors", "codes", "projects"]))
@click.option(
    "--accept", "least", type=click.IntRange(0, 100), metavar="SCORE",
    help="Make rows of every suggestion of at least this score.",
)  # fmt: skip
@with_json
def match(name: str | None, what: str, least: int | None, as_json: bool) -> None:
    """Suggest rows of a mapping for everything that has none, with why."""
    with engine() as service:
        from onecore.engine.use import mapping  # noqa: PLC0415 - Django is ready from here on

        where = workspace_named(name)
        kind = cast("What", what)
        accepted: list[Proposal] = []
        if least is None:
            left = service.run(mapping.proposals(service, where, kind))
        else:
            work = mapping.accept_and_leave(service, where, kind, least, actor())
            accepted, left = service.run(work)

    def human() -> None:
        if least is not None:
            click.echo(f"{plural(len(accepted), 'suggestion')} accepted.")
            _proposals(accepted, none="")
            if left:
                click.echo("Left:")
        _proposals(left, none="Nothing is left to suggest.")

    told = {
        "accepted": [_proposal(one) for one in accepted],
        "suggestions": [_proposal(one) for one in left],
    }
    Output(as_json).show(told, human)


def _proposals(rows: "list[Proposal]", none: str) -> None:
    if rows or none:
        cells = [(p.score, p.subject_label, p.target_label, "; ".join(p.reasons)) for p in rows]
        table(("score", "in Procore", "in Xero", "why"), cells, none=none)


def _proposal(one: "Proposal") -> dict[str, object]:
    return {
        "subject": one.subject,
        "subject_label": one.subject_label,
        "target": one.target,
        "target_label": one.target_label,
        "score": one.score,
        "reasons": one.reasons,
    }


@click.command()
@with_workspace
@with_json
def coverage(name: str | None, as_json: bool) -> None:
    """What share of live contract value would post today, and each gap."""
    with engine() as service:
        from onecore.engine.use import switching  # noqa: PLC0415

        report = service.run(switching.coverage(service, workspace_named(name)))
    Output(as_json).show(_report(report), lambda: _show_report(report))


def _report(report: "Report") -> dict[str, object]:
    found = report.coverage
    return {
        "share": float(found.share),
        "total": money(found.total),
        "covered": money(found.covered),
        "contracts": found.contracts,
        "ready_contracts": found.ready_contracts,
        "gaps": [
            {
                "code": stake.gap.code,
                "subject": stake.gap.subject,
                "detail": stake.gap.detail,
                "value": money(stake.value),
                "contracts": stake.contracts,
            }
            for stake in found.gaps
        ],
        "hidden_projects": [label for label, _ in report.hidden],
    }


def _show_report(report: "Report") -> None:
    found = report.coverage
    click.echo(
        f"{found.share:.2%} of {found.total:,.2f} in {plural(found.contracts, 'live contract')} "
        f"would post today ({found.ready_contracts} of them whole)."
    )
    for label, said in report.hidden:
        click.echo(f"Not seen: {label} ({said})")
    rows = [
        (stake.gap.code, stake.gap.subject, f"{stake.value:,.2f}", stake.gap.detail)
        for stake in found.gaps
    ]
    table(("gap", "about", "value", "what is missing"), rows, none="Nothing is missing.")


@click.command()
@with_workspace
@with_json
def preflight(name: str | None, as_json: bool) -> None:
    """Walk every project: what is wrong, and who can mend it."""
    with engine() as service:
        from onecore.engine.use import preflight as walking  # noqa: PLC0415

        found = service.run(walking.preflight(service, workspace_named(name)))
        blocked = walking.blocks(found)

    def human() -> None:
        rows = [
            (f.severity, f.project_label or "workspace", f.code, f.detail, f.who) for f in found
        ]
        table(("", "where", "what", "detail", "who mends it"), rows, none="Everything is in order.")

    told = [
        {
            "severity": f.severity,
            "project": f.project,
            "project_label": f.project_label,
            "code": f.code,
            "subject": f.subject,
            "detail": f.detail,
            "who": f.who,
        }
        for f in found
    ]
    Output(as_json).show(told, human)
    if blocked:
        raise Ended(NEEDS_A_PERSON)


@click.command("switch-on")
@with_workspace
@click.argument("flows", nargs=-1)
@click.option("--mode", type=click.Choice(["auto", "approve"]), default="auto", show_default=True)
@with_json
def switch_on(name: str | None, flows: tuple[str, ...], mode: str, as_json: bool) -> None:
    """Switch flows on, all by default; refused while a gap would hold a document."""
    out = Output(as_json)
    with engine() as service:
        from onecore.domain.settings import Mode  # noqa: PLC0415
        from onecore.engine.use import switching  # noqa: PLC0415

        where = workspace_named(name)
        try:
            done = service.run(switching.switch_on(service, where, flows, actor(), Mode(mode)))
        except switching.Uncovered as refused:
            report, message = refused.report, str(refused)
            click.echo(message, err=True)
            told = {"error": message, **_report(report)}
            out.show(told, lambda: _show_report(report))
            raise Ended(NEEDS_A_PERSON) from None
    _show_switched(out, done)


def _show_switched(out: Output, done: "list[Switched]") -> None:
    def human() -> None:
        for one in done:
            how = "" if one.changed else " already"
            click.echo(f"{one.flow} is{how} {one.after}.")

    rows = [
        {"flow": x.flow, "before": x.before, "mode": x.after, "changed": x.changed} for x in done
    ]
    out.show(rows, human)


@click.command()
@with_workspace
@click.argument("flows", nargs=-1)
@with_json
def pause(name: str | None, flows: tuple[str, ...], as_json: bool) -> None:
    """Pause flows, or the whole workspace."""
    with engine() as service:
        from onecore.engine.use import switching  # noqa: PLC0415

        done = switching.pause(service, workspace_named(name), flows, actor())
    _show_paused(Output(as_json), done, "The workspace is paused; nothing is read or posted.", True)


@click.command()
@with_workspace
@click.argument("flows", nargs=-1)
@with_json
def resume(name: str | None, flows: tuple[str, ...], as_json: bool) -> None:
    """Go on with flows in the mode they had, or with the whole workspace."""
    with engine() as service:
        from onecore.engine.use import switching  # noqa: PLC0415

        done = switching.resume(service, workspace_named(name), flows, actor())
    _show_paused(Output(as_json), done, "The workspace goes on.", False)


def _show_paused(out: Output, done: "list[Switched]", said: str, paused: bool) -> None:
    if done:
        _show_switched(out, done)
    else:
        out.show({"paused": paused}, lambda: click.echo(said))


COMMANDS = (match, coverage, preflight, switch_on, pause, resume)
