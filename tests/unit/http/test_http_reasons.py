"""Every shape of an error body gives its words, and nothing else does."""

import json

import pytest

from onecore.http.reasons import elements_refused, reasons_in, validation_texts

ERRORS = [
    ({"errors": "Not allowed"}, ("Not allowed",)),
    ({"errors": ["One", "Two", "One"]}, ("One", "Two")),
    ({"errors": {"date": ["is missing", "is late"]}}, ("date: is missing", "date: is late")),
    ({"errors": {"base": "is locked"}}, ("base: is locked",)),
    ({"error": {"code": "FORBIDDEN", "message": "No", "details": []}}, ("No",)),
    ({"error": "invalid_grant"}, ("invalid_grant",)),
    (
        {"message": "App is not connected to this company"},
        ("App is not connected to this company",),
    ),
    (
        {"code": 400, "message": "Bad", "fields": {}, "reason": "bad_request"},
        ("Bad", "bad_request"),
    ),
    (
        {"code": 422, "message": "Bad", "fields": {"amount": ["too much"]}, "reason": "x"},
        ("amount: too much",),
    ),
    (
        {
            "ErrorNumber": 10,
            "Type": "ValidationException",
            "Message": "A validation exception occurred",
            "Elements": [
                {"ValidationErrors": [{"Message": "A"}, {"Description": "B"}]},
                {"Contact": {"ValidationErrors": [{"Message": "C"}]}},
            ],
        },
        ("A", "B", "C"),
    ),
    (
        {"ErrorNumber": 51, "Type": "HighVolumeException", "Message": "Too many"},
        ("Too many",),
    ),
    (
        {"Type": None, "Title": "Forbidden", "Status": 403, "Detail": "AuthenticationUnsuccessful"},
        ("Forbidden: AuthenticationUnsuccessful",),
    ),
    (
        {"title": "Bad", "detail": "x", "invalidFields": [{"name": "start", "reason": "late"}]},
        ("start: late",),
    ),
    (
        {"message": "The request is invalid.", "modelState": {"name": ["is taken"]}},
        ("name: is taken",),
    ),
    ({}, ()),
    ([], ()),
    (None, ()),
    ({"errors": {}}, ()),
    ({"Elements": "none", "ValidationErrors": "x"}, ()),
]


@pytest.mark.parametrize(("body", "reasons"), ERRORS)
def test_reasons_of_json(body: object, reasons: tuple[str, ...]) -> None:
    assert reasons_in(json.dumps(body).encode()) == reasons


@pytest.mark.parametrize(
    ("body", "reasons"),
    [
        (b"The Organisation is offline", ("The Organisation is offline",)),
        (b"<html><body>Bad gateway</body></html>", ()),
        (b"", ()),
        (b"\xff\xfe", ("\ufffd\ufffd",)),
        (b"x" * 9000, ("x" * 500,)),
    ],
)
def test_reasons_of_text(body: bytes, reasons: tuple[str, ...]) -> None:
    assert reasons_in(body) == reasons


def test_validation_texts_of_any_depth_come_once() -> None:
    element = {
        "ValidationErrors": [{"Message": "A"}, {"Message": "A"}, {"Message": " "}],
        "LineItems": [{"ValidationErrors": [{"Description": "B"}]}, {"ValidationErrors": []}],
    }
    assert validation_texts(element) == ("A", "B")


def test_a_refusal_about_the_request_has_no_elements() -> None:
    about_key = {
        "ErrorNumber": 10,
        "Message": "Idempotency Key: k is used with a different request.",
    }
    assert elements_refused(json.dumps(about_key).encode()) == 0
    assert elements_refused(b"offline") == 0
    two = {"Elements": [{"ValidationErrors": [{"Message": "A"}]}, {"ValidationErrors": []}]}
    assert elements_refused(json.dumps(two).encode()) == 1
