"""The SQL of a commit: one transaction for many saves over several shards, in two round trips.

Lock order everywhere: heads by shard, then lanes by shard and register; everything else is only inserted, under the
heads. Whoever appends holds the head rows of its shards until its commit, so what it reads under them is final:
versions, commands and lane epochs are judged there, and a conflict fails only its own save.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from domain.errors import Conflict, IntegrityFault
from domain.ports import (
    CommandAlreadyRecorded,
    CommandKey,
    DocumentRef,
    RecordedCommand,
    StoredKind,
)
from infra.event_store.arrays import (
    Array,
    dates,
    day,
    integers,
    moment,
    smallints,
    texts,
    uuids,
)
from infra.event_store.saves import (
    Admitted,
    Known,
    LaneState,
    Save,
    admit,
    command_id,
    dump_result,
    load_result,
)
from infra.event_store.wire import Row, Statement, Wire
from infra.event_store.writing import statements
from infra.postgres import Connection

SESSION = {
    # Between its statements the session holds the heads of its shards: what hangs must not hold up a chain.
    "idle_in_transaction_session_timeout": "5s",
    "lock_timeout": "5s",
    # Every statement finds its rows by key. Plans made while a table was empty must not scan it when it is full.
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
}
"""Settings of the session that a recorder works in."""

Refusal = Conflict | CommandAlreadyRecorded | IntegrityFault

_ENSURE_PARTITIONS = "SELECT ensure_documents_partition(month) FROM unnest($1) AS month"
_LOCK_HEADS = """
    SELECT shard, position FROM heads WHERE shard = ANY($1) ORDER BY shard FOR NO KEY UPDATE
"""
# What is asked for comes first and each row is found by its key. Written as a plain join, a plan made while a table was
# small reads the whole table and looks for the rows among those asked for, and stays while the table grows.
_STREAMS = """
    SELECT asked.shard, asked.stream_id, found.version, found.chain
    FROM unnest($1, $2) AS asked (shard, stream_id)
    CROSS JOIN LATERAL (
        SELECT version, chain FROM events
        WHERE shard = asked.shard AND stream_id = asked.stream_id
        ORDER BY version DESC LIMIT 1
    ) AS found
"""
_COMMANDS = """
    SELECT asked.shard, asked.scope, asked.key, found.body_hash, found.result
    FROM unnest($1, $2, $3) AS asked (shard, scope, key)
    CROSS JOIN LATERAL (
        SELECT body_hash, result FROM commands
        WHERE shard = asked.shard AND scope = asked.scope AND key = asked.key LIMIT 1
    ) AS found
"""
# Locks the lanes in the order they are asked for.
_LANES = """
    SELECT asked.shard, asked.register_id, found.epoch, found.due_at, found.lease_until, found.parked
    FROM unnest($1, $2) AS asked (shard, register_id)
    CROSS JOIN LATERAL (
        SELECT epoch, due_at, lease_until, parked FROM lanes
        WHERE shard = asked.shard AND register_id = asked.register_id LIMIT 1
        FOR NO KEY UPDATE
    ) AS found
"""
_DOCUMENTS = """
    SELECT asked.shard, asked.month, asked.document_id, asked.kind, found.sha256
    FROM unnest($1, $2, $3, $4) AS asked (shard, month, document_id, kind)
    CROSS JOIN LATERAL (
        SELECT sha256 FROM documents
        WHERE shard = asked.shard AND month = asked.month
            AND document_id = asked.document_id AND kind = asked.kind LIMIT 1
    ) AS found
"""
# The order leaves no index to choose but the one by version; another version has another chain.
_CHAINS = """
    SELECT found.chain FROM unnest($1, $2, $3) AS asked (shard, stream_id, version)
    CROSS JOIN LATERAL (
        SELECT chain FROM events
        WHERE shard = asked.shard AND stream_id = asked.stream_id AND version <= asked.version
        ORDER BY version DESC LIMIT 1
    ) AS found
"""


@dataclass(frozen=True, slots=True)
class Judged:
    """The saves of a batch, each with what becomes of it, and what is known after those that pass."""

    outcomes: tuple[Admitted | Refusal, ...]
    known: Known

    @property
    def passed(self) -> tuple[Admitted, ...]:
        """The saves that are to be written."""
        return tuple(each for each in self.outcomes if isinstance(each, Admitted))


class Recorder:
    """Writes batches over one connection with `SESSION`, which nobody else uses. Not for several threads."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._wire = Wire(connection)
        self._months: set[date] = set()

    def ensure_months(self, saves: Sequence[Save]) -> None:
        """Make the document partitions that these saves need, before any lock is taken."""
        months = {document.ref.month for save in saves for document in save.documents}
        if new := sorted(months - self._months):
            self._wire.run([Statement(_ENSURE_PARTITIONS, (dates(new),))])
            self._months.update(new)

    def judge(self, saves: Sequence[Save], *, thorough: bool) -> Judged:
        """Begin the transaction, lock, and say of each save whether it passes.

        A document, or the first event of a stream, is new, or a caller is wrong: whether it is there is looked up only
        when asked for, after a batch failed.

        Raises: psycopg.Error.
        """
        known = self._lock_and_read(saves, thorough=thorough)
        outcomes: list[Admitted | Refusal] = []
        for save in saves:
            try:
                outcomes.append(admit(save, known))
            except (Conflict, CommandAlreadyRecorded, IntegrityFault) as refusal:
                outcomes.append(refusal)
        return Judged(tuple(outcomes), known)

    def write(self, judged: Judged) -> None:
        """Write what passed and commit. Raises: psycopg.Error; then only `was_written` knows."""
        passed = judged.passed
        if not passed:
            self._wire.run([Statement("ROLLBACK")])
            return
        self._wire.run(statements(passed, judged.known))

    def was_written(self, passed: Sequence[Admitted]) -> bool:
        """Return whether the batch whose commit died is in the log after all; a batch is one transaction.

        Its heads are locked first: the session that died for us may still be committing. A batch without events is
        known by its commands; one without either changed only lanes, and may be written again.
        """
        witness, expected = _witness(passed)
        if witness is None:
            return False
        shards = sorted({each.save.shard for each in passed})
        _, _, found, _ = self._wire.run(
            [
                Statement("BEGIN"),
                Statement(_LOCK_HEADS, (smallints(shards),)),
                witness,
                Statement("COMMIT"),
            ]
        )
        return bool(found) and found[0][-len(expected) :] == expected

    def _lock_and_read(self, saves: Sequence[Save], *, thorough: bool) -> Known:
        shards = sorted({save.shard for save in saves})
        streams = {
            (save.shard, part.stream_id)
            for save in saves
            for part in save.parts
            if thorough or part.first_version > 1
        }
        commands = {command_id(s.shard, s.command.command) for s in saves if s.command is not None}
        lanes = {(save.shard, save.lane.register_id) for save in saves if save.lane is not None}
        refs = {d.ref for s in saves for d in s.documents} if thorough else set()
        _, heads, found_streams, found_commands, found_lanes, found_documents = self._wire.run(
            [
                Statement("BEGIN"),
                Statement(_LOCK_HEADS, (smallints(shards),)),
                _question(_STREAMS, streams, smallints, uuids),
                _question(_COMMANDS, commands, smallints, texts, texts),
                _question(_LANES, sorted(lanes), smallints, uuids),
                _question(
                    _DOCUMENTS,
                    {(ref.shard, ref.month, ref.document_id, ref.kind.value) for ref in refs},
                    smallints,
                    dates,
                    uuids,
                    texts,
                ),
            ]
        )
        return Known(
            heads={_whole(shard): _whole(position) for shard, position in heads},
            streams=dict(map(_stream, found_streams)),
            commands=dict(map(_command, found_commands)),
            lanes=dict(map(_lane, found_lanes)),
            documents=dict(map(_document, found_documents)) if thorough else None,
        )


# --- what is asked ---------------------------------------------------------------------------------------------


def _question(
    sql: str, keys: Collection[Any], *encoders: Callable[[Any], Array]
) -> Statement | None:
    """Return a query for these keys, if there are any; each encoder takes one column of them."""
    if not keys:
        return None
    columns = zip(*keys, strict=True)
    return Statement(
        sql, tuple([encode(column) for encode, column in zip(encoders, columns, strict=True)])
    )


def _witness(passed: Sequence[Admitted]) -> tuple[Statement | None, Row]:
    """Return a query for something that only this batch can have stored, and what it finds then."""
    for each in passed:
        if each.save.parts:
            part = each.save.parts[0]
            place = (
                smallints([each.save.shard]),
                uuids([part.stream_id]),
                integers([part.first_version]),
            )
            return Statement(_CHAINS, place), (each.chains[0],)
    for each in passed:
        if (command := each.save.command) is not None:
            shard, scope, key = command_id(each.save.shard, command.command)
            name = (smallints([shard]), texts([scope]), texts([key]))
            expected = (command.command.body_hash, dump_result(command.result))
            return Statement(_COMMANDS, name), expected
    return None, ()


def _whole(value: bytes | None) -> int:
    assert value is not None
    return int.from_bytes(value, "big", signed=True)


def _stream(row: Row) -> tuple[tuple[int, UUID], tuple[int, bytes]]:
    shard, stream_id, version, chain = row
    assert chain is not None
    return (_whole(shard), UUID(bytes=stream_id)), (_whole(version), chain)


def _command(row: Row) -> tuple[tuple[int, str, str], RecordedCommand]:
    shard, scope, key, body_hash, result = row
    assert scope is not None
    assert key is not None
    assert body_hash is not None
    assert result is not None
    command = CommandKey(scope.decode(), key.decode(), body_hash)
    return command_id(_whole(shard), command), RecordedCommand(command, load_result(result))


def _lane(row: Row) -> tuple[tuple[int, UUID], LaneState]:
    shard, register_id, epoch, due_at, lease_until, parked = row
    return (_whole(shard), UUID(bytes=register_id)), LaneState(
        epoch=_whole(epoch),
        due_at=None if due_at is None else moment(due_at),
        lease_until=None if lease_until is None else moment(lease_until),
        parked=None if parked is None else parked.decode(),
        stored=True,
    )


def _document(row: Row) -> tuple[DocumentRef, bytes]:
    shard, month, document_id, kind, sha256 = row
    assert month is not None
    assert kind is not None
    assert sha256 is not None
    ref = DocumentRef(_whole(shard), day(month), UUID(bytes=document_id), StoredKind(kind.decode()))
    return ref, sha256
