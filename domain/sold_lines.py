"""Lines of a sale from the side of what follows it: what was sold, what is wanted back of it, what is taken."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from domain.documents.receipt import PartPaymentKind, Receipt
from domain.money import ZERO, Money, Quantity
from domain.part_payment import paid_of_lines


@dataclass(frozen=True, slots=True)
class SoldLine:
    """Quantity of one line of the original and what was paid for it after discounts, in the lines' order.

    `owed` is there in part payments only: what a prepayment leaves to pay for the line; later parts leave nothing.
    """

    quantity: Quantity
    cost: Money
    owed: Money | None = None


@dataclass(frozen=True, slots=True)
class WantedLine:
    """What is to come back of a line; `number` counts the original's lines from 1.

    `excise_stamps` are those on the goods that come back, where only a part of the line does.
    """

    number: int
    quantity: Quantity
    excise_stamps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TakenLine:
    """Part of a line of the original; `cost` is its share of the line's cost, or what a later payment pays for it.

    `excise_stamps` are those named on the part, None for none.
    """

    number: int
    quantity: Quantity
    cost: Money
    excise_stamps: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """What one return or storno takes, reserved or confirmed; `register_id` is the register that issues it.

    `pays`: it gives nothing back but is a later payment of this kind, and takes from what is owed.
    """

    register_id: UUID
    lines: tuple[TakenLine, ...]
    confirmed: bool = False
    pays: PartPaymentKind | None = None


def cumulative_share(
    whole: Money, *, of: Quantity, taken: Quantity, taken_amount: Money, part: Quantity
) -> Money:
    """Return what `part` more takes of `whole`, which belongs to the quantity `of`.

    All that is taken then comes to whole × (taken + part) ÷ of, half kopecks up, so that any split adds up to the whole
    exactly and no part is a kopeck off its own product or more, as long as none was released between; `taken_amount`
    is what went already.
    """
    due = whole.share(numerator=taken.thousandths + part.thousandths, denominator=of.thousandths)
    return min(max(due - taken_amount, ZERO), whole - taken_amount)


def sold_lines(receipt: Receipt) -> tuple[SoldLine, ...]:
    """Return quantity and discounted cost of each line: no more than was owed for a line may come back.

    Of a part payment no more than was paid may come back; what is owed then is for later payments on a prepayment.
    """
    if receipt.part is None:
        return tuple(
            SoldLine(quantity=line.quantity, cost=line.discounted) for line in receipt.lines
        )
    leaves = receipt.part.kind is PartPaymentKind.PREPAYMENT
    return tuple(
        SoldLine(quantity=line.quantity, cost=paid, owed=line.discounted - paid if leaves else ZERO)
        for line, paid in zip(receipt.lines, paid_of_lines(receipt), strict=True)
    )
