"""The key that seals is changed while everything goes on, and the old one is thrown away."""

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.db import models

from onecore.app import HttpRemotes
from onecore.engine.service import Service
from onecore.engine.use import attending, inspecting, resealing
from onecore.store import sealed
from onecore.store.models import AuditEntry, Document, Grant, Hook
from onecore.store.secrets import Keyring, SecretUnreadable
from onecore.store.vault import Vault
from tests.desk import PROJECT, SECRET, Desk, settings_for
from tests.simulators import Simulators

NEW = "another test's secret key, as long as the first one was"


def test_every_column_of_bytes_is_known_to_the_rotation() -> None:
    there = {
        f"{model._meta.model_name}.{field.name}"
        for model in apps.get_app_config("store").get_models()
        for field in model._meta.get_fields()
        if isinstance(field, models.BinaryField)
    }
    assert {one.name for one in sealed.COLUMNS} == there


@pytest.fixture
def both(desk: Desk, simulators: Simulators) -> Iterator[Service]:
    """The same installation started with the new key in front of the old one."""
    made = service_with(desk, simulators, NEW, SECRET)
    yield made
    made.close()


def service_with(desk: Desk, simulators: Simulators, *keys: str) -> Service:
    settings = settings_for(simulators)
    return Service(settings, HttpRemotes(settings, desk.clock), Vault(Keyring(keys)), desk.clock)


def held_claim(desk: Desk) -> None:
    """A claim that waits for its vendor to be mapped, and what it waits for."""
    vendor = desk.procore.do("new_vendor", name="Nobody Pty Ltd")
    made = desk.procore.do(
        "new_commitment",
        project_id=PROJECT,
        vendor_id=vendor["id"],
        title="Works",
        retainage_percent="0",
        lines=[{"amount": "9000.00", "description": "Slab"}],
    )
    line = desk.contract_lines(made["id"])[0]
    desk.claim(commitment_id=made["id"], lines=[{"line_id": line, "work": "100.00"}])


def everything_sealed(desk: Desk) -> None:
    """A secret in every sealed column there is."""
    desk.claim("1000.00")
    held_claim(desk)
    desk.sync()
    hook = Hook.objects.create(
        workspace_id=desk.workspace, name="h1", secret=b"", created_at=desk.clock.now()
    )
    hook.secret = desk.service.vault.seal("bearer", f"hook:{hook.pk}")
    hook.save()
    grant = Grant.objects.get(workspace_id=desk.workspace, remote="xero")
    for column in ("refresh_token", "previous_refresh_token"):
        setattr(grant, column, desk.service.vault.seal("kept", f"grant:{grant.pk}:refresh_token"))
    grant.save()


def test_every_secret_moves_and_the_old_key_can_go(
    desk: Desk, simulators: Simulators, both: Service
) -> None:
    everything_sealed(desk)
    before = {one.name: one.current for one in sealed.rotate(Keyring([SECRET]), dry_run=True)}
    assert all(before.values()), before

    counted = resealing.reseal(both, "test", dry_run=True)
    assert (counted.current, counted.moved) == (0, sum(before.values()))
    [check] = [c for c in inspecting.database(both, 15) if c.name == "stored secrets"]
    assert not check.ok
    assert "onecore secrets rotate" in check.next_step

    done = resealing.reseal(both, "test")
    assert (done.current, done.moved, done.unreadable) == (0, sum(before.values()), ())
    assert AuditEntry.objects.filter(act="secrets.rotated").count() == 1
    again = resealing.reseal(both, "test")
    assert (again.current, again.moved) == (done.moved, 0)
    assert [c.ok for c in inspecting.database(both, 15) if c.name == "stored secrets"] == [True]

    after = service_with(desk, simulators, NEW)
    desk.service, old = after, desk.service
    old.close()
    [held] = [g for g in attending.groups(after, desk.workspace) if g.cause == "vendor_unmapped"]
    assert held.items[0].subject
    ref = desk.claim("500.00")
    desk.sync()
    assert desk.state_of(ref) == "in_step"


def test_what_was_agreed_is_still_known(desk: Desk, simulators: Simulators, both: Service) -> None:
    """Digests have a key of their own, so a rotation makes nothing look edited."""
    ref = desk.claim("1000.00")
    desk.sync()
    resealing.reseal(both, "test")
    desk.service, old = service_with(desk, simulators, NEW), desk.service
    old.close()
    desk.sync(ref)
    assert desk.state_of(ref) == "in_step"
    assert desk.attention() == []
    assert len(desk.bills()) == 1


def test_a_token_renewed_meanwhile_stays(
    desk: Desk, both: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between reading a row and writing it another process commits a newer token."""
    grant = Grant.objects.get(workspace_id=desk.workspace, remote="xero")
    place = f"grant:{grant.pk}:access_token"
    replace = sealed._replace

    def overtaken(row: models.Model, column: str, was: bytes, fresh: bytes) -> bool:
        if isinstance(row, Grant) and row.pk == grant.pk and column == "access_token":
            newest = both.vault.seal("renewed", place)
            Grant.objects.filter(pk=grant.pk).update(access_token=newest)
        return replace(row, column, was, fresh)

    monkeypatch.setattr(sealed, "_replace", overtaken)
    resealing.reseal(both, "test")
    grant.refresh_from_db()
    assert grant.access_token is not None
    assert Vault(Keyring([NEW])).open(grant.access_token, place) == "renewed"


def test_what_no_key_opens_is_left_and_named(desk: Desk, both: Service) -> None:
    held_claim(desk)
    desk.sync()
    row = Document.objects.exclude(subject=None).first()
    assert row is not None
    lost = Keyring(["a key that nobody kept, forty letters long"])
    row.subject = lost.seal(b"gone", f"document:{row.pk}")
    row.save()
    done = resealing.reseal(both, "test")
    assert done.unreadable == (f"document:{row.pk}",)
    assert done.moved > 3
    row.refresh_from_db()
    assert row.subject is not None
    assert lost.open(bytes(row.subject), f"document:{row.pk}") == b"gone"
    with pytest.raises(SecretUnreadable):
        both.vault.open(row.subject, f"document:{row.pk}")
