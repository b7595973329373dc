"""GOST 28147-89: one block, ECB, CFB and the four-octet MAC, as Ukrainian key files use it.

1. Words are little-endian; the key words run k0…k7 three times, then k7…k0.
2. Row 0 of the S-box substitutes bits 0–3. DKE №1 below is the one everybody uses; a container may
   name another for its own cipher.
3. CFB encrypts the IV first, feeds back whole blocks, and never changes the key (no key meshing,
   unlike the Russian RFC 4357). The last block may be short.
4. The MAC is sixteen rounds a block without the final exchange of halves, over zero-padded blocks.

Not constant-time: look-ups depend on the data (docs/constant-time.md).

Source: ДСТУ ГОСТ 28147:2009; S-box DKE №1 of the instruction on long-term key elements.
"""

import struct
from functools import lru_cache
from typing import Final

BLOCK: Final = 8
KEY_OCTETS: Final = 32
SBOX_OCTETS: Final = 64
_WORD: Final = 0xFFFFFFFF

DKE_1: Final = bytes.fromhex(
    "a9d6eb45f13c708280c4967b231f5ead"
    "f658eba4c037291d38d96bf025ca4e17"
    "f8e9720dc615b43a28975f0bc1dea364"
    "38b564ea2c179fd0123e6db8fac57904"
)
"""S-box DKE №1 in the packed form of certificates and containers: lowest row first, two entries an
octet, the even-numbered one in the high half."""


class Gost28147Error(ValueError):
    """The key, S-box or text has an impossible length."""


@lru_cache(maxsize=16)
def byte_tables(sbox: bytes) -> tuple[tuple[int, ...], ...]:
    """Substitution of each octet of a word, rotated left by 11: four tables of 256.

    Raises: Gost28147Error.
    """
    if len(sbox) != SBOX_OCTETS:
        raise Gost28147Error("an S-box has 64 octets")
    rows = [
        [sbox[8 * row + entry // 2] >> (0 if entry & 1 else 4) & 15 for entry in range(16)]
        for row in range(8)
    ]
    return tuple(
        tuple(
            _rotate(
                (rows[2 * place][octet & 15] | rows[2 * place + 1][octet >> 4] << 4) << 8 * place
            )
            for octet in range(256)
        )
        for place in range(4)
    )


def _rotate(word: int) -> int:
    return (word << 11 | word >> 21) & _WORD


@lru_cache(maxsize=4)
def half_tables(sbox: bytes) -> tuple[list[int], list[int]]:
    """The same substitution by halves of a word: two tables of 65,536.

    Half the look-ups for some megabytes; only Python code reads them.
    """
    low, second, third, high = byte_tables(sbox)
    return [b | a for b in second for a in low], [b | a for b in high for a in third]


def key_words(key: bytes) -> tuple[int, ...]:
    """The eight words of a key. Raises: Gost28147Error."""
    if len(key) != KEY_OCTETS:
        raise Gost28147Error("a key has 32 octets")
    return struct.unpack("<8I", key)


def _rounds(words: tuple[int, ...], a: int, b: int, *, sbox: bytes) -> tuple[int, int]:
    """An even number of rounds with the key words in the order given."""
    low, high = half_tables(sbox)
    for first, second in zip(words[::2], words[1::2], strict=True):
        x = a + first
        b ^= low[x & 0xFFFF] ^ high[x >> 16 & 0xFFFF]
        x = b + second
        a ^= low[x & 0xFFFF] ^ high[x >> 16 & 0xFFFF]
    return a, b


def _transform(data: bytes, words: tuple[int, ...], *, sbox: bytes) -> bytes:
    if len(data) % BLOCK:
        raise Gost28147Error("the text is not whole blocks")
    result = []
    for a, b in struct.iter_unpack("<2I", data):
        after_a, after_b = _rounds(words, a, b, sbox=sbox)
        result.append(struct.pack("<2I", after_b, after_a))
    return b"".join(result)


def ecb_encrypt(data: bytes, key: bytes, *, sbox: bytes = DKE_1) -> bytes:
    """Whole blocks encrypted one by one. Raises: Gost28147Error."""
    words = key_words(key)
    return _transform(data, words * 3 + words[::-1], sbox=sbox)


def ecb_decrypt(data: bytes, key: bytes, *, sbox: bytes = DKE_1) -> bytes:
    """Whole blocks decrypted one by one. Raises: Gost28147Error."""
    words = key_words(key)
    return _transform(data, words + words[::-1] * 3, sbox=sbox)


def cfb_encrypt(data: bytes, key: bytes, *, iv: bytes, sbox: bytes = DKE_1) -> bytes:
    """Text of any length encrypted with cipher feedback. Raises: Gost28147Error."""
    return _cfb(data, key, iv=iv, sbox=sbox, decrypt=False)


def cfb_decrypt(data: bytes, key: bytes, *, iv: bytes, sbox: bytes = DKE_1) -> bytes:
    """Text of any length decrypted with cipher feedback. Raises: Gost28147Error."""
    return _cfb(data, key, iv=iv, sbox=sbox, decrypt=True)


def _cfb(data: bytes, key: bytes, *, iv: bytes, sbox: bytes, decrypt: bool) -> bytes:
    if len(iv) != BLOCK:
        raise Gost28147Error("an initialisation vector has 8 octets")
    words = key_words(key)
    schedule = words * 3 + words[::-1]
    result = []
    feedback = iv
    for start in range(0, len(data), BLOCK):
        block = data[start : start + BLOCK]
        gamma = _transform(feedback, schedule, sbox=sbox)
        mixed = bytes(left ^ right for left, right in zip(block, gamma, strict=False))
        feedback = block if decrypt else mixed
        result.append(mixed)
    return b"".join(result)


def mac(data: bytes, key: bytes, *, sbox: bytes = DKE_1) -> bytes:
    """The four-octet MAC of the text, the last block padded with zeros. Raises: Gost28147Error."""
    words = key_words(key) * 2
    padded = data + bytes(-len(data) % BLOCK)
    a = b = 0
    for left, right in struct.iter_unpack("<2I", padded):
        a, b = _rounds(words, a ^ left, b ^ right, sbox=sbox)
    return struct.pack("<I", a)
