"""Events: which hooks hear of a change, and what is sent to them."""

import json
import secrets
from datetime import UTC, datetime, timedelta

from onecore_sim.kit.faults import Kind
from onecore_sim.procore.core import Core, Json
from onecore_sim.procore.state import SERVICE_USER, Delivery, Hook, Project

ANY = ("create", "update", "delete")
COMPANY = {
    "Company Vendors": ("create", "update"),
    "Company Users": ("create", "update"),
    "Projects": ("create", "update"),
    "ERP Requests": ANY,
    "Line Item Types": ANY,
    "Standard Cost Codes": ANY,
    "Standard Cost Code Lists": ("create",),
    "Timecard Time Types": ("create", "delete"),
    "Departments": ANY,
    "Offices": ANY,
    "Programs": ANY,
    "Project Stages": ANY,
}
PROJECT = {
    "Budget Line Items": ANY,
    "Change Events": ANY,
    "Change Order Packages": ANY,
    "Change Order Requests": ANY,
    "Contract Payments": ANY,
    "Cost Codes": ANY,
    "Direct Cost Line Items": ANY,
    "Direct Costs": ANY,
    "Draw Requests": ANY,
    "Payment Applications": ANY,
    "Potential Change Orders": ANY,
    "Prime Contracts": ANY,
    "Project Users": ("create", "delete"),
    "Project Vendors": ("create", "delete"),
    "Purchase Order Contract Line Items": ANY,
    "Purchase Order Contracts": ANY,
    "Sub Jobs": ANY,
    "Timecard Entries": ANY,
    "Work Order Contract Line Items": ANY,
    "Work Order Contracts": ANY,
}
VERSIONS = ("v2.0", "v3.0", "v4.0")
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
APPLICATION_ID = 650_001


def catalogue(core: Core, company_level: bool, version: str) -> dict[str, tuple[str, ...]]:
    """The resource names a hook of that level and version may have triggers for."""
    if company_level:
        known = dict(COMPANY)
        return known | PROJECT if core.switches.on("webhook_company_hook_sees_projects") else known
    if version == "v4.0" and core.switches.on("webhook_requisitions"):
        return PROJECT | {"Requisitions": ANY}
    return dict(PROJECT)


def announce(
    core: Core, resource: str, event: str, resource_id: int, project: Project | None, by: int
) -> None:
    """Queue the event for every hook with a trigger for it. Projects themselves, vendors and
    other company records are told to company hooks; what is inside a project, to its own."""
    for hook in core.state.hooks.values():
        if hook.status != "active" or not _hears(core, hook, resource, project):
            continue
        if not any(t.resource_name == resource and t.event_type == event for t in hook.triggers):
            continue
        body = payload(core, hook, resource, event, resource_id, project, by)
        _queue(core, hook, resource, event, body)
    core.on_event()


def _hears(core: Core, hook: Hook, resource: str, project: Project | None) -> bool:
    known = catalogue(core, hook.project_id is None, hook.payload_version)
    if resource not in known:
        return False
    if project is None:
        return hook.project_id is None
    if not project.permitted and not core.switches.on("webhook_hidden_projects"):
        return False
    return hook.project_id in (None, project.id)


def _queue(core: Core, hook: Hook, resource: str, event: str, body: Json) -> None:
    fault = core.faults.meet_event(f"{resource} {event}")
    kind = fault.kind if fault else None
    now = core.now()
    for _ in range(2 if kind is Kind.DOUBLED else 1):
        core.state.deliveries.append(
            Delivery(
                id=str(core.new_id()),
                hook_id=hook.id,
                resource_name=resource,
                event_type=event,
                body=json.dumps(body),
                status="discarded" if kind is Kind.DROPPED else "enqueued",
                created_at=now,
                due_at=now + timedelta(seconds=fault.seconds if fault else 0),
                fault=kind or "",
            )
        )


def payload(
    core: Core,
    hook: Hook,
    resource: str,
    event: str,
    resource_id: int,
    project: Project | None,
    by: int,
) -> Json:
    now = core.now()
    timestamp = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    project_id = project.id if project else None
    company_id = core.state.company_id
    if hook.payload_version == "v4.0":
        return {
            "id": ulid(now),
            "timestamp": timestamp,
            "reason": event,
            "company_id": str(company_id),
            "project_id": None if project_id is None else str(project_id),
            "user_id": str(by),
            "resource_type": resource,
            "resource_id": str(resource_id),
        }
    body: Json = {
        "id": core.new_id(),
        "ulid": ulid(now),
        "timestamp": timestamp,
        "metadata": {
            "source_user_id": by,
            "source_project_id": project_id,
            "source_operation_id": None,
            "source_company_id": company_id,
            "source_application_id": APPLICATION_ID if by == SERVICE_USER else None,
        },
        "user_id": by,
        "company_id": company_id,
        "project_id": project_id,
        "api_version": hook.payload_version,
        "event_type": event,
        "resource_name": resource,
        "resource_id": resource_id,
    }
    if hook.payload_version == "v3.0":
        body["related_resources"] = []
    return body


def ulid(now: datetime) -> str:
    """A ULID: 48 bits of time in milliseconds, 80 random bits, in Crockford's base 32."""
    value = (int(now.timestamp() * 1000) << 80) | secrets.randbits(80)
    return "".join(CROCKFORD[(value >> (5 * n)) & 31] for n in range(25, -1, -1))
