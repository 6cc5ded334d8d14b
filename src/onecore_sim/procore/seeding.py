"""The Procore half of a made-up builder, as state."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from onecore_sim import builder as made_up
from onecore_sim.procore import claims
from onecore_sim.procore.state import (
    PERSON,
    TOOLS,
    BillingPeriod,
    ChangeOrder,
    Commitment,
    CostCode,
    CostType,
    History,
    Line,
    Project,
    Requisition,
    State,
    TaxCode,
    Vendor,
    people,
)

# Claims are approved this long after their billing date, at a working hour in Sydney.
REVIEW = timedelta(days=3, hours=23)
# State of a fresh simulator counts its own ids from here, above the made-up ones.
OWN_IDS = 800_000_000


def state_of(builder: made_up.Builder, now: datetime) -> State:
    """The state of a simulator that holds this builder. Nothing in it is later than `now`."""
    state = State(company_id=builder.company_id, company_name=builder.name, next_id=OWN_IDS)
    long_ago = now - timedelta(days=400)
    state.users = people()
    state.cost_types = {
        t.id: CostType(t.id, t.code, t.name, t.base_type) for t in builder.cost_types
    }
    state.cost_codes = {c.id: CostCode(c.id, c.code, c.name) for c in builder.cost_codes}
    state.tax_codes = {
        1: TaxCode(1, "GST", "GST 10 %", Decimal(10)),
        2: TaxCode(2, "FRE", "GST free", Decimal(0)),
    }
    for party in builder.parties:
        state.vendors[party.vendor_id] = Vendor(
            party.vendor_id, party.name, long_ago, long_ago, abn=party.abn or None,
            register_id=state.new_id() if party.abn else None, email=party.email or None,
        )  # fmt: skip
    for ordinal, project in enumerate(builder.projects, 1):
        state.projects[project.id] = _project(state, project, ordinal, long_ago, now)
    state.next_id = max(state.next_id, *_ids(builder))
    return state


def _ids(builder: made_up.Builder) -> list[int]:
    """Ids the builder uses for what may be made anew later."""
    commitments = [c for p in builder.projects for c in p.commitments]
    return [
        0,
        *(p.id for p in builder.projects),
        *(v.vendor_id for v in builder.parties),
        *(c.id for c in commitments),
        *(x.id for c in commitments for x in c.lines),
        *(x.id for c in commitments for x in c.claims),
    ]


def _project(
    state: State, said: made_up.Project, ordinal: int, long_ago: datetime, now: datetime
) -> Project:
    project = Project(
        said.id, ordinal, said.number, said.name, said.state_code, said.time_zone,
        long_ago, long_ago, permitted=said.permitted, active=said.active,
        tools=dict.fromkeys(TOOLS, True),
    )  # fmt: skip
    for commitment in said.commitments:
        _commitment(state, project, commitment, long_ago, now)
    return project


def _commitment(
    state: State, project: Project, said: made_up.Commitment, long_ago: datetime, now: datetime
) -> None:
    commitment = Commitment(
        id=said.id,
        kind=said.kind,
        number=said.number,
        title=said.title,
        vendor_id=said.vendor_id,
        status=said.status,
        retainage_percent=said.retainage_percent,
        created_at=long_ago,
        updated_at=long_ago,
        max_retainage=said.max_retainage,
        contract_date=long_ago.date(),
    )
    project.commitments[commitment.id] = commitment
    for group in sorted({x.group for x in said.lines}):
        lines = [
            Line(
                x.id, x.cost_code_id, x.line_item_type_id, x.description, x.amount, position,
                long_ago, long_ago,
            )
            for position, x in enumerate((x for x in said.lines if x.group == group), 1)
        ]  # fmt: skip
        if group == 0:
            commitment.lines = lines
            continue
        order = ChangeOrder(
            state.new_id(), commitment.id, f"{group:03}", lines[0].description, "approved",
            long_ago, long_ago, lines, reviewed_at=long_ago,
        )  # fmt: skip
        project.change_orders[order.id] = order
    for claim in sorted(said.claims, key=lambda c: c.number):
        _claim(state, project, commitment, claim, now)


def _claim(
    state: State, project: Project, commitment: Commitment, said: made_up.Claim, now: datetime
) -> None:
    before = claims.chain(project, commitment.id)
    billed = datetime.combine(said.billing_date, time(1), UTC)
    settled = min(billed + REVIEW, now) if said.status != "draft" else min(billed, now)
    claim = Requisition(
        id=said.id,
        commitment_id=commitment.id,
        number=said.number,
        status=said.status,
        created_at=min(billed, now),
        updated_at=settled,
        created_by=PERSON,
        previous_id=before[-1].id if before else None,
        invoice_number=said.invoice_number,
        period_id=_period(state, project, said.period_start, said.period_end, now),
        requisition_start=said.period_start,
        requisition_end=said.period_end,
        billing_date=said.billing_date,
        submitted_at=None if said.status == "draft" else said.billing_date,
    )
    claims.add_missing_items(project, commitment, claim, state.new_id)
    by_line = {x.line_id: x for x in said.lines}
    for item in claim.items:
        if one := by_line.get(item.line_id):
            item.work, item.new_materials = one.work, one.new_materials
            item.materials_moved = one.materials_moved
            item.work_released = one.work_released
            item.materials_released = one.materials_released
    project.requisitions[claim.id] = claim
    claims.retain(project, commitment, claim)
    if said.status != "draft":
        project.histories.append(
            History(
                state.new_id(), claim.id, "status", "draft", said.status, PERSON, claim.updated_at
            )
        )


def _period(state: State, project: Project, start: date, end: date, now: datetime) -> int:
    """The id of the project's billing period of those days, made when it is not there yet."""
    for period in project.periods.values():
        if (period.start_date, period.end_date) == (start, end):
            return period.id
    begun = min(datetime.combine(start, time(), UTC), now)
    period = BillingPeriod(
        state.new_id(), start, end, end, "open", len(project.periods) + 1, begun, begun
    )
    project.periods[period.id] = period
    return period.id
