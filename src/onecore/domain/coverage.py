"""Coverage: what share of live contract value would post today, and what stands in the way.

Each line of a live contract is put into an imagined claim and translated for real, so that
coverage can never promise what translation then refuses.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import ROUND_DOWN, Decimal

from onecore.domain.chart import Chart
from onecore.domain.documents import CostCode, Requisition, RequisitionLine
from onecore.domain.gaps import Gap, Held
from onecore.domain.ids import CommitmentId, CostTypeId, ProjectId, RequisitionId, VendorId
from onecore.domain.money import ZERO
from onecore.domain.translate.bill import bill_from


@dataclass(frozen=True, slots=True)
class LiveLine:
    """A line of a contract in force. `amount` is ex tax and may be negative."""

    project: ProjectId
    contract: CommitmentId
    vendor: VendorId | None
    cost_code: CostCode | None
    cost_type: CostTypeId | None
    amount: Decimal
    sub_job: str | None = None
    retains: bool = False  # its contract holds retention, so claims on it will
    vendor_name: str = ""


@dataclass(frozen=True, slots=True)
class Stake:
    """One gap, the contract value that waits for it, and the contracts it would hold."""

    gap: Gap
    value: Decimal
    contracts: tuple[CommitmentId, ...]


@dataclass(frozen=True, slots=True)
class Coverage:
    """How ready a workspace is. Value is counted by size: a negative line hides nothing.

    `share` is from 0 to 1, rounded down, so that it is 1 only when nothing is missing. A line
    with two gaps is at stake in both, so stakes may add up to more than what is not covered.
    """

    share: Decimal
    total: Decimal
    covered: Decimal
    gaps: tuple[Stake, ...]
    contracts: int
    ready_contracts: int


GapsOf = Callable[[LiveLine], tuple[Gap, ...]]


def coverage(lines: Iterable[LiveLine], gaps_of: GapsOf) -> Coverage:
    """The coverage of all lines together; gaps by the value they hold, greatest first."""
    total = covered = ZERO
    contracts: dict[CommitmentId, bool] = {}
    stakes: dict[tuple[str, str], _Tally] = {}
    for line in lines:
        value = abs(line.amount)
        gaps = {(gap.code, gap.subject): gap for gap in gaps_of(line)}
        total += value
        covered += ZERO if gaps else value
        contracts[line.contract] = contracts.get(line.contract, True) and not gaps
        for key, gap in gaps.items():
            stakes.setdefault(key, _Tally(gap)).add(line.contract, value)
    found = [Stake(x.gap, x.value, tuple(sorted(x.contracts))) for x in stakes.values()]
    found.sort(key=lambda s: (-s.value, -len(s.contracts), s.gap.code, s.gap.subject))
    ready = sum(contracts.values())
    share = _share(covered, total, bool(found))
    return Coverage(share, total, covered, tuple(found), len(contracts), ready)


class _Tally:
    def __init__(self, gap: Gap) -> None:
        self.gap = gap
        self.value = ZERO
        self.contracts: set[CommitmentId] = set()

    def add(self, contract: CommitmentId, value: Decimal) -> None:
        self.value += value
        self.contracts.add(contract)


def _share(covered: Decimal, total: Decimal, gaps: bool) -> Decimal:
    if not total:
        return Decimal(0 if gaps else 1)
    return (covered / total).quantize(Decimal("0.0001"), ROUND_DOWN)


def gap_finder(chart_of: Callable[[LiveLine], Chart | Gap], on: date) -> GapsOf:
    """Finds what would hold a claim on a line, were it approved on the day `on`.

    `chart_of` gives the chart that holds for a line's project and contract, or the gap that
    there is none (no organisation, say). Lines alike in all but their amount are translated
    once, so it should give the same chart object wherever the same settings hold.
    """
    known: dict[tuple[object, ...], tuple[Gap, ...]] = {}
    charts: dict[int, Chart] = {}  # keeps each chart alive, as its id stands for it

    def gaps_of(line: LiveLine) -> tuple[Gap, ...]:
        chart = chart_of(line)
        if isinstance(chart, Gap):
            return (chart,)
        charts[id(chart)] = chart
        key = (
            id(chart),
            line.project,
            line.vendor if line.vendor is not None else (line.contract,),
            line.cost_code,
            line.cost_type,
            line.sub_job,
            line.retains,
        )
        if key not in known:
            known[key] = line_gaps(line, chart, on)
        return known[key]

    return gaps_of


def line_gaps(line: LiveLine, chart: Chart, on: date) -> tuple[Gap, ...]:
    """What would hold a claim on this line alone, by translating one."""
    missing: tuple[Gap, ...] = ()
    if line.vendor is None:
        detail = f"Contract {line.contract} has no vendor in Procore, so nobody can be paid."
        missing = (Gap("vendor_missing", str(line.contract), detail),)
    result = bill_from(_imagined(line, max(on, chart.settings.cut_over)), chart)
    gaps = result.gaps if isinstance(result, Held) else ()
    if missing:
        gaps = tuple(gap for gap in gaps if gap.code != "vendor_unmapped")
    return missing + gaps


def _imagined(line: LiveLine, on: date) -> Requisition:
    """A claim of 100.00 on the line, everything else about it in order."""
    gross = Decimal("100.00")
    retained = Decimal("10.00") if line.retains else ZERO
    at = datetime.combine(on, time(12), UTC)
    claim_line = RequisitionLine(
        id=1,
        description="Work",
        cost_code=line.cost_code,
        cost_type=line.cost_type,
        sub_job=line.sub_job,
        gross=gross,
        retained=retained,
        released=ZERO,
    )
    return Requisition(
        id=RequisitionId(0),
        project=line.project,
        commitment=line.contract,
        commitment_number=str(line.contract),
        vendor=line.vendor if line.vendor is not None else VendorId(0),
        vendor_name=line.vendor_name,
        number=1,
        invoice_number="1",
        status="approved",
        billing_date=on,
        period_start=on,
        period_end=on,
        submitted_at=at,
        approved_at=at,
        updated_at=at,
        current_payment_due=gross - retained,
        currency=None,
        url="https://procore.invalid/claim",
        lines=(claim_line,),
    )
