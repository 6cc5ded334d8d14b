"""Changes to claims: each function is one change, complete or refused and nothing done.

The API, the pages for a person and the paths tests use all call these. `by` is the id of the
user who did it. A change that Procore would refuse raises ApiError.
"""

import copy
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from onecore_sim.procore import claims
from onecore_sim.procore.core import Core, read_date, read_money
from onecore_sim.procore.errors import ApiError, invalid, not_found
from onecore_sim.procore.events import announce
from onecore_sim.procore.records import check_unlocked, take_origin_id
from onecore_sim.procore.state import (
    CLAIM_STATUSES,
    ClaimItem,
    Commitment,
    History,
    Project,
    Requisition,
)

AMOUNTS = ("work", "new_materials", "materials_moved", "work_released", "materials_released")
OVERRIDES = (
    "work_retained_entered", "materials_retained_entered",
    "work_percent_entered", "materials_percent_entered",
)  # fmt: skip


def claim_of(project: Project, claim_id: int) -> Requisition:
    claim = project.requisitions.get(claim_id)
    if claim is None:
        raise not_found()
    return claim


def check_newest(project: Project, claim: Requisition) -> None:
    if not claims.newest(project, claim):
        raise ApiError(422, "Only the latest invoice of a contract can be changed")


def may_change(core: Core, project: Project, claim: Requisition) -> None:
    """Raises unless the claim is its contract's newest and not locked by an origin_id."""
    check_newest(project, claim)
    check_unlocked(core, claim.origin_id)


def _known(status: str) -> str:
    if status not in CLAIM_STATUSES:
        raise invalid("status", "is not included in the list")
    return status


def all_claims(core: Core) -> list[Requisition]:
    return [c for p in core.state.projects.values() for c in p.requisitions.values()]


def set_status(core: Core, project: Project, claim: Requisition, status: str, by: int) -> None:
    """Any status may follow any other: Procore publishes no table of transitions."""
    _known(status)
    may_change(core, project, claim)
    if status == claim.status:
        return
    record(core, project, claim, "status", claim.status, status, by)
    claim.status = status
    if status == "under_review" and claim.submitted_at is None:
        claim.submitted_at = core.now().date()
    core.touch(claim)
    announce(core, "Requisitions", "update", claim.id, project, by)


def record(
    core: Core, project: Project, claim: Requisition, column: str, old: object, new: object, by: int
) -> None:
    """Put a change into the claim's history: the only place that tells who approved, and when."""
    was, became = ("" if x is None else str(x) for x in (old, new))
    told = History(core.new_id(), claim.id, column, was, became, by, core.now())
    project.histories.append(told)


def new_claim(
    core: Core, project: Project, commitment: Commitment, said: Mapping[str, Any], by: int
) -> Requisition:
    """A new claim on a commitment, carried on from the one before, with what `lines` say of it."""
    status = _known(said.get("status") or "draft")
    origin_id = take_origin_id(core, said.get("origin_id"), None, all_claims(core))
    before = claims.chain(project, commitment.id)
    today = core.now().date()
    claim = Requisition(
        id=core.new_id(),
        commitment_id=commitment.id,
        number=before[-1].number + 1 if before else 1,
        status=status,
        created_at=core.now(),
        updated_at=core.now(),
        created_by=by,
        previous_id=before[-1].id if before else None,
        requisition_start=today.replace(day=1),
        requisition_end=today,
        billing_date=today,
        submitted_at=None if status == "draft" else today,
        origin_id=origin_id,
    )
    _set_header(project, claim, said)
    claims.add_missing_items(project, commitment, claim, core.new_id)
    _enter_lines(claim, said.get("lines") or ())
    claims.retain(project, commitment, claim)
    project.requisitions[claim.id] = claim
    if status != "draft":
        record(core, project, claim, "status", "draft", status, by)
    core.touch(commitment)
    announce(core, "Requisitions", "create", claim.id, project, by)
    return claim


def edit_claim(
    core: Core, project: Project, claim: Requisition, said: Mapping[str, Any], by: int
) -> None:
    """Change header fields, lines and status of the newest claim of a contract.

    A locked claim can be changed when the same change clears its origin_id, where that unlocks.
    """
    unlocks = core.switches.on("origin_id_null_unlocks")
    cleared = unlocks and "origin_id" in said and not said["origin_id"]
    check_newest(project, claim)
    check_unlocked(core, None if cleared else claim.origin_id)
    new = copy.deepcopy(claim)
    if "origin_id" in said:
        new.origin_id = take_origin_id(core, said["origin_id"], claim, all_claims(core))
    new.status = _known(said.get("status") or claim.status)
    _set_header(project, new, said)
    if lines := said.get("lines") or ():
        commitment = project.commitments[claim.commitment_id]
        claims.add_missing_items(project, commitment, new, core.new_id)
        _enter_lines(new, lines)
        claims.retain(project, commitment, new)
    for column in ("status", "invoice_number", "billing_date"):
        was, becomes = getattr(claim, column), getattr(new, column)
        if was != becomes:
            record(core, project, claim, column, was, becomes, by)
    for field in claim.__struct_fields__:
        setattr(claim, field, getattr(new, field))
    core.touch(claim)
    announce(core, "Requisitions", "update", claim.id, project, by)


def delete_claim(core: Core, project: Project, claim: Requisition, by: int) -> None:
    """Nothing is left of a deleted claim: no row with deleted_at, no history, no event."""
    may_change(core, project, claim)
    del project.requisitions[claim.id]
    project.histories = [h for h in project.histories if h.requisition_id != claim.id]
    announce(core, "Requisitions", "delete", claim.id, project, by)


def _set_header(project: Project, claim: Requisition, said: Mapping[str, Any]) -> None:
    for name in (
        "requisition_start", "requisition_end", "billing_date", "payment_date", "submitted_at",
    ):  # fmt: skip
        if name in said:
            setattr(claim, name, read_date(said[name]))
    for name in ("invoice_number", "origin_data"):
        if name in said:
            setattr(claim, name, None if said[name] is None else str(said[name]))
    if "final" in said:
        claim.final = bool(said["final"])
    if said.get("period_id") is not None:
        period = project.periods.get(int(said["period_id"]))
        if period is None:
            raise invalid("period_id", "is not a billing period of the project")
        claim.period_id = period.id
        claim.requisition_start, claim.requisition_end = period.start_date, period.end_date


def _enter_lines(claim: Requisition, lines: Sequence[Mapping[str, Any]]) -> None:
    """Put amounts onto items, each found by `id` or by `line_id`; all are checked first."""
    entered: list[tuple[ClaimItem, dict[str, Any]]] = []
    for said in lines:
        item = _item_said(claim, said)
        values: dict[str, Any] = {
            name: read_money(said[name], name) for name in AMOUNTS if said.get(name) is not None
        }
        values |= {
            name: None if said[name] is None else read_money(said[name], name)
            for name in OVERRIDES
            if name in said
        }
        values |= {name: said[name] for name in ("comment", "description") if name in said}
        if said.get("status") is not None:
            if said["status"] not in ("approved", "rejected", "no_action"):
                raise invalid("status", "is not included in the list")
            values["status"] = said["status"]
        if said.get("claimed") is not None:
            values["claimed"] = read_money(said["claimed"], "subcontractor_claimed_amount")
        moved = values.get("materials_moved", item.materials_moved)
        if moved and not 0 <= moved <= item.before_stored:
            raise invalid("materials_moved", "is more than is stored")
        values |= _from_balances(item, said, moved)
        entered.append((item, values))
    for item, values in entered:
        for name, value in values.items():
            setattr(item, name, value)


def _from_balances(item: ClaimItem, said: Mapping[str, Any], moved: Decimal) -> dict[str, Any]:
    """Stored materials and the retainage on them, given as balances, as what is new of each."""
    values: dict[str, Any] = {}
    if said.get("stored_balance") is not None:
        balance = read_money(said["stored_balance"], "materials_presently_stored")
        values["new_materials"] = balance - item.before_stored + moved
    new = values.get("new_materials", said.get("new_materials", item.new_materials))
    if said.get("materials_held_balance") is not None and read_money(new, "new_materials"):
        held = read_money(said["materials_held_balance"], "retainage")
        values["materials_retained_entered"] = held - item.before_materials_retained
    return values


def _item_said(claim: Requisition, said: Mapping[str, Any]) -> ClaimItem:
    for item in claim.items:
        if said.get("id") == item.id or (
            said.get("id") is None and said.get("line_id") == item.line_id
        ):
            return item
    raise invalid("items", "names a line this invoice does not have")
