"""The document a new workspace starts from."""

from collections.abc import Sequence
from datetime import date

from onecore.domain.ids import OrganisationId

_TEXT = """\
# What OneCore carries between Procore and Xero for this workspace, and how.
# Every key is explained in docs/mapping.md. An unknown key is an error, so nothing here is ignored.
version: 1

# Documents dated before this day stay out. A payment follows the document it pays.
cut_over: {cut_over}

# The Xero organisations to post to. A project without its own goes to the default.
organisations: {organisations}

# Names of the tracking categories in Xero; null where one is not used.
# second: null | {{category: "Cost Types", source: cost_type | sub_job | cost_code}}
#              | {{category: "State", fixed: "SA"}}
tracking: {{project: null, second: null}}

# mode: off      nothing happens
#       preview  OneCore shows what it would do
#       approve  an accountant accepts or rejects each document
#       auto     it goes over by itself
flows:
  # due_date, exactly one of: {{days_after_bill: n}} {{days_after_month_end: n}} {{day_of_month: n}}
  #   {{day_of_following_month: n}} {{contact_terms: true, else: {{days_after_bill: 30}}}}
  #   {{business_days_after: n, from: submitted, region: "AU-NSW"}}
  # number: supplier | commitment_claim | {{rcti: {{prefix: "RCTI-"}}}}
  # date: billing_date | period_end | submitted | approved
  bill: {{mode: off, status: AUTHORISED, post_statuses: [approved], number: supplier, \
date: billing_date, due_date: {{days_after_bill: 30}}}}
  sales_invoice: {{mode: off}}
  cost_to_bill: {{mode: off}}
  bill_to_cost: {{mode: off}}
  payment_issued: {{mode: off}}
  payment_received: {{mode: off}}
  paid_date: {{mode: off}}
  purchase_order: {{mode: off}}
  vendor: {{mode: off}}
  project: {{mode: off, option: "{{number}} {{name}}", archive: closed}}
  cost_type: {{mode: off}}
  attachments: {{mode: off}}
  timesheet: {{mode: off}}
  labour_cost: {{mode: off}}

# Retention. method: line (a negative line on the retention account) | net | document | credit_note
# A claim with retention waits until its side has an account.
# tax: same | none     lines: one | tax | line
retention:
  payable: {{method: line, account: null, tax: same, lines: one, track: [project]}}
  receivable: {{method: line, account: null, tax: same, lines: one, track: [project]}}

# What to do when something changes after it was posted.
tax_cents: xero                 # xero | document
paid_bill_changed: ask          # ask | adjust
paid_invoice_changed: ask       # ask | adjust
source_reopened: keep           # keep | ask | void
source_deleted: ask             # ask | void
locked_period: hold             # hold | shift
drift: ask                      # ask | restore | accept
duplicates: {{number: true, amount_window_days: 7}}
lock_source: never              # never | posted | paid

# Cost codes to accounts. Exact before the longest prefix before "*"; the order means nothing.
#   - {{cost_code: "03-300", expense: "310", revenue: "200"}}
#   - {{cost_code: "03-*", expense: "311"}}
#   - {{cost_code: "*", expense: "310"}}
codes: []

# Accounts of lines without a cost code; null leaves such a line for a person.
uncoded: {{expense: null, revenue: null}}

# Procore's vendors and the contacts they are in Xero.
#   - {{vendor_id: 12, contact_id: "0f2c1d1e-52b7-4a9e-a6c7-6f0d0e4a8b11"}}
vendors: []

# Projects: their tracking option, their organisation, and what differs there.
#   - {{project_id: 7, option: "P-007 Riverside", overrides: {{cut_over: 2026-08-01}}}}
projects: []

# Contracts that differ, and retention already held when OneCore took over.
#   - {{contract_id: 31, kind: commitment, opening: {{held: "6000.00", gst: deferred}}}}
contracts: []

# Options of the second tracking category by cost type.
#   - {{line_item_type_id: 3, option: "Labour"}}
cost_types: []

# Tax types that differ from the account's own: a supplier not registered for GST, say.
#   - {{contact_id: "0f2c1d1e-52b7-4a9e-a6c7-6f0d0e4a8b11", tax_type: "EXEMPTEXPENSES"}}
tax_overrides: []
"""


def default_text(cut_over: date, organisations: Sequence[OrganisationId] = ()) -> str:
    """A commented document with every flow off; the first organisation is the default."""
    rows = "".join(
        f'\n  - {{tenant_id: "{organisation}", default: {"false" if index else "true"}}}'
        for index, organisation in enumerate(organisations)
    )
    return _TEXT.format(cut_over=cut_over.isoformat(), organisations=rows or "[]").replace(
        "organisations: \n", "organisations:\n"
    )
