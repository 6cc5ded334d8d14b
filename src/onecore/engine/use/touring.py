"""What the demo's guided tour points at: claims under review, from what the feeds last saw."""

from dataclasses import dataclass

from onecore.domain.ids import WorkspaceId
from onecore.domain.refs import SourceRef
from onecore.engine.use.looking import procore_url
from onecore.store.models import Feed, Workspace


@dataclass(frozen=True, slots=True)
class Stop:
    """A claim to approve: its ref and its page in Procore."""

    ref: SourceRef
    url: str


def claims_under_review(workspace: WorkspaceId, most: int = 6) -> list[Stop]:
    """Claims that could be approved now, by project."""
    base = Workspace.objects.get(pk=workspace).web_base_url
    found: list[Stop] = []
    for feed in Feed.objects.filter(workspace_id=workspace).order_by("project_id"):
        for claim in feed.in_flight:
            ref = SourceRef.requisition(feed.project_id, int(claim))
            found.append(Stop(ref, procore_url(base, ref)))
    return found[:most]
