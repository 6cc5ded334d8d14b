"""The processes of OneCore in a run: started, killed at points and anywhere, paused, resumed."""

import contextlib
import json
import random
import signal
import socket
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.fork_server import Forked, ForkServer
from tests.harness import Installation

from bench.chaos.office import COMMANDS
from bench.chaos.process import PLACE

ANYWHERE = "anywhere"
LEASE = 60.0
"""Seconds a lease lives without being renewed."""
GROWN = 1.0
"""Seconds a process is let be: killing who only starts shows nothing."""


@dataclass(slots=True)
class Life:
    """One process from its start to its end, and what was done to it."""

    name: str  # also what the database knows it by
    process: Forked
    started_at: float
    is_accounted: bool = False  # its end is in the figures
    paused_at: float | None = None
    resume_at: float = 0.0
    pauses: list[tuple[float, float]] = field(default_factory=list)

    @property
    def is_here(self) -> bool:
        return not self.process.has_ended()

    @property
    def ended_at(self) -> float | None:
        return self.process.ended_at

    @property
    def place(self) -> str:
        """The point it ended or stopped at by itself."""
        lines = [x for x in self.process.out.splitlines() if x.startswith(PLACE)]
        return lines[-1].removeprefix(PLACE) if lines else ANYWHERE

    def is_stopped(self) -> bool:
        """Whether the kernel has it stopped just now."""
        try:
            stat = Path(f"/proc/{self.process.pid}/stat").read_text("ascii")
        except OSError:
            return False
        return stat.rpartition(")")[2].split()[0] in "Tt"


class Crew:
    """A fixed number of slots, each with a process in it: the first is `serve`, the rest `worker`.

    `ahead` is by how much their clocks run ahead; it holds for those started from then on.
    `deep_sleep` lets some be paused for longer than their lease lives.
    """

    def __init__(
        self, installation: Installation, slots: int, rng: random.Random, deep_sleep: bool
    ) -> None:
        self.ahead = 0.0
        self.lives: list[Life] = []
        self.killed: Counter[str] = Counter()
        self.paused: Counter[str] = Counter()
        self.ended: Counter[str] = Counter()  # by themselves, by exit code
        self.stopped_politely = 0
        self.woken_late = 0  # resumed after their lease had run out
        self._rng = rng
        self._deep_sleep = deep_sleep
        self._slots: list[Life | None] = [None] * slots
        self._commands: list[Forked] = []
        port = _free_port()
        self.url = f"http://127.0.0.1:{port}"
        installation.server.ensure()  # so that it is no child of a process to be killed
        environ = {"ONECORE_BASE_URL": self.url, "ONECORE_BIND": f"127.0.0.1:{port}"}
        self._nursery = ForkServer(installation.environ | environ, "bench.chaos.process")

    def run(self, *args: object) -> str:
        """Standard output of `onecore ARGS`, or of one of the office's own commands; raises unless
        it ends with 0, or 1 for a person."""
        made = self._fork(f"command-{len(self._commands) + 1}", {}, *args)
        self._commands.append(made)
        code = made.wait(120)
        if code not in (0, 1) or (code and args[0] in COMMANDS):
            raise AssertionError(f"onecore {args}: exit {code}\n{made.out}\n{made.err}")
        return made.out

    def _fork(self, name: str, doom: dict[str, object], *args: object) -> Forked:
        told = {"name": name, "ahead": self.ahead, "doom": doom, "args": list(map(str, args))}
        return self._nursery.fork(told)

    # --- their lives --------------------------------------------------------------------------

    def fill(self, troubled: bool) -> None:
        """Start a process in every slot that has none; most of the troubled ones end by
        themselves, at some point they get to."""
        for slot, life in enumerate(self._slots):
            if life is None or not life.is_here:
                self._slots[slot] = self._born(slot, self._doom() if troubled else {})

    def _born(self, slot: int, doom: dict[str, object]) -> Life:
        name = f"chaos-{len(self.lives) + 1}"
        process = self._fork(name, doom, "worker" if slot else "serve")
        life = Life(name, process, time.time())
        self.lives.append(life)
        return life

    def _doom(self) -> dict[str, object]:
        if self._rng.random() < 0.25:
            return {}
        seed, stops = self._rng.randrange(10**6), self._rng.random() < 0.25
        return {"seed": seed, "chance": 0.12, "stops": stops}

    @property
    def here(self) -> list[Life]:
        return [life for life in self._slots if life is not None and life.is_here]

    @property
    def awake(self) -> list[Life]:
        return [life for life in self.here if life.paused_at is None]

    @property
    def _grown(self) -> list[Life]:
        return [life for life in self.awake if time.time() - life.started_at > GROWN]

    def tend(self) -> None:
        """Note those who died or stopped at a point, wake who is due."""
        for life in self._slots:
            if life is None:
                continue
            if not life.is_here:
                self._note_end(life)
            elif life.paused_at is not None:
                if time.time() >= life.resume_at:
                    self._resume(life)
            elif life.is_stopped():
                self._note_pause(life, life.place)

    def _note_end(self, life: Life) -> None:
        if life.is_accounted:
            return
        life.is_accounted = True
        code = life.process.returncode
        if code == -signal.SIGKILL:
            self.killed[life.place] += 1
        else:
            self.ended[f"exit {code}"] += 1

    def kill_some(self) -> None:
        """SIGKILL to one of them, wherever it is."""
        if self._grown:
            life = self._rng.choice(self._grown)
            self._kill(life)
            self.killed[ANYWHERE] += 1

    def _kill(self, life: Life) -> None:
        life.is_accounted = True
        life.process.send(signal.SIGKILL)
        life.process.wait(30)

    def stop_some(self) -> None:
        """SIGTERM to one of them, as an upgrade does."""
        if self._grown:
            life = self._rng.choice(self._grown)
            life.is_accounted = True
            life.process.send(signal.SIGTERM)
            self.stopped_politely += 1

    def pause_some(self) -> None:
        if len(self.awake) > 1 and self._grown:
            life = self._rng.choice(self._grown)
            life.process.send(signal.SIGSTOP)
            self._note_pause(life, ANYWHERE)

    def _note_pause(self, life: Life, place: str) -> None:
        """At most one sleeps past its lease at a time, so that there is somebody to succeed it."""
        life.paused_at = time.time()
        life.resume_at = life.paused_at + self._rng.uniform(0.5, 4)
        alone = any(other.resume_at - time.time() > LEASE / 2 for other in self._sleeping())
        if self._deep_sleep and self.awake and not alone and self._rng.random() < 0.6:
            life.resume_at = life.paused_at + self._rng.uniform(LEASE + 5, LEASE + 25)
        self.paused[place] += 1

    def _sleeping(self) -> list[Life]:
        return [life for life in self.here if life.paused_at is not None]

    def _resume(self, life: Life) -> None:
        assert life.paused_at is not None
        now = time.time()
        life.pauses.append((life.paused_at, now))
        self.woken_late += now - life.paused_at > LEASE
        life.paused_at = None
        life.process.send(signal.SIGCONT)

    @property
    def next_waking(self) -> float | None:
        """When the last sleeper is woken, None where nobody sleeps."""
        return max((life.resume_at for life in self._sleeping()), default=None)

    def end_all(self) -> None:
        """Kill whoever is left, asleep or not; nothing of it counts as trouble."""
        for life in self.here:
            self._kill(life)

    def close(self) -> None:
        self.end_all()
        self._nursery.close()

    def complaints(self) -> Counter[str]:
        """What the processes wrote to standard error, by event and kind of error."""
        found: Counter[str] = Counter()
        for process in [*(life.process for life in self.lives), *self._commands]:
            for line in process.err.splitlines():
                found[_complaint(line)] += 1
        return found


def _complaint(line: str) -> str:
    with contextlib.suppress(ValueError):
        told = json.loads(line)
        words = [told.get(name, "") for name in ("event", "error", "where")]
        return " ".join(str(word) for word in words if word)
    return line[:100]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
