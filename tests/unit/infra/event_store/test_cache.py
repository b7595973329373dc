"""The cache of aggregates: one lock a stream, a bounded number of streams, foreign events applied once."""

import threading
from contextlib import ExitStack
from uuid import UUID

import pytest

from domain.aggregate import Aggregate
from domain.errors import NotFound, StoreUnavailable
from domain.money import Money
from infra.event_store.cache import AggregateCache
from infra.event_store.codec import LedgerMapper
from infra.event_store.feed import FeedEvent
from tests.support.till import Till, new_till

MAPPER = LedgerMapper()


class Log:
    """Streams as a store would have them; counts how often each was loaded."""

    def __init__(self) -> None:
        self.events: dict[UUID, list[FeedEvent]] = {}
        self.loads: list[UUID] = []

    def add(self, till: Till) -> list[FeedEvent]:
        new = [
            FeedEvent(0, 0, till.id, stored.originator_version, stored.topic, stored.state)
            for stored in map(MAPPER.to_stored_event, till.collect_events())
        ]
        self.events.setdefault(till.id, []).extend(new)
        return new

    def till(self) -> Till:
        till = new_till()
        self.add(till)
        return till

    def sell(self, till: Till, times: int = 1) -> list[FeedEvent]:
        """Sell elsewhere."""
        for _ in range(times):
            till.sell(amount=Money(1))
        return self.add(till)

    def load(self, aggregate_class: type[Aggregate], stream_id: UUID, shard: int) -> Aggregate:
        self.loads.append(stream_id)
        found = None
        for event in self.events.get(stream_id, ()):
            found = event.event.mutate(found)
        if found is None:
            raise NotFound(what=aggregate_class.TOPIC, id=str(stream_id))
        assert isinstance(found, Aggregate)
        return found


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def cache(log: Log) -> AggregateCache:
    return AggregateCache(log.load, capacity=3, wait_seconds=0.05)


def sales(cache: AggregateCache, till: Till) -> int:
    return cache.read(Till, till.id, shard=0).sales


class TestCapacity:
    def test_least_recently_used_go_first(self, cache: AggregateCache, log: Log) -> None:
        tills = [log.till() for _ in range(4)]
        for index in (0, 1, 2, 0, 3):
            sales(cache, tills[index])
        assert len(cache) == 3
        log.loads.clear()
        for till in tills:
            sales(cache, till)
        assert log.loads[0] == tills[1].id

    def test_streams_in_use_are_never_dropped(self, cache: AggregateCache, log: Log) -> None:
        tills = [log.till() for _ in range(6)]
        with ExitStack() as stack:
            held = [stack.enter_context(cache.hold(Till, till.id, shard=0)) for till in tills]
            assert len(cache) == 6
            assert [till.id for till in held] == [till.id for till in tills]
            with pytest.raises(StoreUnavailable):
                sales(cache, tills[0])

    def test_an_unknown_stream_leaves_nothing_behind(self, cache: AggregateCache) -> None:
        for _ in range(5):
            with pytest.raises(NotFound):
                sales(cache, new_till())
        assert len(cache) == 0

    def test_forgetting_spares_what_is_held(self, cache: AggregateCache, log: Log) -> None:
        held, free = log.till(), log.till()
        sales(cache, free)
        with cache.hold(Till, held.id, shard=0):
            cache.forget()
            assert len(cache) == 1
        log.loads.clear()
        sales(cache, held)
        sales(cache, free)
        assert log.loads == [free.id]


class TestFollow:
    def test_foreign_events_are_applied_without_loading(
        self, cache: AggregateCache, log: Log
    ) -> None:
        till = log.till()
        sales(cache, till)
        log.loads.clear()
        for event in log.sell(till, 3):
            cache.follow(event)
        assert sales(cache, till) == 3
        assert log.loads == []

    def test_what_is_known_already_changes_nothing(self, cache: AggregateCache, log: Log) -> None:
        till = log.till()
        events = log.sell(till, 2)
        assert sales(cache, till) == 2
        for event in [*events, *events]:
            cache.follow(event)
        assert sales(cache, till) == 2

    def test_a_gap_loads_the_stream_again(self, cache: AggregateCache, log: Log) -> None:
        till = log.till()
        sales(cache, till)
        log.loads.clear()
        cache.follow(log.sell(till, 2)[1])
        assert sales(cache, till) == 2
        assert log.loads == [till.id]

    def test_a_stream_left_far_behind_is_dropped(self, cache: AggregateCache, log: Log) -> None:
        till = log.till()
        sales(cache, till)
        for event in log.sell(till, 300):
            cache.follow(event)
        assert len(cache) == 0
        assert sales(cache, till) == 300

    def test_streams_nobody_has_read_are_not_kept(self, cache: AggregateCache, log: Log) -> None:
        till = log.till()
        for event in log.sell(till):
            cache.follow(event)
        assert len(cache) == 0


class TestHold:
    def test_another_holder_gives_up_in_time(self, cache: AggregateCache, log: Log) -> None:
        till = log.till()
        holding, done = threading.Event(), threading.Event()

        def hold() -> None:
            with cache.hold(Till, till.id, shard=0):
                holding.set()
                done.wait()

        thread = threading.Thread(target=hold)
        thread.start()
        holding.wait()
        with pytest.raises(StoreUnavailable, match="holds it too long"):
            sales(cache, till)
        done.set()
        thread.join()
        assert sales(cache, till) == 0

    def test_pending_events_of_a_failed_command_are_dropped(
        self, cache: AggregateCache, log: Log
    ) -> None:
        till = log.till()
        with cache.hold(Till, till.id, shard=0) as held:
            held.sell(amount=Money(1))
        assert sales(cache, till) == 0
        assert log.loads == [till.id, till.id]

    def test_a_copy_to_look_at_has_containers_of_its_own(
        self, cache: AggregateCache, log: Log
    ) -> None:
        till = log.till()
        copy = cache.read(Till, till.id, shard=0)
        with cache.hold(Till, till.id, shard=0) as held:
            held.sell(amount=Money(1))
            assert held.by_form == {"cash": Money(1)}
            held.collect_events()
        assert copy.by_form == {}
        assert sales(cache, till) == 1
