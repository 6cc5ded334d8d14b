"""What two versions of a workspace document say differently."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import cast

from onecore.engine.config.kinds import Tree
from onecore.engine.config.reading import read
from onecore.engine.config.schema import IDENTITY, identity


@dataclass(frozen=True, slots=True)
class Change:
    """One value that differs. None stands for a key or row that is not there.

    Rows are named by what they are about, not by where they stand:
    `vendors[vendor_id=12].contact_id`.
    """

    path: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        if self.before is None:
            return f"+ {self.path}: {self.after}"
        if self.after is None:
            return f"- {self.path}: {self.before}"
        return f"~ {self.path}: {self.before} -> {self.after}"


def diff(old_text: str, new_text: str) -> tuple[Change, ...]:
    """Every difference in meaning, none where only the writing differs; in the order of the new
    text, with what is gone after what is there. Raises BadDocument when either text is no good.
    """
    return tuple(_blocks(read(old_text).raw, read(new_text).raw, ""))


def _blocks(old: Tree, new: Tree, path: str) -> Iterator[Change]:
    for key in [*new, *(key for key in old if key not in new)]:
        where = f"{path}.{key}" if path else key
        yield from _values(key, old.get(key, _ABSENT), new.get(key, _ABSENT), where)


class _Absent:
    pass


_ABSENT = _Absent()


def _values(key: str, old: object, new: object, path: str) -> Iterator[Change]:
    if isinstance(old, dict) and isinstance(new, dict):
        yield from _blocks(old, new, path)
    elif key in IDENTITY and isinstance(old, list | _Absent) and isinstance(new, list | _Absent):
        yield from _rows(key, _listed(old), _listed(new), path)
    elif type(old) is not type(new) or old != new:
        yield Change(path, _said(old), _said(new))


def _listed(value: object) -> list[Tree]:
    return cast(list[Tree], value) if isinstance(value, list) else []


def _rows(key: str, old: list[Tree], new: list[Tree], path: str) -> Iterator[Change]:
    before = {identity(key, row): row for row in old}
    after = {identity(key, row): row for row in new}
    for who in [*after, *(who for who in before if who not in after)]:
        where = f"{path}[{_name(key, who)}]"
        if who in before and who in after:
            yield from _blocks(before[who], after[who], where)
        else:
            gone, come = before.get(who, _ABSENT), after.get(who, _ABSENT)
            yield Change(where, _said(gone), _said(come))


def _name(key: str, who: tuple[object, ...]) -> str:
    """A row's name: its own key always, the finer ones where they are set."""
    pairs = zip(IDENTITY[key], who, strict=True)
    named = [f"{k}={_said(v)}" for k, v in pairs if v is not None]
    return ", ".join(named) or "every organisation"


def _said(value: object) -> str | None:
    """A value in words, or None for one that is not there."""
    if isinstance(value, list):
        return "[" + ", ".join(str(_said(item)) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {_said(v)}" for k, v in value.items()) + "}"
    if isinstance(value, _Absent):
        return None
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    return value.isoformat() if isinstance(value, date) else str(value)
