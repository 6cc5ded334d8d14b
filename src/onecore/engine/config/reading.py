"""The text of a workspace document, read and checked whole."""

from functools import lru_cache
from typing import cast

from onecore.domain.settings import WorkspaceDocument
from onecore.engine.config.building import document_of
from onecore.engine.config.checks import check
from onecore.engine.config.kinds import Reading, Tree
from onecore.engine.config.nodes import Node, compose
from onecore.engine.config.problems import BadDocument, Problem
from onecore.engine.config.schema import DOCUMENT


@lru_cache(maxsize=64)
def read(text: str) -> WorkspaceDocument:
    """The document `text` says. Raises BadDocument with everything that is wrong with it.

    Text that is no YAML has one problem: where it stops being any. The same text gives the very
    same document, as thousands of rows take a second to read: nobody may change its `raw`.
    """
    return document_of(read_nodes(compose(text)))


def read_nodes(root: Node | None) -> Tree:
    """The plain values under a root node. Raises BadDocument."""
    if root is None:
        raise BadDocument((Problem(1, 1, "", "is empty; it needs at least version and cut_over"),))
    reading = Reading()
    tree = DOCUMENT.read(root, "", reading)
    if isinstance(tree, dict):
        check(cast(Tree, tree), reading)
    if reading.problems:
        raise BadDocument(tuple(sorted(reading.problems, key=lambda p: (p.line, p.column))))
    return cast(Tree, tree)
