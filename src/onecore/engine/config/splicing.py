"""New values put into the text of a document, leaving every other character as it is.

A library's round trip re-wraps lines and, when a row is added, leaves the comment above the next
section between the rows. So the text itself is cut, at the places its nodes name, and the result
is read again: it must say exactly what was meant, or the canonical text is given instead.
"""

from collections.abc import Callable, Sequence

from onecore.engine.config.kinds import Block, Field, Kind, Nullable, Rows, Scoped, Tree
from onecore.engine.config.nodes import MappingNode, Node, ScalarNode, SequenceNode, compose
from onecore.engine.config.problems import BadDocument
from onecore.engine.config.reading import read_nodes
from onecore.engine.config.schema import DOCUMENT, IDENTITY, identity
from onecore.engine.config.writing import section, write


def changed(text: str, change: Callable[[Tree], Tree]) -> str:
    """`text` made to say what `change` makes of its plain values, comments and layout kept.

    Raises BadDocument when the text is bad already or the change would make it so.
    """
    root = compose(text)
    before = read_nodes(root)
    wanted = change(before)
    if wanted == before:
        return text
    assert root is not None
    cuts = _Cuts(text)
    cuts.block(root, DOCUMENT, before, wanted, top=True)
    spliced = cuts.result()
    try:
        if read_nodes(compose(spliced)) == wanted:
            return spliced
    except BadDocument:
        pass  # the canonical text below tells a bad change from a cut in the wrong place
    canonical = write(wanted)
    read_nodes(compose(canonical))
    return canonical


class _Cuts:
    """Pieces of a text to be replaced, found by comparing its nodes with new plain values."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._cuts: list[tuple[int, int, str]] = []

    def result(self) -> str:
        parts: list[str] = []
        at = 0
        for start, end, new in sorted(self._cuts, key=lambda cut: cut[:2]):
            parts += [self._text[at:start], new]
            at = end
        return "".join([*parts, self._text[at:]])

    # --- comparing ----------------------------------------------------------------------------

    def block(self, node: Node, block: Block, before: Tree, wanted: Tree, top: bool) -> bool:
        """Whether the block could be changed in place: not when keys are gone."""
        if not isinstance(node, MappingNode) or not node.value or set(before) - set(wanted):
            return False
        pairs = {str(key.value): (key, value) for key, value in node.value}
        for name, (key_node, value_node) in pairs.items():
            old, new = before[name], wanted[name]
            if _same(old, new):
                continue
            field = block.fields[name]
            if not self._inside(name, value_node, field.kind, old, new):
                self._replace(key_node, value_node, name, field, new, top)
        added = [(n, f) for n, f in block.fields.items() if n in wanted and n not in before]
        if added and node.flow_style:
            text = "".join(f", {n}: {f.kind.write(wanted[n])}" for n, f in added)
            self._cut(self._end(node.value[-1][1]), text)
        elif added:
            indent = " " * node.value[0][0].start_mark.column
            lines = [line for n, f in added for line in _lines(n, f, wanted[n], top)]
            self._cut(self._line_end(node), "".join(f"\n{indent}{line}" for line in lines))
        return True

    def _inside(self, name: str, node: Node, kind: Kind, old: object, new: object) -> bool:
        """Whether a value could be changed by changing what it holds."""
        if isinstance(kind, Nullable):
            kind = kind.inner
        if isinstance(old, dict) and isinstance(new, dict):
            block = kind.block if isinstance(kind, Scoped) else kind
            return isinstance(block, Block) and self.block(node, block, old, new, top=False)
        if isinstance(old, list) and isinstance(new, list) and name in IDENTITY:
            rows = Rows(kind.block) if isinstance(kind, Scoped) else kind
            return isinstance(rows, Rows) and self._rows(name, node, rows.block, old, new)
        return False

    def _rows(
        self, name: str, node: Node, block: Block, before: list[Tree], wanted: list[Tree]
    ) -> bool:
        """Whether the list could be changed row by row: what stays in its order, new ones last."""
        if not isinstance(node, SequenceNode) or not node.value:
            return False
        old = {identity(name, row): index for index, row in enumerate(before)}
        new = [identity(name, row) for row in wanted]
        stay = [who for who in new if who in old]
        if stay != new[: len(stay)] or sorted(stay, key=old.__getitem__) != stay or not stay:
            return False
        if node.flow_style and len(stay) < len(before):
            return False
        for who, row in zip(stay, wanted, strict=False):
            item = node.value[old[who]]
            if before[old[who]] != row and not self.block(
                item, block, before[old[who]], row, False
            ):
                self._cut(item.start_mark.index, block.write(row), self._end(item))
        for who in set(old) - set(stay):
            self._drop(node.value[old[who]])
        fresh = wanted[len(stay) :]
        if node.flow_style:
            text = "".join(f", {block.write(row)}" for row in fresh)
            self._cut(self._end(node.value[-1]), text)
        else:
            indent = self._text[self._line_start(node.value[0]) : node.value[0].start_mark.index]
            text = "".join(f"\n{indent}{block.write(row)}" for row in fresh)
            self._cut(self._line_end(node), text)
        return True

    def _replace(
        self, key: Node, value: Node, name: str, field: Field, new: object, top: bool
    ) -> None:
        """Puts a new value after a key."""
        colon = self._text.index(":", key.end_mark.index) + 1
        empty = isinstance(value, ScalarNode) and not value.value and not value.style
        end = colon if empty else self._end(value)  # nothing has its mark behind comments
        lines = _lines(name, field, new, top)
        below = "".join(f"\n{line}" for line in lines[1:])
        line_end = self._line_end(key)
        own_line = empty or (_is_spread(value) and value.start_mark.index > line_end)
        if own_line and below:
            self._cut(line_end, below, max(end, line_end))
        elif empty or _is_spread(value) or below:
            self._cut(colon, lines[0].removeprefix(f"{name}:") + below, end)
        else:
            self._cut(value.start_mark.index, lines[0].removeprefix(f"{name}: "), end)

    # --- places in the text -------------------------------------------------------------------

    def _cut(self, start: int, new: str, end: int | None = None) -> None:
        if new or end is not None:
            self._cuts.append((start, start if end is None else end, new))

    def _drop(self, item: Node) -> None:
        end = self._text.find("\n", self._end(item))
        self._cut(self._line_start(item), "", len(self._text) if end < 0 else end + 1)

    def _line_start(self, node: Node) -> int:
        return self._text.rfind("\n", 0, node.start_mark.index) + 1

    def _line_end(self, node: Node) -> int:
        """The end of the line a node's last word is on, a comment behind it included."""
        found = self._text.find("\n", self._end(node))
        return len(self._text) if found < 0 else found

    def _end(self, node: Node) -> int:
        """Where what a node holds ends; a block's own mark lies behind the comments after it."""
        if _is_spread(node):
            last = node.value[-1]
            return self._end(last[1] if isinstance(last, tuple) else last)
        return int(node.end_mark.index)


def _is_spread(node: Node) -> bool:
    """Whether a node is a list or block of the indented kind, which is never empty."""
    return isinstance(node, MappingNode | SequenceNode) and not node.flow_style


def _same(one: object, other: object) -> bool:
    return type(one) is type(other) and one == other


def _lines(name: str, field: Field, value: object, top: bool) -> Sequence[str]:
    """A key with its value, over as many lines as it takes."""
    return section(name, field, value) if top else [f"{name}: {field.kind.write(value)}"]
