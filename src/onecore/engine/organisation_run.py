"""One organisation's turn: settle doubts, read feeds, plan what is due, deliver, place."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from onecore.domain.documents import PostedBill
from onecore.domain.ids import OrganisationId, WorkspaceId
from onecore.domain.refs import Flow
from onecore.domain.settings import Mode
from onecore.engine import calls, db, feeds, withdrawals
from onecore.engine.bills import Adopt, Plan, body_digest, plan_bills, retry_at
from onecore.engine.context import Books, Context, Contexts, NotConnected
from onecore.engine.crash import reach
from onecore.engine.delivery import (
    BATCH,
    Delivered,
    Deliverer,
    accept,
    adopt,
    needs_another_look,
    settle_doubts,
)
from onecore.engine.firewall import guard
from onecore.engine.index import BillSweep
from onecore.engine.leases import before_send, held
from onecore.engine.placing import (
    place_delivered,
    place_plan,
    place_preview,
    place_refusal,
)
from onecore.ports import (
    AccessLost,
    NotReached,
    NotVisible,
    Posted,
    ReadFailed,
    Refusal,
    Remote,
    RemoteError,
    Throttled,
)
from onecore.store import documents as records
from onecore.store import hints
from onecore.store.hints import Said
from onecore.store.leases import Lease, Owner
from onecore.store.models import Intent, Organisation, WorkspaceOrganisation
from onecore.sync import decide as d

SWEEP_EVERY = timedelta(minutes=2)
"""How often an organisation's bills are swept when nothing else reads them."""
DOUBT_WAIT = timedelta(seconds=5)
FEEDS_A_TURN = 10


@dataclass(slots=True)
class Turn:
    """What one turn did and when the next is due."""

    organisation: OrganisationId
    ran: bool = False  # False: another process holds the organisation
    looked_at: int = 0
    sent: int = 0
    troubles: list[str] = field(default_factory=list)
    wait_until: datetime | None = None


class OrganisationRun:
    """Works one organisation under its lease, a bounded slice at a time."""

    def __init__(self, contexts: Contexts, owner: Owner) -> None:
        self._contexts = contexts
        self._owner = owner
        self._clock = contexts.clock
        self._sweeps: dict[OrganisationId, BillSweep] = {}

    async def turn(self, organisation: OrganisationId) -> Turn:
        """One slice of work; safe to call at any time from any number of processes."""
        turn = Turn(organisation)
        async with held(self._owner, organisation) as lease:
            if lease is None:
                return turn
            turn.ran = True
            await self._work(organisation, lease, turn)
            await db.run(self._set_next, organisation, turn.wait_until)
        return turn

    async def _work(self, organisation: OrganisationId, lease: Lease, turn: Turn) -> None:
        contexts = await self._live_contexts(organisation, lease, turn)
        if not contexts:
            return
        books = next(iter(contexts.values())).books[organisation]
        first = next(iter(contexts.values()))
        work = self._sweep_and_settle(contexts, books, lease, turn)
        if await self._guarded(turn, work, first) is None:
            return
        for ctx in contexts.values():
            await self._guarded(turn, self._feeds(ctx, organisation, turn), ctx)
        said = await db.run(hints.due, organisation, self._clock.now(), BATCH, list(contexts))
        by_workspace: dict[WorkspaceId, list[Said]] = defaultdict(list)
        for one in said:
            by_workspace[one.workspace].append(one)
        for workspace, group in by_workspace.items():
            slice_ = Slice(contexts[workspace], organisation, lease, self._sweep(organisation))
            await self._guarded(turn, slice_.run(group, turn), contexts[workspace], group)

    async def _live_contexts(
        self, organisation: OrganisationId, lease: Lease, turn: Turn
    ) -> dict[WorkspaceId, Context]:
        """Contexts of the workspaces that are connected and not paused."""

        async def allowed() -> None:
            await before_send(lease)
            reach("send.write")

        found: dict[WorkspaceId, Context] = {}
        for workspace in await db.run(_workspaces, organisation):
            try:
                found[workspace] = await self._contexts.of(workspace, allowed)
            except (NotConnected, AccessLost) as trouble:
                turn.troubles.append(str(trouble))
        return found

    def _sweep(self, organisation: OrganisationId) -> BillSweep:
        if organisation not in self._sweeps:
            self._sweeps[organisation] = BillSweep(organisation, self._contexts.vault, self._clock)
        return self._sweeps[organisation]

    async def _sweep_and_settle(
        self, contexts: dict[WorkspaceId, Context], books: Books, lease: Lease, turn: Turn
    ) -> bool:
        """Read Xero's changes when it is time or something is in doubt, and settle the doubts."""
        organisation = books.organisation
        intents = await db.run(records.unsettled, organisation)
        row = await db.run(Organisation.objects.get, pk=organisation)
        now = self._clock.now()
        stale = row.bills_read_at is None or now - row.bills_read_at >= SWEEP_EVERY
        changed: tuple[PostedBill, ...] = ()
        if intents or stale:
            oldest = intents[0].sent_at if intents else None
            changed = await self._sweep(organisation).read(books, oldest)
        if intents and await settle_doubts(
            {int(k): v for k, v in contexts.items()}, books, lease, changed
        ):
            _due_by(turn, now + DOUBT_WAIT)
        _due_by(turn, now + SWEEP_EVERY)
        return True

    async def _feeds(self, ctx: Context, organisation: OrganisationId, turn: Turn) -> bool:
        projects = await ctx.lists.projects()
        await db.run(feeds.ensure, ctx, organisation, projects, self._clock.now())
        due = await db.run(feeds.due, ctx, organisation, self._clock.now(), FEEDS_A_TURN)
        if due:
            wait = await db.run(feeds.pace_of, ctx, self._contexts.poll_seconds)
            for feed in due:
                await feeds.poll(ctx, feed, wait)
        return True

    async def _guarded(
        self, turn: Turn, work: Awaitable[bool], ctx: Context, said: Sequence[Said] = ()
    ) -> bool | None:
        """Do one part; a remote's trouble ends that part, is noted, and sets when to go on."""
        now = self._clock.now()
        try:
            return await work
        except Throttled as limited:
            until = now + limited.wait
            ours = limited.remote is Remote.PROCORE
            scope = ctx.procore_scope if ours else str(turn.organisation)
            await db.run(calls.block, limited.remote, scope, until, limited.kind, now)
            _due_by(turn, until)
            await db.run(_later, said, until)
        except (NotReached, ReadFailed, NotVisible, LookupError) as trouble:
            attempts = max((one.attempts for one in said), default=0)
            until = retry_at(now, attempts)
            _due_by(turn, until)
            await db.run(_later, said, until)
            turn.troubles.append(str(trouble))
        except (AccessLost, RemoteError) as trouble:
            until = now + timedelta(minutes=1)
            _due_by(turn, until)
            await db.run(_later, said, until)
            turn.troubles.append(str(trouble))
        return None

    def _set_next(self, organisation: OrganisationId, wait_until: datetime | None) -> None:
        """The earliest of: a hint, a feed, and what this turn has to wait for."""
        candidates = [wait_until, hints.next_due(organisation), feeds.next_due(organisation)]
        next_due = min((at for at in candidates if at is not None), default=None)
        Organisation.objects.filter(pk=organisation).update(next_due_at=next_due)


def _due_by(turn: Turn, at: datetime) -> None:
    turn.wait_until = at if turn.wait_until is None else min(turn.wait_until, at)


def _workspaces(organisation: UUID) -> list[WorkspaceId]:
    rows = WorkspaceOrganisation.objects.filter(
        organisation_id=organisation, workspace__paused=False, grant__broken=""
    )
    return [WorkspaceId(pk) for pk in rows.values_list("workspace_id", flat=True)]


def _later(said: Sequence[Said], at: datetime) -> None:
    for one in said:
        hints.later(one, at)


class Slice:
    """Due documents of one workspace in one organisation, at most fifty of them."""

    def __init__(
        self, ctx: Context, organisation: OrganisationId, lease: Lease, sweep: BillSweep
    ) -> None:
        self._ctx = ctx
        self._books = ctx.books[organisation]
        self._lease = lease
        self._sweep = sweep
        self._deliverer = Deliverer(ctx, self._books, lease)

    async def run(self, said: Sequence[Said], turn: Turn) -> bool:
        """Plan all, write in as few requests as there are kinds of write, place each."""
        by_ref = {str(one.ref): one for one in said if one.flow is Flow.BILL}
        busy = await db.run(_in_doubt, self._ctx.workspace, list(by_ref))
        for ref in busy:
            at = self._ctx.clock.now() + DOUBT_WAIT
            await db.run(hints.later, by_ref.pop(ref), at)
        turn.looked_at += len(by_ref)
        plans = await plan_bills(self._ctx, [one.ref for one in by_ref.values()])
        plans = await db.run(withdrawals.guard, self._ctx, plans)
        if any(isinstance(plan.step, d.Create) for plan in plans):
            await self._sweep.read(self._books)
            for plan in plans:
                await guard(plan, await self._sweep.digest())
        writes: dict[type, list[Plan]] = {d.Create: [], d.Update: [], d.Remove: []}
        for plan in plans:
            one = by_ref[str(plan.ref)]
            if type(plan.step) in writes and await self._may_write(plan):
                writes[type(plan.step)].append(plan)
            else:
                await self._settle_unsent(plan, one)
        await self._deliver(writes[d.Remove], self._deliverer.remove, by_ref, turn)
        await self._deliver(writes[d.Update], self._deliverer.update, by_ref, turn)
        await self._deliver(writes[d.Create], self._deliverer.create, by_ref, turn)
        return True

    async def _may_write(self, plan: Plan) -> bool:
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

    async def _settle_unsent(self, plan: Plan, said: Said) -> None:
        """Place a plan that writes nothing, then finish its hint or say when to look again."""
        ctx = self._ctx
        if isinstance(plan.step, Adopt):
            await adopt(ctx, self._books, self._lease, plan, plan.step.bill, plan.step.by_mark)
            return
        if isinstance(plan.step, d.Nothing) and plan.step.accepted and plan.link is not None:
            await db.run(accept, ctx, self._lease, plan)
        if isinstance(plan.step, d.Create | d.Update | d.Remove):
            await db.run(self._place_unsent_write, plan)
        else:
            await db.run(place_plan, ctx, plan)
        reach("plan.written")
        await self._finish(plan, said)

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

    async def _finish(self, plan: Plan, said: Said) -> None:
        at = withdrawals.look_again_at(plan, self._ctx.clock.now())
        if at is not None:
            await db.run(withdrawals.note_absence, plan, self._ctx.clock.now())
            await db.run(hints.later, said, at)
        else:
            await db.run(hints.finish, said)
            reach("hint.finished")

    async def _deliver(
        self,
        plans: list[Plan],
        send: Callable[[Sequence[Plan]], Awaitable[list[Delivered]]],
        by_ref: dict[str, Said],
        turn: Turn,
    ) -> None:
        if not plans:
            return
        for done in await send(plans):
            turn.sent += 1
            await self._place_delivered(done, by_ref[str(done.plan.ref)])

    async def _place_delivered(self, done: Delivered, said: Said) -> None:
        ctx, plan = self._ctx, done.plan
        if done.outcome is None:
            await db.run(hints.later, said, ctx.clock.now() + DOUBT_WAIT)
            return
        if isinstance(done.outcome, Refusal):
            await db.run(place_refusal, ctx, plan, done.outcome)
        elif isinstance(done.outcome, Posted):
            removed = isinstance(plan.step, d.Remove)
            await db.run(place_delivered, ctx, plan, removed)
            if not removed and needs_another_look(ctx, plan):
                at = ctx.clock.now()
                await db.run(
                    hints.say, ctx.workspace, self._lease.tenant, Flow.BILL, [plan.ref], at
                )
                # That saying is a newer generation, so the finish below leaves it.
        await db.run(hints.finish, said)
        reach("hint.finished")


def _in_doubt(workspace: WorkspaceId, refs: list[str]) -> list[str]:
    """Refs with a write whose fate is not known: they wait, the others go on."""
    rows = Intent.objects.filter(
        document__workspace_id=workspace, document__flow=Flow.BILL.value, document__ref__in=refs
    )
    return list(rows.values_list("document__ref", flat=True))
