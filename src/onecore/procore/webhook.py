"""Procore's deliveries: are they from our hook, and what do they say. Pure; nothing is fetched."""

from dataclasses import dataclass

import msgspec

from onecore.domain.ids import CompanyId, ProjectId
from onecore.http.wire import Reader, Unreadable


class BadEvent(ValueError):
    """A delivery that names no company or no resource; its message holds no content."""


@dataclass(frozen=True, slots=True)
class ProcoreEvent:
    """A hint that something changed. `resource` is Procore's name for its kind, `reason` create,
    update, delete, or a word we do not know; `event_id` tells a repeated delivery."""

    company: CompanyId
    project: ProjectId | None
    resource: str
    id: str
    reason: str
    event_id: str = ""


class _Payload(msgspec.Struct):
    """Fields of v2.0, v3.0 (`resource_name`, `event_type`) and v4.0 (`resource_type`, `reason`)."""

    company_id: int | None = None
    project_id: int | None = None
    resource_id: str | int | None = None
    resource_name: str | None = None
    resource_type: str | None = None
    event_type: str | None = None
    reason: str | None = None
    id: str | int | None = None
    ulid: str | None = None


_PAYLOAD = Reader(_Payload)


def event(raw: bytes) -> ProcoreEvent:
    """What a delivery says; raises BadEvent when it cannot be read."""
    try:
        told = _PAYLOAD.read(raw)
    except Unreadable:
        raise BadEvent("The delivery is no event of a known version.") from None
    resource = told.resource_name or told.resource_type or ""
    if told.company_id is None or not resource or told.resource_id is None:
        raise BadEvent("The delivery lacks its company or its resource.")
    return ProcoreEvent(
        company=CompanyId(told.company_id),
        project=ProjectId(told.project_id) if told.project_id is not None else None,
        resource=resource,
        id=str(told.resource_id),
        reason=told.event_type or told.reason or "",
        event_id=told.ulid or (str(told.id) if told.id is not None else ""),
    )
