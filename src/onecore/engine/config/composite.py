"""Values of the document that are blocks with a rule of their own."""

from dataclasses import dataclass
from functools import cache
from string import Formatter
from typing import cast

import holidays

from onecore.domain.settings import DueBase
from onecore.engine.config.kinds import (
    BAD,
    Block,
    Kind,
    Reading,
    Text,
    Tree,
    Word,
    near,
    under,
)
from onecore.engine.config.nodes import MappingNode, Node, ScalarNode, kind_of, shown
from onecore.engine.config.scalars import quoted

DUE_BASES = tuple(DueBase)
_OPTIONS = (
    ("else", DueBase.CONTACT_TERMS),
    ("from", DueBase.BUSINESS_DAYS_AFTER),
    ("region", DueBase.BUSINESS_DAYS_AFTER),
)


@cache
def _regions() -> frozenset[str]:
    """Every country and part of one whose public holidays are known: "NZ", "AU-NSW"."""
    found: set[str] = set()
    for country, parts in holidays.list_supported_countries(include_aliases=False).items():
        found.add(country)
        found.update(f"{country}-{part}" for part in parts)
    return frozenset(found)


class Region(Kind):
    """A country, or a part of one, with public holidays of its own."""

    def read(self, node: Node, path: str, reading: Reading) -> object:
        if not isinstance(node, ScalarNode) or kind_of(node) != "str":
            return reading.bad(node, path, f"should be a region such as AU-NSW, not {shown(node)}")
        if node.value not in _regions():
            country = str(node.value).partition("-")[0]
            known = sorted(r for r in _regions() if r.partition("-")[0] == country)
            hint = near(str(node.value), known) if known else "write it as AU-NSW, NZ or GB-ENG"
            return reading.bad(node, path, f"{node.value!r} is no region known here; {hint}")
        return node.value

    def write(self, value: object) -> str:
        return quoted(str(value))


@dataclass(frozen=True, slots=True)
class Due(Kind):
    """How a due date is reckoned: exactly one base, with the options of that base alone."""

    block: Block
    may_be_empty: bool = False

    def read(self, node: Node, path: str, reading: Reading) -> object:
        before = len(reading.problems)
        tree = self.block.read(node, path, reading)
        if tree is BAD or len(reading.problems) > before:
            return BAD
        if message := self._wrong(cast(Tree, tree)):
            return reading.bad(node, path, message)
        return tree

    def _wrong(self, tree: Tree) -> str:
        if not tree and self.may_be_empty:
            return ""
        bases = [base for base in DUE_BASES if base in tree]
        if len(bases) != 1:
            found = " and ".join(bases) or "none"
            return f"needs exactly one way to reckon it, found {found}"
        if bases[0] == DueBase.BUSINESS_DAYS_AFTER and "region" not in tree:
            return "business_days_after needs a region for its holidays, such as AU-NSW"
        if tree.get(DueBase.CONTACT_TERMS) is False:
            return "contact_terms can only be true; leave it out otherwise"
        for key, owner in _OPTIONS:
            if key in tree and bases[0] != owner:
                return f'"{key}" belongs to {owner} only'
        return ""

    def write(self, value: object) -> str:
        return self.block.write(value)


@dataclass(frozen=True, slots=True)
class NumberForm(Kind):
    """`supplier`, `commitment_claim`, or `{rcti: {prefix: "R-"}}`."""

    words: tuple[str, ...]

    def read(self, node: Node, path: str, reading: Reading) -> object:
        if not isinstance(node, MappingNode):
            return Word((*self.words, "rcti")).read(node, path, reading)
        given: dict[str, Node] = {}
        for key_node, value_node in node.value:
            if str(key_node.value) == "rcti":
                given["rcti"] = value_node
            else:
                hint = near(str(key_node.value), ("rcti",))
                message = f'unknown key "{key_node.value}"; {hint}'
                reading.bad(key_node, under(path, str(key_node.value)), message)
        if "rcti" not in given:
            return BAD
        return self._prefix(given["rcti"], under(path, "rcti"), reading)

    def _prefix(self, node: Node, path: str, reading: Reading) -> object:
        if kind_of(node) == "null":
            return "rcti"
        if not isinstance(node, MappingNode):
            message = f'should be a block such as {{prefix: "R-"}}, not {shown(node)}'
            return reading.bad(node, path, message)
        tree: Tree = {}
        for key_node, value_node in node.value:
            where = under(path, str(key_node.value))
            if key_node.value != "prefix":
                hint = near(str(key_node.value), ("prefix",))
                reading.bad(key_node, where, f'unknown key "{key_node.value}"; {hint}')
                return BAD
            value = Text().read(value_node, where, reading)
            if value is BAD:
                return BAD
            tree["prefix"] = value
        return {"rcti": tree} if tree else "rcti"

    def write(self, value: object) -> str:
        if isinstance(value, str):
            return value
        prefix = cast(dict[str, dict[str, str]], value)["rcti"]["prefix"]
        return f"{{rcti: {{prefix: {quoted(prefix)}}}}}"


@dataclass(frozen=True, slots=True)
class SecondCategory(Kind):
    """The second tracking category: an option per value of `source`, or always `fixed`.

    Where it is not `whole`, as in an override, what is absent comes from what is overridden.
    """

    block: Block
    whole: bool

    def read(self, node: Node, path: str, reading: Reading) -> object:
        before = len(reading.problems)
        tree = self.block.read(node, path, reading)
        if tree is BAD or len(reading.problems) > before:
            return BAD
        if message := second_wrong(cast(Tree, tree), self.whole):
            return reading.bad(node, path, message)
        return tree

    def write(self, value: object) -> str:
        return self.block.write(value)


def second_wrong(tree: Tree, whole: bool) -> str:
    """What is wrong with a second category, or nothing."""
    if "source" in tree and "fixed" in tree:
        return "takes either source or fixed, not both"
    if whole and "category" not in tree:
        return '"category" is missing: the name of the tracking category in Xero'
    if whole and "source" not in tree and "fixed" not in tree:
        return "needs a source (cost_type, sub_job or cost_code) or a fixed option"
    return ""


@dataclass(frozen=True, slots=True)
class ContractRetention(Kind):
    """A contract's retention: by side, or the one side's keys alone, as its kind says which."""

    block: Block

    def read(self, node: Node, path: str, reading: Reading) -> object:
        tree = self.block.read(node, path, reading)
        if tree is BAD:
            return BAD
        keys = set(cast(Tree, tree))
        if keys & {"payable", "receivable"} and keys - {"payable", "receivable"}:
            return reading.bad(node, path, "write either the sides or one side's keys, not both")
        return tree

    def write(self, value: object) -> str:
        return self.block.write(value)


@dataclass(frozen=True, slots=True)
class Leave(Kind):
    """A word, or the cost code that leave goes to."""

    words: tuple[str, ...]
    block: Block

    def read(self, node: Node, path: str, reading: Reading) -> object:
        kind = self.block if isinstance(node, MappingNode) else Word(self.words)
        return kind.read(node, path, reading)

    def write(self, value: object) -> str:
        return value if isinstance(value, str) else self.block.write(value)


@dataclass(frozen=True, slots=True)
class Template(Kind):
    """Text with names in braces that are filled in, such as "{number} {name}"."""

    names: tuple[str, ...]

    def read(self, node: Node, path: str, reading: Reading) -> object:
        text = Text().read(node, path, reading)
        if text is BAD:
            return BAD
        example = " ".join(f"{{{name}}}" for name in self.names)
        try:
            parts = list(Formatter().parse(str(text)))
        except ValueError:
            return reading.bad(node, path, f"has a brace without its other half; try {example!r}")
        used = [name for _, name, _, _ in parts if name is not None]
        plain = all(not spec and not turn for _, _, spec, turn in parts)
        if not used or not plain or not set(used) <= set(self.names):
            return reading.bad(node, path, f"may use {example} and needs at least one of them")
        return text

    def write(self, value: object) -> str:
        return quoted(str(value))
