"""A slice of due documents: plan all, write in as few requests as it takes, place each."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial

from django.db import transaction

from onecore.crash import reach
from onecore.domain.ids import OrganisationId
from onecore.domain.refs import Flow
from onecore.domain.settings import Mode
from onecore.engine import db, withdrawals
from onecore.engine.bills import Adopt, Plan, body_digest, plan_bills
from onecore.engine.context import Context
from onecore.engine.delivery import Delivered, Deliverer
from onecore.engine.firewall import guard
from onecore.engine.index import BillSweep
from onecore.engine.links import accept, adopt, agree, needs_another_look
from onecore.engine.placing import place_delivered, place_plan, place_preview, place_refusal
from onecore.ports import Posted, Refusal
from onecore.store import documents as records
from onecore.store import hints
from onecore.store.hints import Said
from onecore.store.leases import Lease
from onecore.store.models import Intent
from onecore.sync import decide as d
from onecore.timing import phase

DOUBT_WAIT = timedelta(seconds=5)


class Slice:
    """Due documents of one workspace in one organisation, at most fifty of them."""

    def __init__(
        self,
        ctx: Context,
        organisation: OrganisationId,
        lease: Lease,
        sweep: BillSweep,
    ) -> None:
        self._ctx = ctx
        self._organisation = organisation
        self._books = ctx.books[organisation]
        self._lease = lease
        self._sweep = sweep
        self._deliverer = Deliverer(ctx, self._books, lease)
        self._said: dict[str, Said] = {}
        self.sent = 0

    async def run(self, said: Sequence[Said]) -> None:
        """Look at these documents; what is finished with is finished, whatever else fails."""
        ctx = self._ctx
        self._said = {str(one.ref): one for one in said if one.flow is Flow.BILL}
        busy = await db.run(_in_doubt, ctx.workspace, list(self._said))
        waiting = [self._said.pop(ref) for ref in busy]
        await db.run(hints.later, waiting, ctx.clock.now() + DOUBT_WAIT)
        plans = await plan_bills(ctx, [one.ref for one in self._said.values()])
        plans = [plan for plan in plans if not await self._belongs_elsewhere(plan)]
        with phase("guarding"):
            plans = await db.run(withdrawals.guard, ctx, plans)
            if any(isinstance(plan.step, d.Create) for plan in plans):
                await self._sweep.read_lately(self._books)
                for plan in plans:
                    await guard(plan, await self._sweep.digest())
        writes: dict[type, list[Plan]] = {d.Create: [], d.Update: [], d.Remove: []}
        for plan in plans:
            if type(plan.step) in writes and self._may_write(plan):
                writes[type(plan.step)].append(plan)
            else:
                await self._settle_unsent(plan)
        await self._deliver(writes[d.Remove], self._deliverer.remove)
        await self._deliver(writes[d.Update], self._deliverer.update)
        if writes[d.Create]:
            self._sweep.forget()
            await self._deliver(writes[d.Create], self._deliverer.create)

    async def _belongs_elsewhere(self, plan: Plan) -> bool:
        """Whether another organisation's writer has to look at it: what was posted stays there,
        and what was not follows its project's route."""
        to = plan.organisation
        if to is None or to == self._organisation or to not in self._ctx.books:
            return False
        await db.run(hints.route, self._said.pop(str(plan.ref)), to, self._ctx.clock.now())
        return True

    def _may_write(self, plan: Plan) -> bool:
        """Whether the flow's mode lets this go; if not, the plan is placed as shown or asked."""
        mode = plan.settings.bill.mode if plan.settings is not None else Mode.OFF
        if mode is Mode.AUTO:
            return True
        if mode is Mode.APPROVE and plan.document is not None:
            return plan.document.approved_for == self._approval_digest(plan)
        return False

    def _approval_digest(self, plan: Plan) -> str:
        kind = type(plan.step).__name__
        return body_digest(plan.wanted, self._ctx) if plan.wanted is not None else kind

    async def _settle_unsent(self, plan: Plan) -> None:
        """Place a plan that writes nothing, then finish its hint or say when to look again."""
        ctx = self._ctx
        if isinstance(plan.step, Adopt):
            await adopt(ctx, self._books, self._lease, plan, plan.step.bill, plan.step.by_mark)
            return
        if isinstance(plan.step, d.Create | d.Update | d.Remove):
            await self._place(plan, self._place_unsent_write)
        else:
            await self._place(plan, self._place_plan)

    def _place_plan(self, plan: Plan) -> None:
        ctx, now = self._ctx, self._ctx.clock.now()
        if isinstance(plan.step, d.Nothing):
            if plan.step.accepted:
                accept(ctx, plan)
            else:
                agree(ctx, plan)
        place_plan(ctx, plan)
        withdrawals.note_absence(plan, now)

    def _place_unsent_write(self, plan: Plan) -> None:
        mode = plan.settings.bill.mode if plan.settings is not None else Mode.OFF
        digest = self._approval_digest(plan)
        rejected = plan.document is not None and plan.document.rejected_for == digest
        if mode is Mode.OFF or rejected:
            plan.step = d.Waiting("rejected" if rejected else "flow_off")
            place_plan(self._ctx, plan)
            return
        state = records.APPROVAL if mode is Mode.APPROVE else records.PREVIEWED
        place_preview(self._ctx, plan, state, digest)

    async def _deliver(
        self, plans: list[Plan], send: Callable[[Sequence[Plan]], Awaitable[list[Delivered]]]
    ) -> None:
        for done in await send(plans) if plans else ():
            self.sent += 1
            await self._place_delivered(done)

    async def _place_delivered(self, done: Delivered) -> None:
        ctx, plan = self._ctx, done.plan
        if isinstance(done.outcome, Refusal):
            await self._place(plan, partial(self._place_refused, done.outcome))
        elif isinstance(done.outcome, Posted):
            await self._place(plan, self._place_posted)
        else:
            at = ctx.clock.now() + DOUBT_WAIT
            await db.run(hints.later, [self._said.pop(str(plan.ref))], at)

    def _place_refused(self, refusal: Refusal, plan: Plan) -> None:
        place_refusal(self._ctx, plan, refusal)

    def _place_posted(self, plan: Plan) -> None:
        ctx, removed = self._ctx, isinstance(plan.step, d.Remove)
        place_delivered(ctx, plan, removed)
        if not removed and needs_another_look(ctx, plan):
            # That saying is a newer generation, so finishing this one leaves it.
            now = ctx.clock.now()
            hints.say(ctx.workspace, self._organisation, Flow.BILL, [plan.ref], now)

    async def _place(self, plan: Plan, place: Callable[[Plan], None]) -> None:
        """Place one document and finish its hint in one commit, with the fence checked."""
        with phase("placing"):
            await db.run(self._place_now, plan, place, self._said[str(plan.ref)])
        del self._said[str(plan.ref)]
        reach("document.placed")

    def _place_now(self, plan: Plan, place: Callable[[Plan], None], said: Said) -> None:
        with transaction.atomic():
            self._lease.check()
            place(plan)
            at = withdrawals.look_again_at(plan, self._ctx.clock.now())
            if at is not None:
                hints.again(said, at)
            else:
                hints.finish(said)

    @property
    def unfinished(self) -> list[Said]:
        """Hints that a failure kept from being dealt with."""
        return list(self._said.values())


def _in_doubt(workspace: int, refs: list[str]) -> list[str]:
    """Refs with a write whose fate is not known: they wait, the others go on."""
    rows = Intent.objects.filter(
        document__workspace_id=workspace, document__flow=Flow.BILL.value, document__ref__in=refs
    )
    return list(rows.values_list("document__ref", flat=True))
