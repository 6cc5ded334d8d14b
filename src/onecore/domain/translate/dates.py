"""The dates of a bill: the document's own, and where a lock date moves it."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from onecore.domain.chart import Organisation
from onecore.domain.documents import BillStatus, PostedBill, Requisition
from onecore.domain.gaps import Gap
from onecore.domain.settings import DateBasis

DEFAULT_ZONE = "Australia/Sydney"

# Procore names zones as Rails does [P 6.1]; those of the countries we serve.
_ZONES = {
    "Sydney": "Australia/Sydney",
    "Melbourne": "Australia/Melbourne",
    "Canberra": "Australia/Canberra",
    "Brisbane": "Australia/Brisbane",
    "Adelaide": "Australia/Adelaide",
    "Darwin": "Australia/Darwin",
    "Perth": "Australia/Perth",
    "Hobart": "Australia/Hobart",
    "Auckland": "Pacific/Auckland",
    "Wellington": "Pacific/Auckland",
    "Chatham Is.": "Pacific/Chatham",
    "London": "Europe/London",
    "Edinburgh": "Europe/London",
    "Dublin": "Europe/Dublin",
    "Singapore": "Asia/Singapore",
    "Hong Kong": "Asia/Hong_Kong",
    "Eastern Time (US & Canada)": "America/New_York",
    "Central Time (US & Canada)": "America/Chicago",
    "Mountain Time (US & Canada)": "America/Denver",
    "Pacific Time (US & Canada)": "America/Los_Angeles",
    "Arizona": "America/Phoenix",
    "Indiana (East)": "America/Indiana/Indianapolis",
    "Alaska": "America/Juneau",
    "Hawaii": "Pacific/Honolulu",
    "Atlantic Time (Canada)": "America/Halifax",
    "Newfoundland": "America/St_Johns",
    "Saskatchewan": "America/Regina",
    "UTC": "UTC",
}


@dataclass(frozen=True, slots=True)
class PostingDay:
    """The date a bill gets, and the document's own where a lock date moved it."""

    day: date
    moved_from: date | None = None


def zone_named(name: str) -> ZoneInfo | None:
    """The zone by Procore's word or its IANA name; None for one not known, Sydney for none."""
    try:
        return ZoneInfo(_ZONES.get(name, name or DEFAULT_ZONE))
    except (KeyError, ValueError, OSError):  # a directory's name is an OSError
        return None


def local_day(instant: datetime | None, zone: ZoneInfo) -> date | None:
    """The calendar day of an instant where the project is; one without a zone is UTC."""
    if instant is None:
        return None
    aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return aware.astimezone(zone).date()


def own_date(requisition: Requisition, basis: DateBasis, zone: str) -> date | Gap:
    """The document's own date by the settings' basis; cut-over, codes and terms go by it."""
    if basis in ("submitted", "approved"):
        place = zone_named(zone)
        if place is None:
            return Gap("date_missing", basis, f"The project's time zone {zone!r} is not known.")
        at = requisition.submitted_at if basis == "submitted" else requisition.approved_at
        day = local_day(at, place)
    else:
        day = requisition.billing_date if basis == "billing_date" else requisition.period_end
    words = basis.replace("_", " ")
    return day or Gap("date_missing", basis, f"The claim has no {words} to date the bill by.")


def posting_day(
    own: date,
    organisation: Organisation,
    policy: Literal["hold", "shift"],
    status: BillStatus,
    posted: PostedBill | None = None,
) -> PostingDay | Gap:
    """The bill's date once lock dates are looked at [X 5.13]; on or before one is closed.

    A bill to be approved is held. One that goes over as a draft or for approval is not: Xero
    takes it, and who approves it there decides on its date. `shift` moves both to the day after
    the later lock date, since a draft in a closed period could never be approved as it is.

    A bill that is posted keeps the date it has: when it already bears the document's own date,
    or was moved past it once. A lock date set later must not move it again, nor hold what is in
    step; whether Xero lets it be edited is the planner's question.
    """
    lock = organisation.locked_until
    if lock is None or own > lock:
        return PostingDay(own)
    if posted is not None and not posted.is_gone:
        if posted.bill_date == own:
            return PostingDay(own)
        if policy == "shift" and posted.bill_date > own:
            return PostingDay(posted.bill_date, own)
    if policy == "shift":
        return PostingDay(lock + timedelta(days=1), own)
    if status is not BillStatus.AUTHORISED:
        return PostingDay(own)
    return Gap(
        "period_locked",
        lock.isoformat(),
        f"The bill would be dated {own:%d %B %Y}; the books are locked up to {lock:%d %B %Y}.",
    )
