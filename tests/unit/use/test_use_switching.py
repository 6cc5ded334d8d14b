"""Coverage, the switch, pause and resume, and the walk before it."""

from decimal import Decimal

import pytest
from tests.desk import Desk

from onecore.domain.ids import ProjectId
from onecore.domain.refs import Flow
from onecore.domain.settings import Mode
from onecore.engine import config
from onecore.engine.use import configuring, mapping, preflight, switching, workspaces
from onecore.engine.use.errors import UseError


def switch_on(desk: Desk, *flows: str, mode: Mode = Mode.AUTO) -> list[switching.Switched]:
    work = switching.switch_on(desk.service, desk.workspace, flows, "test", mode)
    return desk.service.run(work)


def pause(desk: Desk, *flows: str) -> list[switching.Switched]:
    return switching.pause(desk.service, desk.workspace, flows, "test")


def resume(desk: Desk, *flows: str) -> list[switching.Switched]:
    return switching.resume(desk.service, desk.workspace, flows, "test")


def mode(desk: Desk) -> Mode:
    return workspaces.mode_of(desk.workspace, Flow.BILL)


def off(desk: Desk) -> None:
    desk.set(flows__bill__mode="off")


def walk(desk: Desk) -> list[preflight.Finding]:
    return desk.service.run(preflight.preflight(desk.service, desk.workspace))


def test_a_flow_stays_off_while_a_gap_would_hold_a_live_document(desk: Desk) -> None:
    off(desk)
    configuring.edit(
        desk.service, desk.workspace, lambda t: config.remove_vendor(t, 12), "test", ""
    )
    with pytest.raises(switching.Uncovered) as refused:
        switch_on(desk)
    [stake] = refused.value.report.coverage.gaps
    assert (stake.gap.code, stake.gap.subject, stake.contracts) == ("vendor_unmapped", "12", (31,))
    assert mode(desk) is Mode.OFF
    desk.service.run(mapping.accept(desk.service, desk.workspace, "vendors", 80, "test"))
    [done] = switch_on(desk)
    assert (done.flow, done.before, done.after) == (Flow.BILL, Mode.OFF, Mode.AUTO)
    assert mode(desk) is Mode.AUTO


def test_switching_on_what_is_on_changes_nothing_and_asks_nothing(desk: Desk) -> None:
    desk.set(flows__bill__mode="approve")
    number = workspaces.newest_config(desk.workspace).number
    desk.procore.forget_requests()
    [done] = switch_on(desk, "bill", "bill")
    assert (done.before, done.after, done.changed) == (Mode.APPROVE, Mode.APPROVE, False)
    assert workspaces.newest_config(desk.workspace).number == number
    assert desk.procore.requests() == []


def test_preview_is_not_on_and_a_mode_may_be_chosen(desk: Desk) -> None:
    desk.set(flows__bill__mode="preview")
    [done] = switch_on(desk, "bill", mode=Mode.APPROVE)
    assert (done.before, done.after) == (Mode.PREVIEW, Mode.APPROVE)
    with pytest.raises(UseError, match="auto or approve"):
        switch_on(desk, "bill", mode=Mode.PREVIEW)
    with pytest.raises(UseError, match="not built"):
        switch_on(desk, "bill", "payment_issued")


def test_a_paused_flow_gets_its_own_mode_back(desk: Desk) -> None:
    desk.set(flows__bill__mode="approve")
    [done] = pause(desk, "bill")
    assert (done.before, done.after, mode(desk)) == (Mode.APPROVE, Mode.OFF, Mode.OFF)
    assert [one.changed for one in pause(desk, "bill")] == [False]
    [back] = resume(desk, "bill")
    assert (back.before, back.after, mode(desk)) == (Mode.OFF, Mode.APPROVE, Mode.APPROVE)
    assert [one.changed for one in resume(desk, "bill")] == [False]


def test_pausing_stops_projects_with_a_mode_of_their_own_and_resuming_brings_it_back(
    desk: Desk,
) -> None:
    text = config.set_flow_mode(configuring.export(desk.workspace), Flow.BILL, Mode.PREVIEW, 7)
    text = config.set_flow_mode(text, Flow.BILL, Mode.APPROVE)
    configuring.import_text(desk.service, desk.workspace, text, "test")

    def own() -> Mode:
        document = config.read(configuring.export(desk.workspace))
        return config.effective(document, ProjectId(7), None, None).bill.mode

    pause(desk, "bill")
    assert (mode(desk), own()) == (Mode.OFF, Mode.OFF)
    resume(desk, "bill")
    assert (mode(desk), own()) == (Mode.APPROVE, Mode.PREVIEW)


def test_a_pilot_project_alone_is_paused_and_resumed(desk: Desk) -> None:
    text = config.set_flow_mode(configuring.export(desk.workspace), Flow.BILL, Mode.AUTO, 7)
    text = config.set_flow_mode(text, Flow.BILL, Mode.OFF)
    configuring.import_text(desk.service, desk.workspace, text, "test")
    [stopped] = pause(desk, "bill")
    assert (stopped.before, stopped.after) == (Mode.AUTO, Mode.OFF)
    desk.claim("10000.00")
    desk.sync()
    assert desk.bills() == []
    resume(desk, "bill")
    desk.sync()
    assert len(desk.bills()) == 1
    assert mode(desk) is Mode.OFF


def test_what_is_approved_while_a_flow_is_paused_goes_over_afterwards(desk: Desk) -> None:
    pause(desk, "bill")
    desk.claim("10000.00")
    desk.sync()
    assert desk.bills() == []
    resume(desk, "bill")
    desk.sync()
    assert len(desk.bills()) == 1


def test_a_flow_that_was_never_on_is_not_resumed(bare_desk: Desk) -> None:
    bare_desk.connect()
    with pytest.raises(UseError, match="never on"):
        resume(bare_desk, "bill")
    assert mode(bare_desk) is Mode.OFF


def test_a_paused_workspace_posts_nothing_until_it_goes_on(desk: Desk) -> None:
    assert pause(desk) == []
    assert workspaces.show(desk.workspace).paused
    assert [f.code for f in walk(desk)] == ["paused"]
    desk.claim("10000.00")
    desk.sync()
    assert desk.bills() == []
    assert resume(desk) == []
    desk.sync()
    assert len(desk.bills()) == 1


# --- preflight --------------------------------------------------------------------------------


def test_a_workspace_in_order_has_no_findings(desk: Desk) -> None:
    assert walk(desk) == []


def test_a_lock_date_after_the_cut_over_is_told(desk: Desk) -> None:
    desk.xero.do("lock", tenant_id=str(desk.organisation), period="2021-06-30")
    desk.service.contexts.references(desk.workspace)
    found = {f.code: f for f in walk(desk)}
    assert found["period_locked"].severity == "warns"
    assert "30 June 2021" in found["period_locked"].detail
    assert not preflight.blocks(found.values())


def test_retention_held_on_an_account_that_is_no_liability_is_told(desk: Desk) -> None:
    desk.set(retention__payable__account="310")
    found = {f.code: f for f in walk(desk)}
    assert "class expense" in found["retention_account_class"].detail


def test_every_project_is_walked_with_who_can_mend_it(desk: Desk) -> None:
    desk.procore.do("set_project", project_id=7, tools={"commitments": False})
    made = desk.procore.do("new_project", name="Quay", number="P-009", permitted=True)
    desk.procore.do(
        "new_commitment", project_id=made["id"], vendor_id=12, retainage_percent="10",
        lines=[{"amount": "900.00", "cost_code": "01-100", "cost_type": "S"}],
    )  # fmt: skip
    found = {(f.project, f.code): f for f in walk(desk)}
    assert set(found) == {(7, "tool_off"), (made["id"], "tracking_option_missing")}
    assert preflight.blocks(found.values())
    assert "project admin" in found[7, "tool_off"].who
    assert found[made["id"], "tracking_option_missing"].project_label == "P-009 Quay"


def test_coverage_counts_by_value_and_names_hidden_projects(desk: Desk) -> None:
    text = configuring.export(desk.workspace).replace('cost_code: "*"', 'cost_code: "01-*"')
    configuring.import_text(desk.service, desk.workspace, text, "test")
    report = desk.service.run(switching.coverage(desk.service, desk.workspace))
    assert str(report.coverage.share) == "0.1000"
    assert {s.gap.subject: s.value for s in report.coverage.gaps} == {
        "03-300": Decimal(260000), "05-100": Decimal(100000),
    }  # fmt: skip
    desk.procore.do("set_project", project_id=7, tools={"commitments": False})
    hidden = desk.service.run(switching.coverage(desk.service, desk.workspace))
    assert [label for label, _ in hidden.hidden] == ["P-007 Riverside"]
    assert hidden.coverage.contracts == 0
