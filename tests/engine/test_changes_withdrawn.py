"""Claims reopened, deleted, emptied or hidden: what becomes of their bills."""

from collections.abc import Sequence

import pytest

from onecore.domain.refs import SourceRef
from onecore.engine.use import glancing
from tests.desk import PROJECT, Desk, money
from tests.engine.changing import (
    choices,
    delete,
    edit,
    later,
    look,
    other_project,
    quiet,
    status,
    total,
    writes,
)


def posted(desk: Desk, *work: str) -> SourceRef:
    ref = desk.claim(*(work or ("10000.00",)), invoice_number="INV-0101")
    look(desk)
    assert desk.state_of(ref) == "in_step"
    return ref


def posted_many(desk: Desk, count: int) -> list[SourceRef]:
    made = desk.procore.do("bulk_claims", project_id=PROJECT, count=count)
    refs = [SourceRef.requisition(PROJECT, id_) for id_ in made["ids"]]
    look(desk)
    assert [desk.state_of(ref) for ref in refs] == ["in_step"] * count
    return refs


def absent_twice(desk: Desk, refs: Sequence[SourceRef]) -> None:
    """Look now and an hour later, as the engine does by itself."""
    look(desk, *refs)
    assert {desk.state_of(ref) for ref in refs} == {"waiting"}
    later(desk, minutes=59)
    look(desk)
    assert {desk.state_of(ref) for ref in refs} == {"waiting"}
    later(desk, minutes=2)
    look(desk)


def gone(desk: Desk) -> int:
    return sum(bill["status"] in ("VOIDED", "DELETED") for bill in desk.bills(include_gone=True))


# --- reopened ---------------------------------------------------------------------------------


def test_a_reopened_claim_waits_and_is_amended_when_approved_again(desk: Desk) -> None:
    ref = posted(desk)
    before = desk.bill_of(ref)
    status(desk, ref, "revise_and_resubmit")
    look(desk)
    assert desk.state_of(ref) == "waiting"
    assert desk.document(ref).note == "reopened"  # type: ignore[union-attr]
    assert total(desk.bill_of(ref)) == money("9900.00")
    edit(desk, ref, "12000.00")  # not approved yet, so nothing goes over
    look(desk)
    assert total(desk.bill_of(ref)) == money("9900.00")
    status(desk, ref, "approved")
    look(desk)
    assert desk.state_of(ref) == "in_step"
    assert desk.bill_of(ref)["id"] == before["id"]
    assert total(desk.bill_of(ref)) == money("11880.00")
    assert len(desk.bills(include_gone=True)) == 1


def test_reopened_by_question(desk: Desk) -> None:
    desk.set(source_reopened="ask")
    ref = posted(desk)
    status(desk, ref, "under_review")
    look(desk)
    assert desk.state_of(ref) == "ask"
    assert choices(desk, "source_reopened") == ["keep", "void"]
    desk.answer("source_reopened", "keep")
    look(desk)
    assert desk.state_of(ref) == "waiting"
    assert desk.attention() == []
    status(desk, ref, "approved")
    look(desk)
    assert desk.state_of(ref) == "in_step"
    assert gone(desk) == 0


def test_a_voided_claims_next_approval_gets_a_new_version_and_mark(desk: Desk) -> None:
    desk.set(source_reopened="void")
    ref = posted(desk)
    first = desk.bill_of(ref)
    assert first["url"].endswith("onecore=main.1")
    status(desk, ref, "under_review")
    look(desk)
    assert desk.bill(desk.links(ref)[0].target_id)["status"] == "VOIDED"
    assert desk.state_of(ref) == "withdrawn"
    status(desk, ref, "approved")
    look(desk)
    second = desk.bill_of(ref)
    assert second["id"] != first["id"]
    assert second["url"].endswith("onecore=main.2")
    assert second["number"] == first["number"] == "INV-0101"
    assert [link.version for link in desk.links(ref)] == [1, 2]
    assert desk.state_of(ref) == "in_step"
    assert len(desk.bills()) == 1


def test_a_draft_is_deleted_where_an_approved_bill_would_be_voided(desk: Desk) -> None:
    desk.set(source_reopened="void", flows__bill__status="DRAFT")
    ref = posted(desk)
    status(desk, ref, "draft")
    look(desk)
    assert desk.bill(desk.links(ref)[0].target_id)["status"] == "DELETED"
    assert desk.state_of(ref) == "withdrawn"


@pytest.mark.parametrize("policy", ["keep", "ask", "void"])
def test_reopened_but_paid_meanwhile_is_a_question(desk: Desk, policy: str) -> None:
    desk.set(source_reopened=policy)
    ref = posted(desk)
    desk.xero.do("pay", invoice_id=desk.bill_of(ref)["id"], amount="100.00")
    status(desk, ref, "under_review")
    look(desk)
    assert desk.state_of(ref) == "ask"
    assert choices(desk, "reopened_but_paid") == ["keep", "look_again"]
    desk.answer("reopened_but_paid", "keep")
    look(desk)
    assert desk.state_of(ref) == "waiting"
    assert desk.bill_of(ref)["status"] == "AUTHORISED"


def test_a_bill_a_person_voids_while_its_claim_is_open_is_let_go(desk: Desk) -> None:
    ref = posted(desk)
    status(desk, ref, "under_review")
    look(desk)
    desk.xero.do("void", invoice_id=desk.bill_of(ref)["id"])
    look(desk, ref)
    assert desk.state_of(ref) == "withdrawn"
    status(desk, ref, "approved")
    look(desk)
    assert desk.state_of(ref) == "in_step"
    assert desk.bill_of(ref)["url"].endswith("onecore=main.2")
    assert len(desk.bills()) == 1


# --- voided in Xero ---------------------------------------------------------------------------


def test_a_bill_voided_in_xero_is_asked_about_and_posted_again(desk: Desk) -> None:
    ref = posted(desk)
    first = desk.bill_of(ref)
    desk.xero.do("void", invoice_id=first["id"])
    later(desk, minutes=3)
    look(desk)  # found by the sweep
    assert desk.state_of(ref) == "ask"
    assert choices(desk, "voided_there") == ["post_again", "leave"]
    assert desk.bills() == []
    desk.answer("voided_there", "post_again")
    look(desk)
    assert desk.state_of(ref) == "in_step"
    second = desk.bill_of(ref)
    assert second["id"] != first["id"]
    assert second["url"].endswith("onecore=main.2")
    assert total(second) == money("9900.00")
    quiet(desk, ref)


def test_a_voided_bill_that_is_left_stays_left(desk: Desk) -> None:
    ref = posted(desk)
    desk.xero.do("void", invoice_id=desk.bill_of(ref)["id"])
    look(desk, ref)
    desk.answer("voided_there", "leave")
    look(desk)
    assert desk.state_of(ref) == "withdrawn"
    assert desk.attention() == []
    edit(desk, ref, "12000.00")
    look(desk)
    status(desk, ref, "under_review")
    look(desk)
    status(desk, ref, "approved")
    look(desk)
    assert desk.state_of(ref) == "withdrawn"
    assert desk.bills() == []


# --- deleted ----------------------------------------------------------------------------------


def test_a_deleted_claim_is_a_question_after_an_hour(desk: Desk) -> None:
    ref = posted(desk)
    delete(desk, ref)
    absent_twice(desk, [ref])
    assert desk.state_of(ref) == "ask"
    assert choices(desk, "source_deleted") == ["keep", "void"]
    desk.answer("source_deleted", "void")
    look(desk)
    assert desk.state_of(ref) == "withdrawn"
    assert desk.bill(desk.links(ref)[0].target_id)["status"] == "VOIDED"
    assert desk.attention() == []


def test_a_deleted_claims_bill_can_be_kept(desk: Desk) -> None:
    ref = posted(desk)
    delete(desk, ref)
    absent_twice(desk, [ref])
    desk.answer("source_deleted", "keep")
    look(desk)
    assert desk.state_of(ref) == "waiting"
    assert desk.attention() == []
    later(desk, hours=21)
    look(desk)  # the slow walk misses it again and asks nobody
    assert desk.attention() == []
    assert gone(desk) == 0


def test_the_slow_walk_finds_a_deleted_claim_and_policy_voids_it(desk: Desk) -> None:
    desk.set(source_deleted="void")
    ref = posted(desk)
    delete(desk, ref)
    look(desk)
    assert desk.state_of(ref) == "in_step"  # nothing tells of a deletion
    later(desk, hours=21)
    look(desk)
    assert desk.state_of(ref) == "waiting"
    assert gone(desk) == 0
    later(desk, minutes=61)
    look(desk)
    assert desk.state_of(ref) == "withdrawn"
    assert gone(desk) == 1


def test_a_deleted_claims_paid_bill_is_a_question_by_any_policy(desk: Desk) -> None:
    desk.set(source_deleted="void")
    ref = posted(desk)
    desk.xero.do("pay", invoice_id=desk.bill_of(ref)["id"])
    delete(desk, ref)
    absent_twice(desk, [ref])
    assert desk.state_of(ref) == "ask"
    assert choices(desk, "source_deleted_but_paid") == ["keep", "look_again"]
    assert desk.bill_of(ref)["status"] == "PAID"


def test_a_claim_that_comes_back_within_the_hour_was_never_gone(desk: Desk) -> None:
    ref = posted(desk)
    desk.procore.do("set_project", project_id=PROJECT, permitted=False)
    look(desk, ref)
    desk.procore.do("set_project", project_id=PROJECT, permitted=True)
    later(desk, hours=2)
    look(desk)
    assert desk.state_of(ref) == "in_step"
    assert desk.attention() == []


# --- hidden, which is not gone ----------------------------------------------------------------


def hide(desk: Desk, how: str, refs: Sequence[SourceRef]) -> None:
    if how == "project":
        desk.procore.do("set_project", project_id=PROJECT, permitted=False)
    elif how == "tool":
        desk.procore.do("set_project", project_id=PROJECT, tools={"commitments": False})
    else:
        for ref in refs:
            delete(desk, ref)


@pytest.mark.parametrize("how", ["project", "tool", "emptied"])
def test_a_project_out_of_sight_voids_nothing(desk: Desk, how: str) -> None:
    desk.set(source_deleted="void")
    refs = posted_many(desk, 3)
    hide(desk, how, refs)
    for _ in range(3):
        later(desk, hours=21)
        desk.sync()
        desk.sync(*refs)
    assert gone(desk) == 0
    assert {desk.state_of(ref) for ref in refs} == {"waiting"}
    if how == "project":
        seen = glancing.glance(desk.service, desk.workspace)
        assert {(x.project_id, x.code) for x in seen.troubles} == {(PROJECT, "procore_404")}
    (group,) = desk.attention()
    assert (group.cause, group.subject) == ("source_unseen", str(PROJECT))
    assert set(group.refs) == {str(ref) for ref in refs}
    assert choices(desk, "source_unseen") == ["look_again"]


def test_a_hidden_project_comes_back_as_it_was(desk: Desk) -> None:
    refs = posted_many(desk, 2)
    hide(desk, "project", refs)
    desk.sync(*refs)
    assert desk.causes() == ["source_unseen"]
    desk.procore.do("set_project", project_id=PROJECT, permitted=True)
    desk.answer("source_unseen", "look_again")
    look(desk)
    assert {desk.state_of(ref) for ref in refs} == {"in_step"}
    assert desk.attention() == []


def test_a_hidden_project_keeps_nobody_else_waiting(desk: Desk) -> None:
    refs = posted_many(desk, 2)
    elsewhere = other_project(desk)
    hide(desk, "project", refs)
    desk.sync(*refs, elsewhere)
    assert desk.state_of(elsewhere) == "in_step"
    assert {desk.state_of(ref) for ref in refs} == {"waiting"}


def test_a_bill_xero_does_not_show_is_no_news_about_it(desk: Desk) -> None:
    refs = posted_many(desk, 2)
    empty = '{"Invoices": []}'
    desk.xero.fault("status", path="IDs=", method="GET", status=200, body=empty)
    fresh = desk.claim("10000.00", invoice_number="INV-0101")
    look(desk, *refs, fresh)
    assert desk.state_of(fresh) == "in_step"  # a new bill needs no reading by id
    assert {desk.state_of(ref) for ref in refs} == {"waiting"}
    assert desk.causes() == ["target_unseen"]
    later(desk, minutes=50)
    look(desk)
    assert {desk.state_of(ref) for ref in refs} == {"in_step"}
    assert len(desk.bills(include_gone=True)) == 3


# --- many at once -----------------------------------------------------------------------------


@pytest.mark.parametrize("policy", ["ask", "void"])
@pytest.mark.parametrize(("choice", "voided"), [("void", 4), ("keep", 0)])
def test_more_than_three_deletions_are_one_question(
    desk: Desk, policy: str, choice: str, voided: int
) -> None:
    desk.set(source_deleted=policy)
    refs = posted_many(desk, 6)
    for ref in refs[:4]:
        delete(desk, ref)
    absent_twice(desk, refs[:4])
    (group,) = desk.attention()
    assert group.cause == "many_withdrawals"
    assert len(group.items) == 4
    assert gone(desk) == 0
    desk.answer("many_withdrawals", choice)
    look(desk)
    assert gone(desk) == voided
    assert desk.attention() == []
    state = "withdrawn" if choice == "void" else "waiting"
    assert {desk.state_of(ref) for ref in refs[:4]} == {state}
    assert {desk.state_of(ref) for ref in refs[4:]} == {"in_step"}
    look(desk, refs[0])  # by itself it is no new question
    assert gone(desk) == voided
    assert desk.attention() == []


def test_deletions_found_together_count_together_however_their_hours_end(desk: Desk) -> None:
    """The engine wakes for the first hour that ends, before the others' have."""
    desk.set(source_deleted="void")
    refs = posted_many(desk, 6)
    for ref in refs[:4]:
        delete(desk, ref)
        look(desk, ref)
        later(desk, seconds=20)
    later(desk, minutes=59, seconds=-70)
    for _ in range(5):
        look(desk)
        later(desk, seconds=20)
    assert gone(desk) == 0
    assert desk.causes() == ["many_withdrawals"]


def test_many_reopened_at_once_are_one_question_too(desk: Desk) -> None:
    desk.set(source_reopened="void")
    refs = posted_many(desk, 5)
    for ref in refs[:4]:
        status(desk, ref, "under_review")
    look(desk)
    assert desk.causes() == ["many_withdrawals"]
    desk.answer("many_withdrawals", "keep")
    look(desk)
    assert gone(desk) == 0
    assert {desk.state_of(ref) for ref in refs[:4]} == {"waiting"}
    status(desk, refs[0], "approved")
    look(desk)
    assert desk.state_of(refs[0]) == "in_step"
    delete(desk, refs[1])  # kept when it was reopened; deleted is another matter
    absent_twice(desk, [refs[1]])
    assert desk.causes() == ["source_deleted"]


def test_three_deletions_go_by_policy(desk: Desk) -> None:
    desk.set(source_deleted="void")
    refs = posted_many(desk, 5)
    for ref in refs[:3]:
        delete(desk, ref)
    desk.xero.forget_requests()
    absent_twice(desk, refs[:3])
    assert gone(desk) == 3
    assert writes(desk) == ["POST"]
    assert {desk.state_of(ref) for ref in refs[:3]} == {"withdrawn"}


# --- nothing due any more ---------------------------------------------------------------------


@pytest.mark.parametrize(("choice", "left"), [("void", 0), ("keep", 1)])
def test_a_claim_emptied_after_posting_is_a_question(desk: Desk, choice: str, left: int) -> None:
    ref = posted(desk)
    edit(desk, ref, "0.00")
    look(desk)
    assert desk.state_of(ref) == "ask"
    desk.answer("nothing_due_now", choice)
    look(desk)
    assert len(desk.bills()) == left
    assert desk.attention() == []
    edit(desk, ref, "5000.00")  # and it comes to something again
    look(desk)
    assert desk.state_of(ref) == "in_step"
    (bill,) = desk.bills()
    assert total(bill) == money("4950.00")
