"""A workspace, people in every role, and Django's own client."""

from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client

from onecore import app, environment
from onecore.store.models import Membership
from onecore.web.asgi import whole_app
from tests.desk import Desk
from tests.serving import Serving
from tests.simulators import Simulators

PASSWORD = "a long enough password"
As = Callable[..., Client]


@pytest.fixture
def desk(transactional_db: None, simulators: Simulators) -> Iterator[Desk]:
    """Not connected yet; `desk.connect()` and `desk.map_all()` do that."""
    made = Desk(simulators)
    app._service = made.service
    try:
        yield made
    finally:
        app._service = None
        made.close()


@pytest.fixture
def served(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serving]:
    """The whole application over real HTTP, with the desk's settings."""
    monkeypatch.setattr(environment, "_settings", desk.service.settings)
    serving = Serving(whole_app())
    try:
        yield serving
    finally:
        serving.stop()


@pytest.fixture
def signed_in(desk: Desk) -> As:
    """A client signed in in a role; "owner" owns the installation, the others one workspace."""

    def enter(role: str = "owner", workspace: int | None = None) -> Client:
        email = f"{role}@example.com"
        user = User.objects.filter(username=email).first()
        if user is None:
            user = User.objects.create_user(email, email, PASSWORD, is_superuser=role == "owner")
        if role not in ("owner", "nobody"):
            place = workspace or int(desk.workspace)
            Membership.objects.get_or_create(user=user, workspace_id=place, defaults={"role": role})
        client = Client(raise_request_exception=False)
        client.force_login(user)
        return client

    return enter
