"""The whole bill flow, create, amend and withdraw, whichever way what no source settles turns out.

The simulators' own positions are those every other test runs with; here each switch stands the
other way, or each of its other ways, for a round.
"""

import pytest

from onecore_sim.kit.switches import Switch, Value
from onecore_sim.procore.switches import SWITCHES as PROCORE
from onecore_sim.xero.settings import DECLARED as XERO
from tests.desk import Desk
from tests.engine.faulty import Flow
from tests.simulators import Simulator

OTHER: dict[str, Value] = {
    "code_seconds": 30, "id_token_seconds": 60, "limit_concurrent": 1, "limit_minute": 20,
    "limit_day": 1000, "limit_app_minute": 9_000, "latency_ms": 5, "max_body_bytes": 100_000,
    "max_attachment_bytes": 3_500_000, "history_max_length": 250, "bad_query_number": 0,
    "url_max_length": 255, "webhook_retry_seconds": 60, "rate_hour": 600, "rate_spike": 25,
    "missing_company_header_status": 403, "hidden_project_status": 403, "per_page_cap": 2,
    "duplicate_origin_status": 409, "erp_status": "synced", "webhook_timeout_ms": 100,
}  # fmt: skip
"""For switches that take any number or word."""
CLOSED = {"app_connected", "organisation_offline", "high_volume"}
"""Nothing can go over while these stand the other way."""
AT_ONCE = 8


def others(switch: Switch) -> list[Value]:
    if isinstance(switch.default, bool):
        return [not switch.default]
    return [one for one in switch.choices if one != switch.default] or [OTHER[switch.name]]


def positions(side: str, switches: tuple[Switch, ...]) -> list[tuple[str, str, Value]]:
    return [(side, x.name, v) for x in switches for v in others(x) if x.name not in CLOSED]


def groups() -> list[list[tuple[str, str, Value]]]:
    """Several on one desk; each limit on one of its own, as what is left of it is remembered."""
    every = [*positions("procore", PROCORE), *positions("xero", XERO)]
    limits = [one for one in every if one[1].startswith(("limit_", "rate_"))]
    rest = [one for one in every if one not in limits]
    return [[one] for one in limits] + [rest[n : n + AT_ONCE] for n in range(0, len(rest), AT_ONCE)]


GROUPS = groups()


@pytest.fixture
def flow(desk: Desk) -> Flow:
    desk.set(source_reopened="void")
    return Flow(desk)


@pytest.mark.parametrize("group", GROUPS, ids=[f"{g[0][1]}-{g[-1][1]}" for g in GROUPS])
def test_the_flow_ends_right_in_every_position(
    flow: Flow, group: list[tuple[str, str, Value]]
) -> None:
    for side, name, value in group:
        sim: Simulator = flow.desk.procore if side == "procore" else flow.desk.xero
        before = sim.switches()[name]
        sim.switch(**{name: value})
        try:
            flow.go_round()
            flow.assert_right()
            assert flow.mended == 0
        except Exception as error:
            error.add_note(f"{side}: {name} = {value!r}")
            raise
        sim.switch(**{name: before})


@pytest.mark.parametrize("name", sorted(CLOSED))
def test_what_cannot_go_over_waits_aloud_and_then_goes_once(flow: Flow, name: str) -> None:
    sim: Simulator = flow.desk.procore if name == "app_connected" else flow.desk.xero
    sim.switch(**{name: name != "app_connected"})
    flow.create()
    result = flow.desk.sync(timeout=0)
    assert result.troubles
    assert flow.desk.bills() == []
    sim.switch(**{name: name == "app_connected"})
    flow.run()
    flow.assert_right()
