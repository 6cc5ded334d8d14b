"""One organisation's turn: settle doubts, read feeds, look at what is due; then when is next."""

import traceback
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import structlog
from django.db import InterfaceError, OperationalError

from onecore.domain.ids import OrganisationId, WorkspaceId
from onecore.engine import db, feeds, grants
from onecore.engine.bills import retry_at
from onecore.engine.context import Context, Contexts, NotConnected
from onecore.engine.delivery import BATCH
from onecore.engine.doubt import about_to_send, next_look, settle_doubts
from onecore.engine.index import BillSweep
from onecore.engine.leases import before_send, held
from onecore.engine.slices import Slice
from onecore.ports import (
    AccessLost,
    Disconnected,
    Lane,
    NotReached,
    NotVisible,
    OutcomeUnknown,
    ReadFailed,
    Remote,
    RemoteError,
    RequestRefused,
    Throttled,
)
from onecore.store import documents as records
from onecore.store import hints
from onecore.store.hints import Said
from onecore.store.leases import Lease, LeaseLost, Owner
from onecore.store.models import Organisation, WorkspaceOrganisation
from onecore.store.secrets import SecretUnreadable
from onecore.sync.pacing import documents_every, sweep_every, when_rung
from onecore.timing import phase, spending

log = structlog.get_logger("onecore.engine")

TROUBLE_WAIT = timedelta(seconds=30)
FEEDS_A_TURN = 10
DOCUMENTS_A_TURN = 4 * BATCH
"""Fifty go in one request; what else a turn takes is shared by several of those."""
ALONE_FROM = 3
"""Attempts that failed before documents are looked at in ever smaller groups."""

PutOff = Callable[[datetime], None]
"""A database step that says of some rows when they are looked at again."""
ENDS_THE_TURN = (LeaseLost, OperationalError, InterfaceError)


@dataclass(frozen=True, slots=True)
class Trouble:
    """What kept a part of a turn from its end, in words without content."""

    workspace: WorkspaceId | None  # None: it concerns all who share the organisation
    text: str


@dataclass(slots=True)
class Turn:
    """What one turn did. `not_before` is when its documents can go on at the earliest,
    `together_at` until when those nobody waits for are collected, `lists_at` when Xero's changes
    may be read again.

    `goes_on`: more is due already, after some was done.
    """

    organisation: OrganisationId
    ran: bool = False  # False: another process holds the organisation
    looked_at: int = 0
    sent: int = 0
    troubles: list[Trouble] = field(default_factory=list)
    workspaces: list[WorkspaceId] = field(default_factory=list)
    not_before: datetime | None = None
    together_at: datetime | None = None
    lists_at: datetime | None = None
    due: list[datetime] = field(default_factory=list)
    goes_on: bool = False

    def trouble(self, text: str, workspace: WorkspaceId | None = None) -> None:
        one = Trouble(workspace, text)
        if one not in self.troubles:
            self.troubles.append(one)

    def is_stuck(self, workspace: WorkspaceId, until: datetime) -> bool:
        """Whether nothing of a workspace can be looked at before `until`, whoever tries."""
        if not self.ran:
            return False
        told = any(at is not None and at >= until for at in (self.not_before, self.together_at))
        return told or workspace not in self.workspaces


class OrganisationRun:
    """Works one organisation under its lease, a bounded slice at a time."""

    def __init__(self, contexts: Contexts, owner: Owner) -> None:
        self._contexts = contexts
        self._owner = owner
        self._clock = contexts.clock
        self._sweeps: dict[OrganisationId, BillSweep] = {}
        self._failures: dict[UUID | int, int] = {}  # of a sweep, of a feed, one after another
        self._resting: dict[OrganisationId, datetime] = {}  # until when Xero is left alone

    async def turn(self, organisation: OrganisationId) -> Turn:
        """One slice of work; safe to call at any time from any number of processes.

        A remote's trouble, and even a fault of our own, ends only its part and is among the
        `troubles`. Raises where the database cannot be reached.
        """
        turn = Turn(organisation)
        with spending() as spent:
            try:
                async with held(self._owner, organisation) as lease:
                    if lease is None:
                        return turn
                    turn.ran = True
                    await self._work(lease, turn)
                    with phase("ending"):
                        await db.commit("turn.ended", self._set_next, turn)
            except LeaseLost:
                turn.trouble("another process took over this organisation")
        if turn.looked_at:
            log.info(
                "turn.ended",
                organisation=str(organisation),
                looked_at=turn.looked_at,
                sent=turn.sent,
                spent_ms=spent.told(),
            )
        return turn

    async def _work(self, lease: Lease, turn: Turn) -> None:
        contexts = await self._live_contexts(lease, turn)
        if not contexts:
            return
        self._sweep(turn.organisation).forget()
        with phase("sweeping"):
            xero_answers = await self._sweep_by_any(contexts, lease, turn)
        for ctx in list(contexts.values()):
            with phase("feeds"):
                lost = isinstance(await self._feeds(ctx, turn), AccessLost)
            if lost:
                _without(contexts, turn, ctx)
        if not xero_answers:
            return
        workspaces = list(contexts)
        now = self._clock.now()
        said = await db.run(hints.due, turn.organisation, now, DOCUMENTS_A_TURN, workspaces)
        if turn.together_at is not None:
            said = [one for one in said if one.lane == Lane.PERSON]
        groups: dict[tuple[WorkspaceId, int], list[Said]] = defaultdict(list)
        for one in said:
            groups[one.workspace, max(0, one.attempts - ALONE_FROM + 1)].append(one)
        for (workspace, halvings), group in groups.items():
            size = max(1, BATCH >> halvings)
            ctx = contexts[workspace].in_lane(Lane.DOCUMENT)
            for at in range(0, len(group), size):
                waits = turn.looked_at and await db.run(
                    hints.person_waits, turn.organisation, self._clock.now()
                )
                if waits:
                    return  # who waits comes first in the next turn, which begins at once
                await self._documents(ctx, lease, turn, group[at : at + size])

    async def _live_contexts(self, lease: Lease, turn: Turn) -> dict[WorkspaceId, Context]:
        """Contexts of the workspaces that are connected and not paused."""

        async def allowed() -> None:
            await db.commit("send.noted", about_to_send, lease.sending, self._clock.now())
            await before_send(lease)

        found: dict[WorkspaceId, Context] = {}
        for workspace, broken in await db.run(_workspaces, turn.organisation):
            try:
                if broken:
                    turn.trouble(broken, workspace)
                else:
                    found[workspace] = await self._contexts.of(workspace, allowed)
            except NotConnected as trouble:
                turn.trouble(str(trouble), workspace)
            except AccessLost as lost:
                turn.trouble(lost.detail, workspace)
            except SecretUnreadable as sealed:
                turn.trouble(str(sealed), workspace)
            except ENDS_THE_TURN:
                raise
            except Exception as error:
                turn.trouble(_fault("context", error, workspace=workspace), workspace)
        turn.workspaces = list(found)
        return found

    def _sweep(self, organisation: OrganisationId) -> BillSweep:
        if organisation not in self._sweeps:
            self._sweeps[organisation] = BillSweep(organisation, self._contexts.vault, self._clock)
        return self._sweeps[organisation]

    def _failed(self, what: UUID | int) -> int:
        """Count a failure of a sweep or a feed; how many there were before it."""
        before = self._failures.get(what, 0)
        self._failures[what] = before + 1
        return before

    # --- the parts of a turn ------------------------------------------------------------------

    async def _sweep_by_any(
        self, contexts: dict[WorkspaceId, Context], lease: Lease, turn: Turn
    ) -> bool:
        """Read Xero's changes through the first workspace whose access holds; whether one did."""

        def put_off(until: datetime) -> None:
            turn.not_before = until
            turn.due.append(until)

        failed = self._failures.get(turn.organisation, 0)
        rests, now = self._resting.get(turn.organisation), self._clock.now()
        # Feeds wake an organisation all the time; only a person's click hurries Xero's rest.
        if (
            rests is not None
            and now < rests
            and not await db.run(hints.person_waits, turn.organisation, now)
        ):
            turn.trouble("xero: has not answered; it is asked again soon")
            put_off(rests)
            return False
        for ctx in list(contexts.values()):
            work = self._sweep_and_settle(contexts, ctx, lease, turn)
            error = await self._part(turn, ctx, work, put_off, failed)
            if error is None or _leaves_documents(error):
                self._failures.pop(turn.organisation, None)
                self._resting.pop(turn.organisation, None)
                if error is not None:
                    turn.lists_at = turn.not_before
                turn.not_before = None
                return True
            if not isinstance(error, AccessLost):
                self._failed(turn.organisation)
                assert turn.not_before is not None
                self._resting[turn.organisation] = turn.not_before
                return False
            _without(contexts, turn, ctx)
        return False

    async def _sweep_and_settle(
        self, contexts: dict[WorkspaceId, Context], ctx: Context, lease: Lease, turn: Turn
    ) -> None:
        """Read Xero's changes when it is time or something is in doubt, and settle the doubts."""
        organisation = turn.organisation
        intents = await db.run(records.unsettled, organisation)
        intents = [one for one in intents if one.document.workspace_id in contexts]
        row = await db.run(Organisation.objects.get, pk=organisation)
        usage = await db.run(self._contexts.calls.usage, ctx.books[organisation].calls)
        began, read_at = self._clock.now(), row.bills_read_at
        every = sweep_every(usage, began)
        rung = when_rung(every) if row.bills_wanted_at is not None else every
        if (
            read_at is None
            or began - read_at >= min(rung, every)
            or any(next_look(one) <= began for one in intents)
        ):
            oldest = intents[0].sent_at if intents else None
            books = ctx.in_lane(Lane.DOCUMENT if intents else Lane.LIST).books[organisation]
            changed = await self._sweep(organisation).read(books, oldest)
            intents = await settle_doubts(contexts, lease, changed, began)
            read_at = began
        elif read_at + (together := documents_every(usage, began)) > began:
            # The list has to be read before bills are made, so they go when it is read next.
            turn.together_at = read_at + together
            turn.trouble(
                "xero: few calls are left of the day; documents go together at "
                f"{turn.together_at:%H:%M} UTC"
            )
        turn.lists_at = read_at + when_rung(every)
        turn.due += [next_look(one) for one in intents]
        turn.due.append(read_at + every)

    async def _feeds(self, ctx: Context, turn: Turn) -> Exception | None:
        organisation, ctx = turn.organisation, ctx.in_lane(Lane.LIST)

        def all_later(until: datetime) -> None:
            feeds.put_off(ctx, organisation, until)

        async def poll_due() -> None:
            projects = await ctx.lists.projects()
            await db.commit(
                "feeds.ensured", feeds.ensure, ctx, organisation, projects, self._clock.now()
            )
            pace = await db.run(self._contexts.paces.of, ctx.procore_calls, ctx.workspace)
            now = self._clock.now()
            due = await db.commit(
                "looks.taken", feeds.due, ctx, organisation, pace, now, FEEDS_A_TURN
            )
            for feed in due:
                try:
                    await feeds.poll(ctx.in_lane(feeds.lane_of(feed)), feed, pace)
                    self._failures.pop(feed.pk, None)
                except Throttled as limited:
                    if limited.lane is not Lane.WALK:
                        raise
                    until = self._clock.now() + limited.wait
                    await db.commit("feed.put_off", feeds.put_off_one, feed, until)
                except ReadFailed as trouble:  # of one project; the others are read all the same
                    turn.trouble(_words(trouble), ctx.workspace)
                    until = retry_at(self._clock.now(), self._failed(feed.pk))
                    await db.commit("feed.put_off", feeds.put_off_one, feed, until)

        return await self._part(turn, ctx, poll_due(), all_later)

    async def _documents(
        self, ctx: Context, lease: Lease, turn: Turn, said: Sequence[Said]
    ) -> None:
        """Look at some documents. A fault of our own is hunted down by halves, so that one
        document we cannot deal with keeps no other from going."""
        slice_ = Slice(ctx, turn.organisation, lease, self._sweep(turn.organisation))
        failed = False

        def later(until: datetime) -> None:
            hints.later(slice_.unfinished, until, failed=failed)

        async def work() -> None:
            nonlocal failed
            try:
                await slice_.run(said)
            except (Throttled, AccessLost):
                raise
            except Exception:
                failed = True
                raise

        turn.looked_at += len(said)
        attempts = max(one.attempts for one in said)
        error = await self._part(turn, ctx, work(), later, attempts, quiet=len(said) > 1)
        turn.sent += slice_.sent
        left = slice_.unfinished
        if error is None or isinstance(error, RemoteError) or len(said) == 1:
            return
        middle = (len(left) + 1) // 2
        for half in (left[:middle], left[middle:]):
            if half:
                await self._documents(ctx, lease, turn, half)

    async def _part(
        self,
        turn: Turn,
        ctx: Context,
        work: Awaitable[None],
        put_off: PutOff,
        attempts: int = 0,
        quiet: bool = False,
    ) -> Exception | None:
        """Do one part of a turn. Trouble ends that part, is noted, and sets when it goes on.

        `quiet` leaves a fault of our own to whoever tries again in smaller parts.
        """
        try:
            await work
        except ENDS_THE_TURN:
            raise
        except Throttled as limited:  # the limit itself is told from its row
            await db.commit("part.put_off", put_off, self._clock.now() + limited.wait)
            return limited
        except AccessLost as lost:
            why = await db.commit("grant.given_up", _given_up, ctx, turn.organisation, lost)
            turn.trouble(why, ctx.workspace)
            # Nothing is put off: while access is lost nobody tries, and then it goes on at once.
            turn.due.append(self._clock.now() + TROUBLE_WAIT)
            return lost
        except RemoteError as trouble:
            now = self._clock.now()
            told = trouble.wait if isinstance(trouble, NotReached) else None
            until = now + told if told is not None else retry_at(now, attempts)
            turn.trouble(_words(trouble), ctx.workspace)
            await db.commit("part.put_off", put_off, until)
            return trouble
        except Exception as error:
            if not quiet:
                text = _fault("turn", error, organisation=turn.organisation)
                turn.trouble(text, ctx.workspace)
                await db.commit("part.put_off", put_off, retry_at(self._clock.now(), attempts))
            return error
        return None

    def _set_next(self, turn: Turn) -> None:
        """The earliest of: a hint that can be looked at, a feed, a sweep, a doubt to settle.

        A doorbell that rang while this turn read the bills asks for another read at once.
        """

        def earliest() -> datetime | None:
            hint = hints.next_due(turn.organisation, turn.workspaces)
            if hint is not None and turn.together_at is not None:
                hint = max(hint, turn.together_at)
            rung = Organisation.objects.get(pk=turn.organisation).bills_wanted_at
            if not turn.workspaces:  # whoever could read them has lost access or is paused
                rung = None
            if rung is not None and turn.lists_at is not None:
                rung = max(rung, turn.lists_at)
            if turn.not_before is not None:
                hint, rung = (at and max(at, turn.not_before) for at in (hint, rung))
            feed = feeds.next_due(turn.organisation, turn.workspaces)
            dues = [at for at in (hint, rung, feed, *turn.due) if at is not None]
            # Left due, it comes behind those that became due meanwhile: all have their turn.
            return max(min(dues), self._clock.now()) if dues else None

        next_at = hints.sleep_until(turn.organisation, earliest)
        turn.goes_on = turn.looked_at > 0 and next_at is not None and next_at <= self._clock.now()


def _workspaces(organisation: UUID) -> list[tuple[WorkspaceId, str]]:
    """Workspaces that share the organisation and are not paused, and why access is lost if so."""
    rows = WorkspaceOrganisation.objects.filter(
        organisation_id=organisation, workspace__paused=False
    ).order_by("workspace_id")
    found = rows.values_list("workspace_id", "broken", "grant__broken")
    return [(WorkspaceId(pk), own or shared) for pk, own, shared in found]


def _given_up(ctx: Context, organisation: OrganisationId, lost: AccessLost) -> str:
    """Note whose access is lost: Procore's, all of a consent's, or only this organisation's."""
    if lost.remote is Remote.PROCORE:
        return grants.given_up(ctx.procore_grant, lost)
    if isinstance(lost, Disconnected):
        return grants.disconnected(ctx.workspace, organisation, lost)
    return grants.given_up(ctx.books[organisation].grant, lost)


def _without(contexts: dict[WorkspaceId, Context], turn: Turn, ctx: Context) -> None:
    """Go on without a workspace whose access is lost."""
    del contexts[ctx.workspace]
    turn.workspaces.remove(ctx.workspace)


def _leaves_documents(error: Exception) -> bool:
    """Whether our own budget only keeps lists waiting, while documents go on."""
    return isinstance(error, Throttled) and error.lane in (Lane.LIST, Lane.WALK)


def _words(trouble: RemoteError) -> str:
    """A remote's trouble without what the remote said about documents."""
    if isinstance(trouble, RequestRefused | NotVisible):
        return f"{trouble.remote}: {trouble.operation}: HTTP {trouble.status}"
    if isinstance(trouble, OutcomeUnknown):
        return f"{trouble.remote}: {trouble.operation}: no answer; looking what became of it"
    return str(trouble)


def _fault(what: str, error: Exception, **ids: object) -> str:
    """Log a fault of our own by its kind and place: its text may carry a document's words."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{Path(frames[-1].filename).stem}:{frames[-1].lineno}" if frames else ""
    named = {name: str(value) for name, value in ids.items()}
    log.error(f"{what}.fault", error=type(error).__name__, where=where, **named)
    return f"a fault of OneCore's own ({type(error).__name__} at {where}); it is tried again"
