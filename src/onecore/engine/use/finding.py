"""Finding what somebody means who names no workspace, and reading the audit log."""

from onecore.domain.ids import WorkspaceId
from onecore.domain.refs import SourceRef
from onecore.engine.use.errors import NotFound, UseError
from onecore.store import audit
from onecore.store.models import Attention, AuditEntry, Document


def workspace_of_matter(attention_id: int) -> WorkspaceId:
    """The workspace an open matter belongs to. Raises NotFound."""
    row = Attention.objects.filter(pk=attention_id).first()
    if row is None:
        raise NotFound(
            f"There is no open matter {attention_id}; it may be settled already. List them with: "
            "onecore attention -w NAME"
        )
    return WorkspaceId(row.workspace_id)


def workspace_of_ref(ref: SourceRef) -> WorkspaceId:
    """The one workspace that has seen this document. Raises NotFound, UseError for several."""
    rows = Document.objects.filter(ref__startswith=f"{ref.kind}:", ref__endswith=f"/{ref.id}")
    if ref.project is not None:
        rows = rows.filter(ref=str(ref))
    found = set(rows.values_list("workspace_id", flat=True))
    if not found:
        raise NotFound(f"{ref} has not been seen. Look at it with: onecore sync -w NAME {ref}")
    if len(found) > 1:
        raise UseError(f"{ref} is in {len(found)} workspaces: say which with -w NAME.")
    return WorkspaceId(found.pop())


def audit_entries(workspace: WorkspaceId, limit: int) -> list[AuditEntry]:
    """What was done in a workspace, the newest first."""
    return audit.entries(workspace, limit)
