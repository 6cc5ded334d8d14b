"""Withdrawing with care: absence is confirmed first, and many removals at once are a question."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from onecore.domain.refs import Flow
from onecore.engine.absence import CONFIRMED_AFTER, Absence
from onecore.engine.bills import HAD_ELSEWHERE, REFRESHED_FOR, Plan
from onecore.engine.context import Context
from onecore.engine.references import MISSING_AGE
from onecore.store import documents as records
from onecore.store.models import Document, Link
from onecore.sync import decide as d

MOST_AT_ONCE = 3
SHARE_AT_ONCE = 0.05
LEAST_FOR_SHARE = 20
ONE_SWEEP = timedelta(days=1)
"""Claims whose absence was first noted within this time of one another went away together."""
UNSEEN_WAIT = timedelta(minutes=30)
MENDED_WAIT = timedelta(minutes=30)
"""How often a held claim is looked at again for what may have been mended outside OneCore."""
FRESH_LISTS_WAIT = MISSING_AGE + timedelta(seconds=1)
"""When what old lists may have brought about is looked at again on new ones."""
MENDED_OUTSIDE = {
    "period_locked", "account_archived", "account_refused", "tax_unfit", "tracking_refused",
    "contact_refused",
}  # fmt: skip
"""Causes of a refusal that lie in what lists tell of, and that may be mended outside."""

MANY = "many_withdrawals"
_CHOICES = (
    d.Choice("void", "Void the bill", "The bill is voided in Xero (a draft is deleted)."),
    d.Choice("keep", "Keep the bill", "The bill stays in Xero as it is; nothing is sent."),
)


def guard(ctx: Context, plans: Sequence[Plan]) -> list[Plan]:
    """More than 3 removals, or 5 % of live documents, in one sweep become one question.

    They share one cause, so a person who knows why answers once for all (design 4). Claims
    that were found missing together count together, however their hours run out.
    """
    unasked: list[Plan] = []
    for plan in plans:
        if not _goes(plan):
            continue
        said = plan.document.answers.get(_question(plan)) if plan.document is not None else None
        if said == "void":
            plan.step = d.Remove(answered=True)
        elif said == "keep":
            plan.step = d.Waiting("kept")
        else:
            unasked.append(plan)
    if unasked and _are_many(ctx, unasked):
        for plan in unasked:
            plan.question = _question(plan)
            plan.step = d.Ask(MANY, _CHOICES)
    return list(plans)


def _goes(plan: Plan) -> bool:
    """Whether a bill would go without a person having said so of this very claim."""
    step = plan.step
    if isinstance(step, d.Remove):
        return not step.answered
    return isinstance(step, d.Ask) and step.code == "source_deleted"


def _are_many(ctx: Context, unasked: Sequence[Plan]) -> bool:
    live = Link.objects.filter(
        document__workspace_id=ctx.workspace, document__flow=Flow.BILL.value, withdrawn=False
    ).count()
    missing = Document.objects.filter(
        workspace_id=ctx.workspace,
        flow=Flow.BILL.value,
        links__withdrawn=False,
        absent_at__gte=ctx.clock.now() - ONE_SWEEP,
    ).exclude(note="kept")
    going = {plan.document.pk for plan in unasked if plan.document is not None}
    going |= set(missing.values_list("pk", flat=True))
    return len(going) > MOST_AT_ONCE or (
        live >= LEAST_FOR_SHARE and len(going) > SHARE_AT_ONCE * live
    )


def _question(plan: Plan) -> str:
    """Of this bill and this reason: what was kept when reopened is asked about when deleted."""
    target = plan.link.target_id if plan.link is not None else ""
    reason = "deleted" if plan.absent is Absence.CONFIRMED else "reopened"
    return hashlib.sha256(f"{MANY} {reason} {target}".encode()).hexdigest()[:32]


def look_again_at(plan: Plan, now: datetime) -> datetime | None:
    """When a document that could not be judged is looked at again, None when it is done with."""
    if plan.absent is Absence.FIRST:
        since = plan.document.absent_at if plan.document is not None else None
        return max((since or now) + CONFIRMED_AFTER, now + timedelta(seconds=1))
    if plan.absent is Absence.UNSEEN or plan.unreadable:
        return _together(now, UNSEEN_WAIT)
    if plan.absent is Absence.VISIBLE:
        return now + timedelta(seconds=5)
    return _mended_at(plan, now)


def _mended_at(plan: Plan, now: datetime) -> datetime | None:
    """When what keeps a document may be gone by itself: mended outside, or never more than what
    an old list made of it."""
    if plan.refused in MENDED_OUTSIDE:
        again = plan.was == records.REFUSED
        return _together(now, MENDED_WAIT) if again else now + FRESH_LISTS_WAIT
    if isinstance(plan.step, d.Drifted) and "contact" in plan.step.fields:
        # Contacts may have been merged since they were read; on fresh ones, it is a drift.
        return now + FRESH_LISTS_WAIT if plan.was != records.DRIFTED else None
    mended = REFRESHED_FOR | {HAD_ELSEWHERE}
    if isinstance(plan.step, d.Hold) and {gap.code for gap in plan.step.gaps} & mended:
        return _together(now, MENDED_WAIT)
    return None


def _together(now: datetime, every: timedelta) -> datetime:
    """The first instant at least half a wait away that others share, so that one read serves
    many."""
    zero = datetime.min.replace(tzinfo=now.tzinfo)
    return zero + every * ((now - zero + every / 2) // every + 1)


def note_absence(plan: Plan, now: datetime) -> None:
    """Remember when a complete list first lacked the claim; forget it when the claim is back.

    It is kept with the rest of the document when that is placed.
    """
    document = plan.document
    if document is None:
        return
    if plan.absent is Absence.FIRST and document.absent_at is None:
        document.absent_at = now
    elif plan.absent is Absence.VISIBLE:
        document.absent_at = None
