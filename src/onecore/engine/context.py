"""One workspace at work: its document, its clients, its lists, its digests."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import lru_cache

from onecore.domain.chart import BusinessDay, Chart
from onecore.domain.ids import (
    CommitmentId,
    CompanyId,
    OrganisationId,
    ProjectId,
    WorkspaceId,
)
from onecore.domain.settings import EffectiveSettings, WorkspaceDocument
from onecore.engine import calls, config, db
from onecore.engine.calendars import business_day
from onecore.engine.grants import GrantTokens
from onecore.engine.pace import USUAL_TEMPO, Paces, Tempo
from onecore.engine.places import Places
from onecore.engine.references import ProcoreLists, References, XeroLists
from onecore.engine.remotes import Remotes
from onecore.ports import AccessLost, Clock, HooksPort, Lane, ProcorePort, Remote, XeroPort
from onecore.store.allowances import Key
from onecore.store.leases import Owner
from onecore.store.models import ConfigVersion, Grant, Workspace, WorkspaceOrganisation
from onecore.store.vault import Vault
from onecore.sync.fields import Digest

DIGESTS = 10_000
"""How many are remembered while one context is in use: those of some two hundred bills."""


async def refuse_to_write() -> None:
    """The guard of clients that were made for reading."""
    raise RuntimeError("This client reads; writing needs the organisation's lease.")


class NotConnected(Exception):
    """A workspace lacks one of its remotes; the message says which and how to connect it."""


@dataclass(slots=True)
class Books:
    """One Xero organisation as one workspace reaches it."""

    grant: int
    organisation: OrganisationId
    calls: Key  # what Xero counts their calls under
    xero: XeroPort
    lists: XeroLists

    def in_lane(self, lane: Lane) -> "Books":
        xero = self.xero.in_lane(lane)
        return replace(self, xero=xero, lists=self.lists.by(xero))


@dataclass(slots=True)
class Context:
    """What every use case about one workspace starts from."""

    workspace: WorkspaceId
    name: str
    web_base_url: str
    places: Places
    config_number: int
    digest: Digest
    clock: Clock
    vault: Vault
    procore: ProcorePort
    procore_grant: int
    procore_calls: Key  # what Procore counts calls under: the app, whatever the workspace
    lists: ProcoreLists
    books: dict[OrganisationId, Books]
    is_business_day: BusinessDay = field(default=business_day)

    @property
    def document(self) -> WorkspaceDocument:
        return self.places.document

    def in_lane(self, lane: Lane) -> "Context":
        """The same workspace, all of whose calls to the remotes are made in that lane."""
        procore = self.procore.in_lane(lane)
        books = {organisation: one.in_lane(lane) for organisation, one in self.books.items()}
        return replace(self, procore=procore, lists=self.lists.by(procore), books=books)

    def settings(
        self,
        project: ProjectId | None,
        contract: CommitmentId | None,
        organisation: OrganisationId | None,
    ) -> EffectiveSettings:
        return self.places.settings(project, contract, organisation)

    async def chart(
        self,
        project: ProjectId,
        contract: CommitmentId | None,
        organisation: OrganisationId,
        max_age: timedelta | None = None,
    ) -> Chart:
        """What translation looks up for one contract's documents, lists at most `max_age` old."""
        lists = self.books[organisation].lists
        accounts = await lists.accounts_by_code(max_age)
        rates = await lists.tax_rates_by_type(max_age)
        contacts = await lists.contacts_by_id(max_age)
        return Chart(
            organisation=await lists.organisation(max_age),
            settings=self.settings(project, contract, organisation),
            accounts=accounts,
            tax_rates=rates,
            contacts=contacts,
            categories=await lists.categories(max_age),
            is_business_day=self.is_business_day,
        )


@dataclass(frozen=True, slots=True)
class Rows:
    """The stored part of a context, read in one go."""

    workspace: Workspace
    config: ConfigVersion
    procore_grant: Grant | None
    organisations: list[WorkspaceOrganisation]


def read_rows(workspace: WorkspaceId) -> Rows:
    row = Workspace.objects.get(pk=workspace)
    newest = ConfigVersion.objects.filter(workspace=row).order_by("-number").first()
    if newest is None:
        raise NotConnected(f"Workspace {row.name} has no settings; import a workspace document.")
    return Rows(
        workspace=row,
        config=newest,
        procore_grant=Grant.objects.filter(workspace=row, remote=Remote.PROCORE.value)
        .order_by("-renewed_at")
        .first(),
        organisations=list(
            WorkspaceOrganisation.objects.filter(workspace=row).select_related(
                "organisation", "grant"
            )
        ),
    )


class Contexts:
    """Makes contexts; keeps clients, tokens and lists of a workspace between uses."""

    def __init__(
        self,
        remotes: Remotes,
        vault: Vault,
        clock: Clock,
        tempo: Tempo = USUAL_TEMPO,
        owner: Owner | None = None,
    ) -> None:
        self._owner = owner
        self.remotes = remotes
        self.vault = vault
        self.clock = clock
        self.calls = calls.Accounts(clock)
        self.paces = Paces(clock, self.calls, tempo)
        self._tokens: dict[int, GrantTokens] = {}
        self._references: dict[WorkspaceId, References] = {}
        self._places: dict[WorkspaceId, Places] = {}

    def tokens(self, grant: int) -> GrantTokens:
        if grant not in self._tokens:
            self._tokens[grant] = GrantTokens(
                grant, self.remotes, self.vault, self.clock, self._owner
            )
        return self._tokens[grant]

    def references(self, workspace: WorkspaceId) -> References:
        if workspace not in self._references:
            self._references[workspace] = References(workspace, self.vault, self.clock)
        return self._references[workspace]

    async def of(
        self,
        workspace: WorkspaceId,
        before_write: Callable[[], Awaitable[None]] | None = None,
    ) -> Context:
        """The context as the rows have it now. Raises NotConnected or AccessLost.

        Without `before_write` its Xero clients are for reading: the engine alone writes, under
        the organisation's lease.
        """
        rows = await db.run(read_rows, workspace)
        row = rows.workspace
        grant = rows.procore_grant
        if grant is None or row.company_id is None:
            raise NotConnected(
                f"Workspace {row.name} is not connected to Procore. "
                f"Run: onecore connect procore -w {row.name!r} --company-id N"
            )
        if grant.broken:
            raise AccessLost(Remote.PROCORE, "connection", grant.broken)
        references = self.references(workspace)
        await db.run(references.drop_outdated)
        app = calls.of_app(Remote.PROCORE, grant.client_id)
        procore = self.remotes.procore(
            CompanyId(row.company_id),
            self.tokens(grant.pk),
            self.calls.of(app, workspace),
            app.scope,
        )
        return Context(
            workspace=workspace,
            name=row.name,
            web_base_url=row.web_base_url,
            places=self._places_of(workspace, config.read(rows.config.text)),
            config_number=rows.config.number,
            # The same few values are digested again and again while documents are looked at.
            digest=lru_cache(DIGESTS)(self.vault.digest(row.digest_key, f"workspace:{row.pk}")),
            clock=self.clock,
            vault=self.vault,
            procore=procore,
            procore_grant=grant.pk,
            procore_calls=app,
            lists=ProcoreLists(references, procore),
            books=self._books(rows.organisations, references, before_write),
        )

    def _places_of(self, workspace: WorkspaceId, document: WorkspaceDocument) -> Places:
        """What was worked out before, as long as the document is the very same."""
        known = self._places.get(workspace)
        if known is None or known.document is not document:
            known = self._places[workspace] = Places(document)
        return known

    async def hooks_of(self, workspace: WorkspaceId) -> tuple[Context, HooksPort]:
        """The context and the management of its company's webhooks."""
        ctx = await self.of(workspace)
        rows = await db.run(read_rows, workspace)
        assert rows.procore_grant is not None
        company = CompanyId(rows.workspace.company_id or 0)
        tokens = self.tokens(rows.procore_grant.pk)
        app = calls.of_app(Remote.PROCORE, rows.procore_grant.client_id)
        log = self.calls.of(app, workspace)
        remote = self.remotes.procore_hooks(company, tokens, log, app.scope)
        return ctx, remote

    def _books(
        self,
        rows: list[WorkspaceOrganisation],
        references: References,
        before_write: Callable[[], Awaitable[None]] | None,
    ) -> dict[OrganisationId, Books]:
        books: dict[OrganisationId, Books] = {}
        for row in rows:
            organisation = OrganisationId(row.organisation_id)
            key = calls.of_organisation(row.grant.client_id, organisation)
            xero = self.remotes.xero(
                None if row.custom else organisation,
                self.tokens(row.grant_id),
                self.calls.of(key, WorkspaceId(row.workspace_id)),
                before_write or refuse_to_write,
                str(organisation),
            )
            lists = XeroLists(references, organisation, xero)
            books[organisation] = Books(row.grant_id, organisation, key, xero, lists)
        return books
