"""The lines of contracts in force, read live: what mapping and coverage are about."""

import asyncio
from dataclasses import dataclass

from onecore.domain.coverage import LiveLine
from onecore.domain.ids import VendorId
from onecore.engine.context import Context
from onecore.engine.use.choices import NOW
from onecore.ports import Commitment, NotVisible, Project

AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Live:
    """Lines of live contracts of the projects in force, and projects whose contracts are hidden."""

    projects: tuple[Project, ...]
    lines: tuple[LiveLine, ...]
    hidden: tuple[tuple[Project, str], ...] = ()  # with what Procore said


async def live_lines(ctx: Context) -> Live:
    """Every line of every live contract that can be seen; nothing of it is kept.

    Raises what Procore raises, but for a project that is hidden, which is named instead.
    """
    projects = tuple(p for p in await ctx.lists.projects(NOW) if p.active)
    names = {vendor.id: vendor.name for vendor in await ctx.lists.vendors()}
    gate = asyncio.Semaphore(AT_ONCE)

    async def of(project: Project) -> tuple[Commitment, ...]:
        async with gate:
            return await ctx.procore.commitments(project.id, lines=True)

    answers = await asyncio.gather(*map(of, projects), return_exceptions=True)
    lines: list[LiveLine] = []
    hidden: list[tuple[Project, str]] = []
    for project, answer in zip(projects, answers, strict=True):
        if isinstance(answer, NotVisible):
            hidden.append((project, answer.detail))
        elif isinstance(answer, BaseException):
            raise answer
        else:
            lines += _of(project, answer, names)
    return Live(projects, tuple(lines), tuple(hidden))


def _of(
    project: Project, commitments: tuple[Commitment, ...], names: dict[VendorId, str]
) -> list[LiveLine]:
    return [
        LiveLine(
            project=project.id,
            contract=contract.id,
            vendor=contract.vendor,
            cost_code=line.cost_code,
            cost_type=line.cost_type,
            amount=line.amount,
            retains=bool(contract.retainage_percent),
            vendor_name=names.get(contract.vendor, "") if contract.vendor is not None else "",
        )
        for contract in commitments
        if contract.is_live
        for line in contract.lines
    ]
