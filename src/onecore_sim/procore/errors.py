"""Refusals, in the several shapes Procore writes them."""

from collections.abc import Mapping, Sequence
from typing import Any

CODES = {
    400: "BAD_REQUEST",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    406: "NOT_ACCEPTABLE",
    409: "CONFLICT",
    422: "UNPROCESSABLE_ENTITY",
    429: "TOO_MANY_REQUESTS",
}


class ApiError(Exception):
    """One refusal. `fields` names what was wrong with which field; `shape` is its natural body."""

    def __init__(
        self,
        status: int,
        text: str,
        *,
        fields: Mapping[str, Sequence[str]] | None = None,
        shape: str = "text",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.fields = {name: list(said) for name, said in (fields or {}).items()}
        self.shape = "fields" if fields else shape
        self.headers = dict(headers or {})

    def body(self, shape: str, v2: bool) -> dict[str, Any]:
        """The body in the asked shape; "natural" is the endpoint's own, v2's for v2 paths."""
        if shape == "natural":
            shape = "object" if v2 else self.shape
        code = CODES.get(self.status, "ERROR")
        match shape:
            case "fields":
                return {"errors": self.fields or {"base": [self.text]}}
            case "object":
                details = [{"field": k, "messages": v} for k, v in self.fields.items()]
                return {"error": {"code": code, "message": self.text, "details": details}}
            case "message":
                return {"message": self.text}
            case "coded":
                return {
                    "code": self.status,
                    "message": self.text,
                    "fields": self.fields,
                    "reason": code.lower(),
                }
            case _:
                return {"errors": self.text}


def not_found() -> ApiError:
    return ApiError(404, "Not found", shape="message")


def invalid(field: str, said: str) -> ApiError:
    return ApiError(422, f"{field} {said}", fields={field: [said]})


def missing(field: str) -> ApiError:
    return ApiError(400, f"param is missing or the value is empty: {field}", shape="coded")
