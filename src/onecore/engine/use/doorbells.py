"""Webhooks: a delivery only says where to look. It is noted in a moment and read afresh later.

A delivery costs at most its share of one statement, which the deliveries of a moment share, and
is answered once that has been committed: what was answered with 200 is not lost with a process,
and what could not be kept is refused, so that the remote sends it again. No remote is called.
Feeds and sweeps find all of it without any webhook, so a delivery that never comes only costs time.
"""

import asyncio
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from django.db import close_old_connections, connection

from onecore.domain.ids import WorkspaceId
from onecore.domain.refs import SourceRef
from onecore.engine import db
from onecore.engine.service import Service
from onecore.store import bells
from onecore.store.bells import Rings, Rung
from onecore.store.models import Hook
from onecore.store.secrets import SecretUnreadable

T = TypeVar("T")

MOST_WAITING = 20_000
"""Different bells kept in memory while the database is busy; a delivery beyond is refused."""
PATIENCE = 4.0
"""Seconds to answer in; both remotes wait five [P 5.3, X 9]."""
LOOK_AGAIN = 1.0
"""Seconds between two looks for hooks this process does not know, whoever rings how often."""
REFRESH = 60.0


class Busy(Exception):
    """It cannot be kept now; the remote is asked to send it again."""


# --- what a delivery is about ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class XeroBell:
    """Something of an organisation changed: its category in Xero's word, and its id."""

    organisation: UUID
    category: str
    resource_id: UUID


@dataclass(frozen=True, slots=True)
class ProcoreBell:
    """Something of a company changed: its resource in Procore's word, and its id."""

    company: int
    project: int | None
    resource: str
    id: str


@dataclass(frozen=True, slots=True)
class Door:
    """A hook of ours: what it may ring for, and what its deliveries must carry, as a digest."""

    name: str
    workspace: WorkspaceId
    company: int | None
    project: int | None
    digest: bytes


_STALE = {
    "commitments": "commitments",
    "work order contracts": "commitments",
    "purchase order contracts": "commitments",
    "commitment contracts": "commitments",
    "vendors": "vendors",
    "company vendors": "vendors",
    "project vendors": "vendors",
    "cost codes": "cost_codes",
    "standard cost codes": "cost_codes",
    "budget codes": "cost_codes",
    "wbs codes": "cost_codes",
    "line item types": "cost_types",
    "projects": "projects",
}
"""Procore's resources by the list they make stale; change orders move a commitment's total."""


def rung_by_xero(told: Iterable[XeroBell]) -> set[Rung]:
    """What events of Xero ring for; a category we do not know rings for nothing."""
    rung: set[Rung] = set()
    for bell in told:
        scope = str(bell.organisation)
        if bell.category == "INVOICE":
            rung |= {Rung(scope, Rings.BILLS), Rung(scope, Rings.BILL, str(bell.resource_id))}
        elif bell.category == "CONTACT":
            rung.add(Rung(scope, Rings.CONTACTS))
    return rung


def rung_by_procore(door: Door, bell: ProcoreBell | None) -> set[Rung]:
    """What an event of Procore rings for: nothing but that the hook was heard where it cannot be
    read, or is of another company or project than the hook."""
    scope = str(door.workspace)
    rung = {Rung(scope, Rings.HOOK, door.name)}
    if bell is None or bell.company != door.company:
        return rung
    if door.project is not None and bell.project != door.project:
        return rung
    resource = bell.resource.strip().lower().replace("_", " ")
    kind = _STALE.get(resource) or ("commitments" if "change order" in resource else None)
    if kind is not None:
        ref = kind if bell.project is None else f"{kind}/{bell.project}"
        rung.add(Rung(scope, Rings.LIST, ref))
    if bell.project is None:
        return rung
    rung.add(Rung(scope, Rings.PROJECT, str(bell.project)))
    if "requisition" in resource and bell.id.isdecimal() and len(bell.id) < 20:
        ref = str(SourceRef.requisition(bell.project, int(bell.id)))
        rung.add(Rung(scope, Rings.CLAIM, ref))
    return rung


# --- keeping it --------------------------------------------------------------------------------


class Intake:
    """Keeps what rang: the deliveries of a moment in one statement, one after another.

    One per event loop. It has one thread, and so one connection, of its own, so that neither a
    flood keeps pages from theirs nor busy pages a delivery from being answered.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._threads: Executor = ThreadPoolExecutor(1, thread_name_prefix="onecore-bells")
        self._waiting: set[Rung] = set()
        self._kept: asyncio.Future[None] | None = None
        self._writing: asyncio.Task[None] | None = None
        self._doors = Doors(service)

    async def ring(self, rung: set[Rung]) -> None:
        """Returns once all of it is committed. Raises Busy when that cannot be had in time."""
        if not rung:
            return
        if len(self._waiting) + len(rung) > MOST_WAITING:
            raise Busy
        self._waiting |= rung
        if self._kept is None:
            self._kept = asyncio.get_running_loop().create_future()
            self._kept.add_done_callback(lambda done: done.cancelled() or done.exception())
        kept = self._kept
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        try:
            await asyncio.wait_for(asyncio.shield(kept), PATIENCE)
        except TimeoutError:
            raise Busy from None

    async def _write(self) -> None:
        """Write what waits until nothing does; what comes meanwhile goes with the next."""
        while self._kept is not None:
            rung, kept = self._waiting, self._kept
            self._waiting, self._kept = set(), None
            try:
                await self._step(partial(_note, rung, self._service.clock.now()))
            except Exception:
                kept.set_exception(Busy())
            else:
                kept.set_result(None)

    async def door(self, name: str, header: bytes) -> Door | None:
        """The hook of that name if the delivery carries its bearer. Raises Busy where that
        cannot be told."""
        try:
            return await asyncio.wait_for(self._doors.opened(name, header, self._step), PATIENCE)
        except Exception:
            raise Busy from None

    async def _step(self, fn: Callable[[], T]) -> T:
        def step() -> T:
            close_old_connections()
            try:
                return fn()
            finally:
                connection.close()

        return await asyncio.get_running_loop().run_in_executor(self._threads, step)


def _note(rung: set[Rung], now: datetime) -> None:
    with db.committing("bells.noted"):
        bells.note(rung, now)


class Doors:
    """The hooks there are, in memory, so that a forged delivery costs a comparison.

    A name nobody has and a wrong bearer take the same way: compared with a digest, and where it
    does not fit, at most once a second, with what the database has by now.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._doors: Mapping[str, Door] = {}
        self._read_at = -REFRESH
        self._nobody = Door("", WorkspaceId(0), None, None, secrets.token_bytes(32))
        self._reading = asyncio.Lock()

    async def opened(self, name: str, header: bytes, step: Callable[..., Any]) -> Door | None:
        """The door, or None for whoever must stay outside."""
        if time.monotonic() - self._read_at >= REFRESH:
            await self._read(step)
        found = self._fitting(name, header)
        if found is None and time.monotonic() - self._read_at >= LOOK_AGAIN:
            await self._read(step)
            found = self._fitting(name, header)
        return found

    def _fitting(self, name: str, header: bytes) -> Door | None:
        door = self._doors.get(name, self._nobody)
        is_right = hmac.compare_digest(hashlib.sha256(header.strip()).digest(), door.digest)
        return door if is_right else None

    async def _read(self, step: Callable[..., Any]) -> None:
        asked = time.monotonic()
        async with self._reading:
            if self._read_at < asked:
                self._doors = await step(lambda: doors(self._service))
                self._read_at = time.monotonic()


def doors(service: Service) -> dict[str, Door]:
    """Every hook of ours by its name. One whose secret does not open lets nobody in."""
    found = {}
    for row in Hook.objects.select_related("workspace"):
        try:
            bearer = service.vault.open(row.secret, f"hook:{row.pk}")
        except SecretUnreadable:
            continue
        workspace, company = WorkspaceId(row.workspace_id), row.workspace.company_id
        found[row.name] = Door(row.name, workspace, company, row.project_id, carried(bearer))
    return found


def carried(bearer: str) -> bytes:
    """The digest of the Authorization header that deliveries of a hook carry."""
    return hashlib.sha256(f"Bearer {bearer}".encode()).digest()
