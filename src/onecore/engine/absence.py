"""Absence is not withdrawal: when a claim that cannot be seen counts as deleted (design 4)."""

from datetime import timedelta
from enum import Enum

from onecore.domain.ids import CommitmentId, ProjectId
from onecore.domain.refs import parse_ref
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


async def absence(ctx: Context, document: Document) -> Absence:
    """What a complete list of the claim's contract says, and whether it can be believed."""
    ref = parse_ref(document.ref)
    if ref.project is None or document.contract_id is None:
        return Absence.UNSEEN
    contract = CommitmentId(document.contract_id)
    try:
        heads = await ctx.procore.requisitions_of(ref.project, contract)
        if any(str(head.id) == ref.id for head in heads):
            return Absence.VISIBLE
        if not await _surroundings_visible(ctx, ref.project, contract, bool(heads)):
            return Absence.UNSEEN
    except NotVisible:
        return Absence.UNSEEN
    if document.absent_at is None:
        return Absence.FIRST
    waited = ctx.clock.now() - document.absent_at
    return Absence.CONFIRMED if waited >= CONFIRMED_AFTER else Absence.FIRST


async def _surroundings_visible(
    ctx: Context, project: ProjectId, contract: CommitmentId, has_neighbours: bool
) -> bool:
    """The project, its commitments tool, and a neighbour: another claim, or the contract."""
    fresh = timedelta(0)
    if project not in {row.id for row in await ctx.lists.projects(fresh)}:
        return False
    if not (await ctx.procore.tools(project)).get(COMMITMENTS_TOOL, False):
        return False
    if has_neighbours:
        return True
    return contract in {row.id for row in await ctx.lists.commitments(project, fresh)}
