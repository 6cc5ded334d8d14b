"""What holds for one project, contract and organisation."""

from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
from tests.unit.config.documents import FIRST, GLENELG, JETTY, MINIMAL, SAMPLE, SECOND

from onecore.domain.ids import CommitmentId, ContactId, OrganisationId, ProjectId
from onecore.domain.settings import (
    DueBase,
    DueRule,
    Mode,
    Opening,
    RetentionMethod,
    SecondTracking,
)
from onecore.engine.config import effective, read

CONTRACT = CommitmentId(9001)
DOCUMENT = read(SAMPLE)


def test_a_project_without_overrides_has_the_workspaces_settings() -> None:
    here = effective(DOCUMENT, JETTY, None, None)
    assert here.cut_over == date(2026, 7, 1)
    assert here.bill == DOCUMENT.base.bill
    assert here.project is not None
    assert here.project.option == "501 Jetty Road"
    assert here.contract is None


def test_a_projects_overrides_are_merged_key_by_key() -> None:
    here = effective(DOCUMENT, GLENELG, None, None)
    assert here.cut_over == date(2026, 9, 1)
    assert here.bill.mode is Mode.APPROVE
    assert here.bill.date == "period_end"  # the workspace's, as the override does not name it
    assert here.bill.due_date == DueRule(
        DueBase.BUSINESS_DAYS_AFTER, 20, start="submitted", region="AU-SA"
    )
    assert here.retention.payable.method is RetentionMethod.DOCUMENT
    assert here.retention.payable.account == "830"
    assert here.uncoded.expense == "397"


def test_a_fixed_option_takes_the_place_of_a_source() -> None:
    assert effective(DOCUMENT, GLENELG, None, None).tracking.second == SecondTracking(
        "Cost Groups", fixed="South"
    )


def test_a_contract_comes_over_its_project() -> None:
    here = effective(DOCUMENT, GLENELG, CONTRACT, None)
    assert here.retention.payable.account == "835"
    assert here.retention.payable.method is RetentionMethod.DOCUMENT  # the project's
    assert here.retention.payable.lines == "tax"  # the workspace's
    assert here.bill.due_date == DueRule(DueBase.DAY_OF_MONTH, 25)
    assert here.bill.mode is Mode.APPROVE
    assert here.contract is not None
    assert here.contract.opening == Opening(Decimal("6000.00"), "deferred")


def test_a_prime_contract_of_the_same_number_is_another() -> None:
    text = MINIMAL + "contracts: [{contract_id: 4, kind: prime, due_date: {days_after_bill: 1}}]\n"
    here = effective(read(text), ProjectId(1), CommitmentId(4), None)
    assert here.contract is None
    assert here.bill.due_date == DueRule(DueBase.DAYS_AFTER_BILL, 30)


def test_a_commitments_retention_may_leave_out_its_side() -> None:
    text = MINIMAL + 'contracts: [{contract_id: 4, retention: {method: net, account: "9"}}]\n'
    here = effective(read(text), ProjectId(1), CommitmentId(4), None)
    assert (here.retention.payable.method, here.retention.payable.account) == ("net", "9")
    assert here.retention.receivable.method is RetentionMethod.LINE


def test_an_empty_due_date_of_a_contract_changes_nothing() -> None:
    text = MINIMAL + "contracts: [{contract_id: 4, due_date: {}}]\n"
    here = effective(read(text), ProjectId(1), CommitmentId(4), None)
    assert here.bill.due_date == DueRule(DueBase.DAYS_AFTER_BILL, 30)


def test_a_projects_codes_come_first_and_outrank_the_rest() -> None:
    here = effective(DOCUMENT, GLENELG, None, None)
    assert [(rule.cost_code, rule.expense, rule.rank) for rule in here.codes] == [
        ("*", "350", 1),
        ("*", "399", 0),
        ("02-410", "322", 0),
        ("02-*", "320", 0),
    ]


def test_rows_of_other_organisations_are_left_out() -> None:
    here = effective(DOCUMENT, JETTY, None, FIRST)
    assert "399" not in [rule.expense for rule in here.codes]
    assert [row.contact for row in here.vendors] == [
        ContactId(UUID("c1000000-0000-4000-8000-000000000041"))
    ]


def test_an_organisations_own_rows_come_before_those_for_all() -> None:
    here = effective(DOCUMENT, GLENELG, None, SECOND)
    assert [row.organisation for row in here.vendors] == [SECOND, None]


def test_without_an_organisation_it_is_the_one_the_project_is_routed_to() -> None:
    assert effective(DOCUMENT, GLENELG, None, None) == effective(DOCUMENT, GLENELG, None, SECOND)
    assert effective(DOCUMENT, JETTY, None, None) == effective(DOCUMENT, JETTY, None, FIRST)
    assert effective(DOCUMENT, None, None, None) == effective(DOCUMENT, None, None, FIRST)


LISTS = """\
organisations:
  - {tenant_id: "a1000000-0000-4000-8000-000000000001", default: true}
  - {tenant_id: "a1000000-0000-4000-8000-000000000002"}
tracking:
  - {project: Jobs, second: {category: Types, source: cost_type}}
  - {project: Sites, second: null, organisation: "a1000000-0000-4000-8000-000000000002"}
retention:
  - {payable: {account: "830", lines: tax}}
  - {organisation: "a1000000-0000-4000-8000-000000000002", payable: {account: "840"}}
uncoded:
  - {expense: "1", revenue: "2"}
  - {organisation: "a1000000-0000-4000-8000-000000000002", expense: "3"}
projects:
  - {project_id: 1, overrides: {retention: {payable: {account: "899"}}}}
"""


@pytest.mark.parametrize(
    ("organisation", "category", "second", "account", "accounts"),
    [
        (FIRST, "Jobs", SecondTracking("Types", source="cost_type"), "830", ("1", "2")),
        (SECOND, "Sites", None, "840", ("3", "2")),
    ],
)
def test_lists_by_organisation(
    organisation: OrganisationId,
    category: str,
    second: SecondTracking | None,
    account: str,
    accounts: tuple[str, str],
) -> None:
    here = effective(read(MINIMAL + LISTS), None, None, organisation)
    assert (here.tracking.project, here.tracking.second) == (category, second)
    assert here.retention.payable.account == account
    assert here.retention.payable.lines == "tax"
    assert (here.uncoded.expense, here.uncoded.revenue) == accounts


def test_a_project_comes_over_its_organisation() -> None:
    here = effective(read(MINIMAL + LISTS), ProjectId(1), None, SECOND)
    assert here.retention.payable.account == "899"


def test_a_null_in_an_override_takes_away() -> None:
    text = MINIMAL + (
        "tracking: {project: Jobs, second: {category: Types, source: cost_type}}\n"
        "projects: [{project_id: 1, overrides: {tracking: {second: null}}}]\n"
    )
    assert effective(read(text), ProjectId(1), None, None).tracking.second is None
    assert effective(read(text), ProjectId(2), None, None).tracking.second is not None
