"""SHA-256 of documents: what events, stored bytes and tickets are compared by."""

from __future__ import annotations

import hashlib

_AT_ONCE = 2_000


def sha256(content: bytes) -> bytes:
    """Return the SHA-256 of a document.

    Given more than 2,047 bytes at once, hashlib lets the interpreter go for the few microseconds that a document
    takes; among many threads, getting it back takes far longer.
    """
    digest = hashlib.sha256()
    for start in range(0, len(content), _AT_ONCE):
        digest.update(content[start : start + _AT_ONCE])
    return digest.digest()
