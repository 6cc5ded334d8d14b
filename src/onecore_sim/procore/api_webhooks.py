"""The API's webhooks v2.0, for a company and for a project."""

import json
import re

from onecore_sim.procore import events
from onecore_sim.procore.api import Call, Handler, Reply
from onecore_sim.procore.core import Json, stamp
from onecore_sim.procore.errors import ApiError, invalid, missing, not_found
from onecore_sim.procore.listing import page, span
from onecore_sim.procore.state import Attempt, Delivery, Hook, Trigger


def _level(call: Call) -> int | None:
    """The project the path is about; None for a company path."""
    return call.project().id if "project_id" in call.request.path_params else None


def _wire(call: Call, hook: Hook) -> Json:
    return {
        "id": hook.id,
        "status": hook.status,
        "payload_version": hook.payload_version,
        "namespace": hook.namespace,
        "destination_headers": (
            {"Authorization": hook.authorization} if hook.authorization else {}
        ),
        "destination_url": hook.destination_url,
        "trigger_count": len(hook.triggers),
        "company_id": str(call.core.state.company_id),
        "project_id": None if hook.project_id is None else str(hook.project_id),
        "created_at": stamp(hook.created_at),
        "updated_at": stamp(hook.updated_at),
    }


def _row(call: Call, hook: Hook) -> Json:
    """A row of the list, which alone tells the level."""
    return _wire(call, hook) | {"hook_type": "company" if hook.project_id is None else "project"}


def _hook(call: Call, name: str) -> Hook:
    """The hook of the path, of this very level: a project's hook is not a company's."""
    hook = call.core.state.hooks.get(call.request.path_params[name])
    if hook is None or hook.project_id != _level(call):
        raise not_found()
    return hook


def _hooks(call: Call) -> Reply:
    level = _level(call)
    mine = [h for h in call.core.state.hooks.values() if h.project_id == level]
    for name in ("namespace", "payload_version"):
        wanted = call.query(name)
        mine = [h for h in mine if wanted in (None, getattr(h, name))]
    return page(call, mine, lambda h: _row(call, h))


def _checked(said: Json) -> None:
    if "payload_version" in said and said["payload_version"] not in events.VERSIONS:
        raise invalid("payload_version", "is not included in the list")
    if "namespace" in said and not re.fullmatch(r"[a-z0-9-]+", str(said["namespace"])):
        raise invalid("namespace", "may have a-z, 0-9 and - only")
    if "destination_url" in said:
        url = str(said["destination_url"])
        local = re.match(r"http://(127\.0\.0\.1|localhost|\[::1\])[:/]", url)
        if not (url.startswith("https://") or local):
            raise invalid("destination_url", "must be https")


def _new_hook(call: Call) -> Reply:
    level = _level(call)
    said = call.body if isinstance(call.body, dict) else {}
    for name in ("payload_version", "namespace", "destination_url"):
        if not said.get(name):
            raise missing(name)
    _checked(said)
    now = call.core.now()
    hook = Hook(
        id=str(call.core.new_id()),
        namespace=said["namespace"],
        payload_version=said["payload_version"],
        destination_url=said["destination_url"],
        created_at=now,
        updated_at=now,
        authorization=(said.get("destination_headers") or {}).get("Authorization"),
        project_id=level,
    )
    call.core.state.hooks[hook.id] = hook
    return Reply({"data": _wire(call, hook)}, 201)


def _show_hook(call: Call) -> Reply:
    return Reply({"data": _wire(call, _hook(call, "id"))})


def _edit_hook(call: Call) -> Reply:
    hook = _hook(call, "id")
    said = call.body if isinstance(call.body, dict) else {}
    _checked(said)
    if said.get("status") not in (None, "active", "disabled"):
        raise invalid("status", "is not included in the list")
    names = ["payload_version", "namespace", "destination_url"]
    if hook.project_id is None:  # a project's hook takes no status; what is unknown is passed over
        names.append("status")
    for name in names:
        if said.get(name):
            setattr(hook, name, said[name])
    if "destination_headers" in said:
        hook.authorization = (said["destination_headers"] or {}).get("Authorization")
    hook.failing_since = None
    call.core.touch(hook)
    return Reply({"data": _wire(call, hook)})


def _delete_hook(call: Call) -> Reply:
    hook = _hook(call, "id")
    del call.core.state.hooks[hook.id]
    return Reply(None, 204)


def _trigger_wire(call: Call, hook: Hook, trigger: Trigger) -> Json:
    return {
        "id": trigger.id,
        "webhook_hook_id": hook.id,
        "resource_name": trigger.resource_name,
        "event_type": trigger.event_type,
        "company_id": str(call.core.state.company_id),
        "project_id": None if hook.project_id is None else str(hook.project_id),
    }


def _triggers(call: Call) -> Reply:
    hook = _hook(call, "hook_id")
    return page(call, hook.triggers, lambda t: _trigger_wire(call, hook, t))


def _add(call: Call, hook: Hook, said: Json) -> Trigger:
    known = events.catalogue(call.core, hook.project_id is None, hook.payload_version)
    resource, event = said.get("resource_name"), said.get("event_type")
    if resource not in known:
        raise invalid("resource_name", "is not included in the list")
    if event not in known[resource]:
        raise invalid("event_type", "is not included in the list")
    if any(t.resource_name == resource and t.event_type == event for t in hook.triggers):
        raise invalid("resource_name", "has already been taken")
    trigger = Trigger(str(call.core.new_id()), resource, event)
    hook.triggers.append(trigger)
    return trigger


def _new_trigger(call: Call) -> Reply:
    hook = _hook(call, "hook_id")
    trigger = _add(call, hook, call.body if isinstance(call.body, dict) else {})
    return Reply({"data": _trigger_wire(call, hook, trigger)}, 201)


def _bulk_add(call: Call) -> Reply:
    """201 when all were made, 207 with what went wrong beside what was made otherwise."""
    hook = _hook(call, "hook_id")
    if not isinstance(call.body, list):
        raise missing("triggers")
    made: list[Json] = []
    failed: list[Json] = []
    for said in call.body:
        try:
            made.append(_trigger_wire(call, hook, _add(call, hook, said)))
        except ApiError as error:
            failed.append({**said, "errors": error.fields})
    if failed:
        return Reply({"data": {"succeeded": made, "failed": failed}}, 207)
    return Reply({"data": made}, 201)


def _bulk_remove(call: Call) -> Reply:
    hook = _hook(call, "hook_id")
    wanted = {str(x) for x in call.body} if isinstance(call.body, list) else set()
    gone = [t.id for t in hook.triggers if t.id in wanted]
    hook.triggers = [t for t in hook.triggers if t.id not in wanted]
    unknown = sorted(wanted - set(gone))
    if unknown:
        return Reply({"data": {"succeeded": gone, "failed": unknown}}, 207)
    return Reply({"data": {"succeeded": gone}})


def _remove_trigger(call: Call) -> Reply:
    hook = _hook(call, "hook_id")
    wanted = call.request.path_params["id"]
    if all(t.id != wanted for t in hook.triggers):
        raise not_found()
    hook.triggers = [t for t in hook.triggers if t.id != wanted]
    return Reply(None, 204)


def _resources(call: Call) -> Reply:
    version = call.query("payload_version")
    if version not in events.VERSIONS:
        raise missing("payload_version")
    known = events.catalogue(call.core, _level(call) is None, version)
    kept = [
        {
            "category": "Construction Financials",
            "tool": name,
            "name": name,
            "payload_version": version,
            "actions": list(actions),
        }
        for name, actions in known.items()
    ]
    return page(call, kept, dict)


def _attempt(one: Attempt) -> Json:
    return {
        "id": one.id,
        "success": one.success,
        "response_status": one.response_status,
        "response_body": one.response_body,
        "response_headers": {},
        "started_at": stamp(one.started_at),
        "completed_at": stamp(one.completed_at),
    }


def _delivery(one: Delivery) -> Json:
    return {
        "id": one.id,
        "status": one.status,
        "payload": json.loads(one.body),
        "delivery_attempts": [_attempt(a) for a in one.attempts],
    }


def _deliveries(call: Call) -> Reply:
    """The filter says succeeded where the rows say delivered."""
    hook = _hook(call, "hook_id")
    kept = [d for d in call.core.state.deliveries if d.hook_id == hook.id]
    status = call.query("filter[status]")
    if status:
        wanted = "delivered" if status == "succeeded" else status
        kept = [d for d in kept if d.status == wanted]
    if name := call.query("filter[resource_name]"):
        kept = [d for d in kept if d.resource_name == name]
    if event := call.query("filter[event_type]"):
        kept = [d for d in kept if d.event_type == event]
    if start := call.query("filter[start]"):
        kept = [d for d in kept if d.created_at >= span(start)[0]]
    if end := call.query("filter[end]"):
        kept = [d for d in kept if d.created_at <= span(end)[1]]
    return page(call, kept, _delivery)


TABLE: dict[tuple[str, str], Handler] = {}
for _base in (
    "/rest/v2.0/companies/{company_id}/webhooks",
    "/rest/v2.0/companies/{company_id}/projects/{project_id}/webhooks",
):
    TABLE |= {
        ("GET", f"{_base}/hooks"): _hooks,
        ("POST", f"{_base}/hooks"): _new_hook,
        ("GET", f"{_base}/hooks/{{id}}"): _show_hook,
        ("PATCH", f"{_base}/hooks/{{id}}"): _edit_hook,
        ("DELETE", f"{_base}/hooks/{{id}}"): _delete_hook,
        ("GET", f"{_base}/hooks/{{hook_id}}/triggers"): _triggers,
        ("POST", f"{_base}/hooks/{{hook_id}}/triggers"): _new_trigger,
        ("POST", f"{_base}/hooks/{{hook_id}}/triggers/bulk"): _bulk_add,
        ("DELETE", f"{_base}/hooks/{{hook_id}}/triggers/bulk"): _bulk_remove,
        ("DELETE", f"{_base}/hooks/{{hook_id}}/triggers/{{id}}"): _remove_trigger,
        ("GET", f"{_base}/hooks/{{hook_id}}/deliveries"): _deliveries,
        ("GET", f"{_base}/resources"): _resources,
    }
