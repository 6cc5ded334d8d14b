"""The whole product beside both simulators, with clocks one can move and workers one can kill."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx2
from django.core.management import call_command
from django.db.models import F

from onecore.app import HttpRemotes
from onecore.domain.ids import ProjectId
from onecore.engine import config
from onecore.engine.organisation_run import Turn
from onecore.engine.service import Service
from onecore.engine.use import configuring, syncing
from onecore.store.models import Grant, Organisation
from onecore.store.secrets import Keyring
from onecore.store.vault import Vault
from tests.desk import PROJECT, SECRET, Desk, settings_for
from tests.machine.books import Books, Contract
from tests.machine.ledger import Ledger
from tests.machine.turns import POLL_SECONDS, one_turn, unrest
from tests.machine.workers import Nursery, SharedClock
from tests.simulators import Simulator, Simulators

OTHER_PROJECT = "Hillside"
MOMENT = timedelta(milliseconds=50)
_TEXTS: dict[tuple[int, ...], str] = {}
"""Settings by the contracts they are for: writing them takes longer than all the rest."""
MOST_STEPS = 400
"""Turns after which a product that has not come to rest never will."""


class World:
    """One example's world: a desk with two projects and five contracts, and a fresh database."""

    def __init__(self, simulators: Simulators, nursery: Nursery, clock: SharedClock) -> None:
        call_command("flush", interactive=False, verbosity=0, inhibit_post_migrate=True)
        self.simulators = simulators
        self.nursery = nursery
        clock.offset = timedelta(0)
        self.desk = Desk(simulators, ONECORE_POLL_SECONDS=POLL_SECONDS)
        self.desk.clock = clock  # type: ignore[assignment]
        self.clock = clock
        self._serve()
        self.procore, self.xero = self.desk.procore, self.desk.xero
        self.procore.switch(rate_hour=0)
        self.xero.switch(limit_minute=0, limit_day=0)
        self.desk.connect()
        self.books = Books()
        self._set_up()
        self.after_turn: Callable[[], None] = lambda: None

    def _serve(self) -> None:
        settings = settings_for(self.simulators, ONECORE_POLL_SECONDS=POLL_SECONDS)
        remotes = HttpRemotes(settings, self.clock)
        self.desk.service.close()
        self.desk.service = Service(settings, remotes, Vault(Keyring([SECRET])), self.clock)

    def _set_up(self) -> None:
        """Contracts of every kind: 10 % held, a ceiling, the method net, none held at all."""
        made = self.procore.do("new_project", name=OTHER_PROJECT, number="P-008", permitted=True)
        self.other_project: int = made["id"]
        state = self.procore.state()["projects"][str(PROJECT)]["commitments"]
        (first,) = state.values()
        texts = {line["id"]: line["description"] for line in first["lines"]}
        self.books.contracts.append(
            Contract(first["id"], PROJECT, first["number"], first["vendor_id"], Decimal(10), None,
                     "line", texts)
        )  # fmt: skip
        self._contract(PROJECT, 13, "5", "300.00", "line", "Cabling", "Switchboards")
        self._contract(PROJECT, 14, "10", None, "net", "Portal frames", "Purlins")
        self._contract(self.other_project, 12, "10", None, "line", "Slab", "Kerbs")
        self._contract(self.other_project, 13, "0", None, "line", "Lighting")
        ids = tuple(contract.id for contract in self.books.contracts)
        if ids not in _TEXTS:
            _TEXTS[ids] = self._settings_text()
        desk = self.desk
        configuring.import_text(desk.service, desk.workspace, _TEXTS[ids], "test")
        (desk.organisation,) = desk.service.run(desk.service.context(desk.workspace)).books
        effective = config.effective(config.read(_TEXTS[ids]), ProjectId(PROJECT), None, None)
        self.contact_of = {int(row.vendor): str(row.contact) for row in effective.vendors}

    def _settings_text(self) -> str:
        net = [c.id for c in self.books.contracts if c.method == "net"]
        rows = [{"contract_id": id_, "kind": "commitment", "retention": {"method": "net"}}
                for id_ in net]  # fmt: skip
        self.desk.map_all()
        text = configuring.export(self.desk.workspace)
        text = config.set_value(text, ("contracts",), rows)
        return config.set_project_option(text, ProjectId(self.other_project), "P-007 Riverside")

    def _contract(
        self, project: int, vendor: int, percent: str, ceiling: str | None, method: str, *texts: str
    ) -> None:
        said = {"max_retainage": ceiling} if ceiling is not None else {}
        made = self.procore.do(
            "new_commitment",
            project_id=project,
            vendor_id=vendor,
            retainage_percent=percent,
            lines=[{"amount": "50000.00", "cost_code": "03-300", "description": t} for t in texts],
            **said,
        )
        room = None if ceiling is None else Decimal(ceiling)
        lines = dict(zip(made["line_ids"], texts, strict=True))
        self.books.contracts.append(
            Contract(made["id"], project, made["number"], vendor, Decimal(percent), room, method,
                     lines)
        )  # fmt: skip

    def close(self) -> None:
        self.nursery.kill_all()
        self.no_faults()
        self.desk.close()

    # --- people -------------------------------------------------------------------------------

    @staticmethod
    def attempt(simulator: Simulator, action: str, **said: Any) -> Any | None:
        """A person's act over there, or None where the remote's own rules refuse it."""
        answer = httpx2.post(f"{simulator.url}/_sim/do/{action}", json=said, trust_env=False)
        assert answer.status_code in (200, 400, 422), f"{action}: {answer.text}"
        return answer.json() if answer.status_code == 200 else None

    def save_lines(self, bill: str, lines: list[dict[str, Any]]) -> None:
        """Write a bill's lines as another app would: those left out go. Xero may refuse it, and
        a fault laid there may hit this app as well."""
        token = self.xero.do("token")
        with suppress(httpx2.HTTPError):
            httpx2.post(
                f"{self.xero.url}/api.xro/2.0/Invoices/{bill}",
                json={"Invoices": [{"InvoiceID": bill, "LineItems": lines}]},
                headers={
                    "Authorization": f"Bearer {token['access_token']}",
                    "xero-tenant-id": token["tenant_id"],
                    "Accept": "application/json",
                },
                trust_env=False,
            )

    def ledger(self) -> Ledger:
        return Ledger.of(self.xero.state())

    # --- time ---------------------------------------------------------------------------------

    def pass_time(self, by: timedelta) -> None:
        """All three clocks go on together, and what the database's own clock measures with them:
        how long tokens live."""
        self.clock.offset += by
        Grant.objects.update(access_expires_at=F("access_expires_at") - by)
        self.procore.advance(by)
        self.xero.advance(by)

    # --- OneCore ------------------------------------------------------------------------------

    @property
    def organisation(self) -> Any:
        return self.desk.organisation

    def turn(self) -> Turn:
        turn = one_turn(self.desk.service, self.organisation)
        self.after_turn()
        return turn

    def look(self, most: int = 5) -> None:
        """What a click on "sync now" does, for a moment: feeds are read, some turns are taken."""
        syncing.look_at_feeds(self.desk.service, self.desk.workspace)
        for _ in range(most):
            self.turn()

    def restart(self) -> None:
        self._serve()

    def no_faults(self) -> None:
        self.procore.no_faults()
        self.xero.no_faults()

    def mend_connections(self) -> None:
        """A person lets OneCore in again wherever it was shut out."""
        self.procore.do("revoke_app", connected=True)
        self.xero.do("token", client_id="sim-xero-custom")
        if Grant.objects.exclude(broken="").exists():
            self.desk.connect()

    def come_to_rest(self) -> None:
        """Turns whenever OneCore's own alarm goes, the clocks moved on from one to the next,
        until nothing is in doubt, due or unread."""
        started = self.clock.now()
        syncing.look_at_feeds(self.desk.service, self.desk.workspace)
        for _ in range(MOST_STEPS):
            turn = self.turn()
            left = unrest(self.desk.workspace, started, self.clock.now())
            if not left:
                return
            said = f"{left}; it says {[trouble.text for trouble in turn.troubles]}"
            self._sleep_as_told(said)
        raise AssertionError(f"OneCore does not come to rest: {said}")

    def _sleep_as_told(self, said: str) -> None:
        due = Organisation.objects.get(pk=self.organisation).next_due_at
        assert due is not None, f"OneCore sleeps for ever: {said}"
        wait = due - self.clock.now()
        assert wait < timedelta(days=2), f"OneCore sleeps until {due}: {said}"
        self.pass_time(max(wait, timedelta(0)) + MOMENT)
