"""Arithmetic of the fields GF(2^m) and of the curves over them, in Python integers.

This is the reference that libcrypto is tested against, the fallback where libcrypto knows no
binary curves, and on every machine the code that compresses and expands points.

Nothing here is constant-time: Python integers are not. The scalar multiplication has at least a
fixed number of steps with blinded coordinates; docs/constant-time.md says what that is worth.
"""

import secrets
from functools import cache
from typing import Final

from infra.signing.curves import Curve, Point

_NIBBLES: Final = range(16)


class PointError(ValueError):
    """The octets or coordinates are not a point of the curve that may be used."""


class Field:
    """GF(2^m) with the reduction polynomial of a curve; elements are integers below 2^m."""

    __slots__ = ("_exponents", "_pivots", "degree", "mask", "trace_mask")

    def __init__(self, curve: Curve) -> None:
        self.degree = curve.degree
        self.mask = (1 << curve.degree) - 1
        self._exponents = curve.exponents
        self._pivots, self.trace_mask = self._solve_artin_schreier()

    def reduce(self, value: int) -> int:
        """`value` modulo the reduction polynomial."""
        degree, mask = self.degree, self.mask
        while high := value >> degree:
            value = (value & mask) ^ high
            for exponent in self._exponents:
                value ^= high << exponent
        return value

    def multiply(self, left: int, right: int) -> int:
        """The product, by a comb over four bits of `right` at a time."""
        table = [0, left]
        for index in range(1, 8):
            doubled = table[index] << 1
            table.append(doubled)
            table.append(doubled ^ left)
        product = 0
        for octet in right.to_bytes((self.degree + 7) // 8, "big"):
            product = (product << 8) ^ (table[octet >> 4] << 4) ^ table[octet & 15]
        return self.reduce(product)

    def square(self, value: int) -> int:
        """The square: reading the binary digits in base four puts a zero between any two bits."""
        return self.reduce(int(f"{value:b}", 4))

    def square_times(self, value: int, times: int) -> int:
        """`value` squared `times` times."""
        for _ in range(times):
            value = self.square(value)
        return value

    def invert(self, value: int) -> int:
        """The inverse of a non-zero element, value^(2^m − 2), by Itoh and Tsujii's chain.

        The sequence of operations depends on m only. Raises: ZeroDivisionError.
        """
        if not value:
            raise ZeroDivisionError("zero has no inverse")
        # `chain` is value^(2^length − 1); the bits of m − 1 below the highest say how it grows.
        chain, length = value, 1
        for bit in bin(self.degree - 1)[3:]:
            chain = self.multiply(self.square_times(chain, length), chain)
            length *= 2
            if bit == "1":
                chain = self.multiply(self.square(chain), value)
                length += 1
        return self.square(chain)

    def square_root(self, value: int) -> int:
        """The only square root."""
        return self.square_times(value, self.degree - 1)

    def trace(self, value: int) -> int:
        """Tr(value), 0 or 1: a linear form, so the parity of the bits under a mask."""
        return (value & self.trace_mask).bit_count() & 1

    def solve_quadratic(self, value: int) -> int | None:
        """One z with z² + z = value, or None when there is none (trace 1); the other is z + 1.

        The map is linear, so the answer is the sum of the answers to single bits, looked up.
        """
        if self.trace(value):
            return None
        solution = 0
        for position, contribution in self._pivots:
            if value >> position & 1:
                solution ^= contribution
        return solution

    def _solve_artin_schreier(self) -> tuple[tuple[tuple[int, int], ...], int]:
        """Invert the linear map z → z² + z by elimination.

        Returns pairs (bit, z), such that the z of the set bits of w add up to a solution for every
        w of trace zero, and the mask of the trace. The image of the map is the elements of trace
        zero: all bits but one lead a row, and the trace is the form that vanishes on every row.
        """
        rows: dict[int, tuple[int, int]] = {}
        for exponent in range(self.degree):
            preimage = 1 << exponent
            image = self.reduce(preimage << exponent) ^ preimage
            while image:
                leading = image.bit_length() - 1
                if leading not in rows:
                    rows[leading] = (image, preimage)
                    break
                image ^= rows[leading][0]
                preimage ^= rows[leading][1]
        (free,) = set(range(self.degree)) - set(rows)
        mask = 1 << free
        pivots: list[tuple[int, int]] = []
        for leading in sorted(rows):
            image, preimage = rows[leading]
            # Clear the lower leading bits of this row with the rows already cleared.
            for lower, contribution in pivots:
                if image >> lower & 1:
                    image ^= rows[lower][0]
                    preimage ^= contribution
            rows[leading] = (image, preimage)
            pivots.append((leading, preimage))
            if image >> free & 1:
                mask |= 1 << leading
        return tuple(pivots), mask


@cache
def field_of(curve: Curve) -> Field:
    """The field of a curve, with its tables; made once (some milliseconds)."""
    return Field(curve)


def is_on_curve(curve: Curve, point: Point) -> bool:
    """Whether the coordinates are field elements that satisfy the equation."""
    field = field_of(curve)
    x, y = point
    if not (0 <= x <= field.mask and 0 <= y <= field.mask):
        return False
    square = field.square(x)
    right = field.multiply(square, x ^ curve.a) ^ curve.b
    return field.square(y) ^ field.multiply(x, y) == right


def negate(point: Point) -> Point:
    """−point."""
    return Point(point.x, point.x ^ point.y)


def add(curve: Curve, left: Point | None, right: Point | None) -> Point | None:
    """left + right; None is the point at infinity."""
    if left is None:
        return right
    if right is None:
        return left
    field = field_of(curve)
    if left.x == right.x:
        if left.y != right.y or not left.x:
            return None
        slope = left.x ^ field.multiply(left.y, field.invert(left.x))
        x = field.square(slope) ^ slope ^ curve.a
        return Point(x, field.square(left.x) ^ field.multiply(slope ^ 1, x))
    slope = field.multiply(left.y ^ right.y, field.invert(left.x ^ right.x))
    x = field.square(slope) ^ slope ^ left.x ^ right.x ^ curve.a
    return Point(x, field.multiply(slope, left.x ^ x) ^ x ^ left.y)


def multiply(curve: Curve, scalar: int, point: Point) -> Point | None:
    """scalar · point for a non-negative scalar, by López and Dahab's ladder with y recovered.

    The group's order (n times the cofactor) is added to the scalar once or twice, so that the
    number of steps does not depend on it, and both starting points get random denominators.
    """
    field = field_of(curve)
    if not point.x:
        # (0, √B) has order two; the ladder's formulas need x ≠ 0.
        return point if scalar & 1 else None
    group_order = curve.order * curve.cofactor
    padded = scalar % group_order + group_order
    if padded.bit_length() == group_order.bit_length():
        padded += group_order
    x = point.x
    blind = secrets.randbelow(field.mask) + 1
    x1, z1 = field.multiply(x, blind), blind
    x2, z2 = _double(curve, field, x1, z1)
    for bit in bin(padded)[3:]:
        left, right = field.multiply(x1, z2), field.multiply(x2, z1)
        z = field.square(left ^ right)
        together = field.multiply(x, z) ^ field.multiply(left, right)
        if bit == "1":
            x1, z1 = together, z
            x2, z2 = _double(curve, field, x2, z2)
        else:
            x2, z2 = together, z
            x1, z1 = _double(curve, field, x1, z1)
    return _recover(field, point, (x1, z1), (x2, z2))


def _double(curve: Curve, field: Field, x: int, z: int) -> tuple[int, int]:
    """The x of twice the point with x-coordinate x/z, again as a fraction."""
    x, z = field.square(x), field.square(z)
    doubled = field.square(x) ^ field.multiply(curve.b, field.square(z))
    return doubled, field.multiply(x, z)


def _recover(
    field: Field, point: Point, multiple: tuple[int, int], successor: tuple[int, int]
) -> Point | None:
    """The affine multiple, from the x of k·P and of (k + 1)·P."""
    (x1, z1), (x2, z2) = multiple, successor
    x, y = point
    if not z1:
        return None
    if not z2:
        return negate(point)
    denominator = field.multiply(z1, z2)
    inverse = field.invert(field.multiply(x, denominator))
    affine_x = field.multiply(field.multiply(x1, field.multiply(z2, x)), inverse)
    numerator = field.multiply(x1 ^ field.multiply(x, z1), x2 ^ field.multiply(x, z2))
    numerator ^= field.multiply(field.square(x) ^ y, denominator)
    slope = field.multiply(field.multiply(x ^ affine_x, numerator), inverse)
    return Point(affine_x, slope ^ y)


def compress(curve: Curve, point: Point) -> int:
    """The point as one field element: x with its lowest bit replaced by Tr(y/x)."""
    if not point.x:
        return 0
    field = field_of(curve)
    trace = field.trace(field.multiply(point.y, field.invert(point.x)))
    return (point.x & ~1) | trace


def expand(curve: Curve, compressed: int) -> Point:
    """The point that `compress` gave.

    The lowest bit of x is lost in compression and comes back from Tr(x) = Tr(A) = A, true for
    every point of the subgroup that signatures use. Raises: PointError.
    """
    field = field_of(curve)
    if not 0 <= compressed <= field.mask:
        raise PointError("larger than the field")
    if not compressed:
        return Point(0, field.square_root(curve.b))
    x = compressed & ~1
    if field.trace(x) != curve.a:
        x |= 1
    if not x:
        raise PointError("no point has this coordinate")
    inverse = field.invert(x)
    z = field.solve_quadratic(x ^ curve.a ^ field.multiply(curve.b, field.square(inverse)))
    if z is None:
        raise PointError("no point has this coordinate")
    if field.trace(z) != compressed & 1:
        z ^= 1
    return Point(x, field.multiply(x, z))


class PythonPoints:
    """The point arithmetic of this module as a back end (see infra/signing/backends.py)."""

    name: Final = "Python integers"

    def multiply_base(self, curve: Curve, scalar: int) -> Point | None:
        """scalar · G."""
        return multiply(curve, scalar, curve.base)

    def multiply(self, curve: Curve, scalar: int, point: Point) -> Point | None:
        """scalar · point."""
        return multiply(curve, scalar, point)

    def combine(
        self, curve: Curve, *, base_scalar: int, point_scalar: int, point: Point
    ) -> Point | None:
        """base_scalar · G + point_scalar · point."""
        return add(
            curve, multiply(curve, base_scalar, curve.base), multiply(curve, point_scalar, point)
        )
