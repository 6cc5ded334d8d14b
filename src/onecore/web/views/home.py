"""Home: in step or not, what needs a person, what is connected, what happened last."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from onecore.engine.use import (
    budgets,
    budgets_told,
    glancing,
    standing,
    syncing,
    workspaces,
)
from onecore.engine.use.budgets import Standing
from onecore.engine.use.budgets_told import Told
from onecore.engine.use.glancing import Glance
from onecore.environment import LOOPBACK, Settings
from onecore.web import words
from onecore.web.access import Right, Seat, in_workspace
from onecore.web.views.showing import attempt, page

LAST = 8
BAR = 1000  # units of the bar's width


@dataclass(frozen=True, slots=True)
class Share:
    """One state's part of the bar and its figure."""

    state: str
    count: int
    start: float
    width: float
    tone: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The one sentence that says how things stand."""

    tone: str
    sign: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a system lets OneCore call, in a line."""

    name: str
    standing: Standing
    told: Told
    used_up: str


NEEDING = ("held", "ask", "refused", "drifted", "approval")


@in_workspace()
def home(request: HttpRequest, seat: Seat) -> HttpResponse:
    seen = glancing.glance(seat.service, seat.workspace)
    now = seat.service.clock.now()
    allowances = [
        Allowance(
            budgets_told.NAMES[one.remote],
            one,
            budgets_told.told(one, now),
            budgets_told.used_up(one, now),
        )
        for one in budgets.budget(seat.service, seat.workspace)
    ]
    return page(
        request,
        seat,
        "home.html",
        "home",
        glance=seen,
        verdict=verdict(seen, allowances),
        allowances=allowances,
        shares=shares(seen.states),
        labels=glancing.project_labels(seat.service, seat.workspace),
        last=glancing.last_acts(seat.workspace, 0, LAST),
        simulators=simulators(seat.service.settings),
        connections_needing=standing.needing(seen.connections),
        bill_mode=seen.modes.get("bill", "off"),
    )


@in_workspace(post=Right.ACT)
def look_now(request: HttpRequest, seat: Seat) -> HttpResponse:
    """Read every project's claims now rather than at its next turn."""
    if request.method == "POST":
        attempt(
            request,
            lambda: syncing.look_at_feeds(seat.service, seat.workspace),
            lambda _: "Every project is looked at now.",
        )
    return redirect("home", workspace=seat.workspace)


@in_workspace(post=Right.MANAGE)
def pause(request: HttpRequest, seat: Seat) -> HttpResponse:
    if request.method == "POST":
        paused = request.POST.get("paused") == "yes"
        attempt(
            request,
            lambda: workspaces.set_paused(seat.service, seat.workspace, paused, seat.actor),
            lambda _: (
                "Paused. Nothing goes over until it is resumed; nothing is lost meanwhile."
                if paused
                else "Resumed. What waited is looked at now."
            ),
        )
    return redirect("home", workspace=seat.workspace)


def verdict(seen: Glance, allowances: Sequence[Allowance] = ()) -> Verdict:
    """In step or not, in one sentence; what keeps all from moving comes before the books."""
    return _stopped(seen) or _used_up(allowances) or _needing(seen) or _going(seen)


def _used_up(allowances: Sequence[Allowance]) -> Verdict | None:
    for one in allowances:
        if one.standing.is_used_up:
            title = f"{one.name} takes no more calls today"
            return Verdict("warn", "Ⅱ", title, one.used_up)
    return None


def _stopped(seen: Glance) -> Verdict | None:
    if seen.paused:
        return Verdict("warn", "Ⅱ", "Paused", "Nothing goes over until it is resumed.")
    if not seen.steps.procore or not seen.steps.xero or not seen.steps.switched_on:
        return Verdict("quiet", "○", "Not set up yet", "A few steps are left before it can begin.")
    broken = sorted({one.remote.capitalize() for one in seen.connections if one.broken})
    if broken:
        title = f"{' and '.join(broken)} must be connected again"
        return Verdict("bad", "✕", title, "Nothing is lost; all of it waits.")
    return None


def _needing(seen: Glance) -> Verdict | None:
    need = sum(seen.states.get(state, 0) for state in NEEDING)
    if need:
        what = "document needs" if need == 1 else "documents need"
        return Verdict("warn", "!", f"{need} {what} a person", _others(seen))
    to_come = standing.soon(seen.connections)
    if to_come:
        one, told = to_come[0]
        title = f"{one.remote.capitalize()} will need you soon"
        return Verdict("warn", "!", title, told.why)
    unseen = len({one.project_id for one in seen.troubles})
    if unseen:
        what = "project cannot" if unseen == 1 else "projects cannot"
        return Verdict("warn", "!", f"{unseen} {what} be read", "What is known of them stays.")
    return None


def _going(seen: Glance) -> Verdict:
    if not seen.total:
        text = "The next approved claim becomes a bill within seconds."
        return Verdict("good", "✓", "Ready", text)
    waiting = seen.states.get("waiting", 0) + seen.states.get("previewed", 0)
    if waiting:
        what = "document is" if waiting == 1 else "documents are"
        return Verdict("quiet", "…", f"{waiting} {what} on the way", _others(seen))
    return Verdict("good", "✓", "In step", _others(seen))


def _others(seen: Glance) -> str:
    agreed = seen.states.get("in_step", 0)
    if not agreed:
        return "No bill has been made yet."
    if agreed == 1:
        return "1 document agrees on both sides."
    return f"{agreed:,} documents agree on both sides."


def shares(states: dict[str, int]) -> list[Share]:
    """The bar's parts in the order of the words, each wide enough to be seen."""
    total = sum(states.values())
    found: list[Share] = []
    start = 0.0
    least = BAR * 0.012
    counted = [(code, states[code]) for code in words.STATES if states.get(code)]
    room = BAR - least * len(counted)
    for code, count in counted:
        width = least + room * count / total
        found.append(Share(code, count, round(start, 2), round(width, 2), words.state(code).tone))
        start += width
    return found


def simulators(settings: Settings) -> list[tuple[str, str]]:
    """The simulators' own pages, where the remotes are on this machine."""
    found = []
    for name, url in (("Procore", settings.procore_api_url), ("Xero", settings.xero_api_url)):
        if urlsplit(url).hostname in LOOPBACK:
            found.append((name, f"{url}/"))
    return found
