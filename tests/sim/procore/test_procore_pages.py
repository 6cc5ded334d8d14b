"""The pages a person uses, driven by plain requests."""

import re

import httpx2
from tests.sim.procore.client import Procore


def see(procore: Procore, path: str, status: int = 200) -> str:
    answer = procore.http.get(path)
    assert answer.status_code == status, answer.text
    assert "Procore simulator" in answer.text
    assert "prefers-color-scheme: dark" in answer.text
    assert "<script" not in answer.text
    return str(answer.text)


def press(procore: Procore, path: str, **fields: str) -> httpx2.Response:
    """Send a form; the answer leads on to a page."""
    return procore.http.post(path, data=fields)


def offered(text: str) -> list[str]:
    return re.findall(r"<button[^>]*>([^<]+)</button>", text)


def test_home_leads_to_projects_and_tells_how_to_connect(procore: Procore) -> None:
    home = see(procore, "/")
    assert f'href="/{procore.project}/project/home"' in home
    assert "sim-procore-client" in home
    assert "sim-procore-secret" in home
    assert procore.company in home


def test_a_claim_from_draft_to_approved_and_back(procore: Procore) -> None:
    commitment, (line,) = procore.commitment("1000.00")
    contract = f"/{procore.project}/project/contracts/commitments/{commitment}"
    assert "New claim" in see(procore, contract)
    form = see(procore, f"{contract}/requisitions/new")
    assert f'name="work-{line}"' in form
    assert 'aria-label="Work this period: Part 0"' in form
    made = press(procore, f"{contract}/requisitions/new", **{
        f"work-{line}": "1,000.00", f"new_materials-{line}": "", "invoice_number": "<INV> & 1",
        "billing_date": "2026-11-01",
    })  # fmt: skip
    assert made.status_code == 303
    page = made.headers["location"]
    claim = int(page.rsplit("/", 1)[1])
    assert page == f"/{procore.project}/project/contracts/requisitions/{claim}"
    text = see(procore, page)
    assert "&lt;INV&gt; &amp; 1" in text
    assert "900.00" in text
    assert offered(text) == [
        "Submit", "Approve", "Approve as noted", "Revise and resubmit", "Delete", "Save amounts",
    ]  # fmt: skip
    press(procore, page, do="under_review")
    assert offered(see(procore, page))[:3] == ["Approve", "Approve as noted", "Revise and resubmit"]
    press(procore, page, **{f"work-{line}": "500", "invoice_number": "INV-2", "do": "save"})
    assert procore.requisition(claim)["summary"]["current_payment_due"] == "450.00"
    press(procore, page, do="approved")
    assert procore.requisition(claim)["status"] == "approved"
    assert offered(see(procore, page)) == ["Reopen", "Delete", "Save amounts"]
    assert "Robin Hale" in see(procore, page)
    press(procore, page, do="under_review")
    assert procore.requisition(claim)["status"] == "under_review"
    press(procore, page, do="revise_and_resubmit")
    assert "Submit" in offered(see(procore, page))
    gone = press(procore, page, do="delete")
    assert gone.headers["location"] == contract
    see(procore, page, 404)


def test_an_older_claim_offers_nothing(procore: Procore) -> None:
    commitment, (line,) = procore.commitment("1000.00")
    old = procore.claim(commitment, [{"line_id": line, "work": "100"}])
    procore.claim(commitment, [{"line_id": line, "work": "100"}])
    page = f"/{procore.project}/project/contracts/requisitions/{old}"
    assert offered(see(procore, page)) == []
    refused = press(procore, page, do="approved")
    assert refused.status_code == 422
    assert "Only the latest invoice" in refused.text
    assert 'role="alert"' in refused.text


def test_wrong_amounts_are_told(procore: Procore) -> None:
    commitment, (line,) = procore.commitment("1000.00")
    new = f"/{procore.project}/project/contracts/commitments/{commitment}/requisitions/new"
    refused = press(procore, new, **{f"work-{line}": "much"})
    assert refused.status_code == 422
    assert "work is not a number" in refused.text


def test_the_project_page_turns_permission_and_tools(procore: Procore) -> None:
    home = f"/{procore.project}/project/home"
    assert "Hide from OneCore" in offered(see(procore, home))
    press(procore, home, permitted="no")
    claims = f"/rest/v1.1/requisitions?project_id={procore.project}"
    assert procore.raw("GET", claims).status_code == 404
    assert "Permit OneCore" in offered(see(procore, home))
    press(procore, home, permitted="yes")
    assert "Turn commitments off" in offered(see(procore, home))
    press(procore, home, tool="commitments")
    assert procore.raw("GET", claims).status_code == 403
    press(procore, home, tool="commitments")
    assert procore.raw("GET", claims).status_code == 200


def test_a_change_order_is_approved(procore: Procore) -> None:
    commitment, _ = procore.commitment("1000.00")
    order = procore.do("new_change_order", commitment_id=commitment, lines=[{"amount": "99.00"}])
    contract = f"/{procore.project}/project/contracts/commitments/{commitment}"
    assert "Approve 001" in offered(see(procore, contract))
    press(procore, f"/{procore.project}/project/contracts/change_orders/{order['id']}")
    assert "Approve 001" not in offered(see(procore, contract))
    path = f"/rest/v1.0/work_order_contracts/{commitment}?project_id={procore.project}"
    assert procore.get(path)["revised_contract"] == "1099.00"


def test_vendors_and_clock(procore: Procore) -> None:
    press(procore, "/vendors", name="Fresh & Sons", abn="51824753556", email="")
    assert "Fresh &amp; Sons" in see(procore, "/vendors")
    press(procore, "/clock", now="2027-03-04T05:06")
    assert "Thursday 04 March 2027, 05:06 UTC" in see(procore, "/clock")
    press(procore, "/clock", hours="24")
    assert "Friday 05 March 2027, 05:06 UTC" in see(procore, "/clock")
    assert press(procore, "/clock", now="soon").status_code == 400


def test_what_is_not_there(procore: Procore) -> None:
    see(procore, "/999/project/home", 404)
    see(procore, f"/{procore.project}/project/contracts/requisitions/1", 404)
    see(procore, f"/{procore.project}/project/contracts/commitments/1", 404)
