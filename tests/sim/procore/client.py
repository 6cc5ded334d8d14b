"""A client that checks every good reply against the schema, and what a person does meanwhile."""

import json
from typing import Any

import httpx2
from tests.sim.procore.schema import check

from onecore_sim.procore.state import CLIENT_ID, CLIENT_SECRET


class Procore:
    """A client with a service account's token."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx2.Client(base_url=url, trust_env=False, timeout=20)
        self.token: str = self.grant()["access_token"]
        projects = self.http.get("/_sim/state").json()
        self.company = str(projects["company_id"])
        self.project = int(next(iter(projects["projects"])))

    def grant(self, **said: str) -> Any:
        body = {
            "grant_type": "client_credentials",
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
        }
        return self.http.post("/oauth/token", json=body | said).json()

    def raw(
        self, method: str, path: str, json: Any = None, headers: dict[str, str] | None = None
    ) -> httpx2.Response:
        """A call as it is, with the usual headers unless others are given."""
        usual = {"Authorization": f"Bearer {self.token}", "Procore-Company-Id": self.company}
        return self.http.request(method, path, json=json, headers=usual | (headers or {}))

    def call(self, method: str, path: str, json: Any = None, status: int | None = None) -> Any:
        """The body of a reply that succeeded and fits the schema."""
        answer = self.raw(method, path, json)
        wanted = (status,) if status else (200, 201, 204)
        assert answer.status_code in wanted, f"{answer.status_code} {answer.text[:400]}"
        body = answer.json() if answer.content else None
        if answer.is_success:
            check(method, path.split("?", maxsplit=1)[0], answer.status_code, body)
        return body

    def get(self, path: str) -> Any:
        return self.call("GET", path)

    def do(self, action: str, **said: Any) -> Any:
        """What a person does in Procore, on the project unless another is named."""
        answer = self.http.post(f"/_sim/do/{action}", json={"project_id": self.project} | said)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def switch(self, **values: Any) -> None:
        answer = self.http.patch("/_sim/switches", json=values)
        assert answer.status_code == 200, answer.text

    def advance(self, seconds: float) -> None:
        self.http.post("/_sim/clock", json={"advance_seconds": seconds})

    def vendor(self) -> int:
        state = json.loads(self.http.get("/_sim/state").content)
        return int(next(iter(state["vendors"])))

    def commitment(self, *amounts: str, **said: Any) -> tuple[int, list[int]]:
        """A new commitment with lines of those amounts: its id and its lines' ids."""
        lines = [{"amount": amount, "description": f"Part {n}"} for n, amount in enumerate(amounts)]
        made = self.do(
            "new_commitment",
            **{"vendor_id": self.vendor(), "retainage_percent": "10", "lines": lines} | said,
        )
        return made["id"], made["line_ids"]

    def claim(self, commitment: int, lines: list[dict[str, Any]], **said: Any) -> int:
        made = self.do("new_claim", commitment_id=commitment, lines=lines, **said)
        return int(made["id"])

    def requisition(self, claim: int, view: str = "extended") -> Any:
        return self.get(f"/rest/v1.1/requisitions/{claim}?project_id={self.project}&view={view}")

    def detail(self, claim: int) -> Any:
        return self.get(f"/rest/v1.0/requisitions/{claim}/detail?project_id={self.project}")
