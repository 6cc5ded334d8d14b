"""The audit log: who did what to which id. Only ever added to."""

from datetime import datetime

from onecore.domain.ids import WorkspaceId
from onecore.store.models import AuditEntry


def record(
    workspace: WorkspaceId | None,
    at: datetime,
    actor: str,
    act: str,
    subject: str = "",
    **facts: str | int | bool,
) -> None:
    """Add one entry. `subject` and `facts` are ids, codes and counts, never document text."""
    AuditEntry.objects.create(
        workspace_id=workspace, at=at, actor=actor, act=act, subject=subject, facts=facts
    )


def entries(workspace: WorkspaceId, limit: int = 200) -> list[AuditEntry]:
    """The newest entries first."""
    return list(AuditEntry.objects.filter(workspace_id=workspace).order_by("-at", "-id")[:limit])
