"""What a benchmark is given: a server that flushes its commits, fresh databases on it, and how long to take."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from infra.postgres import migrate

QUICK_SECONDS = 0.2
_database_numbers = count(1)


@dataclass(frozen=True)
class Context:
    """Where and how thoroughly to measure.

    `server` is a superuser's DSN. `folder` is empty and for the benches' own files. `quick` only proves that a bench
    runs: its figures mean nothing.
    """

    server: str
    folder: Path
    quick: bool = False

    def seconds(self, full: float) -> float:
        """Return how long a block of measuring takes; `full` when it is meant."""
        return min(full, QUICK_SECONDS) if self.quick else full

    def pick(self, full: int, quick: int) -> int:
        """Return how many of something there are."""
        return quick if self.quick else full

    @contextmanager
    def database(self) -> Iterator[str]:
        """Give the owner's DSN of a fresh, migrated database; it is dropped afterwards."""
        name = sql.Identifier(f"bench_{next(_database_numbers)}")
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
            dsn = make_conninfo(self.server, dbname=name.as_string().strip('"'))
            try:
                migrate(dsn)
                yield dsn
            finally:
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))
                # What one bench wrote is not flushed at the cost of the next.
                connection.execute("CHECKPOINT")
