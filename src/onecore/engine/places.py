"""The settings that hold at each place of a workspace document, each worked out once."""

from onecore.domain.ids import CommitmentId, OrganisationId, ProjectId
from onecore.domain.settings import EffectiveSettings, WorkspaceDocument
from onecore.engine import config


class Places:
    """One document's places: its projects, the contracts with settings of their own, and all
    others alike."""

    def __init__(self, document: WorkspaceDocument) -> None:
        self.document = document
        self._projects = {row.project for row in document.projects}
        self._contracts = {row.contract for row in document.contracts}
        self._found: dict[
            tuple[ProjectId | None, CommitmentId | None, OrganisationId | None], EffectiveSettings
        ] = {}
        self._routes: dict[ProjectId | None, OrganisationId | None] = {}

    def settings(
        self,
        project: ProjectId | None,
        contract: CommitmentId | None,
        organisation: OrganisationId | None,
    ) -> EffectiveSettings:
        """What holds for a contract of a project in an organisation."""
        place = (
            project if project in self._projects else None,
            contract if contract in self._contracts else None,
            organisation,
        )
        if place not in self._found:
            self._found[place] = config.effective(self.document, *place)
        return self._found[place]

    def organisation_of(self, project: ProjectId) -> OrganisationId | None:
        """Where a project's documents go."""
        place = project if project in self._projects else None
        if place not in self._routes:
            self._routes[place] = self.document.organisation_of(project)
        return self._routes[place]
