"""Xero's named faults as an app meets them."""

import json
from typing import Any

import httpx2
import pytest
from tests.sim.xero.conftest import Remote


def lay(xero: Remote, name: str, endpoint: str | None = None, **more: Any) -> None:
    where = {"endpoint": endpoint} if endpoint else {}
    answer = xero.http.post("/_sim/faults", json={"name": name, **where, **more})
    assert answer.status_code == 200, answer.text


@pytest.fixture(autouse=True)
def _clear(xero: Remote) -> Any:
    yield
    xero.http.request("DELETE", "/_sim/faults")


def test_the_catalogue_is_listed_and_what_is_unknown_is_refused(xero: Remote) -> None:
    listing = xero.http.get("/_sim/faults/catalogue").json()
    assert {"name", "about", "takes", "says", "endpoints"} == set(listing["faults"][0])
    for wrong in ({"name": "x"}, {"name": "slow", "endpoint": "x"}, {"name": "slow", "depth": 1},
                  {"kind": "x"}, {"kind": "lost", "depth": 1}, {"kind": "lost", "path": "("}, [],
                  {"kind": "lost", "times": "often"}):  # fmt: skip
        answer = xero.http.post("/_sim/faults", json=wrong)
        assert answer.status_code == 400, wrong
        assert answer.json()["error"]
    assert xero.http.post("/_sim/faults", content=b"{").status_code == 400
    assert xero.http.get("/_sim/faults").json() == []


LIMITS = {
    "limit_minute": ("minute", "27"),
    "limit_day": ("day", "5400"),
    "limit_app_minute": ("appminute", None),
    "limit_concurrent": ("concurrent", None),
}


@pytest.mark.parametrize("name", LIMITS)
def test_each_limit_says_which_and_how_long(xero: Remote, name: str) -> None:
    lay(xero, name, "accounts.get")
    assert xero.raw("GET", "/TaxRates").status_code == 200
    answer = xero.raw("GET", "/Accounts")
    told = (answer.headers["x-rate-limit-problem"], answer.headers.get("retry-after"))
    assert (answer.status_code, *told) == (429, *LIMITS[name])
    assert xero.raw("GET", "/Accounts").status_code == 200


def test_offline_is_in_plain_text(xero: Remote) -> None:
    lay(xero, "organisation_offline", times=2)
    lay(xero, "unavailable")
    first, second, third = (xero.raw("GET", "/Accounts") for _ in range(3))
    assert (first.status_code, first.text) == (503, "The Organisation is offline")
    assert first.headers["content-type"].startswith("text/plain")
    assert "retry-after" not in second.headers
    assert third.headers["retry-after"] == "60"


def put_two(xero: Remote, *numbers: str) -> list[dict[str, Any]]:
    bodies = [xero.bill("10.00", InvoiceNumber=number) for number in numbers]
    body = {"Invoices": bodies}
    answer = xero.call("PUT", "/Invoices", body=body, unitdp=4, summarizeErrors="false")
    return list(answer["Invoices"])


def kept(xero: Remote) -> list[str]:
    found = xero.get("/Invoices", page=1)["Invoices"]
    return sorted(one["InvoiceNumber"] for one in found if one["Type"] == "ACCPAY")


def test_part_of_a_batch_is_refused_and_the_rest_is_kept(xero: Remote) -> None:
    before = kept(xero)
    lay(xero, "part_refused", "invoices.put", elements=[1, 3], say="tax_type")
    told = put_two(xero, "A", "B", "C")
    assert [one["StatusAttributeString"] for one in told] == ["ERROR", "OK", "ERROR"]
    assert "TaxType code" in told[0]["ValidationErrors"][0]["Message"]
    assert kept(xero) == sorted([*before, "B"])
    assert [x["StatusAttributeString"] for x in put_two(xero, "A", "C")] == ["OK", "OK"]


def test_a_whole_batch_is_refused(xero: Remote) -> None:
    before = kept(xero)
    lay(xero, "batch_refused", "invoices.put")
    answer = xero.raw("PUT", "/Invoices", body={"Invoices": [xero.bill("10.00")]})
    assert answer.status_code == 400
    assert answer.json()["Elements"][0]["ValidationErrors"]
    assert kept(xero) == before


@pytest.mark.parametrize("name", ["reply_lost", "truncated", "error_after_commit",
                                  "timeout_after_commit"])  # fmt: skip
def test_after_commit_means_it_was_carried_out(xero: Remote, name: str) -> None:
    more = {"seconds": 0.1} if name == "timeout_after_commit" else {}
    before = kept(xero)
    lay(xero, name, "invoices.put", **more)
    if name == "error_after_commit":
        assert xero.raw("PUT", "/Invoices", body=xero.bill("10.00")).status_code == 500
    else:
        with pytest.raises(httpx2.RemoteProtocolError):
            xero.raw("PUT", "/Invoices", body=xero.bill("10.00"))
    assert kept(xero) == sorted([*before, "S-100"])


@pytest.mark.parametrize("name", ["connection_closed", "timeout_before_commit"])
def test_before_commit_means_it_was_not(xero: Remote, name: str) -> None:
    more = {"seconds": 0.1} if name == "timeout_before_commit" else {}
    before = kept(xero)
    lay(xero, name, "invoices.put", **more)
    with pytest.raises(httpx2.RemoteProtocolError):
        xero.raw("PUT", "/Invoices", body=xero.bill("10.00"))
    assert kept(xero) == before


def test_a_hanging_request_is_let_go_with_whoever_asked(xero: Remote) -> None:
    lay(xero, "timeout_before_commit", "accounts.get")
    with pytest.raises(httpx2.ReadTimeout):
        xero.http.get("/api.xro/2.0/Accounts", timeout=0.2)
    assert xero.raw("GET", "/Accounts").status_code == 200


def test_a_token_ends_at_the_call_that_was_named_and_a_new_one_works(xero: Remote) -> None:
    lay(xero, "token_expired", "accounts.get", skip=1)
    statuses = [xero.raw("GET", "/Accounts").status_code for _ in range(3)]
    assert statuses == [200, 401, 401]
    assert xero.raw("GET", "/Accounts").headers["www-authenticate"]
    renewed = renew(xero)
    assert renewed.status_code == 200
    xero.token = renewed.json()
    assert xero.raw("GET", "/Accounts").status_code == 200


def renew(xero: Remote) -> httpx2.Response:
    return xero.http.post(
        "/connect/token",
        data={"grant_type": "refresh_token", "refresh_token": xero.token["refresh_token"],
              "client_id": "sim-xero-client", "client_secret": "sim-xero-secret"},
    )  # fmt: skip


def test_a_revoked_grant_cannot_be_renewed(xero: Remote) -> None:
    lay(xero, "grant_revoked", "accounts.get")
    assert xero.raw("GET", "/Accounts").status_code == 401
    assert json.loads(renew(xero).text) == {"error": "invalid_grant"}


def test_a_removed_connection_is_403_with_a_token_that_lives(xero: Remote) -> None:
    lay(xero, "connection_removed", "accounts.get")
    assert xero.raw("GET", "/Accounts").status_code == 403
    assert renew(xero).status_code == 200


def test_the_reply_to_a_renewal_is_lost(xero: Remote) -> None:
    lay(xero, "refresh_reply_lost")
    with pytest.raises(httpx2.RemoteProtocolError):
        renew(xero)
    assert renew(xero).status_code == 200  # within the thirty minutes
    xero.clock(advance_seconds=31 * 60)
    assert renew(xero).status_code == 400


def test_a_scope_is_missing(xero: Remote) -> None:
    lay(xero, "scope_missing", "accounts.get", status=403)
    answer = xero.raw("GET", "/Accounts")
    assert answer.status_code == 403
    assert "insufficent_scope" in answer.headers["www-authenticate"]
