"""Workspaces: made, listed, shown, paused."""

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError

from onecore.domain.ids import WorkspaceId
from onecore.domain.refs import BUILT, Flow
from onecore.domain.settings import Mode
from onecore.engine import config, db
from onecore.engine.service import Service
from onecore.engine.use.errors import NotFound, UseError
from onecore.store import audit, hints
from onecore.store.models import (
    ConfigVersion,
    Feed,
    Grant,
    Membership,
    Workspace,
    WorkspaceOrganisation,
)
from onecore.sync.expiry import Foretold


@dataclass(frozen=True, slots=True)
class Connected:
    """One connection of a workspace as people see it."""

    remote: str
    label: str
    id: str
    broken: str  # "" when it works; else what is wrong
    renewed_at: datetime | None
    grant: int = 0
    foretold: tuple[Foretold, ...] = ()  # what will end it; `standing` fills it in


@dataclass(frozen=True, slots=True)
class Overview:
    """A workspace at a glance."""

    id: WorkspaceId
    name: str
    paused: bool
    company_id: int | None
    connections: tuple[Connected, ...]
    flows: dict[str, str]  # flow -> mode
    config_number: int
    trouble: tuple[str, ...]  # feeds that cannot be read, in codes


def find(name: str) -> WorkspaceId:
    """The workspace of that name. Raises NotFound naming those there are."""
    row = Workspace.objects.filter(name=name).first()
    if row is None:
        names = list(Workspace.objects.order_by("name").values_list("name", flat=True))
        known = f"There are: {', '.join(names)}." if names else "There is none yet."
        raise NotFound(
            f"There is no workspace {name!r}. {known} Make one with: onecore workspace add NAME"
        )
    return WorkspaceId(row.pk)


def add(service: Service, name: str, actor: str) -> WorkspaceId:
    """A new workspace with a starter document. Raises UseError when the name is taken."""
    name = name.strip()
    if not name or len(name) > 80:
        raise UseError("A workspace's name has 1 to 80 characters.")
    now = service.clock.now()
    try:
        with db.committing("workspace.added"):
            row = Workspace.objects.create(name=name, digest_key=b"", created_at=now)
            row.digest_key = service.vault.new_digest_key(f"workspace:{row.pk}")
            row.save()
            ConfigVersion.objects.create(
                workspace=row,
                number=1,
                text=config.default_text(now.date().replace(day=1)),
                author=actor,
                note="starter",
                created_at=now,
            )
            audit.record(WorkspaceId(row.pk), now, actor, "workspace.added", str(row.pk))
    except IntegrityError:
        raise UseError(f"There is a workspace {name!r} already. Choose another name.") from None
    return WorkspaceId(row.pk)


def names() -> list[tuple[WorkspaceId, str]]:
    rows = Workspace.objects.order_by("name").values_list("id", "name")
    return [(WorkspaceId(pk), name) for pk, name in rows]


def visible_to(user_id: int, is_owner: bool) -> list[tuple[WorkspaceId, str]]:
    """The workspaces a person may open; an owner of the installation opens all."""
    if is_owner:
        return names()
    rows = Workspace.objects.filter(membership__user_id=user_id).order_by("name")
    return [(WorkspaceId(row.pk), row.name) for row in rows]


def role_of(workspace: WorkspaceId, user_id: int) -> str | None:
    row = Membership.objects.filter(workspace_id=workspace, user_id=user_id).first()
    return row.role if row is not None else None


def newest_config(workspace: WorkspaceId) -> ConfigVersion:
    return ConfigVersion.objects.filter(workspace_id=workspace).latest("number")


def show(workspace: WorkspaceId) -> Overview:
    """A workspace with its connections and modes."""
    row = Workspace.objects.get(pk=workspace)
    newest = newest_config(workspace)
    document = config.read(newest.text)
    flows = {flow.value: other.mode.value for flow, other in document.flows}
    flows[Flow.BILL.value] = document.base.bill.mode.value
    return Overview(
        id=workspace,
        name=row.name,
        paused=row.paused,
        company_id=row.company_id,
        connections=_connections(row),
        flows=flows,
        config_number=newest.number,
        trouble=tuple(
            f"project:{feed.project_id} {feed.trouble}"
            for feed in Feed.objects.filter(workspace=row).exclude(trouble="")
        ),
    )


def _connections(row: Workspace) -> tuple[Connected, ...]:
    found: list[Connected] = []
    for grant in Grant.objects.filter(workspace=row, remote="procore"):
        found.append(
            Connected(
                "procore",
                row.company_name or "Procore",
                str(row.company_id or ""),
                grant.broken,
                grant.renewed_at,
                grant.pk,
            )
        )
    joined = WorkspaceOrganisation.objects.filter(workspace=row).select_related(
        "organisation", "grant"
    )
    for one in joined:
        found.append(
            Connected(
                "xero",
                one.organisation.name or "Xero",
                str(one.organisation_id),
                one.broken or one.grant.broken,
                one.grant.renewed_at,
                one.grant_id,
            )
        )
    return tuple(found)


def set_paused(service: Service, workspace: WorkspaceId, paused: bool, actor: str) -> None:
    """Stop or go on with everything of a workspace; what was said meanwhile is kept."""
    now = service.clock.now()
    act = "workspace.paused" if paused else "workspace.resumed"
    with db.committing(act):
        Workspace.objects.filter(pk=workspace).update(paused=paused)
        audit.record(workspace, now, actor, act, str(workspace))
        joined = WorkspaceOrganisation.objects.filter(workspace_id=workspace)
        for one in joined.order_by("organisation_id") if not paused else ():
            hints.wake(one.organisation_id, now)


def mode_of(workspace: WorkspaceId, flow: Flow) -> Mode:
    document = config.read(newest_config(workspace).text)
    if flow is Flow.BILL:
        return document.base.bill.mode
    return dict(document.flows)[flow].mode if flow in dict(document.flows) else Mode.OFF


def checked_flow(name: str) -> Flow:
    """The flow of that name. Raises UseError for one unknown or not built in this version."""
    try:
        flow = Flow(name)
    except ValueError:
        known = ", ".join(flow.value for flow in Flow)
        raise UseError(f"There is no flow {name!r}. Flows: {known}.") from None
    if flow not in BUILT:
        built = ", ".join(sorted(one.value for one in BUILT))
        raise UseError(f"The flow {name!r} is not built in this version. Built: {built}.")
    return flow
