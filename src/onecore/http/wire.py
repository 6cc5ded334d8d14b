"""Reading JSON of remotes whose real answers differ from their own schemas [P G7, X 3]."""

from decimal import Decimal
from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")
_PLAIN = msgspec.json.Decoder(float_hook=Decimal)
_ENCODER = msgspec.json.Encoder(decimal_format="number")


class Unreadable(ValueError):
    """A body that is no JSON, or not of the shape asked for. Its message holds no content."""


class Reader(Generic[T]):
    """Reads one shape: numbers may come as text, ids too, and an empty array or text as null."""

    def __init__(self, shape: type[T]) -> None:
        self._shape = shape
        self._decoder: msgspec.json.Decoder[T] = msgspec.json.Decoder(shape, strict=False)

    def read(self, body: bytes) -> T:
        """The value; raises Unreadable.

        The quick way reads what fits the shape. Only where it does not, the body is read again
        without what is null, empty text or an empty array, so that each field is as if unsent.
        """
        try:
            return self._decoder.decode(body)
        except (msgspec.ValidationError, RecursionError):
            pass
        except msgspec.DecodeError as error:
            raise Unreadable(f"no JSON: {error}") from None
        try:
            return msgspec.convert(_without_blanks(_PLAIN.decode(body)), self._shape, strict=False)
        except msgspec.DecodeError as error:
            raise Unreadable(str(error)) from None
        except (RecursionError, ArithmeticError) as error:  # nested, or a number, beyond measure
            raise Unreadable(type(error).__name__) from None


def _without_blanks(value: object) -> object:
    if isinstance(value, dict):
        return {k: _without_blanks(v) for k, v in value.items() if not _is_blank(v)}
    if isinstance(value, list):
        return [_without_blanks(v) for v in value]
    return value


def _is_blank(value: object) -> bool:
    return value is None or value in ("", [])


def encoded(body: object) -> bytes:
    """JSON with each Decimal as a number of exactly its digits, never by way of a float."""
    return _ENCODER.encode(body)
