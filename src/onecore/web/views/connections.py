"""Connecting both systems, how each connection stands, and the way back from Xero's consent."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render

from onecore import app
from onecore.engine.use import connecting, glancing, standing
from onecore.engine.use.errors import UseError
from onecore.web.access import Right, Seat, in_workspace, person, seat_of
from onecore.web.views.showing import EXPECTED, LONGEST_READ, attempt, page, why


@in_workspace(post=Right.MANAGE)
def connections(request: HttpRequest, seat: Seat) -> HttpResponse:
    found = standing.connections(seat.service, seat.workspace)
    settings = seat.service.settings
    labels = glancing.project_labels(seat.service, seat.workspace)
    scopes = {f"project:{number}": label for number, label in labels.items()}
    scopes |= {f"organisation:{one.id}": one.label for one in found if one.remote == "xero"}
    scopes["company"] = next((one.label for one in found if one.remote == "procore"), "Procore")
    return page(
        request,
        seat,
        "connections.html",
        "connections",
        procore=[one for one in found if one.remote == "procore"],
        xero=[one for one in found if one.remote == "xero"],
        company=glancing.company(seat.workspace)[0],
        ages=glancing.list_ages(seat.workspace),
        troubles=glancing.troubles_of(seat.workspace),
        labels=labels,
        scopes=scopes,
        listening=standing.listening(seat.service, seat.workspace),
        has_procore_app=bool(settings.procore_client_id and settings.procore_client_secret),
        has_xero_app=bool(settings.xero_client_id),
        callback=f"{settings.base_url}{connecting.CALLBACK}",
    )


@in_workspace(post=Right.MANAGE)
def procore(request: HttpRequest, seat: Seat) -> HttpResponse:
    if request.method == "POST":
        attempt(request, lambda: _connect_procore(request, seat), str)
    return redirect("connections", workspace=seat.workspace)


def _connect_procore(request: HttpRequest, seat: Seat) -> str:
    text = request.POST.get("company", "").strip()
    if not text.isdecimal() or len(text) > 15:
        raise UseError(
            "The company's number is digits only; it stands in the address of its pages in Procore."
        )
    name = seat.service.run(
        connecting.connect_procore(seat.service, seat.workspace, int(text), seat.actor),
        timeout=LONGEST_READ,
    )
    return f"Procore is connected: {name}."


@in_workspace(post=Right.MANAGE)
def webhooks(request: HttpRequest, seat: Seat) -> HttpResponse:
    """Look at every webhook again, as after a permission was given."""
    if request.method == "POST":
        attempt(
            request,
            lambda: standing.look_again(seat.workspace),
            lambda _: "The webhooks are looked at within the next minute.",
        )
    return redirect("connections", workspace=seat.workspace)


@in_workspace(post=Right.MANAGE)
def xero(request: HttpRequest, seat: Seat) -> HttpResponse:
    """To Xero's page, where a person allows OneCore in."""
    if request.method != "POST":
        return redirect("connections", workspace=seat.workspace)
    consent = attempt(
        request,
        lambda: connecting.begin_xero(seat.service, seat.workspace, seat.actor),
        lambda _: "",
    )
    if consent is None:
        return redirect("connections", workspace=seat.workspace)
    return HttpResponseRedirect(consent.url)


def xero_callback(request: HttpRequest) -> HttpResponse:
    """Back from Xero. The state names a consent begun here, once, so no session is asked for."""
    if refused := request.GET.get("error"):
        text = (
            "Access was declined on Xero's page. Nothing was changed."
            if refused == "access_denied"
            else "Xero did not grant access. Nothing was changed; begin again."
        )
        return _ended(request, 400, "Xero is not connected", text)
    state, code = request.GET.get("state", ""), request.GET.get("code", "")
    if not state or not code:
        text = "This address is where Xero sends people back to. Begin under Connections."
        return _ended(request, 400, "Nothing to do here", text)
    service = app.service()
    try:
        workspace, names = service.run(
            connecting.finish_xero(service, state, code), timeout=LONGEST_READ
        )
    except EXPECTED as error:
        return _ended(request, 400, "Xero is not connected", why(error))
    user = person(request)
    seat = seat_of(user, workspace) if user is not None else None
    text = f"Xero is connected: {', '.join(names)}."
    if seat is None:
        return _ended(request, 200, "Xero is connected", f"{text} You can close this page.")
    messages.success(request, text)
    return redirect("connections", workspace=workspace)


def procore_callback(request: HttpRequest) -> HttpResponse:
    text = (
        "This version connects to Procore by a service account (client credentials), so nobody "
        "signs in to Procore here. Enter the company's number under Connections."
    )
    return _ended(request, 404, "Not in use", text)


def _ended(request: HttpRequest, status: int, title: str, text: str) -> HttpResponse:
    return render(request, "onecore/ended.html", {"title": title, "text": text}, status=status)
