"""Every address OneCore serves."""

from allauth.account import views as accounts
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, URLResolver, include, path

from onecore.web.views import (
    about,
    attention,
    budget,
    connections,
    demo,
    documents,
    editing,
    home,
    machine,
    mapping,
    remedies,
    start,
)

_workspace: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("look", home.look_now, name="look_now"),
    path("pause", home.pause, name="pause"),
    path("go", documents.go, name="go"),
    path("documents", documents.documents, name="documents"),
    path("documents/live", documents.documents_live, name="documents_live"),
    path("documents/<path:ref>/live", documents.document_live, name="document_live"),
    path("documents/<path:ref>/state", documents.document_state, name="document_state"),
    path("documents/<path:ref>/sync", documents.sync_now, name="sync_now"),
    path("documents/<path:ref>/approve", documents.approve, name="approve"),
    path("documents/<path:ref>/reject", documents.reject, name="reject"),
    path("documents/<path:ref>", documents.document, name="document"),
    path("attention", attention.attention, name="attention"),
    path("attention/state", attention.attention_state, name="attention_state"),
    path("attention/<int:matter>/resolve", attention.resolve, name="resolve"),
    path("remedy", remedies.remedy, name="remedy"),
    path("mapping", mapping.maps, name="mapping_start"),
    path("mapping/coverage", mapping.coverage, name="coverage"),
    path("mapping/coverage/live", mapping.coverage_live, name="coverage_live"),
    path("mapping/<slug:what>", mapping.maps, name="mapping"),
    path("mapping/<slug:what>/proposals", mapping.proposals, name="proposals"),
    path("budget", budget.budget, name="budget"),
    path("connections", connections.connections, name="connections"),
    path("connections/procore", connections.procore, name="connect_procore"),
    path("connections/xero", connections.xero, name="connect_xero"),
    path("connections/webhooks", connections.webhooks, name="look_at_webhooks"),
    path("settings", editing.settings, name="settings"),
    path("settings/flow", editing.flow, name="flow_mode"),
    path("activity", about.activity, name="activity"),
    path("help", about.help_page, name="help"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", start.root, name="root"),
    path("workspaces", start.chooser, name="chooser"),
    path("w/<int:workspace>/", include(_workspace)),
    path("accounts/login/", accounts.login, name="account_login"),
    path("accounts/logout/", accounts.logout, name="account_logout"),
    path("accounts/inactive/", accounts.account_inactive, name="account_inactive"),
    path("accounts/signup/", accounts.signup, name="account_signup"),  # closed, but named inside
    path("accounts/password/", accounts.password_change, name="account_change_password"),
    path("accounts/password/set/", accounts.password_set, name="account_set_password"),
    path("accounts/confirm/", accounts.reauthenticate, name="account_reauthenticate"),
    path("connect/xero/callback", connections.xero_callback, name="xero_callback"),
    path("connect/procore/callback", connections.procore_callback, name="procore_callback"),
    path("demo", demo.tour, name="tour"),
    path("health", machine.health, name="health"),
    path("metrics", machine.metrics, name="metrics"),
]


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _plain(request, 404, "Not found", "There is no such page, or it is not yours to see.")


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    text = "Your role in this workspace does not allow that. Ask an owner of the workspace."
    return _plain(request, 403, "Not allowed", text)


def bad(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _plain(request, 400, "That cannot be read", "The request was not understood.")


def broken(request: HttpRequest) -> HttpResponse:
    text = "OneCore met something it did not expect. Nothing is lost; the log has a line about it."
    return _plain(request, 500, "Something went wrong", text)


def stale_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    text = "The page was open too long, or cookies are off. Go back, reload it and try again."
    return _plain(request, 403, "This form is out of date", text)


def _plain(request: HttpRequest, status: int, title: str, text: str) -> HttpResponse:
    values = {"title": title, "text": text}
    return render(None, "onecore/trouble.html", values, status=status)


handler400 = bad
handler403 = forbidden
handler404 = not_found
handler500 = broken
