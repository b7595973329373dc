"""Throwing a read model away and making it again, beside the live one, which goes on being read and written.

`rebuild` reads the whole log into new tables, waits for the live projection to stand still for a moment, reads what
came meanwhile, and puts the new tables in the place of the old ones. `check` compares instead: both projections are
brought to the same place of the log, and the first row that differs is named. Both need the owner's role.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from infra.event_store import reading
from infra.event_store.feed import Cursor
from infra.postgres import APPLICATION_ROLE, Connection, connect
from projections.projection import Projection
from projections.view import SCHEMA

Progress = Callable[[str, int, int], None]
"""Is told the projection's name, how many events it has read, and how many there were when it began."""

_SESSION = {"idle_in_transaction_session_timeout": "0"}
"""Reading what came meanwhile happens inside one transaction; the program works all the while."""


class RebuildRunning(RuntimeError):
    """Another session rebuilds or checks this projection now."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The first row, by its key, that the live table and the rebuilt one do not agree in.

    `column` is None when one side does not have the row at all; `live` and `rebuilt` are the values then.
    """

    projection: str
    table: str
    key: Mapping[str, Any]
    column: str | None
    live: Any
    rebuilt: Any

    def __str__(self) -> str:
        """Return the difference as a sentence."""
        key = ", ".join(f"{name} {value}" for name, value in self.key.items())
        place = f"{self.projection}: table {self.table}, {key}"
        if self.column is not None:
            return f"{place}: {self.column} is {self.live!r}, rebuilt it is {self.rebuilt!r}"
        if self.live is None:
            return f"{place}: the row is missing"
        return f"{place}: the row should not be there"


def rebuild(
    projection: type[Projection],
    *,
    dsn: str,
    page_events: int = 2_000,
    progress: Progress | None = None,
) -> int:
    """Make one projection again and put it in the place of the live one; return how many events it read.

    Raises: RebuildRunning; psycopg.Error, after which the live tables are as they were.
    """
    with _beside(projection, dsn) as (connection, beside):
        count = _read_all(beside, connection, page_events, progress)
        _make_indexes(connection, beside)
        with connection.transaction():
            live = projection()
            live.stand_still(connection)
            end = reading.read_heads(connection)
            count += beside.catch_up(connection, page_events=page_events, until=end)
            _swap(connection, beside)
            _track(connection, live, end)
        return count


def check(
    projection: type[Projection],
    *,
    dsn: str,
    page_events: int = 2_000,
    progress: Progress | None = None,
) -> Difference | None:
    """Make one projection again beside the live one and compare; return the first difference, None if there is none.

    The live projection stands still while the tables are compared. Raises: RebuildRunning, psycopg.Error.
    """
    with _beside(projection, dsn) as (connection, beside):
        _read_all(beside, connection, page_events, progress)
        with connection.transaction():
            live = projection()
            live.stand_still(connection)
            end = reading.read_heads(connection)
            for either in (live, beside):
                either.catch_up(connection, page_events=page_events, until=end)
            return first_difference(connection, beside)


def first_difference(connection: Connection, beside: Projection) -> Difference | None:
    """Return the first difference between the live tables and those of `beside`, table by table."""
    for table, condition in beside.TABLES.items():
        key = _primary_key(connection, table)
        query = sql.SQL(
            "SELECT to_jsonb(l_), to_jsonb(r_) FROM (SELECT * FROM {live}{where}) AS l_"
            " FULL JOIN (SELECT * FROM {rebuilt}{where}) AS r_ USING ({key})"
            " WHERE to_jsonb(l_) IS DISTINCT FROM to_jsonb(r_) ORDER BY {key} LIMIT 1"
        ).format(
            live=sql.Identifier(SCHEMA, table),
            rebuilt=sql.Identifier(beside.schema, table),
            where=sql.SQL(f" WHERE {condition}" if condition else ""),
            key=sql.SQL(", ").join(map(sql.Identifier, key)),
        )
        found = connection.execute(query).fetchone()
        if found is not None:
            return _difference(beside.NAME, table, key, live=found[0], rebuilt=found[1])
    return None


def _difference(
    projection: str,
    table: str,
    key: list[str],
    *,
    live: dict[str, Any] | None,
    rebuilt: dict[str, Any] | None,
) -> Difference:
    either = live or rebuilt
    assert either is not None
    values = {name: either[name] for name in key}
    if live is None or rebuilt is None:
        return Difference(projection, table, values, None, live, rebuilt)
    column = next(name for name in live if live[name] != rebuilt[name])
    return Difference(projection, table, values, column, live[column], rebuilt[column])


# --- the steps ------------------------------------------------------------------------------------


@contextmanager
def _beside(projection: type[Projection], dsn: str) -> Iterator[tuple[Connection, Projection]]:
    """Give a connection and the projection over empty tables beside the live ones; leave nothing behind."""
    beside = projection(schema=f"{SCHEMA}_{projection.NAME}_rebuilt")
    with connect(dsn, name=f"rebuild {projection.NAME}", settings=_SESSION) as connection:
        found = connection.execute(
            "SELECT pg_try_advisory_lock(hashtext(%s))", [beside.tracked_as]
        ).fetchone()
        if found != (True,):
            raise RebuildRunning(
                f"the projection {projection.NAME} is being rebuilt or checked already"
            )
        _clean_up(connection, beside)
        make_tables(connection, beside)
        try:
            yield connection, beside
        finally:
            if not connection.broken:
                _clean_up(connection, beside)


def make_tables(connection: Connection, beside: Projection) -> None:
    """Make the projection's tables in its own schema, with their keys; further indexes come with the rows."""
    with connection.transaction():
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(beside.schema)))
        for table in beside.TABLES:
            there, here = sql.Identifier(SCHEMA, table), sql.Identifier(beside.schema, table)
            connection.execute(
                sql.SQL(
                    "CREATE TABLE {} (LIKE {} INCLUDING DEFAULTS INCLUDING CONSTRAINTS"
                    " INCLUDING GENERATED INCLUDING STORAGE INCLUDING COMPRESSION)"
                ).format(here, there)
            )
            for option in _one_column(
                connection,
                "SELECT unnest(reloptions) FROM pg_class WHERE oid = %s::regclass",
                f"{SCHEMA}.{table}",
            ):
                connection.execute(sql.SQL(f"ALTER TABLE {{}} SET ({option})").format(here))
            for name, definition in connection.execute(
                "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
                " WHERE conrelid = %s::regclass AND contype IN ('p', 'u')",
                [f"{SCHEMA}.{table}"],
            ).fetchall():
                connection.execute(
                    sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} {}").format(
                        here, sql.Identifier(name), sql.SQL(definition)
                    )
                )
            connection.execute(
                sql.SQL("GRANT SELECT, INSERT, UPDATE, DELETE ON {} TO {}").format(
                    here, sql.Identifier(APPLICATION_ROLE)
                )
            )


def _read_all(
    beside: Projection, connection: Connection, page_events: int, progress: Progress | None
) -> int:
    """Read the log up to where it ends now; the rest is read when the live projection stands still."""
    end = reading.read_heads(connection)
    done = 0
    while count := beside.step(connection, page_events=page_events, until=end):
        done += count
        if progress is not None:
            progress(beside.NAME, done, sum(end.positions))
    return done


def _make_indexes(connection: Connection, beside: Projection) -> None:
    """Make the indexes that only readers need, under the same names, and gather the planner's figures."""
    for table in beside.TABLES:
        for definition in _one_column(
            connection,
            "SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = %s::regclass"
            " AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)",
            f"{SCHEMA}.{table}",
        ):
            here = definition.replace(f" ON {SCHEMA}.{table} ", f" ON {beside.schema}.{table} ", 1)
            connection.execute(sql.SQL(here))
        connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(beside.schema, table)))


def _swap(connection: Connection, beside: Projection) -> None:
    """Put the rebuilt tables in the place of the live ones. Readers wait for the transaction's end."""
    for table in beside.TABLES:
        connection.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(SCHEMA, table)))
        connection.execute(
            sql.SQL("ALTER TABLE {} SET SCHEMA {}").format(
                sql.Identifier(beside.schema, table), sql.Identifier(SCHEMA)
            )
        )


def _track(connection: Connection, live: Projection, end: Cursor) -> None:
    connection.execute(
        "UPDATE tracking SET positions = %s, updated_at = now(), failed_at = NULL, failure = NULL"
        " WHERE projection = %s",
        [list(end.positions), live.tracked_as],
    )


def _clean_up(connection: Connection, beside: Projection) -> None:
    with connection.transaction():
        connection.execute(
            sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(beside.schema))
        )
        connection.execute("DELETE FROM tracking WHERE projection = %s", [beside.tracked_as])


def _primary_key(connection: Connection, table: str) -> list[str]:
    return _one_column(
        connection,
        "SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid"
        " AND a.attnum = ANY(i.indkey) WHERE i.indrelid = %s::regclass AND i.indisprimary"
        " ORDER BY array_position(i.indkey::int2[], a.attnum)",
        f"{SCHEMA}.{table}",
    )


def _one_column(connection: Connection, query: Any, *values: Any) -> list[Any]:
    return [row[0] for row in connection.execute(query, values)]
