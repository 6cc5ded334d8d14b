"""Procore's webhooks of ours: one for the company and one per project, made, mended, taken down.

They are doorbells only. What a hook never told of, because it was down or discarded, the feeds
and their walks find.
"""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db.models import Q
from django.db.models.functions import Now

from onecore.domain.ids import ProjectId, WorkspaceId
from onecore.domain.settings import Mode
from onecore.engine import db, grants
from onecore.engine.context import Context
from onecore.ports import (
    AccessLost,
    HookResource,
    HooksPort,
    NotVisible,
    RemoteError,
    RequestRefused,
)
from onecore.store.models import Hook, Workspace
from onecore.store.secrets import SecretUnreadable
from onecore.sync.hooking import Wanted, name_of, plan, telling

log = structlog.get_logger("onecore.hooks")

NAMESPACE = "onecore"
CHECK_EVERY = timedelta(hours=6)
"""A hook that failed for twelve hours is switched off by Procore [P 5.3]; two calls find out."""
TENDING = timedelta(minutes=5)
SCOPES_AT_ONCE = 5
COMPANY_WANTS = ("projects", "company vendors", "line item types", "standard cost codes")
PROJECT_WANTS = (
    "work order contracts",
    "purchase order contracts",
    "change order packages",
    "cost codes",
    "requisitions",  # in no published list, asked for in case a catalogue has it [P 5.4]
)
Offered = dict[bool, tuple[HookResource, ...]]
"""Procore's catalogue by whether it is the company's; one for all projects."""


@dataclass(frozen=True, slots=True)
class Ours:
    """One of our rows with its secret opened. `is_wanted`: False means that it is taken down."""

    id: int
    project: ProjectId | None
    wanted: Wanted
    is_wanted: bool


@dataclass(frozen=True, slots=True)
class Scopes:
    """Where hooks are wanted (None: the company), and projects that want none any more."""

    wanted: tuple[ProjectId | None, ...]
    done_with: tuple[ProjectId | None, ...]


async def tend(ctx: Context, remote: HooksPort, base_url: str) -> int:
    """Make, mend or take down the hooks that are due, a few at a time; how many were seen to.

    A hook that cannot be had (no permission, tool off) says why, and is tried again some hours
    later: polling does without it. Raises AccessLost, and Throttled or what else a remote that
    does not answer comes out as; what is left is seen to next time.
    """
    try:
        due = await db.commit("hooks.made", _due, ctx, await _scopes(ctx), base_url)
        offered: Offered = {}
        for ours in due:
            if await db.commit("hook.claimed", _claimed, ours):
                try:
                    await _see_to(ctx, remote, ours, offered)
                finally:
                    await db.commit("hook.let_go", _let_go, ours)
    except AccessLost as lost:
        await db.commit("grant.given_up", grants.given_up, ctx.procore_grant, lost)
        raise
    return len(due)


async def _scopes(ctx: Context) -> Scopes:
    """A project that is not listed may only be out of sight: its hook is neither made nor ended."""
    wanted: list[ProjectId | None] = []
    done_with: list[ProjectId | None] = []
    for project in await ctx.lists.projects():
        is_on = ctx.settings(project.id, None, None).bill.mode is not Mode.OFF
        (wanted if project.active and is_on else done_with).append(project.id)
    is_on = bool(wanted) or ctx.settings(None, None, None).bill.mode is not Mode.OFF
    (wanted if is_on else done_with).insert(0, None)
    return Scopes(tuple(wanted), tuple(done_with))


def _due(ctx: Context, scopes: Scopes, base_url: str) -> list[Ours]:
    """The rows to see to now, made where a scope has none.

    The row with its name and secret is committed before the hook is made, so that the address
    names it and a lost reply is recognised.
    """
    rows = {row.project_id: row for row in Hook.objects.filter(workspace_id=ctx.workspace)}
    now, found = ctx.clock.now(), []
    for scope in scopes.done_with:
        if scope in rows and _is_due(rows[scope], "", now):
            found.append(Ours(rows[scope].pk, scope, _wanted(rows[scope], base_url, "-"), False))
    for scope in scopes.wanted:
        row = rows.get(scope) or _made(ctx, scope, now)
        wanted = _opened(ctx, row, base_url)
        if _is_due(row, wanted.url, now):
            found.append(Ours(row.pk, scope, wanted, True))
        if len(found) >= SCOPES_AT_ONCE:
            break
    return found[:SCOPES_AT_ONCE]


def _is_due(row: Hook, url: str, now: datetime) -> bool:
    """A hook that is not as it should be is due at once, unless it was refused."""
    is_old = row.checked_at is None or now - row.checked_at >= CHECK_EVERY
    return is_old or (not row.trouble and row.address != (url or "-"))


def _made(ctx: Context, scope: ProjectId | None, now: datetime) -> Hook:
    """The scope's row, whoever makes it; one without a secret is given one when it is opened."""
    row, _ = Hook.objects.get_or_create(
        workspace_id=ctx.workspace,
        project_id=scope,
        defaults={"name": secrets.token_hex(12), "secret": b"", "created_at": now},
    )
    return row


def _opened(ctx: Context, row: Hook, base_url: str) -> Wanted:
    """With its secret: a new one where there is none, or none that opens any more."""
    bound = f"hook:{row.pk}"
    try:
        return _wanted(row, base_url, ctx.vault.open(row.secret, bound))
    except SecretUnreadable:
        was, row.secret = bytes(row.secret), ctx.vault.seal(secrets.token_urlsafe(32), bound)
        row.address = ""
        Hook.objects.filter(pk=row.pk, secret=was).update(secret=row.secret, address="")
        row.refresh_from_db()  # somebody else's, who was quicker
        return _wanted(row, base_url, ctx.vault.open(row.secret, bound))


def _wanted(row: Hook, base_url: str, bearer: str) -> Wanted:
    return Wanted(row.name, base_url, bearer, row.remote_id, is_new=row.address == "")


def _claimed(ours: Ours) -> bool:
    """Whether this process may see to it now; the database's clock measures how long."""
    free = Q(tended_until__isnull=True) | Q(tended_until__lt=Now())
    rows = Hook.objects.filter(free, pk=ours.id)
    return bool(rows.update(tended_until=Now() + TENDING))


def _let_go(ours: Ours) -> None:
    Hook.objects.filter(pk=ours.id).update(tended_until=None)


async def _see_to(ctx: Context, remote: HooksPort, ours: Ours, offered: Offered) -> None:
    try:
        if ours.is_wanted:
            await _ensure(ctx, remote, ours, offered)
        else:
            await _end(ctx, remote, ours)
    except (NotVisible, RequestRefused) as refused:
        code = f"http_{refused.status}"
        log.warning("hook.refused", workspace=ctx.workspace, project=ours.project, code=code)
        await db.commit("hook.checked", _checked, ours, ctx.clock.now(), trouble=code)


async def _ensure(ctx: Context, remote: HooksPort, ours: Ours, offered: Offered) -> None:
    """One live hook that rings here and is told of what we want; every step may be repeated."""
    project, wanted = ours.project, ours.wanted
    known = await remote.hooks(project, NAMESPACE)
    names = await db.run(_names)
    todo = plan(known, wanted, names)
    for double in todo.remove:
        await _delete(remote, project, double)
    hook = todo.keep
    if hook is not None and todo.mend:
        hook = await _mended(remote, ours, hook)
    if hook is None:
        hook = await remote.create(project, wanted.url, wanted.bearer, NAMESPACE)
    await db.commit("hook.named", _checked, ours, None, remote_id=hook)
    trouble = await _told(remote, project, hook, offered)
    await db.commit(
        "hook.checked", _checked, ours, ctx.clock.now(), address=wanted.url, trouble=trouble
    )


async def _mended(remote: HooksPort, ours: Ours, hook: str) -> str | None:
    """The hook set right, or None where it cannot be and is gone, so that one is made."""
    try:
        await remote.mend(ours.project, hook, ours.wanted.url, ours.wanted.bearer)
    except (NotVisible, RequestRefused):
        await _delete(remote, ours.project, hook)
        return None
    return hook


async def _told(remote: HooksPort, project: ProjectId | None, hook: str, offered: Offered) -> str:
    """A hook without its triggers rings for nothing, and says nothing of it [P G34]."""
    is_company = project is None
    if is_company not in offered:
        offered[is_company] = await remote.resources(project)
    wants = COMPANY_WANTS if is_company else PROJECT_WANTS
    change = telling(offered[is_company], wants, await remote.triggers(project, hook))
    if change.extra:
        await remote.untell(project, hook, change.extra)
    if change.missing and not await remote.tell(project, hook, change.missing):
        return "declined"
    return ""


async def _end(ctx: Context, remote: HooksPort, ours: Ours) -> None:
    """Take down whatever hook of this name is there, then forget it."""
    known = await remote.hooks(ours.project, NAMESPACE)
    for hook in known:
        if name_of(hook.url) == ours.wanted.name or hook.id == ours.wanted.id:
            await _delete(remote, ours.project, hook.id)
    await db.commit("hook.forgotten", Hook.objects.filter(pk=ours.id).delete)
    log.info("hook.removed", workspace=ctx.workspace, project=ours.project)


async def _delete(remote: HooksPort, project: ProjectId | None, hook: str) -> None:
    try:
        await remote.delete(project, hook)
    except NotVisible as hidden:
        if hidden.status != 404:  # gone already
            raise


def _names() -> Collection[str]:
    return set(Hook.objects.values_list("name", flat=True))


def _checked(ours: Ours, at: datetime | None, **values: str) -> None:
    told = values if at is None else {**values, "checked_at": at}
    Hook.objects.filter(pk=ours.id).update(**told)


async def remove(ctx: Context, remote: HooksPort, base_url: str) -> list[ProjectId | None]:
    """Take down every hook of a workspace, as when it is disconnected; the scopes where that
    could not be done. Those stop by themselves: what they send is refused from now on."""
    rows = await db.run(lambda: list(Hook.objects.filter(workspace_id=ctx.workspace)))
    left: list[ProjectId | None] = []
    for row in rows:
        scope = ProjectId(row.project_id) if row.project_id is not None else None
        ours = Ours(row.pk, scope, _wanted(row, base_url, "-"), False)
        try:
            await _end(ctx, remote, ours)
        except RemoteError as trouble:
            log.warning("hook.not_removed", workspace=ctx.workspace, why=type(trouble).__name__)
            left.append(scope)
    await db.commit("hooks.forgotten", Hook.objects.filter(workspace_id=ctx.workspace).delete)
    return left


def connected_workspaces() -> list[WorkspaceId]:
    """Workspaces that are connected and running."""
    rows = Workspace.objects.filter(paused=False, company_id__isnull=False)
    return [WorkspaceId(pk) for pk in rows.values_list("pk", flat=True)]
