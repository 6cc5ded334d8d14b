"""Exact amounts. A document has one currency; its amounts are Decimal in major units."""

from decimal import ROUND_HALF_UP, Decimal
from typing import NewType

Currency = NewType("Currency", str)  # ISO 4217, upper case

ZERO = Decimal(0)
_MINOR_DIGITS = {"JPY": 0, "KRW": 0, "VND": 0, "BHD": 3, "KWD": 3, "OMR": 3}


def rounded(amount: Decimal, currency: Currency | None = None) -> Decimal:
    """To the currency's minor unit (two digits when unknown), half away from zero.

    `ROUND_HALF_UP` of the decimal module rounds half away from zero for either sign.
    """
    digits = _MINOR_DIGITS.get(currency or "", 2)
    return amount.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
