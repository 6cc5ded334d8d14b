"""What the doctor asks of the database: its version, its tables, its secrets, its connections."""

from django.db import connection

from onecore.domain.ids import WorkspaceId
from onecore.engine.service import Service
from onecore.engine.use import upgrading, workspaces
from onecore.engine.use.doctoring import Check
from onecore.store import sealed
from onecore.store.models import Workspace
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
        found.append(_workspace(pk, name))
    return found


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


def _workspace(workspace: WorkspaceId, label: str) -> Check:
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
    if seen.trouble:
        step = f"See: onecore preflight -w {label!r}"
        return Check(name, False, "; ".join(seen.trouble), step)
    told = ", ".join(one.label for one in seen.connections)
    return Check(name, True, f"{told}{' (paused)' if seen.paused else ''}")
