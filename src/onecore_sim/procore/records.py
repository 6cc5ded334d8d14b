"""What is asked of any record before it changes."""

from collections.abc import Sequence
from typing import Any

from onecore_sim.procore.core import Core
from onecore_sim.procore.errors import ApiError, not_found
from onecore_sim.procore.state import Commitment, Project


def commitment_of(project: Project, commitment_id: int) -> Commitment:
    commitment = project.commitments.get(commitment_id)
    if commitment is None or commitment.deleted_at:
        raise not_found()
    return commitment


def check_unlocked(core: Core, origin_id: str | None) -> None:
    if origin_id and core.switches.on("origin_id_locks"):
        raise ApiError(422, "The record is synced to an accounting system and cannot be changed")


def take_origin_id(
    core: Core, wanted: str | None, mine: object, all_of_kind: Sequence[Any]
) -> str | None:
    """The origin_id to store; refused when another record of the kind has it, in any project."""
    if wanted and any(x is not mine and x.origin_id == wanted for x in all_of_kind):
        raise ApiError(
            core.switches.number("duplicate_origin_status"),
            "origin_id has already been taken",
            fields={"origin_id": ["has already been taken"]},
        )
    return wanted or None
