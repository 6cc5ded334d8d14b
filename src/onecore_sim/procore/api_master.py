"""The API's master data: companies, projects, vendors, cost codes, tax, currency."""

from typing import Any

from onecore_sim.procore import actions, coding, records, wire_master
from onecore_sim.procore.api import Call, Handler, Reply
from onecore_sim.procore.core import Json
from onecore_sim.procore.errors import ApiError, invalid, missing, not_found
from onecore_sim.procore.listing import (
    Filter,
    containing,
    numbers,
    one_of,
    page,
    rows,
    truth,
    unpaged,
    within,
)
from onecore_sim.procore.state import Project, Vendor


def by_time() -> dict[str, Filter]:
    """The filters nearly every list of records has."""
    return {
        "id": numbers(lambda r: r.id),
        "created_at": within(lambda r: r.created_at),
        "updated_at": within(lambda r: r.updated_at),
        "origin_id": one_of(lambda r: r.origin_id),
    }


def _me(call: Call) -> Reply:
    return Reply(wire_master.me(call.user))


def _company_me(call: Call) -> Reply:
    first, _, last = call.user.name.partition(" ")
    return Reply(
        {
            "id": call.user.id,
            "name": call.user.name,
            "first_name": first,
            "last_name": last,
            "email_address": call.user.login,
            "is_active": True,
            "is_employee": False,
        }
    )


def _companies(call: Call) -> Reply:
    return page(call, [call.core], wire_master.company)


def _base_url(call: Call) -> Reply:
    here = call.request.base_url
    return Reply({"zone": "us01", "web_base_url": f"{here.scheme}://{here.netloc}"})


def _light_projects(call: Call) -> Reply:
    return unpaged(call, call.projects(), lambda p: wire_master.project_light(call.core, p))


def _status_is(values: list[str]) -> Any:
    wanted = values[-1]
    return lambda p: wanted == "All" or p.active == (wanted == "Active")


def _projects(call: Call) -> Reply:
    call.needed("company_id")
    filters = by_time() | {
        "by_status": _status_is,
        "name": containing(lambda p: p.name),
        "project_number": one_of(lambda p: p.number),
        "synced": truth(lambda p: bool(p.origin_id)),
        "is_demo": truth(lambda p: False),
        "template": truth(lambda p: False),
    }
    kept = rows(call, call.projects(), filters)
    if (sort := call.query("sort")) and sort.lstrip("-") in ("name", "display_name"):
        kept.sort(key=lambda p: p.name, reverse=sort.startswith("-"))
    view = call.view("normal")
    return page(
        call, kept, lambda p: wire_master.project_row(call.core, p, view), default=100, cap=300
    )


def _project(call: Call) -> Reply:
    return Reply(wire_master.project_show(call.core, call.visible(call.param("id"))))


def _edit_project(call: Call) -> Reply:
    project = call.visible(call.param("id"))
    said = call.part("project")
    zone = said.get("time_zone")
    if zone is not None and zone not in wire_master.TIME_ZONES:
        raise invalid("time_zone", "is not included in the list")
    everyone = list(call.core.state.projects.values())
    if "origin_id" in said:
        project.origin_id = records.take_origin_id(call.core, said["origin_id"], project, everyone)
    for name in ("origin_data", "origin_code", "state_code", "time_zone"):
        if name in said:
            setattr(project, name, said[name])
    plain = {"name": said.get("name"), "active": said.get("active")}
    plain["number"] = said.get("project_number")
    changes = {k: v for k, v in plain.items() if v is not None}
    call.core.touch(project)
    actions.set_project(call.core, project, changes, call.user.id)
    return Reply(wire_master.project_show(call.core, project))


def tools(project: Project) -> list[Json]:
    return [
        {
            "id": project.ordinal * 100 + at,
            "engine_name": name,
            "is_active": on,
            "position": at,
            "required": name == "directory",
            "title": name.replace("_", " ").title(),
        }
        for at, (name, on) in enumerate(project.tools.items(), 1)
    ]


def _tools(call: Call) -> Reply:
    kept = tools(call.project())
    wanted = call.query("filters[is_active]")
    if wanted is not None:
        kept = [t for t in kept if t["is_active"] == (wanted.lower() == "true")]
    return page(call, kept, dict)


def _stages(call: Call) -> Reply:
    stage = {
        "id": 1,
        "name": "Course of Construction",
        "is_bidding_stage": False,
        "category": "course_of_construction",
        "default_stage": True,
    }
    return page(call, [stage], dict)


def _found(one: Vendor) -> str:
    """What a search for vendors looks through."""
    return " ".join(x for x in (one.name, one.abn, one.origin_code, one.trade_name) if x)


def _vendor_list(call: Call, *, active: bool) -> Reply:
    everyone = [v for v in call.core.state.vendors.values() if v.is_active == active]
    filters = by_time() | {"search": containing(_found)}
    kept = rows(call, everyone, filters)
    if (call.query("sort") or "").lstrip("-") == "name":
        kept.sort(key=lambda v: v.name.lower(), reverse=(call.query("sort") or "")[0] == "-")
    view = call.view("extended")
    extra: Json = {} if active else {"_links": {"reactivate": ""}}
    return page(call, kept, lambda v: wire_master.vendor(call.core, v, view) | extra)


def _vendors(call: Call) -> Reply:
    call.needed("company_id")
    return _vendor_list(call, active=True)


def _inactive(call: Call) -> Reply:
    return _vendor_list(call, active=False)


def vendor_of(call: Call) -> Vendor:
    one = call.core.state.vendors.get(call.param("id"))
    if one is None:
        raise not_found()
    return one


def _vendor(call: Call) -> Reply:
    call.needed("company_id")
    return Reply(wire_master.vendor(call.core, vendor_of(call), call.view("extended")))


def _new_vendor(call: Call) -> Reply:
    call.needed("company_id")
    one = actions.new_vendor(call.core, call.part("vendor"), call.user.id)
    return Reply(wire_master.vendor(call.core, one, call.view("extended")), 201)


def _edit_vendor(call: Call) -> Reply:
    one = vendor_of(call)
    actions.edit_vendor(call.core, one, call.part("vendor"), call.user.id)
    return Reply(wire_master.vendor(call.core, one, call.view("extended")))


def _sync_vendors(call: Call) -> Reply:
    """Create or update many at once: always 200, the refused rows beside the others."""
    call.needed("company_id")
    updates = call.body.get("updates")
    if not isinstance(updates, list):
        raise missing("updates")
    if len(updates) > 1000:
        raise ApiError(400, "At most 1000 updates are taken at once", shape="coded")
    entities: list[Json] = []
    errors: list[Json] = []
    for said in updates:
        try:
            one = _synced(call, said)
            entities.append(wire_master.vendor(call.core, one, "extended"))
        except ApiError as error:
            errors.append({**said, "errors": error.fields or {"base": [error.text]}})
    return Reply({"entities": entities, "errors": errors})


def _synced(call: Call, said: Json) -> Vendor:
    """One row of a sync: matched by id, or else by origin_id, or else made anew."""
    everyone = call.core.state.vendors
    register = said.get("business_register_attributes") or {}
    row = said | ({"abn": register["identifier"]} if register.get("identifier") else {})
    found = None
    if said.get("id"):
        found = everyone.get(int(said["id"]))
        if found is None:
            raise invalid("id", "is not found")
    elif said.get("origin_id"):
        found = next((v for v in everyone.values() if v.origin_id == said["origin_id"]), None)
    if found is None:
        return actions.new_vendor(call.core, row, call.user.id)
    actions.edit_vendor(call.core, found, row, call.user.id)
    return found


def _reactivate(call: Call) -> Reply:
    one = vendor_of(call)
    actions.edit_vendor(call.core, one, {"is_active": True}, call.user.id)
    return Reply(wire_master.vendor(call.core, one, call.view("extended")))


def _register(call: Call) -> Reply:
    """Give a vendor its ABN, or with PATCH correct it."""
    one = vendor_of(call)
    said = call.part("business_register")
    number = str(said.get("identifier") or "").replace(" ", "")
    if said.get("type") not in ("abn", "ein"):
        raise invalid("type", "is not included in the list")
    if not number.isdecimal() or len(number) != (11 if said["type"] == "abn" else 9):
        raise invalid("identifier", "is invalid")
    new = call.request.method == "POST"
    if new and one.abn:
        raise ApiError(409, "A business register entry exists already", shape="message")
    if not new and not one.abn:
        raise not_found()
    actions.edit_vendor(call.core, one, {"abn": number}, call.user.id)
    return Reply(wire_master.business_register(one), 201 if new else 200)


def _project_vendors(call: Call) -> Reply:
    project = call.project("directory")
    used = {c.vendor_id for c in project.commitments.values()}
    everyone = [v for v in call.core.state.vendors.values() if v.id in used]
    kept = rows(call, everyone, {"id": numbers(lambda v: v.id), "search": containing(_found)})
    return page(call, kept, lambda v: wire_master.project_vendor(call.core, v))


def _code_lists(call: Call) -> Reply:
    row = {
        "id": call.core.state.list_id,
        "name": "Standard",
        "is_erp_list": False,
        "available_to_use_on_new_projects": True,
    }
    return page(call, [row], dict)


def _standard_codes(call: Call) -> Reply:
    mine = call.needed("standard_cost_code_list_id") == call.core.state.list_id
    codes = list(call.core.state.cost_codes.values()) if mine else []
    return page(call, codes, lambda c: coding.standard_cost_code(call.core, c))


def _standard_code(call: Call) -> Reply:
    code = call.core.state.cost_codes.get(call.param("id"))
    if code is None:
        raise not_found()
    return Reply(coding.standard_cost_code(call.core, code))


def _cost_codes(call: Call) -> Reply:
    project = call.project()
    written = [coding.cost_code(call.core, project, c) for c in call.core.state.cost_codes.values()]
    kept = rows(
        call,
        written,
        {"id": numbers(lambda r: r["id"]), "origin_id": one_of(lambda r: r["origin_id"])},
    )
    return page(call, kept, dict)


def _line_item_types(call: Call) -> Reply:
    call.needed("company_id")
    kinds = list(call.core.state.cost_types.values())
    return page(call, kinds, coding.line_item_type)


def _nothing(call: Call) -> Reply:
    """A list of a project that is always empty here."""
    call.project()
    return page(call, [], dict)


def _wbs_codes(call: Call) -> Reply:
    project = call.project()
    written = list(coding.wbs_codes(call.core, project))
    filters = {
        "status": one_of(lambda r: r["status"]),
        "updated_at": within(lambda r: project.created_at),
    }
    kept = rows(call, written, filters)
    if text := call.query("query"):
        kept = [r for r in kept if text.lower() in f"{r['flat_code']} {r['flat_name']}".lower()]
    return page(call, kept, dict)


def _segments(call: Call) -> Reply:
    project = call.project() if "project_id" in call.request.path_params else None
    return Reply(coding.segments(call.core, project))


def _segment_items(call: Call) -> Reply:
    project = call.project() if "project_id" in call.request.path_params else None
    items = coding.segment_items(call.core, call.param("segment_id"), project)
    if items is None:
        raise not_found()
    return page(call, items, dict)


def _pattern(call: Call) -> Reply:
    row = {"id": call.core.state.pattern_id, "segments": coding.segments(call.core)}
    return Reply(row | {"description": "Cost Code, Cost Type"})


def _tax_codes(call: Call) -> Reply:
    call.needed("company_id")
    codes = list(call.core.state.tax_codes.values())
    return page(
        call,
        codes,
        lambda c: {
            "id": c.id,
            "code": c.code,
            "description": c.description,
            "origin_data": None,
            "origin_id": None,
            "rate1": c.rate,
            "archived": c.archived,
            "default_tax_code": False,
        },
        cap=100,
    )


def _tax_types(call: Call) -> Reply:
    call.needed("company_id")
    row = {"id": 1, "name": "GST", "description": "Goods and services tax"}
    return page(call, [row | {"origin_data": None, "origin_id": None}], dict)


def _currency(call: Call) -> Reply:
    row: Json = {
        "company_id": call.core.state.company_id,
        "currency_iso_code": call.core.state.currency,
        "currency_display": "symbol",
        "multicurrency_enabled": False,
    }
    if "project_id" in call.request.path_params:
        return Reply(
            row
            | {
                "project_id": call.project().id,
                "company_currency_exchange_rate_override": None,
                "eligible_for_financial_objs_multicurrency": False,
            }
        )
    return Reply(
        row | {"multicurrency_enabled_effective_date": None, "eligible_for_multicurrency": False}
    )


C, P = "/rest/v1.0/companies/{company_id}", "/rest/v1.0/projects/{project_id}"
TABLE: dict[tuple[str, str], Handler] = {
    ("GET", "/rest/v1.0/me"): _me,
    ("GET", f"{C}/me"): _company_me,
    ("GET", "/rest/v1.0/companies"): _companies,
    ("GET", "/rest/v1.0/company_base_url"): _base_url,
    ("GET", f"{C}/projects"): _light_projects,
    ("GET", "/rest/v1.1/projects"): _projects,
    ("GET", "/rest/v1.0/projects"): _projects,
    ("GET", "/rest/v1.0/projects/{id}"): _project,
    ("PATCH", "/rest/v1.0/projects/{id}"): _edit_project,
    ("GET", f"{P}/tools"): _tools,
    ("GET", f"{C}/project_stages"): _stages,
    ("GET", "/rest/v1.0/vendors"): _vendors,
    ("POST", "/rest/v1.0/vendors"): _new_vendor,
    ("PATCH", "/rest/v1.0/vendors/sync"): _sync_vendors,
    ("GET", "/rest/v1.0/vendors/{id}"): _vendor,
    ("PATCH", "/rest/v1.0/vendors/{id}"): _edit_vendor,
    ("POST", "/rest/v1.0/vendors/{id}/business_register"): _register,
    ("PATCH", "/rest/v1.0/vendors/{id}/business_register"): _register,
    ("GET", f"{C}/vendors/inactive"): _inactive,
    ("PATCH", f"{C}/vendors/inactive/{{id}}"): _reactivate,
    ("GET", "/rest/v1.1/projects/{project_id}/vendors"): _project_vendors,
    ("GET", "/rest/v1.0/standard_cost_code_lists"): _code_lists,
    ("GET", "/rest/v1.0/standard_cost_codes"): _standard_codes,
    ("GET", "/rest/v1.0/standard_cost_codes/{id}"): _standard_code,
    ("GET", "/rest/v1.0/cost_codes"): _cost_codes,
    ("GET", "/rest/v1.0/line_item_types"): _line_item_types,
    ("GET", "/rest/v1.0/sub_jobs"): _nothing,
    ("GET", f"{P}/work_breakdown_structure/wbs_codes"): _wbs_codes,
    ("GET", f"{C}/work_breakdown_structure/segments"): _segments,
    ("GET", f"{P}/work_breakdown_structure/segments"): _segments,
    ("GET", f"{C}/work_breakdown_structure/segments/{{segment_id}}/segment_items"): _segment_items,
    ("GET", f"{P}/work_breakdown_structure/segments/{{segment_id}}/segment_items"): _segment_items,
    ("GET", f"{C}/work_breakdown_structure/patterns"): _pattern,
    ("GET", f"{P}/work_breakdown_structure/patterns"): _pattern,
    ("GET", "/rest/v1.0/tax_codes"): _tax_codes,
    ("GET", "/rest/v1.0/tax_types"): _tax_types,
    ("GET", f"{C}/currency_configuration"): _currency,
    ("GET", f"{C}/projects/{{project_id}}/currency_configuration"): _currency,
}
