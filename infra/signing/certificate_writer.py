"""Writing X.509 certificates for test authorities, as Ukrainian providers lay them out.

Our own writer, because general ones hold names to 64 octets, half of what a real name takes in
Cyrillic, and know no identifiers but those of their own list.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from infra.signing import der
from infra.signing.certificate import (
    AUTHORITY_KEY_IDENTIFIER,
    BASIC_CONSTRAINTS,
    COUNTRY,
    EXTENDED_KEY_USAGE,
    KEY_USAGE,
    SUBJECT_DIRECTORY_ATTRIBUTES,
    SUBJECT_KEY_IDENTIFIER,
)
from infra.signing.suites import Suite


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateDraft:
    """What a certificate is to say: names and SubjectPublicKeyInfo in DER, extensions written."""

    serial: int
    subject: bytes
    issuer: bytes
    spki: bytes
    not_before: datetime
    not_after: datetime
    extensions: tuple[bytes, ...]


def write_certificate(
    draft: CertificateDraft, *, suite: Suite, sign_digest: Callable[[bytes], bytes]
) -> bytes:
    """The DER certificate, signed; for suites whose certificates hold the bare signature value."""
    algorithm = der.sequence(der.oid(suite.signature_oid))
    tbs = der.sequence(
        der.explicit(0, der.integer(2)),
        der.integer(draft.serial),
        algorithm,
        draft.issuer,
        der.sequence(der.time(draft.not_before), der.time(draft.not_after)),
        draft.subject,
        draft.spki,
        der.explicit(3, der.sequence(*draft.extensions)),
    )
    return der.sequence(tbs, algorithm, der.bit_string(sign_digest(suite.digest(tbs))))


def name(attributes: Iterable[tuple[str, str | None]]) -> bytes:
    """A distinguished name of attribute types and values in this order; None leaves one out."""
    return der.sequence(
        *(
            der.encode(der.SET, der.sequence(der.oid(oid), _name_value(oid, value)))
            for oid, value in attributes
            if value is not None
        )
    )


def _name_value(oid: str, value: str) -> bytes:
    # RFC 5280 wants the country's two letters as a PrintableString.
    return der.printable_string(value) if oid == COUNTRY else der.utf8_string(value)


def key_identifier(value: bytes) -> bytes:
    """The extension that names the certificate's own key."""
    return _extension(SUBJECT_KEY_IDENTIFIER, der.octet_string(value))


def issuer_key_identifier(value: bytes) -> bytes:
    """The extension that names the issuer's key."""
    identifier = der.encode(der.context_primitive(0), value)
    return _extension(AUTHORITY_KEY_IDENTIFIER, der.sequence(identifier))


def basic_constraints(*, is_authority: bool) -> bytes:
    """The extension that lets a certificate issue others, or not."""
    content = der.boolean(True) if is_authority else b""
    return _extension(BASIC_CONSTRAINTS, der.sequence(content), critical=True)


def key_usage(*bits: int) -> bytes:
    """The extension with these flags of the first octet (RFC 5280, 4.2.1.3)."""
    octet = sum(0x80 >> bit for bit in bits)
    value = der.encode(der.BIT_STRING, bytes((7 - max(bits), octet)))
    return _extension(KEY_USAGE, value, critical=True)


def extended_key_usage(*oids: str) -> bytes:
    """The extension that narrows a key to these purposes."""
    return _extension(EXTENDED_KEY_USAGE, der.sequence(*map(der.oid, oids)), critical=True)


def directory_attributes(codes: Mapping[str, str | None]) -> bytes:
    """The extension with the holder's codes by their identifiers; None leaves one out."""
    attributes = [
        der.sequence(der.oid(oid), der.encode(der.SET, der.printable_string(code)))
        for oid, code in codes.items()
        if code is not None
    ]
    return _extension(SUBJECT_DIRECTORY_ATTRIBUTES, der.sequence(*attributes))


def _extension(oid: str, value: bytes, *, critical: bool = False) -> bytes:
    flag = der.boolean(True) if critical else b""
    return der.sequence(der.oid(oid), flag, der.octet_string(value))
