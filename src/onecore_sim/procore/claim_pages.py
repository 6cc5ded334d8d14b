"""The page of a claim, where most of a person's work in the simulator happens."""

from typing import Any

from onecore_sim.procore import claims
from onecore_sim.procore.core import Core
from onecore_sim.procore.markup import (
    LINE_FIELDS,
    button,
    dollars,
    form,
    line_inputs,
    link,
    number,
    row,
    status,
    table,
    text,
)
from onecore_sim.procore.state import Commitment, Project, Requisition
from onecore_sim.procore.theme import page
from onecore_sim.procore.wire_contracts import vendor_name

SUMMARY = (
    ("Original contract sum", "original_contract_sum"),
    ("Net change by change orders", "net_change_by_change_orders"),
    ("Contract sum to date", "contract_sum_to_date"),
    ("Total completed and stored to date", "total_completed_and_stored_to_date"),
    ("Retainage on completed work", "completed_work_retainage_amount"),
    ("Retainage on stored materials", "stored_materials_retainage_amount"),
    ("Total retainage", "total_retainage"),
    ("Total earned less retainage", "total_earned_less_retainage"),
    ("Less previous certificates for payment", "less_previous_certificates_for_payment"),
    ("Current payment due", "current_payment_due"),
    ("Balance to finish, including retainage", "balance_to_finish_including_retainage"),
)
REVIEW = (
    ("Approve", "approved"),
    ("Approve as noted", "approved_as_noted"),
    ("Revise and resubmit", "revise_and_resubmit"),
)
DECIDED = ("approved", "approved_as_noted", "pending_owner_approval")


def _buttons(claim: Requisition) -> str:
    """What may be done next with the newest claim of a contract."""
    if claim.status in DECIDED:
        offered = [("Reopen", "under_review")]
    elif claim.status == "under_review":
        offered = list(REVIEW)
    else:
        offered = [("Submit", "under_review"), *REVIEW]
    made = [
        button(label, "do", value, quiet=at > 0)
        for at, (label, value) in enumerate(offered)
        if value != claim.status
    ]
    return "".join([*made, button("Delete", "do", "delete", quiet=True)])


def claim_page(core: Core, project: Project, claim: Requisition) -> str:
    contract = project.commitments[claim.commitment_id]
    base = f"/{project.id}/project/contracts"
    here = f"{base}/requisitions/{claim.id}"
    newest = claims.newest(project, claim)
    summary = claims.summary(claim)
    figures = "".join(
        f'<dt>{label}</dt><dd class="amount">{dollars(getattr(summary, field))}</dd>'
        for label, field in SUMMARY
    )
    doing = form(here, f'<div class="actions">{_buttons(claim)}</div>')
    if not newest:
        doing = "<p>A later claim exists, so this one can no longer be changed.</p>"
    return page(
        f"Claim {claim.number}",
        f"<p>{link(f'/{project.id}/project/home', project.name)} / "
        f"{link(f'{base}/commitments/{contract.id}', contract.title)}</p>"
        f"<h1>Claim No. {claim.number} {status(claim.status)}</h1><dl>"
        f"<dt>Vendor</dt><dd>{text(vendor_name(core, contract))}</dd>"
        f"<dt>Invoice number</dt><dd>{text(claim.invoice_number)}</dd>"
        f"<dt>Billing date</dt><dd>{text(claim.billing_date)}</dd></dl>"
        f"{doing}<h2>Items</h2>{_items(claim)}"
        f'<h2>Summary</h2><dl class="amounts">{figures}</dl>'
        + (_editing(here, claim) if newest else "")
        + _told(core, project, claim),
    )


def _items(claim: Requisition) -> str:
    rows = []
    for item in claim.items:
        one = claims.reckoned(item)
        rows.append(
            row(
                text(item.description),
                number(item.scheduled),
                number(one.work_from_previous),
                number(item.work),
                number(one.after.stored),
                number(one.after.completed_and_stored),
                number(one.movement.retained),
                number(one.after.retained),
            )
        )
    heads = (
        "Description", "#Scheduled value", "#Work from previous", "#Work this period",
        "#Materials stored", "#Completed and stored", "#Retainage this period", "#Retainage held",
    )  # fmt: skip
    return table(heads, rows, "Items")


def _editing(here: str, claim: Requisition) -> str:
    rows = [
        row(text(item.description), line_inputs(item.line_id, item.description, item))
        for item in claim.items
    ]
    inputs = table(("Description", *(f"#{label}" for _, label in LINE_FIELDS)), rows, "Amounts")
    invoice = (
        '<p><label>Invoice number <input name="invoice_number" '
        f'value="{text(claim.invoice_number)}"></label></p>'
    )
    return f"<h2>Edit</h2>{form(here, inputs + invoice + button('Save amounts', 'do', 'save'))}"


def _told(core: Core, project: Project, claim: Requisition) -> str:
    rows = [
        row(
            f"{h.at:%Y-%m-%d %H:%M} UTC",
            text(core.state.users[h.by].name),
            text(h.column),
            text(h.old),
            text(h.new),
        )
        for h in project.histories
        if h.requisition_id == claim.id
    ]
    return "<h2>History</h2>" + table(("When", "Who", "What", "From", "To"), rows, "History")


def new_claim_page(core: Core, project: Project, contract: Commitment) -> str:
    here = f"/{project.id}/project/contracts/commitments/{contract.id}/requisitions/new"
    rows = [
        row(text(line.description), line_inputs(line.id, line.description, None))
        for line, _ in claims.claimable(project, contract)
    ]
    inputs = table(("Description", *(f"#{label}" for _, label in LINE_FIELDS)), rows, "Amounts")
    header = (
        '<p><label>Invoice number <input name="invoice_number"></label> '
        f'<label>Billing date <input type="date" name="billing_date" '
        f'value="{core.now():%Y-%m-%d}"></label> '
        '<label>Status <select name="status"><option value="draft">Draft</option>'
        '<option value="under_review">Under review</option></select></label></p>'
    )
    return page(
        "New claim",
        f"<h1>New claim on {text(contract.number)} {text(contract.title)}</h1>"
        + form(here, header + inputs + f"<p>{button('Create claim')}</p>"),
    )


def said_lines(fields: dict[str, str]) -> list[dict[str, Any]]:
    """The lines of a form, from inputs named work-<line id> and so on; an empty one is zero."""
    lines: dict[int, dict[str, Any]] = {}
    for name, value in fields.items():
        field, dash, line_id = name.rpartition("-")
        if dash and line_id.isdecimal() and field in dict(LINE_FIELDS):
            line = lines.setdefault(int(line_id), {"line_id": int(line_id)})
            line[field] = value.replace(",", "").strip() or "0"
    return list(lines.values())
