"""Lists: which rows, in which order, which page of them, and what the headers say."""

import random
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from onecore_sim.procore.api import Call, Reply
from onecore_sim.procore.core import Json
from onecore_sim.procore.errors import ApiError

Test = Callable[[Any], bool]
Filter = Callable[[list[str]], Test]
NAME = re.compile(r"^filters?\[(\w+)\](?:\[\])?$")


def one_of(read: Callable[[Any], object]) -> Filter:
    """Rows whose value is among those given: filters[x]=a, filters[x][]=a or a comma list."""

    def make(values: list[str]) -> Test:
        wanted = {part.strip(' []"') for value in values for part in value.split(",")}
        return lambda row: str(read(row)) in wanted

    return make


def numbers(read: Callable[[Any], object]) -> Filter:
    """As one_of, of ids; "[1,2]" is read too."""

    def make(values: list[str]) -> Test:
        wanted = {int(n) for value in values for n in re.findall(r"-?\d+", value)}
        return lambda row: read(row) in wanted

    return make


def truth(read: Callable[[Any], bool]) -> Filter:
    def make(values: list[str]) -> Test:
        wanted = values[-1].lower() in ("true", "1")
        return lambda row: read(row) == wanted

    return make


def containing(read: Callable[[Any], str]) -> Filter:
    def make(values: list[str]) -> Test:
        wanted = values[-1].lower()
        return lambda row: wanted in read(row).lower()

    return make


def within(read: Callable[[Any], datetime | None]) -> Filter:
    """A...B, both ends included, reckoned to the second as instants are shown."""

    def make(values: list[str]) -> Test:
        start, end = span(values[-1])

        def test(row: Any) -> bool:
            at = read(row)
            return at is not None and start <= at.replace(microsecond=0) <= end

        return test

    return make


def span(text: str) -> tuple[datetime, datetime]:
    """The instants a range stands for; a lone day or instant stands for itself."""
    first, dots, last = text.strip(' "').partition("...")
    try:
        start = _instant(first, at_end=False)
        end = _instant(last if dots else first, at_end=True)
    except ValueError:
        raise ApiError(400, f"{text} is not a date range", shape="coded") from None
    return start, end


def _instant(text: str, *, at_end: bool) -> datetime:
    if not text:
        return datetime.max.replace(tzinfo=UTC) if at_end else datetime.min.replace(tzinfo=UTC)
    if len(text) == 10:
        midnight = datetime.combine(date.fromisoformat(text), time(), UTC)
        return midnight + timedelta(days=1, seconds=-1) if at_end else midnight
    # A "+" of an offset that was not escaped in the query arrives as a space.
    read = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
    aware = read if read.tzinfo else read.replace(tzinfo=UTC)
    return aware.replace(microsecond=0)


def rows(call: Call, all_rows: Sequence[Any], filters: Mapping[str, Filter]) -> list[Any]:
    """The rows the query's filters leave, in the order the switch asks for."""
    given: dict[str, list[str]] = {}
    for key, value in call.request.query_params.multi_items():
        if match := NAME.match(key):
            given.setdefault(match[1], []).append(value)
    kept = list(all_rows)
    for name, values in given.items():
        if name in filters:
            test = filters[name](values)
            kept = [row for row in kept if test(row)]
        elif call.core.switches["unknown_filter"] == "refuse":
            raise ApiError(406, f"Unknown filter: {name}", shape="coded")
    return _ordered(call, kept)


def _ordered(call: Call, kept: list[Any]) -> list[Any]:
    order = call.core.switches["list_order"]
    if order == "scrambled":
        random.Random(len(kept)).shuffle(kept)
    elif order == "id" and kept and isinstance(getattr(kept[0], "id", None), int):
        kept.sort(key=lambda row: row.id)
    elif order != "id" and kept and hasattr(kept[0], "updated_at"):
        kept.sort(key=lambda row: row.updated_at, reverse=order == "newest_change_first")
    return kept


def page(
    call: Call,
    kept: Sequence[Any],
    write: Callable[[Any], Any],
    *,
    default: int | None = None,
    cap: int | None = None,
) -> Reply:
    """One page of rows, written out, with Link, Total and Per-Page telling the truth.

    v2 lists have 10 rows unless asked, 100 at most, and are wrapped in "data".
    """
    default = default or (10 if call.v2 else 100)
    cap = cap or (100 if call.v2 else call.core.switches.number("per_page_cap"))
    size = min(_count(call, "per_page", default), cap)
    number = _count(call, "page", 1)
    last = max(1, -(-len(kept) // size))
    written = [write(row) for row in kept[(number - 1) * size : number * size]]
    headers = {"Total": str(len(kept)), "Per-Page": str(size)}
    if links := _links(call, number, last, size):
        headers["Link"] = links
    return Reply({"data": written} if call.v2 else written, headers=headers)


def _count(call: Call, name: str, default: int) -> int:
    raw = call.query(name)
    if raw is None:
        return default
    if not raw.isdecimal() or int(raw) < 1:
        raise ApiError(400, f"{name} is not a count", shape="coded")
    return int(raw)


def _links(call: Call, number: int, last: int, size: int) -> str:
    places: dict[str, int] = {}
    if number > 1:
        places |= {"first": 1, "prev": number - 1}
    if number < last:
        places |= {"next": number + 1, "last": last}
    return ", ".join(
        f'<{call.request.url.include_query_params(page=at, per_page=size)}>; rel="{name}"'
        for name, at in places.items()
    )


def unpaged(call: Call, kept: Sequence[Any], write: Callable[[Any], Json]) -> Reply:
    """A list that does not page: every row."""
    written = [write(row) for row in kept]
    return Reply(written, headers={"Total": str(len(written))})
