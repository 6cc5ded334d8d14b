"""Absence is not withdrawal: when a claim that cannot be seen counts as deleted (design 4)."""

from datetime import timedelta
from enum import Enum

from onecore.domain.ids import CommitmentId, ProjectId
from onecore.domain.refs import Flow, parse_ref
from onecore.engine import db
from onecore.engine.context import Context
from onecore.ports import NotVisible
from onecore.store.models import Document

CONFIRMED_AFTER = timedelta(hours=1)
COMMITMENTS_TOOL = "commitments"


class Absence(Enum):
    """What can be said of a claim that a list did not bring."""

    VISIBLE = "visible"  # there after all
    UNSEEN = "unseen"  # we may not be able to see it: a matter of the connection
    FIRST = "first"  # a complete list lacks it, for the first time or not for an hour yet
    CONFIRMED = "confirmed"  # lacked twice, an hour apart, with everything around it visible


class Surroundings:
    """What one round of planning has seen around absent claims, each list read once."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._claims: dict[tuple[ProjectId, CommitmentId], frozenset[str]] = {}
        self._open: dict[ProjectId, bool] = {}
        self._emptied: dict[ProjectId, bool] = {}

    async def absence(self, document: Document) -> Absence:
        """What a complete list of the claim's contract says, and whether it can be believed."""
        ref = parse_ref(document.ref)
        if ref.project is None or document.contract_id is None:
            return Absence.UNSEEN
        contract = CommitmentId(document.contract_id)
        try:
            there = await self._claims_of(ref.project, contract)
            if ref.id in there:
                return Absence.VISIBLE
            if not await self._visible(ref.project, contract, bool(there)):
                return Absence.UNSEEN
        except NotVisible:
            return Absence.UNSEEN
        if document.absent_at is None:
            return Absence.FIRST
        waited = self._ctx.clock.now() - document.absent_at
        return Absence.CONFIRMED if waited >= CONFIRMED_AFTER else Absence.FIRST

    async def _claims_of(self, project: ProjectId, contract: CommitmentId) -> frozenset[str]:
        if (project, contract) not in self._claims:
            heads = await self._ctx.procore.requisitions_of(project, contract)
            self._claims[project, contract] = frozenset(str(head.id) for head in heads)
        return self._claims[project, contract]

    async def _visible(
        self, project: ProjectId, contract: CommitmentId, has_neighbours: bool
    ) -> bool:
        """The project, its commitments tool, and a neighbour: another claim, or the contract."""
        if project not in self._open:
            self._open[project] = await self._is_open(project)
        if not self._open[project]:
            return False
        if has_neighbours:
            return True
        commitments = await self._ctx.lists.commitments(project, timedelta(0))
        if contract not in {row.id for row in commitments}:
            return False
        return not await self._is_emptied(project)

    async def _is_open(self, project: ProjectId) -> bool:
        if project not in {row.id for row in await self._ctx.lists.projects(timedelta(0))}:
            return False
        return (await self._ctx.procore.tools(project)).get(COMMITMENTS_TOOL, False)

    async def _is_emptied(self, project: ProjectId) -> bool:
        """Whether a project of several claims shows none at all: a right lost, not a wish."""
        if project not in self._emptied:
            known = await db.run(_live_claims, self._ctx, project)
            far = self._ctx.clock.now() + timedelta(days=1)
            seen = known > 1 and await self._ctx.procore.requisitions_changed(project, None, far)
            self._emptied[project] = known > 1 and not seen
        return self._emptied[project]


def _live_claims(ctx: Context, project: ProjectId) -> int:
    rows = Document.objects.filter(
        workspace_id=ctx.workspace,
        flow=Flow.BILL.value,
        project_id=project,
        links__withdrawn=False,
    )
    return rows.distinct().count()
