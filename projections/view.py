"""What all views share: which place of the log they show, and how to wait for one's own write."""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, Generic, LiteralString, TypeVar
from uuid import UUID

from psycopg import Cursor as DatabaseCursor
from psycopg import sql
from psycopg.rows import dict_row

from domain.errors import InvalidField
from domain.ports import LogPosition
from infra.event_store.feed import Cursor
from infra.postgres import Pool

SCHEMA = "projections"
LONGEST_PAGE = 500
"""Most rows a view returns at once."""

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class RowPage(Generic[Row]):
    """Rows of a list. `next` asks for the following ones, None at the end; `cursor` is the log's place shown."""

    rows: tuple[Row, ...]
    next: str | None
    cursor: Cursor


class View:
    """Reads of one projection over a pool of connections.

    Rows are read after the cursor, so they show the place named or a later one, never an earlier one.
    """

    PROJECTION: ClassVar[str]

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def cursor(self) -> Cursor:
        """Return the place of the log up to which the projection has read."""
        with self._pool.connection() as connection:
            found = connection.execute(
                "SELECT positions FROM tracking WHERE projection = %s", [self.PROJECTION]
            ).fetchone()
        return Cursor() if found is None else Cursor(tuple(found[0]))

    def reached(self, position: LogPosition) -> bool:
        """Return whether rows show this place already."""
        return self.cursor().covers(position.shard, position.position)

    def wait_for(self, position: LogPosition, *, timeout_seconds: float) -> bool:
        """Wait until rows show this place, so that a client reads its own write; False when time runs out.

        It blocks its thread and asks the database ever more rarely, 5 to 100 ms apart.
        """
        deadline = time.monotonic() + timeout_seconds
        pause = 0.005
        while not self.reached(position):
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(pause, left))
            pause = min(pause * 2, 0.1)
        return True

    def _page(
        self,
        read: Callable[[Where, int], list[Row]],
        where: Where,
        *,
        order: tuple[str, str],
        limit: int,
        after: str | None,
    ) -> RowPage[Row]:
        """Return one page of a list that `read` gives in the order of two columns: times newest first, names forward.

        One row more than asked for tells whether there is another page. Raises: InvalidField.
        """
        if not 1 <= limit <= LONGEST_PAGE:
            raise InvalidField(field="limit", expected=f"1 to {LONGEST_PAGE}")
        where.after(order, after)
        cursor = self.cursor()
        found = read(where, limit + 1)
        last = found[limit - 1] if len(found) > limit else None
        first, second = (column.rpartition(".")[2] for column in order)
        return RowPage(
            rows=tuple(found[:limit]),
            next=None if last is None else place_text(getattr(last, first), getattr(last, second)),
            cursor=cursor,
        )

    @contextmanager
    def _rows(self) -> Iterator[DatabaseCursor[dict[str, Any]]]:
        with self._pool.connection() as connection, connection.cursor(row_factory=dict_row) as rows:
            yield rows


class Where:
    """Conditions of a query, added one after another; values travel apart from the text."""

    def __init__(self) -> None:
        self._parts: list[sql.Composable] = []
        self.values: list[Any] = []

    def add(self, condition: LiteralString, *values: Any) -> None:
        """Add a condition of ours with its values."""
        self._parts.append(sql.SQL(condition))
        self.values += values

    def equal(self, column: str, value: Any) -> None:
        """Let a column have a value; None means any."""
        if value is not None:
            self._parts.append(sql.SQL("{} = %s").format(sql.Identifier(*column.split("."))))
            self.values.append(value)

    def beyond(self, columns: Sequence[str], values: Sequence[Any]) -> None:
        """Let rows stand behind one with these values in the forward order of the columns."""
        self._parts.append(
            sql.SQL("({}) > ({})").format(
                sql.SQL(", ").join(map(sql.Identifier, columns)),
                sql.SQL(", ").join([sql.Placeholder()] * len(columns)),
            )
        )
        self.values += values

    def after(self, order: tuple[str, str], place: str | None) -> None:
        """Begin behind a place: times go backwards, names forward. Raises: InvalidField."""
        if place is None:
            return
        first, row_id = parsed_place(place)
        self._parts.append(
            sql.SQL("({}, {}) {} (%s, %s)").format(
                *(sql.Identifier(*column.split(".")) for column in order),
                sql.SQL(">" if isinstance(first, str) else "<"),
            )
        )
        self.values += [first, row_id]

    @property
    def clause(self) -> sql.Composable:
        """The `WHERE` clause; empty without conditions."""
        if not self._parts:
            return sql.SQL("")
        return sql.SQL(" WHERE {}").format(sql.SQL(" AND ").join(self._parts))


def place_text(first: datetime | str, id: UUID) -> str:
    """Return a place in a list as opaque text, safe in URLs: the value a list is ordered by, and the row's id."""
    name = first if isinstance(first, str) else first.astimezone(UTC).isoformat()
    data = id.bytes + (b"n" if isinstance(first, str) else b"t") + name.encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def parsed_place(text: str) -> tuple[datetime | str, UUID]:
    """Return the place of a text made by `place_text`. Raises: InvalidField."""
    try:
        data = base64.b64decode(text.encode() + b"=" * (-len(text) % 4), b"-_", validate=True)
        name, row_id = data[17:].decode(), UUID(bytes=data[:16])
        if data[16:17] == b"n":
            return name, row_id
        if data[16:17] == b"t":
            return datetime.fromisoformat(name).astimezone(UTC), row_id
    except (binascii.Error, ValueError, OverflowError):
        pass
    raise InvalidField(field="after", expected="the `next` of an earlier page")
