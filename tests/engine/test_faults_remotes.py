"""Every fault of both remotes, on everything the bill flow asks of them: each claim one bill.

Each test goes through the flow part by part and lays one fault on every endpoint that the part
asks, of both remotes where both have it, once on each, so that they are met one after another.
With ONECORE_EACH_FAULT=1 each is laid alone as well, which takes ten minutes.
"""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from onecore_sim.kit.catalogue import Catalogue
from onecore_sim.procore.faults import CATALOGUE as PROCORE
from onecore_sim.xero.faults import CATALOGUE as XERO
from tests.desk import Desk
from tests.engine.faulty import BIRD, Flow, given_up_after, later
from tests.simulators import Simulator

CATALOGUES = {"procore": PROCORE, "xero": XERO}
PARTS: dict[str, dict[str, tuple[str, ...]]] = {
    "connect": {
        "procore": ("token", "companies.get", "company_base_url.get", "projects.get"),
        "xero": ("token", "connections.get"),
    },
    "map": {
        "procore": ("vendors.get", "vendors_inactive.get"),
        "xero": ("contacts.get",),
    },
    "create": {
        "procore": (
            "token", "projects.get", "requisitions.get", "cost_codes.get",
            "work_order_contracts.get", "purchase_order_contracts.get", "requisition_detail.get",
            "requisition_history.get",
        ),
        "xero": (
            "token", "invoices.get", "organisation.get", "currencies.get", "accounts.get",
            "tax_rates.get", "tracking.get", "invoices.put",
        ),
    },
    "alter": {"procore": ("requisitions.get",), "xero": ("invoices.get", "invoices.post")},
}  # fmt: skip
NEED_A_PERSON = {
    "grant_revoked", "connection_removed", "scope_missing", "client_refused", "grant_refused",
    "part_refused", "batch_refused",
}  # fmt: skip
TOLD_NOBODY = {"slow", "token_expired", "batch_refused"}
"""The last is sent in halves, or asks a person."""
TOLD_ALL_THE_SAME = {("token_expired", "connect")}
"""A token that ends as soon as it was given is no passing matter."""
MORE: dict[str, dict[str, Any]] = {
    "slow": {"seconds": 0.05},
    "timeout_before_commit": {"seconds": 0.4},
    "timeout_after_commit": {"seconds": 0.4},
}
A_DAY_AND_MORE = timedelta(hours=25)
"""After it every token has ended and every list is read again."""
NAMES = sorted(
    {name for c in CATALOGUES.values() for name in c.faults if not name.startswith("webhook_")}
)
Laid = list[tuple[str, str, dict[str, Any]]]
"""Sides, endpoints and parameters."""


def laid_by(name: str, part: str) -> Laid:
    """Where a fault is laid in a part of the flow; waits are told to every second endpoint."""
    found: Laid = []
    for side, catalogue in CATALOGUES.items():
        fault = catalogue.faults.get(name)
        if fault is None:
            continue
        for n, place in enumerate(PARTS[part][side]):
            told = {"told": bool(n % 2)} if "told" in fault.takes else {}
            if not fault.only or place in fault.only:
                found.append((side, place, MORE.get(name, {}) | told))
    return found


@pytest.fixture
def flow(bare_desk: Desk) -> Flow:
    return Flow(bare_desk)


def act(flow: Flow, part: str) -> None:
    """Do a part of the flow, up to where OneCore has to do its own."""
    match part:
        case "map":
            flow.desk.map_all(flows__bill__date="approved", source_reopened="void")
            flow.desk.procore.switch(item_retainage_incomplete=True)
        case "create":
            later(flow.desk, A_DAY_AND_MORE)
            flow.create()
        case "alter":
            flow.alter()


@contextmanager
def lying(flow: Flow, name: str, laid: Laid) -> Iterator[None]:
    """The fault lies there, and has been met everywhere at the end."""
    for side, place, more in laid:
        sim_of(flow, side).named_fault(name, place, **more)
    with given_up_after(0.2 if name.startswith("timeout") else 30):
        yield
    for sim in (flow.desk.procore, flow.desk.xero):
        assert [fault["name"] for fault in sim.faults() if not fault.get("hits")] == []
        sim.no_faults()


def sim_of(flow: Flow, side: str) -> Simulator:
    return flow.desk.procore if side == "procore" else flow.desk.xero


@pytest.mark.parametrize("name", NAMES)
def test_each_claim_is_one_bill_whatever_goes_wrong(flow: Flow, name: str) -> None:
    for part in PARTS:
        act(flow, part)
        laid, told = laid_by(name, part), len(flow.told)
        with lying(flow, name, laid):
            flow.follow(part)
        if laid and flow.mended == 0 and (name, part) not in TOLD_ALL_THE_SAME:
            assert (len(flow.told) > told) == (name not in TOLD_NOBODY), part
    flow.run()
    flow.assert_right()
    assert not flow.mended or name in NEED_A_PERSON


@pytest.mark.parametrize("status", [200, 400, 403, 404, 409, 418, 422])
def test_what_a_remote_says_in_its_own_words_is_repeated_to_nobody(flow: Flow, status: int) -> None:
    """Its words may be a document's."""
    body = json.dumps({"message": f"Not this one: {BIRD}", "Detail": BIRD, "errors": [BIRD]})
    for part in ("connect", "map"):
        act(flow, part)
        flow.follow(part)
    act(flow, "create")
    for side, places in PARTS["create"].items():
        for place in places:
            one = CATALOGUES[side].endpoints[place]
            sim_of(flow, side).fault("status", one.path, one.method, status=status, body=body)
    flow.run()
    assert flow.told
    flow.assert_right()


def test_the_flow_asks_for_what_is_listed_here_and_nothing_else(flow: Flow) -> None:
    for part in PARTS:
        act(flow, part)
        flow.follow(part)
    flow.assert_right()
    for side, catalogue in CATALOGUES.items():
        asked = {endpoint_of(catalogue, row) for row in sim_of(flow, side).requests()}
        assert asked == {place for part in PARTS.values() for place in part[side]}


def endpoint_of(catalogue: Catalogue, row: dict[str, Any]) -> str:
    """The catalogue's name of what was asked, or the address where it has none."""
    for one in catalogue.endpoints.values():
        if one.name.startswith("any") or one.method != row["method"]:
            continue
        if re.search(one.path, row["path"]):
            return one.name
    return f"{row['method']} {row['path']}"


if os.environ.get("ONECORE_EACH_FAULT"):
    ALONE = [
        pytest.param(name, part, one, id=f"{name}-{part}-{one[0]}-{one[1]}")
        for name in NAMES
        for part in PARTS
        for one in laid_by(name, part)
    ]

    @pytest.mark.parametrize(("name", "part", "one"), ALONE)
    def test_each_fault_alone(
        flow: Flow, name: str, part: str, one: tuple[str, str, dict[str, Any]]
    ) -> None:
        for each in PARTS:
            act(flow, each)
            with lying(flow, name, [one] if each == part else []):
                flow.follow(each)
        flow.run()
        flow.assert_right()
