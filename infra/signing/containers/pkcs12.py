"""PKCS#12: .pfx, .p12, .zs2 of ЦСК «Україна», sometimes a file named Key-6.dat.

1. Keys stand in shrouded bags (PBES2), usually two: signing and key agreement; certificates are
   optional and most often absent. Contents may be encrypted as a whole. Unknown bags are passed over.
2. The MAC proves the password (infra/signing/containers/pkcs12_mac.py).
3. One file uses two forms of one password: two octets a letter with two zeros for the MAC, plain octets
   for PBES2.
"""

import hmac
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12 as foreign_pkcs12

from infra.signing import der, dstu_oids
from infra.signing.containers import pbes2
from infra.signing.containers.container import FoundKey
from infra.signing.containers.errors import (
    DamagedKeyFile,
    ForeignKey,
    NoKeyInside,
    UnsupportedKeyFile,
    WrongPassword,
)
from infra.signing.containers.passwords import Password
from infra.signing.containers.pkcs8 import open_encrypted, read_keys
from infra.signing.containers.pkcs12_mac import MAC_ALGORITHMS

_MAX_BAGS: Final = 64
_MAX_NESTING: Final = 4
_MAX_SALT: Final = 1024


@dataclass(slots=True)
class _Found:
    keys: list[FoundKey] = field(default_factory=list)
    certificates: list[bytes] = field(default_factory=list)
    foreign: ForeignKey | None = None
    unsupported: UnsupportedKeyFile | None = None
    bags: int = 0


def open_pkcs12(data: bytes, password: Password) -> tuple[list[FoundKey], list[bytes]]:
    """The keys and certificates of a file.

    Raises: der.DerError, DamagedKeyFile, UnsupportedKeyFile, CostlyKeyFile, WrongPassword,
    WrongPasswordOrDamaged (a file without MAC), ForeignKey, NoKeyInside.
    """
    fields = der.parse(data).fields()
    fields.take().integer()
    safe_type, safe = _content_info(fields.take(der.SEQUENCE))
    mac = fields.optional(der.SEQUENCE)
    fields.finish()
    if safe_type != dstu_oids.DATA or safe is None:
        raise UnsupportedKeyFile(what="PKCS#12 protected by a public key")
    contents = safe.octets()
    if mac is not None:
        _check_mac(mac, contents, password)
    found = _Found()
    for node in der.parse(contents).expect(der.SEQUENCE).children():
        _read_content(node, password, found)
    if not found.keys:
        _refuse(data, password, found)
    return found.keys, found.certificates


def _refuse(data: bytes, password: Password, found: _Found) -> None:
    """Say why there is no key of ours."""
    if found.foreign is not None:
        raise found.foreign
    if found.unsupported is not None:
        # Older encryptions belong to keys of other countries; name the key if it can be read.
        raise _foreign_key(data, password) or found.unsupported
    raise NoKeyInside


def _foreign_key(data: bytes, password: Password) -> ForeignKey | None:
    try:
        key, _, _ = foreign_pkcs12.load_key_and_certificates(data, password.text.encode())
    except (ValueError, TypeError):
        return None
    if isinstance(key, rsa.RSAPrivateKey):
        return ForeignKey(algorithm="RSA")
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return ForeignKey(algorithm="ECDSA")
    return None


def _content_info(node: der.Node) -> tuple[str, der.Node | None]:
    fields = node.fields()
    oid = fields.take().oid()
    explicit = fields.optional(der.context(0))
    return oid, explicit.only_child() if explicit is not None else None


# --- the MAC ------------------------------------------------------------------------------------------


def _check_mac(node: der.Node, contents: bytes, password: Password) -> None:
    fields = node.fields()
    digest_info = fields.take(der.SEQUENCE).fields()
    oid = digest_info.take(der.SEQUENCE).fields().take().oid()
    expected = digest_info.take().octets()
    salt = fields.take().octets()
    iterations_node = fields.optional(der.INTEGER)
    iterations = iterations_node.integer() if iterations_node is not None else 1
    algorithm = MAC_ALGORITHMS.get(oid)
    if algorithm is None:
        raise UnsupportedKeyFile(what=f"check with {oid} in PKCS#12")
    if iterations < 1 or not 0 < len(salt) <= _MAX_SALT:
        raise DamagedKeyFile(what="impossible parameters of the key derivation")
    for form in password.pkcs12_encodings():
        password.budget.charge(iterations, ordinary=algorithm.is_ordinary)
        computed = algorithm.compute(contents, form, salt=salt, iterations=iterations)
        if hmac.compare_digest(computed, expected):
            return
    raise WrongPassword


# --- the contents -------------------------------------------------------------------------------------


def _read_content(node: der.Node, password: Password, found: _Found) -> None:
    oid, content = _content_info(node)
    if content is None:
        return
    if oid == dstu_oids.DATA:
        _read_bags(content.octets(), password, found, nesting=0)
    elif oid == dstu_oids.ENCRYPTED_DATA:
        _read_encrypted_content(content, password, found)
    else:
        found.unsupported = UnsupportedKeyFile(what=f"content {oid} in PKCS#12")


def _read_encrypted_content(content: der.Node, password: Password, found: _Found) -> None:
    fields = content.fields()
    fields.take().integer()
    encrypted = fields.take(der.SEQUENCE).fields()
    encrypted.take().oid()
    algorithm = encrypted.take(der.SEQUENCE)
    body = encrypted.take()
    if body.tag == der.context(0):
        # An implicit octet string in pieces.
        octets = b"".join(piece.octets() for piece in body.children())
    else:
        octets = body.expect(der.context_primitive(0)).content
    try:
        plain = pbes2.decrypt(algorithm, octets, password, read=lambda text: der.parse(text).raw)
    except UnsupportedKeyFile as error:
        found.unsupported = error
        return
    _read_bags(plain, password, found, nesting=0)


def _read_bags(data: bytes, password: Password, found: _Found, *, nesting: int) -> None:
    if nesting > _MAX_NESTING:
        raise DamagedKeyFile(what="nested too deeply")
    for node in der.parse(data).expect(der.SEQUENCE).children():
        found.bags += 1
        if found.bags > _MAX_BAGS:
            raise DamagedKeyFile(what="number of bags")
        _read_bag(node, password, found, nesting=nesting)


def _read_bag(node: der.Node, password: Password, found: _Found, *, nesting: int) -> None:
    fields = node.fields()
    oid = fields.take().oid()
    value = fields.take(der.context(0)).only_child()
    name = _friendly_name(fields.optional(der.SET))
    if oid == dstu_oids.SAFE_CONTENTS_BAG:
        _read_bags(value.raw, password, found, nesting=nesting + 1)
    elif oid == dstu_oids.CERTIFICATE_BAG:
        certificate = value.fields()
        if certificate.take().oid() == dstu_oids.X509_CERTIFICATE:
            found.certificates.append(certificate.take(der.context(0)).only_child().octets())
    elif oid in (dstu_oids.KEY_BAG, dstu_oids.SHROUDED_KEY_BAG):
        try:
            if oid == dstu_oids.KEY_BAG:
                found.keys += read_keys(value.raw, name=name)
            else:
                found.keys += open_encrypted(value.raw, password, name=name)
        except ForeignKey as error:
            found.foreign = error
        except UnsupportedKeyFile as error:
            found.unsupported = error


def _friendly_name(attributes: der.Node | None) -> str | None:
    for attribute in attributes.children() if attributes is not None else ():
        fields = attribute.fields()
        if fields.take().oid() == dstu_oids.FRIENDLY_NAME:
            values = fields.take(der.SET).children()
            return values[0].text() if values else None
    return None
