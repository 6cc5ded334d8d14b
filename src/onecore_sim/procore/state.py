"""Everything the simulator remembers, as one tree that can be written out and read back."""

from datetime import date, datetime
from decimal import Decimal

import msgspec

CLIENT_ID = "sim-procore-client"
CLIENT_SECRET = "sim-procore-secret"  # noqa: S105 - made up, and printed on the home page
WORK_ORDER = "WorkOrderContract"
PURCHASE_ORDER = "PurchaseOrderContract"
CONTRACT_STATUSES = {
    WORK_ORDER: (
        "Draft", "Out For Bid", "Out For Signature", "Approved", "Complete", "Terminated", "Void",
    ),
    PURCHASE_ORDER: (
        "Draft", "Processing", "Submitted", "Partially Received", "Received", "Approved", "Closed",
    ),
}  # fmt: skip
CLAIM_STATUSES = (
    "draft", "under_review", "revise_and_resubmit", "approved", "approved_as_noted",
    "pending_owner_approval",
)  # fmt: skip
CHANGE_ORDER_STATUSES = (
    "draft", "not_pricing", "pricing", "pending", "revised", "proceeding", "not_proceeding",
    "no_charge", "approved", "rejected", "void",
)  # fmt: skip
# The names are ours: no public page lists Procore's engine names.
TOOLS = (
    "directory", "commitments", "change_orders", "prime_contracts", "direct_costs", "invoicing",
)  # fmt: skip


class User(msgspec.Struct):
    id: int
    name: str
    login: str
    service_account: bool = False


class Vendor(msgspec.Struct):
    id: int
    name: str
    created_at: datetime
    updated_at: datetime
    abn: str | None = None
    register_id: int | None = None
    email: str | None = None
    is_active: bool = True
    phone: str | None = None
    address: str | None = None
    city: str | None = None
    state_code: str | None = None
    zip: str | None = None
    country_code: str | None = "AU"
    website: str | None = None
    abbreviated_name: str | None = None
    trade_name: str | None = None
    notes: str | None = None
    origin_id: str | None = None
    origin_data: str | None = None
    origin_code: str | None = None


class CostType(msgspec.Struct):
    id: int
    code: str
    name: str
    base_type: str


class CostCode(msgspec.Struct):
    """A standard cost code; a project's own cost codes are reckoned from it."""

    id: int
    code: str
    name: str


class TaxCode(msgspec.Struct):
    id: int
    code: str
    description: str
    rate: Decimal
    archived: bool = False


class Line(msgspec.Struct, omit_defaults=True):
    """A line of a schedule of values, of the contract itself or of a change order."""

    id: int
    cost_code_id: int  # the standard cost code
    line_item_type_id: int
    description: str
    amount: Decimal
    position: int
    created_at: datetime
    updated_at: datetime
    tax_code_id: int | None = None


class Commitment(msgspec.Struct):
    id: int
    kind: str
    number: str
    title: str
    vendor_id: int
    status: str
    retainage_percent: Decimal
    created_at: datetime
    updated_at: datetime
    lines: list[Line] = []
    max_retainage: Decimal | None = None
    moves_materials: bool = True
    executed: bool = True
    description: str | None = None
    contract_date: date | None = None
    payment_terms: str | None = None
    deleted_at: datetime | None = None
    origin_id: str | None = None
    origin_data: str | None = None
    origin_code: str | None = None


class ChangeOrder(msgspec.Struct):
    id: int
    contract_id: int
    number: str
    title: str
    status: str
    created_at: datetime
    updated_at: datetime
    lines: list[Line] = []
    reviewed_at: datetime | None = None
    due_date: date | None = None
    deleted_at: datetime | None = None
    origin_id: str | None = None
    origin_data: str | None = None
    origin_code: str | None = None


class ClaimItem(msgspec.Struct, omit_defaults=True):
    """One line of a claim: what it started from, what it says, and what a person overrode."""

    id: int
    line_id: int
    scheduled: Decimal
    description: str
    is_change_order: bool = False
    before_work: Decimal = Decimal(0)
    before_stored: Decimal = Decimal(0)
    before_work_retained: Decimal = Decimal(0)
    before_materials_retained: Decimal = Decimal(0)
    work: Decimal = Decimal(0)
    new_materials: Decimal = Decimal(0)
    materials_moved: Decimal = Decimal(0)
    work_retained: Decimal = Decimal(0)
    materials_retained: Decimal = Decimal(0)
    materials_retained_moved: Decimal = Decimal(0)
    work_released: Decimal = Decimal(0)
    materials_released: Decimal = Decimal(0)
    work_retained_entered: Decimal | None = None
    materials_retained_entered: Decimal | None = None
    work_percent_entered: Decimal | None = None
    materials_percent_entered: Decimal | None = None
    claimed: Decimal | None = None
    comment: str | None = None
    status: str = "no_action"
    previous_id: int | None = None


class Requisition(msgspec.Struct, omit_defaults=True):
    id: int
    commitment_id: int
    number: int
    status: str
    created_at: datetime
    updated_at: datetime
    created_by: int
    items: list[ClaimItem] = []
    previous_id: int | None = None
    invoice_number: str | None = None
    period_id: int | None = None
    requisition_start: date | None = None
    requisition_end: date | None = None
    billing_date: date | None = None
    payment_date: date | None = None
    submitted_at: date | None = None
    due_date: date | None = None
    final: bool = False
    origin_id: str | None = None
    origin_data: str | None = None


class History(msgspec.Struct):
    id: int
    requisition_id: int
    column: str
    old: str
    new: str
    by: int
    at: datetime


class BillingPeriod(msgspec.Struct):
    id: int
    start_date: date
    end_date: date
    due_date: date
    status: str
    position: int
    created_at: datetime
    updated_at: datetime


class ContractPayment(msgspec.Struct):
    id: int
    contract_id: int
    amount: Decimal
    created_at: datetime
    updated_at: datetime
    requisition_id: int | None = None
    paid_on: date | None = None
    invoice_number: str | None = None
    check_number: str | None = None
    payment_number: int | None = None
    payment_method: str | None = None
    draw_request_number: int | None = None
    notes: str | None = None
    origin_id: str | None = None
    origin_data: str | None = None


class Project(msgspec.Struct):
    """A project. `ordinal` spaces its cost code and WBS ids apart from other projects'."""

    id: int
    ordinal: int
    number: str
    name: str
    state_code: str
    time_zone: str
    created_at: datetime
    updated_at: datetime
    permitted: bool = True
    active: bool = True
    stage: str = "Course of Construction"
    origin_id: str | None = None
    origin_data: str | None = None
    origin_code: str | None = None
    tools: dict[str, bool] = {}
    commitments: dict[int, Commitment] = {}
    change_orders: dict[int, ChangeOrder] = {}
    requisitions: dict[int, Requisition] = {}
    histories: list[History] = []
    periods: dict[int, BillingPeriod] = {}
    payments: dict[int, ContractPayment] = {}


class Token(msgspec.Struct):
    access: str
    client_id: str
    user_id: int
    created_at: datetime
    expires_at: datetime
    refresh: str | None = None
    revoked: bool = False


class Code(msgspec.Struct):
    code: str
    client_id: str
    redirect_uri: str
    user_id: int
    expires_at: datetime


class Trigger(msgspec.Struct):
    id: str
    resource_name: str
    event_type: str


class Hook(msgspec.Struct):
    """`project_id` None is a company hook. `failing_since` starts the 12 hours to the flush;
    `forged` are the statuses given to deliveries that should not have been believed."""

    id: str
    namespace: str
    payload_version: str
    destination_url: str
    created_at: datetime
    updated_at: datetime
    authorization: str | None = None
    project_id: int | None = None
    status: str = "active"
    triggers: list[Trigger] = []
    failing_since: datetime | None = None
    forged: list[int | None] = []


class Attempt(msgspec.Struct):
    id: str
    success: bool
    response_status: int | None
    response_body: str
    started_at: datetime
    completed_at: datetime


class Delivery(msgspec.Struct):
    """`fault` is what befalls it on its way."""

    id: str
    hook_id: str
    resource_name: str
    event_type: str
    body: str
    status: str
    created_at: datetime
    due_at: datetime
    attempts: list[Attempt] = []
    fault: str = ""


class State(msgspec.Struct):
    company_id: int = 9001
    company_name: str = "Simulated Builder"
    currency: str = "AUD"
    next_id: int = 800_000_000
    list_id: int = 700_001
    cost_code_segment_id: int = 700_011
    cost_type_segment_id: int = 700_012
    pattern_id: int = 700_010
    users: dict[int, User] = {}
    vendors: dict[int, Vendor] = {}
    cost_types: dict[int, CostType] = {}
    cost_codes: dict[int, CostCode] = {}
    tax_codes: dict[int, TaxCode] = {}
    projects: dict[int, Project] = {}
    tokens: list[Token] = []
    codes: list[Code] = []
    hooks: dict[str, Hook] = {}
    deliveries: list[Delivery] = []

    def new_id(self) -> int:
        self.next_id += 1
        return self.next_id


SERVICE_USER = 600_001
PERSON = 600_002


def people() -> dict[int, User]:
    """The service account, and the person who clicks on the simulator's pages."""
    return {
        SERVICE_USER: User(SERVICE_USER, "OneCore (service account)", "onecore@sim.test", True),
        PERSON: User(PERSON, "Robin Hale", "robin.hale@sim.test"),
    }
