"""Due dates by every base [C 5], and business days with each Act's own shut-down."""

from datetime import date, timedelta

import pytest

from onecore.domain.business_days import UnknownRegion, business_days_after, is_shut_down
from onecore.domain.chart import ContactTerms
from onecore.domain.settings import DueBase, DueRule
from onecore.domain.terms import due_date
from onecore.engine.calendars import business_day, is_known

BILL = date(2026, 1, 31)


def due(
    rule: DueRule,
    bill_date: date = BILL,
    submitted: date | None = None,
    terms: ContactTerms | None = None,
) -> date | None:
    return due_date(rule, bill_date, submitted, terms, business_day)


@pytest.mark.parametrize(
    ("base", "days", "bill_date", "expected"),
    [
        ("days_after_bill", 0, date(2026, 1, 31), date(2026, 1, 31)),
        ("days_after_bill", 30, date(2026, 1, 31), date(2026, 3, 2)),
        ("days_after_month_end", 30, date(2026, 1, 5), date(2026, 3, 2)),
        ("days_after_month_end", 0, date(2028, 2, 1), date(2028, 2, 29)),
        ("day_of_month", 15, date(2026, 1, 10), date(2026, 1, 15)),
        ("day_of_month", 31, date(2026, 2, 10), date(2026, 2, 28)),
        ("day_of_month", 15, date(2026, 1, 31), date(2026, 1, 15)),  # before the bill: kept
        ("day_of_following_month", 20, date(2026, 1, 31), date(2026, 2, 20)),
        ("day_of_following_month", 31, date(2026, 1, 31), date(2026, 2, 28)),
        ("day_of_following_month", 31, date(2028, 1, 31), date(2028, 2, 29)),
        ("day_of_following_month", 20, date(2026, 12, 31), date(2027, 1, 20)),
    ],
)
def test_bases_that_go_by_the_bill(base: str, days: int, bill_date: date, expected: date) -> None:
    assert due(DueRule(DueBase(base), days), bill_date) == expected


@pytest.mark.parametrize(
    ("basis", "day", "expected"),
    [
        ("DAYSAFTERBILLDATE", 14, date(2026, 2, 14)),
        ("DAYSAFTERBILLMONTH", 10, date(2026, 2, 10)),
        ("OFCURRENTMONTH", 31, date(2026, 1, 31)),
        ("OFFOLLOWINGMONTH", 31, date(2026, 2, 28)),
    ],
)
def test_the_contacts_own_terms(basis: str, day: int, expected: date) -> None:
    assert due(DueRule(DueBase.CONTACT_TERMS), terms=ContactTerms(day, basis)) == expected


def test_without_terms_the_else_serves() -> None:
    rule = DueRule(DueBase.CONTACT_TERMS, otherwise=DueRule(DueBase.DAY_OF_FOLLOWING_MONTH, 20))
    assert due(rule) == date(2026, 2, 20)
    assert due(rule, terms=ContactTerms(7, "SOMETHINGNEW")) == date(2026, 2, 20)
    assert due(DueRule(DueBase.CONTACT_TERMS)) is None


def in_business_days(days: int, start: date, region: str) -> date:
    rule = DueRule(DueBase.BUSINESS_DAYS_AFTER, days, "submitted", region)
    found = due(rule, submitted=start)
    assert found is not None
    return found


def test_business_days_skip_weekends_and_the_states_holidays() -> None:
    # Good Friday 3 April 2026, Easter Monday 6 April
    assert in_business_days(1, date(2026, 4, 2), "AU-NSW") == date(2026, 4, 7)
    assert in_business_days(20, date(2026, 5, 25), "AU-NSW") == date(2026, 6, 23)  # 8 June
    assert in_business_days(20, date(2026, 5, 25), "AU-QLD") == date(2026, 6, 22)


@pytest.mark.parametrize(
    ("region", "expected"),
    [
        # ten business days after Friday 18 December 2026; 28 December and 1 January are holidays
        ("AU-NSW", date(2027, 1, 11)),  # 21-24 December, 4-8 and 11 January
        ("AU-NT", date(2027, 1, 6)),  # 21-24 and 29-31 December, 4-6 January
        ("AU-QLD", date(2027, 1, 21)),  # 21 December, 11-15 and 18-21 January
        ("AU-VIC", date(2027, 1, 21)),
        ("NZ", date(2027, 1, 14)),  # 21-23 December, 6-8 and 11-14 January
    ],
)
def test_ten_business_days_over_the_new_year(region: str, expected: date) -> None:
    assert in_business_days(10, date(2026, 12, 18), region) == expected


def test_victoria_shuts_down_only_since_its_act() -> None:
    assert not is_shut_down(date(2025, 12, 29), "AU-VIC")
    assert is_shut_down(date(2026, 12, 29), "AU-VIC")
    assert is_shut_down(date(2027, 1, 10), "AU-VIC")
    assert not is_shut_down(date(2027, 1, 11), "AU-VIC")


def test_a_part_of_new_zealand_shuts_down_with_it() -> None:
    assert is_shut_down(date(2026, 12, 24), "NZ-AUK")
    assert not is_shut_down(date(2027, 1, 6), "NZ-AUK")
    assert not is_shut_down(date(2026, 12, 24), "AU-NSW")


def test_queensland_as_its_builders_were_told() -> None:
    """A claim of 21 December 2021: payable on 24 January 2022, a schedule due by 1 February."""
    assert in_business_days(10, date(2021, 12, 21), "AU-QLD") == date(2022, 1, 24)
    assert in_business_days(15, date(2021, 12, 21), "AU-QLD") == date(2022, 2, 1)


def test_business_days_from_the_bill_or_from_submission() -> None:
    by_bill = DueRule(DueBase.BUSINESS_DAYS_AFTER, 1, "bill", "AU-NSW")
    assert due(by_bill, date(2026, 7, 31), submitted=date(2026, 7, 1)) == date(2026, 8, 3)
    by_claim = DueRule(DueBase.BUSINESS_DAYS_AFTER, 1, "submitted", "AU-NSW")
    assert due(by_claim, date(2026, 7, 31), submitted=date(2026, 7, 1)) == date(2026, 7, 2)
    assert due(by_claim, date(2026, 7, 31)) is None


def test_the_day_of_submission_is_not_counted() -> None:
    def always(day: date, region: str) -> bool:
        return True

    assert business_days_after(date(2026, 7, 1), 5, "", always) == date(2026, 7, 6)
    assert business_days_after(date(2026, 7, 1), 0, "", always) == date(2026, 7, 1)


# --- the calendars themselves ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "region", "expected"),
    [
        (date(2026, 6, 8), "AU-NSW", False),  # King's Birthday
        (date(2026, 6, 8), "AU-QLD", True),  # Queensland keeps it in October
        (date(2026, 1, 26), "NZ", True),
        (date(2026, 1, 26), "NZ-AUK", False),  # Auckland's anniversary
        (date(2026, 4, 6), "GB-ENG", False),  # Easter Monday
        (date(2026, 4, 6), "GB-SCT", True),
        (date(2026, 4, 6), "UK-ENG", False),
        (date(2026, 7, 4), "", False),  # a Saturday
        (date(2026, 12, 25), "", True),
    ],
)
def test_calendars(day: date, region: str, expected: bool) -> None:
    assert business_day(day, region) is expected


@pytest.mark.parametrize("region", ["XX", "AU-XYZ", "nonsense"])
def test_a_region_without_a_calendar(region: str) -> None:
    assert not is_known(region)
    with pytest.raises(UnknownRegion, match=region):
        business_day(date(2026, 7, 1), region)


def test_every_region_of_the_acts_has_a_calendar() -> None:
    for region in ("AU-ACT", "AU-NSW", "AU-NT", "AU-QLD", "AU-SA", "AU-TAS", "AU-VIC", "AU-WA"):
        assert is_known(region)
    day = date(2026, 3, 2)
    assert all(business_day(day + timedelta(days=n), "NZ") for n in range(5))
