"""The bookkeeper's pages work with plain forms, and the state survives being written out."""

import json
import re
from html import unescape
from typing import Any

import pytest

from onecore_sim.xero.simulator import XeroSimulator


def page(xero: Any, path: str, status: int = 200) -> str:
    answer = xero.http.get(path)
    assert answer.status_code == status
    assert "Xero simulator" in answer.text
    return str(answer.text)


def press(xero: Any, path: str, button: str, **fields: str) -> str:
    """Fill in and send the form with that button; gives the page that follows."""
    for form in re.findall(r"<form.*?</form>", page(xero, path), re.S):
        if f">{button}</button>" not in unescape(form):
            continue
        sent = {
            unescape(name): unescape(value)
            for name, value in re.findall(r'<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"', form)
        }
        for name, options in re.findall(r'<select name="([^"]+)">(.*?)</select>', form, re.S):
            chosen = re.search(r'value="([^"]*)" selected', options)
            first = re.search(r'value="([^"]*)"', options)
            picked = chosen or first
            sent[name] = unescape(picked[1]) if picked else ""
        assert set(fields) <= set(sent), sent
        action = re.search(r'action="([^"]+)"', form)
        assert action
        answer = xero.http.post(action[1], data={**sent, **fields}, follow_redirects=True)
        assert answer.status_code == 200
        return unescape(answer.text)
    raise AssertionError(f"There is no button {button!r} on {path}.")


def test_home_names_organisations_and_clients(xero: Any) -> None:
    text = page(xero, "/")
    assert "Banksia Constructions Pty Ltd" in text
    for word in ("sim-xero-client", "sim-xero-secret", "sim-xero-custom", xero.tenant):
        assert word in text


def test_a_bill_goes_from_draft_to_paid_and_back_by_buttons(xero: Any) -> None:
    body = xero.bill("100", Status="DRAFT", Url="https://procore.example/claim/4")
    id_ = xero.put(body)["InvoiceID"]
    path = f"/bills/view/{id_}"
    assert 'href="https://procore.example/claim/4"' in page(xero, path)
    assert "S-100" in page(xero, f"/o/{xero.tenant}/bills")
    press(xero, path, "Save line 1", account="429", description="Recoded <b>")
    assert xero.invoice(id_)["LineItems"][0]["AccountCode"] == "429"
    assert "Recoded &lt;b&gt;" in page(xero, path)
    press(xero, path, "Save dates", due_date="2026-10-31")
    press(xero, path, "Approve")
    said = press(xero, path, "Pay", amount="500")
    assert "Payment amount exceeds the amount outstanding" in said
    press(xero, path, "Pay", amount="110", date="2026-08-14")
    now = xero.invoice(id_)
    assert (now["Status"], now["DueDateString"]) == ("PAID", "2026-10-31T00:00:00")
    press(xero, path, "Remove payment")
    press(xero, path, "Void")
    assert xero.invoice(id_)["Status"] == "VOIDED"
    assert "Bea Ledger" in page(xero, path)


def test_a_person_may_recode_a_paid_bill_but_not_its_amount(xero: Any) -> None:
    id_ = xero.put(xero.bill("100"))["InvoiceID"]
    xero.do("pay", invoice_id=id_)
    press(xero, f"/bills/view/{id_}", "Save line 1", account="429")
    assert xero.invoice(id_)["LineItems"][0]["AccountCode"] == "429"
    said = press(xero, f"/bills/view/{id_}", "Save line 1", amount="90")
    assert "cannot be edited" in said


def test_contacts_tracking_accounts_and_locks_by_buttons(xero: Any) -> None:
    at = f"/o/{xero.tenant}"
    press(xero, f"{at}/contacts", "Add contact", name="Tom & Co")
    press(xero, f"{at}/contacts", "Add contact", name="Tom and Company")
    press(xero, f"{at}/contacts", "Archive Tom & Co")
    press(xero, f"{at}/contacts", "Restore Tom & Co")
    kept = xero.contact("Tom and Company")
    press(xero, f"{at}/contacts", "Merge Tom & Co", into=kept)
    listed = xero.get("/Contacts", includeArchived="true", page=1)["Contacts"]
    assert {c["Name"]: c.get("MergedToContactID") for c in listed}["Tom & Co"] == kept
    press(xero, f"{at}/tracking", "Add to Projects", name="P-777")
    press(xero, f"{at}/tracking", "Archive P-777")
    projects = xero.get("/TrackingCategories", includeArchived="true")["TrackingCategories"][0]
    assert {o["Name"]: o["Status"] for o in projects["Options"]}["P-777"] == "ARCHIVED"
    press(xero, f"{at}/accounts", "Add account", code="398", name="Cranes")
    press(xero, f"{at}/accounts", "Archive 398")
    (account,) = xero.get("/Accounts", where='Code=="398"')["Accounts"]
    assert account["Status"] == "ARCHIVED"
    press(xero, f"{at}/locks", "Save lock dates", period="2026-07-31")
    assert "PeriodLockDate" in xero.get("/Organisation")["Organisations"][0]


def test_apps_and_clock_by_buttons(xero: Any) -> None:
    press(xero, "/sim/clock", "Move forward", hours="1")
    assert xero.http.get("/_sim/health").json()["now"].startswith("2026-08-14T03:00")
    xero.sign_in()
    press(xero, "/sim/apps", "Disconnect OneCore from Banksia Constructions Pty Ltd")
    assert xero.raw("GET", "/Organisation").status_code == 403


def test_pages_that_are_not_there(xero: Any, some_id: str) -> None:
    page(xero, f"/bills/view/{some_id}", 404)
    page(xero, f"/o/{some_id}/bills", 404)
    page(xero, f"/o/{xero.tenant}/nonsense", 404)


@pytest.mark.parametrize("what", ["bills", "sales", "credits", "contacts", "accounts"])
def test_every_list_opens(xero: Any, what: str) -> None:
    xero.put(xero.sale("5"))
    page(xero, f"/o/{xero.tenant}/{what}")


def test_the_state_is_written_out_and_read_back_exactly(xero: Any) -> None:
    id_ = xero.put(xero.bill("33.3333", "0.1"))["InvoiceID"]
    xero.do("pay", invoice_id=id_, amount="0.10")
    xero.call("PUT", f"/Invoices/{id_}/Attachments/a.bin", content=bytes(range(256)))
    raw = xero.http.get("/_sim/state").content
    other = XeroSimulator()
    other.apply_state(raw)
    assert json.loads(other.dump_state()) == json.loads(raw)
    before = xero.invoice(id_, unitdp=4)
    xero.do("void", 400, invoice_id=id_)
    xero.do("new_contact", name="Gone again")
    assert xero.http.put("/_sim/state", content=raw).status_code == 200
    assert xero.invoice(id_, unitdp=4) == before
    assert xero.get("/Contacts", searchTerm="Gone again")["Contacts"] == []


def test_actions_say_what_is_wrong(xero: Any, some_id: str) -> None:
    assert "Known:" in xero.do("dance", 400)["errors"][0]
    assert "supplied id" in xero.do("pay", 400, invoice_id=some_id)["errors"][0]
    assert "is needed" in xero.do("new_bill", 400)["errors"][0]
    assert xero.do("new_organisation", 400, country="FR")["errors"]


def test_the_same_seed_gives_the_same_ids(xero: Any) -> None:
    before = [a["AccountID"] for a in xero.get("/Accounts")["Accounts"]]
    xero.reset()
    assert [a["AccountID"] for a in xero.get("/Accounts")["Accounts"]] == before


def test_every_switch_says_what_it_is(running: tuple[str, XeroSimulator]) -> None:
    declared = running[1].switches.declared.values()
    assert all(switch.about.endswith(".") for switch in declared)
    assert sum(switch.about.startswith("UNCONFIRMED") for switch in declared) >= 20
