"""Moving every stored secret under a new key, so that the old one can be thrown away."""

from dataclasses import dataclass

from onecore.engine import db
from onecore.engine.service import Service
from onecore.engine.use import workspaces
from onecore.store import audit, sealed


@dataclass(frozen=True, slots=True)
class Resealed:
    """Secrets by what became of them; `unreadable` names the places no key here opens."""

    current: int
    moved: int
    unreadable: tuple[str, ...]


def reseal(service: Service, actor: str, dry_run: bool = False) -> Resealed:
    """Seal everything under the first key of ONECORE_SECRET_KEY; safe while others work.

    What cannot be opened stays as it is. `dry_run` says what would be done.
    """
    found = sealed.rotate(service.vault.keyring, dry_run)
    result = Resealed(
        current=sum(one.current for one in found),
        moved=sum(one.moved for one in found),
        unreadable=tuple(place for one in found for place in one.unreadable),
    )
    if result.moved and not dry_run:
        with db.committing("rotation.noted"):
            for workspace, _ in workspaces.names():
                audit.record(workspace, service.clock.now(), actor, "secrets.rotated")
    return result
