"""Many small organisations beside one with thousands of documents: do the small ones wait for it?

`.venv/bin/python -m bench.fairness [--organisations 50] [--each 2] [--large 3000] [--workers 2]`

Real `onecore worker` processes post the approved claims of every organisation at once. What counts
is the order in which Xero got the bills, by its own log of requests: how much of the large one's
work was done when the last small one's was. Exit 1 when the large one was through first.
"""

import argparse
import json
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import httpx2
from tests.fork_server import ForkServer
from tests.harness import PROCORE_APP, SECRET_KEY, XERO_APP
from tests.simulators import Simulator, Simulators

if TYPE_CHECKING:
    from tests.desk import Desk

PATIENCE = 1200.0  # seconds


@dataclass(slots=True)
class Order:
    """In which order bills came to Xero: the requests that carried some."""

    large: str
    requests: list[tuple[str, int]] = field(default_factory=list)  # organisation, bills in it
    _read: int = 0

    def read(self, xero: Simulator) -> None:
        """Note what came since the last time."""
        for row in xero.requests(after=self._read):
            self._read = row["n"]
            if row["method"] == "PUT" and row["path"].endswith("/Invoices"):
                tenant = row["request_headers"].get("xero-tenant-id", self.large)
                self.requests.append((tenant, len(json.loads(row["request_body"])["Invoices"])))

    def bills(self) -> Counter[str]:
        """How many each organisation was sent."""
        sent: Counter[str] = Counter()
        for tenant, count in self.requests:
            sent[tenant] += count
        return sent

    def done_before_the_last_small(self) -> int:
        """How many bills the large organisation had when the last small one's came."""
        last = max(at for at, (tenant, _) in enumerate(self.requests) if tenant != self.large)
        return sum(n for tenant, n in self.requests[:last] if tenant == self.large)


def add_organisations(xero: Simulator, count: int) -> list[str]:
    """That many further organisations with the first one's chart and contacts; their ids."""
    state = xero.state()
    first = next(iter(state["organisations"].values()))
    added = [f"00000000-0000-4000-8000-{n:012}" for n in range(1, count + 1)]
    for n, id_ in enumerate(added, 1):
        state["organisations"][id_] = first | {"id": id_, "name": f"Small builder {n}"}
    xero.put_state(state)
    return added


def join_all(desk: "Desk") -> None:
    """The workspace joined to every organisation the owner has allowed the app into."""
    from onecore.engine.use import connecting  # noqa: PLC0415 - Django is ready from here on
    from onecore.store.models import Organisation, WorkspaceOrganisation  # noqa: PLC0415

    tenant = desk.xero.do("token")["tenant_id"]  # as if consents for all had been given before
    consent = connecting.begin_xero(desk.service, desk.workspace, "test")
    asked = dict(parse_qsl(urlsplit(consent.url).query))
    said = {**asked, "decision": "allow", "tenant_id": tenant}
    back = httpx2.post(consent.url.partition("?")[0], data=said, trust_env=False)
    told = dict(parse_qsl(urlsplit(back.headers["location"]).query))
    desk.service.run(connecting.finish_xero(desk.service, told["state"], told["code"]))
    # The consent was for one; the same grant reaches the others.
    joined = WorkspaceOrganisation.objects.get(organisation_id=tenant)
    others = [one for one in desk.xero.state()["organisations"] if one != tenant]
    Organisation.objects.bulk_create(
        [Organisation(tenant=one, next_due_at=desk.clock.now()) for one in others]
    )
    WorkspaceOrganisation.objects.bulk_create(
        [
            WorkspaceOrganisation(
                workspace_id=desk.workspace, organisation_id=one, grant_id=joined.grant_id
            )
            for one in others
        ]
    )
    listed = [{"tenant_id": one, "default": one == tenant} for one in [tenant, *others]]
    desk.set(organisations=listed)


def give_projects(desk: "Desk", smalls: list[str]) -> list[int]:
    """A project for each small organisation, whose claims go there."""
    projects = [
        desk.procore.do("new_project", name=f"Site {n}", number=f"S-{n:03}", permitted=True)["id"]
        for n, _ in enumerate(smalls, 1)
    ]
    routes = [{"project_id": 7, "option": "P-007 Riverside"}]
    routes += [
        {"project_id": project, "option": "P-007 Riverside", "organisation": tenant}
        for project, tenant in zip(projects, smalls, strict=True)
    ]
    desk.set(projects=routes)
    return projects


def workers(desk: "Desk", database_url: str, count: int) -> ForkServer:
    """That many real workers at the desk's work; closing what is given ends them."""
    settings = desk.service.settings
    environ = {
        "ONECORE_DATA_DIR": str(settings.data_dir),
        "ONECORE_DATABASE_URL": database_url,
        "ONECORE_SECRET_KEY": SECRET_KEY,
        "ONECORE_PROCORE_CLIENT_ID": PROCORE_APP[0],
        "ONECORE_PROCORE_CLIENT_SECRET": PROCORE_APP[1],
        "ONECORE_XERO_CLIENT_ID": XERO_APP[0],
        "ONECORE_XERO_CLIENT_SECRET": XERO_APP[1],
        "ONECORE_PROCORE_LOGIN_URL": desk.procore.url,
        "ONECORE_PROCORE_API_URL": desk.procore.url,
        "ONECORE_XERO_LOGIN_URL": desk.xero.url,
        "ONECORE_XERO_IDENTITY_URL": desk.xero.url,
        "ONECORE_XERO_API_URL": desk.xero.url,
        "ONECORE_POLL_SECONDS": "1",
    }
    nursery = ForkServer(environ, "bench.chaos.process")
    for n in range(count):
        nursery.fork({"name": f"worker-{n}", "ahead": 0, "doom": {}, "args": ["worker"]})
    return nursery


def measure(
    desk: "Desk", database_url: str, small: int, each: int, large: int, processes: int
) -> Order:
    """The order of bills of one run on the desk's database; everything is sent at its end."""
    desk.procore.switch(rate_hour=1_000_000)
    desk.xero.switch(limit_minute=0, limit_day=0, limit_concurrent=0, limit_app_minute=0)
    smalls = add_organisations(desk.xero, small)
    desk.connect()
    desk.map_all()
    join_all(desk)
    projects = give_projects(desk, smalls)
    order = Order(str(desk.organisation))
    desk.procore.do("bulk_claims", project_id=7, count=large)
    for project in projects:
        desk.procore.do("bulk_claims", project_id=project, count=each)
    desk.xero.forget_requests()
    nursery = workers(desk, database_url, processes)
    try:
        deadline = time.monotonic() + PATIENCE
        while sum(order.bills().values()) < large + small * each:
            if time.monotonic() > deadline:
                raise AssertionError(f"not all came in time: {order.bills()}")
            time.sleep(0.5)
            order.read(desk.xero)
    finally:
        nursery.close()
    return order


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--organisations", type=int, default=50)
    parser.add_argument("--each", type=int, default=2)
    parser.add_argument("--large", type=int, default=3000)
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args(argv)
    import os  # noqa: PLC0415
    import tempfile  # noqa: PLC0415
    from pathlib import Path  # noqa: PLC0415

    from onecore.app import setup_django  # noqa: PLC0415
    from onecore.store.embedded import EmbeddedPostgres  # noqa: PLC0415

    home = Path(tempfile.mkdtemp(prefix="onecore-fair-", dir="/tmp"))
    home.chmod(0o755)
    server = EmbeddedPostgres(home / "database", fsync=False)
    os.environ["ONECORE_DATA_DIR"] = str(home)
    url = os.environ["ONECORE_RESOLVED_DATABASE_URL"] = server.ensure()
    try:
        setup_django()
        from onecore.engine.use import upgrading  # noqa: PLC0415

        upgrading.migrate()
        from tests.desk import Desk  # noqa: PLC0415

        with Simulators() as simulators:
            desk = Desk(simulators)
            order = measure(desk, url, asked.organisations, asked.each, asked.large, asked.workers)
            desk.close()
    finally:
        server.discard()
    done = order.done_before_the_last_small()
    print(f"The large organisation had {done} of {asked.large} bills when the last of"
          f" {asked.organisations} small ones had theirs.")  # fmt: skip
    return 0 if done < asked.large else 1


if __name__ == "__main__":
    sys.exit(main())
