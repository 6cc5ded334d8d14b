"""Finding changed claims: they have no webhook [P 5.4], so each project's list is a feed."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Min

from onecore.domain.ids import OrganisationId, ProjectId, WorkspaceId
from onecore.domain.refs import Flow, SourceRef, parse_ref
from onecore.domain.settings import Mode
from onecore.engine import db
from onecore.engine.context import Context
from onecore.engine.references import CLOCKS_DIFFER
from onecore.ports import NotVisible, Project, Remote, RequisitionHead
from onecore.store import hints
from onecore.store.models import Document, Feed, RemoteLimit

CLAIMS, WALK = "requisitions", "requisitions_walk"
OVERLAP = timedelta(minutes=5)
WALK_EVERY = timedelta(hours=20)
TROUBLE_WAIT = timedelta(minutes=10)
ONE_SECOND = timedelta(seconds=1)
"""What Procore's `updated_at` is told to."""
UNDER_REVIEW = ("under_review", "pending_owner_approval")
HOURLY_LIMIT = 3600
SHARE = 0.6
"""The part of Procore's hourly limit that looking for changes may use; the rest reads documents."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long to wait between two looks at one project."""

    shortest: timedelta

    def after(self, feed: Feed, now: datetime) -> timedelta:
        """Quick while claims are under review or have just moved, slower while nothing stirs."""
        if feed.in_flight:
            return self.shortest
        if feed.changed_at is not None and now - feed.changed_at < timedelta(hours=1):
            return self.shortest * 2
        return self.shortest * 6


def pace(feeds: int, hourly_limit: int, configured: float | None) -> Pace:
    """The shortest wait that keeps `feeds` busy projects within the share of the limit."""
    fair = max(1, feeds) * 3600 / (SHARE * max(1, hourly_limit))
    return Pace(timedelta(seconds=max(configured if configured is not None else 10.0, fair)))


def hourly_limit(scope: str) -> int:
    """Procore's hourly limit as its headers last told it.

    They report whichever window is nearer to exhaustion [P 3], so a small figure is the
    ten-second window's and says nothing of the hour.
    """
    row = RemoteLimit.objects.filter(remote=Remote.PROCORE.value, scope=scope).first()
    told = int(row.figures.get("limit", 0)) if row is not None else 0
    return told if told > 100 else HOURLY_LIMIT


def pace_of(ctx: Context, configured: float | None) -> Pace:
    """The pace of all of a workspace's feeds together, which share one app's limit."""
    feeds = Feed.objects.filter(kind=CLAIMS).count()
    return pace(feeds, hourly_limit(ctx.procore_calls.scope), configured)


def ensure(
    ctx: Context, organisation: OrganisationId, projects: tuple[Project, ...], now: datetime
) -> None:
    """A feed for each active project that goes to this organisation and has the flow on."""
    wanted: set[int] = set()
    for project in projects:
        if not project.active or ctx.places.organisation_of(project.id) != organisation:
            continue
        if ctx.settings(project.id, None, organisation).bill.mode is not Mode.OFF:
            wanted.add(int(project.id))
    rows = Feed.objects.filter(workspace_id=ctx.workspace, organisation_id=organisation)
    have = set(rows.values_list("project_id", "kind"))
    # A project that is not listed any more may only be out of sight. Its feed stays, and says so
    # when it is read, as long as something of the project is known here.
    known = set(
        Document.objects.filter(workspace_id=ctx.workspace).values_list("project_id", flat=True)
    )
    hidden = known - {int(project.id) for project in projects}
    for project_id in wanted:
        for kind in (CLAIMS, WALK):
            if (project_id, kind) not in have:
                first = now if kind == CLAIMS else now + WALK_EVERY
                Feed.objects.get_or_create(
                    workspace_id=ctx.workspace,
                    kind=kind,
                    project_id=project_id,
                    defaults={"organisation_id": organisation, "next_due_at": first},
                )
    rows.exclude(project_id__in=wanted | hidden).delete()


def put_off(ctx: Context, organisation: OrganisationId, until: datetime) -> None:
    """No feed of a workspace in an organisation is due before `until`."""
    Feed.objects.filter(
        workspace_id=ctx.workspace, organisation_id=organisation, next_due_at__lt=until
    ).update(next_due_at=until)


def put_off_one(feed: Feed, until: datetime) -> None:
    Feed.objects.filter(pk=feed.pk).update(next_due_at=until)


def due(ctx: Context, organisation: UUID, now: datetime, limit: int) -> list[Feed]:
    rows = Feed.objects.filter(
        workspace_id=ctx.workspace, organisation_id=organisation, next_due_at__lte=now
    )
    return list(rows.order_by("next_due_at")[:limit])


async def poll(ctx: Context, feed: Feed, wait: Pace) -> int:
    """Read one feed and say hints for what changed; the number said.

    403 and 404 are a matter of the connection: the feed says so and nothing is concluded.
    """
    project = ProjectId(feed.project_id)
    now = ctx.clock.now()
    since = feed.cursor - OVERLAP if feed.cursor is not None and feed.kind == CLAIMS else None
    try:
        # An end in the future keeps a Procore clock that runs ahead of ours from hiding rows.
        heads = await ctx.procore.requisitions_changed(project, since, now + timedelta(days=1))
    except NotVisible as hidden:
        await db.commit("feed.troubled", _troubled, feed, f"procore_{hidden.status}", now)
        return 0
    return await db.commit("feed.read", _read, ctx, feed, heads, wait, now, ctx.clock.now())


def _troubled(feed: Feed, code: str, now: datetime) -> None:
    Feed.objects.filter(pk=feed.pk).update(trouble=code, next_due_at=now + TROUBLE_WAIT)


def _read(
    ctx: Context,
    feed: Feed,
    heads: tuple[RequisitionHead, ...],
    wait: Pace,
    asked_at: datetime,
    now: datetime,
) -> int:
    """Hints and cursor in one commit, so that nothing is skipped and little is read twice."""
    with transaction.atomic():
        row = Feed.objects.select_for_update().filter(pk=feed.pk).first()
        if row is None:  # its project was routed elsewhere, or switched off, meanwhile
            return 0
        fresh = [h for h in heads if row.seen.get(str(h.id)) != _stamp(h)]
        newest = max((h.updated_at for h in heads), default=None)
        refs = _worth_a_look(ctx, row, fresh if feed.kind == CLAIMS else list(heads))
        running = {_ref_of(h) for h in fresh if _second_may_run(h, newest, now)}
        organisation = row.organisation_id
        hints.say(ctx.workspace, organisation, Flow.BILL, list(refs - running), now)
        over = now + ONE_SECOND
        hints.say(ctx.workspace, organisation, Flow.BILL, list(refs & running), now, over)
        if newest is not None and (row.cursor is None or newest > row.cursor):
            row.cursor = newest
        _remember(row, heads, now, bool(fresh))
        row.trouble, row.read_at = "", now
        next_due = asked_at + (WALK_EVERY if row.kind == WALK else wait.after(row, now))
        if row.next_due_at == feed.next_due_at:
            row.next_due_at = next_due
        else:  # somebody rang while the list was read: what they mean may have come too late
            row.next_due_at = min(row.next_due_at, next_due)
        row.save()
    return len(refs)


def _second_may_run(head: RequisitionHead, newest: datetime | None, now: datetime) -> bool:
    """Whether the claim may change once more within the second its `updated_at` names.

    Such a change has the same stamp and no later list would tell it, so the claim is looked at
    when that second is over. A row with a later stamp shows that it is, and so does a stamp
    older than two clocks may differ.
    """
    return head.updated_at == newest and now - head.updated_at < CLOCKS_DIFFER


def _worth_a_look(ctx: Context, feed: Feed, heads: list[RequisitionHead]) -> set[SourceRef]:
    """Claims in a status that is posted, claims known here, and on a walk what is missing."""
    known = set(
        Document.objects.filter(
            workspace_id=ctx.workspace, flow=Flow.BILL.value, project_id=feed.project_id
        ).values_list("ref", flat=True)
    )
    there = {str(_ref_of(h)): h for h in heads}
    if feed.kind == WALK:
        linked = Document.objects.filter(
            workspace_id=ctx.workspace,
            flow=Flow.BILL.value,
            project_id=feed.project_id,
            links__withdrawn=False,
        ).values_list("ref", flat=True)
        missing = {ref for ref in linked if ref not in there}
    else:
        missing = set()
    statuses = ctx.settings(ProjectId(feed.project_id), None, None).bill.post_statuses
    chosen = {
        ref for ref, head in there.items() if ref in known or head.status in statuses
    } | missing
    return {parse_ref(ref) for ref in chosen}


def _ref_of(head: RequisitionHead) -> SourceRef:
    return SourceRef.requisition(head.project, head.id)


def _remember(feed: Feed, heads: tuple[RequisitionHead, ...], now: datetime, changed: bool) -> None:
    """Keep what the overlap will bring again, and which claims are under review."""
    if feed.kind != CLAIMS:
        return
    under_review = set(feed.in_flight)
    for head in heads:
        (under_review.add if head.status in UNDER_REVIEW else under_review.discard)(int(head.id))
    feed.in_flight = sorted(under_review)
    if feed.cursor is not None:
        kept = {str(h.id): _stamp(h) for h in heads if h.updated_at >= feed.cursor - 2 * OVERLAP}
        feed.seen = kept
    if changed:
        feed.changed_at = now


def _stamp(head: RequisitionHead) -> str:
    return f"{head.status}@{head.updated_at.isoformat()}"


def next_due(organisation: UUID, workspaces: Collection[WorkspaceId]) -> datetime | None:
    """When the first feed of these workspaces in an organisation is due."""
    rows = Feed.objects.filter(organisation_id=organisation, workspace_id__in=workspaces)
    first: datetime | None = rows.aggregate(first=Min("next_due_at"))["first"]
    return first
