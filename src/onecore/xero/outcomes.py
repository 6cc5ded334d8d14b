"""What became of each document of a write, out of the answer's elements [X 3, 4]."""

from uuid import UUID

import msgspec

from onecore.domain.ids import ContactId
from onecore.http.reasons import validation_texts
from onecore.http.transport import Answer, no_answer
from onecore.http.wire import Reader, Unreadable
from onecore.ports import Outcome, Posted, Refusal, Remote, RequestRefused
from onecore.xero import read, wire

_WRITTEN = Reader(wire.Written)
_OUTCOME = Reader(wire.Outcome)
_INVOICE = Reader(wire.Invoice)
_NO_REASON = ("Xero declined it and gave no reason.",)


class _WrittenContacts(msgspec.Struct):
    contacts: list[msgspec.Raw] = msgspec.field(name="Contacts")


class _MadeContact(msgspec.Struct):
    contact_id: UUID | None = msgspec.field(name="ContactID", default=None)


_CONTACTS = Reader(_WrittenContacts)
_CONTACT = Reader(_MadeContact)


def bill_outcomes(answer: Answer, count: int) -> tuple[Outcome, ...]:
    """One outcome for each bill sent, in their order.

    Raises OutcomeUnknown when an element cannot be told apart, since some may be saved.
    """
    elements = answer.read(_WRITTEN).invoices
    if len(elements) != count:
        raise no_answer(
            answer.remote, answer.call, f"{len(elements)} elements for {count} documents"
        )
    try:
        return tuple(_bill_outcome(bytes(element)) for element in elements)
    except (Unreadable, ValueError) as error:
        raise no_answer(answer.remote, answer.call, f"unreadable element, {error}") from None


def made_contact(answer: Answer, operation: str) -> ContactId:
    """The id of the one contact sent; raises RequestRefused with Xero's reasons."""
    elements = answer.read(_CONTACTS).contacts
    if len(elements) != 1:
        raise no_answer(answer.remote, answer.call, f"{len(elements)} elements for 1 contact")
    try:
        raw = bytes(elements[0])
        reasons = _refused(raw)
        made = _CONTACT.read(raw).contact_id
    except (Unreadable, ValueError) as error:
        raise no_answer(answer.remote, answer.call, f"unreadable element, {error}") from None
    if reasons is not None:
        raise RequestRefused(Remote.XERO, operation, answer.status, reasons)
    if made is None or made == read.NO_ID:
        raise no_answer(answer.remote, answer.call, "the contact has no id")
    return ContactId(made)


def _bill_outcome(raw: bytes) -> Outcome:
    reasons = _refused(raw)
    if reasons is not None:
        return Refusal(reasons)
    told = _OUTCOME.read(raw)
    warnings = tuple(w.message or w.description or "" for w in told.warnings or ())
    return Posted(read.read_bill(_INVOICE.read(raw)), tuple(w for w in warnings if w))


def _refused(raw: bytes) -> tuple[str, ...] | None:
    """The reasons of an element that was declined; None for one that was saved.

    WARNING means saved. A word that is not known is an error that shows it, never a guess.
    """
    told = _OUTCOME.read(raw)
    word = (told.status_attribute_string or "").upper()
    if word in ("OK", "WARNING"):
        return None
    texts = validation_texts(msgspec.json.decode(raw))
    if word == "ERROR" or (not word and (texts or told.has_errors)):
        return texts or _NO_REASON
    if not word:
        return None
    raise ValueError(f"StatusAttributeString {word[:20]}")
