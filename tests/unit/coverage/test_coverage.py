"""What share of live contract value would post, and what keeps the rest."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.domain import books

from onecore.domain.coverage import Coverage, LiveLine, Stake, coverage, gap_finder, line_gaps
from onecore.domain.gaps import Gap
from onecore.domain.ids import AccountCode, CommitmentId, VendorId
from onecore.domain.settings import CodeRule, RetentionSide

ON = date(2026, 8, 3)
ONE, TWO, THREE = CommitmentId(1), CommitmentId(2), CommitmentId(3)


def live(amount: str, contract: CommitmentId = ONE, **more: Any) -> LiveLine:
    code = more.pop("cost_code", "03-300")
    parts: dict[str, Any] = {
        "project": books.PROJECT,
        "vendor": books.VENDOR,
        "cost_code": books.code(code) if code else None,
        "cost_type": None,
    }
    return LiveLine(contract=contract, amount=Decimal(amount), **(parts | more))


def found(line: LiveLine, **settings: Any) -> list[tuple[str, str]]:
    return [(gap.code, gap.subject) for gap in line_gaps(line, books.chart(**settings), ON)]


# --- sums ---------------------------------------------------------------------------------------


def test_gaps_come_by_value_with_their_contracts() -> None:
    vendor = Gap("vendor_unmapped", "13", "Acme has no contact.")
    code = Gap("cost_code_unmapped", "09-900")
    gaps = {ONE: (), TWO: (vendor,), THREE: (vendor, code)}
    lines = [
        live("60000.00"),
        live("20000.00", TWO),
        live("15000.00", THREE),
        live("5000.00", THREE),
    ]
    assert coverage(lines, lambda line: gaps[line.contract]) == Coverage(
        share=Decimal("0.6000"),
        total=Decimal("100000.00"),
        covered=Decimal("60000.00"),
        gaps=(
            Stake(vendor, Decimal("40000.00"), (TWO, THREE)),
            Stake(code, Decimal("20000.00"), (THREE,)),
        ),
        contracts=3,
        ready_contracts=1,
    )


def test_a_negative_line_counts_by_its_size() -> None:
    gap = Gap("cost_code_unmapped", "99")
    lines = [live("900.00"), live("-100.00", cost_code="99")]
    result = coverage(lines, lambda line: (gap,) if line.amount < 0 else ())
    assert (result.share, result.total) == (Decimal("0.9000"), Decimal("1000.00"))
    assert result.gaps == (Stake(gap, Decimal("100.00"), (ONE,)),)
    assert result.ready_contracts == 0


def test_the_share_is_one_only_when_nothing_is_missing() -> None:
    gap = Gap("cost_code_unmapped", "99")
    lines = [live("99999999.00"), live("0.01", TWO)]
    result = coverage(lines, lambda line: (gap,) if line.contract == TWO else ())
    assert result.share == Decimal("0.9999")
    assert coverage(lines, lambda line: ()).share == 1


def test_nothing_live_is_covered_and_nothing_of_value_with_a_gap_is_not() -> None:
    gap = Gap("vendor_unmapped", "13")
    assert coverage([], lambda line: (gap,)).share == 1
    assert coverage([live("0.00")], lambda line: (gap,)).share == 0
    assert coverage([live("0.00")], lambda line: ()).share == 1


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(-999, 999), st.booleans()), max_size=12))
def test_what_is_covered_and_what_waits_make_the_total(rows: list[tuple[int, int, bool]]) -> None:
    gap = Gap("vendor_unmapped", "13")
    lines = [
        live(f"{amount}.50", CommitmentId(contract), retains=bad) for contract, amount, bad in rows
    ]
    result = coverage(lines, lambda line: (gap,) if line.retains else ())
    waiting = sum((stake.value for stake in result.gaps), Decimal(0))
    assert result.covered + waiting == result.total
    assert 0 <= result.share <= 1
    assert (result.share == 1) == (not result.gaps)


# --- the rules are translation's own ------------------------------------------------------------


def test_a_line_with_everything_mapped_has_no_gap() -> None:
    assert found(live("100.00")) == []
    assert found(live("100.00", retains=True)) == []


def test_a_vendor_without_a_contact() -> None:
    assert found(live("1.00", vendor=VendorId(13))) == [("vendor_unmapped", "13")]


def test_a_contract_without_a_vendor() -> None:
    assert found(live("1.00", TWO, vendor=None)) == [("vendor_missing", "2")]


def test_a_cost_code_without_an_account() -> None:
    rules = (CodeRule("03-*", expense=AccountCode("311")),)
    assert found(live("1.00"), codes=rules) == []
    assert found(live("1.00", cost_code="09-900"), codes=rules) == [
        ("cost_code_unmapped", "09-900")
    ]


def test_a_line_without_a_cost_code() -> None:
    assert found(live("1.00", cost_code=None)) == [("uncoded_unmapped", "uncoded")]


def test_an_account_that_is_archived() -> None:
    accounts = books.accounts("AU")
    gone = AccountCode("311")
    accounts[gone] = replace(accounts[gone], active=False)
    assert found(live("1.00"), accounts=accounts) == [("account_archived", "311")]


def test_retention_needs_its_account_only_where_it_is_held() -> None:
    bare = RetentionSide()
    assert found(live("1.00"), payable=bare) == []
    assert found(live("1.00", retains=True), payable=bare) == [
        ("retention_account_missing", "payable")
    ]


def test_a_project_without_its_tracking_option() -> None:
    assert found(live("1.00"), tracking=books.TRACKED, project=None) == [
        ("tracking_option_missing", "project:7")
    ]


def test_several_gaps_of_one_line_come_together() -> None:
    both = live("1.00", vendor=VendorId(13), cost_code=None)
    assert sorted(code for code, _ in found(both)) == ["uncoded_unmapped", "vendor_unmapped"]


def test_a_day_before_cut_over_is_moved_to_it() -> None:
    """Otherwise nothing before the start would have a gap, and all would look ready."""
    line = live("1.00", vendor=VendorId(13))
    assert line_gaps(line, books.chart(cut_over=date(2030, 1, 1)), ON)[0].code == "vendor_unmapped"


def test_a_row_that_starts_later_does_not_serve_today() -> None:
    rules = (CodeRule("*", expense=AccountCode("310"), start=date(2026, 9, 1)),)
    assert found(live("1.00"), codes=rules) == [("cost_code_unmapped", "03-300")]


# --- the finder ---------------------------------------------------------------------------------


def test_lines_alike_are_translated_once_and_told_apart_where_they_differ() -> None:
    chart = books.chart()
    finder = gap_finder(lambda line: chart, ON)
    first = finder(live("5.00", vendor=VendorId(13)))
    assert finder(live("7.00", TWO, vendor=VendorId(13))) is first
    assert finder(live("7.00", TWO)) == ()
    assert [g.subject for g in finder(live("1.00", ONE, vendor=None))] == ["1"]
    assert [g.subject for g in finder(live("1.00", TWO, vendor=None))] == ["2"]


def test_a_project_without_books_is_a_gap() -> None:
    nowhere = Gap("organisation_missing", "7")
    assert gap_finder(lambda line: nowhere, ON)(live("1.00")) == (nowhere,)


def test_a_whole_workspace() -> None:
    chart = books.chart(codes=(CodeRule("03-*", expense=AccountCode("311")),))
    lines = [
        live("70000.00"),
        live("20000.00", TWO, cost_code="09-900"),
        live("10000.00", THREE, vendor=VendorId(13)),
    ]
    result = coverage(lines, gap_finder(lambda line: chart, ON))
    assert result.share == Decimal("0.7000")
    assert [(s.gap.code, s.value, s.contracts) for s in result.gaps] == [
        ("cost_code_unmapped", Decimal("20000.00"), (TWO,)),
        ("vendor_unmapped", Decimal("10000.00"), (THREE,)),
    ]
