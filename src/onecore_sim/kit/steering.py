"""A simulator's pages for laying faults and turning switches; the simulator gives their frame."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from html import escape
from typing import Any, Protocol
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from onecore_sim.kit.catalogue import Asked, Catalogue
from onecore_sim.kit.faults import Fault, Faults
from onecore_sim.kit.switches import Switch, Switches, Value

Frame = Callable[[str, str], str]
"""A whole page of a title, plain text, and a body, which is markup."""
Fields = dict[str, str]
READ: dict[str, Callable[[str], object]] = {
    "skip": int,
    "times": int,
    "seed": int,
    "status": int,
    "chance": float,
    "seconds": float,
    "elements": lambda text: [int(n) for n in text.split(",")],
}


class Steered(Protocol):
    switches: Switches
    faults: Faults
    catalogue: Catalogue


def routes(sim: Steered, frame: Frame, base: str = "") -> list[BaseRoute]:
    """`{base}/faults` and `{base}/switches`, shown and changed."""
    faults, switches = f"{base}/faults", f"{base}/switches"

    def lay(fields: Fields) -> None:
        if fields.pop("take_away", ""):
            sim.faults.clear()
        else:
            sim.faults.add(sim.catalogue.rule(_asked(fields)))

    def turn(fields: Fields) -> None:
        set_switch(sim.switches, fields.get("name", ""), fields.get("value", ""))

    pages = (
        (faults, "Faults", lambda: _faults(sim, faults), lay),
        (switches, "Switches", lambda: _switches(sim.switches, switches), turn),
    )
    return [
        Route(path, _page(path, title, frame, body, change), methods=["GET", "POST"])
        for path, title, body, change in pages
    ]


def _page(
    path: str,
    title: str,
    frame: Frame,
    body: Callable[[], str],
    change: Callable[[Fields], None],
) -> Callable[[Request], Awaitable[Response]]:
    async def page(request: Request) -> Response:
        if request.method == "GET":
            return HTMLResponse(frame(title, body()))
        raw = await request.body()
        try:
            change(dict(parse_qsl(raw.decode("utf-8", "replace"))))
        except ValueError as error:
            alert = f'<p class="alert" role="alert">{escape(str(error))}</p>'
            return HTMLResponse(frame(title, alert + body()), 400)
        return RedirectResponse(path, 303)

    return page


def _asked(fields: Fields) -> Asked:
    """What a form asks for; fields left empty are as the catalogue has them."""
    told: dict[str, Any] = dict(fields)
    for name, read in READ.items():
        if name in told:
            try:
                told[name] = read(told[name])
            except ValueError:
                raise ValueError(f"{name} has to be a number, not {told[name]!r}.") from None
    if "told" in told:
        told["told"] = told["told"] == "yes"
    return msgspec.convert(told, Asked)


def _faults(sim: Steered, action: str) -> str:
    listing = sim.catalogue.listing()
    everywhere = [one["name"] for one in listing["endpoints"]]
    words = sorted({word for one in listing["faults"] for word in one["says"]})
    laying = "".join(
        (
            _choice("name", "Fault", [one["name"] for one in listing["faults"]]),
            _choice("endpoint", "Where", ["", *everywhere]),
            _field("skip", "First let pass", "0"),
            _field("times", "Then hit (0: all)", "1"),
            _field("chance", "With chance", "1"),
            _field("seed", "Seed", "0"),
            _field("seconds", "Seconds"),
            _choice("told", "Tell Retry-After", ["", "yes", "no"]),
            _field("status", "Status"),
            _field("elements", "Elements, as 1,3"),
            _choice("say", "Saying", ["", *words]),
            "<button>Lay fault</button>",
        )
    )
    known = [
        (
            f"<code>{escape(one['name'])}</code>",
            escape(one["about"]),
            escape(", ".join(f"{k} {_shown(v)}" for k, v in one["takes"].items())),
            escape(_places(sim.catalogue.faults[one["name"]].only)),
        )
        for one in listing["faults"]
    ]
    away = _form(action, '<button name="take_away" value="yes">Take all away</button>')
    return (
        "<h1>Faults</h1><p>What goes wrong with what apps ask. What is left empty is as the list "
        f"below has it.</p>{_form(action, laying)}<h2>In force</h2>"
        f"{_table(('Fault', 'Requests', 'Met', 'Hit', 'Of'), map(_in_force, sim.faults.rules()))}"
        f"{away if sim.faults.rules() else ''}<h2>What there is</h2>"
        f"{_table(('Fault', 'What happens', 'Takes', 'Where'), known)}"
    )


def _places(only: Sequence[str]) -> str:
    return ", ".join(only) or "all requests"


def _in_force(rule: Fault) -> Sequence[str]:
    where = f"{rule.method or 'any'} {rule.path}"
    return (
        f"<code>{escape(rule.name or rule.kind.value)}</code>",
        f"<code>{escape(where)}</code>",
        str(rule.seen),
        str(rule.hits),
        str(rule.times) if rule.times else "all",
    )


def set_switch(switches: Switches, name: str, given: str) -> None:
    """Turn a switch to what a form says; raises ValueError with what is wrong."""
    declared = switches.declared.get(name)
    if declared is not None and isinstance(declared.default, bool):
        switches.set(name, given == "on")
    elif declared is not None and isinstance(declared.default, int):
        if not given.lstrip("-").isdigit():
            raise ValueError(f"Switch {name!r} takes a whole number, not {given!r}.")
        switches.set(name, int(given))
    else:
        switches.set(name, given)


def _switches(switches: Switches, action: str) -> str:
    rows = [
        (
            f"<code>{escape(switch.name)}</code>",
            escape(switch.about),
            escape(_shown(switches[switch.name])),
            _form(action, _control(switch, switches[switch.name])),
        )
        for switch in switches.declared.values()
    ]
    return (
        "<h1>Switches</h1><p>Facts that no public source settles, and figures that differ from "
        f"one app to the next.</p>{_table(('Switch', 'What it is about', 'Now', 'Change'), rows)}"
    )


def _control(switch: Switch, value: Value) -> str:
    """What changes one switch: a button, a choice or a field, each named after it."""
    hidden = f'<input type="hidden" name="name" value="{escape(switch.name)}">'
    label = f'aria-label="{escape(switch.name)}"'
    if isinstance(switch.default, bool):
        turned = "off" if value else "on"
        return (
            f'{hidden}<button class="quiet" name="value" value="{turned}">'
            f"Turn {escape(switch.name)} {turned}</button>"
        )
    if switch.choices:
        field = f'<select name="value" {label}>{_options(switch.choices, str(value))}</select>'
    else:
        field = f'<input name="value" size="6" {label} value="{escape(str(value))}">'
    return f'{hidden}{field} <button class="quiet">Set {escape(switch.name)}</button>'


def _shown(value: object) -> str:
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)


def _options(choices: Iterable[str], chosen: str = "") -> str:
    made = []
    for choice in choices:
        mark = " selected" if choice == chosen else ""
        label = escape(choice) if choice else "as usual"
        made.append(f'<option value="{escape(choice)}"{mark}>{label}</option>')
    return "".join(made)


def _choice(name: str, label: str, choices: Iterable[str]) -> str:
    return (
        f"<label><span>{escape(label)}</span> "
        f'<select name="{name}">{_options(choices)}</select></label>'
    )


def _field(name: str, label: str, value: str = "") -> str:
    return (
        f"<label><span>{escape(label)}</span> "
        f'<input name="{name}" size="6" value="{escape(value)}"></label>'
    )


def _form(action: str, inside: str) -> str:
    return f'<form class="row inline" method="post" action="{escape(action)}">{inside}</form>'


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in heads)
    body = "".join("<tr>" + "".join(f"<td>{c}</td>" for c in row) + "</tr>" for row in rows)
    body = body or f'<tr><td colspan="{len(heads)}">None</td></tr>'
    return (
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody>'
        "</table></div>"
    )
