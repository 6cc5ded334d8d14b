"""The simulators as programs behind a URL, and what our clients need beside them."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import httpx2

from onecore.domain.ids import CompanyId, OrganisationId
from onecore.http import oauth
from onecore.http.transport import open_client
from onecore.ports import Lane, Remote, Throttled, Token
from onecore.procore.client import ProcoreClient
from onecore.xero.client import XeroClient

T = TypeVar("T")
PROCORE_APP = ("sim-procore-client", "sim-procore-secret")


class RealClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass
class Calls:
    """A call log that remembers; `refuse` makes `before` raise."""

    lanes: list[Lane] = field(default_factory=list)
    told: list[tuple[str, int, dict[str, int]]] = field(default_factory=list)
    scopes: set[str] = field(default_factory=set)
    refuse: Exception | None = None

    async def before(self, remote: Remote, scope: str, lane: Lane) -> int:
        if self.refuse:
            raise self.refuse
        self.lanes.append(lane)
        self.scopes.add(scope)
        return len(self.lanes)

    async def after(
        self,
        call: int,
        remote: Remote,
        scope: str,
        lane: Lane,
        operation: str,
        status: int,
        limits: Mapping[str, int],
        refused: Throttled | None,
    ) -> None:
        self.told.append((operation, status, dict(limits)))


class SimTokens:
    """Tokens minted as they are asked for; `renewals` counts."""

    def __init__(self, mint: Callable[[], str]) -> None:
        self._mint = mint
        self._token: Token | None = None
        self.renewals = 0

    async def current(self) -> Token:
        return self._token or await self._new(1)

    async def renew(self, stale: Token) -> Token:
        self.renewals += 1
        return await self._new(stale.version + 1)

    async def _new(self, version: int) -> Token:
        value = await asyncio.to_thread(self._mint)
        self._token = Token(value, datetime.now(UTC) + timedelta(minutes=30), version)
        return self._token


class Simulator:
    """One running simulator and its control paths."""

    def __init__(self, name: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "onecore_sim", name, "--port", "0", "--size", "tiny"],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"the {name} simulator did not start"
        self.url: str = json.loads(line)["url"]
        self.control = httpx2.Client(base_url=self.url, trust_env=False, timeout=30)

    def close(self) -> None:
        self.control.close()
        self._process.terminate()
        self._process.wait(20)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def reset(self) -> None:
        self.post("/_sim/reset", {"size": "tiny"})

    def post(self, path: str, body: object) -> Any:
        answer = self.control.post(path, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def do(self, action: str, **said: object) -> Any:
        return self.post(f"/_sim/do/{action}", said)

    def switch(self, **values: object) -> None:
        answer = self.control.patch("/_sim/switches", json=values)
        assert answer.status_code == 200, answer.text

    def fault(self, kind: str, path: str = "", method: str = "", **more: object) -> None:
        self.post("/_sim/faults", {"kind": kind, "path": path, "method": method, **more})

    def state(self) -> Any:
        return self.control.get("/_sim/state").json()

    def requests(self) -> list[dict[str, Any]]:
        """The API's exchanges, oldest first; the simulators' own pages are not recorded here."""
        found: list[dict[str, Any]] = self.control.get("/_sim/requests").json()
        return found

    def forget(self) -> None:
        self.control.delete("/_sim/requests")


class ProcoreSide:
    """A Procore simulator as it was seeded, and our client of it."""

    def __init__(self, sim: Simulator) -> None:
        self.sim = sim
        self.calls = Calls()
        self.tokens = SimTokens(self._mint)
        state = sim.state()
        self.company = CompanyId(int(state["company_id"]))

    def _mint(self) -> str:
        return asyncio.run(self.token_set()).access

    async def token_set(self, secret: str = PROCORE_APP[1]) -> oauth.TokenSet:
        app = oauth.OAuthApp(Remote.PROCORE, self.sim.url, PROCORE_APP[0], secret)
        async with open_client(self.sim.url) as http:
            return await oauth.by_client_credentials(http, app, RealClock())

    @asynccontextmanager
    async def client(self, company: CompanyId | None = None) -> AsyncIterator[ProcoreClient]:
        async with open_client(self.sim.url) as http:
            yield ProcoreClient(
                self.sim.url, company or self.company, self.tokens, self.calls, http, RealClock()
            )

    def run(self, use: Callable[[ProcoreClient], Awaitable[T]]) -> T:
        """What `use` gives with a client of its own event loop."""

        async def main() -> T:
            async with self.client() as client:
                return await use(client)

        return asyncio.run(main())


class XeroSide:
    """A Xero simulator as it was seeded, and our client of its first organisation."""

    def __init__(self, sim: Simulator) -> None:
        self.sim = sim
        self.calls = Calls()
        self.tokens = SimTokens(self._mint)
        self.tenant: str = sim.do("token")["tenant_id"]
        self.asked = 0

    def _mint(self) -> str:
        return str(self.sim.do("token")["access_token"])

    async def _before_write(self) -> None:
        self.asked += 1

    @property
    def writes(self) -> int:
        """Writes that left: each is asked for before connecting and before its first byte."""
        assert self.asked % 2 == 0
        return self.asked // 2

    @asynccontextmanager
    async def client(self, named: bool = True) -> AsyncIterator[XeroClient]:
        async with open_client(self.sim.url) as http:
            yield XeroClient(
                self.sim.url,
                OrganisationId(UUID(self.tenant)) if named else None,
                self.tokens,
                self.calls,
                http,
                RealClock(),
                self._before_write,
            )

    def run(self, use: Callable[[XeroClient], Awaitable[T]]) -> T:
        async def main() -> T:
            async with self.client() as client:
                return await use(client)

        return asyncio.run(main())

    def do(self, action: str, **said: object) -> Any:
        return self.sim.do(action, tenant_id=self.tenant, **said)
