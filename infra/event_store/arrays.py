"""Columns of values as PostgreSQL's binary arrays, built directly: what `unnest` takes them apart from.

psycopg's own lists would do the same one element at a time and choose the integer type by the values, which makes
another prepared statement of each mixture. Format: dimensions, has-null flag, element type, length, lower bound,
then length and bytes of each element.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from struct import Struct
from typing import ClassVar
from uuid import UUID

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Dumper
from psycopg.pq import Format

_HEADER = Struct("!iiIii")
_LENGTH = Struct("!i")
_NULL = _LENGTH.pack(-1)
_SHORT = Struct("!ih")
_INTEGER = Struct("!ii")
_LONG = Struct("!iq")
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_FIRST_DAY = date(2000, 1, 1).toordinal()


class Array(bytes):
    """A finished array; `oid` is its type's number."""

    __slots__ = ()
    oid: ClassVar[int]


class _ArrayDumper(Dumper):
    """Sends a finished array as it is; its subclasses have the type's number."""

    format = Format.BINARY

    def dump(self, obj: bytes) -> Buffer:
        """Return the array."""
        return obj


def _array(name: str, oid: int) -> type[Array]:
    """Return a class for finished arrays of one type, which psycopg knows how to send."""
    made = type(name, (Array,), {"__slots__": (), "oid": oid})
    psycopg.adapters.register_dumper(made, type(f"{name}Dumper", (_ArrayDumper,), {"oid": oid}))
    return made


_Smallints = _array("Smallints", 1005)
_Integers = _array("Integers", 1007)
_Bigints = _array("Bigints", 1016)
_Uuids = _array("Uuids", 2951)
_Texts = _array("Texts", 1009)
_Byteas = _array("Byteas", 1001)
_Dates = _array("Dates", 1182)
_Times = _array("Times", 1185)


def smallints(values: Sequence[int]) -> Array:
    """Return a smallint[]."""
    return _Smallints(_head(21, values) + b"".join([_SHORT.pack(2, value) for value in values]))


def integers(values: Sequence[int]) -> Array:
    """Return an integer[]."""
    return _Integers(_head(23, values) + b"".join([_INTEGER.pack(4, value) for value in values]))


def bigints(values: Sequence[int]) -> Array:
    """Return a bigint[]."""
    return _Bigints(_head(20, values) + b"".join([_LONG.pack(8, value) for value in values]))


def uuids(values: Sequence[UUID]) -> Array:
    """Return a uuid[]."""
    return _Uuids(_head(2950, values) + _elements([value.bytes for value in values]))


def texts(values: Sequence[str | None]) -> Array:
    """Return a text[]; None is null."""
    encoded = [None if value is None else value.encode() for value in values]
    return _Texts(_head(25, values, has_null=None in encoded) + _elements(encoded))


def byteas(values: Sequence[bytes]) -> Array:
    """Return a bytea[]."""
    return _Byteas(_head(17, values) + _elements(values))


def dates(values: Sequence[date]) -> Array:
    """Return a date[]."""
    days = [_INTEGER.pack(4, value.toordinal() - _FIRST_DAY) for value in values]
    return _Dates(_head(1082, values) + b"".join(days))


def times(values: Sequence[datetime | None]) -> Array:
    """Return a timestamptz[] of aware times; None is null."""
    elements = [_NULL if value is None else _LONG.pack(8, _microseconds(value)) for value in values]
    return _Times(_head(1184, values, has_null=None in values) + b"".join(elements))


def _head(element: int, values: Sequence[object], *, has_null: bool = False) -> bytes:
    return _HEADER.pack(1, has_null, element, len(values), 1)


def _elements(values: Iterable[bytes | None]) -> bytes:
    pieces: list[bytes] = []
    for value in values:
        if value is None:
            pieces.append(_NULL)
        else:
            pieces.append(_LENGTH.pack(len(value)))
            pieces.append(value)
    return b"".join(pieces)


def moment(stored: bytes) -> datetime:
    """Return the time that a timestamptz is, from its binary form."""
    return _EPOCH + timedelta(microseconds=int.from_bytes(stored, "big", signed=True))


def day(stored: bytes) -> date:
    """Return the day that a date is, from its binary form."""
    return date.fromordinal(int.from_bytes(stored, "big", signed=True) + _FIRST_DAY)


def _microseconds(value: datetime) -> int:
    since = value - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
