"""Xero's named faults and endpoints [X 2.1, 4]."""

import json
from typing import Any

from onecore_sim.kit.catalogue import Catalogue, Endpoint, Named
from onecore_sim.kit.common_faults import (
    ANSWERS,
    CONNECTION,
    WRITES,
    events_about,
    of_events,
    refused_sign_in,
)
from onecore_sim.kit.faults import Fault, Kind

_API = r"^/api\.xro/2\.0"
_ID = r"/[^/?]+"


def _at(name: str, method: str, path: str) -> Endpoint:
    return Endpoint(name, method, rf"{_API}{path}(\?|$)")


ENDPOINTS = (
    Endpoint("any", "", r"^/(api\.xro/|connect/|connections)"),
    Endpoint("any.read", "GET", _API),
    Endpoint("any.write", WRITES, _API),
    Endpoint("token", "POST", "^/connect/token"),
    Endpoint("revocation", "POST", "^/connect/revocation"),
    Endpoint("connections.get", "GET", r"^/connections(\?|$)"),
    Endpoint("connections.delete", "DELETE", "^/connections/"),
    _at("organisation.get", "GET", "/Organisations?"),
    _at("currencies.get", "GET", "/Currencies"),
    _at("users.get", "GET", "/Users"),
    _at("accounts.get", "GET", "/Accounts"),
    _at("accounts.put", "PUT", "/Accounts"),
    _at("tax_rates.get", "GET", "/TaxRates"),
    _at("tracking.get", "GET", "/TrackingCategories"),
    _at("tracking.put", "PUT", "/TrackingCategories"),
    _at("options.put", "PUT", f"/TrackingCategories{_ID}/Options"),
    _at("contacts.get", "GET", "/Contacts"),
    _at("contacts.put", "PUT", "/Contacts"),
    _at("contacts.post", "POST", "/Contacts"),
    _at("contact.get", "GET", f"/Contacts{_ID}"),
    _at("contact.post", "POST", f"/Contacts{_ID}"),
    _at("invoices.get", "GET", "/Invoices"),
    _at("invoices.put", "PUT", "/Invoices"),
    _at("invoices.post", "POST", "/Invoices"),
    _at("invoice.get", "GET", f"/Invoices{_ID}"),
    _at("invoice.post", "POST", f"/Invoices{_ID}"),
    _at("credit_notes.get", "GET", "/CreditNotes"),
    _at("credit_notes.put", "PUT", "/CreditNotes"),
    _at("credit_notes.post", "POST", "/CreditNotes"),
    _at("allocations.put", "PUT", f"/CreditNotes{_ID}/Allocations"),
    _at("payments.get", "GET", "/Payments"),
    _at("payments.put", "PUT", "/Payments"),
    _at("payments.post", "POST", f"/Payments({_ID})?"),
    _at("attachments.get", "GET", f"{_ID}{_ID}/Attachments"),
    _at("attachments.put", "PUT", f"{_ID}{_ID}/Attachments{_ID}"),
    _at("history.get", "GET", f"{_ID}{_ID}/History"),
    _at("history.put", "PUT", f"{_ID}{_ID}/History"),
)

EVENTS = (
    events_about("webhooks"),
    events_about("webhooks.invoice", "INVOICE"),
    events_about("webhooks.contact", "CONTACT"),
    events_about("webhooks.credit_note", "CREDITNOTE"),
    events_about("webhooks.payment", "PAYMENT"),
)
REFUSALS = {
    "account": "Account code '999' is not a valid code for this document.",
    "archived_account": "Account code '310' has been archived, or has been deleted. Each line item "
    "must reference a valid account.",
    "tax_type": "The TaxType code 'OUTPUT' cannot be used with account code '310'.",
    "period_lock": "The document date cannot be before the period lock date, currently set at "
    "30-Nov-2018",
    "total": "The line total 10 does not match the expected line total 10.01",
    "frozen": "This document cannot be edited as it has a payment or credit note allocated to it.",
    "not_found": "The document with the supplied id was not found for this endpoint.",
    "new": "Something that Xero has never said before.",
}
BATCHES = (
    "invoices.put", "invoices.post", "credit_notes.put", "credit_notes.post", "contacts.put",
    "contacts.post", "payments.put",
)  # fmt: skip


def _limit(problem: str, left: str) -> Fault:
    return Fault(
        kind=Kind.STATUS,
        status=429,
        body="Too many requests.",
        content_type="text/plain",
        headers={"X-Rate-Limit-Problem": problem, left: "0"} if left else
        {"X-Rate-Limit-Problem": problem},
    )  # fmt: skip


def _offline(text: str) -> Fault:
    return Fault(kind=Kind.STATUS, status=503, body=text, content_type="text/plain")


def _validation(*messages: str) -> str:
    elements: list[Any] = [{"ValidationErrors": [{"Message": text} for text in messages]}]
    return json.dumps(
        {
            "ErrorNumber": 10,
            "Type": "ValidationException",
            "Message": "A validation exception occurred",
            "Elements": elements,
        }
    )


_LIMITS = (
    Named("limit_minute", "429: the organisation's calls of this minute are used up.",
          _limit("minute", "X-MinLimit-Remaining"), {"seconds": 27, "told": True}),
    Named("limit_day", "429: the organisation's calls of the day are used up.",
          _limit("day", "X-DayLimit-Remaining"), {"seconds": 5400, "told": True}),
    Named("limit_app_minute", "429: the whole app's calls of this minute are used up.",
          _limit("appminute", "X-AppMinLimit-Remaining"), {"seconds": 27, "told": False}),
    Named("limit_concurrent", "429: too many calls at once. Xero tells no wait.",
          _limit("concurrent", ""), {"seconds": 1, "told": False}),
)  # fmt: skip
_ERRORS = (
    Named("organisation_offline", "503 in plain text; about five minutes are usual.",
          _offline("The Organisation is offline"), {"seconds": 300, "told": False}),
    Named("maintenance", "503 in plain text: the whole API is being worked on.",
          _offline("The Xero API is currently offline for maintenance"),
          {"seconds": 300, "told": False}),
    Named("unavailable", "503 in plain text: temporarily unavailable.",
          _offline("The Xero API is temporarily unavailable"), {"seconds": 60, "told": True}),
)  # fmt: skip
_BATCHES = (
    Named("part_refused", "The named elements of a batch are refused although they are right; the "
          "others are saved.", Fault(kind=Kind.PART_REFUSED),
          {"elements": [1], "say": "new"}, BATCHES, words=REFUSALS),
    Named("batch_refused", "400 for the whole batch, of which nothing was saved.",
          Fault(kind=Kind.STATUS, status=400, body=_validation(REFUSALS["new"])), only=BATCHES),
)  # fmt: skip
_ACCESS = (
    Named("token_expired", "Every access token has just ended; a renewed one works.",
          Fault(kind=Kind.ACT, act="expire_tokens")),
    Named("grant_revoked", "Every grant has just been taken away, with all its tokens.",
          Fault(kind=Kind.ACT, act="revoke_all")),
    Named("connection_removed", "The app has just been removed from every organisation; its tokens "
          "live on.", Fault(kind=Kind.ACT, act="disconnect_all")),
    Named("scope_missing", "401: the token lacks the scope for this.",
          Fault(kind=Kind.STATUS, status=401,
                body='{"Title":"Unauthorized","Detail":"AuthorizationUnsuccessful"}',
                headers={"WWW-Authenticate": 'Bearer error="insufficent_scope"'}),
          {"status": 401}),
    *refused_sign_in(400),
)  # fmt: skip

CATALOGUE = Catalogue(
    (*ENDPOINTS, *EVENTS),
    (*_LIMITS, *_ERRORS, *ANSWERS, *CONNECTION, *_BATCHES, *_ACCESS, *of_events(*EVENTS)),
)
