"""Text as Xero takes it: line descriptions and bill numbers."""

import unicodedata

from onecore.domain.documents import Requisition
from onecore.domain.gaps import Gap
from onecore.domain.settings import NumberRule

DESCRIPTION_LIMIT = 4000  # [X 5.1]
NUMBER_LIMIT = 255

_LIKE_ASCII = str.maketrans(
    {
        "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "−": "-",
        "‘": "'", "’": "'", "‚": "'", "“": '"', "”": '"', "„": '"',
        "ß": "ss", "æ": "ae", "Æ": "AE", "ø": "o", "Ø": "O", "œ": "oe", "Œ": "OE",
        "đ": "d", "Đ": "D", "ł": "l", "Ł": "L", "×": "x", "·": ".", "⁄": "/",
    }
)  # fmt: skip


def description(text: str, otherwise: str = "", after: str = "") -> str:
    """The text on one line, without characters that do not print, at most 4,000 long.

    `otherwise` stands in for a text that has nothing to show; `after` is added at the end and
    is never cut off. Length is counted as .NET does, in UTF-16 units.
    """
    said = _printing(text) or _printing(otherwise)
    return _cut(said, DESCRIPTION_LIMIT - _length(after)).rstrip() + after


def bill_number(requisition: Requisition, rule: NumberRule) -> str | Gap:
    """The number by the rule: printable ASCII, at most 255 long, the claim's number kept whole."""
    own = _commitment_claim(requisition)
    if rule.kind == "supplier":
        number = printable_ascii(requisition.invoice_number)[:NUMBER_LIMIT].rstrip() or own
    elif rule.kind == "rcti":
        number = _cut_before(printable_ascii(rule.prefix), own) if own else ""
    else:
        number = own
    return number or Gap(
        "number_missing",
        str(requisition.id),
        "The claim has no invoice number, and its commitment has no number to make one from.",
    )


def printable_ascii(text: str) -> str:
    """The text in ASCII: accents dropped, dashes and quotes made plain, the rest left out."""
    said = _printing(text)
    if said.isascii():
        return said
    plain = unicodedata.normalize("NFKD", said.translate(_LIKE_ASCII))
    plain = plain.translate(_LIKE_ASCII)
    return " ".join("".join(c for c in plain if " " <= c <= "~").split())


def _commitment_claim(requisition: Requisition) -> str:
    commitment = printable_ascii(requisition.commitment_number)
    return _cut_before(commitment, f"-{requisition.number}") if commitment else ""


def _cut_before(head: str, tail: str) -> str:
    return head[: max(NUMBER_LIMIT - len(tail), 0)] + tail[:NUMBER_LIMIT]


def _printing(text: str) -> str:
    """One line of what prints: white space and control characters become single spaces."""
    if not text.isprintable():  # true of nearly every text, and quickly told
        text = "".join(_shown(c) for c in text)
    return " ".join(text.split())


def _shown(character: str) -> str:
    kind = unicodedata.category(character)
    if kind == "Cc" or kind.startswith("Z"):
        return " "
    return "" if kind.startswith("C") else character


def _length(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _cut(text: str, units: int) -> str:
    return text.encode("utf-16-le")[: 2 * units].decode("utf-16-le", "ignore")
