"""Two workspaces on one Xero organisation: one writer, and no claim is two bills."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from onecore.app import HttpRemotes
from onecore.domain.ids import CompanyId, WorkspaceId
from onecore.domain.refs import Flow
from onecore.engine.service import Service
from onecore.engine.use import attending, configuring, connecting, syncing, workspaces
from onecore.ports import CallLog, ProcorePort, Tokens
from onecore.procore.client import ProcoreClient
from onecore.store import hints
from onecore.store.models import Document, Hint, Intent, Link
from tests.desk import PROJECT, Desk
from tests.engine.fifty import LONGER_THAN_DOUBT, approve, documents_in, marks, writes
from tests.simulators import Simulator
from tests.worker_process import another


def second_workspace(desk: Desk, company: int) -> WorkspaceId:
    """Another workspace with the first one's settings, joined to its organisation."""
    service = desk.service
    other = workspaces.add(service, "Second", "test")
    service.run(connecting.connect_procore(service, other, company, "test"))
    custom = "sim-xero-custom", "sim-xero-custom-secret"
    service.run(connecting.connect_xero_custom(service, other, *custom, "test"))
    text = configuring.export(desk.workspace)
    configuring.import_text(service, other, text, "test")
    return other


def sync(desk: Desk, workspace: WorkspaceId, seconds: float = 30) -> syncing.Synced:
    limit = timedelta(seconds=seconds)
    return desk.service.run(syncing.sync(desk.service, workspace, until_idle=True, timeout=limit))


def states(workspace: WorkspaceId) -> Counter[str]:
    rows = Document.objects.filter(workspace_id=workspace)
    return Counter(rows.values_list("state", flat=True))


@pytest.fixture
def shared(desk: Desk) -> tuple[Desk, WorkspaceId]:
    return desk, second_workspace(desk, desk.company)


def test_a_claim_of_two_workspaces_is_the_bill_of_the_one_that_made_it(
    shared: tuple[Desk, WorkspaceId],
) -> None:
    desk, other = shared
    refs = approve(desk, 5)
    desk.sync()
    result = sync(desk, other)
    assert result.troubles == ()
    assert marks(desk) == Counter(map(str, refs))
    assert states(desk.workspace) + states(other) == Counter(in_step=5, held=5)
    holder = Document.objects.filter(state="in_step").values_list("workspace_id").distinct().get()
    left_out = other if holder[0] == desk.workspace else desk.workspace
    (group,) = attending.groups(desk.service, left_out)
    assert (group.cause, group.subject, len(group.items)) == (
        "claimed_elsewhere",
        str(holder[0]),
        5,
    )
    assert workspaces.show(WorkspaceId(holder[0])).name in group.items[0].detail
    assert not Intent.objects.exists()
    assert set(Hint.objects.values_list("attempts", flat=True)) == {0}  # none goes round and round


def test_nor_is_it_made_by_the_other_while_the_first_is_in_doubt(
    shared: tuple[Desk, WorkspaceId],
) -> None:
    """A process died with the bills on their way, for all one can know: the intent keeps both."""
    desk, other = shared
    refs = approve(desk, 2)
    another(desk, crash="call.xero.bills.create.before:1").dies()
    for workspace in (desk.workspace, other):
        hints.say(workspace, desk.organisation, Flow.BILL, refs, desk.clock.now())
        sync(desk, workspace, seconds=2)
    assert writes(desk) == []
    desk.clock.offset = LONGER_THAN_DOUBT
    desk.sync()
    sync(desk, other)
    assert marks(desk) == Counter(map(str, refs))
    assert [documents_in(row) for row in writes(desk)] == [2]


def test_who_is_held_goes_on_when_the_other_let_the_claim_go(
    shared: tuple[Desk, WorkspaceId],
) -> None:
    desk, other = shared
    (ref,) = approve(desk, 1)
    desk.sync()
    sync(desk, other)
    link = Link.objects.get(withdrawn=False)
    held_by = WorkspaceId(link.document.workspace_id)
    waiting = other if held_by == desk.workspace else desk.workspace
    desk.xero.do("void", invoice_id=str(link.target_id))
    Document.objects.filter(workspace_id=held_by).delete()
    desk.clock.offset = LONGER_THAN_DOUBT * 40  # held for something that may be mended elsewhere
    sync(desk, waiting)
    assert "claimed_elsewhere" not in {g.cause for g in attending.groups(desk.service, waiting)}
    assert ref.project == PROJECT


class TwoBuilders(HttpRemotes):
    """Each company of Procore at an address of its own, as two simulators serve them."""

    addresses: dict[int, str]

    def procore(
        self, company: CompanyId, tokens: Tokens, calls: CallLog, scope: str
    ) -> ProcorePort:
        client = super().procore(company, tokens, calls, scope)
        assert isinstance(client, ProcoreClient)
        client._transport._base = self.addresses[int(company)]
        return client

    def sign_in_at(self, url: str) -> None:
        """Where tokens are asked for from now on."""
        self._settings = replace(self._settings, procore_login_url=url)


def test_two_builders_work_side_by_side_in_one_organisation(desk: Desk) -> None:
    """Neither waits for the other's claims, and the organisation has one writer."""
    with_another = Simulator("procore", "1")
    try:
        with_another.reset("1", seed=2)
        state = with_another.state()
        state["company_id"] = 9002
        with_another.put_state(state)
        remotes = TwoBuilders(desk.service.settings, desk.clock)
        remotes.addresses = {desk.company: desk.procore.url, 9002: with_another.url}
        service = Service(desk.service.settings, remotes, desk.service.vault, desk.clock)
        desk.service.close()
        desk.service = service
        remotes.sign_in_at(with_another.url)
        other = second_workspace(desk, 9002)
        refs = approve(desk, 5)
        project = next(iter(state["projects"].values()))["id"]
        made = with_another.do("bulk_claims", project_id=project, count=5)
        desk.sync()
        sync(desk, other)
        held = {g.cause for g in attending.groups(service, other)}
        assert held <= {"vendor_unmapped", "tracking_option_missing"}  # its own vendors and sites
        assert "claimed_elsewhere" not in held
        assert marks(desk) == Counter(map(str, refs))
        theirs = Document.objects.filter(workspace_id=other).values_list("ref", flat=True)
        assert {f"requisition:{project}/{id_}" for id_ in made["ids"]} <= set(theirs)
        turn = service.run(service.organisations.turn(desk.organisation))
        assert set(turn.workspaces) == {desk.workspace, other}
        assert turn.troubles == []
    finally:
        with_another.stop()
