"""The `where` filter: a small parser and evaluator [X 3].

`Status=="PAID" AND (AmountDue>0 || Contact.ContactID==guid("…")) AND Name.Contains("x")`.
Values compared are UUID, Decimal, datetime, str, bool or None.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

Value = UUID | Decimal | datetime | str | bool | None
Row = Mapping[str, Any]
Test = Callable[[Row], bool]
METHODS: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda text, part: part in text,
    "startswith": str.startswith,
    "endswith": str.endswith,
}
TOKEN = re.compile(
    r'\s*(?:(?P<string>"(?:[^"\\]|\\.)*")|(?P<number>-?\d+(?:\.\d+)?)'
    r"|(?P<op>==|!=|>=|<=|<>|&&|\|\||[=<>(),!])|(?P<word>[A-Za-z_][\w.]*))"
)


class QueryError(Exception):
    """The filter cannot be read; the text says where."""


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str
    at: int


@dataclass(frozen=True, slots=True)
class Field:
    path: str


@dataclass(frozen=True, slots=True)
class Call:
    path: str
    method: str


def compile_where(text: str, fields: frozenset[str]) -> Test:
    """A test for rows; `fields` are the paths that exist. Raises QueryError."""
    parser = _Parser(_tokens(text), {f.lower(): f for f in fields})
    test = parser.either()
    parser.end()
    return test


def _tokens(text: str) -> list[Token]:
    found = []
    at = 0
    text = text.rstrip()
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            raise QueryError(f"Syntax error at position {at}")
        kind = match.lastgroup or ""
        found.append(Token(kind, match[kind], match.start(kind)))
        at = match.end()
    return found


class _Parser:
    def __init__(self, tokens: list[Token], fields: dict[str, str]) -> None:
        self._tokens = tokens
        self._at = 0
        self._fields = fields

    def either(self) -> Test:
        tests = [self._both()]
        while self._take("||", "or"):
            tests.append(self._both())
        return tests[0] if len(tests) == 1 else lambda row: any(t(row) for t in tests)

    def end(self) -> None:
        if self._at < len(self._tokens):
            raise QueryError(f"Syntax error at position {self._tokens[self._at].at}")

    def _both(self) -> Test:
        tests = [self._one()]
        while self._take("&&", "and"):
            tests.append(self._one())
        return tests[0] if len(tests) == 1 else lambda row: all(t(row) for t in tests)

    def _one(self) -> Test:
        if self._take("!", "not"):
            inner = self._one()
            return lambda row: not inner(row)
        if self._take("("):
            inner = self.either()
            self._need(")")
            return inner
        left = self._operand()
        if isinstance(left, Call):
            return self._called(left)
        operator = self._operator()
        if operator is None:
            if isinstance(left, Field):
                path = left.path
                return lambda row: row[path] is True
            raise QueryError("Expression of type 'Boolean' expected")
        return _comparison(left, operator, self._operand())

    def _called(self, call: Call) -> Test:
        self._need("(")
        part = self._literal(self._next())
        self._need(")")
        if not isinstance(part, str):
            raise QueryError(f"{call.method} takes a string")
        method, path = METHODS[call.method.lower()], call.path
        return lambda row: isinstance(row[path], str) and method(row[path], part)

    def _operand(self) -> Value | Field | Call:
        token = self._next()
        if token.kind == "word":
            low = token.text.lower()
            if low in ("guid", "datetime", "datetime.parse", "guid.parse"):
                return self._construct(low)
            if low in ("true", "false", "null"):
                return {"true": True, "false": False, "null": None}[low]
            head, _, tail = low.rpartition(".")
            if tail in METHODS and head in self._fields:
                return Call(self._fields[head], tail)
            if low not in self._fields:
                raise QueryError(f"No property or field '{token.text}' exists")
            return Field(self._fields[low])
        return self._literal(token)

    def _literal(self, token: Token) -> Value:
        if token.kind == "string":
            return re.sub(r"\\(.)", r"\1", token.text[1:-1])
        if token.kind == "number":
            return Decimal(token.text)
        raise QueryError(f"Expression expected at position {token.at}")

    def _construct(self, name: str) -> Value:
        self._need("(")
        parts = [self._literal(self._next())]
        while self._take(","):
            parts.append(self._literal(self._next()))
        self._need(")")
        try:
            if name.startswith("guid"):
                return UUID(str(parts[0]))
            if name == "datetime":
                return datetime(*[int(str(p)) for p in parts], tzinfo=UTC)  # type: ignore[arg-type, misc]
            at = datetime.fromisoformat(str(parts[0]))
        except (ValueError, TypeError) as error:
            raise QueryError(f"{name}: {error}") from error
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)

    def _operator(self) -> str | None:
        for sign in ("==", "!=", ">=", "<=", "<>", "=", "<", ">"):
            if self._take(sign):
                return {"=": "==", "<>": "!="}.get(sign, sign)
        return None

    def _next(self) -> Token:
        if self._at >= len(self._tokens):
            raise QueryError("Expression expected at the end")
        self._at += 1
        return self._tokens[self._at - 1]

    def _take(self, *texts: str) -> bool:
        if self._at < len(self._tokens):
            token = self._tokens[self._at]
            if token.kind in ("op", "word") and token.text.lower() in texts:
                self._at += 1
                return True
        return False

    def _need(self, text: str) -> None:
        if not self._take(text):
            raise QueryError(f"'{text}' expected")


def _comparison(left: Value | Field | Call, operator: str, right: Value | Field | Call) -> Test:
    def value(side: Value | Field | Call, row: Row) -> Value:
        return row[side.path] if isinstance(side, Field) else side  # type: ignore[return-value]

    def test(row: Row) -> bool:
        a, b = value(left, row), value(right, row)
        if a is None or b is None:
            return (a is b) if operator == "==" else (a is not b) if operator == "!=" else False
        if type(a) is not type(b):
            kinds = f"'{_kind(a)}' and '{_kind(b)}'"
            raise QueryError(f"Operator '{operator}' incompatible with operand types {kinds}")
        return _compare(a, operator, b)

    return test


def _compare(a: Any, operator: str, b: Any) -> bool:
    results = {
        "==": a == b,
        "!=": a != b,
    }
    if operator in results:
        return bool(results[operator])
    if isinstance(a, bool | UUID):
        raise QueryError(f"Operator '{operator}' incompatible with operand types '{_kind(a)}'")
    return bool({">": a > b, ">=": a >= b, "<": a < b, "<=": a <= b}[operator])


def _kind(value: Value) -> str:
    names = {UUID: "Guid", Decimal: "Decimal", datetime: "DateTime", str: "String", bool: "Boolean"}
    return names.get(type(value), "Object")


def compile_order(text: str, fields: frozenset[str]) -> list[tuple[str, bool]]:
    """The (path, descending) pairs of an `order` parameter; raises QueryError."""
    known = {f.lower(): f for f in fields}
    keys = []
    for part in text.split(","):
        words = part.split()
        if not words or len(words) > 2 or words[0].lower() not in known:
            raise QueryError(f"No property or field '{part.strip()}' exists")
        direction = words[1].upper() if len(words) == 2 else "ASC"
        if direction not in ("ASC", "DESC", "ASCENDING", "DESCENDING"):
            raise QueryError(f"Syntax error at '{words[1]}'")
        keys.append((known[words[0].lower()], direction.startswith("DESC")))
    return keys
