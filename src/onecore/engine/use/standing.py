"""How a workspace's connections and webhooks stand, what will end them, and how to mend it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec

from onecore.domain.chart import Organisation as OrganisationFacts
from onecore.domain.ids import WorkspaceId
from onecore.engine import config, grants
from onecore.engine.service import Service
from onecore.engine.use import workspaces
from onecore.engine.use.workspaces import Connected
from onecore.store.models import Grant, Hook, Organisation, ReferenceList
from onecore.store.secrets import SecretUnreadable
from onecore.sync.expiry import Foretold, Standing, Weight, foretold
from onecore.sync.hooking import can_ring


def connections(service: Service, workspace: WorkspaceId) -> tuple[Connected, ...]:
    """Every connection with what is foretold of it; no remote is asked."""
    seen = workspaces.show(workspace)
    document = config.read(workspaces.newest_config(workspace).text)
    in_use = not seen.paused and document.base.bill.mode.value != "off"
    rows = Grant.objects.select_related("workspace").in_bulk([c.grant for c in seen.connections])
    return tuple(
        replace(one, foretold=_foretold(service, workspace, one, rows[one.grant], in_use))
        for one in seen.connections
    )


def soon(seen: Sequence[Connected]) -> list[tuple[Connected, Foretold]]:
    """What a person has to do something about before it happens."""
    return [(one, told) for one in seen for told in one.foretold if told.weight is Weight.SOON]


@dataclass(frozen=True, slots=True)
class Needing:
    """One connection that needs a person, and what to do about it."""

    remote: str
    label: str
    text: str
    is_broken: bool


def needing(seen: Sequence[Connected]) -> list[Needing]:
    """What is broken, then what will be: nothing goes over without them."""
    found = [Needing(one.remote, one.label, one.broken, True) for one in seen if one.broken]
    return found + [
        Needing(one.remote, one.label, f"{told.why} {told.todo}", False) for one, told in soon(seen)
    ]


def _foretold(
    service: Service, workspace: WorkspaceId, one: Connected, grant: Grant, in_use: bool
) -> tuple[Foretold, ...]:
    is_xero = one.remote == "xero"
    wanted = service.remotes.xero_scopes(grant.kind) if is_xero else ()
    # A refresh token is what `offline_access` gives; token endpoints do not repeat it in `scope`.
    wanted = tuple(scope for scope in wanted if scope != "offline_access")
    standing = Standing(
        remote=one.remote,
        kind=grant.kind,
        label=one.label,
        again=grants.again(grant),
        broken=bool(one.broken),
        renewed_at=grant.renewed_at,
        ends_at=grant.access_expires_at,
        in_use=in_use,
        scopes=frozenset(grant.scopes.split()),
        wanted=frozenset(wanted),
        is_demo=is_xero and _is_demo(service, workspace, one.id),
        api_url=service.settings.xero_api_url if is_xero else service.settings.procore_api_url,
    )
    return foretold(standing, service.clock.now())


def _is_demo(service: Service, workspace: WorkspaceId, organisation: str) -> bool:
    """As the organisation said of itself when it was read last."""
    scope = f"organisation:{organisation}"
    row = ReferenceList.objects.filter(
        workspace_id=workspace, scope=scope, kind="organisation"
    ).first()
    if row is None:
        return False
    try:
        text = service.vault.open(row.payload, f"references:{workspace}:{scope}:organisation")
        return msgspec.json.decode(text, type=OrganisationFacts).is_demo
    except (SecretUnreadable, msgspec.ValidationError):
        return False


# --- webhooks ----------------------------------------------------------------------------------

_REFUSED = (
    "An admin of the company gives the OneCore app the permission Standard on Webhooks in "
    "Procore; it is tried again every six hours. Until then polling does without."
)
_MEND = {
    "http_403": ("Procore does not let OneCore have it", _REFUSED),
    "http_404": (
        "Procore does not show the project",
        "See that the project is among the app's permitted projects.",
    ),
    "declined": (
        "Procore declined a part of what it should tell",
        "Nothing has to be done: what it does not tell is found by polling.",
    ),
}


@dataclass(frozen=True, slots=True)
class HookSeen:
    """One of Procore's webhooks of ours. `state`: works, new, trouble."""

    project: int | None  # None: the company's
    state: str
    why: str
    todo: str
    checked_at: datetime | None
    rung_at: datetime | None


@dataclass(frozen=True, slots=True)
class XeroBell:
    """Whether Xero's webhook of one organisation was ever heard."""

    label: str
    rung_at: datetime | None


@dataclass(frozen=True, slots=True)
class Listening:
    """The webhooks of a workspace. `reachable`: Procore can reach the base address."""

    reachable: bool
    base_url: str
    hooks: tuple[HookSeen, ...]
    has_xero_key: bool
    xero: tuple[XeroBell, ...]

    @property
    def troubles(self) -> tuple[HookSeen, ...]:
        return tuple(hook for hook in self.hooks if hook.state == "trouble")

    @property
    def working(self) -> int:
        return sum(hook.state == "works" for hook in self.hooks)

    @property
    def rung_at(self) -> datetime | None:
        """When any of Procore's was heard last."""
        return max((hook.rung_at for hook in self.hooks if hook.rung_at), default=None)


def listening(service: Service, workspace: WorkspaceId) -> Listening:
    """How the webhooks stand, as they were seen last; no remote is asked."""
    settings = service.settings
    rows = Hook.objects.filter(workspace_id=workspace)
    hooks = sorted((_hook(row) for row in rows), key=lambda hook: hook.project or 0)
    joined = Organisation.objects.filter(workspaceorganisation__workspace_id=workspace)
    return Listening(
        reachable=can_ring(settings.base_url, settings.procore_api_url),
        base_url=settings.base_url,
        hooks=tuple(hooks),
        has_xero_key=bool(settings.xero_webhook_keys),
        xero=tuple(XeroBell(row.name, row.rung_at) for row in joined.order_by("name")),
    )


def _hook(row: Hook) -> HookSeen:
    state = "trouble" if row.trouble else "works" if row.address else "new"
    why, todo = "", ""
    if row.trouble:
        fallback = (f"Procore refused it ({row.trouble.replace('_', ' ').upper()})", _REFUSED)
        why, todo = _MEND.get(row.trouble, fallback)
    return HookSeen(row.project_id, state, why, todo, row.checked_at, row.rung_at)


def look_again(workspace: WorkspaceId) -> None:
    """Have every webhook of a workspace looked at within the next half minute."""
    Hook.objects.filter(workspace_id=workspace).update(checked_at=None)
