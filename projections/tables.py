"""Rows of read models: loaded by key, changed in memory by events, written back in one statement.

A row is a frozen dataclass. Its fields are the table's columns, under the names that stored events use: an amount
`total: Money` is the column `total_kopecks`. A page of rows travels as one JSON text, which the database takes apart
by the table's own column types, so that no list of types stands beside the migration.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, Generic, TypeVar, get_args, get_type_hints
from uuid import UUID

import orjson
from psycopg import sql
from psycopg.rows import dict_row

from infra.event_store.converter import converter, stored_name
from infra.postgres import Connection

Row = TypeVar("Row")
_AS_THEY_ARE = frozenset({str, int, bool, UUID, date, datetime, type(None)})


class Rows(Generic[Row]):
    """Rows of one table that a page of events touches: as they were, and as they are now."""

    def __init__(self, table: Table[Row], loaded: Iterable[Row] = ()) -> None:
        self._table = table
        self._before = {table.key_of(row): row for row in loaded}
        self._now = dict(self._before)

    def get(self, *key: Any) -> Row | None:
        """Return the row as it is now."""
        return self._now.get(key)

    def put(self, row: Row) -> None:
        """Add a row, or take another form of it."""
        self._now[self._table.key_of(row)] = row

    def drop(self, *key: Any) -> None:
        """Take a row away."""
        self._now.pop(key, None)

    def __iter__(self) -> Iterator[Row]:
        return iter(self._now.values())

    def moves(self) -> Iterator[tuple[Row | None, Row | None]]:
        """Return each row that changed, before and after; None where it was or is not there."""
        for key in self._before.keys() | self._now.keys():
            before, after = self._before.get(key), self._now.get(key)
            if before is not after and before != after:
                yield before, after


@dataclass(frozen=True, slots=True)
class _Column:
    field: str
    name: str
    hint: Any
    dump: Callable[[Any], Any] | None


class Table(Generic[Row]):
    """One table of a projection. `added` fields are summed on conflict instead of replaced."""

    def __init__(
        self, name: str, row: type[Row], *, key: tuple[str, ...], added: Collection[str] = ()
    ) -> None:
        self.name = name
        self.key = key
        self._row = row
        hints = get_type_hints(row)
        self._columns = tuple(
            _column(field.name, hints[field.name])
            for field in fields(row)  # type: ignore[arg-type]
        )
        self._typed = tuple(column for column in self._columns if column.dump is not None)
        self._added = frozenset(added)
        self._upserts: dict[str, sql.Composed] = {}

    def key_of(self, row: Row) -> tuple[Any, ...]:
        """Return what tells a row from others."""
        return tuple(getattr(row, field) for field in self.key)

    def columns(self, prefix: str | None = None) -> sql.Composed:
        """Return the columns, to select rows by."""
        names = (column.name for column in self._columns)
        return sql.SQL(", ").join(
            sql.Identifier(name) if prefix is None else sql.Identifier(prefix, name)
            for name in names
        )

    def row(self, values: dict[str, Any]) -> Row:
        """Return the row that selected columns make."""
        return self._row(
            **{
                column.field: values[column.name]
                if column.dump is None
                else converter.structure(values[column.name], column.hint)
                for column in self._columns
            }
        )

    def load(self, connection: Connection, schema: str, keys: Collection[Any]) -> Rows[Row]:
        """Return the rows with these keys; for tables whose key is one column."""
        if not keys:
            return Rows(self)
        (column,) = self.key
        query = sql.SQL("SELECT {} FROM {} WHERE {} = ANY(%s)").format(
            self.columns(), sql.Identifier(schema, self.name), sql.Identifier(column)
        )
        with connection.cursor(row_factory=dict_row) as cursor:
            return Rows(self, map(self.row, cursor.execute(query, [list(keys)])))

    def save(self, connection: Connection, schema: str, rows: Rows[Row]) -> None:
        """Write what changed and delete what is gone; for tables whose key is one column."""
        moves = list(rows.moves())
        gone = [self.key_of(before)[0] for before, after in moves if before and not after]
        self.upsert(connection, schema, [after for _, after in moves if after])
        if gone:
            (column,) = self.key
            connection.execute(
                sql.SQL("DELETE FROM {} WHERE {} = ANY(%s)").format(
                    sql.Identifier(schema, self.name), sql.Identifier(column)
                ),
                [gone],
            )

    def upsert(self, connection: Connection, schema: str, rows: Collection[Row]) -> None:
        """Insert rows, or change those that are there."""
        if rows:
            stored = orjson.dumps(list(map(self._stored, rows)), option=orjson.OPT_UTC_Z)
            connection.execute(self._upsert(schema), [stored.decode()])

    def _stored(self, row: Row) -> Any:
        if not self._typed:
            return row
        return {
            column.name: getattr(row, column.field)
            if column.dump is None
            else column.dump(getattr(row, column.field))
            for column in self._columns
        }

    def _upsert(self, schema: str) -> sql.Composed:
        if schema not in self._upserts:
            changes = [
                self._change(column) for column in self._columns if column.field not in self.key
            ]
            self._upserts[schema] = sql.SQL(
                "INSERT INTO {table} AS t ({columns}) SELECT {columns}"
                " FROM json_populate_recordset(NULL::{table}, %s)"
                " ON CONFLICT ({key}) DO UPDATE SET {changes}"
            ).format(
                table=sql.Identifier(schema, self.name),
                columns=self.columns(),
                key=sql.SQL(", ").join(map(sql.Identifier, self.key)),
                changes=sql.SQL(", ").join(changes),
            )
        return self._upserts[schema]

    def _change(self, column: _Column) -> sql.Composed:
        name = sql.Identifier(column.name)
        if column.field in self._added:
            return sql.SQL("{0} = t.{0} + excluded.{0}").format(name)
        return sql.SQL("{0} = excluded.{0}").format(name)


def _column(field: str, hint: Any) -> _Column:
    plain = set(get_args(hint) or (hint,)) <= _AS_THEY_ARE
    dump = None if plain else converter.get_unstructure_hook(hint)
    return _Column(field=field, name=stored_name(field, hint), hint=hint, dump=dump)
