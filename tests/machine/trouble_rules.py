"""What breaks, and what goes on: looks, rests, faults, kills, pauses, restarts, time."""

from datetime import timedelta
from typing import Any

from django.db import connection
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from onecore.engine import crash
from tests.machine.stage import Stage

FAULTS: dict[str, dict[str, Any]] = {
    "drop": {"kind": "drop"},
    "lost": {"kind": "lost"},
    "truncated": {"kind": "truncated"},
    "slow": {"kind": "slow", "seconds": 0.05},
    "hang": {"kind": "hang", "seconds": 0.1},
    "hang_after": {"kind": "hang_after", "seconds": 0.1},
    "500": {"kind": "status", "status": 500},
    "502": {"kind": "status", "status": 502, "body": "<html>", "content_type": "text/html"},
    "503": {"kind": "status", "status": 503, "body": "offline", "content_type": "text/plain"},
    "429": {"kind": "status", "status": 429, "headers": {"Retry-After": "7"}},
    "401": {"kind": "status", "status": 401},
    "403": {"kind": "status", "status": 403},
    "404": {"kind": "status", "status": 404},
    "500 after": {"kind": "status_after", "status": 500},
    "502 after": {"kind": "status_after", "status": 502},
    "400 after": {"kind": "status_after", "status": 400, "body": "{}"},
}
XERO_PATHS = ("/Invoices", "/Contacts", "/Organisation", "/connect/token", "")
PROCORE_PATHS = ("requisitions", "/projects", "contracts", "/oauth/token", "/rest/")


class TroubleRules(Stage):
    """Acts of machines and of time."""

    @rule(turns=st.integers(1, 4))
    def look(self, turns: int) -> None:
        self.tell(f"OneCore looks, {turns} turns")
        self.world.look(turns)

    @precondition(lambda self: "come to rest" not in self.story[-1])
    @rule()
    def settle(self) -> None:
        self.rest()

    @rule(
        minutes=st.one_of(
            st.sampled_from([1, 5, 31, 61, 6 * 60 + 5, 21 * 60, 3 * 24 * 60]), st.integers(1, 90)
        )
    )
    def time_passes(self, minutes: int) -> None:
        self.world.pass_time(timedelta(minutes=minutes))
        self.tell(f"{minutes} minutes pass")

    @precondition(lambda self: "restarted" not in self.story[-1])
    @rule()
    def restart(self) -> None:
        self.world.restart()
        self.tell("OneCore is restarted")

    @rule(
        fault=st.sampled_from(sorted(FAULTS)),
        path=st.sampled_from(XERO_PATHS),
        method=st.sampled_from(["", "PUT", "POST", "GET"]),
        skip=st.integers(0, 3),
        times=st.sampled_from([1, 1, 2, 5]),
    )
    def xero_fails(self, fault: str, path: str, method: str, skip: int, times: int) -> None:
        self.world.xero.fault(
            path=path, method=method, skip=skip, times=times, **FAULTS[fault]
        )
        self.tell(f"Xero will fail: {fault} on {method or 'any'} {path}, {times}x after {skip}")

    @rule(
        fault=st.sampled_from(sorted(FAULTS)),
        path=st.sampled_from(PROCORE_PATHS),
        skip=st.integers(0, 3),
        times=st.sampled_from([1, 1, 2, 5]),
    )
    def procore_fails(self, fault: str, path: str, skip: int, times: int) -> None:
        self.world.procore.fault(path=path, skip=skip, times=times, **FAULTS[fault])
        self.tell(f"Procore will fail: {fault} on {path}, {times}x after {skip}")

    @rule(point=st.sampled_from(crash.POINTS), nth=st.integers(1, 2))
    def worker_killed(self, point: str, nth: int) -> None:
        worker = self.world.nursery.start(self.world.desk.workspace, f"{point}:{nth}")
        self.world.nursery.until(worker)
        died = "is killed" if worker.code == -9 else "ends well, not killed"
        self.tell(f"a worker {died} at {point}, time {nth}")
        assert worker.code in (0, -9), f"a worker failed with {worker.code}"
        self.take_note()

    @rule(point=st.sampled_from(crash.POINTS), outlives_lease=st.booleans(), turns=st.integers(1, 3))
    def worker_paused(self, point: str, outlives_lease: bool, turns: int) -> None:
        """A worker stands still in the middle while this process goes on; then it wakes up.

        With `outlives_lease` it slept for longer than its lease: the database is told that the
        lease ran out, rather than waiting a minute for it.
        """
        worker = self.world.nursery.start(self.world.desk.workspace, f"{point}:1:STOP")
        self.world.nursery.until(worker, stopped=True)
        self.tell(f"a worker {'pauses' if worker.stopped else 'ends, not paused'} at {point}")
        if worker.stopped and outlives_lease:
            with connection.cursor() as cursor:
                cursor.execute(
                    "UPDATE store_organisation SET until = clock_timestamp() - interval '1 second'"
                )
            self.world.pass_time(timedelta(seconds=61))
        self.world.look(turns)
        if worker.stopped:
            self.world.nursery.go_on(worker)
        self.world.nursery.until(worker)
        self.tell(f"and wakes up after {turns} turns of another")
        assert worker.code == 0, f"a worker failed with {worker.code}"
        self.take_note()

    @rule(count=st.integers(2, 3), turns=st.integers(1, 3))
    def several_workers(self, count: int, turns: int) -> None:
        workers = [self.world.nursery.start(self.world.desk.workspace) for _ in range(count)]
        self.world.look(turns)
        self.world.nursery.until(*workers)
        self.tell(f"{count} workers work at once, beside {turns} turns of another")
        assert {one.code for one in workers} == {0}, [one.code for one in workers]
        self.take_note()
