"""Which account a line goes to: exact before prefix before all, whatever order rows stand in."""

from dataclasses import replace
from datetime import date
from itertools import permutations
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st
from tests.unit.domain.books import (
    LABOUR,
    MATERIAL,
    ORGANISATION,
    bill,
    chart,
    claim,
    gaps,
    line,
)

from onecore.domain.codes import expense_rule
from onecore.domain.ids import AccountCode, CostTypeId, OrganisationId
from onecore.domain.settings import CodeRule, Uncoded

DAY = date(2026, 7, 31)
ELSEWHERE = OrganisationId(UUID(int=99))


def row(cost_code: str, expense: str | None, **more: object) -> CodeRule:
    code = AccountCode(expense) if expense else None
    return replace(CodeRule(cost_code, expense=code), **more)  # type: ignore[arg-type]


def account_of(rows: tuple[CodeRule, ...], on: date | None = DAY, **more: object) -> str | None:
    found = expense_rule(rows, line("1", **more), ORGANISATION, on)  # type: ignore[arg-type]
    return found.expense if found else None


ROWS = (
    row("*", "300"),
    row("03-*", "301"),
    row("03-3*", "302"),
    row("03-300", "303"),
    row("03-300", "304", cost_type=LABOUR),
    row("03-300", "305", sub_job="A"),
    row("03-300", "306", cost_type=LABOUR, sub_job="A"),
    row("03-*", "307", cost_type=MATERIAL),
)
EXPECTED = [
    ({"cost_code": "09-100"}, "300"),
    ({"cost_code": "03-100"}, "301"),
    ({"cost_code": "03-310"}, "302"),
    ({"cost_code": "03-300"}, "303"),
    ({"cost_code": "03-300", "cost_type": LABOUR}, "304"),
    ({"cost_code": "03-300", "sub_job": "A"}, "305"),
    ({"cost_code": "03-300", "cost_type": LABOUR, "sub_job": "A"}, "306"),
    ({"cost_code": "03-300", "cost_type": MATERIAL}, "303"),  # exact before a prefix with type
    ({"cost_code": "03-310", "cost_type": MATERIAL}, "302"),  # longer before shorter with type
    ({"cost_code": "03-100", "cost_type": MATERIAL}, "307"),
    ({"cost_code": "03-300", "sub_job": "B"}, "303"),
]


@pytest.mark.parametrize(("coded", "expected"), EXPECTED)
def test_the_closest_row_wins(coded: dict[str, object], expected: str) -> None:
    assert account_of(ROWS, **coded) == expected


@limits(deadline=None)  # the machine is shared
@given(st.permutations(ROWS))
def test_row_order_means_nothing(rows: list[CodeRule]) -> None:
    for coded, expected in EXPECTED:
        assert account_of(tuple(rows), **coded) == expected


def test_a_row_without_expense_falls_through() -> None:
    rows = (row("03-300", None, revenue="200"), row("03-*", None), row("*", "300"))
    assert account_of(rows) == "300"


def test_a_row_starts_with_the_documents_date() -> None:
    rows = (row("03-300", "310"), row("03-300", "311", start=date(2026, 7, 1)))
    for order in permutations(rows):
        assert account_of(order, on=date(2026, 6, 30)) == "310"
        assert account_of(order, on=date(2026, 7, 1)) == "311"


def test_of_two_rows_begun_the_later_holds() -> None:
    rows = (row("*", "311", start=date(2026, 1, 1)), row("*", "312", start=date(2026, 6, 1)))
    for order in permutations(rows):
        assert account_of(order) == "312"


def test_before_any_row_starts_the_code_is_unmapped() -> None:
    books = chart(codes=(row("*", "310", start=date(2026, 9, 1)),))
    assert gaps(claim(line("1")), books) == [("cost_code_unmapped", "03-300")]


def test_rows_of_another_organisation_do_not_count_and_our_own_come_first() -> None:
    rows = (
        row("03-300", "310"),
        row("03-300", "311", organisation=ORGANISATION),
        row("03-300", "312", organisation=ELSEWHERE),
    )
    for order in permutations(rows):
        assert account_of(order) == "311"
    assert account_of(rows[2:]) is None


def test_a_projects_own_row_comes_before_the_workspaces_however_specific() -> None:
    rows = (row("03-300", "310", cost_type=LABOUR), row("*", "500", rank=1))
    for order in permutations(rows):
        assert account_of(order, cost_type=LABOUR) == "500"


def test_a_projects_row_without_expense_falls_through_to_the_workspaces() -> None:
    assert account_of((row("*", None, rank=1), row("03-300", "310"))) == "310"


def test_a_prefix_is_text_before_the_star() -> None:
    assert account_of((row("03-300*", "310"),), cost_code="03-300") == "310"
    assert account_of((row("03-300*", "310"),), cost_code="03-30") is None
    assert account_of((row("03-300", "310"),), cost_code="03-3000") is None


def test_unmapped_is_named_by_code_until_types_are_told_apart() -> None:
    both = (
        line("1", id=1, cost_code="05-100", cost_type=LABOUR),
        line("1", id=2, cost_code="05-100", cost_type=MATERIAL),
    )
    assert gaps(claim(*both), chart(codes=())) == [("cost_code_unmapped", "05-100")]
    typed = (row("05-100", "310", cost_type=CostTypeId(8)),)
    assert gaps(claim(*both), chart(codes=typed)) == [
        ("cost_code_unmapped", "05-100/3"),
        ("cost_code_unmapped", "05-100/4"),
    ]


def test_uncoded_lines_have_a_rule_of_their_own() -> None:
    uncoded = claim(line("1", cost_code=None))
    assert gaps(uncoded, chart()) == [("uncoded_unmapped", "uncoded")]
    made = bill(uncoded, chart(uncoded=Uncoded(expense=AccountCode("310"))))
    assert made.lines[0].account == "310"
    foreign = Uncoded(expense=AccountCode("310"), organisation=ELSEWHERE)
    assert gaps(uncoded, chart(uncoded=foreign)) == [("uncoded_unmapped", "uncoded")]


PATTERNS = st.text("01-", min_size=1, max_size=4)


@limits(deadline=None)  # the machine is shared
@given(
    st.lists(
        st.builds(
            row,
            st.one_of(PATTERNS, PATTERNS.map(lambda p: p + "*"), st.just("*")),
            st.sampled_from(["1", "2", None]),
            cost_type=st.sampled_from([None, LABOUR, MATERIAL]),
            sub_job=st.sampled_from([None, "A"]),
        ),
        max_size=12,
    ),
    PATTERNS,
    st.sampled_from([None, LABOUR]),
)
def test_the_row_found_fits_and_none_fits_closer(
    rows: list[CodeRule], text: str, cost_type: CostTypeId | None
) -> None:
    found = expense_rule(rows, line("1", cost_code=text, cost_type=cost_type), ORGANISATION, DAY)

    def fits(rule: CodeRule) -> bool:
        pattern = rule.cost_code
        by_code = text.startswith(pattern[:-1]) if pattern.endswith("*") else text == pattern
        typed = rule.cost_type in (None, cost_type)
        return by_code and typed and rule.sub_job is None and rule.expense is not None

    assert (found is None) == (not any(map(fits, rows)))
    if found is None:
        return
    assert fits(found)
    exact = not found.cost_code.endswith("*")
    for other in filter(fits, rows):
        if not other.cost_code.endswith("*"):
            assert exact
        elif not exact:
            assert len(other.cost_code) <= len(found.cost_code)
        if other.cost_code == found.cost_code and other.cost_type is not None:
            assert found.cost_type is not None
