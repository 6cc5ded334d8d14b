"""What it costs: calls counted at the simulators, lists included where the budget counts them."""

from collections import Counter
from datetime import timedelta

from onecore.engine.calls import keys_of
from onecore.store.models import CallCount
from tests.desk import PROJECT, Desk
from tests.engine.fifty import (
    approve,
    calls,
    documents_in,
    each_once,
    forget_requests,
    warmed,
    writes,
)


def test_fifty_bills_are_one_look_and_one_put(desk: Desk) -> None:
    first = warmed(desk)
    refs = approve(desk, 50)
    result = desk.sync()
    assert result.troubles == ()
    each_once(desk, [first, *refs])
    asked = calls(desk.xero)
    assert Counter(asked) == Counter(
        {"GET /api.xro/2.0/Invoices": 1, "PUT /api.xro/2.0/Invoices": 1}
    )
    assert [documents_in(row) for row in writes(desk)] == [50]
    # five: one look at the list, one at the claims, and what names fifty contracts made meanwhile
    assert len(calls(desk.procore)) <= 5
    assert result.calls == {"procore": len(calls(desk.procore)), "xero": 2}
    assert result.done == 50


def test_a_hundred_claims_of_a_sweep_are_at_most_eight_procore_calls_lists_included(
    desk: Desk,
) -> None:
    refs = approve(desk, 100)
    forget_requests(desk)
    assert desk.sync().troubles == ()
    each_once(desk, refs)
    asked = calls(desk.procore)
    assert len(asked) <= 8, asked
    assert [documents_in(row) for row in writes(desk)] == [50, 50]


def test_a_hundred_claims_in_each_of_two_projects_are_eight_calls_a_project(desk: Desk) -> None:
    made = desk.procore.do("new_project", name="Hillside", number="P-008", permitted=True)
    other = made["id"]
    desk.map_project(other, "P-007 Riverside")
    refs = approve(desk, 100) + approve(desk, 100, other)
    forget_requests(desk)
    assert desk.sync(timeout=60).troubles == ()
    each_once(desk, refs)
    for project in (PROJECT, other):
        of_project = [
            row
            for row in desk.procore.requests("/rest")
            if f"project_id={project}&" in row["query"] or f"/projects/{project}/" in row["path"]
        ]
        assert len(of_project) <= 8, [row["path"] + row["query"][:60] for row in of_project]


def test_nothing_new_costs_xero_nothing_and_procore_one_call_a_project(desk: Desk) -> None:
    warmed(desk)
    for _ in range(3):
        assert desk.sync().idle
    assert calls(desk.xero) == []
    assert calls(desk.procore) == ["GET /rest/v1.1/requisitions"] * 3


def test_every_call_is_counted_under_its_remote_and_scope(desk: Desk) -> None:
    forget_requests(desk)
    CallCount.objects.all().delete()
    refs = approve(desk, 3)
    desk.sync(*refs)
    found = Counter[str]()
    for row in CallCount.objects.all():
        found[row.remote] += row.calls
    assert found == Counter(procore=len(calls(desk.procore)), xero=len(calls(desk.xero)))
    counted = {(row.remote, row.app, row.scope) for row in CallCount.objects.all()}
    assert counted == {(key.remote, key.app, key.scope) for key in keys_of(desk.workspace)}
    assert {row.workspace for row in CallCount.objects.all()} == {desk.workspace}


def test_held_claims_cost_no_more_than_ones_that_go(desk: Desk) -> None:
    """Fifty claims held for want of a mapping read each list again once, not fifty times."""
    warmed(desk)
    refs = approve(desk, 50)
    desk.set(vendors=[])
    desk.clock.offset += timedelta(minutes=2)
    forget_requests(desk)
    assert desk.sync().troubles == ()
    assert {desk.state_of(ref) for ref in refs} == {"held"}
    assert writes(desk) == []
    lists = [path for path in calls(desk.xero) if not path.endswith("/Invoices")]
    assert max(Counter(lists).values()) == 1
    assert len(calls(desk.xero)) <= 8
