"""Where documents stand, what they became, and what about them needs a person."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from onecore.domain.ids import WorkspaceId
from onecore.domain.refs import Flow, SourceRef
from onecore.store import batch
from onecore.store.models import (
    Attention,
    AttentionItem,
    Document,
    Intent,
    Link,
    Workspace,
)
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


@dataclass(frozen=True, slots=True)
class Met:
    """A document that is seen for the first time: where it goes and what it belongs to."""

    ref: SourceRef
    organisation: UUID | None
    contract: int | None


def of(workspace: WorkspaceId, flow: Flow, met: Sequence[Met], now: datetime) -> list[Document]:
    """The rows of these documents, in their order, made where they are first met."""
    if not met:
        return []
    refs = [str(one.ref) for one in met]
    new = [
        Document(
            workspace_id=workspace,
            flow=flow.value,
            ref=str(one.ref),
            organisation_id=one.organisation,
            project_id=one.ref.project,
            contract_id=one.contract,
            state=WAITING,
            since=now,
        )
        for one in sorted(met, key=lambda one: str(one.ref))
    ]
    batch.insert_missing(new)
    rows = Document.objects.filter(workspace_id=workspace, flow=flow.value, ref__in=refs)
    rows = rows.prefetch_related("links")
    found = {row.ref: row for row in rows}
    return [found[ref] for ref in refs]


def live_link(document: Document, part: str = "main") -> Link | None:
    """The part's newest link that has not been withdrawn."""
    links = [x for x in document.links.all() if x.part == part and not x.withdrawn]
    return max(links, key=lambda x: x.version, default=None)


def next_version(document: Document, part: str = "main") -> int:
    """The version the next target of this part gets: one more than any before."""
    return max((x.version for x in document.links.all() if x.part == part), default=0) + 1


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a document is put, with what needs a person about it.

    `subject` is a short text for lists (number, vendor, project), kept sealed while the document
    waits; in step or withdrawn it is erased, and so is every detail.
    """

    document: Document
    state: str
    note: str = ""
    matters: tuple[Matter, ...] = ()
    subject: str = ""


def place(placements: Sequence[Placement], now: datetime, vault: Vault) -> None:
    """Put documents where they stand now, in as few statements as it takes."""
    with transaction.atomic(savepoint=False):
        for one in placements:
            document = one.document
            if document.state != one.state:
                document.since = now
            document.state, document.note, document.looked_at = one.state, one.note, now
            if one.state in SETTLED:
                document.subject = None
            elif one.subject:
                document.subject = vault.seal(one.subject, f"document:{document.pk}")
        batch.update([one.document for one in placements], OURS)
        _attend(placements, now, vault)


def answered(document: Document, question: str, choice: str) -> None:
    """Keep what was chosen for one question, beside what others chose meanwhile."""
    with transaction.atomic():
        row = Document.objects.select_for_update().get(pk=document.pk)
        row.answers = {**row.answers, question: choice}
        row.save(update_fields=["answers"])
    document.answers = row.answers


Cause = tuple[int, str, str]
"""A matter as one row of a workspace: its workspace, cause and subject."""


def _attend(placements: Sequence[Placement], now: datetime, vault: Vault) -> None:
    """Make the documents' open matters exactly these; causes nobody hangs on any more close."""
    documents = [one.document.pk for one in placements]
    hung = [(one.document, matter) for one in placements for matter in one.matters]
    rows = _causes({_cause_of(document, matter) for document, matter in hung}, now)
    kept: dict[tuple[int, int], AttentionItem] = {}
    for document, matter in hung:
        attention = rows[_cause_of(document, matter)]
        bound = f"attention:{attention}:{document.pk}"
        kept[attention, document.pk] = AttentionItem(
            attention_id=attention,
            document=document,
            question=matter.question,
            choices=[list(choice) for choice in matter.choices],
            detail=vault.seal(matter.detail, bound) if matter.detail else None,
        )
    AttentionItem.objects.bulk_create(
        kept.values(),
        update_conflicts=True,
        unique_fields=["attention", "document"],
        update_fields=["question", "choices", "detail"],
    )
    there = AttentionItem.objects.filter(document_id__in=documents)
    old = [
        (pk, attention)
        for pk, attention, document in there.values_list("pk", "attention_id", "document_id")
        if (attention, document) not in kept
    ]
    if old:
        AttentionItem.objects.filter(pk__in=[pk for pk, _ in old]).delete()
        _close({attention for _, attention in old})


def _cause_of(document: Document, matter: Matter) -> Cause:
    return document.workspace_id, matter.cause, matter.subject[:120]


def _causes(wanted: set[Cause], now: datetime) -> dict[Cause, int]:
    """The rows of these causes, opened where there is none."""
    if not wanted:
        return {}
    found = _open_causes(wanted)
    new = [
        Attention(workspace_id=workspace, cause=cause, subject=subject, opened_at=now)
        for workspace, cause, subject in sorted(wanted - found.keys())
    ]
    if new:
        Attention.objects.bulk_create(new, ignore_conflicts=True)
        found = _open_causes(wanted)
    return found


def _open_causes(wanted: set[Cause]) -> dict[Cause, int]:
    rows = Attention.objects.filter(
        workspace_id__in={workspace for workspace, _, _ in wanted},
        cause__in={cause for _, cause, _ in wanted},
        subject__in={subject for _, _, subject in wanted},
    )
    return {(row.workspace_id, row.cause, row.subject): row.pk for row in rows}


def _close(causes: Iterable[int]) -> None:
    """Drop those of these causes that nothing hangs on any more."""
    Attention.objects.filter(pk__in=list(causes), items__isnull=True).delete()


def forget(document: Document) -> None:
    """Drop a document that never became anything: it is not ours, or was withdrawn unposted."""
    if document.links.exists() or document.intents.exists():
        return
    touched = list(document.attention.values_list("attention_id", flat=True))
    document.delete()
    _close(touched)


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


def had_by_others(
    workspace: WorkspaceId, organisation: UUID, flow: Flow, refs: Iterable[SourceRef]
) -> dict[str, tuple[int, str]]:
    """Id and name of the workspace that has posted a document to this organisation, or is about
    to, by ref: another one that is joined to the same company."""
    company = Workspace.objects.filter(pk=workspace).values("company_id")
    joined = Workspace.objects.filter(company_id__in=company).exclude(pk=workspace)
    names = dict(joined.values_list("pk", "name"))
    if not names:  # nearly always; and where not, only those documents' own links are looked at
        return {}
    of_it = {"document": OuterRef("pk"), "organisation_id": organisation}
    live = Exists(Link.objects.filter(withdrawn=False, **of_it))
    leaving = Exists(Intent.objects.filter(**of_it))
    rows = Document.objects.filter(
        live | leaving,
        workspace_id__in=names,
        flow=flow.value,
        ref__in=[str(ref) for ref in refs],
    )
    found = rows.values_list("ref", "workspace_id")
    return {ref: (other, names[other]) for ref, other in found}


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
        target_kind="bill", target_id__in=list(ids), withdrawn=False, organisation_id=organisation
    ).select_related("document")
    told = ("target_id", "target_updated_at")
    rows = rows.only(*told, *(f"document__{name}" for name in ("workspace_id", "flow", "ref")))
    return {row.target_id: row for row in rows}
