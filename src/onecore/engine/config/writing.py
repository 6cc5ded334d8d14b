"""Canonical text of a workspace document: keys in the schema's order, a row to a line."""

from collections.abc import Mapping
from typing import cast

from onecore.domain.settings import WorkspaceDocument
from onecore.engine.config.kinds import Block, Field, Rows, Scoped, Tree
from onecore.engine.config.schema import DOCUMENT

_HEADINGS = {
    "organisations": "The Xero organisations this workspace posts to; projects without one of "
    "their own go to the default.",
    "flows": "What is carried over. mode: off | preview | approve | auto",
    "retention": "How retention is booked. method: net | line | document | credit_note",
    "tax_cents": "What to do when things change after they were posted.",
    "codes": 'Cost codes to accounts: exact before the longest prefix before "*"; with a cost '
    "type before without.",
    "vendors": "Who is who: Procore's vendors and the contacts they are in Xero.",
    "projects": "Projects and contracts that differ from the rest.",
    "cost_types": "Options of the second tracking category, and tax types that differ.",
    "people": "Time and labour.",
}
_A_LINE_EACH = ("flows", "retention")


def write(document: WorkspaceDocument | Mapping[str, object]) -> str:
    """The text of a document as it was read, or of its plain values; read again it is the same.

    Only what is set is written. Comments of the text it came from are not in it: where they
    matter, keep that text and edit it.
    """
    raw = document.raw if isinstance(document, WorkspaceDocument) else document
    lines: list[str] = []
    for key, field in DOCUMENT.fields.items():
        if key not in raw:
            continue
        if heading := _HEADINGS.get(key):
            lines += ["", f"# {heading}"]
        lines += section(key, field, raw[key])
    return "\n".join(lines).lstrip("\n") + "\n"


def section(key: str, field: Field, value: object) -> list[str]:
    """The lines of one top-level key."""
    kind = field.kind
    rows = (
        kind if isinstance(kind, Rows) else Rows(kind.block) if isinstance(kind, Scoped) else None
    )
    if rows is not None and isinstance(value, list) and value:
        return [f"{key}:", *(f"  - {rows.block.write(row)}" for row in value)]
    block = kind.block if isinstance(kind, Scoped) else kind
    if key in _A_LINE_EACH and isinstance(block, Block) and isinstance(value, dict) and value:
        tree = cast(Tree, value)
        inner = [(name, f) for name, f in block.fields.items() if name in tree]
        return [f"{key}:", *(f"  {name}: {f.kind.write(tree[name])}" for name, f in inner)]
    return [f"{key}: {kind.write(value)}"]
