"""What the tests of the store share: each store with its lanes, behind one face."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import pytest

from domain.ports import Lanes, LedgerStore
from infra.event_store.feed import Cursor, FeedEvent, Page
from infra.event_store.lanes import PostgresLanes
from infra.event_store.memory import MemoryLanes, MemoryStore
from infra.event_store.store import PostgresStore
from infra.postgres import application_dsn


class FeedStore(LedgerStore, Protocol):
    """A store with its feed: what both of ours are."""

    def page(self, cursor: Cursor, limit: int) -> Page: ...

    def forget_aggregates(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Engine:
    """A store with its lanes; `start` is where its log ended when the test began."""

    store: FeedStore
    lanes: Lanes
    start: Cursor

    def log(self) -> list[FeedEvent]:
        """What was appended since the test began."""
        return list(self.store.page(self.start, 100_000).events)


@pytest.fixture
def app_dsn(postgres_dsn: str) -> str:
    """DSN of the application's role on a fresh, migrated database."""
    return application_dsn(postgres_dsn)


@pytest.fixture
def postgres_store(app_dsn: str) -> Iterator[PostgresStore]:
    store = PostgresStore(app_dsn)
    yield store
    store.close()


@pytest.fixture(scope="module")
def _shared_store(module_postgres_dsn: str) -> Iterator[PostgresStore]:
    store = PostgresStore(application_dsn(module_postgres_dsn))
    yield store
    store.close()


@pytest.fixture(params=["memory", "postgres"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each of the two stores: the same tests hold for both. PostgreSQL's keeps what other tests of the module wrote."""
    if request.param == "memory":
        memory = MemoryStore()
        return Engine(memory, MemoryLanes(memory), Cursor())
    store: PostgresStore = request.getfixturevalue("_shared_store")
    return Engine(store, PostgresLanes(store), store.heads())
