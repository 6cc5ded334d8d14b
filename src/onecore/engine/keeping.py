"""Keeping grants alive that nobody uses: Xero forgets a consent after 60 days of rest [X 1].

A workspace that is paused, or quiet because its flows are off, is renewed every week, which also
finds out what was withdrawn meanwhile, before somebody resumes and waits.
"""

import structlog

from onecore.domain.ids import OrganisationId, WorkspaceId
from onecore.engine import calls, db, grants
from onecore.engine.context import Contexts
from onecore.ports import AccessLost, Disconnected, Remote, RemoteError
from onecore.store.models import Grant, WorkspaceOrganisation
from onecore.sync.expiry import needs_keeping

log = structlog.get_logger("onecore.grants")
AT_ONCE = 20


async def keep_alive(contexts: Contexts) -> int:
    """Renew what has rested for a week; how many grants that were.

    Lost access is noted on the connection; a remote that does not answer is asked again later.
    """
    resting = await db.run(_resting, contexts)
    for grant in resting:
        try:
            await contexts.tokens(grant.pk).keep_alive(grant.version)
            await _ask_what_it_reaches(contexts, grant)
            log.info("grant.kept_alive", grant=grant.pk, remote=grant.remote)
        except AccessLost as lost:
            await db.commit("grant.given_up", grants.given_up, grant.pk, lost)
            log.warning("grant.lost", grant=grant.pk, remote=grant.remote)
        except RemoteError as trouble:
            log.warning("grant.not_kept_alive", grant=grant.pk, why=type(trouble).__name__)
    return len(resting)


def _resting(contexts: Contexts) -> list[Grant]:
    now = contexts.clock.now()
    rows = Grant.objects.filter(broken="").order_by("renewed_at")
    return [row for row in rows if needs_keeping(row.renewed_at, now)][:AT_ONCE]


async def _ask_what_it_reaches(contexts: Contexts, grant: Grant) -> None:
    """An organisation may have been left in Xero although the consent holds."""
    if grant.remote != Remote.XERO.value or grant.kind != "authorization_code":
        return
    workspace = WorkspaceId(grant.workspace_id)
    log_ = contexts.calls.of(calls.of_app(Remote.XERO, grant.client_id), workspace)
    found = await contexts.remotes.connections(contexts.tokens(grant.pk), log_)
    reached = {connection.organisation for connection in found}
    await db.commit("grant.reaches", _note_left, workspace, grant.pk, reached)


def _note_left(workspace: WorkspaceId, grant: int, reached: set[OrganisationId]) -> None:
    rows = WorkspaceOrganisation.objects.filter(grant_id=grant, broken="")
    for row in rows.exclude(organisation_id__in=reached):
        lost = Disconnected(Remote.XERO, "connections", "it is not among the connections")
        grants.disconnected(workspace, row.organisation_id, lost)
