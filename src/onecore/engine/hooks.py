"""Procore's webhooks of ours: one for the company and one per project, made and mended by us.

They are doorbells only. What a hook never told of, because it was down or discarded, the feeds
and their walks find.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from onecore.domain.ids import ProjectId, WorkspaceId
from onecore.domain.settings import Mode
from onecore.engine import db
from onecore.engine.context import Context
from onecore.ports import HookResource, HooksPort, NotVisible, RemoteError, RequestRefused
from onecore.store.models import Hook, Workspace

log = structlog.get_logger("onecore.hooks")

NAMESPACE = "onecore"
CHECK_EVERY = timedelta(hours=24)
SCOPES_AT_ONCE = 5
COMPANY_WANTS = ("projects", "company vendors", "line item types", "standard cost codes")
PROJECT_WANTS = (
    "work order contracts",
    "purchase order contracts",
    "change order packages",
    "cost codes",
    "requisitions",  # in no published list, asked for in case a catalogue has it [P 5.4]
)


@dataclass(frozen=True, slots=True)
class Ours:
    """One of our rows with its secret opened."""

    id: int
    name: str
    bearer: str
    project: ProjectId | None


async def tend(ctx: Context, remote: HooksPort, base_url: str) -> int:
    """Make or mend the hooks that are due, a few at a time; how many were looked at.

    A hook that cannot be had (no permission, tool off) is tried again a day later: polling does
    without it.
    """
    projects = [
        p.id
        for p in await ctx.lists.projects()
        if p.active and ctx.settings(p.id, None, None).bill.mode is not Mode.OFF
    ]
    scopes: list[ProjectId | None] = [None, *projects]
    due = await db.commit("hooks.made", _due, ctx, scopes)
    for ours in due[:SCOPES_AT_ONCE]:
        try:
            remote_id = await _ensured(remote, ours, f"{base_url}/webhooks/procore/{ours.name}")
        except (NotVisible, RequestRefused) as refused:
            log.warning("hook.refused", workspace=ctx.workspace, status=refused.status)
            remote_id = ""
        await db.commit("hook.checked", _checked, ours, remote_id, ctx.clock.now())
    return len(due[:SCOPES_AT_ONCE])


def _due(ctx: Context, scopes: list[ProjectId | None]) -> list[Ours]:
    """Our rows that were not checked for a day, made where a scope has none.

    The row with its name and secret is committed before the hook is made, so that the address
    names it and a lost reply is recognised.
    """
    rows = {row.project_id: row for row in Hook.objects.filter(workspace_id=ctx.workspace)}
    now, found = ctx.clock.now(), []
    for scope in scopes:
        row = rows.get(scope) or _made(ctx, scope, now)
        if row.checked_at is None or now - row.checked_at >= CHECK_EVERY:
            bearer = ctx.vault.open(row.secret, f"hook:{row.pk}")
            found.append(Ours(row.pk, row.name, bearer, scope))
    return found


def _made(ctx: Context, scope: ProjectId | None, now: datetime) -> Hook:
    row = Hook.objects.create(
        workspace_id=ctx.workspace,
        name=secrets.token_hex(12),
        project_id=scope,
        secret=b"",
        created_at=now,
    )
    row.secret = ctx.vault.seal(secrets.token_urlsafe(32), f"hook:{row.pk}")
    row.save()
    return row


def _checked(ours: Ours, remote_id: str, now: datetime) -> None:
    Hook.objects.filter(pk=ours.id).update(remote_id=remote_id, checked_at=now)


async def _ensured(remote: HooksPort, ours: Ours, url: str) -> str:
    """The remote's id of our live hook, made anew when it is missing or was disabled."""
    for known in await remote.hooks(ours.project, NAMESPACE):
        if known.url == url and known.active:
            return known.id
        if known.url == url:
            await remote.delete(ours.project, known.id)
    wants = COMPANY_WANTS if ours.project is None else PROJECT_WANTS
    triggers = _triggers(await remote.resources(ours.project), wants)
    made = await remote.create(ours.project, url, ours.bearer, NAMESPACE)
    await remote.tell(ours.project, made, triggers)
    return made


def _triggers(offered: Iterable[HookResource], wants: tuple[str, ...]) -> list[tuple[str, str]]:
    return [
        (told.name, action)
        for told in offered
        if told.name.lower() in wants
        for action in told.actions
    ]


async def remove(ctx: Context, remote: HooksPort) -> int:
    """Take down every hook of a workspace, as when it is disconnected; how many there were."""
    rows = await db.run(lambda: list(Hook.objects.filter(workspace_id=ctx.workspace)))
    for row in rows:
        project = ProjectId(row.project_id) if row.project_id is not None else None
        if row.remote_id:
            try:
                await remote.delete(project, row.remote_id)
            except RemoteError:
                log.warning("hook.not_removed", workspace=ctx.workspace)
    await db.commit("hooks.forgotten", Hook.objects.filter(workspace_id=ctx.workspace).delete)
    return len(rows)


def connected_workspaces() -> list[WorkspaceId]:
    """Workspaces that are connected and running."""
    rows = Workspace.objects.filter(paused=False, company_id__isnull=False)
    return [WorkspaceId(pk) for pk in rows.values_list("pk", flat=True)]
