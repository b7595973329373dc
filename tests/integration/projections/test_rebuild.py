from collections.abc import Iterator

import pytest

from infra.postgres import Connection, application_dsn, connect
from projections.balances import BalancesProjection
from projections.catalogue import PROJECTIONS, projection_named
from projections.projection import Projection
from projections.rebuild import Difference, RebuildRunning, check, rebuild
from tests.support.history import History, pour

SCRIPT = [(number % 3, number * 7 % 60) for number in range(150)]


@pytest.fixture
def history() -> History:
    history = History()
    history.run(SCRIPT)
    return history


@pytest.fixture
def owner(postgres_dsn: str, history: History) -> Iterator[Connection]:
    with connect(postgres_dsn, name="owner") as connection:
        pour(history.events, connection)
        for projection in PROJECTIONS:
            projection().catch_up(connection)
        yield connection


def _tables(connection: Connection, projection: type[Projection]) -> dict[str, list[tuple[object]]]:
    """The rows that mean something."""
    return {
        table: connection.execute(
            f"SELECT to_jsonb(t) FROM projections.{table} t WHERE {condition or 'true'} ORDER BY 1"
        ).fetchall()
        for table, condition in projection.TABLES.items()
    }


def _shape(connection: Connection) -> list[tuple[object, ...]]:
    """Columns, indexes, options and rights of every table of ours."""
    return connection.execute(
        "SELECT 'index', tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'projections'"
        " UNION ALL SELECT 'column', table_name, column_name, data_type || is_nullable"
        " FROM information_schema.columns WHERE table_schema = 'projections'"
        " UNION ALL SELECT 'right', table_name, grantee, privilege_type"
        " FROM information_schema.table_privileges WHERE table_schema = 'projections'"
        " UNION ALL SELECT 'option', relname, unnest(reloptions), '' FROM pg_class"
        " WHERE relnamespace = 'projections'::regnamespace ORDER BY 1, 2, 3, 4"
    ).fetchall()


@pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda projection: projection.NAME)
class TestEveryProjection:
    def test_rebuilt_tables_are_as_the_live_ones_were(
        self, owner: Connection, postgres_dsn: str, projection: type[Projection]
    ) -> None:
        rows, shape = _tables(owner, projection), _shape(owner)
        assert any(rows.values())
        seen: list[tuple[str, int, int]] = []
        count = rebuild(
            projection,
            dsn=postgres_dsn,
            page_events=100,
            progress=lambda name, done, total: seen.append((name, done, total)),
        )
        assert _tables(owner, projection) == rows
        assert _shape(owner) == shape
        assert seen[-1] == (projection.NAME, count, count)

    def test_what_happens_meanwhile_is_not_lost(
        self, owner: Connection, postgres_dsn: str, projection: type[Projection], history: History
    ) -> None:
        with connect(application_dsn(postgres_dsn), name="projector") as projector:

            def go_on_selling(name: str, done: int, total: int) -> None:
                if done == 50:
                    history.run(SCRIPT)
                    pour(history.events, owner)
                    projection().catch_up(projector)

            count = rebuild(projection, dsn=postgres_dsn, page_events=50, progress=go_on_selling)
            assert count == len(history.events)
            history.run(SCRIPT)
            pour(history.events, owner)
            assert projection().catch_up(projector) == len(history.events) - count
        assert check(projection, dsn=postgres_dsn) is None

    def test_check_finds_nothing_in_sound_tables_and_leaves_nothing_behind(
        self, owner: Connection, postgres_dsn: str, projection: type[Projection]
    ) -> None:
        assert check(projection, dsn=postgres_dsn, page_events=7) is None
        assert owner.execute(
            "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'projections\\_%'"
        ).fetchone() == (0,)
        assert owner.execute(
            "SELECT count(*) FROM tracking WHERE projection LIKE '% in %'"
        ).fetchone() == (0,)


class TestCheck:
    def test_a_changed_value_is_named(self, owner: Connection, postgres_dsn: str) -> None:
        found = owner.execute(
            "UPDATE projections.balances_receipts SET total_kopecks = total_kopecks + 1"
            " WHERE ctid = (SELECT ctid FROM projections.balances_receipts WHERE receipts <> 0"
            " ORDER BY register_id, shift_id, kind, state LIMIT 1)"
            " RETURNING register_id, shift_id, testing, kind, state, total_kopecks"
        ).fetchone()
        assert found is not None
        register_id, shift_id, testing, kind, state, total = found
        difference = check(BalancesProjection, dsn=postgres_dsn)
        assert difference == Difference(
            projection="balances",
            table="balances_receipts",
            key={
                "register_id": str(register_id),
                "shift_id": str(shift_id),
                "testing": testing,
                "kind": kind,
                "state": state,
            },
            column="total_kopecks",
            live=total,
            rebuilt=total - 1,
        )
        assert str(difference).endswith(f"total_kopecks is {total}, rebuilt it is {total - 1}")

    def test_a_missing_row_is_named(self, owner: Connection, postgres_dsn: str) -> None:
        owner.execute("DELETE FROM projections.alarms")
        difference = check(projection_named("alarms"), dsn=postgres_dsn)
        assert difference is not None
        assert (difference.table, difference.live) == ("alarms", None)
        assert str(difference).endswith("the row is missing")

    def test_a_row_too_many_is_named(self, owner: Connection, postgres_dsn: str) -> None:
        owner.execute(
            "INSERT INTO projections.structure_network VALUES (gen_random_uuid(), 'інша')"
        )
        difference = check(projection_named("structure"), dsn=postgres_dsn)
        assert difference is not None
        assert (difference.table, difference.rebuilt) == ("structure_network", None)
        assert str(difference).endswith("the row should not be there")

    def test_a_projection_that_lags_is_brought_up_first(
        self, owner: Connection, postgres_dsn: str, history: History
    ) -> None:
        history.run(SCRIPT)
        pour(history.events, owner)
        assert check(BalancesProjection, dsn=postgres_dsn) is None

    def test_a_rebuild_repairs_what_a_check_found(
        self, owner: Connection, postgres_dsn: str
    ) -> None:
        owner.execute("UPDATE projections.balances_payments SET amount_kopecks = 1")
        assert check(BalancesProjection, dsn=postgres_dsn) is not None
        rebuild(BalancesProjection, dsn=postgres_dsn)
        assert check(BalancesProjection, dsn=postgres_dsn) is None


def test_two_rebuilds_of_one_projection_do_not_meet(owner: Connection, postgres_dsn: str) -> None:
    def another(name: str, done: int, total: int) -> None:
        with pytest.raises(RebuildRunning):
            check(BalancesProjection, dsn=postgres_dsn)

    rebuild(BalancesProjection, dsn=postgres_dsn, progress=another)


def test_a_rebuild_that_fails_leaves_the_live_tables(owner: Connection, postgres_dsn: str) -> None:
    rows = _tables(owner, BalancesProjection)

    class Interrupted(Exception):
        pass

    def interrupt(name: str, done: int, total: int) -> None:
        raise Interrupted

    with pytest.raises(Interrupted):
        rebuild(BalancesProjection, dsn=postgres_dsn, progress=interrupt)
    assert _tables(owner, BalancesProjection) == rows
    assert check(BalancesProjection, dsn=postgres_dsn) is None
