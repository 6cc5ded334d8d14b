"""Before bills are created: are they there already, ours by their mark, or likenesses of them?"""

import hashlib
from collections.abc import Sequence
from datetime import timedelta

from onecore.domain.ids import BillId, OrganisationId
from onecore.domain.tax import predicted_totals
from onecore.engine.bills import Adopt, Ignored, Plan
from onecore.store import index
from onecore.sync import decide as d

_CHOICES = (
    d.Choice("adopt", "It is the same bill", "The bill in Xero is linked to this claim."),
    d.Choice("post_anyway", "Post anyway", "A further bill is made in Xero."),
    d.Choice("ignore", "Ignore the claim", "No bill is made and the claim is left alone."),
)


def guard(organisation: OrganisationId, plans: Sequence[Plan], digest: index.Digest) -> None:
    """Turn plans to create into adopting, asking or ignoring, where the index says so.

    Expects an index read just now. Only our mark is adopted by itself; a likeness is an Ask.
    A bill of ours nobody here remembers is linked even when it is gone, so that its end is
    asked about and not undone.
    """
    going = [plan for plan in plans if isinstance(plan.step, d.Create) and plan.wanted is not None]
    by_mark = index.by_marks(organisation, [_stem(plan) for plan in going])
    for plan in going:
        _adopt_ours(plan, by_mark.get(_stem(plan), []))
    going = [plan for plan in going if isinstance(plan.step, d.Create)]
    alike = index.likenesses(organisation, [_sought(plan, digest) for plan in going])
    for plan, found in zip(going, alike, strict=True):
        if found:
            _ask(plan, found)


def _stem(plan: Plan) -> str:
    """What the marks of a claim's main bill begin with, whatever their version."""
    return f"{plan.ref.project}/{plan.ref.id}/main"


def _adopt_ours(plan: Plan, found: Sequence[index.Marked]) -> None:
    remembered = {x.target_id for x in plan.document.links.all()} if plan.document else set()
    for marked in found:
        if plan.link is None and not (marked.gone and marked.bill in remembered):
            plan.step = Adopt(BillId(marked.bill), by_mark=True)
            return


def _sought(plan: Plan, digest: index.Digest) -> index.Sought:
    assert plan.wanted is not None
    assert plan.chart is not None
    rules = plan.chart.settings.policies.duplicates
    bill = plan.wanted
    total = predicted_totals(bill, plan.chart).gross
    days = rules.amount_window_days
    return index.Sought(
        bill.contact,
        index.number_digest(bill.number, digest) if rules.number else "",
        digest("total", f"{total:.2f}"),
        bill.bill_date,
        timedelta(days=days) if days else None,
    )


def _ask(plan: Plan, found: Sequence[index.Likeness]) -> None:
    text = "duplicate " + " ".join(str(like.bill) for like in found)
    plan.question = hashlib.sha256(text.encode()).hexdigest()[:32]
    answer = plan.document.answers.get(plan.question, "") if plan.document else ""
    if answer == "adopt":
        plan.step = Adopt(BillId(found[0].bill), by_mark=False)
    elif answer == "ignore":
        plan.step = Ignored("ignored")
    elif answer != "post_anyway":
        plan.duplicate = BillId(found[0].bill)
        plan.step = d.Ask("duplicate", _CHOICES)
