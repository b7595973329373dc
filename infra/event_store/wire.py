"""Several prepared statements in one flush, all their results in one wait.

psycopg's pipeline mode waits on the socket once a statement. The appender is one thread among many that want the
interpreter, and each wait gives it away: a batch of a dozen statements would stand in that queue a dozen times. This
speaks to the same libpq handle through `psycopg.pq` and waits once.
"""

from __future__ import annotations

import select
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

import psycopg
from psycopg import errors
from psycopg.pq import ConnStatus, ExecStatus, Format
from psycopg.pq.abc import PGresult

from infra.event_store.arrays import Array
from infra.postgres import Connection

Row = tuple[bytes | None, ...]
_GOOD = (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK)


class Statement(NamedTuple):
    """SQL with parameters `$1`, `$2` …, and their values, all of them arrays."""

    sql: str
    values: tuple[Array, ...] = ()


class Wire:
    """Owns a connection's traffic: nothing else may be sent over it. Not for several threads."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._names: dict[tuple[str, tuple[int, ...]], bytes] = {}
        self._pg = connection.pgconn
        self._pg.nonblocking = 1
        self._pg.enter_pipeline_mode()
        self._poll = select.poll()
        self._poll.register(self._pg.socket, select.POLLIN)

    def run(self, statements: Sequence[Statement | None]) -> list[list[Row]]:
        """Run statements in order; return the rows of each, values in PostgreSQL's binary form; none for None.

        Raises: psycopg.Error of the first that fails; those behind it were not run, and the connection is good for
        nothing more than to be closed.
        """
        counts = [0 if statement is None else self._send(statement) for statement in statements]
        self._pg.pipeline_sync()
        results = iter(self._results())
        return [_rows(list(islice(results, count))) for count in counts]

    def _send(self, statement: Statement) -> int:
        """Queue a statement; return how many results it will have, of which the last is its own."""
        types = tuple([value.oid for value in statement.values])
        name = self._names.get((statement.sql, types))
        is_new = name is None
        if name is None:
            name = f"s{len(self._names)}".encode()
            self._names[statement.sql, types] = name
            self._pg.send_prepare(name, statement.sql.encode(), types)
        binary = [Format.BINARY] * len(types)
        self._pg.send_query_prepared(name, statement.values, binary, Format.BINARY)
        return 1 + is_new

    def _results(self) -> list[PGresult]:
        """Send what is queued; return all results up to the synchronisation point."""
        results: list[PGresult] = []
        failure: psycopg.Error | None = None
        try:
            self._flush()
            while True:
                while self._pg.is_busy():
                    self._poll.poll()
                    self._pg.consume_input()
                result = self._pg.get_result()
                if result is None:
                    self._check_alive()
                elif result.status == ExecStatus.PIPELINE_SYNC:
                    break
                elif result.status in _GOOD:
                    results.append(result)
                elif failure is None:
                    failure = errors.error_from_result(result)
        except psycopg.OperationalError as lost:
            # The server's reason, if it gave one before it hung up, says more than that it hung up.
            raise failure or lost from lost
        if failure is not None:
            raise failure
        return results

    def _flush(self) -> None:
        while self._pg.flush():
            self._poll.modify(self._pg.socket, select.POLLIN | select.POLLOUT)
            for _, ready in self._poll.poll():
                if ready & select.POLLIN:
                    self._pg.consume_input()
            self._poll.modify(self._pg.socket, select.POLLIN)

    def _check_alive(self) -> None:
        if self._pg.status == ConnStatus.BAD:
            raise psycopg.OperationalError("the connection is lost")


def _rows(results: Sequence[PGresult]) -> list[Row]:
    """Return the rows of a statement's own result, the last."""
    if not results:
        return []
    result = results[-1]
    columns = range(result.nfields)
    return [
        tuple([result.get_value(row, column) for column in columns])
        for row in range(result.ntuples)
    ]
