"""Money in whole kopecks, quantities in thousandths, rates in basis points; never a float.

Rounding exists in exactly three named functions here, `round_half_up`, `round_ties` and `Money.rounded_to`; every
other module calls one of them and says which. (`domain.discounts.shares` divides an amount without rounding it.)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


def round_half_up(numerator: int, denominator: int) -> int:
    """Return numerator ÷ denominator as a whole number, exact halves away from zero.

    `denominator` must be positive. Half up is what worked example 11.3 of the protocol reference uses; no
    official text says how a tie is rounded.
    """
    if numerator < 0:
        return -round_half_up(-numerator, denominator)
    return (2 * numerator + denominator) // (2 * denominator)


class Ties(StrEnum):
    """Where an exact half goes: away from zero, towards it, or to the even neighbour."""

    UP = "up"
    DOWN = "down"
    EVEN = "even"


def round_ties(numerator: int, denominator: int, *, ties: Ties) -> int:
    """Return numerator ÷ denominator as the nearest whole number, exact halves as `ties` says.

    `denominator` must be positive.
    """
    rounded = round_half_up(numerator, denominator)
    halves = 2 * numerator % denominator == 0 and numerator % denominator != 0
    if ties is Ties.UP or not halves or (ties is Ties.EVEN and rounded % 2 == 0):
        return rounded
    return rounded - 1 if numerator > 0 else rounded + 1


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount in whole kopecks; may be negative."""

    kopecks: int

    def __add__(self, other: Money) -> Money:
        return Money(self.kopecks + other.kopecks)

    def __sub__(self, other: Money) -> Money:
        return Money(self.kopecks - other.kopecks)

    def __neg__(self) -> Money:
        return Money(-self.kopecks)

    def __bool__(self) -> bool:
        return self.kopecks != 0

    def __str__(self) -> str:
        """Return hryvnias with a dot and two digits, as documents write it: `-0.18`."""
        digits = f"{self.kopecks:03d}" if self.kopecks >= 0 else f"{self.kopecks:04d}"
        return f"{digits[:-2]}.{digits[-2:]}"

    def times(self, quantity: Quantity) -> Money:
        """Return price × quantity, half kopecks up."""
        return Money(round_half_up(self.kopecks * quantity.thousandths, 1000))

    def share(self, *, numerator: int, denominator: int) -> Money:
        """Return this amount × numerator ÷ denominator, half kopecks up."""
        return Money(round_half_up(self.kopecks * numerator, denominator))

    def rounded_to(self, step: Money) -> Money:
        """Return the nearest multiple of `step`, halves up, as cash is rounded.

        Source: NBU resolution 25 of 15.03.2018, item 4¹ added by resolution 115 of 17.09.2025: with a step of
        50 kopecks, 1-24 go down, 25-49 up to 50, 51-74 down to 50, 75-99 up.
        """
        return Money(round_half_up(self.kopecks, step.kopecks) * step.kopecks)

    @staticmethod
    def total(amounts: Iterable[Money]) -> Money:
        """Return the sum; zero for no amounts."""
        return Money(sum(amount.kopecks for amount in amounts))


ZERO = Money(0)
LARGEST_AMOUNT = Money(10_000_000_000)
"""What a till may ask for at most in one amount: 100 million UAH. More is a slip of the keyboard."""


@dataclass(frozen=True, slots=True, order=True)
class Quantity:
    """A quantity in thousandths of its unit."""

    thousandths: int

    def __add__(self, other: Quantity) -> Quantity:
        return Quantity(self.thousandths + other.thousandths)

    def __sub__(self, other: Quantity) -> Quantity:
        return Quantity(self.thousandths - other.thousandths)

    def __str__(self) -> str:
        """Return the quantity with exactly three digits, as documents write it: `1.500`."""
        digits = f"{self.thousandths:04d}" if self.thousandths >= 0 else f"{self.thousandths:05d}"
        return f"{digits[:-3]}.{digits[-3:]}"


@dataclass(frozen=True, slots=True, order=True)
class Rate:
    """A percentage in basis points: 20 % is 2000."""

    basis_points: int

    def __str__(self) -> str:
        """Return per cent with two digits, as documents write it: `20.00`, a surcharge `-2.50`."""
        whole, part = divmod(abs(self.basis_points), 100)
        return f"{'-' if self.basis_points < 0 else ''}{whole}.{part:02d}"

    def __neg__(self) -> Rate:
        return Rate(-self.basis_points)

    def of(self, amount: Money) -> Money:
        """Return this percentage of an amount: amount × p ÷ 100 %, half kopecks away from zero.

        Source: official sample «Знижки»: 50 % of 100.00 is 50.00; no text says how a tie is rounded.
        """
        return amount.share(numerator=self.basis_points, denominator=10_000)

    def contained_in(self, gross: Money, *, ties: Ties = Ties.UP) -> Money:
        """Return the tax contained in an amount that includes it: gross × p ÷ (100 % + p), a half as `ties` says.

        Source: official sample with two taxes (reference §3.6); its question 26 leaves the half open.
        """
        p = self.basis_points
        return Money(round_ties(gross.kopecks * p, 10_000 + p, ties=ties))
