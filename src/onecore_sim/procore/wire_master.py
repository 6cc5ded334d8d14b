"""Companies, projects and vendors as Procore writes them."""

from onecore_sim.procore.core import Core, Json, stamp
from onecore_sim.procore.state import Project, User, Vendor

TIME_ZONES = {
    "Sydney": "Australia/Sydney",
    "Melbourne": "Australia/Melbourne",
    "Brisbane": "Australia/Brisbane",
    "Perth": "Australia/Perth",
    "Adelaide": "Australia/Adelaide",
    "Hobart": "Australia/Hobart",
    "Darwin": "Australia/Darwin",
    "Canberra": "Australia/Canberra",
    "Auckland": "Pacific/Auckland",
    "Wellington": "Pacific/Auckland",
    "London": "Europe/London",
}


def company(core: Core) -> Json:
    return {
        "id": core.state.company_id,
        "name": core.state.company_name,
        "is_active": True,
        "logo_url": None,
        "pcn_business_experience": False,
        "my_company": True,
    }


def me(user: User) -> Json:
    return {"id": user.id, "name": user.name, "login": user.login}


def _named(core: Core) -> Json:
    return {"id": core.state.company_id, "name": core.state.company_name}


def project_light(core: Core, project: Project) -> Json:
    return {
        "id": project.id,
        "name": project.name,
        "address": {
            "street": None,
            "city": None,
            "state_code": project.state_code,
            "zip": None,
            "country_code": "AU",
        },
        "stage_name": project.stage,
        "status_name": "Active" if project.active else "Inactive",
        "type_name": None,
        "open_items": [],
    }


def project_row(core: Core, project: Project, view: str) -> Json:
    """A row of the v1.1 list: ids, compact, normal (the default) or extended."""
    row: Json = {"id": project.id}
    if view == "ids":
        return row
    row["name"] = project.name
    if view == "compact":
        return row
    row |= _common(core, project)
    if view == "extended":
        row.pop("is_demo")
        row |= {
            "description": None,
            "standard_cost_code_list_id": core.state.list_id,
            "tz_name": TIME_ZONES.get(project.time_zone, project.time_zone),
            "departments": [],
        }
    return row


def project_show(core: Core, project: Project) -> Json:
    return (
        {"id": project.id, "name": project.name}
        | _common(core, project)
        | {
            "template": False,
            "tz_name": TIME_ZONES.get(project.time_zone, project.time_zone),
            "standard_cost_code_list_id": core.state.list_id,
            "is_erp_integrated": False,
            "description": None,
            "actual_start_date": None,
            "projected_finish_date": None,
            "departments": [],
            "office": None,
            "program": None,
            "project_stage_id": 1,
        }
    )


def _common(core: Core, project: Project) -> Json:
    return {
        "display_name": f"{project.number} - {project.name}",
        "project_number": project.number,
        "accounting_project_number": None,
        "active": project.active,
        "address": None,
        "city": None,
        "company": _named(core),
        "completion_date": None,
        "country_code": "AU",
        "county": None,
        "created_at": stamp(project.created_at),
        "custom_fields": {},
        "estimated_value": "0.0",
        "is_demo": False,
        "origin_code": project.origin_code,
        "origin_data": project.origin_data,
        "origin_id": project.origin_id,
        "owners_project_id": None,
        "parent_job_id": None,
        "project_stage": {"id": 1, "name": project.stage},
        "start_date": None,
        "state_code": project.state_code,
        "store_number": None,
        "time_zone": project.time_zone,
        "total_value": "0.0",
        "updated_at": stamp(project.updated_at),
        "zip": None,
    }


def vendor(core: Core, one: Vendor, view: str) -> Json:
    """A vendor in one of Procore's views; erp, normal and the rest differ in what they add."""
    row: Json = {"id": one.id, "name": one.name}
    if view == "compact":
        return row
    if view == "summary":
        return row | {
            "company_vendor": False,
            "is_connected": False,
            "synced_to_erp": False,
            "active_users_count": 0,
            "bids_count": 0,
            "open_bids_count": 0,
            "projects_count": len(_projects(core, one)),
        }
    row |= _vendor_normal(one)
    if view == "erp":
        return row | {"origin_custom_fields": [], "erp_custom_fields": []}
    if view == "directory":
        for field in ("contact_count", "origin_id", "origin_data", "origin_code", "country_code"):
            row.pop(field, None)
    if view in ("extended", "directory", ""):
        row |= {
            "bidding_distribution": [],
            "company_vendor": False,
            "legal_name": one.name,
            "standard_cost_codes": [],
            "trades": [],
        }
    if view in ("extended", ""):
        row |= {"children_count": 0, "parent": None, "project_ids": _projects(core, one)}
    return row


def project_vendor(core: Core, one: Vendor) -> Json:
    """A vendor in a project's directory."""
    row = vendor(core, one, "normal") | {"project_ids": _projects(core, one)}
    row.pop("contact_count")
    return row


def _vendor_normal(one: Vendor) -> Json:
    return {
        "abbreviated_name": one.abbreviated_name,
        "address": one.address,
        "attachments": [],
        "authorized_bidder": True,
        "business_id": None,
        "business_phone": one.phone,
        "business_register": business_register(one),
        "city": one.city,
        "contact_count": 0,
        "company": one.name,
        "country_code": one.country_code,
        "created_at": stamp(one.created_at),
        "email_address": one.email,
        "fax_number": None,
        "is_active": one.is_active,
        "is_connected": False,
        "license_number": None,
        "mobile_phone": None,
        "notes": one.notes,
        "origin_code": one.origin_code,
        "origin_data": one.origin_data,
        "origin_id": one.origin_id,
        "prequalified": False,
        "primary_contact": None,
        "state_code": one.state_code,
        "synced_to_erp": False,
        "trade_name": one.trade_name,
        "updated_at": stamp(one.updated_at),
        "vendor_group": None,
        "website": one.website,
        "zip": one.zip,
    }


def business_register(one: Vendor) -> Json | None:
    if not one.abn:
        return None
    return {
        "id": one.register_id,
        "type": "abn",
        "identifier": one.abn,
        "verified_at": stamp(one.created_at),
        "verification_status": "active",
    }


def _projects(core: Core, one: Vendor) -> list[int]:
    return [
        project.id
        for project in core.state.projects.values()
        if any(c.vendor_id == one.id for c in project.commitments.values())
    ]
