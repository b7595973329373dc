"""A signer that costs next to nothing, for property tests and benches of everything around it.

Its messages have the real shape and pass the real ``cms.verify``; only the signature value is a
keyed hash under a public key, so anybody could make one. Its suite has identifiers of its own and
is registered when the first signer is made, in tests only.
"""

import hashlib
import hmac
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from domain.ports import KeyDescription, KeyKind
from infra.signing import certificate as x509
from infra.signing import certificate_writer as writer
from infra.signing import cms, der
from infra.signing.certificate import Certificate, parse_certificate
from infra.signing.local_signer import LocalSigner, OpenedKey, describe_certificate
from infra.signing.suites import SHA256_OID, SUITES, Suite

# 2.25 is the arc of UUIDs: free for anybody.
CHEAP_SIGNATURE_OID: Final = "2.25.305419896.1"
CHEAP_KEY_OID: Final = "2.25.305419896.2"

VALID_FROM: Final = datetime(2020, 1, 1, tzinfo=UTC)
VALID_TO: Final = datetime(2049, 12, 31, tzinfo=UTC)


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _cheap_signature(spki: bytes, digest: bytes) -> bytes:
    return hashlib.blake2b(digest, key=_digest(spki), digest_size=32).digest()


def _verify(spki: bytes, digest: bytes, signature: bytes) -> bool:
    return hmac.compare_digest(_cheap_signature(spki, digest), signature)


CHEAP_SUITE: Final = Suite(
    name="cheap",
    digest_oid=SHA256_OID,
    digest=_digest,
    signature_oid=CHEAP_SIGNATURE_OID,
    key_oids=frozenset({CHEAP_KEY_OID}),
    verify=_verify,
)


class CheapKey:
    """A key made from its name alone; the same name is the same key and certificate everywhere."""

    def __init__(self, certificate: Certificate) -> None:
        self.certificate = certificate
        self.suite = CHEAP_SUITE

    def sign_digest(self, digest: bytes) -> bytes:
        return _cheap_signature(self.certificate.spki, digest)


@lru_cache(maxsize=4096)
def cheap_key(
    key_id: str,
    *,
    owner: str = "Тестовий касир",
    personal_code: str = "1234567890",
    company_code: str = "12345678",
    for_timestamps: bool = False,
) -> CheapKey:
    """The cheap key of a name, self-issued."""
    SUITES.register(CHEAP_SUITE)
    public_key = hashlib.sha256(key_id.encode()).digest()
    spki = der.sequence(der.sequence(der.oid(CHEAP_KEY_OID)), der.bit_string(public_key))
    name = writer.name([(x509.COMMON_NAME, owner)])
    codes = {x509.PERSONAL_CODE: personal_code, x509.COMPANY_CODE: company_code}
    stamping = (writer.extended_key_usage(x509.EKU_TIME_STAMPING),) if for_timestamps else ()
    draft = writer.CertificateDraft(
        serial=int.from_bytes(public_key[:16], "big"),
        subject=name,
        issuer=name,
        spki=spki,
        not_before=VALID_FROM,
        not_after=VALID_TO,
        extensions=(
            writer.directory_attributes(codes),
            writer.key_identifier(_digest(spki)),
            writer.key_usage(x509.DIGITAL_SIGNATURE, x509.NON_REPUDIATION),
            *stamping,
        ),
    )
    certificate = writer.write_certificate(
        draft, suite=CHEAP_SUITE, sign_digest=lambda digest: _cheap_signature(spki, digest)
    )
    return CheapKey(parse_certificate(certificate))


class _AnyKey:
    """Every name has a key, opened on demand."""

    def __init__(self, kind: KeyKind) -> None:
        self._kind = kind
        self._opened: dict[str, OpenedKey] = {}

    def open(self, key_id: str) -> OpenedKey:
        opened = self._opened.get(key_id)
        if opened is None:
            signer: cms.MessageSigner = cheap_key(key_id)
            description = describe_certificate(signer.certificate, key_id=key_id, kind=self._kind)
            opened = self._opened[key_id] = OpenedKey(description, signer)
        return opened

    def key_ids(self) -> Sequence[str]:
        return sorted(self._opened)


class CheapSigner:
    """The ``Signer`` port: knows every key, signs in about 20 microseconds.

    ``kind`` is what its keys say of themselves; ``KeyKind.QUALIFIED`` lets live registers be
    tested.
    """

    def __init__(self, *, kind: KeyKind = KeyKind.DEVELOPMENT) -> None:
        SUITES.register(CHEAP_SUITE)
        self._signer = LocalSigner(_AnyKey(kind))

    def sign(self, *, key_id: str, content: bytes) -> bytes:
        return self._signer.sign(key_id=key_id, content=content)

    def describe(self, *, key_id: str) -> KeyDescription:
        return self._signer.describe(key_id=key_id)
