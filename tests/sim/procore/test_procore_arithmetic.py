"""The sums of claims: the tutorial's example, the trade's sequence, what holds always."""

from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onecore_sim.procore.arithmetic import (
    ZERO,
    Asked,
    Balance,
    Item,
    Movement,
    Rule,
    after,
    movements,
    percentage,
    summary,
    tax,
)

D = Decimal
TEN = Rule(D(10))


def claimed(asked: Asked, balance: Balance, rule: Rule, so_far: D = ZERO) -> Movement:
    return movements([asked], [balance], rule, so_far)[0]


def sequence(rule: Rule, asked: Sequence[Asked], scheduled: D) -> list[tuple[D, D, D]]:
    """(gross, retained, payment due) of each claim on a contract of one line."""
    balance, so_far, seen = Balance(), D(0), []
    for one in asked:
        moved = claimed(one, balance, rule, so_far)
        due = summary([Item(scheduled, balance, moved)]).current_payment_due
        seen.append((moved.gross, moved.retained, due))
        so_far += moved.work_retained + moved.materials_retained
        balance = after(balance, moved)
    return seen


def test_the_tutorials_worked_example() -> None:
    """50,000 and 5,000 of changes, 53,000 done with 1,000 of it stored, 5,300 held."""
    contract = Item(
        D(50000), Balance(), Movement(work=D(47000), new_materials=D(1000), work_retained=D(4700),
                                      materials_retained=D(100)),
    )  # fmt: skip
    change = Item(
        D(5000), Balance(), Movement(work=D(5000), work_retained=D(500)), is_change_order=True
    )
    whole = summary([contract, change])
    assert whole.original_contract_sum == D(50000)
    assert whole.net_change_by_change_orders == D(5000)
    assert whole.contract_sum_to_date == D(55000)
    assert whole.total_completed_and_stored_to_date == D(53000)
    assert whole.completed_work_retainage_amount == D(5200)
    assert whole.stored_materials_retainage_amount == D(100)
    assert whole.total_retainage == D(5300)
    assert whole.total_earned_less_retainage == D(47700)
    assert whole.current_payment_due == D(47700)
    assert whole.balance_to_finish_including_retainage == D(7300)
    assert whole.percent_complete == D("96.36")
    assert whole.completed_work_retainage_percent == D(10)
    assert whole.stored_materials_retainage_percent == D(10)


def test_the_claim_after_it_has_nothing_due_when_nothing_was_done() -> None:
    done = Balance(work=D(52000), stored=D(1000), work_retained=D(5200), materials_retained=D(100))
    whole = summary([Item(D(55000), done, Movement())])
    assert whole.less_previous_certificates_for_payment == D(47700)
    assert whole.current_payment_due == 0
    assert whole.balance_to_finish_including_retainage == D(7300)


def test_two_claims_and_two_releases() -> None:
    asked = [
        Asked(work=D(100000)),
        Asked(work=D(60000)),
        Asked(work_released=D(8000)),
        Asked(work_released=D(8000)),
    ]
    assert sequence(TEN, asked, D(160000)) == [
        (D(100000), D(10000), D(90000)),
        (D(60000), D(6000), D(54000)),
        (D(0), D(-8000), D(8000)),
        (D(0), D(-8000), D(8000)),
    ]


def test_the_sliding_scale_stops_at_its_ceiling() -> None:
    """10 % until 5 % of 400,000 is held."""
    asked = [Asked(work=D(120000)), Asked(work=D(90000)), Asked(work=D(150000))]
    seen = sequence(Rule(D(10), D(20000)), asked, D(400000))
    assert [retained for _, retained, _ in seen] == [D(12000), D(8000), D(0)]
    assert [due for _, _, due in seen] == [D(108000), D(82000), D(150000)]


def test_a_release_makes_no_room_under_the_ceiling() -> None:
    asked = [Asked(work=D(200000)), Asked(work_released=D(10000)), Asked(work=D(50000))]
    seen = sequence(Rule(D(10), D(20000)), asked, D(400000))
    assert [retained for _, retained, _ in seen] == [D(20000), D(-10000), D(0)]


def test_the_ceiling_is_shared_by_the_lines_in_order() -> None:
    asked = [Asked(work=D(700), new_materials=D(100)), Asked(work=D(900))]
    first, second = movements(asked, [Balance(), Balance()], Rule(D(10), D(100)), D(0))
    assert (first.work_retained, first.materials_retained) == (D(70), D(10))
    assert second.work_retained == D(20)


def test_a_negative_claim_gives_its_retainage_back() -> None:
    seen = sequence(TEN, [Asked(work=D(1000)), Asked(work=D(-400))], D(1000))
    assert seen[1] == (D(-400), D(-40), D(-360))


def test_a_negative_claim_makes_room_under_the_ceiling() -> None:
    asked = [Asked(work=D(1000)), Asked(work=D(-400)), Asked(work=D(1000))]
    seen = sequence(Rule(D(10), D(100)), asked, D(5000))
    assert [retained for _, retained, _ in seen] == [D(100), D(-40), D(40)]


def test_a_wholly_retained_claim_has_nothing_due() -> None:
    assert sequence(Rule(D(100)), [Asked(work=D(500))], D(500)) == [(D(500), D(500), D(0))]


def test_materials_move_into_work_with_their_retainage() -> None:
    bought = claimed(Asked(new_materials=D(300)), Balance(), TEN)
    stored = after(Balance(), bought)
    assert (stored.stored, stored.materials_retained) == (D(300), D(30))
    moved = claimed(Asked(work=D(50), materials_moved=D(100)), stored, TEN)
    assert moved.materials_retained_moved == D(10)
    item = Item(D(1000), stored, moved)
    assert item.work_from_previous == D(100)
    assert item.work_retained_from_previous == D(10)
    assert item.materials_retained_from_previous == D(20)
    assert item.after == Balance(D(150), D(200), D(15), D(20))
    assert (moved.gross, moved.retained) == (D(50), D(5))


def test_the_last_of_the_materials_takes_all_their_retainage() -> None:
    odd = Balance(stored=D(100), materials_retained=D("3.33"))
    moved = claimed(Asked(materials_moved=D(100)), odd, TEN)
    assert moved.materials_retained_moved == D("3.33")
    third = claimed(Asked(materials_moved=D(33)), odd, TEN)
    assert third.materials_retained_moved == D("1.10")


def test_an_entered_amount_or_percent_beats_the_rule() -> None:
    assert claimed(Asked(work=D(100), work_retained=D(7)), Balance(), TEN).work_retained == D(7)
    assert claimed(Asked(work=D(100), work_percent=D(5)), Balance(), TEN).work_retained == D(5)
    assert claimed(Asked(work=D(100), work_percent=D(0)), Balance(), TEN).work_retained == 0


@pytest.mark.parametrize(
    ("amount", "held"), [("0.05", "0.01"), ("-0.05", "-0.01"), ("0.04", "0"), ("1234.55", "123.46")]
)
def test_retainage_rounds_half_away_from_zero(amount: str, held: str) -> None:
    assert claimed(Asked(work=D(amount)), Balance(), TEN).work_retained == D(held)


def test_tax_is_rounded_once() -> None:
    parts = [(D("0.04"), D(10)), (D("0.04"), D(10)), (D("0.04"), D(10))]
    assert tax(parts) == D("0.01")
    assert tax([]) == 0


def test_a_percentage_of_nothing_is_nothing() -> None:
    assert percentage(D(5), D(0)) == 0


amounts = st.decimals(min_value=-100000, max_value=100000, places=2)
some = st.decimals(min_value=0, max_value=5000, places=2)
rules = st.builds(
    Rule,
    percent=st.decimals(min_value=0, max_value=100, places=2),
    ceiling=st.none() | st.decimals(min_value=0, max_value=50000, places=2),
)
claims = st.lists(
    st.tuples(
        st.builds(Asked, work=amounts, new_materials=some, work_released=some,
                  materials_released=some),
        st.booleans(),
    ),
    min_size=1, max_size=5,
)  # fmt: skip


@given(rules, st.lists(claims, min_size=1, max_size=4))
def test_gross_less_retainage_is_the_payment_due(
    rule: Rule, lines: list[list[tuple[Asked, bool]]]
) -> None:
    """Over any sequence of claims on any lines, and line by line from the items' fields."""
    count = max(len(line) for line in lines)
    balances, so_far = [Balance()] * len(lines), D(0)
    for n in range(count):
        asked = []
        for line, balance in zip(lines, balances, strict=True):
            one, moves = line[n] if n < len(line) else (Asked(), False)
            moved = balance.stored if moves else D(0)
            asked.append(
                Asked(one.work, one.new_materials, moved, one.work_released, one.materials_released)
            )
        moved_all = movements(asked, balances, rule, so_far)
        items = [Item(D(0), b, m) for b, m in zip(balances, moved_all, strict=True)]
        whole = summary(items)
        gross = sum(i.after.completed_and_stored - i.before.completed_and_stored for i in items)
        held = sum(i.after.retained - i.before.retained for i in items)
        assert gross - held == whole.current_payment_due
        assert gross == sum(m.gross for m in moved_all)
        assert held == sum(
            m.work_retained + m.materials_retained - m.work_released - m.materials_released
            for m in moved_all
        )
        so_far += sum(m.work_retained + m.materials_retained for m in moved_all)
        if rule.ceiling is not None:
            assert so_far <= max(rule.ceiling, D(0)) + 0
        balances = [i.after for i in items]
