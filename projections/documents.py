"""The journal of fiscal documents: each signed attempt to register something, and where its bytes are kept.

Documents that the tax service had and we did not know of appear too; of those we keep no bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import singledispatch
from typing import Any, ClassVar
from uuid import UUID

from psycopg import sql

from domain.documents.shift import DocumentKind
from domain.errors import NotFound
from domain.ledger.base import document_ref
from domain.ports import DocumentRef, StoredKind
from domain.register import events
from infra.event_store.feed import FeedEvent
from infra.postgres import Connection
from projections.projection import Projection
from projections.standing import (
    SHIFT_CHANGES,
    Standing,
    adopted_document_id,
    adopted_shift_id,
    load_standings,
    standings_table,
    topics_of,
    whole,
)
from projections.tables import Table
from projections.view import SCHEMA, RowPage, View, Where

# --- what is read ---------------------------------------------------------------------------------


class DocumentState(StrEnum):
    """Where a document stands: signed and on its way, or how that ended."""

    SIGNED = "signed"
    UNKNOWN = "unknown"
    REGISTERED = "registered"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """One fiscal document. `subject_id` is what it registers: a receipt, a Z-report, a shift, a closing.

    `reason`: why an attempt ended, why the outcome is unknown, why it was withdrawn. `attempts` counts how often it
    was about to be sent. `version` is the register's, when the document came to be: it orders documents of one register
    even within a second. `learned` is how we know that it is registered: `ticket`, `inquiry` or `adoption`.
    """

    document_id: UUID
    register_id: UUID
    company_id: UUID
    business_unit_id: UUID
    shift_id: UUID | None
    subject_id: UUID | None
    kind: DocumentKind
    state: DocumentState
    adopted: bool
    local_number: int
    document_at: datetime
    version: int
    fiscal_number: str | None = None
    server_time: datetime | None = None
    learned: str | None = None
    attempts: int = 0
    reason: str | None = None
    refusal_code: int | None = None
    refusal_text: str | None = None
    key_id: str | None = None
    xml_sha256: str | None = None
    signed_sha256: str | None = None
    stamped_sha256: str | None = None
    ticket_sha256: str | None = None

    @property
    def bytes_kept(self) -> tuple[DocumentRef, ...]:
        """Where its bytes are kept: what was signed, what was sent, the ticket; none of an adopted one."""
        hashes = {
            StoredKind.SIGNED: self.signed_sha256,
            StoredKind.STAMPED: self.stamped_sha256,
            StoredKind.TICKET: self.ticket_sha256,
        }
        return tuple(
            document_ref(
                self.register_id, document_id=self.document_id, at=self.document_at, kind=kind
            )
            for kind, digest in hashes.items()
            if digest is not None
        )


class DocumentsView(View):
    """Reads fiscal documents, newest first."""

    PROJECTION: ClassVar[str] = "documents"

    def get(self, document_id: UUID) -> DocumentRow:
        """Return one document. Raises: NotFound."""
        where = Where()
        where.equal("document_id", document_id)
        found = self._read(where, limit=1)
        if not found:
            raise NotFound(what="document", id=str(document_id))
        return found[0]

    def of_subject(self, subject_id: UUID) -> tuple[DocumentRow, ...]:
        """Return every document made for a receipt or report, oldest first."""
        where = Where()
        where.equal("subject_id", subject_id)
        return tuple(sorted(self._read(where, limit=1_000), key=lambda row: row.version))

    def search(
        self,
        *,
        register_id: UUID | None = None,
        shift_id: UUID | None = None,
        kind: DocumentKind | None = None,
        state: DocumentState | None = None,
        local_number: int | None = None,
        fiscal_number: str | None = None,
        limit: int = 50,
        after: str | None = None,
    ) -> RowPage[DocumentRow]:
        """Return a page of documents; `after` is the `next` of the page before. Raises: InvalidField."""
        where = Where()
        where.equal("register_id", register_id)
        where.equal("shift_id", shift_id)
        where.equal("kind", kind)
        where.equal("state", state)
        where.equal("local_number", local_number)
        where.equal("fiscal_number", fiscal_number)
        return self._page(
            self._read, where, order=("document_at", "document_id"), limit=limit, after=after
        )

    def _read(self, where: Where, limit: int) -> list[DocumentRow]:
        query = sql.SQL(
            "SELECT {} FROM {}{} ORDER BY document_at DESC, document_id DESC LIMIT %s"
        ).format(_DOCUMENTS.columns(), sql.Identifier(SCHEMA, _DOCUMENTS.name), where.clause)
        with self._rows() as rows:
            return [_DOCUMENTS.row(row) for row in rows.execute(query, [*where.values, limit])]


# --- what is written ------------------------------------------------------------------------------

_STANDINGS = standings_table("documents_standings")
_DOCUMENTS = Table("documents", DocumentRow, key=("document_id",))


class DocumentsProjection(Projection):
    """Keeps one row a document."""

    NAME: ClassVar[str] = "documents"
    TOPICS: ClassVar[frozenset[str]] = topics_of(SHIFT_CHANGES) | {
        event.TOPIC
        for event in (
            events.DocumentSigned,
            events.AttemptBegun,
            events.AttemptEnded,
            events.OutcomeUnknown,
            events.DocumentAbsent,
            events.DocumentRegistered,
            events.DocumentRefused,
            events.DocumentWithdrawn,
        )
    }
    TABLES: ClassVar[dict[str, str]] = {"documents_standings": "", "documents": ""}

    def write(self, connection: Connection, page: Sequence[FeedEvent]) -> None:
        """Bring the documents that a page of events is about up to date."""
        standings = load_standings(connection, self.schema, _STANDINGS, page, SHIFT_CHANGES)
        ids = {_document_id(stored.event) for stored in page}
        documents = _DOCUMENTS.load(connection, self.schema, ids - {None})
        for standing, event in standings.follow(whole(page)):
            document_id = _document_id(event)
            if document_id is not None:
                documents.put(_after(event, documents.get(document_id), standing))
        _STANDINGS.save(connection, self.schema, standings.rows)
        _DOCUMENTS.save(connection, self.schema, documents)


def _document_id(event: Any) -> UUID | None:
    if isinstance(event, events.DocumentAdopted):
        return adopted_document_id(event)
    return getattr(event, "document_id", None)


def _after(event: Any, before: DocumentRow | None, standing: Standing) -> DocumentRow:
    """Return a document after an event about it."""
    if isinstance(event, events.DocumentSigned):
        return _signed(event, standing)
    if isinstance(event, events.DocumentAdopted):
        return _adopted(event, before, standing)
    assert before is not None, f"document {event.document_id} was never signed"
    return _changed(event, before)


def _signed(event: events.DocumentSigned, standing: Standing) -> DocumentRow:
    return DocumentRow(
        document_id=event.document_id,
        register_id=standing.register_id,
        company_id=standing.company_id,
        business_unit_id=standing.business_unit_id,
        shift_id=standing.shift_id,
        subject_id=event.subject_id,
        kind=event.kind,
        state=DocumentState.SIGNED,
        adopted=False,
        local_number=event.local_number,
        document_at=event.at,
        version=event.originator_version,
        key_id=event.key_id,
        xml_sha256=event.xml_sha256,
        signed_sha256=event.signed_sha256,
    )


def _adopted(
    event: events.DocumentAdopted, before: DocumentRow | None, standing: Standing
) -> DocumentRow:
    """Return an adopted document; one that we signed and gave up keeps its time, by which its bytes are found."""
    row = before or DocumentRow(
        document_id=adopted_document_id(event),
        register_id=standing.register_id,
        company_id=standing.company_id,
        business_unit_id=standing.business_unit_id,
        shift_id=None,
        subject_id=None,
        kind=event.kind,
        state=DocumentState.REGISTERED,
        adopted=True,
        local_number=event.local_number,
        document_at=event.at,
        version=event.originator_version,
    )
    foreign = None if event.receipt is None else event.receipt.receipt_id
    return replace(
        row,
        shift_id=adopted_shift_id(standing, event),
        subject_id=event.subject_id or row.subject_id or foreign,
        state=DocumentState.REGISTERED,
        adopted=True,
        local_number=event.local_number,
        fiscal_number=event.fiscal_number,
        learned="adoption",
        reason=None,
    )


@singledispatch
def _changed(event: object, row: DocumentRow) -> DocumentRow:
    raise NotImplementedError(f"no rule for {type(event).__name__}")


@_changed.register
def _(event: events.AttemptBegun, row: DocumentRow) -> DocumentRow:
    return replace(row, attempts=event.attempt, stamped_sha256=event.stamped_sha256, reason=None)


@_changed.register
def _(event: events.AttemptEnded, row: DocumentRow) -> DocumentRow:
    return replace(row, reason=event.reason)


@_changed.register
def _(event: events.OutcomeUnknown, row: DocumentRow) -> DocumentRow:
    return replace(row, state=DocumentState.UNKNOWN, reason=event.reason)


@_changed.register
def _(event: events.DocumentAbsent, row: DocumentRow) -> DocumentRow:
    return replace(row, state=DocumentState.SIGNED, reason=None)


@_changed.register
def _(event: events.DocumentWithdrawn, row: DocumentRow) -> DocumentRow:
    return replace(row, state=DocumentState.WITHDRAWN, reason=event.reason)


@_changed.register
def _(event: events.DocumentRefused, row: DocumentRow) -> DocumentRow:
    return replace(
        row,
        state=DocumentState.REFUSED,
        reason=None,
        refusal_code=event.server_code,
        refusal_text=event.text,
    )


@_changed.register
def _(event: events.DocumentRegistered, row: DocumentRow) -> DocumentRow:
    return replace(
        row,
        state=DocumentState.REGISTERED,
        fiscal_number=event.fiscal_number,
        server_time=event.server_time,
        learned=event.learned,
        ticket_sha256=event.ticket_sha256,
        reason=None,
    )
