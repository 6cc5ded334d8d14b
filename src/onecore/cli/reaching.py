"""Whether an address answers at all, and what time it is there."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx2

from onecore.engine.use.doctoring import Reached

TIMEOUT = 5.0


def reach(url: str) -> Reached:
    """What one GET of a base address came to; any answer counts, whatever it says."""
    local = url.startswith("http://")  # loopback, as settings allow plain http nowhere else
    try:
        answer = httpx2.get(f"{url}/", timeout=TIMEOUT, follow_redirects=False, trust_env=not local)
    except (httpx2.HTTPError, httpx2.InvalidURL) as trouble:
        return Reached(trouble=f"{type(trouble).__name__} {trouble}".strip())
    return Reached(_date(answer.headers.get("date")))


def _date(text: str | None) -> datetime | None:
    try:
        found = parsedate_to_datetime(text) if text else None
    except ValueError:
        return None
    return found.astimezone(UTC) if found is not None and found.tzinfo else None
