"""What is not established about Procore, and what a test may turn."""

from onecore_sim.kit.switches import Switch

SWITCHES = (
    Switch(
        "rate_hour",
        3600,
        "Requests in an hour, 0 for no limit. The real figure differs per app (600 and 3,600 are "
        "both published as examples).",
    ),
    Switch(
        "rate_spike",
        0,
        "Requests in 10 seconds, 0 for no limit. 25 is the published example; off by default so "
        "that a demonstration is quick.",
    ),
    Switch(
        "retry_after",
        True,
        "Whether a 429 carries Retry-After beside X-Rate-Limit-Reset; the guides disagree.",
    ),
    Switch(
        "app_connected",
        True,
        "Whether the app is installed in the company; off answers 403 to every call.",
    ),
    Switch(
        "missing_company_header_status",
        400,
        "Status when Procore-Company-Id is missing: 400 and 403 have both been seen.",
    ),
    Switch(
        "hidden_project_status",
        404,
        "Status for a project the service account may not see: 404 or 403.",
    ),
    Switch(
        "error_shape",
        "natural",
        "The body of errors: as each endpoint is thought to write it, or one shape everywhere.",
        ("natural", "text", "fields", "object", "message", "coded"),
    ),
    Switch(
        "unknown_filter",
        "ignore",
        "What an unknown filters[...] name does; UNCONFIRMED.",
        ("ignore", "refuse"),
    ),
    Switch("per_page_cap", 2000, "Most rows per page where no narrower cap is published."),
    Switch(
        "list_order",
        "id",
        "Order of lists; Procore promises none.",
        ("id", "newest_change_first", "oldest_change_first", "scrambled"),
    ),
    Switch(
        "money_format",
        "cents",
        'How decimal strings are written: "1000.00", or "1000.0" as some endpoints do.',
        ("cents", "short"),
    ),
    Switch(
        "origin_id_locks",
        True,
        "Whether a record with an origin_id refuses writes (422) where no ERP tool is installed; "
        "UNCONFIRMED.",
    ),
    Switch("origin_id_null_unlocks", True, "Whether clearing origin_id unlocks; UNCONFIRMED."),
    Switch("duplicate_origin_status", 422, "Status for an origin_id already in use: 422 or 409."),
    Switch(
        "item_retainage_incomplete",
        False,
        "Items leave out the retainage on new materials and the releases, so that only /detail "
        "tells the true movement.",
    ),
    Switch(
        "item_gross_net",
        "this_period",
        "What items' gross_amount and net_amount mean; UNCONFIRMED.",
        ("this_period", "to_date", "absent"),
    ),
    Switch(
        "tax_base",
        "gross",
        "Whether tax is reckoned before (gross) or after (net) retainage; UNCONFIRMED.",
        ("gross", "net"),
    ),
    Switch(
        "payment_due_includes_tax",
        False,
        "Whether current_payment_due has the tax in it; that it has not is inferred; UNCONFIRMED.",
    ),
    Switch(
        "erp_status",
        "",
        "erp_status of requisitions; empty is null. The values are not published.",
    ),
    Switch(
        "contract_payment_status",
        "paid",
        "status of contract payments; the values are seen in use, not published.",
        ("unpaid", "in_review", "approved", "processing", "paid", "rejected", "failed"),
    ),
    Switch(
        "merged_vendors",
        "gone",
        "What is left of a vendor that was merged into another: nothing, or an inactive record; "
        "UNCONFIRMED.",
        ("gone", "inactive"),
    ),
    Switch(
        "webhook_requisitions",
        False,
        "Whether v4.0 hooks offer Requisitions; no published catalogue lists them.",
    ),
    Switch(
        "webhook_company_hook_sees_projects",
        False,
        "Whether a company hook gets the events inside projects too; UNCONFIRMED.",
    ),
    Switch(
        "webhook_hidden_projects",
        False,
        "Whether events of projects the app may not see are sent; UNCONFIRMED.",
    ),
    Switch("webhook_timeout_ms", 5000, "How long a hook's answer is waited for."),
    Switch(
        "webhook_disable_after_flush",
        True,
        "Whether a hook whose queue was flushed after 12 hours of failure is disabled.",
    ),
    Switch(
        "oauth_auto_approve",
        False,
        "The authorization page answers at once with a code, without asking the person.",
    ),
)
