"""Connecting a workspace to Procore and to Xero."""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.cache import cache

from onecore.domain.ids import CompanyId, WorkspaceId
from onecore.engine import calls, db
from onecore.engine.grants import new_grant
from onecore.engine.remotes import NewTokens
from onecore.engine.service import Service
from onecore.engine.use import configuring, joining
from onecore.engine.use.errors import NeedsPerson, UseError
from onecore.ports import AccessLost, Company, Lane, NotVisible, Remote, RemoteError
from onecore.store import audit, hints
from onecore.store.models import Grant, Hook, Workspace, WorkspaceOrganisation

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
        raise joining.unreachable("Procore", settings.procore_login_url, trouble) from None

    app = calls.of_app(Remote.PROCORE, settings.procore_client_id)
    client = service.remotes.procore(
        CompanyId(company_id),
        joining.JustGiven(Remote.PROCORE, fresh),
        service.contexts.calls.of(app, workspace),
        app.scope,
    ).in_lane(Lane.PERSON)
    try:
        company = await client.company()
        projects = await client.projects()
    except (NotVisible, AccessLost) as hidden:
        raise NeedsPerson(
            f"Company {company_id} is not visible to this app ({hidden.detail}). Check the number, "
            "and that the app is installed in that company with permitted projects. Nothing was "
            "changed."
        ) from None
    except RemoteError as trouble:
        raise joining.unreachable("Procore", settings.procore_api_url, trouble) from None
    facts = {"projects": len(projects)}
    await db.commit("procore.connected", _keep_procore, service, workspace, fresh, company, actor,
                    facts)  # fmt: skip
    return company.name


def _keep_procore(
    service: Service,
    workspace: WorkspaceId,
    fresh: NewTokens,
    company: Company,
    actor: str,
    facts: dict[str, int],
) -> None:
    """One grant for Procore, whatever app it was before; what waited for it is looked at now."""
    now, settings = service.clock.now(), service.settings
    configuring.hold(workspace)
    grants = Grant.objects.filter(workspace_id=workspace, remote=Remote.PROCORE.value)
    before = grants.order_by("-renewed_at").first()
    kept = new_grant(
        workspace,
        Remote.PROCORE,
        "client_credentials",
        settings.procore_client_id or "",
        settings.procore_client_secret,
        fresh,
        service.vault,
        now,
        into=before.pk if before is not None else None,
    )
    grants.exclude(pk=kept).delete()
    Workspace.objects.filter(pk=workspace).update(
        company_id=int(company.id), company_name=company.name, web_base_url=company.web_base_url
    )
    Hook.objects.filter(workspace_id=workspace).update(checked_at=None)
    for one in WorkspaceOrganisation.objects.filter(workspace_id=workspace).order_by("pk"):
        hints.wake(one.organisation_id, now)
    audit.record(workspace, now, actor, "procore.connected", str(company.id), **facts)


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
        raise joining.unreachable("Xero", settings.xero_identity_url, trouble) from None
    wanted = UUID(kept["tenant"]) if kept["tenant"] else None
    given = joining.Given(
        "authorization_code", settings.xero_client_id or "", settings.xero_client_secret, fresh
    )
    return workspace, await joining.join(service, workspace, given, kept["actor"], wanted)


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
        raise joining.unreachable("Xero", service.settings.xero_identity_url, trouble) from None
    given = joining.Given("client_credentials", client_id, client_secret, fresh)
    return await joining.join(service, workspace, given, actor)
