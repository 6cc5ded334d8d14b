"""Faults by name: what can be asked for, what is laid, and what is said of the rest."""

import re
from pathlib import Path

import pytest
from starlette.routing import Route

from onecore_sim.kit.catalogue import Asked, Catalogue, Unknown
from onecore_sim.kit.faults import EVENT, Fault, Faults, Kind
from onecore_sim.procore import api_claims, api_contracts, api_master, api_webhooks
from onecore_sim.procore.faults import CATALOGUE as PROCORE
from onecore_sim.procore.simulator import ProcoreSimulator
from onecore_sim.procore.switches import SWITCHES as PROCORE_SWITCHES
from onecore_sim.xero.faults import CATALOGUE as XERO
from onecore_sim.xero.settings import DECLARED as XERO_SWITCHES
from onecore_sim.xero.simulator import XeroSimulator

BOTH = {"procore": PROCORE, "xero": XERO}


def addresses(name: str) -> set[tuple[str, str]]:
    """Every method and address a simulator serves, ids and names filled in."""
    sim = ProcoreSimulator() if name == "procore" else XeroSimulator()
    found = set()
    for route in sim.routes():
        assert isinstance(route, Route)
        path = re.sub(r"\{[^}]+\}", "a1b2", route.path)
        found |= {(method, path) for method in route.methods or ()}
    return found


@pytest.mark.parametrize("name", BOTH)
def test_every_endpoint_of_the_catalogue_is_one_the_simulator_serves(name: str) -> None:
    served = addresses(name)
    for endpoint in BOTH[name].endpoints.values():
        if endpoint.method == EVENT:
            continue
        methods = endpoint.method.split("|") if endpoint.method else ["GET", "POST"]
        hit = {(m, p) for m, p in served if m in methods and re.search(endpoint.path, p)}
        assert hit, endpoint
        assert not any(p.startswith(("/_sim", "/sim", "/act", "/o/")) for _, p in hit), endpoint


def test_an_address_of_procore_has_at_most_one_name() -> None:
    tables = (api_master, api_contracts, api_claims, api_webhooks)
    for method, path in [key for part in tables for key in part.TABLE]:
        filled = re.sub(r"\{[^}]+\}", "77", path)
        names = [
            e.name
            for e in PROCORE.endpoints.values()
            if not e.name.startswith("any") and method == e.method and re.search(e.path, filled)
        ]
        assert len(names) <= 1, (method, path, names)


@pytest.mark.parametrize("name", BOTH)
def test_every_fault_can_be_laid_on_every_endpoint_it_names(name: str) -> None:
    catalogue = BOTH[name]
    for one in catalogue.listing()["faults"]:
        assert one["about"].endswith(".")
        for endpoint in one["endpoints"]:
            rule = catalogue.rule(Asked(name=one["name"], endpoint=endpoint, skip=3, times=2))
            assert (rule.name, rule.skip, rule.times) == (one["name"], 3, 2)
            assert rule.path == catalogue.endpoints[endpoint].path
        for word in one["says"]:
            assert catalogue.rule(Asked(name=one["name"], say=word)).message


WRONG = [
    ({"name": "no_such"}, "There is no fault 'no_such'. Known: limit_minute, "),
    ({"name": "reply_lost", "endpoint": "bills.put"}, "There is no endpoint 'bills.put'. Known: "),
    ({"name": "reply_lost", "seconds": 3.0}, "takes no 'seconds'; it takes no parameter"),
    ({"name": "limit_day", "elements": [1]}, "takes no 'elements'; it takes seconds, told"),
    ({"name": "part_refused", "say": "nonsense"}, "says one of account, archived_account"),
    ({"name": "refresh_reply_lost", "endpoint": "invoices.put"}, "is laid on token; not on"),
]


@pytest.mark.parametrize(("asked", "said"), WRONG)
def test_what_is_not_there_is_told_with_what_is(asked: dict[str, object], said: str) -> None:
    with pytest.raises(Unknown) as caught:
        XERO.rule(Asked(**asked))  # type: ignore[arg-type]
    assert said in str(caught.value)


def laid(catalogue: Catalogue, name: str, **more: object) -> Fault:
    return catalogue.rule(Asked(name=name, **more))  # type: ignore[arg-type]


def test_a_wait_is_told_or_not() -> None:
    assert laid(XERO, "limit_minute").headers["Retry-After"] == "27"
    assert laid(XERO, "limit_minute", seconds=3.0).headers["Retry-After"] == "3"
    assert "Retry-After" not in laid(XERO, "limit_minute", told=False).headers
    assert "Retry-After" not in laid(XERO, "limit_concurrent").headers
    assert laid(XERO, "limit_minute").seconds == 0
    untold = laid(PROCORE, "limit_hour", seconds=90.0, told=False)
    assert untold.stamps == {"X-Rate-Limit-Reset": 90}
    assert "Retry-After" not in untold.headers


def test_a_fault_of_events_hits_no_request_and_the_other_way_round() -> None:
    faults = Faults()
    faults.add(Fault(kind=Kind.DOUBLED, times=0))
    faults.add(Fault(kind=Kind.LOST, times=0))
    met, told = faults.meet("GET", "/x"), faults.meet_event("INVOICE CREATE")
    assert met is not None
    assert told is not None
    assert (met.kind, told.kind) == (Kind.LOST, Kind.DOUBLED)
    with pytest.raises(Unknown):
        XERO.rule(Asked(name="webhook_late", endpoint="invoices.put"))
    with pytest.raises(Unknown):
        XERO.rule(Asked(name="reply_lost", endpoint="webhooks.invoice"))


def test_laying_one_leaves_the_catalogue_as_it_was() -> None:
    laid(XERO, "limit_minute", seconds=3.0)
    assert "Retry-After" not in XERO.faults["limit_minute"].rule.headers


def test_a_rule_picks_methods_the_nth_and_by_seeded_chance() -> None:
    faults = Faults()
    faults.add(Fault(kind=Kind.LOST, method="PUT|POST", path="^/x", skip=1, times=2))
    asked = ["GET", "PUT", "POST", "PATCH", "PUT", "PUT"]
    assert [faults.meet(m, "/x") is not None for m in asked] == [False, False, True, False, True,
                                                                 False]  # fmt: skip

    def drawn(seed: int) -> list[bool]:
        faults.clear()
        faults.add(Fault(kind=Kind.LOST, times=0, chance=0.5, seed=seed))
        return [faults.meet("GET", "/") is not None for _ in range(40)]

    assert drawn(7) == drawn(7) != drawn(8)
    assert 5 < sum(drawn(7)) < 35


def test_the_page_for_engineers_names_every_switch_and_fault() -> None:
    text = (Path(__file__).parents[2] / "docs" / "simulators.md").read_text()
    names = {switch.name for switch in (*PROCORE_SWITCHES, *XERO_SWITCHES)}
    names |= {name for catalogue in BOTH.values() for name in catalogue.faults}
    assert sorted(name for name in names if f"`{name}`" not in text) == []
