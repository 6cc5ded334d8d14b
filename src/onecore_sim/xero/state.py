"""Everything the simulator remembers, as one tree that is written out and read back whole."""

from datetime import date, datetime
from decimal import Decimal

import msgspec

ZERO = Decimal(0)
Day = date  # a field called date hides the type from its neighbours


class TaxRate(msgspec.Struct, kw_only=True):
    """A tax rate. `applies_to` holds the letters A, E, X, L, R of [X 11.1]."""

    tax_type: str
    name: str
    percent: Decimal
    applies_to: str
    report_tax_type: str | None = None
    status: str = "ACTIVE"


class Account(msgspec.Struct, kw_only=True):
    id: str
    code: str
    name: str
    type: str
    tax_type: str
    updated_at: datetime
    status: str = "ACTIVE"
    system: str | None = None
    payments_enabled: bool = False
    description: str = ""
    bank_number: str = ""


class Option(msgspec.Struct, kw_only=True):
    id: str
    name: str
    status: str = "ACTIVE"


class Category(msgspec.Struct, kw_only=True):
    id: str
    name: str
    status: str = "ACTIVE"
    options: list[Option] = []


class HistoryEntry(msgspec.Struct, kw_only=True):
    at: datetime
    user: str
    changes: str
    details: str = ""


class Attachment(msgspec.Struct, kw_only=True):
    id: str
    name: str
    mime: str
    content: bytes
    online: bool = False


class Contact(msgspec.Struct, kw_only=True):
    """A contact. `details` keeps what is only shown again: addresses, phones, terms."""

    id: str
    name: str
    updated_at: datetime
    status: str = "ACTIVE"
    number: str = ""
    account_number: str = ""
    company_number: str = ""
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    tax_number: str = ""
    bank_details: str = ""
    merged_to: str | None = None
    is_supplier: bool = False
    is_customer: bool = False
    payable_tax_type: str = ""
    receivable_tax_type: str = ""
    details: dict[str, object] = {}
    history: list[HistoryEntry] = []
    attachments: list[Attachment] = []


class LineTracking(msgspec.Struct, frozen=True):
    category_id: str
    option_id: str


class Line(msgspec.Struct, kw_only=True):
    """A line of a document. `unit` None: only a description."""

    id: str
    description: str = ""
    quantity: Decimal = ZERO
    unit: Decimal | None = None
    discount_percent: Decimal | None = None
    account_code: str = ""
    item_code: str = ""
    tax_type: str = ""
    tax: Decimal = ZERO
    tax_given: bool = False
    amount: Decimal = ZERO
    tracking: list[LineTracking] = []


class Document(msgspec.Struct, kw_only=True):
    """An invoice, a bill or a credit note. `paid` and `credited` are what payments and credits

    took off it (for a credit note: what was refunded, and what was allocated).
    """

    id: str
    type: str
    contact_id: str
    date: Day
    updated_at: datetime
    due_date: Day | None = None
    number: str = ""
    reference: str = ""
    status: str = "DRAFT"
    line_amount_types: str = "Exclusive"
    lines: list[Line] = []
    currency: str = "AUD"
    currency_rate: Decimal = Decimal(1)
    url: str = ""
    branding_theme_id: str = ""
    sent: bool = False
    expected_payment_date: Day | None = None
    planned_payment_date: Day | None = None
    sub_total: Decimal = ZERO
    total_tax: Decimal = ZERO
    total: Decimal = ZERO
    paid: Decimal = ZERO
    credited: Decimal = ZERO
    fully_paid_on: Day | None = None
    created_by_app: str = ""
    payment_ids: list[str] = []
    allocation_ids: list[str] = []
    history: list[HistoryEntry] = []
    attachments: list[Attachment] = []

    @property
    def due(self) -> Decimal:
        return self.total - self.paid - self.credited

    @property
    def settled_in_part(self) -> bool:
        return bool(self.paid or self.credited)

    @property
    def is_sale(self) -> bool:
        return self.type.startswith("ACCREC")

    @property
    def is_credit(self) -> bool:
        return self.type.endswith("CREDIT")


class Payment(msgspec.Struct, kw_only=True):
    id: str
    document_id: str
    account_id: str
    date: Day
    amount: Decimal
    updated_at: datetime
    reference: str = ""
    status: str = "AUTHORISED"
    reconciled: bool = False
    batch_id: str | None = None
    created_by_app: str = ""
    history: list[HistoryEntry] = []


class Allocation(msgspec.Struct, kw_only=True):
    id: str
    credit_note_id: str
    invoice_id: str
    amount: Decimal
    date: Day


class Organisation(msgspec.Struct, kw_only=True):
    id: str
    name: str
    country: str
    currency: str
    time_zone: str
    short_code: str
    created_at: datetime
    period_lock: Day | None = None
    year_lock: Day | None = None
    next_invoice: int = 1
    next_credit_note: int = 1
    tax_rates: list[TaxRate] = []
    accounts: dict[str, Account] = {}
    categories: dict[str, Category] = {}
    contacts: dict[str, Contact] = {}
    invoices: dict[str, Document] = {}
    credit_notes: dict[str, Document] = {}
    payments: dict[str, Payment] = {}
    allocations: dict[str, Allocation] = {}

    def documents(self, type_: str) -> dict[str, Document]:
        return self.credit_notes if type_.endswith("CREDIT") else self.invoices

    def document(self, id_: str) -> Document | None:
        return self.invoices.get(id_) or self.credit_notes.get(id_)

    def account(self, code: str) -> Account | None:
        return next((a for a in self.accounts.values() if a.code == code), None)

    def tax_rate(self, tax_type: str) -> TaxRate | None:
        return next((r for r in self.tax_rates if r.tax_type == tax_type), None)


class App(msgspec.Struct, kw_only=True):
    """A client of the API. `tenant_id` set: a custom connection to that one organisation."""

    client_id: str
    secret: str
    name: str
    tenant_id: str | None = None
    redirect_uris: list[str] = []
    scopes: list[str] = []


class Grant(msgspec.Struct, kw_only=True):
    """What one user allowed one app: a token set belongs to it."""

    id: str
    client_id: str
    user: str
    scopes: list[str]
    auth_event_id: str
    offline: bool = True
    revoked: bool = False


class AccessToken(msgspec.Struct, kw_only=True):
    token: str
    grant_id: str
    scopes: list[str]
    expires_at: datetime


class RefreshToken(msgspec.Struct, kw_only=True):
    token: str
    grant_id: str
    expires_at: datetime
    used_at: datetime | None = None


class Code(msgspec.Struct, kw_only=True):
    code: str
    grant_id: str
    redirect_uri: str
    challenge: str
    expires_at: datetime
    scopes: list[str]
    nonce: str = ""


class Connection(msgspec.Struct, kw_only=True):
    id: str
    client_id: str
    user: str
    tenant_id: str
    auth_event_id: str
    created_at: datetime
    updated_at: datetime


class Replay(msgspec.Struct, kw_only=True):
    """The first answer to an idempotency key."""

    fingerprint: str
    at: datetime
    status: int
    content_type: str
    body: bytes


class Window(msgspec.Struct, kw_only=True):
    """A fixed window of calls."""

    started_at: datetime
    used: int = 0


class Event(msgspec.Struct, kw_only=True):
    """`fault` is what befalls it on its way, `due_at` when it may leave."""

    sequence: int
    tenant_id: str
    category: str
    resource_id: str
    type: str
    at: datetime
    data: dict[str, str] = {}
    due_at: datetime | None = None
    fault: str = ""


class Delivery(msgspec.Struct, kw_only=True):
    """A batch of events that was not accepted yet."""

    events: list[Event]
    attempts: int = 0
    first_tried_at: datetime | None = None
    due_at: datetime | None = None


class Webhook(msgspec.Struct, kw_only=True):
    """`forged` are the statuses the receiver gave to deliveries it should not have believed."""

    client_id: str
    url: str
    key: str
    active: bool = False
    sequence: int = 0
    waiting: list[Event] = []
    failing: list[Delivery] = []
    forged: list[int] = []


class State(msgspec.Struct, kw_only=True):
    organisations: dict[str, Organisation] = {}
    apps: dict[str, App] = {}
    grants: dict[str, Grant] = {}
    access_tokens: dict[str, AccessToken] = {}
    refresh_tokens: dict[str, RefreshToken] = {}
    codes: dict[str, Code] = {}
    connections: dict[str, Connection] = {}
    replays: dict[str, Replay] = {}
    windows: dict[str, Window] = {}
    webhooks: dict[str, Webhook] = {}
