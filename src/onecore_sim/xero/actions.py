"""What a person does in Xero, and what a test wants done: over HTTP under /_sim/do, and for pages.

Every action takes a JSON object. `tenant_id` may be left out while there is one organisation, and
`by` names the person.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from onecore_sim.xero import (
    acts,
    chart,
    contacts,
    documents,
    oauth,
    payments,
    seed,
    settings,
    show,
    tracking,
    wire,
)
from onecore_sim.xero.desk import NOT_FOUND, Actor, Desk, Refused, new_id
from onecore_sim.xero.state import App, Contact, Document, Organisation, Payment, Webhook
from onecore_sim.xero.webhooks import DEFAULT_KEY

if TYPE_CHECKING:
    from onecore_sim.xero.simulator import XeroSimulator

BOOKKEEPER = "Bea Ledger"
Asked = dict[str, Any]


def desk_for(sim: "XeroSimulator", asked: Asked) -> Desk:
    """A person's desk in the organisation the action names, or that its record belongs to."""
    by = Actor(name=str(asked.get("by") or BOOKKEEPER))
    return Desk(_org(sim, asked), sim.clock.now(), by, settings.rules(sim.switches), 4)


def _org(sim: "XeroSimulator", asked: Asked) -> Organisation:
    if tenant_id := asked.get("tenant_id"):
        org = sim.state.organisations.get(str(tenant_id).lower())
        if org is None:
            raise Refused(f"There is no organisation {tenant_id}.")
        return org
    for org in sim.state.organisations.values():
        for key, pool in (
            ("invoice_id", org.invoices),
            ("credit_note_id", org.credit_notes),
            ("payment_id", org.payments),
            ("contact_id", org.contacts),
        ):
            if str(asked.get(key, "")).lower() in pool:
                return org
    return next(iter(sim.state.organisations.values()))


def _invoice(desk: Desk, asked: Asked) -> Document:
    wanted = str(asked.get("invoice_id") or asked.get("credit_note_id") or "").lower()
    found = desk.org.document(wanted)
    if found is None:
        raise Refused(NOT_FOUND)
    return found


def _contact(desk: Desk, asked: Asked, key: str = "contact_id") -> Contact:
    found = desk.org.contacts.get(str(asked.get(key, "")).lower())
    if found is None:
        raise Refused(NOT_FOUND)
    return found


def _given(asked: Asked, **names: str) -> Asked:
    """The parts of a Xero element that were asked for, under Xero's names."""
    return {theirs: asked[ours] for ours, theirs in names.items() if asked.get(ours) is not None}


def pay(desk: Desk, asked: Asked) -> Payment:
    """Pay (a part of) a document from `account` (a code; the bank unless said); the rest unless

    `amount` says how much.
    """
    document = _invoice(desk, asked)
    key = "CreditNote" if document.is_credit else "Invoice"
    code = asked.get("account") or next(
        a.code for a in desk.org.accounts.values() if a.type == "BANK" and a.status == "ACTIVE"
    )
    sent = {
        key: {f"{key}ID": document.id},
        "Account": {"Code": code},
        "Amount": asked.get("amount") or document.due,
        **_given(asked, date="Date", reference="Reference", reconciled="IsReconciled"),
    }
    return payments.create(desk, sent, asked.get("batch_id"))


def remove_payment(desk: Desk, asked: Asked) -> Payment:
    found = desk.org.payments.get(str(asked.get("payment_id", "")).lower())
    if found is None:
        raise Refused(NOT_FOUND)
    return payments.delete(desk, found)


def batch_pay(desk: Desk, asked: Asked) -> list[Payment]:
    """Pay several bills whole in one batch."""
    batch = new_id()
    return [
        pay(desk, {**asked, "invoice_id": id_, "amount": None, "batch_id": batch})
        for id_ in asked["invoice_ids"]
    ]


def edit_line(desk: Desk, asked: Asked) -> Document:
    """Change one line on the screen; `amount` is the line's amount."""
    document = _invoice(desk, asked)
    wanted = str(asked.get("line_item_id", "")).lower()
    line = next((x for x in document.lines if x.id == wanted), None)
    if line is None:
        raise Refused(NOT_FOUND)
    change = _given(asked, account="AccountCode", tax_type="TaxType", description="Description")
    amount = wire.read_number(asked.get("amount"), "amount")
    if amount is not None and amount != line.amount:
        change |= {"Quantity": 1, "UnitAmount": amount}
    if "tracking" in asked:
        change["Tracking"] = asked["tracking"]
    lines = [{"LineItemID": x.id, **(change if x.id == wanted else {})} for x in document.lines]
    return documents.save(desk, {"LineItems": lines}, document, credit=document.is_credit)


def edit_invoice(desk: Desk, asked: Asked) -> Document:
    document = _invoice(desk, asked)
    number = "CreditNoteNumber" if document.is_credit else "InvoiceNumber"
    change = _given(
        asked, due_date="DueDate", date="Date", number=number, url="Url", reference="Reference"
    )
    if asked.get("contact_id"):
        change["Contact"] = {"ContactID": asked["contact_id"]}
    return documents.save(desk, change, document, credit=document.is_credit)


def set_status(desk: Desk, asked: Asked, status: str) -> Document:
    document = _invoice(desk, asked)
    sent: Asked = {"Status": status}
    if status == "AUTHORISED" and document.due_date is None:
        sent["DueDate"] = document.date.isoformat()
    return documents.save(desk, sent, document, credit=document.is_credit)


def void(desk: Desk, asked: Asked) -> Document:
    """Void an approved document, delete one that is not."""
    posted = _invoice(desk, asked).status in ("AUTHORISED", "PAID")
    return set_status(desk, asked, "VOIDED" if posted else "DELETED")


def new_document(desk: Desk, asked: Asked, type_: str) -> Document:
    """A document somebody else typed in. A line has description, amount, account, tax_type,

    quantity and tracking ([{"name": …, "option": …}]); `due_date` is the date unless said.
    """
    number = "CreditNoteNumber" if type_.endswith("CREDIT") else "InvoiceNumber"
    day = asked.get("date") or desk.today().isoformat()
    sent = {
        "Type": type_,
        "Contact": {"ContactID": asked["contact_id"]},
        "Date": day,
        "DueDate": asked.get("due_date") or day,
        "LineItems": [_line(line) for line in asked.get("lines", [])],
        **_given(
            asked, number=number, status="Status", url="Url", reference="Reference",
            line_amount_types="LineAmountTypes",
        ),
    }  # fmt: skip
    return documents.save(desk, sent, None, credit=type_.endswith("CREDIT"))


def _line(asked: Asked) -> Asked:
    line = {
        "Description": asked.get("description", ""),
        "Quantity": asked.get("quantity", 1),
        **_given(asked, amount="UnitAmount", account="AccountCode", tax_type="TaxType"),
    }
    if asked.get("tracking"):
        line["Tracking"] = [{"Name": t["name"], "Option": t["option"]} for t in asked["tracking"]]
    return line


def new_contact(desk: Desk, asked: Asked) -> Contact:
    sent = _given(
        asked, name="Name", email="EmailAddress", tax_number="TaxNumber", number="ContactNumber",
        payable_tax_type="AccountsPayableTaxType", receivable_tax_type="AccountsReceivableTaxType",
    )  # fmt: skip
    return contacts.save(desk, sent, None)


def edit_contact(desk: Desk, asked: Asked) -> Contact:
    sent = _given(
        asked, name="Name", email="EmailAddress", tax_number="TaxNumber", number="ContactNumber",
        payable_tax_type="AccountsPayableTaxType", receivable_tax_type="AccountsReceivableTaxType",
    )  # fmt: skip
    return contacts.save(desk, sent, _contact(desk, asked))


def archive_contact(desk: Desk, asked: Asked) -> Contact:
    found = _contact(desk, asked)
    contacts.archive(desk, found, bool(asked.get("archived", True)))
    return found


def merge_contact(desk: Desk, asked: Asked) -> Contact:
    """Merge `contact_id` into `into`."""
    winner = _contact(desk, asked, "into")
    contacts.merge(desk, _contact(desk, asked), winner)
    return winner


def lock(desk: Desk, asked: Asked) -> Organisation:
    """Set both lock dates; one that is left out or null is taken away."""
    desk.org.period_lock = wire.read_day(asked.get("period"), "period")
    desk.org.year_lock = wire.read_day(asked.get("end_of_year"), "end_of_year")
    return desk.org


def new_option(desk: Desk, asked: Asked) -> Any:
    category = _category(desk, asked)
    return tracking.add_option(category, str(asked.get("name", "")))


def edit_option(desk: Desk, asked: Asked) -> Any:
    """Rename an option, or archive it by status."""
    sent = _given(asked, name="Name", status="Status")
    return tracking.update_option(_category(desk, asked), str(asked["option_id"]).lower(), sent)


def _category(desk: Desk, asked: Asked) -> Any:
    wanted = str(asked.get("category", "")).lower()
    for category in desk.org.categories.values():
        if wanted in (category.id, category.name.lower()):
            return category
    raise Refused(NOT_FOUND)


def new_account(desk: Desk, asked: Asked) -> Any:
    sent = _given(
        asked, code="Code", name="Name", type="Type", tax_type="TaxType",
        payments="EnablePaymentsToAccount", bank_number="BankAccountNumber",
    )  # fmt: skip
    return chart.create(desk, sent)


def archive_account(desk: Desk, asked: Asked) -> Any:
    account = desk.org.account(str(asked.get("code", "")))
    if account is None:
        raise Refused(NOT_FOUND)
    return chart.set_status(desk, account, "ARCHIVED" if asked.get("archived", True) else "ACTIVE")


def allocate(desk: Desk, asked: Asked) -> Any:
    note = desk.org.credit_notes.get(str(asked.get("credit_note_id", "")).lower())
    if note is None:
        raise Refused(NOT_FOUND)
    invoice = {"InvoiceID": str(asked.get("invoice_id", ""))}
    sent = {"Invoice": invoice, **_given(asked, amount="Amount", date="Date")}
    return payments.allocate(desk, note, sent)


PERSONAL: dict[str, Callable[[Desk, Asked], Any]] = {
    "pay": pay,
    "remove_payment": remove_payment,
    "batch_pay": batch_pay,
    "edit_line": edit_line,
    "edit_invoice": edit_invoice,
    "void": void,
    "approve": lambda desk, asked: set_status(desk, asked, "AUTHORISED"),
    "new_bill": lambda desk, asked: new_document(desk, asked, "ACCPAY"),
    "new_sales_invoice": lambda desk, asked: new_document(desk, asked, "ACCREC"),
    "new_credit_note": lambda desk, asked: new_document(
        desk, asked, str(asked.get("type", "ACCPAYCREDIT"))
    ),
    "allocate": allocate,
    "new_contact": new_contact,
    "edit_contact": edit_contact,
    "archive_contact": archive_contact,
    "merge_contact": merge_contact,
    "new_account": new_account,
    "archive_account": archive_account,
    "lock": lock,
    "new_option": new_option,
    "edit_option": edit_option,
}


def perform(sim: "XeroSimulator", name: str, asked: Asked) -> tuple[Organisation, Any]:
    """Do one of PERSONAL and queue its webhooks; raises Refused and wire.Unreadable."""
    desk = desk_for(sim, asked)
    try:
        return desk.org, PERSONAL[name](desk, asked)
    finally:
        sim.publish(desk.org, desk.changes)


def described(org: Organisation, result: Any) -> Any:
    """What an action changed, in the API's shape."""
    if isinstance(result, list):
        return [described(org, item) for item in result]
    if isinstance(result, Document):
        return show.document(org, result, lines=True, unit_places=4, full=True)
    if isinstance(result, Payment):
        return show.payment(org, result)
    if isinstance(result, Contact):
        return show.contact(org, result, full=True)
    if isinstance(result, Organisation):
        return show.organisation(result)
    return result


def new_organisation(sim: "XeroSimulator", asked: Asked) -> Asked:
    """A further organisation of a country: AU, NZ, UK or US."""
    country = str(asked.get("country", "AU"))
    if country not in seed.CURRENCIES:
        raise Refused(f"Countries are {', '.join(seed.CURRENCIES)}, not {country}.")
    id_ = str(asked.get("tenant_id") or new_id()).lower()
    name = str(asked.get("name") or f"Another builder ({country})")
    org = seed.organisation(id_, name, country, sim.clock.now())
    sim.state.organisations[org.id] = org
    return {"tenant_id": org.id, **show.organisation(org)}


def keep_tracking(sim: "XeroSimulator", asked: Asked) -> Asked:
    org = _org(sim, asked)
    tracking.keep_active(org, int(asked["keep"]))
    return {"TrackingCategories": [show.category(c) for c in org.categories.values()]}


def token(sim: "XeroSimulator", asked: Asked) -> Asked:
    """A ready token set, as consent by the owner would give; `tenant_ids` or all organisations."""
    app = _app(sim, asked)
    if app.tenant_id:
        grant = oauth.custom_grant(sim, app) or seed.approve_custom(sim.state, app, sim.clock.now())
        oauth.connect(sim, grant, app.tenant_id)
        tenants = [app.tenant_id]
        scopes = _scopes(asked) or app.scopes
    else:
        scopes = _scopes(asked) or sorted(oauth.SCOPES - {"accounting.journals.read"})
        tenants = asked.get("tenant_ids") or list(sim.state.organisations)
        grant = oauth.allow(sim, app, str(asked.get("user") or oauth.OWNER), scopes, tenants)
        scopes = list(dict.fromkeys([*scopes, "offline_access"]))
    answer = oauth.issue(sim, grant, scopes)
    return {**answer, "tenant_id": tenants[0], "tenant_ids": tenants}


def _scopes(asked: Asked) -> list[str]:
    """The scopes asked for, as a list or in one string."""
    scopes = asked.get("scopes") or []
    return scopes.split() if isinstance(scopes, str) else [str(scope) for scope in scopes]


def _app(sim: "XeroSimulator", asked: Asked) -> App:
    client_id = str(asked.get("client_id") or seed.WEB_CLIENT[0])
    if client_id not in sim.state.apps:
        raise Refused(f"There is no app {client_id}.")
    return sim.state.apps[client_id]


def new_app(sim: "XeroSimulator", asked: Asked) -> Asked:
    """Another app; with `tenant_id` a custom connection."""
    id_, secret = str(asked["client_id"]), str(asked.get("secret", "secret"))
    tenant = asked.get("tenant_id")
    name = str(asked.get("name") or id_)
    app = seed.add_app(sim.state, id_, secret, name, tenant, sim.clock.now())
    app.redirect_uris = list(asked.get("redirect_uris") or [])
    return {"client_id": app.client_id, "secret": app.secret, "tenant_id": app.tenant_id}


def disconnect(sim: "XeroSimulator", asked: Asked) -> Asked:
    """The user removes the app from an organisation, or from all of them."""
    app = _app(sim, asked)
    tenant_id = str(asked.get("tenant_id") or "").lower()
    gone = [
        c.id
        for c in sim.state.connections.values()
        if c.client_id == app.client_id and tenant_id in ("", c.tenant_id)
    ]
    for id_ in gone:
        del sim.state.connections[id_]
    return {"disconnected": len(gone)}


def revoke(sim: "XeroSimulator", asked: Asked) -> Asked:
    """The grants of an app end, and its tokens with them."""
    app = _app(sim, asked)
    live = [g for g in sim.state.grants.values() if g.client_id == app.client_id and not g.revoked]
    for grant in live:
        oauth.revoke_grant(sim, grant)
    return {"revoked": len(live)}


def grant_scopes(sim: "XeroSimulator", asked: Asked) -> Asked:
    """Set the scopes of an app's grant and of the tokens it has."""
    app = _app(sim, asked)
    scopes = _scopes(asked)
    for grant in sim.state.grants.values():
        if grant.client_id == app.client_id and not grant.revoked:
            grant.scopes = scopes
            for known in sim.state.access_tokens.values():
                if known.grant_id == grant.id:
                    known.scopes = scopes
    if app.tenant_id:
        app.scopes = scopes
    return {"scopes": scopes}


SYSTEM: dict[str, Callable[["XeroSimulator", Asked], Asked]] = {
    "new_organisation": new_organisation,
    "tracking": keep_tracking,
    "token": token,
    "new_app": new_app,
    "disconnect": disconnect,
    "revoke": revoke,
    "revoke_grant": revoke,
    "grant_scopes": grant_scopes,
    **acts.ACTS,
}


async def webhook(sim: "XeroSimulator", asked: Asked) -> Asked:
    """Subscribe an app's URL: runs the intent to receive and tells the statuses it got.

    An empty url takes the subscription away.
    """
    app = _app(sim, asked)
    if not asked.get("url"):
        sim.state.webhooks.pop(app.client_id, None)
        return {"active": False, "statuses": []}
    hook = Webhook(
        client_id=app.client_id, url=str(asked["url"]), key=str(asked.get("key") or DEFAULT_KEY)
    )
    before = sim.state.webhooks.get(app.client_id)
    hook.sequence = before.sequence if before else 0
    sim.state.webhooks[app.client_id] = hook
    statuses = await sim.courier.intent_to_receive(hook)
    return {"active": hook.active, "statuses": statuses}


async def _done(sim: "XeroSimulator", name: str, asked: Asked) -> Any:
    if name == "webhook":
        return await webhook(sim, asked)
    if name in SYSTEM:
        return SYSTEM[name](sim, asked)
    if name in PERSONAL:
        org, result = perform(sim, name, asked)
        return described(org, result)
    known = ", ".join(sorted([*PERSONAL, *SYSTEM, "webhook"]))
    raise Refused(f"There is no action {name}. Known: {known}.")


def routes(sim: "XeroSimulator") -> list[BaseRoute]:
    async def do(request: Request) -> Response:
        try:
            asked = wire.decode(await request.body() or b"{}")
            told = await _done(sim, request.path_params["action"], asked)
        except Refused as refused:
            return _told({"errors": list(refused.messages)}, 400)
        except wire.Unreadable as error:
            return _told({"errors": [str(error)]}, 400)
        except KeyError as missing:
            return _told({"errors": [f"{missing} is needed."]}, 400)
        return _told(told)

    async def webhooks_now(request: Request) -> Response:
        return _told(
            {
                hook.client_id: {
                    "url": hook.url,
                    "active": hook.active,
                    "sequence": hook.sequence,
                    "waiting": len(hook.waiting),
                    "failing": len(hook.failing),
                    "forged": hook.forged,
                }
                for hook in sim.state.webhooks.values()
            }
        )

    return [
        Route("/_sim/do/{action}", do, methods=["POST"]),
        Route("/_sim/webhooks", webhooks_now, methods=["GET"]),
    ]


def _told(value: object, status: int = 200) -> Response:
    return Response(wire.encode(value), status, media_type="application/json")
