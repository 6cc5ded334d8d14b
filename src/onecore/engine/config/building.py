"""Plain values that have been checked, as the settings the rest of OneCore works with."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

from onecore.domain.ids import (
    AccountCode,
    CommitmentId,
    ContactId,
    CostTypeId,
    OrganisationId,
    ProjectId,
    TaxType,
    VendorId,
)
from onecore.domain.refs import Flow
from onecore.domain.settings import (
    BillFlow,
    CodeRule,
    ContractRow,
    CostTypeRow,
    DueBase,
    DueRule,
    Duplicates,
    EffectiveSettings,
    Mode,
    NumberRule,
    Opening,
    OrganisationRow,
    OtherFlow,
    PartyRow,
    Policies,
    ProjectRow,
    Retention,
    RetentionMethod,
    RetentionSide,
    SecondTracking,
    TaxOverride,
    TrackingSettings,
    Uncoded,
    WorkspaceDocument,
)
from onecore.engine.config.kinds import Tree
from onecore.engine.config.merging import for_organisation
from onecore.engine.config.schema import RETENTION, TRACKING, UNCODED

Row = dict[str, Any]
"""A block whose values the schema has checked, so that each is what its key says."""


def document_of(tree: Tree) -> WorkspaceDocument:
    """The document a checked tree says; the tree itself is kept, for what overrides it."""
    flows = cast(Row, tree.get("flows", {}))
    return WorkspaceDocument(
        version=cast(int, tree["version"]),
        base=_base(tree),
        organisations=tuple(
            OrganisationRow(OrganisationId(UUID(row["tenant_id"])), row.get("default", False))
            for row in rows(tree, "organisations")
        ),
        flows=tuple(
            (flow, _other(flows[flow])) for flow in Flow if flow in flows and flow != Flow.BILL
        ),
        customers=_parties(rows(tree, "customers")),
        projects=tuple(project_row(row) for row in rows(tree, "projects")),
        contracts=tuple(contract_row(row) for row in rows(tree, "contracts")),
        raw=tree,
    )


def rows(tree: Tree, key: str) -> list[Row]:
    return cast(list[Row], tree.get(key, []))


def _base(tree: Tree) -> EffectiveSettings:
    flows = cast(Row, tree.get("flows", {}))
    return EffectiveSettings(
        cut_over=cast(date, tree["cut_over"]),
        bill=bill_flow(flows.get("bill", {})),
        retention=retention(for_organisation(tree.get("retention"), None, RETENTION), None),
        tracking=tracking(for_organisation(tree.get("tracking"), None, TRACKING), None),
        policies=_policies(tree),
        codes=code_rules(rows(tree, "codes")),
        uncoded=uncoded(for_organisation(tree.get("uncoded"), None, UNCODED), None),
        vendors=_parties(rows(tree, "vendors")),
        cost_types=tuple(
            CostTypeRow(CostTypeId(row["line_item_type_id"]), row["option"], _organisation_of(row))
            for row in rows(tree, "cost_types")
        ),
        tax_overrides=tuple(_tax_override(row) for row in rows(tree, "tax_overrides")),
    )


def _organisation_of(row: Row) -> OrganisationId | None:
    text = row.get("organisation")
    return OrganisationId(UUID(text)) if text else None


def _account(row: Row, key: str) -> AccountCode | None:
    text = row.get(key)
    return AccountCode(text) if text else None


def _cost_type(row: Row, key: str) -> CostTypeId | None:
    number = row.get(key)
    return CostTypeId(number) if number is not None else None


def _given(row: Row, *keys: str) -> Row:
    """The keys that are there; what is absent keeps the default of the class."""
    return {key: row[key] for key in keys if key in row}


def due_rule(tree: Row) -> DueRule:
    base = next(base for base in DueBase if base in tree)
    if base is DueBase.CONTACT_TERMS:
        otherwise = tree.get("else")
        return DueRule(base, otherwise=due_rule(otherwise) if otherwise else None)
    if base is DueBase.BUSINESS_DAYS_AFTER:
        return DueRule(base, tree[base], start=tree.get("from", "submitted"), region=tree["region"])
    return DueRule(base, tree[base])


def _number_rule(value: object) -> NumberRule:
    if isinstance(value, dict):
        return NumberRule("rcti", cast(Row, value)["rcti"]["prefix"])
    return NumberRule(cast(Any, value))


def bill_flow(tree: Row) -> BillFlow:
    values = _given(tree, "status", "date")
    if "mode" in tree:
        values["mode"] = Mode(tree["mode"])
    if "post_statuses" in tree:
        values["post_statuses"] = tuple(tree["post_statuses"])
    if "number" in tree:
        values["number"] = _number_rule(tree["number"])
    if "due_date" in tree:
        values["due_date"] = due_rule(tree["due_date"])
    return BillFlow(**values)


def _other(tree: Row) -> OtherFlow:
    options = tuple((key, _frozen(value)) for key, value in tree.items() if key != "mode")
    return OtherFlow(Mode(tree.get("mode", Mode.OFF)), tuple(sorted(options)))


def _frozen(value: object) -> object:
    if isinstance(value, list):
        return tuple(_frozen(item) for item in value)
    if isinstance(value, dict):
        return tuple(sorted((key, _frozen(item)) for key, item in value.items()))
    return value


def retention(tree: Tree, organisation: OrganisationId | None) -> Retention:
    sides = {side: _side(cast(Row, value), organisation) for side, value in tree.items()}
    default = RetentionSide(organisation=organisation)
    return Retention(sides.get("payable", default), sides.get("receivable", default))


def _side(tree: Row, organisation: OrganisationId | None) -> RetentionSide:
    values = _given(tree, "tax", "lines", "second", "suffix")
    if "method" in tree:
        values["method"] = RetentionMethod(tree["method"])
    if "track" in tree:
        values["track"] = tuple(tree["track"])
    if tree.get("second_due"):
        values["second_due"] = due_rule(tree["second_due"])
    return RetentionSide(
        account=_account(tree, "account"),
        released_account=_account(tree, "released_account"),
        organisation=organisation,
        **values,
    )


def tracking(tree: Tree, organisation: OrganisationId | None) -> TrackingSettings:
    second = cast(Row, tree.get("second") or {})
    return TrackingSettings(
        project=cast(str | None, tree.get("project")),
        second=SecondTracking(**second) if second else None,
        organisation=organisation,
    )


def uncoded(tree: Tree, organisation: OrganisationId | None) -> Uncoded:
    row = cast(Row, tree)
    return Uncoded(_account(row, "expense"), _account(row, "revenue"), organisation)


def code_rules(trees: Iterable[Row], rank: int = 0) -> tuple[CodeRule, ...]:
    return tuple(
        CodeRule(
            cost_code=row["cost_code"],
            cost_type=_cost_type(row, "cost_type"),
            sub_job=row.get("sub_job"),
            expense=_account(row, "expense"),
            revenue=_account(row, "revenue"),
            item=row.get("item"),
            start=row.get("from"),
            organisation=_organisation_of(row),
            rank=rank,
        )
        for row in trees
    )


def _parties(trees: Iterable[Row]) -> tuple[PartyRow, ...]:
    return tuple(
        PartyRow(
            VendorId(row["vendor_id"]), ContactId(UUID(row["contact_id"])), _organisation_of(row)
        )
        for row in trees
    )


def _tax_override(row: Row) -> TaxOverride:
    contact, project = row.get("contact_id"), row.get("project_id")
    return TaxOverride(
        tax_type=TaxType(row["tax_type"]),
        contact=ContactId(UUID(contact)) if contact else None,
        account=_account(row, "account"),
        cost_type=_cost_type(row, "line_item_type_id"),
        project=ProjectId(project) if project is not None else None,
        tax_code=row.get("tax_code_id"),
        side=row.get("side", "payable"),
        organisation=_organisation_of(row),
    )


def project_row(row: Row) -> ProjectRow:
    return ProjectRow(ProjectId(row["project_id"]), row.get("option"), _organisation_of(row))


def contract_row(row: Row) -> ContractRow:
    opening = row.get("opening")
    return ContractRow(
        CommitmentId(row["contract_id"]),
        row.get("kind", "commitment"),
        Opening(Decimal(opening["held"]), opening["gst"]) if opening else None,
    )


def _policies(tree: Tree) -> Policies:
    plain = _given(
        cast(Row, tree),
        "tax_cents",
        "paid_bill_changed",
        "paid_invoice_changed",
        "source_reopened",
        "source_deleted",
        "locked_period",
        "drift",
        "lock_source",
    )
    notes = cast(Row, tree.get("credit_notes", {}))
    return Policies(
        duplicates=Duplicates(**cast(Row, tree.get("duplicates", {}))),
        credit_notes=notes.get("allocate", "oldest"),
        **plain,
    )
