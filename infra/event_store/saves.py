"""What a commit stores, and the rules that let it pass: one meaning for PostgreSQL and memory alike.

A commit becomes a `Save`: encoded, compressed, ready to write. `admit` judges it against what is known under the
shard's lock and brings that knowledge up to date, so that several saves of one batch are judged one after another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from eventsourcing.persistence import StoredEvent

from domain.aggregate import Aggregate
from domain.errors import Conflict, IdempotencyKeyReused, IntegrityFault, StaleLease
from domain.identifiers import shard_of
from domain.ports import (
    CommandAlreadyRecorded,
    CommandKey,
    Commit,
    DocumentRef,
    LaneChange,
    RecordedCommand,
)
from infra.event_store import chain
from infra.event_store.codec import LedgerMapper, shape_of
from infra.event_store.compression import compress


@dataclass(frozen=True, slots=True)
class StreamPart:
    """New events of one stream, in order; `first_version` is the version of the first."""

    stream_id: UUID
    first_version: int
    events: tuple[StoredEvent, ...]


@dataclass(frozen=True, slots=True)
class StoredSnapshot:
    """The state of a stream after its newest event."""

    stream_id: UUID
    version: int
    topic: str
    shape: str
    state: bytes


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document's bytes, compressed, with the SHA-256 of what they were."""

    ref: DocumentRef
    register_id: UUID
    sha256: bytes
    compressed: bytes


@dataclass(frozen=True, slots=True)
class Save:
    """A commit ready to be written."""

    shard: int
    parts: tuple[StreamPart, ...]
    snapshots: tuple[StoredSnapshot, ...] = ()
    documents: tuple[StoredDocument, ...] = ()
    command: RecordedCommand | None = None
    lane: LaneChange | None = None


@dataclass(slots=True)
class LaneState:
    """A lane as stored. `stored` tells whether it has a row, `changed` whether a save of this batch changed it."""

    epoch: int = 0
    due_at: datetime | None = None
    lease_until: datetime | None = None
    owner: str | None = None
    parked: str | None = None
    reason: str | None = None
    failures: int = 0
    stored: bool = False
    changed: bool = False


@dataclass(slots=True)
class Known:
    """What is stored, as far as the saves at hand ask.

    `heads` by shard; `streams`: newest version and its chain; `documents`: SHA-256 of their bytes, None when they
    were not looked up.
    """

    heads: dict[int, int] = field(default_factory=dict)
    streams: dict[tuple[int, UUID], tuple[int, bytes]] = field(default_factory=dict)
    commands: dict[tuple[int, str, str], RecordedCommand] = field(default_factory=dict)
    lanes: dict[tuple[int, UUID], LaneState] = field(default_factory=dict)
    documents: dict[DocumentRef, bytes] | None = None


@dataclass(frozen=True, slots=True)
class Admitted:
    """A save that passed: `chains` of its events in order, `position` of its last one.

    `documents` are those of the save that are not stored yet.
    """

    save: Save
    chains: tuple[bytes, ...]
    first_position: int
    position: int
    documents: tuple[StoredDocument, ...]


def prepare(commit: Commit, mapper: LedgerMapper, *, snapshot_every: int) -> Save:
    """Return a commit in its stored form. Raises: TypeError when a value does not fit its type hint."""
    assert commit.lane is None or shard_of(commit.lane.register_id) == commit.shard
    assert all(stored.ref.shard == commit.shard for stored in commit.documents)
    parts = []
    snapshots = []
    for aggregate in commit.streams:
        pending = aggregate.pending_events
        if not pending:
            continue
        events = tuple(mapper.to_stored_event(event) for event in pending)
        parts.append(StreamPart(aggregate.id, pending[0].originator_version, events))
        if _snapshot_is_due(aggregate, len(events), snapshot_every):
            snapshots.append(_snapshot(aggregate, mapper))
    return Save(
        shard=commit.shard,
        parts=tuple(parts),
        snapshots=tuple(snapshots),
        documents=tuple(
            StoredDocument(
                ref=stored.ref,
                register_id=stored.register_id,
                sha256=stored.sha256,
                compressed=compress(stored.content),
            )
            for stored in commit.documents
        ),
        command=commit.command,
        lane=commit.lane,
    )


def _snapshot_is_due(aggregate: Aggregate, new_events: int, every: int) -> bool:
    wants: Any = getattr(aggregate, "wants_snapshot", False)
    if wants() if callable(wants) else wants:
        return True
    return aggregate.version // every > (aggregate.version - new_events) // every


def _snapshot(aggregate: Aggregate, mapper: LedgerMapper) -> StoredSnapshot:
    stored = mapper.to_stored_event(Aggregate.Snapshot.take(aggregate))
    return StoredSnapshot(
        stream_id=aggregate.id,
        version=aggregate.version,
        topic=stored.topic,
        shape=shape_of(type(aggregate)),
        state=stored.state,
    )


def admit(save: Save, known: Known) -> Admitted:
    """Let a save pass and take it into what is known; nothing changes when it is refused.

    The command is judged first: a repetition gets the first result even when its streams moved on since.

    Raises: CommandAlreadyRecorded, IdempotencyKeyReused, StaleLease, Conflict; IntegrityFault when a document is
    stored with other bytes.
    """
    _check_command(save, known)
    lane = _checked_lane(save, known)
    documents = _new_documents(save, known)
    chains: list[bytes] = []
    moved: dict[tuple[int, UUID], tuple[int, bytes]] = {}
    for part in save.parts:
        key = (save.shard, part.stream_id)
        version, value = (
            moved.get(key) or known.streams.get(key) or (0, chain.origin(part.stream_id))
        )
        if part.first_version != version + 1:
            raise Conflict
        for event in part.events:
            version = event.originator_version
            value = chain.link(value, topic=event.topic, version=version, state=event.state)
            chains.append(value)
        moved[key] = (version, value)
    known.streams.update(moved)
    if save.command is not None:
        known.commands[command_id(save.shard, save.command.command)] = save.command
    if save.lane is not None and lane is not None:
        change_lane(lane, save.lane)
        known.lanes[save.shard, save.lane.register_id] = lane
    before = known.heads.get(save.shard, 0)
    known.heads[save.shard] = before + len(chains)
    return Admitted(save, tuple(chains), before + 1, before + len(chains), documents)


def command_id(shard: int, command: CommandKey) -> tuple[int, str, str]:
    """Return what tells commands apart."""
    return (shard, command.scope, command.key)


def _check_command(save: Save, known: Known) -> None:
    if save.command is None:
        return
    earlier = known.commands.get(command_id(save.shard, save.command.command))
    if earlier is None:
        return
    if earlier.command.body_hash != save.command.command.body_hash:
        raise IdempotencyKeyReused
    raise CommandAlreadyRecorded(earlier)


def _checked_lane(save: Save, known: Known) -> LaneState | None:
    if save.lane is None:
        return None
    lane = known.lanes.get((save.shard, save.lane.register_id)) or LaneState()
    fence = save.lane.fence
    if fence is not None and (lane.epoch != fence or lane.lease_until is None):
        raise StaleLease(register_id=save.lane.register_id)
    return lane


def _new_documents(save: Save, known: Known) -> tuple[StoredDocument, ...]:
    """Return the documents to store; the same bytes may come again, other bytes never."""
    if known.documents is None:
        return save.documents
    new = {}
    for document in save.documents:
        stored = known.documents.get(document.ref)
        if stored is None:
            new[document.ref] = document
        elif stored != document.sha256:
            raise IntegrityFault(
                place=f"{document.ref.kind.value} document {document.ref.document_id}",
                what="other bytes are stored already",
            )
    return tuple(new.values())


def change_lane(lane: LaneState, change: LaneChange) -> None:
    """Apply a change: an earlier due time stays, a resumed lane may be parked again by the same change."""
    due_at, parked = lane.due_at, lane.parked
    if change.due_at is not None:
        due_at = change.due_at if due_at is None else min(due_at, change.due_at)
    if change.resumed:
        parked = None
    if change.parked is not None:
        parked = change.parked
    if not lane.stored or (due_at, parked) != (lane.due_at, lane.parked):
        lane.due_at, lane.parked, lane.changed = due_at, parked, True


def dump_result(result: Mapping[str, str | int]) -> bytes:
    """Return a command's result as it is stored."""
    return orjson.dumps(dict(result))


def load_result(stored: bytes) -> dict[str, str | int]:
    """Return a command's result from its stored form."""
    result: dict[str, str | int] = orjson.loads(stored)
    return result
