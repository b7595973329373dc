"""What the server signs: opened and verified before anything in it is believed."""

from __future__ import annotations

from datetime import datetime

from domain.errors import IntegrityFault
from infra.signing import cms
from infra.signing.errors import SignatureInvalid
from infra.signing.suites import SUITES, SuiteRegistry
from infra.signing.trust import TrustAnchors

_SEQUENCE = 0x30


def is_signed(body: bytes) -> bool:
    """Return whether bytes begin like a signed message; JSON begins with a brace or a byte order mark."""
    return body[:1] == bytes((_SEQUENCE,))


class ServerEnvelope:
    """Opens what the server signed.

    `trust`: the chain must lead to one of its roots; None proves only that the signature fits the certificate
    inside. `signer_code`: the ЄДРПОУ that the signer's certificate must carry, because below the same roots
    stand the keys of everybody else.
    """

    def __init__(
        self,
        *,
        trust: TrustAnchors | None,
        signer_code: str | None = None,
        suites: SuiteRegistry = SUITES,
    ) -> None:
        self._trust = trust
        self._signer_code = signer_code
        self._suites = suites

    def opened(self, signed: bytes, *, place: str, at: datetime) -> bytes:
        """Return the content of a signed message; `place` names it in the fault.

        Raises: IntegrityFault when the signature does not hold or is not the service's.
        """
        try:
            message = cms.parse(signed)
            certificate = cms.verify(
                message,
                trust=self._trust,
                at=None if self._trust is None else at,
                suites=self._suites,
            )
        except SignatureInvalid as error:
            raise IntegrityFault(place=place, what=f"signature invalid: {error}") from error
        if self._signer_code is not None and certificate.company_code != self._signer_code:
            raise IntegrityFault(place=place, what="signed by somebody else than the tax service")
        assert message.content is not None, "verified messages have their content inside"
        return message.content

    def content_of(self, body: bytes, *, place: str, at: datetime) -> bytes:
        """Return the content of a message that may or may not be signed (reference §1.2).

        Raises: IntegrityFault for a signed one whose signature does not hold.
        """
        return self.opened(body, place=place, at=at) if is_signed(body) else body
