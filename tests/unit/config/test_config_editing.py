"""Edits change what they are about and not one character more."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.config.documents import FIRST, GLENELG, JETTY, SAMPLE, SECOND, documents

from onecore.domain.ids import (
    AccountCode,
    ContactId,
    CostTypeId,
    OrganisationId,
    VendorId,
)
from onecore.domain.refs import Flow
from onecore.domain.settings import CodeRule, Mode, OrganisationRow, PartyRow, SecondTracking
from onecore.engine import config
from onecore.engine.config import BadDocument, default_text, effective, read, write
from onecore.engine.config.splicing import changed

STARTER = default_text(date(2026, 7, 1), [FIRST, SECOND])
CONTACT = ContactId(UUID("c1000000-0000-4000-8000-000000000500"))
THIRD = OrganisationId(UUID("a1000000-0000-4000-8000-000000000003"))


def lines_changed(old: str, new: str) -> list[tuple[str, str]]:
    """Lines that are gone and lines that came, where exactly as many came as went."""
    before, after = old.splitlines(), new.splitlines()
    assert len(before) == len(after)
    return [(x, y) for x, y in zip(before, after, strict=True) if x != y]


def lines_added(old: str, new: str) -> list[str]:
    """The new lines of a text whose old lines are all there still, in their order."""
    rest = old.splitlines()
    added = []
    for line in new.splitlines():
        if rest and line == rest[0]:
            rest.pop(0)
        else:
            added.append(line)
    assert rest == []
    return added


def test_a_vendor_known_already_changes_in_its_place() -> None:
    new = config.set_vendor(SAMPLE, VendorId(41), CONTACT)
    assert lines_changed(SAMPLE, new) == [
        (
            '  - {vendor_id: 41, contact_id: "c1000000-0000-4000-8000-000000000041"}',
            '  - {vendor_id: 41, contact_id: "c1000000-0000-4000-8000-000000000500"}',
        )
    ]


def test_a_new_vendor_goes_after_the_others_and_before_the_next_comment() -> None:
    text = SAMPLE.replace("customers:", "# What the client is\ncustomers:")
    new = config.set_vendor(text, VendorId(42), CONTACT, FIRST)
    row = f'  - {{vendor_id: 42, contact_id: "{CONTACT}", organisation: "{FIRST}"}}'
    assert lines_added(text, new) == [row]
    assert f"{row}\n# What the client is\n" in new


def test_the_first_vendor_of_a_starter() -> None:
    new = config.set_vendor(STARTER, VendorId(42), CONTACT)
    assert read(new).base.vendors == (PartyRow(VendorId(42), CONTACT),)
    assert new == STARTER.replace(
        "vendors: []", f'vendors:\n  - {{vendor_id: 42, contact_id: "{CONTACT}"}}'
    )


def test_nothing_changes_where_nothing_is_new() -> None:
    once = config.set_vendor(SAMPLE, VendorId(42), CONTACT)
    assert config.set_vendor(once, VendorId(42), CONTACT) == once


def test_many_vendors_at_once() -> None:
    rows = [PartyRow(VendorId(n), CONTACT) for n in range(100, 400)]
    new = config.set_vendors(SAMPLE, rows)
    assert len(lines_added(SAMPLE, new)) == 300
    assert read(new).base.vendors[2:] == tuple(rows)


def test_a_vendor_taken_out_takes_its_line_along() -> None:
    new = config.remove_vendor(SAMPLE, VendorId(41), SECOND)
    assert len(lines_added(new, SAMPLE)) == 1
    assert [row.organisation for row in read(new).base.vendors] == [None]
    assert config.remove_vendor(new, VendorId(41), SECOND) == new


def test_a_code_by_itself_and_with_a_cost_type() -> None:
    new = config.add_code(SAMPLE, "02-410", AccountCode("330"))
    new = config.add_code(new, "02-*", AccountCode("331"), CostTypeId(5))
    new = config.add_code(new, "02-*", AccountCode("332"), CostTypeId(6))
    assert [(r.cost_code, r.cost_type, r.expense) for r in read(new).base.codes] == [
        ("02-410", None, "322"),
        ("02-*", 5, "331"),
        ("*", None, "399"),
        ("02-410", None, "330"),
        ("02-*", 6, "332"),
    ]


def test_a_code_keeps_the_revenue_it_had() -> None:
    once = config.add_codes(
        STARTER, [CodeRule("01", expense=AccountCode("3"), revenue=AccountCode("2"))]
    )
    again = config.add_code(once, "01", AccountCode("4"))
    assert read(again).base.codes == (
        CodeRule("01", expense=AccountCode("4"), revenue=AccountCode("2")),
    )


def test_a_projects_own_code() -> None:
    new = config.add_code(STARTER, "01", AccountCode("3"), project=JETTY)
    assert read(new).base.codes == ()
    (rule,) = effective(read(new), JETTY, None, FIRST).codes
    assert (rule.expense, rule.rank) == ("3", 1)
    again = config.add_code(SAMPLE, "01", AccountCode("3"), project=GLENELG)
    assert [r.expense for r in effective(read(again), GLENELG, None, None).codes][:2] == [
        "350",
        "3",
    ]


def test_uncoded_for_all_and_for_one_organisation() -> None:
    new = config.set_uncoded(SAMPLE, AccountCode("401"))
    assert lines_changed(SAMPLE, new) == [
        ('uncoded: {expense: "398", revenue: null}', 'uncoded: {expense: "401", revenue: null}')
    ]
    new = config.set_uncoded(new, AccountCode("402"), organisation=SECOND)
    assert effective(read(new), None, None, FIRST).uncoded.expense == "401"
    assert effective(read(new), None, None, SECOND).uncoded.expense == "402"
    new = config.set_uncoded(new, None, organisation=SECOND)
    assert effective(read(new), None, None, SECOND).uncoded.expense is None


def test_the_retention_account_of_each_side() -> None:
    new = config.set_retention_account(STARTER, "payable", AccountCode("830"))
    new = config.set_retention_account(new, "receivable", AccountCode("630"), SECOND)
    first = effective(read(new), None, None, FIRST).retention
    second = effective(read(new), None, None, SECOND).retention
    assert (first.payable.account, first.receivable.account) == ("830", None)
    assert (second.payable.account, second.receivable.account) == ("830", "630")
    assert "# A claim with retention waits" in new


def test_several_keys_of_retention_at_once() -> None:
    values = {"method": "document", "second": "approved", "second_due": {"days_after_bill": 365}}
    side = read(config.set_retention(STARTER, "payable", values)).base.retention.payable
    assert (side.method, side.second) == ("document", "approved")
    assert side.second_due is not None
    assert side.second_due.days == 365


def test_projects_get_options_and_organisations() -> None:
    new = config.set_project_option(STARTER, JETTY, 'J "501": Jetty')
    new = config.set_project_organisation(new, JETTY, SECOND)
    new = config.set_project_options(new, {JETTY: "501", GLENELG: "502"})
    assert [(row.project, row.option, row.organisation) for row in read(new).projects] == [
        (501, "501", SECOND),
        (502, "502", None),
    ]
    back = config.set_project_organisation(new, JETTY, None)
    assert read(back).organisation_of(JETTY) == FIRST


def test_a_projects_option_in_a_block_spread_over_lines() -> None:
    new = config.set_project_option(SAMPLE, GLENELG, "502 Bay")
    assert lines_changed(SAMPLE, new) == [('    option: "502 Glenelg"', '    option: "502 Bay"')]


def test_the_mode_of_a_flow_here_and_everywhere() -> None:
    new = config.set_flow_mode(SAMPLE, Flow.PURCHASE_ORDER, Mode.PREVIEW)
    assert lines_changed(SAMPLE, new) == [
        (
            '  purchase_order: {mode: off, statuses: [Approved, "Partially Received"]}',
            '  purchase_order: {mode: preview, statuses: [Approved, "Partially Received"]}',
        )
    ]
    new = config.set_flow_mode(new, Flow.BILL, Mode.OFF, project=JETTY)
    assert effective(read(new), JETTY, None, None).bill.mode is Mode.OFF
    assert read(new).base.bill.mode is Mode.AUTO


def test_tracking() -> None:
    new = config.set_tracking(STARTER, "Jobs", SecondTracking("State", fixed="SA"))
    assert read(new).base.tracking.project == "Jobs"
    assert read(new).base.tracking.second == SecondTracking("State", fixed="SA")
    new = config.set_tracking(new, second=SecondTracking("Types", source="cost_type"))
    assert read(new).base.tracking.second == SecondTracking("Types", source="cost_type")
    assert read(new).base.tracking.project == "Jobs"
    assert read(config.set_tracking(new, None, None)).base.tracking.second is None


def test_cost_types() -> None:
    new = config.set_cost_type_option(SAMPLE, CostTypeId(5), "Wages")
    new = config.set_cost_type_option(new, CostTypeId(6), "Materials")
    assert [(row.cost_type, row.option) for row in read(new).base.cost_types] == [
        (5, "Wages"),
        (6, "Materials"),
    ]


def test_organisations() -> None:
    rows = [OrganisationRow(FIRST), OrganisationRow(SECOND, True), OrganisationRow(THIRD)]
    new = config.set_organisations(SAMPLE, rows)
    assert [(row.id, row.default) for row in read(new).organisations] == [
        (FIRST, False),
        (SECOND, True),
        (THIRD, False),
    ]
    assert "# Gulf Constructions" in new


def test_an_organisation_still_spoken_of_cannot_go() -> None:
    with pytest.raises(BadDocument) as caught:
        config.set_organisations(SAMPLE, [OrganisationRow(FIRST)])
    assert {p.path for p in caught.value.problems} == {
        "codes[2].organisation",
        "vendors[1].organisation",
        "projects[1].organisation",
    }


def test_a_plain_setting_by_its_path() -> None:
    new = config.set_value(SAMPLE, ("flows", "bill", "due_date"), {"days_after_bill": 7})
    assert read(new).base.bill.due_date.days == 7
    assert read(new).base.bill.date == "period_end"
    new = config.set_value(new, ("drift",), "restore")
    assert ("drift: accept", "drift: restore") in lines_changed(SAMPLE, new)


@pytest.mark.parametrize("bad", ["version: 2\n", "no: yes\n", "[", ""])
def test_a_bad_text_is_not_edited(bad: str) -> None:
    with pytest.raises(BadDocument):
        config.set_flow_mode(bad, Flow.BILL, Mode.AUTO)


def test_a_bad_value_is_not_set() -> None:
    with pytest.raises(BadDocument) as caught:
        config.set_uncoded(SAMPLE, AccountCode(" "))
    assert caught.value.problems[0].path == "uncoded.expense"


@pytest.mark.parametrize(
    "text",
    [
        "version: 1\ncut_over: 2026-07-01",
        "version: 1\ncut_over: 2026-07-01\nvendors:\n# end\n",
        "version: 1\ncut_over: 2026-07-01\nvendors: null # none yet\n# end\n",
        "version: 1\ncut_over: 2026-07-01\nvendors: []\ncodes: []\n",
        "version: 1\r\ncut_over: 2026-07-01\r\nvendors: []\r\n",
        "{version: 1, cut_over: 2026-07-01}\n",
        "version: 1\ncut_over: 2026-07-01\nvendors: # none yet\n# end\n",
        "version: 1\ncut_over: 2026-07-01\nvendors:\n- {vendor_id: 1, contact_id: @}",
        "version: 1\ncut_over: 2026-07-01\nvendors:\n  - vendor_id: 1\n    contact_id: @ # x\n",
        "version: 1\ncut_over: 2026-07-01\nvendors: [\n  {vendor_id: 1, contact_id: @}, # x\n]\n",
        '"version": 1\n? cut_over\n: 2026-07-01\n',
    ],
)
def test_a_row_finds_its_place_whatever_the_layout(text: str) -> None:
    text = text.replace("@", str(CONTACT))
    old = read(text).base.vendors
    new = config.set_vendor(text, VendorId(9), CONTACT)
    assert read(new).base.vendors == (*old, PartyRow(VendorId(9), CONTACT))
    for comment in ("# end", "# none yet", "# x"):
        assert (comment in new) == (comment in text)


@settings(
    deadline=None,
    max_examples=80,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(documents(), documents(), st.booleans())
def test_any_document_can_be_made_any_other(
    one: dict[str, Any], other: dict[str, Any], keeping: bool
) -> None:
    wanted = {**one, **other} if keeping else other
    assert read(changed(write(one), lambda tree: wanted)).raw == wanted
