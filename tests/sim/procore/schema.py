"""Checks replies against the published schema, relaxed only where it is known to be wrong."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

SPEC = Path(__file__).parents[2] / "contract" / "specs" / "procore" / "procore-subset.openapi.json"

# Where the schema is relaxed, and why. Beyond these:
# - null passes wherever a field is not required: the schema marks almost nothing nullable, yet
#   Procore stores a date it cannot read as null and leaves unset fields null;
# - oneOf is read as anyOf: the views it lists overlap, so exactly one could never match.
RELAXED_ENUMS = {
    # The enumeration leaves labor out, which the tutorials on timecards require.
    "base_type": ["labor"],
    # The compact list mixes both kinds but lists subcontracts' statuses only.
    "commitments.status": ["Processing", "Submitted", "Partially Received", "Received", "Closed"],
}
# The show and the list of requisitions differ in this field's type; both types pass.
LOOSE_TYPES = {"previous_progress_id": ["integer", "string"]}
# A list whose schema is that of one row.
ROWS = {("GET", "/rest/v1.0/projects/{project_id}/commitment_change_orders")}
# A v4.0 payload is documented, but the schema of deliveries knows only the older one; and the
# messages of a refused row of a sync are named after its fields, of which the schema lists one.
OPEN = {"payload", "errors"}


@cache
def spec() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(SPEC.read_text())
    return loaded


@cache
def _templates() -> list[tuple[re.Pattern[str], str]]:
    """Path patterns, those with fewer parameters first."""
    paths = sorted(spec()["paths"], key=lambda p: p.count("{"))
    return [(re.compile(re.sub(r"\{[^}]+\}", "[^/]+", p) + "$"), p) for p in paths]


def template(path: str) -> str:
    found = next((t for pattern, t in _templates() if pattern.match(path)), None)
    assert found, f"{path} is not in the published subset"
    return found


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        node: Any = spec()
        for part in schema["$ref"].removeprefix("#/").split("/"):
            node = node[part.replace("~1", "/").replace("~0", "~")]
        schema = node
    return schema


def _strict(schema: dict[str, Any], name: str, path: str, depth: int = 0) -> dict[str, Any]:
    """The schema as JSON Schema: undeclared fields refused, the relaxations above applied."""
    schema = _resolved(schema)
    if depth > 12 or "x-unspecified" in schema or "x-truncated" in schema or name in OPEN:
        return {}
    if choices := schema.get("oneOf") or schema.get("anyOf"):
        return {"anyOf": [_strict(c, name, path, depth + 1) for c in choices] + [{"type": "null"}]}
    made: dict[str, Any] = {}
    if kind := schema.get("type"):
        made["type"] = [kind, *LOOSE_TYPES.get(name, []), "null"]
    if values := schema.get("enum"):
        key = f"{path.rsplit('/', 1)[-1]}.{name}"
        extra = RELAXED_ENUMS.get(name, []) + RELAXED_ENUMS.get(key, [])
        made["enum"] = [*values, *extra, None]
    if "properties" in schema:
        made["properties"] = {
            k: _strict(v, k, path, depth + 1) for k, v in schema["properties"].items()
        }
        made["additionalProperties"] = False
        made["required"] = schema.get("required", [])
    if "items" in schema:
        made["items"] = _strict(schema["items"], name, path, depth + 1)
    return made


@cache
def _validator(method: str, path: str, status: str) -> Draft202012Validator | None:
    operation = spec()["paths"][path].get(method.lower())
    assert operation, f"{method} {path} is not in the published subset"
    answer = operation["responses"].get(status)
    assert answer is not None, f"{method} {path} publishes no {status}"
    content = _resolved(answer).get("content", {})
    if not content:
        return None
    schema = content["application/json"]["schema"]
    if (method, path) in ROWS:
        schema = {"type": "array", "items": schema}
    return Draft202012Validator(_strict(schema, "", path))


def check(method: str, path: str, status: int, body: Any) -> None:
    """Fails naming the first differences between a reply and its published schema."""
    known = template(path)
    validator = _validator(method, known, str(status))
    if validator is None:
        return
    errors = [
        f"{'/'.join(map(str, e.absolute_path))}: {e.message[-300:]}"
        for found in validator.iter_errors(body)
        for e in (found.context or [found])
    ]
    assert not errors, f"{method} {known} {status}: " + "; ".join(errors[:5])
