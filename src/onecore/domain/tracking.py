"""Tracking options of a line: the project's in one category, and one of its own in the second."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from onecore.domain.chart import Category, Chart
from onecore.domain.documents import RequisitionLine, Tracking
from onecore.domain.gaps import Gap
from onecore.domain.ids import OrganisationId, ProjectId
from onecore.domain.settings import CostTypeRow, SecondTracking


@dataclass(frozen=True, slots=True)
class Found:
    """At most one option of one category, or the gap that stands in the way."""

    tracking: tuple[Tracking, ...] = ()
    gap: Gap | None = None


def project_tracking(chart: Chart, project: ProjectId) -> Found:
    """The option of the project every line of its documents carries; nothing when not used."""
    name = chart.settings.tracking.project
    if name is None:
        return Found()
    row = chart.settings.project
    option = row.option if row else None
    if not option:
        return Found(
            gap=Gap(
                "tracking_option_missing",
                f"project:{project}",
                f"No option of the tracking category {name} is chosen for this project.",
            )
        )
    return _find(chart, name, (option,), "tracking_option_missing")


def second_tracking(chart: Chart, line: RequisitionLine) -> Found:
    """The line's option in the second category.

    A line that has no cost type, sub job or cost code where the category goes by it carries no
    option: nothing is demanded that the claim does not say.
    """
    second = chart.settings.tracking.second
    if second is None:
        return Found()
    if second.fixed is not None:
        return _find(chart, second.category, (second.fixed,), "second_option_missing")
    if second.source == "cost_type" and line.cost_type is not None:
        return _by_cost_type(chart, second, line)
    if second.source == "sub_job" and line.sub_job:
        return _find(chart, second.category, (line.sub_job,), "second_option_missing")
    if second.source == "cost_code" and line.cost_code is not None:
        code, name = line.cost_code.code, line.cost_code.name
        names = (f"{code} {name}", f"{code} - {name}", code, name)
        return _find(chart, second.category, names, "second_option_missing")
    return Found()


def _by_cost_type(chart: Chart, second: SecondTracking, line: RequisitionLine) -> Found:
    row = _row_of(chart.settings.cost_types, line, chart.organisation.id)
    if row is None:
        return Found(
            gap=Gap(
                "second_option_missing",
                f"cost_type:{line.cost_type}",
                f"Cost type {line.cost_type} has no option of {second.category}.",
            )
        )
    return _find(chart, second.category, (row.option,), "second_option_missing")


def _row_of(
    rows: Iterable[CostTypeRow], line: RequisitionLine, organisation: OrganisationId
) -> CostTypeRow | None:
    fitting = [
        row
        for row in rows
        if row.cost_type == line.cost_type and row.organisation in (None, organisation)
    ]
    return max(fitting, key=lambda row: row.organisation is not None, default=None)


def _find(chart: Chart, category_name: str, names: tuple[str, ...], code: str) -> Found:
    """The first active option that carries one of the names; letter case and spacing aside."""
    category = _category(chart, category_name)
    if category is None:
        return Found(
            gap=Gap(
                "tracking_category_missing",
                category_name,
                f"There is no active tracking category {category_name} in Xero.",
            )
        )
    options = {_plain(option.name): option for option in category.options if option.active}
    option = next((options[_plain(name)] for name in names if _plain(name) in options), None)
    if option is None:
        archived = {_plain(o.name) for o in category.options if not o.active}
        how = "archived" if any(_plain(name) in archived for name in names) else "not there"
        return Found(
            gap=Gap(code, names[0], f"The option {names[0]} of {category.name} is {how} in Xero.")
        )
    return Found((Tracking(category.id, option.id, category.name, option.name),))


def _category(chart: Chart, name: str) -> Category | None:
    return next((c for c in chart.categories if c.active and _plain(c.name) == _plain(name)), None)


def _plain(name: str) -> str:
    return re.sub(r"\s+", " ", name).strip().casefold()
