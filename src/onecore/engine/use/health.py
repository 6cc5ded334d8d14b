"""Whether this installation works: database, engine, connections; figures for a monitor."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import Error, connection
from django.db.models import Count, Max, Q, Sum

from onecore.engine.service import Service
from onecore.ports import Remote
from onecore.store.models import (
    CallCount,
    Document,
    Feed,
    Grant,
    Hint,
    Intent,
    Organisation,
    Workspace,
    WorkspaceOrganisation,
)

OVERDUE = timedelta(minutes=2)
"""How long an organisation may be due before somebody must have taken it up."""


@dataclass(frozen=True, slots=True)
class Health:
    """`troubles` name what is wrong; none means well. No content, no names, no secrets."""

    troubles: tuple[str, ...]
    worker_seen_at: datetime | None = None

    @property
    def is_well(self) -> bool:
        return not self.troubles


def health(service: Service) -> Health:
    """Asks the database, and whether the engine keeps up with what is due."""
    try:
        return _asked(service)
    except Error as trouble:
        return Health((f"database: {type(trouble).__name__}",))


def _asked(service: Service) -> Health:
    now = service.clock.now()
    paused = Workspace.objects.filter(paused=True).values("pk")
    late = Organisation.objects.filter(
        Q(until__isnull=True) | Q(until__lt=now),
        next_due_at__lt=now - OVERDUE,
        workspaceorganisation__isnull=False,
    ).exclude(workspaceorganisation__workspace__in=paused)
    troubles: list[str] = []
    oldest = late.order_by("next_due_at").first()
    if oldest is not None and oldest.next_due_at is not None:
        minutes = int((now - oldest.next_due_at).total_seconds() // 60)
        troubles.append(f"engine: work has been due for {minutes} minutes and no worker takes it")
    return Health(tuple(troubles), _worker_seen_at())


def _worker_seen_at() -> datetime | None:
    """The last heartbeat of any worker, where one was ever started."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('procrastinate_workers')")
        row = cursor.fetchone()
        if row is None or row[0] is None:
            return None
        cursor.execute("SELECT max(last_heartbeat) FROM procrastinate_workers")
        found = cursor.fetchone()
    return found[0] if found else None


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value with its labels, for a monitor."""

    name: str
    help: str
    labels: tuple[tuple[str, str], ...]
    value: float


def figures(service: Service) -> list[Figure]:
    """Counts by workspace number and state; no names, no content."""
    now = service.clock.now()
    found = [
        Figure("onecore_up", "The database answers.", (), 1),
        Figure(
            "onecore_engine_well",
            "1 while no work is left lying.",
            (),
            float(health(service).is_well),
        ),
    ]
    for row in Document.objects.values("workspace_id", "state").annotate(n=Count("id")):
        labels = (("workspace", str(row["workspace_id"])), ("state", row["state"]))
        found.append(Figure("onecore_documents", "Documents by state.", labels, row["n"]))
    due = Hint.objects.filter(due_at__lte=now).count()
    found.append(Figure("onecore_hints_due", "Documents to be looked at now.", (), due))
    unsettled = Intent.objects.count()
    found.append(Figure("onecore_writes_unsettled", "Writes of unknown fate.", (), unsettled))
    broken = Grant.objects.exclude(broken="").count()
    broken += WorkspaceOrganisation.objects.exclude(broken="").filter(grant__broken="").count()
    found.append(Figure("onecore_connections_broken", "Connections to mend.", (), broken))
    troubled = Feed.objects.exclude(trouble="").count()
    found.append(Figure("onecore_feeds_troubled", "Projects that cannot be read.", (), troubled))
    read = Feed.objects.aggregate(at=Max("read_at"))["at"]
    if read is not None:
        age = max(0.0, (now - read).total_seconds())
        found.append(Figure("onecore_claims_read_age_seconds", "Since a claim list.", (), age))
    for remote in Remote:
        day = CallCount.objects.filter(hour__gt=now - timedelta(hours=24), remote=remote.value)
        sums = day.aggregate(calls=Sum("calls"), refused=Sum("refused"))
        where = (("remote", remote.value),)
        found.append(Figure("onecore_calls_day", "Calls of a day.", where, sums["calls"] or 0))
        refused = sums["refused"] or 0
        found.append(Figure("onecore_calls_refused_day", "Of them refused.", where, refused))
    return found
