"""One document with its two sides next to each other, field by field and line by line, live."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from onecore.domain.documents import BillLine, PostedLine, RequisitionLine, Tracking
from onecore.domain.ids import BillLineId, ContactId, ProjectId, RequisitionId, WorkspaceId
from onecore.domain.refs import SourceRef, parse_ref
from onecore.engine import db
from onecore.engine.bills import Plan, plan_bills
from onecore.engine.context import Context
from onecore.engine.service import Service
from onecore.engine.use.errors import NotFound
from onecore.engine.use.looking import Pair, Preview, Seen, shown
from onecore.engine.use.syncing import with_project
from onecore.sync.fields import key_of


@dataclass(frozen=True, slots=True)
class Row:
    """One field on both sides. Values are text, or money where `is_money`."""

    name: str
    procore: str | Decimal | None
    wanted: str | Decimal | None
    xero: str | Decimal | None
    is_money: bool = False

    @property
    def differs(self) -> bool:
        """Whether what we would write is not what Xero has."""
        return self.wanted is not None and self.xero is not None and self.wanted != self.xero


@dataclass(frozen=True, slots=True)
class Line:
    """One line: the claim's movement, the bill line it becomes, and the line Xero has."""

    kind: str  # work | retention | theirs
    description: str
    cost_code: str
    gross: Decimal | None
    retained: Decimal | None
    account: str
    tax: str
    tracking: str
    wanted: Decimal | None
    xero: Decimal | None
    xero_account: str
    xero_tax: str

    @property
    def differs(self) -> bool:
        return self.wanted is not None and self.xero is not None and self.wanted != self.xero

    @property
    def recoded(self) -> bool:
        """Whether the bookkeeper has coded it differently, which stays as it is."""
        return bool(self.xero_account) and self.xero_account != self.account


@dataclass(frozen=True, slots=True)
class Sides:
    """A preview with its rows and lines made ready to show."""

    preview: Preview
    rows: tuple[Row, ...]
    lines: tuple[Line, ...]
    unmoved: int  # lines of the claim without movement, which a bill leaves out
    currency: str


async def sides(service: Service, workspace: WorkspaceId, ref: SourceRef) -> Sides:
    """Both sides as of now; nothing is sent and nothing is stored.

    Raises NotFound for a claim never seen here nor in Procore, and what the remotes raise.
    """
    ctx = await service.context(workspace)
    whole = await db.run(with_project, workspace, ref)
    plan = (await plan_bills(ctx, [whole]))[0]
    if plan.requisition is None and plan.document is None:
        raise NotFound(
            f"Procore shows no claim {whole.id} in project {whole.project} to this app. Check the "
            "link, and that the project is among the app's permitted projects."
        )
    return await _sides(ctx, plan)


async def claims_seen(
    service: Service, workspace: WorkspaceId, shown: list[Pair]
) -> dict[str, Seen]:
    """Numbers, vendors and amounts of claims without a bill, live: one call per project."""
    ctx = await service.context(workspace)
    by_project: dict[ProjectId, list[RequisitionId]] = {}
    for pair in shown:
        ref = parse_ref(pair.source)
        if pair.target is None and ref.project is not None:
            by_project.setdefault(ref.project, []).append(RequisitionId(int(ref.id)))
    seen: dict[str, Seen] = {}
    for project, ids in by_project.items():
        numbers = {c.id: c.number for c in await ctx.lists.commitments(project)}
        claims = await ctx.procore.requisitions(project, ids, {}, numbers, ctx.web_base_url)
        for claim in claims:
            ref = SourceRef.requisition(claim.project, claim.id)
            seen[str(ref)] = Seen(
                claim.invoice_number or f"{claim.commitment_number} claim {claim.number}",
                claim.vendor_name,
                claim.current_payment_due,
                claim.currency or "",
            )
    return seen


async def _sides(ctx: Context, plan: Plan) -> Sides:
    preview = shown(ctx, plan)
    names = await _contact_names(ctx, plan)
    lines, unmoved = _lines(plan, preview)
    bill, posted = plan.wanted, plan.posted
    currency = (posted.currency if posted else None) or (bill.currency if bill else None)
    if currency is None and plan.chart is not None:
        currency = plan.chart.organisation.base_currency
    return Sides(preview, _rows(plan, preview, names), lines, unmoved, currency or "")


async def _contact_names(ctx: Context, plan: Plan) -> dict[ContactId, str]:
    if plan.chart is not None:
        return {contact.id: contact.name for contact in plan.chart.contacts.values()}
    if plan.organisation is not None and plan.organisation in ctx.books:
        contacts = await ctx.books[plan.organisation].lists.contacts()
        return {contact.id: contact.name for contact in contacts}
    return {}


def _rows(plan: Plan, preview: Preview, names: dict[ContactId, str]) -> tuple[Row, ...]:
    claim, bill, posted, totals = plan.requisition, plan.wanted, plan.posted, preview.totals
    claim_number = ""
    if claim is not None:
        claim_number = claim.invoice_number or f"{claim.commitment_number} claim {claim.number}"
    found = [
        Row(
            "Supplier",
            claim.vendor_name if claim else None,
            names.get(bill.contact, "a contact not in the list") if bill else None,
            names.get(posted.contact, "a contact not in the list") if posted else None,
        ),
        Row(
            "Number",
            claim_number if claim else None,
            bill.number if bill else None,
            posted.number if posted else None,
        ),
        Row(
            "Date",
            _day(claim.billing_date) if claim else None,
            _day(bill.bill_date) if bill else None,
            _day(posted.bill_date) if posted else None,
        ),
        Row(
            "Due date",
            None,
            _day(bill.due_date) if bill else None,
            _day(posted.due_date) if posted else None,
        ),
        Row(
            "Status",
            claim.status.replace("_", " ") if claim else None,
            None,
            posted.status.capitalize() if posted else None,
        ),
        Row(
            "Net",
            claim.current_payment_due if claim else None,
            totals.net if totals else None,
            posted.net if posted else None,
            is_money=True,
        ),
        Row(
            "Tax",
            None,
            totals.tax if totals else None,
            posted.tax if posted else None,
            is_money=True,
        ),
        Row(
            "Total",
            None,
            totals.gross if totals else None,
            posted.total if posted else None,
            is_money=True,
        ),
    ]
    found = [row for row in found if row.procore or row.wanted or row.xero]
    if posted is not None and (posted.amount_paid or posted.amount_credited):
        paid = posted.amount_paid + posted.amount_credited
        found.append(Row("Paid", None, None, paid, is_money=True))
        found.append(Row("Still to pay", None, None, posted.amount_due, is_money=True))
    return tuple(found)


def _day(day: date | None) -> str:
    return f"{day.day} {day:%b %Y}" if day else ""


def _lines(plan: Plan, preview: Preview) -> tuple[tuple[Line, ...], int]:
    claim = {f"item:{x.id}": x for x in plan.requisition.lines} if plan.requisition else {}
    wanted = {x.key: x for x in plan.wanted.lines} if plan.wanted else {}
    keys: dict[BillLineId, str] = plan.line_keys
    posted = {key_of(x, keys): x for x in plan.posted.lines} if plan.posted else {}
    moved = {key for key, line in claim.items() if line.gross or line.retained or line.released}
    order = list(dict.fromkeys([*(k for k in claim if k in moved), *wanted, *posted]))
    order = [key for key in order if key in moved or key in wanted or key in posted]
    lines = [_line(key, claim.get(key), wanted.get(key), posted.get(key), preview) for key in order]
    return tuple(lines), len(claim) - len(moved)


def _line(
    key: str,
    claimed: RequisitionLine | None,
    wanted: BillLine | None,
    posted: PostedLine | None,
    preview: Preview,
) -> Line:
    kind = "work" if key.startswith("item:") else "retention"
    if claimed is None and wanted is None:
        kind = "theirs"
    one = wanted or posted
    code = claimed.cost_code if claimed else None
    return Line(
        kind=kind,
        description=claimed.description if claimed else (one.description if one else ""),
        cost_code=f"{code.code} {code.name}" if code else "",
        gross=claimed.gross if claimed else None,
        retained=claimed.retainage if claimed else None,
        account=_account(wanted.account, preview) if wanted else "",
        tax=wanted.tax_type or "" if wanted else "",
        tracking=_tracking(one.tracking if one else ()),
        wanted=wanted.amount if wanted else None,
        xero=posted.amount if posted else None,
        xero_account=_account(posted.account, preview) if posted else "",
        xero_tax=posted.tax_type or "" if posted else "",
    )


def _account(code: str | None, preview: Preview) -> str:
    names = {str(code): name for code, name in preview.account_names.items()}
    return f"{code} {names.get(code, '')}".strip() if code else ""


def _tracking(options: tuple[Tracking, ...]) -> str:
    return ", ".join(option.option_name or str(option.option) for option in options)
