"""A workspace at a glance, from the database alone: what a first paint may show."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from django.db.models import Count

from onecore.domain.ids import WorkspaceId
from onecore.domain.refs import BadRef, Flow, Kind, SourceRef, parse_ref
from onecore.domain.settings import WorkspaceDocument
from onecore.engine import config
from onecore.engine.service import Service
from onecore.engine.use import standing, workspaces
from onecore.engine.use.attending import Group, Item
from onecore.engine.use.errors import UseError
from onecore.engine.use.looking import Pair, pair_of
from onecore.engine.use.syncing import is_idle, with_project
from onecore.engine.use.workspaces import Connected
from onecore.ports import Project
from onecore.store.models import (
    Attention,
    AttentionItem,
    AuditEntry,
    ConfigVersion,
    Document,
    Feed,
    Hint,
    Link,
    ReferenceList,
    Workspace,
    WorkspaceOrganisation,
)
from onecore.store.secrets import SecretUnreadable


@dataclass(frozen=True, slots=True)
class CauseCount:
    """One kind of matter and how many documents it keeps."""

    cause: str
    documents: int


@dataclass(frozen=True, slots=True)
class FeedTrouble:
    """A project whose claims cannot be read."""

    project_id: int
    code: str
    read_at: datetime | None


@dataclass(frozen=True, slots=True)
class Steps:
    """What of a set-up is done."""

    procore: bool
    xero: bool
    mapped: bool
    switched_on: bool
    posted: bool

    @property
    def is_done(self) -> bool:
        return self.procore and self.xero and self.mapped and self.switched_on and self.posted


@dataclass(frozen=True, slots=True)
class Glance:
    """What Home says first."""

    states: dict[str, int]
    causes: tuple[CauseCount, ...]
    connections: tuple[Connected, ...]
    troubles: tuple[FeedTrouble, ...]
    modes: dict[str, str]
    paused: bool
    idle: bool
    steps: Steps
    claims_read_at: datetime | None
    bills_read_at: datetime | None
    feeds: int

    @property
    def total(self) -> int:
        return sum(self.states.values())


@dataclass(frozen=True, slots=True)
class ListAge:
    """A list that mappings point at, and when it was last read."""

    scope: str
    kind: str
    fetched_at: datetime


@dataclass(frozen=True, slots=True)
class Version:
    """One version of the settings, without its text."""

    number: int
    author: str
    note: str
    created_at: datetime


def glance(service: Service, workspace: WorkspaceId) -> Glance:
    """The figures of Home; no remote is asked."""
    overview = workspaces.show(workspace)
    feeds = Feed.objects.filter(workspace_id=workspace, kind="requisitions")
    joined = WorkspaceOrganisation.objects.filter(workspace_id=workspace)
    bills_read = [x.organisation.bills_read_at for x in joined.select_related("organisation")]
    return Glance(
        states=states_of(workspace),
        causes=causes_of(workspace),
        connections=standing.connections(service, workspace),
        troubles=troubles_of(workspace),
        modes=overview.flows,
        paused=overview.paused,
        idle=is_idle(service, workspace),
        steps=_steps(workspace, overview.connections),
        claims_read_at=max((f.read_at for f in feeds if f.read_at), default=None),
        bills_read_at=min((at for at in bills_read if at), default=None),
        feeds=feeds.count(),
    )


def troubles_of(workspace: WorkspaceId) -> tuple[FeedTrouble, ...]:
    """Projects whose claims cannot be read."""
    rows = Feed.objects.filter(workspace_id=workspace).exclude(trouble="")
    return tuple(
        FeedTrouble(feed.project_id, feed.trouble, feed.read_at)
        for feed in rows.order_by("project_id", "kind")
    )


def steps_of(workspace: WorkspaceId) -> Steps:
    """What of a set-up is done."""
    return _steps(workspace, workspaces.show(workspace).connections)


def _steps(workspace: WorkspaceId, connections: tuple[Connected, ...]) -> Steps:
    document = config.read(workspaces.newest_config(workspace).text)
    remotes = {one.remote for one in connections}
    return Steps(
        procore="procore" in remotes,
        xero="xero" in remotes,
        mapped=_is_mapped(document),
        switched_on=document.base.bill.mode.value != "off",
        posted=Document.objects.filter(workspace_id=workspace).exists(),
    )


def _is_mapped(document: WorkspaceDocument) -> bool:
    return bool(document.base.codes) and bool(document.base.vendors)


def states_of(workspace: WorkspaceId) -> dict[str, int]:
    """Documents by state."""
    rows = Document.objects.filter(workspace_id=workspace).values("state")
    # Of rows and not of ids, so that an index alone answers.
    return {row["state"]: row["n"] for row in rows.annotate(n=Count("*")).order_by("state")}


def causes_of(workspace: WorkspaceId) -> tuple[CauseCount, ...]:
    """Open causes, those that keep most documents first."""
    rows = Attention.objects.filter(workspace_id=workspace).values("cause")
    counted = rows.annotate(n=Count("items__document", distinct=True)).order_by("-n", "cause")
    return tuple(CauseCount(row["cause"], row["n"]) for row in counted)


def open_matters(workspace: WorkspaceId) -> int:
    """How many causes wait for a person."""
    return Attention.objects.filter(workspace_id=workspace).count()


def count(workspace: WorkspaceId, flow: Flow | None, state: str | None, project: int | None) -> int:
    """Documents a filter leaves."""
    rows = Document.objects.filter(workspace_id=workspace)
    if flow is not None:
        rows = rows.filter(flow=flow.value)
    if state is not None:
        rows = rows.filter(state=state)
    if project is not None:
        rows = rows.filter(project_id=project)
    return rows.count()


def project_labels(service: Service, workspace: WorkspaceId) -> dict[int, str]:
    """Names of projects as last read, however old; a project not in the list has none."""
    row = ReferenceList.objects.filter(
        workspace_id=workspace, scope="company", kind="projects"
    ).first()
    if row is None:
        return {}
    try:
        text = service.vault.open(row.payload, f"references:{workspace}:company:projects")
        rows = msgspec.json.decode(text, type=tuple[Project, ...])
    except (SecretUnreadable, msgspec.ValidationError):
        return {}
    return {int(project.id): project.label for project in rows}


def list_ages(workspace: WorkspaceId) -> list[ListAge]:
    """Every kept list with its age, the oldest first."""
    rows = ReferenceList.objects.filter(workspace_id=workspace).defer("payload")
    return [ListAge(row.scope, row.kind, row.fetched_at) for row in rows.order_by("fetched_at")]


def versions(workspace: WorkspaceId, limit: int = 20) -> list[Version]:
    """The settings' versions, the newest first."""
    rows = ConfigVersion.objects.filter(workspace_id=workspace).order_by("-number")[:limit]
    return [Version(row.number, row.author, row.note, row.created_at) for row in rows]


def version_text(workspace: WorkspaceId, number: int) -> str | None:
    """The text of one version, to look at or to bring back."""
    row = ConfigVersion.objects.filter(workspace_id=workspace, number=number).first()
    return row.text if row is not None else None


def company(workspace: WorkspaceId) -> tuple[int | None, str, str]:
    """The Procore company: its number, name and web address."""
    row = Workspace.objects.get(pk=workspace)
    return row.company_id, row.company_name, row.web_base_url


_XERO_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.I)


def named(workspace: WorkspaceId, text: str) -> tuple[SourceRef | None, str]:
    """The claim that a ref, a Procore or Xero link or a bare number names, or why there is none."""
    text = text.strip()
    if not text:
        return None, "Paste the link of a claim in Procore or of a bill in Xero, or write a number."
    if found := _XERO_ID.search(text):
        return _by_bill(workspace, UUID(found[0]))
    if text.isdecimal():
        text = f"{Kind.REQUISITION}:{text}"
    try:
        return with_project(workspace, parse_ref(text)), ""
    except (BadRef, UseError) as trouble:
        return None, str(trouble)


def _by_bill(workspace: WorkspaceId, bill: UUID) -> tuple[SourceRef | None, str]:
    link = Link.objects.filter(target_id=bill, document__workspace_id=workspace).first()
    if link is not None:
        return parse_ref(link.document.ref), ""
    return None, (
        "No claim here is linked to that bill. It was entered in Xero by somebody else, or belongs "
        "to another workspace."
    )


def pair(service: Service, workspace: WorkspaceId, ref: SourceRef) -> Pair | None:
    """One document as the list shows it, or None for one not met yet."""
    rows = Document.objects.filter(workspace_id=workspace, ref=str(ref))
    row = rows.select_related("workspace").prefetch_related("links", "attention__attention").first()
    return pair_of(service, row) if row is not None else None


def matters_of(service: Service, workspace: WorkspaceId, ref: SourceRef) -> list[Group]:
    """What keeps one document, each matter with this document alone."""
    items = AttentionItem.objects.filter(
        document__workspace_id=workspace, document__ref=str(ref)
    ).select_related("attention", "document")
    return [_matter(service, item) for item in items.order_by("attention__opened_at", "pk")]


def _matter(service: Service, item: AttentionItem) -> Group:
    row, document = item.attention, item.document
    bound = f"attention:{row.pk}:{document.pk}"
    detail = service.vault.open(item.detail, bound) if item.detail else ""
    return Group(
        id=row.pk,
        cause=row.cause,
        subject=row.subject,
        state=document.state,
        opened_at=row.opened_at,
        choices=tuple((c[0], c[1], c[2]) for c in item.choices),
        items=(Item(document.ref, document.state, "", detail),),
    )


def kept_by(workspace: WorkspaceId, cause: str, subject: str) -> int:
    """How many documents wait for one matter."""
    return AttentionItem.objects.filter(
        attention__workspace_id=workspace, attention__cause=cause, attention__subject=subject
    ).count()


def is_asked(service: Service, workspace: WorkspaceId, ref: SourceRef) -> bool:
    """Whether a document is about to be looked at."""
    soon = service.clock.now() + timedelta(seconds=1)
    return Hint.objects.filter(workspace_id=workspace, ref=str(ref), due_at__lte=soon).exists()


def is_anyone_waiting(service: Service, workspace: WorkspaceId) -> bool:
    """Whether something a person asked for has not been looked at yet."""
    soon = service.clock.now() + timedelta(seconds=1)
    rows = Hint.objects.filter(workspace_id=workspace, lane="person", due_at__lte=soon)
    return rows.exists()


def last_acts(workspace: WorkspaceId, start: int, limit: int) -> list[AuditEntry]:
    """The audit log, the newest first."""
    rows = AuditEntry.objects.filter(workspace_id=workspace).order_by("-at", "-id")
    return list(rows[start : start + limit])
