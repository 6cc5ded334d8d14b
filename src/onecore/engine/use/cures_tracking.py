"""Cures about tracking: a project's option, a cost type's, a category, and where a project goes."""

from collections.abc import Sequence
from dataclasses import replace

from onecore.domain.chart import Category
from onecore.domain.ids import CostTypeId, OrganisationId, ProjectId
from onecore.engine import config, matching
from onecore.engine.context import Context
from onecore.engine.use.choices import NOW, Option
from onecore.engine.use.cures import Case, Cure, Edit, all_of, likely_first, number_in
from onecore.engine.use.errors import NotFound


async def category_named(case: Case, name: str | None) -> Category | None:
    wanted = " ".join((name or "").split()).casefold()
    for category in await case.books.lists.categories(NOW):
        if category.active and " ".join(category.name.split()).casefold() == wanted:
            return category
    return None


def _option_rows(category: Category | None) -> list[Option]:
    rows = [o for o in (category.options if category else ()) if o.active]
    return [Option(o.name, o.name) for o in sorted(rows, key=lambda o: o.name.casefold())]


class ProjectOptionCure(Cure):
    """tracking_option_missing: "project:7", or the name of an option that is not to be had."""

    may_create = "tracking option"

    async def question(self, case: Case) -> str:
        category = self._category(case)
        if case.project is None:
            return f"Which option of {category} takes the place of {case.subject}?"
        return f"Which option of {category} is {await project_label(case.ctx, case.project)}?"

    async def options(self, case: Case) -> Sequence[Option]:
        category = await category_named(case, self._category(case))
        rows = _option_rows(category)
        if category is None or case.project is None:
            return rows
        wanted = [p for p in await case.ctx.lists.projects() if p.id == case.project]
        names = {option.id: option.name for option in category.options}
        found = matching.suggest_options(wanted, category)
        likely = {names[s.target]: (s.score, "; ".join(s.reasons)) for s in found}
        return likely_first(rows, likely)

    async def edit(self, case: Case, value: str) -> Edit:
        if case.project is not None:
            return _project_option([case.project], value)
        projects = [r.project for r in case.ctx.document.projects if r.option == case.subject]
        if not projects:
            raise NotFound(f"No project has the option {case.subject} any more.")
        return _project_option(projects, value)

    async def new_option(self, case: Case) -> tuple[str, str] | None:
        category = self._category(case)
        if case.project is None:
            return category, case.subject
        return category, await project_label(case.ctx, case.project)

    def _category(self, case: Case) -> str:
        settings = case.ctx.settings(case.project, None, case.books.organisation)
        return settings.tracking.project or ""


def _project_option(projects: list[ProjectId], value: str) -> Edit:
    options: dict[ProjectId, str | None] = dict.fromkeys(projects, value)
    return lambda text: config.set_project_options(text, options)


async def project_label(ctx: Context, project: ProjectId) -> str:
    """Number and name, which is also how a project's tracking option is named."""
    for one in await ctx.lists.projects():
        if one.id == project:
            return one.label
    return f"project {project}"


class SecondOptionCure(Cure):
    """second_option_missing: "cost_type:3", or the name of an option that is not to be had."""

    may_create = "tracking option"

    async def question(self, case: Case) -> str:
        category = self._category(case)
        kind = self._cost_type(case)
        if kind is None:
            return f"Which option of {category} takes the place of {case.subject}?"
        return f"Which option of {category} is cost type {await self._label(case, kind)}?"

    async def options(self, case: Case) -> Sequence[Option]:
        second = case.ctx.settings(None, None, case.books.organisation).tracking.second
        by_name = second is not None and second.source in ("sub_job", "cost_code")
        if by_name:
            return ()  # the option's name is the code's own: it can only be made
        return _option_rows(await category_named(case, self._category(case)))

    async def edit(self, case: Case, value: str) -> Edit:
        kind = self._cost_type(case)
        if kind is not None:
            return lambda text: config.set_cost_type_option(text, kind, value, case.scope)
        second = case.ctx.settings(None, None, case.books.organisation).tracking.second
        if second is not None and second.fixed == case.subject:
            fixed = replace(second, fixed=value)
            return lambda text: config.set_tracking(text, second=fixed, organisation=case.scope)
        rows = [r for r in case.ctx.document.base.cost_types if r.option == case.subject]
        if not rows:
            raise NotFound(f"The option {case.subject} is named nowhere in the settings any more.")
        return all_of([_cost_type_option(r.cost_type, value, r.organisation) for r in rows])

    async def new_option(self, case: Case) -> tuple[str, str] | None:
        kind = self._cost_type(case)
        name = case.subject if kind is None else await self._label(case, kind)
        return self._category(case), name

    def _category(self, case: Case) -> str:
        second = case.ctx.settings(None, None, case.books.organisation).tracking.second
        return second.category if second is not None else ""

    def _cost_type(self, case: Case) -> CostTypeId | None:
        kind, _, number = case.subject.partition(":")
        return CostTypeId(int(number)) if kind == "cost_type" and number.isdigit() else None

    async def _label(self, case: Case, kind: CostTypeId) -> str:
        for one in await case.ctx.lists.cost_types():
            if one.id == kind:
                return one.name or one.code
        return str(kind)


def _cost_type_option(kind: CostTypeId, value: str, where: OrganisationId | None) -> Edit:
    return lambda text: config.set_cost_type_option(text, kind, value, where)


class CategoryCure(Cure):
    """tracking_category_missing: the subject is the category's name in the settings."""

    async def question(self, case: Case) -> str:
        return f"Xero has no active tracking category {case.subject}. Which one is it?"

    async def options(self, case: Case) -> Sequence[Option]:
        rows = await case.books.lists.categories(NOW)
        return [Option(c.name, c.name) for c in rows if c.active]

    async def edit(self, case: Case, value: str) -> Edit:
        tracking = case.ctx.settings(None, None, case.books.organisation).tracking
        second = tracking.second
        if second is not None and second.category == case.subject:
            named = replace(second, category=value)
            return lambda text: config.set_tracking(text, second=named, organisation=case.scope)
        return lambda text: config.set_tracking(text, project=value, organisation=case.scope)


class RoutingCure(Cure):
    """organisation_unmapped: the subject is the project's id."""

    async def question(self, case: Case) -> str:
        project = ProjectId(number_in(case.subject, "project"))
        return f"Which Xero organisation do documents of {await self._name(case, project)} go to?"

    async def options(self, case: Case) -> Sequence[Option]:
        rows = [(books, await books.lists.organisation()) for books in case.ctx.books.values()]
        return [Option(str(books.organisation), found.name) for books, found in rows]

    async def edit(self, case: Case, value: str) -> Edit:
        project = ProjectId(number_in(case.subject, "project"))
        chosen = next((x for x in case.ctx.books if str(x) == value), None)
        return lambda text: config.set_project_organisation(text, project, chosen)

    async def _name(self, case: Case, project: ProjectId) -> str:
        return await project_label(case.ctx, project)
