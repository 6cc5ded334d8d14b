"""Public holidays by region, from the `holidays` library."""

from datetime import date
from functools import lru_cache

import holidays

from onecore.domain.business_days import UnknownRegion

_ALIASES = {"UK": "GB"}
_REGIONS = {
    "Australia/Sydney": "AU-NSW",
    "Australia/Melbourne": "AU-VIC",
    "Australia/Canberra": "AU-ACT",
    "Australia/Brisbane": "AU-QLD",
    "Australia/Adelaide": "AU-SA",
    "Australia/Darwin": "AU-NT",
    "Australia/Perth": "AU-WA",
    "Australia/Hobart": "AU-TAS",
    "Pacific/Auckland": "NZ",
    "Pacific/Chatham": "NZ",
    "Europe/London": "GB-ENG",
    "Europe/Dublin": "IE",
    "Asia/Singapore": "SG",
    "Asia/Hong_Kong": "HK",
    "America/New_York": "US",
    "America/Chicago": "US",
    "America/Denver": "US",
    "America/Los_Angeles": "US",
    "America/Halifax": "CA",
}


def business_day(day: date, region: str) -> bool:
    """Whether a day is neither a weekend nor a public holiday in a region such as "AU-NSW".

    Regions are a country, or country-part: "AU-QLD", "NZ", "NZ-AUK", "GB-ENG". An empty region
    knows weekends only. The days an Act leaves out besides are `domain/business_days`. Raises
    UnknownRegion.
    """
    return day.weekday() < 5 and day not in _holidays(region, day.year)


def region_of(zone: str) -> str:
    """The region whose holidays most in an IANA time zone have; "" where we do not know it."""
    return _REGIONS.get(zone, "")


def is_known(region: str) -> bool:
    """Whether there is a calendar for the region, for checking settings."""
    try:
        _holidays(region, 2026)
    except UnknownRegion:
        return False
    return True


@lru_cache(maxsize=512)
def _holidays(region: str, year: int) -> frozenset[date]:
    if not region:
        return frozenset()
    country, _, part = region.partition("-")
    try:
        found = holidays.country_holidays(
            _ALIASES.get(country, country), subdiv=part or None, years=year
        )
    except NotImplementedError as error:
        raise UnknownRegion(f"There is no calendar of public holidays for {region!r}.") from error
    return frozenset(found)
