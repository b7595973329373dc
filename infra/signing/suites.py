"""The signature suites of this program: ДСТУ 4145 with its hashes, and ECDSA for development keys."""

import hashlib
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from infra.signing.dstu_suites import DSTU_SUITES
from infra.signing.suite import Suite, SuiteRegistry

__all__ = [
    "ECDSA_P256",
    "ECDSA_SHA256_OID",
    "EC_PUBLIC_KEY_OID",
    "SHA256_OID",
    "SUITES",
    "Suite",
    "SuiteRegistry",
    "sign_p256",
]

SHA256_OID: Final = "2.16.840.1.101.3.4.2.1"
ECDSA_SHA256_OID: Final = "1.2.840.10045.4.3.2"
EC_PUBLIC_KEY_OID: Final = "1.2.840.10045.2.1"


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


@lru_cache(maxsize=2048)
def _p256_key(spki: bytes) -> ec.EllipticCurvePublicKey | None:
    try:
        key = load_der_public_key(spki)
    except (ValueError, UnsupportedAlgorithm):
        return None
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != "secp256r1":
        return None
    return key


_ECDSA_OF_DIGEST: Final = ec.ECDSA(utils.Prehashed(SHA256()))


def _verify_p256(spki: bytes, digest: bytes, signature: bytes) -> bool:
    key = _p256_key(spki)
    if key is None or len(digest) != SHA256.digest_size:
        return False
    try:
        key.verify(signature, digest, _ECDSA_OF_DIGEST)
    except InvalidSignature:
        return False
    return True


def sign_p256(key: ec.EllipticCurvePrivateKey, digest: bytes) -> bytes:
    """An ECDSA signature value over a SHA-256 digest, as ``ECDSA_P256`` verifies it."""
    return key.sign(digest, _ECDSA_OF_DIGEST)


ECDSA_P256: Final = Suite(
    name="ecdsa-p256-sha256",
    digest_oid=SHA256_OID,
    digest=_sha256,
    signature_oid=ECDSA_SHA256_OID,
    key_oids=frozenset({EC_PUBLIC_KEY_OID}),
    verify=_verify_p256,
)

SUITES: Final = SuiteRegistry(ECDSA_P256, *DSTU_SUITES)
"""What a process knows when nothing else is said."""
