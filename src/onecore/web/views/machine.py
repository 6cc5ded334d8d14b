"""Paths for machines: health and figures. No session, no cookies, little said."""

from ipaddress import ip_address

from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from onecore import app
from onecore.engine.use import health as checks
from onecore.web.access import is_owner, person


def _empty(status: int) -> HttpResponse:
    return HttpResponse(status=status, content_type="text/plain")


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
