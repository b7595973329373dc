"""The outermost checks of a request: size, content type, compression.

The real server was seen to take a zlib stream labelled ``gzip``, so every compression is taken under
either label.
"""

import zlib
from collections.abc import Mapping
from typing import Final, Literal

from infra.simulator.answers import WRONG_CONTENT_TYPE, TransportRefusal
from infra.simulator.switches import Switches

BodyKind = Literal["signed", "json"]

_SIGNED: Final = "application/octet-stream"
_JSON: Final = "application/json"
_AUTOMATIC: Final = 32 + zlib.MAX_WBITS
"""zlib's own recognition of gzip and zlib streams."""


def take_body(
    body: bytes, headers: Mapping[str, str], *, switches: Switches, takes_json: bool
) -> tuple[bytes, BodyKind]:
    """The uncompressed body and what it is. ``headers`` have lower-case names.

    Raises: TransportRefusal with 416 for a wrong size, 415 for a wrong type or compression.
    """
    _check_size(body, switches=switches)
    kind = _kind(headers.get("content-type", ""), takes_json=takes_json)
    encoding = headers.get("content-encoding", "").strip().lower()
    if encoding in ("", "identity"):
        return body, kind
    if encoding not in ("gzip", "deflate"):
        raise TransportRefusal(415, f"Непідтримуване стиснення '{encoding}'")
    content = _inflated(body, limit=switches.size_limit_bytes)
    _check_size(content, switches=switches)
    return content, kind


def _check_size(body: bytes, *, switches: Switches) -> None:
    if not switches.size_minimum_bytes <= len(body) <= switches.size_limit_bytes:
        raise TransportRefusal(416, f"Розмір повідомлення {len(body)} недопустимий")


def _kind(content_type: str, *, takes_json: bool) -> BodyKind:
    media_type, _, parameters = content_type.lower().partition(";")
    if media_type.strip() == _SIGNED:
        return "signed"
    charset = parameters.replace(" ", "").strip('"')
    if takes_json and media_type.strip() == _JSON and charset in ("", "charset=utf-8"):
        return "json"
    raise TransportRefusal(415, WRONG_CONTENT_TYPE)


def _inflated(body: bytes, *, limit: int) -> bytes:
    for window_bits in (_AUTOMATIC, -zlib.MAX_WBITS):
        stream = zlib.decompressobj(window_bits)
        try:
            content = stream.decompress(body, limit + 1)
        except zlib.error:
            continue
        if stream.eof or len(content) > limit:
            return content
    raise TransportRefusal(415, "Тіло запиту не вдалося розпакувати")
