"""Our Procore client against a running Procore."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from tests.contract.remotes import ProcoreSide

from onecore.domain.documents import CostCode, Requisition
from onecore.domain.ids import CommitmentId, CompanyId, CostCodeId, ProjectId, RequisitionId
from onecore.ports import (
    AccessLost,
    HookTrigger,
    Lane,
    LimitKind,
    NotVisible,
    RemoteHook,
    Throttled,
)
from onecore.procore.client import ProcoreClient

CODES: dict[CostCodeId, CostCode] = {}
NUMBERS: dict[CommitmentId, str] = {}
WEB = "https://app.procore.com"


def first_project(procore: ProcoreSide) -> ProjectId:
    return ProjectId(int(next(iter(procore.sim.state()["projects"]))))


def procore_claims(procore: ProcoreSide, project: ProjectId) -> list[str]:
    return list(procore.sim.state()["projects"][str(project)]["requisitions"])


def new_contract(procore: ProcoreSide, *amounts: str, percent: str = "10") -> tuple[int, list[int]]:
    state = procore.sim.state()
    made = procore.sim.do(
        "new_commitment",
        project_id=int(next(iter(state["projects"]))),
        vendor_id=int(next(iter(state["vendors"]))),
        retainage_percent=percent,
        lines=[{"amount": a, "description": f"Part {n}"} for n, a in enumerate(amounts, 1)],
    )
    return made["id"], made["line_ids"]


def read_claims(procore: ProcoreSide, *ids: int) -> tuple[Requisition, ...]:
    project = first_project(procore)
    wanted = [RequisitionId(one) for one in ids]
    return procore.run(lambda c: c.requisitions(project, wanted, CODES, NUMBERS, WEB))


def test_master_data_reads_whole(procore: ProcoreSide) -> None:
    state = procore.sim.state()

    async def everything(client: ProcoreClient) -> None:
        company = await client.company()
        assert company.id == procore.company
        assert company.name == state["company_name"]
        assert company.web_base_url.startswith("http")
        projects = await client.projects()
        permitted = {int(k) for k, p in state["projects"].items() if p["permitted"]}
        assert {p.id for p in projects} == permitted
        assert all("/" in p.time_zone and p.number for p in projects)
        tools = await client.tools(projects[0].id)
        assert tools == state["projects"][str(projects[0].id)]["tools"]
        vendors = await client.vendors()
        assert {v.id for v in vendors} == {int(k) for k in state["vendors"]}
        assert {v.abn for v in vendors if v.abn} == {
            v["abn"] for v in state["vendors"].values() if v["abn"]
        }
        codes = await client.cost_codes(projects[0].id)
        assert {c.code for c in codes} == {c["code"] for c in state["cost_codes"].values()}
        types = await client.cost_types()
        assert {t.id for t in types} == {int(k) for k in state["cost_types"]}

    procore.run(everything)
    assert set(procore.calls.lanes) == {Lane.LIST}
    assert procore.calls.scopes == {str(procore.company)}


def test_an_inactive_vendor_is_known_as_such(procore: ProcoreSide) -> None:
    vendor = int(next(iter(procore.sim.state()["vendors"])))
    procore.sim.do("edit_vendor", id=vendor, is_active=False)
    vendors = {int(v.id): v for v in procore.run(lambda c: c.vendors())}
    assert vendors[vendor].active is False
    assert sum(v.active for v in vendors.values()) == len(vendors) - 1


def test_a_contract_has_its_lines_and_approved_changes(procore: ProcoreSide) -> None:
    contract, _ = new_contract(procore, "1000.00", "250.50")
    project = first_project(procore)
    change = procore.sim.do(
        "new_change_order",
        project_id=project,
        commitment_id=contract,
        lines=[{"amount": "99.50", "description": "More"}],
    )
    before = {c.id: c for c in procore.run(lambda c: c.commitments(project, True))}
    procore.sim.do("approve_change_order", project_id=project, id=change["id"])
    after = {c.id: c for c in procore.run(lambda c: c.commitments(project, True))}
    old, new = before[CommitmentId(contract)], after[CommitmentId(contract)]
    assert (old.total, new.total) == (Decimal("1250.50"), Decimal("1350.00"))
    assert [x.amount for x in old.lines] == [Decimal("1000.00"), Decimal("250.50")]
    assert [x.amount for x in new.lines] == [
        Decimal("1000.00"),
        Decimal("250.50"),
        Decimal("99.50"),
    ]
    assert new.is_live
    assert new.retainage_percent == 10
    assert all(x.cost_code and x.cost_code.code and x.cost_type for x in new.lines)
    bare = {c.id: c for c in procore.run(lambda c: c.commitments(project, False))}
    assert bare.keys() == after.keys()
    assert bare[new.id].lines == ()


def test_a_claim_reads_with_its_movements(procore: ProcoreSide) -> None:
    contract, (line, other) = new_contract(procore, "100000.00", "60000.00")
    project = first_project(procore)
    claim = procore.sim.do(
        "new_claim",
        project_id=project,
        commitment_id=contract,
        invoice_number="INV-77",
        lines=[{"line_id": line, "work": "12000.00"}, {"line_id": other, "work": "8000.40"}],
        status="approved",
    )
    (read,) = read_claims(procore, claim["id"])
    assert [(x.gross, x.retained, x.released) for x in read.lines] == [
        (Decimal("12000.00"), Decimal("1200.00"), Decimal(0)),
        (Decimal("8000.40"), Decimal("800.04"), Decimal(0)),
    ]
    assert read.current_payment_due == Decimal("18000.36")
    assert read.adds_up
    assert (read.status, read.invoice_number, read.currency) == ("approved", "INV-77", "AUD")
    assert read.commitment == contract
    assert read.url == f"{WEB}/{project}/project/contracts/requisitions/{claim['id']}"
    assert all(x.cost_code and x.cost_type for x in read.lines)
    approved = procore.run(lambda c: c.approved_at(project, RequisitionId(claim["id"])))
    assert approved is not None
    assert abs(approved - datetime.now(UTC)) < timedelta(minutes=2)


def test_cost_codes_are_the_projects_own(procore: ProcoreSide) -> None:
    contract, (line,) = new_contract(procore, "500.00")
    project = first_project(procore)
    claim = procore.sim.do(
        "new_claim",
        project_id=project,
        commitment_id=contract,
        lines=[{"line_id": line, "work": "100.00"}],
    )

    async def with_codes(client: ProcoreClient) -> Requisition:
        codes = {c.id: c for c in await client.cost_codes(project)}
        ids = [RequisitionId(claim["id"])]
        (read,) = await client.requisitions(
            project, ids, codes, {CommitmentId(contract): "SC-1"}, WEB
        )
        assert read.lines[0].cost_code in codes.values()
        return read

    assert procore.run(with_codes).commitment_number == "SC-1"


def test_the_detail_page_explains_what_items_leave_out(procore: ProcoreSide) -> None:
    procore.sim.switch(item_retainage_incomplete=True)
    contract, (line,) = new_contract(procore, "10000.00")
    project = first_project(procore)

    def claim(**line_says: str) -> int:
        made = procore.sim.do(
            "new_claim",
            project_id=project,
            commitment_id=contract,
            lines=[{"line_id": line, **line_says}],
            status="approved",
        )
        return int(made["id"])

    claim(work="6000.00")
    second = claim(work="1000.00", new_materials="500.00", work_released="300.00")
    (read,) = read_claims(procore, second)
    assert not read.adds_up
    movements = procore.run(lambda c: c.movements(project, RequisitionId(second)))
    mended = read.with_movements(movements)
    assert mended.adds_up
    assert mended.lines[0].released == Decimal("300.00")


def test_changes_are_found_by_their_instant(procore: ProcoreSide) -> None:
    project = first_project(procore)
    start = datetime.now(UTC)
    procore.sim.do("bulk_claims", project_id=project, count=2)
    procore.sim.post("/_sim/clock", {"advance_seconds": 3600})
    made = procore.sim.do("bulk_claims", project_id=project, count=3)["ids"]
    later = start + timedelta(hours=2)

    async def changed(client: ProcoreClient) -> None:
        found = await client.requisitions_changed(project, start + timedelta(minutes=30), later)
        assert sorted(h.id for h in found) == sorted(made)
        assert {(h.status, h.project) for h in found} == {("approved", project)}
        everything = await client.requisitions_changed(project, None, later)
        assert len(everything) == len(procore_claims(procore, project)) > 3
        none = await client.requisitions_changed(project, None, start - timedelta(days=4000))
        assert none == ()

    procore.run(changed)


def test_claims_of_one_contract_and_no_other(procore: ProcoreSide) -> None:
    project = first_project(procore)
    claims = procore.sim.do("bulk_claims", project_id=project, count=3)["claims"]
    wanted = CommitmentId(claims[1]["commitment_id"])
    found = procore.run(lambda c: c.requisitions_of(project, wanted))
    assert [(h.id, h.commitment) for h in found] == [(claims[1]["id"], wanted)]


def test_a_hundred_claims_cost_eight_calls_at_most(procore: ProcoreSide) -> None:
    project = first_project(procore)
    procore.sim.post("/_sim/clock", {"advance_seconds": 3600})
    since = datetime.now(UTC) + timedelta(minutes=30)
    made = procore.sim.do("bulk_claims", project_id=project, count=100)["ids"]
    procore.calls.told.clear()

    async def found_and_read(client: ProcoreClient) -> tuple[Requisition, ...]:
        heads = await client.requisitions_changed(project, since, since + timedelta(hours=1))
        codes = {c.id: c for c in await client.cost_codes(project)}
        numbers = {c.id: c.number for c in await client.commitments(project, False)}
        return await client.requisitions(project, [h.id for h in heads], codes, numbers, WEB)

    claims = procore.run(found_and_read)
    assert sorted(c.id for c in claims) == sorted(made)
    assert all(c.adds_up and c.commitment_number for c in claims)
    operations = [operation for operation, _, _ in procore.calls.told]
    assert len(operations) <= 8
    assert operations.count("requisitions") == 1


@pytest.mark.parametrize("cap", [7, 30, 100])
def test_a_list_is_whole_whatever_the_page_size(procore: ProcoreSide, cap: int) -> None:
    project = first_project(procore)
    procore.sim.switch(per_page_cap=cap)
    made = procore.sim.do("bulk_claims", project_id=project, count=61)["ids"]
    claims = read_claims(procore, *made)
    assert sorted(c.id for c in claims) == sorted(made)
    assert len(claims) == len(set(made))
    assert len(procore.run(lambda c: c.cost_codes(project))) == len(
        procore.sim.state()["cost_codes"]
    )


def test_claims_not_seen_are_left_out(procore: ProcoreSide) -> None:
    project = first_project(procore)
    (made,) = procore.sim.do("bulk_claims", project_id=project, count=1)["ids"]
    assert [c.id for c in read_claims(procore, made, 4_000_000_000)] == [made]
    assert read_claims(procore) == ()


def test_a_hidden_project_is_not_visible_and_never_empty(procore: ProcoreSide) -> None:
    project = first_project(procore)
    procore.sim.do("set_project", project_id=project, permitted=False)
    for status in (404, 403):
        procore.sim.switch(hidden_project_status=status)
        with pytest.raises(NotVisible) as caught:
            procore.run(lambda c: c.cost_codes(project))
        assert caught.value.status == status


def test_an_app_taken_out_is_access_lost(procore: ProcoreSide) -> None:
    procore.sim.do("revoke_app")
    with pytest.raises(AccessLost):
        procore.run(lambda c: c.projects())


def test_a_wrong_company_is_told(procore: ProcoreSide) -> None:
    async def ask() -> None:
        async with procore.client(CompanyId(1)) as client:
            await client.projects()

    with pytest.raises((AccessLost, NotVisible)):
        asyncio.run(ask())


def test_a_dead_token_is_renewed_once_and_the_call_replayed(procore: ProcoreSide) -> None:
    async def twice(client: ProcoreClient) -> None:
        await client.projects()
        await asyncio.to_thread(procore.sim.do, "expire_tokens")
        assert await client.projects()

    procore.run(twice)
    assert procore.tokens.renewals == 1
    assert [status for _, status, _ in procore.calls.told] == [200, 401, 200]


def test_a_spike_is_told_with_its_wait(procore: ProcoreSide) -> None:
    procore.sim.switch(rate_spike=1)

    async def twice(client: ProcoreClient) -> None:
        await client.projects()
        await client.projects()

    with pytest.raises(Throttled) as caught:
        procore.run(twice)
    assert caught.value.kind is LimitKind.SPIKE
    assert timedelta(0) < caught.value.wait <= timedelta(seconds=12)
    limits = procore.calls.told[0][2]
    assert limits["limit"] == 1
    assert limits["remaining"] == 0
    assert limits["reset"] > 1_700_000_000


def test_lanes_of_a_view(procore: ProcoreSide) -> None:
    procore.run(lambda c: c.in_lane(Lane.PERSON).projects())
    assert procore.calls.lanes == [Lane.PERSON]
    read_claims(procore, 1)
    assert procore.calls.lanes[-1] is Lane.DOCUMENT


def test_hooks_are_made_told_and_ended(procore: ProcoreSide) -> None:
    project = first_project(procore)

    async def manage(client: ProcoreClient) -> None:
        hooks = client.webhooks
        names = {r.name for r in await hooks.resources(project)}
        assert "Work Order Contracts" in names
        assert "Requisitions" not in names
        url = "https://one.example/webhooks/procore/7"
        made = await hooks.create(project, url, "long-random", "onecore-7")
        (found,) = await hooks.hooks(project, "onecore-7")
        assert found == RemoteHook(made, url, True, "Bearer long-random")
        assert "long-random" not in repr(found)
        wanted = [HookTrigger("Work Order Contracts", a) for a in ("create", "update", "delete")]
        assert await hooks.tell(project, made, wanted)
        assert not await hooks.tell(project, made, [HookTrigger("No Such Thing", "update")])
        there = await hooks.triggers(project, made)
        assert set(there) == set(wanted)
        await hooks.untell(project, made, [there[0].id, "404"])
        assert await hooks.triggers(project, made) == there[1:]
        await hooks.mend(project, made, url + "8", "another")
        assert await hooks.hooks(project) == (RemoteHook(made, url + "8", True, "Bearer another"),)
        assert await hooks.hooks(None, "onecore-7") == ()
        assert await hooks.hooks(project, "somebody-else") == ()
        await hooks.delete(project, made)
        assert await hooks.hooks(project, "onecore-7") == ()
        for gone in (hooks.delete(project, made), hooks.mend(project, made, url, "x")):
            with pytest.raises(NotVisible):
                await gone

    procore.run(manage)


def test_a_wrong_secret_is_access_lost(procore: ProcoreSide) -> None:
    with pytest.raises(AccessLost) as caught:
        asyncio.run(procore.token_set("wrong-secret"))
    assert "invalid_client" in str(caught.value)
    assert "wrong-secret" not in str(caught.value)


def test_tokens_last_as_long_as_they_say(procore: ProcoreSide) -> None:
    got = asyncio.run(procore.token_set())
    assert got.refresh is None
    left = got.expires_at - datetime.now(UTC)
    assert timedelta(minutes=85) < left <= timedelta(minutes=90)
    assert got.access not in repr(got)
