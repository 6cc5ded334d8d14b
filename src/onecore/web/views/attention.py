"""What needs a person, by cause; answering it, and filling a gap for everything it keeps."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from onecore.engine.use import attending, budgets, budgets_told, glancing, standing
from onecore.engine.use.attending import Group
from onecore.web.access import Right, Seat, in_workspace
from onecore.web.causes import Cause, cause
from onecore.web.views.showing import attempt, back, counted, page, part

SHOWN = 25  # documents of a group before the rest is only counted


@dataclass(frozen=True, slots=True)
class Section:
    """Everything under one code: what it is, and the groups by subject."""

    code: str
    words: Cause
    groups: tuple[Group, ...]

    @property
    def documents(self) -> int:
        return len({ref for group in self.groups for ref in group.refs})


def sections(groups: list[Group]) -> list[Section]:
    """Groups by cause, the cause that keeps most documents first."""
    codes = dict.fromkeys(group.cause for group in groups)
    found = [
        Section(code, cause(code), tuple(g for g in groups if g.cause == code)) for code in codes
    ]
    return sorted(found, key=lambda section: -section.documents)


@in_workspace()
def attention(request: HttpRequest, seat: Seat) -> HttpResponse:
    service, workspace = seat.service, seat.workspace
    groups, now = attending.groups(service, workspace), service.clock.now()
    return page(
        request,
        seat,
        "attention.html",
        "attention",
        sections=sections(groups),
        connections=standing.needing(standing.connections(seat.service, seat.workspace)),
        shown=SHOWN,
        used_up=[budgets_told.used_up(one, now) for one in budgets.exhausted(service, workspace)],
        asked=glancing.is_anyone_waiting(service, workspace),
    )


@in_workspace()
def attention_state(request: HttpRequest, seat: Seat) -> HttpResponse:
    """Whether what was settled is still being looked at; once done, the page shows itself anew."""
    if glancing.is_anyone_waiting(seat.service, seat.workspace):
        return part(request, seat, "settling.html")
    answer = HttpResponse()
    answer["HX-Refresh"] = "true"
    return answer


@in_workspace(post=Right.ACT)
def resolve(request: HttpRequest, seat: Seat, matter: int) -> HttpResponse:
    """One answer for every document of a group."""
    if request.method == "POST":
        choice = request.POST.get("choice", "")
        attempt(
            request,
            lambda: attending.resolve(seat.service, seat.workspace, matter, choice, seat.actor),
            lambda refs: f"Answered for {counted(len(refs))}; looked at again now.",
        )
    return back(request, reverse("attention", kwargs={"workspace": seat.workspace}))
