"""Key files written, in the two generations that occur: for the test authority and for tests.

The program itself only reads what providers made; nothing here stores a customer's key.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from infra.signing import der, dstu_oids, gost28147, gost34311, kalyna, kupyna
from infra.signing.containers.passwords import Budget, Password
from infra.signing.containers.pkcs12_mac import MAC_ALGORITHMS
from infra.signing.dstu4145 import PrivateKey
from infra.signing.key_parameters import key_id_octets, write_parameters

ITERATIONS: Final = 10_000
_SALT_OCTETS: Final = 32


@dataclass(frozen=True, slots=True)
class Generation:
    """The algorithms of a key file that go together."""

    mac_oid: str
    prf_oid: str
    is_kupyna: bool


GOST: Final = Generation(dstu_oids.GOST34311, dstu_oids.HMAC_GOST34311, is_kupyna=False)
"""Most files of today."""
KUPYNA: Final = Generation(dstu_oids.KUPYNA_256, dstu_oids.KUPYNA_KMAC_256, is_kupyna=True)
"""Files from 2026."""


def private_key_info(key: PrivateKey) -> bytes:
    """A plain PKCS#8 key with a named curve."""
    algorithm = der.sequence(der.oid(dstu_oids.DSTU4145_GOST), write_parameters(key.curve))
    return der.sequence(der.integer(0), algorithm, der.octet_string(key.encoded()))


def encrypted_private_key(
    key: PrivateKey,
    password: str,
    *,
    generation: Generation = GOST,
    iterations: int = ITERATIONS,
) -> bytes:
    """A PKCS#8 key encrypted with PBES2, as .pk8 files are."""
    return encrypt(private_key_info(key), password, generation=generation, iterations=iterations)


def encrypt(
    text: bytes, password: str, *, generation: Generation = GOST, iterations: int = ITERATIONS
) -> bytes:
    """Any text in the frame of an EncryptedPrivateKeyInfo."""
    secret = Password(password, Budget()).encodings()[0]
    salt = secrets.token_bytes(_SALT_OCTETS)
    if generation.is_kupyna:
        iv = secrets.token_bytes(kalyna.BLOCK)
        key = kupyna.pbkdf2(secret, salt=salt, iterations=iterations)
        body = kalyna.cbc_encrypt(text, key, iv=iv)
        cipher = der.sequence(der.oid(dstu_oids.KALYNA_256_CBC), der.sequence(der.octet_string(iv)))
    else:
        iv = secrets.token_bytes(gost28147.BLOCK)
        key = gost34311.pbkdf2(secret, salt=salt, iterations=iterations)
        body = gost28147.cfb_encrypt(text, key, iv=iv)
        parameters = der.sequence(der.octet_string(iv), der.octet_string(gost28147.DKE_1))
        cipher = der.sequence(der.oid(dstu_oids.GOST28147_CFB), parameters)
    derivation = der.sequence(
        der.oid(dstu_oids.PBKDF2),
        der.sequence(
            der.octet_string(salt),
            der.integer(iterations),
            der.sequence(der.oid(generation.prf_oid), der.null()),
        ),
    )
    scheme = der.sequence(der.oid(dstu_oids.PBES2), der.sequence(derivation, cipher))
    return der.sequence(scheme, der.octet_string(body))


def pkcs12(
    keys: Sequence[PrivateKey],
    password: str,
    *,
    certificates: Sequence[bytes] = (),
    generation: Generation = GOST,
    iterations: int = ITERATIONS,
) -> bytes:
    """A .pfx with a shrouded bag for each key, named by its identifier, and a bag for each certificate."""
    digest = kupyna.digest if generation.is_kupyna else gost34311.digest
    key_bags = [
        der.sequence(
            der.oid(dstu_oids.SHROUDED_KEY_BAG),
            der.explicit(
                0,
                encrypted_private_key(key, password, generation=generation, iterations=iterations),
            ),
            der.set_of([_local_key_id(digest(key_id_octets(key.public)))]),
        )
        for key in keys
    ]
    certificate_bags = [
        der.sequence(
            der.oid(dstu_oids.CERTIFICATE_BAG),
            der.explicit(
                0,
                der.sequence(
                    der.oid(dstu_oids.X509_CERTIFICATE),
                    der.explicit(0, der.octet_string(certificate)),
                ),
            ),
        )
        for certificate in certificates
    ]
    contents = der.sequence(content_info(der.sequence(*key_bags, *certificate_bags)))
    salt = secrets.token_bytes(_SALT_OCTETS)
    form = Password(password, Budget()).pkcs12_encodings()[0]
    mac = MAC_ALGORITHMS[generation.mac_oid].compute(
        contents, form, salt=salt, iterations=iterations
    )
    algorithm = der.sequence(der.oid(generation.mac_oid), der.null())
    mac_data = der.sequence(
        der.sequence(algorithm, der.octet_string(mac)),
        der.octet_string(salt),
        der.integer(iterations),
    )
    return der.sequence(der.integer(3), content_info(contents), mac_data)


def _local_key_id(key_id: bytes) -> bytes:
    return der.sequence(der.oid(dstu_oids.LOCAL_KEY_ID), der.set_of([der.octet_string(key_id)]))


def content_info(content: bytes) -> bytes:
    """A ContentInfo of type data around octets."""
    return der.sequence(der.oid(dstu_oids.DATA), der.explicit(0, der.octet_string(content)))
