"""Overrides merged key by key."""

from typing import cast

from onecore.engine.config.composite import SecondCategory
from onecore.engine.config.kinds import Block, Kind, Nullable, Tree


def merged(base: Tree, over: Tree, block: Block) -> Tree:
    """`base` with the keys of `over` in place of its own, block by block.

    Lists, and values that only make sense whole such as a due date, are replaced.
    """
    result = dict(base)
    for key, value in over.items():
        kind = block.fields[key].kind
        if isinstance(kind, Nullable):
            kind = kind.inner
        result[key] = _over(result.get(key), value, kind)
    return result


def _over(before: object, value: object, kind: Kind) -> object:
    if isinstance(value, dict) and isinstance(before, dict):
        if isinstance(kind, Block):
            return merged(before, value, kind)
        if isinstance(kind, SecondCategory):
            return _second(before, value)
    return value


def _second(base: Tree, over: Tree) -> Tree:
    """A fixed option in place of a source, or the other way about, leaves the other behind."""
    result = {**base, **over}
    for one, other in (("source", "fixed"), ("fixed", "source")):
        if one in over:
            result.pop(other, None)
    return result


def for_organisation(value: object, organisation: object, block: Block) -> Tree:
    """The block that holds for an organisation: its own merged over the one that names none."""
    entries = cast(list[Tree], value if isinstance(value, list) else [value] if value else [])
    result: Tree = {}
    for wanted in (None, organisation) if organisation is not None else (None,):
        for entry in entries:
            if entry.get("organisation") == wanted:
                plain = {k: v for k, v in entry.items() if k != "organisation"}
                result = merged(result, plain, block)
    return result
