"""What can go wrong on a real connection, and every shape in which Procore declines."""

import asyncio

import pytest
from tests.contract.remotes import ProcoreSide, XeroSide

from onecore.domain.ids import ProjectId
from onecore.http import transport
from onecore.ports import AccessLost, NotReached, NotVisible, ReadFailed, RemoteError, Throttled

SHAPES = ["natural", "text", "fields", "object", "message", "coded"]


@pytest.mark.parametrize("kind", ["drop", "lost", "truncated", "status"])
def test_a_read_without_a_usable_answer_failed(procore: ProcoreSide, kind: str) -> None:
    procore.sim.fault(kind, path="/rest/v1.1/projects", status=502, body="<html>Bad gateway</html>")
    with pytest.raises(ReadFailed):
        procore.run(lambda c: c.projects())
    assert procore.run(lambda c: c.projects())


def test_a_read_that_hangs_is_given_up(
    procore: ProcoreSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "LONGEST_READ", 0.3)
    procore.sim.fault("hang", path="/rest/v1.1/projects", seconds=1.0)
    with pytest.raises(ReadFailed):
        procore.run(lambda c: c.projects())
    assert procore.calls.told[-1] == ("projects", 0, {})


def test_half_a_list_is_an_error_and_not_a_short_list(procore: ProcoreSide) -> None:
    procore.sim.switch(per_page_cap=2)
    project = ProjectId(int(next(iter(procore.sim.state()["projects"]))))
    procore.sim.fault("status", path="cost_codes.*[?&]page=2", status=500)
    with pytest.raises(ReadFailed):
        procore.run(lambda c: c.cost_codes(project))


@pytest.mark.parametrize("shape", SHAPES)
def test_an_app_taken_out_is_known_in_any_shape(procore: ProcoreSide, shape: str) -> None:
    procore.sim.switch(error_shape=shape)
    procore.sim.do("revoke_app")
    with pytest.raises(AccessLost):
        procore.run(lambda c: c.projects())


@pytest.mark.parametrize("shape", SHAPES)
def test_a_tool_that_is_off_says_so_in_any_shape(procore: ProcoreSide, shape: str) -> None:
    procore.sim.switch(error_shape=shape)
    state = procore.sim.state()
    number, project = next(iter(state["projects"].items()))
    tools = dict.fromkeys(project["tools"], False)
    procore.sim.do("set_project", project_id=int(number), tools=tools)
    with pytest.raises(NotVisible) as caught:
        procore.run(lambda c: c.commitments(ProjectId(int(number)), False))
    assert caught.value.status == 403
    assert "tool is not enabled" in caught.value.detail


def test_an_overloaded_platform_names_its_wait(procore: ProcoreSide) -> None:
    procore.sim.fault("status", path="/rest", status=503, headers={"Retry-After": "33"})
    with pytest.raises(NotReached) as caught:
        procore.run(lambda c: c.projects())
    assert caught.value.wait is not None
    assert caught.value.wait.total_seconds() == 33


ODD_STATUSES = (200, 204, 301, 400, 404, 409, 412, 418, 429, 500, 501, 503, 599)
ODD_BODIES = ("", "null", "[]", '"x"', '{"Accounts": [{"Code": {}}]}', "<html>", "\x00")


def test_whatever_comes_back_is_an_error_of_ports(xero: XeroSide) -> None:
    async def meet(status: int, body: str) -> type[RemoteError]:
        await asyncio.to_thread(
            xero.sim.fault, "status", "/Accounts", status=status, body=body, content_type="x/y"
        )
        async with xero.client() as client:
            with pytest.raises(RemoteError) as caught:
                await client.accounts()
        return type(caught.value)

    async def main() -> None:
        for status in ODD_STATUSES:
            for body in ODD_BODIES:
                if status == 204 and body:
                    continue  # no server can send it
                met = await meet(status, body)
                assert (met is Throttled) == (status == 429)
                assert (met is ReadFailed) == (status in (200, 204, 500, 503, 599))

    asyncio.run(main())
