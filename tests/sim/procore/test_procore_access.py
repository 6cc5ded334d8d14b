"""Tokens, the company header, permitted projects, tools, limits, paging, shapes of errors."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from tests.sim.procore.client import Procore

from onecore_sim.procore.state import CLIENT_ID, CLIENT_SECRET
from onecore_sim.procore.switches import SWITCHES

HERE = "http://localhost:5000/back"
CLIENT = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}


def form(procore: Procore, path: str, **said: str) -> httpx2.Response:
    return procore.http.post(path, data=said)


def code(procore: Procore, **said: str) -> dict[str, list[str]]:
    asked = {"response_type": "code", "client_id": CLIENT_ID, "redirect_uri": HERE, "state": "s1"}
    page = procore.http.get("/oauth/authorize", params=asked | said)
    assert page.status_code == 200
    assert ">Allow</button>" in page.text
    back = form(procore, "/oauth/authorize", **asked | said, decision="allow")
    assert back.status_code == 302
    return parse_qs(urlsplit(back.headers["location"]).query)


def signed_in(procore: Procore) -> Any:
    return form(
        procore, "/oauth/token", grant_type="authorization_code",
        code=code(procore)["code"][0], redirect_uri=HERE, **CLIENT,
    ).json()  # fmt: skip


def me(procore: Procore, token: str, company: str | None = None) -> httpx2.Response:
    headers = {"Authorization": f"Bearer {token}"}
    if company:
        headers["Procore-Company-Id"] = company
    return procore.http.get("/rest/v1.0/me", headers=headers)


def test_a_service_account_gets_a_token_for_ninety_minutes(procore: Procore) -> None:
    said = procore.grant()
    assert said["token_type"] == "bearer"
    assert said["expires_in"] == 5400
    assert "refresh_token" not in said
    assert me(procore, said["access_token"], procore.company).json()["login"] == "onecore@sim.test"
    procore.advance(5395)
    assert me(procore, said["access_token"], procore.company).status_code == 200
    procore.advance(10)
    expired = me(procore, said["access_token"], procore.company)
    assert expired.status_code == 401
    assert "www-authenticate" in expired.headers


def test_a_wrong_secret_is_refused(procore: Procore) -> None:
    said = CLIENT | {"client_secret": "wrong"}
    answer = form(procore, "/oauth/token", grant_type="client_credentials", **said)
    assert answer.status_code == 401
    assert answer.json()["error"] == "invalid_client"
    other = form(procore, "/oauth/token", grant_type="password", **CLIENT)
    assert (other.status_code, other.json()["error"]) == (400, "unsupported_grant_type")


def test_a_code_works_once_for_ten_minutes_and_its_own_uri(procore: Procore) -> None:
    given = code(procore)
    assert given["state"] == ["s1"]
    said = CLIENT | {"grant_type": "authorization_code", "code": given["code"][0]}
    ok = form(procore, "/oauth/token", **said, redirect_uri=HERE)
    assert ok.status_code == 200
    assert ok.json()["refresh_token"]
    again = form(procore, "/oauth/token", **said, redirect_uri=HERE)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    other = CLIENT | {"grant_type": "authorization_code", "code": code(procore)["code"][0]}
    assert form(procore, "/oauth/token", **other, redirect_uri=HERE + "/").status_code == 400
    late = CLIENT | {"grant_type": "authorization_code", "code": code(procore)["code"][0]}
    procore.advance(601)
    assert form(procore, "/oauth/token", **late, redirect_uri=HERE).status_code == 400


def test_the_authorize_page_refuses_what_is_wrong(procore: Procore) -> None:
    good = {"response_type": "code", "client_id": CLIENT_ID, "redirect_uri": HERE}
    for wrong in (
        {"client_id": "other"}, {"response_type": "token"},
        {"redirect_uri": "http://example.com/back"},
    ):  # fmt: skip
        assert procore.http.get("/oauth/authorize", params=good | wrong).status_code == 401
    denied = form(procore, "/oauth/authorize", **good, decision="deny")
    assert "error=access_denied" in denied.headers["location"]
    procore.switch(oauth_auto_approve=True)
    assert procore.http.get("/oauth/authorize", params=good).status_code == 302


def test_a_refresh_token_works_once(procore: Procore) -> None:
    first = signed_in(procore)
    said = CLIENT | {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    second = form(procore, "/oauth/token", **said).json()
    assert me(procore, second["access_token"]).json()["name"] == "Robin Hale"
    assert me(procore, first["access_token"]).status_code == 401
    again = form(procore, "/oauth/token", **said)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")


def test_a_lost_reply_to_a_refresh_loses_the_grant(procore: Procore) -> None:
    first = signed_in(procore)
    said = CLIENT | {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    procore.http.post("/_sim/faults", json={"kind": "lost", "path": "/oauth/token"})
    with pytest.raises(httpx2.TransportError):
        form(procore, "/oauth/token", **said)
    assert form(procore, "/oauth/token", **said).status_code == 400
    assert me(procore, first["access_token"]).status_code == 401


def test_revoke_and_info(procore: Procore) -> None:
    token = procore.grant()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    said = procore.http.get("/oauth/token/info", headers=headers).json()
    assert said["application"] == {"uid": CLIENT_ID}
    assert 5390 <= said["expires_in_seconds"] <= 5400
    assert form(procore, "/oauth/revoke", token="unknown", **CLIENT).status_code == 200
    assert form(procore, "/oauth/revoke", token=token, **CLIENT).status_code == 200
    assert procore.http.get("/oauth/token/info", headers=headers).status_code == 401
    assert me(procore, token, procore.company).status_code == 401


def test_the_company_header(procore: Procore) -> None:
    missing = me(procore, procore.token)
    assert missing.status_code == 400
    assert "Procore-Company-Id" in missing.text
    wrong = me(procore, procore.token, "12")
    assert wrong.status_code == 403
    assert wrong.json() == {"message": "App is not connected to this company"}
    in_path = procore.raw("GET", "/rest/v1.0/companies/12/projects")
    assert in_path.status_code == 403
    person = signed_in(procore)["access_token"]
    assert me(procore, person).status_code == 200
    headers = {"Authorization": f"Bearer {person}"}
    assert procore.http.get("/rest/v1.0/companies", headers=headers).status_code == 200
    elsewhere = procore.http.get("/rest/v1.0/company_base_url", headers=headers)
    assert elsewhere.status_code == 400
    procore.switch(missing_company_header_status=403)
    assert me(procore, procore.token).status_code == 403


def test_the_app_can_be_removed_from_the_company(procore: Procore) -> None:
    procore.do("revoke_app")
    assert me(procore, procore.token, procore.company).status_code == 403
    procore.do("revoke_app", connected=True)
    assert me(procore, procore.token, procore.company).status_code == 200


def test_the_web_base_url_is_the_simulators_own(procore: Procore) -> None:
    said = procore.get("/rest/v1.0/company_base_url")
    assert said["web_base_url"] == procore.url
    commitment, (line,) = procore.commitment("10.00")
    claim = procore.claim(commitment, [{"line_id": line, "work": "1"}])
    page = f"{said['web_base_url']}/{procore.project}/project/contracts/requisitions/{claim}"
    assert "Claim No. 1" in httpx2.get(page, trust_env=False).text


def test_a_project_that_is_not_permitted_is_not_there(procore: Procore) -> None:
    projects = f"/rest/v1.1/projects?company_id={procore.company}"
    one = f"/rest/v1.0/projects/{procore.project}?company_id={procore.company}"
    claims = f"/rest/v1.1/requisitions?project_id={procore.project}"
    assert len(procore.get(projects)) == 1
    procore.do("set_project", permitted=False)
    assert procore.get(projects) == []
    assert procore.get(f"/rest/v1.0/companies/{procore.company}/projects") == []
    assert procore.raw("GET", one).status_code == 404
    assert procore.raw("GET", claims).status_code == 404
    procore.switch(hidden_project_status=403)
    assert procore.raw("GET", claims).status_code == 403
    procore.token = signed_in(procore)["access_token"]
    assert len(procore.get(projects)) == 1
    made = procore.do("new_project", name="Later")
    procore.token = procore.grant()["access_token"]
    assert made["id"] not in [p["id"] for p in procore.get(projects)]


def test_a_tool_that_is_off_answers_403(procore: Procore) -> None:
    claims = f"/rest/v1.1/requisitions?project_id={procore.project}"
    tools = f"/rest/v1.0/projects/{procore.project}/tools"
    procore.do("set_project", tools={"commitments": False})
    refused = procore.raw("GET", claims)
    assert refused.status_code == 403
    assert "commitments" in refused.text
    listed = {t["engine_name"]: t["is_active"] for t in procore.get(tools)}
    assert listed["commitments"] is False
    assert listed["directory"] is True
    active = procore.get(f"{tools}?filters[is_active]=true")
    assert "commitments" not in [t["engine_name"] for t in active]
    procore.do("set_project", tools={"commitments": True})
    assert procore.get(claims) == []


def test_the_hourly_limit(procore: Procore) -> None:
    procore.do("reset_limits")
    procore.switch(rate_hour=3)
    left = [procore.raw("GET", "/rest/v1.0/me").headers["x-rate-limit-remaining"] for _ in "abc"]
    assert left == ["2", "1", "0"]
    refused = procore.raw("GET", "/rest/v1.0/me")
    assert refused.status_code == 429
    assert refused.headers["x-rate-limit-limit"] == "3"
    assert refused.headers["x-rate-limit-remaining"] == "0"
    assert 3500 < int(refused.headers["retry-after"]) <= 3600
    procore.switch(retry_after=False)
    refused = procore.raw("GET", "/rest/v1.0/me")
    assert "retry-after" not in refused.headers
    now = procore.http.get("/_sim/clock").json()["now"]
    assert int(refused.headers["x-rate-limit-reset"]) > 0
    assert now
    procore.advance(3600)
    assert procore.raw("GET", "/rest/v1.0/me").status_code == 200
    procore.switch(rate_hour=0)
    assert "x-rate-limit-limit" not in procore.raw("GET", "/rest/v1.0/me").headers


def test_the_spike_limit_is_told_when_it_is_nearer(procore: Procore) -> None:
    procore.do("reset_limits")
    procore.switch(rate_spike=2)
    answers = [procore.raw("GET", "/rest/v1.0/me") for _ in range(3)]
    assert [a.status_code for a in answers] == [200, 200, 429]
    assert answers[1].headers["x-rate-limit-limit"] == "2"
    assert 1 <= int(answers[2].headers["retry-after"]) <= 10
    procore.advance(10)
    assert procore.raw("GET", "/rest/v1.0/me").status_code == 200


def test_pages_of_a_v1_list(procore: Procore) -> None:
    made = procore.do("bulk_claims", count=7)["ids"]
    seen, url = [], f"/rest/v1.1/requisitions?project_id={procore.project}&per_page=3"
    while url:
        answer = procore.raw("GET", url)
        assert (answer.headers["total"], answer.headers["per-page"]) == ("7", "3")
        seen += [r["id"] for r in answer.json()]
        rels = {part.split('rel="')[1][:-1]: part.split(">")[0].strip(" <")
                for part in answer.headers.get("link", "").split(", ") if part}  # fmt: skip
        url = rels.get("next", "")
    assert seen == made
    assert set(rels) == {"first", "prev"}
    beyond = procore.raw("GET", f"/rest/v1.1/requisitions?project_id={procore.project}&page=9")
    assert beyond.json() == []
    default = procore.raw("GET", f"/rest/v1.1/requisitions?project_id={procore.project}")
    assert default.headers["per-page"] == "30"


def test_pages_of_a_v2_list(procore: Procore) -> None:
    hooks = f"/rest/v2.0/companies/{procore.company}/webhooks/hooks"
    said = {"payload_version": "v4.0", "namespace": "onecore", "destination_url": "https://x.test/"}
    for _ in range(12):
        procore.call("POST", hooks, said, 201)
    assert len(procore.get(hooks)["data"]) == 10
    assert len(procore.get(f"{hooks}?page=2")["data"]) == 2
    assert procore.raw("GET", f"{hooks}?per_page=500").headers["per-page"] == "100"
    first = procore.get(hooks)["data"][0]
    assert isinstance(first["id"], str)
    assert first["company_id"] == procore.company


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ("text", {"errors": "App is not connected to this company"}),
        ("fields", {"errors": {"base": ["App is not connected to this company"]}}),
        ("message", {"message": "App is not connected to this company"}),
        (
            "object",
            {"error": {"code": "FORBIDDEN", "message": "App is not connected to this company",
                       "details": []}},
        ),
        (
            "coded",
            {"code": 403, "message": "App is not connected to this company", "fields": {},
             "reason": "forbidden"},
        ),
    ],
)  # fmt: skip
def test_errors_come_in_several_shapes(procore: Procore, shape: str, expected: Any) -> None:
    procore.switch(error_shape=shape)
    assert me(procore, procore.token, "1").json() == expected


def test_natural_shapes(procore: Procore) -> None:
    v2 = procore.raw("GET", f"/rest/v2.0/companies/{procore.company}/webhooks/hooks/0")
    assert v2.status_code == 404
    assert v2.json()["error"]["code"] == "NOT_FOUND"
    missing = procore.raw("GET", "/rest/v1.1/requisitions")
    assert missing.status_code == 400
    assert missing.json()["message"].endswith("project_id")
    broken = procore.http.post(
        "/rest/v1.1/requisitions",
        content=b"{",
        headers={
            "Authorization": f"Bearer {procore.token}",
            "Procore-Company-Id": procore.company,
        },
    )
    assert broken.status_code == 400
    procore.switch(unknown_filter="refuse")
    refused = procore.raw("GET", f"/rest/v1.0/vendors?company_id={procore.company}&filters[x]=1")
    assert refused.status_code == 406


def test_vendors(procore: Procore) -> None:
    vendors = f"/rest/v1.0/vendors?company_id={procore.company}"
    procore.http.post("/_sim/clock", json={"now": "2027-01-01T00:00:00+00:00"})
    procore.token = procore.grant()["access_token"]
    asked = {"company_id": int(procore.company)}
    body = {**asked, "vendor": {"name": "New Steel Pty Ltd", "email_address": "a@b.test"}}
    made = procore.call("POST", "/rest/v1.0/vendors", body, 201)
    assert made["business_register"] is None
    since = "filters[updated_at]=2027-01-01T00:00:00Z...2027-01-02T00:00:00Z"
    assert [v["id"] for v in procore.get(f"{vendors}&{since}")] == [made["id"]]
    register = f"/rest/v1.0/vendors/{made['id']}/business_register?company_id={procore.company}"
    entry = {"business_register": {"type": "abn", "identifier": "51 824 753 556"}}
    assert procore.call("POST", register, entry, 201)["identifier"] == "51824753556"
    assert procore.raw("POST", register, entry).status_code == 409
    bad = {"business_register": {"type": "abn", "identifier": "12"}}
    assert procore.raw("PATCH", register, bad).status_code == 422
    assert [v["id"] for v in procore.get(f"{vendors}&filters[search]=51824753")] == [made["id"]]
    assert procore.get(f"{vendors}&view=compact&filters[search]=new steel")[0] == {
        "id": made["id"],
        "name": "New Steel Pty Ltd",
    }
    one = f"/rest/v1.0/vendors/{made['id']}"
    procore.call("PATCH", one, {**asked, "vendor": {"name": "New Steel", "is_active": False}})
    assert made["id"] not in [v["id"] for v in procore.get(vendors)]
    inactive = f"/rest/v1.0/companies/{procore.company}/vendors/inactive"
    assert [v["name"] for v in procore.get(inactive)] == ["New Steel"]
    procore.call("PATCH", f"{inactive}/{made['id']}", {})
    assert procore.get(inactive) == []


def test_merged_vendors_leave_no_id_behind(procore: Procore) -> None:
    kept, gone = procore.vendor(), procore.do("new_vendor", name="Twice Pty Ltd")["id"]
    commitment, _ = procore.commitment("10.00", vendor_id=gone)
    procore.do("merge_vendors", keep=kept, gone=gone)
    one = f"/rest/v1.0/vendors/{gone}?company_id={procore.company}"
    assert procore.raw("GET", one).status_code == 404
    contract = f"/rest/v1.0/work_order_contracts/{commitment}?project_id={procore.project}"
    assert procore.get(contract)["vendor"]["id"] == kept


def test_a_merged_vendor_may_stay_on_as_an_inactive_one(procore: Procore) -> None:
    procore.switch(merged_vendors="inactive")
    kept, gone = procore.vendor(), procore.do("new_vendor", name="Twice Pty Ltd")["id"]
    procore.do("merge_vendors", keep=kept, gone=gone)
    listed = procore.get(f"/rest/v1.0/companies/{procore.company}/vendors/inactive")
    assert gone in [row["id"] for row in listed]
    active = procore.get(f"/rest/v1.0/vendors?company_id={procore.company}")
    assert gone not in [row["id"] for row in active]


def test_codes_of_a_project_are_its_own(procore: Procore) -> None:
    other = procore.do("new_project", name="Second", permitted=True)["id"]
    codes = [procore.get(f"/rest/v1.0/cost_codes?project_id={p}") for p in (procore.project, other)]
    assert not {c["id"] for c in codes[0]} & {c["id"] for c in codes[1]}
    assert [c["standard_cost_code_id"] for c in codes[0]] == [
        c["standard_cost_code_id"] for c in codes[1]
    ]
    path = f"/rest/v1.0/projects/{other}/work_breakdown_structure/wbs_codes"
    wbs = procore.get(path)
    assert len({w["id"] for w in wbs}) == len(wbs)
    wanted = wbs[-1]
    made = procore.do(
        "new_commitment", project_id=other, vendor_id=procore.vendor(),
        lines=[{"amount": "5", "wbs_code_id": wanted["id"]}],
    )  # fmt: skip
    claim = procore.do(
        "new_claim", project_id=other, commitment_id=made["id"],
        lines=[{"line_id": made["line_ids"][0], "work": "1"}],
    )["id"]  # fmt: skip
    shown = procore.get(f"/rest/v1.1/requisitions/{claim}?project_id={other}&view=items")
    assert shown["items"][0]["wbs_code"]["id"] == wanted["id"]
    assert shown["items"][0]["wbs_code"]["flat_code"] == wanted["flat_code"]
    segment_items = shown["items"][0]["wbs_code"]["segment_items"]
    assert {s["segment"]["type"] for s in segment_items} == {"cost_code", "line_item_type"}


def test_commitments_filter_and_change(procore: Procore) -> None:
    asked = f"/rest/v1.0/work_order_contracts?project_id={procore.project}"
    made, _ = procore.commitment("100.00", status="Draft")
    assert [c["id"] for c in procore.get(f"{asked}&filters[status]=Draft")] == [made]
    procore.http.post("/_sim/clock", json={"now": "2027-02-01T00:00:00+00:00"})
    procore.token = procore.grant()["access_token"]
    body = {"project_id": procore.project, "work_order_contract": {"status": "Approved"}}
    changed = procore.call("PATCH", f"/rest/v1.0/work_order_contracts/{made}", body)
    assert changed["status"] == "Approved"
    since = "filters[updated_at]=2027-02-01...2027-02-02"
    assert [c["id"] for c in procore.get(f"{asked}&{since}")] == [made]
    wrong = {"project_id": procore.project, "work_order_contract": {"status": "approved"}}
    path = f"/rest/v1.0/work_order_contracts/{made}"
    assert procore.raw("PATCH", path, wrong).status_code == 422
    as_order = f"/rest/v1.0/purchase_order_contracts/{made}?project_id={procore.project}"
    assert procore.raw("GET", as_order).status_code == 404


def test_contract_payments(procore: Procore) -> None:
    commitment, (line,) = procore.commitment("1000.00")
    claim = procore.claim(commitment, [{"line_id": line, "work": "100"}])
    ids = {"project_id": procore.project, "contract_id": commitment}
    said = {"requisition_id": claim, "date": "2026-11-30", "amount": "90.00", "payment_number": 1,
            "origin_id": "xero-1"}  # fmt: skip
    path = "/rest/v1.0/contract_payments"
    made = procore.call("POST", path, {**ids, "contract_payment": said}, 201)
    assert (made["amount"], made["requisition_id"], made["date"]) == ("90.00", claim, "2026-11-30")
    asked = f"project_id={procore.project}&contract_id={commitment}"
    assert [p["id"] for p in procore.get(f"{path}?{asked}")] == [made["id"]]
    again = procore.raw("POST", path, {**ids, "contract_payment": said})
    assert again.status_code == 422
    one = f"{path}/{made['id']}?{asked}"
    assert procore.raw("DELETE", one).status_code == 422
    shown = procore.get(f"/rest/v1.0/work_order_contracts/{commitment}?{asked}")
    assert shown["total_payments"] == "90.00"
    assert shown["percentage_paid"] == "9.00"
    procore.switch(origin_id_locks=False)
    procore.call("DELETE", one, status=200)
    assert procore.get(f"{path}?{asked}") == []


def test_money_can_be_written_short(procore: Procore) -> None:
    commitment, _ = procore.commitment("1000.00")
    path = f"/rest/v1.0/work_order_contracts/{commitment}?project_id={procore.project}"
    assert procore.get(path)["grand_total"] == "1000.00"
    procore.switch(money_format="short")
    assert procore.get(path)["grand_total"] == "1000.0"


def test_state_survives_being_written_and_read(procore: Procore) -> None:
    commitment, (line,) = procore.commitment("1000.00", max_retainage="30.00")
    claim = procore.claim(commitment, [{"line_id": line, "work": "100.01", "comment": "ü"}])
    before = procore.requisition(claim)
    state = procore.http.get("/_sim/state").content
    procore.do("delete_claim", id=claim)
    procore.http.put("/_sim/state", content=state)
    assert procore.requisition(claim) == before
    assert procore.http.get("/_sim/state").content == state


def test_a_sync_answers_200_whatever_became_of_its_rows(procore: Procore) -> None:
    known = procore.vendor()
    before = len(procore.get(f"/rest/v1.0/vendors?company_id={procore.company}"))
    updates = [
        {"name": "Synced Pty Ltd", "origin_id": "x-1",
         "business_register_attributes": {"type": "abn", "identifier": "51824753556"}},
        {"origin_id": "x-1", "city": "Perth"},
        {"id": known, "origin_id": "x-1"},
        {"id": 1, "name": "Nobody"},
        {"city": "Nameless"},
    ]  # fmt: skip
    body = {"company_id": int(procore.company), "updates": updates}
    said = procore.call("PATCH", "/rest/v1.0/vendors/sync", body, 200)
    assert [(e["name"], e["city"]) for e in said["entities"]] == [
        ("Synced Pty Ltd", None),
        ("Synced Pty Ltd", "Perth"),
    ]
    assert len({e["id"] for e in said["entities"]}) == 1
    assert [set(e["errors"]) for e in said["errors"]] == [{"origin_id"}, {"id"}, {"base"}]
    after = procore.get(f"/rest/v1.0/vendors?company_id={procore.company}")
    assert len(after) == before + 1


def test_the_order_of_lists_is_not_promised(procore: Procore) -> None:
    asked = f"/rest/v1.1/requisitions?project_id={procore.project}"
    made = procore.do("bulk_claims", count=5)["ids"]
    procore.advance(60)
    line = procore.requisition(made[1])["items"][0]["line_item_id"]
    procore.do("edit_claim", id=made[1], lines=[{"line_id": line, "work": "7"}])
    assert [r["id"] for r in procore.get(asked)] == made
    procore.switch(list_order="newest_change_first")
    assert procore.get(asked)[0]["id"] == made[1]
    procore.switch(list_order="oldest_change_first")
    assert procore.get(asked)[-1]["id"] == made[1]
    procore.switch(list_order="scrambled")
    scrambled = [r["id"] for r in procore.get(asked)]
    assert scrambled != made
    assert sorted(scrambled) == made


def test_every_switch_says_what_it_is_about(procore: Procore) -> None:
    page = procore.http.get("/switches").text
    for switch in SWITCHES:
        assert len(switch.about) > 20
        assert f"<code>{switch.name}</code>" in page
    for name, given, became in (
        ("retry_after", "off", False), ("rate_hour", "600", 600), ("tax_base", "net", "net"),
    ):  # fmt: skip
        answer = procore.http.post("/switches", data={"name": name, "value": given})
        assert answer.status_code == 303
        assert procore.http.get("/_sim/switches").json()[name] == became
    wrong = procore.http.post("/switches", data={"name": "tax_base", "value": "gros"})
    assert wrong.status_code == 400
