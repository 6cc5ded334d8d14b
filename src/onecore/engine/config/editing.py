"""Single changes of a workspace document, as screens and commands make them.

Each takes the text and gives the new text, comments and layout kept. Each raises BadDocument when
the text was bad already, or would be: an unknown organisation, say.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from typing import Final, Literal, cast

from onecore.domain.ids import (
    AccountCode,
    ContactId,
    CostTypeId,
    OrganisationId,
    ProjectId,
    VendorId,
)
from onecore.domain.refs import Flow
from onecore.domain.settings import CodeRule, Mode, OrganisationRow, PartyRow, SecondTracking
from onecore.engine.config.kinds import Tree
from onecore.engine.config.schema import IDENTITY, ROW_DEFAULTS
from onecore.engine.config.splicing import changed


class _Kept(Enum):
    KEPT = "kept"


KEPT: Final = _Kept.KEPT
"""Stands for an argument that leaves what is there as it is; None sets null."""


def set_vendor(
    text: str,
    vendor_id: VendorId,
    contact_id: ContactId,
    organisation: OrganisationId | None = None,
) -> str:
    return set_vendors(text, [PartyRow(vendor_id, contact_id, organisation)])


def set_vendors(text: str, rows: Iterable[PartyRow]) -> str:
    """Many at once: one reading of the text, where each `set_vendor` is one."""
    new = [
        _row(vendor_id=x.vendor, contact_id=str(x.contact), organisation=_id(x.organisation))
        for x in rows
    ]
    return changed(text, lambda tree: _with_rows(tree, "vendors", new))


def remove_vendor(
    text: str, vendor_id: VendorId, organisation: OrganisationId | None = None
) -> str:
    """Takes a vendor's own row out, so that it is a gap again."""
    where = _id(organisation)

    def change(tree: Tree) -> Tree:
        rows = [
            row
            for row in _list(tree, "vendors")
            if (row["vendor_id"], row.get("organisation")) != (vendor_id, where)
        ]
        return {**tree, "vendors": rows} if "vendors" in tree else tree

    return changed(text, change)


def add_code(
    text: str,
    cost_code: str,
    expense: AccountCode,
    cost_type: CostTypeId | None = None,
    organisation: OrganisationId | None = None,
    project: ProjectId | None = None,
) -> str:
    """Sets the expense account of a cost code, or of a prefix such as "03-*"; adds its row if new.

    With `project`, the row is one of that project's own.
    """
    rule = CodeRule(cost_code, cost_type, expense=expense, organisation=organisation)
    return add_codes(text, [rule], project)


def add_codes(text: str, rules: Iterable[CodeRule], project: ProjectId | None = None) -> str:
    """Many at once. Of rows that are there already, what a rule leaves None stays."""
    new = [
        _row(
            cost_code=rule.cost_code,
            cost_type=rule.cost_type,
            sub_job=rule.sub_job,
            expense=rule.expense,
            revenue=rule.revenue,
            item=rule.item,
            **{"from": rule.start},
            organisation=_id(rule.organisation),
        )
        for rule in rules
    ]
    if project is None:
        return changed(text, lambda tree: _with_rows(tree, "codes", new))
    return changed(
        text, lambda tree: _with_override(tree, project, lambda o: _with_rows(o, "codes", new))
    )


def set_uncoded(
    text: str,
    expense: AccountCode | _Kept | None = KEPT,
    revenue: AccountCode | _Kept | None = KEPT,
    organisation: OrganisationId | None = None,
) -> str:
    """Sets the accounts of lines without a cost code."""
    given = _given(expense=expense, revenue=revenue)
    return changed(text, lambda tree: _with_scoped(tree, "uncoded", given, organisation))


def set_retention_account(
    text: str,
    side: Literal["payable", "receivable"],
    account: AccountCode | None,
    organisation: OrganisationId | None = None,
) -> str:
    given: Tree = {side: {"account": account}}
    return changed(text, lambda tree: _with_scoped(tree, "retention", given, organisation))


def set_retention(
    text: str,
    side: Literal["payable", "receivable"],
    values: Mapping[str, object],
    organisation: OrganisationId | None = None,
) -> str:
    """Sets several keys of one side, such as `{"method": "net", "lines": "tax"}`."""
    given: Tree = {side: dict(values)}
    return changed(text, lambda tree: _with_scoped(tree, "retention", given, organisation))


def set_tracking(
    text: str,
    project: str | _Kept | None = KEPT,
    second: SecondTracking | _Kept | None = KEPT,
    organisation: OrganisationId | None = None,
) -> str:
    """Names the tracking categories; None where one is not used."""
    given = _given(project=project)
    if second is None:
        given["second"] = None
    elif isinstance(second, SecondTracking):
        given["second"] = _row(category=second.category, source=second.source, fixed=second.fixed)
    return changed(text, lambda tree: _with_scoped(tree, "tracking", given, organisation))


def set_project_option(text: str, project_id: ProjectId, option: str | None) -> str:
    return set_project_options(text, {project_id: option})


def set_project_options(text: str, options: Mapping[ProjectId, str | None]) -> str:
    new: list[Tree] = [
        {"project_id": int(project), "option": option} for project, option in options.items()
    ]
    return changed(text, lambda tree: _with_rows(tree, "projects", new))


def set_project_organisation(
    text: str, project_id: ProjectId, organisation: OrganisationId | None
) -> str:
    """Routes a project to an organisation; None sends it to the default."""
    new: list[Tree] = [{"project_id": int(project_id), "organisation": _id(organisation)}]
    return changed(text, lambda tree: _with_rows(tree, "projects", new))


def set_flow_mode(text: str, flow: Flow, mode: Mode, project: ProjectId | None = None) -> str:
    given: Tree = {"flows": {flow.value: {"mode": mode.value}}}
    if project is None:
        return changed(text, lambda tree: _deep(tree, given))
    return changed(text, lambda tree: _with_override(tree, project, lambda o: _deep(o, given)))


def set_cost_type_option(
    text: str,
    cost_type: CostTypeId,
    option: str,
    organisation: OrganisationId | None = None,
) -> str:
    new = [_row(line_item_type_id=cost_type, option=option, organisation=_id(organisation))]
    return changed(text, lambda tree: _with_rows(tree, "cost_types", new))


def set_organisations(text: str, rows: Sequence[OrganisationRow]) -> str:
    """Makes these the workspace's organisations, and no others."""

    def change(tree: Tree) -> Tree:
        old = {row["tenant_id"]: row for row in _list(tree, "organisations")}
        new = []
        for row in rows:
            key = str(row.id)
            default = {"default": row.default} if row.default or key in old else {}
            new.append({**old.get(key, {}), "tenant_id": key, **default})
        return {**tree, "organisations": new}

    return changed(text, change)


def set_value(text: str, path: Sequence[str], value: object) -> str:
    """Sets one value by its keys from the top, such as `("flows", "bill", "status")`.

    For the plain settings of forms; lists of rows have functions of their own.
    """

    def change(tree: Tree) -> Tree:
        given: object = value
        for key in reversed(path[1:]):
            given = {key: given}
        return _deep(tree, {path[0]: given}, replace_at=len(path))

    return changed(text, change)


# --- on plain values --------------------------------------------------------------------------


def _id(organisation: OrganisationId | None) -> str | None:
    return str(organisation) if organisation is not None else None


def _given(**values: object) -> Tree:
    return {key: value for key, value in values.items() if value is not KEPT}


def _row(**values: object) -> Tree:
    return {key: value for key, value in values.items() if value is not None}


def _list(tree: Tree, name: str) -> list[Tree]:
    return cast(list[Tree], tree.get(name, []))


def _with_rows(tree: Tree, name: str, new: Sequence[Tree]) -> Tree:
    """A block with rows of a list changed, or added where none is about the same thing."""
    keys = IDENTITY[name]

    def who(row: Tree) -> tuple[object, ...]:
        return tuple(row.get(key, ROW_DEFAULTS.get(key)) for key in keys)

    rows = list(_list(tree, name))
    at = {who(row): index for index, row in enumerate(rows)}
    for row in new:
        index = at.setdefault(who(row), len(rows))
        if index == len(rows):
            rows.append(row)
        else:
            rows[index] = {**rows[index], **row}
    return {**tree, name: rows}


def _with_scoped(tree: Tree, name: str, given: Tree, organisation: OrganisationId | None) -> Tree:
    """A block with keys set in the entry of an organisation, which becomes a list where it must."""
    where = _id(organisation)
    value = tree.get(name, {})
    if isinstance(value, dict) and value.get("organisation") == where:
        return {**tree, name: _deep(value, given)}
    entries = list(cast(list[Tree], value)) if isinstance(value, list) else [cast(Tree, value)]
    entries = [entry for entry in entries if entry]
    for index, entry in enumerate(entries):
        if entry.get("organisation") == where:
            entries[index] = _deep(entry, given)
            break
    else:
        entries.append({**_row(organisation=where), **given})
    return {**tree, name: entries}


def _with_override(tree: Tree, project: ProjectId, change: Callable[[Tree], Tree]) -> Tree:
    rows = _list(tree, "projects")
    row = next((row for row in rows if row["project_id"] == project), {})
    overrides = change(cast(Tree, row.get("overrides", {})))
    return _with_rows(tree, "projects", [{"project_id": int(project), "overrides": overrides}])


def _deep(tree: Tree, given: Tree, replace_at: int = 99) -> Tree:
    """A block with the given keys set, blocks within it key by key; null counts as an empty one."""
    result = dict(tree)
    for key, value in given.items():
        before = result.get(key)
        if isinstance(value, dict) and replace_at > 1 and key != "second":
            result[key] = _deep(before if isinstance(before, dict) else {}, value, replace_at - 1)
        else:
            result[key] = value
    return result
