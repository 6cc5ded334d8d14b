"""The documents of both worlds that the flows read and write."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from onecore.domain.ids import (
    AccountCode,
    BillId,
    BillLineId,
    CategoryId,
    CommitmentId,
    ContactId,
    CostCodeId,
    CostTypeId,
    OptionId,
    ProjectId,
    RequisitionId,
    TaxType,
    VendorId,
)
from onecore.domain.money import ZERO, Currency


@dataclass(frozen=True, slots=True)
class CostCode:
    """A project's cost code; `code` is the full code a person writes, such as "03-300"."""

    id: CostCodeId
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class RequisitionLine:
    """One line of a claim, in movements of this period, ex tax.

    `gross` is work completed and materials stored, this period; negative for a back charge.
    `retainage` is the movement of what is held: retained positive, released negative. `retained`
    and `released` are its two halves, both zero or positive for an ordinary claim.
    """

    id: int
    description: str
    cost_code: CostCode | None
    cost_type: CostTypeId | None
    sub_job: str | None
    gross: Decimal
    retained: Decimal
    released: Decimal

    @property
    def retainage(self) -> Decimal:
        return self.retained - self.released

    @property
    def net(self) -> Decimal:
        return self.gross - self.retainage


@dataclass(frozen=True, slots=True)
class Requisition:
    """A subcontractor's progress claim as Procore has it. Amounts are ex tax.

    `status` is Procore's own word and may be one we do not know. `url` is the page of the claim
    in Procore. `approved_at` is read only where the bill's date depends on it. `tax` is what
    Procore reckons on this payment.
    """

    id: RequisitionId
    project: ProjectId
    commitment: CommitmentId
    commitment_number: str
    vendor: VendorId
    vendor_name: str
    number: int
    invoice_number: str
    status: str
    billing_date: date | None
    period_start: date | None
    period_end: date | None
    submitted_at: datetime | None
    approved_at: datetime | None
    updated_at: datetime
    current_payment_due: Decimal
    currency: Currency | None
    url: str
    lines: tuple[RequisitionLine, ...]
    tax: Decimal = ZERO

    @property
    def net(self) -> Decimal:
        """What the lines say is due now: gross less the movement of retainage."""
        return sum((line.net for line in self.lines), ZERO)

    @property
    def adds_up(self) -> bool:
        """Whether the lines give Procore's own `current_payment_due` [P 8.1]."""
        return self.net == self.current_payment_due

    def without_tax_in_due(self) -> "Requisition":
        """The claim with the amount due ex tax, where its tax explains all of what differs.

        That Procore's figure is ex tax is inferred, not told [P 14.8].
        """
        if self.tax and self.net + self.tax == self.current_payment_due:
            return replace(self, current_payment_due=self.net)
        return self

    def with_movements(self, movements: dict[int, tuple[Decimal, Decimal]]) -> "Requisition":
        """The claim with retained and released by line id, as the detail page has them."""
        lines = tuple(
            replace(line, retained=movements[line.id][0], released=movements[line.id][1])
            if line.id in movements
            else line
            for line in self.lines
        )
        return replace(self, lines=lines)


class BillStatus(StrEnum):
    """Xero's states of a bill."""

    DRAFT = "DRAFT"
    SUBMITTED = "SUBMITTED"
    AUTHORISED = "AUTHORISED"
    PAID = "PAID"
    VOIDED = "VOIDED"
    DELETED = "DELETED"


@dataclass(frozen=True, slots=True)
class Tracking:
    """One tracking option on a line."""

    category: CategoryId
    option: OptionId
    category_name: str = ""
    option_name: str = ""


@dataclass(frozen=True, slots=True)
class BillLine:
    """A line as we want it. `key` names where it comes from: "item:9", "retention:INPUT".

    `amount` is ex tax and signed. `tax_type` None leaves the choice to Xero: the account's or the
    contact's default. `tax_amount` None lets Xero compute it.
    """

    key: str
    description: str
    account: AccountCode
    amount: Decimal
    tax_type: TaxType | None
    tracking: tuple[Tracking, ...] = ()
    tax_amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Bill:
    """A bill (`ACCPAY`) as we want Xero to have it. `url` is also our mark."""

    contact: ContactId
    number: str
    bill_date: date
    due_date: date
    status: BillStatus
    currency: Currency | None
    url: str
    lines: tuple[BillLine, ...]

    @property
    def net(self) -> Decimal:
        return sum((line.amount for line in self.lines), ZERO)


@dataclass(frozen=True, slots=True)
class PostedLine:
    """A line as Xero has it."""

    id: BillLineId
    description: str
    account: AccountCode | None
    amount: Decimal
    tax_type: TaxType | None
    tax_amount: Decimal
    tracking: tuple[Tracking, ...] = ()


@dataclass(frozen=True, slots=True)
class PostedBill:
    """A bill as Xero has it. `status` may be a word we do not know, so it is text."""

    id: BillId
    kind: str  # ACCPAY, or ACCREC where a list mixes them
    contact: ContactId
    number: str
    bill_date: date
    due_date: date | None
    status: str
    currency: Currency | None
    url: str
    lines: tuple[PostedLine, ...]
    net: Decimal
    tax: Decimal
    total: Decimal
    amount_due: Decimal
    amount_paid: Decimal
    amount_credited: Decimal
    updated_at: datetime
    has_lines: bool = True

    @property
    def is_gone(self) -> bool:
        return self.status in (BillStatus.VOIDED, BillStatus.DELETED)

    @property
    def is_frozen(self) -> bool:
        """Paid or part paid, so that Xero refuses any edit of a bill [X 5.1]."""
        return self.status == BillStatus.PAID or bool(self.amount_paid or self.amount_credited)
