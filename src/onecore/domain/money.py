"""Exact amounts. A document has one currency; its amounts are Decimal in major units."""

from decimal import ROUND_HALF_UP, Decimal
from typing import NewType

Currency = NewType("Currency", str)  # ISO 4217, upper case

ZERO = Decimal(0)
_CENT = Decimal("0.01")
_MINOR_UNITS = {
    **dict.fromkeys(("JPY", "KRW", "VND"), Decimal(1)),
    **dict.fromkeys(("BHD", "KWD", "OMR"), Decimal("0.001")),
}


def rounded(amount: Decimal, currency: Currency | None = None) -> Decimal:
    """To the currency's minor unit (two digits when unknown), half away from zero.

    `ROUND_HALF_UP` of the decimal module rounds half away from zero for either sign.
    """
    return amount.quantize(_MINOR_UNITS.get(currency or "", _CENT), ROUND_HALF_UP)
