"""A requisition (subcontractor's claim) in, a Xero bill out, or all that stands in the way."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import TypeVar

from onecore.domain import amounts
from onecore.domain.business_days import UnknownRegion
from onecore.domain.chart import Account, Chart, Contact
from onecore.domain.codes import expense_code, usable_account
from onecore.domain.documents import (
    Bill,
    BillLine,
    BillStatus,
    PostedBill,
    Requisition,
    RequisitionLine,
    Tracking,
)
from onecore.domain.gaps import Gap, Held
from onecore.domain.ids import BillLineId, TaxType, VendorId
from onecore.domain.marks import mark_url
from onecore.domain.money import ZERO, rounded
from onecore.domain.retention import (
    UNBUILT,
    Share,
    moves_retention,
    retention_accounts,
    retention_lines,
)
from onecore.domain.settings import DueBase, PartyRow, RetentionMethod
from onecore.domain.tax import (
    default_type,
    misfit,
    no_tax_type,
    override_for,
    predicted_totals,
    types_read,
    with_document_cents,
)
from onecore.domain.terms import due_date
from onecore.domain.tracking import Found, project_tracking, second_tracking
from onecore.domain.translate.dates import (
    DEFAULT_ZONE,
    PostingDay,
    local_day,
    own_date,
    posting_day,
    zone_named,
)
from onecore.domain.translate.text import bill_number, description

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class NothingDue:
    """A claim that moves no money a bill could show; `reason` is "no_movement" or
    "all_retained" (under the method `net`)."""

    reason: str


@dataclass(frozen=True, slots=True)
class NotOurs:
    """A claim OneCore leaves alone; `reason` is "before_cut_over"."""

    reason: str


def bill_from(
    requisition: Requisition,
    chart: Chart,
    posted: PostedBill | None = None,
    line_keys: Mapping[BillLineId, str] | None = None,
    *,
    part: str = "main",
    version: int = 1,
    zone: str = DEFAULT_ZONE,
    contact_wins: bool = False,
) -> Bill | Held | NothingDue | NotOurs:
    """The bill a requisition becomes, or every gap there is, at once.

    Under the retention method `line` each claim line goes to its cost code's account at the full
    work of the period, and what is retained or released to the retention account; under `net`
    each goes over at work less retention. Either way the lines come to `current_payment_due`.

    `posted` and `line_keys` (the key of each of its lines) are given when a bill is there
    already: retention then follows the tax types Xero has on the work lines, and a date moved
    past a lock date once stays. `zone` is the project's, Procore's word or IANA's. `part` and
    `version` go into the mark; `contact_wins` says whose default tax type Xero prefers.
    """
    own = own_date(requisition, chart.settings.bill.date, zone)
    if isinstance(own, date) and own < chart.settings.cut_over:
        return NotOurs("before_cut_over")
    out_of_sum = amounts.amounts_gap(requisition)
    idle = _idle(requisition, chart)
    if idle and not out_of_sum:
        return idle
    read = types_read(posted, line_keys)
    draft = _Draft(requisition, chart, own if isinstance(own, date) else None, read, contact_wins)
    draft.note(out_of_sum, own if isinstance(own, Gap) else None)
    bill = draft.bill(posted, zone, mark_url(requisition.url, part, version))
    if bill is None:
        return Held(draft.gaps)
    if not bill.lines:
        return NothingDue("no_movement")
    if chart.settings.policies.tax_cents == "document":
        bill = with_document_cents(bill, chart, read, contact_wins)
    total = predicted_totals(bill, chart, read, contact_wins).gross
    if total < 0:
        return Held((_negative(requisition, total),))
    return bill


def _idle(requisition: Requisition, chart: Chart) -> NothingDue | None:
    """Why there is nothing to post, judged by the amounts alone."""
    if not any(x.gross or x.retained or x.released for x in requisition.lines):
        return NothingDue("no_movement")
    net = chart.settings.retention.payable.method is RetentionMethod.NET
    if net and not any(rounded(x.net, requisition.currency) for x in requisition.lines):
        return NothingDue("all_retained")
    return None


@dataclass(frozen=True, slots=True)
class _Coded:
    """A claim line with where it goes; `tax_type` is sent, `effective` is what Xero will use."""

    line: RequisitionLine
    account: Account
    tax_type: TaxType | None
    effective: TaxType | None
    second: tuple[Tracking, ...]


class _Draft:
    """One translation under way: every step notes its gaps and goes on without."""

    def __init__(
        self,
        requisition: Requisition,
        chart: Chart,
        own: date | None,
        read: Mapping[str, TaxType],
        contact_wins: bool,
    ) -> None:
        self._requisition = requisition
        self._chart = chart
        self._settings = chart.settings
        self._side = chart.settings.retention.payable
        self._own = own
        self._read = read
        self._contact_wins = contact_wins
        self._contact: Contact | None = None
        self._found: dict[tuple[str, str], Gap] = {}

    @property
    def gaps(self) -> tuple[Gap, ...]:
        return tuple(self._found.values())

    def note(self, *gaps: Gap | None) -> None:
        for gap in gaps:
            if gap is not None:
                self._found.setdefault((gap.code, gap.subject), gap)

    def bill(self, posted: PostedBill | None, zone: str, url: str) -> Bill | None:
        """The bill, or None once anything is missing."""
        status = BillStatus(self._settings.bill.status)
        self._contact = self._keep(
            contact_for(self._requisition.vendor, self._chart, self._requisition.vendor_name)
        )
        number = self._keep(bill_number(self._requisition, self._settings.bill.number))
        posting = self._posting_day(status, posted)
        due = self._due_date(zone)
        self._check_claim()
        lines = self._lines()
        if self._found or not (self._contact and number and posting and due):
            return None
        return Bill(
            contact=self._contact.id,
            number=number,
            bill_date=posting.day,
            due_date=due,
            status=status,
            currency=self._requisition.currency,
            url=url,
            lines=dated(lines, posting.moved_from),
        )

    def _keep(self, value: T | Gap) -> T | None:
        if isinstance(value, Gap):
            self.note(value)
            return None
        return value

    def _tracked(self, found: Found) -> tuple[Tracking, ...]:
        self.note(found.gap)
        return found.tracking

    # --- the head -----------------------------------------------------------------------------

    def _posting_day(self, status: BillStatus, posted: PostedBill | None) -> PostingDay | None:
        if self._own is None:
            return None
        policy = self._settings.policies.locked_period
        return self._keep(posting_day(self._own, self._chart.organisation, policy, status, posted))

    def _due_date(self, zone: str) -> date | None:
        if self._own is None:
            return None
        rule = self._settings.bill.due_date
        if rule.base is DueBase.BUSINESS_DAYS_AFTER and rule.region is None:
            rule = replace(rule, region=self._chart.organisation.country)
        place = zone_named(zone)
        submitted = local_day(self._requisition.submitted_at, place) if place else None
        terms = self._contact.bill_terms if self._contact else None
        try:
            due = due_date(rule, self._own, submitted, terms, self._chart.is_business_day)
        except UnknownRegion as error:
            self.note(Gap("due_date_missing", rule.base, str(error)))
            return None
        if due is None and (self._contact or rule.base is not DueBase.CONTACT_TERMS):
            self.note(_no_due_date(rule.base))
        return due

    def _check_claim(self) -> None:
        claim, side, organisation = self._requisition, self._side, self._chart.organisation
        usable = organisation.currencies | {organisation.base_currency}
        if claim.currency is not None and claim.currency not in usable:
            self.note(
                Gap(
                    "currency_unavailable",
                    claim.currency,
                    f"The claim is in {claim.currency}, which this organisation does not use.",
                )
            )
        if claim.net < 0:
            self.note(_negative(claim, claim.net))
        if not moves_retention(claim):
            return
        if side.method in UNBUILT:
            self.note(
                Gap(
                    "retention_method_unbuilt",
                    side.method,
                    f"The retention method {side.method} is not built yet; a claim that retains "
                    "or releases can go over by the methods line and net.",
                )
            )
        self.note(self._opening_gap())

    def _opening_gap(self) -> Gap | None:
        """Releases use an opening balance up first; one whose tax is booked must not be taxed."""
        contract, side = self._settings.contract, self._side
        if contract is None or contract.opening is None:
            return None
        untaxed = side.method is RetentionMethod.LINE and side.tax == "none"
        releases = any(line.released for line in self._requisition.lines)
        booked = contract.opening.gst == "already_booked" and contract.opening.held > 0
        if untaxed or not booked or not releases:
            return None
        return Gap(
            "opening_tax_booked",
            str(contract.contract),
            "The claim releases retention, and the contract's opening retention had its tax "
            "booked already, so it would be taxed twice. Releasing an opening balance untaxed is "
            "not built yet: enter this bill by hand, or take the opening out once it is used up.",
        )

    # --- the lines ----------------------------------------------------------------------------

    def _lines(self) -> tuple[BillLine, ...]:
        """Work first, then retention, then what rounding left over, if anything."""
        claim, side = self._requisition, self._side
        net = side.method is RetentionMethod.NET
        project = self._tracked(project_tracking(self._chart, claim.project))
        coded = [x for x in map(self._coded, filter(self._matters, claim.lines)) if x is not None]
        lines = [x for x in (self._work_line(c, project, net) for c in coded) if x.amount]
        if side.method is RetentionMethod.LINE and moves_retention(claim):
            lines += self._retention(coded, project)
        return (*lines, *self._left_over(lines))

    def _matters(self, line: RequisitionLine) -> bool:
        """Whether a line needs its coding: for its own amount, or for its retention's tax type."""
        if self._side.method is RetentionMethod.NET:
            return self._posts_work(line)
        return bool(line.gross or line.retained or line.released)

    def _coded(self, line: RequisitionLine) -> _Coded | None:
        code = self._keep(expense_code(line, self._chart, self._own))
        posts = self._posts_work(line)
        second: tuple[Tracking, ...] = ()
        if posts or self._tracks_second:
            second = self._tracked(second_tracking(self._chart, line))
        if code is None:
            return None
        account = self._chart.accounts.get(code)
        if posts or account is None:  # retention alone only asks for the account's tax type
            account = self._keep(usable_account(code, self._chart))
        if account is None:
            return None
        contact = self._contact.id if self._contact else None
        project = self._requisition.project
        explicit = override_for(line, account.code, contact, project, self._chart)
        read = self._read.get(f"item:{line.id}")
        wanted = explicit or default_type(account, self._contact, self._contact_wins)
        if wanted is not None and read is None and posts:
            self.note(misfit(wanted, account, self._chart))
        return _Coded(line, account, explicit, read or wanted, second)

    def _posts_work(self, line: RequisitionLine) -> bool:
        net = self._side.method is RetentionMethod.NET
        return bool(rounded(line.net if net else line.gross, self._requisition.currency))

    @property
    def _tracks_second(self) -> bool:
        return bool({"second", "cost_type", "sub_job", "cost_code"} & set(self._side.track))

    def _work_line(self, coded: _Coded, project: tuple[Tracking, ...], net: bool) -> BillLine:
        line = coded.line
        amount = line.net if net else line.gross
        name = line.cost_code.name or line.cost_code.code if line.cost_code else ""
        return BillLine(
            key=f"item:{line.id}",
            description=description(line.description, name or f"Work, {self._claim_name}"),
            account=coded.account.code,
            amount=rounded(amount, self._requisition.currency),
            tax_type=coded.tax_type,
            tracking=project + coded.second,
        )

    @property
    def _claim_name(self) -> str:
        return f"{self._requisition.commitment_number} claim {self._requisition.number}".strip()

    def _left_over(self, lines: list[BillLine]) -> tuple[BillLine, ...]:
        """A line for the cents by which parts of a cent, rounded line by line, miss what is due."""
        due = rounded(self._requisition.net, self._requisition.currency)
        rest = due - sum((line.amount for line in lines), ZERO)
        if not rest or not lines or self._found:
            return ()
        largest = max(lines, key=lambda x: (x.key.startswith("item:"), abs(x.amount)))
        return (replace(largest, key="rounding", description="Rounding", amount=rest),)

    # --- retention ----------------------------------------------------------------------------

    def _retention(self, coded: list[_Coded], project: tuple[Tracking, ...]) -> list[BillLine]:
        accounts, missing = retention_accounts(self._side, self._chart)
        self.note(*missing)
        shares: list[Share] = []
        for each in coded:
            if not (each.line.retained or each.line.released):
                continue
            tax_type = self._retention_type(each)
            if tax_type is not None:
                shares.append(
                    Share(each.line, tax_type, each.second if self._tracks_second else ())
                )
            self.note(self._cis_gap(each))
        for account in accounts:
            for tax_type in dict.fromkeys(share.tax_type for share in shares):
                self.note(misfit(tax_type, account, self._chart, "retention_tax_unfit"))
        if self._found:
            return []
        lines = retention_lines(
            shares,
            self._side,
            self._claim_name,
            self._requisition.currency,
            project if "project" in self._side.track else (),
        )
        return [replace(x, description=description(x.description)) for x in lines]

    def _retention_type(self, coded: _Coded) -> TaxType | None:
        """The type sent on the retention of a line: never left to the account's own default."""
        if self._side.tax == "none":
            return no_tax_type(self._chart.organisation.country)
        if coded.effective is None and self._contact:
            self.note(
                Gap(
                    "tax_unknown",
                    f"account:{coded.account.code}",
                    f"Account {coded.account.code} {coded.account.name} has no default tax rate, "
                    "so the rate of its retention cannot be told.",
                )
            )
        return coded.effective

    def _cis_gap(self, coded: _Coded) -> Gap | None:
        """Xero deducts CIS from labour lines alone [C 3]: a retention line neither lowers the
        deduction when money is held, nor brings it when money is released."""
        if coded.account.system != "CISLABOUREXPENSE":
            return None
        return Gap(
            "retention_method_unfit",
            self._side.method,
            f"Xero takes the CIS deduction from {coded.account.name} alone, so retention on an "
            "account of its own would make it wrong; use the retention method net.",
        )


def contact_for(vendor: VendorId, chart: Chart, name: str = "") -> Contact | Gap:
    """The contact a vendor is mapped to; one that was merged away is followed to where it went.

    `name` is the vendor's, for the gap's words.
    """
    row = _row_of(vendor, chart)
    if row is None:
        return Gap(
            "vendor_unmapped", str(vendor), f"{name or f'Vendor {vendor}'} has no contact in Xero."
        )
    contact, seen = chart.contacts.get(row.contact), set[object]()
    while contact and not contact.active and contact.merged_to and contact.id not in seen:
        seen.add(contact.id)
        contact = chart.contacts.get(contact.merged_to)
    if contact is None:
        return Gap(
            "contact_unknown", str(row.contact), "The mapped contact is not to be found in Xero."
        )
    if not contact.active:
        return Gap(
            "contact_archived", str(contact.id), f"The contact {contact.name} is archived in Xero."
        )
    return contact


def _row_of(vendor: VendorId, chart: Chart) -> PartyRow | None:
    here = chart.organisation.id
    fitting = [
        row
        for row in chart.settings.vendors
        if row.vendor == vendor and row.organisation in (None, here)
    ]
    return max(fitting, key=lambda row: row.organisation is not None, default=None)


def dated(lines: tuple[BillLine, ...], moved_from: date | None) -> tuple[BillLine, ...]:
    """The lines, the first saying the claim's own date where the bill bears another."""
    if moved_from is None or not lines:
        return lines
    note = f" (claim dated {moved_from.day} {moved_from:%B %Y})"
    first = replace(lines[0], description=description(lines[0].description, after=note))
    return (first, *lines[1:])


def _negative(requisition: Requisition, total: Decimal) -> Gap:
    return Gap(
        "negative_total",
        str(requisition.id),
        f"The claim comes to {total:,.2f}. Xero has no bill below zero, and credit notes are not "
        "built yet: enter it as a credit note by hand.",
    )


def _no_due_date(base: DueBase) -> Gap:
    what = (
        "The contact has no payment terms for bills in Xero"
        if base is DueBase.CONTACT_TERMS
        else "The claim does not say when it was submitted"
    )
    return Gap("due_date_missing", base, f"{what}, and the rule has no `else`.")
