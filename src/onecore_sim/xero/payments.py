"""Payments and credits put to documents, and what they do to them [X 5.2, 5.3]."""

from decimal import Decimal
from typing import Any

from onecore_sim.xero import documents
from onecore_sim.xero.desk import NOT_FOUND, Desk, Refused, new_id
from onecore_sim.xero.state import Account, Allocation, Document, Organisation, Payment
from onecore_sim.xero.wire import read_day, read_flag, read_number, read_object, read_text

TOO_MUCH = "Payment amount exceeds the amount outstanding on this document"
NOT_AUTHORISED = "Payments can only be made against Authorised documents"
TARGETS = ("Invoice", "CreditNote", "Prepayment", "Overpayment")


def create(desk: Desk, sent: dict[str, Any], batch_id: str | None = None) -> Payment:
    """A payment on an approved document, which becomes PAID with nothing left outstanding."""
    named = [key for key in TARGETS if sent.get(key)]
    if len(named) != 1:
        raise Refused("A payment needs exactly one of Invoice, CreditNote, Prepayment, Overpayment")
    document = _document(desk.org, named[0], sent)
    account = _account(desk.org, sent)
    amount = read_number(sent.get("Amount"), "Amount")
    paid_on = read_day(sent.get("Date"), "Date") or desk.today()
    if amount is None or amount <= 0:
        raise Refused("Payment amount must be greater than zero.")
    if document.status != "AUTHORISED":
        raise Refused(NOT_AUTHORISED)
    if amount > document.due:
        raise Refused(TOO_MUCH)
    if messages := desk.lock_messages(paid_on):
        raise Refused(*messages)
    payment = Payment(
        id=new_id(),
        document_id=document.id,
        account_id=account.id,
        date=paid_on,
        amount=desk.rules.rounding.cents(amount),
        updated_at=desk.now,
        reference=read_text(sent.get("Reference"), "Reference"),
        reconciled=read_flag(sent.get("IsReconciled", False), "IsReconciled"),
        batch_id=batch_id,
        created_by_app=desk.actor.app,
    )
    desk.org.payments[payment.id] = payment
    document.payment_ids.append(payment.id)
    desk.note(payment.history, "Created", f"{payment.amount} on {paid_on}")
    desk.tell("PAYMENT", payment.id, "CREATE")
    settle(desk, document)
    desk.note(document.history, "Paid", f"Payment of {payment.amount} on {paid_on}")
    return payment


def delete(desk: Desk, payment: Payment) -> Payment:
    """The payment reversed; what it paid is outstanding again."""
    if payment.status == "DELETED":
        raise Refused("This payment has already been deleted.")
    if payment.reconciled:
        raise Refused("This payment cannot be deleted as it has been reconciled.")
    if payment.batch_id and not desk.actor.is_person:
        raise Refused("This payment cannot be deleted as it is part of a batch payment.")
    if messages := desk.lock_messages(payment.date):
        raise Refused(*messages)
    payment.status, payment.updated_at = "DELETED", desk.now
    desk.note(payment.history, "Deleted", f"{payment.amount}")
    desk.tell("PAYMENT", payment.id, "UPDATE")
    document = desk.org.document(payment.document_id)
    if document is not None:
        settle(desk, document)
        desk.note(document.history, "Payment removed", f"Payment of {payment.amount}")
    return payment


def settle(desk: Desk, document: Document) -> None:
    """Bring a document's paid and credited amounts and its status in line with what was put."""
    live = [p for i in document.payment_ids if (p := desk.org.payments[i]).status == "AUTHORISED"]
    credits = [desk.org.allocations[i] for i in document.allocation_ids]
    document.paid = sum((p.amount for p in live), Decimal(0))
    document.credited = sum((a.amount for a in credits), Decimal(0))
    if document.status == "AUTHORISED" and document.settled_in_part and not document.due:
        document.status = "PAID"
        document.fully_paid_on = max([p.date for p in live] + [a.date for a in credits])
    elif document.status == "PAID" and document.due:
        document.status, document.fully_paid_on = "AUTHORISED", None
    document.updated_at = desk.now
    if desk.rules.payments_tell:
        documents.tell(desk, document, "UPDATE")


def allocate(desk: Desk, note: Document, sent: dict[str, Any]) -> Allocation:
    """A part of a credit note put to an invoice of the same side and contact."""
    target = read_object(sent.get("Invoice") or {}, "Invoice")
    invoice = desk.org.invoices.get(read_text(target.get("InvoiceID"), "InvoiceID").lower())
    amount = read_number(sent.get("Amount"), "Amount")
    day = read_day(sent.get("Date"), "Date") or desk.today()
    if invoice is None or invoice.is_sale != note.is_sale:
        raise Refused("The invoice to allocate to could not be found.")
    if invoice.contact_id != note.contact_id:
        raise Refused("The contact of the invoice is not the contact of the credit note.")
    if note.status != "AUTHORISED" or invoice.status != "AUTHORISED":
        raise Refused("Credit can only be allocated between Authorised documents.")
    if amount is None or amount <= 0:
        raise Refused("The amount to allocate must be greater than zero.")
    if amount > note.due:
        raise Refused("The amount to allocate exceeds the remaining credit.")
    if amount > invoice.due:
        raise Refused(TOO_MUCH)
    if messages := desk.lock_messages(day):
        raise Refused(*messages)
    made = Allocation(
        id=new_id(), credit_note_id=note.id, invoice_id=invoice.id, amount=amount, date=day
    )
    desk.org.allocations[made.id] = made
    for document in (note, invoice):
        document.allocation_ids.append(made.id)
        settle(desk, document)
        desk.note(document.history, "Credit applied", f"{amount} on {day}")
    return made


def take_back(desk: Desk, note: Document, allocation_id: str) -> Allocation:
    """The allocation undone."""
    made = desk.org.allocations.get(allocation_id)
    if made is None or made.credit_note_id != note.id:
        raise Refused(NOT_FOUND)
    if messages := desk.lock_messages(made.date):
        raise Refused(*messages)
    for document in (note, desk.org.invoices[made.invoice_id]):
        document.allocation_ids.remove(made.id)
        settle(desk, document)
        desk.note(document.history, "Credit removed", f"{made.amount}")
    del desk.org.allocations[made.id]
    return made


def _document(org: Organisation, key: str, sent: dict[str, Any]) -> Document:
    block = read_object(sent[key], key)
    pool = org.credit_notes if key == "CreditNote" else org.invoices
    if id_ := read_text(block.get(f"{key}ID"), f"{key}ID").lower():
        if id_ in pool and key in ("Invoice", "CreditNote"):
            return pool[id_]
        raise Refused(f"{key} could not be found")
    number = read_text(block.get(f"{key}Number"), f"{key}Number")
    found = [d for d in pool.values() if number and d.number == number and d.status == "AUTHORISED"]
    if len(found) != 1:
        raise Refused(f"{key} could not be found")
    return found[0]


def _account(org: Organisation, sent: dict[str, Any]) -> Account:
    block = read_object(sent.get("Account") or {}, "Account")
    account = org.accounts.get(read_text(block.get("AccountID"), "AccountID").lower())
    account = account or org.account(read_text(block.get("Code"), "Code") or "-")
    if account is None:
        raise Refused("Account could not be found")
    if account.status != "ACTIVE" or not (account.type == "BANK" or account.payments_enabled):
        raise Refused("Account type is invalid for this type of transaction")
    return account
