"""OneCore with pages for a browser: both simulators, the engine at work, uvicorn on a free port."""

import threading
from uuid import UUID

from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.db import connection

from onecore import app
from onecore.domain.ids import OrganisationId
from onecore.engine import bells
from onecore.store.models import Organisation, WorkspaceOrganisation
from onecore.web.asgi import whole_app
from tests.desk import Desk
from tests.serving import Serving, free_port
from tests.simulators import Simulators

EMAIL, PASSWORD = "avery@example.com", "a long enough password"


class Worker:
    """Takes up organisations that are due, as a worker process would; for this process only."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(30)

    def _work(self) -> None:
        while not self._stop.wait(0.1):
            bells.answer(self._desk.clock.now())
            for tenant in self._due():
                organisation = OrganisationId(tenant)
                self._desk.service.run(self._desk.service.organisations.turn(organisation))

    def _due(self) -> list[UUID]:
        try:
            joined = WorkspaceOrganisation.objects.values("organisation_id")
            now = self._desk.clock.now()
            due = Organisation.objects.filter(tenant__in=joined)
            rows = [x for x in due if x.next_due_at is None or x.next_due_at <= now]
            return [row.tenant for row in rows]
        finally:
            connection.close()


class Stage:
    """A desk behind real pages. `url` is where a browser begins."""

    def __init__(self, simulators: Simulators, **more: str) -> None:
        port = free_port()
        self.url = f"http://localhost:{port}"
        self.desk = Desk(simulators, ONECORE_BASE_URL=self.url, **more)
        self.procore, self.xero = simulators.procore, simulators.xero
        app._service = self.desk.service
        django_settings.ONECORE_SIGN_IN_ORIGINS = [self.procore.url, self.xero.url]
        self.user = User.objects.create_superuser(EMAIL, EMAIL, PASSWORD)
        self._serving = Serving(whole_app(), port)
        self._worker: Worker | None = None

    @property
    def home(self) -> str:
        return f"{self.url}/w/{self.desk.workspace}/"

    def work(self) -> None:
        """Have the engine take up what is due from now on."""
        self._worker = Worker(self.desk)
        self._worker.start()

    def rest(self) -> None:
        if self._worker is not None:
            self._worker.stop()
            self._worker = None

    def close(self) -> None:
        self.rest()
        self._serving.stop()
        app._service = None
        self.desk.close()
