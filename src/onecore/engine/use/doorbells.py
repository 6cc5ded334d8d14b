"""Webhooks: a delivery only says where to look. It is noted in a moment and read afresh later."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from onecore.domain.ids import WorkspaceId
from onecore.domain.refs import Flow, SourceRef, parse_ref
from onecore.engine import config
from onecore.engine.service import Service
from onecore.engine.use.workspaces import newest_config
from onecore.store import hints
from onecore.store.models import (
    Feed,
    Hook,
    Link,
    Organisation,
    ReferenceList,
    Workspace,
    WorkspaceOrganisation,
)

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class XeroBell:
    """Something of an organisation changed: its category in Xero's word, and its id."""

    organisation: UUID
    category: str
    resource_id: UUID


@dataclass(frozen=True, slots=True)
class ProcoreBell:
    """Something of a company changed: its resource in Procore's word, and its id."""

    company: int
    project: int | None
    resource: str
    id: str


@dataclass(frozen=True, slots=True)
class Door:
    """A hook of ours: whose it is, and the bearer its deliveries must carry."""

    workspace: WorkspaceId
    bearer: str


_STALE = {
    "commitments": "commitments",
    "work order contracts": "commitments",
    "purchase order contracts": "commitments",
    "commitment contracts": "commitments",
    "vendors": "vendors",
    "company vendors": "vendors",
    "project vendors": "vendors",
    "cost codes": "cost_codes",
    "standard cost codes": "cost_codes",
    "budget codes": "cost_codes",
    "wbs codes": "cost_codes",
    "line item types": "cost_types",
    "projects": "projects",
}
"""Procore's resources by the list they make stale; change orders move a commitment's total."""


def xero(service: Service, bells: Iterable[XeroBell]) -> int:
    """Hints and stale lists for what rang; how many bells were ours.

    A bill of ours is looked at again; any bill makes the organisation's sweep due, since a new
    one may be a double. Organisations nobody connected are left alone.
    """
    now = service.clock.now()
    rung = list(bells)
    ours = set(
        Organisation.objects.filter(
            tenant__in={bell.organisation for bell in rung}, workspaceorganisation__isnull=False
        ).values_list("tenant", flat=True)
    )
    rung = [bell for bell in rung if bell.organisation in ours]
    bills = [bell for bell in rung if bell.category == "INVOICE"]
    _say_linked({bell.resource_id for bell in bills}, now)
    touched = {bell.organisation for bell in bills}
    Organisation.objects.filter(tenant__in=touched).update(bills_read_at=None)
    for organisation in touched:
        hints.wake(organisation, now)
    for organisation in {bell.organisation for bell in rung if bell.category == "CONTACT"}:
        _stale(scope=f"organisation:{organisation}", kind="contacts")
    return len(rung)


def _say_linked(bills: set[UUID], now: datetime) -> None:
    rows = Link.objects.filter(target_id__in=bills, withdrawn=False).select_related("document")
    for row in rows:
        document = row.document
        workspace = WorkspaceId(document.workspace_id)
        flow, ref = Flow(document.flow), parse_ref(document.ref)
        hints.say(workspace, row.organisation_id, flow, [ref], now)


def door(service: Service, name: str) -> Door | None:
    """The hook of that name, or None."""
    row = Hook.objects.filter(name=name).first()
    if row is None:
        return None
    return Door(WorkspaceId(row.workspace_id), service.vault.open(row.secret, f"hook:{row.pk}"))


def procore(service: Service, workspace: WorkspaceId, bell: ProcoreBell) -> bool:
    """A stale list, or a hint, for what rang; False when it is not this workspace's company."""
    now = service.clock.now()
    if not Workspace.objects.filter(pk=workspace, company_id=bell.company).exists():
        return False
    resource = bell.resource.strip().lower().replace("_", " ")
    kind = _STALE.get(resource) or ("commitments" if "change order" in resource else None)
    if kind is not None:
        _stale(workspace=workspace, kind=kind)
    elif "requisition" in resource and bell.project is not None and bell.id.isdecimal():
        _say_claim(workspace, SourceRef.requisition(bell.project, int(bell.id)), now)
    feeds = Feed.objects.filter(workspace_id=workspace, kind="requisitions")
    if bell.project is not None:
        feeds = feeds.filter(project_id=bell.project)
    feeds.filter(next_due_at__gt=now).update(next_due_at=now)
    for one in WorkspaceOrganisation.objects.filter(workspace_id=workspace):
        hints.wake(one.organisation_id, now)
    return True


def _say_claim(workspace: WorkspaceId, ref: SourceRef, now: datetime) -> None:
    assert ref.project is not None
    organisation = config.read(newest_config(workspace).text).organisation_of(ref.project)
    hints.say(workspace, organisation, Flow.BILL, [ref], now)


def _stale(kind: str, workspace: WorkspaceId | None = None, scope: str | None = None) -> None:
    """Have a list read again at its next use."""
    rows = ReferenceList.objects.filter(kind=kind)
    if workspace is not None:
        rows = rows.filter(workspace_id=workspace)
    if scope is not None:
        rows = rows.filter(scope=scope)
    rows.update(fetched_at=_LONG_AGO)
