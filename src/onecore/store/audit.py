"""The audit log: who did what to which id. Only ever added to."""

from collections.abc import Sequence
from datetime import datetime

from onecore.domain.ids import WorkspaceId
from onecore.store import batch
from onecore.store.models import AuditEntry


def entry(
    workspace: WorkspaceId | None,
    at: datetime,
    actor: str,
    act: str,
    subject: str = "",
    **facts: str | int | bool,
) -> AuditEntry:
    """An entry to be added. `subject` and `facts` are ids, codes and counts, never document
    text."""
    return AuditEntry(
        workspace_id=workspace, at=at, actor=actor, act=act, subject=subject, facts=facts
    )


def record(
    workspace: WorkspaceId | None,
    at: datetime,
    actor: str,
    act: str,
    subject: str = "",
    **facts: str | int | bool,
) -> None:
    """Add one entry."""
    entry(workspace, at, actor, act, subject, **facts).save(force_insert=True)


def record_all(entries: Sequence[AuditEntry]) -> None:
    """Add entries that `entry` made."""
    batch.insert(entries)


def entries(workspace: WorkspaceId, limit: int = 200) -> list[AuditEntry]:
    """The newest entries first."""
    return list(AuditEntry.objects.filter(workspace_id=workspace).order_by("-at", "-id")[:limit])
