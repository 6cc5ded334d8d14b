"""Reading what changed among an organisation's bills: one call feeds the index and the hints."""

from datetime import datetime, timedelta

from onecore.domain.documents import PostedBill
from onecore.domain.ids import OrganisationId, WorkspaceId
from onecore.domain.marks import read_mark
from onecore.domain.refs import Flow, parse_ref
from onecore.engine import db
from onecore.engine.context import Books
from onecore.engine.crash import reach
from onecore.ports import Clock
from onecore.store import documents, hints, index
from onecore.store.models import Organisation
from onecore.store.vault import Vault

OVERLAP = timedelta(minutes=10)
"""How far before the last row seen the list is read again; what is known is dropped."""


class BillSweep:
    """The bills of one organisation, read by value from where the last sweep ended."""

    def __init__(self, organisation: OrganisationId, vault: Vault, clock: Clock) -> None:
        self.organisation = organisation
        self._vault = vault
        self._clock = clock
        self._digest: index.Digest | None = None

    async def digest(self) -> index.Digest:
        """The organisation's own keyed digest."""
        if self._digest is None:
            self._digest = await db.run(self._key)
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

    async def read(self, books: Books, since: datetime | None = None) -> tuple[PostedBill, ...]:
        """Bills changed since the last sweep (or since an earlier `since`); index and hints follow.

        A bill of ours that somebody else changed says the hint of its source.
        """
        row = await db.run(Organisation.objects.get, pk=self.organisation)
        start = row.bills_cursor - OVERLAP if row.bills_cursor is not None else None
        if start is not None and since is not None:
            start = min(start, since - OVERLAP)
        bills = await books.xero.bills_changed(start)
        digest = await self.digest()
        await db.run(self._write, bills, digest, row.bills_cursor)
        reach("index.written")
        return bills

    def _write(
        self, bills: tuple[PostedBill, ...], digest: index.Digest, cursor: datetime | None
    ) -> None:
        now = self._clock.now()
        marks = [mark_text(bill.url) for bill in bills]
        newest = max((bill.updated_at for bill in bills), default=None)
        if newest is not None and (cursor is None or newest > cursor):
            cursor = newest
        rows = index.rows_of(self.organisation, bills, marks, digest)
        index.write(rows, self.organisation, cursor, now)
        links = documents.linked_targets(self.organisation, [bill.id for bill in bills])
        for bill in bills:
            link = links.get(bill.id)
            if link is None or link.target_updated_at == bill.updated_at:
                continue
            document = link.document
            hints.say(
                WorkspaceId(document.workspace_id),
                self.organisation,
                Flow(document.flow),
                [parse_ref(document.ref)],
                now,
            )
            link.target_updated_at = bill.updated_at
            link.save(update_fields=["target_updated_at"])


def mark_text(url: str) -> str:
    """Our mark in a bill's `Url` as the index keeps it, "" for a stranger's."""
    mark = read_mark(url)
    if mark is None:
        return ""
    return f"{mark.project}/{mark.requisition}/{mark.part}.{mark.version}"
