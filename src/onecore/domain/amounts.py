"""The sum that must hold before a claim is posted: work less retention is what is due [P 8.1]."""

from decimal import Decimal

from onecore.domain.documents import Requisition
from onecore.domain.gaps import Gap
from onecore.domain.money import ZERO, rounded


def gross_of(requisition: Requisition) -> Decimal:
    """Work completed and materials stored this period, over all lines, ex tax."""
    return sum((line.gross for line in requisition.lines), ZERO)


def movement_of(requisition: Requisition) -> Decimal:
    """What retention moved this period: held positive, released negative."""
    return sum((line.retainage for line in requisition.lines), ZERO)


def difference_of(requisition: Requisition) -> Decimal:
    """What Procore says is due less what the lines say, to the cent; zero when they agree."""
    lines = rounded(requisition.net, requisition.currency)
    return rounded(requisition.current_payment_due, requisition.currency) - lines


def amounts_gap(requisition: Requisition) -> Gap | None:
    """The gap of a claim that does not add up, with the arithmetic in words."""
    difference = difference_of(requisition)
    if not difference:
        return None
    return Gap("amounts_differ", str(requisition.id), arithmetic(requisition))


def arithmetic(requisition: Requisition) -> str:
    """The check as a sentence, such as "100,000.00 … less 10,000.00 … is 90,000.00; …"."""
    gross, movement = gross_of(requisition), movement_of(requisition)
    said, difference = requisition.current_payment_due, difference_of(requisition)
    verdict = (
        f"Procore says {said:,.2f} is due too."
        if not difference
        else f"Procore says {said:,.2f} is due: a difference of {difference:,.2f}."
    )
    return (
        f"The lines have {gross:,.2f} of work and materials this period, less {movement:,.2f} "
        f"moved into retention, which is {requisition.net:,.2f}; {verdict}"
    )
