"""Holding recorded exchanges against the published specs, by openapi-core.

Every request of ours must fit as it is published. Replies are relaxed only where the specs are
known to differ from real answers, and each relaxation says so.
"""

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import yaml
from openapi_core import Config, OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest, MockResponse
from werkzeug.datastructures import ImmutableMultiDict

SPECS = Path(__file__).parent / "specs"


class Spec:
    """One remote's spec. `prefix` is what its server address has in front of its paths."""

    def __init__(self, documents: list[dict[str, Any]], host: str, prefix: str = "") -> None:
        # Unknown fields are tolerated in answers, and refused in what we send.
        sent = Config(spec_validator_cls=None, additional_properties_default_policy="forbid")
        got = Config(spec_validator_cls=None)
        self._known: list[tuple[OpenAPI, OpenAPI, dict[str, Any]]] = []
        for document in documents:
            _without_security(document)
            ours, theirs = (OpenAPI.from_dict(document, config=c) for c in (sent, got))
            self._known.append((ours, theirs, document))
        self._host = host
        self._prefix = prefix

    def breaches(self, exchanges: list[dict[str, Any]]) -> list[str]:
        """What does not fit, in words; empty when every exchange does."""
        return [text for one in exchanges if (text := self._breach(one))]

    def _breach(self, exchange: dict[str, Any]) -> str | None:
        path = exchange["path"]
        spelled = path.replace("/connections", "/Connections")
        parts = spelled.removeprefix(self._prefix)
        known = next(((*k, t) for k in self._known if (t := _template(k[2], parts))), None)
        if known is None:
            return f"{path} is in no spec"
        ours, theirs, document, template = known
        operation = document["paths"][template][exchange["method"].lower()]
        if unknown := _undeclared(document, operation, exchange["query"]):
            return f"{path} takes no {', '.join(unknown)}"
        if "/oauth/" not in path and "authorization" not in exchange["request_headers"]:
            return f"{path} was asked for without a token"
        request = MockRequest(
            self._host,
            exchange["method"].lower(),
            spelled,
            args=ImmutableMultiDict(parse_qsl(exchange["query"], keep_blank_values=True)),
            headers=exchange["request_headers"],
            data=exchange["request_body"].encode() or None,
            content_type=exchange["request_headers"].get("content-type", "application/json"),
        )
        where = f"{exchange['method']} {path}?{exchange['query']} {exchange['status']}"
        try:
            ours.validate_request(request)
            if exchange["status"] and not exchange["fault"] and exchange["response_body"]:
                response = MockResponse(
                    exchange["response_body"].encode(),
                    exchange["status"],
                    headers=exchange["response_headers"],
                    content_type=exchange["response_headers"].get("content-type", ""),
                )
                if 200 <= exchange["status"] < 300:
                    theirs.validate_response(request, response)
        except OpenAPIError as error:
            return f"{where}: {_words(error)}"
        return None


def _words(error: BaseException) -> str:
    """What is wrong, by the innermost causes that say where."""
    inner = list(getattr(error, "schema_errors", None) or ())
    if inner:
        leaves = [leaf for one in inner for leaf in (one.context or [one])]
        return "; ".join(
            f"{'/'.join(map(str, leaf.absolute_path))}: {leaf.message[-160:]}"
            for leaf in leaves[:5]
        )
    own = f"{type(error).__name__}: {error}"[:300]
    return _words(error.__cause__) if error.__cause__ is not None else own


def _without_security(document: dict[str, Any]) -> None:
    """openapi-core knows no OAuth2; that a token went along is asserted in its place."""
    document.pop("security", None)
    for operations in document["paths"].values():
        for operation in operations.values():
            if isinstance(operation, dict):
                operation.pop("security", None)


def _template(document: dict[str, Any], path: str) -> str | None:
    """The path of the spec that stands for this one, those with fewer parameters first."""
    parts = path.split("/")
    for known in sorted(document["paths"], key=lambda p: p.count("{")):
        shape = known.split("/")
        if len(shape) == len(parts) and all(
            s.startswith("{") or s == p for s, p in zip(shape, parts, strict=True)
        ):
            return str(known)
    return None


def _undeclared(document: dict[str, Any], operation: dict[str, Any], query: str) -> list[str]:
    """Names in a query that the operation does not have; an array's name may end in []."""
    declared = set()
    for parameter in operation.get("parameters", ()):
        if "$ref" in parameter:
            name = parameter["$ref"].rsplit("/", 1)[-1]
            parameter = document["components"]["parameters"][name]  # noqa: PLW2901
        declared.add(parameter["name"].removesuffix("[]"))
    asked = {name.removesuffix("[]") for name, _ in parse_qsl(query, keep_blank_values=True)}
    return sorted(asked - declared)


def _procore() -> Spec:
    document = json.loads((SPECS / "procore" / "procore-subset.openapi.json").read_text())
    for operations in document["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                # Ranges "A...B" are documented; the spec types these filters as plain dates.
                if parameter["name"].startswith("filters["):
                    parameter["schema"].pop("format", None)
    _relax(document["components"]["schemas"])
    for operations in document["paths"].values():
        for operation in operations.values():
            _relax(operation["responses"])
    return Spec([document], "https://api.procore.com")


def _relax(node: Any) -> None:
    """Null passes anywhere and overlapping views count as any of them, as real answers have it
    [P G7]; "labor" is a base type the enumeration leaves out; the list and the show of claims
    disagree on the type of previous_progress_id."""
    if isinstance(node, list):
        for item in node:
            _relax(item)
    if not isinstance(node, dict):
        return
    if "oneOf" in node:
        node["anyOf"] = node.pop("oneOf")
    if isinstance(node.get("previous_progress_id"), dict):
        node["previous_progress_id"] = {}
    if isinstance(node.get("type"), str):
        node["nullable"] = True
        if "enum" in node:
            node["enum"] = [*node["enum"], None, "labor"]
    for value in node.values():
        _relax(value)


def _xero() -> Spec:
    accounting = json.loads((SPECS / "xero" / "accounting-subset.openapi.json").read_text())
    # The header is documented as an instant without a zone, and the connections' times come so;
    # the specs type both as RFC 3339.
    for operations in accounting["paths"].values():
        for parameter in operations.get("get", {}).get("parameters", ()):
            if parameter.get("name") == "If-Modified-Since":
                parameter["schema"].pop("format")
    for parameter in accounting["components"]["parameters"].values():
        if parameter["name"] == "If-Modified-Since":
            parameter["schema"].pop("format")
    identity = yaml.safe_load((SPECS / "xero" / "xero-identity.yaml").read_text())
    times = identity["components"]["schemas"]["Connection"]["properties"]
    for name in ("createdDateUtc", "updatedDateUtc"):
        times[name].pop("format")
    return Spec([accounting, identity], "https://api.xero.com", "/api.xro/2.0")


PROCORE = _procore()
XERO = _xero()
