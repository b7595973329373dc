"""Lanes over PostgreSQL: who submits a register's documents next, fenced by an epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain.identifiers import shard_of
from domain.ports import LaneLease
from infra.event_store.store import PostgresStore
from infra.event_store.writing import LANES_CHANNEL

# A lane comes up when its work is due, or when whoever held it let the lease run out. Another claim, or a commit that
# gives the lane work, is waited for: a lane skipped because a sale was just being written would sleep until the sweep.
_CLAIM = """
    UPDATE lanes
    SET epoch = epoch + 1, owner = %(owner)s, lease_until = %(until)s, due_at = NULL
    WHERE shard = %(shard)s AND register_id = %(register)s
        AND parked IS NULL AND coalesce(lease_until, due_at) <= %(now)s
    RETURNING epoch, failures
"""
_DUE = """
    SELECT register_id FROM lanes
    WHERE parked IS NULL AND (lease_until IS NOT NULL OR due_at IS NOT NULL)
        AND coalesce(lease_until, due_at) <= %(now)s
    ORDER BY coalesce(lease_until, due_at) LIMIT %(limit)s
"""
# Only the claim must outlive a crash of the database, because its epoch is the fence. A renewal or a return that is
# lost with the last milliseconds lets the lease run out, and that is all; so nobody waits for the disk.
_EXTEND = """
    UPDATE lanes SET lease_until = %(until)s
    FROM (SELECT set_config('synchronous_commit', 'off', true)) AS unhurried
    WHERE shard = %(shard)s AND register_id = %(register)s AND epoch = %(epoch)s
        AND lease_until IS NOT NULL
    RETURNING true
"""
_FINISH = """
    UPDATE lanes
    SET owner = NULL, lease_until = NULL, due_at = least(due_at, %(due)s), reason = %(reason)s,
        failures = %(failures)s
    FROM (SELECT set_config('synchronous_commit', 'off', true)) AS unhurried
    WHERE shard = %(shard)s AND register_id = %(register)s AND epoch = %(epoch)s
        AND lease_until IS NOT NULL
    RETURNING due_at IS NOT NULL AND parked IS NULL
"""
_WAKE = "SELECT pg_notify(%s, %s)"


class PostgresLanes:
    """The `Lanes` of a `PostgresStore`. Every method may raise StoreUnavailable."""

    def __init__(self, store: PostgresStore) -> None:
        self._store = store

    def claim(
        self, register_id: UUID, *, owner: str, now: datetime, seconds: int
    ) -> LaneLease | None:
        """Take the lane if it is due, not parked and not held; None otherwise."""
        found = self._one(
            _CLAIM,
            {
                "shard": shard_of(register_id),
                "register": register_id,
                "owner": owner,
                "now": now,
                "until": now + timedelta(seconds=seconds),
            },
        )
        return None if found is None else LaneLease(register_id, found[0], found[1])

    def due(self, *, now: datetime, limit: int) -> Sequence[UUID]:
        """Return registers whose lane is due and free, longest due first."""
        return self._store.ask(
            lambda connection: [
                row[0] for row in connection.execute(_DUE, {"now": now, "limit": limit})
            ]
        )

    def extend(self, lease: LaneLease, *, now: datetime, seconds: int) -> bool:
        """Renew a lease; False when it was lost."""
        values = {**_of(lease), "until": now + timedelta(seconds=seconds)}
        return self._one(_EXTEND, values) is not None

    def finish(
        self, lease: LaneLease, *, due_at: datetime | None, reason: str | None, failures: int
    ) -> bool:
        """Give the lane back; see `Lanes`. False when the lease was lost.

        Where work is left, whoever listens is told: what was committed meanwhile found the lane held.
        """
        values = {**_of(lease), "due": due_at, "reason": reason, "failures": failures}
        found = self._one(_FINISH, values)
        if found == (True,):
            self._store.ask(
                lambda connection: connection.execute(_WAKE, [LANES_CHANNEL, lease.register_id.hex])
            )
        return found is not None

    def _one(self, statement: str, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
        return self._store.ask(
            lambda connection: connection.execute(statement.encode(), values).fetchone()
        )


def _of(lease: LaneLease) -> dict[str, Any]:
    return {
        "shard": shard_of(lease.register_id),
        "register": lease.register_id,
        "epoch": lease.epoch,
    }
