"""What one place of the document says of another: rows doubled, organisations unknown."""

from collections.abc import Iterator
from typing import cast

from onecore.engine.config.composite import second_wrong
from onecore.engine.config.kinds import Reading, Tree
from onecore.engine.config.merging import for_organisation, merged
from onecore.engine.config.schema import IDENTITY, TRACKING, identity


def check(tree: Tree, reading: Reading) -> None:
    """Notes every contradiction in a document whose single values are sound."""
    _organisations(tree, reading)
    _rows_twice(tree, "", reading)
    _codes_lead_somewhere(tree, reading)
    _second_categories(tree, reading)


def rows_of(tree: Tree, name: str) -> list[Tree]:
    """The rows under a key, be it absent, a list of blocks, or one block."""
    value = tree.get(name)
    if isinstance(value, dict):
        return [value]
    return cast(list[Tree], value or [])


def _organisations(tree: Tree, reading: Reading) -> None:
    rows = rows_of(tree, "organisations")
    defaults = [index for index, row in enumerate(rows) if row.get("default")]
    for index in defaults[1:]:
        reading.bad_at(f"organisations[{index}].default", "only one organisation is the default")
    if not all("tenant_id" in row for row in rows):
        return  # noted already; whoever names that organisation is not to blame
    known = {row["tenant_id"] for row in rows}
    for path, value in _named(tree, ""):
        if value not in known:
            message = f"{value} is not among the organisations at the top"
            reading.bad_at(path, message)


def _named(value: object, path: str) -> Iterator[tuple[str, object]]:
    """Every `organisation` key there is, with its path."""
    if isinstance(value, dict):
        for key, inner in value.items():
            where = f"{path}.{key}" if path else key
            if key == "organisation" and inner is not None:
                yield where, inner
            else:
                yield from _named(inner, where)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _named(inner, f"{path}[{index}]")


def _rows_twice(value: Tree, path: str, reading: Reading) -> None:
    for key, inner in value.items():
        where = f"{path}.{key}" if path else key
        if isinstance(inner, dict):
            _rows_twice(inner, where, reading)
        elif isinstance(inner, list) and key in IDENTITY:
            _in_list(key, inner, where, reading)


def _in_list(name: str, rows: list[object], where: str, reading: Reading) -> None:
    first: dict[tuple[object, ...], int] = {}
    for index, row in enumerate(rows):
        if not isinstance(row, dict) or not row:
            continue
        path = f"{where}[{index}]"
        _rows_twice(row, path, reading)
        who = identity(name, row)
        if who in first:
            earlier = reading.places.get(f"{where}[{first[who]}]", (0, 0))[0]
            reading.bad_at(path, f"says again what the row on line {earlier} is about")
        first.setdefault(who, index)


def _codes_lead_somewhere(tree: Tree, reading: Reading) -> None:
    lists = [("codes", rows_of(tree, "codes"))]
    for index, project in enumerate(rows_of(tree, "projects")):
        overrides = cast(Tree, project.get("overrides") or {})
        lists.append((f"projects[{index}].overrides.codes", rows_of(overrides, "codes")))
    for where, rows in lists:
        for index, row in enumerate(rows):
            if "cost_code" in row and not any(row.get(k) for k in ("expense", "revenue", "item")):
                message = "leads nowhere: give it an expense account, a revenue account or an item"
                reading.bad_at(f"{where}[{index}]", message)


def _second_categories(tree: Tree, reading: Reading) -> None:
    """A project's part of a second category must make a whole with what it overrides."""
    organisations = [row.get("tenant_id") for row in rows_of(tree, "organisations")]
    for index, project in enumerate(rows_of(tree, "projects")):
        overrides = cast(Tree, project.get("overrides") or {})
        override = cast(Tree, overrides.get("tracking") or {})
        if not override.get("second"):
            continue
        routed = project.get("organisation")
        for organisation in [routed] if routed else organisations or [None]:
            base = for_organisation(tree.get("tracking"), organisation, TRACKING)
            whole = cast(Tree, merged(base, override, TRACKING)["second"])
            if message := second_wrong(whole, whole=True):
                reading.bad_at(f"projects[{index}].overrides.tracking.second", message)
                break
