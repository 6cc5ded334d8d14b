"""Due dates [C 5], reckoned from the document's own date even where the bill's was shifted."""

from calendar import monthrange
from datetime import date, timedelta

from onecore.domain.business_days import business_days_after
from onecore.domain.chart import BusinessDay, ContactTerms
from onecore.domain.settings import DueBase, DueRule

_XERO_WORDS = {
    "DAYSAFTERBILLDATE": DueBase.DAYS_AFTER_BILL,
    "DAYSAFTERBILLMONTH": DueBase.DAYS_AFTER_MONTH_END,
    "OFCURRENTMONTH": DueBase.DAY_OF_MONTH,
    "OFFOLLOWINGMONTH": DueBase.DAY_OF_FOLLOWING_MONTH,
}


def due_date(
    rule: DueRule,
    bill_date: date,
    submitted_date: date | None,
    contact_terms: ContactTerms | None,
    is_business_day: BusinessDay,
) -> date | None:
    """When the bill falls due, or None where what the rule needs is missing and no `else` helps.

    A day 29 to 31 is the last day of a shorter month. A day of the current month may lie before
    the bill's date; Xero takes that, so it stays as reckoned. Raises UnknownRegion for business
    days in a region without a calendar.
    """
    due = _reckoned(rule, bill_date, submitted_date, contact_terms, is_business_day)
    if due is None and rule.otherwise is not None:
        return due_date(rule.otherwise, bill_date, submitted_date, contact_terms, is_business_day)
    return due


def _reckoned(
    rule: DueRule,
    bill_date: date,
    submitted_date: date | None,
    contact_terms: ContactTerms | None,
    is_business_day: BusinessDay,
) -> date | None:
    if rule.base is DueBase.CONTACT_TERMS:
        return _by_contact(contact_terms, bill_date) if contact_terms else None
    if rule.base is DueBase.BUSINESS_DAYS_AFTER:
        start = submitted_date if rule.start == "submitted" else bill_date
        if start is None:
            return None
        return business_days_after(start, rule.days, rule.region or "", is_business_day)
    return _by_calendar(rule.base, rule.days, bill_date)


def _by_contact(terms: ContactTerms, bill_date: date) -> date | None:
    """By Xero's own word for a contact's terms; None for a word not met before."""
    base = _XERO_WORDS.get(terms.basis)
    return _by_calendar(base, terms.day, bill_date) if base else None


def _by_calendar(base: DueBase, number: int, bill_date: date) -> date:
    match base:
        case DueBase.DAYS_AFTER_BILL:
            return bill_date + timedelta(days=number)
        case DueBase.DAYS_AFTER_MONTH_END:
            return _day_of(bill_date, 0, 31) + timedelta(days=number)
        case DueBase.DAY_OF_MONTH:
            return _day_of(bill_date, 0, number)
        case _:
            return _day_of(bill_date, 1, number)


def _day_of(day: date, months_on: int, number: int) -> date:
    """Day `number` of the month `months_on` after the day's own, or that month's last day."""
    months = day.year * 12 + day.month - 1 + months_on
    year, month = divmod(months, 12)
    last = monthrange(year, month + 1)[1]
    return date(year, month + 1, min(max(number, 1), last))
