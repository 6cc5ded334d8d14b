"""How often lists may be looked at, from what the limits leave: pure rules."""

import math
from datetime import datetime, timedelta
from functools import partial

from onecore.ports import Lane, LimitKind
from onecore.sync import budget, meters
from onecore.sync.budget import KEPT, Usage

SWEEP_EVERY = timedelta(minutes=2)
"""How often an organisation's bills are swept when nothing else reads them."""
CALLS_A_SWEEP = 1.5
"""One call where nothing changed, another for each thousand changes; measured over a day."""
LONGEST_SWEEP = timedelta(minutes=30)
"""However little is left, changes made in Xero are seen within this while lists may be read."""
CALLS_A_TURN = 3
"""Of documents that are posted: the list of changes, the organisation's lock dates, the request."""
PLENTY = 0.25
"""While more than this part of a day is left, documents go at once."""
AT_ONCE = timedelta(minutes=2)
"""Nobody waits to save less than this."""
LONGEST_COLLECTING = timedelta(minutes=30)
HEADROOM = 1.2
"""What documents and people used of the last hour, they may use again and a little more."""


def lists_an_hour(usage: Usage, above: int) -> int:
    """How many calls an hour looking for changes may use of an app's hourly limit.

    `above` are the calls of the last hour that were made for people and documents.
    """
    rule = usage.rule(LimitKind.HOUR)
    limit = meters.limit_of(usage.meter(LimitKind.HOUR), rule)
    kept = KEPT[LimitKind.HOUR][Lane.LIST]
    above = max(math.ceil(limit * kept.at_start), math.ceil(above * HEADROOM))
    # A walk of every list comes on top of looking at what changed, from the same calls.
    return max(1, limit - math.floor(limit * kept.always) - above)


def sweep_every(usage: Usage, now: datetime) -> timedelta:
    """How long to wait between two looks at what changed in an organisation.

    What the day leaves to lists is spread over the rest of the day; SWEEP_EVERY where that is
    plenty. Documents never wait for it: before bills are made the list is read in any case.
    """
    rule = budget.XERO_DAY
    meter = meters.live(usage.meter(LimitKind.DAY), rule, now)
    above = partial(budget.kept_above, usage, rule, Lane.LIST)
    for_lists = meters.free(meter, rule, now) - above(now)
    if for_lists <= 0:
        return max((meters.goes_on_at(meter, rule, above, now) or now) - now, SWEEP_EVERY)
    spread = budget.left_of(meter, rule, now) * CALLS_A_SWEEP / for_lists
    return min(max(spread, SWEEP_EVERY), LONGEST_SWEEP)


def when_rung(every: timedelta) -> timedelta:
    """How soon after a look a doorbell may ask for another: at once, if looks are not stretched."""
    return every / 4 if every > SWEEP_EVERY else timedelta(0)


def documents_every(usage: Usage, now: datetime) -> timedelta:
    """How long to collect documents before they are posted together; mostly not at all.

    On a day with far more of them than its calls carry one by one, what is left is spread over
    the rest of it: fifty go in one request.
    """
    rule = budget.XERO_DAY
    meter = meters.live(usage.meter(LimitKind.DAY), rule, now)
    left = meters.free(meter, rule, now)
    limit = meters.limit_of(meter, rule)
    kept = budget.kept_above(usage, rule, Lane.DOCUMENT, now)
    for_documents = left - kept - limit * budget.still_entitled(usage, Lane.PERSON, now)
    need = limit * budget.still_entitled(usage, Lane.DOCUMENT, now)
    if for_documents > limit * PLENTY or 0 < need <= for_documents:
        return timedelta(0)
    turns = for_documents / CALLS_A_TURN
    if turns <= 0:
        return LONGEST_COLLECTING
    every = budget.left_of(meter, rule, now) / turns
    return timedelta(0) if every < AT_ONCE else min(every, LONGEST_COLLECTING)
