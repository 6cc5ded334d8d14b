"""Changes to contracts, vendors and projects; see claim_actions for the manner."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from onecore_sim.procore import claims
from onecore_sim.procore.claim_actions import new_claim
from onecore_sim.procore.coding import project_cost_code_id, standard_of, wbs_pair
from onecore_sim.procore.core import Core, read_money
from onecore_sim.procore.errors import invalid, missing
from onecore_sim.procore.events import announce
from onecore_sim.procore.records import take_origin_id
from onecore_sim.procore.state import (
    CHANGE_ORDER_STATUSES,
    CONTRACT_STATUSES,
    TOOLS,
    WORK_ORDER,
    ChangeOrder,
    Commitment,
    CostCode,
    Line,
    Project,
    Vendor,
)

CONTRACT_RESOURCE = {
    "WorkOrderContract": "Work Order Contracts",
    "PurchaseOrderContract": "Purchase Order Contracts",
}


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
    percent = read_money(said.get("retainage_percent", commitment.retainage_percent), "percent")
    everywhere = [c for p in core.state.projects.values() for c in p.commitments.values()]
    if "origin_id" in said:
        commitment.origin_id = take_origin_id(core, said["origin_id"], commitment, everywhere)
    for name in ("status", "title", "number", "vendor_id", "description", "executed",
                 "origin_data", "origin_code"):  # fmt: skip
        if name in said:
            setattr(commitment, name, said[name])
    commitment.retainage_percent = percent
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
    if status not in CHANGE_ORDER_STATUSES:
        raise invalid("status", "is not included in the list")
    order.status = status
    order.reviewed_at = core.now() if status == "approved" else order.reviewed_at
    core.touch(order, project.commitments[order.contract_id])
    announce(core, "Change Order Packages", "update", order.id, project, by)
    kind = project.commitments[order.contract_id].kind
    announce(core, CONTRACT_RESOURCE[kind], "update", order.contract_id, project, by)


def new_vendor(core: Core, said: Mapping[str, Any], by: int) -> Vendor:
    if not said.get("name"):
        raise missing("name")
    take_origin_id(core, said.get("origin_id"), None, list(core.state.vendors.values()))
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
    if core.switches["merged_vendors"] == "gone":
        del core.state.vendors[gone.id]
    else:
        gone.is_active = False
        core.touch(gone)
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


def new_cost_code(core: Core, said: Mapping[str, Any], by: int) -> CostCode:
    """A standard cost code, which every project has from now on."""
    if not said.get("code"):
        raise missing("code")
    if any(c.code == said["code"] for c in core.state.cost_codes.values()):
        raise invalid("code", "has already been taken")
    code = CostCode(core.new_id(), str(said["code"]), str(said.get("name") or said["code"]))
    core.state.cost_codes[code.id] = code
    announce(core, "Standard Cost Codes", "create", code.id, None, by)
    for project in core.state.projects.values():
        own = project_cost_code_id(core.state, project, code.id)
        announce(core, "Cost Codes", "create", own, project, by)
    return code


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
