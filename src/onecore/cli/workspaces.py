"""Commands about a workspace: made, listed, shown, connected, and its document."""

import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from onecore.cli.common import (
    actor,
    engine,
    secret_from_stdin,
    with_json,
    with_workspace,
    workspace_named,
)
from onecore.cli.errors import NEEDS_A_PERSON, Ended
from onecore.cli.output import Output, facts, table

if TYPE_CHECKING:
    from uuid import UUID

    from onecore.domain.ids import WorkspaceId
    from onecore.engine.service import Service
    from onecore.engine.use.configuring import Imported
    from onecore.engine.use.disconnecting import Left
    from onecore.engine.use.workspaces import Overview


DOCUMENT = click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True)


@click.group()
def workspace() -> None:
    """Workspaces: one Procore company joined to Xero."""


@workspace.command("add")
@click.argument("name")
@with_json
def add(name: str, as_json: bool) -> None:
    """Make a workspace with a starter document."""
    with engine() as service:
        from onecore.engine.use import workspaces  # noqa: PLC0415 - Django is ready from here on

        pk = workspaces.add(service, name, actor())
    done = f"Workspace {name!r} is there. Next: onecore connect procore -w {name!r} --company-id N"
    Output(as_json).show({"id": pk, "name": name.strip()}, lambda: click.echo(done))


@workspace.command("list")
@with_json
def list_(as_json: bool) -> None:
    """List the workspaces."""
    with engine():
        from onecore.engine.use import workspaces  # noqa: PLC0415

        found = [workspaces.show(pk) for pk, _ in workspaces.names()]

    def human() -> None:
        rows = [
            (one.name, one.company_id, len(one.connections), "paused" if one.paused else "")
            for one in found
        ]
        table(("name", "company", "connections", ""), rows, none="There is no workspace yet.")

    Output(as_json).show([_overview(one) for one in found], human)


@workspace.command("show")
@click.argument("name")
@with_json
def show(name: str, as_json: bool) -> None:
    """Show a workspace: connections, modes, troubles."""
    with engine() as service:
        from onecore.engine.use import standing, workspaces  # noqa: PLC0415

        found = workspaces.show(workspaces.find(name))
        found = replace(found, connections=standing.connections(service, found.id))
        heard = standing.listening(service, found.id)

    def human() -> None:
        facts(
            [
                ("workspace", found.name),
                ("paused", "yes" if found.paused else "no"),
                ("company", found.company_id),
                ("settings", f"version {found.config_number}"),
                ("flows", ", ".join(f"{k} {v}" for k, v in found.flows.items() if v != "off")),
            ]
        )
        rows = [(c.remote, c.label, c.id, c.broken or "works") for c in found.connections]
        table(("remote", "name", "id", "state"), rows, none="Not connected yet.")
        for one in found.connections:
            for told in one.foretold:
                click.echo(f"{told.why} {told.todo}")
        for hook in heard.troubles:
            click.echo(f"webhook of {hook.project or 'the company'}: {hook.why}. {hook.todo}")
        for trouble in found.trouble:
            click.echo(f"cannot be read: {trouble}")

    webhooks = {
        "reachable": heard.reachable,
        "procore": [
            {
                "project": hook.project,
                "state": hook.state,
                "why": hook.why,
                "todo": hook.todo,
                "checked_at": hook.checked_at,
                "rung_at": hook.rung_at,
            }
            for hook in heard.hooks
        ],
        "xero": {
            "has_key": heard.has_xero_key,
            "rung_at": {bell.label: bell.rung_at for bell in heard.xero},
        },
    }
    Output(as_json).show(_overview(found) | {"webhooks": webhooks}, human)


def _overview(found: "Overview") -> dict[str, object]:
    return {
        "id": found.id,
        "name": found.name,
        "paused": found.paused,
        "company_id": found.company_id,
        "connections": [
            {
                "remote": one.remote,
                "label": one.label,
                "id": one.id,
                "broken": one.broken,
                "renewed_at": one.renewed_at,
                "foretold": [
                    {
                        "code": told.code,
                        "weight": told.weight,
                        "at": told.at,
                        "why": told.why,
                        "todo": told.todo,
                    }
                    for told in one.foretold
                ],
            }
            for one in found.connections
        ],
        "flows": found.flows,
        "config_version": found.config_number,
        "trouble": found.trouble,
    }


# --- connecting -------------------------------------------------------------------------------


@click.group()
def connect() -> None:
    """Connect a workspace to Procore and to Xero."""


@connect.command("procore")
@with_workspace
@click.option("--company-id", type=int, required=True, help="The number in Procore's addresses.")
@with_json
def connect_procore(name: str | None, company_id: int, as_json: bool) -> None:
    """Connect by the app's client credentials (ONECORE_PROCORE_CLIENT_ID and …_SECRET)."""
    with engine() as service:
        from onecore.engine.use import connecting  # noqa: PLC0415

        where = workspace_named(name)
        label = service.run(connecting.connect_procore(service, where, company_id, actor()))
    told = {"company_id": company_id, "company": label}
    Output(as_json).show(told, lambda: click.echo(f"Connected to {label} in Procore."))


@connect.command("xero")
@with_workspace
@click.option("--tenant-id", help="Join this organisation alone of those the consent reaches.")
@click.option("--wait", is_flag=True, help="Wait until the consent has been given.")
@click.option("--timeout", default=600, show_default=True, help="Seconds to wait.")
@click.option("--client-id", help="A custom connection's client id; no consent page then.")
@click.option(
    "--client-secret-stdin", is_flag=True, help="Read its client secret from standard input."
)
@with_json
def connect_xero(
    name: str | None,
    tenant_id: str | None,
    wait: bool,
    timeout: int,
    client_id: str | None,
    client_secret_stdin: bool,
    as_json: bool,
) -> None:
    """Print the address where a person allows OneCore into Xero, or connect a custom connection."""
    if bool(client_id) != client_secret_stdin:
        raise click.UsageError("--client-id and --client-secret-stdin go together.")
    secret = secret_from_stdin("client secret") if client_secret_stdin else ""
    out = Output(as_json)
    with engine() as service:
        where = workspace_named(name)
        if client_id:
            from onecore.engine.use import connecting  # noqa: PLC0415

            joined = service.run(
                connecting.connect_xero_custom(service, where, client_id, secret, actor())
            )
            _connected(out, joined)
            return
        _consent(service, where, tenant_id, timeout if wait else None, out)


def _connected(out: Output, joined: list[str]) -> None:
    said = f"Connected to {', '.join(joined)} in Xero."
    out.show({"organisations": joined}, lambda: click.echo(said))


def _consent(
    service: "Service",
    where: "WorkspaceId",
    tenant_id: str | None,
    patience: int | None,
    out: Output,
) -> None:
    from uuid import UUID  # noqa: PLC0415

    from onecore.engine.use import connecting, workspaces  # noqa: PLC0415

    try:
        wanted = UUID(tenant_id) if tenant_id else None
    except ValueError:
        raise click.UsageError(f"{tenant_id!r} is no organisation's id.") from None
    before = _xero_state(workspaces.show(where))
    consent = connecting.begin_xero(service, where, actor(), wanted)
    if patience is None:
        told = {"url": consent.url, "state": consent.state}
        out.show(told, lambda: click.echo(consent.url))
        return
    click.echo(consent.url, err=True)
    out.note("Open it within half an hour; OneCore has to be running (onecore serve). Waiting…")
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        seen = workspaces.show(where)
        if _xero_state(seen) != before:
            _connected(out, [one.label for one in seen.connections if one.remote == "xero"])
            return
        time.sleep(1)
    out.show({"organisations": []}, lambda: click.echo("Nobody has allowed it yet."))
    raise Ended(NEEDS_A_PERSON)


def _xero_state(seen: "Overview") -> set[tuple[str, str]]:
    return {(c.id, str(c.renewed_at)) for c in seen.connections if c.remote == "xero"}


@click.group()
def disconnect() -> None:
    """Disconnect a workspace; what is in Procore and in Xero stays as it is."""


@disconnect.command("procore")
@with_workspace
@with_json
def disconnect_procore(name: str | None, as_json: bool) -> None:
    """Take down OneCore's webhooks in Procore and forget the access."""
    with engine() as service:
        from onecore.engine.use import disconnecting  # noqa: PLC0415

        where = workspace_named(name)
        left = service.run(disconnecting.disconnect_procore(service, where, actor()))
    _left(Output(as_json), left)


@disconnect.command("xero")
@with_workspace
@click.option("--tenant-id", type=click.UUID, help="Leave this organisation alone.")
@with_json
def disconnect_xero(name: str | None, tenant_id: "UUID | None", as_json: bool) -> None:
    """Leave one organisation in Xero, or all of the workspace's."""
    with engine() as service:
        from onecore.engine.use import disconnecting  # noqa: PLC0415

        where = workspace_named(name)
        left = service.run(disconnecting.disconnect_xero(service, where, actor(), tenant_id))
    _left(Output(as_json), left)


def _left(out: Output, left: "Left") -> None:
    def human() -> None:
        click.echo(f"Disconnected from {', '.join(left.names)}.")
        for rest in left.by_hand:
            click.echo(f"Still to be taken away by hand: {rest}.")

    out.show({"disconnected": left.names, "by_hand": left.by_hand}, human)


# --- the document -----------------------------------------------------------------------------


@click.group()
def config() -> None:
    """The workspace document: all settings and mappings as YAML."""


@config.command("export")
@with_workspace
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@with_json
def export(name: str | None, file: Path | None, as_json: bool) -> None:
    """Write the document to FILE, or to standard output."""
    with engine():
        from onecore.engine.use import configuring, workspaces  # noqa: PLC0415

        where = workspace_named(name)
        text = configuring.export(where)
        number = workspaces.newest_config(where).number
    if file is not None:
        file.write_text(text, "utf-8")
    told: dict[str, object] = {"version": number}
    told |= {"file": str(file)} if file is not None else {"text": text}
    said = f"Version {number} is in {file}." if file is not None else text
    Output(as_json).show(told, lambda: click.echo(said, nl=file is not None))


@config.command("import")
@with_workspace
@click.argument(
    "file", type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True)
)
@click.option("--dry-run", is_flag=True, help="Only print what would change.")
@with_json
def import_(name: str | None, file: Path, dry_run: bool, as_json: bool) -> None:
    """Make FILE the workspace's document ("-": standard input); prints what changes."""
    text = _read(file)
    with engine() as service:
        from onecore.engine.use import configuring  # noqa: PLC0415

        done = configuring.import_text(service, workspace_named(name), text, actor(), dry_run)

    def human() -> None:
        for change in done.changes:
            click.echo(str(change))
        click.echo(_verdict(done, dry_run))

    told = {
        "version": done.number,
        "dry_run": dry_run,
        "changes": [{"path": c.path, "before": c.before, "after": c.after} for c in done.changes],
    }
    Output(as_json).show(told, human)


def _read(file: Path) -> str:
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text("utf-8")
    except UnicodeDecodeError:
        raise click.UsageError(f"{file} is not UTF-8 text.") from None


def _verdict(done: "Imported", dry_run: bool) -> str:
    if dry_run:
        return "Nothing was changed (dry run)."
    if not done.changes:
        return f"Nothing changes in meaning; version {done.number} holds."
    return f"Version {done.number} holds now."


COMMANDS = (workspace, connect, disconnect, config)
