"""The package of an offline session: signed documents one after another, each behind its length (reference §5.6).

There is no header, no count and no end mark. The bytes are signed once more before they are sent.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from typing import Any

from domain.answers import NextOfflineSession, PackageAnswer
from domain.errors import DocumentTooLarge, PackageRefused, Refused
from infra.fiscal_server.answers import decoded, refusal_in_json, refusal_in_text
from infra.fiscal_server.commands import json_object, not_understood, read_reply
from infra.fiscal_server.replies import PackageReply
from infra.fiscal_server.tickets import session_in_ticket

MOST_DOCUMENTS = 100
"""Documents of one package (reference §5.6)."""

MOST_BYTES = 200_000
"""Length of a package before it is signed: the signature around it has to fit into the 200 KB of a message too."""

_LENGTH = struct.Struct("<I")
_PATH = "/pck"
_IN_PACKAGE = re.compile(r"за №\s*(\d+)\s+в пакеті,\s*дислокація\s+(\d+)")


def frame(documents: Sequence[bytes]) -> bytes:
    """Return the package of signed documents, which stand in the order of their local numbers."""
    return b"".join(part for each in documents for part in (_LENGTH.pack(len(each)), each))


def split(
    documents: Sequence[bytes],
    *,
    most_documents: int = MOST_DOCUMENTS,
    most_bytes: int = MOST_BYTES,
) -> tuple[tuple[bytes, ...], ...]:
    """Return the documents in their order, as the contents of as few packages as take them.

    Raises: DocumentTooLarge for one that alone is longer than a package may be; its `index` is in `documents`.
    """
    packages: list[tuple[bytes, ...]] = []
    content: list[bytes] = []
    size = 0
    for index, document in enumerate(documents):
        needed = _LENGTH.size + len(document)
        if needed > most_bytes:
            raise DocumentTooLarge(index=index, size_bytes=needed, most_bytes=most_bytes)
        if len(content) == most_documents or (content and size + needed > most_bytes):
            packages.append(tuple(content))
            content, size = [], 0
        content.append(document)
        size += needed
    if content:
        packages.append(tuple(content))
    return tuple(packages)


def read_package_answer(content: bytes, *, raw: bytes) -> PackageAnswer:
    """Return what the service says to a package: `OK`, a JSON object, or a ticket (reference §1.2, question 3).

    `content` is what was signed where `raw`, the body, is a signed message. Raises: Refused; Unreachable when it is none
    of these; IntegrityFault for a ticket that cannot be read.
    """
    refusal = refusal_in_text(content)
    if refusal is not None:
        raise refusal
    text = decoded(content).strip().strip('"').strip()
    if text.upper() == "OK":
        return PackageAnswer(next_session=None, raw=raw)
    if "<TICKET" in text:
        return PackageAnswer(_session(*session_in_ticket(content), place=_PATH), raw=raw)
    fields = json_object(content)
    if fields is None:
        raise not_understood(_PATH)
    refusal = refusal_in_json(fields)
    if refusal is not None:
        raise refusal
    if not {"OfflineSessionId", "ErrorCode"} & fields.keys():
        # JSON of somebody on the way: the service's own has at least one of these.
        raise not_understood(_PATH)
    return PackageAnswer(next_session(fields, command=_PATH), raw=raw)


def next_session(fields: dict[str, Any], *, command: str) -> NextOfflineSession | None:
    """Return the next session in the JSON answer to a package; None where it ended none. Raises: Unreachable."""
    reply = read_reply(PackageReply, fields, command=command)
    return _session(reply.offline_session_id, reply.offline_seed, place=command)


def _session(session_id: str | None, seed: str | None, *, place: str) -> NextOfflineSession | None:
    if session_id and seed:
        return NextOfflineSession(session_id=session_id, seed=seed)
    if session_id or seed:
        raise not_understood(place, "a session without its seed, or the reverse")
    return None


def package_refused(refusal: Refused) -> PackageRefused:
    """Return the refusal as one of a package, with the document that its text names (reference §5.8)."""
    found = _IN_PACKAGE.search(refusal.text)
    return PackageRefused(
        server_code=refusal.server_code,
        name=refusal.name,
        text=refusal.text,
        index=None if found is None else int(found[1]),
        offset=None if found is None else int(found[2]),
    )
