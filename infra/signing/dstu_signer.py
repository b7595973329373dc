"""A qualified key that signs messages."""

from infra.signing import dstu4145
from infra.signing.certificate import Certificate
from infra.signing.dstu4145 import PrivateKey
from infra.signing.dstu_suites import DSTU_GOST, DSTU_SUITES
from infra.signing.errors import Reason, SignatureInvalid
from infra.signing.key_parameters import public_key_or_none
from infra.signing.suite import Suite


def suite_for(certificate: Certificate) -> Suite:
    """The suite a key signs with by default: the one its certificate is itself signed with.

    Providers move to Kupyna with new certificates, and whoever reads the certificate can then read
    the signature too. Certificates signed otherwise (a test authority) mean GOST 34.311.
    """
    for suite in DSTU_SUITES:
        if suite.signature_oid == certificate.signature_oid:
            return suite
    return DSTU_GOST


class DstuSigner:
    """A DSTU 4145 key with its certificate (``infra.signing.cms.MessageSigner``).

    Raises SignatureInvalid when the certificate is of another key or not for signatures.
    """

    def __init__(
        self, *, private_key: PrivateKey, certificate: Certificate, suite: Suite | None = None
    ) -> None:
        """``suite`` overrides what ``suite_for`` says."""
        if public_key_or_none(certificate.spki) != private_key.public:
            raise SignatureInvalid(Reason.KEY_ALGORITHM, "the certificate is of another key")
        if not certificate.may_sign:
            raise SignatureInvalid(Reason.KEY_USAGE, "the key is not for signatures")
        self._private_key = private_key
        self._certificate = certificate
        self._suite = suite or suite_for(certificate)

    def __repr__(self) -> str:
        return f"DstuSigner({self._suite.name}, certificate {self._certificate.serial:x})"

    @property
    def certificate(self) -> Certificate:
        """The certificate of the key."""
        return self._certificate

    @property
    def suite(self) -> Suite:
        """The hash and signature algorithm the key is used with."""
        return self._suite

    def sign_digest(self, digest: bytes) -> bytes:
        """The signature value over a digest of the suite. Raises: dstu4145.SignatureFault."""
        return dstu4145.sign(self._private_key, digest)
