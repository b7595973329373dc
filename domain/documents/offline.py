"""What makes a document one of an offline session, and the two documents that begin and end it."""

from __future__ import annotations

from dataclasses import dataclass

from domain.identifiers import OfflineNumber


@dataclass(frozen=True, slots=True)
class OfflineMark:
    """What the head of a document made offline says beside the rest (reference §4.3, §4.4).

    `previous_document_hash` is SHA-256 over the signed bytes of the document before it in the session, 64 lower-case hex
    digits; None for the first two documents of a session.
    """

    fiscal_number: OfflineNumber
    previous_document_hash: str | None = None


@dataclass(frozen=True, slots=True)
class OfflineBegin:
    """Content of document 102. The flag asks the tax service to revoke the last online document (reference §5.7).

    None leaves the element out; False is written, as the official package does.
    """

    revoke_last_online_document: bool | None = None


@dataclass(frozen=True, slots=True)
class OfflineEnd:
    """Content of document 103: there is none beyond the head."""
