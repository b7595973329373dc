"""DSTU 4145 keys in ASN.1: curve parameters, public keys of certificates.

Parameters name a standard curve or spell one out; both occur in real certificates. Spelled-out ones
are compared with the standard curves and never used as they are. ІІТ's second key spells its curve
in another dialect: B and the base point big-endian, exponents from the largest.
"""

from functools import lru_cache
from typing import Final, Literal

from infra.signing import der, dstu_oids, gf2m
from infra.signing.curves import Curve, by_oid, by_parameters
from infra.signing.dstu4145 import KeyEncodingError, PublicKey

ByteOrder = Literal["little", "big"]

KEY_OIDS: Final = frozenset(
    {dstu_oids.DSTU4145_GOST, dstu_oids.DSTU4145_KUPYNA_256, dstu_oids.DSTU4145_KUPYNA_384}
    | {dstu_oids.DSTU4145_KUPYNA_512}
)
"""Algorithms a key may be labelled with; keys of the Kupyna era keep the older label."""


class UnsupportedKey(ValueError):
    """A key that is well-formed but none we can use; the message says what it is."""


def read_curve(parameters: der.Node, *, order: ByteOrder = "little") -> Curve:
    """The standard curve that key parameters mean: `SEQUENCE { curve, dke OPTIONAL … }`.

    Raises: der.DerError, UnsupportedKey for a curve that is not one of the ten.
    """
    curve_node = parameters.fields().take()
    if curve_node.tag == der.OBJECT_IDENTIFIER:
        named = by_oid(curve_node.oid())
        if named is None:
            raise UnsupportedKey(f"curve {curve_node.oid()}")
        return named
    fields = curve_node.fields()
    fields.optional(der.context(0))
    degree, exponents = _read_field(fields.take(der.SEQUENCE))
    a = fields.take().integer()
    b = int.from_bytes(fields.take().octets(), order)
    prime = fields.take().integer()
    base = int.from_bytes(fields.take().octets(), order)
    curve = by_parameters(degree=degree, exponents=exponents, a=a, b=b, order=prime)
    if curve is None or base != _compressed_base(curve):
        raise UnsupportedKey("a curve that is not one of the standard")
    return curve


def _read_field(node: der.Node) -> tuple[int, tuple[int, ...]]:
    fields = node.fields()
    degree = fields.take().integer()
    basis = fields.take()
    if basis.tag == der.INTEGER:
        return degree, (basis.integer(),)
    return degree, tuple(sorted(item.integer() for item in basis.expect(der.SEQUENCE).children()))


@lru_cache(maxsize=16)
def _compressed_base(curve: Curve) -> int:
    return gf2m.compress(curve, curve.base)


@lru_cache(maxsize=4096)
def read_public_key(spki: bytes) -> PublicKey:
    """The key of a SubjectPublicKeyInfo; the same bytes are read once.

    Raises: der.DerError, UnsupportedKey, KeyEncodingError.
    """
    fields = der.parse(spki).fields()
    algorithm = fields.take(der.SEQUENCE).fields()
    oid = algorithm.take().oid()
    if oid not in KEY_OIDS:
        raise UnsupportedKey(describe_algorithm(oid))
    curve = read_curve(algorithm.take(der.SEQUENCE))
    octets = fields.take().bits_inner().octets()
    fields.finish()
    return PublicKey.decode(curve, octets)


def public_key_or_none(spki: bytes) -> PublicKey | None:
    """`read_public_key`, with None for anything that is no usable DSTU 4145 key."""
    try:
        return read_public_key(spki)
    except (der.DerError, UnsupportedKey, KeyEncodingError):
        return None


def describe_algorithm(oid: str) -> str:
    """What a person calls a key algorithm that is not ours."""
    if oid == dstu_oids.RSA_KEY:
        return "RSA"
    if oid == dstu_oids.EC_KEY:
        return "ECDSA"
    if oid.startswith(dstu_oids.DSTU4145_ARCS):
        return f"DSTU 4145 in a basis or byte order that is not supported ({oid})"
    return oid


def key_id_octets(key: PublicKey) -> bytes:
    """What a subject key identifier is the hash of: the OCTET STRING of the public key, as DER."""
    return der.octet_string(key.encoded())


def write_parameters(curve: Curve) -> bytes:
    """Key parameters that name the curve."""
    return der.sequence(der.oid(curve.oid))


def write_public_key(key: PublicKey) -> bytes:
    """A SubjectPublicKeyInfo with a named curve."""
    algorithm = der.sequence(der.oid(dstu_oids.DSTU4145_GOST), write_parameters(key.curve))
    return der.sequence(algorithm, der.bit_string(der.octet_string(key.encoded())))
