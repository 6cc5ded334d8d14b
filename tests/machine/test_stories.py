"""What the state machine found once, told as short stories."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from onecore.store.models import Document
from tests.machine.books import Claim
from tests.machine.machine import WholeProduct
from tests.machine.world import World


@pytest.fixture
def told(new_world: Callable[[], World]) -> Iterator[WholeProduct]:
    """The machine, its rules to be called one by one; at the end it is left to come to rest."""

    class Machine(WholeProduct):
        pass

    Machine.new_world = staticmethod(new_world)
    machine = Machine()
    yield machine
    machine.teardown()


def claimed(told: WholeProduct, *work: str, contract: int = 0, approved: bool = True) -> Claim:
    told.new_claim(contract, list(work or ("1000.05",)), approved, days_ago=1, supplier=True)
    return told.books.contracts[contract].claims[-1]


def state(told: WholeProduct, claim: Claim) -> tuple[str, str]:
    row = Document.objects.filter(ref=claim.ref).first()
    return (row.state, row.note) if row is not None else ("unknown", "")


def merged(told: WholeProduct, claim: Claim) -> None:
    """The contact of a claim is merged into another in Xero."""
    loser = told.world.contact_of[claim.contract.vendor]
    winner = next(c for c in told.world.contact_of.values() if c != loser)
    told.world.pass_time(timedelta(seconds=2))
    told.world.xero.do("merge_contact", contact_id=loser, into=winner)


def test_a_contact_merged_in_xero_is_no_change_of_its_bills(told: WholeProduct) -> None:
    """The list of contacts was hours old, so the bill seemed to have been given to another."""
    claim = claimed(told)
    told.rest()
    merged(told, claim)
    told.rest()
    assert state(told, claim) == ("in_step", "")
    assert told.world.desk.attention() == []


def test_a_claim_refused_for_what_an_old_list_said_is_tried_again(told: WholeProduct) -> None:
    """Its contact had been merged away since the contacts were read; nobody had to click."""
    claimed(told)
    told.rest()
    claim = claimed(told, contract=3)
    merged(told, claim)
    told.world.look(3)
    assert state(told, claim) == ("refused", "contact_refused")
    told.rest()
    assert state(told, claim) == ("in_step", "")


def test_a_claim_deleted_before_it_was_posted_leaves_no_question(told: WholeProduct) -> None:
    """It was held, so nothing in Xero reminded of it; the nightly walk lets go of it."""
    claim = claimed(told, "-250.10")
    told.rest()
    assert state(told, claim) == ("held", "")
    told.delete(0)
    told.rest(thorough=True)
    assert state(told, claim) == ("unknown", "")
    assert told.world.desk.attention() == []


def test_a_held_claim_out_of_sight_keeps_its_place(told: WholeProduct) -> None:
    claim = claimed(told, "-250.10")
    told.rest()
    told.hide_or_show_project(0, "404", "right")
    told.look_at_one(0)
    told.world.pass_time(timedelta(hours=21))
    told.world.come_to_rest()
    assert state(told, claim) == ("waiting", "source_unseen")
