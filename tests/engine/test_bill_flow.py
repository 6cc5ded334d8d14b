"""A claim approved in Procore is a bill in Xero: the whole way, over HTTP."""

from tests.desk import Desk, money


def test_an_approved_claim_becomes_the_right_bill(desk: Desk) -> None:
    ref = desk.claim("10000.00", "50000.00", "40000.00", invoice_number="INV-0101")
    result = desk.sync()
    assert result.troubles == ()
    assert desk.state_of(ref) == "in_step"
    bill = desk.bill_of(ref)
    assert bill["number"] == "INV-0101"
    assert bill["status"] == "AUTHORISED"
    assert money(bill["total"]) == money("99000.00")
    assert desk.intents() == 0
    assert desk.attention() == []
