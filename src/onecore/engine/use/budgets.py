"""What the remotes' limits allow, what was used, and by whom."""

from onecore.domain.ids import WorkspaceId
from onecore.engine.calls import Spent, keys_of, spent
from onecore.engine.service import Service


def budget(service: Service, workspace: WorkspaceId) -> list[Spent]:
    """Calls of the last hour and day per remote and scope, and what the remotes said is left."""
    return spent(service.clock.now(), keys_of(workspace))
