"""The settings that hold at one place: a project, a contract, an organisation."""

from dataclasses import replace
from datetime import date
from typing import Any, TypeVar, cast

from onecore.domain.ids import CommitmentId, OrganisationId, ProjectId
from onecore.domain.settings import (
    CodeRule,
    CostTypeRow,
    EffectiveSettings,
    PartyRow,
    TaxOverride,
    WorkspaceDocument,
)
from onecore.engine.config import building
from onecore.engine.config.kinds import Tree
from onecore.engine.config.merging import for_organisation, merged
from onecore.engine.config.schema import BILL, RETENTION, TRACKING, UNCODED

PROJECT_RANK = 1
"""Rows of a project's own `codes` come before all of the workspace's, whose rank is 0."""

Scoped = TypeVar("Scoped", CodeRule, PartyRow, CostTypeRow, TaxOverride)


def effective(
    document: WorkspaceDocument,
    project: ProjectId | None,
    contract: CommitmentId | None,
    organisation: OrganisationId | None,
) -> EffectiveSettings:
    """What holds there: contract over project over workspace, key by key.

    Without an organisation it is the one the project is routed to, or without a project the
    default. Rows of other organisations are left out; an organisation's own rows come before
    those that hold for every one. `contract` is a commitment.
    """
    raw = document.raw
    if organisation is None:
        organisation = document.organisation_of(project if project is not None else ProjectId(0))
    where = str(organisation) if organisation is not None else None
    project_tree = _find(raw, "projects", "project_id", project)
    contract_tree = _find(raw, "contracts", "contract_id", contract)
    over = _block(project_tree, "overrides")

    flows = cast(dict[str, Tree], raw.get("flows", {}))
    bill = merged(flows.get("bill", {}), _block(_block(over, "flows"), "bill"), BILL)
    if due := contract_tree.get("due_date"):
        bill["due_date"] = due
    retention = merged(
        for_organisation(raw.get("retention"), where, RETENTION),
        _block(over, "retention"),
        RETENTION,
    )
    retention = merged(retention, _sided(contract_tree), RETENTION)
    tracking = merged(
        for_organisation(raw.get("tracking"), where, TRACKING), _block(over, "tracking"), TRACKING
    )
    uncoded = merged(
        for_organisation(raw.get("uncoded"), where, UNCODED), _block(over, "uncoded"), UNCODED
    )
    base = document.base
    own_codes = building.code_rules(building.rows(over, "codes"), PROJECT_RANK)
    return replace(
        base,
        cut_over=cast(date, over.get("cut_over", base.cut_over)),
        bill=building.bill_flow(bill),
        retention=building.retention(retention, organisation),
        tracking=building.tracking(tracking, organisation),
        uncoded=building.uncoded(uncoded, organisation),
        codes=_here(own_codes, organisation) + _here(base.codes, organisation),
        vendors=_here(base.vendors, organisation),
        cost_types=_here(base.cost_types, organisation),
        tax_overrides=_here(base.tax_overrides, organisation),
        project=building.project_row(cast(dict[str, Any], project_tree)) if project_tree else None,
        contract=building.contract_row(cast(dict[str, Any], contract_tree))
        if contract_tree
        else None,
    )


def _find(raw: Tree, key: str, id_key: str, wanted: int | None) -> Tree:
    """The row of a project or commitment, or an empty one."""
    for row in building.rows(raw, key) if wanted is not None else ():
        if row[id_key] == wanted and row.get("kind", "commitment") == "commitment":
            return row
    return {}


def _block(tree: Tree, key: str) -> Tree:
    return cast(Tree, tree.get(key) or {})


def _sided(contract: Tree) -> Tree:
    """A contract's retention by side; keys without a side are about a commitment's, payable."""
    tree = _block(contract, "retention")
    if not tree or "payable" in tree or "receivable" in tree:
        return tree
    return {"payable": tree}


def _here(rows: tuple[Scoped, ...], organisation: OrganisationId | None) -> tuple[Scoped, ...]:
    """An organisation's own rows, then those that name none."""
    general = tuple(row for row in rows if row.organisation is None)
    if len(general) == len(rows):
        return rows  # the very same for every place, as there may be thousands
    if organisation is None:
        return general
    return tuple(row for row in rows if row.organisation == organisation) + general
