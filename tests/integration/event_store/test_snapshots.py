"""A snapshot with the events after it is the same as all events, whichever store keeps them."""

from collections.abc import Callable, Iterator

import pytest
from eventsourcing.persistence import StoredEvent
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.aggregate import Aggregate
from domain.identifiers import shard_of
from domain.money import Money
from infra.event_store.codec import LedgerMapper, shape_of
from infra.event_store.memory import MemoryStore, replay
from infra.event_store.saves import StoredSnapshot
from infra.event_store.store import PostgresStore
from infra.postgres import Connection, application_dsn, connect
from tests.support.history import History
from tests.support.till import Till, commit_of, new_till

Step = Callable[[Till], object]
steps: st.SearchStrategy[Step] = st.one_of(
    st.builds(
        lambda kopecks, form: lambda till: till.sell(amount=Money(kopecks), form=form),
        st.integers(-(10**9), 10**9),
        st.sampled_from(["cash", "card", "картка"]),
    ),
    st.builds(lambda name: lambda till: till.rename(name=name), st.text(max_size=20)),
    st.builds(lambda text: lambda till: till.note(text=text), st.text(max_size=20)),
)
commits = st.lists(st.lists(steps, min_size=1, max_size=5), max_size=12)
EVERY = 3


@pytest.fixture(scope="module")
def postgres(module_postgres_dsn: str) -> Iterator[PostgresStore]:
    with PostgresStore(application_dsn(module_postgres_dsn), snapshot_every=EVERY) as store:
        yield store


@pytest.fixture(params=["memory", "postgres"])
def store(request: pytest.FixtureRequest) -> MemoryStore | PostgresStore:
    if request.param == "memory":
        return MemoryStore(snapshot_every=EVERY)
    store: PostgresStore = request.getfixturevalue("postgres")
    return store


@given(commits=commits)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_a_stream_loads_as_it_was_after_every_commit(
    store: MemoryStore | PostgresStore, commits: list[list[Step]]
) -> None:
    till = new_till()
    store.commit(commit_of(till))
    for each in commits:
        for step in each:
            step(till)
        store.commit(commit_of(till))
        store.forget_aggregates()
        assert store.read(Till, till.id, shard=shard_of(till.id)) == till


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 40)), max_size=40))
def test_a_register_loads_from_its_snapshot_as_from_all_its_events(
    script: list[tuple[int, int]],
) -> None:
    history = History()
    history.run(script)
    mapper = LedgerMapper()
    for register_id in history.registers:
        stored = [
            StoredEvent(event.stream_id, event.version, event.topic, event.state)
            for event in history.events
            if event.stream_id == register_id
        ]
        whole = replay(mapper, None, stored)
        assert whole == history.register(register_id)
        half = replay(mapper, None, stored[: (len(stored) + 1) // 2])
        assert replay(mapper, snapshot_of(half), stored[half.version :]) == whole
        assert replay(mapper, snapshot_of(whole), []) == whole


def snapshot_of(aggregate: Aggregate) -> StoredSnapshot:
    stored = LedgerMapper().to_stored_event(Aggregate.Snapshot.take(aggregate))
    return StoredSnapshot(
        aggregate.id, aggregate.version, stored.topic, shape_of(type(aggregate)), stored.state
    )


class TestStoredSnapshot:
    @pytest.fixture
    def owner(self, module_postgres_dsn: str) -> Iterator[Connection]:
        with connect(module_postgres_dsn, name="owner") as owner:
            yield owner

    def sold(self, store: PostgresStore, *, sales: int) -> Till:
        till = new_till()
        for _ in range(sales):
            till.sell(amount=Money(1))
        store.commit(commit_of(till))
        store.forget_aggregates()
        return till

    def read(self, store: PostgresStore, till: Till) -> Till:
        return store.read(Till, till.id, shard=shard_of(till.id))

    def test_is_taken_every_so_many_events(
        self, postgres: PostgresStore, owner: Connection
    ) -> None:
        till = self.sold(postgres, sales=EVERY - 2)
        query = "SELECT version FROM snapshots WHERE stream_id = %s"
        assert owner.execute(query, [till.id]).fetchone() is None
        for version in (EVERY, EVERY, EVERY, 2 * EVERY):
            till.sell(amount=Money(1))
            postgres.commit(commit_of(till))
            assert owner.execute(query, [till.id]).fetchall() == [(version,)]

    def test_is_what_the_stream_is_loaded_from(
        self, postgres: PostgresStore, owner: Connection
    ) -> None:
        till = self.sold(postgres, sales=EVERY)
        other = self.sold(postgres, sales=2 * EVERY)
        owner.execute(
            "UPDATE snapshots s SET state = o.state FROM snapshots o"
            " WHERE s.stream_id = %s AND o.stream_id = %s",
            [till.id, other.id],
        )
        assert self.read(postgres, till).sales == 2 * EVERY

    def test_of_another_shape_is_left_aside(
        self, postgres: PostgresStore, owner: Connection
    ) -> None:
        till = self.sold(postgres, sales=2 * EVERY)
        owner.execute(
            "UPDATE snapshots SET shape = 'of an older program', state = '\\x00'"
            " WHERE stream_id = %s",
            [till.id],
        )
        assert self.read(postgres, till) == till
