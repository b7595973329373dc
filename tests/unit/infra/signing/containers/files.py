"""Parts of key files, put together as the tests need them."""

import base64

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from infra.signing import der, dstu_oids, gost28147, gost34311
from infra.signing.containers import (
    open_container,
    writer,
)
from infra.signing.containers.passwords import Budget, Password
from infra.signing.containers.pkcs12_mac import MAC_ALGORITHMS
from infra.signing.curves import M257
from infra.signing.dstu4145 import PrivateKey

PASSWORD = "Пароль-1"
KEY = PrivateKey.from_scalar(M257, 0x1234567890ABCDEF)
FEW = 10
"""Iterations: enough for the format."""


def pem(label: str, data: bytes) -> bytes:
    body = base64.encodebytes(data)
    return f"-----BEGIN {label}-----\n".encode() + body + f"-----END {label}-----\n".encode()


def only_key(data: bytes, password: str = PASSWORD) -> PrivateKey:
    (key,) = open_container(data, password).keys
    return key.private


def derivation(
    salt: bytes, iterations: int, *, prf: str | None, length: int | None = None
) -> bytes:
    return der.sequence(
        der.oid(dstu_oids.PBKDF2),
        der.sequence(
            der.octet_string(salt),
            der.integer(iterations),
            der.integer(length) if length is not None else b"",
            der.sequence(der.oid(prf), der.null()) if prf is not None else b"",
        ),
    )


def pbes2(body: bytes, derivation_scheme: bytes, cipher: bytes) -> bytes:
    scheme = der.sequence(der.oid(dstu_oids.PBES2), der.sequence(derivation_scheme, cipher))
    return der.sequence(scheme, der.octet_string(body))


def gost_cipher(iv: bytes, sbox: bytes | None = None) -> bytes:
    parameters = der.octet_string(iv) + (der.octet_string(sbox) if sbox else b"")
    return der.sequence(der.oid(dstu_oids.GOST28147_CFB), der.sequence(parameters))


def kalyna_cipher(iv: bytes) -> bytes:
    return der.sequence(der.oid(dstu_oids.KALYNA_256_CBC), der.sequence(der.octet_string(iv)))


def safe_contents(*bags: bytes) -> bytes:
    return der.sequence(writer.content_info(der.sequence(*bags)))


def with_mac(
    contents: bytes,
    *,
    oid: str = dstu_oids.GOST34311,
    iterations: int | None = FEW,
    password: str = PASSWORD,
    salt: bytes = b"saltsalt",
) -> bytes:
    """A PKCS#12 around authenticated contents, with a MAC that is right when it can be computed."""
    mac = b"mac"
    if oid in MAC_ALGORITHMS and iterations is not None and iterations <= 1000 and salt:
        form = Password(password, Budget()).pkcs12_encodings()[0]
        mac = MAC_ALGORITHMS[oid].compute(contents, form, salt=salt, iterations=iterations)
    elif iterations is None:
        form = Password(password, Budget()).pkcs12_encodings()[0]
        mac = MAC_ALGORITHMS[oid].compute(contents, form, salt=salt, iterations=1)
    mac_data = der.sequence(
        der.sequence(der.sequence(der.oid(oid), der.null()), der.octet_string(mac)),
        der.octet_string(salt),
        der.integer(iterations) if iterations is not None else b"",
    )
    return der.sequence(der.integer(3), writer.content_info(contents), mac_data)


def key_bag(key: PrivateKey = KEY) -> bytes:
    return der.sequence(der.oid(dstu_oids.KEY_BAG), der.explicit(0, writer.private_key_info(key)))


def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=1024)


def plain_foreign(key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def gost_pbes2(body: bytes, *, salt: bytes, iv: bytes, sbox: bytes | None = None) -> bytes:
    scheme = derivation(salt, FEW, prf=dstu_oids.HMAC_GOST34311)
    return pbes2(body, scheme, gost_cipher(iv, sbox))


def iit_file(text: bytes, password: bytes, *, mac: bytes | None = None, pad: bool = True) -> bytes:
    """ІІТ's container, written after the description of the format."""
    key = gost34311.repeat(password, times=10_000)
    encrypted = gost28147.ecb_encrypt(text + bytes(-len(text) % 8), key)
    body, rest = encrypted[: len(text)], encrypted[len(text) :]
    check = gost28147.mac(text, key) if mac is None else mac
    parameters = der.octet_string(check) + (der.octet_string(rest) if rest and pad else b"")
    algorithm = der.sequence(der.oid(dstu_oids.IIT_CONTAINER), der.sequence(parameters))
    return der.sequence(algorithm, der.octet_string(body))
