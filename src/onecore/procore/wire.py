"""Procore's JSON, only the fields that are read. Ids and money may come as number or text [P G7].

Every field that a real answer has been seen to lack, or to send as null, is optional here; the
reading functions decide what its absence means.
"""

from decimal import Decimal

import msgspec


class Named(msgspec.Struct):
    id: int | None = None
    name: str | None = None


class Company(msgspec.Struct):
    id: int
    name: str | None = None
    is_active: bool | None = None


class BaseUrl(msgspec.Struct):
    web_base_url: str


class Project(msgspec.Struct):
    id: int
    name: str | None = None
    project_number: str | int | None = None
    active: bool | None = None
    time_zone: str | None = None
    tz_name: str | None = None
    updated_at: str | None = None


class Tool(msgspec.Struct):
    engine_name: str
    is_active: bool | None = None
    id: int | None = None


class BusinessRegister(msgspec.Struct):
    type: str | None = None
    identifier: str | int | None = None


class Vendor(msgspec.Struct):
    id: int
    name: str | None = None
    is_active: bool | None = None
    email_address: str | None = None
    business_register: BusinessRegister | None = None


class CostCode(msgspec.Struct):
    id: int
    code: str | None = None
    full_code: str | None = None
    name: str | None = None
    deleted_at: str | None = None


class CostType(msgspec.Struct):
    id: int
    code: str | None = None
    name: str | None = None


class Segment(msgspec.Struct):
    type: str | None = None


class SegmentItem(msgspec.Struct):
    id: int | None = None
    code: str | int | None = None
    path_code: str | int | None = None
    name: str | None = None
    segment: Segment | None = None


class WbsCode(msgspec.Struct):
    id: int | None = None
    flat_code: str | None = None
    segment_items: list[SegmentItem] | None = None


class CommitmentLine(msgspec.Struct):
    id: int
    description: str | None = None
    amount: Decimal | None = None
    total_amount: Decimal | None = None
    cost_code: CostCode | None = None
    line_item_type: CostType | None = None
    wbs_code: WbsCode | None = None


class ChangeOrder(msgspec.Struct):
    id: int
    status: str | None = None
    deleted_at: str | None = None
    line_items: list[CommitmentLine] | None = None


class Commitment(msgspec.Struct):
    id: int
    number: str | int | None = None
    title: str | None = None
    status: str | None = None
    vendor: Named | None = None
    retainage_percent: Decimal | None = None
    grand_total: Decimal | None = None
    approved_change_orders: Decimal | None = None
    revised_contract: Decimal | None = None
    deleted_at: str | None = None
    line_items: list[CommitmentLine] | None = None
    change_order_packages: list[ChangeOrder] | None = None


class Currency(msgspec.Struct):
    currency_iso_code: str | None = None


class Summary(msgspec.Struct):
    current_payment_due: Decimal | None = None
    tax_applicable_to_this_payment: Decimal | None = None


class RequisitionItem(msgspec.Struct):
    id: int
    description_of_work: str | None = None
    cost_code_id: int | None = None
    wbs_code: WbsCode | None = None
    total_completed_and_stored_to_date: Decimal | None = None
    total_completed_and_stored_to_date_from_previous: Decimal | None = None
    work_completed_retainage_retained_this_period: Decimal | None = None
    materials_stored_retainage_new_materials: Decimal | None = None
    work_completed_retainage_released_this_period: Decimal | None = None
    materials_stored_retainage_released_this_period: Decimal | None = None


class RequisitionHead(msgspec.Struct):
    id: int
    commitment_id: int
    status: str
    updated_at: str


class Requisition(msgspec.Struct):
    id: int
    commitment_id: int
    status: str
    updated_at: str
    number: int | None = None
    vendor_id: int | None = None
    vendor_name: str | None = None
    invoice_number: str | int | None = None
    billing_date: str | None = None
    requisition_start: str | None = None
    requisition_end: str | None = None
    submitted_at: str | None = None
    summary: Summary | None = None
    currency_configuration: Currency | None = None
    items: list[RequisitionItem] | None = None


class DetailLine(msgspec.Struct):
    id: int
    work_completed_retainage_retained_this_period: Decimal | None = None
    work_completed_retainage_released_this_period: Decimal | None = None
    materials_stored_retainage_retained_this_period: Decimal | None = None
    materials_stored_retainage_released_this_period: Decimal | None = None
    total_retainage_currently_retained: Decimal | None = None
    total_retainage_from_previous_application: Decimal | None = None


class Change(msgspec.Struct):
    column: str | None = None
    new_value: str | None = None
    created_at: str | None = None


class Hook(msgspec.Struct):
    id: str | int
    status: str | None = None
    namespace: str | None = None
    destination_url: str | None = None
    destination_headers: dict[str, str] | None = None
    payload_version: str | None = None


class HookResource(msgspec.Struct):
    name: str
    actions: list[str] | None = None


class Trigger(msgspec.Struct):
    id: str | int
    resource_name: str | None = None
    event_type: str | None = None


class HookList(msgspec.Struct):
    data: list[Hook]


class OneHook(msgspec.Struct):
    data: Hook


class ResourceList(msgspec.Struct):
    data: list[HookResource]


class TriggerList(msgspec.Struct):
    data: list[Trigger]
