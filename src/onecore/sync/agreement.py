"""What both sides count as agreed once something was sent, found or accepted. Pure."""

from collections.abc import Collection, Set

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


def after_accepting(agreed: Agreed, wanted: Fields, there: Fields, approved: bool) -> Agreed:
    """Agreement once a person took over what stands there: as it is, in all that Procore owns.

    A bookkeeper's coding was theirs before and goes on being theirs.
    """
    theirs = {
        name: value
        for name, value in agreed.target.items()
        if name in there and owner(name, approved) is Owner.LEDGER
    }
    return Agreed(wanted, {**there, **theirs})


def after_looking(agreed: Agreed, wanted: Fields, there: Fields, names: Collection[str]) -> Agreed:
    """Agreement once both sides were seen: what they say alike among `names` is agreed.

    Somebody may have made the same change on both sides; without this, Procore going back to an
    older value would look like a drift in Xero. What neither side has any more is forgotten.
    """
    alike = {n: wanted[n] for n in names if n in wanted and there.get(n) == wanted[n]}
    gone = (set(agreed.wanted) | set(agreed.target)) - set(wanted) - set(there)
    return Agreed(
        {n: v for n, v in {**agreed.wanted, **alike}.items() if n not in gone},
        {n: v for n, v in {**agreed.target, **alike}.items() if n not in gone},
    )


def _owned_here(fields: Fields) -> dict[str, str]:
    return {n: v for n, v in fields.items() if owner(n, approved=False) is Owner.SOURCE}
