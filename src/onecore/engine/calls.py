"""Every call asked for before it is made and accounted after it, over all processes.

One row per allowance holds what is known of it (`onecore.sync.budget.Usage`). A call takes what
this process saw last, asks the pure rules, and writes the row if nobody else has written it since;
else it begins again from what is there. So no row is locked while this process thinks or is
paused, and a call costs two statements, one before it and one after.
"""

import asyncio
import math
import random
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import msgspec
from django.db.models import Sum

from onecore.crash import reach
from onecore.domain.ids import OrganisationId, WorkspaceId
from onecore.engine import db
from onecore.ports import CallLog, Clock, Lane, LimitKind, Remote, Throttled
from onecore.store import allowances
from onecore.store.allowances import Change, Key, Row, Tally
from onecore.store.models import CallCount, Grant, WorkspaceOrganisation
from onecore.sync import budget as rules
from onecore.sync import pacing
from onecore.sync.budget import Usage, Wait

LONGEST_CALL = timedelta(seconds=75)
"""After this a call has ended, whatever became of its process: a read takes 60 s at most."""
MOMENT = timedelta(seconds=3)
"""A wait up to this long is waited for on the spot; a longer one is told to whoever asked."""
PATIENCE = 6.0
"""Seconds that moments may come to, one after another."""
TRIES = 500
"""How often others may write a row first before something must be wrong."""
APP_MINUTE_WATCHED = rules.XERO_APP_MINUTE.limit // 2
"""Below this what is left of an app's minute is kept for all its organisations to see."""
HOUR = timedelta(hours=1)
KEPT_FOR = timedelta(days=90)
"""How long the counts of calls are kept."""
ABOVE_LISTS = (Lane.PERSON.value, Lane.DOCUMENT.value)
_UNSURE = -1  # a version that no row has: whoever writes on it reads first


def of_app(remote: Remote, app: str) -> Key:
    """The allowance of a whole app."""
    return Key(remote.value, app, f"app:{app}")


def of_organisation(app: str, organisation: OrganisationId) -> Key:
    """The allowance of a Xero app in one organisation [X 2.1]."""
    return Key(Remote.XERO.value, app, str(organisation))


def unused(key: Key) -> Usage:
    """What is known of an allowance before its first call."""
    if key.remote == Remote.PROCORE:
        return rules.of_procore_app()
    return rules.of_xero_app() if key == key.of_app() else rules.of_organisation()


def usage_of(key: Key, state: str | None) -> Usage:
    """The usage a row's state says."""
    fresh = unused(key)
    if state is None:
        return fresh
    return replace(msgspec.json.decode(state, type=Usage), rules=fresh.rules)


def _state_of(usage: Usage) -> str:
    return msgspec.json.encode(replace(usage, rules=())).decode()


@dataclass(frozen=True, slots=True)
class _Seen:
    """An allowance as this process saw it last; version 0 where there was no row."""

    version: int
    usage: Usage


class Accounts:
    """The allowances: asked before a call, told after it. All but `of` are database steps."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._seen: dict[Key, _Seen] = {}

    def of(self, key: Key, workspace: WorkspaceId | None) -> CallLog:
        """The call log of one client, whose calls are counted under `key` for `workspace`."""
        return _Log(self, key, workspace)

    def begin(self, key: Key, lane: Lane, slip: int, workspace: int = 0) -> Wait | None:
        """Begin a call if the limits allow it now; else when they do."""
        seen, is_fresh = self._seen.get(key), False
        for attempt in range(TRIES):
            if seen is None:
                seen, is_fresh = self._take(key, allowances.read(key)), True
            now = self.clock.now()
            wait = self._wait(key, seen.usage, lane, now, workspace)
            if wait is None:
                usage = rules.begun(seen.usage, lane, slip, now + LONGEST_CALL, now, workspace)
                seen, is_fresh = self._write(key, seen, usage), True
                if seen is None:
                    return None
                _step_aside(attempt)
            elif is_fresh:
                return wait
            else:
                seen = None  # what this process saw last may be long ago
        raise Contended(key)

    def _wait(
        self, key: Key, usage: Usage, lane: Lane, now: datetime, workspace: int
    ) -> Wait | None:
        """The longest wait, of the allowance or of its whole app's."""
        found = [rules.wait(usage, lane, now, workspace)]
        whole = self._seen.get(key.of_app())
        if whole is not None and key != key.of_app():
            found.append(rules.wait(whole.usage, lane, now))
        return max((one for one in found if one), key=lambda one: one.until, default=None)

    def end(
        self,
        key: Key,
        slip: int,
        tally: Tally,
        status: int,
        figures: Mapping[str, int],
        refused: Throttled | None,
    ) -> None:
        """A call is over: it is counted, and what its answer told is kept for all."""
        of_whole = refused is not None and refused.kind is LimitKind.APP_MINUTE

        def after(usage: Usage, told_to_wait: Throttled | None) -> Usage:
            usage = rules.over(usage, slip, figures, status != 0, tally.at)
            if told_to_wait is None:
                return usage
            until = tally.at + told_to_wait.wait
            return rules.refused(usage, told_to_wait.kind, until, tally.at)

        mine = None if of_whole else refused
        self._change(key, lambda usage: after(usage, mine), figures, tally)
        is_low = figures.get("app_minute_remaining", APP_MINUTE_WATCHED) < APP_MINUTE_WATCHED
        if key.remote == Remote.XERO and key != key.of_app() and (is_low or of_whole):
            whole = refused if of_whole else None
            self._change(key.of_app(), lambda usage: after(usage, whole))

    def block(self, key: Key, kind: LimitKind, until: datetime) -> None:
        """Nobody calls before `until`; a longer wait stands."""
        now = self.clock.now()
        self._change(key, lambda usage: rules.refused(usage, kind, until, now))

    def usage(self, key: Key) -> Usage:
        """What is known of an allowance now."""
        return self._take(key, allowances.read(key)).usage

    def lists_an_hour(self, key: Key) -> int:
        """How many calls an hour looking for changes may use of a Procore app's allowance, all of
        its workspaces together."""
        now = self.clock.now()
        hour = now.replace(minute=0, second=0, microsecond=0)
        rows = CallCount.objects.filter(
            remote=key.remote, app=key.app, scope=key.scope, hour__gte=hour - HOUR
        )
        above = rows.filter(lane__in=ABOVE_LISTS)
        of_this = above.filter(hour=hour).aggregate(n=Sum("calls"))["n"] or 0
        of_last = above.filter(hour=hour - HOUR).aggregate(n=Sum("calls"))["n"] or 0
        lately = of_this + math.ceil(of_last * (1 - (now - hour) / HOUR))
        return pacing.lists_an_hour(self.usage(key), lately)

    def waits(
        self, keys: Sequence[Key], lane: Lane, workspace: WorkspaceId
    ) -> list[tuple[Key, Wait]]:
        """The allowances that keep a lane of a workspace waiting now."""
        now = self.clock.now()
        found = [(k, self._wait(k, self.usage(k), lane, now, int(workspace))) for k in keys]
        return [(key, wait) for key, wait in found if wait is not None]

    def _change(
        self,
        key: Key,
        change: Callable[[Usage], Usage],
        figures: Mapping[str, int] | None = None,
        tally: Tally | None = None,
    ) -> None:
        seen = self._seen.get(key) or self._take(key, allowances.read(key))
        for attempt in range(TRIES):
            again = self._write(key, seen, change(seen.usage), figures or None, tally)
            if again is None:
                return
            seen, tally = again, None  # it was counted, whoever wrote the row first
            _step_aside(attempt)
        raise Contended(key)

    def _write(
        self,
        key: Key,
        seen: _Seen,
        usage: Usage,
        figures: Mapping[str, int] | None = None,
        tally: Tally | None = None,
    ) -> _Seen | None:
        """None when the row was written, else the row as somebody else wrote it."""
        now = self.clock.now()
        until, kind = rules.shut_until(usage, now) or (None, "")
        change = Change(_state_of(usage), figures, until, str(kind))
        done, row = allowances.write(key, seen.version, change, now, tally)
        reach("allowance.written")
        if not done:
            return self._take(key, row)
        self._seen[key] = _Seen(seen.version + 1, usage)
        self._take_app(key, row)
        return None

    def _take(self, key: Key, row: Row) -> _Seen:
        """Remember a row that was read."""
        seen = self._seen[key] = _Seen(row.version, usage_of(key, row.state))
        self._take_app(key, row)
        return seen

    def _take_app(self, key: Key, row: Row) -> None:
        whole = key.of_app()
        if key != whole and row.app_state is not None:
            self._seen[whole] = _Seen(_UNSURE, usage_of(whole, row.app_state))


class Contended(Exception):
    """A row was written by others again and again; something must be wrong."""

    def __init__(self, key: Key) -> None:
        super().__init__(f"the {key.remote} allowance of {key.scope} is written without a pause")


def _step_aside(attempt: int) -> None:
    """After a row was written by another, let the others through."""
    time.sleep(random.uniform(0, min(0.02, 0.001 * (attempt + 1))))


class _Log:
    """`ports.CallLog` of one client."""

    def __init__(self, accounts: Accounts, key: Key, workspace: WorkspaceId | None) -> None:
        self._accounts = accounts
        self._key = key
        self._workspace = int(workspace or 0)

    async def before(self, remote: Remote, scope: str, lane: Lane) -> int:
        """A number for `after`. A moment is waited for here, without a database connection;
        raises Throttled where it would be longer."""
        slip = secrets.randbits(48)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + PATIENCE
        while True:
            wait = await db.run(self._accounts.begin, self._key, lane, slip, self._workspace)
            if wait is None:
                return slip
            left = max(wait.until - self._accounts.clock.now(), timedelta(0))
            if left > MOMENT or loop.time() + left.total_seconds() > deadline:
                lanes = None if wait.everyone else lane
                raise Throttled(remote, "budget", wait.kind, left, lanes)
            await asyncio.sleep(left.total_seconds() + random.uniform(0.01, 0.1))

    async def after(
        self,
        slip: int,
        remote: Remote,
        scope: str,
        lane: Lane,
        operation: str,
        status: int,
        limits: Mapping[str, int],
        refused: Throttled | None = None,
    ) -> None:
        now = self._accounts.clock.now()
        tally = Tally(self._workspace, lane.value, refused is not None, now)
        await db.run(self._accounts.end, self._key, slip, tally, status, limits, refused)


# --- looking ----------------------------------------------------------------------------------


def keys_of(workspace: WorkspaceId) -> list[Key]:
    """The allowances that a workspace's calls are counted under."""
    apps = Grant.objects.filter(workspace_id=workspace, remote=Remote.PROCORE.value)
    joined = WorkspaceOrganisation.objects.filter(workspace_id=workspace).select_related("grant")
    found = [of_app(Remote.PROCORE, row.client_id) for row in apps.order_by("pk")]
    found += [
        of_organisation(row.grant.client_id, OrganisationId(row.organisation_id))
        for row in joined.order_by("pk")
    ]
    return list(dict.fromkeys(found))


def prune(now: datetime) -> int:
    """Forget counts that no forecast and no page looks at any more; how many there were."""
    gone, _ = CallCount.objects.filter(hour__lt=now - KEPT_FOR).delete()
    return gone
