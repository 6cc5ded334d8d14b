"""A bill's number, dates, mark and status, and the text of its lines."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st
from tests.unit.domain.books import bill, chart, claim, gaps, line

from onecore.domain.documents import BillStatus
from onecore.domain.ids import ProjectId, RequisitionId
from onecore.domain.marks import Mark, mark_url, read_mark
from onecore.domain.settings import BillFlow, NumberRule
from onecore.domain.translate.dates import local_day, zone_named
from onecore.domain.translate.text import description, printable_ascii

WORK = line("1000", retained="100")
SUPPLIER = NumberRule()
COMMITMENT_CLAIM = NumberRule("commitment_claim")
RCTI = NumberRule("rcti", "RCTI-")


def number(rule: NumberRule, **parts: object) -> str:
    return bill(claim(WORK, **parts), chart(bill=BillFlow(number=rule))).number


@pytest.mark.parametrize(
    ("rule", "parts", "expected"),
    [
        (SUPPLIER, {}, "INV-0123"),
        (SUPPLIER, {"invoice_number": "  INV\t 0123\n"}, "INV 0123"),
        (SUPPLIER, {"invoice_number": ""}, "SC-007-01-1"),
        (SUPPLIER, {"invoice_number": "請求書"}, "SC-007-01-1"),  # nothing left of it
        (SUPPLIER, {"invoice_number": "Nº 12–Ø"}, "No 12-O"),
        (SUPPLIER, {"invoice_number": "Beleg №5 “groß”"}, 'Beleg No5 "gross"'),
        (COMMITMENT_CLAIM, {"number": 12}, "SC-007-01-12"),
        (RCTI, {"number": 12}, "RCTI-SC-007-01-12"),
    ],
)
def test_numbers(rule: NumberRule, parts: dict[str, object], expected: str) -> None:
    assert number(rule, **parts) == expected


def test_long_numbers_are_cut_and_keep_the_claims_own() -> None:
    assert number(SUPPLIER, invoice_number="9" * 300) == "9" * 255
    long = number(COMMITMENT_CLAIM, commitment_number="C" * 300, number=41)
    assert (len(long), long[-4:]) == (255, "C-41")
    prefixed = number(NumberRule("rcti", "R" * 300), number=41)
    assert (len(prefixed), prefixed.endswith("RSC-007-01-41")) == (255, True)


@pytest.mark.parametrize("rule", [SUPPLIER, COMMITMENT_CLAIM, RCTI])
def test_no_number_to_be_had_is_a_gap(rule: NumberRule) -> None:
    nameless = claim(WORK, invoice_number="–"[:0], commitment_number=" ")
    assert gaps(nameless, chart(bill=BillFlow(number=rule))) == [("number_missing", "55")]


@limits(deadline=None)  # the machine is shared
@given(st.text())
def test_numbers_are_printable_ascii(text: str) -> None:
    assert all(" " <= character <= "~" for character in printable_ascii(text))


# --- dates -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("basis", "zone", "expected"),
    [
        ("billing_date", "Sydney", date(2026, 7, 30)),
        ("period_end", "Sydney", date(2026, 7, 31)),
        ("submitted", "Sydney", date(2026, 7, 29)),  # 28 July 23:30 UTC
        ("submitted", "London", date(2026, 7, 29)),
        ("submitted", "Eastern Time (US & Canada)", date(2026, 7, 28)),
        ("approved", "Auckland", date(2026, 8, 3)),  # 2 August 22:00 UTC
        ("approved", "Pacific/Honolulu", date(2026, 8, 2)),
    ],
)
def test_date_bases(basis: str, zone: str, expected: date) -> None:
    books = chart(bill=BillFlow(date=basis))  # type: ignore[arg-type]
    dated = claim(WORK, billing_date=date(2026, 7, 30))
    assert bill(dated, books, zone=zone).bill_date == expected


@pytest.mark.parametrize(
    ("basis", "field"),
    [
        ("billing_date", "billing_date"),
        ("period_end", "period_end"),
        ("submitted", "submitted_at"),
        ("approved", "approved_at"),
    ],
)
def test_a_missing_date_is_named_by_its_basis(basis: str, field: str) -> None:
    books = chart(bill=BillFlow(date=basis))  # type: ignore[arg-type]
    assert gaps(claim(WORK, **{field: None}), books) == [("date_missing", basis)]


def test_an_unknown_zone_matters_only_where_an_instant_is_read() -> None:
    assert bill(claim(WORK), chart(), zone="Mars").bill_date == date(2026, 7, 31)
    books = chart(bill=BillFlow(date="submitted"))
    assert gaps(claim(WORK), books, zone="Mars") == [("date_missing", "submitted")]


@pytest.mark.parametrize("name", ["Mars", "../etc/passwd", "Australia", "/"])
def test_zones_that_are_none(name: str) -> None:
    assert zone_named(name) is None


def test_daylight_saving_is_the_zones_own() -> None:
    sydney = zone_named("Sydney")
    assert sydney is not None
    assert local_day(datetime(2026, 1, 1, 13, 0, tzinfo=UTC), sydney) == date(2026, 1, 2)
    assert local_day(datetime(2026, 7, 1, 13, 30, tzinfo=UTC), sydney) == date(2026, 7, 1)


# --- mark --------------------------------------------------------------------------------------


def test_the_bill_carries_the_claims_page_with_our_mark() -> None:
    url = "https://app.procore.test/7/project/contracts/requisitions/55"
    assert bill(claim(WORK), chart()).url == f"{url}?onecore=main.1"
    assert bill(claim(WORK), chart(), part="adjust:2", version=3).url == f"{url}?onecore=adjust:2.3"


def test_a_mark_joins_a_query_and_replaces_an_older_one() -> None:
    url = "https://p.test/7/project/contracts/requisitions/55?tab=detail&onecore=main.1#top"
    assert mark_url(url, version=2) == (
        "https://p.test/7/project/contracts/requisitions/55?tab=detail&onecore=main.2#top"
    )


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://p.test/7/project/contracts/requisitions/55",
        "https://p.test/7/project/contracts/requisitions/55?onecore=main",
        "https://p.test/7/project/contracts/requisitions/?onecore=main.1",
        "https://p.test/somewhere/else?onecore=main.1",
        "https://p.test/7/project/contracts/requisitions/55/edit?onecore=main.1",
        "http://[broken?onecore=main.1",
        "not a link at all",
    ],
)
def test_a_strangers_link_bears_no_mark(url: str) -> None:
    assert read_mark(url) is None


@limits(deadline=None)  # the machine is shared
@given(
    st.integers(1, 2**53),
    st.integers(1, 2**53),
    st.one_of(
        st.sampled_from(["main", "credit"]),
        st.integers(0, 99).map(lambda n: f"retention:{n}"),
    ),
    st.integers(1, 999),
    st.sampled_from(["", "?a=b", "?q=%C3%A9&x=", "#top"]),
)
def test_a_mark_reads_back(project: int, id: int, part: str, version: int, tail: str) -> None:
    url = f"https://p.test/webclients/host/{project}/project/contracts/requisitions/{id}{tail}"
    marked = mark_url(url, part, version)
    assert read_mark(marked) == Mark(ProjectId(project), RequisitionId(id), part, version)
    assert mark_url(marked, part, version) == marked


# --- status and text ---------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["DRAFT", "SUBMITTED", "AUTHORISED"])
def test_the_status_is_the_settings(status: str) -> None:
    books = chart(bill=BillFlow(status=status))  # type: ignore[arg-type]
    assert bill(claim(WORK), books).status is BillStatus(status)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Slab pour\r\n level 2\x00", "Slab pour level 2"),
        ("  zero\u200bwidth and\u00a0space ", "zerowidth and space"),
        ("broken \ud800 half", "broken half"),
        ("Beton – Größe 4 m² 😀", "Beton – Größe 4 m² 😀"),
        ("\n\t\x07", "Concrete works"),
        ("", "Concrete works"),
    ],
)
def test_descriptions_are_cleaned(text: str, expected: str) -> None:
    assert description(text, "Concrete works") == expected


def test_descriptions_are_cut_at_what_xero_takes() -> None:
    assert description("x" * 4001) == "x" * 4000
    assert description("😀" * 2001) == "😀" * 2000  # two UTF-16 units each
    assert description("x" + "😀" * 2000) == "x" + "😀" * 1999


def test_a_line_without_description_takes_its_cost_codes_name() -> None:
    made = bill(claim(line("1", description=" ")), chart())
    assert made.lines[0].description == "Name of 03-300"


def test_retention_lines_name_the_claim() -> None:
    made = bill(claim(WORK, number=4), chart())
    assert made.lines[1].description == "Retention held on SC-007-01 claim 4"
    made = bill(claim(line("0", released="50"), number=5), chart())
    assert made.lines[0].description == "Retention released on SC-007-01 claim 5"
