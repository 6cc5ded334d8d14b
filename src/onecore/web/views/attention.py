"""What needs a person, by cause; answering it, and filling a gap for everything it keeps."""

from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from onecore.engine.use import attending, glancing, mapping
from onecore.engine.use.attending import Group
from onecore.engine.use.mapping import Option, Remedy
from onecore.web.access import Right, Seat, in_workspace
from onecore.web.causes import Cause, cause
from onecore.web.views.showing import EXPECTED, LONGEST_READ, attempt, page, part, why

SHOWN = 25  # documents of a group before the rest is only counted
SUGGESTED = 5
FOUND = 30


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
    groups = attending.groups(seat.service, seat.workspace)
    base = glancing.company(seat.workspace)[2]
    return page(
        request,
        seat,
        "attention.html",
        "attention",
        sections=sections(groups),
        shown=SHOWN,
        web_base_url=base,
    )


@in_workspace(post=Right.ACT)
def resolve(request: HttpRequest, seat: Seat, matter: int) -> HttpResponse:
    """One answer for every document of a group."""
    if request.method == "POST":
        choice = request.POST.get("choice", "")
        attempt(
            request,
            lambda: attending.resolve(seat.service, seat.workspace, matter, choice, seat.actor),
            lambda refs: f"Answered for {_count(len(refs))}; looked at again now.",
        )
    return redirect("attention", workspace=seat.workspace)


def _count(documents: int) -> str:
    return "1 document" if documents == 1 else f"{documents} documents"


# --- remedies ---------------------------------------------------------------------------------


@in_workspace(post=Right.ACT)
def remedy(request: HttpRequest, seat: Seat, matter: int) -> HttpResponse:
    """The form that fills one gap; posting it releases what waited for it."""
    group = _group(seat, matter)
    if request.method == "POST":
        return _remedied(request, seat, group)
    try:
        offered = seat.service.run(
            mapping.remedy(seat.service, seat.workspace, group.cause, group.subject),
            timeout=LONGEST_READ,
        )
    except EXPECTED as error:
        return part(request, seat, "trouble.html", trouble=why(error), again=request.path)
    values: dict[str, Any] = {
        "group": group,
        "words": cause(group.cause),
        "remedy": offered,
        "suggested": [option for option in offered.options if option.score][:SUGGESTED],
        "many": len(offered.options) > SUGGESTED,
        "q": request.GET.get("q", ""),
        "found": search(offered, request.GET.get("q", "")),
    }
    if request.headers.get("HX-Request"):
        wanted = "options.html" if request.GET.get("only") == "options" else "remedy.html"
        return part(request, seat, wanted, **values)
    return page(request, seat, "remedy.html", "attention", **values)


def search(offered: Remedy, text: str) -> list[Option]:
    """Options whose label has every word that was typed; those not suggested when none was."""
    typed = text.casefold().split()
    matching = [
        option
        for option in offered.options
        if all(word in option.label.casefold() for word in typed)
    ]
    if not typed:
        first = [option for option in offered.options if option.score][:SUGGESTED]
        matching = [option for option in matching if option not in first]
    return matching[:FOUND]


def _remedied(request: HttpRequest, seat: Seat, group: Group) -> HttpResponse:
    released = _count(len(group.items))
    value = request.POST.get("value", "").strip()
    if "create" in request.POST:
        work = mapping.create(seat.service, seat.workspace, group.cause, group.subject, seat.actor)
    else:
        work = mapping.apply(
            seat.service, seat.workspace, group.cause, group.subject, value, seat.actor
        )
    attempt(
        request,
        lambda: seat.service.run(work, timeout=LONGEST_READ),
        lambda said: f"{said or 'Done.'} {released} looked at again now.",
    )
    return redirect("attention", workspace=seat.workspace)


def _group(seat: Seat, matter: int) -> Group:
    groups = attending.groups(seat.service, seat.workspace)
    found = next((group for group in groups if group.id == matter), None)
    if found is None:
        raise Http404
    return found
