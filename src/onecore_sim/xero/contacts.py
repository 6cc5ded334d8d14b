"""Contacts: names unique among the active, numbers unique, archived and merged ones."""

from typing import Any

from onecore_sim.xero.desk import Desk, Refused, new_id
from onecore_sim.xero.state import Contact, Organisation
from onecore_sim.xero.wire import read_object, read_text

NEEDS_A_NAME = (
    "The Contact must contain at least 1 of the following elements to identify the contact: "
    "Name, ContactID, ContactNumber"
)
ARCHIVED = (
    "The contact with the specified contact details has been archived. The contact must be "
    "un-archived before creating new invoices or credit notes."
)
UNKNOWN = "The contact with the specified ContactID could not be found."
LIMITS = {
    "Name": 255, "ContactNumber": 50, "AccountNumber": 50, "CompanyNumber": 50, "TaxNumber": 50,
    "EmailAddress": 255, "FirstName": 255, "LastName": 255,
}  # fmt: skip
TEXTS = {
    "Name": "name", "ContactNumber": "number", "AccountNumber": "account_number",
    "CompanyNumber": "company_number", "FirstName": "first_name", "LastName": "last_name",
    "EmailAddress": "email", "TaxNumber": "tax_number", "BankAccountDetails": "bank_details",
    "AccountsPayableTaxType": "payable_tax_type",
    "AccountsReceivableTaxType": "receivable_tax_type",
}  # fmt: skip
DETAILS = (
    "Addresses", "Phones", "ContactPersons", "PaymentTerms", "SalesDefaultAccountCode",
    "PurchasesDefaultAccountCode", "DefaultCurrency",
)  # fmt: skip
IDENTITY = {"ContactID", "ContactStatus", "UpdatedDateUTC", "IsSupplier", "IsCustomer"}


def save(
    desk: Desk, sent: dict[str, Any], existing: Contact | None, id_: str | None = None
) -> Contact:
    """The contact made (with `id_`, where one was promised) or changed; Refused changes nothing."""
    contact = existing or Contact(id=id_ or new_id(), name="", updated_at=desk.now)
    values = {
        field: read_text(sent[key], key)
        for key, field in TEXTS.items()
        if key in sent and sent[key] is not None
    }
    status = read_text(sent.get("ContactStatus", contact.status), "ContactStatus")
    if errors := _errors(desk.org, contact, values, sent, status):
        raise Refused(*errors)
    for field, value in values.items():
        setattr(contact, field, value)
    for key in DETAILS:
        if key in sent:
            contact.details[key] = sent[key]
    contact.status = status
    _written(desk, contact, created=existing is None)
    return contact


def find_match(org: Organisation, sent: dict[str, Any]) -> Contact | None:
    """The contact a POST without an id means: by its number, or else by its name."""
    if number := read_text(sent.get("ContactNumber"), "ContactNumber"):
        for contact in org.contacts.values():
            if contact.number == number:
                return contact
    return by_name(org, read_text(sent.get("Name"), "Name"))


def by_name(org: Organisation, name: str) -> Contact | None:
    wanted = name.strip().lower()
    for contact in org.contacts.values():
        if wanted and contact.status == "ACTIVE" and contact.name.lower() == wanted:
            return contact
    return None


def archive(desk: Desk, contact: Contact, archived: bool = True) -> None:
    contact.status = "ARCHIVED" if archived else "ACTIVE"
    _written(desk, contact, created=False)


def merge(desk: Desk, loser: Contact, winner: Contact) -> None:
    """Archive the loser, point it at the winner and hand its documents over, as the screen does."""
    if loser is winner:
        raise Refused("A contact cannot be merged into itself.")
    loser.merged_to, loser.status = winner.id, "ARCHIVED"
    for document in [*desk.org.invoices.values(), *desk.org.credit_notes.values()]:
        if document.contact_id == loser.id:
            document.contact_id = winner.id
            document.updated_at = desk.now
    winner.is_supplier |= loser.is_supplier
    winner.is_customer |= loser.is_customer
    _written(desk, loser, created=False)
    _written(desk, winner, created=False)


def for_document(desk: Desk, sent: object, before: str | None, errors: list[str]) -> Contact | None:
    """The contact a document names: known, found by name, or new and not yet kept.

    Call `keep_for_document` once the document is accepted.
    """
    block = read_object(sent, "Contact")
    if id_ := read_text(block.get("ContactID"), "ContactID").lower():
        contact = desk.org.contacts.get(id_)
        if contact is None:
            errors.append(UNKNOWN)
            return None
    else:
        contact = find_match(desk.org, block)
        if contact is None and not block.get("Name"):
            errors.append(NEEDS_A_NAME)
            return None
        if contact is None:
            contact = Contact(id=new_id(), name="", updated_at=desk.now)
    if contact.status != "ACTIVE" and contact.id != before:
        errors.append(ARCHIVED)
    return contact


def keep_for_document(desk: Desk, contact: Contact, sent: object, is_sale: bool) -> None:
    """Write what the document's Contact block says into the contact, and its role.

    Anything but the id edits the record, and persons that were not sent again are dropped.
    The role changes without a trace in UpdatedDateUTC.
    """
    block = read_object(sent, "Contact") if sent is not None else {}
    known = contact.id in desk.org.contacts
    named = IDENTITY if block.get("ContactID") or not known else IDENTITY | {"Name"}
    more = {key: value for key, value in block.items() if key not in named}
    changed = {
        key: value
        for key, value in more.items()
        if (key in TEXTS and getattr(contact, TEXTS[key]) != value)
        or (key in DETAILS and contact.details.get(key) != value)
    }
    if not known or changed:
        if known and "ContactPersons" not in block:
            contact.details.pop("ContactPersons", None)
        if known:
            save(desk, changed, contact)
        else:
            contact = save(desk, more, None, contact.id)
    if is_sale:
        contact.is_customer = True
    else:
        contact.is_supplier = True


def _errors(
    org: Organisation, contact: Contact, values: dict[str, str], sent: dict[str, Any], status: str
) -> list[str]:
    errors = []
    name = values.get("name", contact.name)
    if not name.strip():
        errors.append(NEEDS_A_NAME)
    for key, longest in LIMITS.items():
        if key in sent and len(read_text(sent[key], key)) > longest:
            errors.append(f"The {key} must not be longer than {longest} characters.")
    others = [c for c in org.contacts.values() if c.id != contact.id]
    if status == "ACTIVE" and any(
        c.status == "ACTIVE" and c.name.lower() == name.lower() for c in others
    ):
        errors.append(
            f"The contact name {name} is already assigned to another contact. The contact name "
            "must be unique across all active contacts."
        )
    number = values.get("number", "")
    if number and any(c.number == number for c in others):
        errors.append(f"The ContactNumber {number} is already assigned to another contact.")
    if status not in ("ACTIVE", "ARCHIVED", "GDPRREQUEST"):
        errors.append(f"The status {status} cannot be given to a contact.")
    for key in ("payable_tax_type", "receivable_tax_type"):
        if values.get(key) and org.tax_rate(values[key]) is None:
            errors.append(f"TaxType code '{values[key]}' does not exist.")
    return errors


def _written(desk: Desk, contact: Contact, created: bool) -> None:
    desk.org.contacts[contact.id] = contact
    contact.updated_at = desk.now
    desk.note(contact.history, "Created" if created else "Edited", contact.name)
    desk.tell("CONTACT", contact.id, "CREATE" if created else "UPDATE")
