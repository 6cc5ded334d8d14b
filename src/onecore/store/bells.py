"""Bells: what webhooks rang for and was not answered yet. Many rings of a bell are one row."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db import connection
from django.db.models import F, Q

from onecore.store.models import Bell

ONE_ANSWERS = 0x0BE11  # an advisory lock of this database
NOTED_AT_ONCE = 2000


class Rings(StrEnum):
    """What a bell is about; the scope is an organisation for the first three, else a workspace."""

    BILLS = "bills"  # any bill of an organisation
    BILL = "bill"  # one bill that a link points at; ref: its id
    CONTACTS = "contacts"
    LIST = "list"  # a list that mappings point at; ref: its kind, or kind/project
    PROJECT = "project"  # something inside a project; ref: its id
    CLAIM = "claim"  # a claim that is known here; ref: its ref
    HOOK = "hook"  # a hook of ours was heard; ref: its name


@dataclass(frozen=True, slots=True)
class Rung:
    """One thing that rang."""

    scope: str
    rings: Rings
    ref: str = ""


_NOTE = """
INSERT INTO store_bell AS bell (scope, kind, ref, generation, answered, rung_at)
SELECT said.scope, said.kind, said.ref, 1, 0, %(now)s
  FROM unnest(%(scopes)s::text[], %(kinds)s::text[], %(refs)s::text[]) AS said(scope, kind, ref)
 WHERE CASE said.kind
  WHEN 'bills' THEN EXISTS (
    SELECT 1 FROM store_workspaceorganisation WHERE organisation_id = said.scope::uuid)
  WHEN 'contacts' THEN EXISTS (
    SELECT 1 FROM store_workspaceorganisation WHERE organisation_id = said.scope::uuid)
  WHEN 'bill' THEN EXISTS (
    SELECT 1 FROM store_link WHERE target_kind = 'bill' AND target_id = said.ref::uuid
                               AND organisation_id = said.scope::uuid AND NOT withdrawn)
  WHEN 'project' THEN EXISTS (
    SELECT 1 FROM store_feed WHERE workspace_id = said.scope::bigint
                               AND project_id = said.ref::bigint)
  WHEN 'claim' THEN EXISTS (
    SELECT 1 FROM store_document WHERE workspace_id = said.scope::bigint AND ref = said.ref)
  ELSE TRUE END
 ORDER BY said.scope, said.kind, said.ref
ON CONFLICT (scope, kind, ref) DO UPDATE
   SET generation = bell.generation + 1, rung_at = excluded.rung_at
"""


def note(rung: Iterable[Rung], now: datetime) -> None:
    """Keep what rang, in one statement and one commit.

    Only what is known here is kept, so that the rows are bounded by what OneCore carries and not
    by what is sent. The order is one for all, so that two processes never wait for each other
    in a circle.
    """
    rows = list(dict.fromkeys(rung))
    for at in range(0, len(rows), NOTED_AT_ONCE):
        some = rows[at : at + NOTED_AT_ONCE]
        with connection.cursor() as cursor:
            cursor.execute(
                _NOTE,
                {
                    "scopes": [one.scope for one in some],
                    "kinds": [one.rings.value for one in some],
                    "refs": [one.ref for one in some],
                    "now": now,
                },
            )


def answering() -> bool:
    """Inside a transaction: whether this process is the one that answers, until it commits."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [ONE_ANSWERS])
        row = cursor.fetchone()
    return bool(row and row[0])


def due(spent_by: datetime, limit: int) -> list[Bell]:
    """Bells that rang since they were answered last and whose allowance is back by `spent_by`,
    those that rang first before the others."""
    may = Q(spent_until__isnull=True) | Q(spent_until__lte=spent_by)
    rows = Bell.objects.filter(may, generation__gt=F("answered"))
    return list(rows.order_by("rung_at", "id")[:limit])


def answered(bells: Sequence[Bell], now: datetime) -> None:
    """These were answered as they were read; one that rang meanwhile stays to be answered.

    Their `spent_until` has been set. Rows whose allowance is whole again are not needed.
    """
    for bell in bells:
        bell.answered = bell.generation
    Bell.objects.bulk_update(bells, ["answered", "spent_until"], batch_size=500)
    Bell.objects.filter(generation=F("answered"), spent_until__lte=now).delete()


def waiting() -> int:
    """How many bells have rung and were not answered yet."""
    return Bell.objects.filter(generation__gt=F("answered")).count()
