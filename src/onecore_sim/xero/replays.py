"""Idempotency-Key: the first answer is given again for six minutes [X 3]."""

from datetime import datetime, timedelta
from hashlib import sha256

from onecore_sim.xero.state import Replay

KEPT = timedelta(minutes=6)
LONGEST_KEY = 128


def fingerprint(method: str, url: str, body: bytes) -> str:
    return sha256(b"\x00".join([method.encode(), url.encode(), body])).hexdigest()


def recall(replays: dict[str, Replay], slot: str, now: datetime) -> Replay | None:
    """The answer kept under a key, unless its six minutes are over."""
    for key in [k for k, r in replays.items() if not timedelta(0) <= now - r.at < KEPT]:
        del replays[key]
    return replays.get(slot)
