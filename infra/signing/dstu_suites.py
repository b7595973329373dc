"""ДСТУ 4145 as suites of signed messages and certificates: with GOST 34.311 and with Kupyna.

A signature value stands bare in a message and wrapped in an OCTET STRING in a certificate. Keys of
the Kupyna era keep the older label, so every suite takes every label, and the hash of a message
follows from the message, never from its certificate.
"""

from collections.abc import Callable
from functools import partial
from typing import Final

from infra.signing import der, dstu4145, dstu_oids, gost34311, kupyna
from infra.signing.key_parameters import KEY_OIDS, public_key_or_none
from infra.signing.suite import Suite


def _verify(spki: bytes, digest: bytes, signature: bytes) -> bool:
    key = public_key_or_none(spki)
    return key is not None and dstu4145.verify(key, digest, signature)


def _unwrap(signature: bytes) -> bytes:
    return der.parse(signature).octets()


def _suite(
    name: str, *, digest_oid: str, digest: Callable[[bytes], bytes], signature_oid: str
) -> Suite:
    return Suite(
        name=name,
        digest_oid=digest_oid,
        digest=digest,
        signature_oid=signature_oid,
        key_oids=KEY_OIDS,
        verify=_verify,
        certificate_signature=_unwrap,
    )


DSTU_GOST: Final = _suite(
    "dstu4145-gost34311",
    digest_oid=dstu_oids.GOST34311,
    digest=gost34311.digest,
    signature_oid=dstu_oids.DSTU4145_GOST,
)
DSTU_KUPYNA_256: Final = _suite(
    "dstu4145-kupyna256",
    digest_oid=dstu_oids.KUPYNA_256,
    digest=kupyna.digest,
    signature_oid=dstu_oids.DSTU4145_KUPYNA_256,
)
DSTU_KUPYNA_384: Final = _suite(
    "dstu4145-kupyna384",
    digest_oid=dstu_oids.KUPYNA_384,
    digest=partial(kupyna.digest, bits=384),
    signature_oid=dstu_oids.DSTU4145_KUPYNA_384,
)
DSTU_KUPYNA_512: Final = _suite(
    "dstu4145-kupyna512",
    digest_oid=dstu_oids.KUPYNA_512,
    digest=partial(kupyna.digest, bits=512),
    signature_oid=dstu_oids.DSTU4145_KUPYNA_512,
)
DSTU_SUITES: Final = (DSTU_GOST, DSTU_KUPYNA_256, DSTU_KUPYNA_384, DSTU_KUPYNA_512)
