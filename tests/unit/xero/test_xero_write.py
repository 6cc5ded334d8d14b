"""Bodies sent to Xero: what is in them, what is not, and every digit of the amounts."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onecore.domain.documents import (
    Bill,
    BillLine,
    BillStatus,
    PostedBill,
    PostedLine,
    Tracking,
)
from onecore.domain.ids import (
    AccountCode,
    BillId,
    BillLineId,
    CategoryId,
    ContactId,
    OptionId,
    TaxType,
)
from onecore.domain.money import Currency
from onecore.http.wire import encoded
from onecore.ports import BillChange
from onecore.xero.write import bill_body, change_body, contact_body, removal_body

CONTACT = ContactId(UUID(int=1))
BILL = BillId(UUID(int=2))
LINE = BillLineId(UUID(int=3))
TRACKING = Tracking(CategoryId(UUID(int=4)), OptionId(UUID(int=5)), "Projects", "P-7")


def line(key: str, amount: str, **more: Any) -> BillLine:
    said: dict[str, Any] = {
        "description": f"Work {key}",
        "account": AccountCode("310"),
        "amount": Decimal(amount),
        "tax_type": None,
    }
    return BillLine(key=key, **{**said, **more})


def bill(*lines: BillLine, **more: Any) -> Bill:
    said: dict[str, Any] = {
        "contact": CONTACT,
        "number": "INV-0123",
        "bill_date": date(2026, 3, 31),
        "due_date": date(2026, 4, 30),
        "status": BillStatus.AUTHORISED,
        "currency": Currency("AUD"),
        "url": "https://app.procore.com/7/project/contracts/requisitions/55",
        "lines": lines,
    }
    return Bill(**{**said, **more})


def sent(body: object) -> Any:
    return json.loads(encoded(body), parse_float=Decimal)


def test_a_whole_bill() -> None:
    body = bill_body(
        bill(
            line("item:1", "100000.00", tracking=(TRACKING,)),
            line("retention:INPUT", "-10000.00", tax_type=TaxType("INPUT"),
                 tax_amount=Decimal("-1000.01")),
        )
    )  # fmt: skip
    assert sent(body) == {
        "Type": "ACCPAY",
        "Contact": {"ContactID": "00000000-0000-0000-0000-000000000001"},
        "Date": "2026-03-31",
        "DueDate": "2026-04-30",
        "LineAmountTypes": "Exclusive",
        "InvoiceNumber": "INV-0123",
        "Url": "https://app.procore.com/7/project/contracts/requisitions/55",
        "Status": "AUTHORISED",
        "CurrencyCode": "AUD",
        "LineItems": [
            {
                "Description": "Work item:1",
                "Quantity": 1,
                "UnitAmount": Decimal("100000.00"),
                "AccountCode": "310",
                "Tracking": [
                    {
                        "TrackingCategoryID": "00000000-0000-0000-0000-000000000004",
                        "TrackingOptionID": "00000000-0000-0000-0000-000000000005",
                        "Name": "Projects",
                        "Option": "P-7",
                    }
                ],
            },
            {
                "Description": "Work retention:INPUT",
                "Quantity": 1,
                "UnitAmount": Decimal("-10000.00"),
                "AccountCode": "310",
                "TaxType": "INPUT",
                "TaxAmount": Decimal("-1000.01"),
            },
        ],
    }


def test_what_is_left_to_xero_is_not_sent() -> None:
    body = sent(bill_body(bill(line("item:1", "1.00"), currency=None)))
    assert "CurrencyCode" not in body
    assert "Reference" not in body
    assert body["LineItems"][0].keys() == {"Description", "Quantity", "UnitAmount", "AccountCode"}


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        ("1000.05", "1000.05"),
        ("1E+3", "1000"),
        ("1E-4", "0.0001"),
        ("-0.00", "0.00"),
        ("12345678901234.5678", "12345678901234.5678"),
        ("0.10", "0.10"),
    ],
)
def test_amounts_are_written_digit_by_digit(amount: str, written: str) -> None:
    raw = encoded(bill_body(bill(line("item:1", amount)))).decode()
    assert f'"UnitAmount":{written},' in raw


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9))
def test_no_amount_changes_on_its_way(amount: Decimal) -> None:
    body = sent(bill_body(bill(line("item:1", str(amount)))))
    assert body["LineItems"][0]["UnitAmount"] == amount


def posted_line(**more: Any) -> PostedLine:
    said: dict[str, Any] = {
        "id": BillLineId(UUID(int=9)),
        "description": "The bookkeeper's own",
        "account": AccountCode("461"),
        "amount": Decimal("50.00"),
        "tax_type": TaxType("EXEMPTEXPENSES"),
        "tax_amount": Decimal("0.00"),
        "tracking": (TRACKING,),
    }
    return PostedLine(**{**said, **more})


def test_an_update_names_the_lines_it_knows_and_keeps_the_others() -> None:
    wanted = bill(line("item:1", "120.00"), line("item:2", "7.00"))
    body = sent(change_body(BillChange(BILL, wanted, {"item:1": LINE}, kept=(posted_line(),))))
    assert body["InvoiceID"] == str(BILL)
    known, new, kept = body["LineItems"]
    assert known["LineItemID"] == str(LINE)
    assert known["UnitAmount"] == Decimal("120.00")
    assert known["Tracking"] == []  # what was tracked before goes, if it is not wanted now
    assert "TaxType" not in known  # the bookkeeper's choice of tax stays
    assert "LineItemID" not in new
    assert kept == {
        "LineItemID": str(UUID(int=9)),
        "Description": "The bookkeeper's own",
        "Quantity": 1,
        "UnitAmount": Decimal("50.00"),
        "AccountCode": "461",
        "TaxType": "EXEMPTEXPENSES",
        "TaxAmount": Decimal("0.00"),
        "Tracking": known["Tracking"] or kept["Tracking"],
    }
    assert kept["Tracking"][0]["Option"] == "P-7"


def test_a_kept_line_of_words_stays_without_an_amount() -> None:
    words = posted_line(account=None, amount=Decimal("0.00"), tax_type=None, tracking=())
    body = sent(change_body(BillChange(BILL, bill(), {}, kept=(words,))))
    assert body["LineItems"] == [
        {"LineItemID": str(UUID(int=9)), "Description": "The bookkeeper's own"}
    ]


@pytest.mark.parametrize(
    ("status", "gone"),
    [
        ("DRAFT", "DELETED"),
        ("SUBMITTED", "DELETED"),
        ("AUTHORISED", "VOIDED"),
        ("PAID", "VOIDED"),
        ("SOMETHING NEW", "VOIDED"),
    ],
)
def test_what_removing_means(status: str, gone: str) -> None:
    zero = Decimal(0)
    standing = PostedBill(
        BILL, "ACCPAY", CONTACT, "N", date(2026, 1, 1), None, status, None, "", (),
        zero, zero, zero, zero, zero, zero, datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    assert sent(removal_body(standing)) == {"InvoiceID": str(BILL), "Status": gone}


def test_a_contact_leaves_out_what_is_empty() -> None:
    assert contact_body("Acme", "", "") == {"Name": "Acme"}
    assert contact_body("Acme", "51824753556", "a@b.co") == {
        "Name": "Acme",
        "TaxNumber": "51824753556",
        "EmailAddress": "a@b.co",
    }
