"""The MAC of PKCS#12, which proves the password of a .pfx, .p12 or .zs2.

1. Its key comes from RFC 7292, appendix B.2 with purpose 3: a hash applied many times to purpose, salt
   and password, each repeated to whole blocks. The block is 32 octets for GOST 34.311, 64 for Kupyna.
2. With Kupyna the MAC is KMAC, with every other hash HMAC.
"""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from infra.signing import dstu_oids, gost34311, kupyna

_PURPOSE: Final = b"\x03"


@dataclass(frozen=True, slots=True)
class MacAlgorithm:
    """A hash as PKCS#12 uses it."""

    block: int
    repeat: Callable[[bytes, int], bytes]
    """The hash applied so many times."""
    mac: Callable[[bytes, bytes], bytes]
    """The code under a key over data."""
    is_ordinary: bool = False
    """Computed by the standard library, quickly."""

    def compute(self, data: bytes, password: bytes, *, salt: bytes, iterations: int) -> bytes:
        """The MAC of `data`; the password as `Password.pkcs12_encodings` gives it."""
        material = _PURPOSE * self.block + self._filled(salt) + self._filled(password)
        return self.mac(self.repeat(material, iterations), data)

    def _filled(self, text: bytes) -> bytes:
        """The text repeated to whole blocks; of nothing, nothing."""
        size = -(-len(text) // self.block) * self.block
        return (text * (size // max(len(text), 1) + 1))[:size]


def _repeat_sha(name: str, data: bytes, times: int) -> bytes:
    for _ in range(times):
        data = hashlib.new(name, data, usedforsecurity=False).digest()
    return data


def _sha(name: str, *, block: int) -> MacAlgorithm:
    return MacAlgorithm(
        block=block,
        repeat=partial(_repeat_sha, name),
        mac=lambda key, data: hmac.digest(key, data, name),
        is_ordinary=True,
    )


MAC_ALGORITHMS: Final = {
    dstu_oids.GOST34311: MacAlgorithm(
        block=32,
        repeat=lambda data, times: gost34311.repeat(data, times=times),
        mac=gost34311.hmac,
    ),
    dstu_oids.KUPYNA_256: MacAlgorithm(
        block=64, repeat=lambda data, times: kupyna.repeat(data, times=times), mac=kupyna.kmac
    ),
    dstu_oids.SHA1: _sha("sha1", block=64),
    dstu_oids.SHA256: _sha("sha256", block=64),
    dstu_oids.SHA384: _sha("sha384", block=128),
    dstu_oids.SHA512: _sha("sha512", block=128),
}
"""By the identifier of the hash."""
