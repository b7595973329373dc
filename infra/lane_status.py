"""A register's lane as stored: whether its documents have work, who works on them, why they wait."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.identifiers import shard_of
from infra.postgres import Pool


@dataclass(frozen=True, slots=True)
class LaneStatus:
    """`due_at`: there is work from then on. `lease_until`: a worker has it until then. `failures`: in a row."""

    due_at: datetime | None
    lease_until: datetime | None
    failures: int
    reason: str | None
    parked: str | None


class LaneStatuses(Protocol):
    """Reads lanes without touching them."""

    def of(self, register_id: UUID) -> LaneStatus | None:
        """Return the lane; None when the register never had work. Raises: StoreUnavailable."""
        ...


class StoredLanes:
    """Reads lanes from PostgreSQL."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def of(self, register_id: UUID) -> LaneStatus | None:
        """Return the lane; None when the register never had work."""
        with self._pool.connection() as connection:
            row = connection.execute(
                "SELECT due_at, lease_until, failures, reason, parked FROM lanes"
                " WHERE shard = %s AND register_id = %s",
                [shard_of(register_id), register_id],
            ).fetchone()
        return None if row is None else LaneStatus(*row)
