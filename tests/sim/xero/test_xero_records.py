"""Contacts, payments, credit notes, accounts, tracking, lock dates, attachments."""

from decimal import Decimal
from typing import Any

import pytest

TOO_MUCH = "Payment amount exceeds the amount outstanding on this document"


def contact_errors(xero: Any, method: str = "PUT", **body: Any) -> list[str]:
    answer = xero.call(method, "/Contacts", status=400, body={"Contacts": [body]})
    return [e["Message"] for e in answer["Elements"][0]["ValidationErrors"]]


def test_contacts_are_created_found_and_changed(xero: Any) -> None:
    body = {"Name": "Ridge Electrical", "TaxNumber": "51824753556", "ContactNumber": "V-9",
            "Addresses": [{"AddressType": "STREET", "City": "Sydney"}]}  # fmt: skip
    (made,) = xero.call("PUT", "/Contacts", body={"Contacts": [body]})["Contacts"]
    assert (made["TaxNumber"], made["ContactStatus"]) == ("51824753556", "ACTIVE")
    assert made["Addresses"][0]["City"] == "Sydney"
    where = 'TaxNumber=="51824753556"'
    assert [c["ContactID"] for c in xero.get("/Contacts", where=where)["Contacts"]] == [
        made["ContactID"]
    ]
    more = {"Name": "ridge electrical", "EmailAddress": "r@x.au"}
    (same,) = xero.call("POST", "/Contacts", body=more)["Contacts"]
    assert same["ContactID"] == made["ContactID"]
    assert xero.get("/Contacts/V-9")["Contacts"][0]["EmailAddress"] == "r@x.au"


def test_contact_names_are_unique_among_the_active(xero: Any) -> None:
    id_ = xero.contact()
    assert contact_errors(xero, Name="SOUTHERN STEEL") == [
        "The contact name SOUTHERN STEEL is already assigned to another contact. The contact name "
        "must be unique across all active contacts."
    ]
    assert "at least 1 of the following" in contact_errors(xero, EmailAddress="a@b.c")[0]
    assert "50 characters" in contact_errors(xero, Name="N", ContactNumber="x" * 51)[0]
    xero.do("archive_contact", contact_id=id_)
    (made,) = xero.call("PUT", "/Contacts", body={"Name": "Southern Steel"})["Contacts"]
    assert made["ContactID"] != id_


def test_archived_contacts_hide_and_take_no_new_documents(xero: Any) -> None:
    id_ = xero.contact()
    kept = xero.put(xero.bill("10", contact_id=id_))
    xero.do("archive_contact", contact_id=id_)
    assert id_ not in [c["ContactID"] for c in xero.get("/Contacts")["Contacts"]]
    listed = xero.get("/Contacts", includeArchived="true")["Contacts"]
    assert {c["ContactID"]: c["ContactStatus"] for c in listed}[id_] == "ARCHIVED"
    assert "has been archived" in xero.put_errors(xero.bill("10", contact_id=id_))[0]
    assert xero.update(kept["InvoiceID"], DueDate="2026-12-01")["Status"] == "AUTHORISED"


def test_a_merged_contact_points_at_the_one_kept(xero: Any) -> None:
    loser, winner = xero.contact("Old Name"), xero.contact("New Name")
    bill = xero.put(xero.bill("10", contact_id=loser))
    xero.do("merge_contact", contact_id=loser, into=winner)
    (single,) = xero.get(f"/Contacts/{loser}")["Contacts"]
    assert (single["ContactStatus"], single["MergedToContactID"]) == ("ARCHIVED", winner)
    unpaged = xero.get("/Contacts", includeArchived="true", IDs=loser)["Contacts"][0]
    assert "MergedToContactID" not in unpaged
    paged = xero.get("/Contacts", includeArchived="true", IDs=loser, page=1)["Contacts"][0]
    assert paged["MergedToContactID"] == winner
    assert xero.invoice(bill["InvoiceID"])["Contact"]["ContactID"] == winner


def test_more_than_an_id_in_a_documents_contact_edits_the_record(xero: Any) -> None:
    id_ = xero.contact()
    person = {"FirstName": "Pat", "LastName": "Lee", "EmailAddress": "p@x.au"}
    xero.call("POST", f"/Contacts/{id_}", body={"ContactPersons": [person]})
    xero.put(xero.bill("1", contact_id=id_))
    (kept,) = xero.get(f"/Contacts/{id_}")["Contacts"]
    assert kept["ContactPersons"] == [person]
    xero.put(xero.bill("1", Contact={"ContactID": id_, "EmailAddress": "new@x.au"}))
    (now,) = xero.get(f"/Contacts/{id_}")["Contacts"]
    assert (now["EmailAddress"], now["ContactPersons"]) == ("new@x.au", [])


def test_a_document_may_name_a_contact_or_make_one(xero: Any) -> None:
    made = xero.put(xero.bill("1", Contact={"Name": "Brand New Pty Ltd"}))
    again = xero.put(xero.bill("1", Contact={"Name": "brand new pty ltd"}))
    assert made["Contact"]["ContactID"] == again["Contact"]["ContactID"]
    (shown,) = xero.get("/Contacts", where='Name=="Brand New Pty Ltd"')["Contacts"]
    assert (shown["IsSupplier"], shown["IsCustomer"]) == (True, False)


def test_a_refused_document_leaves_no_contact_behind(xero: Any) -> None:
    body = xero.bill("1", Contact={"Name": "Never Kept"}, LineItems=[])
    before = len(xero.get("/Contacts")["Contacts"])
    xero.put_errors(body)
    assert len(xero.get("/Contacts")["Contacts"]) == before


def pay_body(invoice_id: str, amount: str, **more: Any) -> dict[str, Any]:
    return {
        "Invoice": {"InvoiceID": invoice_id}, "Account": {"Code": "090"}, "Date": "2026-08-14",
        "Amount": amount, **more,
    }  # fmt: skip


def payment_error(xero: Any, body: dict[str, Any]) -> str:
    answer = xero.call("PUT", "/Payments", status=400, body={"Payments": [body]})
    return str(answer["Elements"][0]["ValidationErrors"][0]["Message"])


def test_payments_settle_a_bill_and_give_it_back(xero: Any) -> None:
    id_ = xero.put(xero.bill("100"))["InvoiceID"]
    (part,) = xero.call("PUT", "/Payments", body=pay_body(id_, "60.00"))["Payments"]
    assert (part["PaymentType"], part["Amount"]) == ("ACCPAYPAYMENT", 60)
    assert part["Invoice"]["LineItems"] == []
    now = xero.invoice(id_)
    assert (now["Status"], now["AmountPaid"], now["AmountDue"]) == ("AUTHORISED", 60, 50)
    xero.call("PUT", "/Payments", body=pay_body(id_, "50"))
    now = xero.invoice(id_)
    assert (now["Status"], now["AmountDue"]) == ("PAID", 0)
    assert now["FullyPaidOnDate"] == "/Date(1786665600000+0000)/"
    gone = {"Status": "DELETED"}
    (deleted,) = xero.call("POST", f"/Payments/{part['PaymentID']}", body=gone)["Payments"]
    assert deleted["Status"] == "DELETED"
    now = xero.invoice(id_)
    assert (now["Status"], now["AmountDue"], len(now["Payments"])) == ("AUTHORISED", 60, 1)
    assert "FullyPaidOnDate" not in now


def test_payments_that_are_refused(xero: Any) -> None:
    id_ = xero.put(xero.bill("100"))["InvoiceID"]
    draft = xero.put(xero.bill("100", Status="DRAFT"))["InvoiceID"]
    assert payment_error(xero, pay_body(id_, "110.01")) == TOO_MUCH
    assert payment_error(xero, pay_body(draft, "1")).endswith("against Authorised documents")
    assert "Account" in payment_error(xero, pay_body(id_, "1", Account={"Code": "310"}))
    assert "exactly one" in payment_error(
        xero, pay_body(id_, "1", CreditNote={"CreditNoteID": id_})
    )
    assert "greater than zero" in payment_error(xero, pay_body(id_, "-1"))
    assert xero.invoice(id_)["AmountPaid"] == 0


def test_payments_are_filtered_and_come_back_when_deleted(xero: Any) -> None:
    first, second = (xero.put(xero.bill("100", InvoiceNumber=n))["InvoiceID"] for n in "AB")
    paid = xero.do("pay", invoice_id=first, amount=10)
    xero.do("pay", invoice_id=second, amount=20)
    where = f'Invoice.InvoiceID==guid("{first}") AND Status=="AUTHORISED"'
    assert [p["PaymentID"] for p in xero.get("/Payments", where=where)["Payments"]] == [
        paid["PaymentID"]
    ]
    xero.clock(now="2026-08-14T05:00:00+00:00")
    xero.sign_in()
    xero.do("remove_payment", payment_id=paid["PaymentID"])
    late = {"if-modified-since": "2026-08-14T04:59:59"}
    (back,) = xero.get("/Payments", headers=late)["Payments"]
    assert (back["PaymentID"], back["Status"]) == (paid["PaymentID"], "DELETED")
    xero.switch(deleted_payments_listed=False)
    assert xero.get("/Payments", headers=late)["Payments"] == []


def test_batch_payments_cannot_be_taken_apart_by_an_app(xero: Any) -> None:
    ids = [xero.put(xero.bill("100"))["InvoiceID"] for _ in range(2)]
    one, other = xero.do("batch_pay", invoice_ids=ids)
    assert one["BatchPaymentID"] == other["BatchPaymentID"]
    answer = xero.call(
        "POST", f"/Payments/{one['PaymentID']}", status=400, body={"Status": "DELETED"}
    )
    assert "batch" in answer["Elements"][0]["ValidationErrors"][0]["Message"]


def test_a_reconciled_payment_stays(xero: Any) -> None:
    id_ = xero.put(xero.bill("100"))["InvoiceID"]
    made = xero.do("pay", invoice_id=id_, reconciled=True)
    assert "reconciled" in xero.do("remove_payment", 400, payment_id=made["PaymentID"])["errors"][0]


def credit(xero: Any, amount: str, **fields: Any) -> dict[str, Any]:
    body = xero.bill(amount, Type="ACCPAYCREDIT", **fields)
    del body["InvoiceNumber"], body["DueDate"]
    (made,) = xero.call("PUT", "/CreditNotes", body={"CreditNotes": [body]})["CreditNotes"]
    return dict(made)


def test_a_credit_note_is_allocated_and_taken_back(xero: Any) -> None:
    bill = xero.put(xero.bill("100"))["InvoiceID"]
    note = credit(xero, "30")
    assert (note["Total"], note["RemainingCredit"]) == (33, 33)
    path = f"/CreditNotes/{note['CreditNoteID']}/Allocations"
    body = {"Allocations": [
        {"Amount": "33", "Date": "2026-08-14", "Invoice": {"InvoiceID": bill}}
    ]}  # fmt: skip
    (made,) = xero.call("PUT", path, body=body)["Allocations"]
    now = xero.invoice(bill)
    assert (now["AmountCredited"], now["AmountDue"], now["Payments"]) == (33, 77, [])
    assert now["CreditNotes"][0]["AppliedAmount"] == 33
    (spent,) = xero.get(f"/CreditNotes/{note['CreditNoteID']}")["CreditNotes"]
    assert (spent["Status"], spent["RemainingCredit"]) == ("PAID", 0)
    assert "credit note allocated" in xero.update_errors(bill, DueDate="2026-12-01")[0]
    undone = xero.call("DELETE", f"{path}/{made['AllocationID']}")
    assert undone["IsDeleted"] is True
    assert xero.invoice(bill)["AmountDue"] == 110
    (free,) = xero.get("/CreditNotes", page=1)["CreditNotes"]
    assert (free["Status"], free["RemainingCredit"]) == ("AUTHORISED", 33)


def test_credit_is_not_given_twice(xero: Any) -> None:
    bill = xero.put(xero.bill("100"))["InvoiceID"]
    note = credit(xero, "30")
    body = {"Amount": "33.01", "Date": "2026-08-14", "Invoice": {"InvoiceID": bill}}
    path = f"/CreditNotes/{note['CreditNoteID']}/Allocations"
    answer = xero.call("PUT", path, status=400, body={"Allocations": [body]})
    assert "remaining credit" in answer["Elements"][0]["ValidationErrors"][0]["Message"]


def test_tracking_has_room_for_two_active_and_four_in_all(xero: Any) -> None:
    first, second = xero.get("/TrackingCategories")["TrackingCategories"]
    refused = xero.call("PUT", "/TrackingCategories", status=400, body={"Name": "Sites"})
    assert "2 active" in refused["Elements"][0]["ValidationErrors"][0]["Message"]
    for name in ("Sites", "Stages"):
        active = xero.get("/TrackingCategories")["TrackingCategories"][-1]
        path = f"/TrackingCategories/{active['TrackingCategoryID']}"
        xero.call("POST", path, body={"Status": "ARCHIVED"})
        xero.call("PUT", "/TrackingCategories", body={"Name": name})
    listed = xero.get("/TrackingCategories", includeArchived="true")["TrackingCategories"]
    assert len(listed) == 4
    xero.call("POST", f"/TrackingCategories/{first['TrackingCategoryID']}",
              body={"Status": "ARCHIVED"})  # fmt: skip
    refused = xero.call("PUT", "/TrackingCategories", status=400, body={"Name": "Fifth"})
    assert "Only 4" in refused["Elements"][0]["ValidationErrors"][0]["Message"]
    assert second["Name"] == "Cost Types"


def test_options_are_created_renamed_archived_and_deleted(xero: Any) -> None:
    category = xero.get("/TrackingCategories")["TrackingCategories"][0]
    path = f"/TrackingCategories/{category['TrackingCategoryID']}/Options"
    (made,) = xero.call("PUT", path, body={"Name": "P-900 Tower"})["Options"]
    again = xero.call("PUT", path, status=400, body={"Name": "p-900 tower"})
    assert "unique Name" in again["Elements"][0]["ValidationErrors"][0]["Message"]
    own = f"{path}/{made['TrackingOptionID']}"
    assert xero.call("POST", own, body={"Name": "P-901"})["Options"][0]["Name"] == "P-901"
    body = xero.bill("1")
    body["LineItems"][0]["Tracking"] = [{"Name": "Projects", "Option": "P-901"}]
    bill = xero.put(body)
    assert xero.call("DELETE", own, status=400)["ErrorNumber"] == 10
    assert xero.call("POST", own, body={"Status": "ARCHIVED"})["Options"][0]["Status"] == "ARCHIVED"
    assert "archived" in xero.put_errors(body)[0]
    xero.update(bill["InvoiceID"], Status="AUTHORISED", DueDate="2026-12-01")


@pytest.mark.parametrize("keep", [0, 1, 2])
def test_an_organisation_may_have_no_one_or_two_categories(xero: Any, keep: int) -> None:
    xero.do("tracking", keep=keep)
    assert len(xero.get("/TrackingCategories")["TrackingCategories"]) == keep


def test_accounts_are_added_archived_and_removed(xero: Any) -> None:
    body = {"Code": "399", "Name": "Scaffolding", "Type": "DIRECTCOSTS"}
    (made,) = xero.call("PUT", "/Accounts", body=body)["Accounts"]
    assert (made["TaxType"], made["Class"]) == ("INPUT", "EXPENSE")
    assert "unique" in xero.call("PUT", "/Accounts", status=400, body=body)["Elements"][0][
        "ValidationErrors"][0]["Message"]  # fmt: skip
    path = f"/Accounts/{made['AccountID']}"
    assert (
        xero.call("POST", path, body={"Status": "ARCHIVED"})["Accounts"][0]["Status"] == "ARCHIVED"
    )
    assert xero.call("DELETE", path)["Accounts"][0]["Status"] == "DELETED"
    assert xero.raw("GET", path).status_code == 404
    systems = {a["Code"]: a.get("SystemAccount") for a in xero.get("/Accounts")["Accounts"]}
    assert (systems["610"], systems["800"], systems["820"]) == ("DEBTORS", "CREDITORS", "GST")
    assert systems["820R"] is None


def test_lock_dates_bind_what_is_posted_and_not_drafts(xero: Any) -> None:
    open_bill = xero.put(xero.bill("100"))["InvoiceID"]
    xero.do("lock", period="2026-08-10")
    (org,) = xero.get("/Organisation")["Organisations"]
    assert org["PeriodLockDate"] == "/Date(1786320000000+0000)/"
    said = ["The document date cannot be before the period lock date, currently set at 10-Aug-2026"]
    assert xero.put_errors(xero.bill("100")) == said
    draft = xero.put(xero.bill("100", Status="DRAFT"))["InvoiceID"]
    assert xero.update_errors(draft, Status="AUTHORISED") == said
    assert xero.update_errors(open_bill, DueDate="2026-12-01") == said
    assert xero.update_errors(open_bill, Status="VOIDED") == said
    assert xero.put(xero.bill("100", Date="2026-08-11"))["Status"] == "AUTHORISED"
    assert payment_error(xero, pay_body(open_bill, "1", Date="2026-08-10")) == said[0]
    assert xero.call("PUT", "/Payments", body=pay_body(open_bill, "1"))["Payments"]
    xero.do("lock", period="2026-08-10", end_of_year="2026-08-10")
    assert len(xero.put_errors(xero.bill("100"))) == 2


def test_an_adviser_passes_the_period_lock_but_not_the_years(xero: Any) -> None:
    xero.switch(adviser_grant=True)
    xero.do("lock", period="2026-08-10")
    assert xero.put(xero.bill("100"))["Status"] == "AUTHORISED"
    xero.do("lock", end_of_year="2026-08-10")
    (error,) = xero.put_errors(xero.bill("100"))
    assert error.endswith("end of year lock date, currently set at 10-Aug-2026")


def test_attachments_are_kept_as_they_came(xero: Any) -> None:
    id_ = xero.put(xero.bill("1"))["InvoiceID"]
    path = f"/Invoices/{id_}/Attachments"
    pdf = {"content-type": "application/pdf"}
    (made,) = xero.call("PUT", f"{path}/claim 4.pdf", content=b"%PDF-1", headers=pdf)["Attachments"]
    assert (made["FileName"], made["ContentLength"]) == ("claim 4.pdf", 6)
    xero.call("POST", f"{path}/claim 4.pdf", content=b"%PDF-1.7", headers=pdf)
    (kept,) = xero.get(path)["Attachments"]
    assert kept["AttachmentID"] == made["AttachmentID"]
    for name in ("claim 4.pdf", made["AttachmentID"]):
        raw = xero.raw("GET", f"{path}/{name}", headers={"accept": "application/pdf"})
        assert (raw.content, raw.headers["content-type"]) == (b"%PDF-1.7", "application/pdf")
    assert xero.invoice(id_)["HasAttachments"] is True
    for n in range(9):
        xero.call("PUT", f"{path}/{n}.pdf", content=b"x", headers=pdf)
    assert xero.call("PUT", f"{path}/11.pdf", status=400, content=b"x", headers=pdf)
    xero.switch(max_attachment_bytes=3)
    assert xero.call("PUT", f"{path}/0.pdf", status=400, content=b"xxxx", headers=pdf)


def test_the_organisation_comes_from_the_builder(xero: Any) -> None:
    contacts = xero.get("/Contacts", page=1)["Contacts"]
    assert all(c["TaxNumber"] for c in contacts)
    (projects, kinds) = xero.get("/TrackingCategories")["TrackingCategories"]
    assert projects["Options"]
    assert kinds["Options"]
    codes = {a["Code"]: a for a in xero.get("/Accounts")["Accounts"]}
    assert (codes["820R"]["Type"], codes["615R"]["Type"]) == ("CURRLIAB", "CURRENT")
    assert codes["310"]["TaxType"] == "INPUT"
    assert isinstance(xero.get("/TaxRates")["TaxRates"][0]["EffectiveRate"], int | Decimal)
