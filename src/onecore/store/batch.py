"""Many rows written in one statement, where Django would take one for each."""

import json
from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.models import CharField, Field, JSONField, Model

_UPDATE = """
WITH locked AS (SELECT id FROM {table} WHERE id = ANY(%s) ORDER BY id FOR UPDATE)
UPDATE {table} AS stored SET {sets}
  FROM locked JOIN unnest(%s::bigint[], {arrays}) AS fresh (id, {columns}) USING (id)
 WHERE stored.id = locked.id
"""


def update(rows: Sequence[Model], names: Sequence[str]) -> None:
    """Write these fields of rows of one table; rows that are gone are passed over.

    They are locked in the order of their ids, as everybody does who locks many, so that two of
    them wait for each other rather than both for ever.
    """
    if not rows:
        return
    fields = [_field(rows[0], name) for name in names]
    columns = [connection.ops.quote_name(str(field.column)) for field in fields]
    sql = _UPDATE.format(
        table=connection.ops.quote_name(rows[0]._meta.db_table),
        sets=", ".join(f"{c} = {_read(f, c)}" for f, c in zip(fields, columns, strict=True)),
        arrays=", ".join(f"%s::{_passed_as(field)}[]" for field in fields),
        columns=", ".join(columns),
    )
    ids = [row.pk for row in rows]
    values = [[_passed(field, row) for row in rows] for field in fields]
    with connection.cursor() as cursor:
        cursor.execute(sql, [ids, ids, *values])


def _field(row: Model, name: str) -> "Field[Any, Any]":
    field = row._meta.get_field(name)
    assert isinstance(field, Field)
    return field


def _passed_as(field: "Field[Any, Any]") -> str:
    """The type a column's values travel as."""
    if isinstance(field, JSONField | CharField):
        return "text"
    return str(field.db_type(connection))


def _passed(field: "Field[Any, Any]", row: Model) -> Any:
    value = getattr(row, field.attname)
    return json.dumps(value) if isinstance(field, JSONField) else value


def _read(field: "Field[Any, Any]", column: str) -> str:
    return f"fresh.{column}::jsonb" if isinstance(field, JSONField) else f"fresh.{column}"
