"""What is going to end a connection, when, and what to do before; pure.

Only what can be known beforehand is here. That a person leaves, an app is taken out of a company
or a secret is withdrawn is noticed at the next call or keep-alive, and told as broken.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

UNUSED_LIFE = timedelta(days=60)
"""Xero's refresh token dies when it was not used for so long [X 1]."""
KEEP_ALIVE = timedelta(days=7)
"""A grant nobody uses, as of a paused workspace, is renewed this often."""
FORETOLD = timedelta(days=45)
"""How long before its end an unused consent is told: two missed keep-alives."""
NOT_RENEWED = timedelta(hours=2)
MONTHLY_SANDBOX = "api-monthly.procore.com"


class Weight(StrEnum):
    """`soon`: a person has to act before a date; `note`: good to know, nothing to do now."""

    SOON = "soon"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of one connection. `label` is the company's or organisation's name."""

    remote: str  # procore | xero
    kind: str  # client_credentials | authorization_code
    label: str
    again: str  # the command that connects it again
    broken: bool
    renewed_at: datetime | None
    ends_at: datetime | None  # of the access token
    in_use: bool  # the workspace is running and has a flow on
    scopes: frozenset[str] = frozenset()
    wanted: frozenset[str] = frozenset()
    is_demo: bool = False
    api_url: str = ""


@dataclass(frozen=True, slots=True)
class Foretold:
    """One thing to come: `at` None where no date can be told."""

    code: str
    weight: Weight
    at: datetime | None
    why: str
    todo: str


def needs_keeping(renewed_at: datetime | None, now: datetime) -> bool:
    """Whether a grant nobody used lately is to be renewed now, so that it is known to be good."""
    return renewed_at is None or now - renewed_at >= KEEP_ALIVE


def foretold(one: Standing, now: datetime) -> tuple[Foretold, ...]:
    """What is to come, what has a date first; nothing for a connection that is broken already."""
    if one.broken:
        return ()
    found = [
        *_unused(one, now),
        *_not_renewed(one, now),
        *_lacking(one),
        *_sandbox(one, now),
        *_demo(one),
        *_person(one),
    ]
    return tuple(sorted(found, key=lambda f: (f.weight is Weight.NOTE, f.at is None, f.at or now)))


def _unused(one: Standing, now: datetime) -> Sequence[Foretold]:
    if one.remote != "xero" or one.kind != "authorization_code" or one.renewed_at is None:
        return ()
    dies_at = one.renewed_at + UNUSED_LIFE
    if dies_at - now > FORETOLD:
        return ()
    days = (now - one.renewed_at).days
    why = (
        f"Xero forgets the consent for {one.label} on {dies_at:%d %B %Y}, 60 days after its last "
        f"use; OneCore renews it every week, which has not happened for {days} days."
    )
    todo = "Start OneCore (onecore serve, or onecore worker), which renews it within minutes."
    if dies_at <= now:
        todo = f"Connect it again: {one.again}"
    return (Foretold("unused", Weight.SOON, dies_at, why, todo),)


def _not_renewed(one: Standing, now: datetime) -> Sequence[Foretold]:
    """In use, and yet its access token ended long ago: renewing fails, or nobody works."""
    if not one.in_use or one.ends_at is None or now - one.ends_at < NOT_RENEWED:
        return ()
    why = f"Access to {one.label} ended on {one.ends_at:%d %B %Y at %H:%M} UTC and was not renewed."
    todo = "See that OneCore's worker runs and reaches the sign-in address: onecore doctor."
    return (Foretold("not_renewed", Weight.SOON, None, why, todo),)


def _lacking(one: Standing) -> Sequence[Foretold]:
    """Scopes are granted by a person and only grow by another consent [X 1]."""
    lacking = sorted(one.wanted - one.scopes) if one.scopes else []
    if not lacking:
        return ()
    why = f"{one.label} was connected without {', '.join(lacking)}, which OneCore asks for now."
    todo = f"Connect it again, and all of it is asked for: {one.again}"
    return (Foretold("scopes_lacking", Weight.SOON, None, why, todo),)


def _sandbox(one: Standing, now: datetime) -> Sequence[Foretold]:
    """Procore's monthly sandbox is written over on the month's first working day [P 1.1]."""
    if urlsplit(one.api_url).hostname != MONTHLY_SANDBOX:
        return ()
    at = next_overwriting(now)
    why = f"Procore overwrites the monthly sandbox with production on {at:%d %B %Y}."
    todo = "Expect claims and vendors there to change; connect a workspace of its own for tests."
    return (Foretold("sandbox_overwritten", Weight.NOTE, at, why, todo),)


def next_overwriting(now: datetime) -> datetime:
    """The start of the first Monday to Friday of a month that is still to come, in UTC."""
    year, month = now.year, now.month
    while True:
        day = datetime(year, month, 1, tzinfo=UTC)
        day += timedelta(days={5: 2, 6: 1}.get(day.weekday(), 0))
        if day > now:
            return day
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)


def _demo(one: Standing) -> Sequence[Foretold]:
    if not one.is_demo:
        return ()
    why = f"{one.label} is a demo company; Xero resets it about every 28 days, bills and all."
    todo = "Use it for trying only, and connect it again after a reset."
    return (Foretold("demo_company", Weight.NOTE, None, why, todo),)


def _person(one: Standing) -> Sequence[Foretold]:
    """The API acts with the rights of whoever allowed it [X 1]."""
    if one.remote != "xero" or one.kind != "authorization_code":
        return ()
    why = (
        f"{one.label} is reached with the rights of the person who allowed it in Xero, and no "
        "longer than that person has them."
    )
    todo = "Before they leave, have somebody who stays connect Xero again."
    return (Foretold("a_persons_rights", Weight.NOTE, None, why, todo),)
