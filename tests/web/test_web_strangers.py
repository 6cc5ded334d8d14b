"""Another workspace's person walks every address with every id there is, and meets nothing."""

import re
from typing import Any

import pytest
from django.test import Client

from onecore.domain.ids import WorkspaceId
from onecore.domain.refs import Flow, SourceRef
from onecore.engine import config
from onecore.engine.use import configuring, workspaces
from onecore.store import documents as records
from onecore.store.models import (
    Attention,
    AuditEntry,
    ConfigVersion,
    Document,
    Grant,
    Hook,
    Membership,
    Workspace,
)
from tests.desk import Desk
from tests.web.conftest import As
from tests.web.test_web_access import OPEN, addresses

BIRD = "zqfremdling"
"""Is in every text of the workspace that strangers must not see."""


@pytest.fixture
def theirs(desk: Desk) -> WorkspaceId:
    """Another builder's workspace with a bit of everything in it, each text with the bird."""
    service = desk.service
    other = workspaces.add(service, f"Their {BIRD}", "test")
    now = service.clock.now()
    Workspace.objects.filter(pk=other).update(company_id=77, company_name=f"Co {BIRD}")
    Grant.objects.create(
        workspace_id=other, remote="procore", kind="client_credentials",
        client_id=f"app {BIRD}", broken=f"broken {BIRD}", created_at=now,
    )  # fmt: skip
    hook = Hook.objects.create(
        workspace_id=other, name="h1", secret=b"", created_at=now, project_id=7
    )
    Hook.objects.filter(pk=hook.pk).update(
        secret=service.vault.seal("their bearer", f"hook:{hook.pk}")
    )
    met = records.Met(SourceRef.requisition(7, 55), None, 31)
    [document] = records.of(other, Flow.BILL, [met], now)
    matter = records.Matter(
        cause="vendor_unmapped",
        subject=f"subject {BIRD}",
        detail=f"detail {BIRD}",
        question="q",
        choices=(("look_again", "Look again", ""),),
    )
    held = records.Placement(document, records.HELD, matters=(matter,), subject=f"bill {BIRD}")
    records.place([held], now, service.vault)
    text = config.set_project_option(configuring.export(other), 7, f"Option {BIRD}")
    configuring.import_text(service, other, text, f"author {BIRD}")
    return other


def everything_of(workspace: WorkspaceId) -> list[Any]:
    """All rows of a workspace that a page could change."""
    tables: tuple[Any, ...] = (ConfigVersion, Document, Attention, Grant, Hook, Membership)
    rows = [list(t.objects.filter(workspace_id=workspace).order_by("pk").values()) for t in tables]
    kept = list(Workspace.objects.filter(pk=workspace).values())
    return [*rows, kept, AuditEntry.objects.filter(workspace_id=workspace).count()]


def test_no_address_shows_or_changes_what_is_of_another_workspace(
    desk: Desk, signed_in: As, theirs: WorkspaceId
) -> None:
    """Their workspace by its number, and their ids under one's own workspace's number."""
    client = signed_in("accountant")
    before = everything_of(theirs)
    matter = Attention.objects.get(workspace_id=theirs)
    walked = 0
    for place in (theirs, desk.workspace):
        for name, address in addresses(int(place)):
            if name in ("account_logout", "tour"):
                continue
            target = re.sub(r"attention/\d+/", f"attention/{matter.pk}/", address)
            asked = {"q": "requisition:7/55", "ref": "requisition:7/55", "version": "1",
                     "cause": matter.cause, "subject": matter.subject}  # fmt: skip
            for method in ("get", "post"):
                answer = getattr(client, method)(target, asked)
                shown = answer.content.decode() + str(dict(answer.items()))
                assert BIRD not in without_echo(shown, matter.subject), f"{method} {target}"
                if place == theirs and "/w/" in target:
                    assert answer.status_code == 404, f"{method} {target}"
                walked += 1
    assert walked > 120
    assert everything_of(theirs) == before


def without_echo(shown: str, said: str) -> str:
    """A page may say back what the asker wrote themselves."""
    return shown.replace(said, "")


def test_nobody_signed_in_meets_nothing(desk: Desk, theirs: WorkspaceId) -> None:
    before = everything_of(theirs)
    for name, address in addresses(int(theirs)):
        for method in ("get", "post"):
            answer = getattr(Client(), method)(address)
            assert BIRD not in answer.content.decode(), f"{method} {address}"
            assert name in OPEN or answer.status_code == 302, f"{method} {address}"
    assert everything_of(theirs) == before


def test_a_role_in_one_workspace_is_none_in_another(
    desk: Desk, signed_in: As, theirs: WorkspaceId
) -> None:
    """A viewer here who is an accountant there acts there, and only looks here."""
    client = signed_in("viewer")
    user = Membership.objects.get(workspace_id=desk.workspace, role="viewer").user
    Membership.objects.create(user=user, workspace_id=theirs, role="accountant")
    assert client.post(f"/w/{theirs}/look").status_code == 302
    assert client.post(f"/w/{desk.workspace}/look").status_code == 403
