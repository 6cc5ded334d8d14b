"""From a hint to its bill while OneCore is idle, by a running `onecore serve`.

Each claim is approved on its own while nothing else is due, then made known by a person's click
in the web app (which says the hint and rings), or left for the feed to find. The time runs from
there until Xero has carried out the bill, by the clock of this machine on both sides.
Requisitions have no webhook, so there is no third way.
"""

import random
import re
import sys
import time
from datetime import datetime

import httpx2
from tests.serving import free_port

from bench.frame import PROJECT, WORKSPACE, Part, Row, Stage, alone, percentile

TIMES, QUICK = 120, 12
BY_FEED, BY_FEED_QUICK = 25, 4
SLOW = 0.05
EMAIL, PASSWORD = "owner@example.com", "a long enough password"


def measure(quick: bool) -> Part:
    times = QUICK if quick else TIMES
    near, far = by_click(times, 0.0), by_click(times, SLOW)
    found = by_feed(BY_FEED_QUICK if quick else BY_FEED)
    late = f"a click, answers {1000 * SLOW:.0f} ms late"
    part = Part(
        "latency: hint to bill, idle",
        [
            *rows_of("a click", near, 1000, 2000),
            *rows_of(late, far, 1000, 2000),
            *rows_of("found by the feed", found, None, None),
        ],
    )
    part.details = {"click": near, late: far, "feed": found}
    part.notes.append(
        "Of a click: a page's answer, a job's wake-up, and one turn of few calls. Of the feed: its "
        "pace while claims are under review, and the second in which a change falls is waited for."
    )
    return part


def rows_of(name: str, ms: list[float], p50: float | None, p99: float | None) -> list[Row]:
    note = f"{len(ms)} claims, longest {max(ms):.0f}"
    return [
        Row(f"{name}: p50", round(percentile(ms, 0.5), 1), "ms", most=p50, note=note),
        Row(f"{name}: p99", round(percentile(ms, 0.99), 1), "ms", most=p99),
    ]


def by_click(times: int, slow: float) -> list[float]:
    """Milliseconds from the click to the bill, of so many claims one after another."""
    port = free_port()
    with Stage(slow=slow, POLL_SECONDS="900", **_addresses(port)) as stage:
        stage.set_up()
        _owner(stage)
        stage.start("serve")
        web = Web(port)
        web.enter()
        took: list[float] = []
        for n in range(times + 1):
            (claim,) = stage.approve(1)
            stage.xero.forget_requests()
            time.sleep(random.uniform(0.2, 1.2))  # anywhere between two rounds of the worker
            clicked = time.time()
            web.look_at(f"requisition:{PROJECT}/{claim}")
            took.append(1000 * (_made_at(stage, clicked) - clicked))
            stage.wait_until_in_step(n + 1)
        return took[1:]  # the first one reads every list


def by_feed(times: int) -> list[float]:
    """Milliseconds from approval to bill without anybody saying so."""
    with Stage(POLL_SECONDS="", **_addresses(free_port())) as stage:
        stage.set_up()
        waiting = stage.approve(times + 1, status="under_review")
        stage.start("serve")
        stage.wait_for(
            lambda: stage.rows("SELECT count(*) FROM store_feed WHERE read_at IS NOT NULL")[0][0],
            "the feed was read",
        )
        took: list[float] = []
        for n, claim in enumerate(waiting):
            stage.xero.forget_requests()
            time.sleep(random.uniform(0.5, 3))
            approved = time.time()
            stage.procore.do("approve_claim", project_id=PROJECT, id=claim)
            took.append(1000 * (_made_at(stage, approved) - approved))
            stage.wait_until_in_step(n + 1)
        return took[1:]


def _addresses(port: int) -> dict[str, str]:
    return {"BIND": f"127.0.0.1:{port}", "BASE_URL": f"http://127.0.0.1:{port}"}


def _owner(stage: Stage) -> None:
    add = ("user", "add", EMAIL, "--role", "owner", "--password-stdin")
    stage.installation.run(*add, stdin=f"{PASSWORD}\n").ok()


def _made_at(stage: Stage, since: float) -> float:
    """When Xero carried out the write that comes next."""
    while time.time() - since < 120:
        for row in stage.xero.requests("/Invoices"):
            if row["method"] == "PUT":
                return datetime.fromisoformat(row["at"]).timestamp()
        time.sleep(0.02)
    raise RuntimeError("no bill within two minutes")


class Web:
    """A person's browser, as far as signing in and a click need one."""

    def __init__(self, port: int) -> None:
        base = f"http://127.0.0.1:{port}"
        self._http = httpx2.Client(
            base_url=base, trust_env=False, timeout=60, headers={"Origin": base}
        )
        self.home = ""

    def enter(self) -> None:
        deadline = time.monotonic() + 60
        while True:
            try:
                self._http.get("/health")
                break
            except httpx2.HTTPError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
        self._http.get("/accounts/login/")
        answer = self._post("/accounts/login/", login=EMAIL, password=PASSWORD)
        assert answer.status_code == 302, f"sign-in: {answer.status_code}"
        page = self.get("/")
        found = re.search(r"/w/\d+/", f"{page.url} {page.text}")
        assert found is not None, f"the home page of {WORKSPACE} was not reached"
        self.home = found[0]

    def get(self, path: str) -> httpx2.Response:
        return self._http.get(path, follow_redirects=True)

    def look_at(self, ref: str) -> None:
        """The button that has a document looked at now."""
        answer = self._post(f"{self.home}documents/{ref}/sync")
        assert answer.status_code == 302, f"click: {answer.status_code} {answer.text[:300]}"

    def _post(self, path: str, **said: str) -> httpx2.Response:
        token = self._http.cookies.get("csrftoken") or ""
        return self._http.post(path, data={"csrfmiddlewaretoken": token, **said})


if __name__ == "__main__":
    sys.exit(alone(measure, __doc__))
