"""The bill index of an organisation: enough to see doubles and marks without reading again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db.models import Q

from onecore.domain.documents import PostedBill
from onecore.store.models import BillIndex, Link, Organisation

Digest = Callable[[str, str], str]


@dataclass(frozen=True, slots=True)
class Likeness:
    """A bill that might be the same one, and by what it was recognised."""

    bill: UUID
    by_number: bool


def rows_of(
    organisation: UUID, bills: Sequence[PostedBill], marks: Sequence[str], digest: Digest
) -> list[BillIndex]:
    """Index rows for bills as Xero has them. `marks` are our own marks in them, "" for none."""
    return [
        BillIndex(
            organisation_id=organisation,
            bill_id=bill.id,
            contact_id=bill.contact,
            number=number_digest(bill.number, digest),
            total=digest("total", f"{bill.total:.2f}"),
            bill_date=bill.bill_date,
            gone=bill.is_gone,
            mark=mark,
            updated_at=bill.updated_at,
        )
        for bill, mark in zip(bills, marks, strict=True)
    ]


def number_digest(number: str, digest: Digest) -> str:
    """The digest of a bill's number in its normal form; "" where there is no number."""
    normal = normalised_number(number)
    return digest("number", normal) if normal else ""


def normalised_number(number: str) -> str:
    """What two writings of one number share: INV-0123, inv 123 and 123 are the same.

    Only letters before the first digit, separators and leading zeros are dropped.
    """
    text = "".join(c for c in number.upper() if c.isalnum())
    digits_at = next((i for i, c in enumerate(text) if c.isdigit()), None)
    if digits_at is None:
        return text
    return text[digits_at:].lstrip("0") or "0"


def write(
    rows: Sequence[BillIndex],
    organisation: UUID,
    cursor: datetime | None,
    began: datetime,
    before: datetime | None,
) -> None:
    """Add or refresh rows, and remember how far the list has been read.

    `before` is when it was read last as the reading began. If that has been taken back since
    (a doorbell rang while the list was read), the list stays due.
    """
    BillIndex.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["organisation", "bill_id"],
        update_fields=["contact_id", "number", "total", "bill_date", "gone", "mark", "updated_at"],
        batch_size=500,
    )
    row = Organisation.objects.filter(tenant=organisation)
    if cursor is not None:
        row.update(bills_cursor=cursor)
    row.filter(bills_read_at=before).update(bills_read_at=began)


@dataclass(frozen=True, slots=True)
class Marked:
    """A bill that carries a mark of ours."""

    bill: UUID
    version: int
    gone: bool


def by_mark(organisation: UUID, stem: str) -> list[Marked]:
    """Bills marked `stem.<version>`, live ones first, then the newest version.

    `stem` is "project/requisition/part".
    """
    rows = BillIndex.objects.filter(organisation_id=organisation, mark__startswith=f"{stem}.")
    found = [
        Marked(row.bill_id, int(row.mark.rsplit(".", 1)[1]), row.gone)
        for row in rows
        if row.mark.rsplit(".", 1)[0] == stem
    ]
    return sorted(found, key=lambda x: (x.gone, -x.version))


def likenesses(
    organisation: UUID,
    contact: UUID,
    number: str,
    total: str,
    bill_date: date,
    window: timedelta | None,
) -> list[Likeness]:
    """Bills of the contact with the same number, or the same total within `window` of the date.

    Voided, deleted and already linked bills are no candidates (design 4).
    """
    same_number = Q(number=number) & ~Q(number="")
    like = same_number
    if window is not None:
        like |= Q(total=total, bill_date__range=(bill_date - window, bill_date + window))
    rows = list(
        BillIndex.objects.filter(
            like, organisation_id=organisation, contact_id=contact, gone=False, mark=""
        ).order_by("bill_date", "id")[:20]
    )
    linked = set(
        Link.objects.filter(target_id__in=[row.bill_id for row in rows]).values_list(
            "target_id", flat=True
        )
    )
    found = [
        Likeness(row.bill_id, bool(number) and row.number == number)
        for row in rows
        if row.bill_id not in linked
    ]
    return sorted(found, key=lambda like: not like.by_number)
