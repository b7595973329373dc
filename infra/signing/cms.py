"""Signed messages: CMS SignedData with the content inside and one signer.

The form is the one the tax service takes (reference: fiscal-server §2, dstu-crypto §5; RFC 5652,
RFC 5035, ETSI EN 319 122-1): signed attributes in DER order, only the signer's certificate, no
parameters in algorithm identifiers. What is read is judged over the received bytes: attributes of
other programs are often unsorted, and re-encoding them would break good signatures.

Not one byte of a message may change unnoticed. Where the signature does not reach (versions,
algorithm lists, signer identifier) reading accepts one spelling only. The exception is unsigned
attributes: a time-stamp there has its own signature, checked by ``infra.signing.timestamp``.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final, Protocol

from infra.signing import der
from infra.signing.certificate import Certificate, parse_certificate
from infra.signing.errors import Reason, SignatureInvalid
from infra.signing.signed_message import (
    CONTENT_TYPE,
    DATA,
    MESSAGE_DIGEST,
    SIGNATURE_TIMESTAMP,
    SIGNED_DATA,
    SIGNING_CERTIFICATE_V2,
    SIGNING_TIME,
    SignedMessage,
    SignerInfo,
    parse,
)
from infra.signing.suites import SHA256_OID, SUITES, Suite, SuiteRegistry
from infra.signing.trust import TrustAnchors

__all__ = ["DATA", "MessageSigner", "SignedMessage", "parse", "sign", "verify", "with_timestamp"]

_V1: Final = der.integer(1)
_V3: Final = der.integer(3)


class MessageSigner(Protocol):
    """A key that signs, with its certificate; the key itself stays behind it."""

    @property
    def certificate(self) -> Certificate:
        """The certificate of the key."""
        ...

    @property
    def suite(self) -> Suite:
        """The hash and signature algorithm the key is used with."""
        ...

    def sign_digest(self, digest: bytes) -> bytes:
        """The signature value over a digest of the suite, as it stands in a SignerInfo."""
        ...


@dataclass(frozen=True, slots=True)
class _Parts:
    """What every message of one key has in common, encoded once."""

    digest_algorithm: bytes
    signature_algorithm: bytes
    signer_identifier: bytes
    certificates: bytes
    signing_certificate: bytes


@lru_cache(maxsize=2048)
def _parts(certificate: Certificate, suite: Suite) -> _Parts:
    digest_algorithm = der.sequence(der.oid(suite.digest_oid))
    issuer, serial = certificate.issuer.raw, certificate.serial_raw
    # DER leaves out a hash algorithm that equals the default of RFC 5035.
    hash_algorithm = b"" if suite.digest_oid == SHA256_OID else digest_algorithm
    issuer_serial = der.sequence(der.sequence(der.explicit(4, issuer)), serial)
    certificate_id = der.sequence(
        hash_algorithm, der.octet_string(suite.digest(certificate.raw)), issuer_serial
    )
    return _Parts(
        digest_algorithm=digest_algorithm,
        signature_algorithm=der.sequence(der.oid(suite.signature_oid)),
        signer_identifier=der.sequence(issuer, serial),
        certificates=der.explicit(0, certificate.raw),
        signing_certificate=_attribute(
            SIGNING_CERTIFICATE_V2, der.sequence(der.sequence(certificate_id))
        ),
    )


def _attribute(oid: str, value: bytes) -> bytes:
    return der.sequence(der.oid(oid), der.encode(der.SET, value))


@lru_cache(maxsize=8)
def _content_type_attribute(content_type: str) -> bytes:
    return _attribute(CONTENT_TYPE, der.oid(content_type))


_MESSAGE_DIGEST_OID: Final = der.oid(MESSAGE_DIGEST)


def sign(
    content: bytes,
    *,
    signer: MessageSigner,
    signing_time: datetime | None = None,
    content_type: str = DATA,
) -> bytes:
    """A signed message with ``content`` inside, in DER.

    One signer, issuer and serial number, the signer's certificate only. ``signing_time`` becomes
    a signed attribute when given; the tax service's own samples have none.
    """
    suite = signer.suite
    parts = _parts(signer.certificate, suite)
    digest = der.encode(der.SET, der.octet_string(suite.digest(content)))
    attributes = [
        _content_type_attribute(content_type),
        der.sequence(_MESSAGE_DIGEST_OID, digest),
        parts.signing_certificate,
    ]
    if signing_time is not None:
        attributes.append(_attribute(SIGNING_TIME, der.time(signing_time)))
    signed_attributes = der.set_of(attributes)
    signature = signer.sign_digest(suite.digest(signed_attributes))
    signer_info = der.sequence(
        _V1,
        parts.signer_identifier,
        parts.digest_algorithm,
        der.retagged(signed_attributes, der.context(0)),
        parts.signature_algorithm,
        der.octet_string(signature),
    )
    signed_data = der.sequence(
        _V1 if content_type == DATA else _V3,
        der.encode(der.SET, parts.digest_algorithm),
        der.sequence(der.oid(content_type), der.explicit(0, der.octet_string(content))),
        parts.certificates,
        der.encode(der.SET, signer_info),
    )
    return der.sequence(der.oid(SIGNED_DATA), der.explicit(0, signed_data))


def with_timestamp(message: bytes, token: bytes) -> bytes:
    """The same message with a signature time-stamp added as an unsigned attribute.

    All other bytes stay as they are, but for the lengths of the elements around. The token is not
    judged here. Raises: SignatureInvalid for a malformed message or token, more than one signer,
    or unsigned attributes already there.
    """
    try:
        der.parse(token).expect(der.SEQUENCE)
        content_info = der.parse(message).fields()
        head = content_info.take(der.OBJECT_IDENTIFIER)
        *before, signer_infos = content_info.take(der.context(0)).only_child().children()
        signers = signer_infos.expect(der.SET).children()
        if len(signers) != 1:
            raise SignatureInvalid(Reason.SEVERAL_SIGNERS if signers else Reason.NO_SIGNER)
        fields = signers[0].expect(der.SEQUENCE).children()
        if fields[-1].tag != der.OCTET_STRING:
            raise SignatureInvalid(Reason.MALFORMED, "unsigned attributes are already there")
    except (der.DerError, ValueError, IndexError) as error:
        if isinstance(error, SignatureInvalid):
            raise
        raise SignatureInvalid(Reason.MALFORMED, str(error)) from error
    unsigned = der.explicit(1, _attribute(SIGNATURE_TIMESTAMP, token))
    signer_info = der.sequence(signers[0].content, unsigned)
    signed_data = der.sequence(*(node.raw for node in before), der.encode(der.SET, signer_info))
    return der.sequence(head.raw, der.explicit(0, signed_data))


def verify(
    message: SignedMessage,
    *,
    trust: TrustAnchors | None,
    at: datetime | None = None,
    content_type: str = DATA,
    suites: SuiteRegistry = SUITES,
) -> Certificate:
    """Judge a signed message and give back the signer's certificate.

    Checked: one signer, content inside and of this type, content type and digest as signed, the
    certificate that was signed with, the signature over the received attributes, key usage, and
    a stated signing time inside the certificate's validity. With ``trust`` also the chain to a
    root, as of the moment ``at``, which is then required; without, the certificate is only proven
    to be the one whose key signed.

    Raises: SignatureInvalid with a reason of ``infra.signing.errors.Reason``.
    """
    if trust is not None and at is None:
        raise ValueError("trust is judged as of a moment: give `at`")
    signer = message.signer
    _check_versions(message, signer)
    suite = suites.by_signature(signer.signature_oid)
    if signer.digest_oid != suite.digest_oid or message.digest_oids != (suite.digest_oid,):
        raise SignatureInvalid(Reason.DIGEST_ALGORITHMS, ", ".join(message.digest_oids))
    if message.content is None:
        raise SignatureInvalid(Reason.CONTENT_MISSING)
    certificate = message.certificate
    if certificate.key_oid not in suite.key_oids:
        raise SignatureInvalid(Reason.KEY_ALGORITHM, certificate.key_oid)
    if not certificate.may_sign:
        raise SignatureInvalid(Reason.KEY_USAGE, "the key is not for signatures")
    _check_content(message, signer, content_type=content_type, suite=suite)
    _check_signing_certificate(signer, certificate, suites=suites)
    digest = suite.digest(signer.signed_attributes_raw)
    if not suite.verify(certificate.spki, digest, signer.signature):
        raise SignatureInvalid(Reason.SIGNATURE, "does not verify under the certificate's key")
    _check_signing_time(message, certificate)
    if trust is not None and at is not None:
        others = [parse_certificate(data) for data in message.certificates]
        trust.check(certificate, at=at, extra=others)
    return certificate


def _check_versions(message: SignedMessage, signer: SignerInfo) -> None:
    """RFC 5652, 5.1 and 5.3; but programs in the field write 1 beside a key identifier."""
    by_serial = signer.issuer is not None
    if signer.version not in ((1,) if by_serial else (1, 3)):
        raise SignatureInvalid(Reason.VERSION, f"signer info {signer.version}")
    if message.content_type != DATA:
        allowed: tuple[int, ...] = (3,)
    else:
        allowed = (1,) if by_serial else (1, 3)
    if message.version not in allowed:
        raise SignatureInvalid(Reason.VERSION, f"signed data {message.version}")


def _check_content(
    message: SignedMessage, signer: SignerInfo, *, content_type: str, suite: Suite
) -> None:
    if message.content_type != content_type:
        raise SignatureInvalid(Reason.CONTENT_TYPE, message.content_type)
    signed_type = _signed_value(signer, CONTENT_TYPE)
    if signed_type.raw != der.oid(content_type):
        raise SignatureInvalid(Reason.CONTENT_TYPE, "signed as another type")
    signed_digest = _signed_value(signer, MESSAGE_DIGEST)
    if message.content is None or signed_digest.raw != der.octet_string(
        suite.digest(message.content)
    ):
        raise SignatureInvalid(Reason.MESSAGE_DIGEST, "the content is not what was signed")


def _signed_value(signer: SignerInfo, oid: str) -> der.Node:
    value = signer.signed_value(oid)
    if value is None:
        raise SignatureInvalid(Reason.SIGNED_ATTRIBUTES, f"{oid} is missing")
    return value


def _check_signing_certificate(
    signer: SignerInfo, certificate: Certificate, *, suites: SuiteRegistry
) -> None:
    """The first certificate identifier of RFC 5035 must be of the certificate at hand."""
    value = _signed_value(signer, SIGNING_CERTIFICATE_V2)
    try:
        identifiers = value.fields().take(der.SEQUENCE).fields()
        identifier = identifiers.take(der.SEQUENCE).fields()
        algorithm = identifier.optional(der.SEQUENCE)
        expected = identifier.take(der.OCTET_STRING).octets()
        digest_oid = algorithm.fields().take().oid() if algorithm is not None else SHA256_OID
    except der.DerError as error:
        raise SignatureInvalid(Reason.SIGNING_CERTIFICATE, str(error)) from error
    if suites.by_digest(digest_oid).digest(certificate.raw) != expected:
        raise SignatureInvalid(Reason.SIGNING_CERTIFICATE, "another certificate was signed with")


def _check_signing_time(message: SignedMessage, certificate: Certificate) -> None:
    moment = message.signing_time
    if moment is not None and not certificate.not_before <= moment <= certificate.not_after:
        raise SignatureInvalid(Reason.SIGNING_TIME, "outside the certificate's validity")
