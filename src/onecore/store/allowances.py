"""The rows behind call budgets: one statement reads a row, or writes it unless somebody else did.

A count of calls lost with the database's power is no matter, and callers wait for each other's
commits here, so these statements do not wait for the disk.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection


@dataclass(frozen=True, slots=True)
class Key:
    """One allowance of calls, as a remote counts it: of an app, or of an app in an organisation."""

    remote: str
    app: str
    scope: str  # "app:<client id>", or the organisation's id

    def of_app(self) -> "Key":
        """The allowance of the whole app."""
        return Key(self.remote, self.app, f"app:{self.app}")


@dataclass(frozen=True, slots=True)
class Row:
    """A row as it was found, with the state of its whole app's. Version 0: there is none yet."""

    version: int
    state: str | None
    app_state: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A row's new state, and what of it is asked for by queries."""

    state: str
    figures: Mapping[str, int] | None = None  # None: as they were
    blocked_until: datetime | None = None
    blocked_by: str = ""


@dataclass(frozen=True, slots=True)
class Tally:
    """One call to be counted."""

    workspace: int  # 0: for none in particular
    lane: str
    refused: bool
    at: datetime


_READ = """
SELECT {done}, mine.version, mine.state::text, whole.state::text
  FROM (SELECT set_config('synchronous_commit', 'off', true)) quick
  LEFT JOIN store_limits mine
    ON (mine.remote, mine.app, mine.scope) = (%(remote)s, %(app)s, %(scope)s)
  LEFT JOIN store_limits whole
    ON (whole.remote, whole.app, whole.scope) = (%(remote)s, %(app)s, %(whole)s)
"""
_WRITE = """
done AS (
    UPDATE store_limits
       SET version = version + 1, state = %(state)s::jsonb,
           figures = COALESCE(%(figures)s::jsonb, figures),
           told_at = CASE WHEN %(figures)s::jsonb IS NULL THEN told_at ELSE %(now)s END,
           blocked_until = %(blocked_until)s, blocked_by = %(blocked_by)s
     WHERE (remote, app, scope) = (%(remote)s, %(app)s, %(scope)s) AND version = %(version)s
 RETURNING 1)
"""
_FIRST = """
done AS (
    INSERT INTO store_limits
           (remote, app, scope, version, state, figures, told_at, blocked_until, blocked_by)
    VALUES (%(remote)s, %(app)s, %(scope)s, 1, %(state)s::jsonb,
            COALESCE(%(figures)s::jsonb, '{}'), %(now)s, %(blocked_until)s, %(blocked_by)s)
        ON CONFLICT DO NOTHING
 RETURNING 1)
"""
_COUNT = """
counted AS (
    INSERT INTO store_calls (remote, app, scope, workspace, hour, lane, calls, refused)
    VALUES (%(remote)s, %(app)s, %(scope)s, %(workspace)s, %(hour)s, %(lane)s, 1, %(refused)s)
        ON CONFLICT (hour, remote, app, scope, workspace, lane)
        DO UPDATE SET calls = store_calls.calls + 1, refused = store_calls.refused + %(refused)s)
"""


def read(key: Key) -> Row:
    """The row as it is now."""
    _, row = _ask(_READ.format(done="false"), _names(key))
    return row


def write(
    key: Key, version: int, change: Change, now: datetime, tally: Tally | None
) -> tuple[bool, Row]:
    """Whether the row was still of that version and was written, and the row as it was found.

    What is to be counted is counted in either case.
    """
    figures = None if change.figures is None else json.dumps(dict(change.figures))
    values = {
        **_names(key),
        "version": version,
        "now": now,
        "state": change.state,
        "figures": figures,
        "blocked_until": change.blocked_until,
        "blocked_by": change.blocked_by,
    }
    steps = [_WRITE if version else _FIRST]
    if tally is not None:
        steps.append(_COUNT)
        hour = tally.at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        values |= {
            "workspace": tally.workspace,
            "hour": hour,
            "lane": tally.lane,
            "refused": int(tally.refused),
        }
    sql = "WITH " + ", ".join(steps) + _READ.format(done="EXISTS (SELECT FROM done)")
    return _ask(sql, values)


def _names(key: Key) -> dict[str, Any]:
    whole = key.of_app().scope
    return {"remote": key.remote, "app": key.app, "scope": key.scope, "whole": whole}


def _ask(sql: str, values: Mapping[str, Any]) -> tuple[bool, Row]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        done, version, state, app_state = cursor.fetchone()
    return done, Row(version or 0, state, app_state)
