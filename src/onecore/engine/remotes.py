"""How the engine comes by clients, without knowing how they are made (`onecore.app` does)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from onecore.domain.ids import CompanyId, OrganisationId
from onecore.ports import CallLog, Connection, HooksPort, ProcorePort, Tokens, XeroPort


@dataclass(frozen=True, slots=True)
class NewTokens:
    """What a token endpoint gave. `refresh` is None where the grant has none."""

    access: str = field(repr=False)
    refresh: str | None = field(repr=False)
    expires_at: datetime
    scopes: str


class Remotes(Protocol):
    """Makes clients and asks the token endpoints."""

    def procore(
        self, company: CompanyId, tokens: Tokens, calls: CallLog, scope: str
    ) -> ProcorePort: ...

    def procore_hooks(
        self, company: CompanyId, tokens: Tokens, calls: CallLog, scope: str
    ) -> HooksPort: ...

    def xero(
        self,
        organisation: OrganisationId | None,
        tokens: Tokens,
        calls: CallLog,
        before_write: Callable[[], Awaitable[None]] | None,
        scope: str,
    ) -> XeroPort: ...

    async def procore_client_credentials(self, client_id: str, secret: str) -> NewTokens: ...
    async def xero_client_credentials(self, client_id: str, secret: str) -> NewTokens: ...
    async def xero_refresh(
        self, client_id: str, secret: str | None, refresh_token: str
    ) -> NewTokens: ...
    async def xero_code(
        self, client_id: str, secret: str | None, code: str, redirect: str, verifier: str
    ) -> NewTokens: ...
    async def connections(self, tokens: Tokens, calls: CallLog) -> tuple[Connection, ...]: ...
    async def leave(self, tokens: Tokens, calls: CallLog, connection: str) -> None: ...
    def xero_scopes(self, kind: str) -> tuple[str, ...]: ...
    def xero_authorize_url(
        self, client_id: str, redirect: str, state: str, verifier: str
    ) -> str: ...
    def new_verifier(self) -> str: ...
    async def aclose(self) -> None: ...
