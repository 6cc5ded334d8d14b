"""Connecting a workspace to Procore and to Xero."""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.cache import cache

from onecore.domain.ids import CompanyId, OrganisationId, WorkspaceId
from onecore.domain.settings import OrganisationRow
from onecore.engine import calls, config, db
from onecore.engine.grants import new_grant
from onecore.engine.service import Service
from onecore.engine.use import configuring
from onecore.engine.use.errors import NeedsPerson, OutOfReach, UseError
from onecore.ports import AccessLost, Connection, Lane, NotVisible, Remote, RemoteError
from onecore.store import audit, hints
from onecore.store.models import Grant, Organisation, Workspace, WorkspaceOrganisation

CONSENT_LIFE = timedelta(minutes=30)
CALLBACK = "/connect/xero/callback"


@dataclass(frozen=True, slots=True)
class Consent:
    """Where a person allows OneCore into Xero; `state` names this attempt."""

    url: str
    state: str


async def connect_procore(service: Service, workspace: WorkspaceId, company_id: int,
                          actor: str) -> str:  # fmt: skip
    """Connect by the app's client credentials; the company's name.

    Raises UseError (no credentials set, unknown company), OutOfReach, NeedsPerson (wrong secret,
    app not installed in the company).
    """
    settings = service.settings
    if not settings.procore_client_id or not settings.procore_client_secret:
        raise UseError(
            "Set ONECORE_PROCORE_CLIENT_ID and ONECORE_PROCORE_CLIENT_SECRET, then try again."
        )
    try:
        fresh = await service.remotes.procore_client_credentials(
            settings.procore_client_id, settings.procore_client_secret
        )
    except AccessLost as lost:
        raise NeedsPerson(
            f"Procore refused the client id or secret ({lost.detail}). Check "
            "ONECORE_PROCORE_CLIENT_ID and ONECORE_PROCORE_CLIENT_SECRET against the developer "
            "portal; sandboxes have their own."
        ) from None
    except RemoteError as trouble:
        raise _unreachable("Procore", settings.procore_login_url, trouble) from None

    def keep() -> int:
        grant = new_grant(
            workspace,
            Remote.PROCORE,
            "client_credentials",
            settings.procore_client_id or "",
            settings.procore_client_secret,
            fresh,
            service.vault,
            service.clock.now(),
        )
        Workspace.objects.filter(pk=workspace).update(company_id=company_id)
        return grant

    grant = await db.commit("procore.granted", keep)
    app = calls.of_app(Remote.PROCORE, settings.procore_client_id or "")
    client = service.remotes.procore(
        CompanyId(company_id),
        service.contexts.tokens(grant),
        service.contexts.calls.of(app, workspace),
        app.scope,
    ).in_lane(Lane.PERSON)
    try:
        company = await client.company()
        projects = await client.projects()
    except (NotVisible, AccessLost) as hidden:
        raise NeedsPerson(
            f"Company {company_id} is not visible to this app ({hidden.detail}). Check the number, "
            "and that the app is installed in that company with permitted projects."
        ) from None
    except RemoteError as trouble:
        raise _unreachable("Procore", settings.procore_api_url, trouble) from None

    def name_it() -> None:
        Workspace.objects.filter(pk=workspace).update(
            company_name=company.name, web_base_url=company.web_base_url
        )
        audit.record(
            workspace,
            service.clock.now(),
            actor,
            "procore.connected",
            str(company_id),
            projects=len(projects),
        )

    await db.commit("procore.connected", name_it)
    return company.name


def _unreachable(name: str, url: str, trouble: RemoteError) -> OutOfReach:
    return OutOfReach(
        f"{name} at {url} did not answer as expected ({type(trouble).__name__}). Nothing was "
        "changed; check the address and try again."
    )


def begin_xero(service: Service, workspace: WorkspaceId, actor: str,
               tenant: UUID | None = None) -> Consent:  # fmt: skip
    """A consent address, good for half an hour. Raises UseError without a client id."""
    client_id = service.settings.xero_client_id
    if not client_id:
        raise UseError(
            "Set ONECORE_XERO_CLIENT_ID (and ONECORE_XERO_CLIENT_SECRET for a web app), "
            f"and register {service.settings.base_url}{CALLBACK} as its redirect address."
        )
    state, verifier = secrets.token_urlsafe(24), service.remotes.new_verifier()
    kept = {
        "workspace": int(workspace),
        "verifier": service.vault.seal(verifier, f"consent:{state}").hex(),
        "actor": actor,
        "tenant": str(tenant) if tenant else "",
    }
    with db.committing("consent.kept"):
        cache.set(f"xero-consent:{state}", kept, int(CONSENT_LIFE.total_seconds()))
    redirect = f"{service.settings.base_url}{CALLBACK}"
    return Consent(service.remotes.xero_authorize_url(client_id, redirect, state, verifier), state)


async def finish_xero(service: Service, state: str, code: str) -> tuple[WorkspaceId, list[str]]:
    """Exchange the code of a consent; the workspace and the names of organisations connected.

    Raises UseError for a consent nobody began or that was used, NeedsPerson, OutOfReach.
    """
    kept = await db.commit("consent.taken", _take_consent, state)
    workspace = WorkspaceId(kept["workspace"])
    verifier = service.vault.open(bytes.fromhex(kept["verifier"]), f"consent:{state}")
    settings = service.settings
    redirect = f"{settings.base_url}{CALLBACK}"
    try:
        fresh = await service.remotes.xero_code(
            settings.xero_client_id or "", settings.xero_client_secret, code, redirect, verifier
        )
    except AccessLost as lost:
        raise NeedsPerson(
            f"Xero refused the consent ({lost.detail}). Begin again from the connect page, and "
            "check ONECORE_XERO_CLIENT_SECRET."
        ) from None
    except RemoteError as trouble:
        raise _unreachable("Xero", settings.xero_identity_url, trouble) from None
    grant = await db.commit(
        "xero.granted",
        new_grant,
        workspace,
        Remote.XERO,
        "authorization_code",
        settings.xero_client_id or "",
        settings.xero_client_secret,
        fresh,
        service.vault,
        service.clock.now(),
    )
    wanted = UUID(kept["tenant"]) if kept["tenant"] else None
    joined = await _join_all(service, workspace, grant, wanted, custom=False, actor=kept["actor"])
    return workspace, joined


def _take_consent(state: str) -> dict[str, Any]:
    kept = cache.get(f"xero-consent:{state}")
    cache.delete(f"xero-consent:{state}")
    if kept is None:
        raise UseError("This consent was used already or is too old. Begin again: connect Xero.")
    return dict(kept)


async def connect_xero_custom(
    service: Service, workspace: WorkspaceId, client_id: str, client_secret: str, actor: str
) -> list[str]:
    """Connect one organisation by a custom connection's own credentials; its name.

    Raises NeedsPerson for a wrong secret or a connection not yet approved, OutOfReach.
    """
    try:
        fresh = await service.remotes.xero_client_credentials(client_id, client_secret)
    except AccessLost as lost:
        raise NeedsPerson(
            f"Xero refused the custom connection ({lost.detail}). Check its client id and secret, "
            "and that its authorising user has approved it."
        ) from None
    except RemoteError as trouble:
        raise _unreachable("Xero", service.settings.xero_identity_url, trouble) from None
    grant = await db.commit(
        "xero.granted",
        new_grant,
        workspace,
        Remote.XERO,
        "client_credentials",
        client_id,
        client_secret,
        fresh,
        service.vault,
        service.clock.now(),
    )
    return await _join_all(service, workspace, grant, None, custom=True, actor=actor)


async def _join_all(
    service: Service,
    workspace: WorkspaceId,
    grant: int,
    wanted: UUID | None,
    custom: bool,
    actor: str,
) -> list[str]:
    """Join the organisations a grant reaches (or only the one wanted) to the workspace."""
    row = await db.run(Grant.objects.get, pk=grant)
    log = service.contexts.calls.of(calls.of_app(Remote.XERO, row.client_id), workspace)
    try:
        found = await service.remotes.connections(service.contexts.tokens(grant), log)
    except AccessLost as lost:
        raise NeedsPerson(f"Xero refused access ({lost.detail}). Connect again.") from None
    except RemoteError as trouble:
        raise _unreachable("Xero", service.settings.xero_api_url, trouble) from None
    chosen = [c for c in found if wanted is None or c.organisation == wanted]
    if not chosen:
        raise NeedsPerson(
            "This consent reaches no organisation"
            + (f" {wanted}" if wanted else "")
            + ". Connect again and choose the organisation on Xero's page."
        )
    await db.commit("xero.joined", _join, service, workspace, grant, chosen, custom, actor)
    return [connection.name for connection in chosen]


def _join(
    service: Service,
    workspace: WorkspaceId,
    grant: int,
    chosen: list[Connection],
    custom: bool,
    actor: str,
) -> None:
    now = service.clock.now()
    configuring.hold(workspace)
    for connection in sorted(chosen, key=lambda one: str(one.organisation)):
        Organisation.objects.update_or_create(
            tenant=connection.organisation, defaults={"name": connection.name}
        )
        WorkspaceOrganisation.objects.update_or_create(
            workspace_id=workspace,
            organisation_id=connection.organisation,
            defaults={"grant_id": grant, "connection_id": connection.id, "custom": custom},
        )
        audit.record(workspace, now, actor, "xero.connected", str(connection.organisation))
        hints.wake(connection.organisation, now)
    document = config.read(configuring.export(workspace))
    listed = {row.id for row in document.organisations}
    ids = [connection.organisation for connection in chosen]
    if not set(ids) <= listed:
        every = [*(row.id for row in document.organisations), *(x for x in ids if x not in listed)]
        default = next((row.id for row in document.organisations if row.default), every[0])
        configuring.edit(
            service,
            workspace,
            lambda text: _with_organisations(text, every, default),
            actor,
            "organisation connected",
        )


def _with_organisations(text: str, ids: list[OrganisationId], default: OrganisationId) -> str:
    return config.set_organisations(text, [OrganisationRow(x, x == default) for x in ids])
