"""The form that fills one gap, by its cause and subject, wherever the gap was met."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from onecore.engine.use import glancing, mapping
from onecore.engine.use.mapping import Option, Remedy
from onecore.web.access import Right, Seat, in_workspace
from onecore.web.causes import cause
from onecore.web.views.showing import (
    EXPECTED,
    LONGEST_READ,
    attempt,
    back,
    counted,
    page,
    part,
    why,
)

SUGGESTED = 5
FOUND = 30


def address(workspace: int, code: str, subject: str) -> str:
    query = urlencode({"cause": code, "subject": subject})
    return f"{reverse('remedy', kwargs={'workspace': workspace})}?{query}"


@in_workspace(post=Right.ACT)
def remedy(request: HttpRequest, seat: Seat) -> HttpResponse:
    """What to choose from; posting a choice releases every document that waited for it."""
    code = request.GET.get("cause", "")[:40]
    subject = request.GET.get("subject", "")[:120]
    if request.method == "POST":
        return _remedied(request, seat, code, subject)
    try:
        offered = seat.service.run(
            mapping.remedy(seat.service, seat.workspace, code, subject), timeout=LONGEST_READ
        )
    except EXPECTED as error:
        return _stopped(request, seat, why(error))
    typed = request.GET.get("q", "")
    values: dict[str, Any] = {
        "address": address(seat.workspace, code, subject),
        "group": f"{code}-{subject}",
        "words": cause(code),
        "remedy": offered,
        "suggested": suggested(offered),
        "many": len(offered.options) > SUGGESTED,
        "found": search(offered, typed),
        "kept": glancing.kept_by(seat.workspace, code, subject),
        "next": request.GET.get("next", "") or request.headers.get("HX-Current-URL", ""),
    }
    if not request.headers.get("HX-Request"):
        return page(request, seat, "remedy.html", "attention", **values)
    only_options = request.GET.get("only") == "options"
    return part(request, seat, "options.html" if only_options else "remedy.html", **values)


def _stopped(request: HttpRequest, seat: Seat, trouble: str) -> HttpResponse:
    if request.headers.get("HX-Request"):
        return part(request, seat, "trouble.html", trouble=trouble, again=request.get_full_path())
    return page(request, seat, "go.html", "attention", reason=trouble, q="-", status=503)


def suggested(offered: Remedy) -> list[Option]:
    """The few options something speaks for."""
    return [option for option in offered.options if option.score][:SUGGESTED]


def search(offered: Remedy, typed: str) -> list[Option]:
    """Options whose label has every word that was typed; the suggestions stand elsewhere."""
    words = typed.casefold().split()
    first = {option.value for option in suggested(offered)}
    fitting = [
        option
        for option in offered.options
        if option.value not in first and all(word in option.label.casefold() for word in words)
    ]
    return fitting[:FOUND]


def _remedied(request: HttpRequest, seat: Seat, code: str, subject: str) -> HttpResponse:
    waiting = glancing.kept_by(seat.workspace, code, subject)
    value = request.POST.get("value", "").strip()
    if "create" in request.POST:
        work = mapping.create(seat.service, seat.workspace, code, subject, seat.actor)
    else:
        work = mapping.apply(seat.service, seat.workspace, code, subject, value, seat.actor)
    attempt(
        request,
        lambda: seat.service.run(work, timeout=LONGEST_READ),
        lambda said: f"{said} ({counted(waiting)})" if waiting else said,
    )
    return back(request, reverse("attention", kwargs={"workspace": seat.workspace}))
