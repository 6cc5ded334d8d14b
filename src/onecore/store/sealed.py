"""Every sealed column there is, what each row of it is bound to, and sealing it all anew."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import models

from onecore.store.models import (
    AttentionItem,
    Document,
    Grant,
    Hook,
    Organisation,
    ReferenceList,
    Workspace,
)
from onecore.store.secrets import Keyring, SecretUnreadable

AT_ONCE = 500
"""Rows read at a time, so that a large table costs little memory."""


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column of sealed secrets; `bound` names the place of one row's secret."""

    model: type[models.Model]
    column: str
    bound: Callable[[Any], str]

    @property
    def name(self) -> str:
        return f"{self.model._meta.model_name}.{self.column}"


COLUMNS: tuple[SealedColumn, ...] = (
    SealedColumn(Workspace, "digest_key", lambda row: f"workspace:{row.pk}"),
    SealedColumn(Organisation, "digest_key", lambda row: f"organisation:{row.pk}"),
    SealedColumn(Grant, "client_secret", lambda row: f"grant:{row.pk}:client_secret"),
    SealedColumn(Grant, "access_token", lambda row: f"grant:{row.pk}:access_token"),
    SealedColumn(Grant, "refresh_token", lambda row: f"grant:{row.pk}:refresh_token"),
    # It was the refresh token until the last renewal, and is opened as that.
    SealedColumn(Grant, "previous_refresh_token", lambda row: f"grant:{row.pk}:refresh_token"),
    SealedColumn(Hook, "secret", lambda row: f"hook:{row.pk}"),
    SealedColumn(
        ReferenceList,
        "payload",
        lambda row: f"references:{row.workspace_id}:{row.scope}:{row.kind}",
    ),
    SealedColumn(Document, "subject", lambda row: f"document:{row.pk}"),
    SealedColumn(
        AttentionItem, "detail", lambda row: f"attention:{row.attention_id}:{row.document_id}"
    ),
)


@dataclass(frozen=True, slots=True)
class Rotated:
    """What became of one column: secrets under the first key, sealed anew now, and unreadable."""

    name: str
    current: int
    moved: int
    unreadable: tuple[str, ...]  # the places of secrets that no key here opens


def rotate(keyring: Keyring, dry_run: bool = False) -> list[Rotated]:
    """Seal everything under the keyring's first key; what came of each column.

    Safe while others work, and to be stopped and begun again: each secret is written only where
    it is still what was read, so a token renewed meanwhile stays. `dry_run` only counts.
    """
    return [_rotate_column(keyring, column, dry_run) for column in COLUMNS]


def outdated(keyring: Keyring) -> int:
    """How many secrets another key than the first sealed, those that do not open included."""
    return sum(one.moved + len(one.unreadable) for one in rotate(keyring, dry_run=True))


def _rotate_column(keyring: Keyring, column: SealedColumn, dry_run: bool) -> Rotated:
    current = moved = 0
    unreadable: list[str] = []
    for row in _rows(column):
        sealed = bytes(getattr(row, column.column))
        bound = column.bound(row)
        try:
            if not keyring.needs_rotation(sealed):
                current += 1
                continue
            fresh = keyring.rotated(sealed, bound)
        except SecretUnreadable:
            unreadable.append(bound)
            continue
        if dry_run or _replace(row, column.column, sealed, fresh):
            moved += 1
        else:  # somebody sealed a newer one meanwhile, under the first key
            current += 1
    return Rotated(column.name, current, moved, tuple(unreadable))


def _rows(column: SealedColumn) -> Iterator[models.Model]:
    """Rows that hold a secret. An empty one is of a row that is just being made."""
    manager = column.model._default_manager
    rows = manager.exclude(**{f"{column.column}__isnull": True}).exclude(**{column.column: b""})
    last: object = None
    while True:
        page = rows if last is None else rows.filter(pk__gt=last)
        found = list(page.order_by("pk")[:AT_ONCE])
        if not found:
            return
        yield from found
        last = found[-1].pk


def _replace(row: models.Model, column: str, was: bytes, fresh: bytes) -> bool:
    same = type(row)._default_manager.filter(pk=row.pk, **{column: was})
    return bool(same.update(**{column: fresh}))
