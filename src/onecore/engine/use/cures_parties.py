"""Cures about whose a document is: a vendor without a contact, a contact that is gone."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from uuid import UUID

from onecore.domain.chart import Contact
from onecore.domain.ids import ContactId, VendorId
from onecore.domain.settings import PartyRow
from onecore.engine import config, matching
from onecore.engine.use.choices import NOW, Option
from onecore.engine.use.cures import Case, Cure, Edit, number_in
from onecore.engine.use.errors import NotFound, UseError
from onecore.ports import Vendor


async def vendor_of(case: Case) -> Vendor:
    """The vendor a gap is about. Raises NotFound."""
    wanted = number_in(case.subject, "vendor")
    for max_age in (None, NOW):
        for vendor in await case.ctx.lists.vendors(max_age):
            if vendor.id == wanted:
                return vendor
    raise NotFound(f"Procore's company directory shows no vendor {case.subject}.")


def _contact_options(
    vendor: Vendor, contacts: Iterable[Contact], taken: Iterable[ContactId]
) -> list[Option]:
    """The likeliest first, with why; then every other active contact by name."""
    active = {contact.id: contact for contact in contacts if contact.active}
    likely = matching.contact_candidates(vendor, contacts, set(taken))
    options = [
        Option(str(s.target), active[s.target].name, s.score, "; ".join(s.reasons))
        for s in likely
        if s.target in active
    ]
    named = {option.value for option in options}
    rest = sorted(active.values(), key=lambda contact: contact.name.casefold())
    return options + [Option(str(c.id), c.name) for c in rest if str(c.id) not in named]


class VendorCure(Cure):
    """vendor_unmapped: the subject is the vendor's id."""

    may_create = "contact"

    async def question(self, case: Case) -> str:
        return f"Which contact in Xero is {(await vendor_of(case)).name}?"

    async def options(self, case: Case) -> Sequence[Option]:
        vendor = await vendor_of(case)
        taken = [row.contact for row in case.ctx.document.base.vendors if row.vendor != vendor.id]
        return _contact_options(vendor, await case.books.lists.contacts(NOW), taken)

    async def edit(self, case: Case, value: str) -> Edit:
        vendor = VendorId(number_in(case.subject, "vendor"))
        contact = contact_id(value)
        return lambda text: config.set_vendor(text, vendor, contact, case.scope)


class ContactCure(Cure):
    """contact_unknown, contact_archived: the subject is the contact's id."""

    async def question(self, case: Case) -> str:
        names = ", ".join([vendor.name for vendor in await self._vendors(case)])
        return (
            f"The contact of {names or 'a vendor'} is archived or gone in Xero. Which one is it "
            "now? (Restoring it in Xero settles it too.)"
        )

    async def options(self, case: Case) -> Sequence[Option]:
        contacts = await case.books.lists.contacts(NOW)
        vendors = await self._vendors(case)
        if vendors:
            return _contact_options(vendors[0], contacts, ())
        return [Option(str(c.id), c.name) for c in contacts if c.active]

    async def edit(self, case: Case, value: str) -> Edit:
        contact = contact_id(value)
        rows = [replace(row, contact=contact) for row in self._rows(case)]
        if not rows:
            raise NotFound("No vendor is mapped to this contact any more.")
        return lambda text: config.set_vendors(text, rows)

    def _rows(self, case: Case) -> list[PartyRow]:
        return [r for r in case.ctx.document.base.vendors if str(r.contact) == case.subject]

    async def _vendors(self, case: Case) -> list[Vendor]:
        ids = {row.vendor for row in self._rows(case)}
        return [vendor for vendor in await case.ctx.lists.vendors() if vendor.id in ids]


def contact_id(value: str) -> ContactId:
    try:
        return ContactId(UUID(value))
    except ValueError:
        raise UseError(f"{value!r} is no contact's id.") from None
