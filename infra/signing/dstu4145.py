"""DSTU 4145-2002 signatures: keys, signing, verification and their little-endian encodings.

1. The public key is Q = −d·G; the minus matters.
2. A digest becomes a field element by reading it as a little-endian number and keeping the low m
   bits; zero becomes one. That holds for GOST 34.311 and for Kupyna.
3. R = e·G; r is the low L(n) − 1 bits of h·x(R); s = e + d·r mod n.
4. A signature is r ‖ s, each little-endian in as many octets as n has. In CMS these octets stand
   as they are; certificates wrap them once more in an OCTET STRING (infra/signing/dstu_suites.py unwraps it).

The nonce e is hedged: it is derived from fresh random octets, the private key and the digest, so
that neither a broken random generator nor a predictable one reveals the key.

Source: DSTU 4145-2002, sections 5 to 13, with the encodings of public implementations.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from infra.signing import gf2m
from infra.signing.backends import PointArithmetic, points
from infra.signing.curves import Curve, Point

_CACHED_PUBLIC_KEYS: Final = 4096
_NONCE_LABEL: Final = b"fiscal-ledger DSTU 4145 nonce 1"


class KeyEncodingError(ValueError):
    """The octets or the number are no key of the curve. The message never repeats them."""


class SignatureFault(RuntimeError):
    """A computed signature or point failed its own check: the machine miscalculates."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A point Q of prime order that signatures are verified with."""

    curve: Curve
    point: Point

    def encoded(self) -> bytes:
        """The compressed point, little-endian, as it stands inside a certificate."""
        compressed = gf2m.compress(self.curve, self.point)
        return compressed.to_bytes(self.curve.field_octets, "little")

    @staticmethod
    def decode(curve: Curve, octets: bytes) -> "PublicKey":
        """The key of a compressed little-endian point, fully validated; results are cached.

        Raises: KeyEncodingError for octets that are no point of prime order.
        """
        return _decode_public(curve, octets)


@lru_cache(maxsize=_CACHED_PUBLIC_KEYS)
def _decode_public(curve: Curve, octets: bytes) -> PublicKey:
    if len(octets) != curve.field_octets:
        raise KeyEncodingError("wrong number of octets for a point of the curve")
    try:
        point = gf2m.expand(curve, int.from_bytes(octets, "little"))
    except gf2m.PointError as error:
        raise KeyEncodingError("not a point of the curve") from error
    # A point of small order would make signatures easy to forge under this key.
    if not point.x or points().multiply(curve, curve.order, point) is not None:
        raise KeyEncodingError("not a point of prime order")
    return PublicKey(curve, point)


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A private number d of a curve with its public key. Its repr shows the public half only."""

    curve: Curve
    scalar: int = field(repr=False)
    public: PublicKey

    @staticmethod
    def from_scalar(curve: Curve, scalar: int) -> "PrivateKey":
        """The key of a number; one at or above n is reduced, as a published test key needs.

        Raises: KeyEncodingError for a multiple of n.
        """
        scalar %= curve.order
        if not scalar:
            raise KeyEncodingError("zero is no private key")
        point = points().multiply_base(curve, scalar)
        if point is None or not gf2m.is_on_curve(curve, point):
            raise SignatureFault("the public key is not on the curve")
        return PrivateKey(curve, scalar, PublicKey(curve, gf2m.negate(point)))

    @staticmethod
    def decode(curve: Curve, octets: bytes) -> "PrivateKey":
        """The key of little-endian octets, as PKCS#8 holds them. Raises: KeyEncodingError.

        A few octets more than n has are taken (a leading zero); a longer value is no key.
        """
        if not octets or len(octets) > curve.field_octets + 8:
            raise KeyEncodingError("wrong number of octets for a private key of the curve")
        return PrivateKey.from_scalar(curve, int.from_bytes(octets, "little"))

    @staticmethod
    def generate(curve: Curve) -> "PrivateKey":
        """A new key from the system's random generator."""
        return PrivateKey.from_scalar(curve, secrets.randbelow(curve.order - 1) + 1)

    def encoded(self) -> bytes:
        """The private number, little-endian, in as many octets as n has."""
        return self.scalar.to_bytes(self.curve.order_octets, "little")


def sign(key: PrivateKey, digest: bytes) -> bytes:
    """The signature r ‖ s of a digest, checked before it leaves.

    Raises: SignatureFault if the computed point is wrong.
    """
    counter = 0
    while True:
        signature = sign_with_nonce(key, digest, nonce=_nonce(key, digest, counter))
        if signature is not None:
            return signature
        counter += 1


def sign_with_nonce(key: PrivateKey, digest: bytes, *, nonce: int) -> bytes | None:
    """The signature made with a given nonce, or None where the standard asks for another one.

    Only `sign` and known-answer tests call this: a nonce that is known, predictable or used twice
    reveals the private key. Raises: SignatureFault.
    """
    curve = key.curve
    point = points().multiply_base(curve, nonce)
    if point is None or not gf2m.is_on_curve(curve, point):
        raise SignatureFault("the signature's point is not on the curve")
    r = _first_half(curve, digest, point)
    s = (nonce + key.scalar * r) % curve.order
    if not (point.x and r and s):
        return None
    size = curve.order_octets
    return r.to_bytes(size, "little") + s.to_bytes(size, "little")


def verify(
    key: PublicKey,
    digest: bytes,
    signature: bytes,
    *,
    arithmetic: PointArithmetic | None = None,
) -> bool:
    """Whether the signature is the key's for this digest.

    Any even length up to the full size is read, split in the middle: some writers drop a leading
    zero octet of both halves.
    """
    curve = key.curve
    half, odd = divmod(len(signature), 2)
    if odd or not 0 < half <= curve.order_octets:
        return False
    r = int.from_bytes(signature[:half], "little")
    s = int.from_bytes(signature[half:], "little")
    if not (0 < r < curve.order and 0 < s < curve.order):
        return False
    arithmetic = arithmetic or points()
    point = arithmetic.combine(curve, base_scalar=s, point_scalar=r, point=key.point)
    return point is not None and _first_half(curve, digest, point) == r


def _first_half(curve: Curve, digest: bytes, point: Point) -> int:
    """r: the low L(n) − 1 bits of h·x(R)."""
    arithmetic = gf2m.field_of(curve)
    h = (int.from_bytes(digest, "little") & arithmetic.mask) or 1
    return arithmetic.multiply(h, point.x) & ((1 << (curve.order.bit_length() - 1)) - 1)


def _nonce(key: PrivateKey, digest: bytes, counter: int) -> int:
    """A number in [1, n − 1]: HMAC-SHA-512 of fresh random octets, the private key and the digest.

    512 bits leave more than 64 bits above the largest n, so the remainder is uniform.
    """
    material = b"".join(
        (
            _NONCE_LABEL,
            counter.to_bytes(4, "big"),
            key.curve.oid.encode("ascii"),
            secrets.token_bytes(64),
            digest,
        )
    )
    mixed = hmac.digest(key.encoded(), material, hashlib.sha512)
    return int.from_bytes(mixed, "big") % (key.curve.order - 1) + 1
