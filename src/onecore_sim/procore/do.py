"""Paths under /_sim/do by which tests play the people who work in Procore: JSON in, JSON out."""

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from onecore_sim.procore import actions, claim_actions, claims, records
from onecore_sim.procore.core import Core, Json
from onecore_sim.procore.errors import ApiError, not_found
from onecore_sim.procore.state import PERSON, Project, Requisition, Vendor

Said = Mapping[str, Any]
Action = Callable[[Core, Said], Json]


def _project(core: Core, said: Said) -> Project:
    return core.project(int(said["project_id"]))


def _claim(core: Core, said: Said) -> tuple[Project, Requisition]:
    project = _project(core, said)
    return project, claim_actions.claim_of(project, int(said["id"]))


def _told(claim: Requisition) -> Json:
    whole = claims.summary(claim)
    return {
        "id": claim.id,
        "number": claim.number,
        "status": claim.status,
        "commitment_id": claim.commitment_id,
        "items": [{"id": item.id, "line_id": item.line_id} for item in claim.items],
        "gross": str(claims.gross(claim)),
        "retained": str(claims.retained_movement(claim)),
        "current_payment_due": str(whole.current_payment_due),
    }


def approve_claim(core: Core, said: Said) -> Json:
    """{project_id, id, status?}: approved unless `status` says approved_as_noted, say."""
    project, claim = _claim(core, said)
    claim_actions.set_status(core, project, claim, said.get("status", "approved"), PERSON)
    return _told(claim)


def set_status(core: Core, said: Said) -> Json:
    project, claim = _claim(core, said)
    claim_actions.set_status(core, project, claim, said["status"], PERSON)
    return _told(claim)


def new_claim(core: Core, said: Said) -> Json:
    """{project_id, commitment_id, lines, status?, invoice_number?, billing_date?, ...}."""
    project = _project(core, said)
    commitment = records.commitment_of(project, int(said["commitment_id"]))
    return _told(claim_actions.new_claim(core, project, commitment, said, PERSON))


def edit_claim(core: Core, said: Said) -> Json:
    """{project_id, id, lines, ...}; a line is named by its line_id."""
    project, claim = _claim(core, said)
    rest = {k: v for k, v in said.items() if k not in ("id", "project_id")}
    claim_actions.edit_claim(core, project, claim, rest, PERSON)
    return _told(claim)


def delete_claim(core: Core, said: Said) -> Json:
    project, claim = _claim(core, said)
    claim_actions.delete_claim(core, project, claim, PERSON)
    return {}


def claim(core: Core, said: Said) -> Json:
    return _told(_claim(core, said)[1])


def new_commitment(core: Core, said: Said) -> Json:
    """{project_id, vendor_id, retainage_percent?, max_retainage?, kind?, lines: [{amount,
    description?, cost_code?, cost_type?, cost_code_id?, line_item_type_id?, tax_code_id?}]}."""
    project = _project(core, said)
    made = actions.new_commitment(core, project, said, PERSON)
    return {"id": made.id, "number": made.number, "line_ids": [x.id for x in made.lines]}


def edit_commitment(core: Core, said: Said) -> Json:
    project = _project(core, said)
    commitment = records.commitment_of(project, int(said["id"]))
    rest = {k: v for k, v in said.items() if k not in ("id", "project_id")}
    actions.edit_commitment(core, project, commitment, rest, PERSON)
    return {"id": commitment.id}


def new_change_order(core: Core, said: Said) -> Json:
    """{project_id, commitment_id, title?, status?, lines}."""
    project = _project(core, said)
    commitment = records.commitment_of(project, int(said["commitment_id"]))
    order = actions.new_change_order(core, project, commitment, said, PERSON)
    return {"id": order.id, "line_ids": [x.id for x in order.lines]}


def approve_change_order(core: Core, said: Said) -> Json:
    project = _project(core, said)
    order = project.change_orders.get(int(said["id"]))
    if order is None:
        raise not_found()
    status = said.get("status", "approved")
    actions.set_change_order_status(core, project, order, status, PERSON)
    return {"id": order.id, "status": order.status}


def _vendor(core: Core, vendor_id: object) -> Vendor:
    vendor = core.state.vendors.get(int(str(vendor_id)))
    if vendor is None:
        raise not_found()
    return vendor


def new_vendor(core: Core, said: Said) -> Json:
    """{name, abn?, email?, ...}."""
    return {"id": actions.new_vendor(core, said, PERSON).id}


def edit_vendor(core: Core, said: Said) -> Json:
    vendor = _vendor(core, said["id"])
    actions.edit_vendor(core, vendor, {k: v for k, v in said.items() if k != "id"}, PERSON)
    return {"id": vendor.id}


def merge_vendors(core: Core, said: Said) -> Json:
    """{keep, gone}: the second vendor's contracts go to the first, its id is no more."""
    keep, gone = _vendor(core, said["keep"]), _vendor(core, said["gone"])
    actions.merge_vendors(core, keep, gone, PERSON)
    return {"id": keep.id}


def set_project(core: Core, said: Said) -> Json:
    """{project_id, permitted?, tools?: {name: bool}, name?, active?}."""
    project = _project(core, said)
    actions.set_project(core, project, said, PERSON)
    return {"id": project.id, "permitted": project.permitted, "tools": project.tools}


def new_project(core: Core, said: Said) -> Json:
    """{name, number?, permitted?: false as in Procore, time_zone?}."""
    return {"id": actions.new_project(core, said, PERSON).id}


def new_cost_code(core: Core, said: Said) -> Json:
    """{code, name?}: a standard cost code, in every project at once."""
    return {"id": actions.new_cost_code(core, said, PERSON).id}


def bulk_claims(core: Core, said: Said) -> Json:
    """{project_id, count, status?}: that many commitments, each with one claim."""
    project = _project(core, said)
    status = said.get("status", "approved")
    made = actions.bulk_claims(core, project, int(said["count"]), status, PERSON)
    return {"ids": [m["id"] for m in made], "claims": made}


def revoke_app(core: Core, said: Said) -> Json:
    """{connected?: false}: remove the app from the company, or put it back."""
    core.switches.set("app_connected", bool(said.get("connected", False)))
    return {"connected": core.switches.on("app_connected")}


def expire_tokens(core: Core, said: Said) -> Json:
    """Every access token given out so far ended a second ago; refresh tokens live on."""
    ended = core.now() - timedelta(seconds=1)
    for token in core.state.tokens:
        token.expires_at = min(token.expires_at, ended)
    return {"expired": len(core.state.tokens)}


def revoke_tokens(core: Core, said: Said) -> Json:
    """Every token given out so far is dead, refresh tokens too."""
    for token in core.state.tokens:
        token.revoked = True
    return {"revoked": len(core.state.tokens)}


def reset_limits(core: Core, said: Said) -> Json:
    core.limits.reset()
    return {}


ACTIONS: tuple[Action, ...] = (
    approve_claim, set_status, new_claim, edit_claim, delete_claim, claim, new_commitment,
    edit_commitment, new_change_order, approve_change_order, new_vendor, edit_vendor,
    merge_vendors, set_project, new_project, new_cost_code, bulk_claims, revoke_app,
    expire_tokens, revoke_tokens, reset_limits,
)  # fmt: skip
BY_NAME = {action.__name__: action for action in ACTIONS}


def routes(core: Core) -> list[BaseRoute]:
    return [
        Route(f"/_sim/do/{name}", _endpoint(core, action), methods=["POST"])
        for name, action in BY_NAME.items()
    ]


def _endpoint(core: Core, action: Action) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        raw = await request.body()
        try:
            said = json.loads(raw or b"{}")
            return JSONResponse(action(core, said))
        except ApiError as error:
            return JSONResponse({"error": error.text}, error.status)
        except (KeyError, ValueError, TypeError) as error:
            return JSONResponse({"error": f"{type(error).__name__}: {error}"}, 400)

    return endpoint
