"""What a turn does with trouble: its part waits, everything else goes on, nothing said is lost."""

import asyncio
from datetime import datetime, timedelta
from threading import Thread
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from onecore.domain.refs import Flow, SourceRef
from onecore.engine import jobs, slices
from onecore.engine.bills import Plan
from onecore.engine.organisation_run import DOCUMENTS_A_TURN
from onecore.engine.use import connecting, syncing
from onecore.ports import LimitKind, ReadFailed, Remote
from onecore.store import documents as records
from onecore.store import hints
from onecore.store.models import Document, Feed, Hint, Organisation, RemoteLimit
from tests.desk import PROJECT, Desk
from tests.engine.fifty import approve, documents_in, each_once, forget_requests, warmed, writes
from tests.worker_process import another


def say(desk: Desk, ref: SourceRef, due: datetime | None = None) -> Hint:
    now = desk.clock.now()
    hints.say(desk.workspace, desk.organisation, Flow.BILL, [ref], now, due)
    return Hint.objects.get(ref=str(ref))


def due_now(desk: Desk) -> list[hints.Said]:
    return hints.due(desk.organisation, desk.clock.now(), 50, [desk.workspace])


# --- hints ------------------------------------------------------------------------------------


def test_a_hint_said_while_it_is_worked_on_survives_the_finish(desk: Desk) -> None:
    ref = SourceRef.requisition(PROJECT, 1)
    say(desk, ref)
    (said,) = due_now(desk)
    assert say(desk, ref).generation == said.generation + 1
    hints.finish([said])
    (again,) = due_now(desk)
    hints.later([said], desk.clock.now() + timedelta(hours=1))
    hints.again([(said, desk.clock.now() + timedelta(hours=1))])
    assert due_now(desk) == [again]
    hints.finish([again])
    assert not Hint.objects.exists()


def test_a_claim_changed_while_its_bill_is_being_made_is_amended_after(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The change falls between the plan and the end of the write."""
    warmed(desk)
    ref = desk.claim("1000.00")
    real = slices.Deliverer.create

    async def create(self: slices.Deliverer, plans: list[Plan]) -> Any:
        monkeypatch.setattr(slices.Deliverer, "create", real)
        desk.procore.advance(timedelta(seconds=2))
        (line, *_) = desk.contract_lines()
        lines = [{"line_id": line, "work": "3000.00"}]
        desk.procore.do("edit_claim", project_id=PROJECT, id=int(ref.id), lines=lines)
        say_it = asyncio.get_running_loop().run_in_executor(None, _say_apart, desk, ref)
        await say_it
        return await real(self, plans)

    monkeypatch.setattr(slices.Deliverer, "create", create)
    desk.sync()
    assert desk.bill_of(ref)["total"] == "2970.00"
    assert [row["method"] for row in writes(desk)] == ["PUT", "POST"]


def _say_apart(desk: Desk, ref: SourceRef, lane: str = "document") -> None:
    try:
        now = desk.clock.now()
        hints.say(desk.workspace, desk.organisation, Flow.BILL, [ref], now, lane=lane)
    finally:
        connection.close()


def test_what_is_said_as_a_turn_ends_is_not_slept_past(desk: Desk) -> None:
    """A saying that is not committed yet when the turn reckons its next one is waited for."""
    ref = SourceRef.requisition(PROJECT, 1)
    Organisation.objects.update(next_due_at=desk.clock.now() - timedelta(minutes=1))
    late = desk.clock.now() + timedelta(minutes=2)
    seen: list[bool] = []

    def reckon() -> datetime:
        seen.append(Hint.objects.exists())
        return hints.next_due(desk.organisation, [desk.workspace]) or late

    def end_of_turn() -> None:
        hints.sleep_until(desk.organisation, reckon)
        connection.close()

    from django.db import transaction

    ending = Thread(target=end_of_turn)
    with transaction.atomic():
        say(desk, ref)
        ending.start()
        ending.join(0.3)
        assert ending.is_alive()  # it waits for this commit
    ending.join(10)
    assert seen == [True]
    assert Organisation.objects.get().next_due_at == Hint.objects.get().due_at


def test_saying_and_committing_under_the_lease_do_not_wait_for_each_other_for_ever(
    desk: Desk,
) -> None:
    """Both lock the organisation first; the other order met in a deadlock now and then."""
    from django.db import transaction

    from onecore.store.leases import Owner, take

    refs = [SourceRef.requisition(PROJECT, n) for n in range(1, 6)]
    owner = Owner()
    lease = take(owner, desk.organisation)
    assert lease is not None
    failed: list[Exception] = []

    def others() -> None:
        try:
            for _ in range(60):
                hints.say(desk.workspace, desk.organisation, Flow.BILL, refs, desk.clock.now())
        except Exception as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [Thread(target=others) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(60):
        with transaction.atomic():
            lease.check()
            hints.say(desk.workspace, desk.organisation, Flow.BILL, refs, desk.clock.now())
    for thread in threads:
        thread.join(30)
    owner.close()
    assert failed == []
    assert set(Hint.objects.values_list("generation", flat=True)) == {180}


def test_a_document_of_another_organisation_is_handed_to_its_writer(desk: Desk) -> None:
    """What was posted stays where it was posted, whatever the project's route says now."""
    ref = warmed(desk)
    xero = desk.xero
    tenant = xero.do("new_organisation", name="The new entity Pty Ltd")["tenant_id"]
    xero.do("new_app", client_id="second", secret="second-secret", tenant_id=tenant)
    joining = connecting.connect_xero_custom(
        desk.service, desk.workspace, "second", "second-secret", "test"
    )
    desk.service.run(joining)
    listed = [
        {"tenant_id": str(desk.organisation), "default": False},
        {"tenant_id": tenant, "default": True},
    ]
    desk.set(organisations=listed)
    desk.procore.advance(timedelta(seconds=2))
    lines = [{"line_id": desk.contract_lines()[0], "work": "300.00"}]
    desk.procore.do("edit_claim", project_id=PROJECT, id=int(ref.id), lines=lines)
    desk.clock.offset = timedelta(minutes=5)
    assert desk.sync().troubles == ()
    assert desk.bill_of(ref)["total"] == "297.00"
    assert [link.organisation_id for link in desk.links(ref)] == [desk.organisation]
    assert len(desk.bills()) == 1
    assert not Hint.objects.exists()


def test_a_document_that_goes_nowhere_is_looked_at_all_the_same(desk: Desk) -> None:
    ref = SourceRef.requisition(PROJECT, 1)
    now = desk.clock.now()
    hints.say(desk.workspace, None, Flow.BILL, [ref], now)
    assert Hint.objects.get().organisation_id == desk.organisation
    stranger = UUID("00000000-0000-0000-0000-0000000000aa")
    hints.say(desk.workspace, stranger, Flow.BILL, [ref], now)
    assert Hint.objects.get().organisation_id == desk.organisation
    Hint.objects.update(organisation=None)  # said before any was joined
    assert [one.ref for one in due_now(desk)] == [ref]
    assert hints.next_due(desk.organisation, [desk.workspace]) == now


def test_an_answer_given_while_the_document_is_placed_is_kept(desk: Desk) -> None:
    ref = warmed(desk)
    stale = desk.document(ref)
    assert stale is not None
    fresh = Document.objects.get(pk=stale.pk)
    records.answered(fresh, "a question", "void")
    Document.objects.filter(pk=stale.pk).update(approved_for="exactly this")
    records.place([records.Placement(stale, "in_step")], desk.clock.now(), desk.service.vault)
    row = Document.objects.get(pk=stale.pk)
    assert row.answers == {"a question": "void"}
    assert row.approved_for == "exactly this"


# --- a fault of our own -----------------------------------------------------------------------


@pytest.fixture
def poisoned(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> list[SourceRef]:
    """Twenty approved claims, the eighth of which we cannot deal with."""
    refs = approve(desk, 20)
    real = slices.plan_bills

    async def plan_bills(ctx: Any, some: list[SourceRef]) -> list[Plan]:
        if refs[7] in some:
            raise KeyError("Smith Bros Concreting Pty Ltd")
        return await real(ctx, some)

    monkeypatch.setattr(slices, "plan_bills", plan_bills)
    return refs


def test_one_document_we_cannot_deal_with_keeps_no_other(
    desk: Desk, poisoned: list[SourceRef], capfd: pytest.CaptureFixture[str]
) -> None:
    result = desk.sync(timeout=1)
    assert not result.idle
    assert "KeyError" in result.troubles[0]
    states = [desk.state_of(ref) for ref in poisoned]
    assert states == ["in_step"] * 7 + [None] + ["in_step"] * 12
    hint = Hint.objects.get()
    assert hint.ref == str(poisoned[7])
    assert hint.attempts == 1
    assert hint.due_at > desk.clock.now()
    printed = "".join(capfd.readouterr()) + " ".join(result.troubles)
    assert "slices" in printed or "test_turns" in printed  # where it happened
    assert "Smith" not in printed  # but not what it was about


def test_and_goes_when_it_is_mended(
    desk: Desk, poisoned: list[SourceRef], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.sync(timeout=1)
    monkeypatch.undo()
    desk.clock.offset = timedelta(minutes=1)
    assert desk.sync().troubles == ()
    each_once(desk, poisoned)


def test_a_list_that_cannot_be_read_is_read_in_ever_smaller_groups(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer of Procore's that is malformed for one claim looks like an outage at first."""
    refs = approve(desk, 20)
    real, sizes = slices.plan_bills, []

    async def plan_bills(ctx: Any, some: list[SourceRef]) -> list[Plan]:
        sizes.append(len(some))
        if refs[7] in some:
            raise ReadFailed(Remote.PROCORE, "requisitions", "a date is missing")
        return await real(ctx, some)

    monkeypatch.setattr(slices, "plan_bills", plan_bills)
    for _ in range(9):
        desk.sync(timeout=0.2)
        desk.clock.offset += timedelta(minutes=11)
    assert sizes[:3] == [20, 20, 20]  # as long as it may be an outage, nothing more is asked
    states = [desk.state_of(ref) for ref in refs]
    assert states == ["in_step"] * 7 + [None] + ["in_step"] * 12


# --- waits ------------------------------------------------------------------------------------


def test_what_one_process_is_told_another_obeys(desk: Desk) -> None:
    warmed(desk)
    approve(desk, 3)
    day = {"X-Rate-Limit-Problem": "day", "Retry-After": "28800"}
    desk.xero.fault("status", "/Invoices", "PUT", status=429, headers=day)
    desk.sync(timeout=1)
    forget_requests(desk)
    told = another(desk, timeout=1).end()
    assert any("day limit; waiting until" in text for text in told["troubles"])
    assert desk.xero.requests("/api.xro") == []


def test_a_day_without_xero_does_not_stop_looking_at_procore(desk: Desk) -> None:
    warmed(desk)
    until = desk.clock.now() + timedelta(hours=8)
    desk.told_to_wait(Remote.XERO, LimitKind.DAY, until)
    desk.clock.offset = timedelta(minutes=5)  # the sweep of Xero's bills is due and cannot be
    refs = approve(desk, 3)
    result = desk.sync(timeout=5)
    assert any("xero: day limit" in text for text in result.troubles)
    assert desk.xero.requests("/api.xro") == []
    assert {hint.ref for hint in Hint.objects.all()} == {str(ref) for ref in refs}
    assert Feed.objects.get(kind="requisitions").read_at > desk.clock.now() - timedelta(minutes=1)
    # and the organisation sleeps until something can be done, instead of turning on the spot
    due = Organisation.objects.get().next_due_at
    feed = Feed.objects.get(kind="requisitions").next_due_at
    assert due == min(until, feed)
    desk.clock.offset = timedelta(hours=8, minutes=1)
    assert desk.sync().idle
    assert {desk.state_of(ref) for ref in refs} == {"in_step"}


def test_procore_told_to_wait_does_not_stop_what_xero_can_do(desk: Desk) -> None:
    ref = warmed(desk)
    until = desk.clock.now() + timedelta(minutes=30)
    desk.told_to_wait(Remote.PROCORE, LimitKind.HOUR, until)
    before = Organisation.objects.get().bills_read_at
    desk.clock.offset = timedelta(minutes=3)
    assert any("procore: hour limit" in text for text in desk.sync(timeout=2).troubles)
    after = Organisation.objects.get().bills_read_at
    assert before is not None
    assert after is not None
    assert after > before
    assert desk.procore.requests("/rest") == []
    assert Feed.objects.get(kind="requisitions").next_due_at >= until
    assert desk.state_of(ref) == "in_step"


def test_a_longer_wait_is_not_cut_short_by_a_shorter_one(desk: Desk) -> None:
    now = desk.clock.now()
    desk.told_to_wait(Remote.XERO, LimitKind.DAY, now + timedelta(hours=8))
    desk.told_to_wait(Remote.XERO, LimitKind.CONCURRENT, now + timedelta(seconds=1))
    row = RemoteLimit.objects.get(scope=str(desk.organisation))
    assert row.blocked_until == now + timedelta(hours=8)
    assert row.blocked_by == "day"


def test_no_job_sleeps_out_a_wait(desk: Desk) -> None:
    """A turn that meets a limit of hours ends at once; the wait is a row."""
    warmed(desk)
    approve(desk, 3)
    day = {"X-Rate-Limit-Problem": "day", "Retry-After": "28800"}
    desk.xero.fault("status", "/api.xro", times=0, status=429, headers=day)
    syncing.look_at_feeds(desk.service, desk.workspace)
    turn = desk.service.run(desk.service.organisations.turn(desk.organisation), timeout=10)
    assert turn.ran
    due = Organisation.objects.get().next_due_at
    assert due is not None


def test_an_outage_of_xero_is_asked_about_ever_more_seldom(desk: Desk) -> None:
    warmed(desk)
    approve(desk, 3)
    desk.xero.fault("status", "/api.xro", times=0, status=500)
    for _ in range(120):  # an hour, looked at every half minute
        desk.clock.offset += timedelta(seconds=30)
        desk.service.run(desk.service.organisations.turn(desk.organisation))
        due = Organisation.objects.get().next_due_at
        assert due is not None
    assert len(desk.xero.requests("/api.xro")) < 40


def test_a_paused_workspace_does_not_turn_on_the_spot_and_loses_nothing(desk: Desk) -> None:
    from onecore.engine.use import workspaces

    ref = desk.claim("1000.00")
    workspaces.set_paused(desk.service, desk.workspace, True, "test")
    say(desk, ref)
    result = desk.sync(timeout=20)
    assert result.waiting == 1
    assert any("paused" in text for text in result.troubles)
    due = Organisation.objects.get().next_due_at
    assert due is None or due > desk.clock.now()
    workspaces.set_paused(desk.service, desk.workspace, False, "test")
    desk.sync()
    assert desk.state_of(ref) == "in_step"


def test_a_transient_failure_is_waited_out_by_a_sync(desk: Desk) -> None:
    warmed(desk)
    refs = approve(desk, 3)
    desk.procore.fault("status", "view=extended", status=500, times=1)
    result = desk.sync(timeout=20)
    assert result.idle
    assert {desk.state_of(ref) for ref in refs} == {"in_step"}
    assert [documents_in(row) for row in writes(desk)] == [3]


def test_a_person_who_asks_meanwhile_waits_for_fifty_at_most(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A turn makes several batches; who clicks in the middle comes first in the next one."""
    ref = warmed(desk)
    approve(desk, 150)
    syncing.look_at_feeds(desk.service, desk.workspace)
    real = slices.Deliverer.create

    async def create(self: slices.Deliverer, plans: list[Plan]) -> Any:
        monkeypatch.setattr(slices.Deliverer, "create", real)
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, _say_apart, desk, ref, "person")
        return await real(self, plans)

    monkeypatch.setattr(slices.Deliverer, "create", create)
    turn = desk.service.run(desk.service.organisations.turn(desk.organisation))
    assert (turn.looked_at, turn.goes_on) == (50, True)
    assert due_now(desk)[0].ref == ref
    turn = desk.service.run(desk.service.organisations.turn(desk.organisation))
    assert (turn.looked_at, turn.goes_on) == (101, False)


def test_a_turn_that_leaves_more_to_do_wakes_the_next_at_once(desk: Desk) -> None:
    """Without waiting for the dispatcher, and behind whoever waits already."""
    from procrastinate.contrib.django import app
    from procrastinate.contrib.django.models import ProcrastinateJob

    async def job() -> None:
        with app.replace_connector(app.connector.get_worker_connector()) as live:
            async with live.open_async():
                await jobs.turn(tenant=str(desk.organisation))

    warmed(desk)
    approve(desk, DOCUMENTS_A_TURN + 10)
    jobs.serve_with(desk.service.organisations.turn)
    woken = []
    for _ in range(4):
        ProcrastinateJob.objects.all().delete()
        syncing.look_at_feeds(desk.service, desk.workspace)
        desk.service.run(job())
        woken.append(ProcrastinateJob.objects.filter(status="todo").count())
    assert woken == [1, 0, 0, 0]
    assert Document.objects.filter(state="in_step").count() == DOCUMENTS_A_TURN + 11
