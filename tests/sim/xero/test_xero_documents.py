"""Invoices and bills follow Xero's rules: creating, updating, statuses, numbers, what is frozen."""

from decimal import Decimal
from typing import Any

import pytest

FROZEN = "This document cannot be edited as it has a payment or credit note allocated to it."
NOT_MODIFIABLE = "Invoice not of valid status for modification"


def test_a_bill_is_created_with_its_figures(xero: Any) -> None:
    made = xero.put(xero.bill("1000.00", "250.50", Url="https://procore.example/1"))
    assert made["Status"] == "AUTHORISED"
    assert made["SubTotal"] == Decimal("1250.50")
    assert made["TotalTax"] == Decimal("125.05")
    assert made["Total"] == made["AmountDue"] == Decimal("1375.55")
    assert made["Url"] == "https://procore.example/1"
    assert made["DateString"] == "2026-08-10T00:00:00"
    assert made["Date"] == "/Date(1786320000000+0000)/"
    assert [line["TaxType"] for line in made["LineItems"]] == ["INPUT", "INPUT"]


def test_a_draft_needs_no_due_date_and_takes_today_in_the_organisations_zone(xero: Any) -> None:
    xero.clock(now="2026-08-14T20:00:00+00:00")  # already the 15th in Sydney
    xero.sign_in()
    body = xero.bill("10", Status="DRAFT")
    del body["Date"], body["DueDate"]
    made = xero.put(body)
    assert made["Status"] == "DRAFT"
    assert made["DateString"] == "2026-08-15T00:00:00"


@pytest.mark.parametrize("status", ["AUTHORISED", "SUBMITTED"])
def test_what_is_to_be_approved_needs_a_due_date(xero: Any, status: str) -> None:
    body = xero.bill("10", Status=status)
    del body["DueDate"]
    (error,) = xero.put_errors(body)
    assert "DueDate" in error


def test_a_bill_ignores_reference_and_a_sales_invoice_keeps_it(xero: Any) -> None:
    bill = xero.put(xero.bill("10", Reference="gone"))
    sale = xero.put(xero.sale("10", Reference="kept"))
    assert "Reference" not in bill
    assert sale["Reference"] == "kept"


def test_bill_numbers_repeat_and_sales_numbers_do_not(xero: Any) -> None:
    first, second = xero.put(xero.bill("10")), xero.put(xero.bill("10"))
    assert first["InvoiceID"] != second["InvoiceID"]
    xero.put(xero.sale("10"))
    assert xero.put_errors(xero.sale("10")) == ["Invoice # must be unique."]


def test_sales_numbers_come_by_themselves(xero: Any) -> None:
    body = xero.sale("10")
    del body["InvoiceNumber"]
    assert [xero.put(body)["InvoiceNumber"] for _ in range(2)] == ["INV-0001", "INV-0002"]


def test_a_voided_number_stays_taken_unless_the_switch_says_otherwise(xero: Any) -> None:
    made = xero.put(xero.sale("10"))
    xero.update(made["InvoiceID"], Status="VOIDED")
    assert xero.put_errors(xero.sale("10")) == ["Invoice # must be unique."]
    xero.switch(voided_number_reusable=True)
    assert xero.put(xero.sale("10"))["InvoiceNumber"] == "P-1"


def test_post_with_a_known_sales_number_edits_that_invoice(xero: Any) -> None:
    made = xero.put(xero.sale("10"))
    query = {"summarizeErrors": "false"}
    body = xero.sale("99")
    (edited,) = xero.call("POST", "/Invoices", body={"Invoices": [body]}, **query)["Invoices"]
    assert edited["InvoiceID"] == made["InvoiceID"]
    assert edited["SubTotal"] == 99


def test_post_with_a_known_bill_number_makes_another_bill(xero: Any) -> None:
    made = xero.put(xero.bill("10"))
    (other,) = xero.call("POST", "/Invoices", body=xero.bill("10"))["Invoices"]
    assert other["InvoiceID"] != made["InvoiceID"]


def test_put_takes_no_id_of_the_clients_choice(xero: Any, some_id: str) -> None:
    assert "InvoiceID" in xero.put_errors(xero.bill("10", InvoiceID=some_id))[0]


@pytest.mark.parametrize("wrap", ["bare", "list", "wrapped"])
def test_bodies_come_bare_or_wrapped(xero: Any, wrap: str) -> None:
    body: Any = xero.bill("10")
    sent = {"bare": body, "list": [body], "wrapped": {"Invoices": [body]}}[wrap]
    (made,) = xero.call("PUT", "/Invoices", body=sent)["Invoices"]
    assert made["Total"] == 11


def test_a_batch_answers_by_element_without_summarize(xero: Any) -> None:
    sent = [xero.bill("10"), xero.bill("10", Type="ACCPAY", Contact={}), xero.bill("20")]
    good, bad, also = xero.call(
        "PUT", "/Invoices", body={"Invoices": sent}, summarizeErrors="false"
    )["Invoices"]
    assert [good["StatusAttributeString"], also["StatusAttributeString"]] == ["OK", "OK"]
    assert bad["StatusAttributeString"] == "ERROR"
    assert bad["ValidationErrors"][0]["Message"].startswith("The Contact must contain at least 1")
    assert len(xero.get("/Invoices")["Invoices"]) == 2


@pytest.mark.parametrize(("keeps", "left"), [(True, 2), (False, 0)])
def test_a_summarized_batch_fails_as_a_whole_and_names_only_the_bad(
    xero: Any, keeps: bool, left: int
) -> None:
    xero.switch(summarize_errors_keeps_good=keeps)
    sent = [xero.bill("10"), xero.bill("10", LineItems=[]), xero.bill("20")]
    answer = xero.call(
        "PUT", "/Invoices", status=400, body={"Invoices": sent}, summarizeErrors="true"
    )
    assert (answer["ErrorNumber"], answer["Type"]) == (10, "ValidationException")
    assert len(answer["Elements"]) == 1
    assert len(xero.get("/Invoices")["Invoices"]) == left


def test_lines_are_updated_added_and_dropped_by_their_ids(xero: Any) -> None:
    made = xero.put(xero.bill("100", "200"))
    first, second = made["LineItems"]
    edited = xero.update(
        made["InvoiceID"],
        LineItems=[
            {"LineItemID": first["LineItemID"], "UnitAmount": "150"},
            {"Description": "New", "Quantity": 2, "UnitAmount": "5", "AccountCode": "429"},
        ],
    )
    kept, new = edited["LineItems"]
    assert kept["LineItemID"] == first["LineItemID"]
    assert (kept["Description"], kept["AccountCode"], kept["LineAmount"]) == ("Line 1", "310", 150)
    assert new["LineItemID"] not in (first["LineItemID"], second["LineItemID"])
    assert new["LineAmount"] == 10
    assert edited["SubTotal"] == 160


def test_lines_sent_without_ids_are_all_made_anew(xero: Any) -> None:
    made = xero.put(xero.bill("100"))
    edited = xero.update(made["InvoiceID"], LineItems=xero.bill("100")["LineItems"])
    assert edited["LineItems"][0]["LineItemID"] != made["LineItems"][0]["LineItemID"]


def test_lines_left_out_stay_unless_the_switch_refuses(xero: Any) -> None:
    made = xero.put(xero.bill("100"))
    edited = xero.update(made["InvoiceID"], DueDate="2026-10-01")
    assert edited["LineItems"] == made["LineItems"]
    xero.switch(omitted_lines_kept=False)
    assert "line items" in xero.update_errors(made["InvoiceID"], DueDate="2026-10-02")[0]


def test_a_strange_line_id_is_refused(xero: Any, some_id: str) -> None:
    made = xero.put(xero.bill("100"))
    line = {"LineItemID": some_id, "Description": "x", "UnitAmount": 1, "AccountCode": "310"}
    assert some_id in xero.update_errors(made["InvoiceID"], LineItems=[line])[0]


ALLOWED = [
    ("DRAFT", "SUBMITTED"), ("DRAFT", "AUTHORISED"), ("DRAFT", "DELETED"), ("DRAFT", "DRAFT"),
    ("SUBMITTED", "DRAFT"), ("SUBMITTED", "AUTHORISED"), ("SUBMITTED", "DELETED"),
    ("AUTHORISED", "AUTHORISED"), ("AUTHORISED", "VOIDED"),
]  # fmt: skip
FORBIDDEN = [
    ("DRAFT", "VOIDED"), ("DRAFT", "PAID"), ("SUBMITTED", "VOIDED"), ("AUTHORISED", "DRAFT"),
    ("AUTHORISED", "SUBMITTED"), ("AUTHORISED", "DELETED"), ("AUTHORISED", "PAID"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after"), ALLOWED)
def test_the_status_may_go(xero: Any, before: str, after: str) -> None:
    made = xero.put(xero.bill("100", Status=before))
    assert xero.update(made["InvoiceID"], Status=after)["Status"] == after


@pytest.mark.parametrize(("before", "after"), FORBIDDEN)
def test_the_status_may_not_go(xero: Any, before: str, after: str) -> None:
    made = xero.put(xero.bill("100", Status=before))
    assert xero.update_errors(made["InvoiceID"], Status=after) == [NOT_MODIFIABLE]
    assert xero.invoice(made["InvoiceID"])["Status"] == before


def test_what_was_ended_is_readable_and_closed(xero: Any) -> None:
    made = xero.put(xero.bill("100"))
    xero.update(made["InvoiceID"], Status="VOIDED")
    assert xero.update_errors(made["InvoiceID"], DueDate="2026-10-01") == [NOT_MODIFIABLE]
    assert xero.invoice(made["InvoiceID"])["Status"] == "VOIDED"
    listed = xero.get("/Invoices", Statuses="DELETED,VOIDED")["Invoices"]
    assert [d["InvoiceID"] for d in listed] == [made["InvoiceID"]]


@pytest.mark.parametrize("amount", ["40", "110"])
def test_a_bill_with_a_payment_is_frozen_for_apps(xero: Any, amount: str) -> None:
    made = xero.put(xero.bill("100"))
    xero.do("pay", invoice_id=made["InvoiceID"], amount=amount)
    for change in (
        {"DueDate": "2026-12-01"},
        {"Url": "https://x.example/"},
        {"InvoiceNumber": "Z"},
    ):
        assert xero.update_errors(made["InvoiceID"], **change) == [FROZEN]


def test_a_paid_sales_invoice_is_open_where_xero_says(xero: Any) -> None:
    made = xero.put(xero.sale("100", "50"))
    other = xero.contact("Another customer")
    xero.do("pay", invoice_id=made["InvoiceID"], amount=165)
    first, second = made["LineItems"]
    edited = xero.update(
        made["InvoiceID"],
        Reference="R-9",
        DueDate="2026-12-01",
        InvoiceNumber="P-1b",
        Url="https://x.example/2",
        Contact={"ContactID": other},
        LineItems=[
            {"LineItemID": first["LineItemID"], "Description": "Reworded", "AccountCode": "260"},
            {"LineItemID": second["LineItemID"]},
        ],
    )
    assert edited["Status"] == "PAID"
    assert (edited["Reference"], edited["InvoiceNumber"]) == ("R-9", "P-1b")
    assert edited["Contact"]["ContactID"] == other
    assert edited["LineItems"][0]["AccountCode"] == "260"
    for lines in (
        [{"LineItemID": first["LineItemID"], "UnitAmount": 90},
         {"LineItemID": second["LineItemID"]}],
        [{"LineItemID": first["LineItemID"]}],
        [{"LineItemID": first["LineItemID"], "TaxType": "EXEMPTOUTPUT"},
         {"LineItemID": second["LineItemID"]}],
    ):  # fmt: skip
        assert xero.update_errors(made["InvoiceID"], LineItems=lines) == [FROZEN]
    assert xero.update_errors(made["InvoiceID"], Date="2026-08-01") == [FROZEN]


def test_void_waits_for_payments_to_go(xero: Any) -> None:
    made = xero.put(xero.bill("100"))
    payment = xero.do("pay", invoice_id=made["InvoiceID"], amount=40)
    (error,) = xero.update_errors(made["InvoiceID"], Status="VOIDED")
    assert error.startswith("The status VOIDED cannot be applied to the invoice because it has pay")
    xero.do("remove_payment", payment_id=payment["PaymentID"])
    assert xero.update(made["InvoiceID"], Status="VOIDED")["Status"] == "VOIDED"


@pytest.mark.parametrize(
    ("url", "accepted"),
    [("https://app.procore.com/1/x?y=2", True), ("/relative", False), ("procore", False)],
)
def test_url_is_absolute(xero: Any, url: str, accepted: bool) -> None:
    body = xero.bill("1", Url=url)
    if accepted:
        assert xero.put(body)["Url"] == url
    else:
        assert "absolute" in xero.put_errors(body)[0]


def test_a_total_below_zero_is_no_invoice_and_zero_is_one(xero: Any) -> None:
    assert "less than zero" in xero.put_errors(xero.bill("100", "-100.01"))[0]
    assert xero.put(xero.bill("100", "-100"))["Total"] == 0
    xero.switch(negative_totals="accept")
    assert xero.put(xero.bill("100", "-200"))["Total"] == -110


def test_a_zero_line_is_taken_or_refused_by_switch_and_a_text_line_always(xero: Any) -> None:
    body = xero.bill("100", "0")
    body["LineItems"].append({"Description": "Only words"})
    made = xero.put(body)
    assert "UnitAmount" not in made["LineItems"][2]
    xero.switch(zero_amount_lines="reject")
    assert xero.put_errors(body) == ["A line amount of 0.00 is not valid."]
    del body["LineItems"][1]
    assert xero.put(body)["SubTotal"] == 100


def test_dates_with_an_offset_shift_a_day_as_they_do(xero: Any) -> None:
    made = xero.put(xero.bill("1", Date="2026-08-10T00:00:00+10:00"))
    assert made["DateString"] == "2026-08-09T00:00:00"
    made = xero.put(xero.bill("1", Date="/Date(1786320000000+1000)/"))
    assert made["DateString"] == "2026-08-10T00:00:00"


def test_what_cannot_be_read_is_error_14(xero: Any) -> None:
    answer = xero.call("PUT", "/Invoices", status=400, content=b"{not json")
    assert (answer["ErrorNumber"], answer["Type"]) == (14, "PostDataInvalidException")
    body = xero.bill("ten")
    assert xero.call("PUT", "/Invoices", status=400, body=body)["ErrorNumber"] == 14


def test_unknown_documents_are_404(xero: Any, some_id: str) -> None:
    assert xero.raw("GET", f"/Invoices/{some_id}").status_code == 404
    assert xero.raw("POST", f"/Invoices/{some_id}", body={"Status": "VOIDED"}).status_code == 404


def test_an_unknown_verb_is_501(xero: Any) -> None:
    assert xero.raw("POST", "/Organisation", body={}).status_code == 501
    assert xero.raw("GET", "/Nonsense").status_code == 404


@pytest.mark.parametrize(
    ("number", "accepted"), [("x" * 255, True), ("x" * 256, False), ("Nº 7", False)]
)
def test_numbers_are_ascii_of_255(xero: Any, number: str, accepted: bool) -> None:
    body = xero.bill("1", InvoiceNumber=number)
    assert accepted is (xero.call(
        "PUT", "/Invoices", body={"Invoices": [body]}, summarizeErrors="false"
    )["Invoices"][0]["StatusAttributeString"] == "OK")  # fmt: skip


def test_history_tells_who_did_what(xero: Any) -> None:
    made = xero.put(xero.bill("100", Status="DRAFT"))
    id_, line = made["InvoiceID"], made["LineItems"][0]["LineItemID"]
    xero.do("edit_line", invoice_id=id_, line_item_id=line, account="429", by="Ben Books")
    xero.do("approve", invoice_id=id_)
    xero.do("pay", invoice_id=id_)
    note = {"HistoryRecords": [{"Details": "From Procore"}]}
    xero.call("PUT", f"/Invoices/{id_}/History", body=note)
    records = xero.get(f"/Invoices/{id_}/History")["HistoryRecords"]
    told = [(r["Changes"], r["User"]) for r in reversed(records)]
    assert told == [
        ("Created", "Avery Owner"), ("Edited", "Ben Books"), ("Approved", "Bea Ledger"),
        ("Paid", "Bea Ledger"), ("Note", "Avery Owner"),
    ]  # fmt: skip
    assert "account changed from 310 to 429" in records[-2]["Details"]
    xero.switch(history_max_length=11)
    assert xero.raw("PUT", f"/Invoices/{id_}/History", body=note).status_code == 400


def test_what_was_saved_with_a_shrug_is_a_warning(xero: Any) -> None:
    body = xero.bill("1", Status="DRAFT", SentToContact=True)
    (made,) = xero.call("PUT", "/Invoices", body=body, summarizeErrors="false")["Invoices"]
    assert (made["StatusAttributeString"], made["SentToContact"]) == ("WARNING", False)
    assert made["Warnings"][0]["Message"].startswith("Only AUTHORISED invoices may")


def test_an_unreadable_element_undoes_its_whole_batch(xero: Any) -> None:
    sent = {"Invoices": [xero.bill("1"), xero.bill("1", Date="soon")]}
    answer = xero.call("PUT", "/Invoices", status=400, body=sent, summarizeErrors="false")
    assert answer["ErrorNumber"] == 14
    assert xero.get("/Invoices")["Invoices"] == []


def test_ended_documents_are_listed_unless_the_switch_hides_them(xero: Any) -> None:
    made = xero.put(xero.bill("1", Status="DRAFT"))
    xero.do("void", invoice_id=made["InvoiceID"])
    assert [d["Status"] for d in xero.get("/Invoices")["Invoices"]] == ["DELETED"]
    xero.switch(ended_listed=False)
    assert xero.get("/Invoices")["Invoices"] == []
    assert len(xero.get("/Invoices", Statuses="DELETED")["Invoices"]) == 1
