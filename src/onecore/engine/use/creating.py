"""Making a contact or a tracking option in Xero: under the organisation's lease, never twice."""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator
from functools import partial

from onecore.domain.chart import Contact
from onecore.domain.ids import ContactId, OrganisationId, WorkspaceId
from onecore.domain.names import tax_key
from onecore.engine.context import Books, Context
from onecore.engine.leases import before_send, held
from onecore.engine.service import Service
from onecore.engine.use.choices import NOW
from onecore.engine.use.errors import NeedsPerson, OutOfReach
from onecore.ports import Lane, OutcomeUnknown, RequestRefused, Vendor
from onecore.store.leases import LeaseLost

PATIENCE = 30.0
"""Seconds to wait for a lease: whoever posts gives it back after a slice of work."""
OPTION_LENGTH = 100  # characters Xero takes for a tracking option's name


@contextlib.asynccontextmanager
async def writing(
    service: Service, workspace: WorkspaceId, organisation: OrganisationId
) -> AsyncIterator[Context]:
    """A context that may write to the organisation while the block lasts. Raises OutOfReach."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + PATIENCE
    try:
        while True:
            async with held(service.owner, organisation) as lease:
                if lease is not None:
                    ctx = await service.contexts.of(workspace, partial(before_send, lease))
                    yield ctx.in_lane(Lane.PERSON)
                    return
            if loop.time() > deadline:
                raise OutOfReach(
                    "OneCore is busy posting to this organisation. Nothing was made; try again "
                    "in a minute."
                )
            await asyncio.sleep(0.3)
    except LeaseLost:
        raise OutOfReach(
            "Another OneCore process took over this organisation meanwhile. Try again: what was "
            "made already is found, not made twice."
        ) from None


async def contact_of(books: Books, vendor: Vendor) -> ContactId:
    """The vendor's contact: the one there is with its tax number or exact name, else a new one.

    Looks at a fresh list first, so that repeating it after a lost answer makes nothing twice.
    Raises NeedsPerson when Xero's contacts leave it open, OutOfReach when the answer was lost.
    """
    found = like(vendor, await books.lists.contacts(NOW))
    if found is not None:
        return found
    values = (vendor.name.strip(), vendor.abn.strip(), vendor.email.strip())
    try:
        made = await books.xero.add_contact(*values, _key(books.organisation, *values))
    except RequestRefused as refused:
        raise NeedsPerson(
            f"Xero declined a contact for {vendor.name}: {'; '.join(refused.reasons)}. Choose one "
            "of its contacts, or mend the vendor in Procore."
        ) from None
    except OutcomeUnknown:
        found = like(vendor, await books.lists.contacts(NOW))
        if found is None:
            raise _answer_lost() from None
        made = found
    await books.lists.contacts(NOW)
    return made


def like(vendor: Vendor, contacts: tuple[Contact, ...]) -> ContactId | None:
    """The active contact that is this vendor beyond doubt. Raises NeedsPerson for several."""
    active = [contact for contact in contacts if contact.active]
    name, tax = vendor.name.strip().casefold(), tax_key(vendor.abn)
    same_tax = [c for c in active if tax and tax_key(c.tax_number) == tax]
    same_name = [c for c in active if c.name.strip().casefold() == name]
    if len(same_tax) == 1:
        return same_tax[0].id
    if same_tax:
        both = [c for c in same_name if c in same_tax]
        if len(both) == 1:
            return both[0].id
        raise NeedsPerson(
            f"{len(same_tax)} contacts in Xero carry the tax number of {vendor.name}. Choose the "
            "right one, or merge them in Xero."
        )
    for contact in same_name:
        if tax and tax_key(contact.tax_number):
            raise NeedsPerson(
                f"Xero has a contact named {contact.name} with another tax number. Choose it if "
                "it is the same business, or rename one of them."
            )
    return same_name[0].id if same_name else None


async def option_named(books: Books, category: str, name: str) -> str:
    """The name of the category's active option of that name, made first if there is none."""
    name = name.strip()[:OPTION_LENGTH]
    if there := await _option(books, category, name):
        return there
    row = next(c for c in await books.lists.categories() if c.active and _same(c.name, category))
    try:
        await books.xero.add_option(row.id, name)
    except (RequestRefused, OutcomeUnknown) as trouble:
        if there := await _option(books, category, name):
            return there
        if isinstance(trouble, OutcomeUnknown):
            raise _answer_lost() from None
        raise NeedsPerson(
            f"Xero declined the option {name}: {'; '.join(trouble.reasons)}. An archived option "
            "of that name has to be restored in Xero."
        ) from None
    await books.lists.categories(NOW)
    return name


async def _option(books: Books, category: str, name: str) -> str | None:
    for row in await books.lists.categories(NOW):
        if row.active and _same(row.name, category):
            return next((o.name for o in row.options if o.active and _same(o.name, name)), None)
    raise NeedsPerson(
        f"There is no active tracking category {category} in Xero. Restore it there, or name "
        "another one in the settings (tracking)."
    )


def _same(one: str, other: str) -> bool:
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()


def _key(organisation: OrganisationId, *values: str) -> str:
    """Names exactly this contact, so that Xero itself knows a repetition for a few minutes."""
    parts = "\n".join([str(organisation), *values])
    return f"contact-{hashlib.sha256(parts.encode()).hexdigest()}"


def _answer_lost() -> OutOfReach:
    return OutOfReach(
        "Xero's answer was lost, so it is not known whether it was made. Try again in a minute: "
        "what is there is found first, so nothing is made twice."
    )
