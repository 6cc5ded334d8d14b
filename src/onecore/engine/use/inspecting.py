"""What the doctor asks of the database: its version, its tables, its secrets, its connections."""

from datetime import timedelta

from django.db import connection

from onecore.domain.ids import WorkspaceId
from onecore.engine.pace import CLAIMS
from onecore.engine.service import Service
from onecore.engine.use import budgets, budgets_told, standing, upgrading, workspaces
from onecore.engine.use.doctoring import Check
from onecore.store import sealed
from onecore.store.models import Feed, Workspace
from onecore.store.secrets import SecretUnreadable


def database(service: Service, oldest: int) -> list[Check]:
    """Checks of a database that answers; raises what the driver raises when it does not."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        row = cursor.fetchone()
    version = str(row[0]) if row else "?"
    major = int(version.split(".")[0]) if version.split(".")[0].isdigit() else 0
    told = f"PostgreSQL {version}"
    if major < oldest:
        step = f"Move to PostgreSQL {oldest} or newer."
        return [Check("database", False, f"{told} is too old", step)]
    found = [Check("database", True, told)]
    waiting = upgrading.pending()
    if waiting:
        step = "Run: onecore migrate"
        found.append(Check("migrations", False, f"{len(waiting)} not applied", step))
        return found
    found.append(Check("migrations", True, "all applied"))
    found.append(_secrets(service))
    for pk, name in workspaces.names():
        found += [_workspace(service, pk, name), _webhooks(service, pk, name)]
        found += _calls(service, pk, name)
    return found


def _calls(service: Service, workspace: WorkspaceId, label: str) -> list[Check]:
    """A check for each allowance whose day is used up."""
    now = service.clock.now()
    step = (
        "Nothing is lost and nothing has to be done. If it happens again, see what uses them: "
        f"onecore budget -w {label!r}; an app of Xero's higher tiers has 5,000 calls a day."
    )
    return [
        Check(f"calls of {label}", False, budgets_told.used_up(one, now), step)
        for one in budgets.exhausted(service, workspace)
    ]


def _secrets(service: Service) -> Check:
    """Whether what is sealed opens with the key there is."""
    row = Workspace.objects.order_by("pk").first()
    if row is None:
        return Check("stored secrets", True, "none yet")
    try:
        service.vault.digest(row.digest_key, f"workspace:{row.pk}")
    except SecretUnreadable as unreadable:
        step = "Bring back the secret key the database was used with, or connect everything again."
        return Check("stored secrets", False, str(unreadable), step)
    waiting = sealed.outdated(service.vault.keyring)
    if waiting:
        step = "Run: onecore secrets rotate; then the old key can be dropped."
        return Check("stored secrets", False, f"{waiting} are not sealed with the first key", step)
    return Check("stored secrets", True, "open with this key")


def _workspace(service: Service, workspace: WorkspaceId, label: str) -> Check:
    seen = workspaces.show(workspace)
    name = f"workspace {label}"
    broken = [f"{one.label}: {one.broken}" for one in seen.connections if one.broken]
    if broken:
        return Check(name, False, "; ".join(broken), "Connect it again: onecore connect")
    lacking = [r for r in ("procore", "xero") if r not in {c.remote for c in seen.connections}]
    if lacking:
        detail = f"not connected to {' and '.join(x.title() for x in lacking)}"
        step = " and ".join(f"onecore connect {x} -w {label!r}" for x in lacking)
        return Check(name, False, detail, f"Run: {step}")
    if to_come := standing.soon(standing.connections(service, workspace)):
        detail = " ".join(told.why for _, told in to_come)
        return Check(name, False, detail, " ".join(told.todo for _, told in to_come))
    if seen.trouble:
        step = f"See: onecore preflight -w {label!r}"
        return Check(name, False, "; ".join(seen.trouble), step)
    told = ", ".join(one.label for one in seen.connections)
    paced = "" if seen.paused else looked_at(workspace)
    return Check(name, True, f"{told}{' (paused)' if seen.paused else ''}{paced}")


def looked_at(workspace: WorkspaceId) -> str:
    """How often the workspace's projects are looked at now, in words; "" before the first look."""
    feeds = Feed.objects.filter(workspace_id=workspace, kind=CLAIMS, trouble="")
    waits = [row.next_due_at - row.read_at for row in feeds if row.read_at is not None]
    if not waits:
        return ""
    shortest, longest = _rounded(min(waits)), _rounded(max(waits))
    how_often = shortest if shortest == longest else f"{shortest} to {longest}"
    return f"; {len(waits)} project{'s' * (len(waits) > 1)} looked at every {how_often}"


def _rounded(wait: timedelta) -> str:
    seconds = max(1, round(wait.total_seconds()))
    return f"{seconds} s" if seconds < 120 else f"{round(seconds / 60)} min"


def _webhooks(service: Service, workspace: WorkspaceId, label: str) -> Check:
    """Doorbells: without them all arrives somewhat later, so only what can be mended is a fault."""
    seen = standing.listening(service, workspace)
    name = f"webhooks of {label}"
    if seen.troubles:
        places = ", ".join(
            f"project {x.project}" if x.project else "company" for x in seen.troubles
        )
        first = seen.troubles[0]
        return Check(name, False, f"{first.why} ({places})", first.todo)
    if not seen.reachable:
        procore = f"Procore cannot ring at {seen.base_url}, polling does without"
    elif seen.hooks:
        heard = f", heard {seen.rung_at:%Y-%m-%d %H:%M} UTC" if seen.rung_at else ""
        procore = f"Procore: {seen.working} of {len(seen.hooks)} work{heard}"
    else:
        procore = "Procore: none yet"
    rung = [bell.rung_at for bell in seen.xero if bell.rung_at is not None]
    if not seen.has_xero_key:
        xero = "Xero: no ONECORE_XERO_WEBHOOK_KEY, sweeps do without"
    else:
        xero = f"Xero: heard {max(rung):%Y-%m-%d %H:%M} UTC" if rung else "Xero: not heard yet"
    return Check(name, True, f"{procore}; {xero}")
