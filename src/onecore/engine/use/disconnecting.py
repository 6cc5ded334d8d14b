"""Disconnecting a workspace from one of its systems: what was made there for it goes too."""

from dataclasses import dataclass
from uuid import UUID

import structlog

from onecore.domain.ids import WorkspaceId
from onecore.engine import calls, db, hooks
from onecore.engine.context import NotConnected
from onecore.engine.service import Service
from onecore.engine.use import joining
from onecore.engine.use.errors import NotFound
from onecore.ports import NotVisible, Remote, RemoteError
from onecore.store import audit
from onecore.store.models import Grant, Hook, WorkspaceOrganisation

log = structlog.get_logger("onecore.grants")


@dataclass(frozen=True, slots=True)
class Left:
    """What was disconnected, and what a person still has to take away over there."""

    names: tuple[str, ...]
    by_hand: tuple[str, ...] = ()


async def disconnect_procore(service: Service, workspace: WorkspaceId, actor: str) -> Left:
    """Take down the webhooks, then forget the access. What is in Xero stays as it is.

    Raises NotFound where there is nothing to disconnect.
    """
    if not await db.run(Grant.objects.filter(workspace_id=workspace, remote="procore").exists):
        raise NotFound("This workspace is not connected to Procore.")
    by_hand: tuple[str, ...] = ()
    try:
        ctx, remote = await service.contexts.hooks_of(workspace)
        left = await hooks.remove(ctx, remote, service.settings.base_url)
        if left:
            by_hand = (f"{len(left)} webhooks named onecore in Procore; they ring for nothing now",)
    except (RemoteError, NotConnected) as trouble:
        log.warning("hooks.not_removed", workspace=workspace, why=type(trouble).__name__)
        by_hand = ("the webhooks named onecore in Procore, if any; they ring for nothing now",)
    await db.commit("procore.disconnected", _forget_procore, service, workspace, actor)
    return Left(("Procore",), by_hand)


def _forget_procore(service: Service, workspace: WorkspaceId, actor: str) -> None:
    Hook.objects.filter(workspace_id=workspace).delete()
    Grant.objects.filter(workspace_id=workspace, remote=Remote.PROCORE.value).delete()
    audit.record(workspace, service.clock.now(), actor, "procore.disconnected", str(workspace))


async def disconnect_xero(
    service: Service, workspace: WorkspaceId, actor: str, organisation: UUID | None = None
) -> Left:
    """Leave one organisation, or all; bills there stay, and so do the workspace's settings.

    A connection that another workspace uses as well is left to that one. Raises NotFound.
    """
    rows = await db.run(_joined, workspace, organisation)
    if not rows:
        raise NotFound("This workspace is not connected to that organisation in Xero.")
    by_hand = []
    for row in rows:
        name = row.organisation.name or str(row.organisation_id)
        if not await _left(service, workspace, row):
            by_hand.append(f"OneCore under Connected apps of {name} in Xero")
        await db.commit("xero.disconnected", _forget, service, workspace, row, actor)
    names = tuple(row.organisation.name or str(row.organisation_id) for row in rows)
    return Left(names, tuple(by_hand))


def _joined(workspace: WorkspaceId, organisation: UUID | None) -> list[WorkspaceOrganisation]:
    rows = WorkspaceOrganisation.objects.select_related("organisation", "grant")
    rows = rows.filter(workspace_id=workspace).order_by("pk")
    return list(rows if organisation is None else rows.filter(organisation_id=organisation))


async def _left(service: Service, workspace: WorkspaceId, row: WorkspaceOrganisation) -> bool:
    """Whether nothing of it is left in Xero that a person would have to take away."""
    if await db.run(_is_shared, row):
        return True
    log_ = service.contexts.calls.of(calls.of_app(Remote.XERO, row.grant.client_id), workspace)
    try:
        tokens = service.contexts.tokens(row.grant_id)
        await service.remotes.leave(tokens, log_, row.connection_id)
    except NotVisible:
        return True  # gone already
    except RemoteError:
        return False
    return True


def _is_shared(row: WorkspaceOrganisation) -> bool:
    """Whether another workspace reaches the organisation by the same connection in Xero."""
    others = WorkspaceOrganisation.objects.exclude(pk=row.pk)
    return others.filter(connection_id=row.connection_id).exists()


def _forget(
    service: Service, workspace: WorkspaceId, row: WorkspaceOrganisation, actor: str
) -> None:
    WorkspaceOrganisation.objects.filter(pk=row.pk).delete()
    joining.forget_unused(workspace)
    at, tenant = service.clock.now(), str(row.organisation_id)
    audit.record(workspace, at, actor, "xero.disconnected", tenant)
