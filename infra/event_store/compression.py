"""Compression of states and documents: the zlib format, which anything can read, made by the quickest that is there.

ISA-L makes the same format of a receipt's document in little more than half the time; zlib takes and gives back a
quarter of a megabyte for every call, which costs more among several threads. Where ISA-L is not built for a machine, zlib does the work.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable


def _quickest() -> Callable[[bytes], bytes]:
    try:
        from isal import isal_zlib
    except ImportError:
        return compress_by_zlib
    return lambda data: isal_zlib.compress(data, 1)


def compress_by_zlib(data: bytes) -> bytes:
    """Return the zlib form, made by zlib."""
    return zlib.compress(data, 1)


compress = _quickest()
"""Returns the zlib form of bytes. The same bytes may give another form on another machine; it reads the same."""
