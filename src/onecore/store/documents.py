"""Where documents stand, what they became, and what about them needs a person."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from onecore.domain.ids import WorkspaceId
from onecore.domain.refs import Flow, SourceRef
from onecore.store.models import Attention, AttentionItem, Document, Intent, Link
from onecore.store.vault import Vault

IN_STEP, WAITING, APPROVAL, PREVIEWED = "in_step", "waiting", "approval", "previewed"
HELD, ASK, REFUSED, DRIFTED, WITHDRAWN = "held", "ask", "refused", "drifted", "withdrawn"
NEEDS_A_PERSON = (HELD, ASK, REFUSED, DRIFTED, APPROVAL)
SETTLED = (IN_STEP, WITHDRAWN)
OURS = [
    "organisation", "contract_id", "state", "note", "since", "subject", "source_updated_at",
    "looked_at", "absent_at",
]  # fmt: skip
"""What the engine writes of a document. The rest is what people said, and may have said
while the engine was looking, so it is never written back from what was read before."""


@dataclass(frozen=True, slots=True)
class Matter:
    """One cause that keeps a document: a gap, a question, a refusal.

    `subject` is an id, `detail` words that may carry figures and names (kept sealed).
    `question` names the exact situation, so that an answer holds for no other.
    """

    cause: str
    subject: str
    detail: str = ""
    question: str = ""
    choices: tuple[tuple[str, str, str], ...] = ()  # code, label, effect


def known(workspace: WorkspaceId, flow: Flow, refs: Iterable[SourceRef]) -> dict[str, Document]:
    """The documents among `refs` that have been seen before, by ref."""
    rows = Document.objects.filter(
        workspace_id=workspace, flow=flow.value, ref__in=[str(ref) for ref in refs]
    ).prefetch_related("links", "intents")
    return {row.ref: row for row in rows}


def of(
    workspace: WorkspaceId,
    organisation: UUID | None,
    flow: Flow,
    ref: SourceRef,
    contract: int | None,
    now: datetime,
) -> Document:
    """The row of a document, made when it is first met."""
    row, _ = Document.objects.get_or_create(
        workspace_id=workspace,
        flow=flow.value,
        ref=str(ref),
        defaults={
            "organisation_id": organisation,
            "project_id": ref.project,
            "contract_id": contract,
            "state": WAITING,
            "since": now,
        },
    )
    return row


def live_link(document: Document, part: str = "main") -> Link | None:
    """The part's newest link that has not been withdrawn."""
    links = [x for x in document.links.all() if x.part == part and not x.withdrawn]
    return max(links, key=lambda x: x.version, default=None)


def next_version(document: Document, part: str = "main") -> int:
    """The version the next target of this part gets: one more than any before."""
    return max((x.version for x in document.links.all() if x.part == part), default=0) + 1


def place(
    document: Document,
    state: str,
    now: datetime,
    note: str = "",
    matters: Sequence[Matter] = (),
    subject: str | None = None,
    vault: Vault | None = None,
) -> None:
    """Put a document into a state with what needs a person about it.

    `subject` is a short text for lists (number, vendor, project), kept sealed while the document
    waits; in step or withdrawn it is erased, and so is every detail.
    """
    with transaction.atomic():
        if document.state != state:
            document.since = now
        document.state, document.note, document.looked_at = state, note, now
        if state in SETTLED:
            document.subject = None
        elif subject is not None and vault is not None:
            document.subject = vault.seal(subject, f"document:{document.pk}")
        document.save(update_fields=OURS)
        _attend(document, matters, now, vault)


def answered(document: Document, question: str, choice: str) -> None:
    """Keep what was chosen for one question, beside what others chose meanwhile."""
    with transaction.atomic():
        row = Document.objects.select_for_update().get(pk=document.pk)
        row.answers = {**row.answers, question: choice}
        row.save(update_fields=["answers"])
    document.answers = row.answers


def _attend(
    document: Document, matters: Sequence[Matter], now: datetime, vault: Vault | None
) -> None:
    """Make the document's open matters exactly these; causes nobody hangs on any more close."""
    kept: list[int] = []
    for matter in matters:
        attention, _ = Attention.objects.get_or_create(
            workspace_id=document.workspace_id,
            cause=matter.cause,
            subject=matter.subject[:120],
            defaults={"opened_at": now},
        )
        bound = f"attention:{attention.pk}:{document.pk}"
        AttentionItem.objects.update_or_create(
            attention=attention,
            document=document,
            defaults={
                "question": matter.question,
                "choices": [list(choice) for choice in matter.choices],
                "detail": vault.seal(matter.detail, bound) if vault and matter.detail else None,
            },
        )
        kept.append(attention.pk)
    old = AttentionItem.objects.filter(document=document).exclude(attention_id__in=kept)
    touched = list(old.values_list("attention_id", flat=True))
    old.delete()
    Attention.objects.filter(pk__in=touched, items__isnull=True).delete()


def forget(document: Document) -> None:
    """Drop a document that never became anything: it is not ours, or was withdrawn unposted."""
    if document.links.exists() or document.intents.exists():
        return
    touched = list(document.attention.values_list("attention_id", flat=True))
    document.delete()
    Attention.objects.filter(pk__in=touched, items__isnull=True).delete()


def unsettled(organisation: UUID) -> list[Intent]:
    """Writes whose fate is not known, oldest first."""
    rows = Intent.objects.filter(organisation_id=organisation).select_related("document")
    return list(rows.order_by("sent_at", "id"))


def unsettled_count(workspace: WorkspaceId, refs: Iterable[SourceRef] | None = None) -> int:
    """How many writes of a workspace, or of `refs` alone, have a fate that is not known yet."""
    rows = Intent.objects.filter(document__workspace_id=workspace)
    if refs is not None:
        rows = rows.filter(document__ref__in=[str(ref) for ref in refs])
    return rows.count()


def pairs(
    workspace: WorkspaceId,
    flow: Flow | None = None,
    state: str | None = None,
    project: int | None = None,
) -> QuerySet[Document]:
    """Documents of a workspace with their links, the latest to change first."""
    rows = Document.objects.filter(workspace_id=workspace).prefetch_related("links", "attention")
    if flow is not None:
        rows = rows.filter(flow=flow.value)
    if state is not None:
        rows = rows.filter(state=state)
    if project is not None:
        rows = rows.filter(project_id=project)
    return rows.order_by("-since", "-id")


def organisations_of(workspace: WorkspaceId, refs: Iterable[str]) -> dict[str, UUID]:
    """Which organisation's books each of these documents is in."""
    rows = Document.objects.filter(
        workspace_id=workspace, ref__in=list(refs), organisation__isnull=False
    )
    return {ref: UUID(str(tenant)) for ref, tenant in rows.values_list("ref", "organisation_id")}


def waiting_refs(workspace: WorkspaceId, flow: Flow) -> list[str]:
    """Refs of documents a change of mapping or settings might release."""
    states = (HELD, REFUSED, APPROVAL, PREVIEWED, ASK, DRIFTED, WAITING)
    rows = Document.objects.filter(workspace_id=workspace, flow=flow.value, state__in=states)
    return list(rows.values_list("ref", flat=True))


def linked_targets(organisation: UUID, ids: Iterable[UUID]) -> dict[UUID, Link]:
    """Live links by the bill they point at."""
    rows = Link.objects.filter(
        organisation_id=organisation, target_id__in=list(ids), withdrawn=False
    ).select_related("document")
    return {row.target_id: row for row in rows}
