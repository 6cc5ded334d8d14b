"""Filling gaps: suggestions for whole lists, and the remedy for one gap, from either interface."""

from dataclasses import dataclass, replace
from uuid import UUID

from onecore.domain.chart import Category
from onecore.domain.codes import expense_rule
from onecore.domain.coverage import LiveLine
from onecore.domain.documents import CostCode, RequisitionLine
from onecore.domain.ids import (
    AccountCode,
    ContactId,
    OrganisationId,
    ProjectId,
    VendorId,
    WorkspaceId,
)
from onecore.domain.money import ZERO
from onecore.domain.refs import Kind
from onecore.domain.settings import CodeRule, EffectiveSettings, PartyRow
from onecore.engine import config, db, matching
from onecore.engine.context import Books, Context
from onecore.engine.service import Service
from onecore.engine.use import configuring, creating
from onecore.engine.use.choices import NOW, Option, Proposal, Remedy, What
from onecore.engine.use.cures import Case, Cure, Edit
from onecore.engine.use.cures_parties import VendorCure, vendor_of
from onecore.engine.use.errors import NotFound, UseError
from onecore.engine.use.live import live_lines
from onecore.engine.use.remedies import CURES, ELSEWHERE, REFUSED
from onecore.store import audit
from onecore.store.models import AttentionItem

__all__ = [
    "Option",
    "Proposal",
    "Remedy",
    "What",
    "accept",
    "accept_and_leave",
    "apply",
    "create",
    "proposals",
    "remedy",
]


# --- whole lists ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Found:
    """A proposal and the organisation its row is for: None where there is only one."""

    proposal: Proposal
    scope: OrganisationId | None


async def proposals(service: Service, workspace: WorkspaceId, what: What) -> list[Proposal]:
    """Suggested rows for everything that has none yet, best first; nothing is changed.

    Vendors: all of the company directory. Codes: those that lines of live contracts carry.
    Projects: none where no tracking category is used for projects. Raises what the remotes raise.
    """
    ctx = await service.context(workspace)
    return [found.proposal for found in await _found(ctx, what)]


async def accept(
    service: Service, workspace: WorkspaceId, what: What, least_score: int, actor: str
) -> list[Proposal]:
    """The proposals of at least that score, all made rows in one new version of the document."""
    return (await accept_and_leave(service, workspace, what, least_score, actor))[0]


async def accept_and_leave(
    service: Service, workspace: WorkspaceId, what: What, least_score: int, actor: str
) -> tuple[list[Proposal], list[Proposal]]:
    """As `accept`, with those left for a person beside, as each look at contracts costs calls."""
    ctx = await service.context(workspace)
    found = await _found(ctx, what)
    chosen = [x for x in found if x.proposal.score >= least_score]
    if chosen:
        await db.run(
            configuring.edit,
            service,
            workspace,
            _rows_edit(what, chosen),
            actor,
            f"{what} accepted from {least_score} on",
        )
    left = [x.proposal for x in found if x.proposal.score < least_score]
    return [x.proposal for x in chosen], left


def _rows_edit(what: What, chosen: list[_Found]) -> Edit:
    if what == "vendors":
        parties = [
            PartyRow(VendorId(int(x.proposal.subject)), _contact(x.proposal), x.scope)
            for x in chosen
        ]
        return lambda text: config.set_vendors(text, parties)
    if what == "codes":
        rules = [
            CodeRule(
                x.proposal.subject, expense=AccountCode(x.proposal.target), organisation=x.scope
            )
            for x in chosen
        ]
        return lambda text: config.add_codes(text, rules)
    options: dict[ProjectId, str | None] = {
        ProjectId(int(x.proposal.subject)): x.proposal.target for x in chosen
    }
    return lambda text: config.set_project_options(text, options)


def _contact(proposal: Proposal) -> ContactId:
    return ContactId(UUID(proposal.target))


async def _found(ctx: Context, what: What) -> list[_Found]:
    if not ctx.books:
        raise UseError(
            f"Workspace {ctx.name} is not connected to Xero. Run: onecore connect xero -w NAME"
        )
    several = len(ctx.books) > 1
    found: list[_Found] = []
    lines = (await live_lines(ctx)).lines if what == "codes" else ()
    for organisation, books in ctx.books.items():
        scope = organisation if several else None
        if what == "vendors":
            rows = await _vendors(ctx, books)
        elif what == "codes":
            rows = await _codes(ctx, books, lines)
        else:
            rows = await _projects(ctx, books)
        found += [_Found(row, scope) for row in rows]
    return sorted(found, key=lambda x: (-x.proposal.score, x.proposal.subject_label.casefold()))


async def _vendors(ctx: Context, books: Books) -> list[Proposal]:
    settings = ctx.settings(None, None, books.organisation)
    mapped = {row.vendor: row.contact for row in reversed(settings.vendors)}
    vendors = [v for v in await ctx.lists.vendors(NOW) if v.active]
    contacts = await books.lists.contacts(NOW)
    names = {vendor.id: vendor.name for vendor in vendors}
    labels = {contact.id: contact.name for contact in contacts}
    return [
        Proposal(
            str(s.subject), names[s.subject], str(s.target), labels[s.target], s.score, s.reasons
        )
        for s in matching.suggest_contacts(vendors, contacts, mapped)
    ]


async def _codes(ctx: Context, books: Books, lines: tuple[LiveLine, ...]) -> list[Proposal]:
    accounts = await books.lists.accounts(NOW)
    wanted: dict[str, CostCode] = {}
    known: dict[str, AccountCode] = {}
    for line in lines:
        code = line.cost_code
        if code is None or ctx.document.organisation_of(line.project) != books.organisation:
            continue
        settings = ctx.settings(line.project, line.contract, books.organisation)
        account = _account_of(line, settings, books.organisation)
        if account is None:
            wanted.setdefault(code.code.strip(), code)
        else:
            known.setdefault(code.code.strip(), account)
    # a code that lacks an account for one cost type, or in one project, is a gap all the same
    told = {code: account for code, account in known.items() if code not in wanted}
    labels = {account.code: f"{account.code} {account.name}" for account in accounts}
    return [
        Proposal(
            s.subject,
            f"{s.subject} {wanted[s.subject].name}".strip(),
            s.target,
            labels[s.target],
            s.score,
            s.reasons,
        )
        for s in matching.suggest_accounts(wanted.values(), accounts, told)
    ]


def _account_of(
    line: LiveLine, settings: EffectiveSettings, organisation: OrganisationId
) -> AccountCode | None:
    """Where translation would book the line, whatever the day: by the very rules it uses."""
    asked = RequisitionLine(
        id=0,
        description="",
        cost_code=line.cost_code,
        cost_type=line.cost_type,
        sub_job=line.sub_job,
        gross=ZERO,
        retained=ZERO,
        released=ZERO,
    )
    found = expense_rule(settings.codes, asked, organisation, None)
    return found.expense if found is not None else None


async def _projects(ctx: Context, books: Books) -> list[Proposal]:
    by_category: dict[str, list[ProjectId]] = {}
    rows = [p for p in await ctx.lists.projects(NOW) if p.active]
    labels = {p.id: p.label for p in rows}
    for project in rows:
        if ctx.document.organisation_of(project.id) != books.organisation:
            continue
        settings = ctx.settings(project.id, None, books.organisation)
        name = settings.tracking.project
        if name is not None and not (settings.project and settings.project.option):
            by_category.setdefault(name, []).append(project.id)
    found: list[Proposal] = []
    for name, ids in by_category.items():
        category = await _category(books, name)
        if category is None:
            continue
        options = {option.id: option.name for option in category.options}
        taken = {r.option for r in ctx.document.projects if r.option}
        free = tuple(o for o in category.options if o.name not in taken)
        asked = [project for project in rows if project.id in ids]
        for s in matching.suggest_options(asked, replace(category, options=free)):
            target = options[s.target]
            found.append(
                Proposal(str(s.subject), labels[s.subject], target, target, s.score, s.reasons)
            )
    return found


async def _category(books: Books, name: str) -> Category | None:
    wanted = " ".join(name.split()).casefold()
    for category in await books.lists.categories(NOW):
        if category.active and " ".join(category.name.split()).casefold() == wanted:
            return category
    return None


# --- one gap ----------------------------------------------------------------------------------


async def remedy(service: Service, workspace: WorkspaceId, cause: str, subject: str) -> Remedy:
    """How the gap is filled, with lists read afresh.

    Raises NotFound, UseError and what the remotes raise.
    """
    cure = CURES.get(cause)
    if cure is None or _is_document(subject):
        question, who = REFUSED if _is_document(subject) else _elsewhere(cause)
        return Remedy(cause, subject, question, elsewhere=who)
    case = await _case(service, workspace, cause, subject)
    return Remedy(
        cause,
        subject,
        await cure.question(case),
        tuple(await cure.options(case)),
        cure.may_create,
    )


def _is_document(subject: str) -> bool:
    """Whether a matter is a refusal of one document rather than a gap with a subject."""
    return subject.partition(":")[0] in {kind.value for kind in Kind if kind is not Kind.PROJECT}


def _elsewhere(cause: str) -> tuple[str, str]:
    return ELSEWHERE.get(
        cause, ("", "It cannot be filled by a choice here; the details say what is wrong.")
    )


async def apply(
    service: Service, workspace: WorkspaceId, cause: str, subject: str, value: str, actor: str
) -> str:
    """Fill the gap with one of its options; a sentence saying what holds now.

    Every document that waits is looked at again. Raises UseError for a value that is no option.
    """
    case = await _case(service, workspace, cause, subject)
    cure = _cure(cause)
    options = {option.value: option.label for option in await cure.options(case)}
    if value not in options:
        raise UseError(f"{value!r} is no choice for {cause} {subject}.")
    return await _settle(service, workspace, case, cause, value, options[value], actor)


async def create(
    service: Service, workspace: WorkspaceId, cause: str, subject: str, actor: str
) -> str:
    """Make what is missing in Xero and fill the gap with it; a sentence saying what holds now.

    Repeating it makes nothing twice. Raises UseError where nothing can be made, NeedsPerson where
    Xero declines or leaves it open, OutOfReach where it is not known.
    """
    cure = _cure(cause)
    if not cure.may_create:
        raise UseError(f"Nothing is made for {cause}; choose one of its options.")
    asked = await _case(service, workspace, cause, subject)
    organisation = asked.books.organisation
    async with creating.writing(service, workspace, organisation) as ctx:
        case = replace(asked, ctx=ctx, books=ctx.books[organisation])
        if isinstance(cure, VendorCure):
            vendor = await vendor_of(case)
            value, label = str(await creating.contact_of(case.books, vendor)), vendor.name
            await _note(service, workspace, actor, "xero.contact_made", value)
        else:
            wanted = await cure.new_option(case)
            if wanted is None or not wanted[0]:
                raise UseError(f"No tracking category is chosen for {cause} {subject}.")
            value = label = await creating.option_named(case.books, *wanted)
            await _note(service, workspace, actor, "xero.option_made", subject)
    if value == subject:  # the settings named it before it was there
        await db.run(configuring.look_at_waiting, service, workspace)
        return f"{label} is in Xero now; every document that waited is looked at again."
    return await _settle(service, workspace, case, cause, value, label, actor)


async def _note(
    service: Service, workspace: WorkspaceId, actor: str, act: str, subject: str
) -> None:
    now = service.clock.now()
    await db.commit("creation.noted", audit.record, workspace, now, actor, act, subject)


def _cure(cause: str) -> Cure:
    cure = CURES.get(cause)
    if cure is None:
        raise UseError(f"{_elsewhere(cause)[1]} (cause {cause})")
    return cure


async def _settle(
    service: Service,
    workspace: WorkspaceId,
    case: Case,
    cause: str,
    value: str,
    label: str,
    actor: str,
) -> str:
    edit = await _cure(cause).edit(case, value)
    note = f"{cause} {case.subject}"
    imported = await db.run(configuring.edit, service, workspace, edit, actor, note[:200])
    changed = f"version {imported.number} of the settings" if imported.changes else "as before"
    return f"{case.subject} is {label} now ({changed}); what waited is looked at again."


async def _case(service: Service, workspace: WorkspaceId, cause: str, subject: str) -> Case:
    ctx = await service.context(workspace)
    if not ctx.books:
        raise UseError(
            f"Workspace {ctx.name} is not connected to Xero. Run: onecore connect xero -w NAME"
        )
    organisation = await db.run(_organisation, ctx, cause, subject)
    scope = organisation if len(ctx.books) > 1 else None
    return Case(ctx, ctx.books[organisation], scope, subject)


def _organisation(ctx: Context, cause: str, subject: str) -> OrganisationId:
    """Whose books the gap is about: those of a document it holds, else a project's, else the
    default's. A gap itself does not say."""
    held = AttentionItem.objects.filter(
        attention__workspace_id=ctx.workspace,
        attention__cause=cause,
        attention__subject=subject[:120],
        document__organisation_id__in=list(ctx.books),
    ).values_list("document__organisation_id", flat=True)
    first = held.first()
    if first is not None:
        return OrganisationId(first)
    kind, _, number = subject.partition(":")
    project = ProjectId(int(number)) if kind == "project" and number.isdigit() else ProjectId(0)
    wanted = ctx.document.organisation_of(project)
    if wanted is not None and wanted in ctx.books:
        return wanted
    found = next(iter(ctx.books), None)
    if found is None:
        raise NotFound("No organisation is connected.")
    return found
