"""Connections as people meet them: healthy, about to end, broken; on each page that must say so."""

from datetime import timedelta

from django.utils.html import escape

from onecore.store.models import Grant, Hook
from tests.desk import Desk
from tests.engine.test_grants import by_consent
from tests.web.conftest import As

PAGES = ("", "connections", "attention")


def shown(desk: Desk, signed_in: As, role: str = "owner") -> dict[str, str]:
    client = signed_in(role)
    base = f"/w/{desk.workspace}/"
    return {page: client.get(base + page).content.decode() for page in PAGES}


def ready(desk: Desk) -> Desk:
    desk.connect()
    desk.map_all()
    by_consent(desk)
    return desk


def test_healthy_connections_ask_for_nothing(desk: Desk, signed_in: As) -> None:
    pages = shown(ready(desk), signed_in)
    assert "Nothing needs you" in pages[""]
    assert "Nothing needs you" in pages["attention"]
    assert "rights of the person who allowed it" in pages["connections"]
    for page in pages.values():
        assert "Broken" not in page
        assert "Needs you soon" not in page


def test_what_will_end_is_told_on_every_page(desk: Desk, signed_in: As) -> None:
    ready(desk)
    rested = desk.clock.now() - timedelta(days=40)
    Grant.objects.filter(remote="xero").update(renewed_at=rested)
    for page in shown(desk, signed_in, "viewer").values():
        assert "Needs you soon" in page
        assert "Nothing needs you" not in page
        assert f"{rested + timedelta(days=60):%d %B %Y}" in page


def test_what_is_broken_says_how_to_mend_it_on_every_page(desk: Desk, signed_in: As) -> None:
    ready(desk)
    why = "Xero lets OneCore in no more: refused. Run: onecore connect xero -w 'Test'"
    Grant.objects.filter(remote="xero").update(broken=why)
    for page in shown(desk, signed_in).values():
        assert escape(why) in page
        assert "Broken" in page
        assert "Nothing needs you" not in page


def test_webhooks_that_are_refused_say_who_mends_it_and_are_looked_at_again(
    desk: Desk, signed_in: As
) -> None:
    ready(desk)
    now = desk.clock.now()
    Hook.objects.create(
        workspace_id=desk.workspace, name="h1", project_id=7, secret=b"", created_at=now,
        checked_at=now, trouble="http_403",
    )  # fmt: skip
    assert "permission Standard on Webhooks" in shown(desk, signed_in)["connections"]
    address = f"/w/{desk.workspace}/connections/webhooks"
    assert signed_in("viewer").post(address).status_code in (403, 404)
    assert Hook.objects.get().checked_at is not None
    assert signed_in().post(address).status_code == 302
    assert Hook.objects.get().checked_at is None
