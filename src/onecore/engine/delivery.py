"""Carrying plans out, each exactly once: intent, send, outcome, and what to do in doubt."""

import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import transaction

from onecore.domain.documents import Bill, PostedBill
from onecore.domain.ids import BillId
from onecore.domain.refs import Flow, parse_ref
from onecore.domain.translate.bill import bill_from
from onecore.engine import db
from onecore.engine.bills import Plan, body_digest
from onecore.engine.context import Books, Context
from onecore.engine.crash import reach
from onecore.engine.index import mark_text
from onecore.ports import (
    LONGEST_WRITE,
    AccessLost,
    BillChange,
    NotReached,
    Outcome,
    OutcomeUnknown,
    Posted,
    Refusal,
    RequestRefused,
    Throttled,
)
from onecore.store import audit, hints
from onecore.store import documents as records
from onecore.store.leases import Lease
from onecore.store.models import Document, Intent, Link
from onecore.sync import decide as d
from onecore.sync.fields import (
    Fields,
    Owner,
    canonical,
    digested,
    owner,
    posted_values,
    wanted_values,
)
from onecore.sync.merge import merged

BATCH = 50
NOTHING_SENT = (Throttled, NotReached, AccessLost)
"""Errors that say nothing was done, so the intents can be taken back at once."""
SLACK = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Delivered:
    """What a batch came to, for the run to place the documents."""

    plan: Plan
    outcome: Outcome | None  # None: in doubt


class Deliverer:
    """Writes of one workspace to one organisation, under its lease."""

    def __init__(self, ctx: Context, books: Books, lease: Lease) -> None:
        self._ctx = ctx
        self._books = books
        self._lease = lease

    async def create(self, plans: Sequence[Plan]) -> list[Delivered]:
        """Create up to fifty bills in one request."""
        bills = [plan.wanted for plan in plans if plan.wanted is not None]
        return await self._send(
            "create", plans, bills, lambda key: self._books.xero.create_bills(bills, key)
        )

    async def update(self, plans: Sequence[Plan]) -> list[Delivered]:
        """Send the fields that moved, of up to fifty bills, with Xero's own line ids."""
        changes: list[BillChange] = []
        for plan in plans:
            assert plan.wanted is not None
            assert plan.posted is not None
            assert isinstance(plan.step, d.Update)
            bill, ids, kept = merged(plan.wanted, plan.posted, plan.line_keys, plan.step.fields)
            changes.append(BillChange(plan.posted.id, bill, ids, kept))
        bills = [change.bill for change in changes]
        return await self._send(
            "update", plans, bills, lambda key: self._books.xero.update_bills(changes, key)
        )

    async def remove(self, plans: Sequence[Plan]) -> list[Delivered]:
        """Delete drafts and void approved bills."""
        posted = [plan.posted for plan in plans if plan.posted is not None]
        return await self._send(
            "remove", plans, [], lambda key: self._books.xero.remove_bills(posted, key)
        )

    async def _send(
        self,
        action: str,
        plans: Sequence[Plan],
        bills: Sequence[Bill],
        call: Callable[[str], Awaitable[tuple[Outcome, ...]]],
    ) -> list[Delivered]:
        """Intent, send, outcome. Between the three the process may die anywhere.

        Raises what says that nothing was sent, after the intents were taken back.
        """
        key = f"{self._lease.tenant}:{uuid.uuid4()}"
        intents = await db.run(self._write_intents, action, plans, bills, key)
        reach("intent.written")
        try:
            outcomes = await call(key)
        except NOTHING_SENT:
            await db.run(self._take_back, intents)
            raise
        except RequestRefused as refused:
            await db.run(self._take_back, intents)
            if len(plans) > 1:
                return await self._one_by_one(action, plans)
            return [Delivered(plans[0], Refusal(refused.reasons))]
        except OutcomeUnknown:
            return [Delivered(plan, None) for plan in plans]
        reach(f"answer.{action}")
        await db.run(self._write_outcomes, action, plans, intents, outcomes)
        reach("outcome.written")
        return [Delivered(p, o) for p, o in zip(plans, outcomes, strict=True)]

    async def _one_by_one(self, action: str, plans: Sequence[Plan]) -> list[Delivered]:
        """A batch refused as a whole says nothing of its parts, so each is sent by itself."""
        send = {"create": self.create, "update": self.update, "remove": self.remove}[action]
        done: list[Delivered] = []
        for plan in plans:
            done += await send([plan])
        return done

    # --- database steps -----------------------------------------------------------------------

    def _write_intents(
        self, action: str, plans: Sequence[Plan], bills: Sequence[Bill], key: str
    ) -> list[Intent]:
        """Commit what is about to be sent, with the fence checked in the same transaction."""
        ctx, now = self._ctx, self._ctx.clock.now()
        with transaction.atomic():
            self._lease.check()
            rows: list[Intent] = []
            for at, plan in enumerate(plans):
                document = self._document(plan)
                plan.document = document
                wanted = plan.wanted
                rows.append(
                    Intent(
                        document=document,
                        organisation_id=self._lease.tenant,
                        part="main",
                        version=plan.version if action == "create" else _version(plan),
                        action=action,
                        body_digest=body_digest(bills[at], ctx) if bills else "",
                        key=key,
                        fence=self._lease.fence,
                        sent_at=now,
                        wanted=digested(wanted_values(wanted), ctx.digest) if wanted else {},
                        lines=[line.key for line in wanted.lines] if wanted else [],
                    )
                )
            return Intent.objects.bulk_create(rows)

    def _document(self, plan: Plan) -> Document:
        claim = plan.requisition
        return plan.document or records.of(
            self._ctx.workspace,
            plan.organisation,
            Flow.BILL,
            plan.ref,
            int(claim.commitment) if claim is not None else None,
            self._ctx.clock.now(),
        )

    def _take_back(self, intents: Sequence[Intent]) -> None:
        with transaction.atomic():
            self._lease.check()
            Intent.objects.filter(pk__in=[row.pk for row in intents]).delete()

    def _write_outcomes(
        self,
        action: str,
        plans: Sequence[Plan],
        intents: Sequence[Intent],
        outcomes: Sequence[Outcome],
    ) -> None:
        """Commit every outcome of the batch at once, with the fence checked."""
        with transaction.atomic():
            self._lease.check()
            for plan, intent, outcome in zip(plans, intents, outcomes, strict=True):
                if isinstance(outcome, Posted):
                    self._write_posted(action, plan, intent, outcome.bill)
            Intent.objects.filter(pk__in=[row.pk for row in intents]).delete()

    def _write_posted(self, action: str, plan: Plan, intent: Intent, bill: PostedBill) -> None:
        assert plan.document is not None
        if action == "create":
            if plan.link is not None:  # its bill is gone, and a person asked for a new one
                plan.link.withdrawn = True
                plan.link.save(update_fields=["withdrawn"])
            plan.link = link_created(self._ctx, plan.document, intent, bill)
        elif plan.link is not None:
            sent = plan.step.fields if isinstance(plan.step, d.Update) else None
            link_renewed(self._ctx, plan.link, intent, bill, sent, withdrawn=action == "remove")
        plan.posted = bill
        audit.record(
            self._ctx.workspace,
            self._ctx.clock.now(),
            "onecore",
            f"bill.{action}d" if action != "remove" else "bill.removed",
            plan.document.ref,
            target=str(bill.id),
            version=intent.version,
        )


def _version(plan: Plan) -> int:
    return plan.link.version if plan.link is not None else 1


def link_created(ctx: Context, document: Document, intent: Intent, bill: PostedBill) -> Link:
    """The link a bill of ours gets, in the transaction that settles its intent."""
    lines = match_lines(intent.lines, intent.wanted, bill, ctx)
    keys = {line.id: lines[str(line.id)] for line in bill.lines if str(line.id) in lines}
    target = _as_sent(digested(posted_values(bill, keys), ctx.digest), intent.wanted)
    now = ctx.clock.now()
    return Link.objects.create(
        document=document,
        part=intent.part,
        version=intent.version,
        organisation_id=intent.organisation_id,
        target_kind="bill",
        target_id=bill.id,
        wanted=intent.wanted,
        target=target,
        line_ids=lines,
        target_updated_at=bill.updated_at,
        created_at=now,
        settled_at=now,
    )


def link_renewed(
    ctx: Context,
    link: Link,
    intent: Intent | None,
    bill: PostedBill,
    sent: frozenset[str] | None = None,
    withdrawn: bool = False,
) -> None:
    """What is agreed from now on: what was wanted last, and what is there.

    Fields that were not `sent` (None: all were) stay agreed as they were, so that a bookkeeper's
    own coding goes on counting as theirs, whatever we send later.
    """
    if intent is not None and intent.lines:
        link.wanted = intent.wanted
        link.line_ids = match_lines(intent.lines, intent.wanted, bill, ctx, dict(link.line_ids))
    keys = {
        line.id: link.line_ids[str(line.id)] for line in bill.lines if str(line.id) in link.line_ids
    }
    target = digested(posted_values(bill, keys), ctx.digest)
    if sent is not None:
        target |= {n: v for n, v in link.target.items() if n in target and n not in sent}
    link.target = _as_sent(target, link.wanted)
    link.target_updated_at = bill.updated_at
    link.settled_at = ctx.clock.now()
    link.withdrawn = withdrawn
    link.save()


def _as_sent(target: dict[str, str], wanted: Fields) -> dict[str, str]:
    """The target as agreed on: for fields Procore owns, what was sent.

    If Xero answered with anything else, the next look sees it as a change over there and asks,
    where taking the answer as agreed would hide it.
    """
    ours = {n: v for n, v in wanted.items() if owner(n, approved=False) is Owner.SOURCE}
    return target | ours


def accept(ctx: Context, lease: Lease, plan: Plan) -> None:
    """A person took over what stands in Xero: both sides count as agreed as they are now."""
    assert plan.link is not None
    assert plan.posted is not None
    if plan.posted.is_gone:
        return  # the answer itself says that nothing more is to come
    with transaction.atomic():
        lease.check()
        link = plan.link
        if plan.wanted is not None:
            link.wanted = digested(wanted_values(plan.wanted), ctx.digest)
        link.target = digested(posted_values(plan.posted, plan.line_keys), ctx.digest)
        link.target_updated_at = plan.posted.updated_at
        link.settled_at = ctx.clock.now()
        link.save()


def needs_another_look(ctx: Context, plan: Plan) -> bool:
    """Whether what was read back asks for more: other values than sent, or other tax types.

    Retention carries the tax type Xero chose for the work lines, which is only known now.
    """
    assert plan.posted is not None
    assert plan.wanted is not None
    keys = plan.line_keys
    wanted, there = wanted_values(plan.wanted), posted_values(plan.posted, keys)
    if any(
        there.get(name) != value
        for name, value in wanted.items()
        if owner(name, approved=False) is Owner.SOURCE
    ):
        return True
    if plan.requisition is None or plan.chart is None:
        return False
    again = bill_from(plan.requisition, plan.chart, plan.posted, keys)
    return isinstance(again, Bill) and _explicit_tax(again) != _explicit_tax(plan.wanted)


def _explicit_tax(bill: Bill) -> dict[str, str | None]:
    return {line.key: line.tax_type for line in bill.lines}


def match_lines(
    keys: Sequence[str],
    wanted: Fields,
    bill: PostedBill,
    ctx: Context,
    known: dict[str, str] | None = None,
) -> dict[str, str]:
    """Our key for each of Xero's line ids, those known kept, the rest by place and amount.

    A line is matched only when its amount is the one we sent, so a stranger's line never is.
    """
    there = {str(line.id) for line in bill.lines}
    matched = {line: key for line, key in (known or {}).items() if line in there and key in keys}
    free = [key for key in keys if key not in matched.values()]
    for line in bill.lines:
        if str(line.id) in matched:
            continue
        amount = canonical(line.amount)
        for key in free:
            name = f"line.{key}.amount"
            if wanted.get(name) == ctx.digest(name, amount):
                matched[str(line.id)] = key
                free.remove(key)
                break
    return matched


# --- doubt ------------------------------------------------------------------------------------


async def settle_doubts(
    contexts: dict[int, Context], books: Books, lease: Lease, changed: Sequence[PostedBill]
) -> bool:
    """Settle writes whose fate was unknown; true when some have to wait longer.

    `changed` are the bills read just now, from before the oldest of those writes was sent. A
    create is found by its mark and adopted; absent, it counts as never arrived only when the
    look-up began after the longest time a request can take.
    """
    waiting = False
    for intent in await db.run(records.unsettled, lease.tenant):
        ctx = contexts.get(intent.document.workspace_id)
        if ctx is None:
            continue
        late = ctx.clock.now() >= intent.sent_at + timedelta(seconds=LONGEST_WRITE) + SLACK
        bill = _marked(intent, changed) if intent.action == "create" else None
        if bill is not None or late:
            await db.run(_settle, ctx, lease, intent, bill)
            reach("doubt.settled")
        else:
            waiting = True
    return waiting


def _marked(intent: Intent, bills: Sequence[PostedBill]) -> PostedBill | None:
    """Our bill among those read: the one whose `Url` is exactly this intent's mark."""
    ref = intent.document.ref.partition(":")[2]
    mark = f"{ref}/{intent.part}.{intent.version}"
    return next((bill for bill in bills if mark_text(bill.url) == mark), None)


def _settle(ctx: Context, lease: Lease, intent: Intent, bill: PostedBill | None) -> None:
    """Adopt what is found, or take the intent back; either way look at the document again."""
    with transaction.atomic():
        lease.check()
        document = Document.objects.get(pk=intent.document_id)
        now = ctx.clock.now()
        if bill is not None:
            link_created(ctx, document, intent, bill)
            audit.record(
                ctx.workspace, now, "onecore", "bill.found", document.ref, target=str(bill.id)
            )
        intent.delete()
        hints.say(
            ctx.workspace,
            UUID(str(intent.organisation_id)),
            Flow(document.flow),
            [parse_ref(document.ref)],
            now,
        )


async def adopt(ctx: Context, books: Books, lease: Lease, plan: Plan, bill_id: BillId,
                by_mark: bool) -> None:  # fmt: skip
    """Link a bill that is there. Procore's own fields then follow; Xero's coding is kept.

    A bill a person adopted whose net is already right is left exactly as it is.
    """
    found = await books.xero.bills([bill_id])
    if not found:
        raise LookupError("Xero did not return a bill that its own list had")
    await db.run(_adopt, ctx, lease, plan, found[0], by_mark)


def _adopt(ctx: Context, lease: Lease, plan: Plan, bill: PostedBill, by_mark: bool) -> None:
    assert plan.wanted is not None
    wanted = digested(wanted_values(plan.wanted), ctx.digest)
    keys = [line.key for line in plan.wanted.lines]
    lines = match_lines(keys, wanted, bill, ctx)
    matched = {line.id: lines[str(line.id)] for line in bill.lines if str(line.id) in lines}
    target = digested(posted_values(bill, matched), ctx.digest)
    right = bill.net == plan.wanted.net and bill.contact == plan.wanted.contact
    agreed = wanted if right and not by_mark else _only_coding(wanted)
    now = ctx.clock.now()
    with transaction.atomic():
        lease.check()
        document = records.of(
            ctx.workspace,
            plan.organisation,
            Flow.BILL,
            plan.ref,
            int(plan.requisition.commitment) if plan.requisition else None,
            now,
        )
        Link.objects.create(
            document=document,
            part="main",
            version=records.next_version(document),
            organisation_id=lease.tenant,
            target_kind="bill",
            target_id=bill.id,
            wanted=agreed,
            target=target,
            line_ids=lines,
            target_updated_at=bill.updated_at,
            created_at=now,
            settled_at=now,
        )
        audit.record(
            ctx.workspace,
            now,
            "onecore",
            "bill.adopted",
            document.ref,
            target=str(bill.id),
            by_mark=by_mark,
        )
        hints.say(ctx.workspace, plan.organisation, Flow.BILL, [plan.ref], now)


def _only_coding(wanted: Fields) -> dict[str, str]:
    """Agreed on coding as it stands, on nothing else: what Procore owns will be sent."""
    parts = (".account", ".tax", ".tracking", ".description")
    return {name: digest for name, digest in wanted.items() if name.endswith(parts)}
