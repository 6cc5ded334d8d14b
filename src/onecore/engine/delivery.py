"""Carrying plans out, each exactly once: intent, send, outcome; doubt is for `engine.doubt`."""

import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction

from onecore.domain.documents import Bill, PostedBill
from onecore.engine import db
from onecore.engine.bills import Plan, body_digest
from onecore.engine.context import Books, Context
from onecore.engine.doubt import marked
from onecore.engine.links import RENEWED, new_link, renew
from onecore.engine.placing import rows_for
from onecore.ports import (
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
from onecore.store import audit, batch
from onecore.store.leases import Lease
from onecore.store.models import AuditEntry, Intent, Link
from onecore.sync import decide as d
from onecore.sync.fields import digested, wanted_values
from onecore.sync.merge import merged
from onecore.timing import phase

BATCH = 50
NOTHING_SENT = (Throttled, NotReached, AccessLost)
"""Errors that say nothing was done, so the intents can be taken back at once."""
LOOK_BACK = timedelta(minutes=10)
"""How far Xero's clock and ours may be apart when a list is read for what was just written."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """What a batch came to, for the run to place the documents."""

    plan: Plan
    outcome: Outcome | None  # None: in doubt


Made = tuple[Plan, Intent, PostedBill]
"""A plan that was carried out: with what was committed before, and what there is now."""


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
            bill, ids, kept = merged(
                plan.wanted, plan.posted, plan.line_keys, plan.step.fields, plan.retaxed
            )
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

        Raises what says that nothing was sent, after the intents were taken back. Anything
        unforeseen leaves them, as what says that nothing is known.
        """
        key = f"{self._lease.tenant}:{uuid.uuid4()}"
        with phase("intents"):
            intents = await db.commit(
                "intent.written", self._write_intents, action, plans, bills, key
            )
        self._lease.sending = tuple(row.pk for row in intents)
        try:
            with phase("sending"):
                outcomes = await call(key)
        except NOTHING_SENT:
            await db.commit("intent.taken_back", self._take_back, intents)
            raise
        except RequestRefused as refused:
            return await self._refused(action, plans, intents, refused)
        except OutcomeUnknown:
            return [Delivered(plan, None) for plan in plans]
        finally:
            self._lease.sending = ()
        with phase("outcomes"):
            await db.commit(
                "outcome.written", self._write_outcomes, action, plans, intents, outcomes
            )
        return [Delivered(p, o) for p, o in zip(plans, outcomes, strict=True)]

    async def _refused(
        self,
        action: str,
        plans: Sequence[Plan],
        intents: Sequence[Intent],
        refused: RequestRefused,
    ) -> list[Delivered]:
        """A request declined as a whole: of one document its refusal, of many each half again.

        What an answer to many says is not what became of each [X 3], so before anything is
        created again the list is read: the request is over, and what it made is there.
        """
        if len(plans) == 1:
            await db.commit("intent.taken_back", self._take_back, intents)
            return [Delivered(plans[0], Refusal(refused.reasons))]
        done: list[Delivered] = []
        if action == "create":
            since = intents[0].sent_at - LOOK_BACK
            changed = await self._books.xero.bills_changed(since)
            made = [
                (p, i, b) for p, i in zip(plans, intents, strict=True) if (b := marked(i, changed))
            ]
            if made:
                found, theirs, bills = zip(*made, strict=True)
                outcomes = [Posted(bill) for bill in bills]
                await db.commit(
                    "outcome.written", self._write_outcomes, action, found, theirs, outcomes
                )
                done = [Delivered(p, o) for p, o in zip(found, outcomes, strict=True)]
            plans = [plan for plan in plans if all(plan is not one for one, _, _ in made)]
            settled = {intent.pk for _, intent, _ in made}
            intents = [intent for intent in intents if intent.pk not in settled]
        await db.commit("intent.taken_back", self._take_back, intents)
        send = {"create": self.create, "update": self.update, "remove": self.remove}[action]
        middle = (len(plans) + 1) // 2
        for half in (plans[:middle], plans[middle:]):
            if half:
                done += await send(half)
        return done

    # --- database steps -----------------------------------------------------------------------

    def _write_intents(
        self, action: str, plans: Sequence[Plan], bills: Sequence[Bill], key: str
    ) -> list[Intent]:
        """Commit what is about to be sent, with the fence checked in the same transaction."""
        ctx, now = self._ctx, self._ctx.clock.now()
        with transaction.atomic():
            self._lease.check()
            rows_for(ctx, plans)
            rows: list[Intent] = []
            for at, plan in enumerate(plans):
                wanted = plan.wanted
                rows.append(
                    Intent(
                        document=plan.document,
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
            batch.insert(rows)
            return rows

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
            posted = [
                (plan, intent, outcome.bill)
                for plan, intent, outcome in zip(plans, intents, outcomes, strict=True)
                if isinstance(outcome, Posted)
            ]
            (self._write_created if action == "create" else self._write_renewed)(posted)
            self._write_history(action, posted)
            Intent.objects.filter(pk__in=[row.pk for row in intents]).delete()

    def _write_created(self, posted: Sequence[Made]) -> None:
        # A link that is there points at a bill that is gone: a person asked for a new one.
        old = [plan.link.pk for plan, _, _ in posted if plan.link is not None]
        if old:
            Link.objects.filter(pk__in=old).update(withdrawn=True)
        for plan, intent, bill in posted:
            assert plan.document is not None
            plan.link = new_link(self._ctx, plan.document, intent, bill)
        batch.insert([plan.link for plan, _, _ in posted if plan.link is not None])

    def _write_renewed(self, posted: Sequence[Made]) -> None:
        links: list[Link] = []
        for plan, intent, bill in posted:
            if plan.link is not None:
                sent = plan.step.fields if isinstance(plan.step, d.Update) else None
                withdrawn = isinstance(plan.step, d.Remove)
                renew(self._ctx, plan.link, intent, bill, sent, withdrawn)
                links.append(plan.link)
        batch.update(links, RENEWED)

    def _write_history(self, action: str, posted: Sequence[Made]) -> None:
        act = f"bill.{action}d" if action != "remove" else "bill.removed"
        entries: list[AuditEntry] = []
        for plan, intent, bill in posted:
            plan.posted = bill
            entries.append(
                audit.entry(
                    self._ctx.workspace,
                    self._ctx.clock.now(),
                    "onecore",
                    act,
                    str(plan.ref),
                    target=str(bill.id),
                    version=intent.version,
                )
            )
        audit.record_all(entries)


def _version(plan: Plan) -> int:
    return plan.link.version if plan.link is not None else 1
