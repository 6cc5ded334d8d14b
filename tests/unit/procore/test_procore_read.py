"""Procore's answers, good and odd, as our documents."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onecore.domain.documents import CostCode, Requisition
from onecore.domain.ids import CommitmentId, CostCodeId, ProjectId
from onecore.http.wire import Reader
from onecore.procore import read, wire

PROJECT = ProjectId(7)
KNOWN = {CostCodeId(11): CostCode(CostCodeId(11), "03-300", "Concrete")}
WBS = {
    "id": 9,
    "flat_code": "03-300.S",
    "segment_items": [
        {"id": 11, "code": "300", "path_code": "03-300", "segment": {"type": "cost_code"}},
        {"id": 3, "code": "S", "name": "Subcontract", "segment": {"type": "line_item_type"}},
        {"id": 5, "code": "BLOCK-A", "segment": {"type": "sub_job"}},
        {"id": 77, "code": "X", "segment": {"type": "custom"}},
    ],
}
ITEM: dict[str, Any] = {
    "id": 1,
    "description_of_work": "Slabs",
    "cost_code_id": 11,
    "wbs_code": WBS,
    "total_completed_and_stored_to_date": "15000.00",
    "total_completed_and_stored_to_date_from_previous": "3000.00",
    "work_completed_retainage_retained_this_period": "1000.00",
    "materials_stored_retainage_new_materials": "200.00",
    "work_completed_retainage_released_this_period": "50.00",
    "materials_stored_retainage_released_this_period": "25.00",
}
CLAIM: dict[str, Any] = {
    "id": 55,
    "commitment_id": 31,
    "vendor_id": 12,
    "vendor_name": "Concrete & Co",
    "number": 4,
    "invoice_number": "INV-0123",
    "status": "approved",
    "billing_date": "2026-03-31",
    "requisition_start": "2026-03-01",
    "requisition_end": "2026-03-31",
    "submitted_at": "2026-03-28",
    "updated_at": "2026-04-02T23:15:00Z",
    "summary": {"current_payment_due": "10875.00"},
    "currency_configuration": {"currency_iso_code": "AUD"},
    "items": [ITEM],
}


def claim(**changes: Any) -> Requisition:
    body = json.dumps([{**CLAIM, **changes}]).encode()
    (raw,) = Reader(list[wire.Requisition]).read(body)
    return read.read_requisition(
        raw, PROJECT, KNOWN, {CommitmentId(31): "SC-001"}, "https://app.procore.com/"
    )


def item(**changes: Any) -> Any:
    return claim(items=[{**ITEM, **changes}]).lines[0]


def test_a_whole_claim() -> None:
    got = claim()
    assert got.id == 55
    assert (got.project, got.commitment, got.commitment_number) == (7, 31, "SC-001")
    assert (got.vendor, got.vendor_name, got.number) == (12, "Concrete & Co", 4)
    assert (got.invoice_number, got.status, got.currency) == ("INV-0123", "approved", "AUD")
    assert got.billing_date == date(2026, 3, 31)
    assert (got.period_start, got.period_end) == (date(2026, 3, 1), date(2026, 3, 31))
    assert got.submitted_at == datetime(2026, 3, 28, tzinfo=UTC)
    assert got.updated_at == datetime(2026, 4, 2, 23, 15, tzinfo=UTC)
    assert got.approved_at is None
    assert got.url == "https://app.procore.com/7/project/contracts/requisitions/55"
    (line,) = got.lines
    assert line.gross == Decimal("12000.00")
    assert (line.retained, line.released) == (Decimal("1200.00"), Decimal("75.00"))
    assert (line.cost_code, line.cost_type, line.sub_job) == (KNOWN[CostCodeId(11)], 3, "BLOCK-A")
    assert got.net == Decimal("10875.00")
    assert got.adds_up


def test_an_amount_due_with_its_tax_is_known_by_the_tax() -> None:
    due = {"current_payment_due": "11962.50", "tax_applicable_to_this_payment": "1087.50"}
    got = claim(summary=due)
    assert not got.adds_up
    mended = got.without_tax_in_due()
    assert mended.adds_up
    assert mended.current_payment_due == Decimal("10875.00")


@pytest.mark.parametrize("tax", ["0.00", "1087.49", None])
def test_tax_explains_a_difference_only_to_the_cent(tax: str | None) -> None:
    due = {"current_payment_due": "11962.50", "tax_applicable_to_this_payment": tax}
    got = claim(summary=due)
    assert got.without_tax_in_due() is got


def test_odd_spellings_mean_the_same() -> None:
    odd = claim(
        id="55",
        commitment_id="31",
        vendor_id="12",
        number="4",
        summary={"current_payment_due": 10875.00},
        billing_date="2026-03-31T00:00:00Z",
        submitted_at="2026-03-28T00:00:00Z",
        updated_at="2026-04-03T09:15:00+10:00",
        attachments=[],
        custom_fields=[],
    )
    assert odd == claim()


def test_money_as_a_number_is_exact() -> None:
    assert claim(summary={"current_payment_due": 0.1}).current_payment_due == Decimal("0.1")
    body = b'[{"id":1,"commitment_id":2,"status":"x","updated_at":"2026-01-01T00:00:00Z",'
    body += b'"summary":{"current_payment_due":12345678901234.56},"items":[]}]'
    (raw,) = Reader(list[wire.Requisition]).read(body)
    got = read.read_requisition(raw, PROJECT, {}, {}, "https://x")
    assert got.current_payment_due == Decimal("12345678901234.56")


@pytest.mark.parametrize("nothing", [None, [], ""])
def test_what_is_unset_may_be_written_in_many_ways(nothing: object) -> None:
    got = claim(
        vendor_id=nothing,
        vendor_name=nothing,
        invoice_number=nothing,
        billing_date=nothing,
        submitted_at=nothing,
        currency_configuration=nothing,
        items=nothing,
        number=nothing,
    )
    assert got.vendor == read.NO_VENDOR
    assert (got.billing_date, got.submitted_at, got.currency) == (None, None, None)
    assert (got.invoice_number, got.number, got.lines) == ("", 0, ())


@pytest.mark.parametrize("summary", [None, {}, {"current_payment_due": None}, []])
def test_a_claim_without_its_amount_due_is_unreadable(summary: object) -> None:
    with pytest.raises(ValueError, match="55 has no summary"):
        claim(summary=summary)


def test_an_unknown_status_is_kept_as_it_is() -> None:
    assert claim(status="pending_something_new").status == "pending_something_new"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, KNOWN[CostCodeId(11)]),
        ({"cost_code_id": None}, KNOWN[CostCodeId(11)]),
        ({"wbs_code": None}, KNOWN[CostCodeId(11)]),
        # the segment has an id of its own: the project's cost code is the one to go by
        (
            {
                "wbs_code": {
                    "segment_items": [
                        {"id": 900, "path_code": "9", "segment": {"type": "cost_code"}}
                    ]
                }
            },
            KNOWN[CostCodeId(11)],
        ),
        # a code the project's list does not have, described by its segment
        (
            {
                "cost_code_id": 12,
                "wbs_code": {
                    "segment_items": [
                        {"id": 12, "code": "400", "path_code": "03-400", "name": "Steel",
                         "segment": {"type": "cost_code"}}
                    ]
                },
            },
            CostCode(CostCodeId(12), "03-400", "Steel"),
        ),
        # described nowhere: still a code, never "uncoded"
        ({"cost_code_id": 99, "wbs_code": None}, CostCode(CostCodeId(99), "#99", "")),
        ({"cost_code_id": None, "wbs_code": None}, None),
        ({"cost_code_id": None, "wbs_code": {"flat_code": "x", "segment_items": []}}, None),
    ],
)  # fmt: skip
def test_cost_codes(changes: dict[str, Any], code: CostCode | None) -> None:
    assert item(**changes).cost_code == code


def test_a_back_charge_is_negative() -> None:
    line = item(
        total_completed_and_stored_to_date="2500.00",
        total_completed_and_stored_to_date_from_previous="3000.00",
        work_completed_retainage_retained_this_period="-50.00",
        materials_stored_retainage_new_materials="0.0",
        work_completed_retainage_released_this_period=None,
        materials_stored_retainage_released_this_period=None,
    )
    assert (line.gross, line.retained, line.released) == (Decimal(-500), Decimal(-50), Decimal(0))


def movement(**line: object) -> tuple[Decimal, Decimal]:
    body = json.dumps([{"id": 1, **line}]).encode()
    return read.read_movements(Reader(list[wire.DetailLine]).read(body))[1]


def test_movements_are_both_kinds_together() -> None:
    assert movement(
        work_completed_retainage_retained_this_period="100.00",
        materials_stored_retainage_retained_this_period="20.00",
        work_completed_retainage_released_this_period="30.00",
        materials_stored_retainage_released_this_period="5.00",
    ) == (Decimal("120.00"), Decimal("35.00"))


@pytest.mark.parametrize(
    ("now", "before", "retained", "released", "wanted"),
    [
        ("85.00", "0.00", "120.00", "35.00", ("120.00", "35.00")),
        # retainage carried over with moved materials is not newly held
        ("100.00", "100.00", "20.00", "0.00", ("0.00", "0.00")),
        ("60.00", "100.00", "0.00", "0.00", ("0", "40.00")),
        ("60.00", "100.00", "20.00", "50.00", ("10.00", "50.00")),
        ("20.00", "100.00", "20.00", "50.00", ("0", "80.00")),
    ],
)
def test_the_balances_decide_how_much_moved(
    now: str, before: str, retained: str, released: str, wanted: tuple[str, str]
) -> None:
    got = movement(
        work_completed_retainage_retained_this_period=retained,
        work_completed_retainage_released_this_period=released,
        total_retainage_currently_retained=now,
        total_retainage_from_previous_application=before,
    )
    assert got == (Decimal(wanted[0]), Decimal(wanted[1]))


CENTS = st.decimals(min_value=0, max_value=10**6, places=2, allow_nan=False)


@given(CENTS, CENTS, CENTS, CENTS)
def test_a_movement_always_explains_the_balances(
    now: Decimal, before: Decimal, retained: Decimal, released: Decimal
) -> None:
    held, let_go = movement(
        work_completed_retainage_retained_this_period=str(retained),
        work_completed_retainage_released_this_period=str(released),
        total_retainage_currently_retained=str(now),
        total_retainage_from_previous_application=str(before),
    )
    assert held - let_go == now - before
    assert held >= 0
    assert let_go >= 0


def history(*rows: tuple[str, str, str]) -> datetime | None:
    body = json.dumps([{"column": c, "new_value": v, "created_at": a} for c, v, a in rows])
    return read.approved_at(Reader(list[wire.Change]).read(body.encode()))


def test_when_a_claim_was_approved_last() -> None:
    assert history(
        ("status", "approved", "2026-03-01T10:00:00Z"),
        ("Status", "Approved", "2026-03-05T10:00:00Z"),
        ("status", "draft", "2026-03-06T10:00:00Z"),
        ("comment", "approved", "2026-03-07T10:00:00Z"),
        ("status", "approved_as_noted", "2026-03-04T10:00:00Z"),
    ) == datetime(2026, 3, 5, 10, tzinfo=UTC)
    assert history(("status", "draft", "2026-03-06T10:00:00Z")) is None
    assert history() is None


@given(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=11))])))
def test_instants_are_utc_whatever_their_offset(moment: datetime) -> None:
    assert read.instant(moment.isoformat()) == moment
    assert read.instant(moment.isoformat()).tzinfo is UTC


def contract(**more: Any) -> Any:
    body = {"id": 31, "number": 7, "title": "Slabs", "status": "Approved", **more}
    raw = Reader(wire.Commitment).read(json.dumps(body).encode())
    return read.read_commitment(raw, "WorkOrderContract")


def test_contract_totals_have_approved_changes_in() -> None:
    plain = {"grand_total": "100.00", "approved_change_orders": "5.50"}
    assert contract(**plain).total == Decimal("105.50")
    assert contract(**plain, revised_contract="106.00").total == Decimal("106.00")
    assert contract().number == "7"
    assert contract(vendor={"id": 12, "company": "X"}).vendor == 12
    assert contract(vendor=[]).vendor is None


def test_projects_prefer_the_iana_name_of_their_zone() -> None:
    def project(**more: Any) -> Any:
        body = {"id": "9007199254740993", "project_number": 12, "name": "Site", **more}
        return read.read_project(Reader(wire.Project).read(json.dumps(body).encode()))

    both = project(time_zone="Sydney", tz_name="Australia/Sydney", active=True)
    assert both.time_zone == "Australia/Sydney"
    assert both.id == 9007199254740993
    assert both.label == "12 Site"
    assert project(time_zone="Sydney").time_zone == "Sydney"
    assert project(active=False).active is False


def test_vendors_have_their_register_number() -> None:
    body = {
        "id": 12,
        "name": "Concrete & Co ",
        "is_active": True,
        "email_address": "a@b.co",
        "business_register": {"type": "abn", "identifier": "51824753556"},
    }
    got = read.read_vendor(Reader(wire.Vendor).read(json.dumps(body).encode()))
    assert (got.id, got.name, got.abn, got.email) == (
        12,
        "Concrete & Co",
        "51824753556",
        "a@b.co",
    )
    assert got.active
    bare = read.read_vendor(Reader(wire.Vendor).read(b'{"id": 1, "business_register": []}'), False)
    assert (bare.abn, bare.active) == ("", False)
