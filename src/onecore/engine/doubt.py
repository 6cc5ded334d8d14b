"""Doubt: what became of writes whose answer was lost, or whose sender died."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from onecore.crash import reach
from onecore.domain.documents import PostedBill
from onecore.domain.ids import WorkspaceId
from onecore.domain.refs import Flow, parse_ref
from onecore.engine import db
from onecore.engine.context import Context
from onecore.engine.index import mark_text
from onecore.engine.links import agree_on, match_lines, new_link, renew
from onecore.ports import LONGEST_WRITE, PROMPTLY
from onecore.store import audit, hints
from onecore.store import documents as records
from onecore.store.leases import Lease
from onecore.store.models import Document, Intent, Link
from onecore.sync.fields import digested, posted_values

SETTLED_AFTER = timedelta(seconds=LONGEST_WRITE + PROMPTLY)
"""After this long from its sending, a write that cannot be seen never arrived."""
SECOND_LOOK = timedelta(seconds=5)


def next_look(intent: Intent) -> datetime:
    """When a write in doubt is looked for next: at once, then ever more seldom, and when it
    cannot arrive any more."""
    looked = intent.looked_at
    if looked is None:
        return intent.sent_at
    return min(looked + max(SECOND_LOOK, looked - intent.sent_at), intent.sent_at + SETTLED_AFTER)


async def settle_doubts(
    contexts: Mapping[WorkspaceId, Context],
    lease: Lease,
    changed: Sequence[PostedBill],
    began: datetime,
) -> list[Intent]:
    """Settle writes whose fate was unknown; those that have to wait longer are left.

    `changed` are the bills changed since before the oldest of those writes was sent, read since
    `began`. What is seen to have been carried out is taken over at once. What is not counts as
    never arrived only when the look began after the longest time a request can take.
    """
    left: list[Intent] = []
    for intent in await db.run(records.unsettled, lease.tenant):
        ctx = contexts.get(WorkspaceId(intent.document.workspace_id))
        if ctx is None:
            continue
        late = began >= intent.sent_at + SETTLED_AFTER
        if not await db.run(_settle, ctx, lease, intent, changed, late):
            intent.looked_at = began
            await db.commit("doubt.looked", intent.save, update_fields=["looked_at"])
            left.append(intent)
    return left


def about_to_send(ids: Sequence[int], now: datetime) -> None:
    """Note when writes really leave: a token may have had to be renewed since they were planned."""
    Intent.objects.filter(pk__in=ids).update(sent_at=now)


def marked(intent: Intent, bills: Sequence[PostedBill]) -> PostedBill | None:
    """Our bill among those read: the one whose `Url` is exactly this intent's mark."""
    ref = intent.document.ref.partition(":")[2]
    mark = f"{ref}/{intent.part}.{intent.version}"
    return next((bill for bill in bills if mark_text(bill.url) == mark), None)


def _settle(
    ctx: Context, lease: Lease, intent: Intent, changed: Sequence[PostedBill], late: bool
) -> bool:
    """Whether a write's fate is known now: taken over if carried out, given up if it never came.

    Either way the document is looked at again.
    """
    with transaction.atomic():
        lease.check()
        document = Document.objects.get(pk=intent.document_id)
        carried_out = _taken_over(ctx, document, intent, changed)
        if not carried_out and not late:
            return False
        intent.delete()
        hints.say(
            ctx.workspace,
            UUID(str(intent.organisation_id)),
            Flow(document.flow),
            [parse_ref(document.ref)],
            ctx.clock.now(),
        )
    reach("doubt.found" if carried_out else "doubt.absent")
    return True


def _taken_over(
    ctx: Context, document: Document, intent: Intent, changed: Sequence[PostedBill]
) -> bool:
    """Link what a write left in Xero, if it is seen there."""
    if intent.action == "create":
        bill = marked(intent, changed)
        if bill is None:
            return False
        new_link(ctx, document, intent, bill).save(force_insert=True)
    else:
        link = records.live_link(document, intent.part)
        bill = next((b for b in changed if link is not None and b.id == link.target_id), None)
        if link is None or bill is None or not _is_done(ctx, link, intent, bill):
            return False
        if intent.action == "remove":
            renew(ctx, link, None, bill, withdrawn=True)
            link.save()
        else:
            _take_over_update(ctx, link, intent, bill)
    audit.record(
        ctx.workspace,
        ctx.clock.now(),
        "onecore",
        f"bill.{intent.action}_found",
        document.ref,
        target=str(bill.id),
    )
    return True


def _take_over_update(ctx: Context, link: Link, intent: Intent, bill: PostedBill) -> None:
    link.line_ids, there = _as_there(ctx, link, intent, bill)
    agree_on(link, intent.wanted, there, intent.wanted)
    link.target_updated_at = bill.updated_at
    link.settled_at = ctx.clock.now()
    link.save()


def _as_there(
    ctx: Context, link: Link, intent: Intent, bill: PostedBill
) -> tuple[dict[str, str], dict[str, str]]:
    """Our keys of the bill's lines, those the write would have added included, and its fields."""
    lines = match_lines(intent.lines, intent.wanted, bill, ctx, link.line_ids)
    keys = {line.id: lines[str(line.id)] for line in bill.lines if str(line.id) in lines}
    return lines, digested(posted_values(bill, keys), ctx.digest)


def _is_done(ctx: Context, link: Link, intent: Intent, bill: PostedBill) -> bool:
    """Whether a bill stands as an update or a removal would leave it.

    An update leaves out what people had settled otherwise, so it is recognised by what moved:
    fields with another value than agreed before are as sent, fields that went are gone.
    """
    if intent.action == "remove":
        return bill.is_gone
    there = _as_there(ctx, link, intent, bill)[1]
    moved = {n for n, value in intent.wanted.items() if link.wanted.get(n) != value}
    went = {n for n in link.wanted if n not in intent.wanted}
    return bool(moved | went) and all(
        [there.get(n) == intent.wanted[n] for n in moved] + [n not in there for n in went]
    )
