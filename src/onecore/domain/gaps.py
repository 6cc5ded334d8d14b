"""What keeps a document from going over: gaps a person fills, questions a person answers."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Gap:
    """One thing that has to be settled before a document can go over.

    `code` is stable, for screens and tests; `subject` is the id of what it is about (a vendor, a
    cost code, an account), never free text of a document; `detail` says it in words and may
    carry labels and figures, so it is kept only encrypted and only while the document waits.
    """

    code: str
    subject: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """A document that cannot go over yet, with every gap there is, not only the first."""

    gaps: tuple[Gap, ...]
