"""The step for one document, case by case: what is there, what the source says, who said what."""

from collections.abc import Mapping
from typing import Any

import pytest

from onecore.domain.settings import Policies
from onecore.sync.decide import (
    Agreed,
    Ask,
    Case,
    Create,
    Drifted,
    Hold,
    Nothing,
    Remove,
    Source,
    Step,
    Target,
    TargetState,
    Unlink,
    Update,
    Waiting,
    decide,
)

BASE = {
    "contact": "smith",
    "number": "INV-1",
    "bill_date": "2026-09-01",
    "due_date": "2026-10-01",
    "line.item:1.amount": "100",
    "line.item:1.description": "Slab",
    "line.item:1.account": "310",
    "line.item:1.tax": "",
    "line.item:1.tracking": "a:b",
}
THERE = {**BASE, "line.item:1.tax": "INPUT"}
Fields = Mapping[str, str]


def step(
    source: Source = Source.POSTING,
    state: TargetState | None = TargetState.APPROVED,
    wanted: Fields | None = BASE,
    there: Fields = THERE,
    agreed: Agreed | None = None,
    locked: bool = False,
    said: Mapping[str, str] | None = None,
    **policies: Any,
) -> Step:
    answers = said or {}
    target = Target(state, there, locked) if state is not None else None
    return decide(
        Case(
            source=source,
            wanted=wanted,
            agreed=(agreed or Agreed(BASE, THERE)) if state is not None else None,
            target=target,
            policies=Policies(**policies),
            said=lambda code, fields: answers.get(code, ""),
        )
    )


def changed(fields: Fields, **more: str) -> dict[str, str]:
    return {**fields, **more}


AMOUNT = "line.item:1.amount"


# --- nothing is there yet ---------------------------------------------------------------------


def test_what_is_not_there_is_made_once_the_source_posts() -> None:
    assert step(state=None) == Create()
    assert step(source=Source.REOPENED, state=None, wanted=None) == Unlink()


# --- both are there ---------------------------------------------------------------------------


@pytest.mark.parametrize("state", [TargetState.OPEN, TargetState.APPROVED, TargetState.FROZEN])
def test_nothing_moved_is_nothing_to_do(state: TargetState) -> None:
    assert step(state=state) == Nothing()
    assert step(state=state, locked=True) == Nothing()


@pytest.mark.parametrize(
    ("name", "there", "open_", "approved"),
    [
        (AMOUNT, "110", "drift", "drift"),
        ("number", "INV-9", "drift", "drift"),
        ("contact", "rossi", "drift", "drift"),
        ("bill_date", "2026-09-05", "drift", "drift"),
        ("due_date", "2026-11-01", "drift", "kept"),
        ("line.item:1.account", "429", "kept", "kept"),
        ("line.item:1.tax", "EXEMPT", "kept", "kept"),
        ("line.item:1.tracking", "", "kept", "kept"),
        ("line.item:1.description", "Slab B", "kept", "kept"),
    ],
)
def test_whose_word_holds_for_a_field_changed_there(
    name: str, there: str, open_: str, approved: str
) -> None:
    for state, outcome in ((TargetState.OPEN, open_), (TargetState.APPROVED, approved)):
        found = step(state=state, there={**THERE, name: there})
        if outcome == "drift":
            assert isinstance(found, Drifted)
            assert found.fields == {name}
        else:
            assert found == Nothing()


@pytest.mark.parametrize("name", ["line.item:1.account", "line.item:1.description", "due_date"])
def test_coding_moves_here_until_somebody_there_takes_it(name: str) -> None:
    moved = changed(BASE, **{name: "new"})
    assert step(wanted=moved) == Update(frozenset({name}))
    assert step(wanted=moved, there={**THERE, name: "theirs"}) == Nothing()


def test_an_amount_and_a_recoding_of_the_same_line_do_not_meet() -> None:
    moved = changed(BASE, **{AMOUNT: "120"})
    recoded = {**THERE, "line.item:1.account": "429"}
    assert step(wanted=moved, there=recoded) == Update(frozenset({AMOUNT}))


def test_the_same_change_on_both_sides_is_agreement() -> None:
    moved = changed(BASE, **{AMOUNT: "120"})
    assert step(wanted=moved, there={**THERE, AMOUNT: "120"}) == Nothing()


def test_drift_by_answer_and_by_policy() -> None:
    there = {**THERE, AMOUNT: "110"}
    restored = Update(frozenset({AMOUNT}), frozenset({AMOUNT}))
    assert step(there=there, said={"drifted": "restore"}) == restored
    assert step(there=there, drift="restore") == restored
    assert step(there=there, said={"drifted": "accept"}) == Nothing(accepted=True)
    assert step(there=there, drift="accept") == Nothing(accepted=True)


def test_a_drift_restored_once_is_a_question_whatever_the_policy() -> None:
    there = {**THERE, AMOUNT: "110"}
    found = step(there=there, said={"drifted": "restored"}, drift="restore")
    assert isinstance(found, Drifted)


def test_accepting_a_drift_still_sends_what_moved_here() -> None:
    moved, there = changed(BASE, number="INV-2"), {**THERE, AMOUNT: "110"}
    assert step(wanted=moved, there=there, drift="accept") == Update(frozenset({"number"}))
    assert step(wanted=moved, there=there, said={"drifted": "accept"}) == Update(
        frozenset({"number"})
    )


# --- frozen and locked ------------------------------------------------------------------------


def test_a_paid_bill_is_never_sent_to() -> None:
    moved = changed(BASE, **{AMOUNT: "120", "line.item:1.account": "311"})
    found = step(state=TargetState.FROZEN, wanted=moved)
    assert isinstance(found, Ask)
    assert (found.code, set(found.fields)) == ("paid_bill_changed", {AMOUNT})
    settled = step(state=TargetState.FROZEN, wanted=moved, said={"paid_bill_changed": "accept"})
    assert settled == Nothing(accepted=True)
    coding = changed(BASE, **{"line.item:1.account": "311"})
    assert step(state=TargetState.FROZEN, wanted=coding) == Nothing()


def test_a_drift_restored_on_a_paid_bill_is_a_question_of_its_own() -> None:
    there = {**THERE, "number": "INV-9"}
    found = step(state=TargetState.FROZEN, there=there, said={"drifted": "restore"})
    assert isinstance(found, Ask)
    assert found.code == "paid_bill_changed"


def test_a_locked_bill_is_held_or_asked_about_and_a_draft_is_neither() -> None:
    moved = changed(BASE, **{AMOUNT: "120"})
    held = step(wanted=moved, locked=True)
    assert isinstance(held, Hold)
    assert [gap.code for gap in held.gaps] == ["period_locked"]
    asked = step(wanted=moved, locked=True, locked_period="shift")
    assert isinstance(asked, Ask)
    assert asked.code == "locked_bill_changed"
    assert step(
        wanted=moved, locked=True, locked_period="shift", said={"locked_bill_changed": "accept"}
    ) == Nothing(accepted=True)
    assert step(wanted=moved, locked=True, state=TargetState.OPEN) == Update(frozenset({AMOUNT}))
    recoded = changed(BASE, **{"line.item:1.account": "311"})
    assert step(wanted=recoded, locked=True) == Nothing()


# --- gone there -------------------------------------------------------------------------------


def test_a_bill_gone_there_while_the_claim_stands() -> None:
    found = step(state=TargetState.GONE)
    assert isinstance(found, Ask)
    assert found.code == "voided_there"
    assert step(state=TargetState.GONE, said={"voided_there": "post_again"}) == Create()
    assert step(state=TargetState.GONE, said={"voided_there": "leave"}) == Nothing(accepted=True)


@pytest.mark.parametrize("source", [Source.REOPENED, Source.EMPTY, Source.DELETED])
def test_a_bill_gone_there_without_a_standing_claim_is_let_go_unless_it_was_left(
    source: Source,
) -> None:
    assert step(source=source, state=TargetState.GONE, wanted=None) == Unlink()
    left = step(source=source, state=TargetState.GONE, wanted=None, said={"voided_there": "leave"})
    assert left == Nothing(accepted=True)


# --- withdrawn here ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "code", "policy"),
    [
        (Source.REOPENED, "source_reopened", "source_reopened"),
        (Source.DELETED, "source_deleted", "source_deleted"),
        (Source.EMPTY, "nothing_due_now", ""),
    ],
)
def test_what_becomes_of_a_bill_whose_claim_went(source: Source, code: str, policy: str) -> None:
    ask: dict[str, Any] = {policy: "ask"} if policy else {}
    found = step(source=source, wanted=None, **ask)
    assert isinstance(found, Ask)
    assert found.code == code
    assert [c.code for c in found.choices] == ["keep", "void"]
    assert step(source=source, wanted=None, said={code: "void"}, **ask) == Remove(answered=True)
    assert isinstance(step(source=source, wanted=None, said={code: "keep"}, **ask), Waiting)
    if policy:
        void: dict[str, Any] = {policy: "void"}
        assert step(source=source, wanted=None, **void) == Remove()


@pytest.mark.parametrize("source", [Source.REOPENED, Source.DELETED, Source.EMPTY])
@pytest.mark.parametrize("trouble", ["paid", "locked"])
def test_a_paid_or_locked_bill_is_never_voided(source: Source, trouble: str) -> None:
    state = TargetState.FROZEN if trouble == "paid" else TargetState.APPROVED
    code = {
        Source.REOPENED: "source_reopened", Source.DELETED: "source_deleted",
        Source.EMPTY: "nothing_due_now",
    }[source]  # fmt: skip
    for said in ({}, {code: "void"}):
        found = step(
            source=source, state=state, locked=trouble == "locked", wanted=None, said=said,
            source_reopened="void", source_deleted="void",
        )  # fmt: skip
        assert isinstance(found, Ask)
        assert found.code.endswith(f"_but_{trouble}")
        assert [c.code for c in found.choices] == ["keep", "look_again"]


def test_a_draft_in_a_locked_period_can_go() -> None:
    assert step(
        source=Source.DELETED, state=TargetState.OPEN, locked=True, wanted=None,
        source_deleted="void",
    ) == Remove()  # fmt: skip


def test_reopened_waits_by_default_and_a_kept_bill_stays_kept_once_it_is_paid() -> None:
    assert step(source=Source.REOPENED, wanted=None) == Waiting("reopened")
    kept = step(
        source=Source.DELETED,
        state=TargetState.FROZEN,
        wanted=None,
        said={"source_deleted": "keep"},
    )
    assert kept == Waiting("kept")
