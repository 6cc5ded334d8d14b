"""Reading what changed among an organisation's bills: one call feeds the index and the hints."""

from datetime import datetime, timedelta

from django.db import transaction

from onecore.domain.documents import PostedBill
from onecore.domain.ids import BillId, OrganisationId, WorkspaceId
from onecore.domain.marks import read_mark
from onecore.domain.refs import Flow, parse_ref
from onecore.engine import db
from onecore.engine.context import Books
from onecore.ports import Clock
from onecore.store import documents, hints, index
from onecore.store.models import Link, Organisation
from onecore.store.vault import Vault

OVERLAP = timedelta(minutes=10)
"""How far before the last row seen the list is read again; what is known is dropped."""

FULLY_EVERY = timedelta(minutes=2)
"""How often all of the overlap is read; in between the last moments do."""

MOMENTS = timedelta(seconds=2)
"""The overlap in between: while bills are made by the hundred, ten minutes of them would be read
again before every fifty."""

LATELY = timedelta(seconds=10)
"""How fresh the index must be before bills are created."""


class BillSweep:
    """The bills of one organisation, read by value from where the last sweep ended."""

    def __init__(self, organisation: OrganisationId, vault: Vault, clock: Clock) -> None:
        self.organisation = organisation
        self._vault = vault
        self._clock = clock
        self._digest: index.Digest | None = None
        self._read_at: datetime | None = None
        self._fully_at: datetime | None = None
        self._known: dict[BillId, datetime] = {}  # what the last reading brought and wrote

    async def digest(self) -> index.Digest:
        """The organisation's own keyed digest."""
        if self._digest is None:
            self._digest = await db.commit("index.keyed", self._key)
        return self._digest

    def _key(self) -> index.Digest:
        bound = f"organisation:{self.organisation}"
        row = Organisation.objects.get(pk=self.organisation)
        if row.digest_key is None:
            fresh = self._vault.new_digest_key(bound)
            Organisation.objects.filter(pk=row.pk, digest_key__isnull=True).update(digest_key=fresh)
            row.refresh_from_db()
        assert row.digest_key is not None
        return self._vault.digest(row.digest_key, bound)

    async def read_lately(self, books: Books) -> None:
        """Read unless that was done moments ago in this turn.

        What was written since is known by its links and intents, and is no stranger's bill.
        """
        if self._read_at is None or self._clock.now() - self._read_at > LATELY:
            await self.read(books, moments=True)

    def forget(self) -> None:
        """A turn begins, and another process may have written: the next look reads again."""
        self._read_at = None

    async def read(
        self, books: Books, since: datetime | None = None, moments: bool = False
    ) -> tuple[PostedBill, ...]:
        """Read what changed since the last sweep (or since an earlier `since`); index and hints
        follow. The bills that were read where `since` is given, else none are kept in memory.

        A bill of ours that somebody else changed says the hint of its source. `moments` does with
        a short overlap where all of it was read lately.
        """
        row = await db.run(Organisation.objects.get, pk=self.organisation)
        began = self._clock.now()
        lately = self._fully_at is not None and began - self._fully_at < FULLY_EVERY
        overlap = MOMENTS if moments and lately else OVERLAP
        start = row.bills_cursor - overlap if row.bills_cursor is not None else None
        if start is not None and since is not None:
            start = min(start, since - OVERLAP)
        digest = await self.digest()
        told: dict[BillId, PostedBill] = {}
        held: tuple[PostedBill, ...] = ()
        known: dict[BillId, datetime] = {}
        async for page in books.xero.bill_pages(start):
            if held:  # there may be a hundred thousand, so no more than two pages are in memory
                await db.commit("index.written", self._write, held, digest, row, None)
            known |= {bill.id: bill.updated_at for bill in page}
            held = page
            if since is not None:
                told |= {bill.id: bill for bill in page}
        await db.commit("index.written", self._write, held, digest, row, began)
        self._know(known)
        self._read_at = began
        if overlap is OVERLAP:
            self._fully_at = began
        return tuple(told.values())

    def _know(self, bills: dict[BillId, datetime]) -> None:
        """Remember what was written of the time that will be read again."""
        since = max(bills.values()) - OVERLAP if bills else None
        self._known = {id_: at for id_, at in bills.items() if since is None or at >= since}

    def _write(
        self,
        bills: tuple[PostedBill, ...],
        digest: index.Digest,
        row: Organisation,
        began: datetime | None,
    ) -> None:
        """Index, cursor and hints in one commit: what the cursor has passed has been said.

        `began` is when the reading did, None while more of it is to come.
        """
        newest = max((bill.updated_at for bill in bills), default=None)
        if newest is not None and (row.bills_cursor is None or newest > row.bills_cursor):
            row.bills_cursor = newest
        fresh = [bill for bill in bills if self._known.get(bill.id) != bill.updated_at]
        marks = [mark_text(bill.url) for bill in fresh]
        rows = index.rows_of(self.organisation, fresh, marks, digest)
        with transaction.atomic():
            links = documents.linked_targets(self.organisation, [bill.id for bill in fresh])
            changed = [(link, bill) for bill in fresh if (link := links.get(bill.id)) is not None]
            for link, bill in changed:
                if link.target_updated_at != bill.updated_at:
                    self._say(link, bill)
            index.write(rows, self.organisation, row.bills_cursor, began, row.bills_wanted_at)

    def _say(self, link: Link, bill: PostedBill) -> None:
        """Somebody else's change of a bill of ours; our own are known by their instant."""
        document = link.document
        hints.say(
            WorkspaceId(document.workspace_id),
            self.organisation,
            Flow(document.flow),
            [parse_ref(document.ref)],
            self._clock.now(),
        )
        link.target_updated_at = bill.updated_at
        link.save(update_fields=["target_updated_at"])


def mark_text(url: str) -> str:
    """Our mark in a bill's `Url` as the index keeps it, "" for a stranger's."""
    mark = read_mark(url)
    if mark is None:
        return ""
    return f"{mark.project}/{mark.requisition}/{mark.part}.{mark.version}"
