"""Links: what a bill became, what both sides agreed on, and whose hand a difference is."""

from collections.abc import Collection, Sequence

from django.db import transaction

from onecore.domain.documents import Bill, PostedBill
from onecore.domain.ids import BillId
from onecore.domain.marks import read_mark
from onecore.domain.refs import Flow
from onecore.domain.translate.bill import bill_from
from onecore.engine import db
from onecore.engine.bills import Plan
from onecore.engine.context import Books, Context
from onecore.store import audit, hints
from onecore.store import documents as records
from onecore.store.leases import Lease
from onecore.store.models import Document, Intent, Link
from onecore.sync.agreement import after_accepting, after_creating, after_looking, after_updating
from onecore.sync.decide import Agreed
from onecore.sync.fields import (
    EXTRA,
    Fields,
    Owner,
    canonical,
    digested,
    owner,
    posted_values,
    wanted_values,
)


def new_link(ctx: Context, document: Document, intent: Intent, bill: PostedBill) -> Link:
    """The link a bill of ours gets, to be stored in the transaction that settles its intent."""
    lines = match_lines(intent.lines, intent.wanted, bill, ctx)
    keys = {line.id: lines[str(line.id)] for line in bill.lines if str(line.id) in lines}
    target = after_creating(intent.wanted, digested(posted_values(bill, keys), ctx.digest)).target
    now = ctx.clock.now()
    return Link(
        document=document,
        part=intent.part,
        version=intent.version,
        organisation_id=intent.organisation_id,
        target_kind="bill",
        target_id=bill.id,
        wanted=intent.wanted,
        target=dict(target),
        line_ids=lines,
        target_updated_at=bill.updated_at,
        created_at=now,
        settled_at=now,
    )


RENEWED = ("wanted", "target", "line_ids", "target_updated_at", "settled_at", "withdrawn")
"""The fields of a link that `renew` changes."""


def renew(
    ctx: Context,
    link: Link,
    intent: Intent | None,
    bill: PostedBill,
    sent: frozenset[str] | None = None,
    withdrawn: bool = False,
) -> None:
    """Set what is agreed from now on: what was wanted last, and what is there.

    Fields that were not `sent` (None: all were) stay agreed as they were, so that a bookkeeper's
    own coding, and what a person accepted, go on counting as theirs, whatever we send later.
    """
    if intent is not None and intent.lines:
        link.wanted = intent.wanted
        link.line_ids = match_lines(intent.lines, intent.wanted, bill, ctx, dict(link.line_ids))
    keys = {
        line.id: link.line_ids[str(line.id)] for line in bill.lines if str(line.id) in link.line_ids
    }
    there = digested(posted_values(bill, keys), ctx.digest)
    if sent is None:
        agreed = after_creating(link.wanted, there)
    else:
        agreed = after_updating(Agreed({}, link.target), link.wanted, there, sent)
    link.target = dict(agreed.target)
    link.target_updated_at = bill.updated_at
    link.settled_at = ctx.clock.now()
    link.withdrawn = withdrawn


def accept(ctx: Context, plan: Plan) -> None:
    """A person took over what stands in Xero: both sides count as agreed as they are now."""
    link = plan.link
    if link is None or plan.posted is None or plan.posted.is_gone:
        return  # of a bill that is gone, the answer itself says that nothing more is to come
    there = digested(posted_values(plan.posted, plan.line_keys), ctx.digest)
    wanted = link.wanted
    if plan.wanted is not None:
        wanted = digested(wanted_values(plan.wanted), ctx.digest)
    agreed = after_accepting(
        Agreed(link.wanted, link.target), wanted, there, _is_approved(plan.posted)
    )
    link.wanted, link.target = dict(agreed.wanted), dict(agreed.target)
    link.target_updated_at = plan.posted.updated_at
    link.settled_at = ctx.clock.now()
    link.save()


def needs_another_look(ctx: Context, plan: Plan) -> bool:
    """Whether what was read back asks for more: other values than sent, or other tax types.

    Retention carries the tax type Xero chose for the work lines, which is only known now.
    """
    assert plan.posted is not None
    assert plan.wanted is not None
    keys = plan.line_keys
    wanted, there = wanted_values(plan.wanted), posted_values(plan.posted, keys)
    if any(
        there.get(name) != value
        for name, value in wanted.items()
        if owner(name, approved=False) is Owner.SOURCE
    ):
        return True
    if plan.requisition is None or plan.chart is None:
        return False
    again = bill_from(plan.requisition, plan.chart, plan.posted, keys)
    return isinstance(again, Bill) and _explicit_tax(again) != _explicit_tax(plan.wanted)


def _explicit_tax(bill: Bill) -> dict[str, str | None]:
    return {line.key: line.tax_type for line in bill.lines}


def match_lines(
    keys: Sequence[str],
    wanted: Fields,
    bill: PostedBill,
    ctx: Context,
    known: dict[str, str] | None = None,
) -> dict[str, str]:
    """Our key for each of Xero's line ids, those known kept, the rest by place and amount.

    A line is matched only when its amount is the one we sent, so a stranger's line never is.
    """
    there = {str(line.id) for line in bill.lines}
    matched = {line: key for line, key in (known or {}).items() if line in there and key in keys}
    free = [key for key in keys if key not in matched.values()]
    for line in bill.lines:
        if str(line.id) in matched:
            continue
        amount = canonical(line.amount)
        for key in free:
            name = f"line.{key}.amount"
            if wanted.get(name) == ctx.digest(name, amount):
                matched[str(line.id)] = key
                free.remove(key)
                break
    return matched


def agree(ctx: Context, plan: Plan) -> None:
    """Note which of Procore's fields both sides have come to say alike, whoever changed them there.

    So it is when somebody made the same change in both. Without it, Procore going back to an
    older value would look like a drift in Xero. A bookkeeper's coding goes on being theirs.
    """
    link = plan.link
    if link is None or plan.wanted is None or plan.posted is None or plan.posted.is_gone:
        return
    wanted = digested(wanted_values(plan.wanted), ctx.digest)
    target = digested(posted_values(plan.posted, plan.line_keys), ctx.digest)
    ours = {name for name in wanted if owner(name, _is_approved(plan.posted)) is Owner.SOURCE}
    if agree_on(link, wanted, target, ours):
        link.save(update_fields=["wanted", "target"])


def _is_approved(bill: PostedBill) -> bool:
    return bill.status not in ("DRAFT", "SUBMITTED")


def agree_on(link: Link, wanted: Fields, target: Fields, names: Collection[str]) -> bool:
    """Put what is alike among `names` into the link, drop what neither side has; if any moved."""
    before = Agreed(link.wanted, link.target)
    after = after_looking(before, wanted, target, names)
    link.wanted, link.target = dict(after.wanted), dict(after.target)
    return after != before


async def adopt(ctx: Context, books: Books, lease: Lease, plan: Plan, bill_id: BillId,
                by_mark: bool) -> None:  # fmt: skip
    """Link a bill that is there, by our mark or because a person said so.

    A bill a person adopted whose net is already right is left exactly as it is; another gets
    Procore's lines. One of ours counts as sent the way it is wanted now, so that what differs is
    asked about: nobody can tell any more which side moved.
    """
    found = await books.xero.bills([bill_id])
    if not found:
        raise LookupError("Xero did not return a bill that its own list had")
    await db.commit("bill.adopted", _adopt, ctx, lease, plan, found[0], by_mark)


def _adopt(ctx: Context, lease: Lease, plan: Plan, bill: PostedBill, by_mark: bool) -> None:
    assert plan.wanted is not None
    values = wanted_values(plan.wanted)
    wanted = digested(values, ctx.digest)
    keys = [line.key for line in plan.wanted.lines]
    lines = match_lines(keys, wanted, bill, ctx)
    right = bill.net == plan.wanted.net and bill.contact == plan.wanted.contact
    if by_mark:
        _match_wording(lines, plan.wanted, bill)
    elif right and not len(lines) == len(keys) == len(bill.lines):
        lines = {}  # the person's own lines: they stay together, or all give way to Procore's
    matched = {line.id: lines[str(line.id)] for line in bill.lines if str(line.id) in lines}
    agreed, target = wanted, digested(posted_values(bill, matched), ctx.digest)
    if by_mark:
        target = {n: v for n, v in target.items() if not _is_extra(n)}
        target |= {n: v for n, v in wanted.items() if values[n]}
    elif not right:
        agreed = _only_coding(wanted) | {n: v for n, v in target.items() if _is_extra(n)}
    now, mark = ctx.clock.now(), read_mark(bill.url) if by_mark else None
    with transaction.atomic():
        lease.check()
        contract = int(plan.requisition.commitment) if plan.requisition else None
        met = records.Met(plan.ref, plan.organisation, contract)
        (document,) = records.of(ctx.workspace, Flow.BILL, [met], now)
        Link.objects.create(
            document=document,
            part="main",
            version=max(records.next_version(document), mark.version if mark else 1),
            organisation_id=lease.tenant,
            target_kind="bill",
            target_id=bill.id,
            wanted=agreed,
            target=target,
            line_ids=lines,
            target_updated_at=bill.updated_at,
            created_at=now,
            settled_at=now,
        )
        audit.record(
            ctx.workspace,
            now,
            "onecore",
            "bill.adopted",
            document.ref,
            target=str(bill.id),
            by_mark=by_mark,
        )
        hints.say(ctx.workspace, plan.organisation, Flow.BILL, [plan.ref], now)


def _match_wording(lines: dict[str, str], wanted: Bill, bill: PostedBill) -> None:
    """Match lines of a bill of ours that moved since by their text, where it is theirs alone."""
    for line in wanted.lines:
        if line.key in lines.values():
            continue
        alike = [
            x.id for x in bill.lines if x.description == line.description and str(x.id) not in lines
        ]
        if len(alike) == 1:
            lines[str(alike[0])] = line.key


def _is_extra(name: str) -> bool:
    """Whether a field is of a line that is not ours."""
    return name.startswith(f"line.{EXTRA}")


def _only_coding(wanted: Fields) -> dict[str, str]:
    """Agreed on coding as it stands, on nothing else: what Procore owns will be sent, and lines
    that are noted here and not wanted go."""
    parts = (".account", ".tax", ".tracking", ".description")
    return {name: digest for name, digest in wanted.items() if name.endswith(parts)}
