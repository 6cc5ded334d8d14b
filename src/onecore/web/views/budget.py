"""Calls to both systems: what was used, what is left, how long it lasts, what gives way."""

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponse

from onecore.engine.use import budgets, budgets_told
from onecore.engine.use.budgets import Standing
from onecore.engine.use.budgets_told import LANES, NAMES, Told
from onecore.web.access import Seat, in_workspace
from onecore.web.views.showing import page

HEIGHT = 100  # units of the chart's height
STEP, WIDE = 10, 8  # units from one bar to the next, and of a bar's width


@dataclass(frozen=True, slots=True)
class Piece:
    """One lane's part of a bar."""

    lane: str
    x: int
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Chart:
    """Calls by hour as stacked bars, the latest on the right."""

    pieces: tuple[Piece, ...]
    most: int  # calls of the highest bar
    width: int
    began_at: datetime


@dataclass(frozen=True, slots=True)
class Shown:
    """One allowance as the page shows it."""

    name: str
    standing: Standing
    told: Told
    chart: Chart | None  # None: no calls in the last day
    lanes: tuple[tuple[str, str, int], ...]  # code, word, calls of the last day
    part_used: float  # of the limit, in percent
    ours: str  # calls of the last day for this workspace


@in_workspace()
def budget(request: HttpRequest, seat: Seat) -> HttpResponse:
    return page(request, seat, "budget.html", "connections", shown=shown(seat))


def shown(seat: Seat) -> list[Shown]:
    """Every allowance of a workspace, as pages show it."""
    now = seat.service.clock.now()
    return [_shown(one, now) for one in budgets.budget(seat.service, seat.workspace)]


def _shown(one: Standing, now: datetime) -> Shown:
    part = 100 * one.used / one.limit if one.used is not None and one.limit else 0.0
    return Shown(
        name=NAMES[one.remote],
        standing=one,
        told=budgets_told.told(one, now),
        chart=chart(one) if one.last_day else None,
        lanes=tuple((code, word, one.lanes[code]) for code, word in LANES.items()),
        part_used=min(max(part, 0.0), 100.0),
        ours=f"{one.ours_day:,}",
    )


def chart(one: Standing) -> Chart:
    """The last day's bars; the highest reaches the top."""
    most = max(hour.calls for hour in one.hours)
    pieces = []
    for n, hour in enumerate(one.hours):
        y = float(HEIGHT)
        for lane in LANES:
            height = HEIGHT * hour.lanes.get(lane, 0) / most
            if height:
                y -= height
                pieces.append(Piece(lane, n * STEP, y, height))
    return Chart(tuple(pieces), most, len(one.hours) * STEP, one.hours[0].began_at)
