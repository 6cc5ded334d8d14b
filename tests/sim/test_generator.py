"""The made-up builder holds together: the same seed gives the same, and the money adds up."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import pairwise
from time import process_time

import pytest

from onecore_sim.builder import Builder, Claim, Commitment
from onecore_sim.generator import abn_is_valid, builder

TODAY = date(2026, 8, 14)
SIZES = ("tiny", "demo", "3")


def commitments(made: Builder) -> Iterator[Commitment]:
    for project in made.projects:
        yield from project.commitments


def claims(made: Builder, status: str) -> list[tuple[Commitment, Claim]]:
    return [(c, x) for c in commitments(made) for x in c.claims if x.status == status]


def total(claim: Claim) -> Decimal:
    return sum((x.work + x.new_materials for x in claim.lines), Decimal(0))


@pytest.mark.parametrize("size", SIZES)
def test_the_same_seed_gives_the_same_builder(size: str) -> None:
    assert builder(size, 5, TODAY) == builder(size, 5, TODAY)
    assert builder(size, 5, TODAY) != builder(size, 6, TODAY)


def test_tiny_is_the_builder_of_the_examples() -> None:
    made = builder("tiny", 1, TODAY)
    (project,) = made.projects
    (commitment,) = project.commitments
    assert (project.id, project.number, project.name) == (7, "P-007", "Riverside")
    assert project.permitted and project.tracking_option == "P-007 Riverside"
    assert (commitment.id, commitment.number) == (31, "SC-007-001")
    assert commitment.retainage_percent == Decimal(10)
    assert sum(x.amount for x in commitment.lines) == Decimal(400_000)
    assert commitment.claims == ()
    assert len(made.parties) == 3 and all(x.contact_id for x in made.parties)
    assert len(made.cost_codes) == 3 and all(x.account for x in made.cost_codes)
    assert {"820R", "615R"} <= made.accounts.keys()


def test_the_demo_has_claims_to_approve_and_one_gap_to_fix() -> None:
    made = builder("demo", 1, TODAY)
    assert [x.permitted for x in made.projects] == [True, True, True, False]
    assert made.projects[0].name == "Riverside Apartments Stage 2"
    assert sum(1 for _ in commitments(made)) == 8
    assert sum(not x.is_customer for x in made.parties) == 12
    waiting = claims(made, "under_review")
    assert len(waiting) == 7
    contact_of = {x.vendor_id: x.contact_id for x in made.parties}
    without = {c.vendor_id for c, _ in waiting if contact_of[c.vendor_id] is None}
    assert len(without) == 1
    assert sum(x.contact_id is None for x in made.parties) == 1
    cut_over = TODAY.replace(day=1)
    assert all(cut_over <= x.billing_date <= TODAY for _, x in waiting)
    approved = claims(made, "approved")
    assert len(approved) > 10
    assert all(x.billing_date < cut_over for _, x in approved)
    assert any(c.max_retainage is not None for c in commitments(made))
    assert any(line.group == 1 for c in commitments(made) for line in c.lines)
    assert any(x.work_released for _, claim in waiting for x in claim.lines)
    assert any(x.new_materials for _, claim in approved for x in claim.lines)
    first = made.parties[0]
    assert (first.name, first.contact_name) == (
        "Smith Bros Concreting Pty Ltd",
        "Smith Brothers Concreting",
    )


@pytest.mark.parametrize("today", [date(2026, 1, 1), date(2028, 2, 29), date(2026, 12, 31)])
def test_claims_run_month_by_month_up_to_last_month(today: date) -> None:
    for commitment in commitments(builder("demo", 2, today)):
        *earlier, newest = commitment.claims
        assert (newest.period_end - newest.period_start).days in range(27, 31)
        assert 0 < (today.replace(day=1) - newest.period_end).days == 1
        assert newest.status in {"under_review", "draft"}
        assert {x.status for x in earlier} <= {"approved"}
        assert [x.number for x in commitment.claims] == list(range(1, len(earlier) + 2))
        for before, after in pairwise(commitment.claims):
            assert (after.period_start - before.period_end).days == 1
            assert before.period_end < before.billing_date < after.billing_date <= today


@pytest.mark.parametrize(("size", "seed"), [("demo", 1), ("demo", 7), ("12", 3), ("12", 4)])
def test_the_money_of_every_line_stays_within_its_schedule(size: str, seed: int) -> None:
    for commitment in commitments(builder(size, seed, TODAY)):
        amounts = {x.id: x.amount for x in commitment.lines}
        percent, cent = commitment.retainage_percent / 100, Decimal("0.01")
        done, stored, held = (defaultdict[int, Decimal](Decimal) for _ in range(3))
        for claim in commitment.claims:
            assert claim.lines, f"{commitment.number} claim {claim.number} claims nothing"
            for x in claim.lines:
                done[x.line_id] += x.work + x.new_materials
                stored[x.line_id] += x.new_materials - x.materials_moved
                held[x.line_id] += (x.work * percent).quantize(cent, "ROUND_HALF_UP")
                held[x.line_id] -= x.work_released
                assert 0 <= done[x.line_id] <= amounts[x.line_id]
                assert 0 <= stored[x.line_id] <= done[x.line_id]
                if x.work_released:
                    assert held[x.line_id] >= x.work_released - cent
                for amount in (x.work, x.new_materials, x.materials_moved, x.work_released):
                    assert amount == amount.quantize(cent)


def test_contracts_are_round_and_made_of_three_to_twelve_lines() -> None:
    for commitment in commitments(builder("20", 1, TODAY)):
        contract = [x for x in commitment.lines if x.group == 0]
        assert 3 <= len(contract) <= 12 and len(commitment.lines) <= 12
        assert sum(x.amount for x in contract) % 1000 == 0
        assert all(x.amount > 0 for x in commitment.lines)
        assert 6 <= len(commitment.claims) <= 10
        assert commitment.retainage_percent in {Decimal(5), Decimal(10)}


def test_a_big_builder_holds_the_rare_cases_but_few_of_them() -> None:
    made = builder("40", 1, TODAY)
    assert len(made.projects) == 40
    every = [(c, x) for c in commitments(made) for x in c.claims]
    below = [x for _, x in every if total(x) < 0]
    assert 0 < len(below) < len(every) / 100
    assert all(x.status == "approved" for x in below)
    assert all(x.contact_id for x in made.parties)
    assert len({x.name for x in made.projects}) == 40


@pytest.mark.parametrize("size", [*SIZES, "150"])
def test_ids_numbers_and_names_are_each_used_once(size: str) -> None:
    made = builder(size, 3, TODAY)
    ids = [x.vendor_id for x in made.parties]
    ids += [x.id for x in made.cost_codes] + [x.id for x in made.cost_types]
    ids += [x.id for x in made.projects]
    for c in commitments(made):
        ids += [c.id, *(x.id for x in c.lines), *(x.id for x in c.claims)]
    assert max(Counter(ids).values()) == 1
    for many in (
        [x.name for x in made.parties],
        [x.abn for x in made.parties],
        [x.number for x in made.projects],
        [c.number for c in commitments(made)],
        [
            (c.vendor_id, "".join(filter(str.isdigit, x.invoice_number)).lstrip("0"))
            for c in commitments(made)
            for x in c.claims
        ],
    ):
        assert len(many) == len(set(many))


@pytest.mark.parametrize("size", SIZES)
def test_every_reference_leads_somewhere(size: str) -> None:
    made = builder(size, 4, TODAY)
    codes, types = {x.id for x in made.cost_codes}, {x.id for x in made.cost_types}
    vendors = {x.vendor_id for x in made.parties}
    assert {x.account for x in made.cost_codes} <= made.accounts.keys()
    for c in commitments(made):
        assert c.vendor_id in vendors
        assert {x.cost_code_id for x in c.lines} <= codes
        assert {x.line_item_type_id for x in c.lines} <= types
        lines = {x.id for x in c.lines}
        assert all(x.line_id in lines for claim in c.claims for x in claim.lines)


def test_every_abn_passes_its_check() -> None:
    assert abn_is_valid("51 824 753 556")  # the tax office's own, its published example
    assert not abn_is_valid("51 824 753 565")
    assert not abn_is_valid("5182475355")
    made = builder("40", 2, TODAY)
    assert all(abn_is_valid(x.abn) for x in made.parties)


def test_there_are_enough_cost_codes_and_the_usual_cost_types() -> None:
    made = builder("demo", 1, TODAY)
    assert len(made.cost_codes) >= 40
    assert {"01-100", "03-300"} <= {x.code for x in made.cost_codes}
    assert {x.code: x.base_type for x in made.cost_types} == {
        "L": "labor",
        "M": "materials",
        "S": "commitment",
        "E": "equipment",
    }


def test_fifty_projects_are_quick() -> None:
    start = process_time()
    builder("50", 1, TODAY)
    assert process_time() - start < 2


@pytest.mark.parametrize("size", ["", "0", "-1", "big", "²"])
def test_an_unknown_size_is_refused(size: str) -> None:
    with pytest.raises(ValueError, match="A size is"):
        builder(size, 1, TODAY)
