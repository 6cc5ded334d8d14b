"""Every reply fits the published schema."""

import pytest
from tests.sim.procore.client import Procore

V0, V1 = "/rest/v1.0", "/rest/v1.1"


@pytest.fixture
def busy(procore: Procore) -> Procore:
    """The tiny builder, with one of everything."""
    commitment, (line,) = procore.commitment("1000.00", max_retainage="50.00")
    order = procore.do("new_change_order", commitment_id=commitment, lines=[{"amount": "200.00"}])
    procore.do("approve_change_order", id=order["id"])
    procore.claim(commitment, [{"line_id": line, "work": "500", "new_materials": "40"}])
    procore.commitment("90.00", kind="PurchaseOrderContract")
    procore.do("new_vendor", name="Idle Pty Ltd", abn="51824753556")
    procore.do("new_vendor", name="Gone Pty Ltd", is_active=False)
    return procore


def test_master_data(busy: Procore) -> None:
    company, project = busy.company, busy.project
    at_company, at_project = f"{V0}/companies/{company}", f"{V0}/projects/{project}"
    asked, wbs = f"company_id={company}", "work_breakdown_structure"
    paths = [
        f"{V0}/me", f"{V0}/companies", f"{V0}/company_base_url", f"{at_company}/me",
        f"{at_company}/projects", f"{V1}/projects?{asked}", f"{V1}/projects?{asked}&view=ids",
        f"{V1}/projects?{asked}&view=compact", f"{V1}/projects?{asked}&view=extended",
        f"{at_project}?{asked}", f"{at_project}/tools", f"{at_company}/project_stages",
        f"{V0}/vendors?{asked}", f"{at_company}/vendors/inactive",
        f"{V0}/standard_cost_code_lists?{asked}",
        f"{V0}/standard_cost_codes?{asked}&standard_cost_code_list_id=700001",
        f"{V0}/cost_codes?project_id={project}",
        f"{V0}/line_item_types?{asked}&project_id={project}", f"{V0}/sub_jobs?project_id={project}",
        f"{at_project}/{wbs}/wbs_codes", f"{at_company}/{wbs}/segments",
        f"{at_project}/{wbs}/segments", f"{at_company}/{wbs}/segments/700011/segment_items",
        f"{at_project}/{wbs}/segments/700012/segment_items", f"{at_company}/{wbs}/patterns",
        f"{V0}/tax_codes?{asked}", f"{V0}/tax_types?{asked}",
        f"{at_company}/currency_configuration",
        f"{at_company}/projects/{project}/currency_configuration",
        f"{V1}/projects/{project}/vendors",
    ]  # fmt: skip
    for path in paths:
        assert busy.get(path) is not None, path
    for view in ("compact", "normal", "erp", "extended", "directory", "summary"):
        vendor = busy.get(f"{V0}/vendors/{busy.vendor()}?{asked}&view={view}")
        assert vendor["id"] == busy.vendor()


def test_contracts(busy: Procore) -> None:
    project, asked = busy.project, f"project_id={busy.project}"
    assert len(busy.get(f"{V0}/commitments?{asked}")) == 3
    for path in ("work_order_contracts", "purchase_order_contracts"):
        rows = busy.get(f"{V0}/{path}?{asked}")
        for row in rows:
            shown = busy.get(f"{V0}/{path}/{row['id']}?{asked}")
            lines = busy.get(f"{V0}/{path}/{row['id']}/line_items?{asked}")
            assert [x["id"] for x in lines] == [x["id"] for x in shown["line_items"]]
            busy.get(f"{V0}/{path}/{row['id']}/line_items/{lines[0]['id']}?{asked}")
            busy.get(f"{V0}/projects/{project}/contracts/{row['id']}/invoice_configuration")
            busy.get(f"{V0}/contract_payments?{asked}&contract_id={row['id']}")
    packages = busy.get(f"{V0}/change_order_packages?{asked}")
    assert [p["grand_total"] for p in packages] == ["200.00"]
    shown = busy.get(f"{V0}/change_order_packages/{packages[0]['id']}?{asked}")
    assert [x["total_amount"] for x in shown["line_items"]] == ["200.00"]
    assert len(busy.get(f"{V0}/projects/{project}/commitment_change_orders")) == 1
    assert busy.get(f"{V0}/prime_contracts?{asked}") == []
    said = {
        "start_date": "2026-10-01", "end_date": "2026-10-31", "due_date": "2026-11-05",
        "status": "open",
    }  # fmt: skip
    periods = f"{V0}/projects/{project}/billing_periods"
    made = busy.call("POST", periods, {"billing_period": said}, 201)
    assert busy.get(f"{periods}/{made['id']}")["end_date"] == "2026-10-31"
    assert [p["id"] for p in busy.get(f"{periods}?filters[status]=open")] == [made["id"]]


def test_requisitions(busy: Procore) -> None:
    asked = f"project_id={busy.project}"
    for view in ("default", "extended", "items", "action_policy", "header_only"):
        (row,) = busy.get(f"{V1}/requisitions?{asked}&view={view}")
        shown = busy.get(f"{V1}/requisitions/{row['id']}?{asked}&view={view}")
        assert shown == row
        assert ("items" in row) == (view in ("extended", "items"))
        assert ("summary" in row) == (view != "header_only")
    base = f"{V0}/requisitions/{row['id']}"
    details = busy.get(f"{base}/detail?{asked}")
    assert [d["item_type"] for d in details] == ["contract_item", "change_order_item"]
    (item,) = busy.get(f"{base}/contract_items?{asked}")
    (extra,) = busy.get(f"{base}/change_order_items?{asked}")
    assert busy.get(f"{base}/contract_items/{item['id']}?{asked}") == item
    assert busy.get(f"{base}/change_order_items/{extra['id']}?{asked}") == extra
    assert busy.get(f"{base}/contract_detail_items?{asked}") == []
    assert busy.get(f"{base}/change_histories?{asked}") == []


def test_the_demo_builder_fits_too(procore: Procore) -> None:
    procore.http.post("/_sim/reset", json={"size": "demo"})
    demo = Procore(procore.url)
    asked = f"project_id={demo.project}"
    for row in demo.get(f"{V1}/requisitions?{asked}&view=extended&per_page=100"):
        demo.get(f"{V0}/requisitions/{row['id']}/detail?{asked}")
        histories = demo.get(f"{V0}/requisitions/{row['id']}/change_histories?{asked}")
        assert [h["new_value"] for h in histories] == [row["status"]]
    demo.http.close()
