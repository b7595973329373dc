"""Opening a key file of any format."""

from collections.abc import Sequence
from typing import Final

from infra.signing import der
from infra.signing.certificate import Certificate, parse_certificate
from infra.signing.containers.container import FoundKey, KeyContainer, pair
from infra.signing.containers.detect import ContainerFormat, Detected, split
from infra.signing.containers.errors import (
    CertificateUnreadable,
    DamagedKeyFile,
    KeyFileTooLarge,
    NoKeyInside,
)
from infra.signing.containers.iit import open_iit
from infra.signing.containers.jks import open_jks
from infra.signing.containers.passwords import Budget, Password
from infra.signing.containers.pkcs8 import open_encrypted, read_keys
from infra.signing.containers.pkcs12 import open_pkcs12
from infra.signing.errors import SignatureInvalid
from infra.signing.trust import read_certificates

MAX_OCTETS: Final = 1024 * 1024
"""A key store with all its chains has some dozens of kilobytes."""


def open_container(
    data: bytes, password: str, *, certificates: Sequence[bytes] = ()
) -> KeyContainer:
    """The keys of a file, whatever its format, each with its certificate if one is known.

    `certificates` are files given beside the key: DER, PEM or PKCS #7, one or many inside; only those
    of the keys inside matter. The password of a plain key is not looked at.
    Raises: KeyFileError, and nothing else, whatever the data are.
    """
    if len(data) > MAX_OCTETS:
        raise KeyFileTooLarge(octets=len(data), limit=MAX_OCTETS)
    beside = _read_beside(certificates)
    blocks = split(data)
    secret = Password(password, Budget())
    found: list[FoundKey] = []
    inside: list[Certificate] = []
    for block in blocks:
        keys, raw_certificates = _open_block(block, secret)
        found += keys
        inside += _readable(raw_certificates)
    if not found:
        raise NoKeyInside
    return pair(found, [*inside, *beside], container_format=blocks[0].format)


def _read_beside(files: Sequence[bytes]) -> list[Certificate]:
    found: list[Certificate] = []
    for position, data in enumerate(files, 1):
        if len(data) > MAX_OCTETS:
            raise KeyFileTooLarge(octets=len(data), limit=MAX_OCTETS)
        try:
            found += map(parse_certificate, read_certificates(data))
        except SignatureInvalid as error:
            raise CertificateUnreadable(position=position) from error
    return found


def _readable(raw_certificates: Sequence[bytes]) -> list[Certificate]:
    """Those that can be read: a chain may hold anything, and only the key's own is needed."""
    found: list[Certificate] = []
    for raw in raw_certificates:
        try:
            found.append(parse_certificate(raw))
        except SignatureInvalid:
            continue
    return found


def _open_block(block: Detected, password: Password) -> tuple[list[FoundKey], list[bytes]]:
    try:
        if block.format is ContainerFormat.JKS:
            return open_jks(block.data, password)
        if block.format is ContainerFormat.PKCS12:
            return open_pkcs12(block.data, password)
        if block.format is ContainerFormat.IIT:
            return open_iit(block.data, password), []
        if block.format is ContainerFormat.PKCS8_ENCRYPTED:
            return open_encrypted(block.data, password), []
        if block.format is ContainerFormat.PKCS8:
            return read_keys(block.data), []
        return [], read_certificates(block.data)
    except der.DerError as error:
        raise DamagedKeyFile(what=error.reason) from error
    except SignatureInvalid as error:
        raise DamagedKeyFile(what="a certificate inside") from error
