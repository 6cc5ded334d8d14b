"""The demo's guided tour. There is no such page unless `onecore demo` runs this process."""

import os

from django.contrib.auth import login
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from onecore import app
from onecore.domain.ids import WorkspaceId
from onecore.engine.use import touring, workspaces

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@require_http_methods(["GET", "POST"])
def tour(request: HttpRequest) -> HttpResponseBase:
    """What to do first, with links to both simulators; signs the demo's person in on request.

    The demo listens on loopback only and its password is printed, so nothing is given away.
    """
    if os.environ.get("ONECORE_DEMO") != "1":
        raise Http404
    person = User.objects.order_by("pk").first()
    known = workspaces.names()
    if person is None or not known:
        raise Http404
    workspace = known[0][0]
    if request.method == "POST":
        login(request, person, backend=BACKEND)
        return redirect("home", workspace=workspace)
    return _page(request, workspace)


def _page(request: HttpRequest, workspace: WorkspaceId) -> HttpResponse:
    ready = app.service().settings
    values = {
        "workspace": workspace,
        "signed_in": request.user.is_authenticated,
        "procore": ready.procore_api_url,
        "xero": ready.xero_api_url,
        "terminal": ready.data_dir / "demo.env",
        "claims": touring.claims_under_review(workspace),
    }
    return render(request, "onecore/tour.html", values)
