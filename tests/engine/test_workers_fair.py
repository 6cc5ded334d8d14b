"""Many small organisations beside a large one: theirs are done while it still works."""

from bench.fairness import measure

from tests.desk import Desk
from tests.worker_process import _database_url

LARGE, SMALL, EACH = 400, 30, 2


def test_small_organisations_do_not_wait_for_a_large_one(bare_desk: Desk) -> None:
    order = measure(bare_desk, _database_url(), SMALL, EACH, LARGE, processes=2)
    bills = order.bills()
    assert bills.pop(str(bare_desk.organisation)) == LARGE
    assert len(bills) == SMALL
    assert set(bills.values()) == {EACH}
    # Each has its turn before the large one has its fifth: it takes eight for its batches of fifty.
    assert order.done_before_the_last_small() < LARGE
