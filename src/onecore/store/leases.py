"""One writer per Xero organisation, across all processes (design 5.3)."""

import secrets
import threading
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
from django.db import OperationalError, connection, transaction

LEASE_SECONDS = 60
NOTICED_SOON = "-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3"
"""A process that is killed is missed at once; of a machine that lost its power or its network the
server would notice after hours, with these it does after some ten seconds."""


class LeaseLost(Exception):
    """Somebody else writes to this organisation now; whoever sees this stops at once."""


class Owner:
    """This process as an owner of leases.

    It holds a session advisory lock under its own random id on a connection of its own: a killed
    process loses it at once, so that its leases can be taken without waiting them out.
    """

    def __init__(self) -> None:
        self.id = secrets.randbits(62)
        self._session: psycopg.Connection[Any] | None = None
        self._asking = threading.Lock()  # two turns that begin at once share one session

    def ensure(self) -> int:
        """This owner's id, its lock held; a lost connection means a new id."""
        with self._asking:
            if self._session is not None and not self._session.closed:
                try:
                    self._session.execute("SELECT 1")
                    return self.id
                except psycopg.Error:
                    self._session.close()
            self._session = None
            self.id = secrets.randbits(62)
            try:
                session = psycopg.connect(
                    **_connection_parameters(),
                    autocommit=True,
                    connect_timeout=10,
                    options=NOTICED_SOON,
                )
                session.execute("SELECT pg_advisory_lock(%s)", [self.id])
            except psycopg.Error as error:
                raise OperationalError(str(error)) from error
            self._session = session
            return self.id

    def close(self) -> None:
        with self._asking:
            if self._session is not None:
                self._session.close()
                self._session = None


def answers() -> None:
    """Returns when the database answers on a connection of its own. Raises OperationalError."""
    try:
        psycopg.connect(**_connection_parameters(), connect_timeout=5).close()
    except psycopg.Error as error:
        raise OperationalError(str(error)) from error


def _connection_parameters() -> dict[str, Any]:
    there = connection.settings_dict
    names = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST"}
    given = {ours: there[theirs] for ours, theirs in names.items() if there[theirs]}
    if there["PORT"]:
        given["port"] = there["PORT"]
    return given


_TAKE = """
UPDATE store_organisation SET fence = fence + 1, owner = %(owner)s,
       until = clock_timestamp() + %(length)s::interval
 WHERE tenant = %(tenant)s
   AND (until IS NULL OR until < clock_timestamp() OR owner IS NULL OR NOT EXISTS (
        SELECT 1 FROM pg_locks
         WHERE locktype = 'advisory' AND objsubid = 1
           AND (classid::bigint << 32 | objid::bigint) = store_organisation.owner))
RETURNING fence
"""
_RENEW = """
UPDATE store_organisation SET until = clock_timestamp() + %(length)s::interval
 WHERE tenant = %(tenant)s AND fence = %(fence)s AND owner = %(owner)s
RETURNING fence
"""
_LEFT = """
SELECT extract(epoch FROM until - clock_timestamp()) FROM store_organisation
 WHERE tenant = %(tenant)s AND fence = %(fence)s AND owner = %(owner)s
"""
_LET_GO = """
UPDATE store_organisation SET owner = NULL, until = NULL
 WHERE tenant = %(tenant)s AND fence = %(fence)s AND owner = %(owner)s
"""


@dataclass(slots=True)
class Lease:
    """The right to write to one organisation, for as long as it is renewed.

    `sending` are the ids of the intents that the next write carries out.
    """

    tenant: UUID
    fence: int
    owner: int
    sending: tuple[int, ...] = field(default=())

    def _query(self, sql: str) -> Any:
        with connection.cursor() as cursor:
            cursor.execute(
                sql,
                {
                    "tenant": self.tenant,
                    "fence": self.fence,
                    "owner": self.owner,
                    "length": f"{LEASE_SECONDS} seconds",
                },
            )
            return cursor.fetchone() if cursor.description else None

    def renew(self) -> None:
        """Raises LeaseLost when another owner has taken over."""
        if self._query(_RENEW) is None:
            raise LeaseLost(str(self.tenant))

    def check(self) -> None:
        """Inside a transaction that commits intents or outcomes: the fence is still ours.

        The row is locked, so a take-over waits until that transaction has committed.
        """
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT 1 FROM store_organisation WHERE tenant = %s AND fence = %s AND owner = %s"
                " FOR SHARE",
                [self.tenant, self.fence, self.owner],
            )
            if cursor.fetchone() is None:
                raise LeaseLost(str(self.tenant))

    def let_go(self) -> None:
        self._query(_LET_GO)

    def seconds_left(self) -> float:
        """What is left of the lease by the database's clock; negative when it is not ours."""
        row = self._query(_LEFT)
        return float(row[0]) if row else -1.0


def take(owner: Owner, tenant: UUID) -> Lease | None:
    """The lease, or None while a living owner holds it."""
    owner_id = owner.ensure()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            _TAKE,
            {
                "owner": owner_id,
                "tenant": tenant,
                "length": f"{LEASE_SECONDS} seconds",
            },
        )
        row = cursor.fetchone()
    return Lease(tenant, row[0], owner_id) if row else None
