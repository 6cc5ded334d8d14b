"""The one place where the parts are joined: database, keys, clients, engine."""

import os
import threading
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from onecore.domain.ids import CompanyId, OrganisationId
from onecore.engine.clock import SystemClock
from onecore.engine.remotes import NewTokens
from onecore.environment import Settings, settings
from onecore.http import oauth
from onecore.http.transport import open_client
from onecore.ports import (
    CallLog,
    Clock,
    Connection,
    HooksPort,
    Lane,
    ProcorePort,
    Remote,
    Tokens,
    XeroPort,
)
from onecore.procore.client import ProcoreClient
from onecore.store.secrets import Keyring
from onecore.store.vault import Vault
from onecore.xero.client import XeroClient
from onecore.xero.connections import XeroConnections

if TYPE_CHECKING:  # its modules are Django models, which must not load before Django is set up
    from onecore.engine.service import Service
    from onecore.engine.use.doorbells import Door
    from onecore.store.bells import Rung


def start_database() -> str:
    """The database's URL, the embedded server started if it serves; sets it for this process.

    Raises what `store.embedded` raises when no server can be had.
    """
    from onecore.store.embedded import EmbeddedPostgres  # noqa: PLC0415 - only where it is used

    ready = settings()
    url = ready.database_url or EmbeddedPostgres(ready.database_dir).ensure()
    os.environ["ONECORE_RESOLVED_DATABASE_URL"] = url
    return url


def setup_django() -> None:
    """Make Django ready in this process; the database need not answer yet."""
    import django  # noqa: PLC0415 - reads settings when it is set up, not before
    from django.apps import apps  # noqa: PLC0415

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "onecore.django_settings")
    if not apps.ready:
        django.setup()


class HttpRemotes:
    """`engine.remotes.Remotes` over HTTP, one connection pool per remote."""

    def __init__(self, ready: Settings, clock: Clock) -> None:
        self._settings = ready
        self._clock = clock
        self._procore_http = open_client(ready.procore_api_url)
        self._xero_http = open_client(ready.xero_api_url)

    async def aclose(self) -> None:
        await self._procore_http.aclose()
        await self._xero_http.aclose()

    def procore(
        self, company: CompanyId, tokens: Tokens, calls: CallLog, scope: str
    ) -> ProcorePort:
        return ProcoreClient(
            self._settings.procore_api_url,
            company,
            tokens,
            calls,
            self._procore_http,
            self._clock,
            scope=scope,
        )

    def procore_hooks(
        self, company: CompanyId, tokens: Tokens, calls: CallLog, scope: str
    ) -> HooksPort:
        client = ProcoreClient(
            self._settings.procore_api_url,
            company,
            tokens,
            calls,
            self._procore_http,
            self._clock,
            scope=scope,
        )
        return client.in_lane(Lane.WALK).webhooks

    def xero(
        self,
        organisation: OrganisationId | None,
        tokens: Tokens,
        calls: CallLog,
        before_write: Callable[[], Awaitable[None]] | None,
        scope: str,
    ) -> XeroPort:
        return XeroClient(
            self._settings.xero_api_url,
            organisation,
            tokens,
            calls,
            self._xero_http,
            self._clock,
            before_write,
            scope=scope,
        )

    async def procore_client_credentials(self, client_id: str, secret: str) -> NewTokens:
        base = self._settings.procore_login_url
        app = oauth.OAuthApp(Remote.PROCORE, base, client_id, secret)
        return _tokens(await oauth.by_client_credentials(self._procore_http, app, self._clock))

    def _xero_app(self, client_id: str, secret: str | None) -> oauth.OAuthApp:
        base = self._settings.xero_identity_url
        return oauth.OAuthApp(Remote.XERO, base, client_id, secret)

    async def xero_client_credentials(self, client_id: str, secret: str) -> NewTokens:
        app = self._xero_app(client_id, secret)
        scopes = oauth.XERO_CUSTOM_SCOPES
        return _tokens(await oauth.by_client_credentials(self._xero_http, app, self._clock, scopes))

    async def xero_refresh(
        self, client_id: str, secret: str | None, refresh_token: str
    ) -> NewTokens:
        app = self._xero_app(client_id, secret)
        return _tokens(await oauth.refreshed(self._xero_http, app, self._clock, refresh_token))

    async def xero_code(
        self, client_id: str, secret: str | None, code: str, redirect: str, verifier: str
    ) -> NewTokens:
        app = self._xero_app(client_id, secret)
        return _tokens(
            await oauth.by_code(self._xero_http, app, self._clock, code, redirect, verifier)
        )

    async def connections(self, tokens: Tokens, calls: CallLog) -> tuple[Connection, ...]:
        base = self._settings.xero_api_url
        asked = XeroConnections(base, tokens, calls, self._xero_http, self._clock)
        return await asked.connections()

    async def leave(self, tokens: Tokens, calls: CallLog, connection: str) -> None:
        base = self._settings.xero_api_url
        asked = XeroConnections(base, tokens, calls, self._xero_http, self._clock)
        await asked.remove(connection)

    def xero_scopes(self, kind: str) -> tuple[str, ...]:
        custom = kind == "client_credentials"
        return oauth.XERO_CUSTOM_SCOPES if custom else oauth.XERO_SCOPES

    def xero_authorize_url(self, client_id: str, redirect: str, state: str, verifier: str) -> str:
        return oauth.xero_authorize_url(
            self._settings.xero_login_url,
            client_id,
            redirect,
            state,
            oauth.challenge_of(verifier),
        )

    def new_verifier(self) -> str:
        return oauth.new_verifier()


def _tokens(found: oauth.TokenSet) -> NewTokens:
    return NewTokens(found.access, found.refresh, found.expires_at, " ".join(found.scopes))


_service: "Service | None" = None
_making = threading.Lock()


def service() -> "Service":
    """This process's engine, joined on first use. Django must be set up."""
    global _service  # noqa: PLW0603 - one engine per process is the point
    with _making:
        if _service is None:
            from onecore.engine.service import Service  # noqa: PLC0415 - see above

            ready = settings()
            keyring = Keyring.from_setting(ready.secret_key, ready.data_dir)
            clock = SystemClock()
            _service = Service(ready, HttpRemotes(ready, clock), Vault(keyring), clock)
        return _service


def bootstrap() -> "Service":
    """Everything ready in this process: database, Django, engine."""
    start_database()
    setup_django()
    return service()


# --- what the web's webhook paths ask of the adapters ------------------------------------------


def xero_signature_ok(raw: bytes, header: str) -> bool:
    """Whether a delivery is signed with a webhook key of ours; without a key nothing is."""
    from onecore.xero import webhook  # noqa: PLC0415 - only where deliveries arrive

    return webhook.signature_ok(raw, header, settings().xero_webhook_keys)


def rung_by_xero(raw: bytes) -> "set[Rung]":
    """What a signed delivery rang for; nothing when it cannot be read, the sweep finds it."""
    from onecore.engine.use import doorbells  # noqa: PLC0415 - Django models below
    from onecore.xero import webhook  # noqa: PLC0415

    try:
        told = webhook.events(raw)
    except webhook.BadDelivery:
        return set()
    return doorbells.rung_by_xero(
        doorbells.XeroBell(e.organisation, e.category.upper(), e.resource_id) for e in told
    )


def rung_by_procore(door: "Door", raw: bytes) -> "set[Rung]":
    """What a genuine delivery rang for; only that it came when it cannot be read."""
    from onecore.engine.use import doorbells  # noqa: PLC0415
    from onecore.procore import webhook  # noqa: PLC0415

    try:
        told = webhook.event(raw)
    except webhook.BadEvent:
        return doorbells.rung_by_procore(door, None)
    bell = doorbells.ProcoreBell(int(told.company), told.project, told.resource, told.id)
    return doorbells.rung_by_procore(door, bell)
