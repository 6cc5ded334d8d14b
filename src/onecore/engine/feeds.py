"""Finding changed claims: they have no webhook [P 5.4], so each project's list is a feed."""

from collections import Counter
from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Min, Q, QuerySet

from onecore.domain.ids import OrganisationId, ProjectId, WorkspaceId
from onecore.domain.refs import Flow, SourceRef, parse_ref
from onecore.domain.settings import Mode
from onecore.domain.translate.dates import DEFAULT_ZONE, zone_named
from onecore.engine import db
from onecore.engine.context import Context
from onecore.engine.pace import CLAIMS, WALK, WALK_EVERY, Pace, looked, review_of, take
from onecore.engine.references import CLOCKS_DIFFER
from onecore.ports import Lane, NotVisible, Project, RequisitionHead
from onecore.store import hints
from onecore.store.documents import SETTLED
from onecore.store.models import Document, Feed
from onecore.sync.polling import Look

OVERLAP = timedelta(minutes=5)
TROUBLE_WAIT = timedelta(minutes=10)
LISTS = "lists_"
"""Begins a trouble that reading the claims themselves does not end."""
ONE_SECOND = timedelta(seconds=1)
"""What Procore's `updated_at` is told to."""
UNDER_REVIEW = ("under_review", "pending_owner_approval")


def ensure(
    ctx: Context, organisation: OrganisationId, projects: tuple[Project, ...], now: datetime
) -> None:
    """A feed for each active project that goes to this organisation and has the flow on."""
    zones: dict[int, str] = {}
    usual = _usual_zone(projects)
    for project in projects:
        if not project.active or ctx.places.organisation_of(project.id) != organisation:
            continue
        if ctx.settings(project.id, None, organisation).bill.mode is not Mode.OFF:
            zones[int(project.id)] = _zone(project) or usual
    rows = Feed.objects.filter(workspace_id=ctx.workspace, organisation_id=organisation)
    have = {(row[0], row[1]): row[2] for row in rows.values_list("project_id", "kind", "time_zone")}
    # A project that is not listed any more may only be out of sight. Its feed stays, and says so
    # when it is read, as long as something of the project is known here.
    unlisted = {project_id for project_id, _ in have} - {int(project.id) for project in projects}
    hidden = {project_id for project_id in unlisted if _is_known(ctx, project_id)}
    for project_id, zone in zones.items():
        for kind in (CLAIMS, WALK):
            if (project_id, kind) not in have:
                first = now if kind == CLAIMS else now + WALK_EVERY
                Feed.objects.get_or_create(
                    workspace_id=ctx.workspace,
                    kind=kind,
                    project_id=project_id,
                    defaults={
                        "organisation_id": organisation,
                        "next_due_at": first,
                        "time_zone": zone,
                    },
                )
            elif have[project_id, kind] != zone:
                rows.filter(project_id=project_id, kind=kind).update(time_zone=zone)
    rows.exclude(project_id__in=set(zones) | hidden).delete()


def _is_known(ctx: Context, project_id: int) -> bool:
    rows = Document.objects.filter(workspace_id=ctx.workspace, project_id=project_id)
    return rows.exists()


def _zone(project: Project) -> str:
    """The project's time zone by its IANA name; "" where it has none, or none we know."""
    zone = zone_named(project.time_zone) if project.time_zone else None
    return zone.key if zone is not None else ""


def _usual_zone(projects: tuple[Project, ...]) -> str:
    """The time zone most projects of a company are in, for those that have none."""
    zones = Counter(zone for project in projects if (zone := _zone(project)))
    return zones.most_common(1)[0][0] if zones else DEFAULT_ZONE


def put_off(ctx: Context, organisation: OrganisationId, until: datetime) -> None:
    """No feed of a workspace in an organisation is due before `until`."""
    Feed.objects.filter(
        workspace_id=ctx.workspace, organisation_id=organisation, next_due_at__lt=until
    ).update(next_due_at=until)


def put_off_one(feed: Feed, until: datetime) -> None:
    Feed.objects.filter(pk=feed.pk).update(next_due_at=until)


def due(
    ctx: Context, organisation: OrganisationId, pace: Pace, now: datetime, most: int
) -> list[Feed]:
    """The feeds of a workspace in an organisation to read now; what they cost is spent."""
    return take(ctx.procore_calls, ctx.workspace, organisation, pace, now, most)


def lane_of(feed: Feed) -> Lane:
    """The lane its list is read in."""
    if feed.kind == WALK:
        return Lane.WALK
    return Lane.LIST if feed.asked_at is None else Lane.PERSON


async def poll(ctx: Context, feed: Feed, pace: Pace) -> int:
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
    return await db.commit("feed.read", _read, ctx, feed, heads, pace, now, ctx.clock.now())


def _troubled(feed: Feed, code: str, now: datetime) -> None:
    Feed.objects.filter(pk=feed.pk).update(
        trouble=code, next_due_at=now + TROUBLE_WAIT, asked_at=None
    )


def unlisted(ctx: Context, project: ProjectId, status: int) -> None:
    """Tell that claims are seen, but not the lists or pages that they are reckoned with."""
    _claims_feed(ctx, project).filter(trouble="").update(trouble=f"{LISTS}{status}")


def is_unlisted(ctx: Context, project: ProjectId) -> bool:
    return _claims_feed(ctx, project).filter(trouble__startswith=LISTS).exists()


def listed(ctx: Context, project: ProjectId) -> None:
    _claims_feed(ctx, project).update(trouble="")


def _claims_feed(ctx: Context, project: ProjectId) -> QuerySet[Feed]:
    return Feed.objects.filter(workspace_id=ctx.workspace, project_id=project, kind=CLAIMS)


def _read(
    ctx: Context,
    feed: Feed,
    heads: tuple[RequisitionHead, ...],
    pace: Pace,
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
        known = _known(ctx, row)
        refs = _worth_a_look(ctx, row, fresh if feed.kind == CLAIMS else list(heads), known)
        running = {_ref_of(h) for h in fresh if _second_may_run(h, newest, now)}
        organisation = row.organisation_id
        hints.say(ctx.workspace, organisation, Flow.BILL, list(refs - running), now)
        over = now + ONE_SECOND
        hints.say(ctx.workspace, organisation, Flow.BILL, list(refs & running), now, over)
        since = _under_review(row, heads)
        if row.kind == WALK:
            next_due = asked_at + WALK_EVERY
        else:
            approvals = _approvals(ctx, row, fresh, known)
            stirred = row.read_at is not None and len(fresh) > len(approvals)
            found = Look(asked_at.timestamp(), approvals, stirred, tuple(since.values()))
            next_due = looked(row, pace, found)
        if newest is not None and (row.cursor is None or newest > row.cursor):
            row.cursor = newest
        if row.kind == CLAIMS:
            _remember(row, heads, since, now, bool(fresh))
        row.read_at = now
        if not row.trouble.startswith(LISTS):
            row.trouble = ""
        if row.asked_at == feed.asked_at:
            row.asked_at = None
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


def _known(ctx: Context, feed: Feed) -> set[str]:
    """Refs of the project's claims that were seen before."""
    rows = Document.objects.filter(
        workspace_id=ctx.workspace, flow=Flow.BILL.value, project_id=feed.project_id
    )
    return set(rows.values_list("ref", flat=True))


def _worth_a_look(
    ctx: Context, feed: Feed, heads: list[RequisitionHead], known: set[str]
) -> set[SourceRef]:
    """Claims in a status that is posted, claims known here, and on a walk what is missing."""
    there = {str(_ref_of(h)): h for h in heads}
    if feed.kind == WALK:
        # Of those that are settled without a bill nothing is left to be done.
        open_ones = Document.objects.filter(
            Q(links__withdrawn=False) | ~Q(state__in=SETTLED),
            workspace_id=ctx.workspace,
            flow=Flow.BILL.value,
            project_id=feed.project_id,
        ).values_list("ref", flat=True)
        missing = {ref for ref in open_ones if ref not in there}
    else:
        missing = set()
    statuses = _posted(ctx, feed)
    chosen = {
        ref for ref, head in there.items() if ref in known or head.status in statuses
    } | missing
    return {parse_ref(ref) for ref in chosen}


def _posted(ctx: Context, feed: Feed) -> tuple[str, ...]:
    return ctx.settings(ProjectId(feed.project_id), None, None).bill.post_statuses


def _approvals(
    ctx: Context, feed: Feed, fresh: list[RequisitionHead], known: set[str]
) -> tuple[float, ...]:
    """When each of the claims newly approved was; none at a first look, which brings them all."""
    if feed.read_at is None:
        return ()
    statuses, waiting = _posted(ctx, feed), set(feed.in_flight)
    return tuple(
        sorted(
            head.updated_at.timestamp()
            for head in fresh
            if head.status in statuses
            and (int(head.id) in waiting or str(_ref_of(head)) not in known)
        )
    )


def _ref_of(head: RequisitionHead) -> SourceRef:
    return SourceRef.requisition(head.project, head.id)


def _under_review(feed: Feed, heads: tuple[RequisitionHead, ...]) -> dict[int, float]:
    """Since when each claim is under review, in seconds since 1970."""
    found = dict(zip(feed.in_flight, review_of(feed), strict=True))
    for head in heads:
        if head.status in UNDER_REVIEW:
            found.setdefault(int(head.id), head.updated_at.timestamp())
        else:
            found.pop(int(head.id), None)
    return found


def _remember(
    feed: Feed,
    heads: tuple[RequisitionHead, ...],
    since: dict[int, float],
    now: datetime,
    changed: bool,
) -> None:
    """Keep what the overlap will bring again, and which claims are under review since when."""
    feed.in_flight = sorted(since)
    feed.review_since = {str(claim): at for claim, at in since.items()}
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
