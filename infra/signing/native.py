"""The optional compiled hashes, loaded by ctypes after a self-test; see infra/signing/build.py.

ctypes releases the interpreter lock during a call, so a slow key derivation in one thread does not
hold up the others.
"""

import ctypes
from functools import lru_cache
from pathlib import Path
from typing import Final

from infra.signing import build, gost28147
from infra.signing.dstu7624_tables import forward_tables

_POINTER: Final = ctypes.c_void_p
_BYTES: Final = ctypes.c_char_p
_SIZE: Final = ctypes.c_size_t
_COUNT: Final = ctypes.c_uint32

_ARGUMENTS: Final[dict[str, tuple[object, ...]]] = {
    "fiscal_gost34311": (_POINTER, _BYTES, _SIZE, _POINTER),
    "fiscal_gost34311_repeat": (_POINTER, _BYTES, _SIZE, _COUNT, _POINTER),
    "fiscal_gost34311_pbkdf2": (_POINTER, _BYTES, _BYTES, _BYTES, _COUNT, _POINTER),
    "fiscal_kupyna": (_POINTER, _SIZE, _BYTES, _SIZE, _POINTER),
    "fiscal_kupyna_repeat": (_POINTER, _SIZE, _BYTES, _SIZE, _COUNT, _POINTER),
    "fiscal_kupyna_pbkdf2": (_POINTER, _BYTES, _BYTES, _BYTES, _BYTES, _COUNT, _POINTER),
}


class NativeFault(RuntimeError):
    """The compiled hashes cannot be loaded or give a wrong answer."""


class NativeHashes:
    """The compiled functions. Raises: NativeFault on construction."""

    def __init__(self, path: Path) -> None:
        try:
            library = ctypes.CDLL(str(path))
        except OSError as error:
            raise NativeFault("it cannot be loaded") from error
        for name, arguments in _ARGUMENTS.items():
            function = getattr(library, name, None)
            if function is None:
                raise NativeFault(f"{name} is missing")
            function.restype = None
            function.argtypes = arguments
        self._library = library
        words = [word for table in gost28147.byte_tables(gost28147.DKE_1) for word in table]
        self._sbox = (ctypes.c_uint32 * len(words))(*words)
        columns = [column for table in forward_tables() for column in table]
        self._columns = (ctypes.c_uint64 * len(columns))(*columns)
        self._self_test()

    def gost34311(self, data: bytes) -> bytes:
        """See infra/signing/gost34311.py."""
        out = ctypes.create_string_buffer(32)
        self._library.fiscal_gost34311(self._sbox, data, len(data), out)
        return out.raw

    def gost34311_repeat(self, data: bytes, *, times: int) -> bytes:
        """See infra/signing/gost34311.py."""
        out = ctypes.create_string_buffer(32)
        self._library.fiscal_gost34311_repeat(self._sbox, data, len(data), times, out)
        return out.raw

    def gost34311_pbkdf2(
        self, inner: bytes, outer: bytes, first: bytes, *, iterations: int
    ) -> bytes:
        """The iterations after the first, for the padded keys and U1, 32 octets each."""
        out = ctypes.create_string_buffer(32)
        self._library.fiscal_gost34311_pbkdf2(self._sbox, inner, outer, first, iterations, out)
        return out.raw

    def kupyna(self, data: bytes, *, octets: int) -> bytes:
        """See infra/signing/kupyna.py."""
        out = ctypes.create_string_buffer(octets)
        self._library.fiscal_kupyna(self._columns, octets, data, len(data), out)
        return out.raw

    def kupyna_repeat(self, data: bytes, *, octets: int, times: int) -> bytes:
        """See infra/signing/kupyna.py."""
        out = ctypes.create_string_buffer(octets)
        self._library.fiscal_kupyna_repeat(self._columns, octets, data, len(data), times, out)
        return out.raw

    def kupyna_pbkdf2(
        self, head: bytes, middle: bytes, tail: bytes, first: bytes, *, iterations: int
    ) -> bytes:
        """The iterations after the first, for the padded key, paddings and U1."""
        out = ctypes.create_string_buffer(32)
        self._library.fiscal_kupyna_pbkdf2(
            self._columns, head, middle, tail, first, iterations, out
        )
        return out.raw

    def _self_test(self) -> None:
        fox = b"The quick brown fox jumps over the lazy dog"
        answers = (
            (self.gost34311(fox), _GOST_FOX),
            (self.gost34311_repeat(b"123123", times=10_000), _GOST_REPEATED),
            (self.kupyna(fox, octets=32), _KUPYNA_FOX),
        )
        if any(answer.hex() != expected for answer, expected in answers):
            raise NativeFault("it gives a wrong answer")


_GOST_FOX: Final = "0f1355130b4a820a1e4e3f6474f6bdecc718a4a73345595edc1c1809832b2333"
_GOST_REPEATED: Final = "3709d09a3574045a52ee9ac65d6277282e065abc597ab0330bd275446230b6a6"
_KUPYNA_FOX: Final = "996899f2d7422ceaf552475036b2dc120607eff538abf2b8dff471a98a4740c6"


@lru_cache(maxsize=1)
def _loaded() -> tuple[NativeHashes | None, str]:
    path = build.find_library()
    if path is None:
        return None, "Python (not compiled; `python -m infra.signing.build` does it)"
    try:
        return NativeHashes(path), "compiled C"
    except NativeFault as fault:
        return None, f"Python (the compiled file is not used: {fault})"


def hashes() -> NativeHashes | None:
    """The compiled hashes of this process, or None: then Python does the work."""
    return _loaded()[0]


def description() -> str:
    """Which hashes are in use and why, for a person."""
    return _loaded()[1]
