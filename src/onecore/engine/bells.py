"""Answering bells: what webhooks rang for becomes hints, due feeds, stale lists and sweeps.

Intake writes a bell and nothing else, so a flood of deliveries never waits for a row the engine
holds, nor the engine for intake; here the bells of a moment are answered together, and each of
them only so often.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from uuid import UUID

from django.db import transaction

from onecore.domain.ids import WorkspaceId
from onecore.domain.refs import Flow, parse_ref
from onecore.engine import config
from onecore.engine.pace import CLAIMS, stir
from onecore.store import bells, hints
from onecore.store.bells import Rings
from onecore.store.models import (
    Bell,
    ConfigVersion,
    Feed,
    Hook,
    Link,
    Organisation,
    ReferenceList,
    WorkspaceOrganisation,
)
from onecore.sync.ringing import AHEAD, spent_after

AT_ONCE = 500
"""Bells answered in one go; the rest waits for the next, a second later."""
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def answer(now: datetime, limit: int = AT_ONCE) -> int:
    """Answer what rang, all or nothing, and say how many bells that were.

    One process does at a time; the others find nothing to do.
    """
    with transaction.atomic():
        if not bells.answering():
            return 0
        due = bells.due(now + AHEAD, limit)
        by_kind: dict[str, list[Bell]] = defaultdict(list)
        for bell in due:
            by_kind[bell.kind].append(bell)
        for kind, answer_all in _ANSWERS.items():
            if by_kind[kind]:
                answer_all(by_kind[kind], now)
        for bell in due:
            bell.spent_until = spent_after(bell.spent_until, now)
        bells.answered(due, now)  # last: intake waits for no longer than the commit takes
    return len(due)


def _bills(rung: list[Bell], now: datetime) -> None:
    """Any bill of an organisation may be a double of one we are about to make: read what changed.

    Bills of ours are told with their id as well, as a change of the due date alone is in no list
    of what changed [X 14.14].
    """
    for bell in rung:
        row = Organisation.objects.filter(tenant=UUID(bell.scope))
        row.update(bills_wanted_at=now, rung_at=bell.rung_at)
        hints.wake(UUID(bell.scope), now)


def _bill(rung: list[Bell], now: datetime) -> None:
    ids = [UUID(bell.ref) for bell in rung]
    rows = Link.objects.filter(target_id__in=ids, withdrawn=False).select_related("document")
    by_flow: dict[tuple[int, UUID, str], list[str]] = defaultdict(list)
    for row in rows:
        document = row.document
        place = (document.workspace_id, row.organisation_id, document.flow)
        by_flow[place].append(document.ref)
    for (workspace, organisation, flow), refs in sorted(by_flow.items()):
        said = [parse_ref(ref) for ref in refs]
        hints.say(WorkspaceId(workspace), organisation, Flow(flow), said, now)


def _contacts(rung: list[Bell], now: datetime) -> None:
    scopes = [f"organisation:{bell.scope}" for bell in rung]
    rows = ReferenceList.objects.filter(scope__in=scopes, kind="contacts")
    rows.update(fetched_at=LONG_AGO)


def _list(rung: list[Bell], now: datetime) -> None:
    """Read a list again at its next use; of one project where the bell names it."""
    for bell in rung:
        kind, _, project = bell.ref.partition("/")
        rows = ReferenceList.objects.filter(workspace_id=int(bell.scope), kind=kind)
        if project:
            rows = rows.filter(scope__in=("company", f"project:{project}"))
        rows.update(fetched_at=LONG_AGO)
    _wake({int(bell.scope) for bell in rung}, now)


def _project(rung: list[Bell], now: datetime) -> None:
    """Claims have no webhook, but where something else of a project stirs they are looked for."""
    for bell in rung:
        rows = Feed.objects.filter(
            workspace_id=int(bell.scope), project_id=int(bell.ref), kind=CLAIMS
        )
        stir(rows, now)
    _wake({int(bell.scope) for bell in rung}, now)


def _claim(rung: list[Bell], now: datetime) -> None:
    by_workspace: dict[int, list[str]] = defaultdict(list)
    for bell in rung:
        by_workspace[int(bell.scope)].append(bell.ref)
    for workspace, refs in sorted(by_workspace.items()):
        newest = ConfigVersion.objects.filter(workspace_id=workspace).latest("number")
        document = config.read(newest.text)
        for ref in map(parse_ref, refs):
            organisation = document.organisation_of(ref.project) if ref.project else None
            hints.say(WorkspaceId(workspace), organisation, Flow.BILL, [ref], now)


def _hook(rung: list[Bell], now: datetime) -> None:
    for bell in rung:
        Hook.objects.filter(name=bell.ref).update(rung_at=bell.rung_at)


def _wake(workspaces: Iterable[int], now: datetime) -> None:
    joined = WorkspaceOrganisation.objects.filter(workspace_id__in=list(workspaces))
    for organisation in sorted(set(joined.values_list("organisation_id", flat=True))):
        hints.wake(organisation, now)


_ANSWERS: dict[Rings, Callable[[list[Bell], datetime], None]] = {
    Rings.PROJECT: _project,
    Rings.LIST: _list,
    Rings.BILLS: _bills,
    Rings.BILL: _bill,
    Rings.CLAIM: _claim,
    Rings.CONTACTS: _contacts,
    Rings.HOOK: _hook,
}
"""In the order in which rows are locked everywhere: feeds before organisations before hints."""
