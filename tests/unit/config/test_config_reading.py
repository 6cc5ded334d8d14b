"""What the reader accepts, what it refuses, and how it says so."""

from dataclasses import fields
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
from tests.unit.config.documents import MINIMAL, SAMPLE, SECOND

from onecore.domain.ids import CommitmentId, ContactId, ProjectId, VendorId
from onecore.domain.refs import Flow
from onecore.domain.settings import (
    CodeRule,
    DueBase,
    DueRule,
    Mode,
    NumberRule,
    Opening,
    PartyRow,
    Policies,
    RetentionMethod,
    SecondTracking,
)
from onecore.engine.config import BadDocument, Problem, read
from onecore.engine.config.schema import DOCUMENT

CONTACT = "c1000000-0000-4000-8000-000000000041"


def problems(text: str) -> tuple[Problem, ...]:
    with pytest.raises(BadDocument) as caught:
        read(text)
    return caught.value.problems


def only(text: str) -> Problem:
    found = problems(text)
    assert len(found) == 1, [str(problem) for problem in found]
    return found[0]


# --- accepted ---------------------------------------------------------------------------------


def test_the_sample_has_every_key_of_the_schema() -> None:
    """So that accepting it means accepting every key."""
    assert set(read(SAMPLE).raw) == set(DOCUMENT.fields)
    assert set(read(SAMPLE).raw["flows"]) == {flow.value for flow in Flow}  # type: ignore[call-overload]


def test_the_same_text_is_read_once() -> None:
    assert read(SAMPLE) is read(str(SAMPLE.encode(), "utf-8"))


def test_the_bill_flow_is_read() -> None:
    bill = read(SAMPLE).base.bill
    assert bill.mode is Mode.AUTO
    assert bill.post_statuses == ("approved", "approved_as_noted")
    assert bill.date == "period_end"
    assert bill.due_date == DueRule(
        DueBase.CONTACT_TERMS, otherwise=DueRule(DueBase.DAYS_AFTER_MONTH_END, 14)
    )


def test_retention_is_read_side_by_side() -> None:
    retention = read(SAMPLE).base.retention
    assert retention.payable.method is RetentionMethod.LINE
    assert (retention.payable.account, retention.payable.released_account) == ("830", "831")
    assert retention.payable.second_due == DueRule(DueBase.DAYS_AFTER_BILL, 365)
    assert retention.payable.suffix == "/RET"
    assert retention.receivable.method is RetentionMethod.NET
    assert retention.receivable.account is None
    assert retention.receivable.tax == "none"


def test_policies_are_read() -> None:
    policies = read(SAMPLE).base.policies
    unchanged = {
        f.name for f in fields(Policies) if getattr(policies, f.name) == getattr(Policies(), f.name)
    }
    assert unchanged == {"paid_invoice_changed"}
    assert policies.duplicates.amount_window_days == 21
    assert policies.credit_notes == "none"


def test_rows_are_read() -> None:
    document = read(SAMPLE)
    base = document.base
    assert base.codes[0].start == date(2026, 10, 1)
    assert base.codes[0].sub_job == "Stage 2"
    assert base.codes[2] == CodeRule("*", expense="399", revenue="200", organisation=SECOND)  # type: ignore[arg-type]
    assert base.vendors[0] == PartyRow(VendorId(41), ContactId(UUID(CONTACT)))
    assert document.contracts[0].opening == Opening(Decimal("6000.00"), "deferred")
    assert document.organisation_of(ProjectId(502)) == SECOND
    assert base.tracking.second == SecondTracking("Cost Groups", source="cost_type")
    assert document.contracts[1].contract == CommitmentId(9001)


def test_a_flow_not_carried_yet_keeps_its_options() -> None:
    flows = dict(read(SAMPLE).flows)
    assert Flow.BILL not in flows
    assert flows[Flow.ATTACHMENTS].mode is Mode.AUTO
    assert dict(flows[Flow.ATTACHMENTS].options) == {"max_mb": 4}


def test_off_and_no_are_words() -> None:
    """YAML 1.1 would make false of both."""
    text = MINIMAL + "flows: {bill: {mode: off}}\nuncoded: {expense: no}\n"
    assert read(text).base.bill.mode is Mode.OFF
    assert read(text).base.uncoded.expense == "no"


def test_an_account_without_quotes_keeps_its_zero() -> None:
    assert read(MINIMAL + "uncoded: {expense: 0310}\n").base.uncoded.expense == "0310"


def test_an_amount_without_quotes_is_exact() -> None:
    text = MINIMAL + "contracts: [{contract_id: 1, opening: {held: 0.10, gst: deferred}}]\n"
    opening = read(text).contracts[0].opening
    assert opening is not None
    assert opening.held == Decimal("0.10")
    assert str(opening.held) == "0.10"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("supplier", NumberRule("supplier")),
        ("commitment_claim", NumberRule("commitment_claim")),
        ("rcti", NumberRule("rcti")),
        ('{rcti: {prefix: "SB-"}}', NumberRule("rcti", "SB-")),
    ],
)
def test_forms_of_the_number(written: str, meant: NumberRule) -> None:
    assert read(MINIMAL + f"flows: {{bill: {{number: {written}}}}}\n").base.bill.number == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("{days_after_bill: 0}", DueRule(DueBase.DAYS_AFTER_BILL, 0)),
        ("{day_of_month: 31}", DueRule(DueBase.DAY_OF_MONTH, 31)),
        ("{contact_terms: true}", DueRule(DueBase.CONTACT_TERMS)),
        (
            "{business_days_after: 15, region: AU-NSW}",
            DueRule(DueBase.BUSINESS_DAYS_AFTER, 15, start="submitted", region="AU-NSW"),
        ),
        (
            "{business_days_after: 10, from: bill, region: NZ}",
            DueRule(DueBase.BUSINESS_DAYS_AFTER, 10, start="bill", region="NZ"),
        ),
    ],
)
def test_forms_of_the_due_date(written: str, meant: DueRule) -> None:
    assert read(MINIMAL + f"flows: {{bill: {{due_date: {written}}}}}\n").base.bill.due_date == meant


def test_a_key_with_nothing_after_it_is_an_empty_block_or_list() -> None:
    document = read(MINIMAL + "codes:\nflows:\nvendors:\n")
    assert (document.base.codes, document.flows, document.base.vendors) == ((), (), ())


# --- refused: the right line, the right field, a way out -------------------------------------


@pytest.mark.parametrize(
    ("before", "key", "typed", "block"),
    [
        ("", "cut_over: 2026-07-01", "cut_ovr", ""),
        ("", "payment_issued", "payment_isued", "flows"),
        ("attachments: {mode: auto, ", "max_mb", "max_mbs", "flows.attachments"),
        ("else: {", "days_after_month_end", "days_after_months", "flows.bill.due_date.else"),
        ("", "released_account", "released_acount", "retention.payable"),
        ("", "allocate", "alocate", "credit_notes"),
        ("", "amount_window_days", "amount_window_day", "duplicates"),
        ("", "sub_job", "sub_jobs", "codes[0]"),
        ("", "text", "txt", "return_rules[0]"),
        ("", "default", "defualt", "organisations[0]"),
        ("    ", "overrides:\n", "override", "projects[1]"),
        ("second: {", "fixed", "fixd", "projects[1].overrides.tracking.second"),
        ("gst: deferred},\n     ", "due_date", "duedate", "contracts[0]"),
        ("opening: {", 'held: "6000.00"', "hold", "contracts[0].opening"),
        ("", "tax_type", "taxtype", "tax_overrides[0]"),
        ("project_id: 501, ", 'rate: "80.00"', "rat", "people[0].rates[1]"),
        ("time_types: [{time_type_id: 1, ", "earnings_rate_id", "earning_rate", "time_types[0]"),
        ("", "hours_a_day", "hours_day", "labour.caps[0]"),
        ("", "on_cost", "oncost", "labour"),
    ],
)
def test_an_unknown_key_is_named_with_its_line(
    before: str, key: str, typed: str, block: str
) -> None:
    name = key.partition(":")[0]
    there = before + (key if ":" in key else f"{key}:")
    assert SAMPLE.count(there) == 1
    at = SAMPLE.index(there) + len(before)
    broken = SAMPLE[:at] + typed + SAMPLE[at + len(name) :]
    unknown = [p for p in problems(broken) if "unknown key" in p.message]
    line = SAMPLE.count("\n", 0, at) + 1
    column = at - SAMPLE.rfind("\n", 0, at)
    path = f"{block}.{typed}" if block else typed
    assert [(p.line, p.column, p.path) for p in unknown] == [(line, column, path)]
    assert f'did you mean "{name}"?' in unknown[0].message


def test_all_problems_come_at_once_in_the_order_of_the_text() -> None:
    text = (
        "cut_over: tomorrow\n"
        "flows:\n"
        "  bill: {mode: autom, status: PAID, post_statuses: [approved, aproved]}\n"
        "  atachments: {mode: auto}\n"
        "codes: [{expense: 310}]\n"
    )
    assert [(p.line, p.path) for p in problems(text)] == [
        (1, ""),
        (1, "cut_over"),
        (3, "flows.bill.mode"),
        (3, "flows.bill.status"),
        (3, "flows.bill.post_statuses[1]"),
        (4, "flows.atachments"),
        (5, "codes[0]"),
    ]
    said = [p.message for p in problems(text)]
    assert said[0] == '"version" is missing'
    assert said[2] == "'autom' is not known; did you mean \"auto\"?"
    assert said[3] == "'PAID' is not known; here there may be: DRAFT, SUBMITTED, AUTHORISED"
    assert said[6] == '"cost_code" is missing'


def test_a_problem_reads_as_a_sentence() -> None:
    assert str(only(MINIMAL + "drift: aks\n")) == (
        "line 3, drift: 'aks' is not known; did you mean \"ask\"?"
    )


@pytest.mark.parametrize(
    ("line", "path", "words"),
    [
        ("codes: {}", "codes", "should be a list"),
        ("flows: []", "flows", "should be a block of keys"),
        ("flows: {bill: {mode: true}}", "flows.bill.mode", "'true' is not known"),
        ("flows: {bill: {post_statuses: []}}", "flows.bill.post_statuses", "should not be empty"),
        ("flows: {vendor: {create: [xero, xero]}}", "flows.vendor.create[1]", "is there twice"),
        ("flows: {attachments: {max_mb: 10.5}}", "flows.attachments.max_mb", "whole number"),
        ("flows: {attachments: {max_mb: 99}}", "flows.attachments.max_mb", "should be 1 to 25"),
        ('flows: {project: {option: "{nr}"}}', "flows.project.option", "{number} {name}"),
        ('flows: {project: {option: "{name"}}', "flows.project.option", "other half"),
        ("organisations: [{tenant_id: gulf}]", "organisations[0].tenant_id", "an id of Xero"),
        ('vendors: [{vendor_id: 0, contact_id: "@"}]', "vendors[0].vendor_id", "1 or"),
        (
            'vendors: [{vendor_id: "12", contact_id: "@"}]',
            "vendors[0].vendor_id",
            "should be a whole number, not '12'",
        ),
        ("duplicates: {number: yes}", "duplicates.number", "should be true or false, not 'yes'"),
        ("uncoded: {expense: true}", "uncoded.expense", "an account code in quotes"),
        ('uncoded: {expense: " "}', "uncoded.expense", "an account code in quotes"),
        ('codes: [{cost_code: "03*1", expense: "3"}]', "codes[0].cost_code", "last character"),
        ('codes: [{cost_code: "03"}]', "codes[0]", "leads nowhere"),
        ('codes: [{cost_code: "03", expense: "3", from: 2026-02-30}]', "codes[0].from", "a day"),
        ('codes: [{cost_code: "03", expense: "3", from: 01/07/2026}]', "codes[0].from", "a day"),
        (
            'contracts: [{contract_id: 1, opening: {held: "1e3", gst: deferred}}]',
            "contracts[0].opening.held",
            "a decimal in quotes",
        ),
        (
            'contracts: [{contract_id: 1, opening: {held: "-5.00", gst: deferred}}]',
            "contracts[0].opening.held",
            "a decimal in quotes",
        ),
        (
            'contracts: [{contract_id: 1, opening: {held: "5.00"}}]',
            "contracts[0].opening",
            '"gst" is missing',
        ),
        (
            "contracts: [{contract_id: 1, retention: {method: net, payable: {}}}]",
            "contracts[0].retention",
            "not both",
        ),
        ("tracking: {second: {category: A}}", "tracking.second", "needs a source"),
        (
            "tracking: {second: {category: A, source: cost_type, fixed: B}}",
            "tracking.second",
            "not both",
        ),
        ("tracking: {second: {fixed: B}}", "tracking.second", '"category" is missing'),
        ("version: 1", "version", "is there twice"),
    ],
)
def test_what_is_refused(line: str, path: str, words: str) -> None:
    problem = only(MINIMAL + line.replace("@", CONTACT) + "\n")
    assert (problem.line, problem.path) == (3, path)
    assert words in problem.message


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("{}", "exactly one way to reckon it, found none"),
        ("{days_after_bill: 30, day_of_month: 2}", "found days_after_bill and day_of_month"),
        ("{days_after_bill: 30, region: NZ}", '"region" belongs to business_days_after only'),
        ("{day_of_month: 3, from: bill}", '"from" belongs to business_days_after only'),
        ("{day_of_month: 3, else: {day_of_month: 4}}", '"else" belongs to contact_terms only'),
        ("{contact_terms: false}", "can only be true"),
        ("{business_days_after: 3}", "needs a region"),
    ],
)
def test_due_dates_that_say_too_little_or_too_much(written: str, words: str) -> None:
    problem = only(MINIMAL + f"flows: {{bill: {{due_date: {written}}}}}\n")
    assert (problem.line, problem.path) == (3, "flows.bill.due_date")
    assert words in problem.message


def test_a_region_without_known_holidays_is_refused_with_those_near() -> None:
    text = "flows: {bill: {due_date: {business_days_after: 3, region: AU-NSV}}}\n"
    problem = only(MINIMAL + text)
    assert problem.path == "flows.bill.due_date.region"
    assert 'did you mean "AU-NSW"?' in problem.message


def test_contact_terms_may_not_stand_in_for_themselves() -> None:
    due = "{contact_terms: true, else: {contact_terms: true}}"
    problem = only(MINIMAL + f"flows: {{bill: {{due_date: {due}}}}}\n")
    assert problem.path == "flows.bill.due_date.else.contact_terms"


# --- what one row says of another ---------------------------------------------------------------


def test_one_default_organisation_at_most() -> None:
    text = SAMPLE.replace('000000000002"}     ', '000000000002", default: true}     ')
    problem = only(text)
    assert (problem.line, problem.path) == (6, "organisations[1].default")


def test_the_same_organisation_twice() -> None:
    text = MINIMAL + "organisations:\n" + 2 * f'  - {{tenant_id: "{CONTACT}"}}\n'
    assert only(text) == Problem(
        5, 5, "organisations[1]", "says again what the row on line 4 is about"
    )


@pytest.mark.parametrize(
    "rows",
    [
        'vendors: [{vendor_id: 5, contact_id: "@"},\n {vendor_id: 5, contact_id: "@"}]',
        "codes: [{cost_code: A, item: B},\n {cost_code: A, item: C, from: null}]",
        "contracts: [{contract_id: 5},\n {contract_id: 5, kind: commitment}]",
        "projects: [{project_id: 5},\n {project_id: 5}]",
        "cost_types: [{line_item_type_id: 5, option: A},\n {line_item_type_id: 5, option: B}]",
        "tax_overrides: [{account: Q, tax_type: A},\n {account: Q, side: payable, tax_type: C}]",
        'uncoded: [{expense: "3"},\n {expense: "4"}]',
        "retention: [{payable: {method: net}},\n {payable: {method: line}}]",
        "people: [{person_id: 1, rates: [{time_type_id: 1, rate: 1},\n"
        " {time_type_id: 1, rate: 2}]}]",
    ],
)
def test_two_rows_about_the_same_thing(rows: str) -> None:
    problem = only(MINIMAL + rows.replace("@", CONTACT) + "\n")
    assert problem.line == 4
    assert problem.path.endswith("[1]")
    assert "row on line 3" in problem.message


def test_a_vendor_may_be_another_contact_in_another_organisation() -> None:
    assert [row.organisation for row in read(SAMPLE).base.vendors] == [None, SECOND]


@pytest.mark.parametrize(
    ("row", "path"),
    [
        (
            'vendors: [{vendor_id: 5, contact_id: "@", organisation: "@"}]',
            "vendors[0].organisation",
        ),
        ('tracking: [{project: Jobs, organisation: "@"}]', "tracking[0].organisation"),
        ('projects: [{project_id: 5, organisation: "@"}]', "projects[0].organisation"),
    ],
)
def test_an_organisation_nobody_knows(row: str, path: str) -> None:
    problem = only(MINIMAL + row.replace("@", CONTACT) + "\n")
    assert (problem.line, problem.path) == (3, path)
    assert "not among the organisations" in problem.message


def test_a_mistyped_organisation_is_one_problem_not_one_for_each_row() -> None:
    text = SAMPLE.replace('tenant_id: "a1000000-0000-4000-8000-000000000002"', "tenant_id: a1")
    assert only(text).path == "organisations[1].tenant_id"


def test_a_projects_part_of_a_second_category_must_make_a_whole() -> None:
    override = "{tracking: {second: {fixed: A}}}"
    text = f"tracking: {{project: Jobs}}\nprojects: [{{project_id: 5, overrides: {override}}}]\n"
    problem = only(MINIMAL + text)
    assert (problem.line, problem.path) == (4, "projects[0].overrides.tracking.second")
    assert '"category" is missing' in problem.message


# --- no YAML at all ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("version: 1\ncodes: [{a: 1}\nflows: {}\n", 3),
        ("version: 1\n\tcut_over: 2026-07-01\n", 2),
        ('version: 1\noption: "never closed\n', 3),
        ("version: 1\n---\nversion: 1\n", 2),
        ("version: 1\nflows: *nowhere\n", 2),
        ("version: 1\nname: a\x00b\n", 2),
    ],
)
def test_malformed_text_names_its_line(text: str, line: int) -> None:
    assert only(text).line == line


@pytest.mark.parametrize(
    "text", ["", "# nothing but a comment\n", "null\n", "[]\n", "hello\n", "7\n"]
)
def test_text_that_is_no_document(text: str) -> None:
    assert problems(text)[0].line == 1


def test_aliases_are_refused_before_they_can_multiply() -> None:
    text = MINIMAL + 'codes: [&a {cost_code: "1", expense: "3"}, *a]\n'
    assert "alias" in only(text).message


def test_a_byte_order_mark_does_not_matter() -> None:
    assert read("\ufeff" + MINIMAL) == read(MINIMAL)


def test_very_deep_nesting_is_refused() -> None:
    assert only(MINIMAL + "codes: " + "[" * 5000 + "]" * 5000).message == (
        "nested too deep to be read"
    )
