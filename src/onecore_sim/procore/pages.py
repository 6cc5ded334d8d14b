"""The simulator's pages for a person: projects, contracts, claims, vendors, the clock."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from onecore_sim.procore import actions, claim_actions, claims, records
from onecore_sim.procore.arithmetic import total
from onecore_sim.procore.claim_pages import claim_page, new_claim_page, said_lines
from onecore_sim.procore.core import Core
from onecore_sim.procore.errors import ApiError, not_found
from onecore_sim.procore.markup import button, dollars, form, link, number, row, status, table, text
from onecore_sim.procore.state import CLIENT_ID, CLIENT_SECRET, PERSON, Commitment, Project
from onecore_sim.procore.theme import page
from onecore_sim.procore.wire_contracts import totals, vendor_name

View = Callable[[Core, Request], str]
Doing = Callable[[Core, Request, dict[str, str]], str]
PROJECT, CONTRACT = "/{project_id:int}/project", "/{project_id:int}/project/contracts"
CLAIM = CONTRACT + "/requisitions/{id:int}"


def _shown(core: Core, view: View) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            return HTMLResponse(view(core, request))
        except ApiError as error:
            return _refused(error)

    return endpoint


def _done(core: Core, doing: Doing) -> Callable[[Request], Awaitable[Response]]:
    """What a form does; then the person sees the page it names."""

    async def endpoint(request: Request) -> Response:
        raw = await request.body()
        fields = dict(parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True))
        try:
            return RedirectResponse(doing(core, request, fields), 303)
        except ApiError as error:
            return _refused(error)

    return endpoint


def _refused(error: ApiError) -> Response:
    body = f'<h1>That cannot be done</h1><p class="alert" role="alert">{text(error.text)}</p>'
    return HTMLResponse(page("Refused", body + '<p><a href="/">Projects</a></p>'), error.status)


def routes(core: Core) -> list[BaseRoute]:
    shown: list[tuple[str, View]] = [
        ("/", _home),
        ("/vendors", _vendors),
        ("/clock", _clock),
        (f"{PROJECT}/home", _project),
        (f"{CONTRACT}/commitments/{{id:int}}", _commitment),
        (f"{CONTRACT}/commitments/{{id:int}}/requisitions/new", _new_claim),
        (CLAIM, _claim),
    ]
    done: list[tuple[str, Doing]] = [
        ("/clock", _move_clock),
        ("/vendors", _add_vendor),
        (f"{PROJECT}/home", _set_project),
        (f"{CONTRACT}/commitments/{{id:int}}/requisitions/new", _make_claim),
        (f"{CONTRACT}/change_orders/{{id:int}}", _approve_order),
        (CLAIM, _change_claim),
    ]
    return [
        *(Route(path, _shown(core, view), methods=["GET"]) for path, view in shown),
        *(Route(path, _done(core, doing), methods=["POST"]) for path, doing in done),
    ]


def _home(core: Core, request: Request) -> str:
    rows = [
        row(
            link(f"/{p.id}/project/home", p.name),
            text(p.number),
            "yes" if p.permitted else "no",
            str(len(p.commitments)),
            str(len(p.requisitions)),
            str(sum(1 for c in p.requisitions.values() if c.status == "under_review")),
        )
        for p in core.state.projects.values()
    ]
    heads = ("Project", "Number", "OneCore may see it", "Commitments", "Claims", "Under review")
    return page(
        core.state.company_name,
        f"<h1>{text(core.state.company_name)}</h1>{table(heads, rows, 'Projects')}"
        "<h2>For connecting</h2><dl>"
        f"<dt>Company id</dt><dd>{core.state.company_id}</dd>"
        f"<dt>Client id</dt><dd>{CLIENT_ID}</dd><dt>Client secret</dt><dd>{CLIENT_SECRET}</dd>"
        "</dl>",
    )


def _project_of(core: Core, request: Request) -> Project:
    return core.project(request.path_params["project_id"])


def _commitment_of(core: Core, request: Request) -> tuple[Project, Commitment]:
    project = _project_of(core, request)
    return project, records.commitment_of(project, request.path_params["id"])


def _project(core: Core, request: Request) -> str:
    project = _project_of(core, request)
    here = f"/{project.id}/project/home"
    rows = []
    for one in project.commitments.values():
        chain = claims.chain(project, one.id)
        shown = " ".join(
            link(f"/{project.id}/project/contracts/requisitions/{c.id}", f"No. {c.number}")
            + f" {status(c.status)}"
            for c in chain
        )
        rows.append(
            row(
                link(f"/{project.id}/project/contracts/commitments/{one.id}", one.number),
                text(one.title),
                text(vendor_name(core, one)),
                status(one.status),
                number(totals(project, one)["revised_contract"]),
                shown or "None",
            )
        )
    heads = ("Commitment", "Title", "Vendor", "Status", "#Revised sum", "Claims")
    permit = button("Hide from OneCore" if project.permitted else "Permit OneCore", "permitted",
                    "no" if project.permitted else "yes", quiet=True)  # fmt: skip
    switches = " ".join(
        button(f"Turn {name.replace('_', ' ')} {'off' if on else 'on'}", "tool", name, quiet=True)
        for name, on in project.tools.items()
    )
    return page(
        project.name,
        f"<h1>{text(project.number)} {text(project.name)}</h1>"
        f"{table(heads, rows, 'Commitments')}"
        f"<h2>What OneCore may see</h2><p>The project is "
        f"{'permitted' if project.permitted else 'not permitted'}.</p>{form(here, permit)}"
        f"<h2>Tools</h2>{form(here, switches, inline=True)}",
    )


def _set_project(core: Core, request: Request, fields: dict[str, str]) -> str:
    project = _project_of(core, request)
    if "permitted" in fields:
        actions.set_project(core, project, {"permitted": fields["permitted"] == "yes"}, PERSON)
    if tool := fields.get("tool"):
        turned = {tool: not project.tools.get(tool, False)}
        actions.set_project(core, project, {"tools": turned}, PERSON)
    return f"/{project.id}/project/home"


def _commitment(core: Core, request: Request) -> str:
    project, one = _commitment_of(core, request)
    base = f"/{project.id}/project/contracts"
    lines = [
        row(
            text(core.state.cost_codes[x.cost_code_id].code),
            text(core.state.cost_types[x.line_item_type_id].name),
            text(x.description),
            number(x.amount),
        )
        for x in one.lines
    ]
    orders = []
    for order in claims.change_orders(project, one.id):
        approve = form(f"{base}/change_orders/{order.id}", button(f"Approve {order.number}"))
        orders.append(
            row(
                text(order.number),
                text(order.title),
                status(order.status),
                number(total(x.amount for x in order.lines)),
                "" if order.status == "approved" else approve,
            )
        )
    made = [
        row(
            link(f"{base}/requisitions/{c.id}", f"No. {c.number}"),
            text(c.invoice_number),
            text(c.billing_date),
            status(c.status),
            number(claims.gross(c)),
            number(claims.summary(c).current_payment_due),
        )
        for c in claims.chain(project, one.id)
    ]
    held = f"{one.retainage_percent:f} %"
    if one.max_retainage is not None:
        held += f" until {dollars(one.max_retainage)} is held"
    return page(
        one.title,
        f"<p>{link(f'/{project.id}/project/home', project.name)}</p>"
        f"<h1>{text(one.number)} {text(one.title)}</h1><dl>"
        f"<dt>Vendor</dt><dd>{text(vendor_name(core, one))}</dd>"
        f"<dt>Status</dt><dd>{status(one.status)}</dd><dt>Retainage</dt><dd>{held}</dd></dl>"
        f"<h2>Claims</h2>"
        + table(
            ("Claim", "Invoice", "Billing date", "Status", "#Claimed", "#Payment due"),
            made,
            "Claims",
        )
        + f"<p>{link(f'{base}/commitments/{one.id}/requisitions/new', 'New claim')}</p>"
        "<h2>Schedule of values</h2>"
        + table(("Cost code", "Cost type", "Description", "#Amount"), lines, "Schedule of values")
        + "<h2>Change orders</h2>"
        + table(("Number", "Title", "Status", "#Amount", ""), orders, "Change orders"),
    )


def _approve_order(core: Core, request: Request, fields: dict[str, str]) -> str:
    project = _project_of(core, request)
    order = project.change_orders.get(request.path_params["id"])
    if order is None:
        raise not_found()
    actions.set_change_order_status(core, project, order, "approved", PERSON)
    return f"/{project.id}/project/contracts/commitments/{order.contract_id}"


def _new_claim(core: Core, request: Request) -> str:
    return new_claim_page(core, *_commitment_of(core, request))


def _make_claim(core: Core, request: Request, fields: dict[str, str]) -> str:
    project, commitment = _commitment_of(core, request)
    said = {"lines": said_lines(fields), "status": fields.get("status") or "draft"}
    for name in ("invoice_number", "billing_date"):
        if fields.get(name):
            said[name] = fields[name]
    claim = claim_actions.new_claim(core, project, commitment, said, PERSON)
    return f"/{project.id}/project/contracts/requisitions/{claim.id}"


def _claim(core: Core, request: Request) -> str:
    project = _project_of(core, request)
    return claim_page(core, project, claim_actions.claim_of(project, request.path_params["id"]))


def _change_claim(core: Core, request: Request, fields: dict[str, str]) -> str:
    """The claim page's buttons: a new status, saved amounts, or deletion."""
    project = _project_of(core, request)
    claim = claim_actions.claim_of(project, request.path_params["id"])
    match fields.get("do"):
        case "delete":
            claim_actions.delete_claim(core, project, claim, PERSON)
            return f"/{project.id}/project/contracts/commitments/{claim.commitment_id}"
        case "save":
            said = {"lines": said_lines(fields), "invoice_number": fields.get("invoice_number")}
            claim_actions.edit_claim(core, project, claim, said, PERSON)
        case wanted:
            claim_actions.set_status(core, project, claim, wanted or "", PERSON)
    return f"/{project.id}/project/contracts/requisitions/{claim.id}"


def _vendors(core: Core, request: Request) -> str:
    rows = [
        row(text(v.name), text(v.abn), text(v.email), "active" if v.is_active else "inactive")
        for v in sorted(core.state.vendors.values(), key=lambda v: v.name.lower())
    ]
    fields = (
        '<label>Name <input name="name" required></label> '
        '<label>ABN <input name="abn"></label> '
        '<label>E-mail <input name="email"></label> '
    )
    return page(
        "Vendors",
        f"<h1>Vendors</h1>{table(('Name', 'ABN', 'E-mail', 'State'), rows, 'Vendors')}"
        f"<h2>New vendor</h2>{form('/vendors', fields + button('Add vendor'), inline=True)}",
    )


def _add_vendor(core: Core, request: Request, fields: dict[str, str]) -> str:
    actions.new_vendor(core, {k: v for k, v in fields.items() if v}, PERSON)
    return "/vendors"


def _clock(core: Core, request: Request) -> str:
    now = core.now()
    ahead = " ".join(
        button(label, "hours", str(hours), quiet=True)
        for label, hours in (("One hour on", 1), ("One day on", 24), ("One week on", 168))
    )
    setting = (
        f'<label>Set to (UTC) <input type="datetime-local" name="now" '
        f'value="{now:%Y-%m-%dT%H:%M}"></label> {button("Set the clock")}'
    )
    return page(
        "Clock",
        f"<h1>Clock</h1><p>In this simulator it is <strong>{now:%A %d %B %Y, %H:%M} UTC"
        f"</strong>.</p>{form('/clock', ahead, inline=True)}<p></p>{form('/clock', setting)}",
    )


def _move_clock(core: Core, request: Request, fields: dict[str, str]) -> str:
    try:
        if "hours" in fields:
            core.clock.advance(timedelta(hours=int(fields["hours"])))
        elif fields.get("now"):
            core.clock.set(datetime.fromisoformat(fields["now"] + "+00:00"))
    except ValueError:
        raise ApiError(400, "That is not a time") from None
    return "/clock"
