"""Where documents stand: the list, one document's two sides, and a plan before it is sent."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from onecore.domain.documents import Bill, PostedBill, Requisition
from onecore.domain.gaps import Gap
from onecore.domain.ids import AccountCode, BillId, OrganisationId, ProjectId, WorkspaceId
from onecore.domain.refs import Flow, SourceRef, parse_ref
from onecore.domain.tax import JournalLine, Totals, journal, predicted_totals
from onecore.engine import db, firewall
from onecore.engine.bills import Adopt, Ignored, Plan, differing, plan_bills
from onecore.engine.context import Context
from onecore.engine.index import BillSweep
from onecore.engine.service import Service
from onecore.engine.use.errors import NotFound
from onecore.engine.use.syncing import with_project
from onecore.store import documents as records
from onecore.store.models import AuditEntry, Document
from onecore.sync import decide as d


@dataclass(frozen=True, slots=True)
class Pair:
    """One document and what it became: ids, states and links; no content."""

    flow: str
    source: str
    target: str | None
    state: str
    note: str
    since: datetime
    project_id: int | None
    procore_url: str
    xero_url: str | None
    causes: tuple[str, ...]
    subject: str  # while it waits; "" once in step


@dataclass(frozen=True, slots=True)
class Seen:
    """What the remotes say of a pair right now, to fill a list's columns; kept in memory only."""

    number: str
    party: str
    net: Decimal | None
    currency: str


@dataclass(frozen=True, slots=True)
class Preview:
    """The plan for one document: what would be done, the bill wanted, and its effect."""

    ref: SourceRef
    step: str
    explanation: str
    gaps: tuple[Gap, ...]
    fields: tuple[tuple[str, str, str], ...]  # (field, wanted, in Xero) that differ
    requisition: Requisition | None
    wanted: Bill | None
    posted: PostedBill | None
    totals: Totals | None
    journal: tuple[JournalLine, ...]
    account_names: dict[AccountCode, str]


STEP_WORDS = {
    d.Create: ("create", "A bill is made in Xero."),
    d.Update: ("update", "The bill in Xero gets the fields that changed."),
    d.Remove: ("remove", "The bill in Xero is voided, or deleted while it is a draft."),
    d.Nothing: ("nothing", "Both sides agree; nothing is sent."),
    d.Waiting: ("waiting", "The bill stays as it is until the claim moves."),
    d.Hold: ("hold", "It is held until what is missing has been settled."),
    d.Ask: ("ask", "A person has to choose."),
    d.Drifted: ("drifted", "Somebody changed in Xero what Procore owns."),
    d.Unlink: ("unlink", "The bill is gone and nothing stands against the claim."),
    Ignored: ("ignore", "Nothing is to be done about this claim."),
    Adopt: ("adopt", "A bill that is there already is linked."),
}


def pairs(
    service: Service,
    workspace: WorkspaceId,
    flow: Flow | None = None,
    state: str | None = None,
    project: int | None = None,
    start: int = 0,
    limit: int = 1000,
) -> list[Pair]:
    """Documents with both ids and links, the latest to change first."""
    rows = records.pairs(workspace, flow, state, project)[start : start + limit]
    rows = rows.select_related("workspace").prefetch_related("attention__attention")
    return [pair_of(service, row) for row in rows]


def count(workspace: WorkspaceId, flow: Flow | None = None, state: str | None = None) -> int:
    return records.pairs(workspace, flow, state).count()


def pair_of(service: Service, row: Document) -> Pair:
    """A document's row as people see it."""
    link = records.live_link(row) or max(row.links.all(), key=lambda x: x.version, default=None)
    ref = parse_ref(row.ref)
    subject = ""
    if row.subject is not None:
        subject = service.vault.open(row.subject, f"document:{row.pk}")
    return Pair(
        flow=row.flow,
        source=row.ref,
        target=f"xero_invoice:{link.target_id}" if link is not None else None,
        state=row.state,
        note=row.note,
        since=row.since,
        project_id=row.project_id,
        procore_url=procore_url(row.workspace.web_base_url, ref),
        xero_url=xero_url(service, link.target_id) if link is not None else None,
        causes=tuple(sorted(item.attention.cause for item in row.attention.all())),
        subject=subject,
    )


def procore_url(web_base_url: str, ref: SourceRef) -> str:
    """The page of a claim in Procore."""
    return f"{web_base_url}/{ref.project}/project/contracts/requisitions/{ref.id}"


def xero_url(service: Service, bill: UUID) -> str:
    """The page of a bill in Xero: `go.xero.com`, or the simulator beside us."""
    base = service.settings.xero_api_url
    web = "https://go.xero.com" if base == "https://api.xero.com" else base
    return f"{web}/bills/view/{bill}"


async def fill_in(service: Service, workspace: WorkspaceId, shown: list[Pair]) -> dict[str, Seen]:
    """Numbers, parties and amounts of a screenful, live: one call per project and per forty bills.

    Raises what the remotes raise; the caller shows the list without them then.
    """
    ctx = await service.context(workspace)
    seen: dict[str, Seen] = {}
    ids: dict[OrganisationId, dict[BillId, str]] = {}
    routes = await db.run(records.organisations_of, workspace, [pair.source for pair in shown])
    for pair in shown:
        organisation = routes.get(pair.source)
        if pair.target is not None and organisation is not None:
            bill = BillId(UUID(pair.target.partition(":")[2]))
            ids.setdefault(OrganisationId(organisation), {})[bill] = pair.source
    for organisation, bills in ids.items():
        if organisation not in ctx.books:
            continue
        contacts = {c.id: c.name for c in await ctx.books[organisation].lists.contacts()}
        for posted in await ctx.books[organisation].xero.bills(list(bills)):
            seen[bills[posted.id]] = Seen(
                posted.number, contacts.get(posted.contact, ""), posted.net, posted.currency or ""
            )
    return seen


async def preview(service: Service, workspace: WorkspaceId, ref: SourceRef) -> Preview:
    """The plan for a document as of now; nothing is sent and nothing is stored."""
    ctx = await service.context(workspace)
    whole = await db.run(with_project, workspace, ref)
    plan = (await plan_bills(ctx, [whole]))[0]
    if plan.organisation is not None and isinstance(plan.step, d.Create):
        await _beside_others(service, ctx, plan, plan.organisation)
    if plan.requisition is None and plan.document is None:
        raise NotFound(
            f"Procore shows no {whole} to this app. Check the number, and that the project is "
            "among the app's permitted projects."
        )
    return shown(ctx, plan)


async def _beside_others(
    service: Service, ctx: Context, plan: Plan, organisation: OrganisationId
) -> None:
    """Ask or adopt where the index, as last swept, has the bill already; show that one then."""
    digest = await BillSweep(organisation, service.vault, ctx.clock).digest()
    await db.run(firewall.guard, organisation, [plan], digest)
    there = plan.step.bill if isinstance(plan.step, Adopt) else plan.duplicate
    if there is not None:
        found = await ctx.books[organisation].xero.bills([there])
        plan.posted = found[0] if found else None


def shown(ctx: Context, plan: Plan) -> Preview:
    """A plan in the words and figures of a screen."""
    word, explanation = STEP_WORDS[type(plan.step)]
    if isinstance(plan.step, Ignored) and plan.step.why == "not_approved":
        explanation = "The claim is not approved, so nothing is posted yet."
    names: list[str] = []
    if isinstance(plan.step, d.Update | d.Ask | d.Drifted):
        names = sorted(plan.step.fields)
    has_bill = plan.wanted is not None and plan.chart is not None
    return Preview(
        ref=plan.ref,
        step=word,
        explanation=explanation,
        gaps=plan.gaps,
        fields=tuple(differing(plan, names)),
        requisition=plan.requisition,
        wanted=plan.wanted,
        posted=plan.posted,
        totals=predicted_totals(plan.wanted, plan.chart) if has_bill else None,  # type: ignore[arg-type]
        journal=tuple(journal(plan.wanted, plan.chart)) if has_bill else (),  # type: ignore[arg-type]
        account_names={
            code: account.name
            for code, account in (plan.chart.accounts if plan.chart else {}).items()
        },
    )


def row(workspace: WorkspaceId, ref: SourceRef) -> Document | None:
    return (
        Document.objects.filter(workspace_id=workspace, ref=str(ref))
        .prefetch_related("links", "attention__attention")
        .first()
    )


def history(workspace: WorkspaceId, ref: SourceRef) -> list[AuditEntry]:
    """What was done to a document, the newest first."""
    rows = AuditEntry.objects.filter(workspace_id=workspace, subject=str(ref))
    return list(rows.order_by("-at", "-id")[:100])


async def project_names(service: Service, workspace: WorkspaceId) -> dict[ProjectId, str]:
    """Labels of the projects, from the list that is kept for mapping."""
    ctx = await service.context(workspace)
    return {project.id: project.label for project in await ctx.lists.projects()}
