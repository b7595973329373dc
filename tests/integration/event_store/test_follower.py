"""The feed follower: what other processes write reaches this one's cache and its subscribers."""

import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from domain.errors import Conflict
from domain.identifiers import shard_of
from domain.money import Money
from infra.event_store.feed import FeedEvent
from infra.event_store.follower import FeedFollower, Hints
from infra.event_store.store import PostgresStore
from infra.postgres import connect
from tests.support.till import Till, commit_of, new_till

PATIENCE_SECONDS = 20.0


@pytest.fixture
def elsewhere(app_dsn: str) -> Iterator[PostgresStore]:
    """The store of another process."""
    store = PostgresStore(app_dsn, name="elsewhere")
    yield store
    store.close()


@pytest.fixture
def follower(postgres_store: PostgresStore, app_dsn: str) -> FeedFollower:
    """Not started: tests move it by hand."""
    return FeedFollower(postgres_store, app_dsn, name="test", poll_seconds=0.05)


@pytest.fixture
def running(follower: FeedFollower) -> Iterator[FeedFollower]:
    follower.start()
    yield follower
    follower.stop()


def sell(store: PostgresStore, till: Till, times: int = 1) -> None:
    for _ in range(times):
        with store.hold(Till, till.id, shard=shard_of(till.id)) as held:
            held.sell(amount=Money(1))
            store.commit(commit_of(held))


def sales(store: PostgresStore, till: Till) -> int:
    return store.read(Till, till.id, shard=shard_of(till.id)).sales


def eventually(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def cut_all(dsn: str) -> None:
    with connect(dsn, name="cutter") as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.fixture
def till(postgres_store: PostgresStore) -> Till:
    till = new_till()
    postgres_store.commit(commit_of(till))
    assert sales(postgres_store, till) == 0
    return till


class TestCache:
    def test_without_following_the_cache_is_behind_and_a_commit_conflicts(
        self, postgres_store: PostgresStore, elsewhere: PostgresStore, till: Till
    ) -> None:
        sell(elsewhere, till)
        assert sales(postgres_store, till) == 0
        with pytest.raises(Conflict):
            sell(postgres_store, till)
        sell(postgres_store, till)
        assert sales(postgres_store, till) == 2

    @pytest.mark.parametrize("times", [1, 30, 450])
    def test_following_brings_it_forward_however_far(
        self,
        postgres_store: PostgresStore,
        elsewhere: PostgresStore,
        follower: FeedFollower,
        till: Till,
        times: int,
    ) -> None:
        other = elsewhere.read(Till, till.id, shard=shard_of(till.id))
        for _ in range(times):
            other.sell(amount=Money(1))
        elsewhere.commit(commit_of(other))
        assert follower.catch_up() == times + 1
        sell(postgres_store, till)
        assert sales(postgres_store, till) == times + 1

    def test_our_own_events_change_nothing_when_they_come_back(
        self, postgres_store: PostgresStore, follower: FeedFollower, till: Till
    ) -> None:
        sell(postgres_store, till, 3)
        follower.catch_up()
        assert sales(postgres_store, till) == 3

    def test_a_missed_event_is_read_from_the_log(
        self, postgres_store: PostgresStore, elsewhere: PostgresStore, till: Till
    ) -> None:
        sell(elsewhere, till)
        from_here = postgres_store.heads()
        sell(elsewhere, till)
        postgres_store.follow(postgres_store.page(from_here, 10).events)
        assert sales(postgres_store, till) == 2

    def test_refresh_sees_what_was_not_followed_yet(
        self, postgres_store: PostgresStore, elsewhere: PostgresStore, till: Till
    ) -> None:
        sell(elsewhere, till, 2)
        assert postgres_store.refresh(Till, till.id, shard=shard_of(till.id)).sales == 2
        assert sales(postgres_store, till) == 2


class TestFollowing:
    def test_subscribers_hear_every_event_once_in_order(
        self, elsewhere: PostgresStore, till: Till, running: FeedFollower
    ) -> None:
        heard: list[FeedEvent] = []
        running.subscribe(heard.extend)
        sell(elsewhere, till, 20)
        eventually(lambda: sum(event.version > 1 for event in heard) == 20)
        assert [event.version for event in heard if event.version > 1] == list(range(2, 22))

    def test_a_failing_subscriber_disturbs_nobody(
        self, elsewhere: PostgresStore, till: Till, running: FeedFollower
    ) -> None:
        heard: list[FeedEvent] = []

        def fail(_: tuple[FeedEvent, ...]) -> None:
            raise ZeroDivisionError

        running.subscribe(fail)
        running.subscribe(heard.extend)
        sell(elsewhere, till, 2)
        eventually(lambda: sum(event.version > 1 for event in heard) == 2)

    def test_it_goes_on_after_the_connections_are_lost(
        self, elsewhere: PostgresStore, till: Till, running: FeedFollower, postgres_dsn: str
    ) -> None:
        heard: list[FeedEvent] = []
        running.subscribe(heard.extend)
        for version in (2, 3, 4):
            cut_all(postgres_dsn)
            sell(elsewhere, till)
            eventually(partial(self.has_heard, heard, version))
        assert [event.version for event in heard if event.version > 1] == [2, 3, 4]

    @staticmethod
    def has_heard(heard: list[FeedEvent], version: int) -> bool:
        return any(event.version == version for event in heard)


class TestHints:
    def test_a_commit_is_heard_at_once(self, elsewhere: PostgresStore, app_dsn: str) -> None:
        hints = Hints(app_dsn, name="test")
        assert hints.wait(10.0) == [""], "what was before the first wait was not heard"
        assert hints.wait(0.05) == []
        started = time.monotonic()
        elsewhere.commit(commit_of(new_till()))
        assert hints.wait(10.0) == [""]
        assert time.monotonic() < started + 5.0
        hints.close()

    def test_a_lost_connection_is_a_wait_without_hints(
        self, postgres_dsn: str, app_dsn: str
    ) -> None:
        hints = Hints(app_dsn, name="test")
        hints.wait(10.0)
        cut_all(postgres_dsn)
        assert hints.wait(0.05) == []
        assert hints.wait(10.0) == [""], "a new connection has heard nothing yet"
        hints.close()
