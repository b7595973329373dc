"""A signature suite, a hash and a signature algorithm that go together, and the registry of suites.

Messages, certificates and time-stamps are read and written without knowing an algorithm; they ask
a ``SuiteRegistry`` for the suite of the object identifiers they meet. A suite is added by building
a ``Suite`` and registering it; nothing else changes.
"""

from collections.abc import Callable
from dataclasses import dataclass

from infra.signing.errors import UnknownAlgorithm


def _as_it_is(signature: bytes) -> bytes:
    return signature


@dataclass(frozen=True, slots=True, eq=False)
class Suite:
    """One hash with one signature algorithm.

    ``verify`` takes the raw SubjectPublicKeyInfo, the digest and the signature value as it stands
    in a SignerInfo, and answers False, never raises, for anything that does not verify.
    ``certificate_signature`` turns the octets of a certificate's signature BIT STRING into the
    form ``verify`` takes: ДСТУ 4145 wraps them once more in certificates, but not in messages. It
    raises ValueError for octets that are not of that form.
    ``key_oids`` are the algorithms a public key may be labelled with: keys of the Kupyna era keep
    the older label.
    """

    name: str
    digest_oid: str
    digest: Callable[[bytes], bytes]
    signature_oid: str
    key_oids: frozenset[str]
    verify: Callable[[bytes, bytes, bytes], bool]
    certificate_signature: Callable[[bytes], bytes] = _as_it_is


class SuiteRegistry:
    """The suites this process knows, found by the identifiers they go by."""

    def __init__(self, *suites: Suite) -> None:
        self._by_signature: dict[str, Suite] = {}
        for suite in suites:
            self.register(suite)

    def register(self, suite: Suite) -> None:
        """Make a suite known. Raises: ValueError when another one has its signature identifier."""
        known = self._by_signature.setdefault(suite.signature_oid, suite)
        if known is not suite:
            raise ValueError(f"{suite.signature_oid} already belongs to {known.name}")

    def by_signature(self, signature_oid: str) -> Suite:
        """The suite of a signature algorithm. Raises: UnknownAlgorithm."""
        suite = self._by_signature.get(signature_oid)
        if suite is None:
            raise UnknownAlgorithm(signature_oid)
        return suite

    def by_digest(self, digest_oid: str) -> Suite:
        """Any suite with this hash. Raises: UnknownAlgorithm."""
        for suite in tuple(self._by_signature.values()):
            if suite.digest_oid == digest_oid:
                return suite
        raise UnknownAlgorithm(digest_oid)
