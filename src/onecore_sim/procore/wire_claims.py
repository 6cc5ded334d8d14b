"""Requisitions, their items, detail and history as Procore writes them."""

from decimal import Decimal

from onecore_sim.procore import arithmetic as sums
from onecore_sim.procore import claims
from onecore_sim.procore.coding import project_cost_code_id, wbs_compact, wbs_with_segments
from onecore_sim.procore.core import Core, Json, day, stamp
from onecore_sim.procore.state import (
    ChangeOrder,
    ClaimItem,
    Commitment,
    History,
    Line,
    Project,
    Requisition,
)
from onecore_sim.procore.wire_contracts import vendor_name

VIEWS = ("default", "extended", "items", "action_policy", "header_only")


def requisition(core: Core, project: Project, claim: Requisition, view: str) -> Json:
    row = _header(core, project, claim)
    if view == "header_only":
        return row
    row |= {
        "summary": _summary(core, project, claim),
        "tax_summary": _tax_summary(core, project, claim),
        "attachments": [],
        "custom_fields": {},
        "created_by": _person(core, claim.created_by),
    }
    if view in ("items", "extended"):
        row["items"] = [_item(core, project, claim, item) for item in claim.items]
        row["item_packages"] = _packages(project, claim)
    if view == "extended":
        row["summary_text"] = _summary_text(core, project, claim)
    if view == "action_policy":
        row["action_policy"] = {"controls": {}}
    return row


def _header(core: Core, project: Project, claim: Requisition) -> Json:
    contract = project.commitments[claim.commitment_id]
    done = claims.summary(claim).percent_complete
    return {
        "id": claim.id,
        "previous_requisition_id": claim.previous_id,
        "project_id": project.id,
        "commitment_id": contract.id,
        "commitment_type": contract.kind,
        "contract_name": f"{contract.number} - {contract.title}",
        "vendor_id": contract.vendor_id,
        "vendor_name": vendor_name(core, contract),
        "invoice_number": claim.invoice_number,
        "number": claim.number,
        "period_id": claim.period_id,
        "requisition_start": day(claim.requisition_start),
        "requisition_end": day(claim.requisition_end),
        "billing_date": day(claim.billing_date),
        "payment_date": day(claim.payment_date),
        "submitted_at": day(claim.submitted_at),
        "status": claim.status,
        "final": claim.final,
        "invoice_type": claims.invoice_type(claim),
        "contract_invoicing_method": "progressive",
        "accounting_method": "amount",
        "percent_complete": f"{done:f}%",
        "total_claimed_amount": core.money(claims.gross(claim)),
        "erp_status": str(core.switches["erp_status"]) or None,
        "deletable": claims.newest(project, claim) and not claim.origin_id,
        "move_materials_to_previous_work_completed": contract.moves_materials,
        "origin_id": claim.origin_id,
        "origin_data": claim.origin_data,
        "created_at": stamp(claim.created_at),
        "updated_at": stamp(claim.updated_at),
        "currency_configuration": {
            "base_currency_iso_code": core.state.currency,
            "currency_iso_code": core.state.currency,
            "currency_exchange_rate": 1,
        },
    }


def _person(core: Core, user_id: int) -> Json:
    user = core.state.users.get(user_id)
    return {
        "id": user_id,
        "name": user.name if user else "",
        "login": user.login if user else "",
        "company_name": core.state.company_name,
    }


def _summary(core: Core, project: Project, claim: Requisition) -> Json:
    whole = claims.summary(claim)
    changes = [claims.reckoned(i) for i in claim.items if i.is_change_order]
    ups = sums.total(c.scheduled for c in changes if c.scheduled > 0)
    downs = sums.total(c.scheduled for c in changes if c.scheduled < 0)
    new = sums.total(i.scheduled for i in claim.items if i.is_change_order and not i.previous_id)
    new_up, new_down = max(new, sums.ZERO), min(new, sums.ZERO)
    amounts = {
        name: getattr(whole, name)
        for name in (
            "original_contract_sum", "net_change_by_change_orders", "contract_sum_to_date",
            "total_completed_and_stored_to_date", "completed_work_retainage_amount",
            "stored_materials_retainage_amount", "total_retainage", "total_earned_less_retainage",
            "less_previous_certificates_for_payment", "current_payment_due",
            "balance_to_finish_including_retainage", "new_materials", "stored_materials",
        )
    }  # fmt: skip
    tax = sums.tax([(amount, rate) for _, rate, amount in _taxed(core, project, claim)])
    if core.switches.on("payment_due_includes_tax"):
        amounts["current_payment_due"] += tax
    amounts |= {
        "tax_applicable_to_this_payment": tax,
        "positive_change_order_item_total": ups,
        "negative_change_order_item_total": downs,
        "positive_new_change_order_item_total": new_up,
        "negative_new_change_order_item_total": new_down,
        "positive_previous_change_order_item_total": ups - new_up,
        "negative_previous_change_order_item_total": downs - new_down,
    }
    start, end = claim.requisition_start, claim.requisition_end
    period = f"{start:%d %b %Y} - {end:%d %b %Y}" if start and end else None
    return {name: core.money(amount) for name, amount in amounts.items()} | {
        "completed_work_retainage_percent": f"{whole.completed_work_retainage_percent:f}",
        "stored_materials_retainage_percent": f"{whole.stored_materials_retainage_percent:f}",
        "formatted_period": period,
        "new_materials_quantity": "0.0",
        "stored_materials_quantity": "0.0",
    }


def _taxed(core: Core, project: Project, claim: Requisition) -> list[tuple[int, Decimal, Decimal]]:
    """(tax code, its percent, the amount taxed) of each item whose line has a tax code."""
    net = core.switches["tax_base"] == "net"
    found = []
    for item in claim.items:
        line = claims.line_of(project, item.line_id)
        code = core.state.tax_codes.get(line.tax_code_id or 0) if line else None
        if code:
            one = claims.movement(item)
            found.append((code.id, code.rate, one.gross - one.retained if net else one.gross))
    return found


def _tax_summary(core: Core, project: Project, claim: Requisition) -> list[Json]:
    taxed = _taxed(core, project, claim)
    return [
        {
            "tax_code_id": code.id,
            "tax_code_name": code.code,
            "tax_code_rate": code.rate,
            "applied_amount": sums.total(a for code_id, _, a in taxed if code_id == code.id),
        }
        for code in core.state.tax_codes.values()
        if any(code_id == code.id for code_id, _, _ in taxed)
    ]


def _summary_text(core: Core, project: Project, claim: Requisition) -> Json:
    contract = project.commitments[claim.commitment_id]
    return {
        "project_name": project.name,
        "project_number": project.number,
        "to_general_contractor": core.state.company_name,
        "requisition_period_start": day(claim.requisition_start),
        "requisition_period_end": day(claim.requisition_end),
        "subcontractor_name": vendor_name(core, contract),
        "application_number": str(claim.number),
        "contract_for": contract.title,
        "contract_date": day(contract.contract_date),
    }


def item_type(item: ClaimItem) -> str:
    return "change_order_item" if item.is_change_order else "contract_item"


def _coded(core: Core, project: Project, line: Line | None) -> Json:
    if line is None:
        return {"cost_code_id": None}
    return {"cost_code_id": project_cost_code_id(core.state, project, line.cost_code_id)}


def _work(core: Core, item: ClaimItem) -> Json:
    """The figures items, contract items and the detail all share."""
    one = claims.reckoned(item)
    end = one.after
    return {
        "scheduled_value": core.money(one.scheduled),
        "work_completed_from_previous_application": core.money(one.work_from_previous),
        "work_completed_this_period": core.money(item.work),
        "materials_presently_stored": core.money(end.stored),
        "total_completed_and_stored_to_date": core.money(end.completed_and_stored),
        "total_completed_and_stored_to_date_percent": (
            f"{sums.percentage(end.completed_and_stored, one.scheduled):f}"
        ),
        "work_completed_retainage_from_previous_application": core.money(
            one.work_retained_from_previous
        ),
        "work_completed_retainage_retained_this_period": core.money(item.work_retained),
        "work_completed_retainage_percent_this_period": (
            f"{sums.percentage(item.work_retained, item.work):f}"
        ),
        "materials_stored_retainage_currently_retained": core.money(end.materials_retained),
        "materials_stored_retainage_percent_this_period": (
            f"{sums.percentage(item.materials_retained, item.new_materials):f}"
        ),
        "work_completed_retainage_released_this_period": core.money(item.work_released),
        "materials_stored_retainage_released_this_period": core.money(item.materials_released),
        "materials_moved": core.money(item.materials_moved),
        "materials_retainage_retained_moved": core.money(item.materials_retained_moved),
        "scheduled_quantity": "0.0",
        "scheduled_unit_price": "0.0",
        "work_completed_this_period_quantity": "0.0",
        "work_completed_from_previous_application_quantity": "0.0",
    }


def _item(core: Core, project: Project, claim: Requisition, item: ClaimItem) -> Json:
    line = claims.line_of(project, item.line_id)
    one = claims.reckoned(item)
    row = _coded(core, project, line) | _work(core, item)
    row |= {
        "id": item.id,
        "item_type": item_type(item),
        "accounting_method": "amount",
        "currency_configuration": {
            "base_currency_iso_code": core.state.currency,
            "currency_iso_code": core.state.currency,
            "currency_exchange_rate": 1,
        },
        "line_item_id": item.line_id,
        "description_of_work": item.description,
        "wbs_code": wbs_with_segments(core, project, line) if line else None,
        "materials_presently_stored_quantity": "0.0",
        "materials_previously_stored_quantity": "0.0",
        "materials_presently_stored_from_previous_progress": core.money(item.before_stored),
        "total_completed_and_stored_to_date_from_previous": core.money(
            one.before.completed_and_stored
        ),
        "materials_stored_retainage_new_materials": core.money(item.materials_retained),
        "comment": item.comment,
        "status": item.status,
        "position": claim.items.index(item) + 1,
        "line_number": str(claim.items.index(item) + 1),
        "ssr_manual_override": item.work_retained_entered is not None,
        "subcontractor_claimed_amount": core.money(
            one.movement.gross if item.claimed is None else item.claimed
        ),
        "previous_progress_id": item.previous_id,
        "taxes": _taxes(core, line),
        "uom": None,
    }
    if core.switches.on("item_retainage_incomplete"):
        for field in (
            "materials_stored_retainage_new_materials",
            "materials_stored_retainage_released_this_period",
            "work_completed_retainage_released_this_period",
        ):
            row.pop(field)
    return row | _gross_net(core, one)


def _gross_net(core: Core, one: sums.Item) -> Json:
    match core.switches["item_gross_net"]:
        case "this_period":
            gross, net = one.movement.gross, one.movement.gross - one.movement.retained
        case "to_date":
            gross = one.after.completed_and_stored
            net = gross - one.after.retained
        case _:
            return {}
    return {"gross_amount": core.money(gross), "net_amount": core.money(net)}


def _taxes(core: Core, line: Line | None) -> list[Json]:
    code = core.state.tax_codes.get(line.tax_code_id or 0) if line else None
    if code is None:
        return []
    return [{"tax_code_id": code.id, "tax_code_name": code.code, "tax_code_rate": code.rate}]


def _packages(project: Project, claim: Requisition) -> list[Json]:
    lines = {item.line_id for item in claim.items if item.is_change_order}
    return [
        {
            "id": order.id,
            "contract_id": order.contract_id,
            "change_order_id": order.id,
            "number": order.number,
            "title": order.title,
            "status": order.status,
            "position": position,
            "change_order_acronym_number": f"CCO {order.number}",
        }
        for position, order in enumerate(claims.change_orders(project, claim.commitment_id), 1)
        if any(line.id in lines for line in order.lines)
    ]


def _order_of(project: Project, line_id: int) -> ChangeOrder | None:
    orders = project.change_orders.values()
    return next((o for o in orders if any(x.id == line_id for x in o.lines)), None)


def plain_item(core: Core, project: Project, item: ClaimItem) -> Json:
    """A row of the contract_items and change_order_items lists."""
    line = claims.line_of(project, item.line_id)
    row: Json = {
        "id": item.id,
        "line_item_id": item.line_id,
        "description_of_work": item.description,
        "position": 1,
        "subcontractor_claimed_amount": core.money(claims.movement(item).gross),
        "wbs_code": wbs_compact(core, project, line) if line else None,
        "currency_configuration": {"currency_iso_code": core.state.currency},
    }
    row |= _coded(core, project, line) | _work(core, item)
    if not item.is_change_order:
        return row | {
            "item_type": "contract_item",
            "comment": item.comment,
            "status": item.status,
            "ssr_manual_override": item.work_retained_entered is not None,
        }
    order = _order_of(project, item.line_id)
    return row | {
        "commitment_line_item_id": item.line_id,
        "commitment_line_item_origin_id": None,
        "change_order_package_id": order.id if order else None,
    }


def detail(core: Core, project: Project, claim: Requisition) -> list[Json]:
    """The numbers of every line as a certificate prints them, one row each."""
    return [_detail_row(core, project, item, n) for n, item in enumerate(claim.items, 1)]


def _detail_row(core: Core, project: Project, item: ClaimItem, number: int) -> Json:
    one = claims.reckoned(item)
    end = one.after
    row = _coded(core, project, claims.line_of(project, item.line_id)) | _work(core, item)
    return row | {
        "id": item.id,
        "item_number": number,
        "item_type": item_type(item),
        "description_of_work": item.description,
        "balance_to_finish": core.money(one.scheduled - end.completed_and_stored),
        "total_completed_and_stored_to_date_quantity": "0.0",
        "work_completed_retainage_currently_retained": core.money(end.work_retained),
        "materials_stored_retainage_from_previous_application": core.money(
            one.materials_retained_from_previous
        ),
        "materials_stored_retainage_retained_this_period": core.money(item.materials_retained),
        "total_retainage_currently_retained": core.money(end.retained),
        "total_retainage_from_previous_application": core.money(one.before.retained),
    }


def history(core: Core, one: History) -> Json:
    user = core.state.users.get(one.by)
    return {
        "id": one.id,
        "column": one.column,
        "old_value": one.old,
        "new_value": one.new,
        "action_by": user.name if user else "",
        "action_by_id": one.by,
        "created_at": stamp(one.at),
        "ref_id": one.requisition_id,
        "ref_type": "Requisition",
    }


def invoice_configuration(core: Core, project: Project, contract: Commitment) -> Json:
    """How a contract is billed; the rule set is there only where a ceiling was agreed."""
    row: Json = {
        "id": contract.id + 1,
        "separate_billing_for_stored_materials": True,
        "stored_materials_billing_method": "move_new_materials",
        "contract_id": contract.id,
        "project_id": project.id,
        "company_id": core.state.company_id,
        "ssr_enabled": contract.max_retainage is not None,
        "move_materials_to_previous_work_completed": contract.moves_materials,
        "commitment_has_invoices": bool(claims.chain(project, contract.id)),
        "retainage_rule_set": None,
    }
    if contract.max_retainage is not None:
        row["retainage_rule_set"] = {
            "id": contract.id + 2,
            "contract_id": contract.id,
            "name": "Sliding scale",
            "retainage_rules": [
                {
                    "id": contract.id + 3,
                    "position": 1,
                    "retainage_percentage": f"{contract.retainage_percent:f}",
                    "max_retainage": core.money(contract.max_retainage),
                    "rule_type": "amount",
                    "rule_type_upper_limit": core.money(contract.max_retainage),
                }
            ],
        }
    return row
