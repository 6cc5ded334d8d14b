"""Procore's webhooks: made once, mended when they are gone, taken down again."""

from datetime import timedelta
from typing import Any

from onecore.engine import hooks
from onecore.store.models import Hook
from tests.desk import PROJECT, Desk

BASE = "http://localhost:8000"


def tend(desk: Desk) -> int:
    async def work() -> int:
        ctx, remote = await desk.service.contexts.hooks_of(desk.workspace)
        return await hooks.tend(ctx, remote, BASE)

    return desk.service.run(work())


def hooks_there(desk: Desk) -> list[dict[str, Any]]:
    return list(desk.procore.state()["hooks"].values())


def test_one_hook_for_the_company_and_one_per_project(desk: Desk) -> None:
    assert tend(desk) == 2
    there = hooks_there(desk)
    assert sorted(str(hook["project_id"]) for hook in there) == ["7", "None"]
    names = set(Hook.objects.values_list("name", flat=True))
    assert {hook["destination_url"].rsplit("/", 1)[1] for hook in there} == names
    assert all(hook["triggers"] for hook in there)
    assert tend(desk) == 0


def test_a_lost_reply_makes_no_second_hook(desk: Desk) -> None:
    desk.procore.fault("lost", "/webhooks/hooks$", "POST")
    try:
        tend(desk)
    except Exception as error:
        assert type(error).__name__ == "OutcomeUnknown"
    tend(desk)
    assert sorted(str(hook["project_id"]) for hook in hooks_there(desk)) == ["7", "None"]


def test_a_disabled_hook_is_made_anew_the_next_day(desk: Desk) -> None:
    tend(desk)
    row = Hook.objects.get(project_id=PROJECT)
    state = desk.procore.state()
    for hook in state["hooks"].values():
        hook["status"] = "disabled"
    desk.procore.put_state(state)
    desk.clock.offset = timedelta(hours=25)
    tend(desk)
    assert Hook.objects.get(project_id=PROJECT).remote_id != row.remote_id
    assert {hook["status"] for hook in hooks_there(desk)} == {"active"}
