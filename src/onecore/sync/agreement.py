"""What both sides count as agreed once something was sent, found or accepted. Pure."""

from collections.abc import Set

from onecore.sync.decide import Agreed
from onecore.sync.fields import Fields, Owner, owner


def after_creating(wanted: Fields, there: Fields) -> Agreed:
    """Agreement on a bill just made: for fields Procore owns, what was sent.

    If Xero answered with anything else, the next look sees it as a change over there and asks,
    where taking the answer as agreed would hide it.
    """
    return Agreed(wanted, {**there, **_owned_here(wanted)})


def after_updating(agreed: Agreed, wanted: Fields, there: Fields, sent: Set[str]) -> Agreed:
    """Agreement on a bill some fields of which were sent.

    The others stay agreed as they were, so that a bookkeeper's own coding, and what a person
    accepted, go on counting as theirs, whatever is sent later. What neither side has any more
    is forgotten.
    """
    kept = {name: value for name, value in agreed.target.items() if name not in sent}
    news = {name: value for name, value in _owned_here(wanted).items() if name in sent}
    target = {**there, **kept, **news}
    gone = {n for n in target if n not in wanted and (n in sent or n not in there)}
    return Agreed(wanted, {n: v for n, v in target.items() if n not in gone})


def _owned_here(fields: Fields) -> dict[str, str]:
    return {n: v for n, v in fields.items() if owner(n, approved=False) is Owner.SOURCE}
