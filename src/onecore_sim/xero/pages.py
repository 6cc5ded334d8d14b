"""The bookkeeper's pages: what a person sees and does in an organisation."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from onecore_sim.xero import actions, page_bodies, wire
from onecore_sim.xero.desk import Refused
from onecore_sim.xero.layout import page
from onecore_sim.xero.state import Organisation

if TYPE_CHECKING:
    from onecore_sim.xero.simulator import XeroSimulator

Form = dict[str, str]
End = Callable[[Request], Awaitable[Response]]
FLAGS = {"archived"}


def routes(sim: "XeroSimulator") -> list[BaseRoute]:
    return [
        Route("/", _shown(sim, _home)),
        Route("/sim/apps", _shown(sim, _apps)),
        Route("/sim/clock", _clock(sim), methods=["GET", "POST"]),
        Route("/sim/disconnect", _disconnect(sim), methods=["POST"]),
        Route("/bills/view/{id}", _shown(sim, _document)),
        Route("/invoicing/view/{id}", _shown(sim, _document)),
        Route("/o/{tenant}/{what}", _shown(sim, _list)),
        Route("/act/{action}", _act(sim), methods=["POST"]),
    ]


def _shown(
    sim: "XeroSimulator", body: Callable[["XeroSimulator", Request], tuple[str, str, str] | None]
) -> End:
    """A page from a function that gives title, body and navigation, or None for 404."""

    async def show(request: Request) -> Response:
        made = body(sim, request)
        if made is None:
            text = page("Not found", "<h1>Not found</h1><p>There is nothing here.</p>")
            return Response(text, 404, media_type="text/html")
        title, content, navigation = made
        problem = request.query_params.get("problem", "")
        content = page_bodies.alert(problem) + content
        return Response(page(title, content, navigation), media_type="text/html")

    return show


def _home(sim: "XeroSimulator", request: Request) -> tuple[str, str, str]:
    return "Organisations", page_bodies.home(sim.state), ""


def _apps(sim: "XeroSimulator", request: Request) -> tuple[str, str, str]:
    return "Connected apps", page_bodies.apps(sim.state), ""


def _document(sim: "XeroSimulator", request: Request) -> tuple[str, str, str] | None:
    wanted = request.path_params["id"].lower()
    for org in sim.state.organisations.values():
        document = org.document(wanted)
        if document is not None:
            title = f"{page_bodies.word_for(document)} {document.number}".strip()
            return title, page_bodies.document(org, document), page_bodies.navigation(org)
    return None


def _list(sim: "XeroSimulator", request: Request) -> tuple[str, str, str] | None:
    org = sim.state.organisations.get(request.path_params["tenant"].lower())
    what = request.path_params["what"]
    bodies: dict[str, tuple[str, Callable[[Organisation], str]]] = {
        "bills": ("Bills", lambda o: page_bodies.documents(o, "ACCPAY")),
        "sales": ("Sales invoices", lambda o: page_bodies.documents(o, "ACCREC")),
        "credits": ("Credit notes", page_bodies.credit_notes),
        "contacts": ("Contacts", page_bodies.contacts),
        "tracking": ("Tracking", page_bodies.tracking),
        "accounts": ("Chart of accounts", page_bodies.accounts),
        "locks": ("Lock dates", page_bodies.locks),
    }
    if org is None or what not in bodies:
        return None
    title, body = bodies[what]
    return title, f"<h1>{title}</h1>" + body(org), page_bodies.navigation(org)


def _act(sim: "XeroSimulator") -> End:
    """A button: do the action, then show the page it came from, with the reason if refused."""

    async def act(request: Request) -> Response:
        form = await _form(request)
        back = form.pop("back", "/")
        back = back if back.startswith("/") and not back.startswith("//") else "/"
        asked: actions.Asked = {key: value for key, value in form.items() if value != ""}
        asked |= {key: form[key] == "true" for key in FLAGS & form.keys()}
        problem = ""
        try:
            if request.path_params["action"] not in actions.PERSONAL:
                raise Refused("There is no such button.")
            actions.perform(sim, request.path_params["action"], asked)
        except Refused as refused:
            problem = " ".join(refused.messages)
        except wire.Unreadable as error:
            problem = str(error)
        except KeyError as missing:
            problem = f"{missing} is needed."
        return _back(back, problem)

    return act


def _back(back: str, problem: str) -> Response:
    return RedirectResponse(back + (f"?problem={quote(problem)}" if problem else ""), 303)


async def _form(request: Request) -> Form:
    return dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))


def _clock(sim: "XeroSimulator") -> End:
    async def clock(request: Request) -> Response:
        if request.method == "POST":
            form = await _form(request)
            try:
                if form.get("now"):
                    at = datetime.fromisoformat(form["now"])
                    sim.clock.set(at if at.tzinfo else at.astimezone())
                elif form.get("hours"):
                    sim.clock.advance(timedelta(hours=int(form["hours"])))
            except ValueError as error:
                return _back("/sim/clock", str(error))
            return _back("/sim/clock", "")
        body = page_bodies.alert(request.query_params.get("problem", ""))
        body += page_bodies.clock(sim.clock.now())
        return Response(page("Clock", body), media_type="text/html")

    return clock


def _disconnect(sim: "XeroSimulator") -> End:
    async def disconnect(request: Request) -> Response:
        form = await _form(request)
        problem = ""
        try:
            actions.disconnect(sim, dict(form))
        except Refused as refused:
            problem = " ".join(refused.messages)
        return _back("/sim/apps", problem)

    return disconnect
