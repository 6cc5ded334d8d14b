"""Putting a document where its plan or its delivery left it, and what is asked of a person."""

from collections.abc import Sequence

from onecore.domain.gaps import Gap
from onecore.domain.refs import Flow
from onecore.engine.bills import Ignored, Plan, differing
from onecore.engine.context import Context
from onecore.engine.withdrawals import MANY
from onecore.ports import Refusal
from onecore.store import documents as records
from onecore.store.documents import Matter, Placement
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


def rows_for(ctx: Context, plans: Sequence[Plan]) -> None:
    """Give each plan its document's row, made where it is first met."""
    new = [plan for plan in plans if plan.document is None]
    met = [
        records.Met(
            plan.ref,
            plan.organisation,
            int(plan.requisition.commitment) if plan.requisition is not None else None,
        )
        for plan in new
    ]
    rows = records.of(ctx.workspace, Flow.BILL, met, ctx.clock.now())
    for plan, row in zip(new, rows, strict=True):
        plan.document = row


def place(ctx: Context, placements: Sequence[Placement]) -> None:
    """Put documents where they stand now."""
    records.place(placements, ctx.clock.now(), ctx.vault)


def planned(plan: Plan) -> Placement | None:
    """Where a plan that sends nothing puts its document; None where nothing of it stays."""
    step = plan.step
    if isinstance(step, Ignored):
        return _ignored(plan, step)
    _keep_facts(plan)
    if isinstance(step, d.Unlink) and plan.link is not None:
        plan.link.withdrawn = True  # a claim that comes back gets a bill of its own
        plan.link.save(update_fields=["withdrawn"])
    return _at(plan, *_where(plan))


def _where(plan: Plan) -> tuple[str, str, tuple[Matter, ...]]:
    """The state a step that sends nothing puts a document in, its note and its matters."""
    match plan.step:
        case d.Hold(gaps=gaps):
            there = (records.HELD, "", _gap_matters(gaps))
        case d.Ask(code=code) as step:
            there = (records.ASK, code, (_question(plan, step),))
        case d.Drifted() as step:
            there = (records.DRIFTED, "drifted", (_question(plan, step),))
        case d.Waiting(why=why) as step:
            there = (records.WAITING, why, _out_of_sight(plan, step))
        case d.Nothing():
            gone = plan.posted is not None and plan.posted.is_gone
            there = (records.WITHDRAWN if gone else records.IN_STEP, plan.note, ())
        case d.Unlink():
            there = (records.WITHDRAWN, "gone", ())
        case step:
            raise TypeError(f"{type(step).__name__} is carried out, not only placed")
    return there


def _ignored(plan: Plan, step: Ignored) -> Placement | None:
    if plan.document is None:
        return None
    if step.why == "ignored":
        return _at(plan, records.WITHDRAWN, "ignored")
    if plan.link is None and not plan.document.links.exists():
        records.forget(plan.document)
        return None
    return _at(plan, records.WITHDRAWN, step.why)


def _keep_facts(plan: Plan) -> None:
    document = plan.document
    assert document is not None
    if plan.requisition is not None:
        document.source_updated_at = plan.requisition.updated_at
        document.contract_id = int(plan.requisition.commitment)
        document.absent_at = None
    if plan.organisation is not None:
        document.organisation_id = plan.organisation


def _at(plan: Plan, state: str, note: str = "", matters: tuple[Matter, ...] = ()) -> Placement:
    assert plan.document is not None
    return Placement(plan.document, state, note, matters, plan.subject)


def refused(plan: Plan, refusal: Refusal) -> Placement:
    """Xero declined this document: its reasons in its words, by the cause they point at."""
    text = "; ".join(refusal.reasons)
    cause = next((code for words, code in REASONS if words in text.lower()), "refused")
    matter = Matter(cause, str(plan.ref), f"Xero refused: {text}", choices=(LOOK_AGAIN,))
    plan.refused = cause
    return _at(plan, records.REFUSED, cause, (matter,))


def shown(plan: Plan, state: str, digest: str) -> Placement:
    """A plan that is only shown, or waits for an accountant's yes to exactly this."""
    _keep_facts(plan)
    if state != records.APPROVAL:
        return _at(plan, state)
    matter = Matter("approval", str(plan.ref), question=digest, choices=(APPROVE, REJECT))
    return _at(plan, state, matters=(matter,))


def delivered(plan: Plan) -> Placement:
    """Carried out and read back; whether it is in step is for the settling look to say."""
    assert plan.document is not None
    _keep_facts(plan)
    if isinstance(plan.step, d.Update) and plan.step.restored:
        # Should the same drift come back, by a person or because Xero does not take the value,
        # it is a question again and not the start of an endless tug.
        records.answered(plan.document, plan.question, d.RESTORED)
    removed = isinstance(plan.step, d.Remove)
    return _at(plan, records.WITHDRAWN if removed else records.IN_STEP)


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
