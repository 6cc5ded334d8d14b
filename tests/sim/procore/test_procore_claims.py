"""Requisitions: what the API says of them, and who may change them when."""

from decimal import Decimal
from typing import Any

import pytest
from tests.sim.procore.client import Procore

D = Decimal

R1 = "/rest/v1.1/requisitions"


def holds(items: list[dict[str, Any]], details: list[dict[str, Any]], due: str) -> None:
    """Gross less retention movement is the payment due; the movement both ways round."""
    gross = sum(
        D(i["total_completed_and_stored_to_date"])
        - D(i["total_completed_and_stored_to_date_from_previous"])
        for i in items
    )
    moved = sum(
        D(d["total_retainage_currently_retained"])
        - D(d["total_retainage_from_previous_application"])
        for d in details
    )
    assert gross - moved == D(due)
    for item, detail in zip(items, details, strict=True):
        assert item["id"] == detail["id"]
        by_item = (
            D(item["work_completed_retainage_retained_this_period"])
            + D(item["materials_stored_retainage_new_materials"])
            - D(item["work_completed_retainage_released_this_period"])
            - D(item["materials_stored_retainage_released_this_period"])
        )
        by_detail = D(detail["total_retainage_currently_retained"]) - D(
            detail["total_retainage_from_previous_application"]
        )
        assert by_item == by_detail


def test_claims_roll_on(procore: Procore) -> None:
    commitment, (line,) = procore.commitment("160000.00")
    expected = [
        ({"work": "100000"}, "90000.00", "0.00", "progress"),
        ({"work": "60000"}, "54000.00", "90000.00", "progress"),
        ({"work_released": "8000"}, "8000.00", "144000.00", "retainage_release"),
        ({"work_released": "8000"}, "8000.00", "152000.00", "retainage_release"),
    ]
    previous = None
    for number, (said, due, before, kind) in enumerate(expected, 1):
        claim = procore.claim(commitment, [{"line_id": line, **said}], status="approved")
        shown = procore.requisition(claim)
        assert shown["number"] == number
        assert shown["previous_requisition_id"] == previous
        assert shown["summary"]["current_payment_due"] == due
        assert shown["summary"]["less_previous_certificates_for_payment"] == before
        assert shown["invoice_type"] == kind
        holds(shown["items"], procore.detail(claim), due)
        previous = claim
    assert shown["summary"]["total_retainage"] == "0.00"
    assert shown["percent_complete"] == "100.00%"


def test_stored_materials_move_into_work(procore: Procore) -> None:
    commitment, (line,) = procore.commitment("1000.00")
    procore.claim(commitment, [{"line_id": line, "work": "200", "new_materials": "300"}])
    claim = procore.claim(
        commitment,
        [{"line_id": line, "work": "50", "materials_moved": "100", "new_materials": "7"}],
    )
    shown = procore.requisition(claim)
    (item,) = shown["items"]
    assert item["materials_presently_stored_from_previous_progress"] == "300.00"
    assert item["materials_moved"] == "100.00"
    assert item["materials_retainage_retained_moved"] == "10.00"
    assert item["work_completed_from_previous_application"] == "300.00"
    assert item["materials_presently_stored"] == "207.00"
    assert item["total_completed_and_stored_to_date"] == "557.00"
    assert item["materials_stored_retainage_currently_retained"] == "20.70"
    assert item["work_completed_retainage_from_previous_application"] == "30.00"
    assert shown["summary"]["stored_materials"] == "207.00"
    holds(shown["items"], procore.detail(claim), "51.30")
    assert shown["summary"]["current_payment_due"] == "51.30"


def test_the_sliding_scale_is_published_and_kept(procore: Procore) -> None:
    commitment, (line,) = procore.commitment("400000.00", max_retainage="20000.00")
    held = []
    for work in ("120000", "90000", "150000"):
        claim = procore.claim(commitment, [{"line_id": line, "work": work}])
        (item,) = procore.requisition(claim)["items"]
        held.append(item["work_completed_retainage_retained_this_period"])
    assert held == ["12000.00", "8000.00", "0.00"]
    said = procore.get(
        f"/rest/v1.0/projects/{procore.project}/contracts/{commitment}/invoice_configuration"
    )
    (rule,) = said["retainage_rule_set"]["retainage_rules"]
    assert said["ssr_enabled"] is True
    assert D(rule["retainage_percentage"]) == 10
    assert rule["max_retainage"] == "20000.00"


def test_negative_and_wholly_retained_claims(procore: Procore) -> None:
    commitment, (line,) = procore.commitment("1000.00")
    procore.claim(commitment, [{"line_id": line, "work": "1000"}])
    negative = procore.claim(commitment, [{"line_id": line, "work": "-400"}])
    shown = procore.requisition(negative)
    assert shown["summary"]["current_payment_due"] == "-360.00"
    holds(shown["items"], procore.detail(negative), "-360.00")
    whole, (line,) = procore.commitment("500.00", retainage_percent="100")
    claim = procore.claim(whole, [{"line_id": line, "work": "500"}])
    assert procore.requisition(claim)["summary"]["current_payment_due"] == "0.00"


def test_items_may_be_incomplete_so_that_only_the_detail_is_right(procore: Procore) -> None:
    commitment, (line,) = procore.commitment("1000.00")
    procore.claim(commitment, [{"line_id": line, "work": "500"}])
    claim = procore.claim(
        commitment, [{"line_id": line, "new_materials": "100", "work_released": "20"}]
    )
    procore.switch(item_retainage_incomplete=True)
    (item,) = procore.requisition(claim)["items"]
    assert "materials_stored_retainage_new_materials" not in item
    assert "work_completed_retainage_released_this_period" not in item
    (detail,) = procore.detail(claim)
    assert D(detail["total_retainage_currently_retained"]) == 40
    assert D(detail["total_retainage_from_previous_application"]) == 50


def test_an_approved_change_order_is_in_the_next_claim(procore: Procore) -> None:
    commitment, (line,) = procore.commitment("1000.00")
    first = procore.claim(commitment, [{"line_id": line, "work": "100"}])
    order = procore.do(
        "new_change_order", commitment_id=commitment, title="Extra", lines=[{"amount": "250"}]
    )
    draft = procore.claim(commitment, [{"line_id": line, "work": "100"}])
    assert len(procore.requisition(draft)["items"]) == 1
    procore.do("approve_change_order", id=order["id"])
    added = procore.call(
        "POST",
        f"/rest/v1.0/requisitions/{draft}/add_change_order_package?project_id={procore.project}"
        f"&commitment_id={commitment}&change_order_package_id={order['id']}",
        status=201,
    )
    assert [a["change_order_package_id"] for a in added] == [order["id"]]
    claim = procore.claim(commitment, [{"line_id": order["line_ids"][0], "work": "250"}])
    shown = procore.requisition(claim)
    assert [i["item_type"] for i in shown["items"]] == ["contract_item", "change_order_item"]
    assert shown["summary"]["net_change_by_change_orders"] == "250.00"
    assert shown["summary"]["contract_sum_to_date"] == "1250.00"
    assert shown["item_packages"][0]["title"] == "Extra"
    assert len(procore.requisition(first)["items"]) == 1


def test_approval_is_in_the_history_with_who_and_when(procore: Procore) -> None:
    commitment, (line,) = procore.commitment("1000.00")
    claim = procore.claim(commitment, [{"line_id": line, "work": "100"}], status="under_review")
    procore.http.post("/_sim/clock", json={"now": "2026-11-25T03:04:05+00:00", "frozen": True})
    procore.token = procore.grant()["access_token"]
    procore.do("approve_claim", id=claim, status="approved_as_noted")
    procore.do("approve_claim", id=claim)
    path = f"/rest/v1.0/requisitions/{claim}/change_histories?project_id={procore.project}"
    rows = procore.get(path)
    assert [(r["column"], r["old_value"], r["new_value"]) for r in rows] == [
        ("status", "draft", "under_review"),
        ("status", "under_review", "approved_as_noted"),
        ("status", "approved_as_noted", "approved"),
    ]
    assert (rows[-1]["action_by"], rows[-1]["action_by_id"]) == ("Robin Hale", 600002)
    assert rows[-1]["created_at"] == "2026-11-25T03:04:05Z"
    assert procore.requisition(claim)["updated_at"] == "2026-11-25T03:04:05Z"


def test_only_the_newest_claim_of_a_contract_changes(procore: Procore) -> None:
    commitment, (line,) = procore.commitment("1000.00")
    old = procore.claim(commitment, [{"line_id": line, "work": "100"}], status="approved")
    new = procore.claim(commitment, [{"line_id": line, "work": "100"}], status="approved")
    assert not procore.requisition(old)["deletable"]
    assert procore.requisition(new)["deletable"]
    ids = {"project_id": procore.project, "commitment_id": commitment}
    refused = procore.raw("PATCH", f"{R1}/{old}", {**ids, "requisition": {"status": "draft"}})
    assert refused.status_code == 422
    assert refused.json() == {"errors": "Only the latest invoice of a contract can be changed"}
    assert procore.raw("DELETE", f"{R1}/{old}?project_id={procore.project}").status_code == 422
    assert procore.requisition(old)["status"] == "approved"
    reopened = procore.call(
        "PATCH",
        f"{R1}/{new}?view=extended",
        {**ids, "requisition": {"status": "revise_and_resubmit", "items": [
            {"line_item_id": line, "item_type": "contract_item",
             "work_completed_this_period": "150"}]}},
    )  # fmt: skip
    assert reopened["status"] == "revise_and_resubmit"
    assert reopened["summary"]["current_payment_due"] == "135.00"
    procore.call("DELETE", f"{R1}/{new}?project_id={procore.project}", status=200)
    assert procore.raw("GET", f"{R1}/{new}?project_id={procore.project}").status_code == 404
    left = procore.get(f"{R1}?project_id={procore.project}")
    assert [r["id"] for r in left] == [old]
    procore.do("edit_claim", id=old, lines=[{"line_id": line, "work": "80"}])
    assert procore.requisition(old)["summary"]["current_payment_due"] == "72.00"


def test_a_claim_is_made_and_changed_through_the_api(procore: Procore) -> None:
    commitment, (line,) = procore.commitment("1000.00")
    ids = {"project_id": procore.project, "commitment_id": commitment}
    said = {
        "invoice_number": "INV-1", "billing_date": "2026-10-31", "payment_date": "not a date",
        "status": "under_review", "items": [
            {"line_item_id": line, "item_type": "contract_item",
             "work_completed_this_period": "300.00", "new_materials": "40",
             "comment": "as measured", "status": "approved"}],
    }  # fmt: skip
    made = procore.call("POST", f"{R1}?view=extended", {**ids, "requisition": said}, 201)
    assert made["billing_date"] == "2026-10-31"
    assert made["payment_date"] is None  # a date that cannot be read is stored as null
    (item,) = made["items"]
    assert (item["comment"], item["status"]) == ("as measured", "approved")
    assert item["work_completed_retainage_retained_this_period"] == "30.00"
    changed = procore.call(
        "PATCH",
        f"{R1}/{made['id']}?view=items",
        {**ids, "requisition": {"items": [
            {"id": item["id"], "item_type": "contract_item",
             "materials_presently_stored": "90.00",
             "work_completed_retainage_retained_this_period": "12.00"}]}},
    )  # fmt: skip
    (item,) = changed["items"]
    assert item["materials_presently_stored"] == "90.00"
    assert item["work_completed_retainage_retained_this_period"] == "12.00"
    assert item["ssr_manual_override"] is True
    assert changed["summary"]["current_payment_due"] == "369.00"
    base = f"/rest/v1.0/requisitions/{made['id']}"
    procore.call(
        "PATCH",
        f"{base}/bulk_item_update?project_id={procore.project}",
        {"requisition_items": [{"id": item["id"], "item_type": "contract_item",
                                "work_completed_this_period": "0",
                                "work_completed_retainage_percent_this_period": "50"}]},
        200,
    )  # fmt: skip
    (item,) = procore.requisition(made["id"])["items"]
    assert item["work_completed_this_period"] == "0.00"
    assert item["work_completed_retainage_retained_this_period"] == "0.00"


def test_a_refused_edit_changes_nothing(procore: Procore) -> None:
    commitment, lines = procore.commitment("1000.00", "500.00")
    claim = procore.claim(commitment, [{"line_id": lines[0], "work": "100"}])
    before = procore.requisition(claim)
    ids = {"project_id": procore.project, "commitment_id": commitment}
    item = before["items"][0]["id"]
    for wrong in (
        {"status": "paid"},
        {"invoice_number": "X", "items": [{"id": item, "work_completed_this_period": "lots"}]},
        {"invoice_number": "X", "items": [{"id": item, "work_completed_this_period": "5"},
                                          {"id": 1, "work_completed_this_period": "5"}]},
        {"invoice_number": "X", "items": [{"id": item, "materials_moved": "5"}]},
    ):  # fmt: skip
        answer = procore.raw("PATCH", f"{R1}/{claim}", {**ids, "requisition": wrong})
        assert answer.status_code == 422, wrong
        assert procore.requisition(claim) == before


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("filters[status]=approved", [0, 2]),
        ("filters[status]=under_review", [1]),
        ("filters[is_last]=true", [1, 2]),
        ("filters[search]=invoice-b", [1]),
        ("filters[origin_id]=xyz", [2]),
        ("filters[nonsense]=1", [0, 1, 2]),
    ],
)
def test_the_list_filters(procore: Procore, query: str, expected: list[int]) -> None:
    first, (line,) = procore.commitment("1000.00")
    second, (other,) = procore.commitment("1000.00")
    made = [
        procore.claim(first, [{"line_id": line, "work": "1"}], status="approved"),
        procore.claim(first, [{"line_id": line, "work": "2"}], status="under_review",
                      invoice_number="INVOICE-B"),
        procore.claim(second, [{"line_id": other, "work": "3"}], status="approved",
                      origin_id="xyz"),
    ]  # fmt: skip
    rows = procore.get(f"{R1}?project_id={procore.project}&{query}")
    assert [r["id"] for r in rows] == [made[n] for n in expected]
    by_id = "&".join(f"filters[id][]={made[n]}" for n in (0, 2))
    assert len(procore.get(f"{R1}?project_id={procore.project}&{by_id}")) == 2
    assert len(procore.get(f"{R1}?project_id={procore.project}&filters[id]={made[1]}")) == 1
    by_contract = f"filters[commitment_id]={second}"
    assert len(procore.get(f"{R1}?project_id={procore.project}&{by_contract}")) == 1


def test_the_updated_range_includes_both_ends(procore: Procore) -> None:
    commitment, (line,) = procore.commitment("1000.00")
    claim = procore.claim(commitment, [{"line_id": line, "work": "1"}])
    for second in ("05", "06", "07"):
        now = f"2026-11-23T03:04:{second}.500000+00:00"
        procore.http.post("/_sim/clock", json={"now": now, "frozen": True})
        procore.token = procore.grant()["access_token"]
        procore.do("edit_claim", id=claim, invoice_number=second)
    asked = f"{R1}?project_id={procore.project}&filters[updated_at]="
    assert len(procore.get(f"{asked}2026-11-23T03:04:07Z...2026-11-23T03:04:07Z")) == 1
    assert len(procore.get(f"{asked}2026-11-23T03:04:05Z...2026-11-23T03:04:06Z")) == 0
    assert len(procore.get(f"{asked}2026-11-23...2026-11-23")) == 1
    assert len(procore.get(f"{asked}2026-11-23T03:04:08Z...")) == 0
    wrong = procore.raw("GET", f"{asked}yesterday...today")
    assert wrong.status_code == 400


def test_an_origin_id_locks_a_claim(procore: Procore) -> None:
    commitment, (line,) = procore.commitment("1000.00")
    other, (another,) = procore.commitment("1000.00")
    claim = procore.claim(commitment, [{"line_id": line, "work": "1"}])
    second = procore.claim(other, [{"line_id": another, "work": "1"}])
    ids = {"project_id": procore.project, "commitment_id": commitment}
    procore.call("PATCH", f"{R1}/{claim}", {**ids, "requisition": {"origin_data": "free"}})
    procore.call("PATCH", f"{R1}/{claim}", {**ids, "requisition": {"origin_id": "bill-1"}})
    locked = procore.raw("PATCH", f"{R1}/{claim}", {**ids, "requisition": {"status": "approved"}})
    assert locked.status_code == 422
    assert procore.raw("DELETE", f"{R1}/{claim}?project_id={procore.project}").status_code == 422
    taken = procore.raw(
        "PATCH",
        f"{R1}/{second}",
        {**ids, "commitment_id": other, "requisition": {"origin_id": "bill-1"}},
    )
    assert taken.status_code == 422
    assert taken.json() == {"errors": {"origin_id": ["has already been taken"]}}
    procore.call("PATCH", f"{R1}/{claim}", {**ids, "requisition": {"origin_id": None}})
    procore.call("PATCH", f"{R1}/{claim}", {**ids, "requisition": {"status": "approved"}})
    procore.switch(origin_id_locks=False)
    procore.call("PATCH", f"{R1}/{claim}", {**ids, "requisition": {"origin_id": "bill-2"}})
    procore.call("PATCH", f"{R1}/{claim}", {**ids, "requisition": {"status": "draft"}})


def test_tax_is_shown_where_lines_have_a_code(procore: Procore) -> None:
    lines = [{"amount": "1000", "tax_code_id": 1}, {"amount": "500", "tax_code_id": 2}]
    made = procore.do(
        "new_commitment", vendor_id=procore.vendor(), retainage_percent="10", lines=lines
    )
    first, second = made["line_ids"]
    claim = procore.claim(
        made["id"], [{"line_id": first, "work": "100.05"}, {"line_id": second, "work": "50"}]
    )
    shown = procore.requisition(claim)
    assert shown["summary"]["tax_applicable_to_this_payment"] == "10.01"
    assert [(t["tax_code_name"], t["applied_amount"]) for t in shown["tax_summary"]] == [
        ("GST", 100.05),
        ("FRE", 50.00),
    ]
    assert shown["summary"]["current_payment_due"] == "135.04"
    procore.switch(payment_due_includes_tax=True)
    assert procore.requisition(claim)["summary"]["current_payment_due"] == "145.05"
    procore.switch(tax_base="net")
    whole = procore.requisition(claim)["summary"]
    assert whole["tax_applicable_to_this_payment"] == "9.00"
    assert whole["current_payment_due"] == "144.04"


def test_payment_details_take_a_due_date(procore: Procore) -> None:
    commitment, (line,) = procore.commitment("1000.00")
    claim = procore.claim(commitment, [{"line_id": line, "work": "1"}])
    path = (
        f"/rest/v2.0/companies/{procore.company}/projects/{procore.project}"
        f"/requisitions/{claim}/payment_details"
    )
    said = procore.call("PATCH", path, {"due_date": "2026-12-20"})
    assert said == {"data": {"due_date": "2026-12-20"}}
    assert procore.raw("GET", path).status_code == 405


def test_a_hundred_claims_at_once(procore: Procore) -> None:
    made = procore.do("bulk_claims", count=100, status="approved")
    assert len(set(made["ids"])) == 100
    asked = f"{R1}?project_id={procore.project}&per_page=500&view=items"
    answer = procore.raw("GET", asked)
    assert (answer.headers["per-page"], answer.headers["total"]) == ("100", "100")
    rows = procore.get(asked)
    assert {r["id"] for r in rows} == set(made["ids"])
    assert {r["status"] for r in rows} == {"approved"}
    assert len({r["summary"]["current_payment_due"] for r in rows}) == 100
    first = next(r for r in rows if r["id"] == made["ids"][0])
    assert first["items"][0]["gross_amount"] == "1001.01"
    assert first["summary"]["current_payment_due"] == "900.91"
