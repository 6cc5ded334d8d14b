"""Our mark on a bill: the claim's page in Procore with `onecore=<part>.<version>` in its query."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from onecore.domain.ids import ProjectId, RequisitionId

_NAME = "onecore"
_PATH = re.compile(r"/(\d+)/project/contracts/requisitions/(\d+)/?$")
_VALUE = re.compile(r"^([A-Za-z_]+(?::[A-Za-z0-9_-]+)?)\.(\d+)$")


@dataclass(frozen=True, slots=True)
class Mark:
    """Which claim a document of ours was made from, which part of it, and the part's version."""

    project: ProjectId
    requisition: RequisitionId
    part: str
    version: int


def mark_url(url: str, part: str = "main", version: int = 1) -> str:
    """The link with our mark in its query; other parameters stay, an older mark of ours goes."""
    pieces = urlsplit(url)
    query = [pair for pair in parse_qsl(pieces.query, keep_blank_values=True) if pair[0] != _NAME]
    query.append((_NAME, f"{part}.{version}"))
    return urlunsplit(pieces._replace(query=urlencode(query, safe=":")))


def read_mark(url: str) -> Mark | None:
    """The mark in a link, or None where the link is not ours. Never raises."""
    try:
        pieces = urlsplit(url.strip())
        values = [value for name, value in parse_qsl(pieces.query) if name == _NAME]
    except ValueError:  # a stranger's Url may be anything
        return None
    path = _PATH.search(pieces.path)
    mark = _VALUE.match(values[-1]) if values else None
    if path is None or mark is None:
        return None
    project, requisition = ProjectId(int(path[1])), RequisitionId(int(path[2]))
    return Mark(project, requisition, mark[1], int(mark[2]))
