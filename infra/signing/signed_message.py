"""Signed messages taken apart: CMS SignedData as received, not yet judged.

Every raw piece that a signature or a comparison needs is kept as it came. Judging is in
``infra.signing.cms``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from infra.signing import der
from infra.signing.certificate import Certificate, parse_certificate
from infra.signing.errors import Reason, SignatureInvalid

DATA: Final = "1.2.840.113549.1.7.1"
SIGNED_DATA: Final = "1.2.840.113549.1.7.2"
CONTENT_TYPE: Final = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST: Final = "1.2.840.113549.1.9.4"
SIGNING_TIME: Final = "1.2.840.113549.1.9.5"
SIGNING_CERTIFICATE_V2: Final = "1.2.840.113549.1.9.16.2.47"
SIGNATURE_TIMESTAMP: Final = "1.2.840.113549.1.9.16.2.14"
CONTENT_TIMESTAMP: Final = "1.2.840.113549.1.9.16.2.20"


@dataclass(frozen=True, slots=True)
class Attribute:
    """A signed or unsigned attribute: its type and the raw bytes of its values."""

    oid: str
    values: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class SignerInfo:
    """What a message says of one signer.

    ``issuer`` and ``serial`` (raw elements) or ``subject_key_id`` name the certificate.
    ``signed_attributes_raw`` are the received attributes as the SET OF that was hashed.
    """

    version: int
    issuer: bytes | None
    serial: bytes | None
    subject_key_id: bytes | None
    digest_oid: str
    signature_oid: str
    signed_attributes_raw: bytes
    signed_attributes: tuple[Attribute, ...]
    signature: bytes
    unsigned_attributes: tuple[Attribute, ...]

    def signed_value(self, oid: str) -> der.Node | None:
        """The one value of a signed attribute, None when absent. Raises: SignatureInvalid."""
        return _single_value(self.signed_attributes, oid)


@dataclass(frozen=True, slots=True)
class SignedMessage:
    """A signed message as received, not yet judged.

    ``content`` is None when the message came without it; ``certificates`` are raw;
    ``has_revocation_values`` tells of embedded revocation lists or OCSP answers.
    """

    raw: bytes
    version: int
    digest_oids: tuple[str, ...]
    content_type: str
    content: bytes | None
    certificates: tuple[bytes, ...]
    has_revocation_values: bool
    signers: tuple[SignerInfo, ...]

    @property
    def signer(self) -> SignerInfo:
        """The only signer. Raises: SignatureInvalid when there is none or more than one."""
        if not self.signers:
            raise SignatureInvalid(Reason.NO_SIGNER)
        if len(self.signers) > 1:
            raise SignatureInvalid(Reason.SEVERAL_SIGNERS, str(len(self.signers)))
        return self.signers[0]

    @property
    def certificate(self) -> Certificate:
        """The signer's certificate, found among those inside. Raises: SignatureInvalid."""
        return _signer_certificate(self.signer, self.certificates)

    @property
    def signing_time(self) -> datetime | None:
        """The time the signer claims, None when not stated. Raises: SignatureInvalid."""
        value = self.signer.signed_value(SIGNING_TIME)
        try:
            return value.time() if value is not None else None
        except der.DerError as error:
            raise SignatureInvalid(Reason.SIGNED_ATTRIBUTES, str(error)) from error

    @property
    def timestamp_token(self) -> bytes | None:
        """The signature time-stamp, raw and unjudged. Raises: SignatureInvalid if repeated."""
        value = _single_value(self.signer.unsigned_attributes, SIGNATURE_TIMESTAMP)
        return value.raw if value is not None else None

    @property
    def has_content_timestamp(self) -> bool:
        """Whether a content-time-stamp is there, which the tax service forbids."""
        signer = self.signer
        return any(
            attribute.oid == CONTENT_TIMESTAMP
            for attribute in (*signer.signed_attributes, *signer.unsigned_attributes)
        )


def parse(data: bytes) -> SignedMessage:
    """Take a signed message apart without judging it; content may be absent, signers any number.

    Raises: SignatureInvalid with ``Reason.MALFORMED``.
    """
    try:
        return _parse(data)
    except der.DerError as error:
        raise SignatureInvalid(Reason.MALFORMED, str(error)) from error


def _parse(data: bytes) -> SignedMessage:
    content_info = der.parse(data).fields()
    if content_info.take().oid() != SIGNED_DATA:
        raise der.DerError("not a SignedData", offset=0)
    signed_data = content_info.take(der.context(0)).only_child().fields()
    content_info.finish()

    version = signed_data.take().integer()
    digest_oids = tuple(_algorithm(node) for node in signed_data.take(der.SET).children())
    encapsulated = signed_data.take().fields()
    content_type = encapsulated.take().oid()
    explicit = encapsulated.optional(der.context(0))
    encapsulated.finish()
    certificates = signed_data.optional(der.context(0))
    revocations = signed_data.optional(der.context(1))
    signers = tuple(_signer_info(node) for node in signed_data.take(der.SET).children())
    signed_data.finish()
    return SignedMessage(
        raw=data,
        version=version,
        digest_oids=digest_oids,
        content_type=content_type,
        content=explicit.only_child().octets() if explicit is not None else None,
        certificates=tuple(node.expect(der.SEQUENCE).raw for node in certificates.children())
        if certificates is not None
        else (),
        has_revocation_values=revocations is not None,
        signers=signers,
    )


def _algorithm(node: der.Node) -> str:
    """An AlgorithmIdentifier whose parameters are absent or NULL."""
    fields = node.fields()
    oid = fields.take().oid()
    parameters = fields.optional(der.NULL)
    fields.finish()
    if parameters is not None and parameters.content:
        raise parameters.error("malformed NULL")
    return oid


def _signer_info(node: der.Node) -> SignerInfo:
    fields = node.fields()
    version = fields.take().integer()
    issuer, serial, subject_key_id = _signer_identifier(fields.take())
    digest_oid = _algorithm(fields.take())
    signed = fields.optional(der.context(0))
    signature_oid = _algorithm(fields.take())
    signature = fields.take().octets()
    unsigned = fields.optional(der.context(1))
    fields.finish()
    return SignerInfo(
        version=version,
        issuer=issuer,
        serial=serial,
        subject_key_id=subject_key_id,
        digest_oid=digest_oid,
        signature_oid=signature_oid,
        signed_attributes_raw=der.retagged(signed.raw, der.SET) if signed is not None else b"",
        signed_attributes=_attributes(signed),
        signature=signature,
        unsigned_attributes=_attributes(unsigned),
    )


def _signer_identifier(node: der.Node) -> tuple[bytes | None, bytes | None, bytes | None]:
    if node.tag == der.SEQUENCE:
        fields = node.fields()
        issuer, serial = fields.take(der.SEQUENCE), fields.take(der.INTEGER)
        fields.finish()
        return issuer.raw, serial.raw, None
    # RFC 5652 has the key identifier under an implicit tag; the official samples under an
    # explicit one.
    if node.tag == der.context(0):
        return None, None, node.only_child().octets()
    return None, None, node.expect(der.context_primitive(0)).content


def _attributes(owner: der.Node | None) -> tuple[Attribute, ...]:
    if owner is None:
        return ()
    found: list[Attribute] = []
    for node in owner.children():
        fields = node.fields()
        oid = fields.take().oid()
        values = tuple(value.raw for value in fields.take(der.SET).children())
        fields.finish()
        found.append(Attribute(oid, values))
    return tuple(found)


def _single_value(attributes: Sequence[Attribute], oid: str) -> der.Node | None:
    """The value of an attribute that may stand once, with one value."""
    found = [attribute for attribute in attributes if attribute.oid == oid]
    if not found:
        return None
    if len(found) > 1 or len(found[0].values) != 1:
        raise SignatureInvalid(Reason.SIGNED_ATTRIBUTES, f"{oid} is there more than once")
    return der.parse(found[0].values[0])


def _signer_certificate(signer: SignerInfo, certificates: Sequence[bytes]) -> Certificate:
    for data in certificates:
        certificate = parse_certificate(data)
        if signer.issuer is not None:
            if (certificate.issuer.raw, certificate.serial_raw) == (signer.issuer, signer.serial):
                return certificate
        elif certificate.subject_key_id == signer.subject_key_id:
            return certificate
    raise SignatureInvalid(Reason.CERTIFICATE_MISSING, "the signer's certificate is not inside")
