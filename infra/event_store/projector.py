"""Projectors: the log read in pages, each page's rows and the place reached written in one transaction."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar

import psycopg
import structlog

from domain.identifiers import SHARDS
from infra.event_store import reading
from infra.event_store.feed import Cursor, FeedEvent
from infra.postgres import Connection, connect

log = structlog.get_logger(__name__)

_PLACE = "SELECT positions FROM tracking WHERE projection = %s FOR UPDATE"
_BEGIN_AT_ZERO = """
    INSERT INTO tracking (projection, positions) VALUES (%s, %s) ON CONFLICT (projection) DO NOTHING
"""
_MOVE = """
    UPDATE tracking SET positions = %s, updated_at = now(), failed_at = NULL, failure = NULL
    WHERE projection = %s
"""
_FAIL = """
    INSERT INTO tracking (projection, positions, failed_at, failure) VALUES (%s, %s, now(), %s)
    ON CONFLICT (projection) DO UPDATE
    SET failed_at = coalesce(tracking.failed_at, now()), failure = excluded.failure
"""
_WELL = """
    UPDATE tracking SET failed_at = NULL, failure = NULL WHERE projection = %s AND failed_at IS NOT NULL
"""


class Projector(ABC):
    """One projection. `apply` writes a page's rows; events of one register come in order.

    The page and the place reached are one transaction, under a lock on the tracking row: a page is applied exactly
    once, whoever runs the projection and however often. `apply` may still see any split of the log into pages, and
    events of different shards in any order. Write with `unnest` or COPY, not row by row.
    """

    NAME: ClassVar[str]

    @abstractmethod
    def apply(self, page: Sequence[FeedEvent], connection: Connection) -> None:
        """Write what these events mean, in the transaction given."""

    @property
    def tracked_as(self) -> str:
        """Return the name under which the place reached is kept."""
        return self.NAME

    def step(self, connection: Connection, *, page_events: int, until: Cursor | None = None) -> int:
        """Apply the next page; return how many events it had, 0 at the end of the log or at `until`."""
        with connection.transaction():
            cursor = self._place(connection)
            page = reading.read_page(connection, cursor, page_events, until=until)
            if not page.events:
                return 0
            self.apply(page.events, connection)
            connection.execute(_MOVE, [list(page.cursor.positions), self.tracked_as])
            return len(page.events)

    def catch_up(
        self,
        connection: Connection,
        *,
        page_events: int = 2_000,
        progress: Callable[[int], None] | None = None,
        until: Cursor | None = None,
    ) -> int:
        """Apply pages up to the end of the log or up to `until`; return how many events there were."""
        total = 0
        while count := self.step(connection, page_events=page_events, until=until):
            total += count
            if progress is not None:
                progress(count)
        return total

    def _place(self, connection: Connection) -> Cursor:
        found = connection.execute(_PLACE, [self.tracked_as]).fetchone()
        if found is None:
            connection.execute(_BEGIN_AT_ZERO, [self.tracked_as, [0] * SHARDS])
            found = connection.execute(_PLACE, [self.tracked_as]).fetchone()
        assert found is not None
        return Cursor(tuple(found[0]))


class ProjectorThread:
    """Keeps one projection running; a failure stops only this one, is shown in `tracking`, and is tried again."""

    def __init__(
        self,
        projector: Projector,
        dsn: str,
        *,
        page_events: int = 2_000,
        poll_seconds: float = 1.0,
        retry_seconds: float = 5.0,
    ) -> None:
        self._projector = projector
        self._dsn = dsn
        self._page_events = page_events
        self._poll_seconds = poll_seconds
        self._retry_seconds = retry_seconds
        self._moved = threading.Event()

    def wake(self) -> None:
        """Say that the log moved."""
        self._moved.set()

    def run(self, stop: threading.Event) -> None:
        """Follow the log until told to stop; a page that was begun is finished."""
        name = self._projector.tracked_as
        connection: Connection | None = None
        well = False
        while not stop.is_set():
            try:
                if connection is None or connection.closed:
                    connection = connect(self._dsn, name=f"projection {name}")
                self._moved.clear()
                self._catch_up(connection, stop)
                if not well:
                    connection.execute(_WELL, [name])
                    well = True
                self._moved.wait(self._poll_seconds)
            except Exception as error:
                log.exception("projection stands still", projection=name)
                well = False
                self._show_failure(connection, error)
                stop.wait(self._retry_seconds)
        if connection is not None:
            connection.close()

    def _catch_up(self, connection: Connection, stop: threading.Event) -> None:
        while not stop.is_set():
            # A page that is not full ends the log; what came since has woken us again.
            count = self._projector.step(connection, page_events=self._page_events)
            if count < self._page_events:
                return

    def _show_failure(self, connection: Connection | None, error: Exception) -> None:
        """Write down why the projection stands still; when the database is away, the log says it."""
        if connection is None or connection.closed:
            return
        failure = f"{type(error).__name__}: {error}".replace("\0", "")[:500]
        try:
            connection.execute(_FAIL, [self._projector.tracked_as, [0] * SHARDS, failure])
        except psycopg.Error:
            log.exception("the failure cannot be shown", projection=self._projector.tracked_as)
            connection.close()
