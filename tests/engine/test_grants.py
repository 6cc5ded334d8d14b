"""Access: renewed once whoever asks, healed after a lost reply, and lost for one alone."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import httpx2
import pytest

from onecore.engine import config
from onecore.engine.grants import GrantTokens, given_up, new_grant
from onecore.engine.remotes import NewTokens
from onecore.engine.use import configuring, connecting, workspaces
from onecore.engine.use.errors import NeedsPerson
from onecore.ports import AccessLost, NotReached, Remote, Token
from onecore.store.models import Document, Grant, Hint, WorkspaceOrganisation
from tests.desk import PROJECT, Desk
from tests.engine.fifty import approve, each_once, forget_requests, marks, warmed
from tests.simulators import Simulator
from tests.worker_process import another

HALF_AN_HOUR = timedelta(minutes=31)


def tokens_asked_for(simulator: Simulator) -> int:
    return len([row for row in simulator.requests("token") if row["method"] == "POST"])


def grant_of(desk: Desk, remote: Remote) -> Grant:
    return Grant.objects.get(workspace_id=desk.workspace, remote=remote.value)


def others(desk: Desk, grant: Grant, count: int = 8) -> list[GrantTokens]:
    """That grant as so many processes would hold it, each with a lock of its own."""
    service = desk.service
    return [
        GrantTokens(grant.pk, service.remotes, service.vault, service.clock) for _ in range(count)
    ]


def by_consent(desk: Desk, keep_custom: bool = False) -> Grant:
    """The organisation reached by a person's consent, whose tokens rotate."""
    told = desk.xero.do("token", tenant_ids=[str(desk.organisation)])
    at = desk.clock.now()
    fresh = NewTokens(
        told["access_token"], told["refresh_token"], at + timedelta(minutes=30), told["scope"]
    )
    pk = new_grant(
        desk.workspace, Remote.XERO, "authorization_code", "sim-xero-client", "sim-xero-secret",
        fresh, desk.service.vault, at,
    )  # fmt: skip
    WorkspaceOrganisation.objects.update(grant_id=pk, custom=False)
    if not keep_custom:
        Grant.objects.filter(kind="client_credentials", remote="xero").delete()
    return Grant.objects.get(pk=pk)


# --- one renewal ------------------------------------------------------------------------------


@pytest.mark.parametrize("remote", list(Remote))
def test_eight_that_meet_an_old_token_at_once_renew_it_once(desk: Desk, remote: Remote) -> None:
    grant = grant_of(desk, remote)
    Grant.objects.filter(pk=grant.pk).update(access_expires_at=desk.clock.now())
    forget_requests(desk)

    async def all_at_once() -> list[Token]:
        return await asyncio.gather(*(tokens.current() for tokens in others(desk, grant)))

    got = desk.service.run(all_at_once())
    assert len({token.value for token in got}) == 1
    assert {token.version for token in got} == {grant.version + 1}
    simulator = desk.procore if remote is Remote.PROCORE else desk.xero
    assert tokens_asked_for(simulator) == 1


def test_eight_that_are_refused_with_one_token_renew_it_once(desk: Desk) -> None:
    grant = by_consent(desk)
    forget_requests(desk)

    async def all_at_once() -> list[Token]:
        clients = others(desk, grant)
        stale = await clients[0].current()
        return await asyncio.gather(*(tokens.renew(stale) for tokens in clients))

    assert len({token.value for token in desk.service.run(all_at_once())}) == 1
    assert tokens_asked_for(desk.xero) == 1
    row = Grant.objects.get(pk=grant.pk)
    assert row.version == grant.version + 1
    assert row.renewing_until is None


def test_three_processes_with_dead_tokens_renew_each_once_and_post_each_once(desk: Desk) -> None:
    refs = approve(desk, 10)
    desk.procore.do("expire_tokens")
    desk.xero.advance(HALF_AN_HOUR)
    forget_requests(desk)
    workers = [another(desk), another(desk)]
    desk.sync()
    for worker in workers:
        assert worker.end()["troubles"] == []
    each_once(desk, refs)
    assert tokens_asked_for(desk.procore) == 1
    assert tokens_asked_for(desk.xero) == 1


@pytest.mark.parametrize("remote", list(Remote))
def test_a_token_that_another_renewed_and_that_is_dead_too_is_no_lost_access(
    desk: Desk, remote: Remote
) -> None:
    """One process was idle while another renewed; then every token was taken back at once."""
    first = warmed(desk)
    grant = grant_of(desk, remote)
    idle, busy = others(desk, grant)[:2]
    held = desk.service.run(idle.current())
    desk.service.run(busy.renew(held))
    simulator = desk.procore if remote is Remote.PROCORE else desk.xero
    simulator.named_fault("token_expired", "any")
    refs = approve(desk, 2)
    assert desk.sync().troubles == ()
    each_once(desk, [first, *refs])
    assert not Grant.objects.exclude(broken="").exists()


def test_a_token_refused_in_the_middle_of_a_write_costs_nothing(desk: Desk) -> None:
    first = warmed(desk)
    refs = approve(desk, 10)
    expired = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
    desk.xero.fault("status", "/Invoices", "PUT", status=401, headers=expired)
    assert desk.sync().troubles == ()
    each_once(desk, [first, *refs])


# --- lost replies -----------------------------------------------------------------------------


def test_a_lost_reply_to_a_renewal_is_healed_by_the_old_token(desk: Desk) -> None:
    grant = by_consent(desk)
    refs = approve(desk, 3)
    desk.xero.advance(HALF_AN_HOUR)
    forget_requests(desk)
    desk.xero.fault("lost", "/connect/token", "POST")
    result = desk.sync(timeout=20)
    assert result.troubles == ()
    each_once(desk, refs)
    assert tokens_asked_for(desk.xero) == 2
    row = Grant.objects.get(pk=grant.pk)
    assert row.broken == ""
    assert row.version == grant.version + 1


def test_after_the_grace_a_lost_reply_needs_the_person(desk: Desk) -> None:
    by_consent(desk)
    desk.xero.advance(HALF_AN_HOUR)
    desk.xero.fault("lost", "/connect/token", "POST")
    desk.sync(timeout=1)
    desk.xero.advance(HALF_AN_HOUR)
    desk.clock.offset = timedelta(hours=1)
    result = desk.sync(timeout=1)
    assert any("onecore connect xero -w 'Test'" in text for text in result.troubles)


def test_no_new_token_for_now_means_that_nothing_left(desk: Desk) -> None:
    """A token endpoint that does not answer leaves no write in doubt."""
    first = warmed(desk)
    refs = approve(desk, 3)
    desk.xero.advance(HALF_AN_HOUR)
    desk.xero.fault("status", "/connect/token", "POST", status=500, times=0)
    result = desk.sync(timeout=1)
    assert desk.intents() == 0
    assert not result.idle
    tokens = others(desk, grant_of(desk, Remote.XERO), 1)[0]
    Grant.objects.update(access_expires_at=desk.clock.now())
    with pytest.raises(NotReached):
        desk.service.run(tokens.current())
    desk.xero.no_faults()
    desk.clock.offset = timedelta(minutes=1)
    assert desk.sync().idle
    each_once(desk, [first, *refs])


# --- access lost ------------------------------------------------------------------------------


@pytest.fixture
def neighbour(desk: Desk) -> Desk:
    """Another workspace on the same company, with an organisation of its own."""
    xero = desk.xero
    tenant = xero.do("new_organisation", name="Neighbour Pty Ltd")["tenant_id"]
    xero.do("new_app", client_id="next-door", secret="next-door-secret", tenant_id=tenant)
    for vendor in desk.procore.state()["vendors"].values():
        xero.do("new_contact", tenant_id=tenant, name=vendor["name"], tax_number=vendor["abn"])
    xero.do("new_account", tenant_id=tenant, code="820R", name="Retention", type="CURRLIAB")
    other = copy(desk)
    other.workspace = workspaces.add(desk.service, "Next door", "test")
    run, service = desk.service.run, desk.service
    run(connecting.connect_procore(service, other.workspace, desk.company, "test"))
    run(
        connecting.connect_xero_custom(
            service, other.workspace, "next-door", "next-door-secret", "test"
        )
    )
    other.map_all(tracking__project=None)
    return other


LOSSES: dict[str, tuple[str, dict[str, Any], str]] = {
    "revoked": ("revoke", {"client_id": "sim-xero-custom"}, "lets OneCore in no more"),
    "disconnected": ("disconnect", {"client_id": "sim-xero-custom"}, "connection was removed"),
    "scope": (
        "grant_scopes",
        {"client_id": "sim-xero-custom", "scopes": ["accounting.settings", "accounting.contacts"]},
        "did not grant",
    ),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_lost_access_stops_that_workspace_alone_and_says_how_to_mend_it(
    desk: Desk, neighbour: Desk, loss: str
) -> None:
    action, said, words = LOSSES[loss]
    ref = desk.claim("1000.00")
    desk.xero.do(action, **said)
    for _ in range(2):  # it goes on saying so
        result = desk.sync(timeout=5)
        (trouble,) = result.troubles
        assert words in trouble
        assert "onecore connect xero -w 'Test' --client-id sim-xero-custom" in trouble
    assert desk.intents() == 0
    assert grant_of(desk, Remote.XERO).broken == trouble
    shown = workspaces.show(desk.workspace).connections
    assert [one.broken for one in shown if one.remote == "xero"] == [trouble]
    # next door nothing is heard of it
    assert neighbour.sync().troubles == ()
    rows = Document.objects.filter(workspace_id=neighbour.workspace)
    assert list(rows.values_list("ref", "state")) == [(str(ref), "in_step")]
    # and where it was lost, nothing was: connected again, it goes on
    forget_requests(desk)
    desk.xero.do("grant_scopes", client_id="sim-xero-custom", scopes=SCOPES)
    desk.xero.do("revoke", client_id="sim-xero-custom")
    desk.xero.do("token", client_id="sim-xero-custom")  # its user approves it again
    desk.connect()
    assert desk.sync().troubles == ()
    assert desk.state_of(ref) == "in_step"


SCOPES = [
    "accounting.invoices", "accounting.contacts", "accounting.settings",
    "accounting.payments.read", "accounting.attachments",
]  # fmt: skip


def test_procores_lost_access_voids_nothing_and_names_the_cure(desk: Desk) -> None:
    ref = warmed(desk)
    late = approve(desk, 2)
    desk.procore.do("revoke_app")
    (trouble,) = desk.sync(timeout=5).troubles
    assert "onecore connect procore -w 'Test' --company-id" in trouble
    assert desk.state_of(ref) == "in_step"
    assert len(desk.bills()) == 1
    desk.procore.do("revoke_app", connected=True)
    desk.connect()
    assert desk.sync().troubles == ()
    each_once(desk, [ref, *late])


def test_a_refusal_of_an_old_token_does_not_break_a_new_connection(desk: Desk) -> None:
    """Somebody connected again while a renewal with the old secret was on its way."""
    grant = grant_of(desk, Remote.XERO)
    desk.connect()
    lost = AccessLost(Remote.XERO, "token", "invalid_client")
    given_up(grant.pk, lost, grant.version)
    assert grant_of(desk, Remote.XERO).broken == ""
    given_up(grant.pk, lost)
    assert "invalid_client" in grant_of(desk, Remote.XERO).broken


def test_what_waits_for_access_keeps_its_place(desk: Desk) -> None:
    refs = approve(desk, 3)
    desk.xero.do("revoke", client_id="sim-xero-custom")
    desk.sync(timeout=2)
    desk.sync(*refs, timeout=2)
    assert Hint.objects.count() == 3
    desk.xero.do("token", client_id="sim-xero-custom")
    desk.connect()
    desk.sync()
    each_once(desk, refs)


# --- by a person's consent ---------------------------------------------------------------------


def allow(desk: Desk, organisation: str, tenant: str = "") -> list[str]:
    """Begin at OneCore, allow it on Xero's own page, come back; the organisations joined."""
    service = desk.service
    wanted = UUID(tenant) if tenant else None
    consent = connecting.begin_xero(service, desk.workspace, "test", wanted)
    asked = dict(parse_qsl(urlsplit(consent.url).query))
    said = {**asked, "decision": "allow", "tenant_id": organisation}
    page = consent.url.partition("?")[0]
    back = httpx2.post(page, data=said, follow_redirects=False, trust_env=False)
    told = dict(parse_qsl(urlsplit(back.headers["location"]).query))
    return service.run(connecting.finish_xero(service, told["state"], told["code"]))[1]


def second_organisation(desk: Desk) -> str:
    made: str = desk.xero.do("new_organisation", name="Second Pty Ltd")["tenant_id"]
    return made


def joined(desk: Desk) -> dict[str, str]:
    """The workspace's organisations, with why one cannot be reached."""
    return {one.id: one.broken for one in workspaces.show(desk.workspace).connections
            if one.remote == "xero"}  # fmt: skip


def test_a_consent_that_was_revoked_is_given_again_and_all_goes_on(bare_desk: Desk) -> None:
    desk = bare_desk
    first = next(iter(desk.xero.state()["organisations"]))
    desk.service.run(connecting.connect_procore(desk.service, desk.workspace, desk.company, "test"))
    assert len(allow(desk, first)) == 1
    desk.map_all()
    before = desk.claim("1000.00")
    desk.sync()
    refs = approve(desk, 2)
    desk.xero.do("revoke", client_id="sim-xero-client")
    desk.xero.advance(HALF_AN_HOUR)
    (trouble,) = desk.sync(timeout=5).troubles
    assert trouble.endswith("Run: onecore connect xero -w 'Test'")
    allow(desk, first)
    assert joined(desk) == {first: ""}
    assert Grant.objects.filter(remote="xero").count() == 1
    assert desk.sync().troubles == ()
    each_once(desk, [before, *refs])


def test_an_organisation_that_is_left_in_xero_stops_alone(desk: Desk) -> None:
    """One consent, two organisations: removing OneCore from one says so and keeps the other."""
    first, second = str(desk.organisation), second_organisation(desk)
    allow(desk, first)
    allow(desk, second)
    assert joined(desk) == {first: "", second: ""}
    assert Grant.objects.filter(remote="xero").count() == 1  # the custom one serves nothing now
    refs = approve(desk, 2)
    for status in ("403", "401"):
        desk.xero.switch(missing_tenant_status=status)
        desk.xero.do("disconnect", client_id="sim-xero-client", tenant_id=second)
        desk.clock.offset += timedelta(minutes=3)
        troubles = desk.sync(timeout=10).troubles
        assert [text for text in troubles if "Second Pty Ltd was disconnected" in text]
        assert joined(desk)[first] == ""
        assert "Run: onecore connect xero -w 'Test'" in joined(desk)[second]
        assert Grant.objects.get(remote="xero").broken == ""
        allow(desk, second)
        assert joined(desk) == {first: "", second: ""}
    each_once(desk, refs)


def test_two_workspaces_on_one_organisation_lose_access_one_by_one(desk: Desk) -> None:
    """Each carries a project of its own to the same organisation, by a grant of its own."""
    tenant = str(desk.organisation)
    desk.xero.do("new_app", client_id="theirs", secret="theirs-secret", tenant_id=tenant)
    theirs = desk.procore.do("new_project", name="Theirs", permitted=True)["id"]
    other = copy(desk)
    other.workspace = workspaces.add(desk.service, "Theirs", "test")
    run, service = desk.service.run, desk.service
    run(connecting.connect_procore(service, other.workspace, desk.company, "test"))

    def connect_theirs() -> None:
        said = ("theirs", "theirs-secret", "test")
        run(connecting.connect_xero_custom(service, other.workspace, *said))

    connect_theirs()
    other.map_all(tracking__project=None, projects=[without_bills(PROJECT)])
    desk.set(projects=[*projects_of(desk), without_bills(theirs)])
    refs = [*approve(desk, 1), *approve(desk, 1, theirs)]
    assert desk.sync().troubles == other.sync().troubles == ()
    assert marks(desk) == Counter(str(ref) for ref in refs)
    desk.xero.do("revoke", client_id="theirs")
    refs += [*approve(desk, 1), *approve(desk, 1, theirs)]
    assert desk.sync().troubles == ()
    (trouble,) = other.sync(timeout=5).troubles
    assert "onecore connect xero -w 'Theirs' --client-id theirs" in trouble
    assert marks(desk) == Counter(str(ref) for ref in refs[:3])
    desk.xero.do("token", client_id="theirs")  # its user approves it again
    connect_theirs()
    desk.xero.do("revoke", client_id="sim-xero-custom")
    refs += [*approve(desk, 1), *approve(desk, 1, theirs)]
    assert other.sync().troubles == ()
    assert "--client-id sim-xero-custom" in desk.sync(timeout=5).troubles[0]
    assert marks(desk) == Counter(str(ref) for ref in refs if ref != refs[4])


def projects_of(desk: Desk) -> list[dict[str, Any]]:
    text = configuring.export(desk.workspace)
    rows: list[dict[str, Any]] = config.read(text).raw.get("projects", [])  # type: ignore[assignment]
    return rows


def without_bills(project: int) -> dict[str, Any]:
    return {"project_id": project, "overrides": {"flows": {"bill": {"mode": "off"}}}}


def test_another_persons_consent_leaves_what_the_first_allowed(desk: Desk) -> None:
    """The second person reaches another organisation only; each keeps a token set of its own."""
    first, second = str(desk.organisation), second_organisation(desk)
    allow(desk, first)
    with state_of(desk) as xero:  # whoever comes next is somebody else
        for one in (*xero["grants"].values(), *xero["connections"].values()):
            if one["client_id"] == "sim-xero-client":
                one["user"] = "somebody else"
    allow(desk, second)
    assert joined(desk) == {first: "", second: ""}
    assert Grant.objects.filter(remote="xero").count() == 2
    desk.clock.offset += timedelta(minutes=3)
    refs = approve(desk, 2)
    assert desk.sync().troubles == ()
    each_once(desk, refs)


@contextmanager
def state_of(desk: Desk) -> Iterator[dict[str, Any]]:
    state = desk.xero.state()
    yield state
    desk.xero.put_state(state)


def test_what_the_same_person_allowed_another_customer_is_not_joined(desk: Desk) -> None:
    first, second = str(desk.organisation), second_organisation(desk)
    other = copy(desk)
    other.workspace = workspaces.add(desk.service, "Another customer", "test")
    allow(other, second)
    assert allow(desk, first) == [desk.xero.state()["organisations"][first]["name"]]
    assert joined(desk) == {first: ""}
    assert joined(other) == {second: ""}
    allow(desk, second, tenant=second)
    assert joined(desk) == {first: "", second: ""}


def test_a_consent_that_reaches_nothing_changes_nothing(desk: Desk) -> None:
    before = list(Grant.objects.order_by("pk").values())
    with pytest.raises(NeedsPerson, match="Nothing was changed"):
        allow(desk, str(desk.organisation), tenant=second_organisation(desk))
    assert list(Grant.objects.order_by("pk").values()) == before


def test_a_company_that_is_not_visible_changes_nothing(desk: Desk) -> None:
    before = list(Grant.objects.order_by("pk").values())
    connect = connecting.connect_procore(desk.service, desk.workspace, 123456, "test")
    with pytest.raises(NeedsPerson, match="Nothing was changed"):
        desk.service.run(connect)
    assert list(Grant.objects.order_by("pk").values()) == before
    assert workspaces.show(desk.workspace).company_id == desk.company
    ref = desk.claim("10.00")
    desk.sync()
    assert desk.state_of(ref) == "in_step"
