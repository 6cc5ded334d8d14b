"""What the simulator remembers, in Xero's JSON shapes."""

from decimal import Decimal
from typing import Any

from onecore_sim.xero import chart
from onecore_sim.xero.state import (
    Account,
    Allocation,
    Attachment,
    Category,
    Contact,
    Document,
    HistoryEntry,
    Line,
    Option,
    Organisation,
    Payment,
    TaxRate,
)
from onecore_sim.xero.tax import CLASS_LETTERS, Rounding
from onecore_sim.xero.wire import day_string, instant_string, ms_day, ms_instant

TIME_ZONES = {
    "AU": "AUSEASTERNSTANDARDTIME",
    "NZ": "NEWZEALANDSTANDARDTIME",
    "UK": "GMTSTANDARDTIME",
    "US": "EASTERNSTANDARDTIME",
}
FREE_FORM = ("Addresses", "Phones", "ContactPersons")


def organisation(org: Organisation) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "Name": org.name,
        "LegalName": org.name,
        "PaysTax": True,
        "Version": org.country,
        "OrganisationType": "COMPANY",
        "BaseCurrency": org.currency,
        "CountryCode": "GB" if org.country == "UK" else org.country,
        "IsDemoCompany": False,
        "OrganisationStatus": "ACTIVE",
        "FinancialYearEndDay": 30,
        "FinancialYearEndMonth": 6,
        "SalesTaxBasis": "ACCRUALS",
        "SalesTaxPeriod": "QUARTERLY",
        "DefaultSalesTax": "Tax Exclusive",
        "DefaultPurchasesTax": "Tax Exclusive",
        "CreatedDateUTC": ms_instant(org.created_at),
        "OrganisationEntityType": "COMPANY",
        "Timezone": TIME_ZONES[org.country],
        "ShortCode": org.short_code,
        "OrganisationID": org.id,
        "Edition": "BUSINESS",
        "Class": "PREMIUM",
        "Addresses": [],
        "Phones": [],
        "ExternalLinks": [],
        "PaymentTerms": {},
    }
    if org.period_lock:
        shown["PeriodLockDate"] = ms_day(org.period_lock)
    if org.year_lock:
        shown["EndOfYearLockDate"] = ms_day(org.year_lock)
    return shown


def account(item: Account) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "AccountID": item.id,
        "Code": item.code,
        "Name": item.name,
        "Status": item.status,
        "Type": item.type,
        "TaxType": item.tax_type,
        "Class": chart.class_of(item),
        "EnablePaymentsToAccount": item.payments_enabled,
        "ShowInExpenseClaims": False,
        "Description": item.description,
        "HasAttachments": False,
        "AddToWatchlist": False,
        "UpdatedDateUTC": ms_instant(item.updated_at),
    }
    if item.type == "BANK":
        shown |= {"BankAccountNumber": item.bank_number, "BankAccountType": "BANK"}
    if item.system:
        shown["SystemAccount"] = item.system
    return shown


def tax_rate(rate: TaxRate) -> dict[str, Any]:
    names = {"ASSET": "Assets", "EQUITY": "Equity", "EXPENSE": "Expenses"}
    names |= {"LIABILITY": "Liabilities", "REVENUE": "Revenue"}
    shown: dict[str, Any] = {
        "Name": rate.name,
        "TaxType": rate.tax_type,
        "Status": rate.status,
        "DisplayTaxRate": rate.percent,
        "EffectiveRate": rate.percent,
        "TaxComponents": [
            {
                "Name": rate.name,
                "Rate": rate.percent,
                "IsCompound": False,
                "IsNonRecoverable": False,
            }
        ],
    }
    if rate.report_tax_type:
        shown["ReportTaxType"] = rate.report_tax_type
    for class_, letter in CLASS_LETTERS.items():
        shown[f"CanApplyTo{names[class_]}"] = letter in rate.applies_to
    return shown


def option(item: Option, category_id: str) -> dict[str, Any]:
    return {
        "TrackingOptionID": item.id,
        "Name": item.name,
        "Status": item.status,
        "TrackingCategoryID": category_id,
        "IsActive": item.status == "ACTIVE",
        "IsArchived": item.status == "ARCHIVED",
        "IsDeleted": item.status == "DELETED",
        "HasValidationErrors": False,
    }


def category(item: Category, archived_options: bool = True) -> dict[str, Any]:
    options = [o for o in item.options if archived_options or o.status == "ACTIVE"]
    return {
        "TrackingCategoryID": item.id,
        "Name": item.name,
        "Status": item.status,
        "Options": [option(o, item.id) for o in options],
    }


def contact(org: Organisation, item: Contact, *, full: bool) -> dict[str, Any]:
    """A contact; `full` is how single and paged answers give it."""
    shown: dict[str, Any] = {
        "ContactID": item.id,
        "ContactStatus": item.status,
        "Name": item.name,
        "EmailAddress": item.email,
        "BankAccountDetails": item.bank_details,
        "Addresses": [],
        "Phones": [],
        "UpdatedDateUTC": ms_instant(item.updated_at),
        "IsSupplier": item.is_supplier,
        "IsCustomer": item.is_customer,
        "ContactPersons": [],
        "ContactGroups": [],
        "HasAttachments": bool(item.attachments),
        "HasValidationErrors": False,
    }
    named = {
        "ContactNumber": item.number,
        "AccountNumber": item.account_number,
        "CompanyNumber": item.company_number,
        "FirstName": item.first_name,
        "LastName": item.last_name,
        "TaxNumber": item.tax_number,
        "AccountsPayableTaxType": item.payable_tax_type,
        "AccountsReceivableTaxType": item.receivable_tax_type,
    }
    shown |= {key: value for key, value in named.items() if value}
    shown |= {k: v for k, v in item.details.items() if full or k in FREE_FORM}
    if full and item.merged_to:
        shown["MergedToContactID"] = item.merged_to
    if full:
        shown["Balances"] = _balances(org, item)
    return shown


def contact_stub(org: Organisation, contact_id: str) -> dict[str, Any]:
    known = org.contacts.get(contact_id)
    return {"ContactID": contact_id, "Name": known.name if known else "", "ContactGroups": []}


def _balances(org: Organisation, item: Contact) -> dict[str, Any]:
    owed = {"ACCPAY": Decimal("0.00"), "ACCREC": Decimal("0.00")}
    for document in org.invoices.values():
        if document.contact_id == item.id and document.status == "AUTHORISED":
            owed[document.type] += document.due
    return {
        "AccountsReceivable": {"Outstanding": owed["ACCREC"], "Overdue": Decimal("0.00")},
        "AccountsPayable": {"Outstanding": owed["ACCPAY"], "Overdue": Decimal("0.00")},
    }


def line(org: Organisation, item: Line, unit_places: int) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "LineItemID": item.id,
        "Description": item.description,
        "TaxType": item.tax_type,
        "TaxAmount": item.tax,
        "LineAmount": item.amount,
        "Tracking": [_tracked(org, t.category_id, t.option_id) for t in item.tracking],
    }
    if item.unit is not None:
        step = Decimal(1).scaleb(-unit_places)
        shown["UnitAmount"] = Rounding().to(item.unit, step)
        shown["Quantity"] = item.quantity
    if item.account_code:
        shown["AccountCode"] = item.account_code
        known = org.account(item.account_code)
        if known:
            shown["AccountID"] = known.id
    if item.item_code:
        shown["ItemCode"] = item.item_code
    if item.discount_percent is not None:
        shown["DiscountRate"] = item.discount_percent
    return shown


def _tracked(org: Organisation, category_id: str, option_id: str) -> dict[str, Any]:
    known = org.categories.get(category_id)
    chosen = next((o for o in known.options if o.id == option_id), None) if known else None
    return {
        "Name": known.name if known else "",
        "Option": chosen.name if chosen else "",
        "TrackingCategoryID": category_id,
        "TrackingOptionID": option_id,
    }


def document(
    org: Organisation, item: Document, *, lines: bool, unit_places: int = 2, full: bool = False
) -> dict[str, Any]:
    """An invoice, bill or credit note; `full` is the single answer with its whole contact."""
    shown: dict[str, Any] = {"Type": item.type}
    if item.is_credit:
        shown |= _credit_part(org, item)
    else:
        shown |= _invoice_part(org, item)
    known = org.contacts.get(item.contact_id)
    stub = contact_stub(org, item.contact_id)
    shown |= {
        "Contact": contact(org, known, full=False) if full and known else stub,
        "Date": ms_day(item.date),
        "DateString": day_string(item.date),
        "Status": item.status,
        "LineAmountTypes": item.line_amount_types,
        "LineItems": [line(org, x, unit_places) for x in item.lines] if lines else [],
        "SubTotal": item.sub_total,
        "TotalTax": item.total_tax,
        "Total": item.total,
        "UpdatedDateUTC": ms_instant(item.updated_at),
        "UpdatedDateUTCString": instant_string(item.updated_at),
        "CurrencyCode": item.currency,
        "CurrencyRate": item.currency_rate,
        "HasAttachments": bool(item.attachments),
        "HasErrors": False,
    }
    if item.due_date:
        shown |= {"DueDate": ms_day(item.due_date), "DueDateString": day_string(item.due_date)}
    if item.fully_paid_on:
        shown["FullyPaidOnDate"] = ms_day(item.fully_paid_on)
    if item.branding_theme_id:
        shown["BrandingThemeID"] = item.branding_theme_id
    return shown


def _invoice_part(org: Organisation, item: Document) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "InvoiceID": item.id,
        "InvoiceNumber": item.number,
        "Payments": _payments_on(org, item),
        "CreditNotes": [
            {
                "CreditNoteID": a.credit_note_id,
                "CreditNoteNumber": org.credit_notes[a.credit_note_id].number,
                "ID": a.credit_note_id,
                "AppliedAmount": a.amount,
                "Date": ms_day(a.date),
                "DateString": day_string(a.date),
            }
            for i in item.allocation_ids
            if (a := org.allocations[i])
        ],
        "Prepayments": [],
        "Overpayments": [],
        "AmountDue": item.due,
        "AmountPaid": item.paid,
        "AmountCredited": item.credited,
        "SentToContact": item.sent,
        "IsDiscounted": any(x.discount_percent for x in item.lines),
    }
    if item.is_sale:
        shown["Reference"] = item.reference
    if item.url:
        shown["Url"] = item.url
    for key, day in (
        ("ExpectedPaymentDate", item.expected_payment_date),
        ("PlannedPaymentDate", item.planned_payment_date),
    ):
        if day:
            shown[key] = ms_day(day)
    return shown


def _credit_part(org: Organisation, item: Document) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "CreditNoteID": item.id,
        "CreditNoteNumber": item.number,
        "RemainingCredit": item.due,
        "Allocations": [allocation(org, org.allocations[i]) for i in item.allocation_ids],
        "Payments": _payments_on(org, item),
        "SentToContact": item.sent,
    }
    if item.is_sale:
        shown["Reference"] = item.reference
    return shown


def _payments_on(org: Organisation, item: Document) -> list[dict[str, Any]]:
    return [
        {
            "PaymentID": p.id,
            "Date": ms_day(p.date),
            "Amount": p.amount,
            "Reference": p.reference,
            "CurrencyRate": Decimal(1),
            "HasAccount": False,
            "HasValidationErrors": False,
        }
        for i in item.payment_ids
        if (p := org.payments[i]).status == "AUTHORISED"
    ]


def payment_type(item: Document) -> str:
    return {
        "ACCREC": "ACCRECPAYMENT",
        "ACCPAY": "ACCPAYPAYMENT",
        "ACCRECCREDIT": "ARCREDITPAYMENT",
        "ACCPAYCREDIT": "APCREDITPAYMENT",
    }[item.type]


def payment(org: Organisation, item: Payment) -> dict[str, Any]:
    """A payment; its document comes as a stub without lines."""
    paid = org.document(item.document_id)
    account_ = org.accounts.get(item.account_id)
    shown: dict[str, Any] = {
        "PaymentID": item.id,
        "Date": ms_day(item.date),
        "BankAmount": item.amount,
        "Amount": item.amount,
        "Reference": item.reference,
        "CurrencyRate": Decimal(1),
        "Status": item.status,
        "UpdatedDateUTC": ms_instant(item.updated_at),
        "UpdatedDateUTCString": instant_string(item.updated_at),
        "HasAccount": account_ is not None,
        "IsReconciled": item.reconciled,
        "HasValidationErrors": False,
    }
    if account_:
        shown["Account"] = {"AccountID": account_.id, "Code": account_.code}
    if item.batch_id:
        shown["BatchPaymentID"] = item.batch_id
        shown["BatchPayment"] = {"BatchPaymentID": item.batch_id}
    if paid:
        key, id_key, number = ("Invoice", "InvoiceID", "InvoiceNumber")
        if paid.is_credit:
            key, id_key, number = ("CreditNote", "CreditNoteID", "CreditNoteNumber")
        shown["PaymentType"] = payment_type(paid)
        shown[key] = {
            "Type": paid.type,
            id_key: paid.id,
            number: paid.number,
            "Payments": [],
            "LineItems": [],
            "CurrencyCode": paid.currency,
            "Contact": contact_stub(org, paid.contact_id),
            "HasErrors": False,
        }
    return shown


def allocation(org: Organisation, item: Allocation) -> dict[str, Any]:
    invoice = org.invoices[item.invoice_id]
    return {
        "AllocationID": item.id,
        "Amount": item.amount,
        "Date": ms_day(item.date),
        "Invoice": {"InvoiceID": invoice.id, "InvoiceNumber": invoice.number},
    }


def history(entries: list[HistoryEntry]) -> list[dict[str, Any]]:
    """History records, the newest first."""
    return [
        {
            "Changes": entry.changes,
            "DateUTCString": instant_string(entry.at),
            "DateUTC": ms_instant(entry.at),
            "User": entry.user,
            "Details": entry.details,
        }
        for entry in reversed(entries)
    ]


def attachment(item: Attachment, url: str) -> dict[str, Any]:
    return {
        "AttachmentID": item.id,
        "FileName": item.name,
        "Url": url,
        "MimeType": item.mime,
        "ContentLength": len(item.content),
        "IncludeOnline": item.online,
    }
