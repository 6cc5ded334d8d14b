"""The words screens use for states, steps, fields and acts: the same word everywhere."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StateWord:
    """A state as people read it. `tone` picks the colour, `sign` says the same without it."""

    label: str
    tone: str  # good | quiet | act | warn | bad
    sign: str
    meaning: str


STATES = {
    "in_step": StateWord("In step", "good", "✓", "Both sides agree to the cent."),
    "waiting": StateWord("Waiting", "quiet", "…", "On its way, or waiting for the claim to move."),
    "approval": StateWord("To approve", "act", "?", "Goes to Xero once somebody approves it."),
    "previewed": StateWord("Preview", "quiet", "◌", "Shown only: this flow sends nothing."),
    "held": StateWord("Held", "warn", "!", "Something has to be settled before it can go."),
    "ask": StateWord("Question", "warn", "?", "Somebody has to choose what happens."),
    "refused": StateWord("Refused", "bad", "✕", "Xero declined it, for a reason it gave."),
    "drifted": StateWord("Changed in Xero", "warn", "≠", "Xero has another value than Procore."),
    "withdrawn": StateWord("Withdrawn", "quiet", "–", "Nothing stands in Xero for this claim."),
}
"""In the order a person would ask about them."""

UNKNOWN_STATE = StateWord("Unknown", "bad", "?", "A state this version does not know.")

NOTES = {
    "no_movement": "Nothing moved on this claim, so no bill is needed.",
    "all_retained": "Everything claimed is held back, so no bill is needed.",
    "reopened": "The claim was reopened in Procore; its bill stays until it is approved again.",
    "kept": "The bill was kept although the claim no longer asks for it.",
    "rejected": "An accountant rejected this version of it.",
    "flow_off": "The bill flow is off.",
    "look_again": "It is looked at again in a moment.",
    "absent": "Procore's list lacks it; it is looked for again before anything is concluded.",
    "source_unseen": "Procore does not show it at the moment; nothing is concluded from that.",
    "target_unseen": "Xero does not show its bill at the moment; it is looked for again.",
    "ignored": "Somebody chose to leave this claim alone.",
    "not_ours": "It lies before the cut-over date.",
    "not_approved": "The claim is not approved.",
    "not_seen": "Procore shows no such claim.",
    "gone": "The bill is gone and nothing stands against the claim.",
    "drifted": "Somebody changed in Xero what Procore owns.",
}

FLOWS = {
    "bill": ("Claims to bills", "A subcontractor's approved claim becomes a bill in Xero."),
    "sales_invoice": ("Owner invoices", "An approved payment application becomes a sales invoice."),
    "cost_to_bill": ("Direct costs to bills", "An approved direct cost becomes a bill in Xero."),
    "bill_to_cost": ("Bills to direct costs", "A bill entered in Xero becomes a direct cost."),
    "payment_issued": ("Payments to subcontractors", "A payment in Xero shows on the commitment."),
    "payment_received": ("Payments received", "A receipt in Xero shows on the prime contract."),
    "paid_date": ("Paid dates", "A paid bill dates its direct cost."),
    "purchase_order": ("Purchase orders", "An approved commitment becomes a purchase order."),
    "vendor": ("Vendors and contacts", "One side's new or changed party reaches the other."),
    "project": ("Projects", "A project gets its tracking option."),
    "cost_type": ("Cost types", "A cost type gets its tracking option."),
    "attachments": ("Attachments", "Files follow their document."),
    "timesheet": ("Timesheets", "Approved timecards become payroll timesheets."),
    "labour_cost": ("Labour cost", "Time becomes a direct cost on the job."),
}

MODES = {
    "off": ("Off", "Nothing happens."),
    "preview": ("Preview", "OneCore shows what it would do; nothing is sent."),
    "approve": ("Approve first", "An accountant accepts or rejects each document."),
    "auto": ("Automatic", "Documents go over by themselves."),
}

ROLES = {
    "owner": "Owner",
    "accountant": "Accountant",
    "project_manager": "Project manager",
    "viewer": "Viewer",
}

_ACTS = {
    "bill.created": "Bill made in Xero",
    "bill.updated": "Bill changed in Xero",
    "bill.removed": "Bill voided in Xero",
    "bill.found": "Bill found in Xero after a lost reply",
    "bill.adopted": "Bill in Xero linked",
    "document.approve": "Approved",
    "document.reject": "Rejected",
    "config.changed": "Settings saved",
    "workspace.added": "Workspace made",
    "workspace.paused": "Paused",
    "workspace.resumed": "Resumed",
    "procore.connected": "Procore connected",
    "xero.connected": "Xero connected",
    "procore.disconnected": "Procore disconnected",
    "xero.disconnected": "Xero disconnected",
    "contact.created": "Contact made in Xero",
    "option.created": "Tracking option made in Xero",
}
_ANSWERS = {
    "keep": "keep the bill",
    "void": "void the bill",
    "restore": "restore Procore's values",
    "accept": "accept as it stands",
    "post_again": "post again",
    "leave": "leave it",
    "adopt": "it is the same bill",
    "post_anyway": "post anyway",
    "ignore": "ignore the claim",
    "look_again": "look again",
    "approve": "approve",
    "reject": "reject",
}


def act(code: str) -> str:
    """An audit act in words; one not known here in its own spelling, so nothing is hidden."""
    if code in _ACTS:
        return _ACTS[code]
    kind, _, what = code.partition(".")
    if kind in ("answered", "attention"):
        return f"Answered: {_ANSWERS.get(what, what.replace('_', ' '))}"
    return code.replace(".", " ").replace("_", " ").capitalize()


def note(code: str) -> str:
    return NOTES.get(code, "")


def state(code: str) -> StateWord:
    return STATES.get(code, UNKNOWN_STATE)


def mode(code: str) -> str:
    return MODES[code][0] if code in MODES else code


def flow(code: str) -> str:
    return FLOWS[code][0] if code in FLOWS else code


def claim(ref: str) -> str:
    """A ref in words: "Claim 55"."""
    kind, _, rest = ref.partition(":")
    number = rest.rpartition("/")[2]
    return f"Claim {number}" if kind == "requisition" else ref


def trouble(code: str) -> str:
    """What keeps a project's claims from being read, in words with the next step."""
    what, _, status = code.partition("_")
    if what == "lists":
        return (
            f"Procore shows the app this project's claims, but not all that belongs to them "
            f"({status}). Let it read cost codes, commitments and invoicing there."
        )
    if status in ("403", "404"):
        return (
            f"Procore does not show this project's invoicing to the app ({status}). Put the "
            "project on the app's permitted projects and check that Invoicing is switched on."
        )
    return f"Procore answered {status or code}."


_FIELDS = {
    "contact": "Contact",
    "number": "Number",
    "bill_date": "Date",
    "due_date": "Due date",
    "currency": "Currency",
}
_PARTS = {
    "amount": "amount",
    "description": "text",
    "account": "account",
    "tax": "tax rate",
    "tracking": "tracking",
}


def field(name: str) -> str:
    """The name of a compared field in words: "line.item:9.amount" is "Amount of a line"."""
    if name in _FIELDS:
        return _FIELDS[name]
    if not name.startswith("line."):
        return name.replace("_", " ").capitalize()
    key, _, what = name.removeprefix("line.").rpartition(".")
    of = "the retention line" if key.startswith("retention:") else "a line"
    if key.startswith("extra:"):
        of = "a line added in Xero"
    return f"{_PARTS.get(what, what).capitalize()} of {of}"


_COMPARED = re.compile(r"^([a-z_.:0-9A-Z-]+): wanted (.*), in Xero (.*)$")


def told(line: str) -> str:
    """A line of a matter's details; a comparison with its field's name in words."""
    found = _COMPARED.match(line)
    if found is None:
        return line
    return f"{field(found[1])}: {found[2]} wanted, {found[3]} in Xero"
