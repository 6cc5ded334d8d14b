"""How long does a delivery wait for its answer, and what does a flood of them leave behind?

`.venv/bin/python -m bench.doorbells [--deliveries 2000] [--at-once 50] [--out FILE]`

A real `onecore serve` with its own database takes floods over HTTP: genuine deliveries of Xero
about one bill and about as many bills as deliveries, genuine ones of Procore, and forged ones of
both; a page is asked for meanwhile. Exit 1 when one was not answered as it should be, or when
more rows are left than there are things that can ring.
"""

import argparse
import asyncio
import base64
import hashlib
import hmac
import json
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import psycopg
from tests.harness import Installation
from tests.serving import free_port
from tests.simulators import Simulators

KEY = "the bench's own webhook key"
Made = Callable[[int], tuple[str, bytes, dict[str, str]]]


class Bench:
    """One installation that serves."""

    def __init__(self, simulators: Simulators) -> None:
        self.url = f"http://localhost:{(port := free_port())}"
        self.installation = Installation(
            simulators,
            XERO_WEBHOOK_KEY=KEY,
            BASE_URL=self.url,
            BIND=f"127.0.0.1:{port}",
        )
        self.installation.run("migrate").ok()
        self.installation.connect(simulators)
        self.tenant = (
            self.installation.run("workspace", "show", "Main", "--json")
            .ok()
            .json["connections"][-1]["id"]
        )
        self._serving: subprocess.Popen[bytes] | None = None

    def serve(self) -> None:
        self._serving = subprocess.Popen(
            self.installation.command("serve"),
            env=self.installation.environ,
            cwd=self.installation.home,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                if httpx2.get(f"{self.url}/health", trust_env=False).status_code == 200:
                    return
            except httpx2.HTTPError:
                pass
            time.sleep(0.2)
        raise SystemExit("it does not serve")

    def stop(self) -> None:
        if self._serving is not None:
            self._serving.terminate()
            self._serving.wait(90)
        self.installation.close()

    def query(self, sql: str) -> Any:
        with psycopg.connect(self.installation.server.ensure(), autocommit=True) as connection:
            row = connection.execute(sql).fetchone()  # type: ignore[arg-type]
        return row[0] if row else None

    # --- deliveries -------------------------------------------------------------------------

    def about_one(self, _: int) -> tuple[str, bytes, dict[str, str]]:
        return self._signed("00000000-0000-4000-8000-000000000001", KEY)

    def about_many(self, _: int) -> tuple[str, bytes, dict[str, str]]:
        return self._signed(str(uuid4()), KEY)

    def forged(self, _: int) -> tuple[str, bytes, dict[str, str]]:
        return self._signed(str(uuid4()), "a guess")

    def _signed(self, bill: str, key: str) -> tuple[str, bytes, dict[str, str]]:
        event = {
            "tenantId": self.tenant,
            "tenantType": "ORGANISATION",
            "resourceId": bill,
            "eventCategory": "INVOICE",
            "eventType": "UPDATE",
        }
        body = json.dumps({"events": [event], "entropy": str(uuid4())}).encode()
        digest = hmac.new(key.encode(), body, hashlib.sha256).digest()
        return "/webhooks/xero", body, {"x-xero-signature": base64.b64encode(digest).decode()}

    def forged_for_procore(self, at: int) -> tuple[str, bytes, dict[str, str]]:
        return f"/webhooks/procore/{at:024x}", b"{}", {"authorization": "Bearer a guess"}


async def flood(
    bench: Bench, made: Made, count: int, at_once: int, status: int
) -> dict[str, float | int]:
    """Milliseconds to the answers, as the sender sees them."""
    took: list[float] = []
    answers: Counter[int] = Counter()
    todo = iter([made(at) for at in range(count)])
    limits = httpx2.Limits(max_connections=at_once, max_keepalive_connections=at_once)
    async with httpx2.AsyncClient(trust_env=False, timeout=30, limits=limits) as http:

        async def sender() -> None:
            for path, body, headers in todo:
                began = time.perf_counter()
                answer = await http.post(bench.url + path, content=body, headers=headers)
                took.append((time.perf_counter() - began) * 1000)
                answers[answer.status_code] += 1
                assert answer.content == b""

        began = time.perf_counter()
        pages = asyncio.create_task(page_times(bench))
        await asyncio.gather(*(sender() for _ in range(at_once)))
        seconds = time.perf_counter() - began
        pages.cancel()
    if answers != {status: count}:
        raise SystemExit(f"answered {dict(answers)}, not {status}")
    percents = statistics.quantiles(took, n=100)
    return {
        "deliveries": count,
        "a second": round(count / seconds),
        "p50 ms": round(percents[49], 1),
        "p99 ms": round(percents[98], 1),
        "longest ms": round(max(took), 1),
    }


async def page_times(bench: Bench) -> None:
    """Somebody who keeps asking for a page while the flood lasts."""
    async with httpx2.AsyncClient(trust_env=False, timeout=30) as http:
        while True:
            await http.get(f"{bench.url}/health")
            await asyncio.sleep(0.1)


def run(deliveries: int, at_once: int) -> dict[str, Any]:
    """The figures of all floods, and what they left."""
    with Simulators() as simulators:
        bench = Bench(simulators)
        try:
            bench.serve()
            found: dict[str, Any] = {}
            for name, made, status in (
                ("one at a time", bench.about_one, 200),
                ("about one bill", bench.about_one, 200),
                ("about many bills", bench.about_many, 200),
                ("forged, Xero", bench.forged, 401),
                ("forged, Procore", bench.forged_for_procore, 401),
            ):
                alone = name == "one at a time"
                count, senders = (200, 1) if alone else (deliveries, at_once)
                before = written(bench)
                found[name] = asyncio.run(flood(bench, made, count, senders, status))
                found[name]["rows written"] = written(bench) - before
            found["rows left"] = bench.query("SELECT count(*) FROM store_bell")
            sweeps = [x for x in simulators.xero.requests("/Invoices") if x["method"] == "GET"]
            found["sweeps asked of Xero"] = len(sweeps)
            return found
        finally:
            bench.stop()


def written(bench: Bench) -> int:
    """Rows the intake has written so far: inserts and updates of bells."""
    time.sleep(1.5)  # the server's own count is some time behind
    bench.query("SELECT pg_stat_force_next_flush()")
    told = bench.query(
        "SELECT n_tup_ins + n_tup_upd FROM pg_stat_user_tables WHERE relname = 'store_bell'"
    )
    return int(told or 0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deliveries", type=int, default=2000)
    parser.add_argument("--at-once", type=int, default=50)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    figures = run(asked.deliveries, asked.at_once)
    for name, value in figures.items():
        told = value if isinstance(value, int) else ", ".join(f"{k} {v}" for k, v in value.items())
        print(f"{name:22} {told}")
    if asked.out:
        asked.out.write_text(json.dumps(figures, indent=2) + "\n")
    return 0 if figures["rows left"] <= 2 else 1


if __name__ == "__main__":
    sys.exit(main())
