"""The appender's questions find rows by key, even when their plans were made while the tables were empty."""

from collections.abc import Iterator
from typing import Any

import pytest

from infra.event_store import recorder
from infra.event_store.recorder import SESSION
from infra.postgres import Connection, connect

QUESTIONS = {
    "streams": (recorder._STREAMS, "smallint[], uuid[]", {"shard", "stream_id"}),
    "commands": (recorder._COMMANDS, "smallint[], text[], text[]", {"shard", "scope", "key"}),
    "lanes": (recorder._LANES, "smallint[], uuid[]", {"shard", "register_id"}),
    "documents": (
        recorder._DOCUMENTS,
        "smallint[], date[], uuid[], text[]",
        {"shard", "month", "document_id", "kind"},
    ),
    "chains": (
        recorder._CHAINS,
        "smallint[], uuid[], integer[]",
        {"shard", "stream_id", "version"},
    ),
}


@pytest.fixture
def session(postgres_dsn: str, app_dsn: str) -> Iterator[Connection]:
    """A recorder's session on a database that is empty and was analysed when it was."""
    with connect(postgres_dsn, name="owner") as owner:
        owner.execute("SELECT ensure_documents_partition('2026-03-01')")
        owner.execute("VACUUM (ANALYZE)")
    with connect(app_dsn, name="recorder", settings=SESSION) as connection:
        yield connection


def scans(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "Relation Name" in plan:
        yield plan
    for inner in plan.get("Plans", ()):
        yield from scans(inner)


@pytest.mark.parametrize("name", QUESTIONS)
def test_each_row_is_found_by_its_whole_key(session: Connection, name: str) -> None:
    sql, types, key = QUESTIONS[name]
    session.execute(f"PREPARE question ({types}) AS {sql}".encode())
    nulls = ", ".join(["NULL"] * len(types.split(",")))
    found = session.execute(f"EXPLAIN (FORMAT JSON) EXECUTE question ({nulls})".encode()).fetchone()
    assert found is not None
    tables = list(scans(found[0][0]["Plan"]))
    assert tables
    for scan in tables:
        condition = scan.get("Index Cond", "")
        assert all(column in condition for column in key), scan
