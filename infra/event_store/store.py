"""The store over PostgreSQL: aggregates by cache, snapshot and tail; commits through the appender."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import Self, TypeVar
from uuid import UUID

import psycopg
import psycopg_pool

from domain.aggregate import Aggregate
from domain.errors import Conflict, NotFound, StoreUnavailable
from domain.ports import CommandKey, Commit, DocumentRef, LogPosition, RecordedCommand
from infra.event_store import reading
from infra.event_store.appender import Appender
from infra.event_store.cache import AggregateCache, copy_to_look_at
from infra.event_store.codec import LedgerMapper, shape_of
from infra.event_store.feed import Cursor, FeedEvent, Page
from infra.event_store.memory import replay
from infra.event_store.recorder import SESSION
from infra.event_store.saves import load_result, prepare
from infra.postgres import Connection, connect, open_pool, refuse_database_functions
from infra.telemetry import CONFLICTS

AnyAggregate = TypeVar("AnyAggregate", bound=Aggregate)
Result = TypeVar("Result")

_RECORDED = """
    SELECT body_hash, result FROM commands WHERE shard = %s AND scope = %s AND key = %s
"""
_POOL_WAIT_SECONDS = 10.0
_HOLD_WAIT_SECONDS = 30.0


class PostgresStore:
    """A `LedgerStore` on the application role's `dsn`. Safe for threads; close it when done."""

    def __init__(
        self,
        dsn: str,
        *,
        name: str = "fiscal",
        pool_size: int = 8,
        snapshot_every: int = 200,
        cached_aggregates: int = 5_000,
        give_up_seconds: float = 15.0,
    ) -> None:
        refuse_database_functions()
        self.pool = open_pool(dsn, name=name, size=pool_size)
        self._mapper = LedgerMapper()
        self._snapshot_every = snapshot_every
        self._encoding = threading.Lock()
        self._cache = AggregateCache(
            self._load, capacity=cached_aggregates, wait_seconds=_HOLD_WAIT_SECONDS
        )
        self.appender = Appender(
            lambda: connect(dsn, name=f"{name} appender", settings=SESSION),
            give_up_seconds=give_up_seconds,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Write what is in flight and close the connections."""
        self.appender.close()
        self.pool.close()

    # --- the port ----------------------------------------------------------------------------------------------

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
        """Return an aggregate to look at as the log has it now; see `LedgerStore`."""
        with self._cache.hold(aggregate_class, stream_id, shard=shard) as aggregate:
            version = aggregate.version
            tail = self.ask(
                lambda connection: reading.read_tail(
                    connection, shard=shard, stream_id=stream_id, after=version
                )
            )
            for stored in tail:
                self._mapper.to_domain_event(stored).mutate(aggregate)  # type: ignore[attr-defined]
            return copy_to_look_at(aggregate)

    def commit(self, commit: Commit) -> LogPosition:
        """Make a commit durable; see `LedgerStore`."""
        # One save is encoded at a time. It is all computing, so threads doing it together gain nothing; each call that
        # lets the interpreter go for microseconds would have to win it back from all of them, and so would the appender.
        with self._encoding:
            save = prepare(commit, self._mapper, snapshot_every=self._snapshot_every)
        try:
            admitted = self.appender.append(save)
        except Conflict as conflict:
            if conflict.retryable:
                CONFLICTS.inc()
            raise
        for aggregate in commit.streams:
            aggregate.collect_events()
        return LogPosition(save.shard, admitted.position)

    def recorded(self, *, shard: int, scope: str, key: str) -> RecordedCommand | None:
        """Return what an earlier command with this key answered."""
        found = self.ask(
            lambda connection: connection.execute(
                _RECORDED, [shard, scope, key], binary=True
            ).fetchone()
        )
        if found is None:
            return None
        return RecordedCommand(
            CommandKey(scope=scope, key=key, body_hash=found[0]), load_result(found[1])
        )

    def document(self, ref: DocumentRef) -> bytes:
        """Return stored bytes. Raises: NotFound, IntegrityFault, StoreUnavailable."""
        return self.ask(lambda connection: reading.read_document(connection, ref))

    # --- the feed ----------------------------------------------------------------------------------------------

    def page(self, cursor: Cursor, limit: int) -> Page:
        """Return at most `limit` events after a cursor. Raises: StoreUnavailable."""
        return self.ask(lambda connection: reading.read_page(connection, cursor, limit))

    def heads(self) -> Cursor:
        """Return the end of the log. Raises: StoreUnavailable."""
        return self.ask(reading.read_heads)

    def follow(self, events: tuple[FeedEvent, ...]) -> None:
        """Bring cached aggregates forward by events read from the feed."""
        for event in events:
            self._cache.follow(event)

    def forget_aggregates(self) -> None:
        """Empty the cache, so that streams are loaded from their stored events again."""
        self._cache.forget()

    # --- inside ------------------------------------------------------------------------------------------------

    def ask(self, work: Callable[[Connection], Result]) -> Result:
        """Run `work` on a pooled connection, in autocommit, and return what it returns.

        When the connection turns out dead, as all are after the database was started again, `work` runs once more on
        another; so only work that may run twice is done here. Raises: StoreUnavailable.
        """
        connection: Connection | None = None
        try:
            with self._connection() as connection:
                return work(connection)
        except StoreUnavailable:
            if connection is None or not connection.broken:
                raise
        self.pool.check()
        with self._connection() as connection:
            return work(connection)

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        try:
            with self.pool.connection(timeout=_POOL_WAIT_SECONDS) as connection:
                yield connection
        except psycopg_pool.PoolTimeout:
            raise StoreUnavailable(what="store", reason="no database connection is free") from None
        except psycopg.OperationalError as error:
            raise StoreUnavailable(
                what="store", reason=f"the database does not answer ({error.sqlstate})"
            ) from error

    def _load(self, aggregate_class: type[Aggregate], stream_id: UUID, shard: int) -> Aggregate:
        snapshot, tail = self.ask(
            lambda connection: reading.read_stream(
                connection, shard=shard, stream_id=stream_id, shape=shape_of(aggregate_class)
            )
        )
        if snapshot is None and not tail:
            raise NotFound(what=aggregate_class.TOPIC, id=str(stream_id))
        return replay(self._mapper, snapshot, tail)
