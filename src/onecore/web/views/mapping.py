"""Mapping whole lists: suggestions with their reasons, accepted one by one or above a score."""

from decimal import ROUND_DOWN, Decimal
from typing import cast, get_args

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from onecore.engine.use import glancing, mapping, switching
from onecore.engine.use.mapping import What
from onecore.web.access import Right, Seat, in_workspace
from onecore.web.views.showing import EXPECTED, LONGEST_READ, attempt, page, part, whole, why

TABS = {
    "vendors": ("Vendors", "Which contact in Xero each Procore vendor is.", "contact"),
    "codes": ("Cost codes", "Which expense account each cost code is booked to.", "account"),
    "projects": ("Projects", "Which tracking option each project carries.", "option"),
}
TABS_SHOWN = [*((code, name) for code, (name, _, _) in TABS.items())]
CAUSE = {
    "vendors": "vendor_unmapped",
    "codes": "cost_code_unmapped",
    "projects": "tracking_option_missing",
}
SURE = 90
"""Scores from here on say that something exact agrees."""


def _what(name: str) -> What:
    if name not in get_args(What):
        raise Http404
    return cast(What, name)


@in_workspace(post=Right.ACT)
def maps(request: HttpRequest, seat: Seat, what: str = "vendors") -> HttpResponse:
    kind = _what(what)
    if request.method == "POST":
        return _accept(request, seat, kind)
    title, text, target = TABS[kind]
    return page(
        request,
        seat,
        "mapping.html",
        "mapping",
        what=kind,
        tabs=TABS_SHOWN,
        title=title,
        text=text,
        target=target,
        steps=glancing.steps_of(seat.workspace),
    )


@in_workspace()
def proposals(request: HttpRequest, seat: Seat, what: str) -> HttpResponse:
    """The suggestions, worked out from both lists."""
    kind = _what(what)
    try:
        found = seat.service.run(
            mapping.proposals(seat.service, seat.workspace, kind), timeout=LONGEST_READ
        )
    except EXPECTED as error:
        return part(request, seat, "trouble.html", trouble=why(error), again=request.path)
    return part(
        request,
        seat,
        "proposals.html",
        proposals=found,
        what=kind,
        target=TABS[kind][2],
        sure=sum(one.score >= SURE for one in found),
        least=SURE,
    )


@in_workspace()
def coverage(request: HttpRequest, seat: Seat) -> HttpResponse:
    """What share of live contract value would post today."""
    return page(
        request,
        seat,
        "coverage.html",
        "mapping",
        what="coverage",
        tabs=TABS_SHOWN,
        steps=glancing.steps_of(seat.workspace),
    )


@in_workspace()
def coverage_live(request: HttpRequest, seat: Seat) -> HttpResponse:
    """Every live contract put through the very rules of translation, and what is missing."""
    try:
        found = seat.service.run(
            switching.coverage(seat.service, seat.workspace), timeout=LONGEST_READ
        )
    except EXPECTED as error:
        return part(request, seat, "trouble.html", trouble=why(error), again=request.path)
    share = (found.coverage.share * 100).quantize(Decimal("0.1"), ROUND_DOWN)
    return part(request, seat, "coverage.html", report=found, found=found.coverage, share=share)


def _accept(request: HttpRequest, seat: Seat, kind: What) -> HttpResponse:
    subject, target = request.POST.get("subject", ""), request.POST.get("target", "")
    if subject and target:
        named = f"project:{subject}" if kind == "projects" else subject
        attempt(
            request,
            lambda: seat.service.run(
                mapping.apply(seat.service, seat.workspace, CAUSE[kind], named, target, seat.actor),
                timeout=LONGEST_READ,
            ),
            lambda said: said or "Saved.",
        )
    else:
        least = min(100, whole(request.POST.get("score"), SURE))
        attempt(
            request,
            lambda: seat.service.run(
                mapping.accept(seat.service, seat.workspace, kind, least, seat.actor),
                timeout=LONGEST_READ,
            ),
            lambda taken: (
                f"{len(taken)} accepted. Documents that waited for them are looked at now."
                if taken
                else f"Nothing scores {least} or more."
            ),
        )
    return redirect("mapping", workspace=seat.workspace, what=kind)
