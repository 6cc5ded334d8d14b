"""What breaks, and what goes on: looks, rests, faults, kills, pauses, restarts, time."""

from datetime import timedelta
from typing import Any

from django.db import connection
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.machine.procore_rules import ProcoreRules, which
from tests.machine.workers import Stroke
from tests.simulators import Simulator

EVERYWHERE = (
    "error_500", "error_502", "error_after_commit", "slow", "truncated", "timeout_before_commit",
    "timeout_after_commit", "connection_closed", "reply_lost", "unavailable", "token_expired",
)  # fmt: skip
XERO_WRITES = ("invoices.put", "invoices.post")
XERO_READS = ("invoices.get", "contacts.get", "organisation.get", "accounts.get", "token", "any")
XERO_FAULTS = [
    *[(name, at) for name in EVERYWHERE for at in (*XERO_WRITES, *XERO_READS)],
    *[
        (name, at)
        for name in ("part_refused", "batch_refused", "limit_minute", "limit_concurrent")
        for at in XERO_WRITES
    ],
    ("limit_day", "any"),
    ("limit_app_minute", "any"),
    ("organisation_offline", "any"),
    ("maintenance", "any"),
    ("scope_missing", "invoices.put"),
    ("client_refused", "token"),
    ("grant_refused", "token"),
    ("refresh_reply_lost", "token"),
    ("grant_revoked", "any"),
]
PROCORE_READS = (
    "requisitions.get", "projects.get", "tools.get", "work_order_contracts.get", "cost_codes.get",
    "token", "any",
)  # fmt: skip
PROCORE_FAULTS = [
    *[(name, at) for name in EVERYWHERE for at in PROCORE_READS],
    ("limit_hour", "any"),
    ("limit_spike", "any"),
    ("too_large", "requisitions.get"),
    ("client_refused", "token"),
    ("refresh_reply_lost", "token"),
    ("connection_removed", "any"),
]
SHORT = {"slow": 0.05, "timeout_before_commit": 0.1, "timeout_after_commit": 0.1}
"""Seconds of real time a fault takes: enough to be met, as waiting proves no more."""
SAYS = ("account", "period_lock", "new", "frozen", "not_found")
FAULTS = [("Xero", *one) for one in XERO_FAULTS] + [("Procore", *one) for one in PROCORE_FAULTS]

STIRS = ("claim", "amount", "number", "approve", "reopen")
"""What people do meanwhile, so that there is work to be struck in."""
_stir = st.tuples(st.sampled_from(STIRS), which)
stirs = st.lists(_stir, max_size=3)
work_to_do = st.lists(_stir, min_size=1, max_size=3)
strokes = st.one_of(
    st.builds(
        Stroke,
        words=st.sampled_from(
            [
                "bills.create", "bills.update", "bills.remove", "bills.changed", "intent", "send",
                "outcome", "placed", "index", "feed.read", "doubt", "token|grant", "lease",
            ]
        ),
        nth=st.integers(1, 2),
    ),
    st.builds(Stroke, nth=st.integers(1, 50)),
)  # fmt: skip


class TroubleRules(ProcoreRules):
    """Acts of machines and of time."""

    def stir(self, acts: list[tuple[str, int]]) -> None:
        """People go on working; what is not possible just now is left."""
        for what, at in acts:
            if what == "claim":
                self.new_claim(at, ["1234.50", "100.00"], True, at, supplier=True)
            elif what == "approve" and self._newest(at, posts=False):
                self.approve(at)
            elif what == "reopen" and self._newest(at, posts=True):
                self.reopen(at, "under_review")
            elif what == "number" and self._newest(at):
                self.change_head(at, f"S{len(self.story)}", at)
            elif what == "amount" and self._newest(at, posts=True):
                self.change_amount(at, at, f"{500 + len(self.story)}.25", "work")

    # --- time -----------------------------------------------------------------------------------

    @rule(acts=stirs, turns=st.integers(1, 4))
    def look(self, acts: list[tuple[str, int]], turns: int) -> None:
        self.stir(acts)
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
    @rule(acts=stirs)
    def restart(self, acts: list[tuple[str, int]]) -> None:
        self.stir(acts)
        self.world.look(1)
        self.world.restart()
        self.tell("OneCore is restarted")

    # --- the remotes ----------------------------------------------------------------------------

    @rule(
        fault=st.sampled_from(FAULTS),
        skip=st.integers(0, 3),
        times=st.sampled_from([1, 1, 2, 5]),
        say=st.sampled_from(SAYS),
        acts=stirs,
        turns=st.integers(0, 3),
    )
    def remote_fails(
        self,
        fault: tuple[str, str, str],
        skip: int,
        times: int,
        say: str,
        acts: list[tuple[str, int]],
        turns: int,
    ) -> None:
        """A fault is laid, people go on working, and OneCore may look."""
        side, name, endpoint = fault
        remote: Simulator = self.world.xero if side == "Xero" else self.world.procore
        more: dict[str, Any] = {"skip": skip, "times": times}
        if name in SHORT:
            more["seconds"] = SHORT[name]
        if name == "part_refused":
            more |= {"say": say, "elements": [0]}
        self.history.ever_refused |= name in ("part_refused", "batch_refused")
        remote.named_fault(name, endpoint, **more)
        self.tell(f"{side} will fail: {name} at {endpoint}, {times}x after {skip}")
        self.stir(acts)
        if turns:
            self.world.look(turns)
            self.tell(f"OneCore looks, {turns} turns")

    # --- the processes --------------------------------------------------------------------------

    @rule(
        acts=work_to_do,
        blows=st.lists(strokes, min_size=1, max_size=3),
        apart=st.sampled_from([0, 7, 50]),
    )
    def workers_killed(self, acts: list[tuple[str, int]], blows: list[Stroke], apart: int) -> None:
        """One worker after another dies, the next some seconds after the last."""
        self.stir(acts)
        for stroke in blows:
            worker = self.world.nursery.start(self.world.desk.workspace, stroke)
            worker.ends()
            self.tell(f"a worker {worker.fate}")
            self.take_note()
            self.world.pass_time(timedelta(seconds=apart))

    @rule(
        acts=work_to_do,
        stroke=strokes,
        outlives_lease=st.booleans(),
        meanwhile=stirs,
        turns=st.integers(1, 3),
    )
    def worker_paused(
        self,
        acts: list[tuple[str, int]],
        stroke: Stroke,
        outlives_lease: bool,
        meanwhile: list[tuple[str, int]],
        turns: int,
    ) -> None:
        """A worker stands still in the middle while this process goes on; then it wakes up.

        With `outlives_lease` it slept for longer than its lease: the database is told that the
        lease ran out, rather than waiting a minute for it.
        """
        self.stir(acts)
        pausing = Stroke(stroke.words, stroke.nth, pauses=True)
        worker = self.world.nursery.start(self.world.desk.workspace, pausing)
        stands = worker.stands_still()
        self.tell(f"a worker {worker.fate}")
        self.stir(meanwhile)
        if stands and outlives_lease and self._may_outlive(worker.fate):
            with connection.cursor() as cursor:
                cursor.execute(
                    "UPDATE store_organisation SET until = clock_timestamp() - interval '1 second'"
                )
            self.world.pass_time(timedelta(seconds=61))
            self.tell("its lease runs out")
        self.world.look(turns)
        if stands:
            worker.go_on()
        worker.ends()
        self.tell(f"it wakes up after {turns} turns of another")
        self.take_note()

    @staticmethod
    def _may_outlive(fate: str) -> bool:
        """A sleep between the last look at the lease and the write itself is cut by the write's
        own time limit, and pretending that the lease ran out meanwhile would be another story."""
        return not fate.endswith(".before")

    @rule(acts=work_to_do, count=st.integers(2, 3), meanwhile=stirs, turns=st.integers(1, 3))
    def several_workers(
        self,
        acts: list[tuple[str, int]],
        count: int,
        meanwhile: list[tuple[str, int]],
        turns: int,
    ) -> None:
        self.stir(acts)
        workers = [self.world.nursery.start(self.world.desk.workspace) for _ in range(count)]
        self.tell(f"{count} workers begin at once")
        self.stir(meanwhile)
        self.world.look(turns)
        for worker in workers:
            worker.ends()
        self.tell(f"they have worked beside {turns} turns of another")
        self.take_note()
