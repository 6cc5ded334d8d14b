"""Attachments and history of documents and contacts over the API."""

from typing import Any
from urllib.parse import quote

from onecore_sim.xero import show, wire
from onecore_sim.xero.call import Answer, Call, NotThere
from onecore_sim.xero.desk import Refused, new_id
from onecore_sim.xero.state import Attachment, Contact, Document, Payment

MOST_FILES = 10


def owner(call: Call) -> Document | Contact | Payment:
    """What the address names; raises NotThere."""
    pools: dict[str, Any] = {
        "Invoices": call.org.invoices,
        "CreditNotes": call.org.credit_notes,
        "Contacts": call.org.contacts,
        "Payments": call.org.payments,
    }
    found: Document | Contact | Payment | None = pools[call.path["kind"]].get(
        call.path["id"].lower()
    )
    if found is None:
        raise NotThere
    return found


def _with_files(call: Call) -> Document | Contact:
    found = owner(call)
    if isinstance(found, Payment):
        raise NotThere
    return found


def history(call: Call) -> Answer:
    return Answer({"HistoryRecords": show.history(owner(call).history)})


def add_note(call: Call) -> Answer:
    found = owner(call)
    sent = wire.elements(call.body, "HistoryRecords")
    for element in sent:
        details = wire.read_text(element.get("Details"), "Details")
        if not details:
            raise Refused("A history record needs its Details.")
        longest = call.sim.switches.number("history_max_length")
        if longest and len(details) > longest:
            raise Refused(f"Details must not be longer than {longest} characters.")
        call.desk.note(found.history, "Note", details)
    return Answer({"HistoryRecords": show.history(found.history[-len(sent) :])})


def attachments(call: Call) -> Answer:
    return Answer({"Attachments": [_shown(call, a) for a in _with_files(call).attachments]})


def attachment(call: Call) -> Answer:
    """The file itself, by id or by name."""
    wanted = call.path["name"]
    for item in _with_files(call).attachments:
        if item.name == wanted or item.id == wanted.lower():
            return Answer(raw=item.content, content_type=item.mime)
    raise NotThere


def attach(call: Call) -> Answer:
    """The file kept; the same name overwrites."""
    found = _with_files(call)
    if len(call.body) > call.sim.switches.number("max_attachment_bytes"):
        raise Refused("The attachment is too large.")
    if not call.body:
        raise Refused("The attachment is empty.")
    name = call.path["name"]
    item = next((a for a in found.attachments if a.name == name), None)
    if item is None:
        if len(found.attachments) >= MOST_FILES:
            raise Refused(f"A document can have at most {MOST_FILES} attachments.")
        item = Attachment(id=new_id(), name=name, mime="", content=b"")
        found.attachments.append(item)
    item.mime = call.headers.get("content-type", "application/octet-stream")
    item.content = call.body
    item.online = call.flag("IncludeOnline")
    call.desk.note(found.history, "Attached a file", name)
    return Answer({"Attachments": [_shown(call, item)]})


def _shown(call: Call, item: Attachment) -> dict[str, Any]:
    kind, id_ = call.path["kind"], call.path["id"]
    url = f"{call.base_url}/api.xro/2.0/{kind}/{id_}/Attachments/{quote(item.name)}"
    return show.attachment(item, url)
