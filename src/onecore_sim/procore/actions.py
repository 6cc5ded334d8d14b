"""What changes: each function is one change, complete before the next request is looked at.

The API, the pages for a person and the paths tests use all call these. `by` is the id of the
user who did it. A change that Procore would refuse raises ApiError and leaves all as it was.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from onecore_sim.procore import claims
from onecore_sim.procore.coding import standard_of, wbs_pair
from onecore_sim.procore.core import Core, read_date, read_money
from onecore_sim.procore.errors import ApiError, invalid, missing, not_found
from onecore_sim.procore.events import announce
from onecore_sim.procore.state import (
    CLAIM_STATUSES,
    CONTRACT_STATUSES,
    TOOLS,
    WORK_ORDER,
    ChangeOrder,
    ClaimItem,
    Commitment,
    History,
    Line,
    Project,
    Requisition,
    Vendor,
)

CONTRACT_RESOURCE = {
    "WorkOrderContract": "Work Order Contracts",
    "PurchaseOrderContract": "Purchase Order Contracts",
}
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


def commitment_of(project: Project, commitment_id: int) -> Commitment:
    commitment = project.commitments.get(commitment_id)
    if commitment is None or commitment.deleted_at:
        raise not_found()
    return commitment


def may_change(core: Core, project: Project, claim: Requisition) -> None:
    """Raises unless the claim is its contract's newest and not locked by an origin_id."""
    if not claims.newest(project, claim):
        raise ApiError(422, "Only the latest invoice of a contract can be changed")
    check_unlocked(core, claim.origin_id)


def check_unlocked(core: Core, origin_id: str | None) -> None:
    if origin_id and core.switches.on("origin_id_locks"):
        raise ApiError(422, "The record is synced to an accounting system and cannot be changed")


def take_origin_id(
    core: Core, wanted: str | None, mine: object, all_of_kind: Sequence[Any]
) -> str | None:
    """The origin_id to store; refused when another record of the kind has it, in any project."""
    if wanted and any(x is not mine and x.origin_id == wanted for x in all_of_kind):
        raise ApiError(
            core.switches.number("duplicate_origin_status"),
            "origin_id has already been taken",
            fields={"origin_id": ["has already been taken"]},
        )
    return wanted or None


def all_claims(core: Core) -> list[Requisition]:
    return [c for p in core.state.projects.values() for c in p.requisitions.values()]


def set_status(core: Core, project: Project, claim: Requisition, status: str, by: int) -> None:
    """Any status may follow any other: Procore publishes no table of transitions."""
    if status not in CLAIM_STATUSES:
        raise invalid("status", "is not included in the list")
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
    """A new claim on a commitment, carried on from the one before, with nothing claimed yet."""
    status = said.get("status") or "draft"
    if status not in CLAIM_STATUSES:
        raise invalid("status", "is not included in the list")
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
    _enter_lines(project, claim, said.get("lines") or ())
    project.requisitions[claim.id] = claim
    claims.retain(project, commitment, claim)
    if status != "draft":
        record(core, project, claim, "status", "draft", status, by)
    core.touch(commitment)
    announce(core, "Requisitions", "create", claim.id, project, by)
    return claim


def edit_claim(
    core: Core, project: Project, claim: Requisition, said: Mapping[str, Any], by: int
) -> None:
    """Change header fields, lines and status of the newest claim of a contract.

    Clearing origin_id alone is let through where that unlocks the record.
    """
    unlocking = "origin_id" in said and not said["origin_id"]
    if unlocking and core.switches.on("origin_id_null_unlocks") and claims.newest(project, claim):
        claim.origin_id = None
    may_change(core, project, claim)
    status = said.get("status")
    if status is not None and status not in CLAIM_STATUSES:
        raise invalid("status", "is not included in the list")
    origin_id = claim.origin_id
    if "origin_id" in said:
        origin_id = take_origin_id(core, said["origin_id"], claim, all_claims(core))
    commitment = project.commitments[claim.commitment_id]
    lines = said.get("lines") or ()
    if lines:
        claims.add_missing_items(project, commitment, claim, core.new_id)
        _enter_lines(project, claim, lines)
        claims.retain(project, commitment, claim)
    if "invoice_number" in said and said["invoice_number"] != claim.invoice_number:
        record(
            core, project, claim, "invoice_number", claim.invoice_number,
            said["invoice_number"], by,
        )  # fmt: skip
    _set_header(project, claim, said)
    if status and status != claim.status:
        set_status(core, project, claim, status, by)
    claim.origin_id = origin_id
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


def _enter_lines(project: Project, claim: Requisition, lines: Sequence[Mapping[str, Any]]) -> None:
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


def new_commitment(core: Core, project: Project, said: Mapping[str, Any], by: int) -> Commitment:
    """A commitment with its lines; what may be said is in do.new_commitment."""
    kind = said.get("kind") or WORK_ORDER
    if kind not in CONTRACT_STATUSES:
        raise invalid("kind", "is not included in the list")
    vendor_id = int(said.get("vendor_id") or 0)
    if vendor_id not in core.state.vendors:
        raise invalid("vendor_id", "is not a vendor of the company")
    status = said.get("status") or "Approved"
    if status not in CONTRACT_STATUSES[kind]:
        raise invalid("status", "is not included in the list")
    prefix = "SC" if kind == WORK_ORDER else "PO"
    number = said.get("number") or f"{prefix}-{len(project.commitments) + 1:03}"
    ceiling = said.get("max_retainage")
    commitment = Commitment(
        id=core.new_id(),
        kind=kind,
        number=str(number),
        title=str(said.get("title") or "Subcontract"),
        vendor_id=vendor_id,
        status=status,
        retainage_percent=read_money(said.get("retainage_percent", 0), "retainage_percent"),
        created_at=core.now(),
        updated_at=core.now(),
        max_retainage=None if ceiling is None else read_money(ceiling, "max_retainage"),
        description=said.get("description"),
        contract_date=core.now().date(),
    )
    commitment.lines = [
        _line(core, project, one, position)
        for position, one in enumerate(said.get("lines") or (), 1)
    ]
    project.commitments[commitment.id] = commitment
    announce(core, CONTRACT_RESOURCE[kind], "create", commitment.id, project, by)
    return commitment


def _line(core: Core, project: Project, said: Mapping[str, Any], position: int) -> Line:
    """A line; its coding by wbs_code_id, or cost code (id or code) and cost type (id or code)."""
    code_id, type_id = _coding(core, project, said)
    tax_code_id = said.get("tax_code_id")
    if tax_code_id is not None and tax_code_id not in core.state.tax_codes:
        raise invalid("tax_code_id", "is not a tax code of the company")
    return Line(
        id=core.new_id(),
        cost_code_id=code_id,
        line_item_type_id=type_id,
        description=str(said.get("description") or core.state.cost_codes[code_id].name),
        amount=read_money(said.get("amount", 0), "amount"),
        position=position,
        created_at=core.now(),
        updated_at=core.now(),
        tax_code_id=tax_code_id,
    )


def _coding(core: Core, project: Project, said: Mapping[str, Any]) -> tuple[int, int]:
    state = core.state
    if said.get("wbs_code_id"):
        pair = wbs_pair(state, project, int(said["wbs_code_id"]))
        if pair is None:
            raise invalid("wbs_code_id", "is not in the project")
        return pair
    code_id = said.get("cost_code_id")
    if code_id is not None and code_id not in state.cost_codes:
        code_id = standard_of(state, project, int(code_id))
    if said.get("cost_code"):
        codes = state.cost_codes.values()
        code_id = next((c.id for c in codes if c.code == said["cost_code"]), None)
    elif said.get("cost_code_id") is None:
        code_id = next(iter(state.cost_codes), None)
    if code_id is None:
        raise invalid("cost_code_id", "is not in the project")
    type_id = said.get("line_item_type_id")
    if said.get("cost_type"):
        types = state.cost_types.values()
        type_id = next((t.id for t in types if t.code == said["cost_type"]), None)
    elif type_id is None:
        type_id = next(iter(state.cost_types), None)
    if type_id not in state.cost_types:
        raise invalid("line_item_type_id", "is not a cost type of the company")
    return code_id, type_id


def edit_commitment(
    core: Core, project: Project, commitment: Commitment, said: Mapping[str, Any], by: int
) -> None:
    """Change a commitment's plain fields."""
    if "status" in said and said["status"] not in CONTRACT_STATUSES[commitment.kind]:
        raise invalid("status", "is not included in the list")
    if "vendor_id" in said and said["vendor_id"] not in core.state.vendors:
        raise invalid("vendor_id", "is not a vendor of the company")
    everywhere = [c for p in core.state.projects.values() for c in p.commitments.values()]
    if "origin_id" in said:
        commitment.origin_id = take_origin_id(core, said["origin_id"], commitment, everywhere)
    for name in ("status", "title", "number", "vendor_id", "description", "executed",
                 "origin_data", "origin_code"):  # fmt: skip
        if name in said:
            setattr(commitment, name, said[name])
    if "retainage_percent" in said:
        commitment.retainage_percent = read_money(said["retainage_percent"], "retainage_percent")
    core.touch(commitment)
    announce(core, CONTRACT_RESOURCE[commitment.kind], "update", commitment.id, project, by)


def new_change_order(
    core: Core, project: Project, commitment: Commitment, said: Mapping[str, Any], by: int
) -> ChangeOrder:
    """A change order on a commitment, with its lines."""
    count = len(claims.change_orders(project, commitment.id))
    order = ChangeOrder(
        id=core.new_id(),
        contract_id=commitment.id,
        number=str(said.get("number") or f"{count + 1:03}"),
        title=str(said.get("title") or "Variation"),
        status=said.get("status") or "draft",
        created_at=core.now(),
        updated_at=core.now(),
    )
    order.lines = [
        _line(core, project, one, position)
        for position, one in enumerate(said.get("lines") or (), 1)
    ]
    project.change_orders[order.id] = order
    core.touch(commitment)
    announce(core, "Change Order Packages", "create", order.id, project, by)
    return order


def set_change_order_status(
    core: Core, project: Project, order: ChangeOrder, status: str, by: int
) -> None:
    """An approved change order's lines are part of the next claim."""
    order.status = status
    order.reviewed_at = core.now() if status == "approved" else order.reviewed_at
    core.touch(order, project.commitments[order.contract_id])
    announce(core, "Change Order Packages", "update", order.id, project, by)
    kind = project.commitments[order.contract_id].kind
    announce(core, CONTRACT_RESOURCE[kind], "update", order.contract_id, project, by)


def new_vendor(core: Core, said: Mapping[str, Any], by: int) -> Vendor:
    if not said.get("name"):
        raise missing("name")
    vendor = Vendor(core.new_id(), str(said["name"]), core.now(), core.now())
    core.state.vendors[vendor.id] = vendor
    edit_vendor(core, vendor, said, by, event="create")
    return vendor


VENDOR_FIELDS = (
    "name", "abbreviated_name", "trade_name", "address", "city", "state_code", "zip",
    "country_code", "website", "notes", "is_active", "origin_data", "origin_code",
)  # fmt: skip


def edit_vendor(
    core: Core, vendor: Vendor, said: Mapping[str, Any], by: int, event: str = "update"
) -> None:
    if "origin_id" in said:
        everyone = list(core.state.vendors.values())
        vendor.origin_id = take_origin_id(core, said["origin_id"], vendor, everyone)
    for name in VENDOR_FIELDS:
        if name in said:
            setattr(vendor, name, said[name])
    if "email_address" in said or "email" in said:
        vendor.email = said.get("email_address", said.get("email"))
    if "business_phone" in said:
        vendor.phone = said["business_phone"]
    if said.get("abn"):
        set_abn(core, vendor, str(said["abn"]))
    core.touch(vendor)
    announce(core, "Company Vendors", event, vendor.id, None, by)


def set_abn(core: Core, vendor: Vendor, abn: str) -> None:
    vendor.abn = abn
    vendor.register_id = vendor.register_id or core.new_id()
    core.touch(vendor)


def merge_vendors(core: Core, keep: Vendor, gone: Vendor, by: int) -> None:
    """Contracts of one vendor become the other's, and its id is no more."""
    for project in core.state.projects.values():
        for commitment in project.commitments.values():
            if commitment.vendor_id == gone.id:
                commitment.vendor_id = keep.id
                core.touch(commitment)
    del core.state.vendors[gone.id]
    core.touch(keep)
    announce(core, "Company Vendors", "update", keep.id, None, by)


def set_project(core: Core, project: Project, said: Mapping[str, Any], by: int) -> None:
    """Change what a project is, which tools are on, and whether the app may see it."""
    if "permitted" in said:
        project.permitted = bool(said["permitted"])
    for tool, on in (said.get("tools") or {}).items():
        if tool not in project.tools:
            raise invalid("tools", f"has no tool {tool}")
        project.tools[tool] = bool(on)
    plain = {k: v for k, v in said.items() if k in ("name", "number", "active")}
    for name, value in plain.items():
        setattr(project, name, value)
    if plain:
        core.touch(project)
        announce(core, "Projects", "update", project.id, None, by)


def new_project(core: Core, said: Mapping[str, Any], by: int) -> Project:
    """A project made later: the app may not see it until someone permits it."""
    if not said.get("name"):
        raise missing("name")
    ordinal = max((p.ordinal for p in core.state.projects.values()), default=0) + 1
    project = Project(
        id=core.new_id(),
        ordinal=ordinal,
        number=str(said.get("number") or f"{2000 + ordinal}"),
        name=str(said["name"]),
        state_code=str(said.get("state_code") or "NSW"),
        time_zone=str(said.get("time_zone") or "Sydney"),
        created_at=core.now(),
        updated_at=core.now(),
        permitted=bool(said.get("permitted", False)),
        tools=dict.fromkeys(TOOLS, True),
    )
    core.state.projects[project.id] = project
    announce(core, "Projects", "create", project.id, None, by)
    return project


def bulk_claims(
    core: Core, project: Project, count: int, status: str, by: int
) -> list[dict[str, int]]:
    """`count` new commitments, each with one claim of that status, all of different amounts."""
    vendors = list(core.state.vendors)
    made = []
    for n in range(1, count + 1):
        commitment = new_commitment(
            core,
            project,
            {
                "vendor_id": vendors[n % len(vendors)],
                "title": f"Bulk works {n}",
                "retainage_percent": "10",
                "lines": [{"amount": "50000.00", "description": f"Bulk works {n}"}],
            },
            by,
        )
        amount = Decimal(1000) + Decimal(n) + Decimal(n % 100) / 100
        claim = new_claim(
            core,
            project,
            commitment,
            {
                "status": status,
                "invoice_number": f"BULK-{commitment.number}-{n:04}",
                "lines": [{"line_id": commitment.lines[0].id, "work": str(amount)}],
            },
            by,
        )
        made.append({"id": claim.id, "commitment_id": commitment.id})
    return made
