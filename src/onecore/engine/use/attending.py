"""What needs a person: grouped by cause, answered, approved or rejected, and mended."""

from dataclasses import dataclass
from datetime import datetime

from onecore.domain.ids import WorkspaceId
from onecore.domain.refs import Flow, SourceRef, parse_ref
from onecore.engine import db
from onecore.engine.service import Service
from onecore.engine.use.errors import NotFound, UseError
from onecore.engine.use.syncing import say, with_project
from onecore.store import audit, documents
from onecore.store.models import Attention, AttentionItem, Document


@dataclass(frozen=True, slots=True)
class Item:
    """One document under a cause, with its details while it waits."""

    ref: str
    state: str
    subject: str
    detail: str


@dataclass(frozen=True, slots=True)
class Group:
    """One cause, everything it keeps, and the ways out."""

    id: int
    cause: str
    subject: str  # what it is about: a vendor's id, a cost code, an account
    state: str
    opened_at: datetime
    choices: tuple[tuple[str, str, str], ...]  # code, label, effect
    items: tuple[Item, ...]

    @property
    def refs(self) -> tuple[str, ...]:
        return tuple(item.ref for item in self.items)


def groups(service: Service, workspace: WorkspaceId) -> list[Group]:
    """Open causes, those that keep most documents first."""
    rows = Attention.objects.filter(workspace_id=workspace).prefetch_related("items__document")
    found = [_group(service, row) for row in rows]
    return sorted(found, key=lambda g: (-len(g.items), g.opened_at))


def _group(service: Service, row: Attention) -> Group:
    items = [_item(service, row, item) for item in row.items.all()]
    first = row.items.all()[0] if items else None
    return Group(
        id=row.pk,
        cause=row.cause,
        subject=row.subject,
        state=items[0].state if items else "",
        opened_at=row.opened_at,
        choices=tuple((c[0], c[1], c[2]) for c in (first.choices if first else [])),
        items=tuple(items),
    )


def _item(service: Service, row: Attention, item: AttentionItem) -> Item:
    document = item.document
    vault = service.vault
    subject = vault.open(document.subject, f"document:{document.pk}") if document.subject else ""
    bound = f"attention:{row.pk}:{document.pk}"
    detail = vault.open(item.detail, bound) if item.detail else ""
    return Item(document.ref, document.state, subject, detail)


def resolve(
    service: Service, workspace: WorkspaceId, attention_id: int, choice: str, actor: str
) -> list[str]:
    """Answer a cause for every document it keeps; their refs, which are looked at again now.

    Raises NotFound, or UseError naming the choices there are.
    """
    row = Attention.objects.filter(pk=attention_id, workspace_id=workspace).first()
    if row is None:
        raise NotFound(
            f"There is no open matter {attention_id}; it may be settled already. "
            "List them with: onecore attention -w NAME"
        )
    items = list(row.items.select_related("document"))
    codes = [c[0] for c in (items[0].choices if items else [])]
    if choice not in codes:
        raise UseError(f"{choice!r} is no choice here. Choices: {', '.join(codes) or 'none'}.")
    refs = [parse_ref(item.document.ref) for item in items]
    with db.committing("answer.kept"):
        say(service, workspace, refs)  # first, as it locks the organisation like every turn does
        for item in items:
            _answer(service, item, choice)
        audit.record(
            workspace,
            service.clock.now(),
            actor,
            f"attention.{choice}",
            row.cause,
            documents=len(items),
        )
        for ref in refs:
            audit.record(workspace, service.clock.now(), actor, f"answered.{choice}", str(ref))
    return [str(ref) for ref in refs]


def _answer(service: Service, item: AttentionItem, choice: str) -> None:
    """Write what was said and nothing else: the engine may be placing the document just now."""
    row = Document.objects.filter(pk=item.document_id)
    if choice == "approve":
        row.update(approved_for=item.question)
    elif choice == "reject":
        row.update(rejected_for=item.question)
    elif choice != "look_again" and item.question:
        documents.answered(item.document, item.question, choice)


def approve(service: Service, workspace: WorkspaceId, ref: SourceRef, actor: str) -> None:
    """Say yes to exactly what is waiting for approval. Raises NotFound."""
    _decide(service, workspace, ref, "approve", actor, "")


def reject(
    service: Service, workspace: WorkspaceId, ref: SourceRef, reason: str, actor: str
) -> None:
    """Say no with a reason, which the audit log keeps. Raises NotFound, UseError without one."""
    if not reason.strip():
        raise UseError("A rejection needs a reason: --reason TEXT")
    _decide(service, workspace, ref, "reject", actor, reason.strip())


def _decide(
    service: Service, workspace: WorkspaceId, ref: SourceRef, choice: str, actor: str, reason: str
) -> None:
    whole = with_project(workspace, ref)
    item = (
        AttentionItem.objects.filter(
            document__workspace_id=workspace,
            document__ref=str(whole),
            document__flow=Flow.BILL.value,
            attention__cause="approval",
        )
        .select_related("document")
        .first()
    )
    if item is None:
        raise NotFound(f"{whole} is not waiting for approval.")
    with db.committing("answer.kept"):
        say(service, workspace, [whole])
        _answer(service, item, choice)
        facts = {"reason": reason[:500]} if reason else {}
        audit.record(
            workspace, service.clock.now(), actor, f"document.{choice}", str(whole), **facts
        )
