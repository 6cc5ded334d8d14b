"""What the engine needs of the outside, and errors that say what may be done next.

Adapters promise: one call is one attempt with a time-out; nothing is retried inside except one
renewal of an expired access token. Every error of a remote reaches the engine as a class below.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from onecore.domain.chart import Account, Category, Contact, Organisation, TaxRate
from onecore.domain.documents import Bill, CostCode, PostedBill, PostedLine, Requisition
from onecore.domain.ids import (
    BillId,
    BillLineId,
    CategoryId,
    CommitmentId,
    CompanyId,
    ContactId,
    CostCodeId,
    CostTypeId,
    OptionId,
    OrganisationId,
    ProjectId,
    RequisitionId,
    VendorId,
)
from onecore.domain.money import Currency

LONGEST_WRITE = 40.0
"""Seconds after which a write is given up; no request of ours can arrive later than that."""
PROMPTLY = 5.0
"""Seconds from the last question whether a write may go to its going: who was paused meanwhile asks
again."""


class Clock(Protocol):
    """Where "now" comes from."""

    def now(self) -> datetime:
        """Aware UTC."""
        ...


class Remote(StrEnum):
    PROCORE = "procore"
    XERO = "xero"


# --- errors -----------------------------------------------------------------------------------


class RemoteError(Exception):
    """Something a remote said or failed to say. Never carries a document's content."""

    def __init__(self, remote: Remote, operation: str, detail: str = "") -> None:
        super().__init__(f"{remote}: {operation}" + (f": {detail}" if detail else ""))
        self.remote = remote
        self.operation = operation
        self.detail = detail


class Lane(StrEnum):
    """Why a call is made; the budget serves them in this order."""

    PERSON = "person"
    DOCUMENT = "document"
    LIST = "list"
    WALK = "walk"


class LimitKind(StrEnum):
    """Which limit was hit; each is a different wait."""

    MINUTE = "minute"
    DAY = "day"
    CONCURRENT = "concurrent"
    APP_MINUTE = "app_minute"
    HOUR = "hour"
    SPIKE = "spike"
    UNKNOWN = "unknown"


class Throttled(RemoteError):
    """Told to wait; nothing was done. The engine goes on at that time.

    `lane`: only calls of that lane and those below it wait, by our own budget; None: all do.
    """

    def __init__(
        self,
        remote: Remote,
        operation: str,
        kind: LimitKind,
        wait: timedelta,
        lane: Lane | None = None,
    ) -> None:
        super().__init__(remote, operation, f"{kind} limit, {wait.total_seconds():.0f} s")
        self.kind = kind
        self.wait = wait
        self.lane = lane


class NotReached(RemoteError):
    """The request never left, or the remote said it is offline (503). The engine backs off."""

    def __init__(
        self, remote: Remote, operation: str, detail: str = "", wait: timedelta | None = None
    ) -> None:
        super().__init__(remote, operation, detail)
        self.wait = wait


class OutcomeUnknown(RemoteError):
    """A write left and no usable answer came back (time-out, broken answer, 5xx): look first."""


class ReadFailed(RemoteError):
    """A read got no usable answer (5xx, broken body, time-out): nothing changed, try later."""


class AccessLost(RemoteError):
    """The grant is gone (revoked, expired, app removed, wrong secret): a person reconnects."""


class Disconnected(AccessLost):
    """The grant holds, but reaches this organisation no more; it may reach others."""


class ScopeMissing(AccessLost):
    """The grant lacks a right that `detail` names; refreshing never helps."""


class NotVisible(RemoteError):
    """403 or 404: not there, or not for us to see; never by itself a deletion [P 2.4, G8]."""

    def __init__(self, remote: Remote, operation: str, status: int, detail: str = "") -> None:
        super().__init__(remote, operation, f"{status} {detail}".strip())
        self.status = status


class RequestRefused(RemoteError):
    """The remote understood a whole request and declined it (400, 409, 422)."""

    def __init__(
        self, remote: Remote, operation: str, status: int, reasons: tuple[str, ...]
    ) -> None:
        super().__init__(remote, operation, f"{status} {'; '.join(reasons)}")
        self.status = status
        self.reasons = reasons


# --- Procore ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Company:
    id: CompanyId
    name: str
    web_base_url: str


@dataclass(frozen=True, slots=True)
class Project:
    id: ProjectId
    number: str
    name: str
    active: bool
    time_zone: str
    updated_at: datetime | None = None

    @property
    def label(self) -> str:
        return f"{self.number} {self.name}".strip()


@dataclass(frozen=True, slots=True)
class Vendor:
    id: VendorId
    name: str
    active: bool
    abn: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class CostType:
    id: CostTypeId
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class CommitmentLine:
    id: int
    description: str
    amount: Decimal
    cost_code: CostCode | None
    cost_type: CostTypeId | None


@dataclass(frozen=True, slots=True)
class Commitment:
    """A subcontract or purchase order contract with its schedule of values, approved changes in."""

    id: CommitmentId
    kind: str  # WorkOrderContract | PurchaseOrderContract
    number: str
    title: str
    vendor: VendorId | None
    status: str
    retainage_percent: Decimal | None
    total: Decimal
    lines: tuple[CommitmentLine, ...] = ()

    @property
    def is_live(self) -> bool:
        return self.status in ("Approved", "Complete", "Received", "Partially Received", "Closed")


@dataclass(frozen=True, slots=True)
class RequisitionHead:
    """What a list of claims says of each: enough to know that it must be looked at."""

    id: RequisitionId
    project: ProjectId
    commitment: CommitmentId
    status: str
    updated_at: datetime


class ProcorePort(Protocol):
    """Reads of one Procore company. Raises the errors above; never writes in this version."""

    def in_lane(self, lane: Lane) -> "ProcorePort":
        """The same, all of whose calls are made in that lane."""
        ...

    async def company(self) -> Company: ...
    async def projects(self) -> tuple[Project, ...]: ...
    async def tools(self, project: ProjectId) -> Mapping[str, bool]: ...
    async def vendors(self) -> tuple[Vendor, ...]: ...
    async def cost_codes(self, project: ProjectId) -> tuple[CostCode, ...]: ...
    async def cost_types(self) -> tuple[CostType, ...]: ...
    async def commitments(self, project: ProjectId, lines: bool) -> tuple[Commitment, ...]: ...

    async def requisitions_changed(
        self, project: ProjectId, since: datetime | None, until: datetime
    ) -> tuple[RequisitionHead, ...]:
        """Claims of a project whose `updated_at` lies in the range, both ends included."""
        ...

    async def requisitions_of(
        self, project: ProjectId, commitment: CommitmentId
    ) -> tuple[RequisitionHead, ...]:
        """Every claim of one contract: complete, or an error."""
        ...

    async def requisitions(
        self,
        project: ProjectId,
        ids: Sequence[RequisitionId],
        cost_codes: Mapping[CostCodeId, CostCode],
        commitment_numbers: Mapping[CommitmentId, str],
        web_base_url: str,
    ) -> tuple[Requisition, ...]:
        """The claims with their lines; those not seen are left out, for the engine to notice."""
        ...

    async def movements(
        self, project: ProjectId, requisition: RequisitionId
    ) -> dict[int, tuple[Decimal, Decimal]]:
        """Retained and released this period by line id, from the detail page [P 8.1]."""
        ...

    async def approved_at(self, project: ProjectId, requisition: RequisitionId) -> datetime | None:
        """When the claim last became approved, from its change history."""
        ...


@dataclass(frozen=True, slots=True)
class HookResource:
    """Something a webhook may be told of, with the reasons it is told for."""

    name: str
    actions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RemoteHook:
    """A webhook as Procore has it. `active`: it sends, and in the shape we asked for;
    `authorization` is what its deliveries carry, "" where that is not told."""

    id: str
    url: str
    active: bool
    authorization: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class HookTrigger:
    """What a webhook is told of: a resource in Procore's word, and create, update or delete."""

    resource: str
    action: str
    id: str = field(default="", compare=False)


class HooksPort(Protocol):
    """Management of one company's webhooks; `project` None means the company's own."""

    async def resources(self, project: ProjectId | None) -> tuple[HookResource, ...]: ...

    async def hooks(
        self, project: ProjectId | None, namespace: str | None
    ) -> tuple[RemoteHook, ...]: ...

    async def create(self, project: ProjectId | None, url: str, bearer: str, namespace: str) -> str:
        """The new hook's id. `bearer` comes back with every delivery."""
        ...

    async def mend(self, project: ProjectId | None, hook: str, url: str, bearer: str) -> None:
        """At this address and with this bearer, whatever they were."""
        ...

    async def delete(self, project: ProjectId | None, hook: str) -> None:
        """Raises NotVisible when it is not there."""
        ...

    async def triggers(self, project: ProjectId | None, hook: str) -> tuple[HookTrigger, ...]: ...

    async def tell(
        self, project: ProjectId | None, hook: str, triggers: Sequence[HookTrigger]
    ) -> bool:
        """Make it tell of these as well; False when some were declined."""
        ...

    async def untell(self, project: ProjectId | None, hook: str, ids: Sequence[str]) -> None:
        """Make it tell of these triggers no more."""
        ...


# --- Xero -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BillChange:
    """What to send of one bill. `line_ids` ties keys to Xero's lines; a key without one is new.

    Every line that should stay must be in `bill.lines` or `kept`: Xero deletes what is not
    sent [X 5.1]. `kept` are a bookkeeper's own lines, sent back as they were read.
    """

    id: BillId
    bill: Bill
    line_ids: Mapping[str, BillLineId]
    kept: tuple[PostedLine, ...] = ()


@dataclass(frozen=True, slots=True)
class Posted:
    """The remote carried one document out; this is how it stands now."""

    bill: PostedBill
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """The remote declined one document of a batch, with its own reasons in words."""

    reasons: tuple[str, ...]


Outcome = Posted | Refusal


@dataclass(frozen=True, slots=True)
class Connection:
    """One organisation a Xero grant reaches. `id` is not the organisation's; `consent` names the
    act by which a person last allowed it [X 1]."""

    id: str
    organisation: OrganisationId
    name: str
    consent: str = ""
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    at: datetime
    who: str
    what: str
    details: str


class XeroPort(Protocol):
    """Reads and writes of one Xero organisation. Batches keep their order."""

    def in_lane(self, lane: Lane) -> "XeroPort":
        """The same, all of whose calls are made in that lane."""
        ...

    async def organisation(self) -> Organisation: ...
    async def currencies(self) -> tuple[Currency, ...]: ...
    async def accounts(self) -> tuple[Account, ...]: ...
    async def tax_rates(self) -> tuple[TaxRate, ...]: ...
    async def categories(self) -> tuple[Category, ...]: ...
    async def contacts(self, since: datetime | None = None) -> tuple[Contact, ...]: ...
    async def add_option(self, category: CategoryId, name: str) -> OptionId: ...
    async def add_contact(self, name: str, tax_number: str, email: str, key: str) -> ContactId: ...

    async def bills(self, ids: Sequence[BillId]) -> tuple[PostedBill, ...]:
        """Bills by id with their lines, voided and deleted ones too; at most 40 ids a request."""
        ...

    async def bills_changed(
        self, since: datetime | None, ours_only: bool = False
    ) -> tuple[PostedBill, ...]:
        """Bills changed since an instant (whole seconds, overlap is the caller's), with lines.

        `ours_only` uses `createdByMyApp`. Walks by value: asks again from the last row seen
        rather than for page 2 of a moving list.
        """
        ...

    def bill_pages(
        self, since: datetime | None, ours_only: bool = False
    ) -> AsyncIterator[tuple[PostedBill, ...]]:
        """The same page by page; a bill that changes meanwhile comes again."""
        ...

    async def create_bills(self, bills: Sequence[Bill], key: str) -> tuple[Outcome, ...]:
        """PUT, never POST; `key` is the idempotency key of exactly this body."""
        ...

    async def update_bills(
        self, changes: Sequence[BillChange], key: str
    ) -> tuple[Outcome, ...]: ...

    async def remove_bills(self, bills: Sequence[PostedBill], key: str) -> tuple[Outcome, ...]:
        """Deletes drafts, voids approved ones."""
        ...

    async def history(self, bill: BillId) -> tuple[HistoryEntry, ...]: ...


# --- grants -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Token:
    """An access token in use. `version` is its grant's row version, which names it in keys."""

    value: str = field(repr=False)
    expires_at: datetime
    version: int


class Tokens(Protocol):
    """Gives a client its access token, renewed once per grant across all processes."""

    async def current(self) -> Token: ...
    async def renew(self, stale: Token) -> Token:
        """A newer token than `stale`. Raises AccessLost when the grant is gone."""
        ...


class CallLog(Protocol):
    """Asked before every call and told after it: counts and ids, never content."""

    async def before(self, remote: Remote, scope: str, lane: Lane) -> int:
        """The call's number, for `after`. May raise Throttled when the budget says so."""
        ...

    async def after(
        self,
        call: int,
        remote: Remote,
        scope: str,
        lane: Lane,
        operation: str,
        status: int,
        limits: Mapping[str, int],
        refused: Throttled | None,
    ) -> None:
        """`status` is 0 where there was no answer; `limits` are the figures of its headers by
        name, such as "day_remaining"; `refused` is what a 429 said."""
        ...
