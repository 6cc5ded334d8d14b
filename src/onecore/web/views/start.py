"""Before a workspace is chosen: first run, the chooser, a new workspace."""

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from onecore import app
from onecore.engine.use import workspaces
from onecore.web.access import is_owner, person, sign_in_first, signed_in
from onecore.web.views.showing import attempt


def root(request: HttpRequest) -> HttpResponseBase:
    """The first page: how to add a person, or the one workspace, or which of several."""
    user = person(request)
    if user is None:
        if not User.objects.exists():
            return render(request, "onecore/first_run.html")
        return sign_in_first(request)
    mine = workspaces.visible_to(user.pk, is_owner(user))
    if len(mine) == 1:
        return redirect("home", workspace=mine[0][0])
    return chooser(request)


@require_http_methods(["GET", "POST"])
@signed_in
def chooser(request: HttpRequest, user: User) -> HttpResponse:
    """Every workspace a person may open; an owner may add one."""
    if request.method == "POST":
        return _add(request, user)
    values = {"mine": workspaces.visible_to(user.pk, is_owner(user)), "owner": is_owner(user)}
    return render(request, "onecore/chooser.html", values)


def _add(request: HttpRequest, user: User) -> HttpResponseRedirect:
    if not is_owner(user):
        raise PermissionDenied("manage")
    name = request.POST.get("name", "")
    made = attempt(
        request,
        lambda: workspaces.add(app.service(), name, user.email),
        lambda _: f"Workspace {name.strip()} is made.",
    )
    return redirect("home", workspace=made) if made is not None else redirect("chooser")
