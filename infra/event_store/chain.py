"""The event chain: each stored event carries a hash over itself and the whole past of its stream.

    chain(1) = SHA-256(SHA-256(stream id, 16 bytes) ‖ topic ‖ 00 ‖ version ‖ state)
    chain(n) = SHA-256(chain(n − 1) ‖ topic ‖ 00 ‖ version ‖ state)

Topic is UTF-8, version is 8 bytes, highest first, state is the stored bytes. Beginning with the stream's id, a chain
cannot be moved to another stream.
"""

from __future__ import annotations

import hashlib
from uuid import UUID


def origin(stream_id: UUID) -> bytes:
    """Return what stands before the first event of a stream."""
    return hashlib.sha256(stream_id.bytes).digest()


def link(previous: bytes, *, topic: str, version: int, state: bytes) -> bytes:
    """Return the chain value of an event after `previous`; 32 bytes."""
    return hashlib.sha256(
        b"%b%b\0%b%b" % (previous, topic.encode(), version.to_bytes(8, "big"), state)
    ).digest()
