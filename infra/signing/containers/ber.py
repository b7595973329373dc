"""BER to DER, for key files of programs that stream: indefinite lengths, strings in pieces.

Only the framing is changed: lengths become definite and short, octet strings in pieces become one.
What the pieces hold is kept, so a MAC over the content stays right. Signed things are never passed
through here.
"""

from typing import Final

from infra.signing import der

_END: Final = b"\x00\x00"
_CONSTRUCTED_OCTETS: Final = der.OCTET_STRING | 0x20
_INDEFINITE: Final = 0x80


def to_der(data: bytes) -> tuple[bytes, int]:
    """The first element as DER, and how many octets follow it. Raises: der.DerError.

    Data that are DER already come back as they are.
    """
    try:
        whole = der.parse_prefix(data)
        if not _has_pieces(whole):
            return whole.raw, len(data) - whole.end
    except der.DerError as error:
        if error.reason == "larger than the limit":
            raise
    element, end = _convert(data, 0, len(data), 0)
    return element, len(data) - end


def _has_pieces(node: der.Node) -> bool:
    """Whether an element, or one inside it, is framed in a way that DER does not allow."""
    if node.tag == _CONSTRUCTED_OCTETS:
        return True
    return node.is_constructed and any(map(_has_pieces, node.children()))


def _convert(data: bytes, start: int, limit: int, depth: int) -> tuple[bytes, int]:
    if depth > der.MAX_DEPTH:
        raise der.DerError("nested too deeply", offset=start)
    tag, body, end = _head(data, start, limit)
    if not tag & 0x20:
        if end is None:
            raise der.DerError("indefinite length of a primitive element", offset=start)
        return der.encode(tag, data[body:end]), end
    parts: list[bytes] = []
    position = body
    while position != end:
        if end is None and data[position : position + 2] == _END:
            position += 2
            break
        part, position = _convert(data, position, limit if end is None else end, depth + 1)
        parts.append(part)
    if tag == _CONSTRUCTED_OCTETS:
        return der.octet_string(b"".join(der.parse(part).octets() for part in parts)), position
    return der.encode(tag, *parts), position


def _head(data: bytes, start: int, limit: int) -> tuple[int, int, int | None]:
    """Identifier octet, start of the content and its end (None when indefinite)."""
    if start + 2 > limit:
        raise der.DerError("truncated", offset=start)
    tag, length = data[start], data[start + 1]
    if tag & 0x1F == 0x1F:
        raise der.DerError("tag number above 30", offset=start)
    body = start + 2
    if length == _INDEFINITE:
        return tag, body, None
    if length > _INDEFINITE:
        octets = length & 0x7F
        body += octets
        if octets > 4 or body > limit:
            raise der.DerError("truncated", offset=start)
        length = int.from_bytes(data[start + 2 : body], "big")
    if body + length > limit:
        raise der.DerError("truncated", offset=start)
    return tag, body, body + length
