"""The workspace document: exported, compared, imported, brought back."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from onecore.domain.ids import OrganisationId, WorkspaceId
from onecore.domain.refs import Flow, SourceRef, parse_ref
from onecore.engine import config, db, jobs
from onecore.engine.config import BadDocument, Change
from onecore.engine.service import Service
from onecore.engine.use.errors import UseError
from onecore.engine.use.workspaces import newest_config
from onecore.store import audit, documents, hints
from onecore.store.models import ConfigVersion, Feed, Workspace, WorkspaceOrganisation


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import changes (or would change), and the version it became."""

    changes: tuple[Change, ...]
    number: int


class BadConfig(UseError):
    """A document that cannot be used; every problem names its line and field."""

    def __init__(self, bad: BadDocument) -> None:
        super().__init__("\n".join(str(problem) for problem in bad.problems))
        self.problems = bad.problems


def export(workspace: WorkspaceId) -> str:
    """The document as it holds now, comments kept."""
    return newest_config(workspace).text


def import_text(
    service: Service, workspace: WorkspaceId, text: str, actor: str, dry_run: bool = False,
    note: str = "",
) -> Imported:  # fmt: skip
    """Make `text` the workspace's document, or only say what it would change.

    Raises BadConfig with all problems; nothing is changed then.
    """
    try:
        document = config.read(text)
    except BadDocument as bad:
        raise BadConfig(bad) from None
    _check_organisations(workspace, {row.id for row in document.organisations})
    with db.committing("config.changed"):
        hold(workspace)
        newest = newest_config(workspace)
        changes = config.diff(newest.text, text)
        if dry_run or (not changes and text == newest.text):
            return Imported(changes, newest.number)
        number = newest.number + 1
        ConfigVersion.objects.create(
            workspace_id=workspace,
            number=number,
            text=text,
            author=actor,
            note=note,
            created_at=service.clock.now(),
        )
        audit.record(
            workspace,
            service.clock.now(),
            actor,
            "config.changed",
            str(number),
            changes=len(changes),
        )
        look_at_waiting(service, workspace)
    return Imported(changes, number)


def _check_organisations(workspace: WorkspaceId, named: set[object]) -> None:
    """Organisations named must be connected, once any is."""
    joined = set(
        WorkspaceOrganisation.objects.filter(workspace_id=workspace).values_list(
            "organisation_id", flat=True
        )
    )
    unknown = named - joined
    if joined and unknown:
        raise UseError(
            f"organisations: {', '.join(str(x) for x in unknown)} is not connected to this "
            "workspace. Connect it first: onecore connect xero -w NAME"
        )


def edit(
    service: Service, workspace: WorkspaceId, change: Callable[[str], str], actor: str, note: str
) -> Imported:
    """Import the newest document with one edit made to it; of edits at once none is lost.

    Raises BadConfig when the edit would leave a document that cannot be used.
    """
    with db.committing("config.edited"):
        hold(workspace)
        try:
            text = change(export(workspace))
        except BadDocument as bad:
            raise BadConfig(bad) from None
        return import_text(service, workspace, text, actor, note=note)


def hold(workspace: WorkspaceId) -> None:
    """Keep other changes of the workspace's settings away until the transaction ends.

    Rows are locked in one order everywhere, so that nobody waits for each other for ever: the
    workspace, its feeds, organisations, then documents and hints. The workspace's lock leaves
    rows that point at it free to be added.
    """
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace)
    list(Feed.objects.select_for_update().filter(workspace_id=workspace).order_by("pk"))


def look_at_waiting(service: Service, workspace: WorkspaceId) -> int:
    """Say a hint for every document a change of settings might release; how many."""
    now = service.clock.now()
    refs = [parse_ref(text) for text in documents.waiting_refs(workspace, Flow.BILL)]
    document = config.read(newest_config(workspace).text)
    by_organisation: dict[OrganisationId | None, list[SourceRef]] = defaultdict(list)
    for ref in refs:
        organisation = document.organisation_of(ref.project) if ref.project is not None else None
        by_organisation[organisation].append(ref)
    with db.committing("waiting.said"):
        Feed.objects.filter(workspace_id=workspace).update(next_due_at=now)
        joined = WorkspaceOrganisation.objects.filter(workspace_id=workspace)
        for one in joined.order_by("organisation_id"):
            hints.wake(one.organisation_id, now)
            jobs.ring(one.organisation_id)
        for organisation, some in by_organisation.items():
            hints.say(workspace, organisation, Flow.BILL, some, now, lane="person")
    return len(refs)
