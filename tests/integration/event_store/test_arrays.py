"""Arrays built by hand mean to PostgreSQL what they hold."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.event_store.arrays import (
    bigints,
    byteas,
    dates,
    integers,
    smallints,
    texts,
    times,
    uuids,
)
from infra.postgres import Connection, connect

TIMES = st.integers(-(10**15), 4 * 10**15).map(
    lambda microseconds: datetime(2000, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
)
CASES: list[tuple[str, Callable[[Any], bytes], st.SearchStrategy[Any]]] = [
    ("smallint[]", smallints, st.integers(-(2**15), 2**15 - 1)),
    ("integer[]", integers, st.integers(-(2**31), 2**31 - 1)),
    ("bigint[]", bigints, st.integers(-(2**63), 2**63 - 1)),
    ("uuid[]", uuids, st.uuids()),
    ("text[]", texts, st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\0"))),
    ("bytea[]", byteas, st.binary(max_size=50)),
    ("date[]", dates, st.dates()),
    ("timestamp with time zone[]", times, st.none() | TIMES),
]


@pytest.fixture(scope="module")
def connection(module_postgres_dsn: str) -> Iterator[Connection]:
    with connect(module_postgres_dsn, name="test") as made:
        yield made


@pytest.mark.parametrize(("name", "array", "values"), CASES, ids=[case[0] for case in CASES])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_every_value_arrives(
    connection: Connection,
    name: str,
    array: Callable[[Any], bytes],
    values: st.SearchStrategy[Any],
    data: st.DataObject,
) -> None:
    sent = data.draw(st.lists(values, max_size=5))
    found = connection.execute(
        "SELECT pg_typeof(a)::text, ARRAY(SELECT v FROM unnest(a) AS v) FROM (SELECT %s AS a) AS x",
        [array(sent)],
    ).fetchone()
    assert found == (name, sent)


def test_times_of_any_zone_are_one_moment(connection: Connection) -> None:
    summer = datetime(2026, 10, 25, 3, 30, tzinfo=timezone(timedelta(hours=3)))
    found = connection.execute("SELECT (%s)[1]", [times([summer])]).fetchone()
    assert found == (summer.astimezone(UTC),)


def test_first_days_and_ids_are_exact(connection: Connection) -> None:
    found = connection.execute(
        "SELECT (%s)[1]::text, (%s)[1]::text", [dates([date(2026, 2, 1)]), uuids([UUID(int=1)])]
    ).fetchone()
    assert found == ("2026-02-01", "00000000-0000-0000-0000-000000000001")
