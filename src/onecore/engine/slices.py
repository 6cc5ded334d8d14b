"""A slice of due documents: plan all, write in as few requests as it takes, place each."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from django.db import transaction

from onecore.domain.ids import OrganisationId
from onecore.domain.refs import Flow, SourceRef
from onecore.domain.settings import Mode
from onecore.engine import db, placing, withdrawals
from onecore.engine.bills import Adopt, Ignored, Plan, body_digest, plan_bills
from onecore.engine.context import Context
from onecore.engine.delivery import Delivered, Deliverer
from onecore.engine.firewall import guard
from onecore.engine.index import BillSweep
from onecore.engine.links import accept, adopt, agree, needs_another_look
from onecore.ports import Outcome, Refusal
from onecore.store import documents as records
from onecore.store import hints
from onecore.store.documents import Placement
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
        self._again: list[SourceRef] = []  # delivered, and to be looked at once more
        self.sent = 0

    async def run(self, said: Sequence[Said]) -> None:
        """Look at these documents; what is finished with is finished, whatever else fails."""
        ctx = self._ctx
        self._said = {str(one.ref): one for one in said if one.flow is Flow.BILL}
        busy = await db.run(_in_doubt, ctx.workspace, list(self._said))
        waiting = [self._said.pop(ref) for ref in busy]
        if waiting:
            await db.commit("hints.put_off", hints.later, waiting, ctx.clock.now() + DOUBT_WAIT)
        plans = await plan_bills(ctx, [one.ref for one in self._said.values()])
        plans = [plan for plan in plans if not await self._belongs_elsewhere(plan)]
        with phase("guarding"):
            plans = await db.run(withdrawals.guard, ctx, plans)
            if any(isinstance(plan.step, d.Create) for plan in plans):
                await self._sweep.read_lately(self._books)
                digest = await self._sweep.digest()
                await db.run(guard, self._organisation, plans, digest)
        writes: dict[type, list[Plan]] = {d.Create: [], d.Update: [], d.Remove: []}
        unsent: list[Plan] = []
        for plan in plans:
            if isinstance(plan.step, Adopt):
                await adopt(ctx, self._books, self._lease, plan, plan.step.bill, plan.step.by_mark)
            elif type(plan.step) in writes and self._may_write(plan):
                writes[type(plan.step)].append(plan)
            else:
                unsent.append(plan)
        await self._place(unsent, self._where_unsent)
        await self._deliver(writes[d.Remove], self._deliverer.remove)
        await self._deliver(writes[d.Update], self._deliverer.update)
        await self._deliver(writes[d.Create], self._deliverer.create)

    async def _belongs_elsewhere(self, plan: Plan) -> bool:
        """Whether another organisation's writer has to look at it: what was posted stays there,
        and what was not follows its project's route."""
        to = plan.organisation
        if to is None or to == self._organisation or to not in self._ctx.books:
            return False
        said = self._said.pop(str(plan.ref))
        await db.commit("hint.routed", hints.route, said, to, self._ctx.clock.now())
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

    def _where_unsent(self, plan: Plan) -> Placement | None:
        """Where a plan that writes nothing puts its document."""
        if isinstance(plan.step, d.Create | d.Update | d.Remove):
            return self._where_unsent_write(plan)
        if isinstance(plan.step, d.Nothing):
            (accept if plan.step.accepted else agree)(self._ctx, plan)
        withdrawals.note_absence(plan, self._ctx.clock.now())
        return placing.planned(plan)

    def _where_unsent_write(self, plan: Plan) -> Placement | None:
        mode = plan.settings.bill.mode if plan.settings is not None else Mode.OFF
        digest = self._approval_digest(plan)
        rejected = plan.document is not None and plan.document.rejected_for == digest
        if mode is Mode.OFF or rejected:
            plan.step = d.Waiting("rejected" if rejected else "flow_off")
            return placing.planned(plan)
        state = records.APPROVAL if mode is Mode.APPROVE else records.PREVIEWED
        return placing.shown(plan, state, digest)

    async def _deliver(
        self, plans: list[Plan], send: Callable[[Sequence[Plan]], Awaitable[list[Delivered]]]
    ) -> None:
        done = await send(plans) if plans else []
        self.sent += len(done)
        outcomes = {str(one.plan.ref): one.outcome for one in done}
        doubtful = [self._said.pop(ref) for ref, outcome in outcomes.items() if outcome is None]
        if doubtful:
            at = self._ctx.clock.now() + DOUBT_WAIT
            await db.commit("hints.put_off", hints.later, doubtful, at)
        known = [one.plan for one in done if one.outcome is not None]
        await self._place(known, lambda plan: self._where_delivered(plan, outcomes[str(plan.ref)]))

    def _where_delivered(self, plan: Plan, outcome: Outcome | None) -> Placement:
        if isinstance(outcome, Refusal):
            return placing.refused(plan, outcome)
        if not isinstance(plan.step, d.Remove) and needs_another_look(self._ctx, plan):
            self._again.append(plan.ref)
        return placing.delivered(plan)

    async def _place(
        self, plans: Sequence[Plan], where: Callable[[Plan], Placement | None]
    ) -> None:
        """Place documents and finish their hints in one commit, with the fence checked."""
        if not plans:
            return
        with phase("placing"):
            await db.commit("document.placed", self._place_now, plans, where)
        for plan in plans:
            del self._said[str(plan.ref)]

    def _place_now(self, plans: Sequence[Plan], where: Callable[[Plan], Placement | None]) -> None:
        ctx, now = self._ctx, self._ctx.clock.now()
        self._again = []
        with transaction.atomic():
            self._lease.check()
            placing.rows_for(ctx, [x for x in plans if not isinstance(x.step, Ignored)])
            placements = [there for plan in plans if (there := where(plan)) is not None]
            placing.place(ctx, placements)
            # That saying is a newer generation, so finishing these leaves it.
            hints.say(ctx.workspace, self._organisation, Flow.BILL, self._again, now)
            at = {str(plan.ref): withdrawals.look_again_at(plan, now) for plan in plans}
            said = [(self._said[ref], when) for ref, when in at.items()]
            hints.again([(one, when) for one, when in said if when is not None])
            hints.finish([one for one, when in said if when is None])

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
