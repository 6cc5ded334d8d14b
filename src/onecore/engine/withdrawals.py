"""Withdrawing with care: absence is confirmed first, and many removals at once are a question."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from onecore.domain.refs import Flow
from onecore.engine.absence import CONFIRMED_AFTER, Absence
from onecore.engine.bills import Plan
from onecore.engine.context import Context
from onecore.store.models import Link
from onecore.sync import decide as d

MOST_AT_ONCE = 3
SHARE_AT_ONCE = 0.05
UNSEEN_WAIT = timedelta(minutes=30)

_CHOICES = (
    d.Choice("void", "Void the bill", "The bill is voided in Xero (a draft is deleted)."),
    d.Choice("keep", "Keep the bill", "The bill stays in Xero as it is; nothing is sent."),
)


def guard(ctx: Context, plans: Sequence[Plan]) -> list[Plan]:
    """More than 3 removals, or 5 % of live documents, in one sweep become a question each.

    They share one cause, so a person who knows why answers once for all (design 4).
    """
    removing = [plan for plan in plans if isinstance(plan.step, d.Remove)]
    unasked = [plan for plan in removing if not _answered(plan)]
    live = Link.objects.filter(
        document__workspace_id=ctx.workspace, document__flow=Flow.BILL.value, withdrawn=False
    ).count()
    if len(unasked) > MOST_AT_ONCE or (live >= 20 and len(unasked) > SHARE_AT_ONCE * live):
        for plan in unasked:
            plan.question = _question(plan)
            plan.step = d.Ask("many_withdrawals", _CHOICES)
    return list(plans)


def _question(plan: Plan) -> str:
    target = plan.link.target_id if plan.link is not None else ""
    return hashlib.sha256(f"many_withdrawals {target}".encode()).hexdigest()[:32]


def _answered(plan: Plan) -> bool:
    """Whether a person has said void to exactly this, here or in the ordinary question."""
    if plan.document is None:
        return False
    answers: dict[str, str] = plan.document.answers
    return answers.get(_question(plan)) == "void" or answers.get(plan.question) == "void"


def look_again_at(plan: Plan, now: datetime) -> datetime | None:
    """When a document that could not be judged is looked at again, None when it is done with."""
    if plan.absent is Absence.FIRST:
        since = plan.document.absent_at if plan.document is not None else None
        return max((since or now) + CONFIRMED_AFTER, now + timedelta(seconds=1))
    if plan.absent is Absence.UNSEEN:
        return now + UNSEEN_WAIT
    if plan.absent is Absence.VISIBLE:
        return now + timedelta(seconds=5)
    return None


def note_absence(plan: Plan, now: datetime) -> None:
    """Remember when a complete list first lacked the claim; forget it when the claim is back."""
    document = plan.document
    if document is None:
        return
    if plan.absent is Absence.FIRST and document.absent_at is None:
        document.absent_at = now
        document.save(update_fields=["absent_at"])
    elif plan.absent is Absence.VISIBLE and document.absent_at is not None:
        document.absent_at = None
        document.save(update_fields=["absent_at"])
