"""What holds for every page: the content security policy, and errors as pages with a next step."""

from collections.abc import Callable
from typing import Any

import structlog
from django.conf import settings
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string
from whitenoise.middleware import WhiteNoiseMiddleware

from onecore.engine.use.errors import NeedsPerson, NotFound, OutOfReach, UseError

log = structlog.get_logger()


class StaticFiles(WhiteNoiseMiddleware):  # type: ignore[misc]
    """WhiteNoise that answers with the whole file: ours are small, and an ASGI server would
    otherwise have to turn a blocking stream into an asynchronous one for each."""

    @staticmethod
    def serve(static_file: Any, request: HttpRequest) -> HttpResponse:
        found = static_file.get_response(request.method, request.META)
        body = found.file.read() if found.file is not None else b""
        if found.file is not None:
            found.file.close()
        response = HttpResponse(body, status=int(found.status))
        del response["Content-Type"]
        for name, value in found.headers:
            response[name] = value
        return response


POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "form-action 'self' {remotes}"
)


class ContentSecurityPolicy:
    """Nothing from elsewhere, nothing inline; forms may lead to the remotes' sign-in only."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response
        self._policy = POLICY.format(remotes=" ".join(settings.ONECORE_SIGN_IN_ORIGINS))

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        response.headers.setdefault("Content-Security-Policy", self._policy)
        response.headers.setdefault(
            "Permissions-Policy", "camera=(), geolocation=(), microphone=()"
        )
        if request.path.startswith("/static/"):
            return response
        response.headers.setdefault("Cache-Control", "no-store")
        return response


class Troubles:
    """Turns errors that name a next step into a page that shows it; others stay short.

    What an unexpected error says may quote a document, so only its class is logged.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, NotFound):
            return trouble_page(404, "Not found", str(error))
        if isinstance(error, UseError):
            return trouble_page(400, "That cannot be done", str(error))
        if isinstance(error, NeedsPerson):
            return trouble_page(409, "This needs a person", str(error))
        if isinstance(error, OutOfReach):
            return trouble_page(503, "Out of reach", str(error))
        if isinstance(error, DatabaseError):
            log.error("page.no_database", path=request.path, error=type(error).__name__)
            return trouble_page(
                503,
                "The database does not answer",
                "Nothing is lost. Try again in a moment; if it stays, whoever runs OneCore can "
                "find out more with: onecore doctor",
            )
        return None


def trouble_page(status: int, title: str, text: str) -> HttpResponse:
    """A page that needs neither the database nor a session."""
    body = render_to_string("onecore/trouble.html", {"title": title, "text": text})
    return HttpResponse(body, status=status)
