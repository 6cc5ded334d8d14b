"""What befalls every app at once: done by a fault just before a call, or by a test at any time."""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from onecore_sim.xero import oauth

if TYPE_CHECKING:
    from onecore_sim.xero.simulator import XeroSimulator


def expire_tokens(sim: "XeroSimulator", asked: dict[str, Any]) -> dict[str, Any]:
    """Every access token given out so far ended a second ago; refresh tokens live on."""
    ended = sim.clock.now() - timedelta(seconds=1)
    for token in sim.state.access_tokens.values():
        token.expires_at = min(token.expires_at, ended)
    return {"expired": len(sim.state.access_tokens)}


def revoke_all(sim: "XeroSimulator", asked: dict[str, Any]) -> dict[str, Any]:
    live = [grant for grant in sim.state.grants.values() if not grant.revoked]
    for grant in live:
        oauth.revoke_grant(sim, grant)
    return {"revoked": len(live)}


def disconnect_all(sim: "XeroSimulator", asked: dict[str, Any]) -> dict[str, Any]:
    gone = len(sim.state.connections)
    sim.state.connections.clear()
    return {"disconnected": gone}


ACTS: dict[str, Callable[["XeroSimulator", dict[str, Any]], dict[str, Any]]] = {
    "expire_tokens": expire_tokens,
    "revoke_all": revoke_all,
    "disconnect_all": disconnect_all,
}
