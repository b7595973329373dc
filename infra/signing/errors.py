"""What can be wrong with a signature, a certificate or a time-stamp."""

from typing import Final


class SignatureInvalid(ValueError):
    """A signed message, certificate or time-stamp is not what it must be.

    ``reason`` is one of the constants of ``Reason``: stable, for tables and alarms. ``detail``
    is for a person. Nothing of the content is repeated in either.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


class UnknownAlgorithm(SignatureInvalid):
    """No registered suite answers to the algorithm that the message or certificate names."""

    def __init__(self, detail: str) -> None:
        super().__init__(Reason.UNKNOWN_ALGORITHM, detail)


class KeyStoreError(Exception):
    """A key cannot be created or read: bad name, wrong rights of a folder, damaged file."""


class Reason:
    """The stable names of what makes a signature invalid."""

    MALFORMED: Final = "malformed"
    NO_SIGNER: Final = "no-signer"
    SEVERAL_SIGNERS: Final = "several-signers"
    VERSION: Final = "version"
    UNKNOWN_ALGORITHM: Final = "unknown-algorithm"
    DIGEST_ALGORITHMS: Final = "digest-algorithms"
    CONTENT_MISSING: Final = "content-missing"
    CONTENT_TYPE: Final = "content-type"
    CERTIFICATE_MISSING: Final = "certificate-missing"
    CERTIFICATE_MALFORMED: Final = "certificate-malformed"
    KEY_ALGORITHM: Final = "key-algorithm"
    KEY_USAGE: Final = "key-usage"
    SIGNED_ATTRIBUTES: Final = "signed-attributes"
    MESSAGE_DIGEST: Final = "message-digest"
    SIGNING_CERTIFICATE: Final = "signing-certificate"
    SIGNING_TIME: Final = "signing-time"
    SIGNATURE: Final = "signature"
    NOT_YET_VALID: Final = "certificate-not-yet-valid"
    EXPIRED: Final = "certificate-expired"
    CRITICAL_EXTENSION: Final = "critical-extension"
    UNTRUSTED_ISSUER: Final = "untrusted-issuer"
    TIMESTAMP_MISSING: Final = "timestamp-missing"
    TIMESTAMP_IMPRINT: Final = "timestamp-imprint"
    TIMESTAMP_NONCE: Final = "timestamp-nonce"
    TIMESTAMP_USAGE: Final = "timestamp-usage"
    TIMESTAMP_REFUSED: Final = "timestamp-refused"
