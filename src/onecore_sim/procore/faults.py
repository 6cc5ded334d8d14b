"""Procore's named faults and endpoints [P 2.4, 3]."""

from onecore_sim.kit.catalogue import Catalogue, Endpoint, Named
from onecore_sim.kit.common_faults import (
    ANSWERS,
    CONNECTION,
    events_about,
    of_events,
    refused_sign_in,
)
from onecore_sim.kit.faults import Fault, Kind

_V = r"^/rest/v[0-9.]+"
_ID = r"/[^/?]+"


def _at(name: str, method: str, path: str) -> Endpoint:
    return Endpoint(name, method, rf"{_V}{path}(\?|$)")


_SCOPE = rf"/companies{_ID}(/projects{_ID})?"
ENDPOINTS = (
    Endpoint("any", "", "^/(rest/|oauth/(token|revoke))"),
    Endpoint("any.read", "GET", "^/rest/"),
    Endpoint("token", "POST", r"^/oauth/token(\?|$)"),
    Endpoint("revoke", "POST", "^/oauth/revoke"),
    _at("me.get", "GET", "/me"),
    _at("companies.get", "GET", "/companies"),
    _at("company_base_url.get", "GET", "/company_base_url"),
    _at("projects.get", "GET", "/projects"),
    _at("tools.get", "GET", f"/projects{_ID}/tools"),
    _at("vendors.get", "GET", "/vendors"),
    _at("vendors_inactive.get", "GET", f"/companies{_ID}/vendors/inactive"),
    _at("cost_codes.get", "GET", "/cost_codes"),
    _at("line_item_types.get", "GET", "/line_item_types"),
    _at("work_order_contracts.get", "GET", "/work_order_contracts"),
    _at("work_order_contract.get", "GET", f"/work_order_contracts{_ID}"),
    _at("purchase_order_contracts.get", "GET", "/purchase_order_contracts"),
    _at("purchase_order_contract.get", "GET", f"/purchase_order_contracts{_ID}"),
    _at("change_order_package.get", "GET", f"/change_order_packages{_ID}"),
    _at("requisitions.get", "GET", "/requisitions"),
    _at("requisition.get", "GET", f"/requisitions{_ID}"),
    _at("requisition_detail.get", "GET", f"/requisitions{_ID}/detail"),
    _at("requisition_history.get", "GET", f"/requisitions{_ID}/change_histories"),
    _at("hook_resources.get", "GET", f"{_SCOPE}/webhooks/resources"),
    _at("hooks.get", "GET", f"{_SCOPE}/webhooks/hooks"),
    _at("hooks.post", "POST", f"{_SCOPE}/webhooks/hooks"),
    _at("hook.delete", "DELETE", f"{_SCOPE}/webhooks/hooks{_ID}"),
    _at("hook_triggers.post", "POST", f"{_SCOPE}/webhooks/hooks{_ID}/triggers(/bulk)?"),
)
EVENTS = (
    events_about("webhooks"),
    events_about("webhooks.projects", "Projects"),
    events_about("webhooks.vendors", "Company Vendors"),
    events_about("webhooks.commitments", "(Work|Purchase) Order Contracts"),
    events_about("webhooks.change_orders", "Change Order Packages"),
    events_about("webhooks.requisitions", "Requisitions"),
)


def _limit(figure: int) -> Fault:
    return Fault(
        kind=Kind.STATUS,
        status=429,
        body='{"errors":"You have surpassed the max number of requests"}',
        headers={"X-Rate-Limit-Limit": str(figure), "X-Rate-Limit-Remaining": "0"},
    )


_RESET = ("X-Rate-Limit-Reset",)
_LIMITS = (
    Named("limit_hour", "429: the calls of the hour are used up.", _limit(3600),
          {"seconds": 1800, "told": True}, stamps=_RESET),
    Named("limit_spike", "429: the calls of these ten seconds are used up.", _limit(25),
          {"seconds": 7, "told": True}, stamps=_RESET),
)  # fmt: skip
_ERRORS = (
    Named("unavailable", "503: the platform is overloaded.",
          Fault(kind=Kind.STATUS, status=503, body='{"message":"Service Unavailable"}'),
          {"seconds": 60, "told": True}),
    Named("too_large", "408: the list asked for is too large.",
          Fault(kind=Kind.STATUS, status=408, body='{"errors":"Request timeout"}')),
)  # fmt: skip
_ACCESS = (
    Named("token_expired", "Every access token has just ended; a renewed one works.",
          Fault(kind=Kind.ACT, act="expire_tokens")),
    Named("grant_revoked", "Every token has just been taken back, refresh tokens too.",
          Fault(kind=Kind.ACT, act="revoke_tokens")),
    Named("connection_removed", "The app has just been taken out of the company.",
          Fault(kind=Kind.ACT, act="revoke_app")),
    *refused_sign_in(401),
)  # fmt: skip

CATALOGUE = Catalogue(
    (*ENDPOINTS, *EVENTS),
    (*_LIMITS, *_ERRORS, *ANSWERS, *CONNECTION, *_ACCESS, *of_events(*EVENTS)),
)
