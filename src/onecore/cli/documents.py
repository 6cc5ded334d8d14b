"""Commands about documents: the plan, a look now, where they stand, and what needs a person."""

from datetime import timedelta
from typing import TYPE_CHECKING

import click

from onecore.cli.common import actor, engine, with_json, with_workspace, workspace_named
from onecore.cli.errors import NEEDS_A_PERSON, OUT_OF_REACH, Ended
from onecore.cli.output import Output, plural, table
from onecore.cli.previewing import preview_told, show_preview

if TYPE_CHECKING:
    from onecore.engine.use.attending import Group
    from onecore.engine.use.looking import Pair
    from onecore.engine.use.standing import Needing
    from onecore.engine.use.syncing import Synced
    from onecore.engine.use.workspaces import Overview

STATES = (
    "in_step", "waiting", "approval", "previewed", "held", "ask", "refused", "drifted", "withdrawn",
)  # fmt: skip


@click.command()
@with_workspace
@click.argument("ref")
@with_json
def preview(name: str | None, ref: str, as_json: bool) -> None:
    """The plan for REF (requisition:PROJECT/ID, or a pasted link); nothing is sent."""
    with engine() as service:
        from onecore.domain.refs import parse_ref  # noqa: PLC0415 - Django is ready from here on
        from onecore.engine.use import looking  # noqa: PLC0415

        found = service.run(looking.preview(service, workspace_named(name), parse_ref(ref)))
    Output(as_json).show(preview_told(found), lambda: show_preview(found))


@click.command()
@with_workspace
@click.argument("refs", nargs=-1)
@click.option("--until-idle", is_flag=True, help="Go on until nothing is due.")
@click.option(
    "--timeout", default=120.0, show_default=True, help="Seconds after which it ends anyway."
)
@with_json
def sync(
    name: str | None, refs: tuple[str, ...], until_idle: bool, timeout: float, as_json: bool
) -> None:
    """Look at REFs now, or at everything.

    Ends with 1 when something needs a person, with 3 when it could not be finished in time.
    """
    out = Output(as_json)
    with engine() as service:
        from onecore.domain.refs import parse_ref  # noqa: PLC0415
        from onecore.engine.use import syncing, workspaces  # noqa: PLC0415

        where = workspace_named(name)
        parsed = [parse_ref(ref) for ref in refs]
        told: list[tuple[int, int]] = []

        def progress(now: "Synced") -> None:
            if told[-1:] != [(now.done, now.waiting)]:
                told.append((now.done, now.waiting))
                out.note(f"{now.done} done, {now.waiting} waiting")

        done = service.run(
            syncing.sync(service, where, parsed, until_idle, timedelta(seconds=timeout), progress)
        )
        stopped = _stopped(workspaces.show(where))
    if stopped:
        done.troubles = tuple(dict.fromkeys([*done.troubles, *stopped]))
    out.show(_synced(done), lambda: _show_synced(done))
    if stopped:
        raise Ended(NEEDS_A_PERSON)
    if done.troubles or done.waiting:
        raise Ended(OUT_OF_REACH)
    if done.attention:
        raise Ended(NEEDS_A_PERSON)


def _stopped(seen: "Overview") -> list[str]:
    """What keeps a workspace from being looked at until somebody mends it."""
    broken = [
        f"{one.label} has to be connected again ({one.broken}): onecore connect {one.remote}"
        for one in seen.connections
        if one.broken
    ]
    return broken or (["The workspace is paused: onecore resume"] if seen.paused else [])


def _synced(done: "Synced") -> dict[str, object]:
    return {
        "done": done.done,
        "waiting": done.waiting,
        "attention": done.attention,
        "calls": {"procore": done.calls.get("procore", 0), "xero": done.calls.get("xero", 0)},
        "idle": done.idle,
        "troubles": done.troubles,
    }


def _show_synced(done: "Synced") -> None:
    calls = f"{done.calls.get('procore', 0)} calls to Procore, {done.calls.get('xero', 0)} to Xero"
    click.echo(f"{plural(done.done, 'document')} settled, {done.waiting} waiting; {calls}.")
    for trouble in done.troubles:
        click.echo(f"Trouble: {trouble}")
    if done.attention:
        click.echo(f"{plural(done.attention, 'document')} need a person: onecore attention")


@click.command()
@with_workspace
@click.option("--flow", help="Only this flow, such as bill.")
@click.option("--state", type=click.Choice(STATES))
@click.option("--project", type=int, help="Only this project of Procore.")
@click.option("--limit", default=1000, show_default=True)
@with_json
def documents(
    name: str | None,
    flow: str | None,
    state: str | None,
    project: int | None,
    limit: int,
    as_json: bool,
) -> None:
    """Pairs with the ids of both sides, the latest to change first."""
    with engine() as service:
        from onecore.engine.use import looking, workspaces  # noqa: PLC0415

        where = workspace_named(name)
        wanted = workspaces.checked_flow(flow) if flow else None
        found = looking.pairs(service, where, wanted, state, project, limit=limit)

    def human() -> None:
        rows = [(p.source, p.target, p.state, p.note, p.since, p.subject) for p in found]
        table(("source", "target", "state", "", "since", "about"), rows, none="None yet.")

    Output(as_json).show([_pair(one) for one in found], human)


def _pair(one: "Pair") -> dict[str, object]:
    return {
        "flow": one.flow,
        "source": one.source,
        "target": one.target,
        "state": one.state,
        "since": one.since,
        "note": one.note,
        "project_id": one.project_id,
        "procore_url": one.procore_url,
        "xero_url": one.xero_url,
        "causes": one.causes,
        "subject": one.subject,
    }


# --- what needs a person ----------------------------------------------------------------------


@click.command()
@with_workspace
@with_json
def attention(name: str | None, as_json: bool) -> None:
    """What needs a person, by cause; answer with: onecore resolve ID CHOICE."""
    with engine() as service:
        from onecore.engine.use import attending, standing  # noqa: PLC0415

        where = workspace_named(name)
        found = attending.groups(service, where)
        connections = standing.needing(standing.connections(service, where))

    def human() -> None:
        for one in connections:
            click.echo(f"{one.remote.capitalize()}, {one.label}: {one.text}")
        if found or not connections:
            _show_groups(found)

    told = [_connection(one) for one in connections] + [_group(one) for one in found]
    Output(as_json).show(told, human)


def _connection(one: "Needing") -> dict[str, object]:
    """A connection among the matters: it is mended by connecting, so it has no id and no choice."""
    cause = "connection_broken" if one.is_broken else "connection_ending"
    item = {"ref": "", "state": "broken", "subject": one.label, "detail": one.text}
    return {
        "id": None,
        "cause": cause,
        "subject": one.remote,
        "state": "broken" if one.is_broken else "ending",
        "opened_at": None,
        "refs": [],
        "choices": [],
        "items": [item],
    }


def _group(one: "Group") -> dict[str, object]:
    return {
        "id": one.id,
        "cause": one.cause,
        "subject": one.subject,
        "state": one.state,
        "opened_at": one.opened_at,
        "refs": one.refs,
        "choices": [{"code": c, "label": label, "effect": e} for c, label, e in one.choices],
        "items": [
            {"ref": i.ref, "state": i.state, "subject": i.subject, "detail": i.detail}
            for i in one.items
        ],
    }


def _show_groups(found: "list[Group]") -> None:
    if not found:
        click.echo("Nothing needs a person.")
    for one in found:
        about = f" {one.subject}" if one.subject else ""
        click.echo(f"[{one.id}] {one.cause}{about}: {plural(len(one.items), 'document')}")
        for item in one.items[:10]:
            click.echo(f"    {item.ref}  {item.subject}  {item.detail}".rstrip())
        if len(one.items) > 10:
            click.echo(f"    and {len(one.items) - 10} more")
        for code, label, effect in one.choices:
            click.echo(f"    onecore resolve {one.id} {code}: {label}. {effect}")


@click.command()
@with_workspace
@click.argument("id", type=int)
@click.argument("choice")
@with_json
def resolve(name: str | None, id: int, choice: str, as_json: bool) -> None:
    """Answer the matter ID for every document it keeps."""
    with engine() as service:
        from onecore.engine.use import attending, finding  # noqa: PLC0415

        where = workspace_named(name) if name else finding.workspace_of_matter(id)
        refs = attending.resolve(service, where, id, choice, actor())
    said = f"{plural(len(refs), 'document')} looked at again now."
    Output(as_json).show({"refs": refs}, lambda: click.echo(said))


@click.command()
@with_workspace
@click.argument("ref")
@with_json
def approve(name: str | None, ref: str, as_json: bool) -> None:
    """Say yes to exactly what is waiting for approval."""
    with engine() as service:
        from onecore.domain.refs import parse_ref  # noqa: PLC0415
        from onecore.engine.use import attending, finding  # noqa: PLC0415

        asked = parse_ref(ref)
        where = workspace_named(name) if name else finding.workspace_of_ref(asked)
        attending.approve(service, where, asked, actor())
    Output(as_json).show({"approved": ref}, lambda: click.echo(f"{ref} is approved."))


@click.command()
@with_workspace
@click.argument("ref")
@click.option("--reason", required=True, help="Kept in the audit log.")
@with_json
def reject(name: str | None, ref: str, reason: str, as_json: bool) -> None:
    """Say no, with a reason; it stays out until the claim changes."""
    with engine() as service:
        from onecore.domain.refs import parse_ref  # noqa: PLC0415
        from onecore.engine.use import attending, finding  # noqa: PLC0415

        asked = parse_ref(ref)
        where = workspace_named(name) if name else finding.workspace_of_ref(asked)
        attending.reject(service, where, asked, reason, actor())
    Output(as_json).show({"rejected": ref}, lambda: click.echo(f"{ref} is rejected."))


COMMANDS = (preview, sync, documents, attention, resolve, approve, reject)
