"""From Procore's answers to our documents: pure functions, one per document.

They raise ValueError, naming the field, where an answer lacks what nothing can stand in for.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

from onecore.domain.documents import CostCode, Requisition, RequisitionLine
from onecore.domain.ids import (
    CommitmentId,
    CostCodeId,
    CostTypeId,
    ProjectId,
    RequisitionId,
    VendorId,
)
from onecore.domain.money import ZERO, Currency
from onecore.ports import (
    Commitment,
    CommitmentLine,
    CostType,
    Project,
    RequisitionHead,
    Vendor,
)
from onecore.procore import wire

NO_VENDOR = VendorId(0)  # a claim whose contract names no company; no mapping ever has it


def read_project(raw: wire.Project) -> Project:
    return Project(
        id=ProjectId(raw.id),
        number=_text(raw.project_number),
        name=_text(raw.name),
        active=raw.active is not False,
        time_zone=raw.tz_name or raw.time_zone or "",
        updated_at=instant(raw.updated_at) if raw.updated_at else None,
    )


def read_vendor(raw: wire.Vendor, active: bool = True) -> Vendor:
    """A company of the directory; `abn` is its business register number of whatever country.

    `active` False is for rows of the list of inactive ones, which need not say so themselves.
    """
    register = raw.business_register
    return Vendor(
        id=VendorId(raw.id),
        name=_text(raw.name),
        active=active and raw.is_active is not False,
        abn=_text(register.identifier) if register else "",
        email=_text(raw.email_address),
    )


def read_cost_code(raw: wire.CostCode) -> CostCode:
    return CostCode(CostCodeId(raw.id), raw.full_code or raw.code or "", _text(raw.name))


def read_cost_type(raw: wire.CostType) -> CostType:
    return CostType(CostTypeId(raw.id), _text(raw.code), _text(raw.name))


def read_commitment(raw: wire.Commitment, kind: str) -> Commitment:
    """A contract; its total has the approved change orders in, its lines are the schedule's."""
    total = raw.revised_contract
    if total is None:
        total = (raw.grand_total or ZERO) + (raw.approved_change_orders or ZERO)
    return Commitment(
        id=CommitmentId(raw.id),
        kind=kind,
        number=_text(raw.number),
        title=_text(raw.title),
        vendor=VendorId(raw.vendor.id) if raw.vendor and raw.vendor.id else None,
        status=_text(raw.status),
        retainage_percent=raw.retainage_percent,
        total=total,
        lines=tuple(read_commitment_line(line) for line in raw.line_items or ()),
    )


def read_commitment_line(raw: wire.CommitmentLine) -> CommitmentLine:
    codes = _segments(raw.wbs_code)
    code = read_cost_code(raw.cost_code) if raw.cost_code else codes.cost_code
    cost_type = CostTypeId(raw.line_item_type.id) if raw.line_item_type else codes.cost_type
    amount = raw.amount if raw.amount is not None else raw.total_amount
    return CommitmentLine(raw.id, _text(raw.description), amount or ZERO, code, cost_type)


def read_requisition_head(raw: wire.RequisitionHead, project: ProjectId) -> RequisitionHead:
    return RequisitionHead(
        id=RequisitionId(raw.id),
        project=project,
        commitment=CommitmentId(raw.commitment_id),
        status=raw.status,
        updated_at=instant(raw.updated_at),
    )


def read_requisition(
    raw: wire.Requisition,
    project: ProjectId,
    cost_codes: Mapping[CostCodeId, CostCode],
    commitment_numbers: Mapping[CommitmentId, str],
    web_base_url: str,
) -> Requisition:
    """A claim as `view=extended` gives it [P 8.1]; raises ValueError without the amount due."""
    due = raw.summary.current_payment_due if raw.summary else None
    if due is None:
        raise ValueError(f"requisition {raw.id} has no summary.current_payment_due")
    currency = raw.currency_configuration.currency_iso_code if raw.currency_configuration else None
    commitment = CommitmentId(raw.commitment_id)
    return Requisition(
        id=RequisitionId(raw.id),
        project=project,
        commitment=commitment,
        commitment_number=commitment_numbers.get(commitment, ""),
        vendor=VendorId(raw.vendor_id) if raw.vendor_id else NO_VENDOR,
        vendor_name=_text(raw.vendor_name),
        number=raw.number or 0,
        invoice_number=_text(raw.invoice_number),
        status=raw.status,
        billing_date=_day(raw.billing_date),
        period_start=_day(raw.requisition_start),
        period_end=_day(raw.requisition_end),
        submitted_at=instant(raw.submitted_at) if raw.submitted_at else None,
        approved_at=None,
        updated_at=instant(raw.updated_at),
        current_payment_due=due,
        currency=Currency(currency.upper()) if currency else None,
        url=f"{web_base_url.rstrip('/')}/{project}/project/contracts/requisitions/{raw.id}",
        lines=tuple(_requisition_line(item, cost_codes) for item in raw.items or ()),
        tax=(raw.summary.tax_applicable_to_this_payment if raw.summary else None) or ZERO,
    )


def read_movements(detail: Iterable[wire.DetailLine]) -> dict[int, tuple[Decimal, Decimal]]:
    """Retained and released this period by line id, from the detail page [P 8.1].

    The two balances decide how much moved: where the named movements do not explain it (stored
    materials that became work carry their retainage with them), the difference is put on the
    retained side, or on the released one where it would be negative.
    """
    return {line.id: _movement(line) for line in detail}


def approved_at(history: Iterable[wire.Change]) -> datetime | None:
    """When the status last became approved, with or without notes; None if it never did."""
    moments = [
        instant(change.created_at)
        for change in history
        if change.created_at
        and (change.column or "").lower() == "status"
        and (change.new_value or "").lower().replace(" ", "_") in ("approved", "approved_as_noted")
    ]
    return max(moments, default=None)


def instant(text: str) -> datetime:
    """Aware UTC. A bare date is its midnight, a time without a zone is taken as UTC [P 6.1]."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC)


def _movement(line: wire.DetailLine) -> tuple[Decimal, Decimal]:
    retained = (line.work_completed_retainage_retained_this_period or ZERO) + (
        line.materials_stored_retainage_retained_this_period or ZERO
    )
    released = (line.work_completed_retainage_released_this_period or ZERO) + (
        line.materials_stored_retainage_released_this_period or ZERO
    )
    now, before = (
        line.total_retainage_currently_retained,
        line.total_retainage_from_previous_application,
    )
    if now is None or before is None or now - before == retained - released:
        return retained, released
    moved = now - before
    return (moved + released, released) if moved + released >= 0 else (ZERO, -moved)


def _requisition_line(
    raw: wire.RequisitionItem, cost_codes: Mapping[CostCodeId, CostCode]
) -> RequisitionLine:
    codes = _segments(raw.wbs_code)
    return RequisitionLine(
        id=raw.id,
        description=_text(raw.description_of_work),
        cost_code=_cost_code(raw.cost_code_id, codes.cost_code, cost_codes),
        cost_type=codes.cost_type,
        sub_job=codes.sub_job,
        gross=(raw.total_completed_and_stored_to_date or ZERO)
        - (raw.total_completed_and_stored_to_date_from_previous or ZERO),
        retained=(raw.work_completed_retainage_retained_this_period or ZERO)
        + (raw.materials_stored_retainage_new_materials or ZERO),
        released=(raw.work_completed_retainage_released_this_period or ZERO)
        + (raw.materials_stored_retainage_released_this_period or ZERO),
    )


def _cost_code(
    plain: int | None, segment: CostCode | None, known: Mapping[CostCodeId, CostCode]
) -> CostCode | None:
    """The project's own record of the code where there is one, else what the line says of it.

    A code that is nowhere described still is a code: None would let it pass as uncoded work.
    """
    for number in (plain, segment.id if segment else None):
        if number is not None and CostCodeId(number) in known:
            return known[CostCodeId(number)]
    if segment is not None or plain is None:
        return segment
    return CostCode(CostCodeId(plain), f"#{plain}", "")


@dataclass(frozen=True, slots=True)
class _Codes:
    """What the segments of a budget code name."""

    cost_code: CostCode | None = None
    cost_type: CostTypeId | None = None
    sub_job: str | None = None


def _segments(wbs: wire.WbsCode | None) -> _Codes:
    code, cost_type, sub_job = None, None, None
    for item in (wbs.segment_items if wbs else None) or ():
        kind = item.segment.type if item.segment else None
        full = _text(item.path_code) or _text(item.code)
        if kind == "cost_code" and item.id is not None:
            code = CostCode(CostCodeId(item.id), full, _text(item.name))
        elif kind == "line_item_type" and item.id is not None:
            cost_type = CostTypeId(item.id)
        elif kind == "sub_job" and full:
            sub_job = full
    return _Codes(code, cost_type, sub_job)


def _day(text: str | None) -> date | None:
    """The calendar day as printed; a time behind it says nothing about the day meant."""
    return date.fromisoformat(text[:10]) if text else None


def _text(value: str | int | None) -> str:
    return "" if value is None else str(value).strip()
