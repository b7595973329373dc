"""DER, read and written with the received bytes kept.

Certificates, keys and signed messages are judged over the very bytes that arrived, and public
ASN.1 libraries refuse a good part of real Ukrainian files, so this module reads structure only as
far as a caller asks and never re-encodes what it has read.

What the reader takes:

1. One identifier octet (tag numbers up to 30); nothing we read uses larger ones.
2. Definite lengths in their shortest form. Indefinite lengths and padded lengths are BER, not DER,
   and are refused: one value must have one encoding, or a changed byte could go unnoticed.
3. Children are split when asked for; the content of a primitive is looked at by its accessor.
4. At most ``MAX_SIZE`` bytes, ``MAX_DEPTH`` levels and ``MAX_CHILDREN`` elements in one level.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from infra.signing.der_values import decode_oid, decode_time, encode_oid

MAX_SIZE: Final = 32 * 1024 * 1024
MAX_DEPTH: Final = 48
MAX_CHILDREN: Final = 65_536

BOOLEAN: Final = 0x01
INTEGER: Final = 0x02
BIT_STRING: Final = 0x03
OCTET_STRING: Final = 0x04
NULL: Final = 0x05
OBJECT_IDENTIFIER: Final = 0x06
UTF8_STRING: Final = 0x0C
NUMERIC_STRING: Final = 0x12
PRINTABLE_STRING: Final = 0x13
TELETEX_STRING: Final = 0x14
IA5_STRING: Final = 0x16
UTC_TIME: Final = 0x17
GENERALIZED_TIME: Final = 0x18
VISIBLE_STRING: Final = 0x1A
UNIVERSAL_STRING: Final = 0x1C
BMP_STRING: Final = 0x1E
SEQUENCE: Final = 0x30
SET: Final = 0x31

_CONSTRUCTED: Final = 0x20
_TEXT_ENCODINGS: Final = {
    UTF8_STRING: "utf-8",
    NUMERIC_STRING: "ascii",
    PRINTABLE_STRING: "ascii",
    TELETEX_STRING: "latin-1",
    IA5_STRING: "ascii",
    VISIBLE_STRING: "ascii",
    UNIVERSAL_STRING: "utf-32-be",
    BMP_STRING: "utf-16-be",
}


class DerError(ValueError):
    """The bytes are not the DER structure that was asked for.

    ``reason`` is a short stable word group, ``offset`` the place in the buffer that was read.
    """

    def __init__(self, reason: str, *, offset: int) -> None:
        super().__init__(f"{reason} at byte {offset}")
        self.reason = reason
        self.offset = offset


def context(number: int) -> int:
    """Identifier octet of a constructed context tag: explicit ``[number]``, implicit SEQUENCE or SET."""
    return 0xA0 | number


def context_primitive(number: int) -> int:
    """Identifier octet of a primitive context tag: implicit OCTET STRING, INTEGER and the like."""
    return 0x80 | number


class Node:
    """One element: its identifier octet and where it lies in the buffer it was read from.

    A plain class with slots rather than a frozen dataclass: a signed message has about a hundred
    of these and building them is most of the time of reading one.
    """

    __slots__ = ("_body", "_buffer", "_depth", "_end", "_start", "tag")

    def __init__(
        self, buffer: bytes, tag: int, start: int, body: int, end: int, depth: int
    ) -> None:
        self.tag = tag
        self._buffer = buffer
        self._start = start
        self._body = body
        self._end = end
        self._depth = depth

    def __repr__(self) -> str:
        return f"Node(tag=0x{self.tag:02x}, offset={self._start}, length={self._end - self._body})"

    @property
    def offset(self) -> int:
        """Where the identifier octet stands in the buffer that was read."""
        return self._start

    @property
    def end(self) -> int:
        """Where the next element would begin in the buffer that was read."""
        return self._end

    @property
    def raw(self) -> bytes:
        """The whole element as received: identifier, length, content."""
        return self._buffer[self._start : self._end]

    @property
    def content(self) -> bytes:
        """The content octets as received."""
        return self._buffer[self._body : self._end]

    @property
    def is_constructed(self) -> bool:
        """Whether the content is itself a row of elements."""
        return bool(self.tag & _CONSTRUCTED)

    def error(self, reason: str) -> DerError:
        """A ``DerError`` that names this element's place."""
        return DerError(reason, offset=self._start)

    def expect(self, tag: int) -> "Node":
        """Give back this same element if its identifier octet is ``tag``. Raises: DerError."""
        if self.tag != tag:
            raise self.error(f"expected tag 0x{tag:02x}, found 0x{self.tag:02x}")
        return self

    def children(self) -> list["Node"]:
        """The elements inside a constructed element. Raises: DerError."""
        if not self.tag & _CONSTRUCTED:
            raise self.error("primitive element has no children")
        depth = self._depth + 1
        if depth > MAX_DEPTH:
            raise self.error("nested too deeply")
        buffer, end = self._buffer, self._end
        position = self._body
        found: list[Node] = []
        while position < end:
            node = _read(buffer, position, end, depth)
            found.append(node)
            if len(found) > MAX_CHILDREN:
                raise self.error("too many elements")
            position = node._end
        return found

    def fields(self, tag: int = SEQUENCE) -> "Fields":
        """The children of a ``tag`` element, to be taken one by one. Raises: DerError."""
        return Fields(self.expect(tag))

    def only_child(self) -> "Node":
        """The one element inside, as of an explicit tag. Raises: DerError."""
        inside = self.children()
        if len(inside) != 1:
            raise self.error("expected exactly one element inside")
        return inside[0]

    def inner(self) -> "Node":
        """The element that the octets of this OCTET STRING encode. Raises: DerError."""
        self.expect(OCTET_STRING)
        return self._nested(self._body)

    def bits_inner(self) -> "Node":
        """The element that the whole octets of this BIT STRING encode. Raises: DerError."""
        self.bit_string()
        return self._nested(self._body + 1)

    def _nested(self, position: int) -> "Node":
        if self._depth + 1 > MAX_DEPTH:
            raise self.error("nested too deeply")
        node = _read(self._buffer, position, self._end, self._depth + 1)
        if node._end != self._end:
            raise DerError("trailing bytes", offset=node._end)
        return node

    def integer(self) -> int:
        """The value of an INTEGER in its shortest form. Raises: DerError."""
        content = self.expect(INTEGER).content
        if not content:
            raise self.error("empty INTEGER")
        if len(content) > 1 and (
            (content[0] == 0x00 and content[1] < 0x80)
            or (content[0] == 0xFF and content[1] >= 0x80)
        ):
            raise self.error("INTEGER is not in its shortest form")
        return int.from_bytes(content, "big", signed=True)

    def boolean(self) -> bool:
        """The value of a BOOLEAN. Raises: DerError."""
        content = self.expect(BOOLEAN).content
        if content not in (b"\x00", b"\xff"):
            raise self.error("malformed BOOLEAN")
        return content == b"\xff"

    def octets(self) -> bytes:
        """The octets of a primitive OCTET STRING. Raises: DerError."""
        return self.expect(OCTET_STRING).content

    def bit_string(self) -> bytes:
        """The octets of a BIT STRING that has no unused bits. Raises: DerError."""
        content = self.expect(BIT_STRING).content
        if not content or content[0] != 0:
            raise self.error("expected a BIT STRING of whole octets")
        return content[1:]

    def named_bits(self) -> frozenset[int]:
        """Numbers of the bits set in a BIT STRING used as a list of flags. Raises: DerError."""
        content = self.expect(BIT_STRING).content
        if not content or content[0] > 7 or (len(content) == 1 and content[0]):
            raise self.error("malformed BIT STRING")
        return frozenset(
            index * 8 + bit
            for index, octet in enumerate(content[1:])
            for bit in range(8)
            if octet & (0x80 >> bit)
        )

    def oid(self) -> str:
        """The dotted form of an OBJECT IDENTIFIER. Raises: DerError."""
        try:
            return decode_oid(self.expect(OBJECT_IDENTIFIER).content)
        except ValueError as error:
            raise self.error("malformed OBJECT IDENTIFIER") from error

    def text(self) -> str:
        """The characters of any of the string types.

        Octets that the type does not allow become U+FFFD: names in certificates are shown to
        people, and a certificate is not refused for a letter. Raises: DerError for another type.
        """
        encoding = _TEXT_ENCODINGS.get(self.tag)
        if encoding is None:
            raise self.error("expected a character string")
        return self.content.decode(encoding, errors="replace")

    def time(self) -> datetime:
        """The moment of a UTCTime or GeneralizedTime, aware, in UTC. Raises: DerError.

        Two-digit years follow RFC 5280: 50 and above belong to the twentieth century. A fraction
        of a second (time-stamps) is kept to the microsecond.
        """
        if self.tag not in (UTC_TIME, GENERALIZED_TIME):
            raise self.error("expected a time")
        try:
            return decode_time(self.content.decode("ascii"), short=self.tag == UTC_TIME)
        except ValueError as error:
            raise self.error("malformed time") from error


class Fields:
    """The elements of a SEQUENCE, taken in order; optional ones by their identifier octet."""

    __slots__ = ("_nodes", "_owner", "_position")

    def __init__(self, owner: Node) -> None:
        self._owner = owner
        self._nodes = owner.children()
        self._position = 0

    def take(self, tag: int | None = None) -> Node:
        """The next element; with ``tag`` it must have that identifier octet. Raises: DerError."""
        if self._position == len(self._nodes):
            raise self._owner.error("an element is missing")
        node = self._nodes[self._position]
        if tag is not None:
            node.expect(tag)
        self._position += 1
        return node

    def optional(self, tag: int) -> Node | None:
        """The next element if it has this identifier octet, else None and nothing is taken."""
        if self._position < len(self._nodes) and self._nodes[self._position].tag == tag:
            self._position += 1
            return self._nodes[self._position - 1]
        return None

    def rest(self) -> list[Node]:
        """All elements not yet taken."""
        remaining = self._nodes[self._position :]
        self._position = len(self._nodes)
        return remaining

    def finish(self) -> None:
        """Make sure nothing is left. Raises: DerError."""
        if self._position != len(self._nodes):
            raise self._nodes[self._position].error("unexpected element")


def parse(data: bytes) -> Node:
    """The one element that ``data`` is. Raises: DerError, also for bytes after its end."""
    node = parse_prefix(data)
    if node.end != len(data):
        raise DerError("trailing bytes", offset=node.end)
    return node


def parse_prefix(data: bytes, *, offset: int = 0) -> Node:
    """The element that begins at ``offset``; what follows its end is not looked at.

    Raises: DerError.
    """
    if len(data) > MAX_SIZE:
        raise DerError("larger than the limit", offset=0)
    return _read(bytes(data), offset, len(data), 0)


def _read(buffer: bytes, start: int, limit: int, depth: int) -> Node:
    """The element at ``start`` of a region that ends at ``limit``."""
    body = start + 2
    if body > limit:
        raise DerError("truncated", offset=start)
    tag = buffer[start]
    if tag & 0x1F == 0x1F:
        raise DerError("tag number above 30", offset=start)
    length = buffer[start + 1]
    if length >= 0x80:
        if length == 0x80:
            raise DerError("indefinite length", offset=start)
        octets = length & 0x7F
        if octets > 4:
            raise DerError("length of more than four octets", offset=start)
        body += octets
        if body > limit:
            raise DerError("truncated", offset=start)
        length = int.from_bytes(buffer[start + 2 : body], "big")
        if length < 0x80 or length >> (8 * (octets - 1)) == 0:
            raise DerError("length is not in its shortest form", offset=start)
    end = body + length
    if end > limit:
        raise DerError("truncated", offset=start)
    return Node(buffer, tag, start, body, end, depth)


def encode(tag: int, *parts: bytes) -> bytes:
    """An element with identifier octet ``tag`` whose content is the parts, one after another."""
    content = parts[0] if len(parts) == 1 else b"".join(parts)
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    octets = (length.bit_length() + 7) // 8
    return bytes((tag, 0x80 | octets)) + length.to_bytes(octets, "big") + content


def retagged(element: bytes, tag: int) -> bytes:
    """An encoded element with another identifier octet: from or to an implicit tag."""
    return bytes((tag,)) + element[1:]


def sequence(*parts: bytes) -> bytes:
    """A SEQUENCE of encoded elements."""
    return encode(SEQUENCE, *parts)


def set_of(parts: Iterable[bytes], *, tag: int = SET) -> bytes:
    """A SET OF in DER: the encoded elements in ascending order of their bytes."""
    return encode(tag, *sorted(parts))


def explicit(number: int, *parts: bytes) -> bytes:
    """The parts under a constructed context tag ``[number]``."""
    return encode(context(number), *parts)


def integer(value: int, *, tag: int = INTEGER) -> bytes:
    """An INTEGER of any size and sign."""
    size = (value if value >= 0 else ~value).bit_length() // 8 + 1
    return encode(tag, value.to_bytes(size, "big", signed=True))


def boolean(value: bool) -> bytes:
    """A BOOLEAN."""
    return b"\x01\x01\xff" if value else b"\x01\x01\x00"


def null() -> bytes:
    """A NULL."""
    return b"\x05\x00"


def octet_string(value: bytes) -> bytes:
    """An OCTET STRING."""
    return encode(OCTET_STRING, value)


def bit_string(value: bytes) -> bytes:
    """A BIT STRING of whole octets."""
    return encode(BIT_STRING, b"\x00", value)


@lru_cache(maxsize=2048)
def oid(dotted: str) -> bytes:
    """An OBJECT IDENTIFIER from its dotted form. Raises: ValueError."""
    return encode(OBJECT_IDENTIFIER, encode_oid(dotted))


def utf8_string(value: str) -> bytes:
    """A UTF8String."""
    return encode(UTF8_STRING, value.encode())


def printable_string(value: str) -> bytes:
    """A PrintableString of ASCII characters."""
    return encode(PRINTABLE_STRING, value.encode("ascii"))


def time(moment: datetime) -> bytes:
    """A UTCTime, or from 2050 on a GeneralizedTime, to the second (RFC 5652, RFC 5280)."""
    utc = moment.astimezone(UTC)
    if 1950 <= utc.year < 2050:
        return encode(UTC_TIME, utc.strftime("%y%m%d%H%M%SZ").encode())
    return generalized_time(utc)


def generalized_time(moment: datetime) -> bytes:
    """A GeneralizedTime to the second."""
    return encode(GENERALIZED_TIME, moment.astimezone(UTC).strftime("%Y%m%d%H%M%SZ").encode())
