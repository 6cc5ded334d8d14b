"""The simulator's switches: what no source settles about Xero, and knobs for tests."""

from dataclasses import dataclass, field

from onecore_sim.kit.switches import Switch, Switches
from onecore_sim.xero.tax import Rounding

DECLARED = (
    Switch("missing_scope_status", "401", "UNCONFIRMED: the status of a missing scope.",
           ("401", "403")),
    Switch("missing_tenant_status", "403",
           "UNCONFIRMED: the status where the organisation is unknown or not connected.",
           ("401", "403")),
    Switch("rounding_mode", "half_up", "UNCONFIRMED: how half a cent of tax is rounded.",
           ("half_up", "half_even")),
    Switch("contact_tax_default_wins", False,
           "UNCONFIRMED: a contact's tax default goes before the account's."),
    Switch("tax_amount_override", True, "UNCONFIRMED: a TaxAmount sent on a line is kept."),
    Switch("zero_amount_lines", "accept", "UNCONFIRMED: lines of 0.00 are taken or refused.",
           ("accept", "reject")),
    Switch("negative_totals", "reject", "UNCONFIRMED: documents below zero are refused.",
           ("accept", "reject")),
    Switch("voided_number_reusable", False,
           "UNCONFIRMED: a voided or deleted sales invoice frees its number."),
    Switch("omitted_lines_kept", True,
           "UNCONFIRMED: an update that leaves LineItems out keeps the lines; off: it is refused."),
    Switch("adviser_grant", False,
           "The user who authorised is an adviser: the period lock does not bind the app."),
    Switch("summarize_errors_default", True,
           "UNCONFIRMED: what summarizeErrors is when it is not sent."),
    Switch("summarize_errors_keeps_good", True,
           "UNCONFIRMED: with summarizeErrors=true the good ones of a refused batch are saved."),
    Switch("contact_match_on_post", True,
           "UNCONFIRMED: POST /Contacts finds an existing contact by its number or name."),
    Switch("not_modified_304", False,
           "UNCONFIRMED: nothing changed since If-Modified-Since answers 304, not an empty list."),
    Switch("modified_since_inclusive", True,
           "UNCONFIRMED: If-Modified-Since includes the second it names."),
    Switch("blind_spots", True,
           "A due date on a part-paid document and a line's account change without a trace."),
    Switch("deleted_payments_listed", True,
           "UNCONFIRMED: a deleted payment comes back under If-Modified-Since."),
    Switch("broad_scopes", False, "The app is old: it may still ask for the retired broad scopes."),
    Switch("code_seconds", 300, "UNCONFIRMED: how long an authorization code lives."),
    Switch("id_token_seconds", 1800, "UNCONFIRMED: how long an id_token lives."),
    Switch("idempotency_scope", "app", "UNCONFIRMED: what an Idempotency-Key belongs to.",
           ("app", "access_token")),
    Switch("idempotency_caches_errors", True, "UNCONFIRMED: refused answers are replayed as well."),
    Switch("limit_concurrent", 5, "Calls in flight per app and organisation; 0 is no limit."),
    Switch("limit_minute", 60, "Calls a minute per app and organisation; 0 is no limit."),
    Switch("limit_day", 5000, "Calls a day per app and organisation (Starter: 1000); 0: no limit."),
    Switch("limit_app_minute", 10000, "Calls a minute per app; 0 is no limit."),
    Switch("app_minute_word", "appminute", "UNCONFIRMED: X-Rate-Limit-Problem of the app's minute.",
           ("appminute", "app-minute")),
    Switch("latency_ms", 0, "How long a call stays in flight; for tests of concurrency."),
    Switch("max_body_bytes", 3_500_000, "UNCONFIRMED: the largest body taken."),
    Switch("max_attachment_bytes", 10_000_000, "UNCONFIRMED: the largest attachment taken."),
    Switch("history_max_length", 0, "UNCONFIRMED: the longest history note; 0 is no limit."),
    Switch("bad_query_number", 16, "UNCONFIRMED: the ErrorNumber of a where that cannot be read."),
    Switch("gzip_answers", False, "UNCONFIRMED: answers are compressed where that was asked for."),
    Switch("url_max_length", 0, "UNCONFIRMED: the longest Url taken; 0 is no limit."),
    Switch("ended_listed", True,
           "UNCONFIRMED: lists that name no Statuses include deleted and voided documents."),
    Switch("high_volume", False, "Lists answer HighVolumeException, as over 100,000 documents."),
    Switch("organisation_offline", False, "Every call answers 503 in plain text."),
    Switch("webhook_invoice", True, "Events of category INVOICE."),
    Switch("webhook_contact", True, "Events of category CONTACT."),
    Switch("webhook_creditnote", True, "Events of category CREDITNOTE."),
    Switch("webhook_payment", False, "UNCONFIRMED: events of category PAYMENT, new in Nov 2026."),
    Switch("webhook_invoice_on_payment", True,
           "UNCONFIRMED: a payment fires INVOICE UPDATE for what it pays."),
    Switch("webhook_retry_seconds", 900, "The wait between attempts after the immediate second."),
    Switch("webhook_retry", "steady",
           "UNCONFIRMED: further attempts come every so often, or more and more rarely.",
           ("steady", "falling")),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rules:
    """The switches that the rules of documents depend on, read once per request."""

    rounding: Rounding = field(default_factory=Rounding)
    contact_tax_default_wins: bool = False
    tax_amount_override: bool = True
    zero_amount_lines: bool = True
    negative_totals: bool = False
    voided_number_reusable: bool = False
    omitted_lines_kept: bool = True
    adviser: bool = False
    contact_match_on_post: bool = True
    blind_spots: bool = True
    url_max_length: int = 0
    payments_tell: bool = True


def rules(switches: Switches) -> Rules:
    return Rules(
        rounding=Rounding(half_even=switches["rounding_mode"] == "half_even"),
        contact_tax_default_wins=switches.on("contact_tax_default_wins"),
        tax_amount_override=switches.on("tax_amount_override"),
        zero_amount_lines=switches["zero_amount_lines"] == "accept",
        negative_totals=switches["negative_totals"] == "accept",
        voided_number_reusable=switches.on("voided_number_reusable"),
        omitted_lines_kept=switches.on("omitted_lines_kept"),
        adviser=switches.on("adviser_grant"),
        contact_match_on_post=switches.on("contact_match_on_post"),
        blind_spots=switches.on("blind_spots"),
        url_max_length=switches.number("url_max_length"),
        payments_tell=switches.on("webhook_invoice_on_payment"),
    )
