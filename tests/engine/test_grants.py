"""Access: renewed once whoever asks, healed after a lost reply, and lost for one alone."""

import asyncio
from copy import copy
from datetime import timedelta
from typing import Any

import pytest

from onecore.engine.grants import GrantTokens, given_up, new_grant
from onecore.engine.remotes import NewTokens
from onecore.engine.use import connecting, workspaces
from onecore.ports import AccessLost, NotReached, Remote, Token
from onecore.store.models import Document, Grant, Hint, WorkspaceOrganisation
from tests.desk import Desk
from tests.engine.fifty import approve, each_once, forget_requests, warmed
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


def by_consent(desk: Desk) -> Grant:
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
