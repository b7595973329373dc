"""An opened key file: its keys, each with its certificate, and the choice among them.

1. A key and a certificate belong together when their public keys are equal; nothing else counts, not
   order, alias or identifier (the identifier's hash differs by generation).
2. Of several certificates of one key a signing one is taken before others, then the one that is
   valid longest.
3. What a key is for is said by its certificate. Without one, only ІІТ's form tells it: the main key
   signs, the one in its attributes is for agreement.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from infra.signing import gost34311, kupyna
from infra.signing.certificate import Certificate
from infra.signing.containers.detect import ContainerFormat
from infra.signing.containers.errors import (
    AgreementOnlyKey,
    CertificateMissing,
    NoMatchingKey,
    SeveralKeys,
)
from infra.signing.dstu4145 import PrivateKey
from infra.signing.key_parameters import key_id_octets, public_key_or_none


class KeyPurpose(StrEnum):
    """What a key may be used for."""

    SIGNING = "signing"
    AGREEMENT = "agreement"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class FoundKey:
    """A key as a container gave it, before certificates are looked at."""

    private: PrivateKey
    name: str | None = None
    purpose: KeyPurpose = KeyPurpose.UNKNOWN


@dataclass(frozen=True, slots=True)
class ContainedKey:
    """A key of a file with its certificate, if there is one."""

    private: PrivateKey
    purpose: KeyPurpose
    name: str | None
    """What the file calls it: an alias or friendly name; shown to people, never decisive."""
    certificate: Certificate | None

    @property
    def subject_key_id(self) -> bytes:
        """The certificate's identifier, else the one by GOST 34.311."""
        if self.certificate is not None and self.certificate.subject_key_id is not None:
            return self.certificate.subject_key_id
        return self.gost_key_id

    @property
    def gost_key_id(self) -> bytes:
        """The key's identifier in certificates signed with GOST 34.311."""
        return gost34311.digest(key_id_octets(self.private.public))

    @property
    def kupyna_key_id(self) -> bytes:
        """The key's identifier in certificates signed with Kupyna."""
        return kupyna.digest(key_id_octets(self.private.public))

    @property
    def owner(self) -> str | None:
        """Whom the certificate was issued to."""
        return self.certificate.subject.common_name if self.certificate else None

    @property
    def personal_code(self) -> str | None:
        """РНОКПП of the certificate, or what stands in for it."""
        return self.certificate.personal_code if self.certificate else None

    @property
    def company_code(self) -> str | None:
        """ЄДРПОУ of the certificate."""
        return self.certificate.company_code if self.certificate else None

    @property
    def valid_from(self) -> datetime | None:
        """Start of the certificate's validity."""
        return self.certificate.not_before if self.certificate else None

    @property
    def valid_to(self) -> datetime | None:
        """End of the certificate's validity."""
        return self.certificate.not_after if self.certificate else None


@dataclass(frozen=True, slots=True)
class KeyContainer:
    """An opened key file."""

    format: ContainerFormat
    keys: tuple[ContainedKey, ...]
    certificates: tuple[Certificate, ...]
    """All that were inside or beside, with those of authorities."""

    @property
    def signing_keys(self) -> tuple[ContainedKey, ...]:
        """The keys whose certificate lets them sign."""
        return tuple(
            key
            for key in self.keys
            if key.purpose is KeyPurpose.SIGNING and key.certificate is not None
        )

    def paired_with(self, certificates: Iterable[Certificate]) -> "KeyContainer":
        """The same keys with these certificates too, as when a provider was asked for them."""
        found = [FoundKey(key.private, key.name, key.purpose) for key in self.keys]
        return pair(found, [*self.certificates, *certificates], container_format=self.format)

    def choose(
        self, *, subject_key_id: bytes | None = None, tax_id: str | None = None
    ) -> ContainedKey:
        """The signing key with this identifier (GOST, Kupyna or the certificate's), or of this
        taxpayer's code (of the company or, where there is none, of the person); the only one when
        neither is given.

        Raises: CertificateMissing, AgreementOnlyKey, NoMatchingKey, SeveralKeys.
        """
        candidates = self.signing_keys
        if not candidates:
            if any(key.certificate is None for key in self.keys):
                raise CertificateMissing(keys=len(self.keys))
            raise AgreementOnlyKey
        matching = [
            key
            for key in candidates
            if (subject_key_id is None or _has_id(key, subject_key_id))
            and (tax_id is None or tax_id == (key.company_code or key.personal_code))
        ]
        if not matching:
            raise NoMatchingKey(count=len(candidates))
        if len(matching) > 1:
            raise SeveralKeys(count=len(matching))
        return matching[0]


def _has_id(key: ContainedKey, subject_key_id: bytes) -> bool:
    return subject_key_id in (key.subject_key_id, key.gost_key_id, key.kupyna_key_id)


def pair(
    found: Sequence[FoundKey],
    certificates: Sequence[Certificate],
    *,
    container_format: ContainerFormat,
) -> KeyContainer:
    """Put keys and certificates together by public key; a key found twice counts once."""
    unique = tuple(dict.fromkeys(certificates))
    by_key: dict[bytes, list[Certificate]] = {}
    for certificate in unique:
        public = public_key_or_none(certificate.spki)
        if public is not None:
            by_key.setdefault(key_id_octets(public), []).append(certificate)
    keys: dict[PrivateKey, ContainedKey] = {}
    for key in found:
        candidates = by_key.get(key_id_octets(key.private.public), [])
        best = max(candidates, key=lambda item: (item.may_sign, item.not_after), default=None)
        purpose = key.purpose
        if best is not None:
            purpose = KeyPurpose.SIGNING if best.may_sign else KeyPurpose.AGREEMENT
        contained = ContainedKey(key.private, purpose, key.name, best)
        known = keys.setdefault(key.private, contained)
        if known.purpose is KeyPurpose.UNKNOWN:
            keys[key.private] = replace(known, purpose=purpose)
    return KeyContainer(container_format, tuple(keys.values()), unique)
