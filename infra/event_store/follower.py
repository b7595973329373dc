"""One thread per process that follows the log: cached aggregates move forward, subscribers hear of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import psycopg
import structlog
from psycopg import sql

from domain.errors import StoreUnavailable
from infra.event_store.feed import FeedEvent
from infra.event_store.store import PostgresStore
from infra.event_store.writing import EVENTS_CHANNEL
from infra.postgres import Connection, connect

log = structlog.get_logger(__name__)

Subscriber = Callable[[tuple[FeedEvent, ...]], None]

PAGE = 2_000
_RETRY_SECONDS = 0.5


class Hints:
    """Waits for the database's hints that something moved. Not for several threads.

    A hint can be missed and the connection can be lost, so whoever waits also looks by itself from time to time.
    """

    def __init__(self, dsn: str, *, name: str, channel: str = EVENTS_CHANNEL) -> None:
        self._dsn = dsn
        self._name = name
        self._channel = channel
        self._connection: Connection | None = None

    def wait(self, seconds: float) -> list[str]:
        """Return the payloads heard, empty when time ran out.

        The first wait on a new connection returns at once, with an empty payload: what happened before it was not
        heard. While the database is away, waiting is all it does.
        """
        until = time.monotonic() + seconds
        try:
            if self._connection is None:
                self._connection = connect(self._dsn, name=self._name)
                self._connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(self._channel)))
                return [""]
            return [
                hint.payload for hint in self._connection.notifies(timeout=seconds, stop_after=1)
            ]
        except psycopg.Error as error:
            log.warning("no hints from the database", session=self._name, reason=str(error).strip())
            self.close()
            time.sleep(max(0.0, until - time.monotonic()))
            return []

    def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


class FeedFollower:
    """Follows the log from where it ended when this was made.

    Hints wake it; without them it looks every `poll_seconds`. Raises: StoreUnavailable.
    """

    def __init__(
        self,
        store: PostgresStore,
        dsn: str,
        *,
        name: str,
        poll_seconds: float = 1.0,
        gather_seconds: float = 0.005,
    ) -> None:
        """After a hint more is waited for during `gather_seconds`.

        Commits come in flocks; each page read by itself would cost more than its events.
        """
        self._store = store
        self._hints = Hints(dsn, name=f"{name} follower")
        self._poll_seconds = poll_seconds
        self._gather_seconds = gather_seconds
        self._subscribers: list[Subscriber] = []
        self._one_at_a_time = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="feed follower", daemon=True)
        self.cursor = store.heads()

    def subscribe(self, subscriber: Subscriber) -> None:
        """Call `subscriber` with each page of events, in the follower's thread; it must be quick."""
        self._subscribers.append(subscriber)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self) -> None:
        """Stop following; returns when the thread has ended, after `poll_seconds` at most."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self._hints.close()

    def catch_up(self) -> int:
        """Read to the end of the log now; return how many events there were. Raises: StoreUnavailable."""
        count = 0
        with self._one_at_a_time:
            while True:
                page = self._store.page(self.cursor, PAGE)
                if not page.events:
                    return count
                self._store.follow(page.events)
                for subscriber in self._subscribers:
                    try:
                        subscriber(page.events)
                    except Exception:
                        log.exception("a subscriber of the feed failed")
                self.cursor = page.cursor
                count += len(page.events)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._hints.wait(self._poll_seconds)
                self._stop.wait(self._gather_seconds)
                self.catch_up()
            except StoreUnavailable as error:
                log.warning("cannot follow the log", reason=error.reason)
                self._stop.wait(_RETRY_SECONDS)
            except Exception:
                # Without this thread every held call of the process would wait for nothing.
                log.exception("cannot follow the log")
                self._stop.wait(_RETRY_SECONDS)
