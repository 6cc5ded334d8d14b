"""Both simulators as processes of their own, steered over HTTP."""

import json
import subprocess
import sys
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any

import httpx2


class Simulator:
    """One simulator: its address, its test actions, its faults, its log."""

    def __init__(self, name: str, size: str = "tiny") -> None:
        self.name = name
        self._process = subprocess.Popen(
            [sys.executable, "-m", "onecore_sim", name, "--port", "0", "--size", size,
             "--until-eof"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        assert self._process.stdout is not None
        self.url: str = json.loads(self._process.stdout.readline())["url"]
        self._http = httpx2.Client(base_url=self.url, timeout=60, trust_env=False)

    @classmethod
    def at(cls, name: str, url: str) -> "Simulator":
        """One that another process runs."""
        self = cls.__new__(cls)
        self.name, self.url = name, url
        self._http = httpx2.Client(base_url=url, timeout=60, trust_env=False)
        return self

    @property
    def pid(self) -> int:
        return self._process.pid

    def stop(self) -> None:
        self._http.close()
        self._process.terminate()
        self._process.wait(20)
        assert self._process.stdout is not None
        assert self._process.stdin is not None
        self._process.stdout.close()
        self._process.stdin.close()

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        answer = self._http.post(path, json=body)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    def do(self, action: str, **said: Any) -> Any:
        """A person's act over there; the simulator's own answer."""
        return self._post(f"/_sim/do/{action}", said)

    def reset(self, size: str = "tiny", seed: int = 1) -> None:
        self._post("/_sim/reset", {"size": size, "seed": seed})

    def fault(self, kind: str, path: str = "", method: str = "", **more: Any) -> None:
        self._post("/_sim/faults", {"kind": kind, "path": path, "method": method, **more})

    def named_fault(self, name: str, endpoint: str | None = None, **more: Any) -> None:
        """Lay a fault of the catalogue, on an endpoint by its name."""
        where = {} if endpoint is None else {"endpoint": endpoint}
        self._post("/_sim/faults", {"name": name, **where, **more})

    def faults(self) -> list[dict[str, Any]]:
        """The faults in force, with how often each was met (`hits`)."""
        laid: list[dict[str, Any]] = self._http.get("/_sim/faults").json()
        return laid

    def fault_catalogue(self) -> dict[str, Any]:
        listing: dict[str, Any] = self._http.get("/_sim/faults/catalogue").json()
        return listing

    def no_faults(self) -> None:
        self._http.request("DELETE", "/_sim/faults")

    def switch(self, **values: Any) -> None:
        answer = self._http.patch("/_sim/switches", json=values)
        assert answer.status_code == 200, answer.text

    def switches(self) -> dict[str, Any]:
        """How every switch stands."""
        values: dict[str, Any] = self._http.get("/_sim/switches").json()
        return values

    def set_clock(self, now: datetime) -> None:
        self._post("/_sim/clock", {"now": now.isoformat()})

    def freeze(self, frozen: bool) -> None:
        self._post("/_sim/clock", {"frozen": frozen})

    def advance(self, by: timedelta) -> None:
        self._post("/_sim/clock", {"advance_seconds": by.total_seconds()})

    def forget_requests(self) -> None:
        self._http.request("DELETE", "/_sim/requests")

    def requests(self, path: str = "", after: int = 0) -> list[dict[str, Any]]:
        """What was asked of the API since the log was cleared, whose path contains `path`;
        `after` leaves out what is numbered up to it."""
        told = self._http.get("/_sim/requests", params={"after": after})
        rows: list[dict[str, Any]] = told.json()
        return [row for row in rows if path in row["path"]]

    def put_state(self, state: Any) -> None:
        answer = self._http.put("/_sim/state", json=state)
        assert answer.status_code == 200, answer.text

    def state(self) -> Any:
        return self._http.get("/_sim/state").json()


class Simulators:
    """Procore and Xero, for the length of a `with` block."""

    def __init__(self, size: str = "tiny") -> None:
        self.procore = Simulator("procore", size)
        self.xero = Simulator("xero", size)

    def __enter__(self) -> "Simulators":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.procore.stop()
        self.xero.stop()

    def reset(self, size: str = "tiny", seed: int = 1) -> None:
        self.procore.reset(size, seed)
        self.xero.reset(size, seed)
