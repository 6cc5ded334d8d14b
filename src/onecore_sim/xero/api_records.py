"""Contacts, payments, accounts, tax rates, tracking, organisation and users over the API."""

from typing import Any, TypeVar

from onecore_sim.xero import chart, contacts, listing, payments, show, tracking, wire
from onecore_sim.xero.api_documents import echoed_id, pagination, write_many
from onecore_sim.xero.call import TOO_MANY, Answer, Call, NotThere, exception
from onecore_sim.xero.desk import NOT_FOUND, Refused
from onecore_sim.xero.state import Contact, Payment

T = TypeVar("T")
USERS = (
    ("0b5e8c1a-6a53-4c0e-9a5a-3d2f6f0a1c01", "Avery", "Owner", "STANDARD", True),
    ("0b5e8c1a-6a53-4c0e-9a5a-3d2f6f0a1c02", "Bea", "Ledger", "FINANCIALADVISER", False),
)


def organisation(call: Call) -> Answer:
    return Answer({"Organisations": [show.organisation(call.org)]})


def users(call: Call) -> Answer:
    rows = [
        {
            "UserID": id_,
            "EmailAddress": f"{first.lower()}@builder.example",
            "FirstName": first,
            "LastName": last,
            "UpdatedDateUTC": wire.ms_instant(call.org.created_at),
            "IsSubscriber": subscriber,
            "OrganisationRole": role,
        }
        for id_, first, last, role, subscriber in USERS
    ]
    return Answer({"Users": rows})


def currencies(call: Call) -> Answer:
    names = {"AUD": "Australian Dollar", "NZD": "New Zealand Dollar"}
    names |= {"GBP": "British Pound", "USD": "United States Dollar"}
    code = call.org.currency
    return Answer({"Currencies": [{"Code": code, "Description": names[code]}]})


def list_contacts(call: Call) -> Answer:
    if call.sim.switches.on("high_volume"):
        text = "Too many results: the request covers more than 100,000 records."
        return exception(TOO_MANY, "HighVolumeException", text)
    query = call.query
    items: list[Contact] = listing.by_update(call.org.contacts.values())
    if not call.flag("includeArchived"):
        items = [c for c in items if c.status == "ACTIVE"]
    if "IDs" in query:
        ids = {i.lower() for i in listing.listed(query["IDs"])}
        items = [c for c in items if c.id in ids]
    if term := query.get("searchTerm", "").lower():
        searched = [(c, f"{c.name} {c.number} {c.email} {c.company_number}".lower()) for c in items]
        items = [c for c, text in searched if term in text]
    changed = _changed(call, items)
    if changed is None:
        return Answer(status=304)
    items = listing.chosen(
        call.org, changed, listing.contact_row, listing.CONTACT_FIELDS,
        query.get("where", ""), query.get("order", ""),
    )  # fmt: skip
    paged = "page" in query or "pageSize" in query
    told: dict[str, Any] = {}
    if paged:
        size = call.number("pageSize", listing.DEFAULT_PAGE)
        items, page = listing.page_of(items, call.number("page", 1), size)
        told["pagination"] = pagination(page)
    summary = call.flag("summaryOnly")
    told["Contacts"] = [show.contact(call.org, c, full=paged and not summary) for c in items]
    if summary:
        for shown in told["Contacts"]:
            del shown["IsSupplier"], shown["IsCustomer"]
    return Answer(told)


def one_contact(call: Call) -> Answer:
    return Answer({"Contacts": [show.contact(call.org, _contact(call), full=True)]})


def write_contacts(call: Call) -> Answer:
    def save(element: dict[str, Any]) -> dict[str, Any]:
        existing = None
        id_ = wire.read_text(element.get("ContactID"), "ContactID").lower()
        if call.method == "PUT" and id_:
            raise Refused("The ContactID of a new contact cannot be chosen.")
        if id_:
            existing = call.org.contacts.get(id_)
            if existing is None:
                raise Refused(NOT_FOUND)
        elif call.method == "POST" and call.desk.rules.contact_match_on_post:
            existing = contacts.find_match(call.org, element)
        return show.contact(call.org, contacts.save(call.desk, element, existing), full=True)

    def named(element: dict[str, Any]) -> dict[str, Any]:
        kept = {"ContactID": echoed_id(element.get("ContactID"))}
        for key in ("Name", "ContactNumber"):
            if isinstance(element.get(key), str):
                kept[key] = element[key][: contacts.LIMITS[key]]
        return kept

    return write_many(call, "Contacts", wire.elements(call.body, "Contacts"), save, named)


def update_contact(call: Call) -> Answer:
    item = _contact(call)
    element = wire.elements(call.body, "Contacts")[0]
    saved = contacts.save(call.desk, element, item)
    return Answer({"Contacts": [show.contact(call.org, saved, full=True)]})


def _contact(call: Call) -> Contact:
    wanted = call.path["id"]
    found = call.org.contacts.get(wanted.lower())
    if found is None:
        found = next((c for c in call.org.contacts.values() if c.number == wanted), None)
    if found is None:
        raise NotThere
    return found


def list_payments(call: Call) -> Answer:
    if call.sim.switches.on("high_volume"):
        text = "Too many results: the request covers more than 100,000 records."
        return exception(TOO_MANY, "HighVolumeException", text)
    items: list[Payment] = listing.by_update(call.org.payments.values())
    since = "if-modified-since" in call.headers
    if since and not call.sim.switches.on("deleted_payments_listed"):
        items = [p for p in items if p.status != "DELETED"]
    changed = _changed(call, items)
    if changed is None:
        return Answer(status=304)
    items = listing.chosen(
        call.org, changed, listing.payment_row, listing.PAYMENT_FIELDS,
        call.query.get("where", ""), call.query.get("order", ""),
    )  # fmt: skip
    told: dict[str, Any] = {}
    if "page" in call.query or "pageSize" in call.query:
        size = call.number("pageSize", listing.DEFAULT_PAGE)
        items, page = listing.page_of(items, call.number("page", 1), size)
        told["pagination"] = pagination(page)
    told["Payments"] = [show.payment(call.org, p) for p in items]
    return Answer(told)


def one_payment(call: Call) -> Answer:
    return Answer({"Payments": [show.payment(call.org, _payment(call))]})


def create_payments(call: Call) -> Answer:
    return write_many(
        call,
        "Payments",
        wire.elements(call.body, "Payments"),
        lambda element: show.payment(call.org, payments.create(call.desk, element)),
        lambda element: {"PaymentID": wire.NO_ID},
    )


def delete_payment(call: Call) -> Answer:
    """POST with Status DELETED, by address or by PaymentID in the body; there is no edit."""
    element = wire.elements(call.body, "Payments")[0]
    if "id" not in call.path:
        if not element.get("PaymentID"):
            return create_payments(call)
        call.path["id"] = wire.read_text(element["PaymentID"], "PaymentID")
    item = _payment(call)
    if element.get("Status") != "DELETED":
        raise Refused("A payment can only be deleted; the Status has to be DELETED.")
    return Answer({"Payments": [show.payment(call.org, payments.delete(call.desk, item))]})


def _payment(call: Call) -> Payment:
    found = call.org.payments.get(call.path["id"].lower())
    if found is None:
        raise NotThere
    return found


def _changed(call: Call, items: list[T]) -> list[T] | None:
    """What If-Modified-Since leaves; None where the answer is to be 304."""
    header = call.headers.get("if-modified-since", "")
    since = listing.modified_since(header) if header else None
    if since is None:
        return items
    inclusive = call.sim.switches.on("modified_since_inclusive")
    found = listing.changed_since(items, since, inclusive)
    if not found and call.sim.switches.on("not_modified_304"):
        return None
    return found


def list_accounts(call: Call) -> Answer:
    items = _changed(call, list(call.org.accounts.values()))
    if items is None:
        return Answer(status=304)
    items = listing.chosen(
        call.org, items, listing.account_row, listing.ACCOUNT_FIELDS,
        call.query.get("where", ""), call.query.get("order", ""),
    )  # fmt: skip
    return Answer({"Accounts": [show.account(a) for a in items]})


def one_account(call: Call) -> Answer:
    found = call.org.accounts.get(call.path["id"].lower())
    if found is None:
        raise NotThere
    return Answer({"Accounts": [show.account(found)]})


def create_account(call: Call) -> Answer:
    element = wire.elements(call.body, "Accounts")[0]
    return Answer({"Accounts": [show.account(chart.create(call.desk, element))]})


def update_account(call: Call) -> Answer:
    one_account(call)
    element = wire.elements(call.body, "Accounts")[0]
    id_ = call.path["id"].lower()
    return Answer({"Accounts": [show.account(chart.update(call.desk, id_, element))]})


def delete_account(call: Call) -> Answer:
    one_account(call)
    gone = chart.remove(call.desk, call.path["id"].lower())
    return Answer({"Accounts": [show.account(gone)]})


def list_tax_rates(call: Call) -> Answer:
    items = listing.chosen(
        call.org, call.org.tax_rates, listing.tax_rate_row, listing.TAX_RATE_FIELDS,
        call.query.get("where", ""), call.query.get("order", ""),
    )  # fmt: skip
    return Answer({"TaxRates": [show.tax_rate(r) for r in items]})


def one_tax_rate(call: Call) -> Answer:
    found = call.org.tax_rate(call.path["id"])
    if found is None:
        raise NotThere
    return Answer({"TaxRates": [show.tax_rate(found)]})


def list_categories(call: Call) -> Answer:
    archived = call.flag("includeArchived")
    items = [c for c in call.org.categories.values() if archived or c.status == "ACTIVE"]
    items = listing.chosen(
        call.org, items, listing.category_row, listing.CATEGORY_FIELDS,
        call.query.get("where", ""), call.query.get("order", ""),
    )  # fmt: skip
    return Answer({"TrackingCategories": [show.category(c, archived) for c in items]})


def one_category(call: Call) -> Answer:
    found = call.org.categories.get(call.path["id"].lower())
    if found is None:
        raise NotThere
    return Answer({"TrackingCategories": [show.category(found)]})


def create_category(call: Call) -> Answer:
    element = wire.elements(call.body, "TrackingCategories")[0]
    made = tracking.create_category(call.desk, element)
    return Answer({"TrackingCategories": [show.category(made)]})


def update_category(call: Call) -> Answer:
    one_category(call)
    element = wire.elements(call.body, "TrackingCategories")[0]
    changed = tracking.update_category(call.desk, call.path["id"].lower(), element)
    return Answer({"TrackingCategories": [show.category(changed)]})


def delete_category(call: Call) -> Answer:
    one_category(call)
    gone = tracking.remove_category(call.desk, call.path["id"].lower())
    return Answer({"TrackingCategories": [show.category(gone)]})


def create_options(call: Call) -> Answer:
    one_category(call)
    category = call.org.categories[call.path["id"].lower()]
    made = [
        tracking.add_option(category, wire.read_text(element.get("Name"), "Name"))
        for element in wire.elements(call.body, "Options")
    ]
    return Answer({"Options": [show.option(o, category.id) for o in made]})


def update_option(call: Call) -> Answer:
    one_category(call)
    category = call.org.categories[call.path["id"].lower()]
    element = wire.elements(call.body, "Options")[0]
    changed = tracking.update_option(category, call.path["option_id"].lower(), element)
    return Answer({"Options": [show.option(changed, category.id)]})


def delete_option(call: Call) -> Answer:
    one_category(call)
    category = call.org.categories[call.path["id"].lower()]
    gone = tracking.remove_option(call.desk, category, call.path["option_id"].lower())
    return Answer({"Options": [show.option(gone, category.id)]})
