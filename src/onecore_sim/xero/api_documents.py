"""Invoices, bills, credit notes and their allocations over the API."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec

from onecore_sim.xero import documents, listing, payments, show, wire
from onecore_sim.xero.call import (
    TOO_MANY,
    Answer,
    Call,
    NotThere,
    errors_of,
    exception,
    validation_error,
)
from onecore_sim.xero.desk import NOT_FOUND, Refused
from onecore_sim.xero.state import Document, Organisation


@dataclass(frozen=True, slots=True)
class Kind:
    """What sets invoices and credit notes apart on the wire."""

    name: str
    id_key: str
    number_key: str
    credit: bool
    fields: frozenset[str]

    def pool(self, call: Call) -> dict[str, Document]:
        return call.org.credit_notes if self.credit else call.org.invoices


INVOICES = Kind("Invoices", "InvoiceID", "InvoiceNumber", False, listing.INVOICE_FIELDS)
CREDIT_NOTES = Kind(
    "CreditNotes", "CreditNoteID", "CreditNoteNumber", True, listing.CREDIT_NOTE_FIELDS
)


def list_of(kind: Kind) -> Callable[[Call], Answer]:
    return lambda call: _list(kind, call)


def one_of(kind: Kind) -> Callable[[Call], Answer]:
    def one(call: Call) -> Answer:
        item = _find(kind, call)
        places = call.desk.unit_places
        shown = show.document(call.org, item, lines=True, unit_places=places, full=True)
        return Answer({kind.name: [shown]})

    return one


def write_of(kind: Kind) -> Callable[[Call], Answer]:
    def write(call: Call) -> Answer:
        sent = wire.elements(call.body, kind.name)
        save = _create if call.method == "PUT" else _create_or_update
        return write_many(
            call,
            kind.name,
            sent,
            lambda element: _warned(element, _shown(call, save(kind, call, element))),
            lambda element: _named(kind, element),
        )

    return write


def update_of(kind: Kind) -> Callable[[Call], Answer]:
    def update(call: Call) -> Answer:
        item = _find(kind, call)
        element = wire.elements(call.body, kind.name)[0]
        try:
            saved = documents.save(call.desk, element, item, credit=kind.credit)
        except Refused as refused:
            named = {**_named(kind, element), kind.id_key: item.id}
            return validation_error([{**named, "ValidationErrors": errors_of(refused)}])
        return Answer({kind.name: [_shown(call, saved)]})

    return update


def write_many(
    call: Call,
    name: str,
    sent: list[dict[str, Any]],
    save: Callable[[dict[str, Any]], dict[str, Any]],
    named: Callable[[dict[str, Any]], dict[str, Any]],
) -> Answer:
    """The answer to a batch: by element, or one 400 that names the bad ones only."""
    summarize = call.flag("summarizeErrors", call.sim.switches.on("summarize_errors_default"))
    before = msgspec.json.encode(call.org) if len(sent) > 1 else b""
    shown: list[dict[str, Any]] = []
    bad: list[dict[str, Any]] = []
    for number, element in enumerate(sent, 1):
        try:
            call.check_element(number)
            item = save(element)
            word = "WARNING" if item.get("Warnings") else "OK"
            shown.append(item if summarize else {**item, "StatusAttributeString": word})
        except Refused as refused:
            errors = {"HasErrors": True, "ValidationErrors": errors_of(refused)}
            bad.append({**named(element), **errors})
            shown.append({**named(element), "StatusAttributeString": "ERROR", **errors})
        except wire.Unreadable:
            _undo(call, before)
            raise
    if not bad or not summarize:
        return Answer({name: shown})
    if not call.sim.switches.on("summarize_errors_keeps_good"):
        _undo(call, before)
    return validation_error(bad)


def _undo(call: Call, before: bytes) -> None:
    """Forget what a batch did; one document alone leaves nothing behind when it fails."""
    if before:
        whole = msgspec.json.decode(before, type=Organisation)
        call.sim.state.organisations[call.org.id] = whole
        call.desk.changes.clear()


def _create(kind: Kind, call: Call, element: dict[str, Any]) -> Document:
    if element.get(kind.id_key):
        raise Refused(f"The {kind.id_key} of a new document cannot be chosen.")
    return documents.save(call.desk, element, None, credit=kind.credit)


def _create_or_update(kind: Kind, call: Call, element: dict[str, Any]) -> Document:
    """By id, or for sales by number; a bill's number names nothing."""
    pool = kind.pool(call)
    if id_ := wire.read_text(element.get(kind.id_key), kind.id_key).lower():
        if id_ not in pool:
            raise Refused(NOT_FOUND)
        return documents.save(call.desk, element, pool[id_], credit=kind.credit)
    number = wire.read_text(element.get(kind.number_key), kind.number_key)
    existing = None
    if number and element.get("Type") not in ("ACCPAY", "ACCPAYCREDIT"):
        ended = documents.GONE if call.desk.rules.voided_number_reusable else set()
        existing = next(
            (
                d
                for d in pool.values()
                if d.is_sale and d.number == number and d.status not in ended
            ),
            None,
        )
    return documents.save(call.desk, element, existing, credit=kind.credit)


def _shown(call: Call, item: Document) -> dict[str, Any]:
    places = call.desk.unit_places
    return show.document(call.org, item, lines=True, unit_places=places, full=True)


def _warned(element: dict[str, Any], shown: dict[str, Any]) -> dict[str, Any]:
    """With the warning of a document that was saved without what it asked for."""
    if element.get("SentToContact") is True and not shown["SentToContact"]:
        text = "Only AUTHORISED invoices may have SentToContact updated."
        return {**shown, "Warnings": [{"Message": text}]}
    return shown


def _named(kind: Kind, element: dict[str, Any]) -> dict[str, Any]:
    """What an answer repeats of a refused element, so that it can be told from the others."""
    kept = {kind.id_key: echoed_id(element.get(kind.id_key))}
    if element.get("Type") in documents.INVOICE_TYPES | documents.CREDIT_TYPES:
        kept["Type"] = element["Type"]
    for key in ("Status", kind.number_key, "Url", "Reference"):
        if isinstance(element.get(key), str):
            kept[key] = element[key][: documents.LONGEST_NUMBER]
    return kept


def echoed_id(sent: object) -> str:
    """The id an element came with, all zeros where that was none."""
    try:
        return str(UUID(str(sent)))
    except ValueError:
        return wire.NO_ID


def _find(kind: Kind, call: Call) -> Document:
    """By id, or by a sales number."""
    wanted = call.path["id"]
    pool = kind.pool(call)
    if wanted.lower() in pool:
        return pool[wanted.lower()]
    for item in pool.values():
        if item.is_sale and item.number == wanted:
            return item
    raise NotThere


def _list(kind: Kind, call: Call) -> Answer:
    if call.sim.switches.on("high_volume"):
        text = "Too many results: the request covers more than 100,000 records."
        return exception(TOO_MANY, "HighVolumeException", text)
    query = call.query
    items = _filtered(kind, call, listing.by_update(kind.pool(call).values()))
    header = call.headers.get("if-modified-since", "")
    since = listing.modified_since(header) if header else None
    if since is not None:
        inclusive = call.sim.switches.on("modified_since_inclusive")
        items = listing.changed_since(items, since, inclusive)
    items = listing.chosen(
        call.org,
        items,
        listing.document_row,
        kind.fields,
        query.get("where", ""),
        query.get("order", ""),
    )
    if since is not None and not items and call.sim.switches.on("not_modified_304"):
        return Answer(status=304)
    return _page(kind, call, items)


def _page(kind: Kind, call: Call, items: list[Document]) -> Answer:
    summary = call.flag("summaryOnly")
    paged = any(key in call.query for key in ("page", "pageSize", "Statuses"))
    told: dict[str, Any] = {}
    if paged:
        size = call.number("pageSize", listing.DEFAULT_PAGE)
        items, page = listing.page_of(items, call.number("page", 1), size)
        told["pagination"] = pagination(page)
    lines = paged and not summary
    places = call.desk.unit_places
    told[kind.name] = [
        show.document(call.org, item, lines=lines, unit_places=places) for item in items
    ]
    if summary:
        for shown in told[kind.name]:
            for key in ("LineItems", "Payments", "CreditNotes", "Prepayments", "Overpayments"):
                shown.pop(key, None)
    return Answer(told)


def pagination(page: listing.Page) -> dict[str, int]:
    return {
        "page": page.page,
        "pageSize": page.size,
        "pageCount": page.pages,
        "itemCount": page.items,
    }


def _filtered(kind: Kind, call: Call, items: list[Document]) -> list[Document]:
    """What the list parameters let through."""
    query = call.query
    if "IDs" in query:
        ids = {i.lower() for i in listing.listed(query["IDs"])}
        items = [d for d in items if d.id in ids]
    if "InvoiceNumbers" in query:
        numbers = set(listing.listed(query["InvoiceNumbers"]))
        items = [d for d in items if d.number in numbers]
    if "ContactIDs" in query:
        contacts = {i.lower() for i in listing.listed(query["ContactIDs"])}
        items = [d for d in items if d.contact_id in contacts]
    if "Statuses" in query:
        statuses = set(listing.listed(query["Statuses"]))
        items = [d for d in items if d.status in statuses]
    elif not call.sim.switches.on("ended_listed"):
        items = [d for d in items if d.status not in documents.GONE]
    if call.flag("createdByMyApp"):
        items = [d for d in items if d.created_by_app == call.app.client_id]
    if term := query.get("searchTerm", "").lower():
        items = [d for d in items if term in d.number.lower() or term in d.reference.lower()]
    return items


def allocate(call: Call) -> Answer:
    note = _find(CREDIT_NOTES, call)
    made = []
    for element in wire.elements(call.body, "Allocations"):
        made.append(show.allocation(call.org, payments.allocate(call.desk, note, element)))
    return Answer({"Allocations": made})


def take_back(call: Call) -> Answer:
    note = _find(CREDIT_NOTES, call)
    made = call.org.allocations.get(call.path["allocation_id"].lower())
    if made is None:
        raise NotThere
    shown = show.allocation(call.org, made)
    payments.take_back(call.desk, note, made.id)
    return Answer({**shown, "IsDeleted": True})
