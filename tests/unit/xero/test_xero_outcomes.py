"""What a write's answer says of each document, and when it cannot be told."""

import json
from typing import Any
from uuid import UUID

import pytest

from onecore.http.transport import Answer, Call
from onecore.ports import Lane, OutcomeUnknown, Posted, Refusal, Remote, RequestRefused
from onecore.xero.outcomes import bill_outcomes, made_contact

CALL = Call("bills.create", "PUT", "/Invoices", Lane.DOCUMENT, body=b"{}")
NO_ID = str(UUID(int=0))
SAVED: dict[str, Any] = {
    "Type": "ACCPAY",
    "InvoiceID": str(UUID(int=1)),
    "Contact": {"ContactID": str(UUID(int=2)), "ValidationErrors": []},
    "Date": "/Date(1774915200000+0000)/",
    "Status": "AUTHORISED",
    "UpdatedDateUTC": "/Date(1774915200000+0000)/",
    "LineItems": [],
    "ValidationErrors": [],
    "StatusAttributeString": "OK",
}
BAD: dict[str, Any] = {
    "InvoiceID": NO_ID,
    "StatusAttributeString": "ERROR",
    "ValidationErrors": [{"Message": "Account code 'X' is not a valid code."}],
}


def answer(key: str, *elements: object) -> Answer:
    return Answer(Remote.XERO, CALL, 200, {}, json.dumps({key: elements}).encode())


def outcome(element: dict[str, Any]) -> Posted | Refusal:
    (one,) = bill_outcomes(answer("Invoices", element), 1)
    return one


def test_outcomes_keep_their_order() -> None:
    second = {**SAVED, "InvoiceID": str(UUID(int=7))}
    got = bill_outcomes(answer("Invoices", SAVED, BAD, second), 3)
    assert isinstance(got[0], Posted)
    assert got[0].bill.id == UUID(int=1)
    assert got[1] == Refusal(("Account code 'X' is not a valid code.",))
    assert isinstance(got[2], Posted)
    assert got[2].bill.id == UUID(int=7)


def test_a_warning_means_saved() -> None:
    warned = {
        **SAVED,
        "StatusAttributeString": "WARNING",
        "Warnings": [{"Message": "Look at this"}, {"Description": "And that"}, {}],
    }
    got = outcome(warned)
    assert isinstance(got, Posted)
    assert got.warnings == ("Look at this", "And that")


@pytest.mark.parametrize(
    ("element", "reasons"),
    [
        ({**BAD, "ValidationErrors": []}, ("Xero declined it and gave no reason.",)),
        ({**BAD, "ValidationErrors": [{"Description": "D"}, {"Message": "M"}]}, ("D", "M")),
        (
            {**BAD, "ValidationErrors": [], "Contact": {"ValidationErrors": [{"Message": "C"}]}},
            ("C",),
        ),
        ({"HasErrors": True, "ValidationErrors": [{"Message": "E"}]}, ("E",)),
        ({"ValidationErrors": [{"Message": "E"}]}, ("E",)),
    ],
)
def test_refusals_have_every_reason(element: dict[str, Any], reasons: tuple[str, ...]) -> None:
    assert outcome(element) == Refusal(reasons)


def test_an_element_that_says_nothing_was_saved_if_it_reads_as_a_bill() -> None:
    quiet = {k: v for k, v in SAVED.items() if k != "StatusAttributeString"}
    assert isinstance(outcome(quiet), Posted)


@pytest.mark.parametrize(
    "elements",
    [
        [],
        [SAVED, SAVED],
        [{**SAVED, "StatusAttributeString": "PERHAPS"}],
        [{**SAVED, "InvoiceID": "no id"}],
        [{**SAVED, "Date": None}],
        [{}],
        ["text"],
        [None],
    ],
)
def test_what_cannot_be_told_is_unknown(elements: list[object]) -> None:
    with pytest.raises(OutcomeUnknown):
        bill_outcomes(answer("Invoices", *elements), 1)


@pytest.mark.parametrize("body", [b"", b"<xml/>", b"{}", b'{"Invoices": null}', b"[]"])
def test_an_answer_of_another_shape_is_unknown(body: bytes) -> None:
    with pytest.raises(OutcomeUnknown):
        bill_outcomes(Answer(Remote.XERO, CALL, 200, {}, body), 1)


def test_an_unreadable_answer_is_not_repeated() -> None:
    secret = {**SAVED, "InvoiceID": "secret words", "SubTotal": "more secrets"}
    with pytest.raises(OutcomeUnknown) as caught:
        bill_outcomes(answer("Invoices", secret), 1)
    assert "secret" not in str(caught.value)


def test_contacts() -> None:
    made = {"ContactID": str(UUID(int=4)), "StatusAttributeString": "OK", "ValidationErrors": []}
    assert made_contact(answer("Contacts", made), "contact.add") == UUID(int=4)
    taken = {**made, "StatusAttributeString": "ERROR", "ValidationErrors": [{"Message": "Taken"}]}
    with pytest.raises(RequestRefused) as caught:
        made_contact(answer("Contacts", taken), "contact.add")
    assert caught.value.reasons == ("Taken",)
    for odd in ({**made, "ContactID": NO_ID}, {**made, "StatusAttributeString": "PERHAPS"}):
        with pytest.raises(OutcomeUnknown):
            made_contact(answer("Contacts", odd), "contact.add")
