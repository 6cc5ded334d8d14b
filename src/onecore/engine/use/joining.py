"""Joining the organisations that a person just allowed, without touching what others allowed."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from math import ceil
from uuid import UUID

from onecore.domain.ids import OrganisationId, WorkspaceId
from onecore.domain.settings import OrganisationRow
from onecore.engine import calls, config, db
from onecore.engine.grants import new_grant
from onecore.engine.remotes import NewTokens
from onecore.engine.service import Service
from onecore.engine.use import configuring
from onecore.engine.use.errors import NeedsPerson, OutOfReach
from onecore.ports import AccessLost, Connection, Remote, RemoteError, Throttled, Token
from onecore.store import audit, hints
from onecore.store.models import Grant, Organisation, WorkspaceOrganisation


@dataclass(frozen=True, slots=True)
class Given:
    """Tokens that Xero gave just now, and the app they were given to."""

    kind: str  # authorization_code | client_credentials
    client_id: str
    client_secret: str | None = field(repr=False)
    fresh: NewTokens

    @property
    def custom(self) -> bool:
        return self.kind == "client_credentials"


class JustGiven:
    """`ports.Tokens` of what a token endpoint gave just now, before any of it is kept."""

    def __init__(self, remote: Remote, fresh: NewTokens) -> None:
        self._remote = remote
        self._token = Token(fresh.access, fresh.expires_at, 0)

    async def current(self) -> Token:
        return self._token

    async def renew(self, stale: Token) -> Token:
        raise AccessLost(self._remote, "token", "refused although it was just given")


def unreachable(name: str, url: str, trouble: RemoteError) -> OutOfReach:
    if isinstance(trouble, Throttled):
        seconds = ceil(trouble.wait.total_seconds())
        return OutOfReach(f"{name} takes no more requests just now. Try again in {seconds} s.")
    return OutOfReach(
        f"{name} at {url} did not answer as expected ({trouble.detail}). Nothing was changed; "
        "check the address and try again."
    )


async def join(
    service: Service,
    workspace: WorkspaceId,
    given: Given,
    actor: str,
    wanted: UUID | None = None,
) -> list[str]:
    """Join the organisations of this consent (or only the one wanted); their names.

    What it reaches is asked first, so that nothing is changed where it reaches nothing. Raises
    NeedsPerson, OutOfReach.
    """
    log = service.contexts.calls.of(calls.of_app(Remote.XERO, given.client_id), workspace)
    try:
        found = await service.remotes.connections(JustGiven(Remote.XERO, given.fresh), log)
    except AccessLost as lost:
        raise NeedsPerson(f"Xero refused access ({lost.detail}). Connect again.") from None
    except RemoteError as trouble:
        raise unreachable("Xero", service.settings.xero_api_url, trouble) from None
    joined = await db.run(_joined, workspace)
    chosen = chosen_of(found, joined, wanted)
    if not chosen:
        raise NeedsPerson(
            "This consent reaches no organisation"
            + (f" {wanted}" if wanted else "")
            + ". Connect again and choose the organisation on Xero's page. Nothing was changed."
        )
    await db.commit("xero.joined", _join, service, workspace, given, found, chosen, actor)
    return [connection.name for connection in chosen]


def chosen_of(
    found: Sequence[Connection], joined: Collection[UUID], wanted: UUID | None
) -> list[Connection]:
    """The organisations to join: the one wanted, else those of this very consent and those that
    are joined already.

    A person's connections are all listed, so an organisation that the same person allowed for
    another customer's workspace is there too, and is none of this one's business.
    """
    if wanted is not None:
        return [one for one in found if one.organisation == wanted]
    latest = max((one.updated_at for one in found if one.updated_at is not None), default=None)
    consents = {one.consent for one in found if one.updated_at == latest}
    return [one for one in found if one.consent in consents or one.organisation in joined]


def _joined(workspace: WorkspaceId) -> set[UUID]:
    rows = WorkspaceOrganisation.objects.filter(workspace_id=workspace)
    return set(rows.values_list("organisation_id", flat=True))


def _join(
    service: Service,
    workspace: WorkspaceId,
    given: Given,
    found: Sequence[Connection],
    chosen: Sequence[Connection],
    actor: str,
) -> None:
    now = service.clock.now()
    configuring.hold(workspace)
    grant = new_grant(
        workspace,
        Remote.XERO,
        given.kind,
        given.client_id,
        given.client_secret,
        given.fresh,
        service.vault,
        now,
        into=_replaced(workspace, given, {one.organisation for one in found}),
    )
    for one in sorted(chosen, key=lambda one: str(one.organisation)):
        Organisation.objects.update_or_create(tenant=one.organisation, defaults={"name": one.name})
        WorkspaceOrganisation.objects.update_or_create(
            workspace_id=workspace,
            organisation_id=one.organisation,
            defaults={
                "grant_id": grant,
                "connection_id": one.id,
                "custom": given.custom,
                "broken": "",
            },
        )
        audit.record(workspace, now, actor, "xero.connected", str(one.organisation))
        hints.wake(one.organisation, now)
    forget_unused(workspace)
    _list_in_settings(service, workspace, [one.organisation for one in chosen], actor)


def _replaced(workspace: WorkspaceId, given: Given, reached: Collection[UUID]) -> int | None:
    """The grant whose place these tokens take: of the same app, and all of what it serves is
    within their reach. Another person's consent, which reaches others, stays as it is."""
    rows = Grant.objects.filter(
        workspace_id=workspace,
        remote=Remote.XERO.value,
        kind=given.kind,
        client_id=given.client_id,
    )
    for row in rows.order_by("pk"):
        served = row.workspaceorganisation_set.values_list("organisation_id", flat=True)
        if set(served) <= set(reached):
            return row.pk
    return None


def forget_unused(workspace: WorkspaceId) -> None:
    """Delete grants that no organisation is reached by any more, with their secrets."""
    Grant.objects.filter(
        workspace_id=workspace, remote=Remote.XERO.value, workspaceorganisation__isnull=True
    ).delete()


def _list_in_settings(
    service: Service, workspace: WorkspaceId, ids: Sequence[OrganisationId], actor: str
) -> None:
    document = config.read(configuring.export(workspace))
    listed = {row.id for row in document.organisations}
    if set(ids) <= listed:
        return
    every = [*(row.id for row in document.organisations), *(x for x in ids if x not in listed)]
    default = next((row.id for row in document.organisations if row.default), every[0])
    rows = [OrganisationRow(id_, id_ == default) for id_ in every]
    configuring.edit(
        service,
        workspace,
        lambda text: config.set_organisations(text, rows),
        actor,
        "organisation connected",
    )
