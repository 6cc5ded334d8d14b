"""Lists: `where`, list parameters, pages, If-Modified-Since with its blind spots."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from onecore_sim.xero.where import QueryError, compile_order, compile_where

ID = "6a1bb54a-3f4c-4c5e-9e62-6b7a55f2d0c1"
FIELDS = frozenset({"Status", "Name", "Date", "AmountDue", "ID", "Contact.Name", "Open"})
ROW = {
    "Status": "PAID",
    "Name": 'Bob "the" Builder',
    "Date": datetime(2026, 8, 10, tzinfo=UTC),
    "AmountDue": Decimal("10.50"),
    "ID": UUID(ID),
    "Contact.Name": None,
    "Open": True,
}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('Status=="PAID"', True),
        ('Status = "PAID"', True),
        ('Status!="PAID"', False),
        ('Status<>"VOIDED"', True),
        ('status=="PAID" AND AmountDue>10', True),
        ('Status=="PAID"&&AmountDue<10.5', False),
        ("AmountDue<=10.50", True),
        ('Status=="DRAFT" OR AmountDue==10.5', True),
        ('Status=="DRAFT" || (AmountDue>=11 && Open)', False),
        ('Status=="DRAFT" OR AmountDue>1 AND AmountDue<2', False),
        ("Date>=DateTime(2026, 08, 10) and Date < DateTime(2026,8,11)", True),
        ('Date==DateTime.Parse("2026-08-10")', True),
        (f'ID==guid("{ID.upper()}")', True),
        (f'ID!=Guid("{ID}")', False),
        (r'Name=="Bob \"the\" Builder"', True),
        ('Name.Contains("the")', True),
        ('Name.StartsWith("Bob") AND Name.EndsWith("er")', True),
        ('Contact.Name.Contains("x")', False),
        ("Contact.Name==null", True),
        ('Contact.Name!=null AND Contact.Name=="x"', False),
        ("Open==true", True),
        ("!Open", False),
        ("-1 < AmountDue", True),
    ],
)
def test_where(text: str, found: bool) -> None:
    assert compile_where(text, FIELDS)(ROW) is found


@pytest.mark.parametrize(
    "text",
    ["Status==", "Nope==1", 'Status="PAID', "(Open", "Open Open", "AmountDue ~ 1", "10.5",
     'ID==guid("x")', 'Status=="PAID" AND', "Date>DateTime(2026,13,1)", "Name.Contains(1)"],
)  # fmt: skip
def test_where_that_cannot_be_read(text: str) -> None:
    with pytest.raises(QueryError):
        compile_where(text, FIELDS)


@pytest.mark.parametrize("text", ['AmountDue=="x"', f'ID=="{ID}"', "Open>true", "Name==1"])
def test_where_that_compares_what_cannot_be_compared(text: str) -> None:
    with pytest.raises(QueryError, match="incompatible"):
        compile_where(text, FIELDS)(ROW)


def test_order_is_read_and_checked() -> None:
    assert compile_order("date DESC, Name", FIELDS) == [("Date", True), ("Name", False)]
    for wrong in ("Nope", "Date SIDEWAYS", "Date DESC please", ""):
        with pytest.raises(QueryError):
            compile_order(wrong, FIELDS)


@pytest.fixture
def five(xero: Any) -> list[str]:
    """Ids of five bills, numbered B-1 to B-5, a minute apart."""
    ids = []
    for n in range(1, 6):
        xero.clock(advance_seconds=60)
        made = xero.put(xero.bill(str(100 * n), InvoiceNumber=f"B-{n}"))
        ids.append(made["InvoiceID"])
    return ids


def ids_of(answer: dict[str, Any]) -> list[str]:
    return [item["InvoiceID"] for item in answer["Invoices"]]


def test_bad_filters_answer_400(xero: Any) -> None:
    for query in ({"where": "Nope==1"}, {"order": "Nope"}):
        answer = xero.call("GET", "/Invoices", status=400, **query)
        assert (answer["Type"], answer["ErrorNumber"]) == ("QueryParseException", 16)
    xero.switch(bad_query_number=17)
    answer = xero.call("GET", "/Invoices", status=400, where="!")
    assert answer["ErrorNumber"] == 17


def test_the_look_up_before_a_bill_is_sent_again(xero: Any, five: list[str]) -> None:
    contact = xero.contact()
    where = f'Type=="ACCPAY" AND Contact.ContactID==guid("{contact}") AND InvoiceNumber=="B-3"'
    assert ids_of(xero.get("/Invoices", where=where)) == [five[2]]


def test_list_parameters(xero: Any, five: list[str]) -> None:
    assert ids_of(xero.get("/Invoices", IDs=f"{five[3]},{five[0]}")) == [five[0], five[3]]
    assert ids_of(xero.get("/Invoices", InvoiceNumbers="B-2,B-9")) == [five[1]]
    assert ids_of(xero.get("/Invoices", searchTerm="b-4")) == [five[3]]
    assert len(ids_of(xero.get("/Invoices", ContactIDs=xero.contact()))) == 5
    assert ids_of(xero.get("/Invoices", Statuses="DRAFT,PAID")) == []
    assert ids_of(xero.get("/Invoices", where="AmountDue>=440", order="AmountDue DESC")) == [
        five[4], five[3],
    ]  # fmt: skip


def test_created_by_my_app_is_by_client(xero: Any, five: list[str]) -> None:
    by_hand = xero.do("new_bill", contact_id=xero.contact(), number="H-1", status="AUTHORISED",
                      lines=[{"description": "x", "amount": "5", "account": "310"}])  # fmt: skip
    assert by_hand["InvoiceID"] not in ids_of(xero.get("/Invoices", createdByMyApp="true"))
    assert len(ids_of(xero.get("/Invoices", createdByMyApp="true"))) == 5
    assert len(ids_of(xero.get("/Invoices"))) == 6
    xero.sign_in(client_id="sim-xero-custom")
    assert ids_of(xero.get("/Invoices", createdByMyApp="true")) == []


def test_unpaged_lists_have_no_lines_and_paged_ones_have(xero: Any, five: list[str]) -> None:
    bare = xero.get("/Invoices")
    assert "pagination" not in bare
    assert all(item["LineItems"] == [] for item in bare["Invoices"])
    for query in ({"page": 1}, {"Statuses": "AUTHORISED"}, {"pageSize": 10}):
        paged = xero.get("/Invoices", **query)
        assert [len(item["LineItems"]) for item in paged["Invoices"]] == [1] * 5
    assert len(xero.invoice(five[0])["LineItems"]) == 1
    short = xero.get("/Invoices", page=1, summaryOnly="true")["Invoices"][0]
    assert "LineItems" not in short


@pytest.mark.parametrize(
    ("page", "size", "told"),
    [(1, 2, (1, 2, 3, 5)), (3, 2, (3, 2, 3, 5)), (0, 5000, (1, 1000, 1, 5)), (1, 0, (1, 1, 5, 5))],
)
def test_pages_are_clamped(
    xero: Any, five: list[str], page: int, size: int, told: tuple[int, ...]
) -> None:
    answer = xero.get("/Invoices", page=page, pageSize=size)
    assert tuple(answer["pagination"].values()) == told
    start = (max(page, 1) - 1) * told[1]
    assert ids_of(answer) == five[start : start + told[1]]


def test_the_oldest_change_comes_first(xero: Any, five: list[str]) -> None:
    xero.clock(advance_seconds=60)
    xero.update(five[0], DueDate="2026-12-24")
    assert ids_of(xero.get("/Invoices")) == [*five[1:], five[0]]


def since(xero: Any, at: str) -> list[str]:
    return ids_of(xero.get("/Invoices", page=1, headers={"if-modified-since": at}))


def test_if_modified_since_by_seconds(xero: Any, five: list[str]) -> None:
    stamp = xero.invoice(five[2])["UpdatedDateUTCString"]
    assert since(xero, stamp) == five[2:]
    xero.switch(modified_since_inclusive=False)
    assert since(xero, stamp) == five[3:]
    assert since(xero, "2026-08-15T00:00:00") == []
    xero.switch(not_modified_304=True)
    answer = xero.raw("GET", "/Invoices", headers={"if-modified-since": "2026-08-15T00:00:00"})
    assert (answer.status_code, answer.text) == (304, "")


def test_the_blind_spots_of_if_modified_since(xero: Any, five: list[str]) -> None:
    bill, paid = five[0], five[1]
    xero.do("pay", invoice_id=paid, amount=10)
    xero.clock(now="2026-08-14T06:00:00+00:00")
    xero.sign_in()
    at = "2026-08-14T05:59:00"
    line = xero.invoice(bill)["LineItems"][0]["LineItemID"]
    xero.do("edit_line", invoice_id=bill, line_item_id=line, account="429")
    xero.do("edit_invoice", invoice_id=paid, due_date="2026-12-31")
    assert since(xero, at) == []
    assert xero.invoice(bill)["LineItems"][0]["AccountCode"] == "429"
    assert xero.invoice(paid)["DueDateString"] == "2026-12-31T00:00:00"
    xero.do("edit_line", invoice_id=bill, line_item_id=line, description="Seen")
    assert since(xero, at) == [bill]
    xero.switch(blind_spots=False)
    xero.do("edit_invoice", invoice_id=paid, due_date="2027-01-31")
    assert since(xero, at) == [bill, paid]


def test_a_busy_organisation_refuses_lists(xero: Any) -> None:
    xero.switch(high_volume=True)
    for path in ("/Invoices", "/Contacts", "/Payments"):
        answer = xero.call("GET", path, status=400)
        assert (answer["ErrorNumber"], answer["Type"]) == (51, "HighVolumeException")
