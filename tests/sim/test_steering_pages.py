"""The pages by which a person lays faults and turns switches, of both simulators alike."""

import re
from collections.abc import Iterator

import httpx2
import pytest
from tests.simulators import Simulator, Simulators


@pytest.fixture(params=["procore", "xero"])
def sim(request: pytest.FixtureRequest, simulators: Simulators) -> Iterator[Simulator]:
    simulators.reset()
    one: Simulator = getattr(simulators, request.param)
    yield one
    one.no_faults()


def page(sim: Simulator, name: str) -> str:
    base = "" if sim.name == "procore" else "/sim"
    return f"{sim.url}{base}/{name}"


def press(sim: Simulator, where: str, /, **fields: str) -> httpx2.Response:
    return httpx2.post(page(sim, where), data=fields, trust_env=False)


def see(sim: Simulator, name: str) -> str:
    answer = httpx2.get(page(sim, name), trust_env=False)
    assert answer.status_code == 200
    assert "prefers-color-scheme: dark" in answer.text
    return str(answer.text)


def test_a_person_lays_a_fault_and_takes_it_away(sim: Simulator) -> None:
    shown = see(sim, "faults")
    for one in sim.fault_catalogue()["faults"]:
        assert f"<code>{one['name']}</code>" in shown
    answer = press(
        sim,
        "faults",
        name="error_after_commit",
        endpoint="token",
        skip="2",
        times="0",
        status="503",
    )
    assert answer.status_code == 303
    (laid,) = sim.faults()
    assert (laid["name"], laid["skip"], laid["times"], laid["status"]) == (
        "error_after_commit", 2, 0, 503,
    )  # fmt: skip
    assert "Take all away" in see(sim, "faults")
    press(sim, "faults", take_away="yes")
    assert sim.faults() == []
    assert "Take all away" not in see(sim, "faults")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": "<b>"}, "There is no fault &#x27;&lt;b&gt;&#x27;. Known: "),
        ({"name": "slow", "endpoint": "x"}, "There is no endpoint"),
        ({"name": "slow", "seconds": "soon"}, "seconds has to be a number"),
        ({"name": "slow", "status": "1"}, "takes no &#x27;status&#x27;"),
        ({"name": "slow", "elements": "1,b"}, "elements has to be a number"),
        ({"chance": "1"}, "missing required field"),
    ],
)
def test_what_cannot_be_laid_is_told(sim: Simulator, fields: dict[str, str], said: str) -> None:
    answer = press(sim, "faults", **fields)
    assert answer.status_code == 400
    assert said in answer.text
    assert sim.faults() == []


def test_a_person_turns_switches_of_every_kind(sim: Simulator) -> None:
    shown = see(sim, "switches")
    assert len(re.findall(r"<tr>", shown)) > 20
    kinds = {
        "procore": {"app_connected": "off", "rate_hour": "17", "tax_base": "net"},
        "xero": {"organisation_offline": "on", "limit_day": "17", "rounding_mode": "half_even"},
    }
    for name, value in kinds[sim.name].items():
        assert press(sim, "switches", name=name, value=value).status_code == 303
    turned = see(sim, "switches")
    assert "<td>17</td>" in turned
    assert any(f"<td>{word}</td>" in turned for word in ("net", "half_even"))
    assert press(sim, "switches", name="no_such", value="on").status_code == 400
    (whole,) = [name for name, value in kinds[sim.name].items() if value == "17"]
    assert press(sim, "switches", name=whole, value="many").status_code == 400
