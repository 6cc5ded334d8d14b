"""Makes up a builder: projects, vendors, contracts and monthly claims that add up."""

import random
from calendar import monthrange
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from uuid import UUID

from onecore_sim import generator_words as words
from onecore_sim.builder import (
    Builder,
    Claim,
    ClaimLine,
    Commitment,
    CostCode,
    CostType,
    Party,
    Project,
    SovLine,
)

CENT = Decimal("0.01")
ABN_WEIGHTS = (10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19)
TEN = Decimal(10)
FIVE = Decimal(5)


def builder(size: str, seed: int, today: date) -> Builder:
    """The builder of that size and seed, with claims for work up to the month before `today`.

    `size` is "tiny" (one project, one commitment, no claims), "demo", or a number of projects.
    A claim is dated early in the month after its work, so claims waiting for approval fall in
    the month of `today` and everything approved falls before it. Raises ValueError for another
    size.
    """
    if size == "tiny":
        return _tiny(seed, today)
    if size == "demo":
        return _Maker(random.Random(f"demo:{seed}"), today).demo()
    if size.isascii() and size.isdigit() and int(size) > 0:
        return _Maker(random.Random(f"{size}:{seed}"), today).many(int(size))
    raise ValueError(f'A size is "tiny", "demo" or a number of projects, not {size!r}.')


def abn_is_valid(abn: str) -> bool:
    """Whether eleven digits, spaces aside, pass the check of abr.business.gov.au (modulus 89)."""
    digits = [int(sign) for sign in abn.replace(" ", "") if sign.isdigit()]
    if len(digits) != 11:
        return False
    digits[0] -= 1
    return sum(w * d for w, d in zip(ABN_WEIGHTS, digits, strict=True)) % 89 == 0


def made_up_abn(rng: random.Random) -> str:
    """Eleven digits with a right check; the first two are the check digits."""
    tail = [rng.randint(0, 9) for _ in range(9)]
    weighed = sum(w * d for w, d in zip(ABN_WEIGHTS[2:], tail, strict=True))
    return f"{10 + -weighed % 89}" + "".join(map(str, tail))


@dataclass(slots=True)
class _Plan:
    """How one commitment is to look, before it is drawn."""

    trade: words.Trade
    vendor_id: int
    months: int  # how many monthly claims, the last one for the month just gone
    newest: str = "under_review"
    percent: Decimal = TEN
    capped: bool = False
    varied: bool = False
    stored: bool = False  # has materials on site paid before they are built in
    corrected: bool = False  # has one claim below zero
    releasing: bool = False  # the newest claim gives half of the retention back


@dataclass(slots=True)
class _Maker:
    rng: random.Random
    today: date
    _last_id: int = 0
    _invoice_numbers: dict[int, int] = field(default_factory=dict)
    _names: set[str] = field(default_factory=set)
    _codes: dict[str, CostCode] = field(default_factory=dict)
    _types: dict[str, CostType] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._last_id = self.rng.randint(1_200_000, 1_900_000)
        self._types = {t.code: t for t in _cost_types(self.next_id)}
        self._codes = {c.code: c for c in _cost_codes(words.COST_CODES, self.next_id)}

    def next_id(self) -> int:
        self._last_id += self.rng.randint(1, 23)
        return self._last_id

    def uuid(self) -> str:
        return str(UUID(int=self.rng.getrandbits(128), version=4))

    def demo(self) -> Builder:
        trades = words.TRADES[:12]
        parties = [self.party(trade, n) for n, trade in enumerate(trades)]
        unknown = 7  # the roofer, whose first claim is waiting, is not in Xero yet
        parties[unknown] = replace(parties[unknown], contact_id=None)

        def who(n: int) -> tuple[words.Trade, int]:
            return trades[n], parties[n].vendor_id

        plans = (
            (
                _Plan(*who(0), 5, varied=True),
                _Plan(*who(1), 4, capped=True),
                _Plan(*who(5), 3, percent=FIVE, stored=True),
            ),
            (_Plan(*who(2), 5, percent=FIVE, varied=True), _Plan(*who(unknown), 1)),
            (_Plan(*who(10), 6, releasing=True), _Plan(*who(3), 2, newest="draft", stored=True)),
            (_Plan(*who(6), 3),),
        )
        projects = tuple(
            self.project(7 + 4 * n, n, row, permitted=n < 3) for n, row in enumerate(plans)
        )
        customers = [self.customer(name) for name in words.CUSTOMERS[:2]]
        return self.whole((*parties, *customers), projects)

    def many(self, count: int) -> Builder:
        """`count` projects where everything is mapped, so that whatever is approved can post."""
        parties = [
            self.party(words.TRADES[n % len(words.TRADES)], n)
            for n in range(len(words.TRADES) * max(1, round(count / 4)))
        ]
        projects = tuple(
            self.project(n + 1, n, [self.some_plan(parties) for _ in range(self.rng.randint(7, 9))])
            for n in range(count)
        )
        customers = [self.customer(name) for name in words.CUSTOMERS]
        return self.whole((*parties, *customers), projects)

    def some_plan(self, parties: Sequence[Party]) -> _Plan:
        rng = self.rng
        n = rng.randrange(len(parties))
        kind = rng.random()
        return _Plan(
            trade=words.TRADES[n % len(words.TRADES)],
            vendor_id=parties[n].vendor_id,
            months=rng.randint(6, 10),
            newest="draft" if rng.random() < 0.15 else "under_review",
            percent=FIVE if rng.random() < 0.3 else TEN,
            varied=rng.random() < 0.4,
            capped=kind < 0.1,
            releasing=0.1 <= kind < 0.2,
            corrected=0.2 <= kind < 0.24,
            stored=0.3 <= kind < 0.5,
        )

    def whole(self, parties: tuple[Party, ...], projects: tuple[Project, ...]) -> Builder:
        return _whole(
            company_id=self.next_id(),
            tenant_id=self.uuid(),
            today=self.today,
            types=tuple(self._types.values()),
            codes=tuple(self._codes.values()),
            parties=parties,
            projects=projects,
        )

    def party(self, trade: words.Trade, n: int) -> Party:
        """A vendor with its contact; every third is written otherwise in Xero."""
        family = self.fresh(
            lambda: f"{self.rng.choice(words.FAMILIES) if n else 'Smith Bros'} {trade.business}",
            trade.business,
        )
        name = f"{family} Pty Ltd"
        return self._party(name, _retyped(name, n) if n % 3 == 0 else name)

    def customer(self, name: str) -> Party:
        return replace(self._party(name, name), is_customer=True)

    def _party(self, name: str, contact_name: str) -> Party:
        host = "".join(sign for sign in name.removesuffix(" Pty Ltd").lower() if sign.isalnum())
        return Party(
            vendor_id=self.next_id(),
            name=name,
            abn=made_up_abn(self.rng),
            email=f"accounts@{host}.example",
            contact_id=self.uuid(),
            contact_name=contact_name,
        )

    def fresh(self, draw: Callable[[], str], common: str) -> str:
        """A name not given yet; once the words run out, a number keeps them apart."""
        for _ in range(20):
            if (name := draw()) not in self._names:
                break
        else:
            number = sum(common in taken for taken in self._names) + 1
            name = f"{name} No. {number}"
        self._names.add(name)
        return name

    def project(
        self, number: int, n: int, plans: Sequence[_Plan], permitted: bool = True
    ) -> Project:
        site, state = words.SITES[n % len(words.SITES)]
        stage = n // len(words.SITES) + (2 if n % len(words.SITES) == 0 else 1)
        name = f"{site} Stage {stage}" if stage > 1 else site
        code = f"P-{number:03}"
        project_id = self.next_id()
        made = []
        counts = {"SC": 0, "PO": 0}
        for plan in plans:
            prefix = "PO" if plan.trade.supplies else "SC"
            counts[prefix] += 1
            made.append(self.commitment(plan, f"{prefix}-{number:03}-{counts[prefix]:03}"))
        return Project(
            id=project_id,
            number=code,
            name=name,
            state_code=state,
            time_zone=words.TIME_ZONES[state],
            permitted=permitted,
            tracking_option=f"{code} {name}" if permitted else None,
            commitments=tuple(made),
        )

    def commitment(self, plan: _Plan, number: str) -> Commitment:
        lines = self.schedule(plan)
        contract = sum((x.amount for x in lines if x.group == 0), Decimal(0))
        return Commitment(
            id=self.next_id(),
            kind="PurchaseOrderContract" if plan.trade.supplies else "WorkOrderContract",
            number=number,
            title=plan.trade.title,
            vendor_id=plan.vendor_id,
            status="Approved",
            retainage_percent=plan.percent,
            lines=lines,
            claims=self.claims(plan, lines),
            # half of what the full rate would hold: "10 % until 5 % of the contract is held"
            max_retainage=_cents(contract * plan.percent / 200) if plan.capped else None,
        )

    def schedule(self, plan: _Plan) -> tuple[SovLine, ...]:
        """Lines that add up to a round contract, and a group of variation lines where planned."""
        rng = self.rng
        contract = Decimal(rng.randint(plan.trade.low, plan.trade.high) * 1000)
        count = rng.randint(3, 10 if plan.varied else 12)
        shares = [rng.randint(2, 12) for _ in range(count)]
        amounts = [(contract * s / sum(shares)).quantize(TEN, ROUND_DOWN) for s in shares]
        amounts[-1] += contract - sum(amounts)
        lines = [
            self.line(plan, n, words.WORK[n % len(words.WORK)], amount)
            for n, amount in enumerate(amounts)
        ]
        if plan.varied:
            for n in range(rng.randint(1, 2)):
                amount = _cents(contract * rng.randint(10, 40) / 1000)
                what = f"VO-{n + 1:02} {rng.choice(words.VARIATIONS)}"
                lines.append(self.line(plan, n, what, amount, group=n + 1))
        return tuple(lines)

    def line(self, plan: _Plan, n: int, what: str, amount: Decimal, group: int = 0) -> SovLine:
        code = self._codes[plan.trade.codes[n % len(plan.trade.codes)]]
        return SovLine(
            id=self.next_id(),
            cost_code_id=code.id,
            line_item_type_id=self._types[plan.trade.cost_type].id,
            description=what if group else f"{code.name}, {what}",
            amount=amount,
            group=group,
        )

    def claims(self, plan: _Plan, lines: tuple[SovLine, ...]) -> tuple[Claim, ...]:
        progress = _Progress(self.rng, plan, lines)
        made = []
        for n in range(plan.months):
            start, end = _month(self.today, n - plan.months)
            newest = n == plan.months - 1
            billed_start, _ = _month(self.today, n + 1 - plan.months)
            day = self.rng.randint(1, 5)
            made.append(
                Claim(
                    id=self.next_id(),
                    number=n + 1,
                    invoice_number=self.invoice_number(plan.vendor_id),
                    status=plan.newest if newest else "approved",
                    period_start=start,
                    period_end=end,
                    billing_date=billed_start.replace(
                        day=min(day, self.today.day) if newest else day
                    ),
                    lines=progress.claim(n),
                )
            )
        return tuple(made)

    def invoice_number(self, vendor_id: int) -> str:
        """The supplier's next number, in that supplier's own style."""
        last = self._invoice_numbers.get(vendor_id) or self.rng.randint(100, 4000)
        self._invoice_numbers[vendor_id] = last + self.rng.randint(1, 9)
        number = self._invoice_numbers[vendor_id]
        return (f"INV-{number:05}", str(number), f"PC{number}")[vendor_id % 3]


class _Progress:
    """Works through a schedule month by month; never above a line's amount, never below zero."""

    def __init__(self, rng: random.Random, plan: _Plan, lines: tuple[SovLine, ...]) -> None:
        self._rng = rng
        self._plan = plan
        self._lines = lines
        self._done = {x.id: Decimal(0) for x in lines}  # work and materials so far
        self._stored = {x.id: Decimal(0) for x in lines}
        self._held = {x.id: Decimal(0) for x in lines}
        # how far a line is after each month; unfinished ones end at 60 to 90 per cent
        months = plan.months - 1 if plan.releasing else plan.months
        aim = 100 if plan.releasing else min(rng.randint(60, 90), 25 * months)
        self._marks = {x.id: _marks(rng, months, aim, late=x.group > 0) for x in lines}
        self._moved_month = months // 2

    def claim(self, n: int) -> tuple[ClaimLine, ...]:
        if self._plan.releasing and n == self._plan.months - 1:
            return self._release()
        if self._plan.corrected and n == self._moved_month + 1:
            return self._correction()
        made = [self._line(x, n) for x in self._lines]
        return tuple(x for x in made if x.work or x.new_materials or x.materials_moved)

    def _line(self, line: SovLine, n: int) -> ClaimLine:
        goal = (line.amount * self._marks[line.id][n] / 100).quantize(CENT, ROUND_DOWN)
        if goal != line.amount and self._rng.random() < 0.8:
            goal = goal.quantize(Decimal(1), ROUND_DOWN)  # most people claim whole dollars
        step = max(goal - self._done[line.id], Decimal(0))
        moved, self._stored[line.id] = self._stored[line.id], Decimal(0)
        delivered = Decimal(0)
        if self._plan.stored and line is self._lines[1] and n % 2 == self._plan.months % 2:
            delivered = (step * 2 / 5).quantize(CENT, ROUND_DOWN)
        self._done[line.id] += step
        self._stored[line.id] += delivered
        self._hold(line.id, step - delivered)
        return ClaimLine(line.id, step - delivered, delivered, moved)

    def _hold(self, line_id: int, work: Decimal) -> None:
        self._held[line_id] += _cents(work * self._plan.percent / 100)

    def _correction(self) -> tuple[ClaimLine, ...]:
        """One line taken back by a tenth: measured too high last month."""
        line_id = max(self._done, key=lambda each: self._done[each])
        back = _cents(self._done[line_id] / 10)
        self._done[line_id] -= back
        self._hold(line_id, -back)
        return (ClaimLine(line_id, -back),)

    def _release(self) -> tuple[ClaimLine, ...]:
        """Practical completion: half of what is held on each line, no new work."""
        halves = {i: (held / 2).quantize(CENT, ROUND_DOWN) for i, held in self._held.items()}
        return tuple(
            ClaimLine(i, Decimal(0), work_released=half) for i, half in halves.items() if half
        )


def _marks(rng: random.Random, months: int, aim: int, late: bool) -> list[int]:
    """Per cent done after each month, rising to `aim`; a late line starts half-way."""
    if aim < 100:
        aim -= rng.randint(0, aim // 4)
    first = months // 2 if late else 0
    cuts = sorted(rng.sample(range(1, aim), months - first - 1))
    return [0] * first + [*cuts, aim]


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)


def _month(today: date, offset: int) -> tuple[date, date]:
    """First and last day of the month that lies `offset` months from today's."""
    year, month = divmod(today.year * 12 + today.month - 1 + offset, 12)
    return date(year, month + 1, 1), date(year, month + 1, monthrange(year, month + 1)[1])


def _retyped(name: str, n: int) -> str:
    ways = [name.replace(a, b) for a, b in words.RETYPED if a in name]
    both = name.replace(" Bros ", " Brothers ").replace(" & ", " and ").removesuffix(" Pty Ltd")
    return both if both != name.removesuffix(" Pty Ltd") else ways[n // 3 % len(ways)]


def _cost_types(next_id: Callable[[], int]) -> tuple[CostType, ...]:
    return (
        CostType(next_id(), "L", "Labour", "labor"),
        CostType(next_id(), "M", "Materials", "materials"),
        CostType(next_id(), "S", "Subcontract", "commitment"),
        CostType(next_id(), "E", "Equipment", "equipment"),
    )


def _cost_codes(
    rows: Sequence[tuple[str, str]], next_id: Callable[[], int]
) -> tuple[CostCode, ...]:
    return tuple(
        CostCode(next_id(), code, name, words.DIVISION_ACCOUNT[code[:2]]) for code, name in rows
    )


def _whole(
    company_id: int,
    tenant_id: str,
    today: date,
    types: tuple[CostType, ...],
    codes: tuple[CostCode, ...],
    parties: tuple[Party, ...],
    projects: tuple[Project, ...],
) -> Builder:
    booked = {x.account for x in codes if x.account is not None}
    expenses = {k: v for k, v in words.EXPENSE_ACCOUNTS.items() if k in booked}
    return Builder(
        company_id=company_id,
        name="Banksia Constructions Pty Ltd",
        today=today,
        tenant_id=tenant_id,
        cost_types=types,
        cost_codes=codes,
        parties=parties,
        projects=projects,
        accounts={**words.RETENTION_ACCOUNTS, **expenses},
    )


def _tiny(seed: int, today: date) -> Builder:
    """The builder of examples and tests: small ids one can remember."""
    rng = random.Random(f"tiny:{seed}")

    def uuid() -> str:
        return str(UUID(int=rng.getrandbits(128), version=4))

    def party(vendor_id: int, name: str, contact_name: str, host: str) -> Party:
        email = f"accounts@{host}.example"
        return Party(vendor_id, name, made_up_abn(rng), email, uuid(), contact_name)

    parties = (
        party(12, "Smith Bros Concreting Pty Ltd", "Smith Brothers Concreting", "smithbros"),
        party(13, "Rossi Electrical Pty Ltd", "Rossi Electrical Pty Ltd", "rossielectrical"),
        party(14, "Ironbark Steel Pty Ltd", "Ironbark Steel P/L", "ironbarksteel"),
    )
    types = _cost_types(iter((3, 4, 5, 6)).__next__)
    rows = [row for row in words.COST_CODES if row[0] in {"01-100", "03-300", "05-100"}]
    codes = _cost_codes(rows, iter((101, 102, 103)).__next__)
    amounts = (Decimal(40_000), Decimal(260_000), Decimal(100_000))
    lines = tuple(
        SovLine(301 + n, code.id, types[2].id, code.name, amount)
        for n, (code, amount) in enumerate(zip(codes, amounts, strict=True))
    )
    commitment = Commitment(
        id=31,
        kind="WorkOrderContract",
        number="SC-007-001",
        title="Concrete structure",
        vendor_id=12,
        status="Approved",
        retainage_percent=TEN,
        lines=lines,
        claims=(),
    )
    project = Project(
        id=7,
        number="P-007",
        name="Riverside",
        state_code="NSW",
        time_zone="Sydney",
        permitted=True,
        tracking_option="P-007 Riverside",
        commitments=(commitment,),
    )
    return _whole(4, uuid(), today, types, codes, parties, (project,))
