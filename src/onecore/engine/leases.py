"""Holding an organisation's lease while working, and asking it right before every write."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from uuid import UUID

from onecore.engine import db
from onecore.engine.crash import reach
from onecore.ports import LONGEST_WRITE
from onecore.store.leases import Lease, LeaseLost, Owner, take

RENEW_SECONDS = 10


async def before_send(lease: Lease) -> None:
    """Right before a write: ours still, with time left for the whole request.

    The database's clock is asked, so a paused process that wakes up sends nothing. Raises
    LeaseLost.
    """
    if await db.run(lease.seconds_left) < LONGEST_WRITE:
        await db.run(lease.renew)
        if await db.run(lease.seconds_left) < LONGEST_WRITE:
            raise LeaseLost(str(lease.tenant))


@contextlib.asynccontextmanager
async def held(owner: Owner, tenant: UUID) -> AsyncIterator[Lease | None]:
    """The lease for the length of the block, renewed meanwhile; None while another holds it.

    When a renewal fails the block's task is cancelled, which comes out as LeaseLost.
    """
    lease = await db.run(take, owner, tenant)
    if lease is None:
        yield None
        return
    reach("lease.taken")
    task = asyncio.current_task()
    lost = False

    def give_up() -> None:
        nonlocal lost
        lost = True
        if task is not None:
            task.cancel()

    renewer = asyncio.create_task(_renewing(lease, give_up))
    try:
        yield lease
    except asyncio.CancelledError:
        if lost:
            raise LeaseLost(str(tenant)) from None
        raise
    finally:
        renewer.cancel()
        with contextlib.suppress(Exception):
            await db.run(lease.let_go)


async def _renewing(lease: Lease, give_up: Callable[[], None]) -> None:
    while True:
        await asyncio.sleep(RENEW_SECONDS)
        try:
            await db.run(lease.renew)
        except Exception:
            give_up()
            return
