"""The log as a feed: pages of events after a cursor, without gaps.

A cursor is a vector with one position a shard, written as opaque text. Positions of a shard are contiguous and are
given under the lock of its head row, so whoever reads up to a head has read everything below it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple
from uuid import UUID

from eventsourcing.persistence import StoredEvent

from domain.errors import InvalidField
from domain.identifiers import SHARDS
from infra.event_store.codec import LedgerMapper, Part

_MAPPER = LedgerMapper()
_FORMAT = 1


class _Place(NamedTuple):
    shard: int
    position: int
    stream_id: UUID
    version: int
    topic: str
    state: bytes


class FeedEvent(_Place):
    """One event of the log; `event` is decoded when first asked for.

    A tuple, because pages of thousands are made of them: a dataclass costs six times as much to make.
    """

    @cached_property
    def event(self) -> Any:
        """The event object. Raises: MapperDeserialisationError."""
        return _MAPPER.to_domain_event(self._stored)

    def part(self, part_class: type[Part]) -> Part:
        """Return some of the event's values, as the dataclass that names them. Raises: as `event`."""
        return _MAPPER.part_of(self._stored, part_class)

    @property
    def _stored(self) -> StoredEvent:
        return StoredEvent(
            originator_id=self.stream_id,
            originator_version=self.version,
            topic=self.topic,
            state=self.state,
        )


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in the log: the last position seen of each shard."""

    positions: tuple[int, ...] = (0,) * SHARDS

    def __str__(self) -> str:
        """Return the cursor as opaque text, safe in URLs."""
        data = bytearray([_FORMAT])
        for position in self.positions:
            while position > 0x7F:
                data.append(position & 0x7F | 0x80)
                position >>= 7
            data.append(position)
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Return the cursor of a text made by `str`; the empty text is the beginning. Raises: InvalidField."""
        if not text:
            return cls()
        try:
            data = base64.b64decode(text.encode() + b"=" * (-len(text) % 4), b"-_", validate=True)
        except (binascii.Error, UnicodeEncodeError):
            raise InvalidField(field="cursor", expected="a cursor as returned") from None
        positions = _positions(data)
        if positions is None:
            raise InvalidField(field="cursor", expected="a cursor as returned")
        return cls(positions)

    def covers(self, shard: int, position: int) -> bool:
        """Return whether a place lies at or before this cursor."""
        return self.positions[shard] >= position

    def moved(self, moves: Mapping[int, int]) -> Cursor:
        """Return the cursor with other positions for some shards."""
        return Cursor(
            tuple(moves.get(shard, position) for shard, position in enumerate(self.positions))
        )


def _positions(data: bytes) -> tuple[int, ...] | None:
    if not data or data[0] != _FORMAT:
        return None
    positions, value, shift = [], 0, 0
    for byte in data[1:]:
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            positions.append(value)
            value = shift = 0
    if shift or len(positions) != SHARDS or max(positions) >= 1 << 63:
        return None
    return tuple(positions)


@dataclass(frozen=True, slots=True)
class Page:
    """Events after a cursor, by shard and position, and the cursor behind them."""

    events: tuple[FeedEvent, ...]
    cursor: Cursor


def shares(behind: Mapping[int, int], limit: int) -> dict[int, int]:
    """Return how many events of each shard go into a page of `limit`, so that no shard starves.

    `behind` says how many each has. Shards with less than an even share leave the rest to the others.
    """
    given: dict[int, int] = {}
    left = limit
    for number, (shard, count) in enumerate(sorted(behind.items(), key=lambda item: item[1])):
        share = min(count, -(-left // (len(behind) - number)))
        if share:
            given[shard] = share
            left -= share
    return given
