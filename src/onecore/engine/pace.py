"""How often lists are looked at: the rules of `onecore.sync.polling` over what the rows know.

Procore counts calls by app, so all lists of an app share a price, whichever workspace they are
of, and all its processes share one purse.
"""

from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from django.db import transaction
from django.db.models import QuerySet, Value
from django.db.models.functions import Greatest

from onecore.domain.ids import OrganisationId, WorkspaceId
from onecore.domain.translate.dates import DEFAULT_ZONE, zone_named
from onecore.engine.calendars import business_day, region_of
from onecore.engine.calls import Accounts
from onecore.ports import Clock, Remote
from onecore.store.allowances import Key
from onecore.store.models import Feed, Grant, Habit, LookPurse
from onecore.sync import polling
from onecore.sync.habits import HOUR, Calendar, Habits
from onecore.sync.polling import Look, Price, Purse, Watch

CLAIMS, WALK = "requisitions", "requisitions_walk"
WALK_EVERY = timedelta(hours=20)
MOST_AN_HOUR = 7200
"""Looks where Procore names no limit."""
PRICED_FOR = timedelta(minutes=1)
PER_LIST = timedelta(seconds=0.1)
"""How long a price holds, and how much longer for each list it is reckoned from."""


@dataclass(frozen=True, slots=True)
class Tempo:
    """The bounds of any wait in seconds, and the part of the looks that quiet lists may take."""

    shortest: float = polling.SHORTEST
    longest: float = polling.LONGEST
    for_the_quiet: float = polling.FOR_THE_QUIET


USUAL_TEMPO = Tempo()


def tempo_of(shortest: float | None, longest: float | None) -> Tempo:
    """The tempo as it is set; who sets the longest wait may have all looks for it."""
    usual = USUAL_TEMPO
    quick = usual.shortest if shortest is None else shortest
    if longest is None:
        return Tempo(quick, max(usual.longest, quick))
    return Tempo(quick, max(longest, quick), for_the_quiet=1.0)


@dataclass(frozen=True, slots=True)
class Pace:
    """What a look costs, how many an hour there are, and how a workspace's people work."""

    price: Price
    per_hour: float
    habits: Habits


class Paces:
    """The paces of one process; a price is reckoned about once a minute."""

    def __init__(self, clock: Clock, calls: Accounts, tempo: Tempo) -> None:
        self._clock = clock
        self._calls = calls
        self._tempo = tempo
        self._priced: dict[Key, tuple[datetime, datetime, Price, float]] = {}

    def of(self, app: Key, workspace: WorkspaceId) -> Pace:
        """A database step."""
        now = self._clock.now()
        known = self._priced.get(app)
        if known is None or not known[0] <= now < known[1]:
            known = self._priced[app] = self._price(app, now)
        return Pace(known[2], known[3], habits_of(workspace))

    def _price(self, app: Key, now: datetime) -> tuple[datetime, datetime, Price, float]:
        per_hour = float(min(self._calls.lists_an_hour(app), MOST_AN_HOUR))
        rows = list(_feeds_of(app))
        habits = {row.workspace_id: _habits(row) for row in _habit_rows(rows)}
        rates = [
            polling.rate(watch_of(row), habits.get(row.workspace_id, Habits()), now.timestamp())
            for row in rows
        ]
        walks = len(rows) * HOUR / WALK_EVERY.total_seconds()
        tempo = self._tempo
        price = polling.price(
            rates,
            max(per_hour - walks, per_hour / 2),
            tempo.shortest,
            tempo.longest,
            tempo.for_the_quiet,
        )
        return now, now + max(PRICED_FOR, len(rows) * PER_LIST), price, per_hour


def _feeds_of(app: Key) -> QuerySet[Feed]:
    """The lists of all workspaces of an app that can be read."""
    return Feed.objects.filter(kind=CLAIMS, workspace__in=_workspaces(app)).defer("seen")


def _workspaces(app: Key) -> QuerySet[Grant, int]:
    grants = Grant.objects.filter(remote=Remote.PROCORE.value, client_id=app.app, broken="")
    return grants.filter(workspace__paused=False).values_list("workspace_id", flat=True)


def _habit_rows(rows: Collection[Feed]) -> QuerySet[Habit]:
    return Habit.objects.filter(workspace_id__in={row.workspace_id for row in rows})


# --- what a row knows -------------------------------------------------------------------------


def watch_of(row: Feed) -> Watch:
    """What is known of a row's list."""
    looked_at = row.read_at.timestamp() if row.read_at is not None else None
    since = review_of(row)
    return Watch(
        key=row.pk,
        calendar=_calendar(row.time_zone),
        looked_at=looked_at,
        under_review=len(since),
        pending=polling.pending(since, looked_at or 0.0),
        stirred_until=row.stirred_until.timestamp() if row.stirred_until is not None else 0.0,
        approved_at=row.approved_at.timestamp() if row.approved_at is not None else None,
        seen=row.approvals,
        expected=row.expected,
    )


def review_of(row: Feed) -> tuple[float, ...]:
    """Since when each claim is under review; since the last look where that was not kept."""
    unknown = row.read_at.timestamp() if row.read_at is not None else 0.0
    return tuple(row.review_since.get(str(claim), unknown) for claim in row.in_flight)


def looked(row: Feed, pace: Pace, look: Look) -> datetime:
    """Keep in a row, and in its workspace's habits, what a look brought; when the next one is.

    `row.in_flight` and `row.review_since` are as the look found them, the rest as before it.
    """
    before = watch_of(row)
    now = polling.after(before, pace.habits, look)
    if look.approvals:
        _learn(WorkspaceId(row.workspace_id), before, look)
    row.approvals, row.expected = now.seen, now.expected
    row.approved_at = _instant(now.approved_at) if now.approved_at is not None else None
    row.stirred_until = _instant(now.stirred_until) if now.stirred_until else None
    return _instant(polling.next_look(now, pace.habits, pace.price))


def _instant(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def habits_of(workspace: WorkspaceId) -> Habits:
    row = Habit.objects.filter(workspace_id=workspace).first()
    return Habits() if row is None else _habits(row)


def _habits(row: Habit) -> Habits:
    told = row.counts
    return Habits(
        tuple(told["hours"]), tuple(told["days"]), told["followed"], told["chances"], told["as_of"]
    )


def _learn(workspace: WorkspaceId, before: Watch, look: Look) -> None:
    """Count approvals; within the commit of the look that brought them."""
    row, _ = Habit.objects.select_for_update().get_or_create(
        workspace_id=workspace, defaults={"counts": asdict(Habits())}
    )
    learnt = _habits(row).after(
        look.approvals, before.calendar, before.approved_at, len(look.under_review)
    )
    row.counts = asdict(learnt)
    row.save()


@lru_cache(maxsize=64)
def _calendar(zone: str) -> Calendar:
    """The calendar of an IANA time zone, with the holidays most people in it have."""
    place = zone_named(zone) or zone_named(DEFAULT_ZONE)
    assert place is not None
    return Calendar(place, _workdays(region_of(place.key)))


def _workdays(region: str) -> Callable[[date], bool]:
    return lambda day: business_day(day, region)


def stir(rows: QuerySet[Feed], now: datetime) -> None:
    """Have these lists read now, and more often for a while: somebody works there."""
    until = Greatest("stirred_until", Value(now + timedelta(seconds=polling.STIRRED)))
    rows.update(next_due_at=now, stirred_until=until)


# --- what may be spent ------------------------------------------------------------------------


def take(
    app: Key,
    workspace: WorkspaceId,
    organisation: OrganisationId,
    pace: Pace,
    now: datetime,
    most: int,
) -> list[Feed]:
    """The lists to look at now, at most `most`: those somebody waits for, and of the others those
    that are the latest of the whole app, as far as the purse goes; it is spent.

    Whoever is late but does not come for his looks, such as an organisation whose process hangs,
    keeps nobody else waiting: once the purse is full it is there for all.
    """
    due = Feed.objects.filter(next_due_at__lte=now)
    ours = due.filter(workspace_id=workspace, organisation_id=organisation)
    asked = ours.filter(asked_at__isnull=False)
    taken = list(asked.order_by("next_due_at", "pk")[:most])
    most -= len(taken)
    rest = ours.filter(asked_at__isnull=True)
    if most <= 0 or not rest.exists():
        return taken
    with transaction.atomic():
        row, _ = LookPurse.objects.select_for_update().get_or_create(
            scope=app.scope, defaults={"free_at": now}
        )
        at = now.timestamp()
        # A clock that was set back must not leave the purse empty for long.
        purse = Purse(pace.per_hour, min(row.free_at.timestamp(), at + HOUR))
        looks = purse.there(at)
        if purse.free_at > at:
            everybody = due.filter(asked_at__isnull=True, workspace__in=_workspaces(app))
            first = everybody.order_by("next_due_at", "pk").values_list("pk", flat=True)[:looks]
            rest = rest.filter(pk__in=list(first))
        found = list(rest.order_by("next_due_at", "pk")[: min(looks, most)])
        row.free_at = _instant(purse.spent(len(found), at).free_at)
        row.save()
    return taken + found
