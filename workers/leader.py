"""One of several processes does a thing: an advisory lock says which."""

from __future__ import annotations

import threading
from collections.abc import Callable

import psycopg
import structlog

from infra.postgres import Connection, connect

log = structlog.get_logger(__name__)

_TRY = "SELECT pg_try_advisory_lock(hashtext(%s))"
_LOOK_SECONDS = 2.0


class Leader:
    """Runs `work` while this process holds the lock `name`; whoever waits takes over when it is let go."""

    def __init__(self, dsn: str, *, name: str, work: Callable[[threading.Event], None]) -> None:
        self._dsn = dsn
        self._name = f"fiscal {name}"
        self._work = work

    def run(self, stop: threading.Event) -> None:
        """Wait to become the one, then work; until told to stop."""
        while not stop.is_set():
            try:
                with connect(self._dsn, name=self._name) as connection:
                    if self._holds(connection):
                        self._lead(connection, stop)
            except psycopg.Error as error:
                log.warning("cannot ask for the lead", lock=self._name, reason=str(error))
            stop.wait(_LOOK_SECONDS)

    def _holds(self, connection: Connection) -> bool:
        found = connection.execute(_TRY, [self._name]).fetchone()
        return found == (True,)

    def _lead(self, connection: Connection, stop: threading.Event) -> None:
        log.info("leads", lock=self._name)
        lost = threading.Event()
        worker = threading.Thread(target=self._work, args=(lost,), name=self._name, daemon=True)
        worker.start()
        try:
            while not stop.wait(_LOOK_SECONDS):
                connection.execute("SELECT 1")
        finally:
            lost.set()
            worker.join()
