"""What travels between the signing agent and its clients.

A frame is two big-endian lengths of four bytes, then a JSON header and a body of raw bytes:
``length of header | length of body | header | body``. A request's header names the operation
(``op``), an answer's header either holds facts or names an ``error``. Both sides are of one
release and one machine, so there is no version and no negotiation.
"""

import socket
import struct
from datetime import datetime
from typing import Any, Final

import orjson

from domain.ports import KeyDescription, KeyKind

MAX_HEADER: Final = 64 * 1024
MAX_BODY: Final = 1024 * 1024
"""Documents are at most 200 KB, and so are packages (reference: fiscal-server §1.1)."""
# Room for an answer: a signed message around the largest content.
MAX_ANSWER_BODY: Final = MAX_BODY + 64 * 1024

_LENGTHS: Final = struct.Struct(">II")
_CHUNK: Final = 64 * 1024


class WireError(Exception):
    """A frame is larger than allowed or makes no sense; the connection is of no more use."""


class Connection:
    """Frames over a connected socket. One thread at a time."""

    def __init__(self, peer: socket.socket, *, max_body: int) -> None:
        self.socket = peer
        self._max_body = max_body

    def send(self, header: dict[str, Any], body: bytes = b"") -> None:
        """Send one frame. Raises: OSError."""
        head = orjson.dumps(header)
        self.socket.sendall(b"".join((_LENGTHS.pack(len(head), len(body)), head, body)))

    def receive(self) -> tuple[dict[str, Any], bytes] | None:
        """The next frame; None when the other side has closed between frames.

        Raises: OSError, WireError (too large, cut short, not a JSON object).
        """
        data = self.socket.recv(_CHUNK)
        if not data:
            return None
        received = bytearray(data)
        self._fill(received, _LENGTHS.size)
        header_length, body_length = _LENGTHS.unpack_from(received)
        if header_length > MAX_HEADER or body_length > self._max_body:
            raise WireError(f"frame of {header_length} + {body_length} bytes")
        body_at = _LENGTHS.size + header_length
        self._fill(received, body_at + body_length)
        if len(received) != body_at + body_length:
            raise WireError("more than one frame at a time")
        try:
            header = orjson.loads(memoryview(received)[_LENGTHS.size : body_at])
        except orjson.JSONDecodeError as error:
            raise WireError("header is not JSON") from error
        if not isinstance(header, dict):
            raise WireError("header is not an object")
        return header, bytes(memoryview(received)[body_at:])

    def _fill(self, received: bytearray, length: int) -> None:
        while len(received) < length:
            data = self.socket.recv(_CHUNK)
            if not data:
                raise WireError("cut short")
            received += data

    def close(self) -> None:
        """Close the socket."""
        self.socket.close()


def description_to_json(description: KeyDescription) -> dict[str, Any]:
    """A key's description as a JSON object."""
    return {
        "key_id": description.key_id,
        "kind": description.kind.value,
        "owner": description.owner,
        "tax_id": description.tax_id,
        "subject_key_id": description.subject_key_id,
        "valid_from": description.valid_from.isoformat(),
        "valid_to": description.valid_to.isoformat(),
    }


def description_from_json(value: dict[str, Any]) -> KeyDescription:
    """A key's description from its JSON object. Raises: KeyError, ValueError."""
    return KeyDescription(
        key_id=value["key_id"],
        kind=KeyKind(value["kind"]),
        owner=value["owner"],
        tax_id=value["tax_id"],
        subject_key_id=value["subject_key_id"],
        valid_from=datetime.fromisoformat(value["valid_from"]),
        valid_to=datetime.fromisoformat(value["valid_to"]),
    )
