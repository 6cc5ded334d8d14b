"""What all views share: rendering a page of a workspace, and telling how an action went."""

from collections.abc import Callable
from typing import Any, TypeVar

import structlog
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme

from onecore.engine.context import NotConnected
from onecore.engine.use import budgets_told, glancing
from onecore.engine.use.errors import NeedsPerson, OutOfReach, UseError
from onecore.ports import AccessLost, NotReached, NotVisible, Remote, RemoteError, Throttled
from onecore.web.access import Seat

log = structlog.get_logger()
T = TypeVar("T")

NAMES = {Remote.PROCORE: "Procore", Remote.XERO: "Xero"}
EXPECTED = (UseError, NeedsPerson, OutOfReach, NotConnected, RemoteError, TimeoutError, LookupError)
"""What may go wrong without anything being wrong with OneCore; each has words for a person."""
LONGEST_READ = 60.0
"""Seconds a page part waits for the remotes before it says that they did not answer."""


def page(
    request: HttpRequest, seat: Seat, template: str, here: str, status: int = 200, **values: Any
) -> HttpResponse:
    """A page of a workspace within the frame; `here` is its place in the navigation."""
    values |= {"seat": seat, "here": here, "open_matters": glancing.open_matters(seat.workspace)}
    return render(request, f"onecore/{template}", values, status=status)


def part(request: HttpRequest, seat: Seat, template: str, **values: Any) -> HttpResponse:
    """A piece of a page, for htmx to put in its place."""
    return render(request, f"onecore/parts/{template}", {"seat": seat, **values})


def why(error: Exception) -> str:
    """What to tell a person about an expected error: what is the matter and what helps."""
    if isinstance(error, RemoteError):
        return _why_remote(error)
    if isinstance(error, TimeoutError):
        return "The answer took too long. Nothing is lost; try again."
    if isinstance(error, NotConnected):
        return "This workspace is not connected to both systems yet. See Connections."
    if isinstance(error, LookupError):
        return "Xero did not show the linked bill just now. Try again."
    return str(error)


def _why_remote(error: RemoteError) -> str:
    name = NAMES[error.remote]
    if isinstance(error, Throttled):
        wait = budgets_told.spell(error.wait)
        if error.lane is not None:  # our own budget, not the remote
            return (
                f"Pages have had their share of {name}'s calls. They go on in {wait}; bills go "
                "over meanwhile."
            )
        return f"{name} asks to wait: its {error.kind} limit is used up for {wait} more."
    if isinstance(error, AccessLost):
        detail = error.detail or "access lost"
        return f"{name} no longer lets OneCore in ({detail}). Connect it again under Connections."
    if isinstance(error, NotVisible):
        return (
            f"{name} does not show this to OneCore ({error.status}). Check the app's permissions "
            "and permitted projects."
        )
    if isinstance(error, NotReached):
        return f"{name} cannot be reached just now. Nothing is lost; try again."
    return f"{name} did not answer as expected. Nothing is lost; try again."


def attempt(request: HttpRequest, work: Callable[[], T], done: Callable[[T], str]) -> T | None:
    """Do what a person asked and tell them how it went, in a message on the next page."""
    try:
        result = work()
    except EXPECTED as error:
        log.info("action.stopped", path=request.path, error=type(error).__name__)
        messages.error(request, why(error))
        return None
    text = done(result)
    if text:
        messages.success(request, text)
    return result


def back(request: HttpRequest, otherwise: str) -> HttpResponseRedirect:
    """To where the form says it came from, if that is a page of ours; else `otherwise`."""
    asked = request.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(asked, {request.get_host()}, request.is_secure())
    return HttpResponseRedirect(asked if asked.startswith("/") and ours else otherwise)


def whole(text: str | None, otherwise: int) -> int:
    """A number from a query, at least 1."""
    return max(1, int(text)) if text and text.isdecimal() and len(text) < 10 else otherwise


def counted(documents: int) -> str:
    return "1 document" if documents == 1 else f"{documents} documents"
