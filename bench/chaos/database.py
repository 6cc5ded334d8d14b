"""The database of a run: killed in several ways, brought back, and asked what happened."""

import contextlib
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psycopg
from tests.store.servers import family, kill_all

from onecore.store.embedded import EmbeddedPostgres

BLOWS = ("immediate", "killed", "postmaster", "backend", "fast")
"""Stopped at once, all its processes killed, the first of them killed, one session killed (which
makes the server end all others and recover), and stopped as an administrator does."""

_WATCH = """
CREATE TABLE chaos_lease (
    at timestamptz NOT NULL, tenant uuid NOT NULL, fence bigint NOT NULL, owner bigint, name text);
CREATE FUNCTION chaos_note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.fence <> OLD.fence OR NEW.owner IS DISTINCT FROM OLD.owner THEN
        INSERT INTO chaos_lease VALUES (clock_timestamp(), NEW.tenant, NEW.fence, NEW.owner,
                                        current_setting('application_name'));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER chaos_watch AFTER UPDATE ON store_organisation
    FOR EACH ROW EXECUTE FUNCTION chaos_note();
"""
_UNREST = """
WITH told AS (SELECT to_timestamp(%(since)s) + %(ahead)s::interval AS since)
SELECT (SELECT count(*) FROM store_intent)
     + (SELECT count(*) FROM store_hint hint LEFT JOIN store_document doc USING (ref)
         WHERE NOT COALESCE(
                   (doc.note IN ('absent', 'source_unseen')
                    OR doc.state IN ('held', 'ask', 'refused', 'drifted'))
                   AND hint.attempts = 0 AND hint.due_at > now() + %(ahead)s::interval, false))
     + (SELECT count(*) FROM store_feed
         WHERE kind = 'requisitions' AND (read_at IS NULL OR read_at < told.since))
     + (SELECT count(*) FROM store_organisation
         WHERE bills_read_at IS NULL OR bills_read_at < told.since)
  FROM told
"""
"""What is not settled yet: all but documents that are looked at again later because they may have
been deleted, or because what keeps them may be mended outside."""


@dataclass(frozen=True, slots=True)
class Taking:
    """One change of a lease: taken by the process of that name, or let go (`owner` None)."""

    at: float
    tenant: str
    fence: int
    owner: int | None
    name: str


@dataclass(frozen=True, slots=True)
class Outage:
    began: float
    ended: float
    how: str


class Database:
    """The embedded server of the installation."""

    def __init__(self, server: EmbeddedPostgres, rng: random.Random) -> None:
        self.server = server
        self.outages: list[Outage] = []
        self._rng = rng
        self._down: tuple[float, float, str] | None = None  # since, until, how

    @contextlib.contextmanager
    def asked(self) -> Iterator[psycopg.Connection[Any]]:
        """A connection of our own. Raises OperationalError while the server is away."""
        with psycopg.connect(self.server.ensure(), connect_timeout=5) as connection:
            yield connection

    def watch(self) -> None:
        """From now on every change of a lease is noted, with the database's own clock."""
        with self.asked() as connection:
            connection.execute(_WATCH)

    # --- blows --------------------------------------------------------------------------------

    @property
    def is_down(self) -> bool:
        return self._down is not None

    def strike(self) -> None:
        """Take the server away, for up to some seconds."""
        pid = self.server.status().pid
        if self.is_down or pid is None:
            return
        how = self._rng.choice(BLOWS)
        began = time.time()
        with suppress(ProcessLookupError):
            if how == "immediate":
                os.kill(pid, signal.SIGQUIT)
            elif how == "fast":
                os.kill(pid, signal.SIGINT)
            elif how == "postmaster":
                os.kill(pid, signal.SIGKILL)
            elif how == "killed":
                kill_all(self.server)
            else:
                os.kill(self._rng.choice(family(pid)[1:]), signal.SIGKILL)
        self._down = (began, began + self._rng.uniform(0, 5), how)

    def tend(self, now: bool = False) -> None:
        """Bring the server back when its time has come, unless a process of OneCore's did."""
        if self._down is None:
            return
        began, until, how = self._down
        if now or time.time() >= until:
            self.server.ensure()
            self._down = None
            self.outages.append(Outage(began, time.time(), how))

    @property
    def blows(self) -> Counter[str]:
        return Counter(outage.how for outage in self.outages)

    # --- questions ----------------------------------------------------------------------------

    def takings(self) -> list[Taking]:
        """Every change of a lease, in order."""
        with self.asked() as connection:
            rows = connection.execute(
                "SELECT extract(epoch FROM at)::float8, tenant::text, fence, owner, name"
                " FROM chaos_lease ORDER BY tenant, fence, at"
            )
            return [Taking(*row) for row in rows]

    def at_rest(self, ahead: float, since: float) -> bool:
        """Whether nothing is due or in doubt, and everything was read since that instant."""
        with self.asked() as connection:
            row = connection.execute(_UNREST, {"ahead": f"{ahead} seconds", "since": since})
            found = row.fetchone()
            return found is not None and found[0] == 0

    def has_lost_access(self) -> bool:
        """Whether a person has to connect something again."""
        with self.asked() as connection:
            row = connection.execute("SELECT count(*) FROM store_grant WHERE broken <> ''")
            found = row.fetchone()
            return found is not None and found[0] > 0

    def states(self) -> dict[str, tuple[str, str]]:
        """State and note of every document, by ref."""
        with self.asked() as connection:
            rows = connection.execute("SELECT ref, state, note FROM store_document")
            return {ref: (state, note) for ref, state, note in rows}
