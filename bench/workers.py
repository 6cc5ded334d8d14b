"""Two `onecore worker` processes against one, on eight organisations.

Once with the remotes answering at once, where this machine's cores are what there is to share
among workers, database and simulators; and once with answers as late as real ones, where a worker
waits most of the time and works four organisations at once.
"""

import sys
import time
from copy import deepcopy
from typing import Any
from uuid import UUID, uuid4

from bench.frame import PROJECT, WORKSPACE, Part, Row, Stage, alone
from onecore.domain.ids import OrganisationId, ProjectId
from onecore.domain.settings import OrganisationRow
from onecore.engine import config

ORGANISATIONS = 8
CLAIMS, QUICK = 600, 60
"""In each organisation."""
LATE = 0.5
"""Seconds until an answer: a read of Xero's takes some tenths, fifty bills some seconds."""


def measure(quick: bool) -> Part:
    claims = QUICK if quick else CLAIMS
    part = Part("workers: two against one", [])
    for name, slow, least in (
        ("answers at once", 0.0, None),
        (f"answers {LATE} s late", LATE, 1.8),
    ):
        one, two = run(1, claims, slow), run(2, claims, slow)
        ratio = two["claims_per_second"] / one["claims_per_second"]
        part.rows += [
            Row(f"{name}: one", round(one["claims_per_second"], 1), "claims/s", note=_cores(one)),
            Row(f"{name}: two", round(two["claims_per_second"], 1), "claims/s", note=_cores(two)),
            Row(f"{name}: two to one", round(ratio, 2), "times", least=least),
        ]
        part.details[name] = {"one": one, "two": two}
        part.failed |= any(each["bills"] != each["claims"] for each in (one, two))
    part.notes.append(
        "Limited by: with answers at once by the cores, which workers, database and simulators "
        "share; with late answers by waiting, four organisations at a time in each worker."
    )
    return part


def _cores(figures: dict[str, Any]) -> str:
    used = figures["cores_used"]
    told = ", ".join(f"{name} {cores:.2f}" for name, cores in used.items())
    return f"cores used: {told}"


def run(workers: int, claims: int, slow: float) -> dict[str, Any]:
    """The figures of so many workers over so many claims in each organisation."""
    with Stage(POLL_SECONDS="") as stage:
        stage.set_up()
        projects = furnish(stage)
        running = [stage.start("worker") for _ in range(workers)]
        for project in projects:
            stage.approve(2, project)
        stage.wait_for(lambda: stage.has_feeds(len(projects)), "lists are known")
        stage.look_now()
        stage.wait_until_in_step(2 * len(projects))
        if slow:
            stage.be_slow(slow)
        for project in projects:
            stage.approve(claims, project)
        started, before = time.monotonic(), stage.cpu(running)
        stage.look_now()
        total = (claims + 2) * len(projects)
        stage.wait_until_in_step(total)
        seconds, used = time.monotonic() - started, stage.cpu(running) - before
        bills = sum(1 for bill in stage.bills() if bill["status"] not in ("VOIDED", "DELETED"))
        shares = [one.cpu for one in running]
    return {
        "workers": workers,
        "claims": total,
        "bills": bills,
        "seconds": round(seconds, 2),
        "claims_per_second": claims * len(projects) / seconds,
        "cores_used": {
            "workers": used.onecore / seconds,
            "database": used.database / seconds,
            "simulators": (used.procore + used.xero) / seconds,
        },
        "cpu_by_worker": shares,
    }


def furnish(stage: Stage) -> list[int]:
    """Eight organisations with the same contacts and accounts, and a project going to each."""
    first, others = _organisations(stage)
    projects = [PROJECT]
    for n, tenant in enumerate(others, 2):
        made = stage.procore.do("new_project", name=f"Site {n}", number=f"S-{n}", permitted=True)
        projects.append(made["id"])
        client = f"bench-{n}"
        stage.xero.do("new_app", client_id=client, secret="bench-secret", tenant_id=tenant)
        said = ("connect", "xero", "-w", WORKSPACE, "--client-id", client)
        stage.installation.run(*said, "--client-secret-stdin", stdin="bench-secret\n").ok()
    text = stage.installation.run("config", "export", "-w", WORKSPACE).ok().out
    tenants = [OrganisationId(UUID(tenant)) for tenant in (first, *others)]
    rows = [OrganisationRow(tenant, default=at == 0) for at, tenant in enumerate(tenants)]
    text = config.set_organisations(text, rows)
    for project, tenant in zip(projects, tenants, strict=True):
        text = config.set_project_organisation(text, ProjectId(project), tenant)
    stage.installation.document(text, "-w", WORKSPACE).ok()
    return projects


def _organisations(stage: Stage) -> tuple[str, list[str]]:
    """The builder's own organisation, and copies of it under other ids."""
    state = stage.xero.state()
    ((first, whole),) = state["organisations"].items()
    others = [str(uuid4()) for _ in range(ORGANISATIONS - 1)]
    for n, tenant in enumerate(others, 2):
        copy = deepcopy(whole)
        state["organisations"][tenant] = {**copy, "id": tenant, "name": f"{copy['name']} {n}"}
    stage.xero.put_state(state)
    return first, others


if __name__ == "__main__":
    sys.exit(alone(measure, __doc__))
