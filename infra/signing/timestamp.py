"""Time-stamps of RFC 3161: requests, tokens and their proof, and an authority that issues them.

A signature time-stamp is a signed message of the authority around a TSTInfo whose imprint is the
hash of the signature value (reference: fiscal-server §2; RFC 3161, RFC 5816). Asking a real
authority over the network is in ``infra.signing.timestamp_client``.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from infra.signing import cms, der
from infra.signing.certificate import EKU_TIME_STAMPING, Certificate
from infra.signing.errors import Reason, SignatureInvalid, UnknownAlgorithm
from infra.signing.signed_message import SignedMessage
from infra.signing.suites import SUITES, Suite, SuiteRegistry
from infra.signing.trust import TrustAnchors

TST_INFO: Final = "1.2.840.113549.1.9.16.1.4"

_GRANTED: Final = frozenset({0, 1})
# PKIFailureInfo bits (RFC 3161, 2.4.2).
_BAD_ALGORITHM: Final = 0
_BAD_REQUEST: Final = 2
_UNACCEPTED_POLICY: Final = 15


@dataclass(frozen=True, slots=True)
class TimestampRequest:
    """What an authority is asked: the hash to stamp, and how to answer."""

    digest_oid: str
    imprint: bytes
    nonce: int | None
    policy: str | None
    wants_certificate: bool


@dataclass(frozen=True, slots=True)
class Timestamp:
    """What a token says: when, by which policy, over which hash."""

    time: datetime
    serial: int
    policy: str
    digest_oid: str
    imprint: bytes
    nonce: int | None


# --- asking --------------------------------------------------------------------------------------


def build_request(signature: bytes, *, suite: Suite, nonce: int | None = None) -> bytes:
    """A DER request for a time-stamp over a signature value; the authority's certificate is asked for.

    ``nonce`` must come back in the token, which ties the answer to this request.
    """
    return der.sequence(
        der.integer(1),
        _imprint(suite.digest_oid, suite.digest(signature)),
        der.integer(nonce) if nonce is not None else b"",
        der.boolean(True),
    )


def _imprint(digest_oid: str, digest: bytes) -> bytes:
    return der.sequence(der.sequence(der.oid(digest_oid)), der.octet_string(digest))


def token_of_response(response: bytes) -> bytes:
    """The token of an authority's answer, not yet verified.

    Raises: SignatureInvalid when the answer is malformed or the authority refused.
    """
    try:
        fields = der.parse(response).fields()
        status_info = fields.take(der.SEQUENCE).fields()
        status = status_info.take(der.INTEGER).integer()
        texts = status_info.optional(der.SEQUENCE)
        if status not in _GRANTED:
            said = "; ".join(item.text() for item in texts.children()) if texts is not None else ""
            raise SignatureInvalid(Reason.TIMESTAMP_REFUSED, f"status {status} {said}".strip())
        return fields.take(der.SEQUENCE).raw
    except der.DerError as error:
        raise SignatureInvalid(Reason.MALFORMED, str(error)) from error


# --- judging -------------------------------------------------------------------------------------


def read_timestamp(token: SignedMessage) -> Timestamp:
    """What a parsed token says, before it is proven. Raises: SignatureInvalid."""
    if token.content_type != TST_INFO:
        raise SignatureInvalid(Reason.CONTENT_TYPE, token.content_type)
    if token.content is None:
        raise SignatureInvalid(Reason.CONTENT_MISSING)
    try:
        return _tst_info(der.parse(token.content))
    except der.DerError as error:
        raise SignatureInvalid(Reason.MALFORMED, str(error)) from error


def _tst_info(node: der.Node) -> Timestamp:
    fields = node.fields()
    if fields.take().integer() != 1:
        raise node.error("unknown version of TSTInfo")
    policy = fields.take().oid()
    digest_oid, imprint = _read_imprint(fields.take(der.SEQUENCE))
    serial = fields.take().integer()
    time = fields.take(der.GENERALIZED_TIME).time()
    fields.optional(der.SEQUENCE)
    fields.optional(der.BOOLEAN)
    nonce = fields.optional(der.INTEGER)
    return Timestamp(
        time=time,
        serial=serial,
        policy=policy,
        digest_oid=digest_oid,
        imprint=imprint,
        nonce=nonce.integer() if nonce is not None else None,
    )


def _read_imprint(node: der.Node) -> tuple[str, bytes]:
    fields = node.fields()
    digest_oid = fields.take(der.SEQUENCE).fields().take().oid()
    imprint = fields.take(der.OCTET_STRING).octets()
    fields.finish()
    return digest_oid, imprint


def verify_token(
    token: bytes,
    *,
    signature: bytes,
    trust: TrustAnchors | None,
    nonce: int | None = None,
    suites: SuiteRegistry = SUITES,
) -> Timestamp:
    """Prove that a token stamps this signature value.

    Checked: the authority's own signature, its right to stamp, the imprint, the nonce when given,
    and with ``trust`` its chain as of the stamped time (a stamp outlives its certificate).
    Raises: SignatureInvalid.
    """
    message = cms.parse(token)
    stamp = read_timestamp(message)
    certificate = cms.verify(
        message,
        trust=trust,
        at=stamp.time if trust is not None else None,
        content_type=TST_INFO,
        suites=suites,
    )
    _check_may_stamp(certificate)
    certificate.check_validity(stamp.time)
    if suites.by_digest(stamp.digest_oid).digest(signature) != stamp.imprint:
        raise SignatureInvalid(Reason.TIMESTAMP_IMPRINT, "stamps something else")
    if nonce is not None and stamp.nonce != nonce:
        raise SignatureInvalid(Reason.TIMESTAMP_NONCE, "answers another request")
    return stamp


def _check_may_stamp(certificate: Certificate) -> None:
    usage = certificate.extended_key_usage
    if usage is None or EKU_TIME_STAMPING not in usage:
        raise SignatureInvalid(Reason.TIMESTAMP_USAGE, "the certificate is not for time-stamping")


def verify_message_timestamp(
    message: SignedMessage, *, trust: TrustAnchors | None, suites: SuiteRegistry = SUITES
) -> Timestamp:
    """Prove the signature time-stamp of a signed message. Raises: SignatureInvalid."""
    token = message.timestamp_token
    if token is None:
        raise SignatureInvalid(Reason.TIMESTAMP_MISSING)
    return verify_token(token, signature=message.signer.signature, trust=trust, suites=suites)


# --- issuing -------------------------------------------------------------------------------------


class TimestampAuthority:
    """Answers time-stamp requests with its own key; ``clock`` gives the time that is stamped.

    Safe to share between threads.
    """

    def __init__(
        self,
        signer: cms.MessageSigner,
        *,
        clock: Callable[[], datetime],
        policy: str = "1.2.804.2.1.1.1.2.3.1",
        suites: SuiteRegistry = SUITES,
    ) -> None:
        self._signer = signer
        self._clock = clock
        self._policy = policy
        self._suites = suites

    def answer(self, request: bytes) -> bytes:
        """The DER answer to a DER request: a token, or a refusal that says why."""
        try:
            asked = parse_request(request)
            self._suites.by_digest(asked.digest_oid)
        except UnknownAlgorithm:
            return _refusal(_BAD_ALGORITHM, "hash algorithm is not supported")
        except SignatureInvalid:
            return _refusal(_BAD_REQUEST, "request is malformed")
        if asked.policy not in (None, self._policy):
            return _refusal(_UNACCEPTED_POLICY, "policy is not supported")
        return der.sequence(der.sequence(der.integer(0)), self.token(asked))

    def token(self, asked: TimestampRequest) -> bytes:
        """A token over what was asked, stamped now. The certificate is always inside."""
        content = der.sequence(
            der.integer(1),
            der.oid(self._policy),
            _imprint(asked.digest_oid, asked.imprint),
            der.integer(secrets.randbits(127)),
            der.generalized_time(self._clock()),
            der.integer(asked.nonce) if asked.nonce is not None else b"",
        )
        return cms.sign(content, signer=self._signer, content_type=TST_INFO)


def parse_request(request: bytes) -> TimestampRequest:
    """What a DER request asks. Raises: SignatureInvalid with ``Reason.MALFORMED``."""
    try:
        fields = der.parse(request).fields()
        if fields.take().integer() != 1:
            raise der.DerError("unknown version of the request", offset=0)
        digest_oid, imprint = _read_imprint(fields.take(der.SEQUENCE))
        policy = fields.optional(der.OBJECT_IDENTIFIER)
        nonce = fields.optional(der.INTEGER)
        wants_certificate = fields.optional(der.BOOLEAN)
        fields.optional(der.context(0))
        fields.finish()
        return TimestampRequest(
            digest_oid=digest_oid,
            imprint=imprint,
            nonce=nonce.integer() if nonce is not None else None,
            policy=policy.oid() if policy is not None else None,
            wants_certificate=wants_certificate is not None and wants_certificate.boolean(),
        )
    except der.DerError as error:
        raise SignatureInvalid(Reason.MALFORMED, str(error)) from error


def _refusal(failure_bit: int, text: str) -> bytes:
    size = failure_bit // 8 + 1
    flags = (1 << (size * 8 - 1 - failure_bit)).to_bytes(size, "big")
    unused = size * 8 - 1 - failure_bit
    failure = der.encode(der.BIT_STRING, bytes((unused,)), flags)
    status = der.sequence(der.integer(2), der.sequence(der.utf8_string(text)), failure)
    return der.sequence(status)
