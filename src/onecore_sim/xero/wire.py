"""Xero's JSON: exact numbers, its two spellings of dates, tolerant reading of what is sent."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

_ENCODER = msgspec.json.Encoder(decimal_format="number")
_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_MS_DATE = re.compile(r"^/Date\((-?\d+)([+-]\d{4})?\)/$")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NO_ID = "00000000-0000-0000-0000-000000000000"


class Unreadable(Exception):
    """What was sent is not of the shape it has to be; the text goes into the answer."""


def encode(value: object) -> bytes:
    return _ENCODER.encode(value)


def decode(raw: bytes) -> Any:
    """The JSON value with its decimals exact; raises Unreadable."""
    try:
        return _DECODER.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unreadable(f"The data could not be read: {error}") from error


def ms_instant(at: datetime) -> str:
    return f"/Date({(at - _EPOCH) // timedelta(milliseconds=1)}+0000)/"


def ms_day(day: date) -> str:
    """A calendar day as UTC midnight, the way document dates are written."""
    return ms_instant(datetime(day.year, day.month, day.day, tzinfo=UTC))


def day_string(day: date) -> str:
    return f"{day.isoformat()}T00:00:00"


def instant_string(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def read_day(value: object, field: str) -> date | None:
    """The calendar day sent, None for nothing; an instant with an offset is taken in UTC."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        if match := _MS_DATE.match(value):
            return (_EPOCH + timedelta(milliseconds=int(match[1]))).date()
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            pass
        else:
            return (at.astimezone(UTC) if at.tzinfo else at).date()
    raise Unreadable(f"{field}: {value!r} is not a date.")


def read_number(value: object, field: str) -> Decimal | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise Unreadable(f"{field}: {value!r} is not a number.")
    try:
        number = Decimal(value)
    except InvalidOperation as error:
        raise Unreadable(f"{field}: {value!r} is not a number.") from error
    if not number.is_finite():
        raise Unreadable(f"{field}: {value!r} is not a number.")
    return number


def read_text(value: object, field: str) -> str:
    """The text sent, "" for null."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return str(value)
    raise Unreadable(f"{field}: {value!r} is not a text.")


def read_flag(value: object, field: str) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise Unreadable(f"{field}: {value!r} is not true or false.")


def read_object(value: object, field: str) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    raise Unreadable(f"{field} has to be an object.")


def elements(raw: bytes, name: str) -> list[dict[str, Any]]:
    """The documents of a body: one bare, a bare list, or wrapped under `name`."""
    sent = decode(raw)
    if isinstance(sent, dict) and name in sent:
        sent = sent[name]
    if isinstance(sent, dict):
        sent = [sent]
    if not isinstance(sent, list) or not sent:
        raise Unreadable(f"No {name} were sent.")
    return [read_object(item, name) for item in sent]
