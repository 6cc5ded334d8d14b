"""The sums of a claim, as Procore's tutorial on requisitions works them; pure, exact.

A line's `Balance` after one claim is what the next claim starts from; a `Movement` is what one
claim says of one line in its own period. Amounts are dollars ex tax, retainage is positive when
held, and a release is a positive amount that lowers what is held.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

ZERO = Decimal(0)
CENT = Decimal("0.01")
HUNDRED = Decimal(100)


def cents(amount: Decimal) -> Decimal:
    """The amount to the cent, half away from zero."""
    return amount.quantize(CENT, ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Balance:
    """Where one line stands after a claim."""

    work: Decimal = ZERO
    stored: Decimal = ZERO
    work_retained: Decimal = ZERO
    materials_retained: Decimal = ZERO

    @property
    def completed_and_stored(self) -> Decimal:
        return self.work + self.stored

    @property
    def retained(self) -> Decimal:
        return self.work_retained + self.materials_retained


@dataclass(frozen=True, slots=True)
class Movement:
    """What one claim says of one line, this period only."""

    work: Decimal = ZERO
    new_materials: Decimal = ZERO
    materials_moved: Decimal = ZERO
    work_retained: Decimal = ZERO
    materials_retained: Decimal = ZERO
    materials_retained_moved: Decimal = ZERO
    work_released: Decimal = ZERO
    materials_released: Decimal = ZERO

    @property
    def gross(self) -> Decimal:
        """Claimed this period; materials moved into work were claimed before."""
        return self.work + self.new_materials

    @property
    def retained(self) -> Decimal:
        """The change in what is held: negative when more is released than retained."""
        return (
            self.work_retained
            + self.materials_retained
            - self.work_released
            - self.materials_released
        )


def after(before: Balance, movement: Movement) -> Balance:
    """Where the line stands once the movement is added."""
    return Balance(
        work=before.work + movement.materials_moved + movement.work,
        stored=before.stored - movement.materials_moved + movement.new_materials,
        work_retained=before.work_retained
        + movement.materials_retained_moved
        + movement.work_retained
        - movement.work_released,
        materials_retained=before.materials_retained
        - movement.materials_retained_moved
        + movement.materials_retained
        - movement.materials_released,
    )


@dataclass(frozen=True, slots=True)
class Item:
    """One line of one claim, with what it started from."""

    scheduled: Decimal
    before: Balance
    movement: Movement
    is_change_order: bool = False

    @property
    def after(self) -> Balance:
        return after(self.before, self.movement)

    @property
    def work_from_previous(self) -> Decimal:
        """Work claimed before, with the materials that became work in this claim."""
        return self.before.work + self.movement.materials_moved

    @property
    def work_retained_from_previous(self) -> Decimal:
        return self.before.work_retained + self.movement.materials_retained_moved

    @property
    def materials_retained_from_previous(self) -> Decimal:
        return self.before.materials_retained - self.movement.materials_retained_moved


@dataclass(frozen=True, slots=True)
class Rule:
    """How much is held back: `percent` of each claim until `ceiling` dollars are held in all."""

    percent: Decimal
    ceiling: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person entered for one line; None leaves retainage to the rule."""

    work: Decimal = ZERO
    new_materials: Decimal = ZERO
    materials_moved: Decimal = ZERO
    work_released: Decimal = ZERO
    materials_released: Decimal = ZERO
    work_retained: Decimal | None = None
    materials_retained: Decimal | None = None
    work_percent: Decimal | None = None
    materials_percent: Decimal | None = None


def movements(
    asked: Sequence[Asked], before: Sequence[Balance], rule: Rule, retained_so_far: Decimal
) -> list[Movement]:
    """The movement of each line, its retainage worked out line after line under one ceiling.

    `retained_so_far` is all that earlier claims retained, releases not taken off: a release does
    not make room for holding the same money back again.
    """
    room = None if rule.ceiling is None else rule.ceiling - retained_so_far
    result: list[Movement] = []
    for line, balance in zip(asked, before, strict=True):
        work_retained, room = _retained(
            line.work, line.work_retained, line.work_percent, rule, room
        )
        materials_retained, room = _retained(
            line.new_materials, line.materials_retained, line.materials_percent, rule, room
        )
        result.append(
            Movement(
                work=line.work,
                new_materials=line.new_materials,
                materials_moved=line.materials_moved,
                work_retained=work_retained,
                materials_retained=materials_retained,
                materials_retained_moved=_moved_with(line.materials_moved, balance),
                work_released=line.work_released,
                materials_released=line.materials_released,
            )
        )
    return result


def _retained(
    amount: Decimal,
    entered: Decimal | None,
    percent: Decimal | None,
    rule: Rule,
    room: Decimal | None,
) -> tuple[Decimal, Decimal | None]:
    """What is retained of an amount, and the room left under the ceiling.

    An entered amount stands as it is. A negative amount gives its retainage back, and room.
    """
    if entered is not None:
        retained = entered
    else:
        rate = rule.percent if percent is None else percent
        retained = cents(amount * rate / HUNDRED)
        if room is not None:
            retained = min(retained, max(room, ZERO))
    return retained, None if room is None else room - retained


def _moved_with(moved: Decimal, balance: Balance) -> Decimal:
    """The retainage that goes along when stored materials become work: its share, to the cent."""
    if not moved or not balance.stored:
        return ZERO
    if moved == balance.stored:
        return balance.materials_retained
    return cents(balance.materials_retained * moved / balance.stored)


@dataclass(frozen=True, slots=True)
class Summary:
    """The summary block of a claim; every figure but the percentages is in dollars ex tax."""

    original_contract_sum: Decimal
    net_change_by_change_orders: Decimal
    contract_sum_to_date: Decimal
    total_completed_and_stored_to_date: Decimal
    completed_work_retainage_amount: Decimal
    completed_work_retainage_percent: Decimal
    stored_materials_retainage_amount: Decimal
    stored_materials_retainage_percent: Decimal
    total_retainage: Decimal
    total_earned_less_retainage: Decimal
    less_previous_certificates_for_payment: Decimal
    current_payment_due: Decimal
    balance_to_finish_including_retainage: Decimal
    new_materials: Decimal
    stored_materials: Decimal
    percent_complete: Decimal


def summary(items: Sequence[Item]) -> Summary:
    """The summary of a claim with these items."""
    original = total(i.scheduled for i in items if not i.is_change_order)
    changes = total(i.scheduled for i in items if i.is_change_order)
    ends = [i.after for i in items]
    done = total(e.completed_and_stored for e in ends)
    work_held = total(e.work_retained for e in ends)
    materials_held = total(e.materials_retained for e in ends)
    stored = total(e.stored for e in ends)
    earned = done - work_held - materials_held
    previous = total(i.before.completed_and_stored - i.before.retained for i in items)
    return Summary(
        original_contract_sum=original,
        net_change_by_change_orders=changes,
        contract_sum_to_date=original + changes,
        total_completed_and_stored_to_date=done,
        completed_work_retainage_amount=work_held,
        completed_work_retainage_percent=percentage(work_held, done - stored),
        stored_materials_retainage_amount=materials_held,
        stored_materials_retainage_percent=percentage(materials_held, stored),
        total_retainage=work_held + materials_held,
        total_earned_less_retainage=earned,
        less_previous_certificates_for_payment=previous,
        current_payment_due=earned - previous,
        balance_to_finish_including_retainage=original + changes - earned,
        new_materials=total(i.movement.new_materials for i in items),
        stored_materials=stored,
        percent_complete=percentage(done, original + changes),
    )


def percentage(part: Decimal, whole: Decimal) -> Decimal:
    """part of whole in percent to two places; 0 where there is no whole."""
    return cents(part * HUNDRED / whole) if whole else ZERO


def tax(parts: Sequence[tuple[Decimal, Decimal]]) -> Decimal:
    """The tax on (amount, percent) pairs: added up unrounded, rounded once."""
    return cents(total(amount * rate / HUNDRED for amount, rate in parts))


def total(amounts: Iterable[Decimal]) -> Decimal:
    """The sum, a Decimal also when there is nothing to add."""
    return sum(amounts, ZERO)
