"""A running Xero simulator, and a client that checks every reply against Xero's own shapes."""

import json
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import httpx2
import pytest
import uvicorn
from openapi_core import Config, OpenAPI
from openapi_core.testing import MockRequest, MockResponse

from onecore_sim.kit.server import application
from onecore_sim.xero.simulator import XeroSimulator

SPECS = Path(__file__).parents[2] / "contract" / "specs" / "xero"
NOW = "2026-08-14T02:00:00+00:00"
API = "/api.xro/2.0"


class Remote:
    """The simulator by HTTP. Calls of the accounting API are checked against the subset."""

    def __init__(self, url: str, spec: OpenAPI) -> None:
        self.url = url
        self.http = httpx2.Client(base_url=url, trust_env=False, timeout=20)
        self._spec = spec
        self.tenant = ""
        self.token: dict[str, Any] = {}
        self.checked = 0

    def reset(self) -> None:
        self.http.post("/_sim/reset", json={"size": "tiny", "seed": 1, "now": NOW})
        self.sign_in()

    def sign_in(self, **asked: Any) -> dict[str, Any]:
        self.token = self.do("token", **asked)
        self.tenant = self.token["tenant_id"]
        return self.token

    def do(self, action: str, expect: int = 200, **asked: Any) -> Any:
        answer = self.http.post(f"/_sim/do/{action}", json=asked)
        assert answer.status_code == expect, answer.text
        return json.loads(answer.text, parse_float=Decimal)

    def switch(self, **values: Any) -> None:
        answer = self.http.patch("/_sim/switches", json=values)
        assert answer.status_code == 200, answer.text

    def clock(self, **asked: Any) -> None:
        assert self.http.post("/_sim/clock", json=asked).status_code == 200

    def raw(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
        content: bytes | None = None,
        **query: Any,
    ) -> httpx2.Response:
        told = {
            "authorization": f"Bearer {self.token['access_token']}",
            "xero-tenant-id": self.tenant,
            "accept": "application/json",
            **(headers or {}),
        }
        told = {key: value for key, value in told.items() if value}
        if body is not None:
            content = json.dumps(body, default=str).encode()
            told.setdefault("content-type", "application/json")
        params = {key: str(value) for key, value in query.items()}
        answer = self.http.request(method, API + path, params=params, content=content, headers=told)
        if answer.status_code in (200, 400) and "json" in answer.headers.get("content-type", ""):
            self._check(method, path, params, told, content, answer)
        return answer

    def _check(
        self,
        method: str,
        path: str,
        params: dict[str, str],
        headers: dict[str, str],
        content: bytes | None,
        answer: httpx2.Response,
    ) -> None:
        if method == "GET" and answer.status_code == 400:
            method, path = "PUT", "/Invoices"  # the only place where the subset has that shape
        request = MockRequest(
            "https://api.xero.com", method.lower(), API + path, args=params, headers=headers,
            data=content, content_type="application/json",
        )  # fmt: skip
        response = MockResponse(
            answer.content, status_code=answer.status_code, content_type="application/json"
        )
        self._spec.validate_response(request, response)
        self.checked += 1

    def call(self, method: str, path: str, status: int = 200, **rest: Any) -> Any:
        """The JSON of a reply, figures as Decimal; the status must be the one expected."""
        answer = self.raw(method, path, **rest)
        assert answer.status_code == status, f"{answer.status_code}: {answer.text}"
        return json.loads(answer.text, parse_float=Decimal) if answer.text else None

    def get(self, path: str, **rest: Any) -> Any:
        return self.call("GET", path, **rest)

    def contact(self, name: str = "Southern Steel") -> str:
        """The id of a contact, made when first named."""
        found = self.get("/Contacts", searchTerm=name)["Contacts"]
        if not found:
            found = [self.do("new_contact", name=name)]
        return str(found[0]["ContactID"])

    def bill(self, *amounts: str, **fields: Any) -> dict[str, Any]:
        """The body of a bill, one line for each amount."""
        return {
            "Type": "ACCPAY",
            "Contact": {"ContactID": fields.pop("contact_id", None) or self.contact()},
            "Date": "2026-08-10",
            "DueDate": "2026-09-20",
            "InvoiceNumber": "S-100",
            "Status": "AUTHORISED",
            "LineItems": [
                {"Description": f"Line {n}", "Quantity": 1, "UnitAmount": a, "AccountCode": "310"}
                for n, a in enumerate(amounts, start=1)
            ],
            **fields,
        }

    def sale(self, *amounts: str, **fields: Any) -> dict[str, Any]:
        body = self.bill(*amounts, **{"Type": "ACCREC", "InvoiceNumber": "P-1", **fields})
        for line in body["LineItems"]:
            line["AccountCode"] = "200"
        return body

    def put(self, body: dict[str, Any], **query: Any) -> dict[str, Any]:
        """The one invoice created; it must be accepted."""
        query = {"unitdp": 4, "summarizeErrors": "false", **query}
        (made,) = self.call("PUT", "/Invoices", body={"Invoices": [body]}, **query)["Invoices"]
        assert made["StatusAttributeString"] == "OK", made
        return dict(made)

    def put_errors(self, body: dict[str, Any], method: str = "PUT", **query: Any) -> list[str]:
        """Why an invoice is refused."""
        query = {"unitdp": 4, "summarizeErrors": "false", **query}
        (made,) = self.call(method, "/Invoices", body={"Invoices": [body]}, **query)["Invoices"]
        assert made["StatusAttributeString"] == "ERROR", made
        return [error["Message"] for error in made["ValidationErrors"]]

    def update(self, invoice_id: str, **fields: Any) -> dict[str, Any]:
        answer = self.call("POST", f"/Invoices/{invoice_id}", body=fields, unitdp=4)
        return dict(answer["Invoices"][0])

    def update_errors(self, invoice_id: str, **fields: Any) -> list[str]:
        answer = self.call("POST", f"/Invoices/{invoice_id}", status=400, body=fields)
        return [e["Message"] for e in answer["Elements"][0]["ValidationErrors"]]

    def invoice(self, invoice_id: str, **query: Any) -> dict[str, Any]:
        return dict(self.get(f"/Invoices/{invoice_id}", **query)["Invoices"][0])


@pytest.fixture(scope="session")
def spec() -> OpenAPI:
    raw = json.loads((SPECS / "accounting-subset.openapi.json").read_text())
    return OpenAPI.from_dict(raw, config=Config(spec_validator_cls=None))


@pytest.fixture(scope="session")
def running() -> Iterator[tuple[str, XeroSimulator]]:
    sim = XeroSimulator()
    sim.seed("tiny", 1)
    config = uvicorn.Config(application(sim), port=0, log_level="warning", lifespan="on")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}", sim
    server.should_exit = True
    thread.join(timeout=10)


@pytest.fixture
def xero(running: tuple[str, XeroSimulator], spec: OpenAPI) -> Iterator[Remote]:
    """The simulator afresh: the tiny builder, Friday 14 August 2026, noon in Sydney."""
    remote = Remote(running[0], spec)
    remote.reset()
    yield remote
    remote.http.close()


@pytest.fixture
def some_id() -> str:
    return str(uuid5(NAMESPACE_URL, "nobody"))
