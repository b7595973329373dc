"""The package of an offline session: signed documents one after another, each behind its length (reference §5.6).

There is no header, no count and no end mark. The bytes are signed once more before they are sent.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence

from domain.answers import PackageAnswer
from domain.errors import DocumentTooLarge, IntegrityFault, PackageRefused, Refused
from infra.fiscal_server.answers import decoded, refusal_in_json, refusal_in_text
from infra.fiscal_server.commands import json_object, not_understood, read_reply
from infra.fiscal_server.replies import PackageReply
from infra.fiscal_server.tickets import session_in_ticket

MOST_DOCUMENTS = 100
"""Documents of one package (reference §5.6)."""

MOST_BYTES = 200_000
"""Length of a package before it is signed: the signature around it has to fit into the 200 KB of a message too."""

_LENGTH = struct.Struct("<I")
_PLACE, _PATH = "package", "/pck"
_IN_PACKAGE = re.compile(r"за №\s*(\d+)\s+в пакеті,\s*дислокація\s+(\d+)")


def frame(documents: Sequence[bytes]) -> bytes:
    """Return the package of signed documents, which stand in the order of their local numbers."""
    return b"".join(part for each in documents for part in (_LENGTH.pack(len(each)), each))


def unframe(package: bytes) -> tuple[bytes, ...]:
    """Return the documents of a package. Raises: IntegrityFault when its lengths do not fit it."""
    documents, position = [], 0
    while position < len(package):
        start = position + _LENGTH.size
        if start > len(package):
            raise IntegrityFault(place=_PLACE, what=f"a length is cut off at {position}")
        (length,) = _LENGTH.unpack_from(package, position)
        position = start + length
        if position > len(package):
            raise IntegrityFault(place=_PLACE, what=f"a document is cut off at {start}")
        documents.append(package[start:position])
    return tuple(documents)


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
        return PackageAnswer(session_id=None, seed=None, raw=raw)
    if "<TICKET" in text:
        session_id, seed = session_in_ticket(content)
        return _answer(session_id, seed, raw=raw)
    fields = json_object(content)
    if fields is None:
        raise not_understood(_PATH)
    refusal = refusal_in_json(fields)
    if refusal is not None:
        raise refusal
    if not {"OfflineSessionId", "ErrorCode"} & fields.keys():
        # JSON of somebody on the way: the service's own has at least one of these.
        raise not_understood(_PATH)
    reply = read_reply(PackageReply, fields, command=_PATH)
    return _answer(reply.offline_session_id or None, reply.offline_seed or None, raw=raw)


def _answer(session_id: str | None, seed: str | None, *, raw: bytes) -> PackageAnswer:
    if (session_id is None) != (seed is None):
        raise not_understood(_PATH, "a session without its seed, or the reverse")
    return PackageAnswer(session_id=session_id, seed=seed, raw=raw)


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
