"""Reading the log and the documents: streams, pages of the feed, stored bytes."""

from __future__ import annotations

import hashlib
import zlib
from uuid import UUID

from eventsourcing.persistence import StoredEvent

from domain.errors import IntegrityFault, NotFound
from domain.ports import DocumentRef
from infra.event_store.arrays import bigints, smallints
from infra.event_store.feed import Cursor, FeedEvent, Page, shares
from infra.event_store.saves import StoredSnapshot
from infra.postgres import Connection

_TAIL = """
    SELECT version, topic, state FROM events
    WHERE shard = %s AND stream_id = %s AND version > %s ORDER BY version
"""
_SNAPSHOT = "SELECT version, topic, shape, state FROM snapshots WHERE shard = %s AND stream_id = %s"
_HEADS = "SELECT position FROM heads ORDER BY shard"
_PAGE = """
    SELECT e.shard, e.position, e.stream_id, e.version, e.topic, e.state
    FROM unnest(%s, %s, %s) AS s (shard, after, most)
    CROSS JOIN LATERAL (
        SELECT * FROM events
        WHERE shard = s.shard AND position > s.after AND position <= s.after + s.most
        ORDER BY position
    ) AS e
    ORDER BY e.shard, e.position
"""
_DOCUMENT = """
    SELECT sha256, content FROM documents
    WHERE shard = %s AND month = %s AND document_id = %s AND kind = %s
"""


def read_snapshot(connection: Connection, *, shard: int, stream_id: UUID) -> StoredSnapshot | None:
    """Return the newest snapshot of a stream, if it has one."""
    found = connection.execute(_SNAPSHOT, [shard, stream_id], binary=True).fetchone()
    return None if found is None else StoredSnapshot(stream_id, *found)


def read_tail(
    connection: Connection, *, shard: int, stream_id: UUID, after: int
) -> list[StoredEvent]:
    """Return a stream's events after a version, in order."""
    rows = connection.execute(_TAIL, [shard, stream_id, after], binary=True)
    return [StoredEvent(stream_id, version, topic, state) for version, topic, state in rows]


def read_stream(
    connection: Connection, *, shard: int, stream_id: UUID, shape: str
) -> tuple[StoredSnapshot | None, list[StoredEvent]]:
    """Return what a stream is replayed from: its snapshot, if it has one of this shape, and the events after it."""
    snapshot = read_snapshot(connection, shard=shard, stream_id=stream_id)
    if snapshot is not None and snapshot.shape != shape:
        snapshot = None
    after = 0 if snapshot is None else snapshot.version
    return snapshot, read_tail(connection, shard=shard, stream_id=stream_id, after=after)


def read_heads(connection: Connection) -> Cursor:
    """Return the end of the log."""
    return Cursor(tuple(row[0] for row in connection.execute(_HEADS, binary=True)))


def read_page(
    connection: Connection, cursor: Cursor, limit: int, *, until: Cursor | None = None
) -> Page:
    """Return at most `limit` events after a cursor: one read of the heads, one of the events.

    `until`, a place the log has reached, stands for its end.
    """
    heads = read_heads(connection) if until is None else until
    behind = {
        shard: head - seen
        for shard, (head, seen) in enumerate(zip(heads.positions, cursor.positions, strict=True))
        if head > seen
    }
    if not behind:
        return Page((), cursor)
    given = sorted(shares(behind, limit).items())
    rows = connection.execute(
        _PAGE,
        [
            smallints([shard for shard, _ in given]),
            bigints([cursor.positions[shard] for shard, _ in given]),
            bigints([count for _, count in given]),
        ],
        binary=True,
    )
    events = tuple(map(FeedEvent._make, rows.fetchall()))
    moves = {shard: cursor.positions[shard] + count for shard, count in given}
    return Page(events, cursor.moved(moves))


def read_document(connection: Connection, ref: DocumentRef) -> bytes:
    """Return stored bytes. Raises: NotFound, IntegrityFault when they do not match their hash."""
    found = connection.execute(
        _DOCUMENT, [ref.shard, ref.month, ref.document_id, ref.kind.value], binary=True
    ).fetchone()
    if found is None:
        raise NotFound(what=f"{ref.kind.value} document", id=str(ref.document_id))
    return opened(sha256=found[0], compressed=found[1], place=str(ref.document_id))


def opened(*, sha256: bytes, compressed: bytes, place: str) -> bytes:
    """Return a document's bytes from their stored form. Raises: IntegrityFault."""
    try:
        content = zlib.decompress(compressed)
    except zlib.error:
        raise IntegrityFault(place=f"document {place}", what="bytes cannot be read") from None
    if hashlib.sha256(content).digest() != sha256:
        raise IntegrityFault(place=f"document {place}", what="bytes differ from their hash")
    return content
