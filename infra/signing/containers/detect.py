"""Which format a key file has, by its content; file names lie (a Key-6.dat may be a PKCS#12)."""

import base64
import binascii
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from infra.signing import der, dstu_oids
from infra.signing.containers import ber
from infra.signing.containers.errors import DamagedKeyFile, TrailingBytes, UnknownKeyFile

_JKS_MAGIC: Final = bytes.fromhex("feedfeed")
_PREFIX_MARK: Final = 0x51
_PREFIX_OCTETS: Final = 6
_PEM: Final = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----\s(.*?)-----END \1-----", re.DOTALL)
_PEM_HEADER: Final = re.compile(rb"\A\s*(?:[A-Za-z-]+: [^\n]*\n)+\s*")


class ContainerFormat(StrEnum):
    """What a key file is."""

    JKS = "jks"
    IIT = "iit"
    PKCS12 = "pkcs12"
    PKCS8_ENCRYPTED = "pkcs8-encrypted"
    PKCS8 = "pkcs8"
    CERTIFICATES = "certificates"


@dataclass(frozen=True, slots=True)
class Detected:
    """A recognised block: its format and its octets, as DER but for JKS."""

    format: ContainerFormat
    data: bytes


def detect(data: bytes) -> ContainerFormat:
    """The format of a key file. Raises: UnknownKeyFile, DamagedKeyFile, TrailingBytes."""
    return split(data)[0].format


def split(data: bytes) -> list[Detected]:
    """The blocks of a file: several in PEM, else one; key blocks before certificates.

    Raises: UnknownKeyFile, DamagedKeyFile, TrailingBytes.
    """
    if data[:4] == _JKS_MAGIC:
        return [Detected(ContainerFormat.JKS, data)]
    if data[:1] == bytes([_PREFIX_MARK]):
        data = data[_PREFIX_OCTETS:]
    if b"-----BEGIN " in data and not data.startswith(b"\x30"):
        blocks = [_recognise(_pem_octets(body)) for _, body in _PEM.findall(data)]
        if not blocks:
            raise DamagedKeyFile(what="PEM without an end")
        return sorted(blocks, key=lambda block: block.format is ContainerFormat.CERTIFICATES)
    return [_recognise(data)]


def _pem_octets(body: bytes) -> bytes:
    try:
        return base64.b64decode(b"".join(_PEM_HEADER.sub(b"", body).split()), validate=True)
    except binascii.Error as error:
        raise DamagedKeyFile(what="PEM is not base64") from error


def _recognise(data: bytes) -> Detected:
    if data[:1] != b"\x30":
        raise UnknownKeyFile
    try:
        data, trailing = ber.to_der(data)
    except der.DerError as error:
        raise DamagedKeyFile(what=error.reason) from error
    if trailing:
        raise TrailingBytes(octets=trailing)
    try:
        found = _format_of(der.parse(data))
    except der.DerError:
        found = None
    if found is None:
        raise UnknownKeyFile
    return Detected(found, data)


_ENCRYPTED: Final = {
    dstu_oids.IIT_CONTAINER: ContainerFormat.IIT,
    dstu_oids.PBES2: ContainerFormat.PKCS8_ENCRYPTED,
}


def _format_of(root: der.Node) -> ContainerFormat | None:
    children = root.children()
    if len(children) < 2:
        return None
    first, second = children[0], children[1]
    if first.tag == der.INTEGER:
        if first.integer() == 3:
            return ContainerFormat.PKCS12
        return ContainerFormat.PKCS8 if second.tag == der.SEQUENCE else None
    if first.tag == der.OBJECT_IDENTIFIER:
        return ContainerFormat.CERTIFICATES if first.oid() == dstu_oids.SIGNED_DATA else None
    inner = first.children()
    if not inner:
        return None
    if inner[0].tag == der.OBJECT_IDENTIFIER and second.tag == der.OCTET_STRING:
        return _ENCRYPTED.get(inner[0].oid(), ContainerFormat.PKCS8_ENCRYPTED)
    # A certificate begins with its version or serial number.
    looks_like_certificate = inner[0].tag in (der.context(0), der.INTEGER)
    return ContainerFormat.CERTIFICATES if looks_like_certificate else None
