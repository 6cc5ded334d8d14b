"""Tolerant reading and exact writing of JSON."""

from decimal import Decimal
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onecore.http.wire import Reader, Unreadable, encoded


class Inner(msgspec.Struct):
    name: str | None = None


class Shape(msgspec.Struct):
    id: int | None = None
    amount: Decimal | None = None
    on: bool | None = None
    inner: Inner | None = None
    rows: list[Inner] | None = None
    text: str | None = None
    key: UUID | None = None


SHAPE = Reader(Shape)


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (b'{"id": 7, "amount": 10.10}', Shape(id=7, amount=Decimal("10.10"))),
        (b'{"id": "7", "amount": "10.10"}', Shape(id=7, amount=Decimal("10.10"))),
        (b'{"id": 4294967297000, "amount": 12345678901234.5678}',
         Shape(id=4294967297000, amount=Decimal("12345678901234.5678"))),
        (b'{"on": "true"}', Shape(on=True)),
        (b'{"on": "false", "amount": null}', Shape(on=False)),
        (b'{"inner": [], "rows": [], "amount": ""}', Shape()),
        (b'{"inner": [], "amount": 1.10}', Shape(amount=Decimal("1.10"))),
        (b'{"id": "", "key": "", "rows": [{"name": ""}]}', Shape(rows=[Inner()])),
        (b'{"text": "null", "unknown": {"x": [1]}}', Shape(text="null")),
    ],
)  # fmt: skip
def test_reading(body: bytes, wanted: Shape) -> None:
    assert SHAPE.read(body) == wanted


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"id": 1', b'"text"', b'{"id": "x"}', b"[]"])
def test_what_cannot_be_read_says_so(body: bytes) -> None:
    with pytest.raises(Unreadable):
        SHAPE.read(body)


def test_an_unreadable_value_is_not_repeated() -> None:
    with pytest.raises(Unreadable) as caught:
        SHAPE.read(b'{"amount": "secret words", "key": "more secrets"}')
    assert "secret" not in str(caught.value)


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12), max_value=10**12
    )
)
def test_amounts_survive_the_way_there_and_back(amount: Decimal) -> None:
    assert SHAPE.read(encoded({"amount": amount})).amount == amount


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b'{"a":' * 100_000, b'{"n": 1e99999999999999999}']
)
def test_what_is_beyond_measure_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        Reader(dict[str, list[int]]).read(body)
