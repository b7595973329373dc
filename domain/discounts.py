"""Discounts and surcharges: decided for a line, decided for a whole receipt, shared over its lines.

The rules, in the order they are applied (reference §3.4, §3.8; the discount on a whole receipt has no official
sample):

1. A line's discount comes off its cost (price × quantity): a percentage of it, half kopecks up, or a value.
2. A receipt's discount comes off what the lines cost after their own discounts, in the same two ways. The amount is
   decided once, for the whole.
3. It is shared over the lines by their discounted cost without losing a kopeck: each line gets the whole kopecks of
   its exact share, and the kopecks left over go one each to the lines with the largest remainders, of equal ones to
   the one that stands first. So no share is a kopeck away from the exact one, and none exceeds its line's cost.
4. A line may become free, a receipt may not.
5. A surcharge is a discount with a minus. How documents tell the two apart is an open question of the protocol (every
   remark of the schema says "discount/surcharge", the type allows a minus, nothing else does). Writing it into the price
   instead would change what the shelf says, and price × quantity would no longer give the cost to the kopeck.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from domain.documents.receipt import Discount, Line
from domain.documents.text import Limit, encodable
from domain.errors import DiscountExceedsCost, InvalidField
from domain.money import LARGEST_AMOUNT, ZERO, Money, Rate

WHOLE = Rate(10_000)


@dataclass(frozen=True, slots=True)
class DiscountRequest:
    """A discount as asked for: `percent` or `amount`, one of the two and above zero; `surcharge` adds instead."""

    percent: Rate | None = None
    amount: Money | None = None
    surcharge: bool = False
    name: str | None = None


def line_discount(request: DiscountRequest, *, cost: Money, field: str) -> Discount:
    """Return the discount of a line that costs `cost`, by rule 1. Raises: InvalidField, DiscountExceedsCost."""
    return _decided(request, of=cost, most=cost, field=field)


def with_receipt_discount(
    lines: Sequence[Line], request: DiscountRequest, *, field: str = "discount"
) -> tuple[tuple[Line, ...], Discount]:
    """Return the lines with their shares of a discount on the whole receipt, and that discount, by rules 2 and 3.

    Raises: InvalidField, DiscountExceedsCost.
    """
    costs = [line.discounted for line in lines]
    whole = Money.total(costs)
    if whole <= ZERO:
        raise InvalidField(field="lines", expected="worth more than nothing")
    discount = _decided(request, of=whole, most=whole - Money(1), field=field)
    shared = tuple(
        replace(line, receipt_discount=share) if share else line
        for line, share in zip(lines, shares(discount.amount, costs), strict=True)
    )
    return shared, discount


def shares(amount: Money, weights: Sequence[Money]) -> list[Money]:
    """Return `amount` divided in proportion to `weights`, to the kopeck, by rule 3; a negative one likewise.

    The shares add up to `amount`. Weights are not negative and come to more than nothing.
    """
    if amount < ZERO:
        return [-share for share in shares(-amount, weights)]
    whole = sum(weight.kopecks for weight in weights)
    parts, remainders = [], []
    for place, weight in enumerate(weights):
        part, remainder = divmod(amount.kopecks * weight.kopecks, whole)
        parts.append(part)
        remainders.append((-remainder, place))
    left = amount.kopecks - sum(parts)
    for _, place in sorted(remainders)[:left]:
        parts[place] += 1
    return [Money(part) for part in parts]


def _decided(request: DiscountRequest, *, of: Money, most: Money, field: str) -> Discount:
    percent, value = request.percent, request.amount
    if (percent is None) == (value is None):
        raise InvalidField(field=field, expected="either a percentage or an amount")
    if percent is not None:
        if not 0 < percent.basis_points <= WHOLE.basis_points:
            raise InvalidField(
                field=f"{field}.percent_basis_points", expected="1 to 10000 (0.01 % to 100 %)"
            )
        amount = percent.of(of)
    else:
        assert value is not None
        if not 0 < value.kopecks <= LARGEST_AMOUNT.kopecks:
            raise InvalidField(field=f"{field}.amount_kopecks", expected="more than 0 and sensible")
        amount = value
    name = None
    if request.name:
        name = encodable(request.name, field=f"{field}.name", limit=Limit.DISCOUNT_NAME)
    if request.surcharge:
        return Discount(-amount, percent=None if percent is None else -percent, name=name)
    if amount > most:
        raise DiscountExceedsCost(
            field=field, discount_kopecks=amount.kopecks, most_kopecks=most.kopecks
        )
    return Discount(amount, percent=percent, name=name)
