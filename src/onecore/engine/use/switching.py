"""Switching flows on and off: how much would post, what stands in the way, and the switch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from onecore.domain.chart import Chart
from onecore.domain.coverage import Coverage, GapsOf, LiveLine, gap_finder
from onecore.domain.coverage import coverage as covered
from onecore.domain.gaps import Gap
from onecore.domain.ids import CommitmentId, ProjectId, WorkspaceId
from onecore.domain.refs import BUILT, Flow
from onecore.domain.settings import Mode, WorkspaceDocument
from onecore.engine import config, db
from onecore.engine.context import Context
from onecore.engine.service import Service
from onecore.engine.use import configuring, workspaces
from onecore.engine.use.errors import NeedsPerson, UseError
from onecore.engine.use.live import Live, live_lines
from onecore.store.models import ConfigVersion

CARRYING = (Mode.APPROVE, Mode.AUTO)
"""Modes in which a flow posts; `preview` and `off` post nothing."""


@dataclass(frozen=True, slots=True)
class Report:
    """Coverage, and the projects whose contracts could not be seen, with what Procore said."""

    coverage: Coverage
    projects: int
    hidden: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Switched:
    """One flow, how it was and how it is now."""

    flow: Flow
    before: Mode
    after: Mode

    @property
    def changed(self) -> bool:
        return self.before is not self.after


class Uncovered(NeedsPerson):
    """Live documents would be held, so nothing was switched on; `report` says which and why."""

    def __init__(self, report: Report) -> None:
        count = len(report.coverage.gaps)
        super().__init__(
            f"{count} {'gap' if count == 1 else 'gaps'} would hold live documents, so nothing was "
            "switched on. See them with: onecore coverage -w NAME; fill them with: onecore match, "
            "the mapping pages, or onecore config import."
        )
        self.report = report


async def coverage(service: Service, workspace: WorkspaceId) -> Report:
    """What share of live contract value would post today; contracts are read live, kept nowhere.

    Raises what the remotes raise.
    """
    ctx = await service.context(workspace)
    live = await live_lines(ctx)
    found = covered(live.lines, await gaps_of(ctx, live))
    return Report(found, len(live.projects), tuple((p.label, said) for p, said in live.hidden))


async def gaps_of(ctx: Context, live: Live) -> GapsOf:
    """Finds what would hold a claim on a live line, by the very rules of translation."""
    own = {row.contract for row in ctx.document.contracts if row.kind == "commitment"}
    charts: dict[tuple[ProjectId, CommitmentId | None], Chart | Gap] = {}
    for line in live.lines:
        key = _key(line, own)
        if key not in charts:
            charts[key] = await _chart(ctx, *key)
    return gap_finder(lambda line: charts[_key(line, own)], ctx.clock.now().date())


def _key(line: LiveLine, own: set[CommitmentId]) -> tuple[ProjectId, CommitmentId | None]:
    """Contracts without a row of their own share their project's chart."""
    return line.project, line.contract if line.contract in own else None


async def _chart(ctx: Context, project: ProjectId, contract: CommitmentId | None) -> Chart | Gap:
    organisation = ctx.document.organisation_of(project)
    if organisation is None or organisation not in ctx.books:
        detail = "The project's documents go to no Xero organisation that is connected."
        return Gap("organisation_unmapped", str(project), detail)
    return await ctx.chart(project, contract, organisation)


async def switch_on(
    service: Service,
    workspace: WorkspaceId,
    flows: Sequence[str],
    actor: str,
    mode: Mode = Mode.AUTO,
) -> list[Switched]:
    """Switch flows on (every flow of this version when none is named); those on stay as they are.

    Raises UseError for a flow that is unknown or not built, Uncovered while a gap would hold a
    live document, and what the remotes raise; nothing is switched then.
    """
    if mode not in CARRYING:
        raise UseError(f"A flow is switched on as auto or approve, not as {mode}.")
    wanted = _flows(flows)
    before = await db.run(lambda: {f: workspaces.mode_of(workspace, f) for f in wanted})
    off = [flow for flow in wanted if before[flow] not in CARRYING]
    if off:
        report = await coverage(service, workspace)
        if report.coverage.gaps:
            raise Uncovered(report)
        switched: dict[Flow, Modes] = {flow: {None: mode} for flow in off}
        await db.run(_set_modes, service, workspace, switched, actor, "switched on")
    return [Switched(f, before[f], mode if f in off else before[f]) for f in wanted]


def pause(
    service: Service, workspace: WorkspaceId, flows: Sequence[str], actor: str
) -> list[Switched]:
    """Pause flows, or the whole workspace when none is named (then the list is empty).

    A paused flow is off, in projects with a mode of their own too; `resume` brings every mode
    back. Nothing said meanwhile is lost: it is looked at when the flow goes on.
    """
    if not flows:
        workspaces.set_paused(service, workspace, True, actor)
        return []
    now = config.read(configuring.export(workspace))
    modes = {flow: _modes(now, flow) for flow in _flows(flows)}
    stopped = {flow: dict.fromkeys(own, Mode.OFF) for flow, own in modes.items() if _on(own)}
    if stopped:
        _set_modes(service, workspace, stopped, actor, "paused")
    return [Switched(flow, _on(own) or Mode.OFF, Mode.OFF) for flow, own in modes.items()]


def resume(
    service: Service, workspace: WorkspaceId, flows: Sequence[str], actor: str
) -> list[Switched]:
    """Go on with flows in the mode they had, or with the whole workspace when none is named.

    Raises UseError for a flow that was never on: that is for `switch_on`, which checks first.
    """
    if not flows:
        workspaces.set_paused(service, workspace, False, actor)
        return []
    now = config.read(configuring.export(workspace))
    modes = {flow: _modes(now, flow) for flow in _flows(flows)}
    wanted = {flow: _last_modes(workspace, flow) for flow, own in modes.items() if not _on(own)}
    if wanted:
        _set_modes(service, workspace, wanted, actor, "resumed")
    return [
        Switched(flow, _on(own) or Mode.OFF, _on(wanted.get(flow, own)) or Mode.OFF)
        for flow, own in modes.items()
    ]


Modes = dict[ProjectId | None, Mode]
"""Modes as the document says them: the workspace's under None, and those of projects' own."""


def _modes(document: WorkspaceDocument, flow: Flow) -> Modes:
    assert flow in BUILT
    modes: Modes = {None: document.base.bill.mode}
    for row in cast(list[dict[str, Any]], document.raw.get("projects", [])):
        own = row.get("overrides", {}).get("flows", {}).get(flow.value, {}).get("mode")
        if own is not None:
            modes[ProjectId(row["project_id"])] = Mode(own)
    return modes


def _on(modes: Modes) -> Mode | None:
    """The first mode that is not off, the workspace's before a project's; None when all are."""
    return next((mode for mode in modes.values() if mode is not Mode.OFF), None)


def _flows(names: Sequence[str]) -> list[Flow]:
    if not names:
        return sorted(BUILT)
    return list(dict.fromkeys(workspaces.checked_flow(name) for name in names))


def _set_modes(
    service: Service, workspace: WorkspaceId, modes: dict[Flow, Modes], actor: str, what: str
) -> None:
    def change(text: str) -> str:
        for flow, own in modes.items():
            for project, mode in own.items():
                text = config.set_flow_mode(text, flow, mode, project)
        return text

    names = ", ".join(sorted(modes))
    configuring.edit(service, workspace, change, actor, f"{names} {what}")


def _last_modes(workspace: WorkspaceId, flow: Flow) -> Modes:
    """The modes the flow had before it was off, from the versions of the document.

    Projects that have gone from the document since are left out.
    """
    versions = ConfigVersion.objects.filter(workspace_id=workspace).order_by("-number")
    now: Modes | None = None
    for text in versions.values_list("text", flat=True).iterator():
        modes = _modes(config.read(text), flow)
        now = modes if now is None else now
        if _on(modes):
            return {project: mode for project, mode in modes.items() if project in now}
    raise UseError(f"The flow {flow} was never on. Switch it on with: onecore switch-on -w NAME")
