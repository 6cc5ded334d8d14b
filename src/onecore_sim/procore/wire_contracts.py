"""Commitments, their lines, change orders and payments as Procore writes them."""

from decimal import Decimal

from onecore_sim.procore import claims
from onecore_sim.procore.arithmetic import percentage, total
from onecore_sim.procore.coding import cost_code, line_item_type, wbs_compact
from onecore_sim.procore.core import Core, Json, day, stamp
from onecore_sim.procore.state import (
    WORK_ORDER,
    ChangeOrder,
    Commitment,
    ContractPayment,
    Line,
    Project,
)


def currency(core: Core) -> Json:
    return {"currency_iso_code": core.state.currency}


def commitment_compact(core: Core, one: Commitment) -> Json:
    """A row of the mixed list. Its published statuses are subcontracts' only; orders pass theirs
    through all the same."""
    return {
        "id": one.id,
        "title": one.title,
        "number": one.number,
        "status": one.status,
        "description": one.description,
        "executed": one.executed,
        "delivery_date": None,
        "created_at": stamp(one.created_at),
        "private": False,
        "vendor": {"id": one.vendor_id, "name": vendor_name(core, one)},
    }


def commitment(core: Core, project: Project, one: Commitment) -> Json:
    """A row of a commitment list; the same for both kinds but for a few fields."""
    sums = totals(project, one)
    row: Json = {
        "id": one.id,
        "accounting_method": "amount",
        "approval_letter_date": None,
        "contract_date": day(one.contract_date),
        "created_at": stamp(one.created_at),
        "deleted_at": stamp(one.deleted_at),
        "description": one.description,
        "executed": one.executed,
        "execution_date": None,
        "issued_on_date": None,
        "letter_of_intent_date": None,
        "number": one.number,
        "origin_data": one.origin_data,
        "origin_code": one.origin_code,
        "origin_id": one.origin_id,
        "private": False,
        "project": {"id": project.id, "name": project.name},
        "requisitions_are_enabled": True,
        "retainage_percent": f"{one.retainage_percent:f}",
        "returned_date": None,
        "signed_contract_received_date": None,
        "status": one.status,
        "title": one.title,
        "updated_at": stamp(one.updated_at),
        "vendor": {"id": one.vendor_id, "company": vendor_name(core, one)},
        "currency_configuration": currency(core),
        "percentage_paid": f"{percentage(sums['total_payments'], sums['revised_contract']):f}",
    }
    row |= {name: core.money(amount) for name, amount in sums.items()}
    if one.kind == WORK_ORDER:
        row |= {
            "actual_completion_date": None,
            "contract_start_date": None,
            "contract_estimated_completion_date": None,
            "exclusions": None,
            "inclusions": None,
            "show_line_items_to_non_admins": False,
        }
    else:
        row |= {
            "bill_to_address": None,
            "delivery_date": None,
            "payment_terms": one.payment_terms,
            "ship_to_address": None,
            "ship_via": None,
        }
    return row


def commitment_show(core: Core, project: Project, one: Commitment) -> Json:
    """A single commitment, with its lines, change orders and payments."""
    row = commitment(core, project, one)
    row["vendor"] |= {"origin_data": None, "origin_id": None}
    payments = [p for p in project.payments.values() if p.contract_id == one.id]
    return row | {
        "created_by_id": None,
        "change_order_packages": [
            package_brief(core, order) for order in claims.change_orders(project, one.id)
        ],
        "change_order_requests": [],
        "invoice_contacts": [],
        "line_items": [line(core, project, one, item) for item in one.lines],
        "payments_issued": [_payment_issued(core, payment) for payment in payments],
        "potential_change_orders": [],
    }


def totals(project: Project, one: Commitment) -> dict[str, Decimal]:
    orders = claims.change_orders(project, one.id)

    def of(*statuses: str) -> Decimal:
        return total(x.amount for o in orders if o.status in statuses for x in o.lines)

    grand = total(item.amount for item in one.lines)
    approved, pending, draft = of("approved"), of("pending", "proceeding", "revised"), of("draft")
    paid = total(p.amount for p in project.payments.values() if p.contract_id == one.id)
    claimed = claims.chain(project, one.id)
    return {
        "grand_total": grand,
        "approved_change_orders": approved,
        "pending_change_orders": pending,
        "draft_change_orders_amount": draft,
        "revised_contract": grand + approved,
        "pending_revised_contract": grand + approved + pending,
        "total_payments": paid,
        "total_requisitions_amount": total(claims.gross(c) for c in claimed),
        "total_draw_requests_amount": Decimal(0),
        "remaining_balance_outstanding": grand + approved - paid,
    }


def vendor_name(core: Core, one: Commitment) -> str:
    vendor = core.state.vendors.get(one.vendor_id)
    return vendor.name if vendor else ""


def line(core: Core, project: Project, holder: Commitment | ChangeOrder, one: Line) -> Json:
    """A line of a schedule of values."""
    code = core.state.cost_codes[one.cost_code_id]
    row: Json = {
        "id": one.id,
        "amount": core.money(one.amount),
        "company": {"id": core.state.company_id, "name": core.state.company_name},
        "wbs_code": wbs_compact(core, project, one),
        "cost_code": cost_code(core, project, code),
        "created_at": stamp(one.created_at),
        "description": one.description,
        "extended_type": "manual",
        "holder": {"id": holder.id, "holder_type": _holder_type(holder)},
        "line_item_type": line_item_type(core.state.cost_types[one.line_item_type_id]),
        "origin_data": None,
        "origin_id": None,
        "position": one.position,
        "project": {"id": project.id, "name": project.name},
        "quantity": "0.0",
        "tax_code_id": one.tax_code_id,
        "total_amount": core.money(one.amount),
        "extended_amount": core.money(one.amount),
        "unit_cost": "0.0",
        "uom": None,
        "updated_at": stamp(one.updated_at),
        "currency_configuration": currency(core),
    }
    row["cost_code"].pop("biller_origin_id")
    return row


def _holder_type(holder: Commitment | ChangeOrder) -> str:
    return holder.kind if isinstance(holder, Commitment) else "ChangeOrderPackage"


def package_brief(core: Core, one: ChangeOrder) -> Json:
    """A change order package as commitments carry it."""
    return {
        "id": one.id,
        "contract_id": one.contract_id,
        "created_at": stamp(one.created_at),
        "deleted_at": stamp(one.deleted_at),
        "due_date": day(one.due_date),
        "invoiced_date": None,
        "number": one.number,
        "origin_data": one.origin_data,
        "origin_id": one.origin_id,
        "paid_date": None,
        "reviewed_at": stamp(one.reviewed_at),
        "title": one.title,
        "status": one.status,
        "updated_at": stamp(one.updated_at),
        "currency_configuration": currency(core),
    }


def package(core: Core, one: ChangeOrder) -> Json:
    """A row of the change order package list."""
    return package_brief(core, one) | {
        "executed": one.status == "approved",
        "grand_total": core.money(total(x.amount for x in one.lines)),
        "origin_code": one.origin_code,
        "revision": 0,
        "signed_change_order_received_date": None,
        "designated_reviewer": None,
        "currency_configuration": {
            "base_currency_iso_code": core.state.currency,
            "currency_iso_code": core.state.currency,
        },
        "custom_fields": {},
    }


def package_show(core: Core, project: Project, one: ChangeOrder) -> Json:
    lines = [line(core, project, one, item) for item in one.lines]
    keep = (
        "id", "position", "description", "quantity", "uom", "total_amount", "extended_amount",
        "cost_code", "wbs_code", "unit_cost", "holder", "line_item_type", "currency_configuration",
    )  # fmt: skip
    return package(core, one) | {
        "description": None,
        "position": 1,
        "private": False,
        "type": "ChangeOrderPackage",
        "attachments": [],
        "line_items": [{k: row[k] for k in keep} | {"markup_line_items": []} for row in lines],
    }


def commitment_change_order(core: Core, one: ChangeOrder) -> Json:
    """The newer face of the same change order; it has no origin fields."""
    row = package(core, one)
    for field in ("origin_id", "origin_data", "origin_code", "deleted_at", "paid_date"):
        row.pop(field)
    return row | {
        "batch_id": None,
        "legacy_package_id": one.id,
        "description": None,
        "paid": False,
        "private": False,
        "type": "CommitmentChangeOrder",
        "currency_configuration": currency(core),
    }


def _payment_issued(core: Core, one: ContractPayment) -> Json:
    return {
        "id": one.id,
        "amount": core.money(one.amount),
        "check_number": one.check_number,
        "created_at": stamp(one.created_at),
        "date": day(one.paid_on),
        "draw_request_number": one.draw_request_number,
        "invoice_number": one.invoice_number,
        "notes": one.notes,
        "payment_number": one.payment_number,
        "attachments": [],
        "origin_id": one.origin_id,
        "origin_data": one.origin_data,
        "currency_configuration": currency(core),
    }


def contract_payment(core: Core, project: Project, one: ContractPayment) -> Json:
    row = _payment_issued(core, one)
    row.pop("currency_configuration")
    return row | {
        "contract_id": one.contract_id,
        "updated_at": stamp(one.updated_at),
        "date_payment_settled": None,
        "date_payment_initiated": None,
        "external_payment_id": None,
        "project_id": project.id,
        "requisition_id": one.requisition_id,
        "origin_code": None,
        "status": core.switches["contract_payment_status"],
    }
