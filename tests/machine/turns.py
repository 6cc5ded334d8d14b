"""Taking turns until nothing is due now: what a worker does, without its waiting."""

import time
from datetime import datetime, timedelta
from uuid import UUID

from onecore.domain.ids import OrganisationId, WorkspaceId
from onecore.engine.organisation_run import Turn
from onecore.engine.pace import CLAIMS
from onecore.engine.service import Service
from onecore.engine.use import syncing
from onecore.store.models import Feed, Hint, Intent, Organisation

POLL_SECONDS = "30"
"""How often a busy feed is read; clocks are moved, so nobody waits for it."""


def take_turns(service: Service, workspace: WorkspaceId, organisation: UUID, most: int) -> None:
    """Turns of one process while anything is due, at most `most`."""
    syncing.look_at_feeds(service, workspace)
    for _ in range(most):
        turn = one_turn(service, organisation)
        if not turn.ran:
            time.sleep(0.02)  # another process has the lease
        elif not is_due(organisation, service.clock.now()):
            return


def one_turn(service: Service, organisation: UUID) -> Turn:
    return service.run(service.organisations.turn(OrganisationId(organisation)), timeout=120)


def is_due(organisation: UUID, at: datetime) -> bool:
    """Whether OneCore itself says that there is something to do by an instant."""
    due = Organisation.objects.get(pk=organisation).next_due_at
    return due is not None and due <= at


def unrest(workspace: WorkspaceId, since: datetime, now: datetime) -> list[str]:
    """What is not settled yet, in words: writes in doubt, hints due, lists not read."""
    found = [
        f"a {row.action} of {row.document.ref} is in doubt since {row.sent_at:%d %b %H:%M:%S}"
        for row in Intent.objects.select_related("document")
    ]
    soon = now + timedelta(minutes=2)
    found += [
        f"{row.ref} is due at {row.due_at:%d %b %H:%M:%S} (attempts {row.attempts})"
        for row in Hint.objects.filter(workspace_id=workspace)
        if row.due_at <= soon or row.attempts
    ]
    feeds = Feed.objects.filter(workspace_id=workspace, trouble="")
    found += [
        f"the {row.kind} of project {row.project_id} are to be read"
        for row in feeds
        if (row.kind == CLAIMS or row.next_due_at <= soon)
        and (row.read_at is None or row.read_at < since)
    ]
    unread = Organisation.objects.exclude(bills_read_at__gte=since)
    return found + [f"the bills of {row.name} are to be read" for row in unread]
