"""PBES2: decryption under a password, in the three generations that occur.

| generation | key derivation | cipher |
|---|---|---|
| most files of today | PBKDF2 with HMAC-GOST 34.311 | GOST 28147 CFB, S-box named or DKE №1 |
| from 2026 | PBKDF2 with Kupyna-KMAC-256 | Kalyna-256 CBC |
| OpenSSL's | PBKDF2 with HMAC-SHA | AES CBC |

Any derivation may stand with any cipher. There is no check of integrity: under a wrong password the
text decrypts to something that is no key, and that is all one can know.

Source: RFC 8018; national identifiers as public implementations write them.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from infra.signing import der, dstu_oids, gost28147, gost34311, kalyna, kupyna
from infra.signing.containers.errors import (
    DamagedKeyFile,
    UnsupportedKeyFile,
    WrongPasswordOrDamaged,
)
from infra.signing.containers.passwords import Password

Result = TypeVar("Result")

_MAX_SALT: Final = 1024
_AES_KEY_OCTETS: Final = {
    dstu_oids.AES_128_CBC: 16,
    dstu_oids.AES_192_CBC: 24,
    dstu_oids.AES_256_CBC: 32,
}
_SHA: Final = {
    dstu_oids.HMAC_SHA1: "sha1",
    dstu_oids.HMAC_SHA256: "sha256",
    dstu_oids.HMAC_SHA384: "sha384",
    dstu_oids.HMAC_SHA512: "sha512",
}
# One writer names the hash where the code made with it is meant.
_KUPYNA_CODES: Final = frozenset({dstu_oids.KUPYNA_256, dstu_oids.KUPYNA_KMAC_256})


@dataclass(frozen=True, slots=True)
class _Derivation:
    prf: str
    salt: bytes
    iterations: int

    @property
    def is_ordinary(self) -> bool:
        return self.prf in _SHA

    def key(self, password: bytes, *, octets: int) -> bytes:
        if self.is_ordinary:
            return hashlib.pbkdf2_hmac(_SHA[self.prf], password, self.salt, self.iterations, octets)
        derive = gost34311.pbkdf2 if self.prf == dstu_oids.HMAC_GOST34311 else kupyna.pbkdf2
        return derive(password, salt=self.salt, iterations=self.iterations)[:octets]


@dataclass(frozen=True, slots=True)
class _Cipher:
    key_octets: int
    decrypt: Callable[[bytes, bytes], bytes]
    """Takes text and key. Raises: ValueError where the padding shows a wrong key."""


def decrypt(
    algorithm: der.Node, body: bytes, password: Password, *, read: Callable[[bytes], Result]
) -> Result:
    """What `read` makes of the text, decrypted with the first form of the password that fits.

    `read` raises DerError or DamagedKeyFile for a text that is not what it reads: then the password
    was wrong. Raises: der.DerError for malformed parameters, UnsupportedKeyFile, CostlyKeyFile,
    WrongPasswordOrDamaged, and what else `read` raises.
    """
    derivation, cipher = _read_scheme(algorithm)
    for form in password.encodings():
        password.budget.charge(derivation.iterations, ordinary=derivation.is_ordinary)
        key = derivation.key(form, octets=cipher.key_octets)
        try:
            return read(cipher.decrypt(body, key))
        except (ValueError, DamagedKeyFile):
            continue
    raise WrongPasswordOrDamaged


def _read_scheme(algorithm: der.Node) -> tuple[_Derivation, _Cipher]:
    fields = algorithm.fields()
    oid = fields.take().oid()
    if oid != dstu_oids.PBES2:
        raise UnsupportedKeyFile(what=f"encryption {oid}")
    scheme = fields.take(der.SEQUENCE).fields()
    fields.finish()
    derivation_node, cipher_node = scheme.take(der.SEQUENCE), scheme.take(der.SEQUENCE)
    scheme.finish()
    cipher = _read_cipher(cipher_node)
    return _read_derivation(derivation_node, cipher), cipher


def _read_derivation(node: der.Node, cipher: _Cipher) -> _Derivation:
    fields = node.fields()
    oid = fields.take().oid()
    if oid != dstu_oids.PBKDF2:
        raise UnsupportedKeyFile(what=f"key derivation {oid}")
    parameters = fields.take(der.SEQUENCE).fields()
    salt = parameters.take().octets()
    iterations = parameters.take().integer()
    length = parameters.optional(der.INTEGER)
    prf_node = parameters.optional(der.SEQUENCE)
    parameters.finish()
    prf = prf_node.fields().take().oid() if prf_node is not None else dstu_oids.HMAC_SHA1
    if prf not in _SHA and prf not in _KUPYNA_CODES and prf != dstu_oids.HMAC_GOST34311:
        raise UnsupportedKeyFile(what=f"key derivation with {prf}")
    if iterations < 1 or not 0 < len(salt) <= _MAX_SALT:
        raise node.error("impossible parameters of the key derivation")
    if length is not None and length.integer() != cipher.key_octets:
        raise length.error("key length does not fit the cipher")
    return _Derivation(prf=prf, salt=salt, iterations=iterations)


def _read_cipher(node: der.Node) -> _Cipher:
    fields = node.fields()
    oid = fields.take().oid()
    parameters = fields.take()
    if oid == dstu_oids.GOST28147_CFB:
        return _gost_cipher(parameters)
    if oid == dstu_oids.KALYNA_256_CBC:
        return _kalyna_cipher(parameters)
    if oid in _AES_KEY_OCTETS:
        return _aes_cipher(parameters, key_octets=_AES_KEY_OCTETS[oid])
    raise UnsupportedKeyFile(what=f"cipher {oid}")


def _gost_cipher(parameters: der.Node) -> _Cipher:
    fields = parameters.fields()
    iv = fields.take().octets()
    sbox_node = fields.optional(der.OCTET_STRING)
    sbox = sbox_node.octets() if sbox_node is not None else gost28147.DKE_1
    if len(iv) != gost28147.BLOCK or len(sbox) != gost28147.SBOX_OCTETS:
        raise parameters.error("impossible parameters of the cipher")
    return _Cipher(
        gost28147.KEY_OCTETS,
        lambda body, key: gost28147.cfb_decrypt(body, key, iv=iv, sbox=sbox),
    )


def _kalyna_cipher(parameters: der.Node) -> _Cipher:
    iv = parameters.fields().take().octets()
    if len(iv) != kalyna.BLOCK:
        raise parameters.error("impossible parameters of the cipher")
    return _Cipher(kalyna.KEY_OCTETS, lambda body, key: kalyna.cbc_decrypt(body, key, iv=iv))


def _aes_cipher(parameters: der.Node, *, key_octets: int) -> _Cipher:
    iv = parameters.octets()
    if len(iv) != algorithms.AES.block_size // 8:
        raise parameters.error("impossible parameters of the cipher")

    def decrypt_aes(body: bytes, key: bytes) -> bytes:
        decryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
        unpadder = PKCS7(algorithms.AES.block_size).unpadder()
        padded = decryptor.update(body) + decryptor.finalize()
        return unpadder.update(padded) + unpadder.finalize()

    return _Cipher(key_octets, decrypt_aes)
