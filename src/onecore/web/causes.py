"""Causes of attention in plain words: what it is, what it means, who mends it and where."""

from dataclasses import dataclass

from onecore.engine.use.remedies import CURES


@dataclass(frozen=True, slots=True)
class Cause:
    """One code the engine and the translation give, as a person reads it."""

    title: str
    meaning: str
    mend: str


CAUSES: dict[str, Cause] = {
    # --- parties
    "vendor_unmapped": Cause(
        "Vendor without a contact",
        "Nobody has said yet who this Procore vendor is in Xero.",
        "Choose the contact, or make one from the vendor's details.",
    ),
    "vendor_missing": Cause(
        "Contract without a vendor",
        "The commitment names no vendor in Procore, so a claim on it has nobody to pay.",
        "Name the vendor on the commitment in Procore.",
    ),
    "contact_unknown": Cause(
        "Contact not found in Xero",
        "The vendor is mapped to a contact that Xero does not have.",
        "Choose another contact.",
    ),
    "contact_archived": Cause(
        "Contact is archived",
        "Xero takes no bill for an archived contact.",
        "Restore the contact in Xero, or choose another.",
    ),
    "contact_refused": Cause(
        "Xero refused the contact",
        "Xero declined the bill because of its contact; its words are with the document.",
        "Mend the contact in Xero, then look again.",
    ),
    # --- accounts
    "cost_code_unmapped": Cause(
        "Cost code without an account",
        "Lines with this cost code have no expense account yet.",
        "Choose the account; it holds for every project unless one differs.",
    ),
    "uncoded_unmapped": Cause(
        "Lines without a cost code",
        "A line of the claim has no cost code, and no account is chosen for such lines.",
        "Choose the account for lines without a cost code, or code the line in Procore.",
    ),
    "account_unknown": Cause(
        "Account not found in Xero",
        "The settings name an account code that Xero does not have.",
        "Choose another account, or add it to Xero's chart of accounts.",
    ),
    "account_archived": Cause(
        "Account is archived",
        "Xero takes no lines on an archived account.",
        "Restore it in Xero, or choose another account.",
    ),
    "account_refused": Cause(
        "Account takes no bill lines",
        "Control and bank accounts cannot stand on a bill's lines.",
        "Choose an ordinary expense account.",
    ),
    # --- tax
    "tax_unknown": Cause(
        "Tax rate not found in Xero",
        "The tax rate a line would get is not active in Xero, or none is set.",
        "Set the account's tax rate in Xero, or override it in the settings.",
    ),
    "tax_unfit": Cause(
        "Tax rate does not fit the account",
        "Xero does not allow this tax rate on this kind of account.",
        "Change the account's tax rate in Xero, or the tax override in the settings.",
    ),
    # --- tracking
    "tracking_category_missing": Cause(
        "Tracking category not found",
        "The settings name a tracking category that Xero does not have as active.",
        "Restore or rename it in Xero, or change `tracking` in the settings.",
    ),
    "tracking_option_missing": Cause(
        "Project without a tracking option",
        "Each bill carries its project's tracking option, and this project has none.",
        "Choose the option, or make one in Xero with the project's name.",
    ),
    "second_option_missing": Cause(
        "Second tracking option missing",
        "A line's option of the second tracking category is not in Xero.",
        "Choose the option, or make it in Xero.",
    ),
    "tracking_refused": Cause(
        "Xero refused the tracking",
        "Xero declined the bill because of a tracking option; its words are with the document.",
        "Mend the option in Xero, then look again.",
    ),
    # --- retention
    "retention_account_missing": Cause(
        "No account for retention",
        "The claim holds money back, and no account is chosen to hold it.",
        "Choose the retention account, usually a current liability.",
    ),
    "retention_account_archived": Cause(
        "Retention account is archived",
        "Xero takes no lines on an archived account.",
        "Restore it in Xero, or choose another account.",
    ),
    "retention_method_unbuilt": Cause(
        "Retention method not in this version",
        "The settings ask for a retention method that this version does not carry.",
        "Use `line` or `net` under `retention` in the settings.",
    ),
    "retention_method_unfit": Cause(
        "Retention method does not fit this claim",
        "On this claim the chosen method would report the tax wrongly.",
        "Use the method `net` for this contract in the settings.",
    ),
    "retention_tax_unfit": Cause(
        "Tax rate does not fit retention",
        "The tax rate of the work cannot stand on the retention account.",
        "Let the rate apply to liabilities in Xero, or set `tax: none` for retention.",
    ),
    "opening_tax_booked": Cause(
        "Tax of earlier retention",
        "Retention from before OneCore is released, and its tax was booked already.",
        "Set this contract's `opening` or its retention tax in the settings.",
    ),
    # --- the document itself
    "number_missing": Cause(
        "Claim without an invoice number",
        "The bill takes the supplier's invoice number, and the claim has none.",
        "Enter the invoice number on the claim in Procore, or change `number` in the settings.",
    ),
    "date_missing": Cause(
        "Claim without a date",
        "The date the bill is dated by is not on the claim.",
        "Enter it on the claim in Procore, or change `date` in the settings.",
    ),
    "due_date_missing": Cause(
        "Due date cannot be worked out",
        "The rule for due dates needs something this claim or contact does not say.",
        "Add an `else` to the due-date rule in the settings, or the terms to the contact in Xero.",
    ),
    "amounts_differ": Cause(
        "Claim does not add up",
        "Its lines do not come to what Procore says is due. Nothing is posted on a guess.",
        "Open the claim in Procore, check its lines and retainage, and save it again.",
    ),
    "negative_total": Cause(
        "Claim comes to less than nothing",
        "More is taken back than is claimed; Xero needs a supplier credit for that.",
        "This version does not post credits: enter it in Xero by hand, or wait for the next claim.",
    ),
    "currency_unavailable": Cause(
        "Currency not in Xero",
        "The organisation has not switched on the claim's currency.",
        "Add the currency in Xero, then look again.",
    ),
    "organisation_unmapped": Cause(
        "Project without an organisation",
        "No connected Xero organisation is named for this project.",
        "Connect Xero, or name the organisation under `organisations` or `projects`.",
    ),
    "claimed_elsewhere": Cause(
        "Another workspace has the claim",
        "It is joined to the same company and organisation, and the claim is a bill there already.",
        "Give each project to one workspace: switch the flow off for it in the other.",
    ),
    # --- periods
    "period_locked": Cause(
        "Period is locked in Xero",
        "The bill's date lies on or before a lock date, so Xero takes no change.",
        "Move the lock date in Xero, or set `locked_period: shift` in the settings.",
    ),
    "locked_bill_changed": Cause(
        "Claim changed, its bill is locked",
        "The claim has new values; its bill lies in a locked period.",
        "Settle it in Xero by hand and say so, or move the lock date and look again.",
    ),
    # --- questions
    "approval": Cause(
        "To approve",
        "This flow asks an accountant before a bill goes to Xero.",
        "Open the document, look at the bill, then approve or reject it.",
    ),
    "duplicate": Cause(
        "May be in Xero already",
        "Xero has a bill of this contact with the same number, or the same total about then.",
        "Say whether it is the same bill. Nothing is sent until then.",
    ),
    "drifted": Cause(
        "Changed in Xero",
        "Somebody changed in Xero what Procore owns: amounts, dates, number or contact.",
        "Restore Procore's values, or accept what stands in Xero.",
    ),
    "voided_there": Cause(
        "Bill voided in Xero",
        "The bill was voided or deleted in Xero while its claim still stands.",
        "Post it again, or leave it.",
    ),
    "paid_bill_changed": Cause(
        "Claim changed after payment",
        "The claim has new values; its bill is paid, so Xero lets nobody edit it.",
        "Settle the difference in Xero by hand and say so.",
    ),
    "reopened_but_paid": Cause(
        "Claim reopened after payment",
        "The claim was reopened in Procore; its bill is paid.",
        "Keep the bill, or remove the payment in Xero and look again.",
    ),
    "source_reopened": Cause(
        "Claim reopened",
        "The claim was reopened in Procore after its bill was made.",
        "Keep the bill until the claim is approved again, or void it.",
    ),
    "source_reopened_but_paid": Cause(
        "Claim reopened after payment",
        "The claim was reopened in Procore; its bill is paid.",
        "Keep the bill, or remove the payment in Xero and look again.",
    ),
    "source_reopened_but_locked": Cause(
        "Claim reopened, its bill is locked",
        "The claim was reopened in Procore; its bill lies in a locked period.",
        "Keep the bill, or move the lock date in Xero and look again.",
    ),
    "source_deleted": Cause(
        "Claim deleted in Procore",
        "A complete list lacked the claim twice, at least an hour apart.",
        "Keep the bill, or void it.",
    ),
    "source_deleted_but_paid": Cause(
        "Claim deleted after payment",
        "The claim is gone from Procore; its bill is paid.",
        "Keep the bill, or remove the payment in Xero and look again.",
    ),
    "source_deleted_but_locked": Cause(
        "Claim deleted, its bill is locked",
        "The claim is gone from Procore; its bill lies in a locked period.",
        "Keep the bill, or move the lock date in Xero and look again.",
    ),
    "nothing_due_now": Cause(
        "Nothing is due any more",
        "The claim was changed so that nothing is due; its bill still stands.",
        "Keep the bill, or void it.",
    ),
    "nothing_due_now_but_paid": Cause(
        "Nothing is due, the bill is paid",
        "The claim was changed so that nothing is due; its bill is paid.",
        "Keep the bill, or remove the payment in Xero and look again.",
    ),
    "nothing_due_now_but_locked": Cause(
        "Nothing is due, the bill is locked",
        "The claim was changed so that nothing is due; its bill lies in a locked period.",
        "Keep the bill, or move the lock date in Xero and look again.",
    ),
    "many_withdrawals": Cause(
        "Many bills would be voided at once",
        "Many claims went away together, which is more often a lost permission than a wish.",
        "Check the app's projects in Procore first; then void the bills, or keep them.",
    ),
    # --- out of sight
    "source_unseen": Cause(
        "Project out of sight in Procore",
        "Procore does not show these claims to the app at the moment. Nothing is voided for that.",
        "Put the project back on the app's permitted projects in Procore, then look again.",
    ),
    "target_unseen": Cause(
        "Bills out of sight in Xero",
        "Xero did not return bills that are linked. They are looked for again by themselves.",
        "Nothing to do at first; if it stays, connect the organisation again.",
    ),
    "refused": Cause(
        "Refused by Xero",
        "Xero declined the bill; its words are with the document.",
        "Mend what Xero names, then look again.",
    ),
}


def is_curable(code: str) -> bool:
    """Whether a choice on our own pages fills this gap."""
    return code in CURES


def cause(code: str) -> Cause:
    """The cause in words; a code not known here is shown as it is, never hidden."""
    return CAUSES.get(code) or Cause(
        code.replace("_", " ").capitalize(),
        "This version has no further words for it.",
        "Open the document to see what it says.",
    )
