"""Putting a document where its plan or its delivery left it, and what is asked of a person."""

from collections.abc import Sequence

from onecore.domain.gaps import Gap
from onecore.domain.refs import Flow
from onecore.engine.bills import Ignored, Plan, differing
from onecore.engine.context import Context
from onecore.engine.withdrawals import MANY
from onecore.ports import Refusal
from onecore.store import documents as records
from onecore.store.documents import Matter
from onecore.store.models import Document
from onecore.sync import decide as d

LOOK_AGAIN = ("look_again", "Look again", "Both sides are read afresh.")
APPROVE = ("approve", "Approve", "The bill goes to Xero as shown.")
REJECT = ("reject", "Reject", "The bill is not made; the reason is kept in the audit log.")

REASONS = (
    ("lock date", "period_locked"),
    ("has been archived, or has been deleted", "account_archived"),
    ("cannot be used with account code", "tax_unfit"),
    ("is not a valid code for this document", "account_refused"),
    ("cannot be edited as it has a payment", "paid_bill_changed"),
    ("tracking", "tracking_refused"),
    ("contact", "contact_refused"),
)
"""What Xero's own words point at [X 4]; anything else is `refused`."""


def row_of(ctx: Context, plan: Plan) -> Document:
    """The plan's document, made when it is first met."""
    if plan.document is None:
        claim = plan.requisition
        plan.document = records.of(
            ctx.workspace,
            plan.organisation,
            Flow.BILL,
            plan.ref,
            int(claim.commitment) if claim is not None else None,
            ctx.clock.now(),
        )
    return plan.document


def place_plan(ctx: Context, plan: Plan) -> None:
    """Record a plan that sends nothing now."""
    step = plan.step
    if isinstance(step, Ignored):
        _place_ignored(ctx, plan, step)
        return
    document = row_of(ctx, plan)
    _keep_facts(document, plan)
    if isinstance(step, d.Hold):
        _place(ctx, plan, records.HELD, matters=_gap_matters(step.gaps))
    elif isinstance(step, d.Ask):
        _place(ctx, plan, records.ASK, note=step.code, matters=(_question(plan, step),))
    elif isinstance(step, d.Drifted):
        _place(ctx, plan, records.DRIFTED, note="drifted", matters=(_question(plan, step),))
    elif isinstance(step, d.Waiting):
        _place(ctx, plan, records.WAITING, note=step.why, matters=_out_of_sight(plan, step))
    elif isinstance(step, d.Nothing):
        gone = plan.posted is not None and plan.posted.is_gone
        _place(ctx, plan, records.WITHDRAWN if gone else records.IN_STEP, note=plan.note)
    elif isinstance(step, d.Unlink):
        if plan.link is not None:  # a claim that comes back gets a bill of its own
            plan.link.withdrawn = True
            plan.link.save(update_fields=["withdrawn"])
        _place(ctx, plan, records.WITHDRAWN, note="gone")


def _place_ignored(ctx: Context, plan: Plan, step: Ignored) -> None:
    if plan.document is None:
        return
    if step.why == "ignored":
        _place(ctx, plan, records.WITHDRAWN, note="ignored")
    elif plan.link is None and not plan.document.links.exists():
        records.forget(plan.document)
    else:
        _place(ctx, plan, records.WITHDRAWN, note=step.why)


def _keep_facts(document: Document, plan: Plan) -> None:
    if plan.requisition is not None:
        document.source_updated_at = plan.requisition.updated_at
        document.contract_id = int(plan.requisition.commitment)
        document.absent_at = None
    if plan.organisation is not None:
        document.organisation_id = plan.organisation


def _place(
    ctx: Context,
    plan: Plan,
    state: str,
    note: str = "",
    matters: Sequence[Matter] = (),
) -> None:
    assert plan.document is not None
    records.place(
        plan.document,
        state,
        ctx.clock.now(),
        note=note,
        matters=matters,
        subject=plan.subject or None,
        vault=ctx.vault,
    )


def place_refusal(ctx: Context, plan: Plan, refusal: Refusal) -> None:
    """Xero declined this document: its reasons in its words, by the cause they point at."""
    text = "; ".join(refusal.reasons)
    cause = next((code for words, code in REASONS if words in text.lower()), "refused")
    matter = Matter(cause, str(plan.ref), f"Xero refused: {text}", choices=(LOOK_AGAIN,))
    row_of(ctx, plan)
    _place(ctx, plan, records.REFUSED, note=cause, matters=(matter,))


def place_preview(ctx: Context, plan: Plan, state: str, digest: str) -> None:
    """A plan that is only shown, or waits for an accountant's yes to exactly this."""
    document = row_of(ctx, plan)
    _keep_facts(document, plan)
    choices = (APPROVE, REJECT) if state == records.APPROVAL else ()
    matter = Matter("approval", str(plan.ref), question=digest, choices=choices)
    matters = (matter,) if state == records.APPROVAL else ()
    _place(ctx, plan, state, matters=matters)


def place_delivered(ctx: Context, plan: Plan, removed: bool) -> None:
    """Carried out and read back; whether it is in step is for the settling look to say."""
    assert plan.document is not None
    _keep_facts(plan.document, plan)
    if isinstance(plan.step, d.Update) and plan.step.restored:
        # Should the same drift come back, by a person or because Xero does not take the value,
        # it is a question again and not the start of an endless tug.
        records.answered(plan.document, plan.question, d.RESTORED)
    _place(ctx, plan, records.WITHDRAWN if removed else records.IN_STEP)


def _gap_matters(gaps: Sequence[Gap]) -> tuple[Matter, ...]:
    return tuple(Matter(g.code, g.subject, g.detail, choices=(LOOK_AGAIN,)) for g in gaps)


def _question(plan: Plan, step: d.Ask | d.Drifted) -> Matter:
    cause = step.code if isinstance(step, d.Ask) else "drifted"
    lines = [
        f"{name}: wanted {wanted or 'nothing'}, in Xero {there or 'nothing'}"
        for name, wanted, there in differing(plan, sorted(step.fields))
    ]
    if plan.duplicate is not None:
        lines.append(f"The bill in Xero: {plan.duplicate}")
    choices = tuple((c.code, c.label, c.effect) for c in step.choices)
    subject = "" if cause == MANY else str(plan.ref)  # many at once are one matter
    return Matter(cause, subject, "\n".join(lines), plan.question, choices)


def _out_of_sight(plan: Plan, step: d.Waiting) -> tuple[Matter, ...]:
    """A matter of the connection, one for the project or the organisation it is about."""
    if step.why == "source_unseen":
        return (Matter(step.why, str(plan.ref.project or ""), choices=(LOOK_AGAIN,)),)
    if step.why == "target_unseen":
        return (Matter(step.why, str(plan.organisation or ""), choices=(LOOK_AGAIN,)),)
    return ()
