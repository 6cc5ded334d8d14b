"""Before a bill is created: is it there already, ours by its mark, or a likeness of it?"""

import hashlib
from datetime import timedelta

from onecore.domain.ids import BillId
from onecore.domain.tax import predicted_totals
from onecore.engine import db
from onecore.engine.bills import Adopt, Ignored, Plan
from onecore.store import index
from onecore.sync import decide as d

_CHOICES = (
    d.Choice("adopt", "It is the same bill", "The bill in Xero is linked to this claim."),
    d.Choice("post_anyway", "Post anyway", "A further bill is made in Xero."),
    d.Choice("ignore", "Ignore the claim", "No bill is made and the claim is left alone."),
)


async def guard(plan: Plan, digest: index.Digest) -> None:
    """Turn a plan to create into adopting, asking or ignoring, where the index says so.

    Expects an index read just now. Only our mark is adopted by itself; a likeness is an Ask.
    A bill of ours nobody here remembers is linked even when it is gone, so that its end is
    asked about and not undone.
    """
    if not isinstance(plan.step, d.Create) or plan.wanted is None or plan.organisation is None:
        return
    stem = f"{plan.ref.project}/{plan.ref.id}/main"
    remembered = {x.target_id for x in plan.document.links.all()} if plan.document else set()
    for marked in await db.run(index.by_mark, plan.organisation, stem):
        if plan.link is None and not (marked.gone and marked.bill in remembered):
            plan.step = Adopt(BillId(marked.bill), by_mark=True)
            return
    await _likeness(plan, digest)


async def _likeness(plan: Plan, digest: index.Digest) -> None:
    assert plan.wanted is not None
    assert plan.chart is not None
    assert plan.organisation is not None
    rules = plan.chart.settings.policies.duplicates
    bill = plan.wanted
    total = predicted_totals(bill, plan.chart).gross
    found = await db.run(
        index.likenesses,
        plan.organisation,
        bill.contact,
        index.number_digest(bill.number, digest) if rules.number else "",
        digest("total", f"{total:.2f}"),
        bill.bill_date,
        timedelta(days=rules.amount_window_days) if rules.amount_window_days else None,
    )
    if not found:
        return
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
