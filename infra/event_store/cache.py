"""Aggregates kept in memory: one lock a stream, a bounded number of streams, followed by foreign events."""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TypeVar
from uuid import UUID

from domain.aggregate import Aggregate
from domain.errors import NotFound, StoreUnavailable
from infra.event_store.feed import FeedEvent

AnyAggregate = TypeVar("AnyAggregate", bound=Aggregate)
Load = Callable[[type[Aggregate], UUID, int], Aggregate]

_MOST_FOREIGN_EVENTS = 200
"""A stream that others moved further than this is loaded again from its snapshot when it is next used."""


class _Entry:
    """One stream: its aggregate, and events of other processes not yet applied to it."""

    __slots__ = ("aggregate", "foreign", "lock", "users")

    def __init__(self) -> None:
        self.lock = Lock()
        self.users = 0
        self.aggregate: Aggregate | None = None
        self.foreign: list[FeedEvent] = []


class AggregateCache:
    """Current aggregates by stream.

    `load` reads an aggregate from the store. At most `capacity` streams are kept, least recently used go first;
    streams in use are never dropped, so that two holders always meet at the same lock.
    """

    def __init__(self, load: Load, *, capacity: int, wait_seconds: float) -> None:
        self._load = load
        self._capacity = capacity
        self._wait_seconds = wait_seconds
        self._entries: OrderedDict[UUID, _Entry] = OrderedDict()
        self._guard = Lock()

    def __len__(self) -> int:
        return len(self._entries)

    @contextmanager
    def hold(
        self, aggregate_class: type[AnyAggregate], stream_id: UUID, *, shard: int
    ) -> Iterator[AnyAggregate]:
        """Give the stream's current aggregate to one holder at a time.

        Raises: NotFound; StoreUnavailable when another holder keeps it too long.
        """
        entry = self._enter(stream_id)
        try:
            if not entry.lock.acquire(timeout=self._wait_seconds):
                raise StoreUnavailable(what="stream", reason="another request holds it too long")
            try:
                aggregate = self._current(entry, aggregate_class, stream_id, shard)
                if not isinstance(aggregate, aggregate_class):
                    raise NotFound(what=aggregate_class.TOPIC, id=str(stream_id))
                try:
                    yield aggregate
                finally:
                    if aggregate.pending_events:
                        entry.aggregate = None
            finally:
                entry.lock.release()
        finally:
            self._leave(stream_id, entry)

    def read(
        self, aggregate_class: type[AnyAggregate], stream_id: UUID, *, shard: int
    ) -> AnyAggregate:
        """Return a copy of the current aggregate, which later commands do not change. Raises: NotFound."""
        with self.hold(aggregate_class, stream_id, shard=shard) as aggregate:
            return copy_to_look_at(aggregate)

    def follow(self, event: FeedEvent) -> None:
        """Take note of a committed event; a cached stream that lags behind gets it when it is next used."""
        with self._guard:
            entry = self._entries.get(event.stream_id)
            if entry is None:
                return
            entry.foreign.append(event)
            if len(entry.foreign) > _MOST_FOREIGN_EVENTS and not entry.users:
                del self._entries[event.stream_id]

    def forget(self) -> None:
        """Drop everything that nobody holds; the next use loads from the store."""
        with self._guard:
            for stream_id in [key for key, entry in self._entries.items() if not entry.users]:
                del self._entries[stream_id]

    def _enter(self, stream_id: UUID) -> _Entry:
        with self._guard:
            entry = self._entries.get(stream_id)
            if entry is None:
                entry = self._entries[stream_id] = _Entry()
            entry.users += 1
            self._entries.move_to_end(stream_id)
            if len(self._entries) > self._capacity:
                self._make_room()
            return entry

    def _make_room(self) -> None:
        for stream_id, entry in self._entries.items():
            if not entry.users:
                del self._entries[stream_id]
                return

    def _leave(self, stream_id: UUID, entry: _Entry) -> None:
        with self._guard:
            entry.users -= 1
            if not entry.users and entry.aggregate is None:
                self._entries.pop(stream_id, None)

    def _current(
        self, entry: _Entry, aggregate_class: type[Aggregate], stream_id: UUID, shard: int
    ) -> Aggregate:
        with self._guard:
            foreign, entry.foreign = entry.foreign, []
        if entry.aggregate is not None and not _fast_forward(entry.aggregate, foreign):
            entry.aggregate = None
        if entry.aggregate is None:
            entry.aggregate = self._load(aggregate_class, stream_id, shard)
        return entry.aggregate


def _fast_forward(aggregate: Aggregate, events: list[FeedEvent]) -> bool:
    """Apply what the aggregate does not have yet; False when something is missing between."""
    for event in events:
        if event.version <= aggregate.version:
            continue
        if event.version != aggregate.version + 1:
            return False
        event.event.mutate(aggregate)
    return True


def copy_to_look_at(aggregate: AnyAggregate) -> AnyAggregate:
    """Return a copy to look at. Values are immutable; only containers directly on the aggregate change."""
    twin = copy.copy(aggregate)
    for name, value in vars(aggregate).items():
        if isinstance(value, dict | list | set):
            setattr(twin, name, value.copy())
    return twin
