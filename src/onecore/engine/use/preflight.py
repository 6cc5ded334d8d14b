"""A walk over every project before switching on: what is wrong, and who can mend it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from onecore.domain.chart import AccountClass
from onecore.domain.gaps import Gap
from onecore.domain.ids import ProjectId, WorkspaceId
from onecore.engine import db
from onecore.engine.context import Books, Context
from onecore.engine.service import Service
from onecore.engine.use.live import Live, live_lines
from onecore.engine.use.remedies import CURES, ELSEWHERE
from onecore.engine.use.switching import gaps_of
from onecore.engine.use.workspaces import show
from onecore.ports import NotVisible, Project

ADMIN = "A company admin in Procore: App Management, OneCore, permitted projects"
TOOLS = ("commitments",)
"""Tools a claim is read from; a project that does not list one is taken to have it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found. `blocks`: documents would be held or not seen; `warns`: good to know."""

    severity: Literal["blocks", "warns"]
    project: int | None  # None: about the whole workspace
    project_label: str
    code: str
    subject: str
    detail: str
    who: str


async def preflight(service: Service, workspace: WorkspaceId) -> list[Finding]:
    """Everything found, what blocks first; nothing is changed. Raises what the remotes raise."""
    ctx = await service.context(workspace)
    found = await db.run(_connections, workspace)
    for books in ctx.books.values():
        found += await _organisation(ctx, books)
    live = await live_lines(ctx)
    if not live.projects:
        detail = "Procore shows no active project to this app."
        found.append(Finding("blocks", None, "", "no_project", "", detail, ADMIN))
    for project, said in live.hidden:
        found += await _hidden(ctx, project, said)
    hidden = {project.id for project, _ in live.hidden}
    for project in live.projects:
        if project.id not in hidden:
            found += await _tools(ctx, project)
    found += await _gaps(ctx, live)
    return sorted(found, key=lambda f: (f.severity != "blocks", f.project or 0))


def _connections(workspace: WorkspaceId) -> list[Finding]:
    seen = show(workspace)
    found = [
        Finding(
            "blocks", None, "", "connection_broken", one.id, f"{one.label}: {one.broken}",
            f"An owner, in OneCore: connect {one.remote.title()} again",
        )
        for one in seen.connections
        if one.broken
    ]  # fmt: skip
    if not any(one.remote == "xero" for one in seen.connections):
        detail = "The workspace is connected to no Xero organisation."
        who = "An owner, in OneCore: onecore connect xero -w NAME"
        found.append(Finding("blocks", None, "", "xero_unconnected", "", detail, who))
    if seen.paused:
        detail = "The workspace is paused: nothing is read or posted."
        who = "An owner, in OneCore: onecore resume -w NAME"
        found.append(Finding("warns", None, "", "paused", "", detail, who))
    return found


async def _organisation(ctx: Context, books: Books) -> list[Finding]:
    """What the organisation's own facts say against the settings."""
    facts = await books.lists.organisation()
    settings = ctx.settings(None, None, books.organisation)
    found = []
    lock = facts.locked_until
    if lock is not None and settings.cut_over <= lock:
        detail = (
            f"{facts.name} is locked up to {lock:%d %B %Y}, and the cut-over is "
            f"{settings.cut_over:%d %B %Y}: claims dated in between would be "
            + ("held." if settings.policies.locked_period == "hold" else "dated the day after.")
        )
        who = "The accountant: a later `cut_over`, or an earlier lock date in Xero"
        found.append(Finding("warns", None, "", "period_locked", lock.isoformat(), detail, who))
    code = settings.retention.payable.account
    accounts = {account.code: account for account in await books.lists.accounts()}
    if code in accounts and accounts[code].klass is not AccountClass.LIABILITY:
        detail = (
            f"Retention is held on account {code} {accounts[code].name}, which is of class "
            f"{accounts[code].klass.lower()}; money kept from subcontractors is a liability."
        )
        who = "The accountant: another account under `retention: payable`"
        found.append(Finding("warns", None, "", "retention_account_class", code, detail, who))
    return found


async def _hidden(ctx: Context, project: Project, said: str) -> list[Finding]:
    """Why the contracts of a listed project cannot be seen: its tool is off, or a permission."""
    by_tool = await _tools(ctx, project)
    if by_tool:
        return by_tool
    detail = f"Procore does not show this project's commitments to the app ({said})."
    who = f"{ADMIN}; the service account needs Admin on the project's Commitments tool"
    return [_finding(project, "project_hidden", str(project.id), detail, who)]


async def _tools(ctx: Context, project: Project) -> list[Finding]:
    try:
        on = await ctx.procore.tools(project.id)
    except NotVisible as hidden:
        detail = f"Procore does not show this project to the app ({hidden.detail})."
        return [_finding(project, "project_hidden", str(project.id), detail, ADMIN)]
    return [
        _finding(
            project, "tool_off", tool, f"The tool {tool.title()} is off in this project.",
            "A project admin in Procore: Admin, tool settings",
        )
        for tool in TOOLS
        if on.get(tool) is False
    ]  # fmt: skip


def _finding(project: Project, code: str, subject: str, detail: str, who: str) -> Finding:
    return Finding("blocks", int(project.id), project.label, code, subject, detail, who)


async def _gaps(ctx: Context, live: Live) -> list[Finding]:
    """Every gap of every project's live contracts, once for each project it is in."""
    of = await gaps_of(ctx, live)
    labels = {project.id: project.label for project in live.projects}
    seen: dict[tuple[ProjectId, str, str], Gap] = {}
    for line in live.lines:
        for gap in of(line):
            seen.setdefault((line.project, gap.code, gap.subject), gap)
    return [
        Finding("blocks", int(project), labels[project], code, subject, gap.detail, who_mends(code))
        for (project, code, subject), gap in seen.items()
    ]


def who_mends(code: str) -> str:
    """Who can settle a gap, and where."""
    if code in CURES:
        return "Whoever maps, in OneCore: onecore match, or the mapping pages"
    return ELSEWHERE.get(code, ("", "See the details"))[1]


def blocks(findings: Iterable[Finding]) -> bool:
    """Whether anything found would hold documents."""
    return any(finding.severity == "blocks" for finding in findings)
