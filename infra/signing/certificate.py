"""X.509 certificates as Ukrainian providers really issue them.

Read leniently, extension by extension: an extension that cannot be read counts as absent, its raw
bytes stay available, and only a structure that leaves no certificate at all is refused. Judging
(validity, usage, who signed it) is the caller's; the chain is in ``infra.signing.trust``.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final, TypeVar

from infra.signing import der
from infra.signing.errors import Reason, SignatureInvalid
from infra.signing.suites import SUITES, SuiteRegistry

COMMON_NAME: Final = "2.5.4.3"
SURNAME: Final = "2.5.4.4"
SERIAL_NUMBER: Final = "2.5.4.5"
COUNTRY: Final = "2.5.4.6"
ORGANIZATION: Final = "2.5.4.10"
TITLE: Final = "2.5.4.12"
GIVEN_NAME: Final = "2.5.4.42"
ORGANIZATION_IDENTIFIER: Final = "2.5.4.97"

SUBJECT_DIRECTORY_ATTRIBUTES: Final = "2.5.29.9"
SUBJECT_KEY_IDENTIFIER: Final = "2.5.29.14"
KEY_USAGE: Final = "2.5.29.15"
BASIC_CONSTRAINTS: Final = "2.5.29.19"
CERTIFICATE_POLICIES: Final = "2.5.29.32"
AUTHORITY_KEY_IDENTIFIER: Final = "2.5.29.35"
EXTENDED_KEY_USAGE: Final = "2.5.29.37"
QC_STATEMENTS: Final = "1.3.6.1.5.5.7.1.3"

PERSONAL_CODE: Final = "1.2.804.2.1.1.1.11.1.4.1.1"
"""DRFO: the personal tax number РНОКПП, or the number of a passport that stands in for it."""
COMPANY_CODE: Final = "1.2.804.2.1.1.1.11.1.4.2.1"
"""EDRPOU: the code of a legal entity; of a sole proprietor, again the personal number."""

EKU_TIME_STAMPING: Final = "1.3.6.1.5.5.7.3.8"

# Bit numbers of keyUsage (RFC 5280, 4.2.1.3).
DIGITAL_SIGNATURE: Final = 0
NON_REPUDIATION: Final = 1
KEY_CERT_SIGN: Final = 5

_PERSON_IN_SERIAL: Final = re.compile(r"TINUA-(\S+)")
_COMPANY_IN_IDENTIFIER: Final = re.compile(r"NTRUA-(\S+)")

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Name:
    """A distinguished name: its bytes as they stand in the certificate, and what they say."""

    raw: bytes
    attributes: tuple[tuple[str, str], ...]

    def get(self, oid: str) -> str | None:
        """The first value of an attribute type, None if the name has none."""
        return next((value for kind, value in self.attributes if kind == oid), None)

    @property
    def common_name(self) -> str | None:
        """The name people know the holder by."""
        return self.get(COMMON_NAME)

    @property
    def organization(self) -> str | None:
        """The organisation the holder acts for."""
        return self.get(ORGANIZATION)


@dataclass(frozen=True, slots=True)
class Extension:
    """One extension, unread: ``value`` is what its OCTET STRING holds."""

    oid: str
    critical: bool
    value: bytes


@dataclass(frozen=True, slots=True, eq=False)
class Certificate:
    """What a certificate says. Two are equal when their bytes are.

    ``tbs`` are the bytes its issuer signed, ``spki`` the raw SubjectPublicKeyInfo, ``signature``
    the octets of the signature BIT STRING. ``personal_code`` is the РНОКПП (or what stands in for
    it), ``company_code`` the ЄДРПОУ; either may be absent. ``key_usage`` and
    ``extended_key_usage`` are None when the extension is absent: then the key is not restricted.
    """

    raw: bytes
    tbs: bytes
    serial: int
    serial_raw: bytes
    issuer: Name
    subject: Name
    not_before: datetime
    not_after: datetime
    spki: bytes
    key_oid: str
    signature_oid: str
    signature: bytes
    extensions: tuple[Extension, ...]
    subject_key_id: bytes | None
    authority_key_id: bytes | None
    key_usage: frozenset[int] | None
    extended_key_usage: frozenset[str] | None
    is_authority: bool
    personal_code: str | None
    company_code: str | None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Certificate) and self.raw == other.raw

    def __hash__(self) -> int:
        return hash(self.raw)

    @property
    def subject_key_id_hex(self) -> str | None:
        """The subject key identifier as the tax service writes it: hexadecimal digits."""
        return self.subject_key_id.hex() if self.subject_key_id is not None else None

    @property
    def is_self_issued(self) -> bool:
        """Whether subject and issuer are the same name."""
        return self.subject.raw == self.issuer.raw

    @property
    def may_sign(self) -> bool:
        """Whether the key is meant for signatures of documents (RFC 5280, 4.2.1.3)."""
        usage = self.key_usage
        return usage is None or DIGITAL_SIGNATURE in usage or NON_REPUDIATION in usage

    def check_validity(self, at: datetime) -> None:
        """Refuse a moment outside the validity period. Raises: SignatureInvalid."""
        if at < self.not_before:
            raise SignatureInvalid(Reason.NOT_YET_VALID, f"valid from {self.not_before:%F %T}Z")
        if at > self.not_after:
            raise SignatureInvalid(Reason.EXPIRED, f"valid until {self.not_after:%F %T}Z")

    def verify_signed_by(self, issuer: "Certificate", *, suites: SuiteRegistry = SUITES) -> bool:
        """Whether ``issuer`` bears the issuer's name and its key made the signature.

        Raises: UnknownAlgorithm when no suite knows the signature algorithm.
        """
        suite = suites.by_signature(self.signature_oid)
        if self.issuer.raw != issuer.subject.raw or issuer.key_oid not in suite.key_oids:
            return False
        try:
            signature = suite.certificate_signature(self.signature)
        except ValueError:
            return False
        return suite.verify(issuer.spki, suite.digest(self.tbs), signature)


@lru_cache(maxsize=2048)
def parse_certificate(data: bytes) -> Certificate:
    """Read a DER certificate; the same bytes are read once.

    Raises: SignatureInvalid with ``Reason.CERTIFICATE_MALFORMED``.
    """
    try:
        return _parse(data)
    except der.DerError as error:
        raise SignatureInvalid(Reason.CERTIFICATE_MALFORMED, str(error)) from error


def _parse(data: bytes) -> Certificate:
    outer = der.parse(data).fields()
    tbs = outer.take(der.SEQUENCE)
    algorithm = outer.take(der.SEQUENCE)
    signature = outer.take(der.BIT_STRING).bit_string()
    outer.finish()

    fields = tbs.fields()
    fields.optional(der.context(0))
    serial = fields.take(der.INTEGER)
    inner_algorithm = fields.take(der.SEQUENCE)
    # Only the identifiers are compared: some issuers repeat the curve's parameters in one place.
    signature_oid = algorithm.fields().take().oid()
    if inner_algorithm.fields().take().oid() != signature_oid:
        raise inner_algorithm.error("two different signature algorithms")
    issuer = _name(fields.take(der.SEQUENCE))
    validity = fields.take(der.SEQUENCE).fields()
    not_before, not_after = validity.take().time(), validity.take().time()
    subject = _name(fields.take(der.SEQUENCE))
    spki = fields.take(der.SEQUENCE)
    extensions: tuple[Extension, ...] = ()
    for node in fields.rest():
        if node.tag == der.context(3):
            extensions = tuple(_extension(item) for item in node.only_child().children())

    by_oid = {extension.oid: extension.value for extension in extensions}
    codes: dict[str, str] = _read_or(
        by_oid.get(SUBJECT_DIRECTORY_ATTRIBUTES), _directory_attributes, {}
    )
    return Certificate(
        raw=data,
        tbs=tbs.raw,
        serial=int.from_bytes(serial.content, "big", signed=True),
        serial_raw=serial.raw,
        issuer=issuer,
        subject=subject,
        not_before=not_before,
        not_after=not_after,
        spki=spki.raw,
        key_oid=spki.fields().take(der.SEQUENCE).fields().take().oid(),
        signature_oid=signature_oid,
        signature=signature,
        extensions=extensions,
        subject_key_id=_read_or(by_oid.get(SUBJECT_KEY_IDENTIFIER), _octets, None),
        authority_key_id=_read_or(by_oid.get(AUTHORITY_KEY_IDENTIFIER), _authority_key_id, None),
        key_usage=_read_or(by_oid.get(KEY_USAGE), _named_bits, None),
        extended_key_usage=_read_or(by_oid.get(EXTENDED_KEY_USAGE), _oids, None),
        is_authority=_read_or(by_oid.get(BASIC_CONSTRAINTS), _is_authority, False),
        personal_code=codes.get(PERSONAL_CODE)
        or _code_in(subject.get(SERIAL_NUMBER), _PERSON_IN_SERIAL),
        company_code=codes.get(COMPANY_CODE)
        or _code_in(subject.get(ORGANIZATION_IDENTIFIER), _COMPANY_IN_IDENTIFIER),
    )


def _name(node: der.Node) -> Name:
    attributes: list[tuple[str, str]] = []
    for relative in node.children():
        for attribute in relative.expect(der.SET).children():
            fields = attribute.fields()
            attributes.append((fields.take().oid(), _text(fields.take())))
    return Name(raw=node.raw, attributes=tuple(attributes))


def _text(node: der.Node) -> str:
    """What a name attribute says; a value that is no character string reads as empty."""
    try:
        return node.text()
    except der.DerError:
        return ""


def _extension(node: der.Node) -> Extension:
    fields = node.fields()
    oid = fields.take().oid()
    critical = fields.optional(der.BOOLEAN)
    return Extension(
        oid=oid,
        critical=critical is not None and critical.content != b"\x00",
        value=fields.take(der.OCTET_STRING).octets(),
    )


def _read_or(value: bytes | None, read: Callable[[der.Node], Value], default: Value) -> Value:
    """An extension's meaning, ``default`` when it is absent or cannot be read."""
    if value is None:
        return default
    try:
        return read(der.parse_prefix(value))
    except der.DerError:
        return default


def _octets(node: der.Node) -> bytes | None:
    return node.octets()


def _named_bits(node: der.Node) -> frozenset[int] | None:
    return node.named_bits()


def _oids(node: der.Node) -> frozenset[str] | None:
    return frozenset(item.oid() for item in node.expect(der.SEQUENCE).children())


def _authority_key_id(node: der.Node) -> bytes | None:
    identifier = node.fields().optional(der.context_primitive(0))
    return identifier.content if identifier is not None else None


def _is_authority(node: der.Node) -> bool:
    flag = node.fields().optional(der.BOOLEAN)
    return flag is not None and flag.content != b"\x00"


def _directory_attributes(node: der.Node) -> dict[str, str]:
    found: dict[str, str] = {}
    for attribute in node.expect(der.SEQUENCE).children():
        fields = attribute.fields()
        oid = fields.take().oid()
        values = fields.take(der.SET).children()
        if values and (text := _text(values[0]).strip()):
            found[oid] = text
    return found


def _code_in(value: str | None, pattern: re.Pattern[str]) -> str | None:
    found = pattern.match(value) if value else None
    return found.group(1) if found else None
