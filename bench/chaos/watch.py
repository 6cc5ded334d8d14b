"""What happened in a run: calls made, and how long each take-over took."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from tests.simulators import Simulator, Simulators

from bench.chaos.crew import Life
from bench.chaos.database import Outage, Taking


class Logs:
    """Both simulators' logs of requests, read a piece at a time so that nothing is dropped."""

    def __init__(self, simulators: Simulators) -> None:
        self.calls: Counter[str] = Counter()
        self.writes = 0  # requests that carried bills to Xero
        self._sides: list[Simulator] = [simulators.procore, simulators.xero]
        self._read: Counter[str] = Counter()

    def read(self) -> None:
        for side in self._sides:
            for row in side.requests(after=self._read[side.name]):
                self._read[side.name] = row["n"]
                self.calls[side.name] += 1
                self.calls[f"{side.name} 429"] += row["status"] == 429
                is_write = row["method"] in ("PUT", "POST") and row["path"].endswith("/Invoices")
                self.writes += is_write


PROMISED = 15.0
"""Seconds within which a killed worker's organisation is taken over."""


# --- take-overs -------------------------------------------------------------------------------


@dataclass(slots=True)
class TakeOvers:
    """Seconds from what befell the holder of a lease to its successor's, by what it was."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    unexplained: list[str] = field(default_factory=list)
    slow: list[str] = field(default_factory=list)  # after a kill, and longer than promised

    def told(self) -> dict[str, dict[str, float]]:
        return {
            why: {
                "count": len(found),
                "median_seconds": round(median(found), 2),
                "longest_seconds": round(max(found), 2),
            }
            for why, found in sorted(self.seconds.items())
        }


def take_overs(
    takings: Sequence[Taking], lives: Sequence[Life], outages: Sequence[Outage]
) -> TakeOvers:
    """Every lease taken from somebody who had not let go, and what had befallen them.

    One whose holder was killed while the database was away counts from the end of the outage.
    """
    by_name = {life.name: life for life in lives}
    found = TakeOvers()
    holder: dict[str, Taking] = {}
    for one in takings:
        before = holder.get(one.tenant)
        if one.owner is None:
            holder.pop(one.tenant, None)
            continue
        if before is not None and before.fence != one.fence:
            why, seconds = _why(before, one, by_name.get(before.name), outages)
            if why:
                found.seconds[why].append(seconds)
                if why == "killed" and seconds > PROMISED:
                    found.slow.append(_slow(one, seconds, lives))
            else:
                found.unexplained.append(
                    f"{one.name} took over from {before.name} after {one.at - before.at:.1f} s"
                )
        holder[one.tenant] = one
    return found


def _slow(taken: Taking, seconds: float, lives: Sequence[Life]) -> str:
    """A take-over that took long, and who could have been the successor meanwhile."""
    began = taken.at - seconds
    awake = [
        f"{life.name} since {max(life.started_at, began) - began:.1f} s"
        for life in lives
        if life.started_at < taken.at
        and (life.ended_at is None or life.ended_at > taken.at)
        and not any(start < taken.at and end > began for start, end in life.pauses)
    ]
    return f"{taken.name} after {seconds:.1f} s; awake were {', '.join(awake) or 'none'}"


def _why(
    before: Taking, after: Taking, life: Life | None, outages: Sequence[Outage]
) -> tuple[str, float]:
    """What befell the one before while it held the lease, and the seconds from then on."""
    ended = life.ended_at if life is not None else None
    if ended is not None and before.at <= ended <= after.at:
        back = [o.ended for o in outages if o.began <= after.at and ended <= o.ended <= after.at]
        return "killed", after.at - max([ended, *back])
    lost = [o for o in outages if before.at <= o.ended and o.began <= after.at]
    if lost:
        return "database gone", max(0.0, after.at - max(o.ended for o in lost))
    if life is not None:
        paused = [start for start, end in life.pauses if start <= after.at and end >= before.at]
        if life.paused_at is not None and life.paused_at <= after.at:
            paused.append(life.paused_at)
        if paused:
            return "paused", after.at - max(paused)
    return "", 0.0
