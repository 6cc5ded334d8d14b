"""Procore's named faults as an app meets them."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from tests.sim.procore.client import Procore

PROJECTS = "/rest/v1.1/projects?company_id={0}"


@pytest.fixture(autouse=True)
def _clear(procore: Procore) -> Iterator[None]:
    yield
    procore.http.request("DELETE", "/_sim/faults")


def lay(procore: Procore, name: str, endpoint: str | None = None, **more: Any) -> None:
    where = {"endpoint": endpoint} if endpoint else {}
    answer = procore.http.post("/_sim/faults", json={"name": name, **where, **more})
    assert answer.status_code == 200, answer.text


def projects(procore: Procore) -> httpx2.Response:
    return procore.raw("GET", PROJECTS.format(procore.company))


@pytest.mark.parametrize(("name", "limit", "wait"), [("limit_hour", "3600", 1800),
                                                     ("limit_spike", "25", 7)])  # fmt: skip
@pytest.mark.parametrize("told", [True, False])
def test_a_limit_tells_its_reset(
    procore: Procore, name: str, limit: str, wait: int, told: bool
) -> None:
    now = procore.http.get("/_sim/clock").json()["now"]
    lay(procore, name, "projects.get", told=told)
    answer = projects(procore)
    assert answer.status_code == 429
    assert answer.headers["x-rate-limit-limit"] == limit
    assert answer.headers.get("retry-after") == (str(wait) if told else None)
    reset = int(answer.headers["x-rate-limit-reset"])
    assert wait <= reset - instant(now) <= wait + 10
    assert projects(procore).status_code == 200


def instant(text: str) -> int:
    from datetime import datetime

    return int(datetime.fromisoformat(text).timestamp())


def test_only_the_named_endpoint_is_hit(procore: Procore) -> None:
    lay(procore, "unavailable", "vendors_inactive.get", told=False)
    ok = f"/rest/v1.0/vendors?company_id={procore.company}"
    assert procore.raw("GET", ok).status_code == 200
    answer = procore.raw("GET", f"/rest/v1.0/companies/{procore.company}/vendors/inactive")
    assert answer.status_code == 503
    assert "retry-after" not in answer.headers


def test_a_token_ends_and_a_new_one_works(procore: Procore) -> None:
    lay(procore, "token_expired", "projects.get")
    assert [projects(procore).status_code for _ in range(2)] == [401, 401]
    procore.token = procore.grant()["access_token"]
    assert projects(procore).status_code == 200


@pytest.mark.parametrize("name", ["token_expired", "grant_revoked"])
def test_only_a_revoked_grant_takes_its_refresh_token_along(procore: Procore, name: str) -> None:
    procore.switch(oauth_auto_approve=True)
    asked = {
        "client_id": "sim-procore-client",
        "redirect_uri": "http://localhost/back",
        "response_type": "code",
    }
    back = procore.http.get("/oauth/authorize", params=asked, follow_redirects=False)
    code = back.headers["location"].split("code=")[1]
    pair = procore.grant(
        grant_type="authorization_code", code=code, redirect_uri=asked["redirect_uri"]
    )
    lay(procore, name, "projects.get")
    assert projects(procore).status_code == 401
    renewed = procore.grant(grant_type="refresh_token", refresh_token=pair["refresh_token"])
    assert ("access_token" in renewed) == (name == "token_expired")


def test_an_app_is_taken_out(procore: Procore) -> None:
    lay(procore, "connection_removed", "projects.get")
    answer = projects(procore)
    assert answer.status_code == 403
    assert "not connected" in answer.text
    procore.switch(app_connected=True)
    assert projects(procore).status_code == 200


def test_wrong_client(procore: Procore) -> None:
    lay(procore, "client_refused")
    assert procore.grant() == {"error": "invalid_client"}
    assert "access_token" in procore.grant()
