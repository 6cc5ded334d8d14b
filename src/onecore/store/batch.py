"""Many rows written in one statement, which travel as one JSON text.

Django takes a statement a row to update, and to insert it prepares and quotes each value on its
own; of fifty bills that is most of what storing them costs.
"""

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import msgspec
from django.db import connection
from django.db.models import BinaryField, CharField, Field, Model

AnyField: TypeAlias = "Field[Any, Any]"

_INSERT = """
INSERT INTO {table} ({columns}) SELECT {values} FROM json_to_recordset(%s::json) AS fresh ({types})
{conflict} {returning}
"""
_UPDATE = """
WITH locked AS (SELECT id FROM {table} WHERE id = ANY(%s) ORDER BY id FOR UPDATE)
UPDATE {table} AS stored SET {sets}
  FROM locked JOIN json_to_recordset(%s::json) AS fresh (id bigint, {types}) USING (id)
 WHERE stored.id = locked.id
"""


def insert(rows: Sequence[Model]) -> None:
    """Add rows of one table, which get their ids."""
    if not rows:
        return
    for row, (pk,) in zip(rows, _inserted(rows, "", "RETURNING id"), strict=True):
        row.pk = pk
        row._state.adding = False


def insert_missing(rows: Sequence[Model]) -> None:
    """Add rows of one table, passing over those that are there. None of them gets its id."""
    if rows:
        _inserted(rows, "ON CONFLICT DO NOTHING", "")


def put(rows: Sequence[Model], unique: Sequence[str], names: Sequence[str]) -> None:
    """Add rows of one table; of those that are there by their `unique` fields, write `names`."""
    if not rows:
        return
    key = ", ".join(_column(field) for field in _named(rows[0], unique))
    fresh = ", ".join(f"{c} = excluded.{c}" for c in map(_column, _named(rows[0], names)))
    _inserted(rows, f"ON CONFLICT ({key}) DO UPDATE SET {fresh}", "")


def _inserted(rows: Sequence[Model], conflict: str, returning: str) -> list[tuple[Any, ...]]:
    meta = rows[0]._meta
    fields: list[AnyField] = [field for field in meta.concrete_fields if field is not meta.pk]
    sql = _INSERT.format(
        table=_quoted(meta.db_table),
        columns=", ".join(map(_column, fields)),
        values=", ".join(map(_read, fields)),
        types=", ".join(map(_typed, fields)),
        conflict=conflict,
        returning=returning,
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [_json(rows, fields)])
        return cursor.fetchall() if returning else []


def update(rows: Sequence[Model], names: Sequence[str]) -> None:
    """Write these fields of rows of one table; rows that are gone are passed over.

    They are locked in the order of their ids, as everybody does who locks many, so that two of
    them wait for each other rather than both for ever.
    """
    if not rows:
        return
    meta, fields = rows[0]._meta, _named(rows[0], names)
    sql = _UPDATE.format(
        table=_quoted(meta.db_table),
        sets=", ".join(f"{_column(field)} = {_read(field)}" for field in fields),
        types=", ".join(map(_typed, fields)),
    )
    text = _json(rows, [meta.get_field("id"), *fields])  # type: ignore[list-item]
    with connection.cursor() as cursor:
        cursor.execute(sql, [[row.pk for row in rows], text])


def _json(rows: Iterable[Model], fields: Sequence[AnyField]) -> str:
    """The rows as objects by column. Bytes become base64."""
    named = [(str(field.column), field.attname) for field in fields]
    objects = [{column: getattr(row, name) for column, name in named} for row in rows]
    return msgspec.json.encode(objects).decode()


def _named(row: Model, names: Sequence[str]) -> list[AnyField]:
    found = [row._meta.get_field(name) for name in names]
    return [field for field in found if isinstance(field, Field)]


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)


def _column(field: AnyField) -> str:
    return _quoted(str(field.column))


def _typed(field: AnyField) -> str:
    """The column as it is read from the JSON. Text has no length there: the table minds it."""
    is_text = isinstance(field, CharField | BinaryField)
    return f"{_column(field)} {'text' if is_text else field.db_type(connection)}"


def _read(field: AnyField) -> str:
    column = f"fresh.{_column(field)}"
    return f"decode({column}, 'base64')" if isinstance(field, BinaryField) else column
