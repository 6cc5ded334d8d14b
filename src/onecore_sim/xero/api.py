"""The table of the accounting API: address, verbs, scope, handler."""

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from onecore_sim.xero import api_documents as docs
from onecore_sim.xero import api_files as files
from onecore_sim.xero import api_records as records
from onecore_sim.xero.call import Handler, endpoint

if TYPE_CHECKING:
    from onecore_sim.xero.simulator import XeroSimulator

BASE = "/api.xro/2.0"
INVOICES = "accounting.invoices"
PAYMENTS = "accounting.payments"
CONTACTS = "accounting.contacts"
SETTINGS = "accounting.settings"
ATTACHMENTS = "accounting.attachments"
Row = tuple[str, str, str, Handler]


def table() -> list[Row]:
    """Method, address, scope and handler; `{kind}` rows are filled by the caller."""
    rows: list[Row] = [
        ("GET", "/Organisation", SETTINGS, records.organisation),
        ("GET", "/Organisations", SETTINGS, records.organisation),
        ("GET", "/Users", SETTINGS, records.users),
        ("GET", "/Currencies", SETTINGS, records.currencies),
        ("GET", "/Accounts", SETTINGS, records.list_accounts),
        ("PUT", "/Accounts", SETTINGS, records.create_account),
        ("GET", "/Accounts/{id}", SETTINGS, records.one_account),
        ("POST", "/Accounts/{id}", SETTINGS, records.update_account),
        ("DELETE", "/Accounts/{id}", SETTINGS, records.delete_account),
        ("GET", "/TaxRates", SETTINGS, records.list_tax_rates),
        ("GET", "/TaxRates/{id}", SETTINGS, records.one_tax_rate),
        ("GET", "/TrackingCategories", SETTINGS, records.list_categories),
        ("PUT", "/TrackingCategories", SETTINGS, records.create_category),
        ("GET", "/TrackingCategories/{id}", SETTINGS, records.one_category),
        ("POST", "/TrackingCategories/{id}", SETTINGS, records.update_category),
        ("DELETE", "/TrackingCategories/{id}", SETTINGS, records.delete_category),
        ("PUT", "/TrackingCategories/{id}/Options", SETTINGS, records.create_options),
        ("POST", "/TrackingCategories/{id}/Options/{option_id}", SETTINGS, records.update_option),
        ("DELETE", "/TrackingCategories/{id}/Options/{option_id}", SETTINGS, records.delete_option),
        ("GET", "/Contacts", CONTACTS, records.list_contacts),
        ("PUT", "/Contacts", CONTACTS, records.write_contacts),
        ("POST", "/Contacts", CONTACTS, records.write_contacts),
        ("GET", "/Contacts/{id}", CONTACTS, records.one_contact),
        ("POST", "/Contacts/{id}", CONTACTS, records.update_contact),
        ("GET", "/Payments", PAYMENTS, records.list_payments),
        ("PUT", "/Payments", PAYMENTS, records.create_payments),
        ("POST", "/Payments", PAYMENTS, records.delete_payment),
        ("GET", "/Payments/{id}", PAYMENTS, records.one_payment),
        ("POST", "/Payments/{id}", PAYMENTS, records.delete_payment),
        ("PUT", "/CreditNotes/{id}/Allocations", INVOICES, docs.allocate),
        ("DELETE", "/CreditNotes/{id}/Allocations/{allocation_id}", INVOICES, docs.take_back),
    ]
    for kind in (docs.INVOICES, docs.CREDIT_NOTES):
        rows += [
            ("GET", f"/{kind.name}", INVOICES, docs.list_of(kind)),
            ("PUT", f"/{kind.name}", INVOICES, docs.write_of(kind)),
            ("POST", f"/{kind.name}", INVOICES, docs.write_of(kind)),
            ("GET", f"/{kind.name}/{{id}}", INVOICES, docs.one_of(kind)),
            ("POST", f"/{kind.name}/{{id}}", INVOICES, docs.update_of(kind)),
        ]
    families = {"Invoices": INVOICES, "CreditNotes": INVOICES, "Contacts": CONTACTS}
    for name, family in families.items():
        rows += [
            ("GET", f"/{{kind:{name}}}/{{id}}/Attachments", ATTACHMENTS, files.attachments),
            ("GET", f"/{{kind:{name}}}/{{id}}/Attachments/{{name}}", ATTACHMENTS, files.attachment),
            ("PUT", f"/{{kind:{name}}}/{{id}}/Attachments/{{name}}", ATTACHMENTS, files.attach),
            ("POST", f"/{{kind:{name}}}/{{id}}/Attachments/{{name}}", ATTACHMENTS, files.attach),
            ("GET", f"/{{kind:{name}}}/{{id}}/History", family, files.history),
            ("PUT", f"/{{kind:{name}}}/{{id}}/History", family, files.add_note),
        ]
    rows += [
        ("GET", "/{kind:Payments}/{id}/History", PAYMENTS, files.history),
        ("PUT", "/{kind:Payments}/{id}/History", PAYMENTS, files.add_note),
    ]
    return rows


def routes(sim: "XeroSimulator") -> list[BaseRoute]:
    """One route per address, so that a verb it does not know answers 501 as Xero's do."""
    by_path: dict[str, dict[str, tuple[str, Handler]]] = {}
    for method, path, family, handler in table():
        by_path.setdefault(path, {})[method] = (family, handler)
    found: list[BaseRoute] = [_route(sim, path, verbs) for path, verbs in by_path.items()]

    async def nothing(request: Request) -> Response:
        text = "The resource you're looking for cannot be found"
        return Response(text, 404, media_type="text/html")

    verbs = ["GET", "PUT", "POST", "DELETE"]
    return [*found, Route(BASE + "/{path:path}", nothing, methods=verbs)]


def _route(sim: "XeroSimulator", path: str, verbs: dict[str, tuple[str, Handler]]) -> BaseRoute:
    kind = ""
    if path.startswith("/{kind:"):
        kind = path[len("/{kind:") : path.index("}")]
        path = f"/{kind}" + path[path.index("}") + 1 :]
    ends = {method: endpoint(sim, family, handler) for method, (family, handler) in verbs.items()}

    async def answer(request: Request) -> Response:
        end = ends.get(request.method)
        if end is None:
            return Response("This verb is not implemented.", 501, media_type="text/plain")
        if kind:
            request.path_params["kind"] = kind
        return await end(request)

    return Route(BASE + path, answer, methods=["GET", "PUT", "POST", "DELETE"])
