"""Development keys: our own test authority and the keys it issues, kept in a folder.

For trying the product out and for tests. The certificates carry names and codes in the places of
Ukrainian ones, so that everything that reads them is the same; the algorithm is ECDSA P-256, and
every key says of itself that it is a development key: live registers refuse it.
"""

import base64
import contextlib
import hashlib
import os
import re
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from domain.errors import KeyUnknown
from domain.ports import KeyKind
from infra.signing import certificate_writer as writer
from infra.signing.certificate import (
    COMMON_NAME,
    COMPANY_CODE,
    COUNTRY,
    DIGITAL_SIGNATURE,
    EKU_TIME_STAMPING,
    KEY_CERT_SIGN,
    NON_REPUDIATION,
    ORGANIZATION,
    ORGANIZATION_IDENTIFIER,
    PERSONAL_CODE,
    SERIAL_NUMBER,
    Certificate,
    parse_certificate,
)
from infra.signing.errors import KeyStoreError, SignatureInvalid
from infra.signing.local_signer import OpenedKey, describe_certificate
from infra.signing.suites import ECDSA_P256, Suite, sign_p256
from infra.signing.trust import TrustAnchors, read_certificates

_KEY_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_AUTHORITY_FILE: Final = "authority.pem"
_KEYS_FOLDER: Final = "keys"
_AUTHORITY_YEARS: Final = 10
_KEY_YEARS: Final = 2


class KeyPurpose(StrEnum):
    """What a development key is issued for."""

    DOCUMENTS = "documents"
    TICKETS = "tickets"
    TIMESTAMPS = "timestamps"


@dataclass(frozen=True, slots=True)
class Holder:
    """Whom a certificate is issued to: a person, a company's seal, or a service.

    ``personal_code`` is the РНОКПП, ``company_code`` the ЄДРПОУ (of a sole proprietor again the
    РНОКПП).
    """

    common_name: str
    personal_code: str | None = None
    company_code: str | None = None
    organization: str | None = None


class DevelopmentKey:
    """A development key that signs messages (``infra.signing.cms.MessageSigner``)."""

    def __init__(
        self, *, private_key: ec.EllipticCurvePrivateKey, certificate: Certificate
    ) -> None:
        self._private_key = private_key
        self._certificate = certificate

    @property
    def certificate(self) -> Certificate:
        """The certificate of the key."""
        return self._certificate

    @property
    def suite(self) -> Suite:
        """ECDSA P-256 with SHA-256."""
        return ECDSA_P256

    def sign_digest(self, digest: bytes) -> bytes:
        """The signature value over a SHA-256 digest."""
        return sign_p256(self._private_key, digest)

    def sign_certificate(self, draft: writer.CertificateDraft) -> bytes:
        """The certificate that a draft describes, issued by this key."""
        return _signed(draft, issuer_key=self._private_key)


def _now() -> datetime:
    return datetime.now(UTC)


class DevelopmentKeyStore:
    """Development keys in a folder of mode 0700, each a PEM file of mode 0600.

    Several processes may use one folder: files appear whole or not at all, and whoever is second
    to create a file takes the first one's. Safe to share between threads.
    """

    def __init__(self, folder: Path, *, clock: Callable[[], datetime] = _now) -> None:
        """Use ``folder``, made if absent; ``clock`` dates the certificates issued.

        Raises: KeyStoreError when the folder belongs to somebody else or others may enter it.
        """
        self._folder = folder
        self._keys_folder = folder / _KEYS_FOLDER
        self._clock = clock
        self._opened: dict[str, OpenedKey] = {}
        self._authority: DevelopmentKey | None = None
        self._lock = threading.Lock()
        _make_private(folder)
        _make_private(self._keys_folder)

    @property
    def authority_certificate(self) -> Certificate:
        """The certificate of the test authority, made on first use. Raises: KeyStoreError."""
        return self._ensure_authority().certificate

    def trust_anchors(self) -> TrustAnchors:
        """Trust in this store's test authority and in nothing else."""
        return TrustAnchors(roots=[self.authority_certificate.raw])

    def ensure(
        self, key_id: str, holder: Holder, *, purpose: KeyPurpose = KeyPurpose.DOCUMENTS
    ) -> OpenedKey:
        """The key of this name, created for ``holder`` if there is none.

        Raises: KeyStoreError for an unusable name, or when the name belongs to another holder.
        """
        path = self._path(key_id)
        if not path.exists():
            authority = self._ensure_authority()
            _create(path, _issue(holder, purpose=purpose, authority=authority, now=self._clock()))
        opened = self.open(key_id)
        certificate = opened.signer.certificate
        issued_to = (
            certificate.subject.common_name,
            certificate.personal_code,
            certificate.company_code,
        )
        if issued_to != (
            holder.common_name,
            holder.personal_code,
            holder.company_code,
        ):
            raise KeyStoreError(f"key {key_id} belongs to another holder")
        return opened

    def open(self, key_id: str) -> OpenedKey:
        """The key of this name, read once. Raises: KeyUnknown, KeyStoreError for a damaged file."""
        opened = self._opened.get(key_id)
        if opened is None:
            if not _KEY_ID.fullmatch(key_id):
                raise KeyUnknown(key_id=key_id)
            try:
                key = _read(self._path(key_id))
            except FileNotFoundError:
                raise KeyUnknown(key_id=key_id) from None
            except OSError as error:
                raise KeyStoreError(f"key {key_id}: {error.strerror}") from error
            description = describe_certificate(
                key.certificate, key_id=key_id, kind=KeyKind.DEVELOPMENT
            )
            opened = self._opened.setdefault(key_id, OpenedKey(description, key))
        return opened

    def key_ids(self) -> tuple[str, ...]:
        """Names of all keys in the folder, in order."""
        return tuple(sorted(path.stem for path in self._keys_folder.glob("*.pem")))

    def _path(self, key_id: str) -> Path:
        if not _KEY_ID.fullmatch(key_id):
            raise KeyStoreError("a key's name is 1 to 100 latin letters, digits, dots, dashes")
        return self._keys_folder / f"{key_id}.pem"

    def _ensure_authority(self) -> DevelopmentKey:
        with self._lock:
            if self._authority is None:
                path = self._folder / _AUTHORITY_FILE
                if not path.exists():
                    _create(path, _make_authority(now=self._clock()))
                self._authority = _read(path)
            return self._authority


# --- certificates --------------------------------------------------------------------------------


def _make_authority(*, now: datetime) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    key_id = _key_id(key)
    name = writer.name(
        [
            (ORGANIZATION, "Fiscal Ledger"),
            (COMMON_NAME, "Тестовий надавач електронних довірчих послуг (не для роботи)"),
            # Two folders have two authorities, which a reader must not take for one.
            (SERIAL_NUMBER, f"UA-{key_id.hex()[:16]}"),
            (COUNTRY, "UA"),
        ]
    )
    draft = writer.CertificateDraft(
        serial=_serial(),
        subject=name,
        issuer=name,
        spki=_spki(key),
        not_before=now - timedelta(days=30),
        not_after=now + timedelta(days=365 * _AUTHORITY_YEARS),
        extensions=(
            writer.key_identifier(key_id),
            writer.basic_constraints(is_authority=True),
            writer.key_usage(KEY_CERT_SIGN),
        ),
    )
    return _pem(key, _signed(draft, issuer_key=key))


def _issue(
    holder: Holder, *, purpose: KeyPurpose, authority: DevelopmentKey, now: datetime
) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = authority.certificate
    codes = {PERSONAL_CODE: holder.personal_code, COMPANY_CODE: holder.company_code}
    extensions = [
        writer.key_identifier(_key_id(key)),
        writer.issuer_key_identifier(issuer.subject_key_id or b""),
        writer.basic_constraints(is_authority=False),
        writer.key_usage(DIGITAL_SIGNATURE, NON_REPUDIATION),
    ]
    if any(codes.values()):
        extensions.append(writer.directory_attributes(codes))
    if purpose is KeyPurpose.TIMESTAMPS:
        extensions.append(writer.extended_key_usage(EKU_TIME_STAMPING))
    draft = writer.CertificateDraft(
        serial=_serial(),
        subject=_subject(holder),
        issuer=issuer.subject.raw,
        spki=_spki(key),
        not_before=now - timedelta(days=1),
        not_after=min(now + timedelta(days=365 * _KEY_YEARS), issuer.not_after),
        extensions=tuple(extensions),
    )
    return _pem(key, authority.sign_certificate(draft))


def _subject(holder: Holder) -> bytes:
    personal, company = holder.personal_code, holder.company_code
    return writer.name(
        [
            (COMMON_NAME, holder.common_name),
            (ORGANIZATION, holder.organization),
            (SERIAL_NUMBER, f"TINUA-{personal}" if personal is not None else None),
            (ORGANIZATION_IDENTIFIER, f"NTRUA-{company}" if company is not None else None),
            (COUNTRY, "UA"),
        ]
    )


def _signed(draft: writer.CertificateDraft, *, issuer_key: ec.EllipticCurvePrivateKey) -> bytes:
    return writer.write_certificate(
        draft, suite=ECDSA_P256, sign_digest=lambda digest: sign_p256(issuer_key, digest)
    )


def _serial() -> int:
    """A serial number of 20 octets, as Ukrainian certificates have, never negative."""
    return secrets.randbits(158) | 1 << 158


def _spki(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _key_id(key: ec.EllipticCurvePrivateKey) -> bytes:
    """32 octets, as Ukrainian key identifiers have: the tax service's answers show 64 digits."""
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return hashlib.sha256(point).digest()


# --- files ---------------------------------------------------------------------------------------


def _pem(key: ec.EllipticCurvePrivateKey, certificate: bytes) -> bytes:
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    text = base64.encodebytes(certificate)
    return secret + b"-----BEGIN CERTIFICATE-----\n" + text + b"-----END CERTIFICATE-----\n"


def _read(path: Path) -> DevelopmentKey:
    data = path.read_bytes()
    try:
        key = load_pem_private_key(data, password=None)
        certificate = parse_certificate(read_certificates(data)[0])
    except (ValueError, SignatureInvalid) as error:
        raise KeyStoreError(f"{path.name} is damaged") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise KeyStoreError(f"{path.name} holds a key of another kind")
    return DevelopmentKey(private_key=key, certificate=certificate)


def _make_private(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        state = folder.stat()
    except OSError as error:
        raise KeyStoreError(f"{folder}: {error.strerror}") from error
    if state.st_uid != os.geteuid() or state.st_mode & 0o077:
        raise KeyStoreError(f"{folder} must belong to this user and be closed to others (0700)")


def _create(path: Path, content: bytes) -> None:
    """Put a file in place whole, unless one is there already: a link never replaces."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
