"""Names of source documents as people and scripts write them: `requisition:7/55`."""

import re
from dataclasses import dataclass
from enum import StrEnum

from onecore.domain.ids import ProjectId


class Kind(StrEnum):
    """Kinds of source document a ref can name."""

    REQUISITION = "requisition"
    PAYMENT_APPLICATION = "payment_application"
    DIRECT_COST = "direct_cost"
    COMMITMENT = "commitment"
    CONTRACT_PAYMENT = "contract_payment"
    VENDOR = "vendor"
    PROJECT = "project"
    TIMECARDS = "timecards"
    XERO_INVOICE = "xero_invoice"
    XERO_CREDIT_NOTE = "xero_credit_note"
    XERO_PAYMENT = "xero_payment"
    XERO_CONTACT = "xero_contact"
    XERO_BANK_TRANSACTION = "xero_bank_transaction"
    XERO_MANUAL_JOURNAL = "xero_manual_journal"
    XERO_PAY_RUN = "xero_pay_run"


class Flow(StrEnum):
    """What may be carried over; each can be off, preview, approve or auto."""

    BILL = "bill"
    SALES_INVOICE = "sales_invoice"
    COST_TO_BILL = "cost_to_bill"
    BILL_TO_COST = "bill_to_cost"
    PAYMENT_ISSUED = "payment_issued"
    PAYMENT_RECEIVED = "payment_received"
    PAID_DATE = "paid_date"
    PURCHASE_ORDER = "purchase_order"
    VENDOR = "vendor"
    PROJECT = "project"
    COST_TYPE = "cost_type"
    ATTACHMENTS = "attachments"
    TIMESHEET = "timesheet"
    LABOUR_COST = "labour_cost"


BUILT = frozenset({Flow.BILL})
"""The flows this version carries; the others say so when they are switched on."""


class BadRef(ValueError):
    """A ref that cannot be read; the message says what one looks like."""


@dataclass(frozen=True, slots=True)
class SourceRef:
    """Which document: its kind, its id there, and the project where the remote's GET needs it."""

    kind: Kind
    id: str
    project: ProjectId | None = None

    def __str__(self) -> str:
        where = f"{self.project}/" if self.project is not None else ""
        return f"{self.kind}:{where}{self.id}"

    @classmethod
    def requisition(cls, project: int, requisition: int) -> "SourceRef":
        return cls(Kind.REQUISITION, str(requisition), ProjectId(project))


_SHAPE = re.compile(r"^([a-z_]+):(?:(\d+)/)?([0-9a-fA-F-]+)$")
_LINK = re.compile(r"/(\d+)/project/contracts/requisitions/(\d+)")


def parse_ref(text: str) -> SourceRef:
    """The ref `text` names, or the one a pasted Procore link of a requisition points at.

    Raises BadRef. A ref without its project is given back as written; whoever looks it up knows
    whether the id was seen before.
    """
    text = text.strip()
    if link := _LINK.search(text):
        return SourceRef.requisition(int(link[1]), int(link[2]))
    shape = _SHAPE.match(text)
    if shape is None or shape[1] not in set(Kind):
        raise BadRef(
            f"{text!r} names no document. Write kind:project/id, such as requisition:7/55, "
            "or paste the link of a subcontractor invoice."
        )
    project = ProjectId(int(shape[2])) if shape[2] else None
    return SourceRef(Kind(shape[1]), shape[3], project)
