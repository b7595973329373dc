"""Signing with opened keys, in the process that holds them.

The signing agent is this behind a socket; tests and in-memory work use it directly.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.ports import KeyDescription, KeyKind
from infra.signing import cms
from infra.signing.certificate import Certificate


@dataclass(frozen=True, slots=True)
class OpenedKey:
    """A key ready to sign, and what is public about it."""

    description: KeyDescription
    signer: cms.MessageSigner


class OpenedKeys(Protocol):
    """The keys a process may sign with."""

    def open(self, key_id: str) -> OpenedKey:
        """The key of this name. Raises: domain.errors.KeyUnknown."""
        ...

    def key_ids(self) -> Sequence[str]:
        """Names of all keys, in order."""
        ...


class LocalSigner:
    """The ``Signer`` port over keys held in this process. Safe to share between threads."""

    def __init__(self, keys: OpenedKeys) -> None:
        self._keys = keys

    def sign(self, *, key_id: str, content: bytes) -> bytes:
        """A CMS SignedData around ``content``, without a time-stamp. Raises: KeyUnknown."""
        return cms.sign(content, signer=self._keys.open(key_id).signer)

    def describe(self, *, key_id: str) -> KeyDescription:
        """What is public about a key. Raises: KeyUnknown."""
        return self._keys.open(key_id).description

    def list_keys(self) -> tuple[KeyDescription, ...]:
        """What is public about every key."""
        return tuple(self._keys.open(key_id).description for key_id in self._keys.key_ids())


def describe_certificate(certificate: Certificate, *, key_id: str, kind: KeyKind) -> KeyDescription:
    """A key's description, read from its certificate.

    ``tax_id`` is the taxpayer the key signs for: the company's code where there is one, else the
    personal number.
    """
    return KeyDescription(
        key_id=key_id,
        kind=kind,
        owner=certificate.subject.common_name or "",
        tax_id=certificate.company_code or certificate.personal_code,
        subject_key_id=certificate.subject_key_id_hex or "",
        valid_from=certificate.not_before,
        valid_to=certificate.not_after,
    )
