"""Processes that need an access token, all at the same moment (`tests.fork_server`)."""

import hashlib
import json
import time
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from tests.worker_process import warm

__all__ = ["do", "warm"]


def do(said: dict[str, Any]) -> None:
    """Prints (grant, version, digest of the token) of each grant it was told.

    `at` is when it begins, `refused` the version of a token that a remote has refused, `ahead`
    how many seconds its clock is wrong, `crash` the point it dies at.
    """
    from onecore import crash
    from onecore.app import HttpRemotes
    from onecore.engine.service import Service
    from onecore.ports import Token
    from onecore.store.secrets import Keyring
    from onecore.store.vault import Vault
    from tests.desk import SECRET, MovableClock, settings_for

    if said.get("crash"):
        crash.die_at(said["crash"])
    clock = MovableClock()
    clock.offset = timedelta(seconds=said.get("ahead", 0))
    there = SimpleNamespace(
        procore=SimpleNamespace(url=said["procore"]), xero=SimpleNamespace(url=said["xero"])
    )
    settings = settings_for(there)  # type: ignore[arg-type]
    service = Service(settings, HttpRemotes(settings, clock), Vault(Keyring([SECRET])), clock)

    async def got() -> list[Any]:
        found = []
        for grant in said["grants"]:
            tokens = service.contexts.tokens(grant)
            if "refused" in said:
                token = await tokens.renew(Token("stale", clock.now(), said["refused"]))
            else:
                token = await tokens.current()
            found.append([grant, token.version, hashlib.sha256(token.value.encode()).hexdigest()])
        return found

    time.sleep(max(0.0, said["at"] - time.time()))
    try:
        print(json.dumps(service.run(got(), timeout=90)))
    finally:
        service.close()
