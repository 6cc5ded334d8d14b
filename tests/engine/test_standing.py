"""How connections and webhooks stand: kept alive while nobody uses them, told before they end."""

from copy import copy
from datetime import timedelta
from uuid import UUID

import pytest

from onecore.engine import hooks
from onecore.engine.keeping import keep_alive
from onecore.engine.use import disconnecting, inspecting, standing, workspaces
from onecore.engine.use.doctoring import Check
from onecore.engine.use.errors import NotFound
from onecore.ports import Remote
from onecore.store.models import Grant, Hook, Organisation
from tests.desk import PROJECT, Desk
from tests.engine.fifty import approve, each_once, forget_requests
from tests.engine.test_grants import (
    allow,
    by_consent,
    grant_of,
    second_organisation,
    tokens_asked_for,
)
from tests.engine.test_hooks import tend, there

A_WEEK = timedelta(days=7, minutes=1)


def keep(desk: Desk) -> int:
    return desk.service.run(keep_alive(desk.service.contexts))


def pass_time(desk: Desk, by: timedelta) -> None:
    desk.clock.offset += by
    desk.xero.advance(by)
    desk.procore.advance(by)


def doctor(desk: Desk) -> dict[str, Check]:
    return {check.name: check for check in inspecting.database(desk.service, 15)}


def codes(desk: Desk) -> list[str]:
    seen = standing.connections(desk.service, desk.workspace)
    return [told.code for _, told in standing.soon(seen)]


# --- kept alive --------------------------------------------------------------------------------


def test_a_paused_workspaces_consent_outlives_sixty_idle_days(desk: Desk) -> None:
    by_consent(desk)
    workspaces.set_paused(desk.service, desk.workspace, True, "test")
    refs = approve(desk, 2)
    for _ in range(11):
        pass_time(desk, A_WEEK)
        assert keep(desk) == 2
        assert keep(desk) == 0
    assert codes(desk) == []
    workspaces.set_paused(desk.service, desk.workspace, False, "test")
    assert desk.sync().troubles == ()
    each_once(desk, refs)


def test_without_it_the_end_is_foretold_and_comes(desk: Desk) -> None:
    by_consent(desk)
    workspaces.set_paused(desk.service, desk.workspace, True, "test")
    pass_time(desk, timedelta(days=20))
    assert codes(desk) == ["unused"]
    check = doctor(desk)["workspace Test"]
    assert not check.ok
    assert "forgets the consent" in check.detail
    assert "onecore worker" in check.next_step
    pass_time(desk, timedelta(days=41))
    keep(desk)
    broken = grant_of(desk, Remote.XERO).broken
    assert "Run: onecore connect xero -w 'Test'" in broken
    assert codes(desk) == []
    assert not doctor(desk)["workspace Test"].ok


def test_what_was_withdrawn_is_found_although_nobody_uses_it(desk: Desk) -> None:
    workspaces.set_paused(desk.service, desk.workspace, True, "test")
    desk.xero.do("revoke", client_id="sim-xero-custom")
    pass_time(desk, A_WEEK)
    keep(desk)
    (one,) = standing.needing(standing.connections(desk.service, desk.workspace))
    assert one.is_broken
    assert "--client-id sim-xero-custom" in one.text


def test_an_organisation_left_in_xero_is_found_although_nobody_uses_it(desk: Desk) -> None:
    first, second = str(desk.organisation), second_organisation(desk)
    allow(desk, first)
    allow(desk, second)
    workspaces.set_paused(desk.service, desk.workspace, True, "test")
    desk.xero.do("disconnect", client_id="sim-xero-client", tenant_id=second)
    pass_time(desk, A_WEEK)
    keep(desk)
    broken = {c.id: c.broken for c in workspaces.show(desk.workspace).connections}
    assert "Second Pty Ltd was disconnected" in broken[second]
    assert broken[first] == ""


def test_a_remote_that_does_not_answer_breaks_nothing(desk: Desk) -> None:
    pass_time(desk, A_WEEK)
    desk.xero.fault("status", "/connect/token", "POST", status=500, times=0)
    desk.procore.fault("drop", "/oauth/token", "POST", times=0)
    assert keep(desk) == 2
    assert not Grant.objects.exclude(broken="").exists()
    desk.xero.no_faults()
    desk.procore.no_faults()
    forget_requests(desk)
    assert keep(desk) == 2
    assert tokens_asked_for(desk.xero) == tokens_asked_for(desk.procore) == 1


# --- how it is told ----------------------------------------------------------------------------


def test_a_healthy_workspace_has_nothing_to_mend(desk: Desk) -> None:
    desk.sync()
    assert doctor(desk)["workspace Test"].ok
    assert standing.needing(standing.connections(desk.service, desk.workspace)) == []


def test_scopes_that_lack_are_named(desk: Desk) -> None:
    Grant.objects.filter(remote="xero").update(scopes="accounting.contacts accounting.settings")
    assert codes(desk) == ["scopes_lacking"]
    assert "accounting.invoices" in doctor(desk)["workspace Test"].detail


def test_the_doctor_tells_of_webhooks(desk: Desk) -> None:
    name = "webhooks of Test"
    assert doctor(desk)[name].detail == "Procore: none yet; Xero: not heard yet"
    tend(desk)
    Organisation.objects.update(rung_at=desk.clock.now())
    Hook.objects.update(rung_at=desk.clock.now())
    told = doctor(desk)[name]
    assert told.ok
    assert "Procore: 2 of 2 work, heard 20" in told.detail
    assert "Xero: heard 20" in told.detail
    desk.procore.fault("status", f"/projects/{PROJECT}/webhooks", status=403, times=0)
    desk.clock.offset += hooks.CHECK_EVERY
    tend(desk)
    told = doctor(desk)[name]
    assert not told.ok
    assert f"(project {PROJECT})" in told.detail
    assert "permission Standard on Webhooks" in told.next_step
    desk.procore.no_faults()
    standing.look_again(desk.workspace)
    tend(desk)
    assert doctor(desk)[name].ok


@pytest.mark.parametrize("code", ["http_403", "http_404", "http_422", "declined"])
def test_every_trouble_of_a_hook_has_words(desk: Desk, code: str) -> None:
    tend(desk)
    Hook.objects.update(trouble=code)
    for hook in standing.listening(desk.service, desk.workspace).troubles:
        assert hook.why
        assert hook.todo.endswith(".")


# --- disconnecting -----------------------------------------------------------------------------


def test_disconnecting_procore_takes_its_webhooks_down(desk: Desk) -> None:
    ref = desk.claim("1000.00")
    desk.sync()
    tend(desk)
    leave = disconnecting.disconnect_procore
    left = desk.service.run(leave(desk.service, desk.workspace, "test"))
    assert (left.names, left.by_hand) == (("Procore",), ())
    assert there(desk) == {}
    assert not Hook.objects.exists()
    assert not Grant.objects.filter(remote="procore").exists()
    late = desk.claim("50.00")
    desk.connect()
    assert desk.sync().troubles == ()
    each_once(desk, [ref, late])


def test_what_cannot_be_taken_down_is_said_and_forgotten(desk: Desk) -> None:
    tend(desk)
    desk.procore.fault("status", "/webhooks/", status=500, times=0)
    leave = disconnecting.disconnect_procore
    left = desk.service.run(leave(desk.service, desk.workspace, "test"))
    assert "2 webhooks" in left.by_hand[0]
    assert not Hook.objects.exists()
    with pytest.raises(NotFound):
        desk.service.run(leave(desk.service, desk.workspace, "test"))


def test_disconnecting_one_organisation_leaves_the_others_and_other_workspaces(desk: Desk) -> None:
    first, second = str(desk.organisation), second_organisation(desk)
    other = copy(desk)
    other.workspace = workspaces.add(desk.service, "Another", "test")
    allow(desk, first)
    allow(desk, second)
    allow(other, second, tenant=second)
    leave = disconnecting.disconnect_xero
    desk.service.run(leave(desk.service, desk.workspace, "test", UUID(second)))
    assert [one.id for one in xero_of(desk)] == [first]
    connections = desk.xero.state()["connections"].values()
    assert second in {c["tenant_id"] for c in connections}  # another workspace needs it
    desk.service.run(leave(desk.service, other.workspace, "test"))
    desk.service.run(leave(desk.service, desk.workspace, "test"))
    ours = [c for c in desk.xero.state()["connections"].values()
            if c["client_id"] == "sim-xero-client"]  # fmt: skip
    assert ours == []
    assert not Grant.objects.filter(remote="xero").exists()


def xero_of(desk: Desk) -> list[workspaces.Connected]:
    return [one for one in workspaces.show(desk.workspace).connections if one.remote == "xero"]
