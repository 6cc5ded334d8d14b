"""Who is asking, for which workspace, and what they may do there."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Concatenate, ParamSpec

from django.contrib.auth.models import AnonymousUser, User
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed
from django.urls import reverse

from onecore import app
from onecore.domain.ids import WorkspaceId
from onecore.engine.service import Service
from onecore.engine.use import workspaces

P = ParamSpec("P")
View = Callable[..., HttpResponseBase]
"""What the address table calls: by name, with what the address says."""


class Right(StrEnum):
    """What a role may do, each right including those before it."""

    SEE = "see"
    ACT = "act"  # map, approve, answer, sync
    MANAGE = "manage"  # connect, switch flows, change settings


RIGHTS: dict[str, frozenset[Right]] = {
    "owner": frozenset(Right),
    "accountant": frozenset({Right.SEE, Right.ACT}),
    "project_manager": frozenset({Right.SEE}),
    "viewer": frozenset({Right.SEE}),
}


@dataclass(frozen=True, slots=True)
class Seat:
    """One person in one workspace, and the engine to ask."""

    service: Service
    workspace: WorkspaceId
    name: str
    role: str
    actor: str

    def may(self, right: Right) -> bool:
        return right in RIGHTS.get(self.role, frozenset())

    @property
    def may_act(self) -> bool:
        return self.may(Right.ACT)

    @property
    def may_manage(self) -> bool:
        return self.may(Right.MANAGE)


def person(request: HttpRequest) -> User | None:
    """Who is signed in."""
    user: User | AnonymousUser = request.user
    return user if isinstance(user, User) and user.is_active else None


def is_owner(user: User) -> bool:
    """Whether somebody owns the whole installation, every workspace of it included."""
    return user.is_superuser


def sign_in_first(request: HttpRequest) -> HttpResponseBase:
    """The way to the sign-in page; a fragment asks its page to go there, not to show it inside."""
    if request.headers.get("HX-Request"):
        answer = HttpResponse(status=401)
        answer["HX-Redirect"] = reverse("account_login")
        return answer
    return redirect_to_login(request.get_full_path())


def signed_in(
    view: Callable[Concatenate[HttpRequest, User, P], HttpResponseBase],
) -> View:
    """A view for anybody with an account, whatever the workspace."""

    @functools.wraps(view)
    def checked(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        user = person(request)
        if user is None:
            return sign_in_first(request)
        return view(request, user, *args, **kwargs)

    return checked


def seat_of(user: User, workspace: int) -> Seat | None:
    """The person's seat, or None where the workspace is not there or not theirs to see."""
    known = WorkspaceId(workspace)
    mine = dict(workspaces.visible_to(user.pk, is_owner(user)))
    if known not in mine:
        return None
    role = "owner" if is_owner(user) else workspaces.role_of(known, user.pk)
    if role is None:
        return None
    return Seat(app.service(), known, mine[known], role, user.email or user.get_username())


def in_workspace(
    post: Right | None = None,
) -> Callable[
    [Callable[Concatenate[HttpRequest, Seat, P], HttpResponseBase]],
    View,
]:
    """A view of one workspace: 404 unless it is theirs; POST only where `post` names the right."""

    def wrap(
        view: Callable[Concatenate[HttpRequest, Seat, P], HttpResponseBase],
    ) -> View:
        @functools.wraps(view)
        def checked(
            request: HttpRequest, workspace: int, *args: P.args, **kwargs: P.kwargs
        ) -> HttpResponseBase:
            user = person(request)
            if user is None:
                return sign_in_first(request)
            seat = seat_of(user, workspace)
            if seat is None:
                raise Http404
            if request.method == "POST":
                if post is None:
                    return HttpResponseNotAllowed(["GET"])
                if not seat.may(post):
                    raise PermissionDenied(post.value)
            elif request.method not in ("GET", "HEAD"):
                return HttpResponseNotAllowed(["GET", "POST"])
            return view(request, seat, *args, **kwargs)

        return checked

    return wrap
