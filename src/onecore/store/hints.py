"""Hints: which documents to look at again. The row is the truth; jobs only wake workers."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Case, Min, Q, QuerySet, Value, When
from django.db.models.functions import Least

from onecore.domain.ids import WorkspaceId
from onecore.domain.refs import Flow, SourceRef, parse_ref
from onecore.store.models import Hint, Organisation, WorkspaceOrganisation


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
SELECT %(workspace)s, %(organisation)s, %(flow)s, ref, 1, %(lane)s, %(due)s, %(now)s, 0
  FROM unnest(%(refs)s::text[]) AS ref
ON CONFLICT (workspace_id, flow, ref) DO UPDATE
   SET generation = store_hint.generation + 1, said_at = excluded.said_at, attempts = 0,
       due_at = CASE WHEN excluded.due_at > excluded.said_at THEN excluded.due_at
                     ELSE LEAST(store_hint.due_at, excluded.due_at) END,
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
    """Say that these documents are to be looked at, at `due` (now when None).

    A `due` in the future says that a look before it could come too early, so it also puts off
    a look that was said before; who says it again for now, gets it now.

    The organisation's row is locked first, as whoever commits under its lease does, so that the
    two wait for each other rather than both for ever.
    """
    if not refs:
        return
    with transaction.atomic(), connection.cursor() as cursor:
        organisation = _looked_at_by(workspace, organisation)
        if organisation is not None:
            wake(organisation, due or now)
        cursor.execute(
            _SAY,
            {
                "workspace": workspace,
                "organisation": organisation,
                "flow": flow.value,
                "refs": sorted({str(ref) for ref in refs}),  # one order, so that two never deadlock
                "lane": lane,
                "due": due or now,
                "now": now,
            },
        )


def _looked_at_by(workspace: WorkspaceId, organisation: UUID | None) -> UUID | None:
    """The organisation whose turn looks at it: the one it goes to, or any that is joined where
    its project goes nowhere yet, so that somebody finds out and says so."""
    rows = WorkspaceOrganisation.objects.filter(workspace_id=workspace).order_by("pk")
    joined = list(rows.values_list("organisation_id", flat=True))
    return organisation if organisation in joined else next(iter(joined), None)


def wake(organisation: UUID, at: datetime) -> None:
    """Make an organisation due at `at`, unless it is due earlier.

    The row is written, so locked until the commit, even where it is due already: a turn that
    ends meanwhile waits, and then sees what was said instead of sleeping past it.
    """
    earliest = Least("next_due_at", Value(at))  # PostgreSQL's LEAST passes over NULL
    Organisation.objects.filter(tenant=organisation).update(next_due_at=earliest)


def sleep_until(organisation: UUID, at: Callable[[], datetime | None]) -> datetime | None:
    """Set when an organisation is due next, from what `at` reads while nobody can say a hint;
    when that is."""
    with transaction.atomic():
        rows = Organisation.objects.filter(pk=organisation)
        if rows.select_for_update().first() is None:
            return None
        next_at = at()
        rows.update(next_due_at=next_at)
        return next_at


def due(organisation: UUID, now: datetime, limit: int, workspaces: list[WorkspaceId]) -> list[Said]:
    """Hints due now: what a person waits for first, then the oldest."""
    rows = _of(organisation, workspaces).filter(due_at__lte=now)
    oldest = rows.order_by("due_at", "id")[: limit * 4].values("pk")
    people_first = Case(When(lane="person", then=0), default=1)
    found = Hint.objects.filter(pk__in=oldest).order_by(people_first, "due_at", "id")
    return [_said(row) for row in found[:limit]]


def _of(organisation: UUID, workspaces: Collection[WorkspaceId]) -> QuerySet[Hint]:
    """Hints of an organisation, and those said before any was joined."""
    theirs = Q(organisation_id=organisation) | Q(organisation_id__isnull=True)
    return Hint.objects.filter(theirs, workspace_id__in=workspaces)


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


_MEANT = """
WITH meant AS (
    SELECT hint.id, said.due FROM store_hint AS hint
      JOIN unnest(%(ids)s::bigint[], %(generations)s::bigint[], %(dues)s::timestamptz[])
           AS said (id, generation, due) USING (id, generation)
     ORDER BY hint.ref COLLATE "C" FOR UPDATE OF hint)
"""
"""Sayings that nobody has said anew meanwhile, locked in the order in which they are said."""

_FINISH = "DELETE FROM store_hint USING meant WHERE store_hint.id = meant.id"
_AT = """
UPDATE store_hint SET due_at = meant.due, attempts = {attempts}
  FROM meant WHERE store_hint.id = meant.id
"""


def _each(sql: str, said: Sequence[Said], dues: Sequence[datetime | None]) -> None:
    values: dict[str, Any] = {
        "ids": [one.id for one in said],
        "generations": [one.generation for one in said],
        "dues": list(dues),
    }
    if said:
        with connection.cursor() as cursor:
            cursor.execute(_MEANT + sql, values)


def finish(said: Sequence[Said]) -> None:
    """Done with these sayings; what was said anew meanwhile stays."""
    _each(_FINISH, said, [None] * len(said))


def later(said: Sequence[Said], at: datetime, failed: bool = False) -> None:
    """Look again at `at`, unless it was said meanwhile; `failed` counts it as an attempt."""
    attempts = "attempts + 1" if failed else "attempts"
    _each(_AT.format(attempts=attempts), said, [at] * len(said))


def again(said: Sequence[tuple[Said, datetime]]) -> None:
    """These looks went well; others are wanted at these instants, unless said meanwhile."""
    _each(_AT.format(attempts="0"), [one for one, _ in said], [at for _, at in said])


def next_due(organisation: UUID, workspaces: Collection[WorkspaceId]) -> datetime | None:
    """When the first hint of these workspaces in an organisation is due."""
    rows = _of(organisation, workspaces)
    first: datetime | None = rows.aggregate(first=Min("due_at"))["first"]
    return first


def person_waits(organisation: UUID, now: datetime) -> bool:
    """Whether somebody asked for a document of this organisation to be looked at now."""
    rows = Hint.objects.filter(organisation_id=organisation, lane="person", due_at__lte=now)
    return rows.exists()


def first_due(workspace: WorkspaceId) -> datetime | None:
    """When the first hint of a workspace is due, in whatever organisation."""
    rows = Hint.objects.filter(workspace_id=workspace)
    first: datetime | None = rows.aggregate(first=Min("due_at"))["first"]
    return first


def pending(workspace: WorkspaceId, at: datetime, refs: Sequence[SourceRef] | None = None) -> int:
    """Hints of a workspace that are due by an instant, or whose look failed and is repeated; of
    all documents, or only of `refs`."""
    due = Q(due_at__lte=at) | Q(attempts__gt=0)
    rows = Hint.objects.filter(due, workspace_id=workspace)
    if refs is not None:
        rows = rows.filter(ref__in=[str(ref) for ref in refs])
    return rows.count()


def route(said: Said, organisation: UUID, now: datetime) -> None:
    """Hand a hint to the organisation whose writer has to look at it."""
    with transaction.atomic():
        wake(organisation, now)
        Hint.objects.filter(pk=said.id, generation=said.generation).update(
            organisation_id=organisation, due_at=now
        )
