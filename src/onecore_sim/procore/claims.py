"""A claim's stored items as the arithmetic knows them, and how one claim rolls on to the next."""

from collections.abc import Callable, Iterable
from decimal import Decimal

from onecore_sim.procore import arithmetic as sums
from onecore_sim.procore.state import ChangeOrder, ClaimItem, Commitment, Line, Project, Requisition


def before(item: ClaimItem) -> sums.Balance:
    return sums.Balance(
        item.before_work,
        item.before_stored,
        item.before_work_retained,
        item.before_materials_retained,
    )


def movement(item: ClaimItem) -> sums.Movement:
    return sums.Movement(
        work=item.work,
        new_materials=item.new_materials,
        materials_moved=item.materials_moved,
        work_retained=item.work_retained,
        materials_retained=item.materials_retained,
        materials_retained_moved=item.materials_retained_moved,
        work_released=item.work_released,
        materials_released=item.materials_released,
    )


def reckoned(item: ClaimItem) -> sums.Item:
    return sums.Item(item.scheduled, before(item), movement(item), item.is_change_order)


def summary(claim: Requisition) -> sums.Summary:
    return sums.summary([reckoned(item) for item in claim.items])


def chain(project: Project, commitment_id: int) -> list[Requisition]:
    """The claims of a commitment, oldest first."""
    mine = (c for c in project.requisitions.values() if c.commitment_id == commitment_id)
    return sorted(mine, key=lambda c: c.number)


def newest(project: Project, claim: Requisition) -> bool:
    return chain(project, claim.commitment_id)[-1].id == claim.id


def change_orders(project: Project, commitment_id: int) -> list[ChangeOrder]:
    mine = (o for o in project.change_orders.values() if o.contract_id == commitment_id)
    return sorted((o for o in mine if o.deleted_at is None), key=lambda o: o.id)


def claimable(project: Project, commitment: Commitment) -> list[tuple[Line, bool]]:
    """The lines a new claim has, each with whether an approved change order brought it."""
    lines = [(line, False) for line in commitment.lines]
    for order in change_orders(project, commitment.id):
        if order.status == "approved":
            lines.extend((line, True) for line in order.lines)
    return lines


def line_of(project: Project, line_id: int) -> Line | None:
    """A line of any contract or change order of the project."""
    holders: Iterable[Commitment | ChangeOrder] = (
        *project.commitments.values(),
        *project.change_orders.values(),
    )
    return next((x for holder in holders for x in holder.lines if x.id == line_id), None)


def add_missing_items(
    project: Project, commitment: Commitment, claim: Requisition, new_id: Callable[[], int]
) -> None:
    """Give the claim an item for each claimable line it lacks, carried from the claim before."""
    have = {item.line_id for item in claim.items}
    previous = project.requisitions.get(claim.previous_id or 0)
    carried = {item.line_id: item for item in previous.items} if previous else {}
    for line, is_change_order in claimable(project, commitment):
        if line.id in have:
            continue
        item = ClaimItem(new_id(), line.id, line.amount, line.description, is_change_order)
        if line.id in carried:
            end = reckoned(carried[line.id]).after
            item.before_work, item.before_stored = end.work, end.stored
            item.before_work_retained = end.work_retained
            item.before_materials_retained = end.materials_retained
            item.previous_id = carried[line.id].id
        claim.items.append(item)


def retain(project: Project, commitment: Commitment, claim: Requisition) -> None:
    """Work out the retainage of every item of a claim anew from what was entered."""
    earlier = [c for c in chain(project, commitment.id) if c.number < claim.number]
    so_far = sums.total(i.work_retained + i.materials_retained for c in earlier for i in c.items)
    asked = [
        sums.Asked(
            work=item.work,
            new_materials=item.new_materials,
            materials_moved=item.materials_moved,
            work_released=item.work_released,
            materials_released=item.materials_released,
            work_retained=item.work_retained_entered,
            materials_retained=item.materials_retained_entered,
            work_percent=item.work_percent_entered,
            materials_percent=item.materials_percent_entered,
        )
        for item in claim.items
    ]
    rule = sums.Rule(commitment.retainage_percent, commitment.max_retainage)
    moved = sums.movements(asked, [before(item) for item in claim.items], rule, so_far)
    for item, one in zip(claim.items, moved, strict=True):
        item.work_retained = one.work_retained
        item.materials_retained = one.materials_retained
        item.materials_retained_moved = one.materials_retained_moved


def invoice_type(claim: Requisition) -> str:
    released = any(item.work_released or item.materials_released for item in claim.items)
    claimed = any(item.work or item.new_materials for item in claim.items)
    if not released:
        return "progress"
    return "progress_and_retainage_release" if claimed else "retainage_release"


def gross(claim: Requisition) -> Decimal:
    return sums.total(movement(item).gross for item in claim.items)


def retained_movement(claim: Requisition) -> Decimal:
    return sums.total(movement(item).retained for item in claim.items)
