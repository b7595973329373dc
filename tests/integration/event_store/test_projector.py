"""Projectors: a page's rows and the place reached are one transaction; a failure stops only its own projection."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from domain.identifiers import SHARDS
from domain.money import Money
from infra.event_store.feed import FeedEvent
from infra.event_store.projector import Projector, ProjectorThread
from infra.event_store.store import PostgresStore
from infra.postgres import Connection, connect
from tests.support.till import commit_of, new_till

PATIENCE_SECONDS = 20.0


class Sums(Projector):
    """Money by till: adding a page twice would show."""

    NAME = "sums"

    def apply(self, page: Sequence[FeedEvent], connection: Connection) -> None:
        for stored in page:
            if stored.topic == "test-till.sold":
                connection.execute(
                    "INSERT INTO sums VALUES (%s, %s) ON CONFLICT (till) DO UPDATE"
                    " SET total = sums.total + excluded.total",
                    [stored.stream_id, stored.event.total.kopecks],
                )


class Interrupted(Sums):
    """Fails after it wrote the rows of its page, as often as it is told."""

    def __init__(self, times: int, fail: Callable[[Connection], None]) -> None:
        self.times = times
        self._fail = fail

    def apply(self, page: Sequence[FeedEvent], connection: Connection) -> None:
        super().apply(page, connection)
        if self.times:
            self.times -= 1
            self._fail(connection)


class Counts(Projector):
    NAME = "counts"

    def apply(self, page: Sequence[FeedEvent], connection: Connection) -> None:
        connection.execute("UPDATE counted SET events = events + %s", [len(page)])


def stumble(_: Connection) -> None:
    raise ValueError("a row it does not\0 understand")


def lose_connection(connection: Connection) -> None:
    connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")


@pytest.fixture
def tables(postgres_dsn: str) -> Iterator[Connection]:
    with connect(postgres_dsn, name="owner") as owner:
        owner.execute("CREATE TABLE sums (till uuid PRIMARY KEY, total bigint)")
        owner.execute("CREATE TABLE counted (events bigint)")
        owner.execute("INSERT INTO counted VALUES (0)")
        owner.execute("GRANT SELECT, INSERT, UPDATE ON sums, counted TO fiscal_app")
        yield owner


@pytest.fixture
def connection(app_dsn: str, tables: Connection) -> Iterator[Connection]:
    with connect(app_dsn, name="projector") as connection:
        yield connection


def sell(store: PostgresStore, *, tills: int = 10, sales: int = 20) -> dict[Any, int]:
    """Write sales; return what the sums must be."""
    sums = {}
    for number in range(tills):
        till = new_till()
        for _ in range(sales):
            till.sell(amount=Money(number + 1))
        sums[till.id] = sales * (number + 1)
        store.commit(commit_of(till))
    return sums


def sums_in(connection: Connection) -> dict[Any, int]:
    return dict(connection.execute("SELECT till, total FROM sums").fetchall())


def failure_of(connection: Connection, name: str) -> tuple[bool, str | None] | None:
    found = connection.execute(
        "SELECT failed_at IS NOT NULL, failure FROM tracking WHERE projection = %s", [name]
    ).fetchone()
    return None if found is None else (found[0], found[1])


def eventually(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


class TestCatchUp:
    @pytest.mark.parametrize("page_events", [1, 7, 2_000])
    def test_reads_the_log_once_whatever_the_page(
        self, postgres_store: PostgresStore, connection: Connection, page_events: int
    ) -> None:
        expected = sell(postgres_store, tills=4, sales=5)
        told: list[int] = []
        count = Sums().catch_up(connection, page_events=page_events, progress=told.append)
        assert count == sum(told) == 4 * 6
        assert sums_in(connection) == expected
        assert Sums().catch_up(connection) == 0
        assert sums_in(connection) == expected

    def test_stops_at_the_place_it_is_given(
        self, postgres_store: PostgresStore, connection: Connection
    ) -> None:
        expected = sell(postgres_store)
        until = postgres_store.heads()
        later = sell(postgres_store)
        Sums().catch_up(connection, until=until, page_events=7)
        assert sums_in(connection) == expected
        Sums().catch_up(connection)
        assert sums_in(connection) == expected | later

    @pytest.mark.parametrize("fail", [stumble, lose_connection])
    def test_a_page_interrupted_before_its_commit_is_applied_once(
        self,
        postgres_store: PostgresStore,
        app_dsn: str,
        tables: Connection,
        fail: Callable[[Connection], None],
    ) -> None:
        expected = sell(postgres_store)
        projector = Interrupted(3, fail)
        for _ in range(3):
            with (
                connect(app_dsn, name="projector") as connection,
                pytest.raises((ValueError, psycopg.OperationalError)),
            ):
                projector.catch_up(connection, page_events=50)
            assert sums_in(tables) == {}
        with connect(app_dsn, name="projector") as connection:
            projector.catch_up(connection, page_events=50)
        assert sums_in(tables) == expected

    def test_several_at_once_apply_each_page_once(
        self, postgres_store: PostgresStore, app_dsn: str, tables: Connection
    ) -> None:
        expected = sell(postgres_store)

        def run() -> None:
            with connect(app_dsn, name="projector") as connection:
                Sums().catch_up(connection, page_events=10)

        threads = [threading.Thread(target=run) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sums_in(tables) == expected


class TestThread:
    @staticmethod
    @contextmanager
    def running(*projectors: Projector, dsn: str) -> Iterator[list[ProjectorThread]]:
        stop = threading.Event()
        runners = [
            ProjectorThread(each, dsn, poll_seconds=0.02, retry_seconds=0.05) for each in projectors
        ]
        threads = [threading.Thread(target=runner.run, args=[stop]) for runner in runners]
        for thread in threads:
            thread.start()
        try:
            yield runners
        finally:
            stop.set()
            for runner in runners:
                runner.wake()
            for thread in threads:
                thread.join(PATIENCE_SECONDS)
            assert not any(thread.is_alive() for thread in threads)

    def test_a_failing_projection_is_shown_and_leaves_the_others_running(
        self, postgres_store: PostgresStore, app_dsn: str, tables: Connection
    ) -> None:
        expected = sell(postgres_store)
        broken = Interrupted(1_000_000, stumble)
        with self.running(broken, Counts(), dsn=app_dsn):
            eventually(lambda: failure_of(tables, "sums"))
            counted = 10 * 21
            eventually(
                lambda: tables.execute("SELECT events FROM counted").fetchone() == (counted,)
            )
            assert failure_of(tables, "sums") == (
                True,
                "ValueError: a row it does not understand",
            )
            assert failure_of(tables, "counts") == (False, None)
            assert sums_in(tables) == {}
            broken.times = 0
            eventually(lambda: sums_in(tables) == expected)
            assert failure_of(tables, "sums") == (False, None)

    def test_a_failure_is_forgotten_even_when_nothing_new_happens(
        self, postgres_store: PostgresStore, app_dsn: str, tables: Connection
    ) -> None:
        tables.execute(
            "INSERT INTO tracking VALUES ('sums', %s, now(), now(), 'yesterday')", [[0] * SHARDS]
        )
        with self.running(Sums(), dsn=app_dsn):
            eventually(lambda: failure_of(tables, "sums") == (False, None))

    def test_a_lost_connection_is_opened_again(
        self, postgres_store: PostgresStore, app_dsn: str, tables: Connection
    ) -> None:
        with self.running(Sums(), dsn=app_dsn):
            expected = sell(postgres_store, tills=2)
            eventually(lambda: sums_in(tables) == expected)
            for _ in range(3):
                tables.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name = 'projection sums'"
                )
                expected.update(sell(postgres_store, tills=2))
                eventually(lambda: sums_in(tables) == expected)

    def test_it_stops_between_pages_however_far_behind_it_is(
        self, postgres_store: PostgresStore, app_dsn: str, tables: Connection
    ) -> None:
        sell(postgres_store, tills=1, sales=400)
        stop = threading.Event()

        class Stopping(Sums):
            def apply(self, page: Sequence[FeedEvent], connection: Connection) -> None:
                super().apply(page, connection)
                stop.set()

        ProjectorThread(Stopping(), app_dsn, page_events=100).run(stop)
        assert list(sums_in(tables).values()) == [99]
