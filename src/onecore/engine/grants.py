"""Access tokens: renewed once per grant at a time, the new refresh token kept before it is used."""

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from onecore.engine import db
from onecore.engine.remotes import NewTokens, Remotes
from onecore.ports import (
    AccessLost,
    Clock,
    NotReached,
    OutcomeUnknown,
    Remote,
    ScopeMissing,
    Throttled,
    Token,
)
from onecore.store.leases import Owner
from onecore.store.models import Grant, WorkspaceOrganisation
from onecore.store.vault import Vault

RENEWAL_LEASE = timedelta(seconds=45)
EARLY = timedelta(seconds=90)
"""A token with less life than this is renewed before it is used."""
XERO_GRACE = timedelta(minutes=29)
"""Xero lets the old refresh token be tried again for 30 minutes after a lost reply [X 1]."""
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # a suspend does not stop it


@dataclass(frozen=True, slots=True)
class _Secrets:
    client_id: str
    client_secret: str | None
    refresh: str | None
    previous: str | None
    version: int


@dataclass(frozen=True, slots=True)
class _Held:
    """A token, and until when on this process's own stopwatch it may be used unasked."""

    token: Token
    until: float

    @property
    def is_fresh(self) -> bool:
        return time.clock_gettime(_CLOCK) < self.until


class GrantTokens:
    """`ports.Tokens` over one grant's row, shared by every process.

    How long a token lives is measured by the database's clock alone: machines whose clocks differ
    would otherwise renew what is fresh, each for itself, or use what has ended.
    """

    def __init__(
        self,
        grant_id: int,
        remotes: Remotes,
        vault: Vault,
        clock: Clock,
        owner: Owner | None = None,
    ) -> None:
        self._id = grant_id
        self._remotes = remotes
        self._vault = vault
        self._clock = clock
        self._owner = owner
        self._held: _Held | None = None
        self._lock = asyncio.Lock()

    async def current(self) -> Token:
        """A token with life left in it. Raises AccessLost when a person has to reconnect."""
        held = self._held
        if held is not None and held.is_fresh:
            return held.token
        async with self._lock:
            held = await db.run(self._read)
            if held is None or not held.is_fresh:
                held = await self._renewed(held.token.version if held else None)
            self._held = held
            return held.token

    async def renew(self, stale: Token) -> Token:
        """A newer token than `stale`, which a remote has refused."""
        async with self._lock:
            held = await db.run(self._read)
            if held is None or not held.is_fresh or held.token.version <= stale.version:
                held = await self._renewed(held.token.version if held else stale.version)
            self._held = held
            return held.token

    async def keep_alive(self, version: int) -> None:
        """Renew although nobody needs a token, unless that has been done since `version`."""
        async with self._lock:
            self._held = await self._renewed(version)

    def _bound(self, column: str) -> str:
        return f"grant:{self._id}:{column}"

    def _read(self) -> _Held | None:
        row = Grant.objects.annotate(database_now=Now()).get(pk=self._id)
        if row.broken:
            raise AccessLost(Remote(row.remote), "token", row.broken)
        if row.access_token is None or row.access_expires_at is None:
            return None
        value = self._vault.open(row.access_token, self._bound("access_token"))
        return _held(
            Token(value, row.access_expires_at, row.version),
            row.access_expires_at - row.database_now,
        )

    async def _renewed(self, older_than: int | None) -> _Held:
        """Renew under the row's short lease, or wait for whoever is doing so and take theirs.

        Raises NotReached where no new token could be had: what it was wanted for never left.
        """
        for _ in range(int(RENEWAL_LEASE.total_seconds() * 5)):
            secrets = await db.commit("grant.claimed", self._claim, older_than)
            if secrets is not None:
                return await self._renew_now(secrets)
            held = await db.run(self._read)
            if held is not None and held.token.version > (older_than or 0):
                return held
            await asyncio.sleep(0.2)
        row = await db.run(Grant.objects.get, pk=self._id)
        raise NotReached(Remote(row.remote), "token", "another process did not renew in time")

    def _claim(self, older_than: int | None) -> _Secrets | None:
        """The right to renew by compare-and-set; None while another process has it.

        The database's clock measures it. Who died while renewing is succeeded at once.
        """
        owner = self._owner.ensure() if self._owner is not None else None
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(
                    _CLAIM,
                    {
                        "grant": self._id,
                        "owner": owner,
                        "length": f"{RENEWAL_LEASE.total_seconds()} seconds",
                        "version": older_than,
                    },
                )
                if cursor.fetchone() is None:
                    return None
            row = Grant.objects.get(pk=self._id)
            if row.broken:
                raise AccessLost(Remote(row.remote), "token", row.broken)
            previous = row.previous_refresh_token
            if row.previous_until is None or row.previous_until < self._clock.now():
                previous = None
            return _Secrets(
                client_id=row.client_id,
                client_secret=self._open(row.client_secret, "client_secret"),
                refresh=self._open(row.refresh_token, "refresh_token"),
                previous=self._open(previous, "refresh_token"),
                version=row.version,
            )

    def _open(self, sealed: bytes | memoryview | None, column: str) -> str | None:
        return None if sealed is None else self._vault.open(sealed, self._bound(column))

    async def _renew_now(self, secrets: _Secrets) -> _Held:
        row = await db.run(Grant.objects.get, pk=self._id)
        try:
            fresh = await self._ask(Remote(row.remote), row.kind, secrets)
        except AccessLost as lost:
            await db.commit("grant.given_up", given_up, self._id, lost, secrets.version)
            raise
        except OutcomeUnknown as unknown:
            await db.commit("grant.released", self._release, secrets.version)
            # The same refresh token is asked with again: Xero still takes it [X 1].
            raise NotReached(unknown.remote, "token", unknown.detail) from None
        except Throttled as limited:  # no row tells of it: it is no limit of the API's
            await db.commit("grant.released", self._release, secrets.version)
            detail = "it gives no more tokens just now"
            raise NotReached(limited.remote, "token", detail, limited.wait) from None
        except BaseException:
            await db.commit("grant.released", self._release, secrets.version)
            raise
        return await db.commit("grant.renewed", self._store, fresh, secrets.version)

    async def _ask(self, remote: Remote, kind: str, secrets: _Secrets) -> NewTokens:
        if remote is Remote.PROCORE:
            return await self._remotes.procore_client_credentials(
                secrets.client_id, secrets.client_secret or ""
            )
        if kind == "client_credentials":
            return await self._remotes.xero_client_credentials(
                secrets.client_id, secrets.client_secret or ""
            )
        if secrets.refresh is None:
            raise AccessLost(remote, "token", "there is no refresh token; connect Xero again")
        ask = self._remotes.xero_refresh
        try:
            return await ask(secrets.client_id, secrets.client_secret, secrets.refresh)
        except AccessLost:
            if secrets.previous is None:
                raise
            return await ask(secrets.client_id, secrets.client_secret, secrets.previous)

    def _store(self, fresh: NewTokens, version: int) -> _Held:
        """Commit the new set before it is used; the old refresh token stays for its grace."""
        now = self._clock.now()
        life = fresh.expires_at - now
        with transaction.atomic():
            row = Grant.objects.select_for_update().get(pk=self._id)
            if row.version != version:  # a person connected again meanwhile: theirs holds
                held = self._read()
                if held is None:
                    raise NotReached(Remote(row.remote), "token", "renewed elsewhere meanwhile")
                return held
            row.access_token = self._vault.seal(fresh.access, self._bound("access_token"))
            row.access_expires_at = Now() + life
            if fresh.refresh is not None:
                row.previous_refresh_token = row.refresh_token
                row.previous_until = now + XERO_GRACE
                row.refresh_token = self._vault.seal(fresh.refresh, self._bound("refresh_token"))
            row.scopes = fresh.scopes or row.scopes
            row.version = version + 1
            row.renewing_until, row.renewing_by = None, None
            row.renewed_at = now
            row.broken = ""
            row.save()
        return _held(Token(fresh.access, fresh.expires_at, version + 1), life)

    def _release(self, version: int) -> None:
        Grant.objects.filter(pk=self._id, version=version).update(
            renewing_until=None, renewing_by=None
        )


def _held(token: Token, left: timedelta) -> _Held:
    return _Held(token, time.clock_gettime(_CLOCK) + (left - EARLY).total_seconds())


_CLAIM = """
UPDATE store_grant
   SET renewing_until = clock_timestamp() + %(length)s::interval, renewing_by = %(owner)s
 WHERE id = %(grant)s
   AND (renewing_until IS NULL OR renewing_until < clock_timestamp()
        OR (renewing_by IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM pg_locks
             WHERE locktype = 'advisory' AND objsubid = 1
               AND (classid::bigint << 32 | objid::bigint) = store_grant.renewing_by)))
   AND (%(version)s::bigint IS NULL OR version <= %(version)s::bigint)
RETURNING id
"""


def given_up(grant: int, lost: AccessLost, version: int | None = None) -> str:
    """Mark a grant as gone: why, and the next step. Whoever connected it again is left alone.

    `version` is the version of the token or secret that was refused.
    """
    row = Grant.objects.select_related("workspace").filter(pk=grant).first()
    if row is None:
        return lost.detail
    if row.broken:
        return row.broken
    why = why_lost(lost, row)[:300]
    if version is None or row.version == version:
        rows = Grant.objects.filter(pk=grant, version=row.version)
        rows.update(renewing_until=None, renewing_by=None, broken=why)
    return why


def disconnected(workspace: int, organisation: UUID, lost: AccessLost) -> str:
    """Mark one organisation as left: its consent may reach others, which go on. Why, in words."""
    rows = WorkspaceOrganisation.objects.select_related("grant__workspace", "organisation")
    row = rows.filter(workspace_id=workspace, organisation_id=organisation).first()
    if row is None:
        return lost.detail
    if row.broken:
        return row.broken
    name = row.organisation.name or str(organisation)
    row.broken = (
        f"{name} was disconnected from OneCore in Xero (or whoever allowed it lost access there). "
        f"Run: {again(row.grant)}"
    )[:300]
    row.save(update_fields=["broken"])
    return row.broken


def why_lost(lost: AccessLost, grant: Grant) -> str:
    """In words for a person: what was refused, and how to connect again."""
    who, command = grant.remote.capitalize(), again(grant)
    if isinstance(lost, ScopeMissing):
        named = f" ({lost.detail})" if "." in lost.detail else ""
        return (
            f"{who} did not grant what {lost.operation} needs{named}. Allow it, then run: {command}"
        )
    return f"{who} lets OneCore in no more: {lost.detail or 'refused'}. Run: {command}"


def again(grant: Grant) -> str:
    """The command that connects it again."""
    name = grant.workspace.name
    if grant.remote == Remote.PROCORE.value:
        company = grant.workspace.company_id or "N"
        return f"onecore connect procore -w {name!r} --company-id {company}"
    if grant.kind == "client_credentials":
        return (
            f"onecore connect xero -w {name!r} --client-id {grant.client_id} --client-secret-stdin"
        )
    return f"onecore connect xero -w {name!r}"


def new_grant(
    workspace: int,
    remote: Remote,
    kind: str,
    client_id: str,
    client_secret: str | None,
    fresh: NewTokens,
    vault: Vault,
    now: datetime,
    into: int | None = None,
) -> int:
    """The id of a grant made from tokens just received, secrets sealed to its row.

    `into` is a grant of this workspace that they take the place of, so that everything that hangs
    on it goes on.
    """
    with transaction.atomic():
        if into is None:
            made = Grant.objects.create(
                workspace_id=workspace, remote=remote.value, kind=kind, created_at=now
            )
            into = made.pk
        row = Grant.objects.select_for_update().get(pk=into, workspace_id=workspace)

        def seal(text: str | None, column: str) -> bytes | None:
            return None if text is None else vault.seal(text, f"grant:{row.pk}:{column}")

        row.kind, row.client_id = kind, client_id
        row.client_secret = seal(client_secret, "client_secret")
        row.access_token = seal(fresh.access, "access_token")
        row.refresh_token = seal(fresh.refresh, "refresh_token")
        row.previous_refresh_token, row.previous_until = None, None
        row.access_expires_at = Now() + (fresh.expires_at - now)
        row.scopes = fresh.scopes
        row.version = F("version") + 1
        row.renewing_until, row.renewing_by = None, None
        row.renewed_at, row.broken = now, ""
        row.save()
        return int(row.pk)
