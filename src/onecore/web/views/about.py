"""Activity and Help."""

from django.http import HttpRequest, HttpResponse

from onecore.engine.use import glancing
from onecore.web.access import Seat, in_workspace
from onecore.web.causes import CAUSES
from onecore.web.views.showing import page, whole
from onecore.web.words import STATES

PER_PAGE = 100


@in_workspace()
def activity(request: HttpRequest, seat: Seat) -> HttpResponse:
    """Who did what to which document, the newest first."""
    number = whole(request.GET.get("page"), 1)
    acts = glancing.last_acts(seat.workspace, (number - 1) * PER_PAGE, PER_PAGE + 1)
    return page(
        request,
        seat,
        "activity.html",
        "activity",
        acts=acts[:PER_PAGE],
        before=number - 1,
        after=number + 1 if len(acts) > PER_PAGE else None,
    )


@in_workspace()
def help_page(request: HttpRequest, seat: Seat) -> HttpResponse:
    settings = seat.service.settings
    return page(
        request,
        seat,
        "help.html",
        "help",
        region=settings.region,
        support=settings.support,
        states=STATES,
        causes=CAUSES,
    )
