"""Holding an organisation's lease while working, and asking it right before every write."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from uuid import UUID

from django.db import InterfaceError, OperationalError

from onecore.engine import db
from onecore.ports import LONGEST_WRITE
from onecore.store.leases import LEASE_SECONDS, Lease, LeaseLost, Owner, take
from onecore.timing import ticking

RENEW_SECONDS = 10
AGAIN_SECONDS = 2
"""How soon a renewal that failed for want of the database is tried again."""
LET_GO_SECONDS = 2
"""How long letting go may take where the database has just failed us."""


async def before_send(lease: Lease) -> None:
    """Right before a write: ours still, with time left for the whole request.

    The database's clock is asked, so a paused process that wakes up sends nothing. Raises
    LeaseLost.
    """
    if await db.run(lease.seconds_left) < LONGEST_WRITE:
        await db.commit("lease.renewed", lease.renew)
        if await db.run(lease.seconds_left) < LONGEST_WRITE:
            raise LeaseLost(str(lease.tenant))


@contextlib.asynccontextmanager
async def held(owner: Owner, tenant: UUID) -> AsyncIterator[Lease | None]:
    """The lease for the length of the block, renewed meanwhile; None while another holds it.

    When it is lost meanwhile the block's task is cancelled, which comes out as LeaseLost.
    """
    lease = await db.commit("lease.taken", take, owner, tenant)
    if lease is None:
        yield None
        return
    task = asyncio.current_task()
    assert task is not None
    lost = False

    def give_up() -> None:
        nonlocal lost
        lost = True
        task.cancel()

    renewer = asyncio.create_task(_renewing(lease, give_up))
    patience: float | None = None
    try:
        yield lease
    except (OperationalError, InterfaceError):
        # Perhaps the server is gone, and the lease with our session; perhaps a step only waited
        # too long for a connection, and the session lives on and would keep everybody out.
        patience = LET_GO_SECONDS
        raise
    except asyncio.CancelledError:
        if not lost:
            raise
        task.uncancel()  # that was ours; whoever else cancels the task is still heard
        raise LeaseLost(str(tenant)) from None
    finally:
        renewer.cancel()
        with contextlib.suppress(Exception):
            async with asyncio.timeout(patience):
                await db.commit("lease.let_go", lease.let_go)


async def _renewing(lease: Lease, give_up: Callable[[], None]) -> None:
    """Renew for ever; give up when another took over, or while the lease would run out.

    A database that does not answer for a moment is asked again: the lease is ours until it ends.
    """
    renewed, wait = ticking(), RENEW_SECONDS
    while True:
        await asyncio.sleep(wait)
        asked = ticking()
        try:
            await db.commit("lease.renewed", lease.renew)
            renewed, wait = asked, RENEW_SECONDS
        except LeaseLost:
            give_up()
            return
        except Exception:
            wait = AGAIN_SECONDS
            if ticking() - renewed > LEASE_SECONDS - LONGEST_WRITE / 4:
                give_up()
                return
