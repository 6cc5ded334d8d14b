"""Hints: which documents to look at again. The row is the truth; jobs only wake workers."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Min

from onecore.domain.ids import WorkspaceId
from onecore.domain.refs import Flow, SourceRef, parse_ref
from onecore.store.models import Hint, Organisation


@dataclass(frozen=True, slots=True)
class Said:
    """A hint as it was read. Finishing names the generation, so a later saying survives."""

    id: int
    generation: int
    workspace: WorkspaceId
    flow: Flow
    ref: SourceRef
    lane: str
    attempts: int


_SAY = """
INSERT INTO store_hint (workspace_id, organisation_id, flow, ref, generation, lane, due_at,
                        said_at, attempts)
VALUES (%(workspace)s, %(organisation)s, %(flow)s, %(ref)s, 1, %(lane)s, %(due)s, %(now)s, 0)
ON CONFLICT (workspace_id, flow, ref) DO UPDATE
   SET generation = store_hint.generation + 1, said_at = excluded.said_at, attempts = 0,
       due_at = LEAST(store_hint.due_at, excluded.due_at),
       organisation_id = COALESCE(excluded.organisation_id, store_hint.organisation_id),
       lane = CASE WHEN excluded.lane = 'person' THEN 'person' ELSE store_hint.lane END
"""


def say(
    workspace: WorkspaceId,
    organisation: UUID | None,
    flow: Flow,
    refs: list[SourceRef],
    now: datetime,
    due: datetime | None = None,
    lane: str = "document",
) -> None:
    """Say that these documents are to be looked at, at `due` (now when None)."""
    if not refs:
        return
    with transaction.atomic(), connection.cursor() as cursor:
        for ref in sorted({str(ref) for ref in refs}):  # one order, so that two never deadlock
            cursor.execute(
                _SAY,
                {
                    "workspace": workspace,
                    "organisation": organisation,
                    "flow": flow.value,
                    "ref": ref,
                    "lane": lane,
                    "due": due or now,
                    "now": now,
                },
            )
        if organisation is not None:
            wake(organisation, due or now)


def wake(organisation: UUID, at: datetime) -> None:
    """Make an organisation due at `at`, unless it is due earlier."""
    due = Organisation.objects.filter(tenant=organisation)
    due.filter(next_due_at__isnull=True).update(next_due_at=at)
    due.filter(next_due_at__gt=at).update(next_due_at=at)


def due(organisation: UUID, now: datetime, limit: int, workspaces: list[WorkspaceId]) -> list[Said]:
    """Hints due now: what a person waits for first, then the oldest."""
    rows = Hint.objects.filter(
        organisation_id=organisation, due_at__lte=now, workspace_id__in=workspaces
    )
    ordered = sorted(
        rows.order_by("due_at", "id")[: limit * 4], key=lambda row: row.lane != "person"
    )
    return [_said(row) for row in ordered[:limit]]


def _said(row: Hint) -> Said:
    return Said(
        id=row.pk,
        generation=row.generation,
        workspace=WorkspaceId(row.workspace_id),
        flow=Flow(row.flow),
        ref=parse_ref(row.ref),
        lane=row.lane,
        attempts=row.attempts,
    )


def finish(said: Said) -> None:
    """Done with this saying of it; one said meanwhile stays."""
    Hint.objects.filter(pk=said.id, generation=said.generation).delete()


def later(said: Said, at: datetime) -> None:
    """Look again at `at`, unless it was said meanwhile."""
    Hint.objects.filter(pk=said.id, generation=said.generation).update(
        due_at=at, attempts=F("attempts") + 1
    )


def next_due(organisation: UUID) -> datetime | None:
    found = Hint.objects.filter(organisation_id=organisation).aggregate(first=Min("due_at"))
    first: datetime | None = found["first"]
    return first


def pending(workspace: WorkspaceId, now: datetime) -> int:
    """Hints of a workspace that are due now."""
    return Hint.objects.filter(workspace_id=workspace, due_at__lte=now).count()


def route(workspace: WorkspaceId, ref: str, organisation: UUID) -> None:
    """Give a hint that had no organisation yet the one its project now goes to."""
    Hint.objects.filter(workspace_id=workspace, ref=ref).update(organisation_id=organisation)
