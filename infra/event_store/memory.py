"""The store and the lanes in memory: the same rules as in PostgreSQL, for tests and simulations.

Events, snapshots and results really go through their stored form; an event that does not come back equal is an
error at the commit that makes it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Lock
from typing import TypeVar
from uuid import UUID

from eventsourcing.persistence import StoredEvent

from domain.aggregate import Aggregate
from domain.errors import NotFound
from domain.identifiers import shard_of
from domain.ports import Commit, DocumentRef, LaneLease, LogPosition, RecordedCommand
from infra.event_store.cache import AggregateCache
from infra.event_store.codec import LedgerMapper, shape_of
from infra.event_store.feed import Cursor, FeedEvent, Page, shares
from infra.event_store.reading import opened
from infra.event_store.saves import (
    Admitted,
    Known,
    LaneState,
    Save,
    StoredDocument,
    StoredSnapshot,
    admit,
    prepare,
)

AnyAggregate = TypeVar("AnyAggregate", bound=Aggregate)
Subscriber = Callable[[Sequence[FeedEvent]], None]


@dataclass(frozen=True, slots=True)
class _Stored:
    event: StoredEvent
    chain: bytes


class MemoryStore:
    """A `LedgerStore` that forgets everything with the process. Safe for threads."""

    def __init__(self, *, snapshot_every: int = 200, cached_aggregates: int = 4_096) -> None:
        self._mapper = LedgerMapper()
        self._snapshot_every = snapshot_every
        self._cache = AggregateCache(self._load, capacity=cached_aggregates, wait_seconds=30.0)
        self._lock = Lock()
        self.known = Known()
        self._streams: dict[UUID, list[_Stored]] = defaultdict(list)
        self._log: dict[int, list[FeedEvent]] = defaultdict(list)
        self._snapshots: dict[UUID, StoredSnapshot] = {}
        self._documents: dict[DocumentRef, StoredDocument] = {}
        self._subscribers: list[Subscriber] = []

    # --- the port -----------------------------------------------------------------------------------------

    def hold(
        self, aggregate_class: type[AnyAggregate], stream_id: UUID, *, shard: int
    ) -> AbstractContextManager[AnyAggregate]:
        """Hold one stream exclusively; see `LedgerStore`."""
        return self._cache.hold(aggregate_class, stream_id, shard=shard)

    def read(
        self, aggregate_class: type[AnyAggregate], stream_id: UUID, *, shard: int
    ) -> AnyAggregate:
        """Return an aggregate to look at; see `LedgerStore`."""
        return self._cache.read(aggregate_class, stream_id, shard=shard)

    def refresh(
        self, aggregate_class: type[AnyAggregate], stream_id: UUID, *, shard: int
    ) -> AnyAggregate:
        """Return an aggregate as the log has it; here the cache is never behind."""
        return self._cache.read(aggregate_class, stream_id, shard=shard)

    def commit(self, commit: Commit) -> LogPosition:
        """Record a commit; see `LedgerStore`."""
        save = prepare(commit, self._mapper, snapshot_every=self._snapshot_every)
        self._check_round_trip(commit, save)
        with self._lock:
            self.known.documents = {
                document.ref: self._documents[document.ref].sha256
                for document in save.documents
                if document.ref in self._documents
            }
            admitted = admit(save, self.known)
            events = self._write(admitted)
            for subscriber in self._subscribers:
                subscriber(events)
        for aggregate in commit.streams:
            aggregate.collect_events()
        return LogPosition(save.shard, admitted.position)

    def recorded(self, *, shard: int, scope: str, key: str) -> RecordedCommand | None:
        """Return what an earlier command with this key answered."""
        found = self.known.commands.get((shard, scope, key))
        return None if found is None else replace(found, result=dict(found.result))

    def document(self, ref: DocumentRef) -> bytes:
        """Return stored bytes. Raises: NotFound, IntegrityFault."""
        stored = self._documents.get(ref)
        if stored is None:
            raise NotFound(what=f"{ref.kind.value} document", id=str(ref.document_id))
        return opened(
            sha256=stored.sha256, compressed=stored.compressed, place=str(ref.document_id)
        )

    # --- the feed -----------------------------------------------------------------------------------------

    def page(self, cursor: Cursor, limit: int) -> Page:
        """Return at most `limit` events after a cursor."""
        with self._lock:
            behind = {
                shard: len(log) - cursor.positions[shard]
                for shard, log in self._log.items()
                if len(log) > cursor.positions[shard]
            }
            events: list[FeedEvent] = []
            moves = {}
            for shard, count in sorted(shares(behind, limit).items()):
                start = cursor.positions[shard]
                moves[shard] = start + count
                events += self._log[shard][start : start + count]
        return Page(tuple(events), cursor.moved(moves))

    def subscribe(self, subscriber: Subscriber) -> None:
        """Call `subscriber` with the events of each commit, inside it and in order; it must not call back."""
        self._subscribers.append(subscriber)

    def forget_aggregates(self) -> None:
        """Empty the cache, so that streams are loaded from their stored events again."""
        self._cache.forget()

    # --- inside -------------------------------------------------------------------------------------------

    def _check_round_trip(self, commit: Commit, save: Save) -> None:
        pending = [event for aggregate in commit.streams for event in aggregate.pending_events]
        stored = [event for part in save.parts for event in part.events]
        for before, after in zip(pending, stored, strict=True):
            if self._mapper.to_domain_event(after) != before:
                raise TypeError(f"{after.topic} does not survive its stored form: {before!r}")

    def _write(self, admitted: Admitted) -> list[FeedEvent]:
        save = admitted.save
        stored = [event for part in save.parts for event in part.events]
        events = []
        for number, (event, chain) in enumerate(zip(stored, admitted.chains, strict=True)):
            assert isinstance(event.originator_id, UUID)
            self._streams[event.originator_id].append(_Stored(event, chain))
            events.append(
                FeedEvent(
                    shard=save.shard,
                    position=admitted.first_position + number,
                    stream_id=event.originator_id,
                    version=event.originator_version,
                    topic=event.topic,
                    state=event.state,
                )
            )
        self._log[save.shard] += events
        for snapshot in save.snapshots:
            self._snapshots[snapshot.stream_id] = snapshot
        for document in admitted.documents:
            self._documents[document.ref] = document
        return events

    def _load(self, aggregate_class: type[Aggregate], stream_id: UUID, shard: int) -> Aggregate:
        with self._lock:
            if (shard, stream_id) not in self.known.streams:
                raise NotFound(what=aggregate_class.TOPIC, id=str(stream_id))
            snapshot = self._snapshots.get(stream_id)
            if snapshot is not None and snapshot.shape != shape_of(aggregate_class):
                snapshot = None
            tail = self._streams[stream_id][0 if snapshot is None else snapshot.version :]
        return replay(self._mapper, snapshot, [stored.event for stored in tail])


def replay(
    mapper: LedgerMapper, snapshot: StoredSnapshot | None, tail: Sequence[StoredEvent]
) -> Aggregate:
    """Return the aggregate that a snapshot and the events after it give; one of them must be there."""
    aggregate: Aggregate | None = None
    if snapshot is not None:
        state = StoredEvent(snapshot.stream_id, snapshot.version, snapshot.topic, snapshot.state)
        aggregate = mapper.to_domain_event(state).mutate(None)  # type: ignore[attr-defined]
    for stored in tail:
        aggregate = mapper.to_domain_event(stored).mutate(aggregate)  # type: ignore[attr-defined]
    assert aggregate is not None
    return aggregate


class MemoryLanes:
    """The `Lanes` of a `MemoryStore`."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def claim(
        self, register_id: UUID, *, owner: str, now: datetime, seconds: int
    ) -> LaneLease | None:
        """Take the lane if it is due, not parked and not held; None otherwise."""
        with self._store._lock:
            lane = self._lane(register_id)
            if lane is None or not _is_claimable(lane, now):
                return None
            lane.epoch += 1
            lane.owner = owner
            lane.lease_until = now + timedelta(seconds=seconds)
            lane.due_at = None
            return LaneLease(register_id, lane.epoch, lane.failures)

    def due(self, *, now: datetime, limit: int) -> Sequence[UUID]:
        """Return registers whose lane is due and free, longest due first."""
        with self._store._lock:
            found = [
                (lane.lease_until or lane.due_at, register_id)
                for (_, register_id), lane in self._store.known.lanes.items()
                if _is_claimable(lane, now)
            ]
        return [register_id for _, register_id in sorted(found)[:limit]]

    def extend(self, lease: LaneLease, *, now: datetime, seconds: int) -> bool:
        """Renew a lease; False when it was lost."""
        with self._store._lock:
            lane = self._held(lease)
            if lane is None:
                return False
            lane.lease_until = now + timedelta(seconds=seconds)
            return True

    def finish(
        self, lease: LaneLease, *, due_at: datetime | None, reason: str | None, failures: int
    ) -> bool:
        """Give the lane back; see `Lanes`. False when the lease was lost."""
        with self._store._lock:
            lane = self._held(lease)
            if lane is None:
                return False
            lane.owner = lane.lease_until = None
            lane.reason, lane.failures = reason, failures
            times = [time for time in (lane.due_at, due_at) if time is not None]
            lane.due_at = min(times, default=None)
            return True

    def _lane(self, register_id: UUID) -> LaneState | None:
        return self._store.known.lanes.get((shard_of(register_id), register_id))

    def _held(self, lease: LaneLease) -> LaneState | None:
        lane = self._lane(lease.register_id)
        if lane is None or lane.epoch != lease.epoch or lane.lease_until is None:
            return None
        return lane


def _is_claimable(lane: LaneState, now: datetime) -> bool:
    """A lane is due by its due time, or because whoever held it let the lease run out."""
    wakes_at = lane.due_at if lane.lease_until is None else lane.lease_until
    return lane.parked is None and wakes_at is not None and wakes_at <= now
