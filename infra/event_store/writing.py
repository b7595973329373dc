"""The statements that write a batch: what passed, as columns, one insert a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from uuid import UUID

from infra.event_store.arrays import (
    bigints,
    byteas,
    dates,
    integers,
    smallints,
    texts,
    times,
    uuids,
)
from infra.event_store.saves import Admitted, Known, dump_result
from infra.event_store.wire import Statement

EVENTS_CHANNEL = "fiscal_events"
"""NOTIFY after every batch that moved the log; a hint only, without payload."""
LANES_CHANNEL = "fiscal_lanes"
"""NOTIFY after a batch that gave lanes work: their register ids with commas, empty for "too many to name"."""
_MOST_NAMED_LANES = 200

_MOVE_HEADS = """
    UPDATE heads SET position = moved.position
    FROM unnest($1, $2) AS moved (shard, position) WHERE heads.shard = moved.shard
"""
_INSERT_EVENTS = """
    INSERT INTO events (shard, position, stream_id, version, topic, chain, state)
    SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7)
"""
_UPSERT_SNAPSHOTS = """
    INSERT INTO snapshots (shard, stream_id, version, topic, shape, state)
    SELECT * FROM unnest($1, $2, $3, $4, $5, $6)
    ON CONFLICT (shard, stream_id) DO UPDATE
    SET version = excluded.version, topic = excluded.topic, shape = excluded.shape,
        state = excluded.state, recorded_at = now()
"""
_INSERT_DOCUMENTS = """
    INSERT INTO documents (shard, month, document_id, kind, register_id, sha256, content)
    SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7)
"""
_INSERT_COMMANDS = """
    INSERT INTO commands (shard, scope, key, body_hash, result)
    SELECT * FROM unnest($1, $2, $3, $4, $5)
"""
_UPSERT_LANES = """
    INSERT INTO lanes (shard, register_id, due_at, parked) SELECT * FROM unnest($1, $2, $3, $4)
    ON CONFLICT (shard, register_id) DO UPDATE
    SET due_at = excluded.due_at, parked = excluded.parked
"""
_NOTIFY = f"SELECT pg_notify('{EVENTS_CHANNEL}', '')"
_NOTIFY_LANES = f"{_NOTIFY}, pg_notify('{LANES_CHANNEL}', ($1)[1])"


def statements(passed: Sequence[Admitted], known: Known) -> list[Statement]:
    """Return what writes, commits and announces the saves that passed."""
    lanes, woken = _lanes(known)
    return [
        *_events(passed),
        *_snapshots(passed),
        *_documents(passed),
        *_commands(passed),
        *lanes,
        Statement("COMMIT"),
        # After the commit, whose flush must not happen under NOTIFY's database-wide lock.
        _notification(woken),
    ]


def _events(passed: Sequence[Admitted]) -> Iterator[Statement]:
    """Yield the insert of all events and the move of their heads."""
    shards: list[int] = []
    positions: list[int] = []
    streams: list[UUID] = []
    versions: list[int] = []
    topics: list[str] = []
    chains: list[bytes] = []
    states: list[bytes] = []
    heads: dict[int, int] = {}
    for each in passed:
        position = each.first_position
        for part in each.save.parts:
            for event in part.events:
                shards.append(each.save.shard)
                positions.append(position)
                streams.append(part.stream_id)
                versions.append(event.originator_version)
                topics.append(event.topic)
                states.append(event.state)
                position += 1
        chains += each.chains
        if each.chains:
            heads[each.save.shard] = each.position
    if positions:
        yield Statement(
            _INSERT_EVENTS,
            (
                smallints(shards),
                bigints(positions),
                uuids(streams),
                integers(versions),
                texts(topics),
                byteas(chains),
                byteas(states),
            ),
        )
        yield Statement(_MOVE_HEADS, (smallints(list(heads)), bigints(list(heads.values()))))


def _snapshots(passed: Sequence[Admitted]) -> Iterator[Statement]:
    newest = {
        (each.save.shard, snapshot.stream_id): snapshot
        for each in passed
        for snapshot in each.save.snapshots
    }
    if newest:
        rows = list(newest.values())
        yield Statement(
            _UPSERT_SNAPSHOTS,
            (
                smallints([shard for shard, _ in newest]),
                uuids([row.stream_id for row in rows]),
                integers([row.version for row in rows]),
                texts([row.topic for row in rows]),
                texts([row.shape for row in rows]),
                byteas([row.state for row in rows]),
            ),
        )


def _documents(passed: Sequence[Admitted]) -> Iterator[Statement]:
    # Admission has taken out what is stored already.
    rows = [document for each in passed for document in each.documents]
    if rows:
        yield Statement(
            _INSERT_DOCUMENTS,
            (
                smallints([row.ref.shard for row in rows]),
                dates([row.ref.month for row in rows]),
                uuids([row.ref.document_id for row in rows]),
                texts([row.ref.kind.value for row in rows]),
                uuids([row.register_id for row in rows]),
                byteas([row.sha256 for row in rows]),
                byteas([row.compressed for row in rows]),
            ),
        )


def _commands(passed: Sequence[Admitted]) -> Iterator[Statement]:
    rows = [
        (each.save.shard, each.save.command) for each in passed if each.save.command is not None
    ]
    if rows:
        yield Statement(
            _INSERT_COMMANDS,
            (
                smallints([shard for shard, _ in rows]),
                texts([row.command.scope for _, row in rows]),
                texts([row.command.key for _, row in rows]),
                byteas([row.command.body_hash for _, row in rows]),
                byteas([dump_result(row.result) for _, row in rows]),
            ),
        )


def _lanes(known: Known) -> tuple[list[Statement], list[UUID]]:
    """Return the write of the lanes that changed, and those that have work and are free.

    Whoever holds a lane looks for what came meanwhile when giving it back.
    """
    rows = [(*key, lane) for key, lane in sorted(known.lanes.items()) if lane.changed]
    if not rows:
        return [], []
    statement = Statement(
        _UPSERT_LANES,
        (
            smallints([shard for shard, _, _ in rows]),
            uuids([register_id for _, register_id, _ in rows]),
            times([lane.due_at for _, _, lane in rows]),
            texts([lane.parked for _, _, lane in rows]),
        ),
    )
    woken = [
        register_id
        for _, register_id, lane in rows
        if lane.due_at is not None and lane.parked is None and lane.lease_until is None
    ]
    return [statement], woken


def _notification(woken: Sequence[UUID]) -> Statement:
    if not woken:
        return Statement(_NOTIFY)
    named = woken if len(woken) <= _MOST_NAMED_LANES else ()
    return Statement(_NOTIFY_LANES, (texts([",".join(lane.hex for lane in named)]),))
