"""Paths for machines: webhooks, health and figures. No session, no cookies, little said."""

from collections.abc import Callable
from ipaddress import ip_address

from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from onecore import app
from onecore.engine.use import doorbells
from onecore.engine.use import health as checks
from onecore.web.access import is_owner, person

LONGEST_DELIVERY = 1_000_000
"""Bytes; a delivery of either remote is far smaller."""


def _bounded(request: HttpRequest) -> bytes | None:
    """The very bytes that were sent, or None when there are too many of them."""
    try:
        told = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return None
    if told > LONGEST_DELIVERY:
        return None
    raw = request.read(LONGEST_DELIVERY + 1)
    return raw if len(raw) <= LONGEST_DELIVERY else None


def _empty(status: int) -> HttpResponse:
    return HttpResponse(status=status, content_type="text/plain")


@csrf_exempt
@require_POST
def xero_hook(request: HttpRequest) -> HttpResponse:
    """200 for what is signed with our key, also the intent to receive; 401 for all else [X 9]."""
    raw = _bounded(request)
    if raw is None:
        return _empty(413)
    if not app.xero_signature_ok(raw, request.headers.get("x-xero-signature", "")):
        return _empty(401)
    bells = app.xero_bells(raw)
    return _rung(lambda: doorbells.xero(app.service(), bells) >= 0) if bells else _empty(200)


@csrf_exempt
@require_POST
def procore_hook(request: HttpRequest, hook: str) -> HttpResponse:
    """200 for what carries the hook's own bearer, 401 for all else, an unknown hook included."""
    raw = _bounded(request)
    if raw is None:
        return _empty(413)
    try:
        door = doorbells.door(app.service(), hook)
    except DatabaseError:
        return _empty(503)
    given = request.headers.get("Authorization", "")
    if door is None or not app.procore_bearer_ok(given, door.bearer):
        return _empty(401)
    bell = app.procore_bell(raw)
    if bell is None:
        return _empty(200)
    return _rung(lambda: doorbells.procore(app.service(), door.workspace, bell))


def _rung(ring: Callable[[], object]) -> HttpResponse:
    """200 once it is noted; 503 without a database, so that the remote tries again."""
    try:
        ring()
    except DatabaseError:
        return _empty(503)
    return _empty(200)


@require_GET
def health(request: HttpRequest) -> HttpResponse:
    """200 while all works, 503 with what does not."""
    found = checks.health(app.service())
    body = {
        "status": "ok" if found.is_well else "trouble",
        "troubles": list(found.troubles),
        "worker_seen_at": found.worker_seen_at.isoformat() if found.worker_seen_at else None,
    }
    return JsonResponse(body, status=200 if found.is_well else 503)


@require_GET
def metrics(request: HttpRequest) -> HttpResponse:
    """Figures in Prometheus' text form: for a caller on this machine, or a signed-in owner.

    A request that came through a proxy carries a forwarding header and counts as from elsewhere.
    """
    if not _from_here(request):
        user = person(request)
        if user is None or not is_owner(user):
            return _empty(403)
    try:
        figures = checks.figures(app.service())
    except DatabaseError:
        return HttpResponse(
            "# HELP onecore_up The database answers.\n# TYPE onecore_up gauge\nonecore_up 0\n",
            content_type=PROMETHEUS,
        )
    return HttpResponse(exposition(figures), content_type=PROMETHEUS)


PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
FORWARDED = ("X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded", "X-Real-IP")


def _from_here(request: HttpRequest) -> bool:
    if any(name in request.headers for name in FORWARDED):
        return False
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def exposition(figures: list[checks.Figure]) -> str:
    """The text form: help and type once per name, then its values."""
    lines: list[str] = []
    named: set[str] = set()
    for figure in sorted(figures, key=lambda one: one.name):
        if figure.name not in named:
            lines += [f"# HELP {figure.name} {figure.help}", f"# TYPE {figure.name} gauge"]
            named.add(figure.name)
        labels = ",".join(f'{key}="{_plain(value)}"' for key, value in figure.labels)
        lines.append(
            f"{figure.name}{{{labels}}} {figure.value:g}"
            if labels
            else f"{figure.name} {figure.value:g}"
        )
    return "\n".join(lines) + "\n"


def _plain(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
