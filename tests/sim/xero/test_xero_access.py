"""Sign-in, tokens, scopes, connections; call limits; idempotency keys; refusals by status."""

import base64
import hashlib
import json
import threading
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from openapi_schema_validator import OAS30Validator
from ruamel.yaml import YAML

REDIRECT = "http://localhost:8000/connect/xero/callback"
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=")
SCOPES = "openid offline_access accounting.invoices accounting.settings.read"
BASIC = ("sim-xero-client", "sim-xero-secret")


def consent(xero: Any, decision: str = "allow", **changes: str) -> Any:
    asked = {
        "response_type": "code", "client_id": "sim-xero-client", "redirect_uri": REDIRECT,
        "scope": SCOPES, "state": "s-1", "code_challenge": CHALLENGE.decode(),
        "code_challenge_method": "S256", **changes,
    }  # fmt: skip
    asked = {key: value for key, value in asked.items() if value}
    page = xero.http.get("/identity/connect/authorize", params=asked)
    if page.status_code != 200:
        return page
    assert "Allow access" in page.text
    assert "Banksia Constructions Pty Ltd" in page.text
    form = {**asked, "tenant_id": xero.tenant, "decision": decision}
    return xero.http.post("/identity/connect/authorize", data=form)


def told(answer: httpx2.Response) -> dict[str, str]:
    assert answer.status_code == 302, answer.text
    where = answer.headers["location"]
    assert where.startswith(REDIRECT + "?")
    return {key: value[0] for key, value in parse_qs(urlsplit(where).query).items()}


def exchange(xero: Any, code: str, auth: Any = None, **changes: str) -> Any:
    form = {
        "grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT,
        "client_id": "sim-xero-client", "code_verifier": VERIFIER, **changes,
    }  # fmt: skip
    return xero.http.post("/connect/token", data=form, auth=auth)


def refresh(xero: Any, token: str) -> Any:
    form = {"grant_type": "refresh_token", "refresh_token": token}
    return xero.http.post("/connect/token", data=form, auth=BASIC)


def test_consent_with_pkce_gives_a_token_set_that_works(xero: Any) -> None:
    back = told(consent(xero))
    assert back["state"] == "s-1"
    answer = exchange(xero, back["code"])
    assert answer.status_code == 200
    token = answer.json()
    assert (token["token_type"], token["expires_in"]) == ("Bearer", 1800)
    assert set(SCOPES.split()) <= set(token["scope"].split())
    assert token["id_token"].count(".") == 2
    xero.token = token
    assert xero.get("/Organisation")["Organisations"][0]["Name"] == "Banksia Constructions Pty Ltd"


@pytest.mark.parametrize("changes", [{"code_verifier": "w" * 64}, {"code_verifier": ""},
                                     {"redirect_uri": REDIRECT + "/"}])  # fmt: skip
def test_a_code_needs_its_verifier_and_address(xero: Any, changes: dict[str, str]) -> None:
    code = told(consent(xero))["code"]
    answer = exchange(xero, code, **changes)
    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_grant"})


def test_a_code_is_good_once_and_for_five_minutes(xero: Any) -> None:
    code = told(consent(xero))["code"]
    assert exchange(xero, code).status_code == 200
    assert exchange(xero, code).json() == {"error": "invalid_grant"}
    code = told(consent(xero))["code"]
    xero.clock(advance_seconds=301)
    assert exchange(xero, code).json() == {"error": "invalid_grant"}


def test_a_code_without_challenge_needs_the_secret(xero: Any) -> None:
    bare = {"code_challenge": "", "code_challenge_method": ""}
    assert exchange(xero, told(consent(xero, **bare))["code"]).status_code == 400
    assert exchange(xero, told(consent(xero, **bare))["code"], auth=BASIC).status_code == 200
    wrong = ("sim-xero-client", "guess")
    answer = exchange(xero, told(consent(xero, **bare))["code"], auth=wrong)
    assert answer.json() == {"error": "invalid_client"}


def test_consent_refused_or_wrongly_asked(xero: Any) -> None:
    assert told(consent(xero, decision="cancel")) == {"error": "access_denied", "state": "s-1"}
    assert told(consent(xero, scope="accounting.transactions"))["error"] == "invalid_scope"
    assert told(consent(xero, code_challenge_method="plain"))["error"] == "invalid_request"
    assert consent(xero, client_id="stranger").status_code == 400
    xero.switch(broad_scopes=True)
    assert "code" in told(consent(xero, scope="accounting.transactions"))


def test_scopes_only_ever_add_up(xero: Any) -> None:
    exchange(xero, told(consent(xero, scope="offline_access accounting.contacts"))["code"])
    token = exchange(xero, told(consent(xero))["code"]).json()
    assert {"accounting.contacts", "accounting.invoices"} <= set(token["scope"].split())


def test_refresh_rotates_and_the_old_one_has_thirty_minutes(xero: Any) -> None:
    first = xero.token["refresh_token"]
    second = refresh(xero, first).json()
    assert second["refresh_token"] != first
    xero.clock(advance_seconds=29 * 60)
    assert refresh(xero, first).status_code == 200  # the answer may have been lost
    xero.clock(advance_seconds=2 * 60)
    answer = refresh(xero, first)
    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_grant"})
    assert refresh(xero, second["refresh_token"]).status_code == 200


def test_access_lasts_thirty_minutes_and_refresh_sixty_days(xero: Any) -> None:
    xero.clock(advance_seconds=30 * 60)
    answer = xero.raw("GET", "/Organisation")
    assert answer.status_code == 401
    body = answer.json()
    assert (body["Title"], body["Status"]) == ("Unauthorized", 401)
    assert body["Detail"].startswith("TokenExpired")
    xero.clock(advance_seconds=60 * 86400 - 30 * 60 - 1)
    kept = refresh(xero, xero.token["refresh_token"])
    assert kept.status_code == 200
    xero.clock(advance_seconds=60 * 86400)
    assert refresh(xero, kept.json()["refresh_token"]).json() == {"error": "invalid_grant"}


def test_revocation_ends_everything_of_that_user(xero: Any) -> None:
    form = {"token": xero.token["refresh_token"]}
    assert xero.http.post("/connect/revocation", data=form, auth=BASIC).status_code == 200
    assert refresh(xero, form["token"]).json() == {"error": "invalid_grant"}
    assert xero.raw("GET", "/Organisation").status_code == 401


def test_custom_connections_need_no_tenant_and_get_no_refresh_token(xero: Any) -> None:
    auth = ("sim-xero-custom", "sim-xero-custom-secret")
    form = {"grant_type": "client_credentials", "scope": "accounting.settings.read"}
    token = xero.http.post("/connect/token", data=form, auth=auth).json()
    assert "refresh_token" not in token
    assert token["scope"] == "accounting.settings.read"
    xero.token = token
    xero.tenant, tenant = "", xero.tenant
    (org,) = xero.get("/Organisation")["Organisations"]
    assert org["OrganisationID"] == tenant
    assert xero.raw("GET", "/Invoices").status_code == 401  # no scope for it
    wrong = xero.http.post("/connect/token", data=form, auth=("sim-xero-custom", "guess"))
    assert wrong.json() == {"error": "invalid_client"}


def connections(xero: Any, **query: str) -> list[dict[str, Any]]:
    headers = {"authorization": f"Bearer {xero.token['access_token']}"}
    answer = xero.http.get("/connections", params=query, headers=headers)
    assert answer.status_code == 200
    return list(answer.json())


def test_tokens_and_connections_have_xeros_shapes(xero: Any) -> None:
    file = Path(__file__).parents[2] / "contract" / "specs" / "xero" / "xero-identity.yaml"
    schemas = YAML(typ="safe").load(file)["components"]["schemas"]
    for one in connections(xero):
        OAS30Validator(schemas["Connection"]).validate(one)
        assert set(one) <= set(schemas["Connection"]["properties"])
    token = exchange(xero, told(consent(xero))["code"]).json()
    OAS30Validator(schemas["AccessToken"]).validate(token)
    assert set(token) <= set(schemas["AccessToken"]["properties"]) | {"scope"}


def test_connections_are_a_bare_array_and_can_be_filtered_and_deleted(xero: Any) -> None:
    (one,) = connections(xero)
    assert set(one) == {
        "id", "authEventId", "tenantId", "tenantType", "tenantName", "createdDateUtc",
        "updatedDateUtc",
    }  # fmt: skip
    assert (one["tenantId"], one["tenantType"]) == (xero.tenant, "ORGANISATION")
    assert one["id"] != one["tenantId"]
    assert connections(xero, authEventId=one["authEventId"]) == [one]
    assert connections(xero, authEventId=one["id"]) == []
    headers = {"authorization": f"Bearer {xero.token['access_token']}"}
    for id_, status in ((one["tenantId"], 404), (one["id"], 204), (one["id"], 404)):
        assert xero.http.delete(f"/connections/{id_}", headers=headers).status_code == status
    assert xero.raw("GET", "/Organisation").status_code == 403


@pytest.mark.parametrize("status", [401, 403])
def test_no_token_no_tenant_and_a_strangers_tenant(xero: Any, some_id: str, status: int) -> None:
    xero.switch(missing_tenant_status=str(status))
    assert xero.raw("GET", "/Organisation", headers={"authorization": ""}).status_code == 401
    for tenant in ("", some_id):
        answer = xero.raw("GET", "/Organisation", headers={"xero-tenant-id": tenant})
        assert answer.status_code == status
        assert answer.json()["Detail"] == "AuthenticationUnsuccessful"


@pytest.mark.parametrize("status", [401, 403])
def test_a_missing_scope_is_told_in_the_header(xero: Any, status: int) -> None:
    xero.switch(missing_scope_status=str(status))
    xero.do("grant_scopes", scopes=["accounting.invoices.read"])
    assert xero.raw("GET", "/Invoices").status_code == 200
    for method, path in (("PUT", "/Invoices"), ("GET", "/Contacts"), ("GET", "/Accounts")):
        answer = xero.raw(method, path, body={} if method == "PUT" else None)
        assert answer.status_code == status
        assert "insufficent_scope" in answer.headers["www-authenticate"]


def test_answers_may_be_compressed(xero: Any) -> None:
    plain = xero.raw("GET", "/Accounts")
    assert "content-encoding" not in plain.headers
    xero.switch(gzip_answers=True)
    packed = xero.raw("GET", "/Accounts", headers={"accept-encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.json() == plain.json()
    assert '"Accounts"' in xero.http.get("/_sim/requests").json()[-1]["response_body"]
    unpacked = xero.raw("GET", "/Accounts", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in unpacked.headers


def test_an_id_token_lives_as_long_as_the_switch_says(xero: Any) -> None:
    xero.switch(id_token_seconds=60)
    told = xero.do("token", scopes=["openid"])["id_token"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(told + "=" * (-len(told) % 4)))
    assert claims["exp"] - claims["nbf"] == 60


def test_a_person_removes_the_app(xero: Any) -> None:
    assert xero.do("disconnect") == {"disconnected": 1}
    assert xero.raw("GET", "/Organisation").status_code == 403
    xero.sign_in()
    assert xero.do("revoke") == {"revoked": 1}
    assert xero.raw("GET", "/Organisation").status_code == 401


def test_json_has_to_be_asked_for(xero: Any) -> None:
    answer = xero.raw("GET", "/Organisation", headers={"accept": "*/*"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/xml")


def test_offline_is_plain_text(xero: Any) -> None:
    xero.switch(organisation_offline=True)
    answer = xero.raw("GET", "/Organisation")
    assert (answer.status_code, answer.text) == (503, "The Organisation is offline")
    assert answer.headers["content-type"].startswith("text/plain")


def test_a_body_over_the_limit_is_refused(xero: Any) -> None:
    xero.switch(max_body_bytes=1000)
    assert xero.raw("PUT", "/Invoices", body=xero.bill(*["1"] * 30)).status_code == 413


def left(answer: httpx2.Response) -> tuple[str, ...]:
    names = ("x-minlimit-remaining", "x-daylimit-remaining", "x-appminlimit-remaining")
    return tuple(answer.headers[name] for name in names)


def test_the_minute_limit_is_a_fixed_window(xero: Any) -> None:
    xero.clock(frozen=True)
    xero.switch(limit_minute=3)
    assert [left(xero.raw("GET", "/Users"))[0] for _ in range(3)] == ["2", "1", "0"]
    xero.clock(advance_seconds=20)
    answer = xero.raw("GET", "/Users")
    assert answer.status_code == 429
    assert answer.headers["x-rate-limit-problem"] == "minute"
    assert answer.headers["retry-after"] == "40"
    xero.clock(advance_seconds=40)
    assert xero.raw("GET", "/Users").status_code == 200


def test_the_day_limit_waits_for_hours(xero: Any) -> None:
    xero.clock(frozen=True)
    xero.switch(limit_day=2)
    assert [left(xero.raw("GET", "/Users"))[1] for _ in range(2)] == ["1", "0"]
    xero.clock(advance_seconds=5400)
    xero.sign_in()
    answer = xero.raw("GET", "/Users")
    assert (answer.status_code, answer.headers["x-rate-limit-problem"]) == (429, "day")
    assert answer.headers["retry-after"] == str(86400 - 5400)


@pytest.mark.parametrize("word", ["appminute", "app-minute"])
def test_the_apps_own_minute_says_no_wait(xero: Any, word: str) -> None:
    xero.switch(limit_app_minute=1, app_minute_word=word)
    assert left(xero.raw("GET", "/Users"))[2] == "0"
    answer = xero.raw("GET", "/Users")
    assert answer.headers["x-rate-limit-problem"] == word
    assert "retry-after" not in answer.headers


def test_limits_are_per_organisation_and_can_be_off(xero: Any) -> None:
    other = xero.do("new_organisation", country="NZ")["tenant_id"]
    xero.sign_in()
    xero.switch(limit_minute=1)
    assert xero.raw("GET", "/Users").status_code == 200
    assert xero.raw("GET", "/Users").status_code == 429
    assert xero.raw("GET", "/Users", headers={"xero-tenant-id": other}).status_code == 200
    xero.switch(limit_minute=0)
    assert xero.raw("GET", "/Users").status_code == 200


def test_five_calls_at_once_and_no_sixth(xero: Any) -> None:
    xero.switch(latency_ms=1500)
    statuses: list[tuple[int, str]] = []

    def call() -> None:
        with httpx2.Client(base_url=xero.url, trust_env=False, timeout=20) as http:
            answer = http.get(
                "/api.xro/2.0/Users",
                headers={
                    "authorization": f"Bearer {xero.token['access_token']}",
                    "xero-tenant-id": xero.tenant,
                },
            )
            problem = answer.headers.get("x-rate-limit-problem", "")
            statuses.append((answer.status_code, problem))

    threads = [threading.Thread(target=call) for _ in range(7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [(200, "")] * 5 + [(429, "concurrent")] * 2
    xero.switch(latency_ms=0)
    assert xero.raw("GET", "/Users").status_code == 200


def keyed(xero: Any, key: str, body: dict[str, Any]) -> Any:
    return xero.raw("PUT", "/Invoices", body=body, headers={"idempotency-key": key})


def count(xero: Any) -> int:
    return len(xero.get("/Invoices")["Invoices"])


def test_a_key_replays_its_first_answer_for_six_minutes(xero: Any) -> None:
    xero.clock(frozen=True)
    body = xero.bill("10")
    first = keyed(xero, "k1", body)
    xero.clock(advance_seconds=359)
    again = keyed(xero, "k1", body)
    assert (again.status_code, again.text) == (200, first.text)
    assert count(xero) == 1
    xero.clock(advance_seconds=1)
    assert keyed(xero, "k1", body).status_code == 200
    assert count(xero) == 2


def test_a_key_with_another_body_is_refused(xero: Any) -> None:
    body = xero.bill("10")
    keyed(xero, "k1", body)
    answer = keyed(xero, "k1", {**body, "InvoiceNumber": "other"})
    assert answer.status_code == 400
    assert answer.json()["Message"] == "Idempotency Key: k1 is used with a different request."
    assert keyed(xero, "k" * 129, body).status_code == 400
    assert keyed(xero, "k" * 128, body).status_code == 200


def test_errors_are_replayed_too(xero: Any) -> None:
    body = xero.bill("10", Status="AUTHORISED")
    body["LineItems"][0]["AccountCode"] = "5555"
    assert keyed(xero, "k1", body).status_code == 400
    xero.do("new_account", code="5555", name="Later", type="DIRECTCOSTS")
    assert keyed(xero, "k1", body).status_code == 400
    assert keyed(xero, "k2", body).status_code == 200
    xero.switch(idempotency_caches_errors=False)
    bad = {**body, "Contact": {}}
    assert keyed(xero, "k3", bad).status_code == 400
    assert keyed(xero, "k3", body).status_code == 200


@pytest.mark.parametrize(("scope", "made"), [("app", 1), ("access_token", 2)])
def test_what_a_key_belongs_to(xero: Any, scope: str, made: int) -> None:
    xero.switch(idempotency_scope=scope)
    body = xero.bill("10")
    keyed(xero, "k1", body)
    xero.token = refresh(xero, xero.token["refresh_token"]).json()
    assert keyed(xero, "k1", body).status_code == 200
    assert count(xero) == made


def test_a_replay_costs_a_call(xero: Any) -> None:
    body = xero.bill("10")
    xero.switch(limit_minute=10)
    before = int(left(keyed(xero, "k1", body))[0])
    assert int(left(keyed(xero, "k1", body))[0]) == before - 1


def test_a_lost_answer_has_still_done_its_work(xero: Any) -> None:
    body = xero.bill("10")
    fault = {"kind": "lost", "method": "PUT", "path": "/Invoices"}
    xero.http.post("/_sim/faults", content=json.dumps(fault))
    with pytest.raises(httpx2.HTTPError):
        xero.raw("PUT", "/Invoices", body=body)
    assert count(xero) == 1
