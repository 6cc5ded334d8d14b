"""The kinds of value a workspace document holds: each can be read, checked and written.

A kind reads a node into a plain value (text, int, bool, date, None, list, dict) and gives that
value back as flow-style YAML. Ids are lower-case UUID text, amounts exact decimal text.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from enum import Enum
from typing import Final, cast
from uuid import UUID

from onecore.engine.config.nodes import (
    MappingNode,
    Node,
    ScalarNode,
    SequenceNode,
    kind_of,
    place,
    shown,
)
from onecore.engine.config.problems import Problem
from onecore.engine.config.scalars import quoted

Tree = dict[str, object]
"""A document, or a block of one, as plain values."""


class Unreadable(Enum):
    """Stands for a value whose problem has been noted already."""

    BAD = "bad"


_MOST = 2**63 - 1  # what a remote's 64-bit id can be
BAD: Final = Unreadable.BAD


@dataclass(slots=True)
class Reading:
    """One pass over a document: what was found wrong, and where each value stands."""

    problems: list[Problem] = field(default_factory=list)
    places: dict[str, tuple[int, int]] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)

    def bad(self, node: Node, path: str, message: str) -> Unreadable:
        self.problems.append(Problem(*place(node), path, message))
        return BAD

    def bad_at(self, path: str, message: str) -> None:
        """Notes a problem of a value already read, at its place or the nearest one around it."""
        around = path
        while around not in self.places and around:
            around = re.sub(r"(\.?[^.\[\]]+|\[\d+\])$", "", around)
        self.problems.append(Problem(*self.places.get(around, (1, 1)), path, message))

    def enter(self, node: Node, path: str) -> bool:
        """Whether a list or block is met for the first time; aliases are refused.

        Each step of an alias may double the document, so that a small text grows past any memory.
        """
        if id(node) in self.seen:
            self.bad(node, path, "repeats another part by an alias; write it out instead")
            return False
        self.seen.add(id(node))
        return True


def near(word: str, known: Sequence[str]) -> str:
    """What to say after naming an unknown word: the one probably meant, else those there are."""
    if close := get_close_matches(word, known, n=1, cutoff=0.6):
        return f'did you mean "{close[0]}"?'
    return "here there may be: " + ", ".join(known)


class Kind(ABC):
    """A kind of value."""

    @abstractmethod
    def read(self, node: Node, path: str, reading: Reading) -> object: ...

    @abstractmethod
    def write(self, value: object) -> str: ...


class _Scalar(Kind):
    wanted: str = ""

    def read(self, node: Node, path: str, reading: Reading) -> object:
        value = self.value_of(node) if isinstance(node, ScalarNode) else None
        if value is None:
            return reading.bad(node, path, f"should be {self.wanted}, not {shown(node)}")
        return value

    def value_of(self, node: ScalarNode) -> object | None:
        raise TypeError


@dataclass(frozen=True, slots=True)
class Text(_Scalar):
    """Text, taken as it was typed: an account code 0310 keeps its zero without quotes."""

    wanted: str = "text"
    pattern: str = ""

    def value_of(self, node: ScalarNode) -> object | None:
        if kind_of(node) not in ("str", "int", "float", "timestamp"):
            return None
        text = str(node.value)
        fits = text.strip() != "" and (not self.pattern or re.fullmatch(self.pattern, text))
        return text if fits else None

    def write(self, value: object) -> str:
        return quoted(str(value))


@dataclass(frozen=True, slots=True)
class Word(Kind):
    """One of a few words."""

    words: tuple[str, ...]

    def read(self, node: Node, path: str, reading: Reading) -> object:
        if isinstance(node, ScalarNode) and node.value in self.words and kind_of(node) == "str":
            return node.value
        if not isinstance(node, ScalarNode) or kind_of(node) == "null":
            wanted = " or ".join(self.words)
            return reading.bad(node, path, f"should be {wanted}, not {shown(node)}")
        hint = near(str(node.value), self.words)
        return reading.bad(node, path, f"{node.value!r} is not known; {hint}")

    def write(self, value: object) -> str:
        return str(value)


class Flag(_Scalar):
    wanted = "true or false"

    def value_of(self, node: ScalarNode) -> object | None:
        return str(node.value).lower() == "true" if kind_of(node) == "bool" else None

    def write(self, value: object) -> str:
        return "true" if value else "false"


@dataclass(frozen=True, slots=True)
class Whole(Kind):
    """A whole number within bounds."""

    low: int = 0
    high: int = _MOST

    def read(self, node: Node, path: str, reading: Reading) -> object:
        digits = isinstance(node, ScalarNode) and re.fullmatch(r"-?\d{1,19}", str(node.value))
        if not digits or kind_of(node) != "int":
            return reading.bad(node, path, f"should be a whole number, not {shown(node)}")
        value = int(str(node.value))
        if self.low <= value <= self.high:
            return value
        if self.high == _MOST:
            return reading.bad(node, path, f"should be {self.low} or more, not {value}")
        return reading.bad(node, path, f"should be {self.low} to {self.high}, not {value}")

    def write(self, value: object) -> str:
        return str(value)


class Day(_Scalar):
    wanted = "a day such as 2026-07-01"

    def value_of(self, node: ScalarNode) -> object | None:
        text = str(node.value)
        if kind_of(node) not in ("timestamp", "str"):
            return None
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return None
        try:
            return date.fromisoformat(text)
        except ValueError:
            return None

    def write(self, value: object) -> str:
        return cast(date, value).isoformat()


class Id(_Scalar):
    """An id of Xero's."""

    wanted = 'an id of Xero such as "0f2c1d1e-52b7-4a9e-a6c7-6f0d0e4a8b11"'

    def value_of(self, node: ScalarNode) -> object | None:
        text = str(node.value)
        if not re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text):
            return None
        return str(UUID(text))

    def write(self, value: object) -> str:
        return quoted(str(value))


@dataclass(frozen=True, slots=True)
class Amount(_Scalar):
    """An exact decimal, kept as text. Digits without quotes are read as typed, never as a float."""

    wanted: str = 'a decimal in quotes such as "6000.00"'
    low: Decimal = Decimal(0)

    def value_of(self, node: ScalarNode) -> object | None:
        text = str(node.value)
        if kind_of(node) not in ("str", "int", "float") or not re.fullmatch(
            r"-?\d{1,20}(\.\d{1,10})?", text
        ):
            return None
        try:
            value = Decimal(text)
        except InvalidOperation:
            return None
        return text if value >= self.low else None

    def write(self, value: object) -> str:
        return quoted(str(value))


@dataclass(frozen=True, slots=True)
class Nullable(Kind):
    """Another kind, or null."""

    inner: Kind

    def read(self, node: Node, path: str, reading: Reading) -> object:
        if kind_of(node) == "null":
            return None
        return self.inner.read(node, path, reading)

    def write(self, value: object) -> str:
        return "null" if value is None else self.inner.write(value)


@dataclass(frozen=True, slots=True)
class ListOf(Kind):
    """A list of plain values, none of them twice."""

    inner: Kind
    least: int = 0

    def read(self, node: Node, path: str, reading: Reading) -> object:
        items = _items(node, path, reading)
        if items is None:
            return BAD
        if len(items) < self.least:
            return reading.bad(node, path, "should not be empty")
        values: list[object] = []
        for index, item in enumerate(items):
            value = self.inner.read(item, f"{path}[{index}]", reading)
            if value is BAD:
                continue
            if value in values:
                reading.bad(item, f"{path}[{index}]", f"{value!r} is there twice")
            values.append(value)
        return values

    def write(self, value: object) -> str:
        return "[" + ", ".join(self.inner.write(x) for x in cast(list[object], value)) + "]"


def _items(node: Node, path: str, reading: Reading) -> list[Node] | None:
    """The items of a list; a key with nothing after it is an empty one."""
    if kind_of(node) == "null":
        return []
    if not isinstance(node, SequenceNode):
        reading.bad(node, path, f"should be a list, not {shown(node)}")
        return None
    return list(node.value) if reading.enter(node, path) else None


@dataclass(frozen=True, slots=True)
class Field:
    """A key of a block."""

    kind: Kind
    required: bool = False


@dataclass(frozen=True, slots=True)
class Block(Kind):
    """A mapping with known keys; their order here is the order they are written in."""

    fields: Mapping[str, Field]

    def read(self, node: Node, path: str, reading: Reading) -> object:
        given = self.nodes(node, path, reading)
        if given is None:
            return BAD
        tree: Tree = {}
        for key, value_node in given.items():
            inner = under(path, key)
            reading.places[inner] = place(value_node)
            value = self.fields[key].kind.read(value_node, inner, reading)
            if value is not BAD:
                tree[key] = value
        missing = [k for k, f in self.fields.items() if f.required and k not in given]
        for key in missing:
            reading.bad(node, path, f'"{key}" is missing')
        return tree

    def nodes(self, node: Node, path: str, reading: Reading) -> dict[str, Node] | None:
        """Value nodes by key. Unknown and doubled keys are noted, at the key's own place."""
        if kind_of(node) == "null":
            return {}
        if not isinstance(node, MappingNode):
            reading.bad(node, path, f"should be a block of keys, not {shown(node)}")
            return None
        if not reading.enter(node, path):
            return None
        given: dict[str, Node] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value) if isinstance(key_node, ScalarNode) else "?"
            where = under(path, key)
            if key not in self.fields:
                hint = near(key, tuple(self.fields))
                reading.bad(key_node, where, f'unknown key "{key}"; {hint}')
            elif key in given:
                reading.bad(key_node, where, f'"{key}" is there twice')
            else:
                given[key] = value_node
        return given

    def write(self, value: object) -> str:
        tree = cast(Tree, value)
        parts = [f"{k}: {f.kind.write(tree[k])}" for k, f in self.fields.items() if k in tree]
        return "{" + ", ".join(parts) + "}"


@dataclass(frozen=True, slots=True)
class Rows(Kind):
    """A list of blocks."""

    block: Block

    def read(self, node: Node, path: str, reading: Reading) -> object:
        items = _items(node, path, reading)
        if items is None:
            return BAD
        rows: list[object] = []
        for index, item in enumerate(items):
            where = f"{path}[{index}]"
            reading.places[where] = place(item)
            row = self.block.read(item, where, reading)
            rows.append(Tree() if row is BAD else row)
        return rows

    def write(self, value: object) -> str:
        return "[" + ", ".join(self.block.write(x) for x in cast(list[object], value)) + "]"


@dataclass(frozen=True, slots=True)
class Scoped(Kind):
    """One block for every organisation, or a list of blocks that may each name theirs."""

    block: Block

    def read(self, node: Node, path: str, reading: Reading) -> object:
        if isinstance(node, SequenceNode):
            return Rows(self.block).read(node, path, reading)
        return self.block.read(node, path, reading)

    def write(self, value: object) -> str:
        kind = Rows(self.block) if isinstance(value, list) else self.block
        return kind.write(value)


def under(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
