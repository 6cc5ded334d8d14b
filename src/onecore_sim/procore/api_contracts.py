"""The API's contracts: commitments, change orders, billing periods, payments, billing rules."""

from collections.abc import Callable

from onecore_sim.procore import actions, claims, records, wire_claims, wire_contracts
from onecore_sim.procore.api import Call, Handler, Reply
from onecore_sim.procore.api_master import by_time
from onecore_sim.procore.core import Json, day, read_date, read_money, stamp
from onecore_sim.procore.errors import invalid, missing, not_found
from onecore_sim.procore.events import announce
from onecore_sim.procore.listing import Filter, numbers, one_of, page, rows, unpaged
from onecore_sim.procore.state import (
    CHANGE_ORDER_STATUSES,
    PURCHASE_ORDER,
    WORK_ORDER,
    BillingPeriod,
    ChangeOrder,
    Commitment,
    ContractPayment,
    Project,
)

TOOL = "commitments"


def _alive(call: Call, everything: list[Commitment]) -> list[Commitment]:
    """Deleted rows stay out unless filters[include_deleted] asks for them."""
    match call.query("filters[include_deleted]"):
        case "only":
            return [c for c in everything if c.deleted_at]
        case "with":
            return everything
        case _:
            return [c for c in everything if not c.deleted_at]


def _accepted(values: list[str]) -> Callable[[object], bool]:
    """A filter that was already acted on."""
    return lambda _: True


def _list(kind: str) -> Handler:
    def handler(call: Call) -> Reply:
        project = call.project(TOOL)
        mine = [c for c in project.commitments.values() if c.kind == kind]
        filters = by_time() | {
            "status": one_of(lambda c: c.status),
            "include_deleted": _accepted,
        }
        kept = rows(call, _alive(call, mine), filters)
        return page(call, kept, lambda c: wire_contracts.commitment(call.core, project, c))

    return handler


def _of_kind(project: Project, commitment_id: int, kind: str) -> Commitment:
    commitment = records.commitment_of(project, commitment_id)
    if commitment.kind != kind:
        raise not_found()
    return commitment


def _show(kind: str) -> Handler:
    def handler(call: Call) -> Reply:
        project = call.project(TOOL)
        commitment = _of_kind(project, call.param("id"), kind)
        return Reply(wire_contracts.commitment_show(call.core, project, commitment))

    return handler


def _create(kind: str, part: str) -> Handler:
    def handler(call: Call) -> Reply:
        project = call.project(TOOL)
        said = call.part(part)
        commitment = actions.new_commitment(
            call.core,
            project,
            {"status": "Draft", **said, "kind": kind, "lines": said.get("line_items")},
            call.user.id,
        )
        return Reply(wire_contracts.commitment_show(call.core, project, commitment), 201)

    return handler


def _update(kind: str, part: str) -> Handler:
    def handler(call: Call) -> Reply:
        project = call.project(TOOL)
        commitment = _of_kind(project, call.param("id"), kind)
        actions.edit_commitment(call.core, project, commitment, call.part(part), call.user.id)
        return Reply(wire_contracts.commitment_show(call.core, project, commitment))

    return handler


def _lines(kind: str) -> Handler:
    def handler(call: Call) -> Reply:
        project = call.project(TOOL)
        commitment = _of_kind(project, call.param("contract_id"), kind)
        filters = by_time()
        filters.pop("origin_id")
        kept = rows(call, commitment.lines, filters)
        return page(call, kept, lambda x: wire_contracts.line(call.core, project, commitment, x))

    return handler


def _line(kind: str) -> Handler:
    def handler(call: Call) -> Reply:
        project = call.project(TOOL)
        commitment = _of_kind(project, call.param("contract_id"), kind)
        found = next((x for x in commitment.lines if x.id == call.param("id")), None)
        if found is None:
            raise not_found()
        return Reply(wire_contracts.line(call.core, project, commitment, found))

    return handler


def _compact(call: Call) -> Reply:
    project = call.project(TOOL)
    alive = [c for c in project.commitments.values() if not c.deleted_at]
    kept = rows(call, alive, {})
    return page(call, kept, lambda c: wire_contracts.commitment_compact(call.core, c))


def _orders(call: Call, project: Project) -> list[ChangeOrder]:
    orders = [o for o in project.change_orders.values() if not o.deleted_at]
    contract = call.query("contract_id")
    return [o for o in orders if contract in (None, str(o.contract_id))]


def _packages(call: Call) -> Reply:
    project = call.project(TOOL)
    filters: dict[str, Filter] = by_time() | {"include_deleted": _accepted}
    kept = rows(call, _orders(call, project), filters)
    return page(call, kept, lambda o: wire_contracts.package(call.core, o))


def _order(project: Project, order_id: int) -> ChangeOrder:
    order = project.change_orders.get(order_id)
    if order is None or order.deleted_at:
        raise not_found()
    return order


def _package(call: Call) -> Reply:
    project = call.project(TOOL)
    order = _order(project, call.param("id"))
    return Reply(wire_contracts.package_show(call.core, project, order))


def _edit_package(call: Call) -> Reply:
    project = call.project(TOOL)
    order = _order(project, call.param("id"))
    said = call.part("change_order_package")
    if "status" in said and said["status"] not in CHANGE_ORDER_STATUSES:
        raise invalid("status", "is not included in the list")
    if "origin_id" in said:
        everywhere = [
            o for p in call.core.state.projects.values() for o in p.change_orders.values()
        ]
        order.origin_id = records.take_origin_id(call.core, said["origin_id"], order, everywhere)
    for name in ("title", "origin_data", "origin_code"):
        if name in said:
            setattr(order, name, said[name])
    status = said.get("status") or order.status
    actions.set_change_order_status(call.core, project, order, status, call.user.id)
    return Reply(wire_contracts.package_show(call.core, project, order))


def _change_orders(call: Call) -> Reply:
    """The newer list of the same change orders; it does not page."""
    project = call.project(TOOL)
    filters = {
        "id": numbers(lambda o: o.id),
        "contract_id": numbers(lambda o: o.contract_id),
        "status": one_of(lambda o: o.status),
        "updated_at": by_time()["updated_at"],
    }
    kept = rows(call, _orders(call, project), filters)
    return unpaged(call, kept, lambda o: wire_contracts.commitment_change_order(call.core, o))


def _prime_contracts(call: Call) -> Reply:
    """Always empty: this builder's head contracts are not kept in Procore."""
    call.project("prime_contracts")
    return page(call, [], dict)


def _period(project: Project, one: BillingPeriod) -> Json:
    return {
        "id": one.id,
        "created_at": stamp(one.created_at),
        "due_date": day(one.due_date),
        "end_date": day(one.end_date),
        "position": one.position,
        "project_id": project.id,
        "start_date": day(one.start_date),
        "status": one.status,
        "updated_at": stamp(one.updated_at),
    }


def _periods(call: Call) -> Reply:
    project = call.project(TOOL)
    filters = by_time() | {"status": one_of(lambda p: p.status)}
    filters.pop("origin_id")
    kept = rows(call, list(project.periods.values()), filters)
    return page(call, kept, lambda p: _period(project, p))


def _show_period(call: Call) -> Reply:
    project = call.project(TOOL)
    period = project.periods.get(call.param("id"))
    if period is None:
        raise not_found()
    return Reply(_period(project, period))


def _new_period(call: Call) -> Reply:
    project = call.project(TOOL)
    said = call.part("billing_period")
    days = {name: read_date(said.get(name)) for name in ("start_date", "end_date", "due_date")}
    status = said.get("status")
    if status not in ("open", "closed"):
        raise invalid("status", "is not included in the list")
    start, end, due = days["start_date"], days["end_date"], days["due_date"]
    if start is None or end is None or due is None:
        raise missing("billing_period")
    now = call.core.now()
    period = BillingPeriod(
        call.core.new_id(), start, end, due, status, len(project.periods) + 1, now, now
    )
    project.periods[period.id] = period
    return Reply(_period(project, period), 201)


def _payments(call: Call) -> Reply:
    project = call.project(TOOL)
    contract = records.commitment_of(project, call.needed("contract_id"))
    mine = [p for p in project.payments.values() if p.contract_id == contract.id]
    return page(call, mine, lambda p: wire_contracts.contract_payment(call.core, project, p))


def _new_payment(call: Call) -> Reply:
    project = call.project(TOOL)
    contract = records.commitment_of(project, call.needed("contract_id"))
    said = call.part("contract_payment")
    everywhere = [p for x in call.core.state.projects.values() for p in x.payments.values()]
    origin_id = records.take_origin_id(call.core, said.get("origin_id"), None, everywhere)
    now = call.core.now()
    payment = ContractPayment(
        id=call.core.new_id(),
        contract_id=contract.id,
        amount=read_money(said.get("amount", 0), "amount"),
        created_at=now,
        updated_at=now,
        requisition_id=said.get("requisition_id"),
        paid_on=read_date(said.get("date")),
        origin_id=origin_id,
    )
    for name in (
        "invoice_number", "check_number", "payment_number", "payment_method",
        "draw_request_number", "notes", "origin_data",
    ):  # fmt: skip
        setattr(payment, name, said.get(name))
    project.payments[payment.id] = payment
    call.core.touch(contract)
    announce(call.core, "Contract Payments", "create", payment.id, project, call.user.id)
    return Reply(wire_contracts.contract_payment(call.core, project, payment), 201)


def _payment(call: Call, project: Project) -> ContractPayment:
    payment = project.payments.get(call.param("id"))
    if payment is None or payment.contract_id != call.needed("contract_id"):
        raise not_found()
    return payment


def _show_payment(call: Call) -> Reply:
    project = call.project(TOOL)
    return Reply(wire_contracts.contract_payment(call.core, project, _payment(call, project)))


def _delete_payment(call: Call) -> Reply:
    project = call.project(TOOL)
    payment = _payment(call, project)
    records.check_unlocked(call.core, payment.origin_id)
    del project.payments[payment.id]
    announce(call.core, "Contract Payments", "delete", payment.id, project, call.user.id)
    return Reply(None)


def _configuration(call: Call) -> Reply:
    project = call.project(TOOL)
    contract = records.commitment_of(project, call.param("contract_id"))
    if call.request.method == "PATCH" and claims.chain(project, contract.id):
        raise invalid("stored_materials_billing_method", "cannot change once there are invoices")
    return Reply(wire_claims.invoice_configuration(call.core, project, contract))


SUBCONTRACTS, ORDERS, P = (
    "/rest/v1.0/work_order_contracts",
    "/rest/v1.0/purchase_order_contracts",
    "/rest/v1.0/projects/{project_id}",
)
TABLE: dict[tuple[str, str], Handler] = {
    ("GET", "/rest/v1.0/commitments"): _compact,
    ("GET", "/rest/v1.0/change_order_packages"): _packages,
    ("GET", "/rest/v1.0/change_order_packages/{id}"): _package,
    ("PATCH", "/rest/v1.0/change_order_packages/{id}"): _edit_package,
    ("GET", f"{P}/commitment_change_orders"): _change_orders,
    ("GET", "/rest/v1.0/prime_contracts"): _prime_contracts,
    ("GET", f"{P}/billing_periods"): _periods,
    ("POST", f"{P}/billing_periods"): _new_period,
    ("GET", f"{P}/billing_periods/{{id}}"): _show_period,
    ("GET", "/rest/v1.0/contract_payments"): _payments,
    ("POST", "/rest/v1.0/contract_payments"): _new_payment,
    ("GET", "/rest/v1.0/contract_payments/{id}"): _show_payment,
    ("DELETE", "/rest/v1.0/contract_payments/{id}"): _delete_payment,
    ("GET", f"{P}/contracts/{{contract_id}}/invoice_configuration"): _configuration,
    ("PATCH", f"{P}/contracts/{{contract_id}}/invoice_configuration"): _configuration,
}
for _path, _kind, _part in (
    (SUBCONTRACTS, WORK_ORDER, "work_order_contract"),
    (ORDERS, PURCHASE_ORDER, "purchase_order_contract"),
):
    TABLE |= {
        ("GET", _path): _list(_kind),
        ("POST", _path): _create(_kind, _part),
        ("GET", f"{_path}/{{id}}"): _show(_kind),
        ("PATCH", f"{_path}/{{id}}"): _update(_kind, _part),
        ("GET", f"{_path}/{{contract_id}}/line_items"): _lines(_kind),
        ("GET", f"{_path}/{{contract_id}}/line_items/{{id}}"): _line(_kind),
    }
