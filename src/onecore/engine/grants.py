"""Access tokens: renewed once per grant at a time, the new refresh token kept before it is used."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import F

from onecore.engine import db
from onecore.engine.remotes import NewTokens, Remotes
from onecore.ports import (
    AccessLost,
    Clock,
    NotReached,
    OutcomeUnknown,
    Remote,
    ScopeMissing,
    Token,
)
from onecore.store.models import Grant
from onecore.store.vault import Vault

RENEWAL_LEASE = timedelta(seconds=45)
EARLY = timedelta(seconds=90)
"""A token with less life than this is renewed before it is used."""
XERO_GRACE = timedelta(minutes=29)
"""Xero lets the old refresh token be tried again for 30 minutes after a lost reply [X 1]."""


@dataclass(frozen=True, slots=True)
class _Secrets:
    client_id: str
    client_secret: str | None
    refresh: str | None
    previous: str | None
    version: int


class GrantTokens:
    """`ports.Tokens` over one grant's row, shared by every process."""

    def __init__(self, grant_id: int, remotes: Remotes, vault: Vault, clock: Clock) -> None:
        self._id = grant_id
        self._remotes = remotes
        self._vault = vault
        self._clock = clock
        self._held: Token | None = None
        self._lock = asyncio.Lock()

    async def current(self) -> Token:
        """A token with life left in it. Raises AccessLost when a person has to reconnect."""
        held = self._held
        if held is not None and held.expires_at - EARLY > self._clock.now():
            return held
        async with self._lock:
            token = await db.run(self._read)
            if token is None or token.expires_at - EARLY <= self._clock.now():
                token = await self._renewed(token.version if token else None)
            self._held = token
            return token

    async def renew(self, stale: Token) -> Token:
        """A newer token than `stale`, which a remote has refused."""
        async with self._lock:
            token = await db.run(self._read)
            if token is None or token.version <= stale.version:
                token = await self._renewed(stale.version)
            self._held = token
            return token

    def _bound(self, column: str) -> str:
        return f"grant:{self._id}:{column}"

    def _read(self) -> Token | None:
        row = Grant.objects.get(pk=self._id)
        if row.broken:
            raise AccessLost(Remote(row.remote), "token", row.broken)
        if row.access_token is None or row.access_expires_at is None:
            return None
        value = self._vault.open(row.access_token, self._bound("access_token"))
        return Token(value, row.access_expires_at, row.version)

    async def _renewed(self, older_than: int | None) -> Token:
        """Renew under the row's short lease, or wait for whoever is doing so and take theirs.

        Raises NotReached where no new token could be had: what it was wanted for never left.
        """
        for _ in range(int(RENEWAL_LEASE.total_seconds() * 5)):
            secrets = await db.commit("grant.claimed", self._claim, older_than)
            if secrets is not None:
                return await self._renew_now(secrets)
            token = await db.run(self._read)
            if token is not None and token.version > (older_than or 0):
                return token
            await asyncio.sleep(0.2)
        row = await db.run(Grant.objects.get, pk=self._id)
        raise NotReached(Remote(row.remote), "token", "another process did not renew in time")

    def _claim(self, older_than: int | None) -> _Secrets | None:
        """The right to renew by compare-and-set; None while another process has it.

        The database's clock measures it, so that machines whose clocks differ agree.
        """
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(
                    _CLAIM,
                    {
                        "grant": self._id,
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

    async def _renew_now(self, secrets: _Secrets) -> Token:
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

    def _store(self, fresh: NewTokens, version: int) -> Token:
        """Commit the new set before it is used; the old refresh token stays for its grace."""
        now = self._clock.now()
        with transaction.atomic():
            row = Grant.objects.select_for_update().get(pk=self._id)
            if row.version != version:  # a person connected again meanwhile: theirs holds
                token = self._read()
                if token is None:
                    raise NotReached(Remote(row.remote), "token", "renewed elsewhere meanwhile")
                return token
            row.access_token = self._vault.seal(fresh.access, self._bound("access_token"))
            row.access_expires_at = fresh.expires_at
            if fresh.refresh is not None:
                row.previous_refresh_token = row.refresh_token
                row.previous_until = now + XERO_GRACE
                row.refresh_token = self._vault.seal(fresh.refresh, self._bound("refresh_token"))
            row.scopes = fresh.scopes or row.scopes
            row.version = version + 1
            row.renewing_until = None
            row.renewed_at = now
            row.broken = ""
            row.save()
        return Token(fresh.access, fresh.expires_at, version + 1)

    def _release(self, version: int) -> None:
        Grant.objects.filter(pk=self._id, version=version).update(renewing_until=None)


_CLAIM = """
UPDATE store_grant SET renewing_until = clock_timestamp() + %(length)s::interval
 WHERE id = %(grant)s AND (renewing_until IS NULL OR renewing_until < clock_timestamp())
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
        Grant.objects.filter(pk=grant, version=row.version).update(renewing_until=None, broken=why)
    return why


def why_lost(lost: AccessLost, grant: Grant) -> str:
    """In words for a person: what was refused, and how to connect again."""
    name = grant.workspace.name
    if grant.remote == Remote.PROCORE.value:
        who, again = "Procore", f"onecore connect procore -w {name!r} --company-id"
        again += f" {grant.workspace.company_id or 'N'}"
    else:
        who, again = "Xero", f"onecore connect xero -w {name!r}"
        if grant.kind == "client_credentials":
            again += f" --client-id {grant.client_id} --client-secret-stdin"
    if isinstance(lost, ScopeMissing):
        named = f" ({lost.detail})" if "." in lost.detail else ""
        return (
            f"{who} did not grant what {lost.operation} needs{named}. Allow it, then run: {again}"
        )
    return f"{who} lets OneCore in no more: {lost.detail or 'refused'}. Run: {again}"


def new_grant(
    workspace: int,
    remote: Remote,
    kind: str,
    client_id: str,
    client_secret: str | None,
    fresh: NewTokens,
    vault: Vault,
    now: datetime,
) -> int:
    """The id of a grant made (or made anew) from tokens just received, secrets sealed to its row.

    The same app connecting the same workspace again replaces its old grant's secrets in place,
    so that everything that hangs on the grant goes on.
    """
    with transaction.atomic():
        row, _ = Grant.objects.get_or_create(
            workspace_id=workspace,
            remote=remote.value,
            kind=kind,
            client_id=client_id,
            defaults={"created_at": now},
        )
        row = Grant.objects.select_for_update().get(pk=row.pk)

        def seal(text: str | None, column: str) -> bytes | None:
            return None if text is None else vault.seal(text, f"grant:{row.pk}:{column}")

        row.client_secret = seal(client_secret, "client_secret")
        row.access_token = seal(fresh.access, "access_token")
        row.refresh_token = seal(fresh.refresh, "refresh_token")
        row.previous_refresh_token, row.previous_until = None, None
        row.access_expires_at = fresh.expires_at
        row.scopes = fresh.scopes
        row.version = F("version") + 1
        row.renewing_until, row.renewed_at, row.broken = None, now, ""
        row.save()
        return int(row.pk)
