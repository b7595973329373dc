"""Verification: everything stored is recomputed, and the first place where it does not hold is named.

1. Each stream's versions run from 1 without a gap, and each event's chain value follows from the one before it.
2. Each shard's positions run from 1 to its head without a gap.
3. Each document's bytes have the SHA-256 stored beside them.
4. Each hash of a document in a register's events is the hash of the bytes stored under that name.

Only the log and the documents are looked at: projections and snapshots are made from them and judge nothing. One shard
is read in one snapshot of the database, so appends may go on meanwhile.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

from eventsourcing.persistence import MapperDeserialisationError, StoredEvent

from domain.clock import fiscal_day
from domain.ports import StoredKind
from domain.register.events import (
    AttemptBegun,
    DocumentAdopted,
    DocumentRegistered,
    DocumentSigned,
)
from infra.event_store import chain
from infra.event_store.arrays import dates, texts, uuids
from infra.event_store.codec import LedgerMapper
from infra.postgres import Connection

Progress = Callable[[str, int, int], None]
"""Is told what is looked at (`events`, `documents`), how many were so far, and how many there are."""

_ROWS_AT_ONCE = 2_000
_HASHES_AT_ONCE = 1_000

_EVENTS = """
    SELECT stream_id, version, position, topic, chain, state FROM events
    WHERE shard = %s ORDER BY stream_id, version
"""
_DOCUMENTS = """
    SELECT document_id, kind, sha256, content FROM documents
    WHERE shard = %s ORDER BY month, document_id, kind
"""
_POSITIONS = "SELECT count(*), coalesce(max(position), 0) FROM events WHERE shard = %s"
_FIRST_GAP = """
    SELECT n FROM (
        SELECT position, row_number() OVER (ORDER BY position) AS n FROM events WHERE shard = %s
    ) AS numbered WHERE position <> n ORDER BY n LIMIT 1
"""
_STORED_HASHES = """
    SELECT asked.n, documents.sha256
    FROM unnest(%s, %s, %s) WITH ORDINALITY AS asked (month, document_id, kind, n)
    JOIN documents ON documents.shard = %s AND documents.month = asked.month
        AND documents.document_id = asked.document_id AND documents.kind = asked.kind
"""
_STORED_HASH = "SELECT sha256 FROM documents WHERE shard = %s AND document_id = %s AND kind = %s"


@dataclass(frozen=True, slots=True)
class Break:
    """A place where what is stored does not hold.

    An event is named by stream, version and position; a document by its id and kind, with the event that names it
    where there is one; a shard's positions by the shard and the first position that is wrong.
    """

    what: str
    shard: int
    stream_id: UUID | None = None
    version: int | None = None
    position: int | None = None
    document_id: UUID | None = None
    kind: str | None = None

    def __str__(self) -> str:
        """Return the break as a sentence."""
        places = [
            f"{self.kind} document {self.document_id}" if self.document_id else "",
            f"stream {self.stream_id} version {self.version}" if self.stream_id else "",
            f"shard {self.shard}" + (f" position {self.position}" if self.position else ""),
        ]
        return f"{', '.join(place for place in places if place)}: {self.what}"


@dataclass(frozen=True, slots=True)
class _Row:
    stream_id: UUID
    version: int
    position: int
    topic: str
    chain: bytes
    state: bytes


@dataclass(frozen=True, slots=True)
class _Named:
    """A hash that an event states of a document's bytes; `month` is None where the stream does not tell it."""

    row: _Row
    document_id: UUID
    kind: StoredKind
    sha256: str
    month: date | None


@dataclass(frozen=True, slots=True)
class _Signed:
    """The newest signing of a stream: later events of its document do not repeat the month."""

    document_id: UUID
    month: date


def verify(connection: Connection, progress: Progress | None = None) -> list[Break]:
    """Return every break found: at most one for each stream, document name and shard; empty when all holds.

    `connection` is an autocommit one of the application's role or the owner's. Memory does not grow with the log.
    Raises: psycopg.Error.
    """
    return _Verification(connection, progress or (lambda *_: None)).run()


class _Verification:
    def __init__(self, connection: Connection, progress: Progress) -> None:
        self._connection = connection
        self._progress = progress
        self._mapper = LedgerMapper()
        self._breaks: list[Break] = []
        self._broken_documents: set[tuple[UUID, str]] = set()
        self._events = 0
        self._documents = 0

    def run(self) -> list[Break]:
        heads = self._connection.execute("SELECT shard, position FROM heads ORDER BY shard")
        shards = heads.fetchall()
        self._all_events = sum(position for _, position in shards)
        self._all_documents = self._one("SELECT count(*) FROM documents")
        self._tell()
        for shard, _ in shards:
            with self._connection.transaction():
                self._connection.execute(
                    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
                )
                # Whoever shows the progress may take its time.
                self._connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
                self._check_positions(shard)
                self._check_streams(shard)
                self._check_documents(shard)
        self._tell()
        return self._breaks

    def _one(self, query: str, *values: object) -> Any:
        found = self._connection.execute(query.encode(), values).fetchone()
        return None if found is None else found[0]

    def _tell(self) -> None:
        self._progress("events", self._events, max(self._events, self._all_events))
        self._progress("documents", self._documents, max(self._documents, self._all_documents))

    def _rows(self, query: str, shard: int) -> Iterator[tuple[Any, ...]]:
        with self._connection.cursor("verify", binary=True) as cursor:
            cursor.itersize = _ROWS_AT_ONCE
            cursor.execute(query.encode(), [shard])
            yield from cursor

    # --- the log -----------------------------------------------------------------------------------------------

    def _check_positions(self, shard: int) -> None:
        head = self._one("SELECT position FROM heads WHERE shard = %s", shard)
        found = self._connection.execute(_POSITIONS, [shard]).fetchone()
        if found == (head, head):
            return
        count, last = found or (0, 0)
        gap = self._one(_FIRST_GAP, shard)
        if gap is not None:
            self._breaks.append(Break("an event is missing", shard, position=gap))
        else:
            self._breaks.append(
                Break(
                    f"the head says {head}, the log ends at {last}",
                    shard,
                    position=min(head, count) + 1,
                )
            )

    def _check_streams(self, shard: int) -> None:
        named: list[_Named] = []
        rows = (_Row(*row) for row in self._rows(_EVENTS, shard))
        for _, stream in groupby(rows, key=lambda row: row.stream_id):
            for name in self._check_stream(shard, stream):
                named.append(name)
                if len(named) >= _HASHES_AT_ONCE:
                    self._check_names(shard, named)
                    named = []
        self._check_names(shard, named)

    def _check_stream(self, shard: int, stream: Iterator[_Row]) -> Iterator[_Named]:
        """Check a stream up to its first break; give the hashes that its sound events state of documents."""
        version, value = 0, b""
        signed: _Signed | None = None
        sound = True
        for row in stream:
            self._events += 1
            if self._events % _ROWS_AT_ONCE == 0:
                self._tell()
            if not sound:
                continue
            value = value or chain.origin(row.stream_id)
            value = chain.link(value, topic=row.topic, version=row.version, state=row.state)
            version += 1
            what = None
            if row.version != version:
                what = f"version {version} is missing"
            elif row.chain != value:
                what = "the event, or one before it, is not what was recorded"
            elif row.topic in _STATES_A_HASH:
                event = self._decoded(row)
                if isinstance(event, DocumentSigned):
                    signed = _Signed(event.document_id, _month(event.at))
                if event is None:
                    what = "the event cannot be read"
                else:
                    yield from _names(row, event, signed)
            if what is not None:
                sound = False
                self._breaks.append(Break(what, shard, row.stream_id, row.version, row.position))

    def _decoded(self, row: _Row) -> Any:
        stored = StoredEvent(row.stream_id, row.version, row.topic, row.state)
        try:
            return self._mapper.to_domain_event(stored)
        except MapperDeserialisationError:
            return None

    # --- documents ---------------------------------------------------------------------------------------------

    def _check_names(self, shard: int, named: list[_Named]) -> None:
        """Compare the hashes that events state with those of the stored documents."""
        dated = [(name, name.month) for name in named if name.month is not None]
        if dated:
            self._check_dated(shard, dated)
        for name in named:
            if name.month is None:
                digest = self._one(_STORED_HASH, shard, name.document_id, name.kind.value)
                self._check_name(shard, name, digest)

    def _check_dated(self, shard: int, dated: list[tuple[_Named, date]]) -> None:
        found = self._connection.execute(
            _STORED_HASHES,
            [
                dates([month for _, month in dated]),
                uuids([name.document_id for name, _ in dated]),
                texts([name.kind.value for name, _ in dated]),
                shard,
            ],
            binary=True,
        )
        stored = {number - 1: digest for number, digest in found}
        for number, (name, _) in enumerate(dated):
            self._check_name(shard, name, stored.get(number))

    def _check_name(self, shard: int, name: _Named, digest: bytes | None) -> None:
        if digest is None:
            what = "the event names it, but it is missing"
        elif digest.hex() != name.sha256:
            what = "the event names other bytes"
        else:
            return
        row = name.row
        event = (row.stream_id, row.version, row.position)
        self._break_document(Break(what, shard, *event, name.document_id, name.kind.value))

    def _check_documents(self, shard: int) -> None:
        for document_id, kind, sha256, content in self._rows(_DOCUMENTS, shard):
            self._documents += 1
            if self._documents % _ROWS_AT_ONCE == 0:
                self._tell()
            what = None
            try:
                if hashlib.sha256(zlib.decompress(content)).digest() != sha256:
                    what = "the bytes differ from their hash"
            except zlib.error:
                what = "the bytes cannot be read"
            if what is not None:
                self._break_document(Break(what, shard, document_id=document_id, kind=kind))

    def _break_document(self, found: Break) -> None:
        """Report a document once, however many events name it."""
        assert found.document_id is not None
        assert found.kind is not None
        if (found.document_id, found.kind) not in self._broken_documents:
            self._broken_documents.add((found.document_id, found.kind))
            self._breaks.append(found)


_STATES_A_HASH = frozenset(
    event.TOPIC for event in (DocumentSigned, AttemptBegun, DocumentRegistered, DocumentAdopted)
)
"""Events that state the hash of stored bytes."""


def _names(row: _Row, event: Any, signed: _Signed | None) -> Iterator[_Named]:
    """Give the document whose hash an event states, if it states one; `signed` is the stream's newest signing."""
    if isinstance(event, DocumentAdopted):
        document_id, month = _adopted_id(event.uid), _month(event.at)
        yield _Named(row, document_id, StoredKind.ADOPTED, event.xml_sha256, month)
        return
    if isinstance(event, DocumentSigned):
        kind, sha256 = StoredKind.SIGNED, event.signed_sha256
    elif isinstance(event, AttemptBegun):
        kind, sha256 = StoredKind.STAMPED, event.stamped_sha256
    elif event.ticket_sha256 is None:
        return
    else:
        kind, sha256 = StoredKind.TICKET, event.ticket_sha256
    known = signed is not None and signed.document_id == event.document_id
    yield _Named(row, event.document_id, kind, sha256, signed.month if signed and known else None)


def _adopted_id(uid: str) -> UUID:
    """Return the id that an adopted document is stored under; see `AdoptedDocument`."""
    try:
        return UUID(uid)
    except ValueError:
        return uuid5(NAMESPACE_OID, uid)


def _month(moment: datetime) -> date:
    return fiscal_day(moment).replace(day=1)
