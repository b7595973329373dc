"""Kupyna (ДСТУ 7564:2014): hash of 256, 384 or 512 bits, and its message authentication code.

1. The state is 512 bits (eight columns, ten rounds) for 256-bit answers and 1024 bits (sixteen
   columns, fourteen rounds) for longer ones. A block changes it by h ⊕ P(h ⊕ m) ⊕ Q(m); the answer
   is the end of h ⊕ P(h).
2. Padding: the octet 0x80, zeros, and the length in bits as twelve little-endian octets.
3. KMAC(K, M) = Kupyna(pad(K) ‖ pad(M) ‖ not K), with a key as long as the answer; the outer hash adds
   its own padding. In the newest key files it takes the place of HMAC.

Compiled code does the work where it was built (infra/signing/native.py); the Python code below gives
the same answers. Neither is constant-time (docs/constant-time.md).
"""

import struct
from dataclasses import dataclass
from typing import Final

from infra.signing import native
from infra.signing.dstu7624_tables import forward_tables

KMAC_KEY_OCTETS: Final = 32
_FIRST_BLOCK: Final = b"\x00\x00\x00\x01"
_MASK: Final = (1 << 64) - 1
_LENGTH_OCTETS: Final = 12


@dataclass(frozen=True, slots=True)
class _Size:
    columns: int
    rounds: int
    last_shift: int
    """By how many columns row 7 moves; every other row moves by its number."""

    @property
    def block(self) -> int:
        return 8 * self.columns


_NARROW: Final = _Size(columns=8, rounds=10, last_shift=7)
_WIDE: Final = _Size(columns=16, rounds=14, last_shift=11)


def digest(data: bytes, *, bits: int = 256) -> bytes:
    """The hash of 256, 384 or 512 bits. Raises: ValueError for another size."""
    octets = _octets(bits)
    compiled = native.hashes()
    return compiled.kupyna(data, octets=octets) if compiled else digest_in_python(data, bits=bits)


def repeat(data: bytes, *, times: int) -> bytes:
    """Kupyna-256 applied `times` times, first to the data, then to each digest (at least once)."""
    compiled = native.hashes()
    if compiled:
        return compiled.kupyna_repeat(data, octets=32, times=times)
    return repeat_in_python(data, times=times)


def kmac(key: bytes, data: bytes, *, bits: int = 256) -> bytes:
    """The code of 256, 384 or 512 bits with a key of the same size.

    Raises: ValueError for another size of answer or key.
    """
    octets = _octets(bits)
    if len(key) != octets:
        raise ValueError("the key is as long as the code")
    size = _size(octets)
    inverted = bytes(octet ^ 0xFF for octet in key)
    return digest(
        key + _padding(size, len(key)) + data + _padding(size, len(data)) + inverted, bits=bits
    )


def pbkdf2(password: bytes, *, salt: bytes, iterations: int) -> bytes:
    """One block, 32 octets, of PBKDF2 (RFC 8018) with KMAC-256; at least one iteration.

    The password becomes the key by `kmac_key`.
    """
    compiled = native.hashes()
    if compiled is None:
        return pbkdf2_in_python(password, salt=salt, iterations=iterations)
    head, middle, tail = _kmac_parts(password)
    first = kmac(kmac_key(password), salt + _FIRST_BLOCK)
    return compiled.kupyna_pbkdf2(head, middle, tail, first, iterations=iterations)


def _kmac_parts(password: bytes) -> tuple[bytes, bytes, bytes]:
    """What stands before, directly behind and at the end of a message of one digest in KMAC."""
    key = kmac_key(password)
    inverted = bytes(octet ^ 0xFF for octet in key)
    return (
        key + _padding(_NARROW, 32),
        _padding(_NARROW, 32),
        inverted + _padding(_NARROW, 64 + 64 + 32),
    )


def kmac_key(password: bytes) -> bytes:
    """A password as a KMAC-256 key: 32 octets, cut off or filled up with zeros.

    Writers of such key files agree on cutting off what is longer.
    """
    return password[:KMAC_KEY_OCTETS].ljust(KMAC_KEY_OCTETS, b"\x00")


def digest_in_python(data: bytes, *, bits: int = 256) -> bytes:
    """The hash without compiled code. Raises: ValueError."""
    octets = _octets(bits)
    size = _size(octets)
    return _output(size, _absorb(size, _start(size), data + _padding(size, len(data))), octets)


def repeat_in_python(data: bytes, *, times: int) -> bytes:
    """`repeat` without compiled code."""
    for _ in range(times):
        data = digest_in_python(data)
    return data


def pbkdf2_in_python(password: bytes, *, salt: bytes, iterations: int) -> bytes:
    """`pbkdf2` without compiled code: the state after the key is made once."""
    head, middle, tail = _kmac_parts(password)
    keyed = _absorb(_NARROW, _start(_NARROW), head)
    value = kmac(kmac_key(password), salt + _FIRST_BLOCK)
    result = int.from_bytes(value, "little")
    for _ in range(iterations - 1):
        value = _output(_NARROW, _absorb(_NARROW, keyed, value + middle + tail), 32)
        result ^= int.from_bytes(value, "little")
    return result.to_bytes(32, "little")


def _octets(bits: int) -> int:
    if bits not in (256, 384, 512):
        raise ValueError("Kupyna has answers of 256, 384 and 512 bits")
    return bits // 8


def _size(octets: int) -> _Size:
    return _NARROW if octets <= 32 else _WIDE


def _padding(size: _Size, length: int) -> bytes:
    zeros = -(length + 1 + _LENGTH_OCTETS) % size.block
    return b"\x80" + bytes(zeros) + (8 * length).to_bytes(_LENGTH_OCTETS, "little")


def _start(size: _Size) -> list[int]:
    return [size.block] + [0] * (size.columns - 1)


def _absorb(size: _Size, state: list[int], data: bytes) -> list[int]:
    for block in struct.iter_unpack(f"<{size.columns}Q", data):
        p = _permute_p(size, [left ^ right for left, right in zip(state, block, strict=True)])
        q = _permute_q(size, list(block))
        state = [a ^ b ^ c for a, b, c in zip(state, p, q, strict=True)]
    return state


def _output(size: _Size, state: list[int], octets: int) -> bytes:
    permuted = _permute_p(size, state)
    mixed = [left ^ right for left, right in zip(state, permuted, strict=True)]
    return struct.pack(f"<{size.columns}Q", *mixed)[-octets:]


def _permute_p(size: _Size, state: list[int]) -> list[int]:
    columns = range(size.columns)
    for number in range(size.rounds):
        state = _round(size, [state[c] ^ (c << 4 ^ number) for c in columns])
    return state


def _permute_q(size: _Size, state: list[int]) -> list[int]:
    columns = range(size.columns)
    last = size.columns - 1
    for number in range(size.rounds):
        state = _round(
            size,
            [
                state[c] + (0x00F0F0F0F0F0F0F3 ^ ((last - c) << 4 ^ number) << 56) & _MASK
                for c in columns
            ],
        )
    return state


def _round(size: _Size, state: list[int]) -> list[int]:
    """Substitution, shifting of rows and mixing of columns by eight look-ups a column.

    Negative indexes wrap around, which is what the shift of the rows wants.
    """
    t0, t1, t2, t3, t4, t5, t6, t7 = forward_tables()
    last = size.last_shift
    return [
        t0[state[c] & 255]
        ^ t1[state[c - 1] >> 8 & 255]
        ^ t2[state[c - 2] >> 16 & 255]
        ^ t3[state[c - 3] >> 24 & 255]
        ^ t4[state[c - 4] >> 32 & 255]
        ^ t5[state[c - 5] >> 40 & 255]
        ^ t6[state[c - 6] >> 48 & 255]
        ^ t7[state[c - last] >> 56]
        for c in range(size.columns)
    ]
