"""A made-up builder, as plain records both simulators load: the same seed, the same builder.

The records say what exists; each simulator turns its own part into its own state. Money is
Decimal ex tax, dates are calendar days, ids are the ones Procore would have given.
"""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class CostType:
    id: int
    code: str  # "L", "M", "S"
    name: str
    base_type: str  # Procore's: labor, materials, commitment, equipment, other


@dataclass(frozen=True, slots=True)
class CostCode:
    """A standard cost code; `code` is the full code such as "03-300"."""

    id: int
    code: str
    name: str
    account: str | None  # where this builder books it in Xero; None: nobody has decided yet


@dataclass(frozen=True, slots=True)
class Party:
    """A vendor in Procore, and the contact in Xero with the same ABN where there is one."""

    vendor_id: int
    name: str
    abn: str
    email: str
    contact_id: str | None  # a UUID; None: not in Xero yet
    contact_name: str  # as the bookkeeper typed it, often a little different
    is_customer: bool = False


@dataclass(frozen=True, slots=True)
class SovLine:
    """A line of a schedule of values. `group` 0 is the contract, n the n-th change order."""

    id: int
    cost_code_id: int
    line_item_type_id: int
    description: str
    amount: Decimal
    group: int = 0


@dataclass(frozen=True, slots=True)
class ClaimLine:
    """What one claim says of one line: all amounts are of this period.

    `work` is new work, without what `materials_moved` carries over from stored materials; so a
    line's total to date is the sum of `work` and `new_materials`, and what is still stored is
    `new_materials` less `materials_moved`. Retention retained is not here: it follows from the
    commitment's percentage and cap. Released amounts are positive.
    """

    line_id: int
    work: Decimal
    new_materials: Decimal = Decimal(0)
    materials_moved: Decimal = Decimal(0)
    work_released: Decimal = Decimal(0)
    materials_released: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Claim:
    id: int
    number: int
    invoice_number: str
    status: str  # Procore's: draft, under_review, approved, ...
    period_start: date
    period_end: date
    billing_date: date
    lines: tuple[ClaimLine, ...]


@dataclass(frozen=True, slots=True)
class Commitment:
    id: int
    kind: str  # WorkOrderContract | PurchaseOrderContract
    number: str
    title: str
    vendor_id: int
    status: str
    retainage_percent: Decimal
    lines: tuple[SovLine, ...]
    claims: tuple[Claim, ...]
    # "10 % until 5 % of the contract is held": the cap in dollars, None without one
    max_retainage: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Project:
    id: int
    number: str
    name: str
    state_code: str
    time_zone: str  # Procore's word: Sydney, Melbourne, Brisbane
    permitted: bool
    tracking_option: str | None  # the option in Xero, None: not made yet
    commitments: tuple[Commitment, ...] = ()
    active: bool = True


@dataclass(frozen=True, slots=True)
class Builder:
    company_id: int
    name: str
    today: date
    tenant_id: str
    cost_types: tuple[CostType, ...]
    cost_codes: tuple[CostCode, ...]
    parties: tuple[Party, ...]
    projects: tuple[Project, ...]
    accounts: dict[str, str] = field(default_factory=dict)  # further account code -> name
