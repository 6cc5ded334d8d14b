"""Xero's deliveries: are they signed with our key, and what do they say. Pure [X 9]."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec

from onecore.domain.ids import OrganisationId
from onecore.http.wire import Reader, Unreadable


class BadDelivery(ValueError):
    """A body that is no delivery; its message holds no content."""


@dataclass(frozen=True, slots=True)
class XeroEvent:
    """A hint that something changed. `category` may be a word we do not know."""

    organisation: OrganisationId
    category: str
    resource_id: UUID
    event_type: str


class _Event(msgspec.Struct, rename="camel"):
    tenant_id: UUID | None = None
    resource_id: UUID | None = None
    event_category: str | None = None
    event_type: str | None = None
    tenant_type: str | None = None


class _Delivery(msgspec.Struct, rename="camel"):
    events: list[msgspec.Raw] | None = None


_DELIVERY = Reader(_Delivery)
_EVENT = Reader(_Event)


def signature_ok(raw: bytes, header: str, keys: Sequence[str]) -> bool:
    """Whether `x-xero-signature` is that of these very bytes under one of the keys.

    Compared in constant time, with every key whichever fits. An empty key never matches: anyone
    could sign with it.
    """
    given = header.strip().encode("utf-8", "replace")
    fits = False
    for key in filter(None, keys):
        digest = hmac.new(key.encode(), raw, hashlib.sha256).digest()
        fits |= hmac.compare_digest(given, base64.b64encode(digest))
    return fits


def events(raw: bytes) -> tuple[XeroEvent, ...]:
    """The events of a delivery that concern an organisation; none in an intent to receive.

    An event that cannot be read is left out: the sweep will find what it was about. Raises
    BadDelivery when the body as a whole cannot be read.
    """
    try:
        told = _DELIVERY.read(raw).events or ()
    except Unreadable:
        raise BadDelivery("The delivery is no JSON of Xero's shape.") from None
    return tuple(e for e in map(_event, told) if e is not None)


def _event(raw: msgspec.Raw) -> XeroEvent | None:
    try:
        told = _EVENT.read(bytes(raw))
    except Unreadable:
        return None
    if told.tenant_id is None or told.resource_id is None:
        return None
    if told.tenant_type not in (None, "ORGANISATION"):
        return None
    return XeroEvent(
        OrganisationId(told.tenant_id),
        told.event_category or "",
        told.resource_id,
        told.event_type or "",
    )
