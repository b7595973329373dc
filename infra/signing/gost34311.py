"""GOST 34.311-95, the hash of Ukrainian signatures since 2003, and what key files build on it.

1. The compression encrypts the four words of the chaining value with four keys made from it and the
   block, then mixes: H' = ψ^61(H ⊕ ψ(M ⊕ ψ^12(S))).
2. Start value zero, S-box DKE №1. The last block is padded with zeros; then the length in bits and
   the sum of all blocks are compressed.
3. HMAC uses the block size of this hash, 32 octets, not the 64 of most others.

Compiled code does the work where it was built (infra/signing/native.py); the Python code below gives
the same answers. Neither is constant-time (docs/constant-time.md).

Source: ГОСТ 34.311-95 (identical to GOST R 34.11-94), ДСТУ 4145-2002.
"""

import struct
from functools import lru_cache
from typing import Final

from infra.signing import gost28147, native

DIGEST_OCTETS: Final = 32
BLOCK_OCTETS: Final = 32
_FIRST_BLOCK: Final = b"\x00\x00\x00\x01"
_MASK_64: Final = (1 << 64) - 1
_MASK_256: Final = (1 << 256) - 1
_C3: Final = int.from_bytes(
    bytes.fromhex("00ff00ff00ff00ffff00ff00ff00ff0000ffff00ff0000ffff000000ffff00ff"), "little"
)


def digest(data: bytes) -> bytes:
    """The 32 octets of the hash, in their natural (little-endian) order."""
    compiled = native.hashes()
    return compiled.gost34311(data) if compiled else digest_in_python(data)


def repeat(data: bytes, *, times: int) -> bytes:
    """The hash applied `times` times, first to the data, then to each digest (at least once)."""
    compiled = native.hashes()
    if compiled:
        return compiled.gost34311_repeat(data, times=times)
    return repeat_in_python(data, times=times)


def hmac(key: bytes, data: bytes) -> bytes:
    """HMAC (RFC 2104) with this hash and its block of 32 octets."""
    inner, outer = _hmac_pads(key)
    return digest(outer + digest(inner + data))


def pbkdf2(password: bytes, *, salt: bytes, iterations: int) -> bytes:
    """One block, 32 octets, of PBKDF2 (RFC 8018) with `hmac`; at least one iteration."""
    compiled = native.hashes()
    if compiled is None:
        return pbkdf2_in_python(password, salt=salt, iterations=iterations)
    inner, outer = _hmac_pads(password)
    first = hmac(password, salt + _FIRST_BLOCK)
    return compiled.gost34311_pbkdf2(inner, outer, first, iterations=iterations)


def _hmac_pads(key: bytes) -> tuple[bytes, bytes]:
    if len(key) > BLOCK_OCTETS:
        key = digest(key)
    key = key.ljust(BLOCK_OCTETS, b"\x00")
    return bytes(octet ^ 0x36 for octet in key), bytes(octet ^ 0x5C for octet in key)


def digest_in_python(data: bytes) -> bytes:
    """The hash without compiled code."""
    return _State().update(data).finish()


def repeat_in_python(data: bytes, *, times: int) -> bytes:
    """`repeat` without compiled code."""
    for _ in range(times):
        data = digest_in_python(data)
    return data


def pbkdf2_in_python(password: bytes, *, salt: bytes, iterations: int) -> bytes:
    """`pbkdf2` without compiled code: both keyed states are made once."""
    inner, outer = _hmac_pads(password)
    inside, outside = _State().update(inner), _State().update(outer)
    value = salt + _FIRST_BLOCK
    result = 0
    for _ in range(iterations):
        value = outside.copy().update(inside.copy().update(value).finish()).finish()
        result ^= int.from_bytes(value, "little")
    return result.to_bytes(DIGEST_OCTETS, "little")


class _State:
    """A hash in progress. Only the last `update` may hold a part of a block."""

    __slots__ = ("_chain", "_octets", "_sum")

    def __init__(self, chain: int = 0, total: int = 0, octets: int = 0) -> None:
        self._chain = chain
        self._sum = total
        self._octets = octets

    def copy(self) -> "_State":
        return _State(self._chain, self._sum, self._octets)

    def update(self, data: bytes) -> "_State":
        for start in range(0, len(data), BLOCK_OCTETS):
            # A short last block reads as if padded with zeros: little-endian.
            block = int.from_bytes(data[start : start + BLOCK_OCTETS], "little")
            self._chain = _compress(self._chain, block)
            self._sum = (self._sum + block) & _MASK_256
        self._octets += len(data)
        return self

    def finish(self) -> bytes:
        chain = _compress(_compress(self._chain, self._octets * 8), self._sum)
        return chain.to_bytes(DIGEST_OCTETS, "little")


def _compress(chain: int, block: int) -> int:
    """One step of the hash on 256-bit numbers."""
    low, high = gost28147.half_tables(gost28147.DKE_1)
    u, v = chain, block
    words = struct.unpack("<8I", chain.to_bytes(32, "little"))
    encrypted = []
    for number in range(4):
        if number:
            u = _a(u)
            if number == 2:
                u ^= _C3
            v = _a(_a(v))
        key = _key_words(u ^ v)
        a, b = words[2 * number], words[2 * number + 1]
        for first, second in _schedule(key):
            x = a + first
            b ^= low[x & 0xFFFF] ^ high[x >> 16 & 0xFFFF]
            x = b + second
            a ^= low[x & 0xFFFF] ^ high[x >> 16 & 0xFFFF]
        encrypted += [b, a]
    mixed = int.from_bytes(struct.pack("<8I", *encrypted), "little")
    psi_12, psi_61 = _psi_tables()
    return _apply(psi_61, chain ^ _psi(block ^ _apply(psi_12, mixed)))


def _schedule(key: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    k0, k1, k2, k3, k4, k5, k6, k7 = key
    forward = ((k0, k1), (k2, k3), (k4, k5), (k6, k7))
    return forward * 3 + ((k7, k6), (k5, k4), (k3, k2), (k1, k0))


def _a(value: int) -> int:
    """(y1, y2, y3, y4) → (y2, y3, y4, y1 ⊕ y2) on 64-bit words, y1 the lowest."""
    return value >> 64 | ((value ^ value >> 64) & _MASK_64) << 192


def _key_words(value: int) -> tuple[int, ...]:
    """The permutation P, read as eight words: word k is made of the octets k, 8+k, 16+k, 24+k."""
    octets = value.to_bytes(32, "little")
    return struct.unpack("<8I", b"".join([octets[k::8] for k in range(8)]))


def _psi(value: int) -> int:
    """One step of the shift register on sixteen 16-bit words."""
    feedback = (
        value ^ value >> 16 ^ value >> 32 ^ value >> 48 ^ value >> 192 ^ value >> 240
    ) & 0xFFFF
    return value >> 16 | feedback << 240


@lru_cache(maxsize=1)
def _psi_tables() -> tuple[list[list[int]], list[list[int]]]:
    """ψ^12 and ψ^61 by octets: ψ is linear, so its powers are 32 look-ups each."""
    return _linear_table(12), _linear_table(61)


def _linear_table(steps: int) -> list[list[int]]:
    images = []
    for bit in range(256):
        value = 1 << bit
        for _ in range(steps):
            value = _psi(value)
        images.append(value)
    tables = []
    for place in range(32):
        table = [0]
        for bit in range(8):
            image = images[8 * place + bit]
            table += [image ^ entry for entry in table]
        tables.append(table)
    return tables


def _apply(tables: list[list[int]], value: int) -> int:
    result = 0
    for table, octet in zip(tables, value.to_bytes(32, "little"), strict=True):
        result ^= table[octet]
    return result
