"""Planning the `bill` flow: read sources and targets, translate, decide. Nothing is written."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from onecore.domain.chart import Chart
from onecore.domain.documents import Bill, PostedBill, Requisition
from onecore.domain.gaps import Gap, Held
from onecore.domain.ids import (
    AccountCode,
    BillId,
    BillLineId,
    CommitmentId,
    OrganisationId,
    ProjectId,
    RequisitionId,
    TaxType,
)
from onecore.domain.refs import Flow, SourceRef
from onecore.domain.settings import EffectiveSettings, Policies
from onecore.domain.tax import default_type
from onecore.domain.translate.bill import NothingDue, NotOurs, bill_from, dated
from onecore.domain.translate.dates import DEFAULT_ZONE
from onecore.engine import db, feeds
from onecore.engine.absence import Absence, Surroundings
from onecore.engine.context import Context
from onecore.engine.references import CLOCKS_DIFFER, MISSING_AGE
from onecore.ports import NotVisible
from onecore.store import documents as records
from onecore.store.models import Document, Link
from onecore.sync import decide as d
from onecore.sync.fields import Fields, Values, digested, posted_values, wanted_values
from onecore.timing import phase

REFRESHED_FOR = {
    "contact_unknown", "contact_archived", "account_unknown", "account_archived", "tax_unknown",
    "tracking_category_missing", "tracking_option_missing", "second_option_missing",
    "retention_account_archived", "period_locked", "vendor_unmapped",
}  # fmt: skip
"""Gaps a fresh reference list may close, so the lists are read again before saying so."""
HAD_ELSEWHERE = "claimed_elsewhere"
"""The gap of a claim that another workspace has; its subject is that workspace."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """Nothing to do with this document: `why` is a code. Its row, if any, can go."""

    why: str


@dataclass(frozen=True, slots=True)
class Adopt:
    """Link a bill that is already there: ours by its mark, or because a person said so."""

    bill: BillId
    by_mark: bool


Planned = d.Step | Ignored | Adopt


@dataclass(slots=True)
class Plan:
    """What would be done about one document, and everything needed to do it or to show it."""

    ref: SourceRef
    step: Planned
    organisation: OrganisationId | None = None
    requisition: Requisition | None = None
    document: Document | None = None
    link: Link | None = None
    wanted: Bill | None = None
    posted: PostedBill | None = None
    chart: Chart | None = None
    question: str = ""
    absent: Absence | None = None
    gaps: tuple[Gap, ...] = ()
    settings: EffectiveSettings | None = None
    duplicate: BillId | None = None  # the likeness a question is about
    note: str = ""  # why a document in step has no target
    was: str = ""  # the document's state when it was planned
    refused: str = ""  # the cause, where Xero declined what was sent
    unreadable: bool = False  # Xero did not return the bill the link points at
    retaxed: Mapping[str, TaxType] = field(default_factory=dict)  # by line key, see `_retaxed`

    @property
    def line_keys(self) -> dict[BillLineId, str]:
        return keys_of(self.link)

    @property
    def version(self) -> int:
        """The version a new target of the main part would get."""
        return records.next_version(self.document) if self.document is not None else 1

    @property
    def subject(self) -> str:
        """A short text for lists while the document waits: number, vendor, project."""
        claim = self.requisition
        if claim is None:
            return ""
        number = claim.invoice_number or f"{claim.commitment_number} claim {claim.number}"
        return f"{number} · {claim.vendor_name}"


def keys_of(link: Link | None) -> dict[BillLineId, str]:
    """Our line keys by Xero's line id."""
    if link is None:
        return {}
    return {BillLineId(UUID(line)): key for line, key in link.line_ids.items()}


async def plan_bills(ctx: Context, refs: Sequence[SourceRef]) -> list[Plan]:
    """A plan for each ref, in as few calls as it takes: one per project and one for the bills."""
    with phase("reading"):
        plans = await _both_sides(ctx, refs)
    around = Surroundings(ctx)
    for plan in plans:
        with phase("translating"):
            await _plan(ctx, plan, around)
    await _leave_to_others(ctx, plans)
    return plans


async def _leave_to_others(ctx: Context, plans: Sequence[Plan]) -> None:
    """Hold what another workspace, joined to the same company and organisation, has posted or is
    about to: a claim is one bill there, whoever made it first."""
    going: dict[OrganisationId, list[Plan]] = defaultdict(list)
    for plan in plans:
        if isinstance(plan.step, d.Create) and plan.organisation is not None:
            going[plan.organisation].append(plan)
    for organisation, some in going.items():
        refs = [plan.ref for plan in some]
        had = await db.run(records.had_by_others, ctx.workspace, organisation, Flow.BILL, refs)
        for plan in some:
            if str(plan.ref) in had:
                other, name = had[str(plan.ref)]
                _hold(plan, (Gap(HAD_ELSEWHERE, str(other), f"Workspace {name} has this claim."),))


async def _both_sides(ctx: Context, refs: Sequence[SourceRef]) -> list[Plan]:
    """Plans with what Procore, Xero and we ourselves have of each, nothing decided yet."""
    documents = await db.run(records.known, ctx.workspace, Flow.BILL, refs)
    plans: list[Plan] = []
    by_project: dict[ProjectId, list[SourceRef]] = defaultdict(list)
    for ref in refs:
        if ref.project is None:
            raise ValueError(f"{ref} lacks its project, which Procore asks for")
        by_project[ref.project].append(ref)
    for project, wanted in by_project.items():
        claims = await _seen(ctx, project, wanted)
        for ref in wanted:
            document = documents.get(str(ref))
            plan = Plan(ref, Ignored("unread"), document=document)
            plan.was = document.state if document is not None else ""
            plan.link = records.live_link(document) if document is not None else None
            plan.organisation = _organisation(ctx, plan, project)
            if claims is None:
                plan.absent = Absence.UNSEEN
            else:
                plan.requisition = claims.get(ref.id)
            plans.append(plan)
    await _read_targets(ctx, plans)
    return plans


async def _seen(
    ctx: Context, project: ProjectId, refs: Sequence[SourceRef]
) -> dict[str, Requisition] | None:
    """The claims by id, or None where the project is not ours to see; others go on meanwhile."""
    try:
        claims = await read_requisitions(ctx, project, refs)
    except NotVisible as hidden:
        if hidden.operation != "requisitions":  # that one is told by the feed itself
            await db.commit("feed.unlisted", feeds.unlisted, ctx, project, hidden.status)
        return None
    if await db.run(feeds.is_unlisted, ctx, project):
        await db.commit("feed.listed", feeds.listed, ctx, project)
    return claims


def _organisation(ctx: Context, plan: Plan, project: ProjectId) -> OrganisationId | None:
    """Where it goes; what has gone somewhere stays there, whatever the routing says now."""
    if plan.link is not None:
        return OrganisationId(plan.link.organisation_id)
    return ctx.places.organisation_of(project)


async def read_requisitions(
    ctx: Context, project: ProjectId, refs: Sequence[SourceRef]
) -> dict[str, Requisition]:
    """The claims that can be seen, by id, retainage movements read from the detail where needed."""
    codes = {code.id: code for code in await ctx.lists.cost_codes(project)}
    numbers = {c.id: c.number for c in await ctx.lists.commitments(project)}
    ids = [RequisitionId(int(ref.id)) for ref in refs]
    claims = await ctx.procore.requisitions(project, ids, codes, numbers, ctx.web_base_url)
    unknown = [claim for claim in claims if claim.commitment not in numbers]
    if unknown:
        fresh = await ctx.lists.commitments(project, _age_that_knows(unknown, ctx.clock.now()))
        numbers = {c.id: c.number for c in fresh}
        claims = tuple(replace(c, commitment_number=numbers.get(c.commitment, "")) for c in claims)
    return {str(c.id): await _completed(ctx, c) for c in claims}


def _age_that_knows(claims: Sequence[Requisition], now: datetime) -> timedelta:
    """How old a list of commitments may be that has the commitments of these claims, if it is to
    have them at all: their number becomes words, and perhaps the number, of a bill."""
    newest = max(claim.updated_at for claim in claims)
    return min(MISSING_AGE, max(timedelta(0), now - newest - CLOCKS_DIFFER))


async def _completed(ctx: Context, claim: Requisition) -> Requisition:
    """The claim with what only further pages tell, asked for where it matters."""
    settings = ctx.settings(claim.project, claim.commitment, None)
    if claim.status not in settings.bill.post_statuses:
        return claim
    if not claim.adds_up:
        told = await ctx.procore.movements(claim.project, claim.id)
        claim = claim.with_movements(told).without_tax_in_due()
    if settings.bill.date == "approved":
        approved_at = await ctx.procore.approved_at(claim.project, claim.id)
        claim = replace(claim, approved_at=approved_at)
    return claim


async def _read_targets(ctx: Context, plans: Sequence[Plan]) -> None:
    """Read the bills that links point at, one request per forty of an organisation.

    Xero keeps voided and deleted bills readable by id, so not finding one is a fault of the read
    or of the connection, never news about the bill.
    """
    wanted: dict[OrganisationId, list[BillId]] = defaultdict(list)
    for plan in plans:
        if plan.link is not None and plan.organisation in ctx.books:
            wanted[plan.organisation].append(BillId(plan.link.target_id))
    found: dict[BillId, PostedBill] = {}
    for organisation, ids in wanted.items():
        for bill in await ctx.books[organisation].xero.bills(ids):
            found[bill.id] = bill
    for plan in plans:
        if plan.link is not None:
            plan.posted = found.get(BillId(plan.link.target_id))
            plan.unreadable = plan.posted is None


async def _plan(ctx: Context, plan: Plan, around: Surroundings) -> None:
    """Fill in one plan's step."""
    if plan.absent is Absence.UNSEEN:
        known = plan.document is not None
        plan.step = d.Waiting("source_unseen") if known else Ignored("not_seen")
        return
    if plan.organisation is None or plan.organisation not in ctx.books:
        if plan.requisition is None:
            plan.step = Ignored("not_seen")
        else:
            _hold(plan, (Gap("organisation_unmapped", str(plan.ref.project)),))
        return
    if plan.unreadable:
        plan.step = d.Waiting("target_unseen")
        return
    if plan.requisition is None:
        await _plan_absent(ctx, plan, around)
    else:
        await _plan_claim(ctx, plan, plan.requisition, plan.organisation)


async def _plan_claim(
    ctx: Context, plan: Plan, claim: Requisition, organisation: OrganisationId
) -> None:
    """The step of a claim that is there."""
    project, contract = claim.project, claim.commitment
    plan.settings = ctx.settings(project, contract, organisation)
    if claim.status not in plan.settings.bill.post_statuses:
        if plan.link is None:
            plan.step = Ignored("not_approved")
            return
        plan.chart = await ctx.chart(project, contract, organisation)
        _decide(ctx, plan, d.Source.REOPENED)
        return
    translated = await _translated(ctx, plan, project, contract, organisation)
    if isinstance(translated, NotOurs):
        plan.step = Ignored("not_ours") if plan.link is None else d.Nothing()
    elif isinstance(translated, Held):
        _hold(plan, translated.gaps)
    elif isinstance(translated, NothingDue):
        if plan.link is None:
            plan.step = d.Nothing()
            plan.note = translated.reason
        else:
            _decide(ctx, plan, d.Source.EMPTY)
    else:
        plan.wanted = _still_shifted(ctx, plan, translated)
        _decide(ctx, plan, d.Source.POSTING)


async def _translated(
    ctx: Context,
    plan: Plan,
    project: ProjectId,
    contract: CommitmentId,
    organisation: OrganisationId,
) -> Bill | Held | NothingDue | NotOurs:
    """Translate; when something in a list is missing, once more with lists read afresh."""
    assert plan.requisition is not None
    # What would be made for a bill that is gone is a new one, with a mark of its own.
    replaced = plan.posted is not None and plan.posted.is_gone
    result: Bill | Held | NothingDue | NotOurs = NothingDue("no_movement")
    # What Xero refused was planned on lists that may have been too old.
    refused = plan.was == records.REFUSED
    for max_age in (MISSING_AGE,) if refused else (None, MISSING_AGE):
        plan.chart = await ctx.chart(project, contract, organisation, max_age)
        result = bill_from(
            plan.requisition,
            plan.chart,
            posted=None if replaced else plan.posted,
            line_keys=plan.line_keys,
            version=plan.link.version if plan.link is not None and not replaced else plan.version,
            zone=await _zone(ctx, project),
        )
        if not _lists_may_be_old(plan, result):
            break
    return result


def _lists_may_be_old(plan: Plan, result: Bill | Held | NothingDue | NotOurs) -> bool:
    """Whether lists read afresh may change the outcome: a gap they may close, or a contact that
    was merged into the one the bill stands with now, which is no change of the bill."""
    if isinstance(result, Held):
        return bool({gap.code for gap in result.gaps} & REFRESHED_FOR)
    posted = plan.posted
    return isinstance(result, Bill) and posted is not None and posted.contact != result.contact


def _still_shifted(ctx: Context, plan: Plan, bill: Bill) -> Bill:
    """The bill at the date a lock date once moved it to, where the lock is gone since.

    A period opened for an hour must not call back every bill that was moved past it. That this
    one was is known by its first line, which says the claim's own date.
    """
    posted, link = plan.posted, plan.link
    if link is None or posted is None or posted.is_gone or bill.bill_date >= posted.bill_date:
        return bill
    moved = replace(
        bill, bill_date=posted.bill_date, lines=dated(bill.lines, moved_from=bill.bill_date)
    )
    said = digested(wanted_values(moved), ctx.digest)
    names = ("bill_date", f"line.{moved.lines[0].key}.description")
    return moved if all(said[n] == link.wanted.get(n) for n in names) else bill


async def _zone(ctx: Context, project: ProjectId) -> str:
    """The project's time zone in Procore's words; a project we do not know has the default."""
    rows = {row.id: row.time_zone for row in await ctx.lists.projects()}
    return rows.get(project) or DEFAULT_ZONE


def _hold(plan: Plan, gaps: tuple[Gap, ...]) -> None:
    plan.gaps = gaps
    plan.step = d.Hold(gaps)


async def _plan_absent(ctx: Context, plan: Plan, around: Surroundings) -> None:
    """A claim that is known and not seen: unseen, absent so far, or known to be deleted.

    Of one that became nothing there is nothing to withdraw, so a first absence is enough; but
    what is only out of sight keeps its place, and what people said about it.
    """
    if plan.document is None or plan.document.contract_id is None:
        plan.step = Ignored("not_seen")
        return
    plan.settings = ctx.settings(plan.ref.project, None, plan.organisation)
    plan.absent = await around.absence(plan.document)
    if plan.link is None and plan.absent in (Absence.FIRST, Absence.CONFIRMED):
        plan.absent = None
        plan.step = Ignored("not_seen")
    elif plan.absent is Absence.CONFIRMED:
        assert plan.ref.project is not None
        assert plan.organisation is not None
        contract = CommitmentId(plan.document.contract_id or 0)
        plan.chart = await ctx.chart(plan.ref.project, contract, plan.organisation)
        _decide(ctx, plan, d.Source.DELETED)
    elif plan.absent is Absence.VISIBLE:
        plan.step = d.Waiting("look_again")
    else:
        plan.step = d.Waiting("source_unseen" if plan.absent is Absence.UNSEEN else "absent")


def _decide(ctx: Context, plan: Plan, source: d.Source) -> None:
    """Decide, with what people answered to exactly these questions."""
    with phase("deciding"):
        _decided(ctx, plan, source)


def _decided(ctx: Context, plan: Plan, source: d.Source) -> None:
    wanted = digested(wanted_values(plan.wanted), ctx.digest) if plan.wanted else None
    target = _target(ctx, plan) if plan.link else None
    answers: Mapping[str, str] = plan.document.answers if plan.document else {}

    def question(code: str, fields: frozenset[str]) -> str:
        return _question(code, fields, plan.link, wanted, target)

    step = d.decide(
        d.Case(
            source=source,
            wanted=wanted,
            agreed=d.Agreed(plan.link.wanted, plan.link.target) if plan.link else None,
            target=target,
            policies=plan.settings.policies if plan.settings else Policies(),
            said=lambda code, fields: answers.get(question(code, fields), ""),
        )
    )
    if isinstance(step, d.Ask):
        plan.question = question(step.code, step.fields)
    elif isinstance(step, d.Drifted):
        plan.question = question("drifted", step.fields)
    elif isinstance(step, d.Update) and step.restored:
        plan.question = question("drifted", step.restored)
    if isinstance(step, d.Hold):
        step = _locked(plan)
    if isinstance(step, d.Update) and wanted and target and plan.link and not plan.link.line_ids:
        # A bill a person typed and adopted as it was: its lines give way to Procore's together.
        lines = {name for name in {*wanted, *target.fields} if name.startswith("line.")}
        step = replace(step, fields=step.fields | lines)
    if isinstance(step, d.Update):
        plan.retaxed = _retaxed(ctx, plan, step.fields)
        taxes = {f"line.{key}.tax" for key in plan.retaxed}
        step = replace(step, fields=step.fields | taxes)
    plan.step = step


def _retaxed(ctx: Context, plan: Plan, send: frozenset[str]) -> dict[str, TaxType]:
    """Tax types of lines that the mapping moves to an account of another default.

    Xero keeps a line's type when its account changes, so the new account's default is sent where
    the old one's was in force; a type somebody chose stays.
    """
    if plan.posted is None or plan.wanted is None or plan.chart is None or plan.link is None:
        return {}
    accounts, contact = plan.chart.accounts, plan.chart.contacts.get(plan.wanted.contact)
    there = {plan.line_keys.get(line.id): line for line in plan.posted.lines}
    found: dict[str, TaxType] = {}
    for line in plan.wanted.lines:
        now, name = there.get(line.key), f"line.{line.key}.tax"
        if now is None or line.tax_type or f"line.{line.key}.account" not in send:
            continue
        old, new = accounts.get(now.account or AccountCode("")), accounts.get(line.account)
        chosen = plan.link.target.get(name) != ctx.digest(name, now.tax_type or "")
        if old is None or new is None or chosen or now.tax_type != default_type(old, contact):
            continue
        default = default_type(new, contact)
        if default and default != now.tax_type:
            found[line.key] = default
    return found


def _locked(plan: Plan) -> d.Hold:
    """The gap of a posted bill that a lock date keeps as it is, the same for all it keeps."""
    assert plan.chart is not None
    assert plan.posted is not None
    lock = plan.chart.organisation.locked_until
    assert lock is not None
    plan.gaps = (
        Gap(
            "period_locked",
            lock.isoformat(),
            f"The bill is dated {plan.posted.bill_date:%d %B %Y}; the books are locked up to "
            f"{lock:%d %B %Y}, so Xero takes no change of it.",
        ),
    )
    return d.Hold(plan.gaps)


def _target(ctx: Context, plan: Plan) -> d.Target | None:
    posted = plan.posted
    assert posted is not None
    if posted.is_gone:
        state = d.TargetState.GONE
    elif posted.is_frozen:
        state = d.TargetState.FROZEN
    elif posted.status == "AUTHORISED":
        state = d.TargetState.APPROVED
    else:
        state = d.TargetState.OPEN
    locked_until = plan.chart.organisation.locked_until if plan.chart else None
    dates = [posted.bill_date] + ([plan.wanted.bill_date] if plan.wanted else [])
    return d.Target(
        state=state,
        fields=digested(posted_values(posted, plan.line_keys), ctx.digest),
        locked=locked_until is not None and min(dates) <= locked_until,
    )


def _question(
    code: str,
    fields: frozenset[str],
    link: Link | None,
    wanted: Fields | None,
    target: d.Target | None,
) -> str:
    """A digest of the exact situation, so that an answer holds for no other."""
    parts = [code, str(link.target_id) if link else ""]
    for name in sorted(fields):
        there = target.fields.get(name, "") if target else ""
        parts.append(f"{name}={(wanted or {}).get(name, '')}/{there}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def body_digest(bill: Bill, ctx: Context) -> str:
    """One digest of everything wanted, for intents and approvals."""
    fields: Mapping[str, str] = digested(wanted_values(bill), ctx.digest)
    text = "\n".join(f"{name}={fields[name]}" for name in sorted(fields))
    return hashlib.sha256(text.encode()).hexdigest()


def differing(plan: Plan, names: Sequence[str]) -> list[tuple[str, str, str]]:
    """(field, wanted, there) in words for a screen, for the named fields."""
    wanted: Values = wanted_values(plan.wanted) if plan.wanted else {}
    there: Values = posted_values(plan.posted, plan.line_keys) if plan.posted else {}
    if plan.chart is not None:
        for values in (wanted, there):
            _name_contact(values, plan.chart)
    return [(name, wanted.get(name, ""), there.get(name, "")) for name in sorted(names)]


def _name_contact(values: Values, chart: Chart) -> None:
    """Put the contact's name where its id stands; people know no ids."""
    names = {str(contact.id): contact.name for contact in chart.contacts.values()}
    if "contact" in values:
        values["contact"] = names.get(values["contact"], values["contact"])


def retry_at(now: datetime, attempts: int) -> datetime:
    """When to try again after a fault: 5 s, doubling, at most 10 minutes."""
    return now + timedelta(seconds=min(600, 5 * 2 ** min(attempts, 10)))
