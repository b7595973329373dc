"""Signed messages as the tax service takes and makes them.

The reading of CMS itself is ``infra.signing``; the rules of the tax service's profile are here:
one signer, the signer's certificate and no other, no revocation data, no content-time-stamp, a
signature time-stamp unless the document is an offline one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from infra.signing import cms
from infra.signing.errors import Reason, SignatureInvalid, UnknownAlgorithm
from infra.signing.suites import SUITES, Suite, SuiteRegistry
from infra.signing.timestamp import (
    TimestampAuthority,
    build_request,
    token_of_response,
    verify_message_timestamp,
)
from infra.signing.trust import TrustAnchors
from infra.simulator.answers import Code, Refusal, invalid, must_be_signed

_KUPYNA: Final = "1.2.804.2.1.1.1.1.2.2."


@dataclass(frozen=True, slots=True)
class Opened:
    """A signed message opened and judged."""

    content: bytes
    key_id: str
    signer_name: str
    is_timestamped: bool
    digest_oid: str = ""

    @property
    def has_kupyna_digest(self) -> bool:
        """Whether the content was digested by DSTU 7564."""
        return self.digest_oid.startswith(_KUPYNA)


class Envelope(Protocol):
    """Opens what clients signed and signs what the server answers."""

    def open(self, message: bytes, *, at: datetime) -> Opened:
        """The content and who signed it, as of the moment ``at``.

        Raises: Refusal with code 9 for a bad signature, 12 for an unknown algorithm.
        """
        ...

    def seal(self, content: bytes, *, timestamp: bool = False) -> bytes:
        """The content signed by the server, with a signature time-stamp if asked for."""
        ...


class CmsEnvelope:
    """The real thing: CMS with the suites and roots given.

    Without ``trust`` any certificate is taken: the registry of keys decides then, as the real
    service does for keys that were registered with it. ``stamp`` turns a signature value into a
    time-stamp token, for answers that were asked to carry one.
    """

    def __init__(
        self,
        *,
        signer: cms.MessageSigner,
        stamp: Callable[[bytes], bytes] | None = None,
        trust: TrustAnchors | None = None,
        suites: SuiteRegistry = SUITES,
    ) -> None:
        self._signer = signer
        self._stamp = stamp
        self._trust = trust
        self._suites = suites

    def open(self, message: bytes, *, at: datetime) -> Opened:
        """The content and who signed it, judged by the rules above."""
        try:
            parsed = cms.parse(message)
        except SignatureInvalid as error:
            raise must_be_signed() from error
        try:
            return self._judged(parsed, at=at)
        except UnknownAlgorithm as error:
            raise Refusal(Code.CRYPTOGRAPHY_ERROR, f"Невідомий алгоритм: {error}") from error
        except SignatureInvalid as error:
            raise _refusal(error) from error

    def _judged(self, message: cms.SignedMessage, *, at: datetime) -> Opened:
        if message.content is None:
            raise must_be_signed("EtDetached")
        if len(message.certificates) > 1 or message.has_revocation_values:
            raise invalid(
                "Повідомлення не повинно містити сертифікатів видавців, списків відкликаних "
                "сертифікатів та відповідей OCSP"
            )
        if message.has_content_timestamp:
            raise invalid("Повідомлення не повинно містити позначку часу для даних")
        certificate = cms.verify(
            message, trust=self._trust, at=at if self._trust else None, suites=self._suites
        )
        key_id = certificate.subject_key_id_hex
        if key_id is None:
            raise invalid("Сертифікат підписувача не містить ідентифікатора ключа суб'єкта")
        certificate.check_validity(at)
        is_timestamped = message.timestamp_token is not None
        if is_timestamped:
            verify_message_timestamp(message, trust=None, suites=self._suites)
        return Opened(
            content=message.content,
            key_id=key_id,
            signer_name=certificate.subject.common_name or "",
            is_timestamped=is_timestamped,
            digest_oid=message.signer.digest_oid,
        )

    def seal(self, content: bytes, *, timestamp: bool = False) -> bytes:
        """The content signed by the server's key."""
        message = cms.sign(content, signer=self._signer)
        if timestamp and self._stamp is not None:
            message = cms.with_timestamp(message, self._stamp(cms.parse(message).signer.signature))
        return message


def stamper(authority: TimestampAuthority, *, suite: Suite) -> Callable[[bytes], bytes]:
    """Time-stamp tokens over signature values, straight from an authority of this process."""

    def stamp(signature: bytes) -> bytes:
        return token_of_response(authority.answer(build_request(signature, suite=suite)))

    return stamp


def _refusal(error: SignatureInvalid) -> Refusal:
    if error.reason in (Reason.NO_SIGNER, Reason.CERTIFICATE_MISSING):
        return must_be_signed("EtNoSigner")
    if error.reason == Reason.SEVERAL_SIGNERS:
        return invalid("Повідомлення повинно містити лише один підпис")
    return invalid(f"Кваліфікований електронний підпис недійсний: {error}")
