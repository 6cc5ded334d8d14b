"""The workspace document (design 14) once it has been read and checked; plain values, no files.

Every class here is one block of the YAML, field for field, with its default. Reading, line
numbers, merging of overrides and writing live in `engine/config`.
"""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Literal
from uuid import UUID

from onecore.domain.ids import (
    AccountCode,
    CommitmentId,
    ContactId,
    CostTypeId,
    OrganisationId,
    ProjectId,
    TaxType,
    VendorId,
)
from onecore.domain.refs import Flow


class Mode(StrEnum):
    OFF = "off"
    PREVIEW = "preview"
    APPROVE = "approve"
    AUTO = "auto"


class DueBase(StrEnum):
    """The ways a due date is reckoned [C 5]."""

    DAYS_AFTER_BILL = "days_after_bill"
    DAYS_AFTER_MONTH_END = "days_after_month_end"
    DAY_OF_MONTH = "day_of_month"
    DAY_OF_FOLLOWING_MONTH = "day_of_following_month"
    CONTACT_TERMS = "contact_terms"
    BUSINESS_DAYS_AFTER = "business_days_after"


@dataclass(frozen=True, slots=True)
class DueRule:
    """Exactly one base. `days` is its number; `otherwise` serves contact terms that are missing."""

    base: DueBase
    days: int = 0
    start: Literal["submitted", "bill"] = "bill"  # written `from`
    region: str | None = None  # "AU-NSW", "NZ", "GB-ENG"
    otherwise: "DueRule | None" = None  # written `else`


@dataclass(frozen=True, slots=True)
class NumberRule:
    """How a bill is numbered; `prefix` belongs to `rcti`."""

    kind: Literal["supplier", "commitment_claim", "rcti"] = "supplier"
    prefix: str = ""


DateBasis = Literal["billing_date", "period_end", "submitted", "approved"]
PostStatus = Literal["DRAFT", "SUBMITTED", "AUTHORISED"]


@dataclass(frozen=True, slots=True)
class BillFlow:
    mode: Mode = Mode.OFF
    status: PostStatus = "AUTHORISED"
    post_statuses: tuple[str, ...] = ("approved",)
    number: NumberRule = NumberRule()
    date: DateBasis = "billing_date"
    due_date: DueRule = DueRule(DueBase.DAYS_AFTER_BILL, 30)


@dataclass(frozen=True, slots=True)
class OtherFlow:
    """A flow this version does not carry yet: its block is kept as written, its mode is read."""

    mode: Mode = Mode.OFF
    options: tuple[tuple[str, object], ...] = ()


class RetentionMethod(StrEnum):
    NET = "net"
    LINE = "line"
    DOCUMENT = "document"
    CREDIT_NOTE = "credit_note"


@dataclass(frozen=True, slots=True)
class RetentionSide:
    """How retention is booked on one side [C 3]. `account` None is a gap once it is needed."""

    method: RetentionMethod = RetentionMethod.LINE
    account: AccountCode | None = None
    released_account: AccountCode | None = None
    tax: Literal["same", "none"] = "same"
    lines: Literal["one", "tax", "line"] = "one"
    track: tuple[str, ...] = ("project",)
    second: Literal["draft", "approved"] = "draft"
    second_due: DueRule | None = None
    suffix: str = "-R"
    organisation: OrganisationId | None = None


@dataclass(frozen=True, slots=True)
class Retention:
    payable: RetentionSide = RetentionSide()
    receivable: RetentionSide = RetentionSide()


@dataclass(frozen=True, slots=True)
class SecondTracking:
    """The second category: an option per value of `source`, or always `fixed`."""

    category: str
    source: Literal["cost_type", "sub_job", "cost_code"] | None = None
    fixed: str | None = None


@dataclass(frozen=True, slots=True)
class TrackingSettings:
    """Names of Xero's tracking categories; None where a category is not used."""

    project: str | None = None
    second: SecondTracking | None = None
    organisation: OrganisationId | None = None


@dataclass(frozen=True, slots=True)
class CodeRule:
    """A row of `codes`. `cost_code` is exact, a prefix before "*", or "*"."""

    cost_code: str
    cost_type: CostTypeId | None = None
    sub_job: str | None = None
    expense: AccountCode | None = None
    revenue: AccountCode | None = None
    item: str | None = None
    start: date | None = None  # written `from`: applies to documents dated on or after it
    organisation: OrganisationId | None = None
    rank: int = 0  # rows of a higher rank are tried first: 0 the workspace's, 1 a project's own


@dataclass(frozen=True, slots=True)
class Uncoded:
    """Accounts for lines without a cost code."""

    expense: AccountCode | None = None
    revenue: AccountCode | None = None
    organisation: OrganisationId | None = None


@dataclass(frozen=True, slots=True)
class PartyRow:
    """A vendor of Procore and the contact it is in Xero."""

    vendor: VendorId
    contact: ContactId
    organisation: OrganisationId | None = None


@dataclass(frozen=True, slots=True)
class CostTypeRow:
    cost_type: CostTypeId
    option: str
    organisation: OrganisationId | None = None


@dataclass(frozen=True, slots=True)
class TaxOverride:
    """An explicit tax type for lines that match every field that is set."""

    tax_type: TaxType
    contact: ContactId | None = None
    account: AccountCode | None = None
    cost_type: CostTypeId | None = None
    project: ProjectId | None = None
    tax_code: int | None = None
    side: Literal["payable", "receivable"] = "payable"
    organisation: OrganisationId | None = None


@dataclass(frozen=True, slots=True)
class Opening:
    """Retention held on a contract when OneCore took over."""

    held: Decimal
    gst: Literal["deferred", "already_booked"]


@dataclass(frozen=True, slots=True)
class ContractRow:
    contract: CommitmentId
    kind: Literal["commitment", "prime"] = "commitment"
    opening: Opening | None = None


@dataclass(frozen=True, slots=True)
class ProjectRow:
    project: ProjectId
    option: str | None = None
    organisation: OrganisationId | None = None


@dataclass(frozen=True, slots=True)
class OrganisationRow:
    id: OrganisationId
    default: bool = False


@dataclass(frozen=True, slots=True)
class Duplicates:
    number: bool = True
    amount_window_days: int = 7


Ask = Literal["ask", "adjust"]


@dataclass(frozen=True, slots=True)
class Policies:
    """What to do when things change (design 4)."""

    tax_cents: Literal["xero", "document"] = "xero"
    paid_bill_changed: Ask = "ask"
    paid_invoice_changed: Ask = "ask"
    source_reopened: Literal["keep", "ask", "void"] = "keep"
    source_deleted: Literal["ask", "void"] = "ask"
    locked_period: Literal["hold", "shift"] = "hold"
    drift: Literal["ask", "restore", "accept"] = "ask"
    duplicates: Duplicates = Duplicates()
    lock_source: Literal["never", "posted", "paid"] = "never"
    credit_notes: Literal["oldest", "none"] = "oldest"


@dataclass(frozen=True, slots=True)
class EffectiveSettings:
    """The settings that hold for one project, contract and organisation, overrides merged in."""

    cut_over: date
    bill: BillFlow = BillFlow()
    retention: Retention = Retention()
    tracking: TrackingSettings = TrackingSettings()
    policies: Policies = Policies()
    codes: tuple[CodeRule, ...] = ()  # in the order they are tried among equals
    uncoded: Uncoded = Uncoded()
    vendors: tuple[PartyRow, ...] = ()
    cost_types: tuple[CostTypeRow, ...] = ()
    tax_overrides: tuple[TaxOverride, ...] = ()
    project: ProjectRow | None = None
    contract: ContractRow | None = None


@dataclass(frozen=True, slots=True)
class WorkspaceDocument:
    """The whole document: what holds everywhere, and the rows overrides hang on."""

    version: int
    base: EffectiveSettings
    organisations: tuple[OrganisationRow, ...] = ()
    flows: tuple[tuple[Flow, OtherFlow], ...] = ()
    customers: tuple[PartyRow, ...] = ()
    projects: tuple[ProjectRow, ...] = ()
    contracts: tuple[ContractRow, ...] = ()
    raw: dict[str, object] = field(default_factory=dict, compare=False)

    def organisation_of(self, project: ProjectId) -> OrganisationId | None:
        """Where a project's documents go: its own row, else the default, else the only one."""
        for row in self.projects:
            if row.project == project and row.organisation is not None:
                return row.organisation
        defaults = [row.id for row in self.organisations if row.default] or [
            row.id for row in self.organisations
        ]
        return defaults[0] if defaults else None


def organisation_id(text: str) -> OrganisationId:
    return OrganisationId(UUID(text))
