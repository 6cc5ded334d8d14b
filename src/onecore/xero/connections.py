"""Which organisations a grant reaches, and leaving one [X 1]."""

import httpx2

from onecore.http.transport import Call, Transport
from onecore.http.wire import Reader
from onecore.ports import CallLog, Clock, Connection, Lane, Remote, Tokens
from onecore.xero import read, wire

_CONNECTIONS = Reader(list[wire.Connection])


class XeroConnections:
    """The connections of one grant; these calls name no organisation."""

    def __init__(
        self,
        base_url: str,
        tokens: Tokens,
        call_log: CallLog,
        http: httpx2.AsyncClient,
        clock: Clock,
    ) -> None:
        self._transport = Transport(
            Remote.XERO, base_url, "connections", tokens, call_log, http, clock
        )

    async def connections(self) -> tuple[Connection, ...]:
        """The organisations this grant reaches, those of earlier consents too."""
        call = Call("connections", "GET", "/connections", Lane.PERSON)
        found = (await self._transport.send(call)).read(_CONNECTIONS)
        return tuple(c for c in map(read.read_connection, found) if c is not None)

    async def remove(self, connection: str) -> None:
        """Leaves an organisation, by the connection's id. Raises NotVisible where it is gone."""
        path = f"/connections/{connection}"
        await self._transport.send(Call("connections.remove", "DELETE", path, Lane.PERSON))
