"""What the remotes' limits allow, what was used, and by whom."""

from onecore.domain.ids import WorkspaceId
from onecore.engine.calls import Spent, spent
from onecore.engine.service import Service
from onecore.engine.use.syncing import scopes_of


def budget(service: Service, workspace: WorkspaceId) -> list[Spent]:
    """Calls of the last hour and day per remote and scope, and what the remotes said is left."""
    pairs = [(remote, s) for remote, scopes in scopes_of(workspace).items() for s in scopes]
    return spent(service.clock.now(), pairs)
