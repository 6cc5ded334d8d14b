"""How often one and the same bell is answered, however often it rings.

Each answer costs calls of the remotes, whose budgets are small; what a bell would have said
sooner, the next answer finds as well, since a bell only says where to look.
"""

from datetime import datetime, timedelta

EVERY = timedelta(minutes=2)
"""How often a bell that never stops is answered. As often as bills are swept by themselves."""
AT_ONCE = 5
"""Answers that a bell which was quiet before gets without waiting."""
AHEAD = EVERY * (AT_ONCE - 1)
"""How far ahead `spent_until` may lie for a bell that is answered now."""


def answerable_at(spent_until: datetime | None, now: datetime) -> datetime:
    """When a bell that rang is answered: now, or once enough time has passed."""
    return now if spent_until is None else max(now, spent_until - AHEAD)


def spent_after(spent_until: datetime | None, now: datetime) -> datetime:
    """What an answer given now leaves: the instant at which all of the allowance is back."""
    return max(spent_until or now, now) + EVERY
