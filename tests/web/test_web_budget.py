"""The page of calls, and where a day that is used up is told."""

from datetime import timedelta

from django.test import Client

from onecore.engine import calls
from onecore.engine.use import budgets, inspecting
from onecore.ports import Lane, LimitKind, Remote
from onecore.store.allowances import Key, Tally
from onecore.store.models import CallCount
from tests.desk import Desk
from tests.web.conftest import As

HOUR = timedelta(hours=1)


def text(client: Client, desk: Desk, path: str) -> str:
    answer = client.get(f"/w/{desk.workspace}/{path}")
    assert answer.status_code == 200, path
    return answer.content.decode()


def key_of(desk: Desk, remote: Remote) -> Key:
    return next(key for key in calls.keys_of(desk.workspace) if key.remote == remote)


def count(desk: Desk, remote: Remote, hours_ago: int, workspace: int = 0, **lanes: int) -> None:
    key = key_of(desk, remote)
    hour = desk.clock.now().replace(minute=0, second=0, microsecond=0) - hours_ago * HOUR
    for lane, n in lanes.items():
        CallCount.objects.create(
            remote=key.remote, app=key.app, scope=key.scope, hour=hour, lane=lane, calls=n,
            workspace=workspace or int(desk.workspace), refused=int(lane == "list"),
        )  # fmt: skip


def test_before_anything_is_connected(desk: Desk, signed_in: As) -> None:
    assert "Nothing is connected yet" in text(signed_in("viewer"), desk, "budget")
    assert "Budget" not in text(signed_in(), desk, "")


def test_calls_by_hour_and_lane_with_what_is_left(desk: Desk, signed_in: As) -> None:
    desk.connect()
    CallCount.objects.all().delete()
    count(desk, Remote.XERO, 3, document=30, list=10)
    count(desk, Remote.XERO, 1, person=5)
    count(desk, Remote.PROCORE, 2, list=100)
    count(desk, Remote.PROCORE, 2, workspace=999, list=40)
    body = text(signed_in("viewer"), desk, "budget")
    assert "of 3,600 calls are left of this hour" in body
    assert "100 of these were for this workspace; 2 workspaces share this app’s calls." in body
    assert body.count('class="lane-document"') == 1
    # thirty of the highest hour's forty: three quarters of the height
    assert 'class="lane-document" x="200" y="25.00" width="8" height="75.00"' in body
    assert "at most 40" in body
    assert "style=" not in body
    home = text(signed_in(), desk, "")
    assert "of 3,600 left of this hour" in home
    assert f"/w/{desk.workspace}/budget" in home


def test_a_day_that_is_used_up_is_told_everywhere_with_when_it_goes_on(
    desk: Desk, signed_in: As
) -> None:
    desk.connect()
    desk.map_all()
    client = signed_in()
    assert "takes no more calls" not in text(client, desk, "attention")
    desk.told_to_wait(Remote.XERO, LimitKind.DAY, desk.clock.now() + 5 * HOUR)
    for path in ("", "attention", "budget"):
        body = text(client, desk, path)
        assert "takes no more calls" in body, path
        assert "in 5 hours" in body, path
    assert "Xero takes no more calls today" in text(client, desk, "")
    checks = {check.name: check for check in inspecting.database(desk.service, 15)}
    told = checks["calls of Test"]
    assert not told.ok
    assert "It goes on by itself in 5 hours" in told.detail
    assert "Nothing is lost" in told.next_step
    desk.clock.offset = 6 * HOUR
    assert "calls of Test" not in {one.name for one in inspecting.database(desk.service, 15)}


def test_pages_that_had_their_share_say_so(desk: Desk, signed_in: As) -> None:
    """Coverage reads live; over their share of a day that runs out, pages give way to bills."""
    desk.xero.switch(limit_day=1000)
    desk.connect()
    desk.map_all()
    key, now = key_of(desk, Remote.XERO), desk.clock.now()
    accounts = desk.service.contexts.calls
    for slip in range(25):
        if accounts.begin(key, Lane.PERSON, slip) is None:
            tally = Tally(int(desk.workspace), Lane.PERSON.value, False, now)
            figures = {"day_remaining": 200 - slip, "minute_remaining": 60}
            accounts.end(key, slip, tally, 200, figures, None)
    [xero] = [one for one in budgets.budget(desk.service, desk.workspace) if one.remote == "xero"]
    assert list(xero.waiting) == ["person", "list", "walk"]
    assert "Pages show Xero&#x27;s figures again" in text(signed_in(), desk, "budget")


def test_old_counts_are_forgotten(desk: Desk) -> None:
    desk.connect()
    CallCount.objects.all().delete()
    count(desk, Remote.XERO, 24 * 91, document=3)
    count(desk, Remote.XERO, 24 * 89, document=4)
    assert calls.prune(desk.clock.now()) == 1
    assert [row.calls for row in CallCount.objects.all()] == [4]
