"""What is written reads back as the same; what differs is told."""

from datetime import date
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from tests.unit.config.documents import SAMPLE, documents

from onecore.domain.ids import OrganisationId
from onecore.domain.refs import Flow
from onecore.domain.settings import Mode
from onecore.engine.config import Change, default_text, diff, read, write

ONE = OrganisationId(UUID(int=1))
TWO = OrganisationId(UUID(int=2))
START = date(2026, 7, 1)
SLOW = settings(
    deadline=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@SLOW
@given(documents())
def test_what_is_written_reads_back_as_the_same(tree: dict[str, Any]) -> None:
    text = write(tree)
    document = read(text)
    assert document.raw == tree
    assert write(document) == text
    assert diff(text, write(document.raw)) == ()


def test_the_sample_survives_writing() -> None:
    document = read(SAMPLE)
    again = read(write(document))
    assert again == document
    assert again.raw == document.raw
    assert diff(SAMPLE, write(document)) == ()


def test_canonical_text_does_not_depend_on_the_order_it_came_in() -> None:
    raw = read(SAMPLE).raw
    turned = dict(reversed(raw.items()))
    assert write(turned) == write(raw)


def test_canonical_text_has_a_row_to_a_line_and_headings() -> None:
    lines = write(read(SAMPLE)).splitlines()
    assert lines[:2] == ["version: 1", "cut_over: 2026-07-01"]
    assert '  - {cost_code: "02-*", cost_type: 5, expense: "320"}' in lines
    assert "  paid_date: {mode: auto}" in lines
    assert lines[lines.index("codes:") - 1].startswith("# Cost codes to accounts")


def test_the_starter_is_valid_and_posts_nothing() -> None:
    document = read(default_text(START, [ONE, TWO]))
    assert document.base.cut_over == START
    assert document.base.bill.mode is Mode.OFF
    assert {flow: other.mode for flow, other in document.flows} == {
        flow: Mode.OFF for flow in Flow if flow is not Flow.BILL
    }
    assert [(row.id, row.default) for row in document.organisations] == [(ONE, True), (TWO, False)]
    assert document.base.retention.payable.method == "line"
    assert document.base.retention.payable.account is None
    assert document.base.tracking.project is None


def test_the_starter_without_organisations_is_valid() -> None:
    assert read(default_text(START)).organisations == ()


def test_a_difference_is_named_by_what_it_is_about() -> None:
    new = (
        SAMPLE.replace('expense: "320"}', 'expense: "321"}')
        .replace("{mode: auto, max_mb: 4}", "{mode: approve, max_mb: 4}")
        .replace("cut_over: 2026-07-01", "cut_over: 2026-08-01")
        .replace('  - {project_id: 501, option: "501 Jetty Road"}\n', "")
        .replace("lock_source: posted\n", "")
        .replace("types: [invoice, expense]", "types: [invoice]")
    )
    assert diff(SAMPLE, new) == (
        Change("cut_over", "2026-07-01", "2026-08-01"),
        Change("flows.cost_to_bill.types", "[invoice, expense]", "[invoice]"),
        Change("flows.attachments.mode", "auto", "approve"),
        Change("codes[cost_code=02-*, cost_type=5].expense", "320", "321"),
        Change("projects[project_id=501]", "{project_id: 501, option: 501 Jetty Road}", None),
        Change("lock_source", "posted", None),
    )


def test_a_difference_reads_as_a_line() -> None:
    assert [
        str(x) for x in (Change("a", "1", "2"), Change("a", None, "2"), Change("a", "1", None))
    ] == [
        "~ a: 1 -> 2",
        "+ a: 2",
        "- a: 1",
    ]


def test_the_order_of_rows_is_no_difference() -> None:
    lines = SAMPLE.splitlines(keepends=True)
    at = next(i for i, line in enumerate(lines) if "vendor_id: 41" in line)
    lines[at], lines[at + 1] = lines[at + 1], lines[at]
    assert "".join(lines) != SAMPLE
    assert diff(SAMPLE, "".join(lines)) == ()


def test_true_and_one_are_different() -> None:
    old = SAMPLE.replace("number: false, amount_window_days: 21", "amount_window_days: 1")
    new = SAMPLE.replace("number: false, amount_window_days: 21", "number: true")
    assert diff(old, new) == (
        Change("duplicates.number", None, "true"),
        Change("duplicates.amount_window_days", "1", None),
    )
