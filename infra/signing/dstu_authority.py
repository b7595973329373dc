"""A test authority with real DSTU keys: it issues certificates as Ukrainian providers lay them out.

For the simulator's authority and for tests. Nothing trusts it but who is told to: its name says that
it is for tests, and its keys are made here and now.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final

from infra.signing import certificate as x509
from infra.signing import certificate_writer as writer
from infra.signing import der, dstu4145
from infra.signing.certificate import Certificate, parse_certificate
from infra.signing.curves import M257, Curve
from infra.signing.dstu4145 import PrivateKey, PublicKey
from infra.signing.dstu_suites import DSTU_GOST
from infra.signing.key_parameters import key_id_octets, write_public_key
from infra.signing.suite import Suite

_KEY_AGREEMENT: Final = 4  # bit of keyUsage (RFC 5280, 4.2.1.3)


class CertificatePurpose(Enum):
    """What a certificate allows: bits of keyUsage, and an extended usage or none."""

    AUTHORITY = ((x509.KEY_CERT_SIGN,), None)
    SIGNING = ((x509.DIGITAL_SIGNATURE, x509.NON_REPUDIATION), None)
    AGREEMENT = ((_KEY_AGREEMENT,), None)
    TIMESTAMPS = ((x509.DIGITAL_SIGNATURE, x509.NON_REPUDIATION), x509.EKU_TIME_STAMPING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whom a certificate is issued to.

    ``personal_code`` is the РНОКПП, ``company_code`` the ЄДРПОУ (of a sole proprietor again the
    РНОКПП); a company's seal has the second only.
    """

    common_name: str
    organization: str | None = None
    personal_code: str | None = None
    company_code: str | None = None


class DstuAuthority:
    """A root key with its certificate; ``suite`` says which hash its certificates are signed with."""

    def __init__(self, *, key: PrivateKey, certificate: Certificate, suite: Suite) -> None:
        self._key = key
        self._suite = suite
        self.certificate = certificate

    @classmethod
    def create(
        cls,
        *,
        not_before: datetime,
        not_after: datetime,
        common_name: str = "Тестовий надавач (не для роботи)",
        suite: Suite = DSTU_GOST,
        curve: Curve = M257,
    ) -> "DstuAuthority":
        """A new authority with a new key."""
        key = PrivateKey.generate(curve)
        subject = _name(Subject(common_name=common_name, organization="Fiscal Ledger"))
        raw = _issue(
            key.public,
            subject=subject,
            purpose=CertificatePurpose.AUTHORITY,
            codes={},
            validity=(not_before, not_after),
            issuer_name=subject,
            issuer_key=key,
            suite=suite,
        )
        return cls(key=key, certificate=parse_certificate(raw), suite=suite)

    def issue(
        self,
        key: PublicKey,
        subject: Subject,
        *,
        not_before: datetime,
        not_after: datetime,
        purpose: CertificatePurpose = CertificatePurpose.SIGNING,
    ) -> bytes:
        """A DER certificate of this key for this subject."""
        return _issue(
            key,
            subject=_name(subject),
            purpose=purpose,
            codes={
                x509.PERSONAL_CODE: subject.personal_code,
                x509.COMPANY_CODE: subject.company_code,
            },
            validity=(not_before, not_after),
            issuer_name=self.certificate.subject.raw,
            issuer_key=self._key,
            suite=self._suite,
        )


def _issue(
    key: PublicKey,
    *,
    subject: bytes,
    purpose: CertificatePurpose,
    codes: dict[str, str | None],
    validity: tuple[datetime, datetime],
    issuer_name: bytes,
    issuer_key: PrivateKey,
    suite: Suite,
) -> bytes:
    usage, extended_usage = purpose.value
    extensions = [
        writer.key_identifier(suite.digest(key_id_octets(key))),
        writer.issuer_key_identifier(suite.digest(key_id_octets(issuer_key.public))),
        writer.basic_constraints(is_authority=purpose is CertificatePurpose.AUTHORITY),
        writer.key_usage(*usage),
    ]
    if any(codes.values()):
        extensions.append(writer.directory_attributes(codes))
    if extended_usage is not None:
        extensions.append(writer.extended_key_usage(extended_usage))
    draft = writer.CertificateDraft(
        serial=secrets.randbits(158) | 1 << 158,
        subject=subject,
        issuer=issuer_name,
        spki=write_public_key(key),
        not_before=validity[0],
        not_after=validity[1],
        extensions=tuple(extensions),
    )

    def sign_digest(digest: bytes) -> bytes:
        # In certificates the signature value is wrapped once more.
        return der.octet_string(dstu4145.sign(issuer_key, digest))

    return writer.write_certificate(draft, suite=suite, sign_digest=sign_digest)


def _name(subject: Subject) -> bytes:
    personal, company = subject.personal_code, subject.company_code
    return writer.name(
        [
            (x509.COMMON_NAME, subject.common_name),
            (x509.ORGANIZATION, subject.organization),
            (x509.SERIAL_NUMBER, f"TINUA-{personal}" if personal is not None else None),
            (x509.ORGANIZATION_IDENTIFIER, f"NTRUA-{company}" if company is not None else None),
            (x509.COUNTRY, "UA"),
        ]
    )
