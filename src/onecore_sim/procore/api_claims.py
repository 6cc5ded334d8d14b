"""The API's requisitions."""

from collections.abc import Mapping
from typing import Any

from onecore_sim.procore import claim_actions, claims, records, wire_claims
from onecore_sim.procore.api import Call, Handler, Reply
from onecore_sim.procore.api_master import by_time
from onecore_sim.procore.core import Core, Json, day, read_date, read_money
from onecore_sim.procore.errors import ApiError, invalid, not_found
from onecore_sim.procore.listing import containing, numbers, one_of, page, rows, truth
from onecore_sim.procore.state import ClaimItem, Project, Requisition

TOOL = "commitments"


def _searched(core: Core, project: Project, claim: Requisition) -> str:
    contract = project.commitments[claim.commitment_id]
    vendor = core.state.vendors.get(contract.vendor_id)
    return f"{claim.invoice_number} {contract.number} {contract.title} {vendor and vendor.name}"


def _view(call: Call) -> str:
    view = call.view("default")
    if view not in wire_claims.VIEWS:
        raise ApiError(400, f"view {view} is not known", shape="coded")
    return view


def _list(call: Call) -> Reply:
    project = call.project(TOOL)
    filters = by_time() | {
        "commitment_id": numbers(lambda c: c.commitment_id),
        "period_id": numbers(lambda c: c.period_id),
        "status": one_of(lambda c: c.status),
        "is_last": truth(lambda c: claims.newest(project, c)),
        "search": containing(lambda c: _searched(call.core, project, c)),
    }
    kept = rows(call, list(project.requisitions.values()), filters)
    view = _view(call)
    return page(
        call,
        kept,
        lambda c: wire_claims.requisition(call.core, project, c, view),
        default=30,
        cap=100,
    )


def _found(call: Call, name: str = "id") -> tuple[Project, Requisition]:
    project = call.project(TOOL)
    return project, claim_actions.claim_of(project, call.param(name))


def _show(call: Call) -> Reply:
    project, claim = _found(call)
    return Reply(wire_claims.requisition(call.core, project, claim, _view(call)))


def _create(call: Call) -> Reply:
    project = call.project(TOOL)
    commitment = records.commitment_of(project, call.needed("commitment_id"))
    said = call.body.get("requisition") or {}
    fresh = {"lines": [_entered(None, item) for item in said.get("items") or ()]}
    claim = claim_actions.new_claim(call.core, project, commitment, {**said, **fresh}, call.user.id)
    return Reply(wire_claims.requisition(call.core, project, claim, _view(call)), 201)


def _update(call: Call) -> Reply:
    project, claim = _found(call)
    if call.needed("commitment_id") != claim.commitment_id:
        raise not_found()
    said = call.part("requisition")
    lines = [_entered(_item(claim, item), item) for item in said.get("items") or ()]
    claim_actions.edit_claim(call.core, project, claim, {**said, "lines": lines}, call.user.id)
    return Reply(wire_claims.requisition(call.core, project, claim, _view(call)))


def _bulk(call: Call) -> Reply:
    project, claim = _found(call, "requisition_id")
    said = call.body.get("requisition_items") if isinstance(call.body, dict) else None
    if not isinstance(said, list):
        raise invalid("requisition_items", "can't be blank")
    lines = [_entered(_item(claim, item), item) for item in said]
    claim_actions.edit_claim(call.core, project, claim, {"lines": lines}, call.user.id)
    return Reply(None)


def _item(claim: Requisition, said: Mapping[str, Any]) -> ClaimItem | None:
    """The item a body's row names, by id or by line_item_id."""
    for item in claim.items:
        by_line = not said.get("id") and said.get("line_item_id") == item.line_id
        if said.get("id") == item.id or by_line:
            return item
    return None


def _entered(item: ClaimItem | None, said: Mapping[str, Any]) -> Json:
    """A row of `items` as the actions take it.

    materials_presently_stored and the retainage on it are balances, not movements.
    Retainage amounts hold only where the period has work or materials, and percents only where
    no retainage amount does.
    """
    row: Json = {"line_id": said.get("line_item_id"), "id": said.get("id")}
    for theirs, ours in (
        ("work_completed_this_period", "work"),
        ("new_materials", "new_materials"),
        ("work_completed_retainage_released_this_period", "work_released"),
        ("materials_stored_retainage_released_this_period", "materials_released"),
        ("materials_moved", "materials_moved"),
        ("subcontractor_claimed_amount", "claimed"),
        ("comment", "comment"),
        ("status", "status"),
    ):
        if theirs in said:
            row[ours] = said[theirs]
    if said.get("materials_presently_stored") is not None and "new_materials" not in said:
        row["stored_balance"] = said["materials_presently_stored"]
    work = read_money(row.get("work", item.work if item else 0) or 0, "work")
    if work and said.get("work_completed_retainage_retained_this_period") is not None:
        row["work_retained_entered"] = said["work_completed_retainage_retained_this_period"]
    elif said.get("work_completed_retainage_percent_this_period") is not None:
        row["work_percent_entered"] = said["work_completed_retainage_percent_this_period"]
        row["work_retained_entered"] = None
    if said.get("materials_stored_retainage_currently_retained") is not None:
        row["materials_held_balance"] = said["materials_stored_retainage_currently_retained"]
    elif said.get("materials_stored_retainage_percent_this_period") is not None:
        row["materials_percent_entered"] = said["materials_stored_retainage_percent_this_period"]
        row["materials_retained_entered"] = None
    return row


def _delete(call: Call) -> Reply:
    project, claim = _found(call)
    claim_actions.delete_claim(call.core, project, claim, call.user.id)
    return Reply(None)


def _detail(call: Call) -> Reply:
    project, claim = _found(call, "requisition_id")
    return Reply(wire_claims.detail(call.core, project, claim))


def _histories(call: Call) -> Reply:
    project, claim = _found(call, "requisition_id")
    mine = [h for h in project.histories if h.requisition_id == claim.id]
    return Reply([wire_claims.history(call.core, h) for h in mine])


def _items(*, change_orders: bool) -> Handler:
    def handler(call: Call) -> Reply:
        project, claim = _found(call, "requisition_id")
        kept = [i for i in claim.items if i.is_change_order == change_orders]
        return page(call, kept, lambda i: wire_claims.plain_item(call.core, project, i))

    return handler


def _one_item(call: Call) -> Reply:
    project, claim = _found(call, "requisition_id")
    found = next((i for i in claim.items if i.id == call.param("id")), None)
    if found is None:
        raise not_found()
    return Reply(wire_claims.plain_item(call.core, project, found))


def _no_detail_items(call: Call) -> Reply:
    """No contract here has a subcontractor schedule of values."""
    _found(call, "requisition_id")
    return page(call, [], dict)


def _add_package(call: Call) -> Reply:
    project, claim = _found(call, "requisition_id")
    claim_actions.may_change(call.core, project, claim)
    order = project.change_orders.get(call.needed("change_order_package_id"))
    if order is None or order.contract_id != claim.commitment_id:
        raise not_found()
    if order.status != "approved":
        raise invalid("change_order_package_id", "is not approved")
    commitment = project.commitments[claim.commitment_id]
    claims.add_missing_items(project, commitment, claim, call.core.new_id)
    call.core.touch(claim)
    lines = {x.id for x in order.lines}
    added = [i for i in claim.items if i.line_id in lines]
    return Reply([wire_claims.plain_item(call.core, project, i) for i in added], 201)


def _payment_details(call: Call) -> Reply:
    """Store the due date; no published path gives it back."""
    _, claim = _found(call)
    claim.due_date = read_date(call.body.get("due_date"))
    call.core.touch(claim)
    return Reply({"data": {"due_date": day(claim.due_date)}})


R0, R1 = "/rest/v1.0/requisitions/{requisition_id}", "/rest/v1.1/requisitions"
DETAILS = (
    "/rest/v2.0/companies/{company_id}/projects/{project_id}/requisitions/{id}/payment_details"
)
TABLE: dict[tuple[str, str], Handler] = {
    ("GET", R1): _list,
    ("POST", R1): _create,
    ("GET", f"{R1}/{{id}}"): _show,
    ("PATCH", f"{R1}/{{id}}"): _update,
    ("DELETE", f"{R1}/{{id}}"): _delete,
    ("PATCH", f"{R0}/bulk_item_update"): _bulk,
    ("GET", f"{R0}/detail"): _detail,
    ("GET", f"{R0}/change_histories"): _histories,
    ("GET", f"{R0}/contract_items"): _items(change_orders=False),
    ("GET", f"{R0}/contract_items/{{id}}"): _one_item,
    ("GET", f"{R0}/change_order_items"): _items(change_orders=True),
    ("GET", f"{R0}/change_order_items/{{id}}"): _one_item,
    ("GET", f"{R0}/contract_detail_items"): _no_detail_items,
    ("POST", f"{R0}/add_change_order_package"): _add_package,
    ("PATCH", DETAILS): _payment_details,
}
