"""Looking at documents now: one, some, or everything that is due, until nothing is."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Sum

from onecore.domain.ids import OrganisationId, WorkspaceId
from onecore.domain.refs import Flow, Kind, SourceRef, parse_ref
from onecore.engine import bells, calls, config, db, jobs
from onecore.engine.feeds import LISTS
from onecore.engine.service import Service
from onecore.engine.use.errors import NotFound, UseError
from onecore.engine.use.workspaces import newest_config
from onecore.ports import Lane, Remote
from onecore.store import documents, hints
from onecore.store.allowances import Key
from onecore.store.models import (
    CallCount,
    Document,
    Feed,
    Hint,
    Workspace,
    WorkspaceOrganisation,
)
from onecore.sync.budget import Wait

MOMENTS = timedelta(seconds=2)
"""What is due that soon is waited for: the second a change falls into, a short limit."""
RETRIED_SOON = timedelta(seconds=6)
PAUSE = 0.2


@dataclass(slots=True)
class Synced:
    """What a sync came to. `done` counts documents settled, `waiting` those not done in time."""

    done: int = 0
    waiting: int = 0
    attention: int = 0
    calls: dict[str, int] = field(default_factory=dict)
    idle: bool = False
    troubles: tuple[str, ...] = ()


def with_project(workspace: WorkspaceId, ref: SourceRef) -> SourceRef:
    """The ref with its project, from what was seen before. Raises NotFound when it never was."""
    if ref.kind is not Kind.REQUISITION:
        raise UseError(f"{ref.kind} documents are not carried in this version; requisitions are.")
    if ref.project is not None:
        return ref
    seen = Document.objects.filter(workspace_id=workspace, ref__endswith=f"/{ref.id}").first()
    if seen is None:
        raise NotFound(
            f"{ref} has not been seen before, so its project is needed: {ref.kind}:PROJECT/{ref.id}"
        )
    return SourceRef.requisition(seen.project_id or 0, int(ref.id))


def say(
    service: Service, workspace: WorkspaceId, refs: Sequence[SourceRef], lane: str = "person"
) -> list[SourceRef]:
    """Say that these documents are to be looked at now; their refs with their projects."""
    document = config.read(newest_config(workspace).text)
    now = service.clock.now()
    said = [with_project(workspace, ref) for ref in refs]
    by_organisation: dict[OrganisationId | None, list[SourceRef]] = defaultdict(list)
    for whole in said:
        assert whole.project is not None
        by_organisation[document.organisation_of(whole.project)].append(whole)
    with db.committing("hints.said"):
        for organisation in sorted(by_organisation, key=str):  # one order, so none deadlocks
            some = by_organisation[organisation]
            hints.say(workspace, organisation, Flow.BILL, some, now, lane=lane)
            if organisation is not None:
                jobs.ring(organisation)
    return said


def look_at_feeds(service: Service, workspace: WorkspaceId) -> None:
    """Make every feed of a workspace due now, as somebody waits for it, and the documents of
    projects that were not shown whole: what kept them may just have been put right."""
    now = service.clock.now()
    rows = Feed.objects.filter(workspace_id=workspace, kind="requisitions")
    rows.update(next_due_at=now, asked_at=now)
    for feed in rows.filter(trouble__startswith=LISTS).order_by("organisation_id"):
        kept = Hint.objects.filter(workspace_id=workspace, ref__contains=f":{feed.project_id}/")
        refs = [parse_ref(ref) for ref in kept.values_list("ref", flat=True)]
        hints.say(workspace, feed.organisation_id, Flow.BILL, refs, now, lane="person")
    joined = WorkspaceOrganisation.objects.filter(workspace_id=workspace)
    for one in joined.order_by("organisation_id"):
        hints.wake(one.organisation_id, now)


def is_idle(service: Service, workspace: WorkspaceId) -> bool:
    """No hint due now and no unsettled intent; what is held or asked does not count."""
    return _waiting(service, workspace) == 0


def _waiting(
    service: Service, workspace: WorkspaceId, refs: Sequence[SourceRef] | None = None
) -> int:
    """Documents due now, within moments, after a failure or when a limit ends, and writes whose
    fate is not known yet; of all, or only of `refs`."""
    now = service.clock.now()
    ends = [wait.until for _, wait in _limits(service, workspace)]
    waiting = hints.pending(workspace, max([now, *ends]) + MOMENTS, refs)
    return waiting + documents.unsettled_count(workspace, refs)


def _limits(service: Service, workspace: WorkspaceId) -> list[tuple[Key, Wait]]:
    """Limits that keep documents of this workspace waiting."""
    return service.contexts.calls.waits(calls.keys_of(workspace), Lane.DOCUMENT, workspace)


_UNSEEN = {
    "procore": "not shown to the app; permit it there and switch its Invoicing on",
    "lists": "its cost codes, contracts or claims' details are not shown to the app; let it read "
    "them",
}


def _standing(
    service: Service, workspace: WorkspaceId, refs: Sequence[SourceRef] | None = None
) -> list[str]:
    """What keeps a workspace from going on, whatever a turn tries. Projects that were not shown
    are left out where only `refs` were asked for and none of them waits."""
    paused = Workspace.objects.filter(pk=workspace, paused=True).exists()
    said = ["the workspace is paused; run: onecore resume -w NAME"] if paused else []
    for key, wait in _limits(service, workspace):
        at = f"{wait.until:%Y-%m-%d %H:%M:%S} UTC"
        kind = wait.kind.replace("_", " ")
        said.append(f"{key.remote}: {kind} limit; waiting until {at}")
    if refs is not None and _waiting(service, workspace, refs) == 0:
        return said
    unseen = Feed.objects.filter(workspace_id=workspace).exclude(trouble="").order_by("project_id")
    for project, code in unseen.values_list("project_id", "trouble").distinct():
        what, _, status = code.partition("_")
        said.append(f"procore: project {project}: {_UNSEEN.get(what, code)} ({status})")
    return said


def _goes_on_by(service: Service, workspace: WorkspaceId, started: datetime, at: datetime) -> bool:
    """Whether anything of what is waited for can be done by an instant."""
    hint = hints.first_due(workspace)
    return (
        (hint is not None and hint <= at)
        or documents.unsettled_count(workspace) > 0
        or _unread(service, workspace, started) > 0
    )


def _unread(service: Service, workspace: WorkspaceId, since: datetime) -> int:
    """Feeds that have not been read since an instant and are due, or are tried again soon."""
    soon = service.clock.now() + RETRIED_SOON
    due = Feed.objects.filter(workspace_id=workspace, kind="requisitions", next_due_at__lte=soon)
    return due.exclude(read_at__gte=since).count()


def _knows_its_lists(workspace: WorkspaceId) -> bool:
    """Whether any process got as far as finding out which lists there are to read."""
    return Feed.objects.filter(workspace_id=workspace).exists()


async def sync(
    service: Service,
    workspace: WorkspaceId,
    refs: Sequence[SourceRef] = (),
    until_idle: bool = False,
    timeout: timedelta = timedelta(minutes=2),
    progress: Callable[[Synced], None] | None = None,
) -> Synced:
    """Look now, in this process where nobody holds the organisation, else wait for the holder.

    With `refs` only those are said and waited for; without, every feed is read. `until_idle` goes
    on until nothing of the workspace is due. Ends at `timeout`, or when nothing can go on before
    it, with what is left in `waiting` and why in `troubles`.
    """
    started = service.clock.now()
    before = await db.run(_calls, workspace)
    await db.run(bells.answer, started)
    if refs:
        refs = await db.run(say, service, workspace, refs)
    else:
        await db.commit("feeds.due", look_at_feeds, service, workspace)
    awaited = refs if refs and not until_idle else None
    organisations = await db.run(_organisations, workspace)
    if not organisations:
        raise UseError("This workspace is not connected to Xero. Run: onecore connect xero -w NAME")
    result = Synced()
    met: dict[str, None] = {}
    ran: set[OrganisationId] = set()
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout.total_seconds()
    while True:
        troubles: list[str] = []
        ends = service.clock.now() + timedelta(seconds=deadline - loop.time())
        stuck = True
        for organisation in organisations:
            turn = await service.organisations.turn(organisation)
            ran |= {organisation} if turn.ran else set()
            troubles += [t.text for t in turn.troubles if t.workspace in (None, workspace)]
            stuck = stuck and turn.is_stuck(workspace, ends)
        troubles = await db.run(_standing, service, workspace, awaited) + troubles
        met |= dict.fromkeys(troubles)
        stuck = stuck or not await db.run(_goes_on_by, service, workspace, started, ends)
        result = await db.run(_summary, service, workspace, not refs, awaited, started, before)
        if not refs and len(ran) < len(organisations):
            result.idle = result.idle and await db.run(_knows_its_lists, workspace)
        # What was met and overcome is no news, unless something still waits because of it.
        result.troubles = tuple(dict.fromkeys(troubles) if result.idle else met)
        if progress is not None:
            progress(result)
        if result.idle or stuck or loop.time() >= deadline:
            return result
        await asyncio.sleep(PAUSE)


def _organisations(workspace: WorkspaceId) -> list[OrganisationId]:
    rows = WorkspaceOrganisation.objects.filter(workspace_id=workspace)
    return [OrganisationId(UUID(str(pk))) for pk in rows.values_list("organisation_id", flat=True)]


def _summary(
    service: Service,
    workspace: WorkspaceId,
    feeds: bool,
    awaited: Sequence[SourceRef] | None,
    started: datetime,
    before: dict[str, int],
) -> Synced:
    after = _calls(workspace)
    looked = Document.objects.filter(workspace_id=workspace, looked_at__gte=started)
    waiting = _waiting(service, workspace, awaited)
    unread = _unread(service, workspace, started) if feeds else 0
    return Synced(
        done=looked.filter(state__in=documents.SETTLED).count(),
        waiting=waiting,
        attention=Document.objects.filter(
            workspace_id=workspace, state__in=documents.NEEDS_A_PERSON
        ).count(),
        calls={name: after[name] - before.get(name, 0) for name in after},
        idle=waiting == 0 and unread == 0,
    )


def _calls(workspace: WorkspaceId) -> dict[str, int]:
    """Calls made for this workspace so far, by remote."""
    rows = CallCount.objects.filter(workspace=workspace).values("remote").annotate(n=Sum("calls"))
    return {remote.value: 0 for remote in Remote} | {row["remote"]: row["n"] for row in rows}
