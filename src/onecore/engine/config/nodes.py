"""YAML text as a tree of nodes that know their place and the very characters they were written in.

Nodes rather than plain values, because a value alone has lost its line, the second of two equal
keys, and the zero in front of an account code.
"""

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from onecore.engine.config.problems import BadDocument, Problem

__all__ = ["MappingNode", "Node", "ScalarNode", "SequenceNode", "compose", "kind_of", "place"]

_TAG = "tag:yaml.org,2002:"
_SHOWN = {
    "null": "nothing",
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "timestamp": "a date",
    "map": "a block of keys",
    "seq": "a list",
}


def compose(text: str) -> Node | None:
    """The root node of `text`, or None when it holds nothing. Raises BadDocument."""
    try:
        root: Node | None = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        raise BadDocument((_from_marked(error),)) from None
    except ReaderError as error:
        at = min(int(error.position), len(text))
        line = text.count("\n", 0, at) + 1
        message = f"a character that YAML does not allow ({error.reason})"
        raise BadDocument((Problem(line, 1, "", message),)) from None
    except (YAMLError, ValueError) as error:
        raise BadDocument((Problem(1, 1, "", f"not readable as YAML: {error}"),)) from None
    except RecursionError:
        raise BadDocument((Problem(1, 1, "", "nested too deep to be read"),)) from None
    return root


def _from_marked(error: MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    words = " ".join(str(part) for part in (error.context, error.problem) if part)
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    return Problem(line, column, "", f"not readable as YAML: {words}")


def place(node: Node) -> tuple[int, int]:
    """Line and column of a node, counted from 1."""
    mark = node.start_mark
    return (mark.line + 1, mark.column + 1)


def kind_of(node: Node) -> str:
    """The short name of a node's tag: "str", "int", "null", "map" ...; a foreign tag as it is."""
    return str(node.tag).removeprefix(_TAG)


def shown(node: Node) -> str:
    """What a node is, in words a message can use."""
    kind = kind_of(node)
    if isinstance(node, ScalarNode) and kind != "null":
        return repr(node.value)
    return _SHOWN.get(kind, f"a value tagged {kind}")
