"""Which certificates are trusted: chains up to roots that an administrator put in place."""

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Final

from infra.signing import der
from infra.signing.certificate import (
    BASIC_CONSTRAINTS,
    CERTIFICATE_POLICIES,
    EXTENDED_KEY_USAGE,
    KEY_CERT_SIGN,
    KEY_USAGE,
    QC_STATEMENTS,
    Certificate,
    parse_certificate,
)
from infra.signing.errors import Reason, SignatureInvalid
from infra.signing.suites import SUITES, SuiteRegistry

MAX_CHAIN: Final = 6
"""Certificates from the signer's to the root's; Ukrainian chains have three."""

_UNDERSTOOD: Final = frozenset(
    {BASIC_CONSTRAINTS, CERTIFICATE_POLICIES, EXTENDED_KEY_USAGE, KEY_USAGE, QC_STATEMENTS}
)
_PEM: Final = re.compile(
    rb"-----BEGIN (?:CERTIFICATE|PKCS7|CMS)-----(.+?)-----END (?:CERTIFICATE|PKCS7|CMS)-----", re.S
)


class TrustAnchors:
    """Roots, and the certificates of providers between them and signers.

    Safe to share between threads: nothing changes after construction, and links already verified
    are remembered by their bytes.
    """

    def __init__(
        self,
        *,
        roots: Iterable[bytes],
        intermediates: Iterable[bytes] = (),
        suites: SuiteRegistry = SUITES,
    ) -> None:
        self._suites = suites
        self._roots = frozenset(parse_certificate(data) for data in roots)
        self._issuers: dict[bytes, list[Certificate]] = {}
        for issuer in (*self._roots, *map(parse_certificate, intermediates)):
            self._issuers.setdefault(issuer.subject.raw, []).append(issuer)

    @classmethod
    def from_folder(cls, folder: Path, *, suites: SuiteRegistry = SUITES) -> "TrustAnchors":
        """Read all .cer, .crt, .pem and .p7b files of a folder (such as the CA list of the CZO).

        Those issued by themselves become roots, the others stand in between.
        Raises: SignatureInvalid for a file that holds no certificates.
        """
        certificates = [
            data
            for path in sorted(folder.iterdir())
            if path.suffix.lower() in {".cer", ".crt", ".pem", ".p7b"}
            for data in read_certificates(path.read_bytes())
        ]
        roots = [data for data in certificates if parse_certificate(data).is_self_issued]
        return cls(
            roots=roots,
            intermediates=[data for data in certificates if data not in roots],
            suites=suites,
        )

    def check(
        self, certificate: Certificate, *, at: datetime, extra: Sequence[Certificate] = ()
    ) -> tuple[Certificate, ...]:
        """The chain from ``certificate`` to a root, every link verified and valid at ``at``.

        ``extra`` are certificates that came with a message: they may stand in between, they are
        never trusted by themselves.
        Raises: SignatureInvalid (not yet valid, expired, critical extension, untrusted issuer).
        """
        chain = [certificate]
        self._check_one(certificate, at=at)
        while chain[-1] not in self._roots:
            issuer = self._issuer_of(chain[-1], at=at, extra=extra, depth=len(chain))
            if issuer is None or len(chain) == MAX_CHAIN:
                raise SignatureInvalid(
                    Reason.UNTRUSTED_ISSUER,
                    f"no trusted path from certificate {certificate.serial:x}",
                )
            chain.append(issuer)
        return tuple(chain)

    def _check_one(self, certificate: Certificate, *, at: datetime) -> None:
        certificate.check_validity(at)
        for extension in certificate.extensions:
            if extension.critical and extension.oid not in _UNDERSTOOD:
                raise SignatureInvalid(Reason.CRITICAL_EXTENSION, extension.oid)

    def _issuer_of(
        self, certificate: Certificate, *, at: datetime, extra: Sequence[Certificate], depth: int
    ) -> Certificate | None:
        """The certificate that signed this one and may do so at ``at``; roots come first."""
        candidates = self._issuers.get(certificate.issuer.raw, [])
        for issuer in (*candidates, *extra):
            if issuer == certificate or not _may_issue(issuer, certificate):
                continue
            if _is_link(certificate, issuer, self._suites):
                self._check_one(issuer, at=at)
                return issuer
        return None


def _may_issue(issuer: Certificate, certificate: Certificate) -> bool:
    """Whether usage and key identifiers allow the link; cheap, before any signature is verified."""
    if issuer.subject.raw != certificate.issuer.raw or not issuer.is_authority:
        return False
    if issuer.key_usage is not None and KEY_CERT_SIGN not in issuer.key_usage:
        return False
    wanted, has = certificate.authority_key_id, issuer.subject_key_id
    return wanted is None or has is None or wanted == has


@lru_cache(maxsize=4096)
def _is_link(certificate: Certificate, issuer: Certificate, suites: SuiteRegistry) -> bool:
    return certificate.verify_signed_by(issuer, suites=suites)


def read_certificates(data: bytes) -> list[bytes]:
    """The DER certificates of a file: one in DER, any number in PEM, or a PKCS #7 bundle of them.

    Raises: SignatureInvalid (certificate malformed) when there is none.
    """
    try:
        blocks = [base64.b64decode(block, validate=False) for block in _PEM.findall(data)] or [data]
        found = [certificate for block in blocks for certificate in _certificates_of(block)]
    except (der.DerError, binascii.Error) as error:
        raise SignatureInvalid(Reason.CERTIFICATE_MALFORMED, str(error)) from error
    for certificate in found:
        parse_certificate(certificate)
    if not found:
        raise SignatureInvalid(Reason.CERTIFICATE_MALFORMED, "no certificate inside")
    return found


def _certificates_of(block: bytes) -> list[bytes]:
    node = der.parse(block)
    fields = node.fields()
    if fields.optional(der.OBJECT_IDENTIFIER) is None:
        return [node.raw]
    for part in fields.take(der.context(0)).only_child().expect(der.SEQUENCE).children():
        if part.tag == der.context(0):
            return [item.raw for item in part.children() if item.tag == der.SEQUENCE]
    return []
