"""Cost codes of projects and WBS codes, reckoned from the standard cost codes and cost types.

A project's copies have ids of their own, spaced by the project's ordinal, so that no two projects
share a cost code id, as in Procore.
"""

from collections.abc import Iterator

from onecore_sim.procore.core import Core, Json, stamp
from onecore_sim.procore.state import CostCode, CostType, Line, Project, State

COST_CODE_BASE, COST_CODES_PER_PROJECT = 10_000_000, 10_000
WBS_BASE, TYPES_PER_CODE = 3_000_000_000, 100


def project_cost_code_id(state: State, project: Project, cost_code_id: int) -> int:
    at = list(state.cost_codes).index(cost_code_id)
    return COST_CODE_BASE + project.ordinal * COST_CODES_PER_PROJECT + at + 1


def standard_of(state: State, project: Project, project_code_id: int) -> int | None:
    """The standard cost code behind a project's cost code id; None when it is not its own."""
    at = project_code_id - 1 - COST_CODE_BASE - project.ordinal * COST_CODES_PER_PROJECT
    codes = list(state.cost_codes)
    return codes[at] if 0 <= at < len(codes) else None


def wbs_id(state: State, project: Project, cost_code_id: int, type_id: int) -> int:
    at = project_cost_code_id(state, project, cost_code_id) - COST_CODE_BASE
    return WBS_BASE + at * TYPES_PER_CODE + list(state.cost_types).index(type_id)


def wbs_pair(state: State, project: Project, wbs: int) -> tuple[int, int] | None:
    """The standard cost code and the cost type of a WBS code id of this project."""
    code = standard_of(state, project, COST_CODE_BASE + (wbs - WBS_BASE) // TYPES_PER_CODE)
    types = list(state.cost_types)
    at = (wbs - WBS_BASE) % TYPES_PER_CODE
    return (code, types[at]) if code is not None and at < len(types) else None


def flat_code(code: CostCode, kind: CostType) -> str:
    return f"{code.code}.{kind.code}"


def wbs_compact(core: Core, project: Project, line: Line) -> Json:
    code = core.state.cost_codes[line.cost_code_id]
    kind = core.state.cost_types[line.line_item_type_id]
    return {
        "id": wbs_id(core.state, project, code.id, kind.id),
        "flat_code": flat_code(code, kind),
        "description": f"{code.name}.{kind.name}",
    }


def wbs_with_segments(core: Core, project: Project, line: Line) -> Json:
    code = core.state.cost_codes[line.cost_code_id]
    kind = core.state.cost_types[line.line_item_type_id]
    return wbs_compact(core, project, line) | {
        "segment_items": [
            code_item(core, project, code),
            type_item(core, kind, project),
        ]
    }


def wbs_codes(core: Core, project: Project) -> Iterator[Json]:
    state = core.state
    for code in state.cost_codes.values():
        for kind in state.cost_types.values():
            yield {
                "id": wbs_id(state, project, code.id, kind.id),
                "flat_code": flat_code(code, kind),
                "flat_name": f"{code.name}.{kind.name}",
                "description": f"{code.name}.{kind.name}",
                "status": "active",
                "created_at": stamp(project.created_at),
                "updated_at": stamp(project.created_at),
                "segment_items": [code_item(core, project, code), type_item(core, kind, project)],
                "wbs_pattern_id": state.pattern_id,
            }


def segments(core: Core, project: Project | None = None) -> list[Json]:
    state = core.state
    made = [
        (state.cost_code_segment_id, "cost_code", "Cost Code", "-", len(state.cost_codes)),
        (state.cost_type_segment_id, "line_item_type", "Cost Type", ".", len(state.cost_types)),
    ]
    return [
        {
            "id": segment_id,
            "type": kind,
            "name": name,
            "position": position,
            "segment_items_count": count,
            "required": True,
            "delimiter": delimiter,
            "project_can_modify_origin_project": True,
            "project_can_delete_origin_company": False,
            "structure": "tiered" if kind == "cost_code" else "flat",
            "wbs_pattern_id": state.pattern_id,
        }
        | ({} if project is None else {"is_included_in_project_pattern": True})
        for position, (segment_id, kind, name, delimiter, count) in enumerate(made, 1)
    ]


def segment_items(core: Core, segment_id: int, project: Project | None) -> list[Json] | None:
    """The items of a segment, at company level or in a project; None for an unknown segment."""
    if segment_id == core.state.cost_code_segment_id:
        return [code_item(core, project, code) for code in core.state.cost_codes.values()]
    if segment_id == core.state.cost_type_segment_id:
        return [type_item(core, kind, project) for kind in core.state.cost_types.values()]
    return None


def code_item(core: Core, project: Project | None, code: CostCode) -> Json:
    own = project_cost_code_id(core.state, project, code.id) if project else code.id
    parts = code.code.split("-")
    return {
        "id": own,
        "code": parts[-1],
        "name": code.name,
        "path_code": code.code,
        "path_ids": [own],
        "path_codes": parts,
        "path_names": [code.name],
        "is_parent": False,
        "status": "active",
        "segment": segments(core)[0],
    }


def type_item(core: Core, kind: CostType, project: Project | None) -> Json:
    return {
        "id": kind.id,
        "code": kind.code,
        "name": kind.name,
        "path_code": kind.code,
        "path_ids": [kind.id],
        "path_codes": [kind.code],
        "path_names": [kind.name],
        "is_parent": False,
        "status": "active",
        "segment": segments(core)[1],
    }


def cost_code(core: Core, project: Project, code: CostCode) -> Json:
    """A cost code of a project."""
    return {
        "id": project_cost_code_id(core.state, project, code.id),
        "biller": project.name,
        "biller_id": project.id,
        "biller_type": "Project",
        "biller_origin_id": project.origin_id,
        "budgeted": True,
        "code": code.code.rsplit("-", maxsplit=1)[-1],
        "full_code": code.code,
        "sortable_code": code.code,
        "name": code.name,
        "created_at": stamp(project.created_at),
        "updated_at": stamp(project.created_at),
        "deleted_at": None,
        "origin_data": None,
        "origin_id": None,
        "parent": {"id": None},
        "position": list(core.state.cost_codes).index(code.id) + 1,
        "standard_cost_code_id": code.id,
        "line_item_types": [line_item_type(kind) for kind in core.state.cost_types.values()],
    }


def line_item_type(kind: CostType) -> Json:
    return {
        "id": kind.id,
        "name": kind.name,
        "code": kind.code,
        "base_type": kind.base_type,
        "origin_data": None,
        "origin_id": None,
    }


def standard_cost_code(core: Core, code: CostCode) -> Json:
    return {
        "id": code.id,
        "standard_cost_code_list_id": core.state.list_id,
        "parent_id": None,
        "code": code.code.rsplit("-", maxsplit=1)[-1],
        "full_code": code.code,
        "name": code.name,
        "origin_data": None,
        "origin_id": None,
    }
