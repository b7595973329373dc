"""Many statements in one flush: each gets its own rows, the first failure is the one that is told."""

import random
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import errors

from infra.event_store.arrays import byteas, integers, texts
from infra.event_store.wire import Statement, Wire
from infra.postgres import connect


@pytest.fixture
def wire(postgres_dsn: str) -> Iterator[Wire]:
    with connect(postgres_dsn, name="wire") as connection:
        yield Wire(connection)


def numbers(*values: int) -> Statement:
    return Statement("SELECT v FROM unnest($1) AS v", (integers(values),))


def whole(*values: int) -> list[tuple[bytes]]:
    return [(value.to_bytes(4, "big"),) for value in values]


def test_each_statement_gets_its_own_rows(wire: Wire) -> None:
    for _ in range(3):
        found = wire.run([numbers(1, 2), None, numbers(), Statement("BEGIN"), numbers(3)])
        assert found == [whole(1, 2), [], [], [], whole(3)]
        assert wire.run([Statement("COMMIT")]) == [[]]


def test_null_and_empty_are_told_apart(wire: Wire) -> None:
    asked = Statement("SELECT v FROM unnest($1) AS v", (texts([None, "", "ї"]),))
    assert wire.run([asked]) == [[(None,), (b"",), ("ї".encode(),)]]


def test_what_fills_every_buffer_both_ways_arrives(wire: Wire) -> None:
    content = [random.Random(seed).randbytes(3_000_000) for seed in range(4)]
    asked = Statement("SELECT v FROM unnest($1) AS v", (byteas(content),))
    assert wire.run([asked, asked, numbers(1)]) == [[(c,) for c in content]] * 2 + [whole(1)]


def test_the_first_failure_is_told_by_its_class(wire: Wire) -> None:
    with pytest.raises(errors.DivisionByZero):
        wire.run([numbers(1), Statement("SELECT 1/0"), Statement("SELECT nonsense")])


def test_a_statement_that_cannot_be_prepared_is_told(wire: Wire) -> None:
    with pytest.raises(errors.UndefinedColumn):
        wire.run([Statement("SELECT nonsense")])


def test_the_reason_for_a_lost_connection_is_told(wire: Wire, postgres_dsn: str) -> None:
    with connect(postgres_dsn, name="test") as other:
        other.execute("SELECT pg_terminate_backend(%s)", [wire.connection.info.backend_pid])
    with pytest.raises(psycopg.OperationalError):
        wire.run([numbers(1)])
    assert wire.connection.closed
    with pytest.raises(psycopg.OperationalError):
        wire.run([numbers(1)])
