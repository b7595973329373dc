"""Kalyna (ДСТУ 7624:2014) with blocks and keys of 256 bits, in CBC, for the newest key files.

Fourteen rounds; the first and last round keys are added modulo 2^64, the others xored. Only a few
dozen blocks per key file are ever processed, so this stays plain Python.

Not constant-time: look-ups depend on the data (docs/constant-time.md).
"""

import struct
from functools import lru_cache
from typing import Final

from infra.signing.dstu7624_tables import forward_tables, inverse_mixing_tables, inverse_sboxes

BLOCK: Final = 32
KEY_OCTETS: Final = 32
_COLUMNS: Final = 4
_ROUNDS: Final = 14
_MASK: Final = (1 << 64) - 1
_ROTATED_OCTETS: Final = 2 * _COLUMNS + 3
_SHIFTS: Final = (0, 0, 1, 1, 2, 2, 3, 3)
"""By how many columns each row moves."""

_Words = tuple[int, ...]


class KalynaError(ValueError):
    """The key, initialisation vector or text has an impossible length, or the padding is wrong."""


def cbc_encrypt(data: bytes, key: bytes, *, iv: bytes) -> bytes:
    """CBC with padding of 1 to 32 octets, each its count. Raises: KalynaError."""
    keys = _keys_for(key, iv)
    fill = BLOCK - len(data) % BLOCK
    previous = iv
    result = []
    for start in range(0, len(data) + fill, BLOCK):
        block = data[start : start + BLOCK].ljust(BLOCK, bytes([fill]))
        previous = _encrypt(_xor(block, previous), keys)
        result.append(previous)
    return b"".join(result)


def cbc_decrypt(data: bytes, key: bytes, *, iv: bytes) -> bytes:
    """The plain text without its padding. Raises: KalynaError, also for wrong padding."""
    keys = _keys_for(key, iv)
    if not data or len(data) % BLOCK:
        raise KalynaError("the text is not whole blocks")
    previous = iv
    result = []
    for start in range(0, len(data), BLOCK):
        block = data[start : start + BLOCK]
        result.append(_xor(_decrypt(block, keys), previous))
        previous = block
    plain = b"".join(result)
    fill = plain[-1]
    if not 1 <= fill <= BLOCK or plain[-fill:] != bytes([fill]) * fill:
        raise KalynaError("wrong padding")
    return plain[:-fill]


def encrypt_block(block: bytes, key: bytes) -> bytes:
    """One block of 32 octets. Raises: KalynaError."""
    if len(block) != BLOCK:
        raise KalynaError("a block has 32 octets")
    return _encrypt(block, _keys_for(key, bytes(BLOCK)))


def decrypt_block(block: bytes, key: bytes) -> bytes:
    """One block of 32 octets. Raises: KalynaError."""
    if len(block) != BLOCK:
        raise KalynaError("a block has 32 octets")
    return _decrypt(block, _keys_for(key, bytes(BLOCK)))


def _keys_for(key: bytes, iv: bytes) -> list[_Words]:
    if len(key) != KEY_OCTETS:
        raise KalynaError("a key has 32 octets")
    if len(iv) != BLOCK:
        raise KalynaError("an initialisation vector has 32 octets")
    return _round_keys(key)


def _xor(left: bytes, right: bytes) -> bytes:
    mixed = int.from_bytes(left, "little") ^ int.from_bytes(right, "little")
    return mixed.to_bytes(BLOCK, "little")


def _load(octets: bytes) -> _Words:
    return struct.unpack("<4Q", octets)


def _add(left: _Words, right: _Words) -> _Words:
    return tuple(a + b & _MASK for a, b in zip(left, right, strict=True))


def _subtract(left: _Words, right: _Words) -> _Words:
    return tuple(a - b & _MASK for a, b in zip(left, right, strict=True))


def _mix_in(left: _Words, right: _Words) -> _Words:
    return tuple(a ^ b for a, b in zip(left, right, strict=True))


def _round(state: _Words) -> _Words:
    """Substitution, shifting of rows, mixing of columns; negative indexes wrap around."""
    tables = forward_tables()
    result = []
    for column in range(_COLUMNS):
        word = 0
        for row, shift in enumerate(_SHIFTS):
            word ^= tables[row][state[column - shift] >> 8 * row & 255]
        result.append(word)
    return tuple(result)


def _inverse_round(state: _Words) -> _Words:
    tables, boxes = inverse_mixing_tables(), inverse_sboxes()
    mixed = []
    for word in state:
        unmixed = 0
        for row in range(8):
            unmixed ^= tables[row][word >> 8 * row & 255]
        mixed.append(unmixed)
    result = []
    for column in range(_COLUMNS):
        word = 0
        for row, shift in enumerate(_SHIFTS):
            octet = mixed[(column + shift) % _COLUMNS] >> 8 * row & 255
            word |= boxes[row % 4][octet] << 8 * row
        result.append(word)
    return tuple(result)


def _encrypt(block: bytes, keys: list[_Words]) -> bytes:
    state = _add(_load(block), keys[0])
    for number in range(1, _ROUNDS):
        state = _mix_in(_round(state), keys[number])
    return struct.pack("<4Q", *_add(_round(state), keys[_ROUNDS]))


def _decrypt(block: bytes, keys: list[_Words]) -> bytes:
    state = _subtract(_load(block), keys[_ROUNDS])
    for number in range(_ROUNDS - 1, 0, -1):
        state = _mix_in(_inverse_round(state), keys[number])
    return struct.pack("<4Q", *_subtract(_inverse_round(state), keys[0]))


@lru_cache(maxsize=1)
def _modifiers() -> tuple[_Words, ...]:
    """The constants of the even round keys: 0x00010001… in every word, doubled each time."""
    word = 0x0001000100010001
    return tuple((word << step & _MASK,) * _COLUMNS for step in range(_ROUNDS // 2 + 1))


def _round_keys(key: bytes) -> list[_Words]:
    """All fifteen: even ones from the key, each odd one the even one before it rotated."""
    words = _load(key)
    state: _Words = ((2 * BLOCK * 8 + 64) // 64, 0, 0, 0)
    state = _round(_add(state, words))
    state = _round(_mix_in(state, words))
    intermediate = _round(_add(state, words))
    keys: list[_Words] = []
    for modifier in _modifiers():
        modified = _add(intermediate, modifier)
        state = _round(_add(words, modified))
        state = _round(_mix_in(state, modified))
        even = _add(state, modified)
        octets = struct.pack("<4Q", *even)
        keys.append(even)
        keys.append(_load(octets[_ROTATED_OCTETS:] + octets[:_ROTATED_OCTETS]))
        words = words[1:] + words[:1]
    return keys[: _ROUNDS + 1]
