"""Lists that mappings point at (accounts, cost codes, vendors…): sealed, with their age.

They are labels of settings, not documents. A list is read again when it is older than its kind
allows, when a person asks, or when a document is held because something in it was missing.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

import msgspec

from onecore.domain.chart import Account, Category, Contact, Organisation, TaxRate
from onecore.domain.documents import CostCode
from onecore.domain.ids import (
    AccountCode,
    ContactId,
    OrganisationId,
    ProjectId,
    TaxType,
    WorkspaceId,
)
from onecore.domain.money import Currency
from onecore.engine import db
from onecore.ports import Clock, Commitment, CostType, ProcorePort, Project, Vendor, XeroPort
from onecore.store.models import ReferenceList
from onecore.store.vault import Vault

T = TypeVar("T")
E = TypeVar("E")
K = TypeVar("K")

AGES = {
    "organisation": timedelta(minutes=5),  # its lock dates decide what may be posted
    "currencies": timedelta(hours=12),
    "accounts": timedelta(hours=6),
    "tax_rates": timedelta(hours=12),
    "categories": timedelta(hours=6),
    "contacts": timedelta(hours=6),
    "projects": timedelta(minutes=30),
    "vendors": timedelta(hours=6),
    "cost_types": timedelta(hours=12),
    "cost_codes": timedelta(hours=6),
    "commitments": timedelta(hours=1),
}
MISSING_AGE = timedelta(seconds=30)
"""When a document is held for want of an entry, its list is read again if it is older than this."""
CLOCKS_DIFFER = timedelta(minutes=1)
"""How far Procore's clock and ours are thought to be apart at most."""


@dataclass(slots=True)
class _Kept:
    value: Any
    fetched_at: datetime
    by: Mapping[Any, Any] | None = None  # its entries by what they are looked up by


class References:
    """The reference lists of one workspace, in memory and, sealed, in the database."""

    def __init__(self, workspace: WorkspaceId, vault: Vault, clock: Clock) -> None:
        self.workspace = workspace
        self._vault = vault
        self._clock = clock
        self._kept: dict[tuple[str, str], _Kept] = {}

    async def get(
        self,
        scope: str,
        kind: str,
        of: type[T],
        fetch: Callable[[], Awaitable[T]],
        max_age: timedelta | None = None,
    ) -> T:
        """The list, read afresh through `fetch` when the one kept is too old."""
        kept = await self._get(scope, kind, of, fetch, max_age)
        return kept.value  # type: ignore[no-any-return]

    async def get_by(
        self,
        key: Callable[[E], K],
        scope: str,
        kind: str,
        of: type[tuple[E, ...]],
        fetch: Callable[[], Awaitable[tuple[E, ...]]],
        max_age: timedelta | None = None,
    ) -> Mapping[K, E]:
        """The list's entries by what they are looked up by, which is the same for all who ask."""
        kept = await self._get(scope, kind, of, fetch, max_age)
        if kept.by is None:
            kept.by = {key(entry): entry for entry in kept.value}
        return kept.by

    async def _get(
        self,
        scope: str,
        kind: str,
        of: type[T],
        fetch: Callable[[], Awaitable[T]],
        max_age: timedelta | None,
    ) -> _Kept:
        limit = AGES[kind] if max_age is None else max_age
        kept = self._kept.get((scope, kind))
        if kept is None or self._clock.now() - kept.fetched_at > limit:
            kept = await db.run(self._load, scope, kind, of)
        if kept is None or self._clock.now() - kept.fetched_at > limit:
            kept = _Kept(await fetch(), self._clock.now())
            await db.commit("list.kept", self._save, scope, kind, kept)
        self._kept[scope, kind] = kept
        return kept

    def _bound(self, scope: str, kind: str) -> str:
        return f"references:{self.workspace}:{scope}:{kind}"

    def _load(self, scope: str, kind: str, of: type[T]) -> _Kept | None:
        row = ReferenceList.objects.filter(
            workspace_id=self.workspace, scope=scope, kind=kind
        ).first()
        if row is None:
            return None
        text = self._vault.open(row.payload, self._bound(scope, kind))
        return _Kept(msgspec.json.decode(text, type=of), row.fetched_at)

    def _save(self, scope: str, kind: str, kept: _Kept) -> None:
        text = msgspec.json.encode(kept.value).decode()
        ReferenceList.objects.update_or_create(
            workspace_id=self.workspace,
            scope=scope,
            kind=kind,
            defaults={
                "payload": self._vault.seal(text, self._bound(scope, kind)),
                "fetched_at": kept.fetched_at,
            },
        )

    def drop_outdated(self) -> None:
        """Forget what the database has otherwise: read afresh elsewhere, or marked as stale."""
        stored = self.ages()
        for key, kept in list(self._kept.items()):
            if stored.get(key) != kept.fetched_at:
                del self._kept[key]

    def ages(self) -> dict[tuple[str, str], datetime]:
        """When each list of the workspace was last read, by scope and kind."""
        rows = ReferenceList.objects.filter(workspace_id=self.workspace)
        told = rows.values_list("scope", "kind", "fetched_at")
        return {(scope, kind): fetched_at for scope, kind, fetched_at in told}


class ProcoreLists:
    """Procore's lists of one workspace."""

    def __init__(self, references: References, procore: ProcorePort) -> None:
        self._references = references
        self._procore = procore

    def by(self, procore: ProcorePort) -> "ProcoreLists":
        """The same lists, read through another view of the client."""
        return ProcoreLists(self._references, procore)

    async def projects(self, max_age: timedelta | None = None) -> tuple[Project, ...]:
        return await self._references.get(
            "company", "projects", tuple[Project, ...], self._procore.projects, max_age
        )

    async def vendors(self, max_age: timedelta | None = None) -> tuple[Vendor, ...]:
        return await self._references.get(
            "company", "vendors", tuple[Vendor, ...], self._procore.vendors, max_age
        )

    async def cost_types(self, max_age: timedelta | None = None) -> tuple[CostType, ...]:
        return await self._references.get(
            "company", "cost_types", tuple[CostType, ...], self._procore.cost_types, max_age
        )

    async def cost_codes(
        self, project: ProjectId, max_age: timedelta | None = None
    ) -> tuple[CostCode, ...]:
        return await self._references.get(
            f"project:{project}",
            "cost_codes",
            tuple[CostCode, ...],
            lambda: self._procore.cost_codes(project),
            max_age,
        )

    async def commitments(
        self, project: ProjectId, max_age: timedelta | None = None
    ) -> tuple[Commitment, ...]:
        """Contracts without their lines, which are read live where they are needed."""
        return await self._references.get(
            f"project:{project}",
            "commitments",
            tuple[Commitment, ...],
            lambda: self._procore.commitments(project, lines=False),
            max_age,
        )


class XeroLists:
    """Xero's lists of one organisation, as a workspace sees them."""

    def __init__(
        self, references: References, organisation: OrganisationId, xero: XeroPort
    ) -> None:
        self._references = references
        self._organisation = organisation
        self._scope = f"organisation:{organisation}"
        self._xero = xero

    def by(self, xero: XeroPort) -> "XeroLists":
        """The same lists, read through another view of the client."""
        return XeroLists(self._references, self._organisation, xero)

    async def organisation(self, max_age: timedelta | None = None) -> Organisation:
        """The organisation's facts with its lock dates, and the currencies it may use."""
        facts = await self._references.get(
            self._scope, "organisation", Organisation, self._xero.organisation, max_age
        )
        enabled = await self._references.get(
            self._scope, "currencies", tuple[Currency, ...], self._xero.currencies, max_age
        )
        return replace(facts, currencies=facts.currencies | frozenset(enabled))

    async def accounts(self, max_age: timedelta | None = None) -> tuple[Account, ...]:
        return await self._references.get(
            self._scope, "accounts", tuple[Account, ...], self._xero.accounts, max_age
        )

    async def accounts_by_code(
        self, max_age: timedelta | None = None
    ) -> Mapping[AccountCode, Account]:
        return await self._references.get_by(
            lambda account: account.code,
            self._scope,
            "accounts",
            tuple[Account, ...],
            self._xero.accounts,
            max_age,
        )

    async def tax_rates_by_type(
        self, max_age: timedelta | None = None
    ) -> Mapping[TaxType, TaxRate]:
        return await self._references.get_by(
            lambda rate: rate.type,
            self._scope,
            "tax_rates",
            tuple[TaxRate, ...],
            self._xero.tax_rates,
            max_age,
        )

    async def contacts_by_id(self, max_age: timedelta | None = None) -> Mapping[ContactId, Contact]:
        return await self._references.get_by(
            lambda contact: contact.id,
            self._scope,
            "contacts",
            tuple[Contact, ...],
            self._xero.contacts,
            max_age,
        )

    async def tax_rates(self, max_age: timedelta | None = None) -> tuple[TaxRate, ...]:
        return await self._references.get(
            self._scope, "tax_rates", tuple[TaxRate, ...], self._xero.tax_rates, max_age
        )

    async def categories(self, max_age: timedelta | None = None) -> tuple[Category, ...]:
        return await self._references.get(
            self._scope, "categories", tuple[Category, ...], self._xero.categories, max_age
        )

    async def contacts(self, max_age: timedelta | None = None) -> tuple[Contact, ...]:
        return await self._references.get(
            self._scope, "contacts", tuple[Contact, ...], self._xero.contacts, max_age
        )
