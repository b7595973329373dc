"""Point arithmetic through the system's libcrypto (OpenSSL 1.1.1 and 3), by ctypes.

OpenSSL multiplies points of binary curves by a Montgomery ladder with blinded projective
coordinates, but only when the group knows its order and cofactor; both are always given here.

Every function has its argument and result types set (pointers would be cut to 32 bits otherwise),
every object made in a call is freed in it, numbers that depend on a secret are wiped first. A group
is made once per curve and only read afterwards, so threads may share it.

A library without binary curves (BoringSSL, LibreSSL, some distributions' OpenSSL) fails the
self-test in `load` and infra/signing/backends.py takes Python integers instead.
"""

import ctypes
import ctypes.util
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from infra.signing.curves import CURVES, M257, Curve, Point

_NAMES: Final = (
    "libcrypto.so.3",
    "libcrypto.so.1.1",
    "libcrypto.so",
    "libcrypto.3.dylib",
    "libcrypto.dylib",
)

_POINTER: Final = ctypes.c_void_p
_INT: Final = ctypes.c_int
_BYTES: Final = ctypes.c_char_p

_SIGNATURES: Final[dict[str, tuple[object, tuple[object, ...]]]] = {
    "OpenSSL_version": (_BYTES, (_INT,)),
    "ERR_clear_error": (None, ()),
    "BN_new": (_POINTER, ()),
    "BN_bin2bn": (_POINTER, (_BYTES, _INT, _POINTER)),
    "BN_bn2binpad": (_INT, (_POINTER, _POINTER, _INT)),
    "BN_clear_free": (None, (_POINTER,)),
    "BN_CTX_new": (_POINTER, ()),
    "BN_CTX_free": (None, (_POINTER,)),
    "EC_GROUP_new_curve_GF2m": (_POINTER, (_POINTER, _POINTER, _POINTER, _POINTER)),
    "EC_GROUP_set_generator": (_INT, (_POINTER, _POINTER, _POINTER, _POINTER)),
    "EC_GROUP_free": (None, (_POINTER,)),
    "EC_POINT_new": (_POINTER, (_POINTER,)),
    "EC_POINT_clear_free": (None, (_POINTER,)),
    "EC_POINT_set_affine_coordinates": (
        _INT,
        (_POINTER, _POINTER, _POINTER, _POINTER, _POINTER),
    ),
    "EC_POINT_get_affine_coordinates": (
        _INT,
        (_POINTER, _POINTER, _POINTER, _POINTER, _POINTER),
    ),
    "EC_POINT_is_at_infinity": (_INT, (_POINTER, _POINTER)),
    "EC_POINT_mul": (_INT, (_POINTER, _POINTER, _POINTER, _POINTER, _POINTER, _POINTER)),
}


class LibcryptoFault(RuntimeError):
    """A call into libcrypto failed: out of memory, or the library has no binary curves.

    The message names the function and nothing else.
    """


class LibcryptoPoints:
    """Point arithmetic by libcrypto. Safe to share between threads. Raises: LibcryptoFault."""

    def __init__(self, library: ctypes.CDLL, *, path: str) -> None:
        for name, (result, arguments) in _SIGNATURES.items():
            function = getattr(library, name, None)
            if function is None:
                raise LibcryptoFault(f"{name} is missing")
            function.restype = result
            function.argtypes = arguments
        self.path = path
        """What the library was loaded by."""
        self._library = library
        self._groups: dict[Curve, int] = {}
        self._making_group = threading.Lock()
        version: bytes = library.OpenSSL_version(0)
        self.name = version.decode("ascii", "replace")

    def multiply_base(self, curve: Curve, scalar: int) -> Point | None:
        """scalar · G, by the ladder."""
        return self._multiply(curve, base_scalar=scalar)

    def multiply(self, curve: Curve, scalar: int, point: Point) -> Point | None:
        """scalar · point, by the ladder. `point` must be on the curve."""
        return self._multiply(curve, point_scalar=scalar, point=point)

    def combine(
        self, curve: Curve, *, base_scalar: int, point_scalar: int, point: Point
    ) -> Point | None:
        """base_scalar · G + point_scalar · point, by two ladders and one addition."""
        return self._multiply(
            curve, base_scalar=base_scalar, point_scalar=point_scalar, point=point
        )

    def _multiply(
        self,
        curve: Curve,
        *,
        base_scalar: int | None = None,
        point_scalar: int | None = None,
        point: Point | None = None,
    ) -> Point | None:
        group = self._group(curve)
        with self._call() as call:
            base_factor = None if base_scalar is None else call.number(base_scalar)
            point_factor = None if point_scalar is None else call.number(point_scalar)
            operand = None if point is None else call.point(group, point)
            result = call.point(group)
            call.check(
                "EC_POINT_mul", group, result, base_factor, operand, point_factor, call.context
            )
            if self._library.EC_POINT_is_at_infinity(group, result):
                return None
            x, y = call.number(), call.number()
            call.check("EC_POINT_get_affine_coordinates", group, result, x, y, call.context)
            return Point(call.value(x, curve.field_octets), call.value(y, curve.field_octets))

    @contextmanager
    def _call(self) -> Iterator["_Call"]:
        call = _Call(self._library)
        try:
            yield call
        finally:
            call.release()

    def _group(self, curve: Curve) -> int:
        group = self._groups.get(curve)
        if group is None:
            with self._making_group:
                group = self._groups.get(curve)
                if group is None:
                    group = self._groups[curve] = self._make_group(curve)
        return group

    def _make_group(self, curve: Curve) -> int:
        with self._call() as call:
            group: int | None = self._library.EC_GROUP_new_curve_GF2m(
                call.number(curve.modulus), call.number(curve.a), call.number(curve.b), call.context
            )
            if not group:
                self._library.ERR_clear_error()
                raise LibcryptoFault("EC_GROUP_new_curve_GF2m")
            try:
                call.check(
                    "EC_GROUP_set_generator",
                    group,
                    call.point(group, curve.base),
                    call.number(curve.order),
                    call.number(curve.cofactor),
                )
            except LibcryptoFault:
                self._library.EC_GROUP_free(group)
                raise
        return group


class _Call:
    """The objects of one computation, released together."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        self._numbers: list[int] = []
        self._points: list[int] = []
        self.context: int = library.BN_CTX_new()
        if not self.context:
            raise LibcryptoFault("BN_CTX_new")

    def number(self, value: int | None = None) -> int:
        """A new big number, with a value or empty."""
        pointer: int | None
        if value is None:
            pointer = self._library.BN_new()
        else:
            octets = value.to_bytes((value.bit_length() + 7) // 8, "big")
            pointer = self._library.BN_bin2bn(octets, len(octets), None)
        if not pointer:
            raise LibcryptoFault("BN_new")
        self._numbers.append(pointer)
        return pointer

    def point(self, group: int, value: Point | None = None) -> int:
        """A new point of the group, with coordinates or empty."""
        pointer: int | None = self._library.EC_POINT_new(group)
        if not pointer:
            raise LibcryptoFault("EC_POINT_new")
        self._points.append(pointer)
        if value is not None:
            x, y = self.number(value.x), self.number(value.y)
            self.check("EC_POINT_set_affine_coordinates", group, pointer, x, y, self.context)
        return pointer

    def check(self, name: str, *arguments: int | None) -> None:
        """Call a function that answers 1 for success."""
        if getattr(self._library, name)(*arguments) != 1:
            self._library.ERR_clear_error()
            raise LibcryptoFault(name)

    def value(self, number: int, octets: int) -> int:
        """The value of a big number of at most so many octets."""
        buffer = ctypes.create_string_buffer(octets)
        if self._library.BN_bn2binpad(number, buffer, octets) != octets:
            raise LibcryptoFault("BN_bn2binpad")
        return int.from_bytes(buffer.raw, "big")

    def release(self) -> None:
        """Wipe and free everything of this computation."""
        for point in self._points:
            self._library.EC_POINT_clear_free(point)
        for number in self._numbers:
            self._library.BN_clear_free(number)
        self._library.BN_CTX_free(self.context)


def load() -> LibcryptoPoints:
    """Point arithmetic by the first libcrypto found that passes the self-test.

    Python's own ssl module usually has it loaded already, and the same name gives the same copy.
    Raises: LibcryptoFault naming why none can be used.
    """
    reason = "no libcrypto found"
    for path, library in _libraries():
        try:
            points = LibcryptoPoints(library, path=path)
            self_test(points)
        except LibcryptoFault as fault:
            reason = f"libcrypto is not usable: {fault}"
        else:
            return points
    raise LibcryptoFault(reason)


def _libraries() -> Iterator[tuple[str, ctypes.CDLL]]:
    """Candidates with the names they were found by; the system is asked last, for it is slow."""
    found = False
    for name in _NAMES:
        with suppress(OSError):
            yield name, ctypes.CDLL(name)
            found = True
    name_by_system = None if found else ctypes.util.find_library("crypto")
    if name_by_system is not None:
        with suppress(OSError):
            yield name_by_system, ctypes.CDLL(name_by_system)


# The public example key of a signature on M257 (d, and Q = −d·G), and one multiple on M431.
_KNOWN_SCALAR: Final = 0x2A45EAFE4CD469F811737780C57253360FBCC58E134C9A1FDCD10B0E4529A143
_KNOWN_POINT: Final = Point(
    0xAFF3EE09CB429284985849E20DE5742E194AA631490F62BA88702505629A6589,
    0x1B345BC134F27DA251EDFAE97B3F306B4E8B8CB9CF86D8651E4FB301EF8E1239C,
)


def self_test(points: LibcryptoPoints) -> None:
    """Known answers for M257 and, for all ten curves, (n − 1)·G = −G and n·G = O.

    Raises: LibcryptoFault.
    """
    negated = points.multiply_base(M257, M257.order - _KNOWN_SCALAR)
    if negated != _KNOWN_POINT or points.multiply(M257, 1, _KNOWN_POINT) != _KNOWN_POINT:
        raise LibcryptoFault("wrong answer of the self-test on M257")
    together = points.combine(
        M257, base_scalar=_KNOWN_SCALAR + 1, point_scalar=1, point=_KNOWN_POINT
    )
    if together != M257.base:
        raise LibcryptoFault("wrong answer of the self-test on M257")
    for curve in CURVES:
        mirrored = points.multiply_base(curve, curve.order - 1)
        expected = Point(curve.base.x, curve.base.x ^ curve.base.y)
        if mirrored != expected or points.multiply_base(curve, curve.order) is not None:
            raise LibcryptoFault(f"wrong answer of the self-test on {curve.name}")
