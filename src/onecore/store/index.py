"""The bill index of an organisation: enough to see doubles and marks without reading again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from onecore.domain.documents import PostedBill
from onecore.store import batch
from onecore.store.models import BillIndex, Organisation

Digest = Callable[[str, str], str]
TOLD = ("contact_id", "number", "total", "bill_date", "gone", "mark", "updated_at")
"""What an index row tells of a bill."""
AT_ONCE = 500


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
    began: datetime | None,
    wanted: datetime | None,
) -> None:
    """Add or refresh rows, and remember how far the list has been read; `began` None leaves it
    due, as more is to come.

    `wanted` is the wish for a read as it stood when this one began. If another came since (a
    doorbell rang while the list was read), the list stays due.
    """
    for at in range(0, len(rows), AT_ONCE):
        batch.put(rows[at : at + AT_ONCE], ["organisation", "bill_id"], TOLD)
    row = Organisation.objects.filter(tenant=organisation)
    read = {"bills_cursor": cursor, "bills_read_at": began}
    if fresh := {name: at for name, at in read.items() if at is not None}:
        row.update(**fresh)
    if began is None:
        return
    row.filter(bills_wanted_at=wanted).update(bills_wanted_at=None)


@dataclass(frozen=True, slots=True)
class Marked:
    """A bill that carries a mark of ours."""

    bill: UUID
    version: int
    gone: bool


# Operators that compare byte by byte, as the index does: whatever the database's language, what
# begins with "7/9/main." lies between that and "7/9/main/", the sign after the dot.
_BY_MARK = """
SELECT stem, bill_id, mark, gone
  FROM unnest(%s::text[]) AS stem
  JOIN store_billindex
    ON organisation_id = %s AND mark ~>=~ (stem || '.') AND mark ~<~ (stem || '/')
"""


def by_marks(organisation: UUID, stems: Sequence[str]) -> dict[str, list[Marked]]:
    """Bills marked `stem.<version>` by stem, live ones first, then the newest version.

    A stem is "project/requisition/part"; one that no bill carries is left out.
    """
    found: dict[str, list[Marked]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_BY_MARK, [list(stems), organisation])
        for stem, bill, mark, gone in cursor.fetchall():
            begin, _, version = mark.rpartition(".")
            if begin == stem:
                found.setdefault(stem, []).append(Marked(bill, int(version), gone))
    return {stem: sorted(rows, key=lambda x: (x.gone, -x.version)) for stem, rows in found.items()}


@dataclass(frozen=True, slots=True)
class Sought:
    """What a bill that is the same one would look like. `number` and `total` are digests; of
    equal totals only those within `window` of the date count, none without a window."""

    contact: UUID
    number: str
    total: str
    bill_date: date
    window: timedelta | None

    def is_near(self, bill_date: date) -> bool:
        return self.window is not None and abs(bill_date - self.bill_date) <= self.window


_LIKE = """
SELECT sought.place, bill.bill_id, bill.bill_date, bill.number = sought.number AS by_number
  FROM unnest(%(places)s::int[], %(contacts)s::uuid[], %(numbers)s::text[], %(totals)s::text[])
       AS sought (place, contact, number, total)
  JOIN LATERAL (
        SELECT id, bill_id, bill_date, number FROM store_billindex
         WHERE organisation_id = %(organisation)s AND contact_id = sought.contact
           AND number = sought.number AND sought.number <> '' AND NOT gone AND mark = ''
        UNION
        SELECT id, bill_id, bill_date, number FROM store_billindex
         WHERE organisation_id = %(organisation)s AND contact_id = sought.contact
           AND total = sought.total AND NOT gone AND mark = ''
       ) AS bill ON TRUE
 WHERE NOT EXISTS (SELECT 1 FROM store_link WHERE target_id = bill.bill_id)
 ORDER BY sought.place, bill.bill_date, bill.id
"""
MOST_LIKE = 20
"""Likenesses told of one bill: a person looks at the first few."""


def likenesses(organisation: UUID, sought: Sequence[Sought]) -> list[list[Likeness]]:
    """For each, bills of the contact with the same number or the same total near the date, those
    of the same number first.

    Voided, deleted and already linked bills are no candidates (design 4).
    """
    found: list[list[Likeness]] = [[] for _ in sought]
    values: dict[str, Any] = {
        "organisation": organisation,
        "places": list(range(len(sought))),
        "contacts": [one.contact for one in sought],
        "numbers": [one.number for one in sought],
        "totals": [one.total for one in sought],
    }
    with connection.cursor() as cursor:
        cursor.execute(_LIKE, values)
        for place, bill, bill_date, by_number in cursor.fetchall():
            one, same = sought[place], by_number and sought[place].number != ""
            if same or one.is_near(bill_date):
                found[place].append(Likeness(bill, same))
    return [sorted(rows[:MOST_LIKE], key=lambda like: not like.by_number) for rows in found]
