"""Java key stores, as PrivatBank gives them (.jks).

1. Big-endian: magic FEEDFEED, version, number of entries; at the end SHA-1 of the password (UTF-16BE),
   the words "Mighty Aphrodite" and all octets before.
2. A key entry holds an EncryptedPrivateKeyInfo in Sun's own protection and a chain of certificates. A
   chain of PrivatBank begins with the key-agreement certificate, not with the signing one.
3. Protection: salt(20) ‖ text ⊕ keystream ‖ SHA-1(password ‖ text), keystream of SHA-1 chained from the
   salt.

SHA-1 here is the format, not a choice: it proves the password and hides nothing from who has it.

Source: sun.security.provider.JavaKeyStore and KeyProtector of OpenJDK.
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Final

from infra.signing import der, dstu_oids
from infra.signing.containers.container import FoundKey
from infra.signing.containers.errors import (
    DamagedKeyFile,
    ForeignKey,
    NoKeyInside,
    TrailingBytes,
    UnsupportedKeyFile,
    WrongPassword,
)
from infra.signing.containers.passwords import Password
from infra.signing.containers.pkcs8 import read_keys

_MAGIC: Final = 0xFEEDFEED
_SHA1_OCTETS: Final = 20
_WHITENER: Final = b"Mighty Aphrodite"
_MAX_ENTRIES: Final = 64
_MAX_CHAIN: Final = 32
_KEY_ENTRY: Final = 1
_CERTIFICATE_ENTRY: Final = 2


@dataclass(slots=True)
class _Store:
    keys: list[tuple[str, bytes]] = field(default_factory=list)
    certificates: list[bytes] = field(default_factory=list)


class _Reader:
    """Big-endian values one after another. Raises: DamagedKeyFile at the end of the data."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.position = 0

    def octets(self, count: int) -> bytes:
        end = self.position + count
        if end > len(self._data):
            raise DamagedKeyFile(what="it ends too early")
        found = self._data[self.position : end]
        self.position = end
        return found

    def number(self, octets: int = 4) -> int:
        return int.from_bytes(self.octets(octets), "big")

    def text(self) -> str:
        return self.octets(self.number(2)).decode("utf-8", "replace")


def open_jks(data: bytes, password: Password) -> tuple[list[FoundKey], list[bytes]]:
    """The keys and all certificates of a store.

    A key whose own check holds proves the password even where the store's check fails: then the
    store was damaged elsewhere. Raises: DamagedKeyFile, TrailingBytes, UnsupportedKeyFile,
    WrongPassword, ForeignKey, NoKeyInside.
    """
    store = _read(data)
    if not store.keys:
        raise NoKeyInside
    secret = password.java_encoding()
    expected = hashlib.sha1(
        secret + _WHITENER + data[:-_SHA1_OCTETS], usedforsecurity=False
    ).digest()
    is_intact = hmac.compare_digest(expected, data[-_SHA1_OCTETS:])
    texts = [(alias, _unprotect(protected, secret)) for alias, protected in store.keys]
    if not is_intact:
        raise DamagedKeyFile(what="checksum of the store")
    return _read_entries(texts), store.certificates


def _read_entries(texts: list[tuple[str, bytes]]) -> list[FoundKey]:
    """Keys of other algorithms are passed over as long as one is ours."""
    keys: list[FoundKey] = []
    foreign: ForeignKey | None = None
    for alias, text in texts:
        try:
            keys += read_keys(text, name=alias)
        except ForeignKey as error:
            foreign = error
    if not keys and foreign is not None:
        raise foreign
    return keys


def _read(data: bytes) -> _Store:
    reader = _Reader(data)
    if reader.number() != _MAGIC:
        raise DamagedKeyFile(what="magic number")
    version = reader.number()
    if version not in (1, 2):
        raise UnsupportedKeyFile(what=f"version {version} of a Java key store")
    count = reader.number()
    if count > _MAX_ENTRIES:
        raise DamagedKeyFile(what="number of entries")
    store = _Store()
    for _ in range(count):
        _read_entry(reader, store, has_types=version == 2)
    remaining = len(data) - reader.position
    if remaining < _SHA1_OCTETS:
        raise DamagedKeyFile(what="it ends too early")
    if remaining > _SHA1_OCTETS:
        raise TrailingBytes(octets=remaining - _SHA1_OCTETS)
    return store


def _read_entry(reader: _Reader, store: _Store, *, has_types: bool) -> None:
    kind = reader.number()
    alias = reader.text()
    reader.octets(8)  # time of creation
    if kind == _KEY_ENTRY:
        store.keys.append((alias, reader.octets(reader.number())))
        chain = reader.number()
    elif kind == _CERTIFICATE_ENTRY:
        chain = 1
    else:
        raise UnsupportedKeyFile(what=f"entry of type {kind} in a Java key store")
    if chain > _MAX_CHAIN:
        raise DamagedKeyFile(what="length of a certificate chain")
    for _ in range(chain):
        if has_types:
            reader.text()
        store.certificates.append(reader.octets(reader.number()))


def _unprotect(protected: bytes, secret: bytes) -> bytes:
    """The key's text. Raises: WrongPassword, DamagedKeyFile, UnsupportedKeyFile."""
    try:
        fields = der.parse(protected).fields()
        algorithm = fields.take(der.SEQUENCE).fields().take().oid()
        body = fields.take().octets()
    except der.DerError as error:
        raise DamagedKeyFile(what=error.reason) from error
    if algorithm != dstu_oids.JKS_PROTECTION:
        raise UnsupportedKeyFile(what=f"protection {algorithm} in a Java key store")
    if len(body) < 2 * _SHA1_OCTETS:
        raise DamagedKeyFile(what="a key entry is too short")
    salt, hidden = body[:_SHA1_OCTETS], body[_SHA1_OCTETS:-_SHA1_OCTETS]
    stream = b""
    while len(stream) < len(hidden):
        salt = hashlib.sha1(secret + salt, usedforsecurity=False).digest()
        stream += salt
    text = bytes(left ^ right for left, right in zip(hidden, stream, strict=False))
    check = hashlib.sha1(secret + text, usedforsecurity=False).digest()
    if not hmac.compare_digest(check, body[-_SHA1_OCTETS:]):
        raise WrongPassword
    return text
