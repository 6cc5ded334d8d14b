"""Which cure each kind of gap has, and who mends those that have none here."""

from onecore.engine.use.cures import Cure
from onecore.engine.use.cures_accounts import (
    AccountCure,
    CodeCure,
    RetentionAccountCure,
    RetentionMethodCure,
    UncodedCure,
)
from onecore.engine.use.cures_parties import ContactCure, VendorCure
from onecore.engine.use.cures_tracking import (
    CategoryCure,
    ProjectOptionCure,
    RoutingCure,
    SecondOptionCure,
)

CURES: dict[str, Cure] = {
    "vendor_unmapped": VendorCure(),
    "contact_unknown": ContactCure(),
    "contact_archived": ContactCure(),
    "cost_code_unmapped": CodeCure(),
    "uncoded_unmapped": UncodedCure(),
    "account_unknown": AccountCure(),
    "account_archived": AccountCure(),
    "account_refused": AccountCure(),
    "retention_account_missing": RetentionAccountCure(),
    "retention_account_archived": RetentionAccountCure(),
    "retention_method_unbuilt": RetentionMethodCure(),
    "retention_method_unfit": RetentionMethodCure(),
    "tracking_option_missing": ProjectOptionCure(),
    "second_option_missing": SecondOptionCure(),
    "tracking_category_missing": CategoryCure(),
    "organisation_unmapped": RoutingCure(),
}

_PROCORE = "The contracts administrator, in Procore"
_XERO = "The bookkeeper, in Xero"
_SETTINGS = "Whoever keeps the settings, in the workspace document (onecore config export)"

ELSEWHERE: dict[str, tuple[str, str]] = {
    "amounts_differ": (
        "The claim's lines do not come to its own total.",
        f"{_PROCORE}: open the claim, correct it or have Procore reckon it again, and save.",
    ),
    "period_locked": (
        "The bill would be dated in a closed period.",
        "The accountant, in Xero: move the lock date (Advanced accounting, financial settings); "
        "or set `locked_period: shift` in the workspace document, which dates it the day after.",
    ),
    "claimed_elsewhere": (
        "Another workspace, joined to the same company and organisation, has posted the claim.",
        f"{_SETTINGS}: give each project to one workspace, and switch the flow off for it in the "
        "other.",
    ),
    "negative_total": (
        "The claim comes to less than nothing.",
        f"{_XERO}: enter it as a credit note by hand.",
    ),
    "number_missing": (
        "The claim has no invoice number, and its commitment none to make one from.",
        f"{_PROCORE}: fill in the invoice number of the claim, or the number of the commitment.",
    ),
    "date_missing": (
        "The claim lacks the date the bill is dated by.",
        f"{_PROCORE}: fill in that date or the project's time zone; or choose another date under "
        "`flows: bill: date` in the workspace document.",
    ),
    "due_date_missing": (
        "The due date cannot be told.",
        f"{_XERO}: give the contact payment terms for bills; or add `else` to the rule "
        "`flows: bill: due_date` in the workspace document.",
    ),
    "currency_unavailable": (
        "The organisation does not use the claim's currency.",
        f"{_XERO}: add the currency to the organisation, where its plan allows more than one.",
    ),
    "opening_tax_booked": (
        "The release would be taxed twice.",
        f"{_XERO}: enter this bill by hand; or take the opening balance out of the contract's row "
        "in the workspace document once it is used up.",
    ),
    "vendor_missing": (
        "The contract has no vendor.",
        f"{_PROCORE}: choose the vendor of the commitment.",
    ),
    "tax_unfit": (
        "The tax rate cannot be used with the account.",
        f"{_XERO}: change the account's default tax rate; or {_SETTINGS[0].lower()}{_SETTINGS[1:]}:"
        " change the row under `tax_overrides`.",
    ),
    "tax_unknown": (
        "The tax rate is not to be had.",
        f"{_XERO}: give the account or the contact a tax rate in use; or {_SETTINGS[0].lower()}"
        f"{_SETTINGS[1:]}: change the row under `tax_overrides`.",
    ),
    "retention_tax_unfit": (
        "The tax rate of the work cannot be used with the retention account.",
        f"{_XERO}: let the rate apply to liabilities; or choose `tax: none` under `retention: "
        "payable` in the workspace document.",
    ),
    "source_unseen": (
        "Procore does not show this project to the app.",
        "A company admin, in Procore: App Management, OneCore, permitted projects; nothing is "
        "voided meanwhile.",
    ),
    "target_unseen": (
        "Xero did not return a bill that is linked.",
        "Nobody yet: it is looked at again; if it stays, connect the organisation again.",
    ),
}

REFUSED = (
    "Xero declined this document.",
    "Mend in Xero or in Procore what its reasons name, then have it looked at again.",
)
"""For a refusal, whose subject is the document itself and not one thing that is missing."""
